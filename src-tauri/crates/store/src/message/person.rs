//! What the person says of somebody whom the CRM does not know.

use crate::error::StoreError;
use crate::sql::us;
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::params;
use threadline_core::address::Address;

/// The ninth version: which mail is put off, and whom the person said to add while other mail still waits.
pub(crate) const NINTH: &str = "
ALTER TABLE message ADD COLUMN later_at INTEGER;
CREATE TABLE added_person (
  account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
  who     BLOB NOT NULL CHECK (length(who) = 16),
  PRIMARY KEY (account, who)
) STRICT, WITHOUT ROWID;
";

/// Puts a question off: it is not asked about in the batch any more.
pub fn put_off(tx: &Tx<'_>, message: i64, at: Timestamp) -> Result<(), StoreError> {
    tx.run("UPDATE message SET later_at = ?2 WHERE id = ?1", params![message, us(at)])?;
    Ok(())
}

/// Whether a question was put off.
pub fn is_later(tx: &Tx<'_>, message: i64) -> Result<bool, StoreError> {
    let found =
        tx.one("SELECT 1 FROM message WHERE id = ?1 AND later_at IS NOT NULL", [message], |_| Ok(()))?;
    Ok(found.is_some())
}

/// Notes that the person said to make a contact of somebody; by a keyed hash.
pub fn add_person(tx: &Tx<'_>, account: i64, who: &Address) -> Result<(), StoreError> {
    let hash = tx.hash_address(who);
    tx.run("INSERT OR IGNORE INTO added_person (account, who) VALUES (?1, ?2)", params![account, hash])?;
    Ok(())
}

/// Whether they said so.
pub fn is_added(tx: &Tx<'_>, account: i64, who: &Address) -> Result<bool, StoreError> {
    let hash = tx.hash_address(who);
    let found =
        tx.one("SELECT 1 FROM added_person WHERE account = ?1 AND who = ?2", params![account, hash], |_| {
            Ok(())
        })?;
    Ok(found.is_some())
}
