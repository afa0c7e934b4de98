//! `message`: what was decided about each message. A message is one row, in whatever number of folders it lies.

use crate::error::StoreError;
use crate::sql::{direction, maybe_json, maybe_key, maybe_named, maybe_time, most, named, time, us};
use crate::tx::Tx;
use crate::{activity, message_id};
use jiff::Timestamp;
use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};
use std::fmt;
use threadline_core::address::Mailbox;
use threadline_core::decide;
use threadline_core::envelope::Envelope;
use threadline_core::id::{MessageId, MessageKey};
use threadline_core::matching::Link;
use threadline_core::record::Direction;
use threadline_core::rule::{Answer, Rule};

mod image;
mod merge;
mod person;
mod recheck;
mod record;
mod take_out;

pub use image::Image;
pub(crate) use person::NINTH;
pub use person::{add_person, is_added, is_later, put_off};
pub(crate) use recheck::read as read_recheck;
pub use recheck::{Recheck, asked_of_contacts, held};
pub(crate) use record::put_copy;
pub use record::{Before, NewDecision, Recorded, contradicts, decide_again, known, record};
pub(crate) use take_out::take_out_by;
pub use take_out::{on_their_way, take_out, take_out_as};

pub(crate) const SQL: &str = "
CREATE TABLE message (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  account      INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
  verdict      TEXT NOT NULL CHECK (verdict IN ('ignore', 'hold', 'ask', 'log')),
  rule         TEXT NOT NULL,
  rule_version INTEGER NOT NULL,
  direction    TEXT NOT NULL,
  time         INTEGER NOT NULL,
  decided_at   INTEGER NOT NULL,
  size         INTEGER NOT NULL,
  thread       INTEGER REFERENCES thread,
  key          BLOB CHECK (length(key) = 32),
  headers      TEXT CHECK (json_valid(headers)),
  body_at      INTEGER,
  answer       TEXT CHECK (answer IN ('log', 'ignore')),
  CHECK (verdict <> 'ignore' OR (key IS NULL AND headers IS NULL)),
  CHECK ((verdict = 'log') = (thread IS NOT NULL)),
  CHECK (verdict <> 'log' OR (key IS NOT NULL AND headers IS NOT NULL))
) STRICT;
CREATE INDEX message_by_verdict ON message (account, verdict, id, body_at);
CREATE INDEX message_by_decision ON message (decided_at, id);
CREATE INDEX message_by_thread ON message (thread, time) WHERE thread IS NOT NULL;
CREATE TABLE asked_address (
  message INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
  address TEXT NOT NULL,
  PRIMARY KEY (message, address)
) STRICT, WITHOUT ROWID;
";

/// The second version: the newest message of each direction is found without reading the others.
pub(crate) const SECOND: &str = "
CREATE INDEX message_by_direction ON message (thread, direction, time) WHERE thread IS NOT NULL;
";

/// A later version: by what a message was tied to its conversation.
pub(crate) const FOURTH: &str = "
ALTER TABLE message ADD COLUMN link TEXT;
";

/// A verdict without what belongs to it, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Ignore,
    Hold,
    Ask,
    Log,
}

impl Outcome {
    pub const ALL: &[Outcome] = &[Outcome::Ignore, Outcome::Hold, Outcome::Ask, Outcome::Log];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Ignore => "ignore",
            Outcome::Hold => "hold",
            Outcome::Ask => "ask",
            Outcome::Log => "log",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|o| o.name() == name)
    }
}

impl From<&decide::Verdict> for Outcome {
    fn from(verdict: &decide::Verdict) -> Self {
        match verdict {
            decide::Verdict::Log { .. } => Outcome::Log,
            decide::Verdict::Ask => Outcome::Ask,
            decide::Verdict::Hold => Outcome::Hold,
            decide::Verdict::Ignore => Outcome::Ignore,
        }
    }
}

/// The header of a message that is logged, asked about or held.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headers {
    /// Every id it goes by, the canonical one first.
    pub ids: Vec<MessageId>,
    pub in_reply_to: Vec<MessageId>,
    pub references: Vec<MessageId>,
    pub from: Option<Mailbox>,
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    /// For the person's own eyes: it never goes to a CRM.
    pub bcc: Vec<Mailbox>,
    pub subject: String,
    pub date: Option<Timestamp>,
}

