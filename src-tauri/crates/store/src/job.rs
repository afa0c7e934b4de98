//! `job`: what is still to be read from the server. A job that is done is gone.

use crate::error::StoreError;
use crate::place::Place;
use crate::sql::{ids, most, named, reason, time, us};
use crate::tx::Tx;
use crate::{activity, body, outbox, place, sql};
use jiff::Timestamp;
use rusqlite::{Row, named_params, params};
use serde::{Deserialize, Serialize};
use threadline_core::id::MessageKey;
use threadline_core::reason::Reason;

pub(crate) const SQL: &str = "
CREATE TABLE job (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  account     INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
  folder      INTEGER NOT NULL REFERENCES folder ON DELETE CASCADE,
  uidvalidity INTEGER NOT NULL,
  uid         INTEGER NOT NULL,
  message     INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
  kind        TEXT NOT NULL CHECK (kind IN ('body', 'recheck')),
  state       TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'set_aside')),
  attempts    INTEGER NOT NULL DEFAULT 0,
  next_try    INTEGER NOT NULL,
  reason      TEXT,
  words       TEXT,
  UNIQUE (message, kind)
) STRICT;
CREATE INDEX job_due ON job (account, state, next_try, id);
CREATE INDEX job_by_folder ON job (folder);
";

/// The third version: reports are read too. An id is never given twice, so the count goes on.
pub(crate) const THIRD: &str = "
ALTER TABLE job RENAME TO job_1;
DROP INDEX job_due;
DROP INDEX job_by_folder;
CREATE TABLE job (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  account     INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
  folder      INTEGER NOT NULL REFERENCES folder ON DELETE CASCADE,
  uidvalidity INTEGER NOT NULL,
  uid         INTEGER NOT NULL,
  message     INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
  kind        TEXT NOT NULL CHECK (kind IN ('body', 'recheck', 'report')),
  state       TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'set_aside')),
  attempts    INTEGER NOT NULL DEFAULT 0,
  next_try    INTEGER NOT NULL,
  reason      TEXT,
  words       TEXT,
  UNIQUE (message, kind)
) STRICT;
INSERT INTO job SELECT id, account, folder, uidvalidity, uid, message, kind, state, attempts, next_try, reason, words
  FROM job_1;
DELETE FROM sqlite_sequence WHERE name = 'job';
INSERT INTO sqlite_sequence (name, seq) SELECT 'job', seq FROM sqlite_sequence WHERE name = 'job_1';
DROP TABLE job_1;
CREATE INDEX job_due ON job (account, state, next_try, id);
CREATE INDEX job_by_folder ON job (folder);
";

/// What is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The body of a logged message.
    Body,
    /// The header of a message that is to be decided again.
    Recheck,
    /// The text of a delivery report or an automatic answer, of which nothing is kept but what it says of logged mail.
    Report,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Body => "body",
            Kind::Recheck => "recheck",
            Kind::Report => "report",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Kind::Body, Kind::Recheck, Kind::Report].into_iter().find(|k| k.name() == name)
    }
}

/// Something to read from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: i64,
    pub account: i64,
    pub place: Place,
    pub message: i64,
    pub kind: Kind,
    /// True when it was given up, until a person tries it again.
    pub set_aside: bool,
    /// How often it failed.
    pub attempts: u32,
    /// Not before this time.
    pub next_try: Timestamp,
    /// Why it failed last.
    pub reason: Option<Reason>,
    /// The server's own words about it.
    pub words: Option<String>,
}

const SELECT: &str = "SELECT * FROM job";

fn read(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: row.get("id")?,
        account: row.get("account")?,
        place: place::read(row)?,
        message: row.get("message")?,
        kind: named(row, "kind", Kind::from_name)?,
        set_aside: row.get::<_, String>("state")? == "set_aside",
        attempts: row.get("attempts")?,
        next_try: time(row, "next_try")?,
        reason: reason(row, "reason")?,
        words: row.get("words")?,
    })
}

/// The `next_try` of what is due at once, whatever a clock that is set back says.
pub const AT_ONCE: Timestamp = Timestamp::UNIX_EPOCH;

