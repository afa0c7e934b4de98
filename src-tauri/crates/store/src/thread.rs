//! `thread`: a logged conversation, and `participant`: who took part in it.

use crate::error::StoreError;
use crate::sql::{address, direction, key, most, named, time, us};
use crate::tx::Tx;
use crate::{association, message};
use jiff::Timestamp;
use rusqlite::{Row, params};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use threadline_core::address::{Address, Mailbox};
use threadline_core::conversation::ThreadState;
use threadline_core::envelope::Envelope;
use threadline_core::id::MessageKey;
use threadline_core::matching::{self, Clue, KnownThread};
use threadline_core::record::{Association, Direction};

mod edit;
mod list;
mod standing;

pub(crate) use edit::{FOURTH, set_apart};
pub use edit::{Why, apart, merge, split, undo};
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

/// The thread that a message begins, or joins because the mails of a conversation may come in any order: that of a logged
/// message which answers it, or which names the same root, where the people fit.
///
/// A new thread's key is the root that the header names, so that two computers give one conversation one key. Where another
/// conversation has that key, or the message passes something on, it is the message's own.
pub(crate) fn begin(
    tx: &Tx<'_>,
    account: i64,
    envelope: &Envelope,
    contacts: &[Association],
    at: Timestamp,
) -> Result<i64, StoreError> {
    let forwards = matching::forwards(envelope);
    for (answer, thread) in answering(tx, account, envelope, contacts)? {
        // Who was passed something answers it; what they quote of the conversation that it is from brings it not back there.
        if !forwards || edit::begins(tx, answer, thread)? {
            return Ok(thread);
        }
    }
    let outside: Vec<&Address> = contacts.iter().map(|c| &c.address).collect();
    let apart = MessageKey::apart(&envelope.key);
    let first = if forwards { envelope.key } else { envelope.root() };
    let mut free = apart;
    for key in [first, envelope.key, apart] {
        let taken = tx.one(
            "SELECT id FROM thread WHERE account = ?1 AND key = ?2",
            params![account, key.as_bytes()],
            |row| row.get::<_, i64>(0),
        )?;
        let Some(thread) = taken.map(|id| load(tx, id)).transpose()?.flatten() else {
            free = key;
            break;
        };
        if key == apart || thread.fits(&outside, &HashMap::new(), forwards) {
            return Ok(thread.id);
        }
    }
    insert(tx, account, &free, &envelope.subject, us(at))
}

/// A conversation without messages, for the one that comes at once.
pub(crate) fn insert(
    tx: &Tx<'_>,
    account: i64,
    key: &MessageKey,
    subject: &str,
    at: i64,
) -> Result<i64, StoreError> {
    tx.insert(
        "INSERT INTO thread (account, key, subject, created, last) VALUES (?1, ?2, ?3, ?4, ?4)",
        params![account, key.as_bytes(), subject, at],
    )
}

/// Logged messages that answer this one and would have joined its thread, had it come first, each with its thread. Who answers a
/// nearer one and quotes this one belongs to that.
fn answering(
    tx: &Tx<'_>,
    account: i64,
    envelope: &Envelope,
    contacts: &[Association],
) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut found = Vec::new();
    let people = envelope.from.iter().chain(envelope.recipients()).map(|m| m.address.clone()).collect();
    let own = KnownThread { id: 0, participants: people, contacts: contacts.to_vec(), last: Timestamp::MIN };
    for id in &envelope.ids {
        let answers: Vec<i64> = tx.all(
            "SELECT m.id FROM reference r CROSS JOIN message m ON m.id = r.message
             WHERE r.account = ?1 AND r.hash = ?2 AND m.thread IS NOT NULL ORDER BY m.time, m.id LIMIT ?3",
            params![account, tx.hash_id(id), most(MOST_ANSWERS)],
            |row| row.get(0),
        )?;
        for answer in answers {
            let Some(row) = message::get(tx, answer)? else { continue };
            let (Some(headers), Some(thread)) = (row.headers, row.thread) else { continue };
            let logged_on = association::of_message(tx, answer)?;
            let outside: Vec<&Address> = logged_on.iter().map(|c| &c.address).collect();
            let from = headers.from.as_ref().filter(|_| row.direction == Direction::Incoming);
            let came_from = from.is_some_and(|m| own.fits(&[&m.address], &HashMap::new(), false));
            let fits =
                came_from || own.fits(&outside, &HashMap::new(), matching::forwards_by(&headers.subject));
            if fits && !edit::is_by_a_nearer(tx, &envelope.ids, answer, &headers, thread)? {
                found.push((answer, thread));
            }
        }
    }
    Ok(found)
}

