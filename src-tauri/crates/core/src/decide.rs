//! The one place that says what becomes of a message.
//!
//! `decide` is a pure function over the header of a message and what is known about the ids and addresses on
//! it. The rules are tried in the order in which they stand below; the first that speaks decides.

use crate::address::{Address, is_public_provider};
use crate::arrival::{Arrival, Role};
use crate::contact::Contact;
use crate::envelope::Machine;
use crate::id::MessageId;
use crate::record::{Association, Direction};
use crate::rule::{Answer, CreateContacts, LogMode, Rule, Rules};
use std::collections::{HashMap, HashSet};

/// The keyword with which a person asks for a message to be logged (PRODUCT B5).
pub const KEYWORD_LOG: &str = "$CrmLog";
/// The keyword that keeps a message out of the CRM.
pub const KEYWORD_NEVER: &str = "$CrmNever";

/// A logged conversation, as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownThread {
    /// The ledger's row.
    pub id: i64,
    /// Every address that took part so far.
    pub participants: HashSet<Address>,
    /// Whom its messages are logged on.
    pub contacts: Vec<Association>,
}

/// What the ledger knows about the ids and addresses on one message.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The logged thread of each id that the message answers or carries.
    pub threads: HashMap<MessageId, KnownThread>,
    /// The contact of each address on the message.
    pub contacts: HashMap<Address, Contact>,
    /// False while the first pull of the CRM's contacts is under way.
    pub contacts_complete: bool,
    /// What the person said of this message.
    pub answer: Option<Answer>,
    /// Mail is logged on contacts that the CRM has. Where not, it is logged on any address.
    pub crm_has_contacts: bool,
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
}

/// Where the message was seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub role: Role,
    /// The folder's full name, decoded.
    pub folder: &'a str,
}

/// Decides about one message.
pub fn decide(arrival: &Arrival, seen: Seen<'_>, known: &Known, rules: &Rules) -> Decision {
    let envelope = &arrival.envelope;
    let direction = direction(arrival, seen, rules);
    let (verdict, rule) = verdict(arrival, seen, known, rules, direction);
    // For the CRM a colleague's mail to somebody outside went out too, though another person wrote it.
    let went_out = envelope.from.as_ref().is_some_and(|from| rules.is_colleague(&from.address))
        && envelope.recipients().iter().any(|to| !rules.is_colleague(&to.address));
    let direction = if went_out { Direction::Outgoing } else { direction };
    debug_assert!(
        !matches!(&verdict, Verdict::Log { contacts, .. } if contacts.is_empty()),
        "a message is logged on somebody: {:?}",
        envelope.key
    );
    Decision { verdict, rule, direction }
}

/// Outgoing where From is one of the person's own addresses, or where the message lies in a Sent folder and comes
/// from a colleague's domain (an alias that was not told yet, a shared mailbox).
fn direction(arrival: &Arrival, seen: Seen<'_>, rules: &Rules) -> Direction {
    match &arrival.envelope.from {
        Some(from) if rules.is_own(&from.address) => Direction::Outgoing,
        Some(from) if seen.role == Role::Sent && rules.is_colleague(&from.address) => Direction::Outgoing,
        None if seen.role == Role::Sent => Direction::Outgoing,
        _ => Direction::Incoming,
    }
}

