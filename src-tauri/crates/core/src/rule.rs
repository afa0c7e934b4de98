//! The named rules of [`crate::decide`], and the settings they read.

use crate::address::{Address, is_public_provider};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a message was logged, ignored, asked about or held. Each has a title and an explanation, by an
/// exhaustive match: a new rule does not compile until it has both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    // logged
    KeywordLog,
    LogFolder,
    RelayLog,
    LoggingAddress,
    CrmAddress,
    ForwardedToLog,
    ToldToLog,
    SentByThreadline,
    SentToContact,
    SentInLoggedThread,
    SentToOutsider,
    ReplyInLoggedThread,
    ReceivedFromOutsider,
    // ignored
    KeywordNever,
    RelayNoLog,
    ToldNotTo,
    TakenOut,
    DeletedInCrm,
    NeverAddress,
    NeverDomain,
    NeverFolder,
    NeverWord,
    PrivateTime,
    Draft,
    Bounce,
    AutoReply,
    Newsletter,
    CalendarReply,
    ReadReceipt,
    OnlyOwnAddresses,
    OnlyColleagues,
    NoSender,
    UnknownSender,
    OnlyWhenISay,
    OlderThanBeginning,
    ForwardNotRead,
    // asked
    UnknownRecipient,
    NewFromContact,
    StrangerInThread,
    SameSubject,
    OwnNotInSent,
    NoContact,
    // held
    ContactsNotLoaded,
    ForwardToLog,
}

impl Rule {
    pub const ALL: &[Rule] = &[
        Rule::KeywordLog,
        Rule::LogFolder,
        Rule::RelayLog,
        Rule::LoggingAddress,
        Rule::CrmAddress,
        Rule::ForwardedToLog,
        Rule::ToldToLog,
        Rule::SentByThreadline,
        Rule::SentToContact,
        Rule::SentInLoggedThread,
        Rule::SentToOutsider,
        Rule::ReplyInLoggedThread,
        Rule::ReceivedFromOutsider,
        Rule::KeywordNever,
        Rule::RelayNoLog,
        Rule::ToldNotTo,
        Rule::TakenOut,
        Rule::DeletedInCrm,
        Rule::NeverAddress,
        Rule::NeverDomain,
        Rule::NeverFolder,
        Rule::NeverWord,
        Rule::PrivateTime,
        Rule::Draft,
        Rule::Bounce,
        Rule::AutoReply,
        Rule::Newsletter,
        Rule::CalendarReply,
        Rule::ReadReceipt,
        Rule::OnlyOwnAddresses,
        Rule::OnlyColleagues,
        Rule::NoSender,
        Rule::UnknownSender,
        Rule::OnlyWhenISay,
        Rule::OlderThanBeginning,
        Rule::ForwardNotRead,
        Rule::UnknownRecipient,
        Rule::NewFromContact,
        Rule::StrangerInThread,
        Rule::SameSubject,
        Rule::OwnNotInSent,
        Rule::NoContact,
        Rule::ContactsNotLoaded,
        Rule::ForwardToLog,
    ];

