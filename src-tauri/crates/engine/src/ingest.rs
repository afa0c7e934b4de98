//! The first transaction of a mail's way (T1): decisions, jobs and the cursor of a batch.

use crate::contacts::LOCAL;
use crate::event::{Event, VerdictName};
use crate::own_record;
use crate::rules::edit_rules;
use crate::settings::AccountSettings;
use jiff::Timestamp;
use std::collections::HashMap;
use threadline_core::address::Address;
use threadline_core::arrival::Arrival;
use threadline_core::contact::Contact;
use threadline_core::decide::{Decision, Known, Seen, Verdict, decide};
use threadline_core::envelope::Envelope;
use threadline_core::matching::{clues, traces};
use threadline_core::own::{Lesson, Own, learnt};
use threadline_core::reason::Reason;
use threadline_core::rule::{Answer, Rule, Rules};
use threadline_store::folder::{Cursor, Folder};
use threadline_store::job::Kind;
use threadline_store::message::{Before, Image, NewDecision, Outcome, Recorded};
use threadline_store::place::Place;
use threadline_store::{
    StoreError, Tx, account, contact, folder, hidden, job, message, notice, reference, relayed, retention,
    send, set_aside, setting, thread,
};

/// The mailbox that a batch came from.
#[derive(Debug, Clone)]
pub struct Mailbox {
    pub id: i64,
    /// Once there is a later one, nothing more of this mailbox is stored.
    pub epoch: u32,
    pub address: Address,
    pub rules: Rules,
    /// The sinks whose contacts count, the first one's name first; the local list is one of them.
    pub contact_sources: Vec<String>,
    /// Mail from before the mailbox was added was asked for.
    pub history: bool,
}

/// A message that cannot be read.
#[derive(Debug, Clone)]
pub struct Unreadable {
    pub uid: u32,
    pub why: String,
}

/// What a batch of one folder brought.
#[derive(Debug)]
pub struct Batch {
    pub folder: Folder,
    pub uidvalidity: u32,
    /// Where the folder's cursor goes; `None` leaves it: what lies before it is read.
    pub cursor: Option<Cursor>,
    pub arrivals: Vec<Arrival>,
    pub unreadable: Vec<Unreadable>,
}

/// Stores a batch: one transaction, run by the ledger's writer.
pub fn store(
    tx: &Tx<'_>,
    mailbox: &Mailbox,
    batch: &Batch,
    now: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    let mailbox = &as_set(tx, mailbox)?;
    let mut events = Vec::new();
    for arrival in &batch.arrivals {
        let place = Place { folder: batch.folder.id, uidvalidity: batch.uidvalidity, uid: arrival.uid };
        events.extend(see(tx, mailbox, &batch.folder, place, arrival, now, Occasion::New)?);
    }
    for bad in &batch.unreadable {
        let place = Place { folder: batch.folder.id, uidvalidity: batch.uidvalidity, uid: bad.uid };
        set_aside::add(tx, place, &bad.why, Some(Reason::ProtocolError), now)?;
        events.push(Event::SetAside {
            account: mailbox.address.clone(),
            folder: batch.folder.name.clone(),
            uid: bad.uid,
            why: bad.why.clone(),
        });
    }
    if let Some(cursor) = &batch.cursor {
        folder::move_cursor(tx, batch.folder.id, cursor)?;
    }
    Ok(events)
}

/// Stores one arrival and moves no cursor: it is stored again with its batch, where it changes nothing.
pub fn store_one(
    tx: &Tx<'_>,
    mailbox: &Mailbox,
    folder: &Folder,
    uidvalidity: u32,
    arrival: &Arrival,
    now: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    let place = Place { folder: folder.id, uidvalidity, uid: arrival.uid };
    see(tx, &as_set(tx, mailbox)?, folder, place, arrival, now, Occasion::New)
}

/// Decides again about a message whose header was read once more, because what it answers, or who is on it, is
/// known now.
pub fn recheck(
    tx: &Tx<'_>,
    mailbox: &Mailbox,
    folder: &Folder,
    place: Place,
    arrival: &Arrival,
    now: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    see(tx, &as_set(tx, mailbox)?, folder, place, arrival, now, Occasion::Again)
}

/// What came of a person's yes.
pub enum ByHand {
    /// With the message as it was before; `None` where it was logged already.
    Logged { events: Vec<Event>, before: Option<Box<Image>> },
    /// A never-log rule keeps it out, which the person can overrule.
    Never(Rule),
    /// It cannot be logged.
    Not(Rule),
}

