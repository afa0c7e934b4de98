//! `outbox`: what is on its way to a CRM. A message is at most once in it for each sink.

use crate::error::StoreError;
use crate::setting;
use crate::sql::{key, maybe_time, most, named, reason, time, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};
use threadline_core::id::MessageKey;
use threadline_core::reason::Reason;
use threadline_core::rule::Rule;

mod lease;

pub use lease::{Accepted, Lease, accept, lease, next_due, recover, release, retry_later, set_aside};

pub(crate) const SQL: &str = "
CREATE TABLE outbox (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  sink        TEXT NOT NULL,
  message     INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
  key         BLOB NOT NULL CHECK (length(key) = 32),
  state       TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'leased', 'done', 'set_aside')),
  attempts    INTEGER NOT NULL DEFAULT 0,
  uncertain   INTEGER NOT NULL DEFAULT 0 CHECK (uncertain IN (0, 1)),
  lease_until INTEGER,
  next_try    INTEGER NOT NULL,
  reason      TEXT,
  words       TEXT,
  remote_id   TEXT,
  link        TEXT,
  how         TEXT,
  queued_at   INTEGER NOT NULL,
  pushed_at   INTEGER,
  stored_at   INTEGER,
  UNIQUE (message, sink),
  CHECK ((state = 'leased') = (lease_until IS NOT NULL)),
  CHECK ((state = 'done') = (stored_at IS NOT NULL))
) STRICT;
CREATE INDEX outbox_due ON outbox (sink, state, next_try, id);
CREATE INDEX outbox_leases ON outbox (sink, lease_until, id) WHERE state = 'leased';
";

/// The second version: an entry can be abandoned and still be known.
pub(crate) const SECOND: &str = "
ALTER TABLE outbox RENAME TO outbox_1;
DROP INDEX outbox_due;
DROP INDEX outbox_leases;
CREATE TABLE outbox (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  sink        TEXT NOT NULL,
  message     INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
  key         BLOB NOT NULL CHECK (length(key) = 32),
  state       TEXT NOT NULL DEFAULT 'waiting'
                CHECK (state IN ('waiting', 'leased', 'done', 'set_aside', 'abandoned')),
  attempts    INTEGER NOT NULL DEFAULT 0,
  uncertain   INTEGER NOT NULL DEFAULT 0 CHECK (uncertain IN (0, 1)),
  lease_until INTEGER,
  next_try    INTEGER NOT NULL,
  reason      TEXT,
  words       TEXT,
  remote_id   TEXT,
  link        TEXT,
  how         TEXT,
  queued_at   INTEGER NOT NULL,
  pushed_at   INTEGER,
  stored_at   INTEGER,
  UNIQUE (message, sink),
  CHECK ((state = 'leased') = (lease_until IS NOT NULL)),
  CHECK ((state = 'done') = (stored_at IS NOT NULL))
) STRICT;
INSERT INTO outbox SELECT id, sink, message, key, state, attempts, uncertain, lease_until, next_try, reason, words,
  remote_id, link, how, queued_at, pushed_at, stored_at FROM outbox_1;
DROP TABLE outbox_1;
CREATE INDEX outbox_due ON outbox (sink, state, next_try, id);
CREATE INDEX outbox_leases ON outbox (sink, lease_until, id) WHERE state = 'leased';
";

/// The fifth version: what a CRM does not have yet is found by its message.
pub(crate) const FIFTH: &str = "
CREATE INDEX outbox_open ON outbox (message, state) WHERE state IN ('waiting', 'leased', 'set_aside');
";

/// The sixth version: when the CRM was last asked whether it still has the record.
pub(crate) const SIXTH: &str = "
ALTER TABLE outbox ADD COLUMN looked_at INTEGER;
CREATE INDEX outbox_by_look ON outbox (sink, looked_at, id) WHERE state = 'done' AND remote_id IS NOT NULL;
";

