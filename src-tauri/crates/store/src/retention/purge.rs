//! Taking texts and headers.

use crate::error::StoreError;
use crate::message::{self, Headers};
use crate::sql::{key, most, named, time, to_json, us};
use crate::thread;
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::params;
use std::collections::BTreeSet;
use threadline_core::address::{Address, is_public_provider};
use threadline_core::retention::Clock;
use threadline_core::rule::Rule;

/// A message whose clock runs and whose header is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocked {
    pub message: i64,
    pub begun: Timestamp,
    /// Its text is here too.
    pub text: bool,
}

/// How much was taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    pub texts: u32,
    pub headers: u32,
    pub trash: u32,
}

/// The messages of a clock in the order in which they go, from behind `after`. Those that a CRM is still to get, and those
/// under legal hold, are not among them.
pub fn clocked(
    tx: &Tx<'_>,
    clock: Clock,
    after: Option<Clocked>,
    limit: usize,
) -> Result<Vec<Clocked>, StoreError> {
    let (at, id) = after.map_or((i64::MIN, 0), |last| (us(last.begun), last.message));
    tx.all(
        "SELECT m.id, m.clock_at, EXISTS (SELECT 1 FROM body b WHERE b.message = m.id) AS text
         FROM message m CROSS JOIN thread t ON t.id = m.thread
         WHERE m.clock = ?1 AND m.clock_at IS NOT NULL AND m.purged_at IS NULL AND (m.clock_at, m.id) > (?2, ?3)
           AND t.hold = 0 AND NOT EXISTS
             (SELECT 1 FROM outbox o WHERE o.message = m.id AND o.state IN ('waiting', 'leased', 'set_aside'))
         ORDER BY m.clock_at, m.id LIMIT ?4",
        params![clock.name(), at, id, most(limit)],
        |row| Ok(Clocked { message: row.get("id")?, begun: time(row, "clock_at")?, text: row.get("text")? }),
    )
}

/// Begins the clocks of a mailbox's messages that every CRM has though none was the last to accept them: what waited for another CRM was
/// abandoned. Gives their number.
pub fn begin_overdue(tx: &Tx<'_>, account: i64) -> Result<usize, StoreError> {
    let rows = tx.all(
        "SELECT m.id, m.rule, (SELECT max(o.stored_at) FROM outbox o WHERE o.message = m.id AND o.state = 'done') AS at
         FROM message m WHERE m.account = ?1 AND m.verdict = 'log' AND m.clock_at IS NULL
           AND EXISTS (SELECT 1 FROM outbox o WHERE o.message = m.id AND o.state = 'done')
           AND NOT EXISTS
             (SELECT 1 FROM outbox o WHERE o.message = m.id AND o.state IN ('waiting', 'leased', 'set_aside'))",
        [account],
        |row| Ok((row.get::<_, i64>("id")?, named(row, "rule", Rule::from_name)?, row.get::<_, i64>("at")?)),
    )?;
    for (message, rule, at) in &rows {
        tx.run(
            "UPDATE message SET clock = ?2, clock_at = ?3 WHERE id = ?1",
            params![message, Clock::of(*rule).name(), at],
        )?;
    }
    Ok(rows.len())
}

/// Takes a message's text and files.
pub fn purge_text(tx: &Tx<'_>, message: i64, at: Timestamp) -> Result<(), StoreError> {
    crate::body::remove(tx, message)?;
    crate::send::purge_text(tx, message)?;
    tx.run(
        "UPDATE message SET text_purged_at = coalesce(text_purged_at, ?2) WHERE id = ?1",
        params![message, us(at)],
    )?;
    Ok(())
}

