//! `removal`: records that are to go from a CRM, because the person said so.

use crate::error::StoreError;
use crate::sql::{most, named, reason, time, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};
use threadline_core::reason::Reason;

/// The ninth version.
pub(crate) const NINTH: &str = "
CREATE TABLE removal (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  sink      TEXT NOT NULL,
  message   INTEGER REFERENCES message ON DELETE SET NULL,
  remote_id TEXT NOT NULL,
  state     TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
  attempts  INTEGER NOT NULL DEFAULT 0,
  next_try  INTEGER NOT NULL,
  reason    TEXT,
  words     TEXT,
  queued_at INTEGER NOT NULL,
  UNIQUE (sink, remote_id)
) STRICT;
CREATE INDEX removal_due ON removal (sink, state, next_try, id);
CREATE INDEX removal_by_message ON removal (message);
";

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Waiting,
    /// The CRM does not show it any more.
    Done,
    /// The CRM refuses it.
    Failed,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Done => "done",
            State::Failed => "failed",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [State::Waiting, State::Done, State::Failed].into_iter().find(|state| state.name() == name)
    }
}

/// A record that is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    pub id: i64,
    pub sink: String,
    pub message: Option<i64>,
    pub remote_id: String,
    pub state: State,
    /// How often it failed.
    pub attempts: u32,
    /// Not before this time.
    pub next_try: Timestamp,
    pub reason: Option<Reason>,
    /// The CRM's own words.
    pub words: Option<String>,
    pub queued_at: Timestamp,
}

const SELECT: &str = "SELECT * FROM removal";

fn read(row: &Row<'_>) -> rusqlite::Result<Removal> {
    Ok(Removal {
        id: row.get("id")?,
        sink: row.get("sink")?,
        message: row.get("message")?,
        remote_id: row.get("remote_id")?,
        state: named(row, "state", State::from_name)?,
        attempts: row.get("attempts")?,
        next_try: time(row, "next_try")?,
        reason: reason(row, "reason")?,
        words: row.get("words")?,
        queued_at: time(row, "queued_at")?,
    })
}

/// Queues a record to be removed, due at once; one that was refused is tried again. Gives its row.
pub fn add(tx: &Tx<'_>, sink: &str, message: i64, remote_id: &str, at: Timestamp) -> Result<i64, StoreError> {
    tx.run(
        "INSERT INTO removal (sink, message, remote_id, next_try, queued_at) VALUES (?1, ?2, ?3, 0, ?4)
         ON CONFLICT (sink, remote_id) DO UPDATE SET message = ?2, state = 'waiting', attempts = 0, next_try = 0,
           reason = NULL, words = NULL
           WHERE state = 'failed'",
        params![sink, message, remote_id, us(at)],
    )?;
    tx.one("SELECT id FROM removal WHERE sink = ?1 AND remote_id = ?2", params![sink, remote_id], |row| {
        row.get(0)
    })?
    .ok_or(StoreError::NotFound { what: "message", id: message })
}

/// What is due, the longest due first.
pub fn due(tx: &Tx<'_>, sink: &str, now: Timestamp, limit: usize) -> Result<Vec<Removal>, StoreError> {
    tx.all(
        &format!(
            "{SELECT} WHERE sink = ?1 AND state = 'waiting' AND next_try <= ?2 ORDER BY next_try, id LIMIT ?3"
        ),
        params![sink, us(now), most(limit)],
        read,
    )
}

/// The CRM does not show it any more.
pub fn done(tx: &Tx<'_>, id: i64) -> Result<(), StoreError> {
    tx.run("UPDATE removal SET state = 'done', reason = NULL, words = NULL WHERE id = ?1", [id])?;
    Ok(())
}

/// It failed, and is tried again at `next_try`, or not by itself.
pub fn failed(
    tx: &Tx<'_>,
    id: i64,
    next_try: Option<Timestamp>,
    reason: Reason,
    words: &str,
) -> Result<(), StoreError> {
    let state = if next_try.is_some() { State::Waiting } else { State::Failed };
    tx.run(
        "UPDATE removal SET state = ?2, attempts = attempts + 1, next_try = coalesce(?3, next_try), reason = ?4,
           words = ?5 WHERE id = ?1",
        params![id, state.name(), next_try.map(us), reason.code(), words],
    )?;
    Ok(())
}

/// Takes back what waits; gives the number of these rows that the CRM has removed already.
pub fn cancel(tx: &Tx<'_>, ids: &[i64]) -> Result<usize, StoreError> {
    let mut gone = 0;
    for id in ids {
        if tx.run("DELETE FROM removal WHERE id = ?1 AND state <> 'done'", [id])? == 0 {
            gone += 1;
        }
    }
    Ok(gone)
}

/// A message is on its way to the CRM again: its record is not to go any more.
pub(crate) fn forget(tx: &Tx<'_>, sink: &str, remote_id: &str) -> Result<(), StoreError> {
    tx.run("DELETE FROM removal WHERE sink = ?1 AND remote_id = ?2", params![sink, remote_id])?;
    Ok(())
}

/// Another account of the CRM is set: what waits is not removed, and is told as refused; what is done is forgotten.
pub(crate) fn leave(tx: &Tx<'_>, sink: &str) -> Result<(), StoreError> {
    tx.run("DELETE FROM removal WHERE sink = ?1 AND state = 'done'", [sink])?;
    tx.run(
        "UPDATE removal SET state = 'failed', reason = ?2, words = ?3 WHERE sink = ?1 AND state = 'waiting'",
        params![sink, Reason::CrmGone.code(), "another account is set; the record is in the one before"],
    )?;
    Ok(())
}

/// How many of a sink wait, and how many it refuses.
pub fn counts(tx: &Tx<'_>, sink: &str) -> Result<(u64, u64), StoreError> {
    let count = |state: State| {
        let number: Option<i64> = tx.one(
            "SELECT count(*) FROM removal WHERE sink = ?1 AND state = ?2",
            params![sink, state.name()],
            |row| row.get(0),
        )?;
        Ok::<_, StoreError>(number.map_or(0, i64::cast_unsigned))
    };
    Ok((count(State::Waiting)?, count(State::Failed)?))
}
