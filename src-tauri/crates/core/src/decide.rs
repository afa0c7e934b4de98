//! The one place that says what becomes of a message.
//!
//! `decide` is a pure function over the header of a message and what is known about the ids and addresses on
//! it. The rules are tried in the order in which they stand below; the first that speaks decides. To which conversation a
//! message belongs is found by [`crate::matching`].

use crate::address::Address;
use crate::arrival::{Arrival, Role, is_log_folder};
use crate::contact::Contact;
use crate::envelope::Machine;
use crate::hidden::{self, Hidden};
pub use crate::matching::KnownThread;
use crate::matching::{Clue, Confidence, Link, clues, forwards, within_window};
use crate::record::{Association, Direction};
use crate::rule::{Answer, CreateContacts, LogMode, Participants, Rule, Rules};
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The keyword with which a person asks for a message to be logged (PRODUCT B5).
pub const KEYWORD_LOG: &str = "$CrmLog";
/// The keyword that keeps a message out of the CRM.
pub const KEYWORD_NEVER: &str = "$CrmNever";

/// How much older than the mailbox's beginning mail may be that counts as new: clocks differ, and mail waits on its way.
const OLDER: SignedDuration = SignedDuration::from_hours(48);

/// What the ledger knows about the ids and addresses on one message.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The logged threads of each clue on the message, the one with the newest message first.
    pub threads: HashMap<Clue, Vec<Arc<KnownThread>>>,
    /// The contact of each address on the message.
    pub contacts: HashMap<Address, Contact>,
    /// False while the first pull of the CRM's contacts is under way.
    pub contacts_complete: bool,
    /// What the person said of this message.
    pub answer: Option<Answer>,
    /// It went out through Threadline itself.
    pub sent_here: bool,
    /// What the person said of it by the relay's switch, as they sent it (`+log`, `+nolog`).
    pub relayed: Option<Answer>,
    /// Mail is logged on contacts that the CRM has. Where not, it is logged on any address.
    pub crm_has_contacts: bool,
    /// Those addresses on the message that are a CRM's own: it logs by itself what is sent there.
    pub crm_addresses: Vec<Address>,
}

/// Which thread a logged message joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thread {
    /// The ledger's row of a thread that is there.
    Join(i64),
    /// A new one.
    New,
}

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Its body is fetched, and it goes to the CRM.
    Log { thread: Thread, contacts: Vec<Association> },
    /// Nothing of it is kept but hashes.
    Ignore,
    /// Its header is kept until the person answers.
    Ask,
    /// It is decided again when what is missing is there.
    Hold,
}

/// A verdict and the rule that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub verdict: Verdict,
    pub rule: Rule,
    pub direction: Direction,
    /// By what it is tied to the conversation that it joins, or of which it is asked.
    pub link: Option<Link>,
    /// The logged conversation that a sent mail names, and whose people it does not go to: a new one begins (PRODUCT R8).
    pub apart_from: Option<i64>,
    /// Contacts to whom it went in Bcc beside others: it is logged on each of them alone, in a conversation of their own.
    pub hidden: Vec<Hidden>,
}

/// Where the message was seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub role: Role,
    /// The folder's full name, decoded.
    pub folder: &'a str,
    /// Since when mail is logged; `None` where older mail was asked for too.
    pub begins: Option<Timestamp>,
}

