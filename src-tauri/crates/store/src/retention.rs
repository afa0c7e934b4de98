//! What retention leaves of a mail, and what it takes (PRODUCT R17).
//!
//! A clock begins in the transaction in which the last CRM accepted the mail. A message whose header was taken is a receipt:
//! its row has keyed hashes, its thread, dates and the CRM's ids, and neither text nor address. Who took part in its thread
//! is known by keyed hashes, so that a late reply joins it.

mod purge;
mod recall;
mod trash;

pub use purge::{
    Clocked, Purged, begin_overdue, clocked, expire_trash, purge_headers, purge_text, settle_threads,
};
pub(crate) use recall::sender;
pub use recall::{recall, was_with};
pub(crate) use trash::forget as forget_trash;
pub use trash::{Trashed, page as trash_page, restore, throw_away};

use crate::error::StoreError;
use crate::sql::{maybe_named, maybe_time, named, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::params;
use threadline_core::retention::Clock;
use threadline_core::rule::Rule;

/// The sixth version. What a CRM has accepted by then has its clock from that moment on.
pub(crate) const SIXTH: &str = "
ALTER TABLE message ADD COLUMN clock TEXT;
ALTER TABLE message ADD COLUMN clock_at INTEGER;
ALTER TABLE message ADD COLUMN text_purged_at INTEGER;
ALTER TABLE message ADD COLUMN purged_at INTEGER;
ALTER TABLE message ADD COLUMN sender BLOB;
ALTER TABLE thread ADD COLUMN hold INTEGER NOT NULL DEFAULT 0;
CREATE INDEX message_by_clock ON message (clock, clock_at, id) WHERE purged_at IS NULL AND clock_at IS NOT NULL;
CREATE INDEX message_without_clock ON message (account, id) WHERE verdict = 'log' AND clock_at IS NULL;
CREATE TABLE receipt_person (
  thread INTEGER NOT NULL REFERENCES thread ON DELETE CASCADE,
  hash   BLOB NOT NULL CHECK (length(hash) = 16),
  PRIMARY KEY (thread, hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE receipt_contact (
  thread     INTEGER NOT NULL REFERENCES thread ON DELETE CASCADE,
  remote_id  TEXT NOT NULL,
  may_create INTEGER NOT NULL CHECK (may_create IN (0, 1)),
  PRIMARY KEY (thread, remote_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE trash (
  message        INTEGER PRIMARY KEY REFERENCES message ON DELETE CASCADE,
  deleted_at     INTEGER NOT NULL,
  in_crm         TEXT,
  rule           TEXT NOT NULL,
  thread_key     BLOB NOT NULL CHECK (length(thread_key) = 32),
  thread_subject TEXT NOT NULL,
  thread_created INTEGER NOT NULL,
  key            BLOB NOT NULL CHECK (length(key) = 32),
  headers        TEXT NOT NULL CHECK (json_valid(headers)),
  contacts       TEXT NOT NULL CHECK (json_valid(contacts)),
  raw            BLOB,
  truncated      INTEGER NOT NULL CHECK (truncated IN (0, 1))
) STRICT;
CREATE INDEX trash_by_time ON trash (deleted_at, message);
UPDATE message SET clock_at = (SELECT max(o.stored_at) FROM outbox o WHERE o.message = message.id AND o.state = 'done'),
    clock = CASE WHEN rule IN ('keyword_log', 'log_folder', 'logging_address', 'forwarded_to_log') THEN 'gesture' ELSE 'noticed' END
  WHERE verdict = 'log' AND EXISTS (SELECT 1 FROM outbox o WHERE o.message = message.id AND o.state = 'done')
    AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.message = message.id AND o.state IN ('waiting', 'leased', 'set_aside'));
";

/// Where a message stands with its clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// The clock, and when it began; `None` before every CRM has accepted the message.
    pub clock: Option<(Clock, Timestamp)>,
    /// When the text was taken.
    pub text_purged: Option<Timestamp>,
    /// When the header was taken: the message is a receipt.
    pub purged: Option<Timestamp>,
    /// Its conversation is under legal hold.
    pub hold: bool,
}

/// Where a message stands with its clock; all empty where there is none.
pub fn standing(tx: &Tx<'_>, message: i64) -> Result<Standing, StoreError> {
    let found = tx.one(
        "SELECT m.clock, m.clock_at, m.text_purged_at, m.purged_at, coalesce(t.hold, 0) AS hold
         FROM message m LEFT JOIN thread t ON t.id = m.thread WHERE m.id = ?1",
        [message],
        |row| {
            let clock = maybe_named(row, "clock", Clock::from_name)?;
            Ok(Standing {
                clock: clock.zip(maybe_time(row, "clock_at")?),
                text_purged: maybe_time(row, "text_purged_at")?,
                purged: maybe_time(row, "purged_at")?,
                hold: row.get("hold")?,
            })
        },
    )?;
    Ok(found.unwrap_or_default())
}

/// True where the message's header was taken.
pub(crate) fn is_receipt(tx: &Tx<'_>, message: i64) -> Result<bool, StoreError> {
    let found =
        tx.one("SELECT 1 FROM message WHERE id = ?1 AND purged_at IS NOT NULL", [message], |_| Ok(()))?;
    Ok(found.is_some())
}

/// A CRM has accepted the message: its clock begins where it was the last one.
pub(crate) fn begin(tx: &Tx<'_>, message: i64, at: Timestamp) -> Result<(), StoreError> {
    let rule = tx.one(
        "SELECT rule FROM message WHERE id = ?1 AND verdict = 'log' AND clock_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.message = ?1 AND o.state IN ('waiting', 'leased', 'set_aside'))",
        [message],
        |row| named(row, "rule", Rule::from_name),
    )?;
    if let Some(rule) = rule {
        tx.run(
            "UPDATE message SET clock = ?2, clock_at = ?3 WHERE id = ?1",
            params![message, Clock::of(rule).name(), us(at)],
        )?;
    }
    Ok(())
}

/// Puts a conversation under legal hold, or ends it.
pub fn set_hold(tx: &Tx<'_>, thread: i64, hold: bool) -> Result<(), StoreError> {
    match tx.run("UPDATE thread SET hold = ?2 WHERE id = ?1", params![thread, hold])? {
        0 => Err(StoreError::NotFound { what: "thread", id: thread }),
        _ => Ok(()),
    }
}
