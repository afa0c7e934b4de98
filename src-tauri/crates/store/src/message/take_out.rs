//! Taking a logged message out of the log.

use crate::error::StoreError;
use crate::sql::us;
use crate::tx::Tx;
use crate::{activity, outbox, thread};
use jiff::Timestamp;
use rusqlite::params;
use threadline_core::rule::Rule;

/// Takes a logged message out: its text goes, what waits for a CRM is abandoned, and it is not logged again when another
/// copy of it comes up. Its hashed ids stay, so that it is known. What a CRM has by then stays there, and stays known.
/// False where it is not logged.
pub fn take_out(tx: &Tx<'_>, message: i64, at: Timestamp) -> Result<bool, StoreError> {
    take_out_by(tx, message, Rule::TakenOut, at)
}

/// Takes a message out whose text was read and showed what its header did not: another rule than the one that logged it
/// speaks for it.
pub fn take_out_as(tx: &Tx<'_>, message: i64, rule: Rule, at: Timestamp) -> Result<bool, StoreError> {
    tx.run("UPDATE message SET body_at = ?2 WHERE id = ?1", params![message, us(at)])?;
    take_out_by(tx, message, rule, at)
}

/// The same by another rule than the person's own word.
pub(crate) fn take_out_by(tx: &Tx<'_>, message: i64, rule: Rule, at: Timestamp) -> Result<bool, StoreError> {
    let thread =
        tx.one("SELECT thread FROM message WHERE id = ?1 AND verdict = 'log'", [message], |row| {
            row.get::<_, Option<i64>>(0)
        })?;
    let Some(thread) = thread else { return Ok(false) };
    tx.run(
        "UPDATE message SET verdict = 'ignore', rule = ?2, decided_at = ?3, thread = NULL, key = NULL, headers = NULL,
           answer = NULL, clock = NULL, clock_at = NULL WHERE id = ?1",
        params![message, rule.name(), us(at)],
    )?;
    for table in ["association", "body", "job"] {
        tx.run(&format!("DELETE FROM {table} WHERE message = ?1"), [message])?;
    }
    outbox::abandon_message(tx, message)?;
    if let Some(thread) = thread {
        thread::left(tx, thread)?;
    }
    activity::decided(tx, message, None, at)?;
    Ok(true)
}

/// A mailbox's logged messages of which a CRM is still to get something: the text is to be read, or a push waits or was given
/// up.
pub fn on_their_way(tx: &Tx<'_>, account: i64) -> Result<Vec<i64>, StoreError> {
    tx.all(
        "SELECT message FROM job WHERE account = ?1 AND kind = 'body'
         UNION SELECT m.id FROM outbox o INDEXED BY outbox_open /* whole index */ CROSS JOIN message m ON m.id = o.message
         WHERE o.state IN ('waiting', 'leased', 'set_aside') AND m.account = ?1 AND m.verdict = 'log'",
        [account],
        |row| row.get(0),
    )
}
