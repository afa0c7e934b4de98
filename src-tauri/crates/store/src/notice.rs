//! `bounce` and `absence`: what delivery reports and automatic answers say of logged mail.

use crate::error::StoreError;
use crate::sql::{address, maybe_named, time, us};
use crate::tx::Tx;
use crate::{hidden, job, reference, thread};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Row, named_params, params};
use serde::Serialize;
use threadline_core::address::Address;
use threadline_core::id::MessageId;
use threadline_core::report::Lasting;

pub(crate) const SQL: &str = "
CREATE TABLE bounce (
  report  INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
  message INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
  address TEXT NOT NULL,
  code    TEXT,
  lasting TEXT CHECK (lasting IN ('hard', 'soft')),
  time    INTEGER NOT NULL,
  PRIMARY KEY (report, message, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX bounce_by_message ON bounce (message);
CREATE INDEX bounce_by_address ON bounce (address, time);
CREATE TABLE absence (
  answer  INTEGER PRIMARY KEY REFERENCES message ON DELETE CASCADE,
  address TEXT NOT NULL,
  until   TEXT NOT NULL
) STRICT;
CREATE INDEX message_by_sending ON message (account, time) WHERE direction = 'outgoing' AND verdict = 'log';
";

/// The tenth version: which of the messages that share an id a notice is about. A notice that is not here is about all that it
/// answers.
pub(crate) const TENTH: &str = "
CREATE TABLE about (
  notice  INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
  message INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
  PRIMARY KEY (notice, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX about_by_message ON about (message);
";

/// How long after a mail a report that names no id is still taken for one about it.
const LATEST: SignedDuration = SignedDuration::from_hours(5 * 24);
/// Clocks of servers differ: a report may seem to be older than its mail by so much.
const SLOW: SignedDuration = SignedDuration::from_hours(1);

/// A recipient that was not reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub address: Address,
    /// `5.1.1`, or `550`.
    pub code: Option<String>,
    pub lasting: Lasting,
}

/// What a delivery report says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reported {
    pub original: Option<MessageId>,
    pub failures: Vec<Failure>,
    /// It names recipients, and all of them were reached or still can be: it is no bad news.
    pub harmless: bool,
}

/// A recipient of a logged mail that was not reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bounced {
    /// The thread of the mail that came back.
    pub thread: i64,
    pub message: i64,
    pub address: Address,
    pub code: Option<String>,
    /// `None` where the report names nobody: then those are listed on whom the mail is logged.
    pub lasting: Option<Lasting>,
    /// Of the report.
    pub time: Timestamp,
}

/// True where a message answers one that is logged.
pub fn answers_logged(tx: &Tx<'_>, message: i64) -> Result<bool, StoreError> {
    let found = tx.one(
        "SELECT 1 FROM reference r CROSS JOIN message_id i ON i.account = r.account AND i.hash = r.hash
           CROSS JOIN message m ON m.id = i.message
         WHERE r.message = ?1 AND m.verdict = 'log' LIMIT 1",
        [message],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// True where a message names nothing that it answers.
pub fn answers_nothing(tx: &Tx<'_>, message: i64) -> Result<bool, StoreError> {
    let found = tx.one("SELECT 1 FROM reference WHERE message = ?1 LIMIT 1", [message], |_| Ok(()))?;
    Ok(found.is_none())
}

/// Ends the job that read a delivery report: the mails it is about, and whom they did not reach. Mail that is not logged is
/// not marked, and nothing of the report is kept for it. Gives the threads that stand otherwise now.
pub fn finish_report(
    tx: &Tx<'_>,
    job: &job::Job,
    said: &Reported,
    at: Timestamp,
) -> Result<Vec<i64>, StoreError> {
    let report = job.message;
    read(tx, job, at)?;
    let time: i64 = tx
        .one("SELECT time FROM message WHERE id = ?1", [report], |row| row.get(0))?
        .ok_or(StoreError::NotFound { what: "message", id: report })?;
    let before = thread::answered(tx, report)?;
    if said.harmless {
        tx.run("DELETE FROM reference WHERE message = ?1", [report])?;
    }
    let original = match &said.original {
        Some(id) => Some(of_id(tx, job.account, id)?),
        None => None,
    };
    for failure in &said.failures {
        let message = match original {
            Some(found) => found,
            None => last_sent_to(tx, job.account, &failure.address, time)?,
        };
        let Some(message) = message else { continue };
        for message in theirs(tx, hidden::group(tx, message)?, &failure.address)? {
            mark(tx, report, message, Some(failure), &failure.address, time)?;
        }
    }
    if said.failures.is_empty()
        && !said.harmless
        && let Some(message) = original.flatten()
    {
        for message in hidden::group(tx, message)? {
            for address in logged_on(tx, message)? {
                mark(tx, report, message, None, &address, time)?;
            }
        }
    }
    thread::refresh_answered(tx, report)?;
    for thread in &before {
        thread::refresh(tx, *thread)?;
    }
    thread::answered(tx, report)
}

/// Ends the job that read an automatic answer of this sender: until when they are away. It is about their conversation, where
/// the mail that it answers hides its recipients from each other.
pub fn finish_answer(
    tx: &Tx<'_>,
    job: &job::Job,
    from: Option<&Address>,
    until: Option<Date>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let answer = job.message;
    read(tx, job, at)?;
    let Some(from) = from else { return Ok(()) };
    if let Some(until) = until {
        tx.run(
            "INSERT OR REPLACE INTO absence (answer, address, until) VALUES (?1, ?2, ?3)",
            params![answer, from.as_str(), until.to_string()],
        )?;
    }
    let before = thread::answered(tx, answer)?;
    if before.len() < 2 {
        return Ok(());
    }
    let answered: Vec<i64> = tx.all(
        "SELECT DISTINCT m.id FROM reference r CROSS JOIN message_id i ON i.account = r.account AND i.hash = r.hash
           CROSS JOIN message m ON m.id = i.message WHERE r.message = ?1 AND m.thread IS NOT NULL ORDER BY m.id",
        [answer],
        |row| row.get(0),
    )?;
    for message in theirs(tx, answered, from)? {
        note_about(tx, answer, message)?;
    }
    before.into_iter().try_for_each(|thread| thread::refresh(tx, thread))
}

/// The text was read, though it is not kept.
fn read(tx: &Tx<'_>, job: &job::Job, at: Timestamp) -> Result<(), StoreError> {
    tx.run("UPDATE message SET body_at = coalesce(body_at, ?2) WHERE id = ?1", params![job.message, us(at)])?;
    job::done(tx, job.id)
}

fn mark(
    tx: &Tx<'_>,
    report: i64,
    message: i64,
    failure: Option<&Failure>,
    address: &Address,
    time: i64,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT OR REPLACE INTO bounce (report, message, address, code, lasting, time)
         VALUES (:report, :message, :address, :code, :lasting, :time)",
        named_params! {
            ":report": report,
            ":message": message,
            ":address": address.as_str(),
            ":code": failure.and_then(|f| f.code.as_deref()),
            ":lasting": failure.map(|f| lasting_name(f.lasting)),
            ":time": time,
        },
    )?;
    note_about(tx, report, message)?;
    // By this it stays about the mail where that turns out to be another row, as if the report had named the id.
    let link = tx.one(
        "SELECT i.hash, m.account FROM message m CROSS JOIN message_id i ON i.message = m.id
         WHERE m.id = coalesce((SELECT of FROM hidden WHERE message = ?1), ?1) AND i.identifies = 1 LIMIT 1",
        [message],
        |row| Ok((row.get("hash")?, row.get("account")?)),
    )?;
    match link {
        Some((hash, account)) => reference::add(tx, account, report, &[hash]),
        None => Ok(()),
    }
}

fn note_about(tx: &Tx<'_>, notice: i64, message: i64) -> Result<(), StoreError> {
    tx.run("INSERT OR IGNORE INTO about (notice, message) VALUES (?1, ?2)", [notice, message])?;
    Ok(())
}

/// Those of these messages in whose conversations somebody takes part; all of them where that is none, since the report may
/// name another address than the mail does.
fn theirs(tx: &Tx<'_>, messages: Vec<i64>, who: &Address) -> Result<Vec<i64>, StoreError> {
    if messages.len() < 2 {
        return Ok(messages);
    }
    let takes_part = |message: &i64| {
        tx.one(
            "SELECT 1 FROM message m WHERE m.id = ?1 AND (
               EXISTS (SELECT 1 FROM participant p WHERE p.thread = m.thread AND p.address = ?2)
               OR EXISTS (SELECT 1 FROM receipt_person r WHERE r.thread = m.thread AND r.hash = ?3))",
            params![message, who.as_str(), tx.hash_address(who)],
            |_| Ok(()),
        )
        .map(|found| found.is_some())
    };
    let mut found = Vec::new();
    for message in &messages {
        if takes_part(message)? {
            found.push(*message);
        }
    }
    Ok(if found.is_empty() { messages } else { found })
}

/// The logged mail that was sent with this id.
fn of_id(tx: &Tx<'_>, account: i64, id: &MessageId) -> Result<Option<i64>, StoreError> {
    tx.one(
        "SELECT m.id FROM message_id i CROSS JOIN message m ON m.id = i.message
         WHERE i.account = ?1 AND i.hash = ?2 AND m.verdict = 'log' AND m.direction = 'outgoing' LIMIT 1",
        params![account, tx.hash_id(id)],
        |row| row.get(0),
    )
}

/// The newest logged mail to an address in the days before a report.
fn last_sent_to(tx: &Tx<'_>, account: i64, to: &Address, time: i64) -> Result<Option<i64>, StoreError> {
    let (latest, slow) = (LATEST.as_micros() as i64, SLOW.as_micros() as i64);
    tx.one(
        "SELECT m.id FROM message m CROSS JOIN association a ON a.message = m.id
         WHERE m.account = ?1 AND m.direction = 'outgoing' AND m.verdict = 'log' AND m.time BETWEEN ?3 AND ?4
           AND a.address = ?2 ORDER BY m.time DESC LIMIT 1",
        params![account, to.as_str(), time - latest, time + slow],
        |row| row.get(0),
    )
}

fn logged_on(tx: &Tx<'_>, message: i64) -> Result<Vec<Address>, StoreError> {
    tx.all("SELECT address FROM association WHERE message = ?1 ORDER BY position", [message], |row| {
        address(row, "address")
    })
}

/// The newest failure of each address, the newest first. With `thread`, of that conversation's mails alone.
pub fn bounced(tx: &Tx<'_>, thread: Option<i64>) -> Result<Vec<Bounced>, StoreError> {
    const VALUES: &str = "SELECT m.thread, b.message, b.address, b.code, b.lasting, max(b.time) AS time";
    const ORDER: &str = "GROUP BY b.address ORDER BY 6 DESC, b.address";
    match thread {
        Some(thread) => tx.all(
            &format!(
                "{VALUES} FROM message m CROSS JOIN bounce b ON b.message = m.id WHERE m.thread = ?1 {ORDER}"
            ),
            [thread],
            read_bounced,
        ),
        None => tx.all(
            &format!(
                "{VALUES} FROM bounce b CROSS JOIN message m ON m.id = b.message
                 WHERE b.address > '' AND m.thread IS NOT NULL {ORDER}"
            ),
            [],
            read_bounced,
        ),
    }
}

fn read_bounced(row: &Row<'_>) -> rusqlite::Result<Bounced> {
    Ok(Bounced {
        thread: row.get("thread")?,
        message: row.get("message")?,
        address: address(row, "address")?,
        code: row.get("code")?,
        lasting: maybe_named(row, "lasting", lasting_from)?,
        time: time(row, "time")?,
    })
}

/// Who answered in a conversation that they are away, and until when.
pub fn away(tx: &Tx<'_>, thread: i64) -> Result<Vec<(Address, Date)>, StoreError> {
    tx.all(
        "SELECT DISTINCT a.address, a.until FROM message m CROSS JOIN message_id i ON i.message = m.id
           CROSS JOIN reference r ON r.account = m.account AND r.hash = i.hash
           CROSS JOIN absence a ON a.answer = r.message
         WHERE m.thread = ?1 AND (NOT EXISTS (SELECT 1 FROM about b WHERE b.notice = a.answer)
           OR EXISTS (SELECT 1 FROM about b WHERE b.notice = a.answer AND b.message = m.id))
         ORDER BY a.until, a.address",
        [thread],
        |row| {
            let until = crate::sql::named(row, "until", |text| text.parse().ok())?;
            Ok((address(row, "address")?, until))
        },
    )
}

fn lasting_name(lasting: Lasting) -> &'static str {
    match lasting {
        Lasting::Hard => "hard",
        Lasting::Soft => "soft",
    }
}

fn lasting_from(name: &str) -> Option<Lasting> {
    [Lasting::Hard, Lasting::Soft].into_iter().find(|l| lasting_name(*l) == name)
}
