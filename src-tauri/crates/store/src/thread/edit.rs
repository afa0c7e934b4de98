//! `thread_change`: what a person did to conversations by hand, so that it can be taken back; and where a conversation stands
//! apart from another one.

use super::{Thread, get, left, load};
use crate::error::StoreError;
use crate::message::{self, Headers, Message};
use crate::sql::{maybe_named, to_json, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use threadline_core::id::{MessageId, MessageKey};

pub(crate) const FOURTH: &str = "
ALTER TABLE thread ADD COLUMN apart_from INTEGER REFERENCES thread ON DELETE SET NULL;
ALTER TABLE thread ADD COLUMN apart_why TEXT;
CREATE INDEX thread_apart ON thread (apart_from) WHERE apart_from IS NOT NULL;
CREATE TABLE thread_change (
  id    INTEGER PRIMARY KEY,
  at    INTEGER NOT NULL,
  moved TEXT NOT NULL CHECK (json_valid(moved))
) STRICT;
";

/// How many changes can be taken back, the newest first.
const MOST_CHANGES: i64 = 50;

/// Why a conversation is not part of another one that its header names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A mail of the other one was passed on to people who had no part in it.
    PassedOn,
    /// The person divided them.
    ByHand,
}

impl Why {
    fn name(self) -> &'static str {
        match self {
            Why::PassedOn => "passed_on",
            Why::ByHand => "by_hand",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Why::PassedOn, Why::ByHand].into_iter().find(|why| why.name() == name)
    }
}

/// Where a message was before a change: its thread by the key, since the row may be gone.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Moved {
    message: i64,
    account: i64,
    key: MessageKey,
}

/// From which conversation this one stands apart, and why.
pub fn apart(tx: &Tx<'_>, thread: i64) -> Result<Option<(i64, Why)>, StoreError> {
    let row = tx.one("SELECT apart_from, apart_why FROM thread WHERE id = ?1", [thread], |row| {
        let from: Option<i64> = row.get("apart_from")?;
        Ok(from.zip(maybe_named(row, "apart_why", Why::from_name)?))
    })?;
    Ok(row.flatten())
}

pub(crate) fn set_apart(tx: &Tx<'_>, thread: i64, from: i64, why: Why) -> Result<(), StoreError> {
    tx.run(
        "UPDATE thread SET apart_from = ?2, apart_why = ?3 WHERE id = ?1 AND id <> ?2",
        params![thread, from, why.name()],
    )?;
    Ok(())
}

/// Makes a conversation of its own of a message and of all that answers it. Gives the new thread; `None` where the message is
/// not logged, or is the one with which its conversation begins.
pub fn split(tx: &Tx<'_>, message: i64, at: Timestamp) -> Result<Option<i64>, StoreError> {
    let Some(row) = message::get(tx, message)? else { return Ok(None) };
    let (Some(thread), Some(key), Some(headers)) = (row.thread, row.key, &row.headers) else {
        return Ok(None);
    };
    let all = message::of_thread(tx, thread)?;
    let others: Vec<&Message> = all.iter().filter(|m| m.id != message).collect();
    let mut moving = descending(&headers.ids, &others);
    moving.insert(0, message);
    if moving.len() == all.len() {
        return Ok(None);
    }
    remember(tx, &moving, at)?;
    let new = match thread_with(tx, row.account, &key)? {
        Some(_) => create(tx, row.account, &MessageKey::apart(&key), headers, row.time)?,
        None => create(tx, row.account, &key, headers, row.time)?,
    };
    move_to(tx, &moving, new)?;
    set_apart(tx, new, thread, Why::ByHand)?;
    Ok(Some(new))
}