/// Takes a message's header too, and all else that names somebody: what is left is a receipt. Its thread must be settled
/// afterwards ([`settle_threads`]); gives it.
pub fn purge_headers(tx: &Tx<'_>, message: i64, at: Timestamp) -> Result<Option<i64>, StoreError> {
    let Some(row) = message::get(tx, message)? else { return Ok(None) };
    let (Some(thread), Some(headers), Some(key)) = (row.thread, row.headers, row.key) else {
        return Ok(None);
    };
    for person in headers.people() {
        remember(tx, thread, &person.address)?;
    }
    // The local list's ids are addresses.
    tx.run(
        "INSERT INTO receipt_contact (thread, remote_id, may_create)
         SELECT ?2, remote_id, max(may_create) FROM association
         WHERE message = ?1 AND remote_id IS NOT NULL AND instr(remote_id, '@') = 0 GROUP BY remote_id
         ON CONFLICT (thread, remote_id) DO UPDATE SET may_create = max(may_create, excluded.may_create)",
        [message, thread],
    )?;
    purge_text(tx, message, at)?;
    let sender = super::sender(tx, headers.from.as_ref().map(|m| &m.address), headers.date);
    tx.run(
        "UPDATE message SET key = ?2, headers = ?3, sender = ?4, purged_at = ?5 WHERE id = ?1",
        params![
            message,
            tx.hash_whole(key.as_bytes()),
            to_json(&Headers::blank(), "headers")?,
            sender,
            us(at)
        ],
    )?;
    for table in ["association", "job", "asked_address", "bounce"] {
        tx.run(&format!("DELETE FROM {table} WHERE message = ?1"), [message])?;
    }
    tx.run(
        "DELETE FROM absence WHERE answer IN
           (SELECT r.message FROM message_id i CROSS JOIN reference r ON r.account = i.account AND r.hash = i.hash
            WHERE i.message = ?1)",
        [message],
    )?;
    leave_no_words(tx, message)?;
    Ok(Some(thread))
}

/// What was said about a message, by servers and CRMs, and the key that its id can be tried out against.
fn leave_no_words(tx: &Tx<'_>, message: i64) -> Result<(), StoreError> {
    let keys = tx.all("SELECT id, key FROM outbox WHERE message = ?1", [message], |row| {
        Ok((row.get::<_, i64>("id")?, key(row, "key")?))
    })?;
    for (id, key) in keys {
        tx.run(
            "UPDATE outbox SET key = ?2, words = NULL WHERE id = ?1",
            params![id, tx.hash_whole(key.as_bytes())],
        )?;
    }
    crate::send::purge(tx, message)?;
    tx.run("UPDATE activity SET words = NULL, folder = NULL WHERE message = ?1", [message])?;
    tx.run(
        "DELETE FROM set_aside WHERE (folder, uidvalidity, uid) IN
           (SELECT folder, uidvalidity, uid FROM place WHERE message = ?1)",
        [message],
    )?;
    Ok(())
}

/// Somebody who took part in a thread, and the firm that they are of.
fn remember(tx: &Tx<'_>, thread: i64, address: &Address) -> Result<(), StoreError> {
    let firm = (!is_public_provider(address.domain())).then(|| tx.hash_domain(address.domain()));
    for hash in std::iter::once(tx.hash_address(address)).chain(firm) {
        tx.run("INSERT OR IGNORE INTO receipt_person (thread, hash) VALUES (?1, ?2)", params![thread, hash])?;
    }
    Ok(())
}

/// Brings the rows of threads up to date of which headers were taken: subject, participants and searched words are those of
/// what is left.
pub fn settle_threads(tx: &Tx<'_>, threads: &BTreeSet<i64>) -> Result<(), StoreError> {
    for thread in threads {
        tx.run(
            "UPDATE thread SET subject = coalesce(
               (SELECT m.headers ->> '$.subject' FROM message m WHERE m.thread = ?1 AND m.purged_at IS NULL
                ORDER BY m.time, m.id LIMIT 1), '') WHERE id = ?1",
            [thread],
        )?;
        thread::left(tx, *thread)?;
    }
    Ok(())
}

/// Takes what lies in the trash since before `until`, as long as `goes` says so, in the order in which it was put there, at
/// most `limit`. Gives the number.
pub fn expire_trash(
    tx: &Tx<'_>,
    goes: impl Fn(Timestamp) -> bool,
    limit: usize,
) -> Result<usize, StoreError> {
    let rows = tx.all(
        "SELECT message, deleted_at FROM trash WHERE deleted_at > ?1 ORDER BY deleted_at, message LIMIT ?2",
        params![i64::MIN, most(limit)],
        |row| Ok((row.get::<_, i64>("message")?, time(row, "deleted_at")?)),
    )?;
    let mut gone = 0;
    for (message, deleted_at) in rows {
        if !goes(deleted_at) {
            break;
        }
        super::forget_trash(tx, message)?;
        leave_no_words(tx, message)?;
        gone += 1;
    }
    Ok(gone)
}