/// Decides about a message as if the person had been asked and said yes, whatever was decided before. With `despite` the
/// never-log rules do not count for it. Nothing is changed where it is not logged.
pub fn by_hand(
    tx: &Tx<'_>,
    mailbox: &Mailbox,
    folder: &Folder,
    place: Place,
    arrival: &Arrival,
    now: Timestamp,
    despite: bool,
) -> Result<ByHand, StoreError> {
    let set = as_set(tx, mailbox)?;
    let without = Mailbox { rules: set.rules.without_never(), ..set.clone() };
    let mailbox = if despite { &without } else { &set };
    let original = message::contradicts(tx, mailbox.id, &arrival.envelope)?;
    let plain =
        original.then(|| Arrival { envelope: arrival.envelope.without_originals(), ..arrival.clone() });
    let arrival = plain.as_ref().unwrap_or(arrival);
    let seeing = Seeing { mailbox, folder, place, arrival, now };
    let decision = seeing.decide(tx, Some(Answer::Log), None)?;
    let before = message::known(tx, mailbox.id, &arrival.envelope)?;
    // A copy elsewhere, with the keyword or in such a folder, may be what kept it out.
    let elsewhere = |rule: &Rule| !despite && matches!(rule, Rule::KeywordNever | Rule::NeverFolder);
    if let Some(rule) = before.map(|b| b.rule).filter(elsewhere) {
        return Ok(ByHand::Never(rule));
    }
    let rule = decision.rule;
    if !matches!(decision.verdict, Verdict::Log { .. }) {
        return Ok(if rule.is_overruled() { ByHand::Never(rule) } else { ByHand::Not(rule) });
    }
    // As it would have been read, so that there is something to go back to.
    let events = Seeing { mailbox: &set, ..seeing }.store(tx, Occasion::New)?;
    let Some(known) = message::known(tx, mailbox.id, &arrival.envelope)? else {
        return Ok(ByHand::Not(rule));
    };
    if known.outcome == Outcome::Log {
        return Ok(ByHand::Logged { events, before: None });
    }
    let before = Image::take(tx, known.message)?.map(Box::new);
    message::set_answer(tx, known.message, Answer::Log)?;
    Ok(ByHand::Logged { events: seeing.keep(tx, Occasion::Again, &decision)?, before })
}

/// The mailbox with its rules as they stand in the ledger: whom a person stopped a moment ago is not logged. Fails where
/// another mailbox took its place.
pub(crate) fn as_set(tx: &Tx<'_>, mailbox: &Mailbox) -> Result<Mailbox, StoreError> {
    let row = account::still(tx, mailbox.id, mailbox.epoch)?;
    let rules = serde_json::from_str::<AccountSettings>(&row.settings).map(|settings| settings.rules);
    Ok(Mailbox { rules: rules.unwrap_or_else(|_| mailbox.rules.clone()), ..mailbox.clone() })
}

fn see(
    tx: &Tx<'_>,
    mailbox: &Mailbox,
    folder: &Folder,
    place: Place,
    arrival: &Arrival,
    now: Timestamp,
    occasion: Occasion,
) -> Result<Vec<Event>, StoreError> {
    let plain;
    let arrival = if message::contradicts(tx, mailbox.id, &arrival.envelope)? {
        plain = Arrival { envelope: arrival.envelope.without_originals(), ..arrival.clone() };
        &plain
    } else {
        arrival
    };
    Seeing { mailbox, folder, place, arrival, now }.store(tx, occasion)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Occasion {
    New,
    Again,
}

/// One message in one place.
#[derive(Clone, Copy)]
struct Seeing<'a> {
    mailbox: &'a Mailbox,
    folder: &'a Folder,
    place: Place,
    arrival: &'a Arrival,
    now: Timestamp,
}