/// Decides about one message.
pub fn decide(arrival: &Arrival, seen: Seen<'_>, known: &Known, rules: &Rules) -> Decision {
    let envelope = &arrival.envelope;
    let claims_own =
        envelope.from.as_ref().is_some_and(|from| rules.is_own(&from.address)) && !arrival.is_sent(seen.role);
    let direction = direction(arrival, seen, rules, claims_own);
    let (mut verdict, rule, mut link) = verdict(arrival, seen, known, rules, direction, claims_own);
    // For the CRM a colleague's mail to somebody outside went out too, though another person wrote it.
    let went_out = !claims_own
        && envelope.from.as_ref().is_some_and(|from| rules.is_colleague(&from.address))
        && envelope.recipients().iter().any(|to| !rules.is_colleague(&to.address));
    // What the person says of a mail under their own name is believed.
    let by_word =
        [Rule::KeywordLog, Rule::LogFolder, Rule::ToldToLog, Rule::SentByThreadline, Rule::RelayLog];
    let confirmed = claims_own && by_word.contains(&rule);
    let direction = if went_out || confirmed { Direction::Outgoing } else { direction };
    debug_assert!(
        !matches!(&verdict, Verdict::Log { contacts, .. } if contacts.is_empty()),
        "a message is logged on somebody: {:?}",
        envelope.key
    );
    let mut hidden = Vec::new();
    if let Verdict::Log { thread, contacts } = &mut verdict
        && direction == Direction::Outgoing
    {
        let ties = ties(arrival, known);
        let open = |t: &&Tie<'_>| t.link.confidence() > Confidence::Guess;
        let ties: Vec<_> = ties.iter().filter(open).map(|tie| (tie.link, tie.thread)).collect();
        if rule == Rule::CrmAddress {
            hidden::keep_open(&arrival.envelope, contacts);
        } else if let Some(split) = hidden::split(&arrival.envelope, contacts, &ties, known) {
            (*thread, link, *contacts, hidden) = (split.thread, split.link, split.open, split.hidden);
        }
    }
    let begins = matches!(verdict, Verdict::Log { thread: Thread::New, .. });
    let named = || ties(arrival, known).into_iter().find(|t| t.link.confidence() > Confidence::Guess);
    let apart_from = if begins && hidden.is_empty() { named().map(|tie| tie.thread.id) } else { None };
    Decision { verdict, rule, direction, link, apart_from, hidden }
}

/// Outgoing where From is one of the person's own addresses and the server has it among what was sent, or where the message
/// lies in a Sent folder and comes from a colleague's domain (an alias that was not told yet, a shared mailbox).
fn direction(arrival: &Arrival, seen: Seen<'_>, rules: &Rules, claims_own: bool) -> Direction {
    match &arrival.envelope.from {
        Some(from) if rules.is_own(&from.address) && !claims_own => Direction::Outgoing,
        Some(from) if is_sent(arrival, seen) && rules.is_colleague(&from.address) => Direction::Outgoing,
        None if seen.role == Role::Sent => Direction::Outgoing,
        _ => Direction::Incoming,
    }
}

/// In a Sent folder or, where one folder holds all, under the label that says so.
pub(crate) fn is_sent(arrival: &Arrival, seen: Seen<'_>) -> bool {
    arrival.is_sent(seen.role) && (seen.role == Role::Sent || arrival.labels.is_some())
}

