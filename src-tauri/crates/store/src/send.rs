//! `send`: mails that go out through Threadline, each with the Message-ID that it was given before anything was said to a
//! server.
//!
//! Invariant: a row is `submitting` before the server can have taken its mail, and leaves that state only by the server's
//! answer, by what lies in the folder of sent mail, or by the person's word. So no mail is sent twice.

mod copy;
mod progress;

pub use copy::{
    Copied, Copy, CopyRule, choose_copy, copies_due, copy_failed, end_copy, next_copy, retry_copy,
};
pub use progress::{
    Told, begin, cancel, interrupted, not_sent, noted, refused, retry, sent, settle_sent, still_unknown,
    unknown,
};

use crate::error::StoreError;
use crate::sql::{address, maybe_json, maybe_named, maybe_time, most, named, reason, time, to_json, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::{Row, named_params, params};
use serde::{Deserialize, Serialize};
use threadline_core::address::Address;
use threadline_core::envelope::Envelope;
use threadline_core::id::MessageId;
use threadline_core::reason::Reason;

pub(crate) const SQL: &str = "
CREATE TABLE send (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  account      INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
  message_id   TEXT NOT NULL UNIQUE,
  request      TEXT UNIQUE,
  state        TEXT NOT NULL CHECK (state IN ('waiting', 'submitting', 'sent', 'refused', 'unknown', 'cancelled')),
  sender       TEXT NOT NULL,
  recipients   TEXT NOT NULL CHECK (json_valid(recipients)),
  subject      TEXT NOT NULL,
  raw          BLOB,
  bytes        INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  due          INTEGER NOT NULL,
  attempts     INTEGER NOT NULL DEFAULT 0,
  submitted_at INTEGER,
  ended_at     INTEGER,
  reason       TEXT,
  words        TEXT,
  copy         TEXT CHECK (copy IN ('open', 'filed', 'appended', 'none', 'failed')),
  copy_rule    TEXT,
  copy_folder  TEXT,
  copy_tries   INTEGER NOT NULL DEFAULT 0,
  copy_due     INTEGER,
  copy_words   TEXT,
  message      INTEGER REFERENCES message ON DELETE SET NULL,
  CHECK ((state = 'sent') = (copy IS NOT NULL)),
  CHECK (state NOT IN ('waiting', 'submitting', 'unknown') OR raw IS NOT NULL)
) STRICT;
CREATE INDEX send_due ON send (account, state, due, id);
CREATE INDEX send_copies ON send (account, copy, copy_due, id) WHERE copy IN ('open', 'failed');
CREATE INDEX send_ended ON send (ended_at, id) WHERE ended_at IS NOT NULL;
CREATE INDEX send_by_message ON send (message) WHERE message IS NOT NULL;
";

/// How far a mail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
// In TypeScript `State` is that of a connection.
#[serde(rename_all = "snake_case", rename = "SendState")]
pub enum State {
    /// For its time. It can be taken back.
    Waiting,
    /// A server is being given it, or was when the program ended.
    Submitting,
    Sent,
    /// By the server, for good.
    Refused,
    /// The server may have it or not.
    Unknown,
    /// Taken back before it went.
    Cancelled,
}

impl State {
    pub const ALL: &[State] =
        &[State::Waiting, State::Submitting, State::Sent, State::Refused, State::Unknown, State::Cancelled];

    pub fn name(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Submitting => "submitting",
            State::Sent => "sent",
            State::Refused => "refused",
            State::Unknown => "unknown",
            State::Cancelled => "cancelled",
        }
    }

    /// A server may have it by now.
    pub fn may_be_sent(self) -> bool {
        matches!(self, State::Submitting | State::Sent | State::Unknown)
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.name() == name)
    }
}

/// Somebody whom a mail goes to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    pub address: Address,
    /// In Bcc: it stands in no header of what is sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blind: bool,
    /// What the server said where it refused this recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recipient").field("blind", &self.blind).finish_non_exhaustive()
    }
}

