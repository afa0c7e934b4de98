//! A mail that went out is logged at once, in the transaction in which it becomes a sent one. Where its copy comes up in a folder
//! later, it is the same message by its id.

use super::Outgoing;
use crate::crms;
use crate::event::{Event, VerdictName};
use crate::ingest;
use jiff::Timestamp;
use threadline_core::address::Address;
use threadline_core::arrival::{Arrival, Role};
use threadline_core::decide::{Seen, decide};
use threadline_core::envelope::Envelope;
use threadline_core::message::MOST_BYTES;
use threadline_mail::compose::own_copy;
use threadline_mail::fetch::MOST_HEADER;
use threadline_store::message::{self, NewDecision, Outcome};
use threadline_store::send::{self, Sending};
use threadline_store::{StoreError, Tx, job};

impl Outgoing {
    /// Notes that a mail was sent, and logs it.
    pub(super) async fn is_sent(&self, sending: &Sending, words: &str) -> Result<(), StoreError> {
        let (of, sending, words, now) =
            (self.mailbox.for_ingest(), sending.clone(), words.to_owned(), self.now());
        let note = move |tx: &Tx<'_>| {
            if !send::sent(tx, sending.id, &words, now)? {
                return Ok(None);
            }
            log(tx, &of, &sending, now)
        };
        if let Some(event) = self.shared().ledger.write(note).await? {
            self.shared().tell(event);
            self.shared().ring();
        }
        Ok(())
    }
}

/// Logs a mail that was sent, where the rules allow it.
pub(crate) fn log(
    tx: &Tx<'_>,
    of: &ingest::Mailbox,
    sending: &Sending,
    now: Timestamp,
) -> Result<Option<Event>, StoreError> {
    let Some(raw) = send::raw(tx, sending.id)? else { return Ok(None) };
    let of = ingest::as_set(tx, of)?;
    let raw = own_copy(&raw, &blind(sending));
    let envelope = Envelope::parse(raw.get(..MOST_HEADER).unwrap_or(&raw));
    let known = ingest::known(tx, &of, &envelope, None)?;
    let size = u32::try_from(raw.len()).unwrap_or(u32::MAX);
    let arrival = Arrival {
        uid: 0,
        internal_date: envelope.date.unwrap_or(now),
        size,
        flags: Vec::new(),
        labels: None,
        envelope,
    };
    let decision = decide(&arrival, Seen { role: Role::Sent, folder: "", begins: None }, &known, &of.rules);
    let new = NewDecision {
        account: of.id,
        place: None,
        envelope: &arrival.envelope,
        decision: &decision,
        rule_version: of.rules.version,
        time: arrival.time(),
        size,
        at: now,
    };
    let recorded = message::record(tx, &new)?;
    send::set_message(tx, sending.id, recorded.message)?;
    if recorded.newly_logged {
        let most = MOST_BYTES as usize;
        let sinks = crms::sinks(tx)?;
        let text = raw.get(..most).unwrap_or(&raw);
        let key = &arrival.envelope.key;
        job::keep_body(tx, recorded.message, key, text, raw.len() > most, &sinks, now)?;
    }
    if recorded.before.is_some_and(|before| before.outcome == recorded.outcome) {
        return Ok(None);
    }
    let shown = recorded.outcome == Outcome::Log;
    let mut with = arrival.envelope.recipients().into_iter().map(|m| &m.address);
    let with = with.find(|address| !of.rules.is_colleague(address)).cloned();
    Ok(Some(Event::Decided {
        account: of.address.clone(),
        message: recorded.message,
        folder: String::new(),
        direction: decision.direction,
        verdict: match recorded.outcome {
            Outcome::Log => VerdictName::Log,
            Outcome::Ask => VerdictName::Ask,
            Outcome::Hold => VerdictName::Hold,
            Outcome::Ignore => VerdictName::Ignore,
        },
        rule: decision.rule,
        subject: shown.then(|| arrival.envelope.subject.clone()),
        with: with.filter(|_| shown),
        at: now,
    }))
}

/// Who gets a blind copy.
pub(super) fn blind(sending: &Sending) -> Vec<Address> {
    sending.recipients.iter().filter(|r| r.blind).map(|r| r.address.clone()).collect()
}