fn verdict(
    arrival: &Arrival,
    seen: Seen<'_>,
    known: &Known,
    rules: &Rules,
    direction: Direction,
) -> (Verdict, Rule) {
    let ignore = |rule| (Verdict::Ignore, rule);
    let envelope = &arrival.envelope;

    // 1. What must never be logged, whatever else is true.
    if arrival.has_flag(KEYWORD_NEVER) {
        return ignore(Rule::KeywordNever);
    }
    if rules.never_folders.iter().any(|f| f == seen.folder) {
        return ignore(Rule::NeverFolder);
    }
    let everybody = everybody(arrival);
    if everybody.iter().any(|a| rules.never_addresses.contains(a)) {
        return ignore(Rule::NeverAddress);
    }
    if everybody.iter().any(|a| rules.never_domains.iter().any(|d| a.is_under(d))) {
        return ignore(Rule::NeverDomain);
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

    // 2. Who is outside? A mail among colleagues is never logged.
    let outside: Vec<&Address> = everybody.iter().copied().filter(|a| !rules.is_colleague(a)).collect();
    if outside.is_empty() {
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

    // 3. The person's own word and gesture.
    if known.answer == Some(Answer::Log) {
        let people = People { may_create: true, ..people };
        let joins = thread_of(arrival, known);
        let thread = joins.map_or(Thread::New, |t| Thread::Join(t.id));
        return people.log(thread, people.on_record(joins), Rule::ToldToLog);
    }
    if arrival.has_flag(KEYWORD_LOG) {
        let joins = thread_of(arrival, known);
        let thread = joins.map_or(Thread::New, |t| Thread::Join(t.id));
        return people.log(thread, people.on_record(joins), Rule::KeywordLog);
    }

    // 4. What no person wrote. The person's own mail to a list is still the person's own, and so is the answer of somebody
    // in a logged conversation: a shared address (sales@) is often a list that passes answers on.
    if direction == Direction::Incoming {
        let answers = || thread_of(arrival, known).is_some_and(|thread| belongs(from, thread, rules));
        match envelope.machine {
            Some(Machine::Bounce) => return ignore(Rule::Bounce),
            Some(Machine::AutoReply) => return ignore(Rule::AutoReply),
            Some(Machine::List) if !answers() => return ignore(Rule::Newsletter),
            Some(Machine::List) | None => {}
        }
    }

    // 5. A conversation that is logged already.
    if let Some(thread) = thread_of(arrival, known) {
        let join = Thread::Join(thread.id);
        return match direction {
            Direction::Outgoing => {
                let contacts = people.contacts();
                let fits = outside.iter().any(|a| thread.participants.contains(*a));
                match (contacts.is_empty(), fits) {
                    (false, true) => people.log(join, contacts, Rule::SentInLoggedThread),
                    (false, false) => people.log(Thread::New, contacts, Rule::SentToContact),
                    (true, true) => {
                        people.log(join, people.on_record(Some(thread)), Rule::SentInLoggedThread)
                    }
                    (true, false) => people.strangers(rules),
                }
            }
            Direction::Incoming if belongs(from, thread, rules) => {
                let contacts = match people.contacts() {
                    none if none.is_empty() && !thread.contacts.is_empty() => thread.contacts.clone(),
                    none if none.is_empty() => people.on_record(None),
                    some => some,
                };
                people.log(join, contacts, Rule::ReplyInLoggedThread)
            }
            Direction::Incoming => (Verdict::Ask, Rule::StrangerInThread),
        };
    }

    // 6. A new conversation.
    match (rules.mode, direction) {
        (LogMode::OnlyWhenISay, _) => ignore(Rule::OnlyWhenISay),
        (LogMode::EveryoneOutside, Direction::Outgoing) => people.strangers(rules),
        (LogMode::EveryoneOutside, Direction::Incoming) => {
            people.log(Thread::New, people.on_record(None), Rule::ReceivedFromOutsider)
        }
        (LogMode::KnownContacts, Direction::Outgoing) => match people.contacts() {
            none if none.is_empty() => people.strangers(rules),
            contacts => people.log(Thread::New, contacts, Rule::SentToContact),
        },
        (LogMode::KnownContacts, Direction::Incoming) => match known.contacts.contains_key(from) {
            true => (Verdict::Ask, Rule::NewFromContact),
            false if !known.contacts_complete => (Verdict::Hold, Rule::ContactsNotLoaded),
            false => ignore(Rule::UnknownSender),
        },
    }
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

    /// Logs on these people. With nobody to log it on, the person is asked.
    fn log(&self, thread: Thread, contacts: Vec<Association>, rule: Rule) -> (Verdict, Rule) {
        match (contacts.is_empty(), self.known.contacts_complete) {
            (false, _) => (Verdict::Log { thread, contacts }, rule),
            (true, false) => (Verdict::Hold, Rule::ContactsNotLoaded),
            (true, true) => (Verdict::Ask, Rule::NoContact),
        }
    }

    /// A mail from the person to people outside of whom none is a contact, or where that does not matter.
    fn strangers(&self, rules: &Rules) -> (Verdict, Rule) {
        let everyone = rules.mode == LogMode::EveryoneOutside;
        if !everyone && !self.known.contacts_complete {
            return (Verdict::Hold, Rule::ContactsNotLoaded);
        }
        match rules.mode {
            LogMode::OnlyWhenISay => (Verdict::Ignore, Rule::OnlyWhenISay),
            LogMode::KnownContacts if !self.may_create => (Verdict::Ask, Rule::UnknownRecipient),
            LogMode::EveryoneOutside | LogMode::KnownContacts => match self.on_record(None) {
                none if none.is_empty() && self.known.contacts_complete => {
                    (Verdict::Ask, Rule::UnknownRecipient)
                }
                people => self.log(Thread::New, people, Rule::SentToOutsider),
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

/// The logged thread that the message belongs to: by its own ids first, then by what it answers, nearest first.
fn thread_of<'a>(arrival: &Arrival, known: &'a Known) -> Option<&'a KnownThread> {
    let own = arrival.envelope.ids.iter();
    let parents = arrival.envelope.parents();
    own.chain(parents.iter()).find_map(|id| known.threads.get(id))
}

/// Whether somebody may speak in a thread: a participant, a colleague, or a colleague of a participant.
/// Merely quoting a logged id is not enough.
fn belongs(from: &Address, thread: &KnownThread, rules: &Rules) -> bool {
    let same_firm = |p: &Address| p.domain() == from.domain() && !is_public_provider(from.domain());
    rules.is_colleague(from)
        || thread.participants.contains(from)
        || thread.participants.iter().any(same_firm)
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