/// A mail that goes out, without its text.
#[derive(Clone, PartialEq, Eq)]
pub struct Sending {
    pub id: i64,
    pub account: i64,
    pub message_id: MessageId,
    /// What asked for it, by its own id.
    pub request: Option<String>,
    pub state: State,
    pub sender: Address,
    pub recipients: Vec<Recipient>,
    pub subject: String,
    /// Of the whole mail.
    pub bytes: u64,
    pub created_at: Timestamp,
    /// Not before this time.
    pub due: Timestamp,
    /// How often it was tried, or looked for.
    pub attempts: u32,
    /// When its text went to the server last.
    pub submitted_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub reason: Option<Reason>,
    /// The server's words, or ours.
    pub words: Option<String>,
    /// There when it is sent.
    pub copy: Option<Copied>,
    /// The logged message that it became.
    pub message: Option<i64>,
}

impl std::fmt::Debug for Sending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sending").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

const SELECT: &str = "SELECT id, account, message_id, request, state, sender, recipients, subject, bytes, created_at, due,
  attempts, submitted_at, ended_at, reason, words, copy, copy_rule, copy_folder, copy_tries, copy_due, copy_words, message
  FROM send";

fn read(row: &Row<'_>) -> rusqlite::Result<Sending> {
    Ok(Sending {
        id: row.get("id")?,
        account: row.get("account")?,
        message_id: named(row, "message_id", MessageId::parse)?,
        request: row.get("request")?,
        state: named(row, "state", State::from_name)?,
        sender: address(row, "sender")?,
        recipients: maybe_json(row, "recipients")?.unwrap_or_default(),
        subject: row.get("subject")?,
        bytes: row.get::<_, u32>("bytes").map(u64::from)?,
        created_at: time(row, "created_at")?,
        due: time(row, "due")?,
        attempts: row.get("attempts")?,
        submitted_at: maybe_time(row, "submitted_at")?,
        ended_at: maybe_time(row, "ended_at")?,
        reason: reason(row, "reason")?,
        words: row.get("words")?,
        copy: maybe_named(row, "copy", Copy::from_name)?.map(|copy| copy::read(row, copy)).transpose()?,
        message: row.get("message")?,
    })
}

/// A mail that is to go out.
#[derive(Clone)]
pub struct NewSending {
    pub account: i64,
    pub message_id: MessageId,
    /// The id under which it was asked for; one that is known is not taken a second time.
    pub request: Option<String>,
    pub sender: Address,
    pub recipients: Vec<Recipient>,
    pub subject: String,
    pub raw: Vec<u8>,
    pub due: Timestamp,
    pub at: Timestamp,
}

impl std::fmt::Debug for NewSending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewSending({} bytes)", self.raw.len())
    }
}

/// Stores a mail that is to go out. Gives the row's id, and false where the same was asked for before.
pub fn add(tx: &Tx<'_>, new: &NewSending) -> Result<(i64, bool), StoreError> {
    if let Some(request) = &new.request
        && let Some(known) = tx.one("SELECT id FROM send WHERE request = ?1", [request], |row| row.get(0))?
    {
        return Ok((known, false));
    }
    let id = tx.insert(
        "INSERT INTO send (account, message_id, request, state, sender, recipients, subject, raw, bytes, created_at, due)
         VALUES (:account, :message_id, :request, 'waiting', :sender, :recipients, :subject, :raw, :bytes, :at, :due)",
        named_params! {
            ":account": new.account,
            ":message_id": new.message_id.as_str(),
            ":request": new.request,
            ":sender": new.sender.as_str(),
            ":recipients": to_json(&new.recipients, "send.recipients")?,
            ":subject": new.subject,
            ":raw": new.raw,
            ":bytes": i64::try_from(new.raw.len()).unwrap_or(i64::MAX),
            ":at": us(new.at),
            ":due": us(new.due),
        },
    )?;
    Ok((id, true))
}

pub fn get(tx: &Tx<'_>, id: i64) -> Result<Option<Sending>, StoreError> {
    tx.one(&format!("{SELECT} WHERE id = ?1"), [id], read)
}