/// Those of these messages that answer one of these ids, or one that does.
fn descending<'a>(ids: &'a [MessageId], messages: &[&'a Message]) -> Vec<i64> {
    let mut ids: HashSet<&MessageId> = ids.iter().collect();
    let mut found: Vec<i64> = Vec::new();
    // An answer may lie before what it answers, where clocks differ.
    loop {
        let before = found.len();
        for other in messages {
            let Some(their) = other.headers.as_ref().filter(|_| !found.contains(&other.id)) else {
                continue;
            };
            if their.in_reply_to.iter().chain(&their.references).any(|id| ids.contains(id)) {
                ids.extend(&their.ids);
                found.push(other.id);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// Whether a message answers no other one of its thread.
pub(super) fn begins(tx: &Tx<'_>, message: i64, thread: i64) -> Result<bool, StoreError> {
    let all = message::of_thread(tx, thread)?;
    let own = all.iter().find(|m| m.id == message).and_then(|m| m.headers.as_ref());
    let parents: Vec<&MessageId> = own.into_iter().flat_map(nearest_first).collect();
    Ok(!is_any_in(&all, message, &parents))
}

/// Whether a message with this header answers one of its thread that is nearer to it than these ids are.
pub(super) fn is_by_a_nearer(
    tx: &Tx<'_>,
    ids: &[MessageId],
    message: i64,
    headers: &Headers,
    thread: i64,
) -> Result<bool, StoreError> {
    let nearer: Vec<&MessageId> = nearest_first(headers).take_while(|id| !ids.contains(id)).collect();
    Ok(!nearer.is_empty() && is_any_in(&message::of_thread(tx, thread)?, message, &nearer))
}

/// Puts a message that answers one of these ids, and all of its thread that answers it, into another thread, unless it is where it is
/// by the same id or a nearer one.
pub(super) fn move_answer(tx: &Tx<'_>, ids: &[MessageId], answer: i64, into: i64) -> Result<(), StoreError> {
    let Some(row) = message::get(tx, answer)? else { return Ok(()) };
    let (Some(from), Some(headers)) = (row.thread, &row.headers) else { return Ok(()) };
    let parents: Vec<&MessageId> = nearest_first(headers).collect();
    let Some(at) = parents.iter().position(|id| ids.contains(id)) else { return Ok(()) };
    let all = message::of_thread(tx, from)?;
    if from == into || is_any_in(&all, answer, &parents[..=at]) {
        return Ok(());
    }
    let others: Vec<&Message> = all.iter().filter(|m| m.id != answer).collect();
    let mut moving = descending(&headers.ids, &others);
    moving.push(answer);
    move_to(tx, &moving, into)
}

fn nearest_first(headers: &Headers) -> impl Iterator<Item = &MessageId> {
    headers.references.iter().rev().chain(&headers.in_reply_to)
}

/// Whether one of these ids is that of one of the messages, but for `except`.
fn is_any_in(messages: &[Message], except: i64, ids: &[&MessageId]) -> bool {
    let others = messages.iter().filter(|m| m.id != except).filter_map(|m| m.headers.as_ref());
    others.flat_map(|headers| &headers.ids).any(|id| ids.contains(&id))
}

/// Puts all messages of a conversation into another one of the same mailbox. False where one of them is not there.
pub fn merge(tx: &Tx<'_>, from: i64, into: i64, at: Timestamp) -> Result<bool, StoreError> {
    let (Some(one), Some(other)) = (get(tx, from)?, get(tx, into)?) else { return Ok(false) };
    if from == into || one.account != other.account {
        return Ok(false);
    }
    let moving: Vec<i64> = message::of_thread(tx, from)?.iter().map(|m| m.id).collect();
    remember(tx, &moving, at)?;
    move_to(tx, &moving, into)?;
    Ok(true)
}

/// Takes the last change back: each message of it that is still logged returns to where it was. Gives their number; `None`
/// where there is nothing to take back.
pub fn undo(tx: &Tx<'_>) -> Result<Option<usize>, StoreError> {
    let last =
        tx.one("SELECT id, moved FROM thread_change WHERE id > 0 ORDER BY id DESC LIMIT 1", [], |row| {
            Ok((row.get::<_, i64>("id")?, row.get::<_, String>("moved")?))
        })?;
    let Some((id, moved)) = last else { return Ok(None) };
    let moved: Vec<Moved> = serde_json::from_str(&moved)
        .map_err(|_| StoreError::Unreadable { column: "thread_change.moved".to_owned() })?;
    let mut back: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for one in moved {
        let Some(row) = message::get(tx, one.message)? else { continue };
        let (Some(_), Some(headers)) = (row.thread, &row.headers) else { continue };
        let thread = match thread_with(tx, one.account, &one.key)? {
            Some(thread) => thread,
            None => create(tx, one.account, &one.key, headers, row.time)?,
        };
        back.entry(thread).or_default().push(one.message);
    }
    for (thread, messages) in &back {
        move_to(tx, messages, *thread)?;
    }
    tx.run("DELETE FROM thread_change WHERE id = ?1", [id])?;
    Ok(Some(back.values().map(Vec::len).sum()))
}

fn thread_with(tx: &Tx<'_>, account: i64, key: &MessageKey) -> Result<Option<i64>, StoreError> {
    tx.one("SELECT id FROM thread WHERE account = ?1 AND key = ?2", params![account, key.as_bytes()], |row| {
        row.get(0)
    })
}

fn create(
    tx: &Tx<'_>,
    account: i64,
    key: &MessageKey,
    headers: &Headers,
    at: Timestamp,
) -> Result<i64, StoreError> {
    if let Some(there) = thread_with(tx, account, key)? {
        return Ok(there);
    }
    tx.insert(
        "INSERT INTO thread (account, key, subject, created, last) VALUES (?1, ?2, ?3, ?4, ?4)",
        params![account, key.as_bytes(), headers.subject, us(at)],
    )
}

fn remember(tx: &Tx<'_>, messages: &[i64], at: Timestamp) -> Result<(), StoreError> {
    let mut moved = Vec::new();
    for id in messages {
        let thread: Option<Thread> = match message::get(tx, *id)?.and_then(|m| m.thread) {
            Some(thread) => get(tx, thread)?,
            None => None,
        };
        moved.extend(thread.map(|t| Moved { message: *id, account: t.account, key: t.key }));
    }
    let id = tx.insert(
        "INSERT INTO thread_change (at, moved) VALUES (?1, ?2)",
        params![us(at), to_json(&moved, "thread_change.moved")?],
    )?;
    tx.run("DELETE FROM thread_change WHERE id <= ?1", [id - MOST_CHANGES])?;
    Ok(())
}

/// Messages go over to a thread; those that they leave are brought up to date, and go where nothing is left in them.
fn move_to(tx: &Tx<'_>, messages: &[i64], thread: i64) -> Result<(), StoreError> {
    let mut from = HashSet::new();
    for id in messages {
        from.extend(message::get(tx, *id)?.and_then(|m| m.thread));
        tx.run("UPDATE message SET thread = ?2 WHERE id = ?1 AND verdict = 'log'", params![id, thread])?;
    }
    from.insert(thread);
    let mut from: Vec<i64> = from.into_iter().collect();
    from.sort_unstable();
    for one in from {
        if load(tx, one)?.is_some() {
            left(tx, one)?;
        }
    }
    Ok(())
}