/// The ninth version: what a CRM logs by itself is found there, and not pushed.
pub(crate) const NINTH: &str = "
ALTER TABLE outbox ADD COLUMN way TEXT NOT NULL DEFAULT 'push' CHECK (way IN ('push', 'find'));
";

/// The twelfth version: when the CRM was told that the mail came back.
pub(crate) const TWELFTH: &str = "
ALTER TABLE outbox ADD COLUMN bounced_at INTEGER;
";

/// The CRMs that log by themselves what is sent to an address of theirs, and can be asked for it.
pub const LOGGERS: &[&str] = &["hubspot"];

/// How a CRM comes to have a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    Push,
    /// The CRM makes the record by itself; it is looked for.
    Find,
}

impl Way {
    pub fn name(self) -> &'static str {
        match self {
            Way::Push => "push",
            Way::Find => "find",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Way::Push, Way::Find].into_iter().find(|way| way.name() == name)
    }
}

/// Where a message is on its way to a CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Waiting,
    /// A worker has it.
    Leased,
    /// The CRM has it.
    Done,
    /// Given up until a person tries it again.
    SetAside,
    /// A person took the message out of the log before the CRM had it.
    Abandoned,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Leased => "leased",
            State::Done => "done",
            State::SetAside => "set_aside",
            State::Abandoned => "abandoned",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [State::Waiting, State::Leased, State::Done, State::SetAside, State::Abandoned]
            .into_iter()
            .find(|s| s.name() == name)
    }
}

/// A message on its way to a CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: i64,
    pub sink: String,
    pub message: i64,
    /// The idempotency key.
    pub key: MessageKey,
    pub state: State,
    pub way: Way,
    /// How often it was leased.
    pub attempts: u32,
    /// True when the CRM may have it already: it is looked up before it is pushed again.
    pub uncertain: bool,
    pub lease_until: Option<Timestamp>,
    /// Not before this time.
    pub next_try: Timestamp,
    pub reason: Option<Reason>,
    /// The CRM's own words about the last failure.
    pub words: Option<String>,
    pub remote_id: Option<String>,
    /// Where a person sees it in the CRM.
    pub link: Option<String>,
    /// What the CRM did with it, in the sink's word: created, found, updated.
    pub how: Option<String>,
    pub queued_at: Timestamp,
    /// When the last push began.
    pub pushed_at: Option<Timestamp>,
    /// When the CRM said that it has it.
    pub stored_at: Option<Timestamp>,
}

const SELECT: &str = "SELECT * FROM outbox";

fn read(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        id: row.get("id")?,
        sink: row.get("sink")?,
        message: row.get("message")?,
        key: key(row, "key")?,
        state: named(row, "state", State::from_name)?,
        way: named(row, "way", Way::from_name)?,
        attempts: row.get("attempts")?,
        uncertain: row.get("uncertain")?,
        lease_until: maybe_time(row, "lease_until")?,
        next_try: time(row, "next_try")?,
        reason: reason(row, "reason")?,
        words: row.get("words")?,
        remote_id: row.get("remote_id")?,
        link: row.get("link")?,
        how: row.get("how")?,
        queued_at: time(row, "queued_at")?,
        pushed_at: maybe_time(row, "pushed_at")?,
        stored_at: maybe_time(row, "stored_at")?,
    })
}

/// Queues a message for a sink, due at once, whatever a clock that is set back says; false where it is there already. One
/// that was abandoned goes on. What was sent to the CRM's own address is looked for there and not pushed.
pub fn add(
    tx: &Tx<'_>,
    sink: &str,
    message: i64,
    key: &MessageKey,
    queued_at: Timestamp,
) -> Result<bool, StoreError> {
    let by_itself = LOGGERS.contains(&sink)
        && tx
            .one(
                "SELECT 1 FROM message WHERE id = ?1 AND rule = ?2",
                params![message, Rule::CrmAddress.name()],
                |_| Ok(()),
            )?
            .is_some();
    let way = if by_itself { Way::Find } else { Way::Push };
    let changed = tx.run(
        "INSERT INTO outbox (sink, message, key, next_try, queued_at, way) VALUES (?1, ?2, ?3, 0, ?4, ?5)
         ON CONFLICT (message, sink) DO UPDATE SET state = 'waiting', next_try = 0 WHERE state = 'abandoned'",
        params![sink, message, key.as_bytes(), us(queued_at), way.name()],
    )?;
    Ok(changed > 0)
}