/// Adds a job, unless the message has one of this kind already; gives the job's id.
pub fn add(
    tx: &Tx<'_>,
    kind: Kind,
    message: i64,
    place: Place,
    next_try: Timestamp,
) -> Result<i64, StoreError> {
    tx.run(
        "INSERT INTO job (account, folder, uidvalidity, uid, message, kind, next_try)
         SELECT account, ?2, ?3, ?4, id, ?5, ?6 FROM message WHERE id = ?1
         ON CONFLICT (message, kind) DO NOTHING",
        params![message, place.folder, place.uidvalidity, place.uid, kind.name(), us(next_try)],
    )?;
    tx.one("SELECT id FROM job WHERE message = ?1 AND kind = ?2", params![message, kind.name()], |row| {
        row.get(0)
    })?
    .ok_or(StoreError::NotFound { what: "message", id: message })
}

pub fn get(tx: &Tx<'_>, id: i64) -> Result<Option<Job>, StoreError> {
    tx.one(&format!("{SELECT} WHERE id = ?1"), [id], read)
}

/// A message's jobs.
pub fn of_message(tx: &Tx<'_>, message: i64) -> Result<Vec<Job>, StoreError> {
    tx.all(&format!("{SELECT} WHERE message = ?1 ORDER BY id"), [message], read)
}

/// Takes back that a job was removed. Its folder may be gone meanwhile: then there is nothing to read.
pub(crate) fn put_back(tx: &Tx<'_>, job: &Job) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO job (account, folder, uidvalidity, uid, message, kind, state, attempts, next_try, reason, words)
         SELECT :account, id, :uidvalidity, :uid, :message, :kind, :state, :attempts, :next_try, :reason, :words
         FROM folder WHERE id = :folder",
        named_params! {
            ":account": job.account,
            ":folder": job.place.folder,
            ":uidvalidity": job.place.uidvalidity,
            ":uid": job.place.uid,
            ":message": job.message,
            ":kind": job.kind.name(),
            ":state": if job.set_aside { "set_aside" } else { "waiting" },
            ":attempts": job.attempts,
            ":next_try": us(job.next_try),
            ":reason": job.reason.map(Reason::code),
            ":words": job.words,
        },
    )?;
    Ok(())
}

/// The jobs in these folders whose time has come, the longest due first.
pub fn due(
    tx: &Tx<'_>,
    account: i64,
    folders: &[i64],
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Job>, StoreError> {
    tx.all(
        &format!(
            "{SELECT} WHERE account = ?1 AND state = 'waiting' AND next_try <= ?2
             AND folder IN (SELECT value FROM json_each(?4)) ORDER BY next_try, id LIMIT ?3"
        ),
        params![account, us(now), most(limit), ids(folders)],
        read,
    )
}

/// When the next job in these folders is due.
pub fn next_due(tx: &Tx<'_>, account: i64, folders: &[i64]) -> Result<Option<Timestamp>, StoreError> {
    tx.one(
        "SELECT next_try FROM job WHERE account = ?1 AND state = 'waiting'
         AND folder IN (SELECT value FROM json_each(?2)) ORDER BY next_try LIMIT 1",
        params![account, ids(folders)],
        |row| time(row, "next_try"),
    )
}

/// A mailbox's jobs that would wait beyond `latest` are due at `now`: the clock was set back since they were put off.
pub fn not_beyond(tx: &Tx<'_>, account: i64, now: Timestamp, latest: Timestamp) -> Result<usize, StoreError> {
    tx.run(
        "UPDATE job SET next_try = ?2 WHERE account = ?1 AND state = 'waiting' AND next_try > ?3",
        params![account, us(now), us(latest)],
    )
}

/// The mailbox's jobs that wait in other folders than these.
pub fn elsewhere(tx: &Tx<'_>, account: i64, folders: &[i64]) -> Result<Vec<Job>, StoreError> {
    tx.all(
        &format!(
            "{SELECT} WHERE account = ?1 AND state = 'waiting'
             AND folder NOT IN (SELECT value FROM json_each(?2)) ORDER BY id"
        ),
        params![account, ids(folders)],
        read,
    )
}

/// The mailbox's jobs that were given up.
pub fn given_up(tx: &Tx<'_>, account: i64) -> Result<Vec<Job>, StoreError> {
    tx.all(
        &format!("{SELECT} WHERE account = ?1 AND state = 'set_aside' ORDER BY next_try, id"),
        [account],
        read,
    )
}

/// Notes a failure and when to try again.
pub fn retry_later(
    tx: &Tx<'_>,
    id: i64,
    next_try: Timestamp,
    reason: Option<Reason>,
    words: Option<&str>,
) -> Result<(), StoreError> {
    failed(tx, id, "waiting", Some(next_try), reason, words)
}

/// Gives a job up until a person tries it again; nothing waits behind it.
pub fn set_aside(
    tx: &Tx<'_>,
    id: i64,
    reason: Option<Reason>,
    words: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    failed(tx, id, "set_aside", None, reason, words)?;
    match get(tx, id)? {
        Some(job) => activity::set_aside(tx, job.place.folder, Some(job.message), reason, words, at),
        None => Ok(()),
    }
}

fn failed(
    tx: &Tx<'_>,
    id: i64,
    state: &str,
    next_try: Option<Timestamp>,
    reason: Option<Reason>,
    words: Option<&str>,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE job SET state = :state, attempts = attempts + 1, next_try = coalesce(:next_try, next_try),
           reason = :reason, words = :words WHERE id = :id",
        named_params! {
            ":state": state,
            ":next_try": next_try.map(us),
            ":reason": reason.map(Reason::code),
            ":words": words,
            ":id": id,
        },
    )?;
    Ok(())
}

