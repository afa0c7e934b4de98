//! What is to be read from the server because of a decision: bodies (the second transaction of a mail's way, T2),
//! and headers of messages that are decided again.

mod aside;
mod forward;
mod report;

use crate::broken::Broken;
use crate::crms;
use crate::event::Event;
use crate::files::LIMITS;
use crate::ingest;
use crate::mailbox::{Mailbox, Watched};
use jiff::{SignedDuration, Timestamp};
use std::panic::{AssertUnwindSafe, catch_unwind};
use threadline_core::attachment::Limits;
use threadline_core::envelope::Envelope;
use threadline_core::hidden::with_bcc;
use threadline_core::message::MOST_BYTES;
use threadline_core::reason::{ImapStatus, Reason, Signal};
use threadline_core::report::calendar;
use threadline_core::rule::Rule;
use threadline_mail::error::{MailError, blames_message};
use threadline_mail::fetch::{Body, MOST_HEADER};
use threadline_mail::session::{Place as ServerPlace, Session};
use threadline_mail::structure::Leaf;
use threadline_store::job::{self, Job, Kind};
use threadline_store::{StoreError, Tx, folder, hidden, message, place, setting};

/// Jobs looked at in one go.
const PAGE: usize = 200;
/// Messages up to this size are read in one piece, and so byte for byte as they are; larger ones part by part.
const WHOLE_UP_TO: u32 = 512 * 1024;
/// Attempts before a job is set aside, where the message may be at fault.
const ATTEMPTS: u32 = 5;
/// After the first attempt.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);
pub(crate) const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(30);

/// Does every job that is due in these folders; gives their number. A job that fails is put off or set aside alone.
pub(crate) async fn run(
    mailbox: &Mailbox,
    session: &mut Session,
    folders: &[Watched],
) -> Result<usize, Broken> {
    let ids: Vec<i64> = folders.iter().map(|f| f.row.id).collect();
    let mut done = aside::run(mailbox, session, folders).await?;
    loop {
        let (account, now, ids) = (mailbox.id, mailbox.shared.clock.now(), ids.clone());
        let due = mailbox.shared.ledger.read(move |tx| job::due(tx, account, &ids, now, PAGE)).await?;
        if due.is_empty() {
            return Ok(done);
        }
        for job in due {
            let Some(folder) = folders.iter().find(|f| f.row.id == job.place.folder) else { continue };
            // The message may have been taken out of the log since the list was read.
            let id = job.id;
            if mailbox.shared.ledger.read(move |tx| job::get(tx, id)).await?.is_none() {
                continue;
            }
            let result = match job.kind {
                Kind::Body => body(mailbox, session, &job, folder).await,
                Kind::Recheck => recheck(mailbox, session, &job, folder).await.map(drop),
                Kind::Report => text(mailbox, session, &job, folder).await,
            };
            if let Err(Broken::Mail(error)) = &result {
                put_off(mailbox, &job, error).await?;
                // The server refused this one message; the connection is as good as before.
                if refused(error) {
                    continue;
                }
            }
            result?;
            mailbox.mended(job.id);
            done += 1;
        }
    }
}

/// Jobs in folders that are not watched any more are done where their message lies as well; where it lies nowhere else,
/// they are set aside.
pub(crate) fn rehome(tx: &Tx<'_>, account: i64, watched: &[i64], now: Timestamp) -> Result<(), StoreError> {
    for job in job::elsewhere(tx, account, watched)? {
        if !move_elsewhere(tx, &job, watched)? {
            give_up(tx, &job, now, ATTEMPTS)?;
        }
    }
    Ok(())
}