    /// The rule's name in files, tables and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Rule::KeywordLog => "keyword_log",
            Rule::LogFolder => "log_folder",
            Rule::RelayLog => "relay_log",
            Rule::LoggingAddress => "logging_address",
            Rule::CrmAddress => "crm_address",
            Rule::ForwardedToLog => "forwarded_to_log",
            Rule::ToldToLog => "told_to_log",
            Rule::SentByThreadline => "sent_by_threadline",
            Rule::SentToContact => "sent_to_contact",
            Rule::SentInLoggedThread => "sent_in_logged_thread",
            Rule::SentToOutsider => "sent_to_outsider",
            Rule::ReplyInLoggedThread => "reply_in_logged_thread",
            Rule::ReceivedFromOutsider => "received_from_outsider",
            Rule::KeywordNever => "keyword_never",
            Rule::RelayNoLog => "relay_no_log",
            Rule::ToldNotTo => "told_not_to",
            Rule::TakenOut => "taken_out",
            Rule::DeletedInCrm => "deleted_in_crm",
            Rule::NeverAddress => "never_address",
            Rule::NeverDomain => "never_domain",
            Rule::NeverFolder => "never_folder",
            Rule::NeverWord => "never_word",
            Rule::PrivateTime => "private_time",
            Rule::Draft => "draft",
            Rule::Bounce => "bounce",
            Rule::AutoReply => "auto_reply",
            Rule::Newsletter => "newsletter",
            Rule::CalendarReply => "calendar_reply",
            Rule::ReadReceipt => "read_receipt",
            Rule::OnlyOwnAddresses => "only_own_addresses",
            Rule::OnlyColleagues => "only_colleagues",
            Rule::NoSender => "no_sender",
            Rule::UnknownSender => "unknown_sender",
            Rule::OnlyWhenISay => "only_when_i_say",
            Rule::OlderThanBeginning => "older_than_beginning",
            Rule::ForwardNotRead => "forward_not_read",
            Rule::UnknownRecipient => "unknown_recipient",
            Rule::NewFromContact => "new_from_contact",
            Rule::StrangerInThread => "stranger_in_thread",
            Rule::SameSubject => "same_subject",
            Rule::OwnNotInSent => "own_not_in_sent",
            Rule::NoContact => "no_contact",
            Rule::ContactsNotLoaded => "contacts_not_loaded",
            Rule::ForwardToLog => "forward_to_log",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.name() == name)
    }

    /// One sentence for a person.
    pub fn explanation(self) -> &'static str {
        match self {
            Rule::ToldToLog => "You were asked, and said to log it.",
            Rule::ToldNotTo => "You were asked, and said not to log it.",
            Rule::TakenOut => "You took it out of the log. What the CRM has by then stays there.",
            Rule::DeletedInCrm => {
                "Its record was deleted in the CRM. It is logged again only if you restore it."
            }
            Rule::KeywordLog => "The message carries the keyword $CrmLog.",
            Rule::LogFolder => "It was put into the folder Threadline/Log.",
            Rule::RelayLog => "It was sent through the relay with +log.",
            Rule::RelayNoLog => "It was sent through the relay with +nolog.",
            Rule::LoggingAddress => "It was sent to the logging address too.",
            Rule::CrmAddress => "It was sent to the CRM's own address, so the CRM logs it by itself.",
            Rule::ForwardedToLog => "You forwarded it so that it is logged.",
            Rule::SentByThreadline => "You sent it through Threadline.",
            Rule::SentToContact => "It was sent to a contact of the CRM.",
            Rule::SentInLoggedThread => "It was sent in a conversation that is logged.",
            Rule::SentToOutsider => {
                "It was sent to someone outside the own organisation, and all such mail is logged."
            }
            Rule::ReplyInLoggedThread => "It answers a conversation that is logged.",
            Rule::ReceivedFromOutsider => {
                "It came from someone outside the own organisation, and all such mail is logged."
            }
            Rule::KeywordNever => "The message carries the keyword $CrmNever.",
            Rule::NeverAddress => "An address on it is on the never-log list.",
            Rule::NeverDomain => "A domain on it is on the never-log list.",
            Rule::NeverFolder => "Its folder is on the never-log list.",
            Rule::NeverWord => "A word of its subject is on the never-log list.",
            Rule::PrivateTime => "It was sent while the person said that all is private.",
            Rule::Draft => "It is a draft.",
            Rule::Bounce => "It is a delivery report.",
            Rule::AutoReply => "It is an automatic answer.",
            Rule::Newsletter => "It is a newsletter or came over a mailing list.",
            Rule::CalendarReply => "It is a calendar's answer to an invitation.",
            Rule::ReadReceipt => "It is a receipt that a mail was read.",
            Rule::OnlyOwnAddresses => "It went only to the person's own addresses.",
            Rule::OnlyColleagues => "Everybody on it is a colleague.",
            Rule::NoSender => "It names no sender.",
            Rule::UnknownSender => "Its sender is not a contact and the conversation is not logged.",
            Rule::OnlyWhenISay => "Mail is logged only when the person says so.",
            Rule::ForwardNotRead => {
                "It was forwarded so that it is logged, and does not say from whom the original is."
            }
            Rule::OlderThanBeginning => "It is older than the beginning of this mailbox's log.",
            Rule::UnknownRecipient => "It was sent to someone who is not a contact.",
            Rule::NewFromContact => "A contact began a new conversation.",
            Rule::NoContact => "Nobody on it is a contact of the CRM, and the rules make none.",
            Rule::StrangerInThread => "Someone who was not in the conversation answers it.",
            Rule::SameSubject => {
                "Somebody in a logged conversation writes under its subject, and does not say which mail it answers."
            }
            Rule::OwnNotInSent => {
                "It bears the person's own address, and the server does not have it among the mail that was sent."
            }
            Rule::ContactsNotLoaded => "The contacts of the CRM were not read to the end yet.",
            Rule::ForwardToLog => {
                "It was forwarded so that it is logged; the original is still to be read out of it."
            }
        }
    }
}

