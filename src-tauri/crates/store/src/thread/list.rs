//! The list of threads: found, filtered, counted, a page at a time.

use super::{COLUMNS, Thread, get, read};
use crate::association;
use crate::error::StoreError;
use crate::outbox::State;
use crate::sql::{direction_name, most, named, to_json, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::{named_params, params};
use std::collections::HashSet;
use threadline_core::address::Address;
use threadline_core::conversation::ThreadState;
use threadline_core::record::{Association, Direction};

/// So many threads are looked up one by one; where more are meant, the list's index is read from end to end.
const FEW: usize = 2_000;

/// A conversation as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub thread: Thread,
    /// Everybody it is logged on, each address once.
    pub contacts: Vec<Association>,
    /// How many of its messages are in which state at which sink.
    pub crm: Vec<(String, State, u32)>,
}

/// Which conversations a list shows; what is `None` is not asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<'a> {
    pub account: Option<i64>,
    /// Words of which each begins a word of the subject, of an address or of a contact's name. Neither case nor accents
    /// count.
    pub search: Option<&'a str>,
    /// One of these took part.
    pub people: Option<&'a [Address]>,
    pub state: Option<ThreadState>,
    /// Of the newest message.
    pub direction: Option<Direction>,
    /// The person waits for an answer, and has not written since then.
    pub silent_since: Option<Timestamp>,
    pub offset: usize,
    pub limit: usize,
}

/// A part of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many threads the whole list has.
    pub total: usize,
    pub rows: Vec<Summary>,
}

/// A part of the list, the thread with the newest message first.
pub fn list(tx: &Tx<'_>, query: &Query<'_>) -> Result<Page, StoreError> {
    let found = found(tx, query)?;
    let few = found.as_ref().filter(|ids| ids.len() <= FEW);
    let from = match few {
        Some(_) => "json_each(:ids) j CROSS JOIN thread t ON t.id = j.value",
        None => "thread t INDEXED BY thread_list /* whole index */",
    };
    let ids = few.map(|ids| to_json(ids, "thread.id")).transpose()?;
    let mut all: Vec<i64> = tx.all(
        &format!(
            "SELECT t.id FROM {from} WHERE (:ids IS NULL OR t.id > 0)
               AND (:account IS NULL OR t.account = :account)
               AND (:state IS NULL OR t.state = :state)
               AND (:direction IS NULL OR t.direction = :direction)
               AND (:silent IS NULL OR (t.state IN ('awaiting_reply', 'out_of_office') AND t.last_outgoing <= :silent))
             ORDER BY t.last DESC, t.id DESC"
        ),
        named_params! {
            ":ids": ids,
            ":account": query.account,
            ":state": query.state.map(ThreadState::name),
            ":direction": query.direction.map(direction_name),
            ":silent": query.silent_since.map(us),
        },
        |row| row.get(0),
    )?;
    if let (Some(found), None) = (&found, few) {
        all.retain(|id| found.contains(id));
    }
    let mut rows = Vec::new();
    for id in all.iter().skip(query.offset).take(query.limit) {
        if let Some(thread) = get(tx, *id)? {
            rows.push(summary(tx, thread)?);
        }
    }
    Ok(Page { total: all.len(), rows })
}

/// The threads with these words and these people; `None` where neither is asked for.
fn found(tx: &Tx<'_>, query: &Query<'_>) -> Result<Option<HashSet<i64>>, StoreError> {
    let mut found: Option<HashSet<i64>> = None;
    if let Some(words) = query.search.map(pattern).filter(|p| !p.is_empty()) {
        let rows =
            tx.all("SELECT rowid FROM thread_text WHERE thread_text MATCH ?1", [words], |row| row.get(0))?;
        found = Some(rows.into_iter().collect());
    }
    if let Some(people) = query.people {
        let rows: Vec<i64> = tx.all(
            "SELECT p.thread FROM json_each(?1) a CROSS JOIN participant p ON p.address = a.value",
            [to_json(&people, "participant.address")?],
            |row| row.get(0),
        )?;
        let with: HashSet<i64> = rows.into_iter().collect();
        found = Some(match found {
            Some(words) => words.intersection(&with).copied().collect(),
            None => with,
        });
    }
    Ok(found)
}

/// Each word as the beginning of one, in the language of FTS5: in quotes nothing else means anything. Empty where there is
/// no word.
fn pattern(words: &str) -> String {
    let quoted = |word: &str| format!("\"{}\"*", word.replace('"', "\"\""));
    let words = words.split_whitespace().filter(|w| w.contains(char::is_alphanumeric));
    words.map(quoted).collect::<Vec<_>>().join(" AND ")
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
    let crm = tx.all(
        "SELECT o.sink, o.state, count(*) AS number FROM message m CROSS JOIN outbox o ON o.message = m.id
         WHERE m.thread = ?1 GROUP BY o.sink, o.state ORDER BY o.sink, o.state",
        [thread.id],
        |row| Ok((row.get("sink")?, named(row, "state", State::from_name)?, row.get("number")?)),
    )?;
    Ok(Summary { contacts: association::of_thread(tx, thread.id)?, crm, thread })
}
