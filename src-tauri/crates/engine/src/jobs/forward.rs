//! A mail that the person forwarded so that it is logged: the original is read out of it and decided about.

use super::{gone, server_place};
use crate::broken::Broken;
use crate::crms;
use crate::event::Event;
use crate::ingest;
use crate::mailbox::{Mailbox, Watched};
use std::panic::{AssertUnwindSafe, catch_unwind};
use threadline_core::arrival::{Arrival, Role};
use threadline_core::clock::message_time;
use threadline_core::decide::{Decision, KEYWORD_LOG, Seen, Verdict, decide};
use threadline_core::envelope::Envelope;
use threadline_core::forwarded::{Original, original};
use threadline_core::message::MOST_BYTES;
use threadline_core::record::Direction;
use threadline_core::rule::Rule;
use threadline_mail::fetch::{Body, MOST_HEADER};
use threadline_mail::session::Session;
use threadline_store::job::{self, Job, Kind};
use threadline_store::message::{self, NewDecision};
use threadline_store::{StoreError, Tx};

pub(super) async fn read(
    mailbox: &Mailbox,
    session: &mut Session,
    job: &Job,
    folder: &Watched,
) -> Result<(), Broken> {
    match session.fetch_body(&folder.on_server, server_place(job), MOST_BYTES).await? {
        Ok(body) => keep(mailbox, job, folder.row.name.clone(), body).await,
        Err(_) => gone(mailbox, job).await,
    }
}

/// Stores what the original is decided to be, and its text where it is logged.
pub(super) async fn keep(mailbox: &Mailbox, job: &Job, folder: String, body: Body) -> Result<(), Broken> {
    let (of, now) = (mailbox.for_ingest(), mailbox.shared.clock.now());
    let (one, bytes, truncated) = (job.clone(), body.raw.len() as u64, body.truncated);
    let finish = move |tx: &Tx<'_>| {
        let of = ingest::as_set(tx, &of)?;
        let outer = Envelope::parse(body.raw.get(..MOST_HEADER).unwrap_or(&body.raw));
        if !message::is_its_header(tx, one.message, &outer)? {
            return Ok(None);
        }
        job::done(tx, one.id)?;
        let waits = message::get(tx, one.message)?.is_some_and(|row| row.rule == Rule::ForwardToLog);
        if !waits {
            return Ok(Some(false));
        }
        // A parser that panics costs this message alone.
        let read = catch_unwind(AssertUnwindSafe(|| original(&body.raw))).ok().flatten();
        let (envelope, decision) = match read {
            Some(Original { envelope, .. }) => {
                let decision = about(tx, &of, &one, &folder, &envelope)?;
                (envelope, decision)
            }
            None => (outer, not_read()),
        };
        if decision.rule == Rule::ContactsNotLoaded {
            // It is looked at again when the contacts are there.
            return Ok(Some(false));
        }
        let new = NewDecision {
            account: of.id,
            place: Some(one.place),
            envelope: &envelope,
            decision: &decision,
            rule_version: of.rules.version,
            time: message_time(envelope.date, envelope.date.unwrap_or(now)),
            size: u32::try_from(body.raw.len()).unwrap_or(u32::MAX),
            at: now,
        };
        let recorded = message::decide_again(tx, &new)?;
        if recorded.newly_logged {
            let body_job = job::add(tx, Kind::Body, recorded.message, one.place, job::AT_ONCE)?;
            job::finish_body(tx, body_job, &body.raw, truncated, &crms::sinks(tx)?, now)?;
        }
        Ok(Some(recorded.newly_logged))
    };
    match mailbox.shared.ledger.write(finish).await? {
        None => gone(mailbox, job).await,
        Some(false) => Ok(()),
        Some(true) => {
            mailbox.shared.ring();
            let account = mailbox.settings.address.clone();
            mailbox.shared.tell(Event::Fetched { account, message: job.message, bytes, truncated });
            Ok(())
        }
    }
}

/// The decision about the original: the forward is the person's word that it is to be logged.
fn about(
    tx: &Tx<'_>,
    of: &ingest::Mailbox,
    job: &Job,
    folder: &str,
    envelope: &Envelope,
) -> Result<Decision, StoreError> {
    let own = envelope.from.as_ref().is_some_and(|from| of.rules.is_own(&from.address));
    let role = if own { Role::Sent } else { Role::Inbox };
    let arrival = Arrival {
        uid: job.place.uid,
        internal_date: envelope.date.unwrap_or_default(),
        size: 0,
        flags: vec![KEYWORD_LOG.to_owned()],
        labels: None,
        envelope: envelope.clone(),
    };
    let known = ingest::known(tx, of, envelope, message::answer(tx, job.message)?)?;
    let decision = decide(&arrival, Seen { role, folder, begins: None }, &known, &of.rules);
    Ok(match decision.rule {
        Rule::KeywordLog => Decision { rule: Rule::ForwardedToLog, ..decision },
        // A forward of a forward is not opened further.
        Rule::ForwardToLog => not_read(),
        _ => decision,
    })
}

fn not_read() -> Decision {
    Decision {
        verdict: Verdict::Ignore,
        rule: Rule::ForwardNotRead,
        direction: Direction::Outgoing,
        link: None,
        apart_from: None,
        hidden: Vec::new(),
    }
}