/// Puts a job off without counting a failure: the message was not at fault.
pub fn put_off(
    tx: &Tx<'_>,
    id: i64,
    next_try: Timestamp,
    reason: Reason,
    words: &str,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE job SET next_try = ?2, reason = ?3, words = ?4 WHERE id = ?1",
        params![id, us(next_try), reason.code(), words],
    )?;
    Ok(())
}

/// The message lies in another place too: a body that was given up because it was in none is read there.
pub fn revive(tx: &Tx<'_>, message: i64, place: Place, now: Timestamp) -> Result<(), StoreError> {
    let given_up = tx.one(
        &format!("{SELECT} WHERE message = ?1 AND kind = 'body' AND state = 'set_aside'"),
        [message],
        read,
    )?;
    match given_up {
        Some(job) if job.place != place => {
            move_to(tx, job.id, place)?;
            retry(tx, job.id, now)
        }
        _ => Ok(()),
    }
}

/// Takes a job that was given up back into work.
pub fn retry(tx: &Tx<'_>, id: i64, next_try: Timestamp) -> Result<(), StoreError> {
    let changed = tx.run(
        "UPDATE job SET state = 'waiting', attempts = 0, next_try = ?2 WHERE id = ?1",
        params![id, us(next_try)],
    )?;
    match changed {
        0 => Err(StoreError::NotFound { what: "job", id }),
        _ => Ok(()),
    }
}

/// Reads it from another place of the same message: the first one is gone, or its folder has a new UIDVALIDITY.
pub fn move_to(tx: &Tx<'_>, id: i64, place: Place) -> Result<(), StoreError> {
    tx.run(
        "UPDATE job SET folder = ?2, uidvalidity = ?3, uid = ?4 WHERE id = ?1",
        params![id, place.folder, place.uidvalidity, place.uid],
    )?;
    Ok(())
}

/// Ends a job; for a body see [`finish_body`].
pub fn done(tx: &Tx<'_>, id: i64) -> Result<(), StoreError> {
    tx.run("DELETE FROM job WHERE id = ?1", [id])?;
    Ok(())
}

/// Ends a body job (T2): keeps the raw message, queues it for each sink, and removes the job, all or nothing. Gives the
/// message, or `None` where the job was done before; then nothing changes.
pub fn finish_body(
    tx: &Tx<'_>,
    id: i64,
    raw: &[u8],
    truncated: bool,
    sinks: &[impl AsRef<str>],
    at: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let row = tx.one(
        "SELECT j.message, m.key FROM job j CROSS JOIN message m ON m.id = j.message
         WHERE j.id = ?1 AND j.kind = 'body' AND m.verdict = 'log'",
        [id],
        |row| Ok((row.get::<_, i64>("message")?, sql::key(row, "key")?)),
    )?;
    let Some((message, key)) = row else {
        return Ok(None);
    };
    keep_body(tx, message, &key, raw, truncated, sinks, at)?;
    done(tx, id)?;
    Ok(Some(message))
}

/// Keeps the raw form of a logged message that is here already, and queues it for each sink: what [`finish_body`] does with
/// what was fetched.
pub fn keep_body(
    tx: &Tx<'_>,
    message: i64,
    key: &MessageKey,
    raw: &[u8],
    truncated: bool,
    sinks: &[impl AsRef<str>],
    at: Timestamp,
) -> Result<(), StoreError> {
    body::put(tx, message, raw, truncated, at)?;
    for sink in sinks {
        outbox::add(tx, sink.as_ref(), message, key, at)?;
    }
    Ok(())
}
