//! Leases: a worker takes entries for a while, and says what became of them.

use super::Way;
use crate::activity;
use crate::error::StoreError;
use crate::retention;
use crate::sql::{key, most, named, time, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::{Row, named_params, params};
use std::time::Duration;
use threadline_core::id::MessageKey;
use threadline_core::reason::Reason;

/// An entry that a worker holds. What it says of the entry counts only while nobody else has taken it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub id: i64,
    pub message: i64,
    /// The idempotency key.
    pub key: MessageKey,
    /// Which lease of the entry this is: 1 for the first.
    pub attempts: u32,
    /// True when the CRM may have it already: look it up before pushing it.
    pub uncertain: bool,
    pub way: Way,
    pub queued_at: Timestamp,
}

/// What the CRM answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub remote_id: Option<String>,
    pub link: Option<String>,
    /// What it did, in the sink's word: created, found, updated.
    pub how: String,
    pub at: Timestamp,
}

/// Takes up to `limit` entries of a sink for `lease_for`, and of these so many as have `most_bytes` of raw messages
/// together, but one at least: first those whose lease ran out, which are uncertain now, then
/// those whose time has come, the longest due first.
pub fn lease(
    tx: &Tx<'_>,
    sink: &str,
    now: Timestamp,
    limit: usize,
    most_bytes: u64,
    lease_for: Duration,
) -> Result<Vec<Lease>, StoreError> {
    let limit_left = |taken: usize| most(limit.saturating_sub(taken));
    let mut leases = tx.all(
        "SELECT id, message, key, attempts, 1 AS uncertain, way, queued_at FROM outbox
         WHERE sink = ?1 AND state = 'leased' AND lease_until <= ?2 ORDER BY lease_until, id LIMIT ?3",
        params![sink, us(now), limit_left(0)],
        read,
    )?;
    let waiting = tx.all(
        "SELECT id, message, key, attempts, uncertain, way, queued_at FROM outbox
         WHERE sink = ?1 AND state = 'waiting' AND next_try <= ?2 ORDER BY next_try, id LIMIT ?3",
        params![sink, us(now), limit_left(leases.len())],
        read,
    )?;
    leases.extend(waiting);
    let mut bytes = 0_u64;
    for (place, lease) in leases.iter().enumerate() {
        bytes += crate::body::bytes(tx, lease.message)?;
        if bytes > most_bytes {
            leases.truncate(place.max(1));
            break;
        }
    }
    let until = now.checked_add(lease_for).unwrap_or(Timestamp::MAX);
    for lease in &mut leases {
        lease.attempts += 1;
        tx.run(
            "UPDATE outbox SET state = 'leased', attempts = ?2, uncertain = ?3, lease_until = ?4, pushed_at = ?5
             WHERE id = ?1",
            params![lease.id, lease.attempts, lease.uncertain, us(until), us(now)],
        )?;
    }
    Ok(leases)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Lease> {
    Ok(Lease {
        id: row.get("id")?,
        message: row.get("message")?,
        key: key(row, "key")?,
        attempts: row.get("attempts")?,
        uncertain: row.get("uncertain")?,
        way: named(row, "way", Way::from_name)?,
        queued_at: time(row, "queued_at")?,
    })
}

/// The CRM has it. This counts whoever holds the lease by now, since it is true; false where it was known already.
pub fn accept(tx: &Tx<'_>, id: i64, accepted: &Accepted) -> Result<bool, StoreError> {
    let changed = tx.run(
        "UPDATE outbox SET state = 'done', uncertain = 0, lease_until = NULL, reason = NULL, words = NULL,
           remote_id = ?2, link = ?3, how = ?4, stored_at = ?5 WHERE id = ?1 AND state <> 'done'",
        params![id, accepted.remote_id, accepted.link, accepted.how, us(accepted.at)],
    )?;
    if changed > 0 {
        activity::pushed(tx, id, accepted.at)?;
        if let Some(message) = tx.one("SELECT message FROM outbox WHERE id = ?1", [id], |row| row.get(0))? {
            retention::begin(tx, message, accepted.at)?;
        }
    }
    Ok(changed > 0)
}

/// It failed at `at`, and is tried again; `uncertain` says that the CRM may have it all the same. False where the lease was lost.
pub fn retry_later(
    tx: &Tx<'_>,
    lease: &Lease,
    next_try: Timestamp,
    uncertain: bool,
    reason: Option<Reason>,
    words: Option<&str>,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let changed = tx.run(
        "UPDATE outbox SET state = 'waiting', lease_until = NULL, next_try = :next_try, uncertain = :uncertain,
           reason = :reason, words = :words WHERE id = :id AND state = 'leased' AND attempts = :attempts",
        named_params! {
            ":next_try": us(next_try),
            ":uncertain": uncertain,
            ":reason": reason.map(Reason::code),
            ":words": words,
            ":id": lease.id,
            ":attempts": lease.attempts,
        },
    )?;
    // That a record is still waited for, which the CRM makes by itself, is no failure.
    if changed > 0 && reason != Some(Reason::CrmRecordMissing) {
        activity::pushed(tx, lease.id, at)?;
    }
    Ok(changed > 0)
}

/// It is given up until a person tries it again; nothing waits behind it. `uncertain` as in [`retry_later`]. False where
/// the lease was lost.
pub fn set_aside(
    tx: &Tx<'_>,
    lease: &Lease,
    uncertain: bool,
    reason: Option<Reason>,
    words: Option<&str>,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let changed = tx.run(
        "UPDATE outbox SET state = 'set_aside', lease_until = NULL, uncertain = :uncertain, reason = :reason,
           words = :words WHERE id = :id AND state = 'leased' AND attempts = :attempts",
        named_params! {
            ":uncertain": uncertain,
            ":reason": reason.map(Reason::code),
            ":words": words,
            ":id": lease.id,
            ":attempts": lease.attempts,
        },
    )?;
    if changed > 0 {
        activity::pushed(tx, lease.id, at)?;
    }
    Ok(changed > 0)
}

/// It was not pushed after all: it waits as before. False where the lease was lost.
pub fn release(tx: &Tx<'_>, lease: &Lease) -> Result<bool, StoreError> {
    let changed = tx.run(
        "UPDATE outbox SET state = 'waiting', lease_until = NULL
         WHERE id = ?1 AND state = 'leased' AND attempts = ?2",
        params![lease.id, lease.attempts],
    )?;
    Ok(changed > 0)
}

/// For the start of the program, when no worker runs: every lease is over, and its entry uncertain. Gives their number.
pub fn recover(tx: &Tx<'_>, sink: &str) -> Result<usize, StoreError> {
    tx.run(
        "UPDATE outbox SET state = 'waiting', uncertain = 1, lease_until = NULL WHERE sink = ?1 AND state = 'leased'",
        [sink],
    )
}

/// When the sink's next entry is due, or its next lease runs out.
pub fn next_due(tx: &Tx<'_>, sink: &str) -> Result<Option<Timestamp>, StoreError> {
    let waiting = tx.one(
        "SELECT next_try FROM outbox WHERE sink = ?1 AND state = 'waiting' ORDER BY next_try LIMIT 1",
        [sink],
        |row| time(row, "next_try"),
    )?;
    let leased = tx.one(
        "SELECT lease_until FROM outbox WHERE sink = ?1 AND state = 'leased' ORDER BY lease_until LIMIT 1",
        [sink],
        |row| time(row, "lease_until"),
    )?;
    Ok(waiting.into_iter().chain(leased).min())
}