impl Seeing<'_> {
    fn store(&self, tx: &Tx<'_>, occasion: Occasion) -> Result<Vec<Event>, StoreError> {
        let before = message::known(tx, self.mailbox.id, &self.arrival.envelope)?;
        let answer = before.map(|b| message::answer(tx, b.message)).transpose()?.flatten();
        // What was taken in once is decided again by what it is, and not by its age.
        let aged = before.is_none_or(|b| b.rule == Rule::OlderThanBeginning) && !self.mailbox.history;
        let begins = match aged {
            true => account::get(tx, self.mailbox.id)?.map(|a| a.created),
            false => None,
        };
        let mut decision = self.decide(tx, answer, begins)?;
        if let Some(before) = before
            && stays_out(before, &decision)
        {
            decision = Decision { verdict: Verdict::Ignore, rule: before.rule, ..decision };
        }
        self.keep(tx, occasion, &decision)
    }

    /// Stores a decision and what follows from it.
    fn keep(&self, tx: &Tx<'_>, occasion: Occasion, decision: &Decision) -> Result<Vec<Event>, StoreError> {
        let new = NewDecision {
            account: self.mailbox.id,
            place: Some(self.place),
            envelope: &self.arrival.envelope,
            decision,
            rule_version: self.mailbox.rules.version,
            time: self.arrival.time(),
            size: self.arrival.size,
            at: self.now,
        };
        let recorded = match occasion {
            Occasion::New => message::record(tx, &new)?,
            Occasion::Again => message::decide_again(tx, &new)?,
        };
        if recorded.newly_logged {
            job::add(tx, Kind::Body, recorded.message, self.place, job::AT_ONCE)?;
        }
        if recorded.outcome == Outcome::Log {
            for message in hidden::group(tx, recorded.message)? {
                job::revive(tx, message, self.place, job::AT_ONCE)?;
            }
            // Its ids may be ones that an earlier arrival answers.
            let envelope = &self.arrival.envelope;
            let traces = traces(envelope, decision.direction);
            let ids = envelope.ids.iter().map(|id| tx.hash_id(id));
            let ids: Vec<_> = ids.chain(traces.iter().map(|clue| tx.hash_clue(clue))).collect();
            for waiting in reference::waiting_for(tx, self.mailbox.id, &ids)? {
                job::add(tx, Kind::Recheck, waiting.message, waiting.place, job::AT_ONCE)?;
            }
        }
        if let (true, Some(thread)) = (recorded.newly_logged, recorded.thread) {
            // It may have brought into the conversation who was a stranger in it.
            for stranger in reference::strangers_of(tx, thread)? {
                job::add(tx, Kind::Recheck, stranger.message, stranger.place, job::AT_ONCE)?;
            }
        }
        if recorded.outcome == Outcome::Hold && decision.rule == Rule::ForwardToLog {
            job::add(tx, Kind::Report, recorded.message, self.place, job::AT_ONCE)?;
        }
        self.read_notice(tx, recorded)?;
        Ok(self.event(decision, recorded).into_iter().collect())
    }

    /// A delivery report is read where it can be about logged mail: many name no id. An automatic answer is read where it
    /// answers logged mail.
    fn read_notice(&self, tx: &Tx<'_>, recorded: Recorded) -> Result<(), StoreError> {
        let row = message::get(tx, recorded.message)?;
        let Some(row) = row.filter(|row| row.outcome == Outcome::Ignore && row.body_at.is_none()) else {
            return Ok(());
        };
        let reads = match row.rule {
            Rule::Bounce => notice::answers_nothing(tx, row.id)? || notice::answers_logged(tx, row.id)?,
            Rule::AutoReply => notice::answers_logged(tx, row.id)?,
            _ => false,
        };
        if reads {
            job::add(tx, Kind::Report, row.id, self.place, job::AT_ONCE)?;
        }
        Ok(())
    }

    fn decide(
        &self,
        tx: &Tx<'_>,
        answer: Option<Answer>,
        begins: Option<Timestamp>,
    ) -> Result<Decision, StoreError> {
        let facts = known(tx, self.mailbox, &self.arrival.envelope, answer)?;
        let seen = Seen { role: self.folder.role, folder: &self.folder.name, begins };
        let names = own_names(&self.mailbox.address);
        let own = Own { names: setting::get(tx, &names)?.unwrap_or_default() };
        let rules = &self.mailbox.rules;
        match learnt(self.arrival, seen, &facts, rules, &own) {
            Some(Lesson::Address(alias)) => {
                if let Some(decision) = self.decide_as(tx, answer, seen, alias)? {
                    return Ok(decision);
                }
            }
            Some(Lesson::Name(name)) => {
                setting::set(tx, &names, &own.names.iter().chain([&name]).collect::<Vec<_>>())?;
            }
            None => {}
        }
        Ok(decide(self.arrival, seen, &facts, rules))
    }

    /// Notes that this address is the person's own, and decides by it. `None` where the settings cannot be read: that is told
    /// of elsewhere, and stops no mail.
    fn decide_as(
        &self,
        tx: &Tx<'_>,
        answer: Option<Answer>,
        seen: Seen<'_>,
        alias: &Address,
    ) -> Result<Option<Decision>, StoreError> {
        match edit_rules(tx, self.mailbox.id, |rules| rules.learn(alias)) {
            Err(StoreError::Unreadable { .. }) => return Ok(None),
            learnt => learnt?,
        }
        let mut mailbox = self.mailbox.clone();
        mailbox.rules.learn(alias);
        let facts = known(tx, &mailbox, &self.arrival.envelope, answer)?;
        Ok(Some(decide(self.arrival, seen, &facts, &mailbox.rules)))
    }

    /// Nothing is told about a message that was known here and stayed what it was.
    fn event(&self, decision: &Decision, recorded: Recorded) -> Option<Event> {
        if recorded.before.is_some_and(|b| b.outcome == recorded.outcome) {
            return None;
        }
        let verdict = match recorded.outcome {
            Outcome::Log => VerdictName::Log,
            Outcome::Ask => VerdictName::Ask,
            Outcome::Hold => VerdictName::Hold,
            Outcome::Ignore => VerdictName::Ignore,
        };
        let shown = verdict == VerdictName::Log;
        let envelope = &self.arrival.envelope;
        let outside = || {
            let everybody = envelope.from.iter().chain(envelope.recipients());
            everybody.map(|m| &m.address).find(|a| !self.mailbox.rules.is_colleague(a)).cloned()
        };
        Some(Event::Decided {
            account: self.mailbox.address.clone(),
            message: recorded.message,
            folder: self.folder.name.clone(),
            direction: decision.direction,
            verdict,
            rule: decision.rule,
            subject: shown.then(|| envelope.subject.clone()),
            with: shown.then(outside).flatten(),
            at: self.now,
        })
    }
}