fn verdict(
    arrival: &Arrival,
    seen: Seen<'_>,
    known: &Known,
    rules: &Rules,
    direction: Direction,
    claims_own: bool,
) -> (Verdict, Rule, Option<Link>) {
    let ignore = |rule| (Verdict::Ignore, rule, None);
    let envelope = &arrival.envelope;

    // 1. What must never be logged, whatever else is true.
    if arrival.has_flag(KEYWORD_NEVER) {
        return ignore(Rule::KeywordNever);
    }
    if rules.never_folders.iter().any(|f| f == seen.folder) {
        return ignore(Rule::NeverFolder);
    }
    let everybody = everybody(arrival);
    if everybody.iter().any(|a| rules.is_never_address(a)) {
        return ignore(Rule::NeverAddress);
    }
    if everybody.iter().any(|a| rules.never_domains.iter().any(|d| a.is_under(d))) {
        return ignore(Rule::NeverDomain);
    }
    if rules.has_never_word(&envelope.subject) {
        return ignore(Rule::NeverWord);
    }
    if direction == Direction::Outgoing && rules.is_private(arrival.time()) {
        return ignore(Rule::PrivateTime);
    }
    if arrival.has_flag("\\Draft") {
        return ignore(Rule::Draft);
    }
    let Some(from) = envelope.from.as_ref().map(|m| &m.address) else {
        return ignore(Rule::NoSender);
    };

    if known.answer == Some(Answer::Ignore) {
        return ignore(Rule::ToldNotTo);
    }
    // What is said later counts more.
    let switch = known.relayed.filter(|_| known.answer.is_none());
    if switch == Some(Answer::Ignore) {
        return ignore(Rule::RelayNoLog);
    }

    // 2. Who is outside? A mail among colleagues is never logged.
    let is_crms = |a: &Address| known.crm_addresses.contains(a);
    let is_outside = |a: &&Address| !rules.is_colleague(a) && !rules.is_logging(a) && !is_crms(a);
    let to_crm = direction == Direction::Outgoing && everybody.iter().any(|a| is_crms(a));
    let outside: Vec<&Address> = everybody.iter().copied().filter(is_outside).collect();
    if outside.is_empty() && to_crm {
        return ignore(Rule::CrmAddress);
    }
    if outside.is_empty() {
        // Forwarded to the logging address, or to oneself and marked: what is to be logged is the original.
        let to_log = direction == Direction::Outgoing && everybody.iter().any(|a| rules.is_logging(a));
        let marked = arrival.has_flag(KEYWORD_LOG) || is_log_folder(seen.folder);
        if forwards(envelope) && (to_log || marked) && rules.is_own(from) {
            return (Verdict::Hold, Rule::ForwardToLog, None);
        }
        // Delivery reports come from the firm's own server more often than not.
        if direction == Direction::Incoming && envelope.machine == Some(Machine::Bounce) {
            return ignore(Rule::Bounce);
        }
        return ignore(match everybody.iter().all(|a| rules.is_own(a)) {
            true => Rule::OnlyOwnAddresses,
            false => Rule::OnlyColleagues,
        });
    }
    let people = People { arrival, outside: &outside, known, may_create: may_create(rules, direction) };
    let ties = ties(arrival, known);
    let fits = |tie: &&Tie<'_>| match direction {
        Direction::Outgoing => tie.thread.fits(&outside, &known.contacts, forwards(envelope)),
        Direction::Incoming => tie.thread.may_speak(from, &known.contacts, rules),
    };
    let sure = ties.iter().filter(|tie| tie.link.confidence() > Confidence::Guess);
    let fitting = sure.clone().find(fits).map(|first| {
        // Of conversations that share the mail, the one in which the sender takes part, before that of a colleague of theirs.
        let own = |tie: &&Tie<'_>| tie.link == first.link && tie.thread.took_part(from, &known.contacts);
        let incoming = direction == Direction::Incoming;
        sure.clone().find(|tie| incoming && own(tie)).unwrap_or(first)
    });
    let guess = || {
        let mut guesses = ties.iter().filter(|tie| tie.link.confidence() == Confidence::Guess);
        guesses.find(|tie| within_window(tie.thread, arrival.time()) && fits(tie))
    };

    // 3. The person's own word and gesture. An answer says that whoever was asked about belongs.
    let copied = direction == Direction::Outgoing && everybody.iter().any(|a| rules.is_logging(a));
    let told = [
        // First, since it says how the mail comes to the CRM.
        (to_crm, Rule::CrmAddress),
        (known.answer == Some(Answer::Log), Rule::ToldToLog),
        (known.sent_here, Rule::SentByThreadline),
        (arrival.has_flag(KEYWORD_LOG), Rule::KeywordLog),
        (switch == Some(Answer::Log), Rule::RelayLog),
        (is_log_folder(seen.folder), Rule::LogFolder),
        (copied, Rule::LoggingAddress),
    ];
    let told = told.into_iter().find_map(|(is, rule)| is.then_some(rule));
    if let Some(rule) = told {
        let may_create = people.may_create || rule == Rule::ToldToLog;
        let people = People { may_create, ..people };
        let tie = match (direction, rule) {
            (Direction::Outgoing, _) => fitting,
            (Direction::Incoming, Rule::ToldToLog) => fitting.or(sure.clone().next()).or_else(guess),
            (Direction::Incoming, _) => fitting.or(sure.clone().next()),
        };
        let contacts = match people.on_record(tie.map(|t| t.thread)) {
            // The CRM has made a contact by its own rules, or will.
            none if none.is_empty() && rule == Rule::CrmAddress => people.associations(&outside),
            some => some,
        };
        return people.log(tie, contacts, rule);
    }

    // 4. What no person wrote. The person's own mail to a list is still the person's own, and so is the answer of somebody
    // in a logged conversation: a shared address (sales@) is often a list that passes answers on.
    if direction == Direction::Incoming {
        match envelope.machine {
            Some(Machine::Bounce) => return ignore(Rule::Bounce),
            Some(Machine::AutoReply) => return ignore(Rule::AutoReply),
            Some(Machine::CalendarReply) => return ignore(Rule::CalendarReply),
            Some(Machine::ReadReceipt) => return ignore(Rule::ReadReceipt),
            Some(Machine::List) if fitting.is_none() => return ignore(Rule::Newsletter),
            Some(Machine::List) | None => {}
        }
    }

    // 5. A mail under the person's own name that the server does not have among what was sent: a forgery, or a copy to
    // oneself. Where the copy in Sent comes up, that one counts.
    if claims_own {
        let concerns = fitting.is_some() || !people.contacts().is_empty();
        return match (concerns, known.contacts_complete) {
            (true, _) => (Verdict::Ask, Rule::OwnNotInSent, fitting.map(|t| t.link)),
            (false, false) => (Verdict::Hold, Rule::ContactsNotLoaded, None),
            (false, true) => ignore(Rule::OwnNotInSent),
        };
    }

    // 6. A conversation that is logged already.
    if let Some(tie) = fitting {
        let contacts = match (people.contacts(), direction) {
            (none, Direction::Incoming) if none.is_empty() && !tie.thread.contacts.is_empty() => {
                tie.thread.contacts.clone()
            }
            (none, _) if none.is_empty() => people.on_record(Some(tie.thread)),
            (some, _) => some,
        };
        let rule = match direction {
            Direction::Outgoing => Rule::SentInLoggedThread,
            Direction::Incoming => Rule::ReplyInLoggedThread,
        };
        return people.log(Some(tie), contacts, rule);
    }
    // Somebody quotes a logged mail who has no part in it. What the person passes on to somebody new begins a conversation.
    if let (Direction::Incoming, Some(tie)) = (direction, sure.clone().next()) {
        return (Verdict::Ask, Rule::StrangerInThread, Some(tie.link));
    }

    // 7. What is older than the mailbox's beginning was copied into a folder that is watched.
    if seen.begins.is_some_and(|begins| is_older(arrival, begins)) {
        return ignore(Rule::OlderThanBeginning);
    }

    // 8. Somebody who took part in a logged conversation answers under its subject, and says not which mail.
    if direction == Direction::Incoming
        && rules.mode != LogMode::OnlyWhenISay
        && let Some(tie) = guess()
    {
        return (Verdict::Ask, Rule::SameSubject, Some(tie.link));
    }

    // 9. A new conversation.
    match (rules.mode, direction) {
        (LogMode::OnlyWhenISay, _) => ignore(Rule::OnlyWhenISay),
        (LogMode::EveryoneOutside, Direction::Outgoing) => people.strangers(rules),
        (LogMode::EveryoneOutside, Direction::Incoming) => {
            people.log(None, people.on_record(None), Rule::ReceivedFromOutsider)
        }
        (LogMode::KnownContacts, Direction::Outgoing) => match people.contacts() {
            none if none.is_empty() => people.strangers(rules),
            _ if rules.participants == Participants::All && !people.are_all_contacts() => {
                people.strangers(rules)
            }
            contacts => people.log(None, contacts, Rule::SentToContact),
        },
        (LogMode::KnownContacts, Direction::Incoming) => match known.contacts.contains_key(from) {
            true => (Verdict::Ask, Rule::NewFromContact, None),
            false if !known.contacts_complete => (Verdict::Hold, Rule::ContactsNotLoaded, None),
            false => ignore(Rule::UnknownSender),
        },
    }
}