impl Rule {
    /// The person's own rule that such mail is never logged, which does not count for one mail where they say so of it. The
    /// keyword lies on the mail itself: there it is taken off.
    pub fn is_overruled(self) -> bool {
        matches!(
            self,
            Rule::NeverAddress | Rule::NeverDomain | Rule::NeverFolder | Rule::NeverWord | Rule::PrivateTime
        )
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What a person says of a message that was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Log it, and make a contact of whoever is none yet.
    Log,
    /// Do not log this one.
    Ignore,
}

impl Answer {
    pub fn name(self) -> &'static str {
        match self {
            Answer::Log => "log",
            Answer::Ignore => "ignore",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Answer::Log, Answer::Ignore].into_iter().find(|a| a.name() == name)
    }
}

/// Whose mail is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum LogMode {
    /// Mail with contacts of the CRM.
    #[default]
    KnownContacts,
    /// Mail with everybody who is no colleague.
    EveryoneOutside,
    /// Mail that the person marked.
    OnlyWhenISay,
}

/// What becomes of a recipient who is no contact yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum CreateContacts {
    #[default]
    Never,
    /// A contact is made for each person that the salesperson wrote to.
    WhenIWrite,
}

/// Who of the people outside must be a contact, so that a mail to them opens a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Participants {
    #[default]
    Any,
    All,
}

/// An address that belongs to somebody who is known by another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct OtherAddress {
    pub address: Address,
    /// The one by which the person is known.
    pub of: Address,
}

/// A time in which nothing that is sent is logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct PrivateTime {
    pub from: Timestamp,
    pub until: Timestamp,
}

/// The rules of one mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(default)]
pub struct Rules {
    /// Counts up with each change; a decision keeps the version that it was made by.
    pub version: u32,
    pub mode: LogMode,
    pub create_contacts: CreateContacts,
    /// The person's own addresses, the mailbox's own among them.
    pub own: Vec<Address>,
    /// Those of them that were learnt from sent mail.
    pub learnt: Vec<Address>,
    /// Addresses that are not the person's own, whatever sent mail says.
    pub not_own: Vec<Address>,
    /// The colleagues' domains in ASCII form.
    pub colleagues: Vec<String>,
    pub never_addresses: Vec<Address>,
    /// In ASCII form; subdomains are meant too.
    pub never_domains: Vec<String>,
    /// Full folder names, decoded, in the server's spelling.
    pub never_folders: Vec<String>,
    /// Words and phrases; a mail with one of them in its subject is never logged. Neither case nor what stands around a word
    /// counts.
    pub never_words: Vec<String>,
    pub participants: Participants,
    /// A copy to one of these says "log this mail". Where there is none, it is `name+crm@` of each own address.
    pub logging_addresses: Vec<Address>,
    /// What the person said of addresses that the CRM does not know.
    pub other_addresses: Vec<OtherAddress>,
    pub private_times: Vec<PrivateTime>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            version: 1,
            mode: LogMode::default(),
            create_contacts: CreateContacts::default(),
            own: Vec::new(),
            learnt: Vec::new(),
            not_own: Vec::new(),
            colleagues: Vec::new(),
            never_addresses: Vec::new(),
            never_domains: Vec::new(),
            never_folders: Vec::new(),
            never_words: Vec::new(),
            participants: Participants::default(),
            logging_addresses: Vec::new(),
            other_addresses: Vec::new(),
            private_times: Vec::new(),
        }
    }
}

impl Rules {
    /// The rules a mailbox begins with: its own domain is the colleagues', unless anybody can get an address there.
    pub fn for_mailbox(address: &Address) -> Self {
        let domain = address.domain().to_owned();
        Self {
            own: vec![address.clone()],
            colleagues: if is_public_provider(&domain) { Vec::new() } else { vec![domain] },
            ..Self::default()
        }
    }

