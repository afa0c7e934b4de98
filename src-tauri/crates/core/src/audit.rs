//! The coverage audit's judgement on one message (PRODUCT B8): what the mail server holds against what the ledger says.
//!
//! It asks [`crate::decide`] nothing, so that a mistake there shows: a mail whose references reach a logged id, or that went
//! to a contact, and is not logged counts as missed, unless a named exclusion is seen to apply on its own header.

use crate::address::Address;
use crate::arrival::{Arrival, Role};
use crate::envelope::Machine;
use crate::rule::{LogMode, Rule, Rules};
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

/// The hour of the day, local time, from which on a nightly audit runs.
pub const NIGHTLY_HOUR: i8 = 3;

/// How far a logged message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Every CRM that it was queued for has it, or the log stays in the ledger.
    Arrived,
    /// Its text is to be read, or a CRM is to take it.
    Underway,
    /// Its text was not read and nothing is left that would read it.
    NoText,
    /// Its text was read, and it was queued for no CRM though one was set.
    NotQueued,
    /// Reading it or pushing it was given up.
    GivenUp,
}

/// What the ledger says of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Logged(Progress),
    Asked,
    Held,
    Ignored(Rule),
}

/// One message in one folder of the server.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub arrival: &'a Arrival,
    pub role: Role,
    pub rules: &'a Rules,
    /// `None` where the ledger does not know it.
    pub kept: Option<Kept>,
    /// One of the ids that its header names as a parent is that of a logged message.
    pub answers_logged: bool,
    /// Somebody that it went to is a contact.
    pub to_contact: bool,
    /// It lies behind what was read so far.
    pub unread: bool,
    /// It arrived before the mailbox was added: such mail is not read.
    pub older: bool,
}

/// Why a message counts as missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Miss {
    /// The ledger does not know it, though its folder was read beyond it.
    NotInLedger,
    /// The server has it and does not give its header.
    Unreadable,
    /// It answers logged mail, is not logged, and nothing named excludes it.
    AnswersLogged,
    /// It was sent to a contact, is not logged, and nothing named excludes it.
    SentToContact,
    /// It is logged, and its text was never read.
    NoText,
    /// It is logged and was queued for no CRM.
    NotQueued,
    /// It is logged, and reading or pushing it was given up.
    GivenUp,
}

impl Miss {
    pub const ALL: &[Miss] = &[
        Miss::NotInLedger,
        Miss::Unreadable,
        Miss::AnswersLogged,
        Miss::SentToContact,
        Miss::NoText,
        Miss::NotQueued,
        Miss::GivenUp,
    ];

    /// One sentence for a person.
    pub fn explanation(self) -> &'static str {
        match self {
            Miss::NotInLedger => "The server has it and the ledger does not know it.",
            Miss::Unreadable => "The server has it and does not give its header.",
            Miss::AnswersLogged => "It answers a logged conversation and is not logged.",
            Miss::SentToContact => "It was sent to a contact and is not logged.",
            Miss::NoText => "It is logged, and its text was never read.",
            Miss::NotQueued => "It is logged, and was not queued for the CRM.",
            Miss::GivenUp => "It is logged, and reading or pushing it was given up.",
        }
    }
}

/// Where a message stands. Each message stands in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    Logged,
    Waiting,
    Asked,
    /// A named rule keeps it out.
    Ignored(Rule),
    /// No rule spoke for it: the rest that a person should look into now and then.
    Unruled,
    /// It arrived before the mailbox was added.
    Older,
    Missed(Miss),
}

/// Says where a message stands.
pub fn judge(facts: &Facts<'_>) -> Standing {
    match facts.kept {
        Some(Kept::Logged(Progress::Arrived)) => Standing::Logged,
        Some(Kept::Logged(Progress::Underway) | Kept::Held) => Standing::Waiting,
        Some(Kept::Logged(Progress::NoText)) => Standing::Missed(Miss::NoText),
        Some(Kept::Logged(Progress::NotQueued)) => Standing::Missed(Miss::NotQueued),
        Some(Kept::Logged(Progress::GivenUp)) => Standing::Missed(Miss::GivenUp),
        Some(Kept::Asked) => Standing::Asked,
        Some(Kept::Ignored(rule)) if excludes(rule, facts) => Standing::Ignored(rule),
        Some(Kept::Ignored(_)) if facts.answers_logged => Standing::Missed(Miss::AnswersLogged),
        Some(Kept::Ignored(_)) if sent_to_contact(facts) => Standing::Missed(Miss::SentToContact),
        Some(Kept::Ignored(
            rule @ (Rule::OnlyWhenISay | Rule::CrmAddress | Rule::ForwardNotRead | Rule::OwnNotInSent),
        )) => Standing::Ignored(rule),
        Some(Kept::Ignored(_)) => Standing::Unruled,
        None if facts.unread => Standing::Waiting,
        None if facts.older && facts.answers_logged => Standing::Missed(Miss::AnswersLogged),
        None if facts.older => Standing::Older,
        None => Standing::Missed(Miss::NotInLedger),
    }
}

