//! `thread`: a logged conversation, and `participant`: who took part in it.

use crate::association;
use crate::error::StoreError;
use crate::outbox::State;
use crate::sql::{address, key, most, named, time, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::{Row, named_params, params};
use std::collections::HashMap;
use std::fmt;
use threadline_core::address::Address;
use threadline_core::decide::KnownThread;
use threadline_core::envelope::Envelope;
use threadline_core::id::{MessageId, MessageKey};
use threadline_core::record::Association;

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
}

/// Subjects are mail text, and a debug print may reach a log.
impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread")
            .field("id", &self.id)
            .field("account", &self.account)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

/// A conversation as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub thread: Thread,
    pub messages: u32,
    /// Everybody it is logged on, each address once.
    pub contacts: Vec<Association>,
    /// How many of its messages are in which state at which sink.
    pub crm: Vec<(String, State, u32)>,
}

/// Which conversations a list shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    pub account: Option<i64>,
    /// Words in the subject, in an address or in a contact's name; `%` and `_` mean themselves.
    pub search: Option<&'a str>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Thread> {
    Ok(Thread {
        id: row.get("id")?,
        account: row.get("account")?,
        key: key(row, "key")?,
        subject: row.get("subject")?,
        created: time(row, "created")?,
        last: time(row, "last")?,
    })
}

const COLUMNS: &str = "id, account, key, subject, created, last";

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

/// Notes that a message joined: its time and its people.
pub(crate) fn joined(
    tx: &Tx<'_>,
    thread: i64,
    envelope: &Envelope,
    time: Timestamp,
) -> Result<(), StoreError> {
    tx.run("UPDATE thread SET last = max(last, ?2) WHERE id = ?1", params![thread, us(time)])?;
    for mailbox in envelope.from.iter().chain(envelope.recipients()) {
        tx.run(
            "INSERT OR IGNORE INTO participant (thread, address) VALUES (?1, ?2)",
            params![thread, mailbox.address.as_str()],
        )?;
    }
    Ok(())
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

/// Conversations with the newest message first. The next page begins before the `last` and `id` of the last row.
pub fn list(
    tx: &Tx<'_>,
    filter: Filter<'_>,
    before: Option<(Timestamp, i64)>,
    limit: usize,
) -> Result<Vec<Summary>, StoreError> {
    let (last, id) = before.map_or((i64::MAX, i64::MAX), |(last, id)| (us(last), id));
    let threads = tx.all(
        &format!(
            "SELECT {COLUMNS} FROM thread t WHERE (t.last, t.id) < (:last, :id)
               AND (:account IS NULL OR t.account = :account)
               AND (:like IS NULL OR t.subject LIKE :like ESCAPE '\\'
                 OR EXISTS (SELECT 1 FROM participant p WHERE p.thread = t.id AND p.address LIKE :like ESCAPE '\\')
                 OR EXISTS (SELECT 1 FROM message m CROSS JOIN association a ON a.message = m.id
                            WHERE m.thread = t.id AND a.name LIKE :like ESCAPE '\\'))
             ORDER BY t.last DESC, t.id DESC LIMIT :limit"
        ),
        named_params! {
            ":last": last,
            ":id": id,
            ":account": filter.account,
            ":like": filter.search.map(pattern),
            ":limit": most(limit),
        },
        read,
    )?;
    threads.into_iter().map(|thread| summary(tx, thread)).collect()
}

/// All threads by id, from behind `after` (0 for the first page): for an export.
pub fn page(tx: &Tx<'_>, after: i64, limit: usize) -> Result<Vec<Summary>, StoreError> {
    let threads = tx.all(
        &format!("SELECT {COLUMNS} FROM thread WHERE id > ?1 ORDER BY id LIMIT ?2"),
        params![after, most(limit)],
        read,
    )?;
    threads.into_iter().map(|thread| summary(tx, thread)).collect()
}

/// What a list shows of one thread.
pub fn summary(tx: &Tx<'_>, thread: Thread) -> Result<Summary, StoreError> {
    let messages = tx.one("SELECT count(*) FROM message WHERE thread = ?1", [thread.id], |row| row.get(0))?;
    let crm = tx.all(
        "SELECT o.sink, o.state, count(*) AS number FROM message m CROSS JOIN outbox o ON o.message = m.id
         WHERE m.thread = ?1 GROUP BY o.sink, o.state ORDER BY o.sink, o.state",
        [thread.id],
        |row| Ok((row.get("sink")?, named(row, "state", State::from_name)?, row.get("number")?)),
    )?;
    Ok(Summary {
        messages: messages.unwrap_or(0),
        contacts: association::of_thread(tx, thread.id)?,
        crm,
        thread,
    })
}

fn pattern(words: &str) -> String {
    let mut like = String::from("%");
    for c in words.chars() {
        if matches!(c, '%' | '_' | '\\') {
            like.push('\\');
        }
        like.push(c);
    }
    like.push('%');
    like
}
