//! How a message is tied to a logged conversation: named links, each with a confidence, in the order of [`Link::ALL`].
//!
//! A link alone logs nothing. The people on the message must fit the conversation ([`KnownThread::fits`],
//! [`KnownThread::may_speak`]), and where the confidence is [`Confidence::Guess`] the person is asked in any case.

use crate::address::{Address, is_public_provider};
use crate::contact::Contact;
use crate::envelope::Envelope;
use crate::id::{MessageId, ThreadRoot};
use crate::record::{Association, Direction};
use crate::rule::Rules;
use crate::subject::{self, Prefix};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::fmt;

/// By what a message is tied to a conversation, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// An id of its own is that of a logged message: it is that message, under whichever of its ids.
    OwnId,
    /// An id in its References, the nearest first.
    References,
    /// An id in its In-Reply-To, between whatever prose.
    InReplyTo,
    /// The root of Exchange's Thread-Index.
    ThreadIndex,
    /// The base subject, from somebody who took part, within [`WINDOW`].
    Subject,
}

/// How sure a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Never enough to log a message without asking.
    Guess,
    /// Programs keep it on what they pass on too.
    Likely,
    /// Written by the program of whoever answered.
    High,
    /// The same message.
    Certain,
}

/// How far a subject may lie from the newest message of its conversation.
pub const WINDOW: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Most people of one message by whom its subject is found again.
const MOST_PEOPLE: usize = 20;
/// Subjects under so many letters and digits ("Hi", "Re:") tell nothing.
const LEAST_SUBJECT: usize = 4;

impl Link {
    /// In the order in which they are tried.
    pub const ALL: &[Link] =
        &[Link::OwnId, Link::References, Link::InReplyTo, Link::ThreadIndex, Link::Subject];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Link::OwnId => "own_id",
            Link::References => "references",
            Link::InReplyTo => "in_reply_to",
            Link::ThreadIndex => "thread_index",
            Link::Subject => "subject",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|l| l.name() == name)
    }

    pub fn confidence(self) -> Confidence {
        match self {
            Link::OwnId => Confidence::Certain,
            Link::References | Link::InReplyTo => Confidence::High,
            Link::ThreadIndex => Confidence::Likely,
            Link::Subject => Confidence::Guess,
        }
    }

    /// One sentence for a person.
    pub fn explanation(self) -> &'static str {
        match self {
            Link::OwnId => "It goes by the id of a logged message.",
            Link::References => "Its References name a logged message.",
            Link::InReplyTo => "Its In-Reply-To names a logged message.",
            Link::ThreadIndex => "Exchange counts it to the conversation of a logged message.",
            Link::Subject => "It has the subject of a logged conversation, and is from somebody in it.",
        }
    }
}

/// Something on a message by which a conversation is found. A ledger keeps a keyed hash of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Clue {
    Id(MessageId),
    Root(ThreadRoot),
    /// Who took part, and the base subject in lower case.
    Subject(Address, String),
}

/// Subjects and addresses are private text, and a debug print may reach a log.
impl fmt::Debug for Clue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Clue::Id(_) => "Clue::Id",
            Clue::Root(_) => "Clue::Root",
            Clue::Subject(..) => "Clue::Subject",
        })
    }
}

/// A logged conversation, as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownThread {
    /// The ledger's row.
    pub id: i64,
    /// Every address that took part so far.
    pub participants: HashSet<Address>,
    /// Whom its messages are logged on.
    pub contacts: Vec<Association>,
    /// The time of its newest message.
    pub last: Timestamp,
}

impl KnownThread {
    /// Whether a mail from the person to these people belongs in it. A mail to somebody new, a colleague of one who took
    /// part too, is another conversation where it forwards.
    pub fn fits(&self, outside: &[&Address], contacts: &HashMap<Address, Contact>, forwards: bool) -> bool {
        outside.iter().any(|a| self.took_part(a, contacts) || (!forwards && self.is_firm_of_one(a)))
    }

    /// Whether somebody may speak in it: who took part, by any address that is known of them, a colleague of theirs or of the
    /// person. Merely quoting a logged id is not enough.
    pub fn may_speak(&self, from: &Address, contacts: &HashMap<Address, Contact>, rules: &Rules) -> bool {
        rules.is_colleague(from)
            || self.took_part(rules.known_as(from), contacts)
            || self.took_part(from, contacts)
            || self.is_firm_of_one(from)
    }

    pub(crate) fn took_part(&self, who: &Address, contacts: &HashMap<Address, Contact>) -> bool {
        let is_in = |a: &Address| self.participants.contains(a) || self.participants.contains(&a.untagged());
        let is_logged_on = |c: &Contact| {
            c.addresses.iter().any(is_in)
                || self.contacts.iter().any(|a| a.remote_id.as_deref() == Some(c.remote_id.as_str()))
        };
        is_in(who)
            || self.participants.iter().any(|p| p.untagged() == *who)
            || contacts.get(who).is_some_and(is_logged_on)
    }

    fn is_firm_of_one(&self, who: &Address) -> bool {
        !is_public_provider(who.domain()) && self.participants.iter().any(|p| p.domain() == who.domain())
    }
}

/// What a message says of the conversation that it belongs to, in the order in which it is tried.
pub fn clues(envelope: &Envelope) -> Vec<(Link, Clue)> {
    let mut all: Vec<(Link, Clue)> = Vec::new();
    let mut seen: HashSet<&MessageId> = HashSet::new();
    let references = envelope.references.iter().rev().map(|id| (Link::References, id));
    let in_reply_to = envelope.in_reply_to.iter().map(|id| (Link::InReplyTo, id));
    for (link, id) in envelope.ids.iter().map(|id| (Link::OwnId, id)).chain(references).chain(in_reply_to) {
        if seen.insert(id) {
            all.push((link, Clue::Id(id.clone())));
        }
    }
    all.extend(answered(envelope));
    all
}

