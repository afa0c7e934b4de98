//! `file`: files that a CRM has, so that the same one is not stored there twice; `file_refused`: those that it did not take.

use crate::error::StoreError;
use crate::sql::us;
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::params;

/// The fifth version.
pub(crate) const SQL: &str = "
CREATE TABLE file (
  sink      TEXT NOT NULL,
  hash      BLOB NOT NULL CHECK (length(hash) = 32),
  remote_id TEXT NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY (sink, hash)
) STRICT, WITHOUT ROWID;
";

/// The eleventh version.
pub(crate) const ELEVENTH: &str = "
CREATE TABLE file_refused (
  message INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
  sink    TEXT NOT NULL,
  hash    BLOB NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (message, sink, hash)
) STRICT, WITHOUT ROWID;
";

/// The sink's own id of a file with these contents and this name; the hash is kept keyed.
pub fn remote_id(tx: &Tx<'_>, sink: &str, hash: &[u8; 32]) -> Result<Option<String>, StoreError> {
    tx.one(
        "SELECT remote_id FROM file WHERE sink = ?1 AND hash = ?2",
        params![sink, tx.hash_whole(hash)],
        |row| row.get(0),
    )
}

/// Notes whether the sink refused it as a file of this message, which went there without it.
pub fn set_refused(
    tx: &Tx<'_>,
    message: i64,
    sink: &str,
    hash: &[u8; 32],
    refused: bool,
) -> Result<(), StoreError> {
    let sql = match refused {
        true => "INSERT OR IGNORE INTO file_refused (message, sink, hash) VALUES (?1, ?2, ?3)",
        false => "DELETE FROM file_refused WHERE message = ?1 AND sink = ?2 AND hash = ?3",
    };
    tx.run(sql, params![message, sink, tx.hash_whole(hash)])?;
    Ok(())
}

/// Whether a sink refused it as a file of this message.
pub fn is_refused(tx: &Tx<'_>, message: i64, hash: &[u8; 32]) -> Result<bool, StoreError> {
    let found: Option<i64> = tx.one(
        "SELECT 1 FROM file_refused WHERE message = ?1 AND hash = ?2 LIMIT 1",
        params![message, tx.hash_whole(hash)],
        |row| row.get(0),
    )?;
    Ok(found.is_some())
}

/// Notes that the sink has it.
pub fn put(
    tx: &Tx<'_>,
    sink: &str,
    hash: &[u8; 32],
    remote_id: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO file (sink, hash, remote_id, at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (sink, hash) DO UPDATE SET remote_id = ?3, at = ?4",
        params![sink, tx.hash_whole(hash), remote_id, us(at)],
    )?;
    Ok(())
}