/// True where the job goes on at another place of its message, in a folder that is watched and still numbered so.
fn move_elsewhere(tx: &Tx<'_>, job: &Job, watched: &[i64]) -> Result<bool, StoreError> {
    for place in hidden::places(tx, job.message)? {
        if place == job.place || !watched.contains(&place.folder) {
            continue;
        }
        let cursor = folder::get(tx, place.folder)?.and_then(|f| f.cursor);
        if cursor.is_none_or(|c| c.uidvalidity == place.uidvalidity) {
            job::move_to(tx, job.id, place)?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// Its message is nowhere to be read. A body is tried again up to `attempts` times in all: a moved message comes up again in
/// another folder.
fn give_up(tx: &Tx<'_>, job: &Job, now: Timestamp, attempts: u32) -> Result<(), StoreError> {
    if job.kind != Kind::Body {
        return job::done(tx, job.id);
    }
    let job = Job { attempts: job.attempts.max(attempts.saturating_sub(1)), ..job.clone() };
    fail(tx, &job, now, Reason::FolderMissing, "The message is in no watched folder any more.")
}

/// Another message lies at the place.
struct NotThere;

fn server_place(job: &Job) -> ServerPlace {
    ServerPlace { uidvalidity: job.place.uidvalidity, uid: job.place.uid }
}

async fn body(mailbox: &Mailbox, session: &mut Session, job: &Job, folder: &Watched) -> Result<(), Broken> {
    let (of, place) = (job.message, server_place(job));
    let facts = move |tx: &Tx<'_>| {
        let size = message::get(tx, of)?.map_or(0, |row| row.size);
        Ok((size, setting::get::<Limits>(tx, LIMITS)?.unwrap_or_default()))
    };
    let (size, limits) = mailbox.shared.ledger.read(facts).await?;
    // What failed once is read whole: a server's description of the parts may be what breaks the connection.
    if size > WHOLE_UP_TO && job.attempts == 0 {
        let leave =
            |leaf: &Leaf| limits.allow(leaf.name.as_deref().unwrap_or_default(), leaf.size()).is_err();
        match session.fetch_parts(&folder.on_server, place, MOST_BYTES, leave).await? {
            Ok(Some(body)) => return keep(mailbox, job, body).await,
            Ok(None) => {}
            Err(_) => return gone(mailbox, job).await,
        }
    }
    let Ok(body) = session.fetch_body(&folder.on_server, place, MOST_BYTES).await? else {
        return gone(mailbox, job).await;
    };
    keep(mailbox, job, body).await
}

/// Stores a body and queues it (T2), unless it is another message's, which lies at the place by now.
async fn keep(mailbox: &Mailbox, job: &Job, body: Body) -> Result<(), Broken> {
    let (id, of, now) = (job.id, job.message, mailbox.shared.clock.now());
    let (bytes, truncated) = (body.raw.len() as u64, body.truncated);
    let envelope = Envelope::parse(body.raw.get(..MOST_HEADER).unwrap_or(&body.raw));
    let answers_invitation = envelope.machine.is_none() && is_calendar_reply(&body.raw);
    let finish = move |tx: &Tx<'_>| match message::is_its_header(tx, of, &envelope)? {
        true if answers_invitation && by_itself(tx, of)? => {
            message::take_out_as(tx, of, Rule::CalendarReply, now)?;
            Ok(Ok(None))
        }
        true => finish(tx, id, of, &body.raw, truncated, now).map(Ok),
        false => Ok(Err(NotThere)),
    };
    let Ok(message) = mailbox.shared.ledger.write(finish).await? else {
        return gone(mailbox, job).await;
    };
    mailbox.shared.ring();
    if let Some(message) = message {
        let account = mailbox.settings.address.clone();
        mailbox.shared.tell(Event::Fetched { account, message, bytes, truncated });
    }
    Ok(())
}

/// Whether a part of it is a calendar's answer to an invitation, as most programs send one. A parser that panics finds none.
fn is_calendar_reply(raw: &[u8]) -> bool {
    let read = catch_unwind(AssertUnwindSafe(|| calendar::read(raw))).ok().flatten();
    read.is_some_and(|found| matches!(found.method, calendar::Method::Reply(_)))
}

/// Whether a message came in and is logged though nobody said so of it.
fn by_itself(tx: &Tx<'_>, message: i64) -> Result<bool, StoreError> {
    let row = message::get(tx, message)?;
    Ok(row.is_some_and(|row| matches!(row.rule, Rule::ReplyInLoggedThread | Rule::ReceivedFromOutsider)))
}

/// The text of a message and of its copies for those whom it hides from each other, each with its own people in the header. Gives
/// the message, or `None` where the job was done before.
pub(crate) fn finish(
    tx: &Tx<'_>,
    id: i64,
    of: i64,
    raw: &[u8],
    truncated: bool,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    // The CRMs as they are set now: one that was just set misses no message, and one that was just removed gets none.
    let sinks = crms::sinks(tx)?;
    if hidden::group(tx, of)?.len() == 1 {
        return job::finish_body(tx, id, raw, truncated, &sinks, now);
    }
    let mut finished = None;
    for job in hidden::waiting(tx, of)? {
        let headers = message::get(tx, job.message)?.and_then(|row| row.headers);
        let alone = hidden::of(tx, job.message)?.is_some();
        let bcc = headers.map(|headers| headers.bcc).unwrap_or_default();
        let done = job::finish_body(tx, job.id, &with_bcc(raw, &bcc, alone), truncated, &sinks, now)?;
        finished = if job.id == id { done } else { finished };
    }
    Ok(finished)
}

/// Reads the text of a message that is not logged, because of what it says of another one.
async fn text(mailbox: &Mailbox, session: &mut Session, job: &Job, folder: &Watched) -> Result<(), Broken> {
    let id = job.message;
    let row = mailbox.shared.ledger.read(move |tx| message::get(tx, id)).await?;
    match row.map(|row| row.rule) {
        Some(Rule::ForwardToLog) => forward::read(mailbox, session, job, folder).await,
        _ => report::read(mailbox, session, job, folder).await,
    }
}

/// Decides again what is due in these folders, and fetches no body; gives what came of it.
pub(crate) async fn rechecks(
    mailbox: &Mailbox,
    session: &mut Session,
    folders: &[Watched],
) -> Result<Vec<Event>, Broken> {
    let ids: Vec<i64> = folders.iter().map(|f| f.row.id).collect();
    let mut events = Vec::new();
    loop {
        let (account, now, ids) = (mailbox.id, mailbox.shared.clock.now(), ids.clone());
        let due = move |tx: &Tx<'_>| job::due(tx, account, &ids, now, usize::MAX);
        let mut due = mailbox.shared.ledger.read(due).await?;
        due.retain(|job| job.kind == Kind::Recheck);
        if due.is_empty() {
            return Ok(events);
        }
        for job in due {
            if let Some(folder) = folders.iter().find(|f| f.row.id == job.place.folder) {
                events.extend(recheck(mailbox, session, &job, folder).await?);
            }
        }
    }
}

async fn recheck(
    mailbox: &Mailbox,
    session: &mut Session,
    job: &Job,
    folder: &Watched,
) -> Result<Vec<Event>, Broken> {
    let Some(arrival) = session.fetch_header(&folder.on_server, server_place(job)).await? else {
        return gone(mailbox, job).await.map(|()| Vec::new());
    };
    let (id, of, place, now) = (job.id, job.message, job.place, mailbox.shared.clock.now());
    let (for_ingest, folder) = (mailbox.for_ingest(), folder.row.clone());
    let decide = move |tx: &Tx<'_>| {
        if !message::is_its_header(tx, of, &arrival.envelope)? {
            return Ok(Err(NotThere));
        }
        let events = ingest::recheck(tx, &for_ingest, &folder, place, &arrival, now)?;
        job::done(tx, id)?;
        Ok(Ok(events))
    };
    let Ok(events) = mailbox.shared.ledger.write(decide).await? else {
        return gone(mailbox, job).await.map(|()| Vec::new());
    };
    events.iter().for_each(|event| mailbox.note_decided_again(event));
    mailbox.shared.tell_all(events.clone());
    Ok(events)
}