/// What a message answers by, besides ids.
pub fn answered(envelope: &Envelope) -> Vec<(Link, Clue)> {
    let root = envelope.thread_root.map(|root| (Link::ThreadIndex, Clue::Root(root)));
    let answer = matches!(subject::peel(&envelope.subject), Some((Prefix::Reply | Prefix::Either, _)));
    let from = envelope.from.as_ref().filter(|_| answer && envelope.machine.is_none());
    let subject = from
        .zip(base(envelope))
        .map(|(from, base)| (Link::Subject, Clue::Subject(from.address.untagged(), base)));
    root.into_iter().chain(subject).collect()
}

/// By what a logged message is found, besides its ids: by whoever answers it.
pub fn traces(envelope: &Envelope, direction: Direction) -> Vec<Clue> {
    let root = envelope.thread_root.map(Clue::Root);
    let people: Vec<&Address> = match direction {
        Direction::Outgoing => envelope.recipients().into_iter().map(|m| &m.address).collect(),
        Direction::Incoming => envelope.from.iter().map(|m| &m.address).collect(),
    };
    let subjects = base(envelope).into_iter().flat_map(|base| {
        let clue = move |a: &Address| Clue::Subject(a.untagged(), base.clone());
        people.iter().take(MOST_PEOPLE).map(|a| clue(a)).collect::<Vec<_>>()
    });
    root.into_iter().chain(subjects).collect()
}

/// The subject that several messages share; `None` where it tells too little.
fn base(envelope: &Envelope) -> Option<String> {
    let base = subject::base(&envelope.subject).to_lowercase();
    (base.chars().filter(|c| c.is_alphanumeric()).count() >= LEAST_SUBJECT).then_some(base)
}

/// True where a message passes on another one: its subject or its header says so.
pub fn forwards(envelope: &Envelope) -> bool {
    !envelope.forwarded.is_empty() || forwards_by(&envelope.subject)
}

/// The same by the subject alone.
pub fn forwards_by(subject: &str) -> bool {
    matches!(subject::peel(subject), Some((Prefix::Forward, _)))
}

/// True where two messages lie near enough for their subjects to count.
pub fn within_window(thread: &KnownThread, time: Timestamp) -> bool {
    thread.last.duration_since(time).abs() <= WINDOW
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(header: &str) -> Envelope {
        Envelope::parse(format!("{header}\n\n").replace('\n', "\r\n").as_bytes())
    }

    fn links(header: &str) -> Vec<(Link, String)> {
        let show = |(link, clue)| match clue {
            Clue::Id(id) => (link, id.to_string()),
            Clue::Root(_) => (link, String::new()),
            Clue::Subject(who, base) => (link, format!("{who} {base}")),
        };
        clues(&envelope(header)).into_iter().map(show).collect()
    }

    #[test]
    fn the_table_is_in_order_and_only_the_last_link_is_a_guess() {
        assert!(Link::ALL.windows(2).all(|w| w[0] < w[1] && w[0].confidence() >= w[1].confidence()));
        for link in Link::ALL {
            assert_eq!(Link::from_name(link.name()), Some(*link));
            assert_eq!(link.confidence() == Confidence::Guess, *link == Link::Subject);
            assert!(link.explanation().ends_with('.'));
        }
    }

    #[test]
    fn clues_come_in_the_order_of_the_table() {
        let root = "Thread-Index: AdLUZmZmZmZmZmZmZmZmZmZmZmZmZg==";
        let found = links(&format!(
            "Message-ID: <new@x>\nX-Microsoft-Original-Message-ID: <old@x>\nReferences: <r@x> <p@x>\n\
             In-Reply-To: Bob's mail of Monday <q@x>, bob@x.example <p@x>\n{root}\nFrom: Bob+x@c.example\nSubject: AW: Re: The offer"
        ));
        let found: Vec<(Link, &str)> = found.iter().map(|(l, t)| (*l, t.as_str())).collect();
        assert_eq!(
            found,
            [
                (Link::OwnId, "old@x"),
                (Link::OwnId, "new@x"),
                (Link::References, "p@x"),
                (Link::References, "r@x"),
                (Link::InReplyTo, "q@x"),
                (Link::ThreadIndex, ""),
                (Link::Subject, "bob@c.example the offer"),
            ]
        );
    }

    #[test]
    fn a_subject_counts_only_on_an_answer_that_says_something() {
        for subject in ["The offer", "Fwd: The offer", "Re: Hi", "Re:"] {
            assert!(links(&format!("From: bob@c.example\nSubject: {subject}")).is_empty(), "{subject}");
        }
        let machine = "From: bob@c.example\nSubject: Re: The offer\nAuto-Submitted: auto-replied";
        assert!(links(machine).is_empty());
    }

    #[test]
    fn an_answer_finds_what_its_original_left() {
        let sent = envelope("From: ann@firm.example\nTo: bob@c.example, dora@d.example\nSubject: The  Offer");
        let left = traces(&sent, Direction::Outgoing);
        let answer = envelope("From: Dora@D.example\nSubject: SV: the offer");
        assert!(answered(&answer).iter().all(|(_, clue)| left.contains(clue)));
        let stranger = envelope("From: eve@e.example\nSubject: SV: the offer");
        assert!(answered(&stranger).iter().all(|(_, clue)| !left.contains(clue)));
    }

    #[test]
    fn a_debug_print_shows_no_text() {
        let clue = Clue::Subject(Address::parse("bob@c.example").unwrap(), "secret".into());
        assert_eq!(format!("{clue:?}"), "Clue::Subject");
    }
}
