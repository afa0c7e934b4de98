//! One named rule: what must be seen for a reason, as data.

use super::rules::CODES;
use super::seen::Text;
use super::{Evidence, ImapStatus, Mechanism, Phase, Protocol, Provider, Reason, Signal};

/// A rule holds where each of `when` holds, one of `says` is in the words (or none is asked for), and none of `not` is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub name: &'static str,
    pub reason: Reason,
    when: &'static [When],
    says: &'static [&'static str],
    not: &'static [&'static str],
}

/// What must hold beside the words.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    /// Spoken in one of these.
    In(&'static [Protocol]),
    From(&'static [Provider]),
    At(&'static [Phase]),
    /// An IMAP response code (RFC 5530), in upper case.
    Code(&'static [&'static str]),
    Ends(ImapStatus),
    /// An SMTP reply code in this range, both ends included.
    Reply(u16, u16),
    /// An enhanced status code (RFC 3463); `.7.8` is any class of it, `4.` all of a class.
    Enhanced(&'static [&'static str]),
    /// The `error` of OAuth 2.
    Error(&'static [&'static str]),
    /// One of Microsoft's numbers (AADSTS).
    Number(&'static [u32]),
    AnyNumber,
    By(Mechanism),
    /// The secret was not accepted before.
    NeverWorked,
}

/// A rule that always holds, to be narrowed.
pub(super) const fn rule(name: &'static str, reason: Reason) -> Rule {
    Rule { name, reason, when: &[], says: &[], not: &[] }
}

impl Rule {
    pub const fn when(mut self, when: &'static [When]) -> Self {
        self.when = when;
        self
    }

    pub const fn says(mut self, says: &'static [&'static str]) -> Self {
        self.says = says;
        self
    }

    pub const fn not(mut self, not: &'static [&'static str]) -> Self {
        self.not = not;
        self
    }

    /// Whether words decide here, and not structure alone.
    #[cfg(test)]
    pub const fn reads_words(&self) -> bool {
        !self.says.is_empty()
    }

    pub fn holds(&self, seen: &Seen<'_>) -> bool {
        self.when.iter().all(|when| when.holds(seen))
            && (self.says.is_empty() || self.says.iter().any(|pattern| seen.text.says(pattern)))
            && !self.not.iter().any(|pattern| seen.text.says(pattern))
    }
}

/// Evidence as rules look at it.
#[derive(Debug, Clone)]
pub(super) struct Seen<'a> {
    pub evidence: &'a Evidence,
    pub text: Text,
}

impl<'a> Seen<'a> {
    pub fn new(evidence: &'a Evidence) -> Self {
        // Gmail ends each refusal so, whatever it refuses.
        let words = without_code(&evidence.words).replace("(Failure)", " ");
        Self { evidence, text: Text::new(&words).of_now() }
    }

    /// The same evidence with other words.
    pub fn with(&self, text: Text) -> Self {
        Self { evidence: self.evidence, text }
    }

    pub fn protocol(&self) -> Option<Protocol> {
        match &self.evidence.signal {
            Signal::Imap { .. } => Some(Protocol::Imap),
            Signal::Smtp { .. } => Some(Protocol::Smtp),
            Signal::OAuth { .. } => Some(Protocol::OAuth),
            Signal::Said(protocol) => Some(*protocol),
            _ => None,
        }
    }
}

impl When {
    fn holds(&self, seen: &Seen<'_>) -> bool {
        let evidence = seen.evidence;
        match (self, &evidence.signal) {
            (When::In(protocols), _) => seen.protocol().is_some_and(|p| protocols.contains(&p)),
            (When::From(providers), _) => evidence.provider.is_some_and(|p| providers.contains(&p)),
            (When::At(phases), _) => phases.contains(&evidence.phase),
            (When::By(mechanism), _) => evidence.mechanism == Some(*mechanism),
            (When::NeverWorked, _) => !evidence.worked_before,
            (When::Code(codes), Signal::Imap { code: Some(code), .. }) => codes.contains(&code.as_str()),
            (When::Ends(wanted), Signal::Imap { status, .. }) => status == wanted,
            (When::Reply(least, most), Signal::Smtp { code, .. }) => (*least..=*most).contains(code),
            (When::Enhanced(codes), Signal::Smtp { enhanced: Some(code), .. }) => {
                codes.iter().any(|wanted| enhanced_is(code, wanted))
            }
            (When::Error(errors), Signal::OAuth { error: Some(error), .. }) => {
                errors.contains(&error.as_str())
            }
            (When::Number(wanted), Signal::OAuth { numbers, .. }) => {
                numbers.iter().any(|n| wanted.contains(n))
            }
            (When::AnyNumber, Signal::OAuth { numbers, .. }) => !numbers.is_empty(),
            _ => false,
        }
    }
}

/// The words behind a response code that a live connection leaves in front of them: it is structure, and no word.
fn without_code(words: &str) -> &str {
    let Some((inside, rest)) = words.strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
        return words;
    };
    let name = inside.split(' ').next().unwrap_or_default();
    if CODES.iter().any(|code| code.eq_ignore_ascii_case(name)) { rest } else { words }
}

fn enhanced_is(code: &str, wanted: &str) -> bool {
    if wanted.starts_with('.') {
        code.get(1..) == Some(wanted)
    } else if wanted.ends_with('.') {
        code.starts_with(wanted)
    } else {
        code == wanted
    }
}
