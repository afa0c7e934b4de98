//! `egress`: every field that left the computer.

use crate::error::StoreError;
use crate::sql::{most, time, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::params;

pub(crate) const SQL: &str = "
CREATE TABLE egress (
  id        INTEGER PRIMARY KEY,
  at        INTEGER NOT NULL,
  sink      TEXT NOT NULL,
  message   INTEGER REFERENCES message ON DELETE SET NULL,
  object    TEXT NOT NULL,
  remote_id TEXT,
  field     TEXT NOT NULL,
  bytes     INTEGER NOT NULL
) STRICT;
CREATE INDEX egress_by_message ON egress (message);
";

/// One field that left the computer. Its value is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Egress {
    /// 0 where it is not stored yet.
    pub id: i64,
    pub at: Timestamp,
    pub sink: String,
    pub message: Option<i64>,
    /// The kind of object at the CRM, for example "email" or "contact".
    pub object: String,
    pub remote_id: Option<String>,
    pub field: String,
    pub bytes: u64,
}

/// Notes what left.
pub fn add(tx: &Tx<'_>, fields: &[Egress]) -> Result<(), StoreError> {
    for e in fields {
        tx.run(
            "INSERT INTO egress (at, sink, message, object, remote_id, field, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![us(e.at), e.sink, e.message, e.object, e.remote_id, e.field, e.bytes.min(i64::MAX as u64).cast_signed()],
        )?;
    }
    Ok(())
}

/// What left, by id, from behind `after` (0 for the first page).
pub fn page(tx: &Tx<'_>, after: i64, limit: usize) -> Result<Vec<Egress>, StoreError> {
    tx.all("SELECT * FROM egress WHERE id > ?1 ORDER BY id LIMIT ?2", params![after, most(limit)], read)
}

/// What left, the newest first, from before the row `before` (`None` for the first page).
pub fn newest(tx: &Tx<'_>, before: Option<i64>, limit: usize) -> Result<Vec<Egress>, StoreError> {
    let before = before.unwrap_or(i64::MAX);
    tx.all("SELECT * FROM egress WHERE id < ?1 ORDER BY id DESC LIMIT ?2", params![before, most(limit)], read)
}

/// What left for one message, the newest first.
pub fn of_message(tx: &Tx<'_>, message: i64, limit: usize) -> Result<Vec<Egress>, StoreError> {
    tx.all(
        "SELECT * FROM egress WHERE message = ?1 ORDER BY id DESC LIMIT ?2",
        params![message, most(limit)],
        read,
    )
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Egress> {
    Ok(Egress {
        id: row.get("id")?,
        at: time(row, "at")?,
        sink: row.get("sink")?,
        message: row.get("message")?,
        object: row.get("object")?,
        remote_id: row.get("remote_id")?,
        field: row.get("field")?,
        bytes: row.get::<_, i64>("bytes")?.cast_unsigned(),
    })
}
