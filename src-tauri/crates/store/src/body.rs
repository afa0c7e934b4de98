//! `body`: the raw message of a logged mail, until the retention clock takes it.

use crate::error::StoreError;
use crate::sql::{most, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::params;
use std::fmt;

pub(crate) const SQL: &str = "
CREATE TABLE body (
  message   INTEGER PRIMARY KEY REFERENCES message ON DELETE CASCADE,
  raw       BLOB NOT NULL,
  truncated INTEGER NOT NULL CHECK (truncated IN (0, 1))
) STRICT;
";

/// A message as the server gave it.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    /// RFC 5322, as fetched.
    pub raw: Vec<u8>,
    /// True where its end was not fetched, since it is over the limit.
    pub truncated: bool,
}

/// Mail text: only its size is shown.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.raw.len())
    }
}

/// Keeps the raw message, and that it was fetched.
pub(crate) fn put(
    tx: &Tx<'_>,
    message: i64,
    raw: &[u8],
    truncated: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO body (message, raw, truncated) VALUES (?1, ?2, ?3)
         ON CONFLICT (message) DO UPDATE SET raw = ?2, truncated = ?3",
        params![message, raw, truncated],
    )?;
    tx.run("UPDATE message SET body_at = coalesce(body_at, ?2) WHERE id = ?1", params![message, us(at)])?;
    Ok(())
}

pub fn get(tx: &Tx<'_>, message: i64) -> Result<Option<Body>, StoreError> {
    tx.one("SELECT raw, truncated FROM body WHERE message = ?1", [message], |row| {
        Ok(Body { raw: row.get("raw")?, truncated: row.get("truncated")? })
    })
}

/// The messages whose raw form is kept, the newest first.
pub fn newest(tx: &Tx<'_>, limit: usize) -> Result<Vec<i64>, StoreError> {
    tx.all("SELECT message FROM body ORDER BY message DESC LIMIT ?1", [most(limit)], |row| row.get(0))
}

/// The size of the raw message, without reading it; 0 where there is none.
pub(crate) fn bytes(tx: &Tx<'_>, message: i64) -> Result<u64, StoreError> {
    let bytes: Option<u32> =
        tx.one("SELECT length(raw) FROM body WHERE message = ?1", [message], |row| row.get(0))?;
    Ok(bytes.map_or(0, u64::from))
}

/// Takes the raw message out of the file; that it was fetched stays known.
pub fn remove(tx: &Tx<'_>, message: i64) -> Result<(), StoreError> {
    tx.run("DELETE FROM body WHERE message = ?1", [message])?;
    Ok(())
}