/// Answers to a message that were logged elsewhere before it was there go over to the thread that it is logged in now, with all
/// that answers them. What the person divided stays so.
pub(crate) fn unite(
    tx: &Tx<'_>,
    account: i64,
    thread: i64,
    envelope: &Envelope,
    contacts: &[Association],
) -> Result<(), StoreError> {
    for (answer, other) in answering(tx, account, envelope, contacts)? {
        let by_hand = |of: i64| Ok::<_, StoreError>(apart(tx, of)?.filter(|(_, why)| *why == Why::ByHand));
        let kept_apart = by_hand(other)?.is_some() || by_hand(thread)?.is_some_and(|(from, _)| from == other);
        if other != thread && !kept_apart {
            edit::move_answer(tx, &envelope.ids, answer, thread)?;
        }
    }
    Ok(())
}

/// A thread as a decision needs it.
fn load(tx: &Tx<'_>, id: i64) -> Result<Option<KnownThread>, StoreError> {
    let Some(row) = get(tx, id)? else { return Ok(None) };
    let participants = participants(tx, id)?.into_iter().collect();
    Ok(Some(KnownThread { id, participants, contacts: association::of_thread(tx, id)?, last: row.last }))
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

/// Most answers to one message that are looked at.
const MOST_ANSWERS: usize = 50;
/// Most conversations that share one clue which are looked at, and most that share an id: a mail to many in Bcc is in as many.
const MOST_SHARING: usize = 5;
const MOST_OF_ONE_ID: usize = 200;

/// The logged threads of each of these clues, the one with the newest message first.
pub fn known(
    tx: &Tx<'_>,
    account: i64,
    clues: impl IntoIterator<Item = Clue>,
) -> Result<HashMap<Clue, Vec<Arc<KnownThread>>>, StoreError> {
    let mut threads: HashMap<i64, Arc<KnownThread>> = HashMap::new();
    let mut known = HashMap::new();
    for clue in clues {
        let limit = if matches!(clue, Clue::Id(_)) { MOST_OF_ONE_ID } else { MOST_SHARING };
        let ids: Vec<i64> = tx.all(
            "SELECT m.thread FROM message_id i CROSS JOIN message m ON m.id = i.message
             WHERE i.account = ?1 AND i.hash = ?2 AND m.thread IS NOT NULL
             GROUP BY m.thread ORDER BY max(m.time) DESC, m.thread LIMIT ?3",
            params![account, tx.hash_clue(&clue), most(limit)],
            |row| row.get(0),
        )?;
        let mut sharing = Vec::new();
        for id in ids {
            let found = match threads.get(&id) {
                Some(found) => found.clone(),
                None => {
                    let Some(found) = load(tx, id)?.map(Arc::new) else { continue };
                    threads.insert(id, found.clone());
                    found
                }
            };
            sharing.push(found);
        }
        if !sharing.is_empty() {
            known.insert(clue, sharing);
        }
    }
    Ok(known)
}

/// Everybody who took part, sorted.
pub fn participants(tx: &Tx<'_>, thread: i64) -> Result<Vec<Address>, StoreError> {
    tx.all("SELECT address FROM participant WHERE thread = ?1 ORDER BY address", [thread], |row| {
        address(row, "address")
    })
}