/// The setting that holds the names on mail sent from a mailbox's own addresses.
pub(crate) fn own_names(mailbox: &Address) -> String {
    format!("own_names {mailbox}")
}

/// What the ledger knows of the ids and addresses on a message.
pub(crate) fn known(
    tx: &Tx<'_>,
    mailbox: &Mailbox,
    envelope: &Envelope,
    answer: Option<Answer>,
) -> Result<Known, StoreError> {
    let clues = clues(envelope).into_iter().map(|(_, clue)| clue);
    let mut threads = thread::known(tx, mailbox.id, clues)?;
    let addresses: Vec<Address> = envelope
        .from
        .iter()
        .chain(envelope.recipients())
        .map(|m| m.address.clone())
        .filter(|a| !mailbox.rules.is_own(a))
        .collect();
    let sender = envelope.from.as_ref().map(|m| &m.address);
    retention::recall(tx, &mut threads, sender, &addresses, &mailbox.contact_sources)?;
    let mut contacts: HashMap<Address, Contact> = HashMap::new();
    let mut contacts_complete = true;
    for source in &mailbox.contact_sources {
        for (address, found) in lookup(tx, source, &addresses, &mailbox.rules)? {
            contacts.entry(address).or_insert(found);
        }
        contacts_complete &= source == LOCAL || contact::cursor(tx, source)?.is_some_and(|c| c.complete);
    }
    let crm_has_contacts = mailbox.contact_sources.iter().any(|s| s != LOCAL);
    let sent_here = send::of_header(tx, mailbox.id, envelope)?.is_some_and(|send| send.state.may_be_sent());
    let relayed = relayed::word(tx, mailbox.id, &envelope.ids)?;
    let crm_addresses = own_record::of_crms(tx, &addresses)?;
    Ok(Known {
        threads,
        contacts,
        contacts_complete,
        answer,
        sent_here,
        relayed,
        crm_has_contacts,
        crm_addresses,
    })
}

/// The contact of each of these addresses that has one: by the address as it stands, without its tag, or by the one that the
/// person named.
fn lookup(
    tx: &Tx<'_>,
    source: &str,
    addresses: &[Address],
    rules: &Rules,
) -> Result<HashMap<Address, Contact>, StoreError> {
    let names = |a: &Address| [a.clone(), a.untagged(), rules.known_as(a).clone()];
    let mut all: Vec<Address> = addresses.iter().flat_map(names).collect();
    all.sort();
    all.dedup();
    let found = contact::lookup(tx, source, &all)?;
    let of = |a: &Address| names(a).iter().find_map(|name| found.get(name)).cloned();
    Ok(addresses.iter().filter_map(|a| Some((a.clone(), of(a)?))).collect())
}

/// A message that was kept out in one folder is not let in by a copy in another. What its text showed to be a calendar's
/// answer is let in by the person's word.
fn stays_out(before: Before, decision: &Decision) -> bool {
    let said = matches!(decision.rule, Rule::ToldToLog | Rule::KeywordLog | Rule::LogFolder);
    if before.rule == Rule::CalendarReply && before.outcome == Outcome::Ignore {
        return !said;
    }
    before.outcome == Outcome::Ignore
        && matches!(
            before.rule,
            Rule::KeywordNever
                | Rule::RelayNoLog
                | Rule::TakenOut
                | Rule::DeletedInCrm
                | Rule::NeverAddress
                | Rule::NeverDomain
                | Rule::NeverFolder
        )
}

#[cfg(test)]
mod tests;
