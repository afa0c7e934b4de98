//! What the ledger says of a message that the server has, for the coverage audit.

use crate::error::StoreError;
use crate::message::{self, Before, Outcome};
use crate::sql::maybe_time;
use crate::tx::Tx;
use crate::{job, place};
use jiff::Timestamp;
use rusqlite::params;
use std::collections::HashMap;
use threadline_core::audit::{Kept, Progress};
use threadline_core::envelope::Envelope;
use threadline_core::id::MessageId;

/// What is known of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    pub message: i64,
    pub kept: Kept,
}

/// When the first message was queued for each of these sinks: what was read before it was not meant for them.
pub fn first_queued(
    tx: &Tx<'_>,
    sinks: &[impl AsRef<str>],
) -> Result<HashMap<String, Timestamp>, StoreError> {
    let mut first = HashMap::new();
    for sink in sinks.iter().map(AsRef::as_ref) {
        let at = tx.one("SELECT min(queued_at) AS queued_at FROM outbox WHERE sink = ?1", [sink], |row| {
            maybe_time(row, "queued_at")
        })?;
        first.extend(at.flatten().map(|at| (sink.to_owned(), at)));
    }
    Ok(first)
}

/// What is known of the message with this header. `queued` is what [`first_queued`] gave.
pub fn known(
    tx: &Tx<'_>,
    account: i64,
    envelope: &Envelope,
    queued: &HashMap<String, Timestamp>,
) -> Result<Option<Known>, StoreError> {
    let found = match message::contradicts(tx, account, envelope)? {
        true => message::known(tx, account, &envelope.without_originals())?,
        false => message::known(tx, account, envelope)?,
    };
    let Some(Before { message, outcome, rule, .. }) = found else { return Ok(None) };
    let kept = match outcome {
        Outcome::Log => Kept::Logged(progress(tx, message, queued)?),
        Outcome::Ask => Kept::Asked,
        Outcome::Hold => Kept::Held,
        Outcome::Ignore => Kept::Ignored(rule),
    };
    Ok(Some(Known { message, kept }))
}

fn progress(tx: &Tx<'_>, message: i64, queued: &HashMap<String, Timestamp>) -> Result<Progress, StoreError> {
    let read_at =
        tx.one("SELECT body_at FROM message WHERE id = ?1", [message], |row| maybe_time(row, "body_at"))?;
    let jobs = job::of_message(tx, message)?;
    let body = jobs.iter().find(|job| job.kind == job::Kind::Body);
    let count = |state: &str| -> Result<bool, StoreError> {
        let found = tx.one(
            &format!("SELECT 1 FROM outbox WHERE message = ?1 AND state IN ({state}) LIMIT 1"),
            [message],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    };
    if body.is_some_and(|job| job.set_aside) || count("'set_aside'")? {
        return Ok(Progress::GivenUp);
    }
    let Some(read_at) = read_at.flatten() else {
        return Ok(if body.is_some() { Progress::Underway } else { Progress::NoText });
    };
    if count("'waiting', 'leased'")? {
        return Ok(Progress::Underway);
    }
    // A CRM that was set later does not get what was logged before.
    let meant = queued.values().any(|first| *first <= read_at);
    if meant && !count("'done', 'abandoned'")? {
        return Ok(Progress::NotQueued);
    }
    Ok(Progress::Arrived)
}

/// True where one of these ids is that of a logged message.
pub fn is_logged(tx: &Tx<'_>, account: i64, ids: &[MessageId]) -> Result<bool, StoreError> {
    for id in ids {
        let found = tx.one(
            "SELECT 1 FROM message_id i CROSS JOIN message m ON m.id = i.message
             WHERE i.account = ?1 AND i.hash = ?2 AND m.verdict = 'log' LIMIT 1",
            params![account, tx.hash_id(id)],
            |_| Ok(()),
        )?;
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Puts a logged message on its way again, from a place where it was seen: its text is read where it was not, and it is
/// queued and pushed where it is not at the CRM. True where that was to be done.
pub fn put_on_its_way(
    tx: &Tx<'_>,
    message: i64,
    at: place::Place,
    sinks: &[impl AsRef<str>],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(row) = message::get(tx, message)?.filter(|row| row.outcome == Outcome::Log) else {
        return Ok(false);
    };
    if crate::retention::is_receipt(tx, message)? {
        return Ok(false);
    }
    let text = crate::body::bytes(tx, message)? > 0;
    let mut any = false;
    match job::of_message(tx, message)?.into_iter().find(|job| job.kind == job::Kind::Body) {
        Some(given_up) if given_up.set_aside => {
            job::move_to(tx, given_up.id, at)?;
            job::retry(tx, given_up.id, job::AT_ONCE)?;
            any = true;
        }
        Some(_) => {}
        None if text => {
            if let Some(key) = row.key {
                for sink in sinks.iter().map(AsRef::as_ref) {
                    any |= crate::outbox::add(tx, sink, message, &key, now)?;
                }
            }
        }
        None => {
            job::add(tx, job::Kind::Body, message, at, job::AT_ONCE)?;
            any = true;
        }
    }
    for push in crate::outbox::of_message(tx, message)? {
        if push.state == crate::outbox::State::SetAside {
            crate::outbox::retry(tx, push.id, now)?;
            any = true;
        }
    }
    Ok(any)
}
