//! How a logged conversation stands: one pure function over the times that are known of it.

use crate::record::Direction;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who is to speak next in a conversation, as far as mail tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum ThreadState {
    /// The person wrote last, and nobody has answered.
    AwaitingReply,
    /// Somebody answered the person.
    Replied,
    /// Somebody else began it, and the person has not written yet.
    Received,
    /// A delivery report answers what the person wrote last.
    Bounced,
    /// An automatic answer came, and no other.
    OutOfOffice,
}

impl ThreadState {
    pub const ALL: &[ThreadState] = &[
        ThreadState::AwaitingReply,
        ThreadState::Replied,
        ThreadState::Received,
        ThreadState::Bounced,
        ThreadState::OutOfOffice,
    ];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            ThreadState::AwaitingReply => "awaiting_reply",
            ThreadState::Replied => "replied",
            ThreadState::Received => "received",
            ThreadState::Bounced => "bounced",
            ThreadState::OutOfOffice => "out_of_office",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|s| s.name() == name)
    }

    /// True while the person waits for an answer. An automatic one is none.
    pub fn waits(self) -> bool {
        matches!(self, ThreadState::AwaitingReply | ThreadState::OutOfOffice)
    }
}

impl std::fmt::Display for ThreadState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A delivery report or an automatic answer. It is not logged; only its time is known, and what it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    pub kind: NoticeKind,
    pub at: Timestamp,
    /// The time of the sent message that it answers.
    pub answers: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    Bounce,
    AutoReply,
}

/// What is known of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The time of the newest logged message that went out.
    pub last_outgoing: Option<Timestamp>,
    /// The time of the newest logged message that came in.
    pub last_incoming: Option<Timestamp>,
    pub notices: Vec<Notice>,
}

/// The state of a conversation, and since when it is so.
///
/// A notice counts where it answers what the person wrote last, or came after it. A person's answer outweighs an automatic
/// one, whichever came first, and a delivery report that is older than it.
pub fn state(facts: &Facts) -> (ThreadState, Timestamp) {
    let Some(sent) = facts.last_outgoing else {
        return (ThreadState::Received, facts.last_incoming.unwrap_or(Timestamp::UNIX_EPOCH));
    };
    let newest = |kind: NoticeKind| {
        let counts = |n: &&Notice| n.kind == kind && (n.answers >= sent || n.at > sent);
        facts.notices.iter().filter(counts).map(|n| n.at).max()
    };
    let reply = facts.last_incoming.filter(|reply| *reply > sent);
    if let Some(bounce) = newest(NoticeKind::Bounce)
        && reply.is_none_or(|reply| reply < bounce)
    {
        return (ThreadState::Bounced, bounce);
    }
    if let Some(reply) = reply {
        return (ThreadState::Replied, reply);
    }
    match newest(NoticeKind::AutoReply) {
        Some(at) => (ThreadState::OutOfOffice, at),
        None => (ThreadState::AwaitingReply, sent),
    }
}

/// Which way the newest message went. Of two at one time the incoming one counts as the newer.
pub fn newest(facts: &Facts) -> Direction {
    match facts.last_outgoing > facts.last_incoming {
        true => Direction::Outgoing,
        false => Direction::Incoming,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ThreadState::{AwaitingReply, Bounced, OutOfOffice, Received, Replied};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn facts(outgoing: Option<i64>, incoming: Option<i64>) -> Facts {
        Facts { last_outgoing: outgoing.map(at), last_incoming: incoming.map(at), ..Facts::default() }
    }

    fn with(mut facts: Facts, kind: NoticeKind, seconds: i64, answers: i64) -> Facts {
        facts.notices.push(Notice { kind, at: at(seconds), answers: at(answers) });
        facts
    }

    fn is(facts: Facts, want: ThreadState, since: i64) {
        assert_eq!(state(&facts), (want, at(since)), "{facts:?}");
    }

    #[test]
    fn who_wrote_last_and_who_began() {
        is(facts(Some(10), None), AwaitingReply, 10);
        is(facts(Some(10), Some(20)), Replied, 20);
        is(facts(Some(30), Some(20)), AwaitingReply, 30);
        is(facts(None, Some(20)), Received, 20);
        is(Facts::default(), Received, 0);
    }

    #[test]
    fn a_bounce_counts_until_somebody_answers_or_the_person_writes_again() {
        let bounced = |outgoing, incoming| with(facts(Some(outgoing), incoming), NoticeKind::Bounce, 12, 10);
        is(bounced(10, None), Bounced, 12);
        is(bounced(10, Some(20)), Replied, 20);
        is(bounced(15, None), AwaitingReply, 15);
        // One of several recipients cannot be reached: that is news, though another one has answered.
        is(bounced(10, Some(11)), Bounced, 12);
    }

    #[test]
    fn a_bounce_from_a_server_whose_clock_is_slow_counts() {
        is(with(facts(Some(10), None), NoticeKind::Bounce, 8, 10), Bounced, 8);
        // The report of an older message that came late.
        let late = with(facts(Some(30), None), NoticeKind::Bounce, 40, 10);
        is(with(late, NoticeKind::Bounce, 21, 20), Bounced, 40);
    }

    #[test]
    fn an_answer_of_a_person_outweighs_an_automatic_one_in_both_orders() {
        let away = |outgoing, incoming| with(facts(Some(outgoing), incoming), NoticeKind::AutoReply, 12, 10);
        is(away(10, None), OutOfOffice, 12);
        is(away(10, Some(20)), Replied, 20);
        is(away(10, Some(11)), Replied, 11);
        is(away(15, None), AwaitingReply, 15);
        is(with(away(10, None), NoticeKind::Bounce, 11, 10), Bounced, 11);
    }

    #[test]
    fn a_notice_alone_makes_no_state() {
        is(with(facts(None, Some(5)), NoticeKind::Bounce, 9, 1), Received, 5);
    }

    #[test]
    fn the_newest_message_has_a_direction() {
        assert_eq!(newest(&facts(Some(2), Some(1))), Direction::Outgoing);
        assert_eq!(newest(&facts(Some(1), Some(1))), Direction::Incoming);
        assert_eq!(newest(&facts(None, Some(1))), Direction::Incoming);
        assert_eq!(newest(&facts(Some(1), None)), Direction::Outgoing);
    }

    #[test]
    fn names_are_found_again() {
        for state in ThreadState::ALL {
            assert_eq!(ThreadState::from_name(state.name()), Some(*state));
            assert_eq!(serde_json::to_string(state).unwrap(), format!("\"{state}\""));
        }
        assert!(AwaitingReply.waits() && OutOfOffice.waits() && !Bounced.waits());
    }
}
