//! A message as it was, so that what a person did to it can be taken back.

use super::{Headers, Message, Outcome, get};
use crate::body::Body;
use crate::error::StoreError;
use crate::job::Job;
use crate::sql::{direction_name, to_json, us};
use crate::thread::Thread;
use crate::tx::Tx;
use crate::{activity, association, body, job, outbox, retention, thread};
use jiff::Timestamp;
use rusqlite::{named_params, params};
use threadline_core::record::Association;
use threadline_core::rule::Answer;

/// All that the ledger keeps of one message, but its ids and places, which nobody takes back.
#[derive(Debug, Clone)]
pub struct Image {
    message: Message,
    answer: Option<Answer>,
    thread: Option<Thread>,
    contacts: Vec<Association>,
    asked: Vec<String>,
    body: Option<Body>,
    jobs: Vec<Job>,
    pushes: Vec<outbox::Entry>,
}

impl Image {
    /// The message as it is now; `None` where there is none.
    pub fn take(tx: &Tx<'_>, id: i64) -> Result<Option<Self>, StoreError> {
        let Some(message) = get(tx, id)? else { return Ok(None) };
        Ok(Some(Self {
            answer: super::answer(tx, id)?,
            thread: message.thread.map(|t| thread::get(tx, t)).transpose()?.flatten(),
            contacts: association::of_message(tx, id)?,
            asked: tx.all("SELECT address FROM asked_address WHERE message = ?1", [id], |row| row.get(0))?,
            body: body::get(tx, id)?,
            jobs: job::of_message(tx, id)?,
            pushes: outbox::of_message(tx, id)?,
            message,
        }))
    }

    pub fn message(&self) -> &Message {
        &self.message
    }

    /// About how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.body.as_ref().map_or(0, |b| b.raw.len()) + 4_096
    }

    /// Makes the message what it was. What a CRM took meanwhile stays taken and is not pushed again; what waited then waits
    /// again. False where the message is gone.
    pub fn restore(&self, tx: &Tx<'_>, at: Timestamp) -> Result<bool, StoreError> {
        let Some(now) = get(tx, self.message.id)? else { return Ok(false) };
        let id = now.id;
        let thread = self.thread.as_ref().map(|thread| put_back(tx, thread)).transpose()?;
        self.put_row(tx, thread)?;
        for table in ["association", "asked_address", "job"] {
            tx.run(&format!("DELETE FROM {table} WHERE message = ?1"), [id])?;
        }
        association::add(tx, id, &self.contacts)?;
        for address in &self.asked {
            tx.run("INSERT INTO asked_address (message, address) VALUES (?1, ?2)", params![id, address])?;
        }
        match &self.body {
            Some(body) => body::put(tx, id, &body.raw, body.truncated, at)?,
            None => body::remove(tx, id)?,
        }
        for job in &self.jobs {
            job::put_back(tx, job)?;
        }
        retention::forget_trash(tx, id)?;
        outbox::abandon_message(tx, id)?;
        for push in &self.pushes {
            outbox::put_back(tx, push)?;
        }
        if let Some(thread) = thread {
            thread::joined(tx, thread, self.message.headers.iter().flat_map(Headers::people))?;
            thread::refresh(tx, thread)?;
        }
        if let Some(other) = now.thread.filter(|t| Some(*t) != thread) {
            thread::left(tx, other)?;
        }
        if now.outcome != self.message.outcome {
            activity::decided(tx, id, None, at)?;
        }
        Ok(true)
    }

    fn put_row(&self, tx: &Tx<'_>, thread: Option<i64>) -> Result<(), StoreError> {
        let was = &self.message;
        let headers = was.headers.as_ref().map(|h| to_json(h, "headers")).transpose()?;
        debug_assert_eq!(was.outcome == Outcome::Log, thread.is_some());
        tx.run(
            "UPDATE message SET verdict = :verdict, rule = :rule, rule_version = :rule_version, direction = :direction,
               time = :time, decided_at = :at, thread = :thread, key = :key, headers = :headers, answer = :answer
             WHERE id = :id",
            named_params! {
                ":verdict": was.outcome.name(),
                ":rule": was.rule.name(),
                ":rule_version": was.rule_version,
                ":direction": direction_name(was.direction),
                ":time": us(was.time),
                ":at": us(was.decided_at),
                ":thread": thread,
                ":key": was.key.as_ref().map(|key| key.as_bytes()),
                ":headers": headers,
                ":answer": self.answer.map(Answer::name),
                ":id": was.id,
            },
        )?;
        Ok(())
    }
}

/// The thread that it was in: the row that is there, else one that began anew under its key meanwhile, else its own row
/// again. Its number may have gone to another thread.
fn put_back(tx: &Tx<'_>, thread: &Thread) -> Result<i64, StoreError> {
    let present = tx.one(
        "SELECT id FROM thread WHERE account = ?1 AND key = ?2",
        params![thread.account, thread.key.as_bytes()],
        |row| row.get(0),
    )?;
    if let Some(id) = present {
        return Ok(id);
    }
    let taken = thread::get(tx, thread.id)?.is_some();
    tx.insert(
        "INSERT INTO thread (id, account, key, subject, created, last) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            (!taken).then_some(thread.id),
            thread.account,
            thread.key.as_bytes(),
            thread.subject,
            us(thread.created),
            us(thread.last)
        ],
    )
}