/// Whether a message is of a time before mail was logged here, by the server's date: COPY and MOVE keep it (RFC 9051 §6.4.7).
/// A computer whose clock is wrong sends mail with a wrong date of its own, which says nothing.
pub(crate) fn is_older(arrival: &Arrival, begins: Timestamp) -> bool {
    begins.checked_sub(OLDER).is_ok_and(|limit| arrival.internal_date < limit)
}

/// A logged conversation, and by what the message is tied to it.
struct Tie<'a> {
    link: Link,
    thread: &'a KnownThread,
}

/// The logged conversations that the message may belong to, the surest link first.
fn ties<'a>(arrival: &Arrival, known: &'a Known) -> Vec<Tie<'a>> {
    let of =
        |(link, clue)| known.threads.get(&clue).into_iter().flatten().map(move |thread| Tie { link, thread });
    clues(&arrival.envelope).into_iter().flat_map(of).collect()
}

/// Contacts are made only for people that the person wrote to, and only where the rules say so.
fn may_create(rules: &Rules, direction: Direction) -> bool {
    rules.create_contacts == CreateContacts::WhenIWrite && direction == Direction::Outgoing
}

/// The people outside on a message.
struct People<'a> {
    arrival: &'a Arrival,
    outside: &'a [&'a Address],
    known: &'a Known,
    may_create: bool,
}

