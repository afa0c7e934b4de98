//! What a thread's row says of its messages: kept in the transaction that changes one of them.

use crate::error::StoreError;
use crate::sql::{direction_name, maybe_time, named, time, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::{named_params, params};
use threadline_core::conversation::{self, Facts, Notice, NoticeKind};
use threadline_core::rule::Rule;

/// How many of the newest sent messages of a thread are looked at for a notice that answers them.
const ANSWERABLE: i64 = 20;
/// Most bytes of a thread's words that are searched.
const MOST_WORDS: usize = 64 * 1024;

/// Brings a thread's row up to date with its messages: their number, the newest one, the state, and the words that it is
/// found by. A thread without messages goes.
pub(crate) fn refresh(tx: &Tx<'_>, thread: i64) -> Result<(), StoreError> {
    let messages: i64 = tx
        .one("SELECT count(*) FROM message WHERE thread = ?1", [thread], |row| row.get(0))?
        .unwrap_or_default();
    if messages == 0 {
        tx.run("DELETE FROM thread WHERE id = ?1", [thread])?;
        return Ok(());
    }
    let facts = facts(tx, thread)?;
    let (state, since) = conversation::state(&facts);
    let last = facts.last_outgoing.max(facts.last_incoming).unwrap_or(Timestamp::UNIX_EPOCH);
    tx.run(
        "UPDATE thread SET messages = :messages, last = :last, state = :state, state_since = :since,
           direction = :direction, last_outgoing = :outgoing WHERE id = :id",
        named_params! {
            ":messages": messages,
            ":last": us(last),
            ":state": state.name(),
            ":since": us(since),
            ":direction": direction_name(conversation::newest(&facts)),
            ":outgoing": facts.last_outgoing.map(us),
            ":id": thread,
        },
    )?;
    let words = words(tx, thread)?;
    let known: Option<String> =
        tx.one("SELECT words FROM thread_text WHERE rowid = ?1", [thread], |row| row.get(0))?;
    if known.as_deref() != Some(words.as_str()) {
        tx.run("DELETE FROM thread_text WHERE rowid = ?1", [thread])?;
        tx.run("INSERT INTO thread_text (rowid, words) VALUES (?1, ?2)", params![thread, words])?;
    }
    Ok(())
}

fn facts(tx: &Tx<'_>, thread: i64) -> Result<Facts, StoreError> {
    let newest = |direction: &str| {
        let newest = tx.one(
            "SELECT max(time) AS time FROM message WHERE thread = ?1 AND direction = ?2",
            params![thread, direction],
            |row| maybe_time(row, "time"),
        )?;
        Ok::<_, StoreError>(newest.flatten())
    };
    let from: Option<i64> = tx.one(
        "SELECT time FROM message WHERE thread = ?1 AND direction = 'outgoing'
         ORDER BY time DESC LIMIT 1 OFFSET ?2",
        [thread, ANSWERABLE - 1],
        |row| row.get(0),
    )?;
    let notices = tx.all(
        "SELECT n.rule, n.time, m.time AS answers
         FROM message m CROSS JOIN message_id i ON i.message = m.id
           CROSS JOIN reference r ON r.account = m.account AND r.hash = i.hash
           CROSS JOIN message n ON n.id = r.message
         WHERE m.thread = ?1 AND m.direction = 'outgoing' AND m.time >= ?2
           AND n.verdict = 'ignore' AND n.rule IN ('bounce', 'auto_reply')
           AND NOT EXISTS (SELECT 1 FROM about a WHERE a.notice = n.id)
         UNION ALL
         SELECT n.rule, n.time, m.time
         FROM message m CROSS JOIN about a ON a.message = m.id CROSS JOIN message n ON n.id = a.notice
         WHERE m.thread = ?1 AND m.direction = 'outgoing' AND m.time >= ?2
           AND n.verdict = 'ignore' AND n.rule IN ('bounce', 'auto_reply')",
        params![thread, from.unwrap_or(i64::MIN)],
        |row| {
            let rule = named(row, "rule", Rule::from_name)?;
            let kind = if rule == Rule::Bounce { NoticeKind::Bounce } else { NoticeKind::AutoReply };
            Ok(Notice { kind, at: time(row, "time")?, answers: time(row, "answers")? })
        },
    )?;
    Ok(Facts { last_outgoing: newest("outgoing")?, last_incoming: newest("incoming")?, notices })
}

/// The subject, everybody but the mailbox's own address, and the contacts' names.
fn words(tx: &Tx<'_>, thread: i64) -> Result<String, StoreError> {
    let mut words: String =
        tx.one("SELECT subject FROM thread WHERE id = ?1", [thread], |row| row.get(0))?.unwrap_or_default();
    let people: Vec<String> = tx.all(
        "SELECT p.address FROM participant p WHERE p.thread = ?1
           AND p.address <> (SELECT a.address FROM thread t JOIN account a ON a.id = t.account WHERE t.id = ?1)
         ORDER BY p.address",
        [thread],
        |row| row.get(0),
    )?;
    let names: Vec<String> = tx.all(
        "SELECT DISTINCT a.name FROM message m CROSS JOIN association a ON a.message = m.id
         WHERE m.thread = ?1 AND a.name IS NOT NULL ORDER BY a.name",
        [thread],
        |row| row.get(0),
    )?;
    for more in people.iter().chain(&names) {
        if words.len() + more.len() < MOST_WORDS {
            words.push('\n');
            words.push_str(more);
        }
    }
    Ok(words)
}

/// A notice (a delivery report, an automatic answer) came, or is none any more: the threads whose messages it answers stand
/// otherwise.
pub(crate) fn refresh_answered(tx: &Tx<'_>, notice: i64) -> Result<(), StoreError> {
    answered(tx, notice)?.into_iter().try_for_each(|thread| refresh(tx, thread))
}

/// The threads whose messages a notice answers: those that it is about, where that is known.
pub(crate) fn answered(tx: &Tx<'_>, notice: i64) -> Result<Vec<i64>, StoreError> {
    tx.all(
        "SELECT DISTINCT m.thread FROM reference r
           CROSS JOIN message_id i ON i.account = r.account AND i.hash = r.hash
           CROSS JOIN message m ON m.id = i.message
         WHERE r.message = ?1 AND m.thread IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM about a WHERE a.notice = ?1)
         UNION
         SELECT m.thread FROM about a CROSS JOIN message m ON m.id = a.message
         WHERE a.notice = ?1 AND m.thread IS NOT NULL",
        [notice],
        |row| row.get(0),
    )
}

/// Every thread there is: for the first version's ledger.
pub(crate) fn refresh_all(tx: &Tx<'_>) -> Result<(), StoreError> {
    const PAGE: i64 = 1_000;
    let mut after = 0;
    loop {
        let ids: Vec<i64> =
            tx.all("SELECT id FROM thread WHERE id > ?1 ORDER BY id LIMIT ?2", [after, PAGE], |row| {
                row.get(0)
            })?;
        let Some(last) = ids.last() else { return Ok(()) };
        after = *last;
        ids.into_iter().try_for_each(|thread| refresh(tx, thread))?;
    }
}