    /// The same without what is never logged.
    pub fn without_never(&self) -> Self {
        Self {
            never_addresses: Vec::new(),
            never_domains: Vec::new(),
            never_folders: Vec::new(),
            never_words: Vec::new(),
            private_times: Vec::new(),
            ..self.clone()
        }
    }

    /// The person's own, with or without a tag (`ann+x@`).
    pub fn is_own(&self, address: &Address) -> bool {
        self.own.contains(address) || self.own.contains(&address.untagged())
    }

    /// Notes an address as the person's own that sent mail bears.
    pub fn learn(&mut self, address: &Address) {
        let address = address.untagged();
        self.own.push(address.clone());
        self.learnt.push(address);
    }

    /// What was learnt and taken away by the person is not learnt again; what they said themselves is not what was learnt.
    pub fn settle_learnt(&mut self) {
        let gone: Vec<Address> = self.learnt.iter().filter(|a| !self.own.contains(a)).cloned().collect();
        self.learnt.retain(|a| !gone.contains(a));
        self.not_own.extend(gone);
        self.not_own.retain(|a| !self.own.contains(a));
    }

    /// On the never-log list, with or without a tag.
    pub fn is_never_address(&self, address: &Address) -> bool {
        self.never_addresses.contains(address) || self.never_addresses.contains(&address.untagged())
    }

    /// An address to which a copy of a mail says that it is to be logged.
    pub fn is_logging(&self, address: &Address) -> bool {
        match self.logging_addresses.is_empty() {
            true => self.own.iter().any(|own| own.tagged("crm") == *address),
            false => self.logging_addresses.contains(address),
        }
    }

    /// The address by which the person is known whose address this is.
    pub fn known_as<'a>(&'a self, address: &'a Address) -> &'a Address {
        self.other_addresses.iter().find(|o| o.address == *address).map_or(address, |o| &o.of)
    }

    /// True where a word or phrase of the never-log list stands in the subject.
    pub fn has_never_word(&self, subject: &str) -> bool {
        let words = |text: &str| {
            let words = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
            words.map(str::to_lowercase).collect::<Vec<_>>()
        };
        let subject = words(subject);
        let mut never = self.never_words.iter().map(|phrase| words(phrase)).filter(|p| !p.is_empty());
        never.any(|phrase| subject.windows(phrase.len()).any(|w| w == phrase))
    }

    /// True where nothing that is sent at this time is logged.
    pub fn is_private(&self, at: Timestamp) -> bool {
        self.private_times.iter().any(|p| p.from <= at && at < p.until)
    }

    pub fn is_colleague(&self, address: &Address) -> bool {
        self.is_own(address) || self.colleagues.iter().any(|d| address.is_under(d))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found_again() {
        for rule in Rule::ALL {
            assert_eq!(Rule::from_name(rule.name()), Some(*rule));
            assert!(rule.explanation().ends_with('.'));
            assert_eq!(serde_json::to_string(rule).unwrap(), format!("\"{}\"", rule.name()));
        }
    }

    #[test]
    fn words_of_the_never_list_are_found_whole() {
        let rules = Rules {
            never_words: vec!["Private".into(), "job offer".into(), "  ".into()],
            ..Rules::default()
        };
        for subject in ["private", "Re: [PRIVATE] x", "Your Job  offer!", "x: job-offer"] {
            assert!(rules.has_never_word(subject), "{subject}");
        }
        for subject in ["", "privately", "an offer for the job", "Offer"] {
            assert!(!rules.has_never_word(subject), "{subject}");
        }
    }

    #[test]
    fn the_logging_address_is_the_own_one_with_a_tag_unless_another_is_set() {
        let at = |a| Address::parse(a).unwrap();
        let mut rules = Rules::for_mailbox(&at("ann@firm.example"));
        assert!(rules.is_logging(&at("ann+crm@firm.example")) && !rules.is_logging(&at("ann@firm.example")));
        rules.logging_addresses = vec![at("log@else.example")];
        assert!(rules.is_logging(&at("log@else.example")) && !rules.is_logging(&at("ann+crm@firm.example")));
    }

    #[test]
    fn a_public_provider_has_no_colleagues() {
        let at = |a| Rules::for_mailbox(&Address::parse(a).unwrap());
        assert_eq!(at("ann@gmail.com").colleagues, Vec::<String>::new());
        assert_eq!(at("ann@firm.example").colleagues, ["firm.example"]);
    }
}
