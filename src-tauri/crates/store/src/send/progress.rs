//! The steps of a mail on its way out. Each is taken from the state that it must come from, or not at all.

use super::{Recipient, State};
use crate::error::StoreError;
use crate::sql::{ids, to_json, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::{named_params, params};
use threadline_core::reason::Reason;

/// Why something did not work: the reason, where one is known, and words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    pub reason: Option<Reason>,
    pub words: String,
}

/// The text is about to go to the server: from now on it can be taken back no more. False where it was taken back just now. The
/// recipients that the server refused are noted.
pub fn begin(tx: &Tx<'_>, id: i64, recipients: &[Recipient], at: Timestamp) -> Result<bool, StoreError> {
    let changed = tx.run(
        "UPDATE send SET state = 'submitting', recipients = ?2, submitted_at = ?3, reason = NULL, words = NULL
         WHERE id = ?1 AND state = 'waiting'",
        params![id, to_json(&recipients, "send.recipients")?, us(at)],
    )?;
    Ok(changed > 0)
}

/// The server has taken it, or it lies among what was sent.
pub fn sent(tx: &Tx<'_>, id: i64, words: &str, at: Timestamp) -> Result<bool, StoreError> {
    let changed = tx.run(
        "UPDATE send SET state = 'sent', ended_at = ?3, reason = NULL, words = ?2, copy = 'open', copy_due = ?3
         WHERE id = ?1 AND state IN ('submitting', 'unknown')",
        params![id, words, us(at)],
    )?;
    Ok(changed > 0)
}

/// It goes to nobody.
pub fn refused(
    tx: &Tx<'_>,
    id: i64,
    recipients: &[Recipient],
    told: &Told,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE send SET state = 'refused', ended_at = :at, recipients = :recipients, reason = :reason, words = :words
         WHERE id = :id AND state IN ('waiting', 'submitting')",
        named_params! {
            ":id": id,
            ":at": us(at),
            ":recipients": to_json(&recipients, "send.recipients")?,
            ":reason": told.reason.map(Reason::code),
            ":words": told.words,
        },
    )?;
    Ok(())
}

/// The server has not taken it, and it is tried again then.
pub fn not_sent(tx: &Tx<'_>, id: i64, told: &Told, next: Timestamp) -> Result<(), StoreError> {
    later(tx, id, State::Waiting, told, next)
}

/// It may be sent or not: it is looked for then.
pub fn unknown(tx: &Tx<'_>, id: i64, told: &Told, next: Timestamp) -> Result<(), StoreError> {
    later(tx, id, State::Unknown, told, next)
}

fn later(tx: &Tx<'_>, id: i64, state: State, told: &Told, next: Timestamp) -> Result<(), StoreError> {
    tx.run(
        "UPDATE send SET state = :state, due = :next, reason = :reason, words = :words,
           attempts = CASE :state WHEN 'waiting' THEN attempts + 1 ELSE 0 END
         WHERE id = :id AND state IN ('waiting', 'submitting')",
        named_params! {
            ":id": id,
            ":state": state.name(),
            ":next": us(next),
            ":reason": told.reason.map(Reason::code),
            ":words": told.words,
        },
    )?;
    Ok(())
}

/// What was on its way when the program ended: nobody knows whether the server has it. Those in `flight` are on their way now. Gives
/// the number.
pub fn interrupted(
    tx: &Tx<'_>,
    account: i64,
    flight: &[i64],
    words: &str,
    now: Timestamp,
) -> Result<usize, StoreError> {
    tx.run(
        "UPDATE send SET state = 'unknown', attempts = 0, due = ?3, reason = NULL, words = ?2
         WHERE account = ?1 AND state = 'submitting' AND id NOT IN (SELECT value FROM json_each(?4))",
        params![account, words, us(now), ids(flight)],
    )
}

/// It was looked for and not found; it is looked for again then.
pub fn still_unknown(tx: &Tx<'_>, id: i64, next: Timestamp) -> Result<(), StoreError> {
    tx.run(
        "UPDATE send SET attempts = attempts + 1, due = ?2 WHERE id = ?1 AND state = 'unknown'",
        params![id, us(next)],
    )?;
    Ok(())
}

/// Notes a failure that says nothing of the mail: its time stays as it is.
pub fn noted(tx: &Tx<'_>, id: i64, told: &Told) -> Result<(), StoreError> {
    tx.run(
        "UPDATE send SET reason = ?2, words = ?3 WHERE id = ?1 AND state IN ('waiting', 'unknown')",
        params![id, told.reason.map(Reason::code), told.words],
    )?;
    Ok(())
}

/// Takes it back. False where it is too late.
pub fn cancel(tx: &Tx<'_>, id: i64, at: Timestamp) -> Result<bool, StoreError> {
    let changed = tx.run(
        "UPDATE send SET state = 'cancelled', ended_at = ?2, raw = NULL WHERE id = ?1 AND state = 'waiting'",
        params![id, us(at)],
    )?;
    Ok(changed > 0)
}

/// The person wants it tried (again) now: what was refused or waits; what is unknown because they know that it was not sent.
/// Recipients that were refused are tried too. False where there is nothing to try.
pub fn retry(tx: &Tx<'_>, id: i64, now: Timestamp) -> Result<bool, StoreError> {
    let changed = tx.run(
        "UPDATE send SET state = 'waiting', due = ?2, attempts = 0, ended_at = NULL, reason = NULL, words = NULL,
           recipients = (SELECT json_group_array(json_remove(value, '$.refused')) FROM json_each(recipients))
         WHERE id = ?1 AND state IN ('waiting', 'refused', 'unknown') AND raw IS NOT NULL",
        params![id, us(now)],
    )?;
    Ok(changed > 0)
}

/// The person knows that it was sent. False where that is not open.
pub fn settle_sent(tx: &Tx<'_>, id: i64, at: Timestamp) -> Result<bool, StoreError> {
    let changed = tx.run(
        "UPDATE send SET state = 'sent', ended_at = ?2, copy = 'open', copy_due = ?2 WHERE id = ?1 AND state = 'unknown'",
        params![id, us(at)],
    )?;
    Ok(changed > 0)
}
