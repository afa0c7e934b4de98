//! `thread`: a logged conversation, and `participant`: who took part in it.

use crate::error::StoreError;
use crate::sql::{address, direction, key, named, time, us};
use crate::tx::Tx;
use crate::{association, message};
use jiff::Timestamp;
use rusqlite::{Row, params};
use std::collections::HashMap;
use std::fmt;
use threadline_core::address::{Address, Mailbox};
use threadline_core::conversation::ThreadState;
use threadline_core::decide::KnownThread;
use threadline_core::envelope::Envelope;
use threadline_core::id::{MessageId, MessageKey};
use threadline_core::record::Direction;

mod list;
mod standing;

pub use list::{Page, Query, Summary, list, page, summary};
pub(crate) use standing::{answered, refresh, refresh_all, refresh_answered};

pub(crate) const SQL: &str = "
CREATE TABLE thread (
  id      INTEGER PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
  key     BLOB NOT NULL CHECK (length(key) = 32),
  subject TEXT NOT NULL,
  created INTEGER NOT NULL,
  last    INTEGER NOT NULL,
  UNIQUE (account, key)
) STRICT;
CREATE INDEX thread_by_last ON thread (last, id);
CREATE TABLE participant (
  thread  INTEGER NOT NULL REFERENCES thread ON DELETE CASCADE,
  address TEXT NOT NULL,
  PRIMARY KEY (thread, address)
) STRICT, WITHOUT ROWID;
";

/// The second version: the list is read from the threads' rows alone, and words are found by an index.
///
/// `secure-delete` belongs to FTS5's own index; the file's setting does not reach into it.
pub(crate) const SECOND: &str = "
DROP INDEX thread_by_last;
ALTER TABLE thread ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE thread ADD COLUMN state TEXT NOT NULL DEFAULT 'received';
ALTER TABLE thread ADD COLUMN state_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE thread ADD COLUMN direction TEXT NOT NULL DEFAULT 'incoming';
ALTER TABLE thread ADD COLUMN last_outgoing INTEGER;
CREATE INDEX thread_list ON thread (last, id, account, state, direction, last_outgoing);
CREATE INDEX participant_by_address ON participant (address, thread);
CREATE VIRTUAL TABLE thread_text USING fts5 (
  words, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
INSERT INTO thread_text (thread_text, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER thread_gone AFTER DELETE ON thread BEGIN
  DELETE FROM thread_text WHERE rowid = old.id;
END;
";

/// A conversation.
#[derive(Clone, PartialEq, Eq)]
pub struct Thread {
    pub id: i64,
    pub account: i64,
    /// The same for all its messages; a CRM can group by it.
    pub key: MessageKey,
    /// Of the message that began it.
    pub subject: String,
    /// The time of the message that began it.
    pub created: Timestamp,
    /// The time of its newest message.
    pub last: Timestamp,
    pub messages: u32,
    pub state: ThreadState,
    /// Since when the state is so.
    pub state_since: Timestamp,
    /// Of its newest message.
    pub direction: Direction,
}

/// Subjects are mail text, and a debug print may reach a log.
impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread")
            .field("id", &self.id)
            .field("account", &self.account)
            .field("last", &self.last)
            .field("messages", &self.messages)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Thread> {
    Ok(Thread {
        id: row.get("id")?,
        account: row.get("account")?,
        key: key(row, "key")?,
        subject: row.get("subject")?,
        created: time(row, "created")?,
        last: time(row, "last")?,
        messages: row.get("messages")?,
        state: named(row, "state", ThreadState::from_name)?,
        state_since: time(row, "state_since")?,
        direction: named(row, "direction", direction)?,
    })
}

const COLUMNS: &str = "id, account, key, subject, created, last, messages, state, state_since, direction";

pub fn get(tx: &Tx<'_>, id: i64) -> Result<Option<Thread>, StoreError> {
    tx.one(&format!("SELECT {COLUMNS} FROM thread WHERE id = ?1"), [id], read)
}

/// The thread that a message begins. Its key is the root that the header names, so that two computers give one
/// conversation one key; where an older thread has that key (a sent mail forwarded to somebody new), it is the message's own.
pub(crate) fn begin(
    tx: &Tx<'_>,
    account: i64,
    envelope: &Envelope,
    at: Timestamp,
) -> Result<i64, StoreError> {
    let taken = |key: &MessageKey| {
        tx.one(
            "SELECT id FROM thread WHERE account = ?1 AND key = ?2",
            params![account, key.as_bytes()],
            |row| row.get::<_, i64>(0),
        )
    };
    let root = envelope.root();
    let free = match taken(&root)? {
        None => root,
        Some(_) => match taken(&envelope.key)? {
            // The root itself comes after an answer to it.
            Some(id) => return Ok(id),
            None => envelope.key,
        },
    };
    tx.insert(
        "INSERT INTO thread (account, key, subject, created, last) VALUES (?1, ?2, ?3, ?4, ?4)",
        params![account, free.as_bytes(), envelope.subject, us(at)],
    )
}

/// Notes who takes part because of a message.
pub(crate) fn joined<'a>(
    tx: &Tx<'_>,
    thread: i64,
    people: impl IntoIterator<Item = &'a Mailbox>,
) -> Result<(), StoreError> {
    for mailbox in people {
        tx.run(
            "INSERT OR IGNORE INTO participant (thread, address) VALUES (?1, ?2)",
            params![thread, mailbox.address.as_str()],
        )?;
    }
    Ok(())
}

/// A message has left the thread: who took part only by it is forgotten. A thread without messages goes.
pub(crate) fn left(tx: &Tx<'_>, thread: i64) -> Result<(), StoreError> {
    tx.run("DELETE FROM participant WHERE thread = ?1", [thread])?;
    for message in message::of_thread(tx, thread)? {
        if let Some(headers) = &message.headers {
            joined(tx, thread, headers.people())?;
        }
    }
    refresh(tx, thread)
}

/// The logged thread of each of these ids that is the id of a logged message.
pub fn known(
    tx: &Tx<'_>,
    account: i64,
    ids: &[MessageId],
) -> Result<HashMap<MessageId, KnownThread>, StoreError> {
    let mut threads: HashMap<i64, KnownThread> = HashMap::new();
    let mut known = HashMap::new();
    for id in ids {
        let thread: Option<i64> = tx.one(
            "SELECT m.thread FROM message_id i CROSS JOIN message m ON m.id = i.message
             WHERE i.account = ?1 AND i.hash = ?2 AND m.thread IS NOT NULL ORDER BY m.id LIMIT 1",
            params![account, tx.hash_id(id)],
            |row| row.get(0),
        )?;
        let Some(thread) = thread else { continue };
        let found = match threads.get(&thread) {
            Some(found) => found.clone(),
            None => {
                let participants = participants(tx, thread)?.into_iter().collect();
                let contacts = association::of_thread(tx, thread)?;
                let found = KnownThread { id: thread, participants, contacts };
                threads.insert(thread, found.clone());
                found
            }
        };
        known.insert(id.clone(), found);
    }
    Ok(known)
}

/// Everybody who took part, sorted.
pub fn participants(tx: &Tx<'_>, thread: i64) -> Result<Vec<Address>, StoreError> {
    tx.all("SELECT address FROM participant WHERE thread = ?1 ORDER BY address", [thread], |row| {
        address(row, "address")
    })
}
