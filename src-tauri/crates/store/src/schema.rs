//! The tables' SQL, put together into the versions of the file.

use crate::error::StoreError;
use crate::tx::{Salt, Tx};
use crate::{
    account, activity, association, body, contact, egress, file, folder, health, hidden, job, mark, message,
    message_id, notice, outbox, place, reference, relayed, removal, retention, send, set_aside, setting,
    template, thread,
};
use rusqlite::{Connection, Transaction};
use rusqlite_migration::{M, Migrations};

/// The version of the file (`user_version`) that this program writes.
pub(crate) const VERSION: i64 = 12;

/// The first version: parents before their children.
const FIRST: &[&str] = &[
    setting::SQL,
    account::SQL,
    folder::SQL,
    thread::SQL,
    message::SQL,
    message_id::SQL,
    reference::SQL,
    place::SQL,
    association::SQL,
    body::SQL,
    contact::SQL,
    job::SQL,
    outbox::SQL,
    egress::SQL,
    health::SQL,
    set_aside::SQL,
];

/// The second version. The activity comes last: it reads what the others made.
const SECOND: &[&str] = &[thread::SECOND, message::SECOND, outbox::SECOND, health::SECOND, activity::SECOND];

/// The third version: what reports and automatic answers say.
const THIRD: &[&str] = &[job::THIRD, notice::SQL];

/// The fourth version: by what a message was matched, and conversations that a person divides and joins.
const FOURTH: &[&str] = &[message::FOURTH, thread::FOURTH];

/// The fifth version: from when on a mailbox is read, and what is set aside and read again.
const FIFTH: &[&str] = &[account::FIFTH, set_aside::FIFTH, outbox::FIFTH];

/// The sixth version: the clocks of retention, receipts and the trash; what a CRM has of records and files.
const SIXTH: &[&str] = &[outbox::SIXTH, retention::SIXTH, file::SQL];

/// The seventh version: mails that go out through here, and the templates for them.
const SEVENTH: &[&str] = &[send::SQL, template::SQL];

/// The eighth version: mails that went through the relay.
const EIGHTH: &[&str] = &[relayed::SQL];

/// The ninth version: copies of mails that hide people from each other, what a CRM logs by itself, keywords that were written back,
/// what the person said of people, and records that are to go from a CRM.
const NINTH: &[&str] = &[outbox::NINTH, hidden::NINTH, mark::NINTH, message::NINTH, removal::NINTH];

/// The tenth version: which of the mails that share an id a notice is about.
const TENTH: &[&str] = &[notice::TENTH];

/// The eleventh version: files that a CRM did not take.
const ELEVENTH: &[&str] = &[file::ELEVENTH];

/// The twelfth version: what a CRM was told of mails that came back.
const TWELFTH: &[&str] = &[outbox::TWELFTH];

/// Brings the file to [`VERSION`]: all of it or nothing.
pub(crate) fn upgrade(conn: &mut Connection) -> Result<(), StoreError> {
    let [first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth, eleventh, twelfth] =
        [FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH, EIGHTH, NINTH, TENTH, ELEVENTH, TWELFTH]
            .map(|tables| tables.join("\n"));
    let steps = [
        M::up(&first),
        M::up(&second),
        M::up(&third),
        M::up(&fourth),
        M::up(&fifth),
        M::up(&sixth),
        M::up(&seventh),
        M::up(&eighth),
        M::up(&ninth),
        M::up_with_hook(&tenth, |tx: &Transaction<'_>| Ok(fill(tx)?)),
        M::up(&eleventh),
        M::up(&twelfth),
    ];
    Migrations::from_slice(&steps).to_latest(conn).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => unwrapped(err),
        other => StoreError::Query { source: rusqlite::Error::ToSqlConversionFailure(Box::new(other)) },
    })
}

/// Fills what the second version keeps of each thread, in a file that comes from the first. It reads tables of the newest version.
fn fill(tx: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    if tx.query_row("SELECT EXISTS (SELECT 1 FROM thread_text)", [], |row| row.get(0))? {
        return Ok(());
    }
    // Nothing here makes a hash, so the salt does not matter.
    let salt = Salt::new(&[0; 32]);
    thread::refresh_all(&Tx::new(tx, &salt)).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}

/// The ledger's own error comes through the library's inside one of its own.
fn unwrapped(error: rusqlite::Error) -> StoreError {
    match error {
        rusqlite::Error::ToSqlConversionFailure(cause) => match cause.downcast::<StoreError>() {
            Ok(own) => *own,
            Err(cause) => rusqlite::Error::ToSqlConversionFailure(cause).into(),
        },
        other => other.into(),
    }
}

/// A file of the first version, for the tests of what comes after it.
#[cfg(test)]
pub(crate) fn first_version(conn: &mut Connection) {
    let first = FIRST.join("\n");
    Migrations::from_slice(&[M::up(&first)]).to_latest(conn).unwrap();
}