/// The whole mail, until it is sent and its copy is where it belongs.
pub fn raw(tx: &Tx<'_>, id: i64) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(tx.one("SELECT raw FROM send WHERE id = ?1", [id], |row| row.get(0))?.flatten())
}

/// The latest, the newest first.
pub fn newest(tx: &Tx<'_>, limit: usize) -> Result<Vec<Sending>, StoreError> {
    tx.all(&format!("{SELECT} WHERE id > 0 ORDER BY id DESC LIMIT ?1"), [most(limit)], read)
}

/// The mailbox's mails in a state that are due, the longest due first.
pub fn due(tx: &Tx<'_>, account: i64, state: State, now: Timestamp) -> Result<Vec<Sending>, StoreError> {
    tx.all(
        &format!("{SELECT} WHERE account = ?1 AND state = ?2 AND due <= ?3 ORDER BY due, id"),
        params![account, state.name(), us(now)],
        read,
    )
}

/// When the mailbox's next mail in a state is due.
pub fn next_due(tx: &Tx<'_>, account: i64, state: State) -> Result<Option<Timestamp>, StoreError> {
    tx.one(
        "SELECT due FROM send WHERE account = ?1 AND state = ?2 ORDER BY due LIMIT 1",
        params![account, state.name()],
        |row| time(row, "due"),
    )
}

/// The mail that went out through here under one of a header's ids.
pub fn of_header(tx: &Tx<'_>, account: i64, envelope: &Envelope) -> Result<Option<Sending>, StoreError> {
    for id in &envelope.ids {
        let found = tx.one(
            &format!("{SELECT} WHERE message_id = ?1 AND account = ?2"),
            params![id.as_str(), account],
            read,
        )?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Notes which logged message a mail became.
pub fn set_message(tx: &Tx<'_>, id: i64, message: i64) -> Result<(), StoreError> {
    tx.run("UPDATE send SET message = ?2 WHERE id = ?1", [id, message])?;
    Ok(())
}

/// Of what another program asked for: nothing but its id.
const BLANK: &str = "recipients = '[]', subject = '', words = NULL, raw = NULL, message = NULL,
  message_id = 'gone.' || id || '@threadline.invalid', copy_folder = NULL, copy_words = NULL, copy_due = NULL,
  copy = CASE WHEN copy IN ('open', 'failed') THEN 'none' ELSE copy END";

/// Takes the text of the mail that became this message: no copy of it is put anywhere any more.
pub(crate) fn purge_text(tx: &Tx<'_>, message: i64) -> Result<(), StoreError> {
    tx.run(
        "UPDATE send SET raw = NULL, copy_due = NULL, copy = CASE WHEN copy IN ('open', 'failed') THEN 'none' ELSE copy END
         WHERE message = ?1 AND state = 'sent' AND raw IS NOT NULL",
        [message],
    )?;
    Ok(())
}

/// Takes all that names it too. Of what another program asked for the id stays, so that it is not sent again.
pub(crate) fn purge(tx: &Tx<'_>, message: i64) -> Result<(), StoreError> {
    tx.run("DELETE FROM send WHERE message = ?1 AND request IS NULL", [message])?;
    tx.run(&format!("UPDATE send SET {BLANK} WHERE message = ?1 AND state = 'sent'"), [message])?;
    Ok(())
}

/// Takes what ended before a time and has nothing left to do off the list; gives the number. Of what another program asked for
/// the id stays, so that it is not sent again.
pub fn forget(tx: &Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    const OLD: &str = "ended_at < ?1 AND (copy IS NULL OR copy NOT IN ('open', 'failed'))";
    let params = [us(before)];
    let gone = tx.run(&format!("DELETE FROM send WHERE {OLD} AND request IS NULL"), params)?;
    tx.run(
        &format!("UPDATE send SET {BLANK} WHERE {OLD} AND request IS NOT NULL AND recipients <> '[]'"),
        params,
    )?;
    Ok(gone)
}
