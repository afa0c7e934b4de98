//! `relayed`: mails that went through the relay, by a keyed hash of their id alone, and what the person said of each.

use crate::error::StoreError;
use crate::sql::{maybe_named, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::params;
use threadline_core::id::MessageId;
use threadline_core::rule::Answer;

pub(crate) const SQL: &str = "
CREATE TABLE relayed (
  account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
  hash    BLOB NOT NULL CHECK (length(hash) = 16),
  word    TEXT CHECK (word IN ('log', 'ignore')),
  state   TEXT NOT NULL CHECK (state IN ('passing', 'accepted', 'unknown')),
  at      INTEGER NOT NULL,
  PRIMARY KEY (account, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX relayed_by_time ON relayed (at);
";

/// What became of the mails of a mailbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// The provider took them.
    pub accepted: u32,
    /// The connection broke after the end, before the answer.
    pub unknown: u32,
    /// Of those that were taken: no copy came up in a watched folder.
    pub unseen: u32,
}

/// A mail is about to be ended: from here on it may be sent. A mail program may hand in one mail several times, for several
/// recipients: what was said of it once stays said.
pub fn pass(
    tx: &Tx<'_>,
    account: i64,
    id: &MessageId,
    word: Option<Answer>,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO relayed (account, hash, word, state, at) VALUES (?1, ?2, ?3, 'passing', ?4)
         ON CONFLICT (account, hash) DO UPDATE SET word = coalesce(?3, word), at = ?4,
           state = CASE state WHEN 'accepted' THEN 'accepted' ELSE 'passing' END",
        params![account, tx.hash_id(id), word.map(Answer::name), us(at)],
    )?;
    Ok(())
}

/// The provider took it.
pub fn accepted(tx: &Tx<'_>, account: i64, id: &MessageId) -> Result<(), StoreError> {
    tx.run(
        "UPDATE relayed SET state = 'accepted' WHERE account = ?1 AND hash = ?2",
        params![account, tx.hash_id(id)],
    )?;
    Ok(())
}

/// Nobody knows whether the provider took it.
pub fn unknown(tx: &Tx<'_>, account: i64, id: &MessageId) -> Result<(), StoreError> {
    tx.run(
        "UPDATE relayed SET state = 'unknown' WHERE account = ?1 AND hash = ?2 AND state = 'passing'",
        params![account, tx.hash_id(id)],
    )?;
    Ok(())
}

/// The provider refused it: it is as if it had never come.
pub fn refused(tx: &Tx<'_>, account: i64, id: &MessageId) -> Result<(), StoreError> {
    tx.run(
        "DELETE FROM relayed WHERE account = ?1 AND hash = ?2 AND state = 'passing'",
        params![account, tx.hash_id(id)],
    )?;
    Ok(())
}

/// What the person said of a message that goes by these ids; the no, where both was said.
pub fn word(tx: &Tx<'_>, account: i64, ids: &[MessageId]) -> Result<Option<Answer>, StoreError> {
    let mut said = None;
    for id in ids {
        let word = tx.one(
            "SELECT word FROM relayed WHERE account = ?1 AND hash = ?2",
            params![account, tx.hash_id(id)],
            |row| maybe_named(row, "word", Answer::from_name),
        )?;
        match word.flatten() {
            Some(Answer::Ignore) => return Ok(Some(Answer::Ignore)),
            Some(Answer::Log) => said = Some(Answer::Log),
            None => {}
        }
    }
    Ok(said)
}

/// Counts those since a time. A copy is missed only of mails that are older than `settled`.
pub fn counts(tx: &Tx<'_>, account: i64, since: Timestamp, settled: Timestamp) -> Result<Counts, StoreError> {
    let counted = tx.one(
        "SELECT count(*) FILTER (WHERE r.state = 'accepted') AS accepted,
                count(*) FILTER (WHERE r.state <> 'accepted') AS unknown,
                count(*) FILTER (WHERE r.state = 'accepted' AND r.at < ?3 AND NOT EXISTS (
                  SELECT 1 FROM message_id m WHERE m.account = r.account AND m.hash = r.hash)) AS unseen
         FROM relayed r WHERE r.account = ?1 AND r.at >= ?2",
        params![account, us(since), us(settled)],
        |row| {
            Ok(Counts {
                accepted: row.get("accepted")?,
                unknown: row.get("unknown")?,
                unseen: row.get("unseen")?,
            })
        },
    )?;
    Ok(counted.unwrap_or_default())
}

/// Forgets those from before a time; gives their number.
pub fn forget(tx: &Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.run("DELETE FROM relayed WHERE at < ?1", [us(before)])
}