/// Whether what a rule speaks of is seen on the message itself. What a person said stands by itself: only the ledger heard
/// it.
fn excludes(rule: Rule, facts: &Facts<'_>) -> bool {
    let (arrival, rules) = (facts.arrival, facts.rules);
    let envelope = &arrival.envelope;
    let machine = |kind| envelope.machine == Some(kind);
    match rule {
        Rule::KeywordNever | Rule::ToldNotTo | Rule::RelayNoLog | Rule::TakenOut | Rule::DeletedInCrm => true,
        Rule::NeverWord => rules.has_never_word(&envelope.subject),
        Rule::PrivateTime => rules.is_private(arrival.time()),
        Rule::OlderThanBeginning => facts.older,
        Rule::NeverAddress => everybody(arrival).any(|a| rules.is_never_address(a)),
        Rule::NeverDomain => {
            everybody(arrival).any(|a| rules.never_domains.iter().any(|domain| a.is_under(domain)))
        }
        // It may lie in another folder by now.
        Rule::NeverFolder => !rules.never_folders.is_empty(),
        Rule::Draft => arrival.has_flag("\\Draft"),
        Rule::Bounce => machine(Machine::Bounce),
        Rule::AutoReply => machine(Machine::AutoReply),
        Rule::Newsletter => machine(Machine::List),
        Rule::ReadReceipt => machine(Machine::ReadReceipt),
        // Mostly a part of the text says so, which an audit does not read.
        Rule::CalendarReply => true,
        Rule::OnlyOwnAddresses | Rule::OnlyColleagues => {
            everybody(arrival).all(|a| rules.is_colleague(a) || rules.is_logging(a))
        }
        Rule::NoSender => envelope.from.is_none(),
        // These let in, ask or hold, or are what is left where no rule speaks.
        _ => false,
    }
}

/// Mail that the mode says to log.
fn sent_to_contact(facts: &Facts<'_>) -> bool {
    let from = facts.arrival.envelope.from.as_ref().map(|m| &m.address);
    facts.to_contact
        && facts.rules.mode != LogMode::OnlyWhenISay
        && from.is_some_and(|from| {
            facts.rules.is_own(from) || facts.role == Role::Sent && facts.rules.is_colleague(from)
        })
}

fn everybody(arrival: &Arrival) -> impl Iterator<Item = &Address> {
    let envelope = &arrival.envelope;
    envelope.from.iter().chain(envelope.recipients()).map(|m| &m.address)
}