impl People<'_> {
    /// Those who are contacts.
    fn contacts(&self) -> Vec<Association> {
        let known: Vec<&Address> =
            self.outside.iter().copied().filter(|a| self.known.contacts.contains_key(*a)).collect();
        self.associations(&known)
    }

    fn are_all_contacts(&self) -> bool {
        self.outside.iter().all(|a| self.known.contacts.contains_key(*a))
    }

    /// All on whom a message can be logged: everybody, or only contacts where the CRM has its own and none is to be made.
    /// Where that is nobody, those on whom the conversation is logged.
    fn on_record(&self, thread: Option<&KnownThread>) -> Vec<Association> {
        let people = match self.known.crm_has_contacts && !self.may_create {
            true => self.contacts(),
            false => self.associations(self.outside),
        };
        match thread {
            Some(thread) if people.is_empty() => thread.contacts.clone(),
            _ => people,
        }
    }

    /// Logs on these people, in the conversation that the message is tied to or in a new one. With nobody to log it on, the
    /// person is asked.
    fn log(
        &self,
        tie: Option<&Tie<'_>>,
        contacts: Vec<Association>,
        rule: Rule,
    ) -> (Verdict, Rule, Option<Link>) {
        let thread = tie.map_or(Thread::New, |tie| Thread::Join(tie.thread.id));
        match (contacts.is_empty(), self.known.contacts_complete) {
            (false, _) => (Verdict::Log { thread, contacts }, rule, tie.map(|t| t.link)),
            (true, false) => (Verdict::Hold, Rule::ContactsNotLoaded, None),
            (true, true) => (Verdict::Ask, Rule::NoContact, tie.map(|t| t.link)),
        }
    }

    /// A mail from the person to people outside of whom none is a contact, or where that does not matter.
    fn strangers(&self, rules: &Rules) -> (Verdict, Rule, Option<Link>) {
        let everyone = rules.mode == LogMode::EveryoneOutside;
        if !everyone && !self.known.contacts_complete {
            return (Verdict::Hold, Rule::ContactsNotLoaded, None);
        }
        match rules.mode {
            LogMode::OnlyWhenISay => (Verdict::Ignore, Rule::OnlyWhenISay, None),
            LogMode::KnownContacts if !self.may_create => (Verdict::Ask, Rule::UnknownRecipient, None),
            LogMode::EveryoneOutside | LogMode::KnownContacts => match self.on_record(None) {
                none if none.is_empty() && self.known.contacts_complete => {
                    (Verdict::Ask, Rule::UnknownRecipient, None)
                }
                people => self.log(None, people, Rule::SentToOutsider),
            },
        }
    }

    /// Who the message is logged on: one entry a contact, whatever number of its addresses stand on the mail.
    fn associations(&self, outside: &[&Address]) -> Vec<Association> {
        let envelope = &self.arrival.envelope;
        let named = |a: &Address| {
            let from = envelope.from.iter();
            from.chain(envelope.recipients()).find(|m| m.address == *a).and_then(|m| m.name.clone())
        };
        let mut ids = HashSet::new();
        outside
            .iter()
            .filter_map(|address| match self.known.contacts.get(*address) {
                Some(contact) => ids.insert(contact.remote_id.as_str()).then(|| Association {
                    address: (*address).clone(),
                    name: contact.name.clone().or_else(|| named(address)),
                    remote_id: Some(contact.remote_id.clone()),
                    may_create: self.may_create,
                }),
                None => Some(Association {
                    address: (*address).clone(),
                    name: named(address),
                    remote_id: None,
                    may_create: self.may_create,
                }),
            })
            .collect()
    }
}

/// Every address on the message, the sender's first, each once.
fn everybody(arrival: &Arrival) -> Vec<&Address> {
    let mut all: Vec<&Address> = Vec::new();
    let mut seen = HashSet::new();
    let from = arrival.envelope.from.iter();
    for mailbox in from.chain(arrival.envelope.recipients()) {
        if seen.insert(&mailbox.address) {
            all.push(&mailbox.address);
        }
    }
    all
}