impl Headers {
    /// What is left in a receipt.
    pub(crate) fn blank() -> Self {
        Self {
            ids: Vec::new(),
            in_reply_to: Vec::new(),
            references: Vec::new(),
            from: None,
            to: Vec::new(),
            cc: Vec::new(),
            bcc: Vec::new(),
            subject: String::new(),
            date: None,
        }
    }

    /// Everybody it went to, the sender not among them.
    pub fn recipients(&self) -> impl Iterator<Item = &Mailbox> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }

    /// The sender and everybody it went to.
    pub fn people(&self) -> impl Iterator<Item = &Mailbox> {
        self.from.iter().chain(self.recipients())
    }
}

/// Mail text: a debug print, which may reach a log, shows none of it.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Headers(…)")
    }
}

impl From<&Envelope> for Headers {
    fn from(envelope: &Envelope) -> Self {
        Self {
            ids: envelope.ids.clone(),
            in_reply_to: envelope.in_reply_to.clone(),
            references: envelope.references.clone(),
            from: envelope.from.clone(),
            to: envelope.to.clone(),
            cc: envelope.cc.clone(),
            bcc: envelope.bcc.clone(),
            subject: envelope.subject.clone(),
            date: envelope.date,
        }
    }
}

/// A message and what was decided about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: i64,
    pub account: i64,
    pub outcome: Outcome,
    pub rule: Rule,
    /// The version of the rules that decided.
    pub rule_version: u32,
    pub direction: Direction,
    pub time: Timestamp,
    pub decided_at: Timestamp,
    /// Bytes.
    pub size: u32,
    /// There when it is logged.
    pub thread: Option<i64>,
    /// By what it was tied to the conversation that it joined, or of which is asked.
    pub link: Option<Link>,
    /// There when it is logged, asked about or held.
    pub key: Option<MessageKey>,
    /// There when it is logged, asked about or held.
    pub headers: Option<Headers>,
    /// When its body was fetched.
    pub body_at: Option<Timestamp>,
    /// A folder that it lies in; `None` when it is in no watched folder any more.
    pub folder: Option<String>,
}

const SELECT: &str = "SELECT m.*, (SELECT f.name FROM place p JOIN folder f ON f.id = p.folder
   WHERE p.message = m.id ORDER BY p.folder LIMIT 1) AS folder FROM message m";

fn read(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        id: row.get("id")?,
        account: row.get("account")?,
        outcome: named(row, "verdict", Outcome::from_name)?,
        rule: named(row, "rule", Rule::from_name)?,
        rule_version: row.get("rule_version")?,
        direction: named(row, "direction", direction)?,
        time: time(row, "time")?,
        decided_at: time(row, "decided_at")?,
        size: row.get("size")?,
        thread: row.get("thread")?,
        link: maybe_named(row, "link", Link::from_name)?,
        key: maybe_key(row, "key")?,
        headers: maybe_json(row, "headers")?,
        body_at: maybe_time(row, "body_at")?,
        folder: row.get("folder")?,
    })
}

pub fn get(tx: &Tx<'_>, id: i64) -> Result<Option<Message>, StoreError> {
    tx.one(&format!("{SELECT} WHERE m.id = ?1"), [id], read)
}

/// The latest decisions, newest first. The next page begins before the `decided_at` and `id` of the last row.
pub fn newest(
    tx: &Tx<'_>,
    before: Option<(Timestamp, i64)>,
    limit: usize,
) -> Result<Vec<Message>, StoreError> {
    let (at, id) = before.map_or((i64::MAX, i64::MAX), |(at, id)| (us(at), id));
    tx.all(
        &format!(
            "{SELECT} WHERE (m.decided_at, m.id) < (?1, ?2) ORDER BY m.decided_at DESC, m.id DESC LIMIT ?3"
        ),
        params![at, id, most(limit)],
        read,
    )
}

/// Messages that a person is to be asked about, newest first. One that is about to be decided again is none of them.
pub fn asked(tx: &Tx<'_>, account: i64, limit: usize) -> Result<Vec<Message>, StoreError> {
    tx.all(
        &format!(
            "{SELECT} WHERE m.account = ?1 AND m.verdict = 'ask'
               AND NOT EXISTS (SELECT 1 FROM job j WHERE j.message = m.id AND j.kind = 'recheck')
             ORDER BY m.id DESC LIMIT ?2"
        ),
        params![account, most(limit)],
        read,
    )
}

