//! `activity`: what happened, in the order in which it did: decisions, pushes, failures, and changes of health.
//!
//! A row holds no text of a mail: that is read from the message as long as it is logged.

use crate::error::StoreError;
use crate::health::Owner;
use crate::outbox::State as PushState;
use crate::sql::{address, direction, maybe_named, most, named, reason, time, us};
use crate::tx::Tx;
use crate::{health, message};
use jiff::Timestamp;
use rusqlite::{Row, named_params, params};
use serde::{Deserialize, Serialize};
use threadline_core::address::Address;
use threadline_core::health::{Health, State};
use threadline_core::reason::Reason;
use threadline_core::record::Direction;
use threadline_core::rule::Rule;

/// The second version. What an older ledger knows is taken over, as far back as a person may look.
pub(crate) const SECOND: &str = "
CREATE TABLE activity (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  at        INTEGER NOT NULL,
  kind      TEXT NOT NULL CHECK (kind IN ('decided', 'pushed', 'push_failed', 'set_aside', 'health')),
  account   INTEGER REFERENCES account ON DELETE CASCADE,
  sink      TEXT,
  message   INTEGER REFERENCES message ON DELETE CASCADE,
  direction TEXT,
  outcome   TEXT,
  rule      TEXT,
  reason    TEXT,
  state     TEXT,
  folder    TEXT,
  words     TEXT,
  CHECK ((account IS NULL) <> (sink IS NULL))
) STRICT;
CREATE INDEX activity_by_message ON activity (message);
CREATE INDEX activity_by_account ON activity (account);
CREATE INDEX activity_health ON activity (account, sink, id) WHERE kind = 'health';
INSERT INTO activity (at, kind, account, message, direction, outcome, rule)
  SELECT decided_at, 'decided', account, id, direction, verdict, rule
  FROM (SELECT * FROM message ORDER BY decided_at DESC, id DESC LIMIT 1000) ORDER BY decided_at, id;
";

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
// To whom it is shown it is one kind among others.
#[serde(rename_all = "snake_case", rename = "ActivityKind")]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum Kind {
    /// A message was decided about.
    Decided,
    /// A CRM took a message.
    Pushed,
    /// A CRM did not take a message; it is tried again, or was given up.
    PushFailed,
    /// A message could not be read from the mailbox.
    SetAside,
    /// A mailbox or a CRM stopped working, or works again.
    Health,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Decided => "decided",
            Kind::Pushed => "pushed",
            Kind::PushFailed => "push_failed",
            Kind::SetAside => "set_aside",
            Kind::Health => "health",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Kind::Decided, Kind::Pushed, Kind::PushFailed, Kind::SetAside, Kind::Health]
            .into_iter()
            .find(|k| k.name() == name)
    }
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq)]
pub struct Activity {
    /// Counts up.
    pub id: i64,
    pub at: Timestamp,
    pub kind: Kind,
    pub owner: Owner,
    pub message: Option<i64>,
    /// The thread that the message is in now.
    pub thread: Option<i64>,
    pub direction: Option<Direction>,
    pub outcome: Option<message::Outcome>,
    pub rule: Option<Rule>,
    pub reason: Option<Reason>,
    pub state: Option<State>,
    pub folder: Option<String>,
    /// Of a message that is logged now.
    pub subject: Option<String>,
    /// The first contact of a message that is logged now.
    pub with: Option<Address>,
    pub words: Option<String>,
}

/// Without mail text and names of folders.
impl std::fmt::Debug for Activity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Activity")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("outcome", &self.outcome)
            .field("rule", &self.rule)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Activity> {
    let account: Option<i64> = row.get("account")?;
    let with: Option<String> = row.get("with")?;
    Ok(Activity {
        id: row.get("id")?,
        at: time(row, "at")?,
        kind: named(row, "kind", Kind::from_name)?,
        owner: match account {
            Some(id) => Owner::Account(id),
            None => Owner::Sink(row.get("sink")?),
        },
        message: row.get("message")?,
        thread: row.get("thread")?,
        direction: maybe_named(row, "direction", direction)?,
        outcome: maybe_named(row, "outcome", message::Outcome::from_name)?,
        rule: maybe_named(row, "rule", Rule::from_name)?,
        reason: reason(row, "reason")?,
        state: maybe_named(row, "state", health::state)?,
        folder: row.get("folder")?,
        subject: row.get("subject")?,
        with: with.is_some().then(|| address(row, "with")).transpose()?,
        words: row.get("words")?,
    })
}