/// The message is not where it was. It is looked for in its other places, then waited for, since a moved message
/// comes up again in another folder, and a renumbered folder is read again; at last it is set aside.
async fn gone(mailbox: &Mailbox, job: &Job) -> Result<(), Broken> {
    let (job, watched) = (job.clone(), mailbox.watched_folders());
    let now = mailbox.shared.clock.now();
    mailbox
        .shared
        .ledger
        .write(move |tx| {
            place::remove(tx, job.place)?;
            match move_elsewhere(tx, &job, &watched)? {
                true => Ok(()),
                false => give_up(tx, &job, now, 0),
            }
        })
        .await?;
    Ok(())
}

fn refused(error: &MailError) -> bool {
    matches!(error.evidence.signal, Signal::Imap { status: ImapStatus::No | ImapStatus::Bad, .. })
}

/// The connection broke, or the server refused, while a job was done. A job is given up only for what the message can be
/// at fault of; a network that fails is at fault in no message, however often.
async fn put_off(mailbox: &Mailbox, job: &Job, error: &MailError) -> Result<(), StoreError> {
    let (job, reason, words) = (job.clone(), error.reason, error.evidence.words.clone());
    let now = mailbox.shared.clock.now();
    let blamed = blames_message(error);
    let breaks = if blamed { 0 } else { mailbox.broke_over(job.id) };
    let write = move |tx: &Tx<'_>| match blamed {
        true => fail(tx, &job, now, reason, &words),
        false => job::put_off(tx, job.id, later(breaks, now), reason, &words),
    };
    mailbox.shared.ledger.write(write).await
}

/// Each further attempt waits twice as long, up to [`LONGEST_PAUSE`].
fn later(failures: u32, now: Timestamp) -> Timestamp {
    let pause = (PAUSE * (1 << failures.min(10))).min(LONGEST_PAUSE);
    now.checked_add(pause).unwrap_or(now)
}

fn fail(tx: &Tx<'_>, job: &Job, now: Timestamp, reason: Reason, words: &str) -> Result<(), StoreError> {
    if job.attempts + 1 >= ATTEMPTS {
        return job::set_aside(tx, job.id, Some(reason), Some(words), now);
    }
    job::retry_later(tx, job.id, later(job.attempts, now), Some(reason), Some(words))
}

#[cfg(test)]
mod tests;
