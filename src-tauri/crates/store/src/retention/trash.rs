//! The trash: messages that were taken out of the log, as they were, until clock (e) takes them.

use crate::error::StoreError;
use crate::job::{self, Kind};
use crate::message::{self, Headers, Outcome};
use crate::sql::{key, maybe_json, maybe_named, most, named, time, to_json, us};
use crate::tx::Tx;
use crate::{activity, association, body, outbox, place, thread};
use jiff::Timestamp;
use rusqlite::params;
use std::fmt;
use threadline_core::record::Association;
use threadline_core::rule::Rule;

/// A message in the trash.
#[derive(Clone, PartialEq, Eq)]
pub struct Trashed {
    pub message: i64,
    pub account: i64,
    pub deleted_at: Timestamp,
    /// The CRM that the record was deleted in; `None` where the person took it out here.
    pub in_crm: Option<String>,
    /// The message's own time.
    pub time: Timestamp,
    pub headers: Headers,
}

/// Mail text stays out of debug prints.
impl fmt::Debug for Trashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trashed")
            .field("message", &self.message)
            .field("deleted_at", &self.deleted_at)
            .field("in_crm", &self.in_crm)
            .finish_non_exhaustive()
    }
}

/// Takes a logged message out of the log as [`message::take_out`] does, and keeps it in the trash. `in_crm` names the CRM that
/// does not have it any more. False where it is not logged.
pub fn throw_away(
    tx: &Tx<'_>,
    message: i64,
    in_crm: Option<&str>,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let contacts = to_json(&association::of_message(tx, message)?, "contacts")?;
    tx.run(
        "INSERT OR REPLACE INTO trash (message, deleted_at, in_crm, rule, thread_key, thread_subject, thread_created, key,
           headers, contacts, raw, truncated)
         SELECT m.id, ?2, ?3, m.rule, t.key, t.subject, t.created, m.key, m.headers, ?4, b.raw, coalesce(b.truncated, 0)
         FROM message m CROSS JOIN thread t ON t.id = m.thread LEFT JOIN body b ON b.message = m.id
         WHERE m.id = ?1 AND m.verdict = 'log' AND m.purged_at IS NULL",
        params![message, us(at), in_crm, contacts],
    )?;
    let rule = if in_crm.is_some() { Rule::DeletedInCrm } else { Rule::TakenOut };
    message::take_out_by(tx, message, rule, at)
}

/// What lies in the trash, the newest first.
pub fn page(tx: &Tx<'_>, limit: usize) -> Result<Vec<Trashed>, StoreError> {
    let rows = tx.all(
        "SELECT t.message, m.account, t.deleted_at, t.in_crm, m.time, t.headers
         FROM trash t CROSS JOIN message m ON m.id = t.message
         WHERE t.deleted_at > ?1 ORDER BY t.deleted_at DESC, t.message DESC LIMIT ?2",
        params![i64::MIN, most(limit)],
        |row| {
            Ok(Trashed {
                message: row.get("message")?,
                account: row.get("account")?,
                deleted_at: time(row, "deleted_at")?,
                in_crm: row.get("in_crm")?,
                time: time(row, "time")?,
                headers: maybe_json(row, "headers")?.unwrap_or_else(Headers::blank),
            })
        },
    )?;
    Ok(rows)
}

/// Puts a message back into the log, and on its way to these CRMs again: each is asked whether it has it before it is written.
/// Its clock begins anew when they have accepted it. False where it is not in the trash.
pub fn restore(
    tx: &Tx<'_>,
    message: i64,
    sinks: &[impl AsRef<str>],
    at: Timestamp,
) -> Result<bool, StoreError> {
    let found = tx.one(
        "SELECT t.*, m.account FROM trash t CROSS JOIN message m ON m.id = t.message WHERE t.message = ?1",
        [message],
        |row| {
            Ok(Kept {
                account: row.get("account")?,
                rule: named(row, "rule", Rule::from_name)?,
                thread_key: row.get("thread_key")?,
                thread_subject: row.get("thread_subject")?,
                thread_created: row.get("thread_created")?,
                key: row.get("key")?,
                headers: maybe_json(row, "headers")?.unwrap_or_else(Headers::blank),
                contacts: maybe_named(row, "contacts", |text| serde_json::from_str(text).ok())?
                    .unwrap_or_default(),
                raw: row.get("raw")?,
                truncated: row.get("truncated")?,
            })
        },
    )?;
    let Some(kept) = found else { return Ok(false) };
    let thread = kept.thread(tx)?;
    tx.run(
        "UPDATE message SET verdict = ?2, rule = ?3, decided_at = ?4, thread = ?5, key = ?6, headers = ?7,
           clock = NULL, clock_at = NULL WHERE id = ?1",
        params![
            message,
            Outcome::Log.name(),
            kept.rule.name(),
            us(at),
            thread,
            kept.key,
            to_json(&kept.headers, "headers")?
        ],
    )?;
    association::add(tx, message, &kept.contacts)?;
    match &kept.raw {
        Some(raw) => {
            body::put(tx, message, raw, kept.truncated, at)?;
            let key = tx.one("SELECT key FROM message WHERE id = ?1", [message], |row| key(row, "key"))?;
            for sink in sinks.iter().map(AsRef::as_ref) {
                if let Some(key) = &key {
                    outbox::again(tx, sink, message, key, at)?;
                }
            }
        }
        // Its text was gone already: it is read again, and queued then.
        None => {
            if let Some(place) = place::of_message(tx, message)?.into_iter().next() {
                tx.run("DELETE FROM outbox WHERE message = ?1", [message])?;
                job::add(tx, Kind::Body, message, place, job::AT_ONCE)?;
            }
        }
    }
    forget(tx, message)?;
    thread::joined(tx, thread, kept.headers.people())?;
    thread::refresh(tx, thread)?;
    activity::decided(tx, message, None, at)?;
    Ok(true)
}

/// Takes a message out of the trash for good.
pub(crate) fn forget(tx: &Tx<'_>, message: i64) -> Result<(), StoreError> {
    tx.run("DELETE FROM trash WHERE message = ?1", [message])?;
    Ok(())
}

struct Kept {
    account: i64,
    rule: Rule,
    thread_key: Vec<u8>,
    thread_subject: String,
    thread_created: i64,
    key: Vec<u8>,
    headers: Headers,
    contacts: Vec<Association>,
    raw: Option<Vec<u8>>,
    truncated: bool,
}

impl Kept {
    /// The thread that it was in, or a new one of the same key.
    fn thread(&self, tx: &Tx<'_>) -> Result<i64, StoreError> {
        let present = tx.one(
            "SELECT id FROM thread WHERE account = ?1 AND key = ?2",
            params![self.account, self.thread_key],
            |row| row.get(0),
        )?;
        match present {
            Some(id) => Ok(id),
            None => tx.insert(
                "INSERT INTO thread (account, key, subject, created, last) VALUES (?1, ?2, ?3, ?4, ?4)",
                params![self.account, self.thread_key, self.thread_subject, self.thread_created],
            ),
        }
    }
}