const SELECT: &str = "SELECT a.*, m.thread,
    CASE WHEN m.verdict = 'log' THEN m.headers ->> '$.subject' END AS subject,
    (SELECT s.address FROM association s WHERE s.message = m.id ORDER BY s.position LIMIT 1) AS \"with\"
  FROM activity a LEFT JOIN message m ON m.id = a.message";

/// The newest first; the next page begins before the id of the last row (`None` for the first page).
pub fn newest(tx: &Tx<'_>, before: Option<i64>, limit: usize) -> Result<Vec<Activity>, StoreError> {
    tx.all(
        &format!("{SELECT} WHERE a.id < ?1 ORDER BY a.id DESC LIMIT ?2"),
        params![before.unwrap_or(i64::MAX), most(limit)],
        read,
    )
}

/// What came behind `after`, the oldest first.
pub fn since(tx: &Tx<'_>, after: i64, limit: usize) -> Result<Vec<Activity>, StoreError> {
    tx.all(&format!("{SELECT} WHERE a.id > ?1 ORDER BY a.id LIMIT ?2"), params![after, most(limit)], read)
}

/// Forgets all but the newest. Gives the number of rows that are gone.
pub fn keep(tx: &Tx<'_>, newest: usize) -> Result<usize, StoreError> {
    tx.run("DELETE FROM activity WHERE id <= (SELECT max(id) FROM activity) - ?1", [most(newest)])
}

/// A message was decided about, in this folder where it was seen in one.
pub(crate) fn decided(
    tx: &Tx<'_>,
    message: i64,
    folder: Option<i64>,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO activity (at, kind, account, message, direction, outcome, rule, folder)
         SELECT ?3, 'decided', m.account, m.id, m.direction, m.verdict, m.rule,
           (SELECT f.name FROM folder f WHERE f.id = ?2) FROM message m WHERE m.id = ?1",
        params![message, folder, us(at)],
    )?;
    Ok(())
}

/// What became of an entry of the outbox is what its row says now.
pub(crate) fn pushed(tx: &Tx<'_>, entry: i64, at: Timestamp) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO activity (at, kind, sink, message, direction, reason, words)
         SELECT ?2, CASE o.state WHEN ?3 THEN 'pushed' ELSE 'push_failed' END, o.sink, o.message, m.direction, o.reason,
           o.words FROM outbox o JOIN message m ON m.id = o.message WHERE o.id = ?1",
        params![entry, us(at), PushState::Done.name()],
    )?;
    Ok(())
}

/// A message in a folder could not be taken in, or its text not be read.
pub(crate) fn set_aside(
    tx: &Tx<'_>,
    folder: i64,
    message: Option<i64>,
    reason: Option<Reason>,
    words: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO activity (at, kind, account, message, reason, folder, words)
         SELECT :at, 'set_aside', f.account, :message, :reason, f.name, :words FROM folder f WHERE f.id = :folder",
        named_params! {
            ":at": us(at),
            ":message": message,
            ":reason": reason.map(Reason::code),
            ":words": words,
            ":folder": folder,
        },
    )?;
    Ok(())
}

/// A mailbox or a CRM is well or not. Told once, though each of a mailbox's channels says so.
pub(crate) fn health(tx: &Tx<'_>, owner: &Owner, health: &Health) -> Result<(), StoreError> {
    let (account, sink) = owner.columns();
    let (state, reason) = (health.state.name(), health.reason.map(Reason::code));
    let last: Option<(String, Option<String>)> = tx.one(
        "SELECT state, reason FROM activity WHERE kind = 'health' AND account IS ?1 AND sink IS ?2
         ORDER BY id DESC LIMIT 1",
        params![account, sink],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if last.is_some_and(|(s, r)| s == state && r.as_deref() == reason) {
        return Ok(());
    }
    tx.run(
        "INSERT INTO activity (at, kind, account, sink, reason, state, words)
         VALUES (?1, 'health', ?2, ?3, ?4, ?5, ?6)",
        params![us(health.since), account, sink, reason, state, health.evidence],
    )?;
    Ok(())
}