/// Queues a message once more that the sink may have or have lost: it is looked up before it is written.
pub(crate) fn again(
    tx: &Tx<'_>,
    sink: &str,
    message: i64,
    key: &MessageKey,
    queued_at: Timestamp,
) -> Result<(), StoreError> {
    for entry in of_message(tx, message)?.iter().filter(|entry| entry.sink == sink) {
        if let Some(remote_id) = &entry.remote_id {
            crate::removal::forget(tx, sink, remote_id)?;
        }
    }
    tx.run(
        "INSERT INTO outbox (sink, message, key, next_try, queued_at, uncertain) VALUES (?1, ?2, ?3, 0, ?4, 1)
         ON CONFLICT (message, sink) DO UPDATE SET state = 'waiting', key = ?3, attempts = 0, uncertain = 1, next_try = 0,
           lease_until = NULL, reason = NULL, words = NULL, remote_id = NULL, link = NULL, how = NULL, stored_at = NULL,
           looked_at = NULL, bounced_at = NULL, way = 'push', queued_at = ?4",
        params![sink, message, key.as_bytes(), us(queued_at)],
    )?;
    Ok(())
}

/// Records of the sink that were not looked for since `before`, those that never were first: entry and the CRM's id.
pub fn to_look_for(
    tx: &Tx<'_>,
    sink: &str,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<(i64, i64, String)>, StoreError> {
    tx.all(
        "SELECT o.id, o.message, o.remote_id FROM outbox o CROSS JOIN message m ON m.id = o.message
         WHERE o.sink = ?1 AND o.state = 'done' AND o.remote_id IS NOT NULL AND (o.looked_at IS NULL OR o.looked_at < ?2)
           AND m.verdict = 'log' ORDER BY o.looked_at, o.id LIMIT ?3",
        params![sink, us(before), most(limit)],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )
}

/// Notes that the CRM was asked whether it still has these.
pub fn looked_for(tx: &Tx<'_>, entries: &[i64], at: Timestamp) -> Result<(), StoreError> {
    for entry in entries {
        tx.run("UPDATE outbox SET looked_at = ?2 WHERE id = ?1", params![entry, us(at)])?;
    }
    Ok(())
}

/// Records that the sink made for us of mails which did not reach somebody, by a report that names whom, and of which it was not
/// told so: entry, message and the CRM's id. A report that names nobody may be about a delay.
pub fn bounced(tx: &Tx<'_>, sink: &str, limit: usize) -> Result<Vec<(i64, i64, String)>, StoreError> {
    tx.all(
        "SELECT DISTINCT o.id, o.message, o.remote_id FROM bounce b CROSS JOIN outbox o ON o.message = b.message AND o.sink = ?1
           CROSS JOIN message m ON m.id = o.message
         WHERE b.lasting IS NOT NULL AND o.state = 'done' AND o.remote_id IS NOT NULL AND o.how <> 'linked' AND o.bounced_at IS NULL AND m.verdict = 'log'
         ORDER BY o.id LIMIT ?2",
        params![sink, most(limit)],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )
}

/// Notes that the CRM was told.
pub fn told_bounced(tx: &Tx<'_>, entry: i64, at: Timestamp) -> Result<(), StoreError> {
    tx.run("UPDATE outbox SET bounced_at = ?2 WHERE id = ?1", params![entry, us(at)])?;
    Ok(())
}

pub fn get(tx: &Tx<'_>, id: i64) -> Result<Option<Entry>, StoreError> {
    tx.one(&format!("{SELECT} WHERE id = ?1"), [id], read)
}

/// The message's entries, one a sink.
pub fn of_message(tx: &Tx<'_>, message: i64) -> Result<Vec<Entry>, StoreError> {
    tx.all(&format!("{SELECT} WHERE message = ?1 ORDER BY sink"), [message], read)
}

/// The entries whose record the CRM did not make by itself in time: a person says what becomes of them.
pub fn missing(tx: &Tx<'_>) -> Result<Vec<Entry>, StoreError> {
    let mut all = Vec::new();
    for sink in LOGGERS {
        all.extend(tx.all(
            &format!(
                "{SELECT} WHERE sink = ?1 AND state = 'set_aside' AND way = 'find' ORDER BY next_try, id"
            ),
            [sink],
            read,
        )?);
    }
    Ok(all)
}

/// Pushes an entry after all whose record the CRM did not make: it is looked up once more before it is written. False where
/// it is none.
pub fn push_after_all(tx: &Tx<'_>, id: i64) -> Result<bool, StoreError> {
    let changed = tx.run(
        "UPDATE outbox SET state = 'waiting', way = 'push', uncertain = 1, next_try = 0
         WHERE id = ?1 AND state = 'set_aside' AND way = 'find'",
        [id],
    )?;
    Ok(changed > 0)
}

/// Leaves an entry whose record the CRM did not make: nothing waits for it any more. False where it is none.
pub fn leave(tx: &Tx<'_>, id: i64, at: Timestamp) -> Result<bool, StoreError> {
    let changed = tx.run(
        "UPDATE outbox SET state = 'abandoned' WHERE id = ?1 AND state = 'set_aside' AND way = 'find'",
        [id],
    )?;
    if changed > 0
        && let Some(entry) = get(tx, id)?
    {
        crate::retention::begin(tx, entry.message, at)?;
    }
    Ok(changed > 0)
}

/// All entries by id, from behind `after` (0 for the first page): for an export.
pub fn page(tx: &Tx<'_>, after: i64, limit: usize) -> Result<Vec<Entry>, StoreError> {
    tx.all(&format!("{SELECT} WHERE id > ?1 ORDER BY id LIMIT ?2"), params![after, most(limit)], read)
}

/// Under which name it stands that a sink wants no more.
fn ended_key(sink: &str) -> String {
    format!("outbox.ended:{sink}")
}

/// Notes that a sink wants no more, whatever comes: nothing is pushed to it before [`begin_again`].
pub fn end(tx: &Tx<'_>, sink: &str) -> Result<(), StoreError> {
    setting::set(tx, &ended_key(sink), &true)
}

/// A person wants it tried again.
pub fn begin_again(tx: &Tx<'_>, sink: &str) -> Result<(), StoreError> {
    setting::remove(tx, &ended_key(sink))
}

/// Whether the sink wants no more.
pub fn has_ended(tx: &Tx<'_>, sink: &str) -> Result<bool, StoreError> {
    Ok(setting::get(tx, &ended_key(sink))?.unwrap_or(false))
}

/// Makes everything that waits or was given up due now: the sink was set anew. What a worker has stays with it. A sink
/// that wanted no more is tried again. Gives the number of entries.
pub fn hurry(tx: &Tx<'_>, sink: &str, now: Timestamp) -> Result<usize, StoreError> {
    begin_again(tx, sink)?;
    let waiting = tx.run(
        "UPDATE outbox SET next_try = ?2 WHERE sink = ?1 AND state = 'waiting' AND next_try > ?2",
        params![sink, us(now)],
    )?;
    Ok(waiting + retry_all(tx, sink, now)?)
}

/// Makes what waits because of this failure due now: what caused it may be over. Gives the number of entries.
pub fn hurry_after(tx: &Tx<'_>, sink: &str, reason: Reason, now: Timestamp) -> Result<usize, StoreError> {
    tx.run(
        "UPDATE outbox SET next_try = ?2 WHERE sink = ?1 AND state = 'waiting' AND next_try > ?2 AND reason = ?3",
        params![sink, us(now), reason.code()],
    )
}

/// A sink's entries that would wait beyond `latest` are due at `now`: the clock was set back since they were put off.
pub fn not_beyond(tx: &Tx<'_>, sink: &str, now: Timestamp, latest: Timestamp) -> Result<usize, StoreError> {
    tx.run(
        "UPDATE outbox SET next_try = ?2 WHERE sink = ?1 AND state = 'waiting' AND next_try > ?3",
        params![sink, us(now), us(latest)],
    )
}

/// Ends everything that waits for a sink that is set no more, or was given up; gives the number of entries. What the CRM
/// has stays known.
pub fn abandon(tx: &Tx<'_>, sink: &str) -> Result<usize, StoreError> {
    begin_again(tx, sink)?;
    tx.run("DELETE FROM outbox WHERE sink = ?1 AND state <> 'done'", [sink])
}

/// Abandons what a CRM does not have of a message yet. Where a worker has it, what the CRM says counts all the same.
pub(crate) fn abandon_message(tx: &Tx<'_>, message: i64) -> Result<(), StoreError> {
    tx.run(
        "UPDATE outbox SET uncertain = max(uncertain, state = 'leased'), state = 'abandoned', lease_until = NULL
         WHERE message = ?1 AND state NOT IN ('done', 'abandoned')",
        [message],
    )?;
    Ok(())
}

/// Takes an entry that was abandoned back to where it was. One that a worker had waits; whether the CRM may have it stays
/// known.
pub(crate) fn put_back(tx: &Tx<'_>, was: &Entry) -> Result<(), StoreError> {
    let state = if was.state == State::Leased { State::Waiting } else { was.state };
    if !matches!(state, State::Done | State::Abandoned) {
        tx.run(
            "UPDATE outbox SET state = ?2, next_try = ?3 WHERE id = ?1 AND state = 'abandoned'",
            params![was.id, state.name(), us(was.next_try)],
        )?;
    }
    Ok(())
}

/// The sink's entries that failed: those that were given up, and those that are tried again. The longest due first.
pub fn failed(tx: &Tx<'_>, sink: &str, limit: usize) -> Result<Vec<Entry>, StoreError> {
    tx.all(
        &format!(
            "{SELECT} WHERE sink = ?1 AND state IN ('set_aside', 'waiting') AND reason IS NOT NULL
             ORDER BY next_try, id LIMIT ?2"
        ),
        params![sink, most(limit)],
        read,
    )
}

/// How many entries of a sink are not at the CRM yet and not set aside.
pub fn waiting(tx: &Tx<'_>, sink: &str) -> Result<u64, StoreError> {
    let number: Option<u32> = tx.one(
        "SELECT count(*) FROM outbox WHERE sink = ?1 AND state IN ('waiting', 'leased')",
        [sink],
        |row| row.get(0),
    )?;
    Ok(number.map_or(0, u64::from))
}

/// Takes an entry that was given up, or that waits for its time, into work at once. Whether the CRM may have it stays known.
pub fn retry(tx: &Tx<'_>, id: i64, next_try: Timestamp) -> Result<(), StoreError> {
    let changed = tx.run(
        "UPDATE outbox SET state = 'waiting', next_try = ?2 WHERE id = ?1 AND state IN ('set_aside', 'waiting')",
        params![id, us(next_try)],
    )?;
    match changed {
        0 => Err(StoreError::NotFound { what: "failed push", id }),
        _ => Ok(()),
    }
}

/// Takes all of the sink's entries that were given up back into work; gives their number.
pub fn retry_all(tx: &Tx<'_>, sink: &str, next_try: Timestamp) -> Result<usize, StoreError> {
    tx.run(
        "UPDATE outbox SET state = 'waiting', next_try = ?2 WHERE sink = ?1 AND state = 'set_aside'",
        params![sink, us(next_try)],
    )
}