/// Whether a nightly audit is due: once a calendar day, from [`NIGHTLY_HOUR`] on, in the time zone of `now`.
pub fn is_due(now: &Zoned, last: Option<Timestamp>) -> bool {
    let ran_today = last.is_some_and(|last| last.to_zoned(now.time_zone().clone()).date() >= now.date());
    now.hour() >= NIGHTLY_HOUR && !ran_today
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Envelope;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn rules() -> Rules {
        Rules {
            never_addresses: vec![address("lawyer@law.example")],
            never_domains: vec!["bank.example".into()],
            ..Rules::for_mailbox(&address("ann@firm.example"))
        }
    }

    /// What is said of a message with this header, in Sent where Ann sent it.
    fn stands(header: &str, change: impl FnOnce(&mut Facts<'_>)) -> Standing {
        let arrival = Arrival {
            uid: 1,
            internal_date: Timestamp::UNIX_EPOCH,
            size: 1,
            flags: Vec::new(),
            labels: None,
            envelope: Envelope::parse(format!("{}\r\n\r\n", header.replace('\n', "\r\n")).as_bytes()),
        };
        let rules = rules();
        let mut facts = Facts {
            arrival: &arrival,
            role: if header.contains("From: ann@") { Role::Sent } else { Role::Inbox },
            rules: &rules,
            kept: None,
            answers_logged: false,
            to_contact: false,
            unread: false,
            older: false,
        };
        change(&mut facts);
        judge(&facts)
    }

    const FROM_CARL: &str = "From: carl@client.example\nTo: ann@firm.example";
    const TO_CARL: &str = "From: ann@firm.example\nTo: carl@client.example";

    #[test]
    fn what_the_ledger_does_not_know_is_missed_unless_it_was_not_read_yet_or_is_older() {
        assert_eq!(stands(FROM_CARL, |_| {}), Standing::Missed(Miss::NotInLedger));
        assert_eq!(stands(FROM_CARL, |f| f.unread = true), Standing::Waiting);
        assert_eq!(stands(FROM_CARL, |f| f.older = true), Standing::Older);
        let answers = stands(FROM_CARL, |f| (f.older, f.answers_logged) = (true, true));
        assert_eq!(answers, Standing::Missed(Miss::AnswersLogged));
    }

    #[test]
    fn a_logged_message_is_followed_to_the_crm() {
        for (progress, standing) in [
            (Progress::Arrived, Standing::Logged),
            (Progress::Underway, Standing::Waiting),
            (Progress::NoText, Standing::Missed(Miss::NoText)),
            (Progress::NotQueued, Standing::Missed(Miss::NotQueued)),
            (Progress::GivenUp, Standing::Missed(Miss::GivenUp)),
        ] {
            assert_eq!(stands(TO_CARL, |f| f.kept = Some(Kept::Logged(progress))), standing);
        }
        assert_eq!(stands(TO_CARL, |f| f.kept = Some(Kept::Asked)), Standing::Asked);
        assert_eq!(stands(TO_CARL, |f| f.kept = Some(Kept::Held)), Standing::Waiting);
    }

    #[test]
    fn an_answer_to_logged_mail_that_is_not_logged_is_missed_whatever_rule_stands_there() {
        for rule in [Rule::UnknownSender, Rule::OnlyWhenISay, Rule::Newsletter, Rule::NeverAddress] {
            let standing =
                stands(FROM_CARL, |f| (f.kept, f.answers_logged) = (Some(Kept::Ignored(rule)), true));
            assert_eq!(standing, Standing::Missed(Miss::AnswersLogged), "{rule}");
        }
    }

    #[test]
    fn a_named_exclusion_counts_where_it_is_seen_on_the_message() {
        let by = |header: &str, rule| {
            stands(header, |f| (f.kept, f.answers_logged) = (Some(Kept::Ignored(rule)), true))
        };
        for (header, rule) in [
            ("From: lawyer@law.example\nTo: ann@firm.example", Rule::NeverAddress),
            ("From: x@eu.bank.example\nTo: ann@firm.example", Rule::NeverDomain),
            ("From: bob@firm.example\nTo: ann@firm.example", Rule::OnlyColleagues),
            ("From: x@y.example\nAuto-Submitted: auto-replied", Rule::AutoReply),
            ("From: x@y.example\nList-Id: <x>", Rule::Newsletter),
            ("From: lawyer+x@law.example\nTo: ann@firm.example", Rule::NeverAddress),
            ("From: ann@firm.example\nTo: bob@firm.example\nCc: ann+crm@firm.example", Rule::OnlyColleagues),
            (FROM_CARL, Rule::TakenOut),
            (TO_CARL, Rule::RelayNoLog),
            (FROM_CARL, Rule::ToldNotTo),
            ("To: ann@firm.example", Rule::NoSender),
        ] {
            assert_eq!(by(header, rule), Standing::Ignored(rule), "{header}");
        }
        for rule in [Rule::NeverDomain, Rule::OnlyColleagues, Rule::AutoReply, Rule::Bounce, Rule::Draft] {
            assert_eq!(by(FROM_CARL, rule), Standing::Missed(Miss::AnswersLogged), "{rule}");
        }
    }

    #[test]
    fn a_mail_to_a_contact_that_is_not_logged_is_missed() {
        let ignored =
            |f: &mut Facts<'_>| (f.kept, f.to_contact) = (Some(Kept::Ignored(Rule::UnknownSender)), true);
        assert_eq!(stands(TO_CARL, ignored), Standing::Missed(Miss::SentToContact));
        assert_eq!(stands(FROM_CARL, ignored), Standing::Unruled);
        let switched =
            |f: &mut Facts<'_>| (f.kept, f.to_contact) = (Some(Kept::Ignored(Rule::RelayNoLog)), true);
        assert_eq!(stands(TO_CARL, switched), Standing::Ignored(Rule::RelayNoLog));
    }

    #[test]
    fn what_no_rule_speaks_for_has_a_place_of_its_own() {
        let ignored = |rule| stands(FROM_CARL, |f| f.kept = Some(Kept::Ignored(rule)));
        assert_eq!(ignored(Rule::UnknownSender), Standing::Unruled);
        for named in [Rule::OnlyWhenISay, Rule::CrmAddress, Rule::ForwardNotRead, Rule::OwnNotInSent] {
            assert_eq!(ignored(named), Standing::Ignored(named));
        }
    }

    #[test]
    fn a_night_has_one_audit() {
        let at = |text: &str| text.parse::<Zoned>().unwrap();
        let now = at("2026-03-29T03:30+02:00[Europe/Berlin]");
        let last = |text: &str| Some(at(text).timestamp());
        assert!(is_due(&now, None));
        assert!(is_due(&now, last("2026-03-28T23:59+01:00[Europe/Berlin]")));
        assert!(!is_due(&now, last("2026-03-29T03:10+02:00[Europe/Berlin]")));
        assert!(!is_due(&at("2026-03-29T01:59+01:00[Europe/Berlin]"), None));
    }
}
