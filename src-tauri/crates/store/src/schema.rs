//! The tables' SQL, put together into the versions of the file.

use crate::error::StoreError;
use crate::{
    account, association, body, contact, egress, folder, health, job, message, message_id, outbox, place,
    reference, set_aside, setting, thread,
};
use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

/// The version of the file (`user_version`) that this program writes.
pub(crate) const VERSION: i64 = 1;

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

/// Brings the file to [`VERSION`]: all of it or nothing.
pub(crate) fn upgrade(conn: &mut Connection) -> Result<(), StoreError> {
    let first = FIRST.join("\n");
    let steps = [M::up(&first)];
    Migrations::from_slice(&steps).to_latest(conn).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => err.into(),
        other => StoreError::Query { source: rusqlite::Error::ToSqlConversionFailure(Box::new(other)) },
    })
}