/// Notes what the person said of a message; it counts when the message is decided again.
pub fn set_answer(tx: &Tx<'_>, id: i64, answer: Answer) -> Result<(), StoreError> {
    let changed = tx.run("UPDATE message SET answer = ?2 WHERE id = ?1", params![id, answer.name()])?;
    match changed {
        0 => Err(StoreError::NotFound { what: "message", id }),
        _ => Ok(()),
    }
}

/// What the person said of a message.
pub fn answer(tx: &Tx<'_>, id: i64) -> Result<Option<Answer>, StoreError> {
    let row = tx.one("SELECT answer FROM message WHERE id = ?1", [id], |row| {
        maybe_named(row, "answer", Answer::from_name)
    })?;
    Ok(row.flatten())
}

/// Whether a header that was read at a place of this message is its own. In a folder that was put back from a backup
/// another message may lie there.
pub fn is_its_header(tx: &Tx<'_>, id: i64, envelope: &Envelope) -> Result<bool, StoreError> {
    let plain = envelope.without_originals();
    let ids = envelope.ids.iter().map(|own| tx.hash_id(own));
    for hash in ids.chain([tx.hash_key(&envelope.key), tx.hash_key(&plain.key)]) {
        if message_id::belongs_to(tx, id, hash)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Settles a question with no: the message's text goes, and no copy of it is logged. False where nothing is asked of it.
pub fn ignore_asked(tx: &Tx<'_>, id: i64, at: Timestamp) -> Result<bool, StoreError> {
    let changed = tx.run(
        "UPDATE message SET verdict = 'ignore', rule = ?2, decided_at = ?3, key = NULL, headers = NULL, answer = ?4
         WHERE id = ?1 AND verdict = 'ask'",
        params![id, Rule::ToldNotTo.name(), us(at), Answer::Ignore.name()],
    )?;
    if changed == 0 {
        return Ok(false);
    }
    tx.run("DELETE FROM asked_address WHERE message = ?1", [id])?;
    tx.run("DELETE FROM job WHERE message = ?1 AND kind = 'recheck'", [id])?;
    activity::decided(tx, id, None, at)?;
    Ok(true)
}

/// Logged messages by id, from behind `after` (0 for the first page): for an export.
pub fn logged_page(tx: &Tx<'_>, after: i64, limit: usize) -> Result<Vec<Message>, StoreError> {
    tx.all(
        &format!("{SELECT} WHERE m.id > ?1 AND m.verdict = 'log' ORDER BY m.id LIMIT ?2"),
        params![after, most(limit)],
        read,
    )
}

/// Takes the headers of the mailbox's asked and held messages that were decided before a time and are still not
/// answered: they are kept for 30 days at most. What was decided stays. Gives the number of messages.
pub fn expire_unanswered(tx: &Tx<'_>, account: i64, before: Timestamp) -> Result<usize, StoreError> {
    const OLD: &str = "SELECT id FROM message WHERE account = ?1 AND verdict IN ('ask', 'hold')
      AND decided_at < ?2 AND headers IS NOT NULL";
    let params = params![account, us(before)];
    tx.run(&format!("DELETE FROM asked_address WHERE message IN ({OLD})"), params)?;
    tx.run(&format!("UPDATE message SET key = NULL, headers = NULL WHERE id IN ({OLD})"), params)
}

/// The messages of a thread, the oldest first.
pub fn of_thread(tx: &Tx<'_>, thread: i64) -> Result<Vec<Message>, StoreError> {
    tx.all(&format!("{SELECT} WHERE m.thread = ?1 ORDER BY m.time, m.id"), [thread], read)
}

/// The messages of a mailbox with an outcome, by id, from behind `after`.
pub fn of_outcome(
    tx: &Tx<'_>,
    account: i64,
    outcome: Outcome,
    after: i64,
    limit: usize,
) -> Result<Vec<Message>, StoreError> {
    tx.all(
        &format!("{SELECT} WHERE m.account = ?1 AND m.verdict = ?2 AND m.id > ?3 ORDER BY m.id LIMIT ?4"),
        params![account, outcome.name(), after, most(limit)],
        read,
    )
}

/// The newest messages of a mailbox with an outcome, by id.
pub fn newest_of_outcome(
    tx: &Tx<'_>,
    account: i64,
    outcome: Outcome,
    limit: usize,
) -> Result<Vec<Message>, StoreError> {
    tx.all(
        &format!("{SELECT} WHERE m.account = ?1 AND m.verdict = ?2 ORDER BY m.id DESC LIMIT ?3"),
        params![account, outcome.name(), most(limit)],
        read,
    )
}
