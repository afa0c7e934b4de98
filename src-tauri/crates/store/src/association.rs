//! `association`: whom a logged message is logged on.

use crate::error::StoreError;
use crate::sql::address;
use crate::tx::Tx;
use rusqlite::{Row, params};
use threadline_core::address::Address;
use threadline_core::record::Association;

pub(crate) const SQL: &str = "
CREATE TABLE association (
  message    INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
  position   INTEGER NOT NULL,
  address    TEXT NOT NULL,
  name       TEXT,
  remote_id  TEXT,
  may_create INTEGER NOT NULL CHECK (may_create IN (0, 1)),
  PRIMARY KEY (message, address)
) STRICT, WITHOUT ROWID;
";

fn read(row: &Row<'_>) -> rusqlite::Result<Association> {
    Ok(Association {
        address: address(row, "address")?,
        name: row.get("name")?,
        remote_id: row.get("remote_id")?,
        may_create: row.get("may_create")?,
    })
}

/// Notes whom a message is logged on, behind those who are there; what is known of an address is kept.
pub(crate) fn add(tx: &Tx<'_>, message: i64, contacts: &[Association]) -> Result<(), StoreError> {
    for contact in contacts {
        tx.run(
            "INSERT INTO association (message, position, address, name, remote_id, may_create)
             VALUES (?1, (SELECT count(*) FROM association WHERE message = ?1), ?2, ?3, ?4, ?5)
             ON CONFLICT (message, address) DO UPDATE
               SET name = coalesce(name, ?3), remote_id = coalesce(remote_id, ?4), may_create = max(may_create, ?5)",
            params![message, contact.address.as_str(), contact.name, contact.remote_id, contact.may_create],
        )?;
    }
    Ok(())
}

/// Whom a message is logged on, in the order of the decision.
pub fn of_message(tx: &Tx<'_>, message: i64) -> Result<Vec<Association>, StoreError> {
    tx.all(
        "SELECT address, name, remote_id, may_create FROM association WHERE message = ?1 ORDER BY position, address",
        [message],
        read,
    )
}

/// Whom a thread's messages are logged on, each address once.
pub fn of_thread(tx: &Tx<'_>, thread: i64) -> Result<Vec<Association>, StoreError> {
    tx.all(
        "SELECT a.address, max(a.name) AS name, max(a.remote_id) AS remote_id,
           max(a.may_create) AS may_create
         FROM message m CROSS JOIN association a ON a.message = m.id
         WHERE m.thread = ?1 GROUP BY a.address ORDER BY a.address",
        [thread],
        read,
    )
}

/// Notes the id that the CRM gave a contact who was made there for this message.
pub fn set_remote(tx: &Tx<'_>, message: i64, address: &Address, remote_id: &str) -> Result<(), StoreError> {
    tx.run(
        "UPDATE association SET remote_id = ?3 WHERE message = ?1 AND address = ?2",
        params![message, address.as_str(), remote_id],
    )?;
    Ok(())
}
