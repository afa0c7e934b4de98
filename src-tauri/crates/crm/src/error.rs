//! What can go wrong on the way to a CRM.

use crate::sink::Egress;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use threadline_core::envelope::clean;
use threadline_core::reason::{MOST_WORDS, Reason};

/// Whom a failure concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The sink as a whole: token, network, limit, disk. Nothing else would fare better now.
    Sink,
    /// The request as a whole was refused; which of its rows is at fault is not known.
    Batch,
    /// This one row.
    Row,
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Not by itself: somebody must change something first.
    Never,
    /// After this long at the earliest, as the CRM said.
    After(Duration),
    /// Not before this moment, as the CRM said.
    At(Timestamp),
    /// With the usual back-off.
    Soon,
}

/// A failure. Its text names the thing, the cause and the next step, and never holds a secret or mail text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{thing}: {cause}{} {next}", said(.words))]
pub struct CrmError {
    /// What was being done to what, such as `HubSpot, saving the emails`.
    pub thing: String,
    pub kind: Kind,
    pub reason: Reason,
    /// The cause in one sentence: the reason's own, unless there are better words.
    pub cause: &'static str,
    /// The next step in one sentence.
    pub next: &'static str,
    /// The CRM's own words: cleaned, at most `core::reason::MOST_WORDS` characters; empty where it said nothing.
    pub words: Box<str>,
    pub retry: Retry,
    /// The CRM may have stored it: the next attempt must look first.
    pub uncertain: bool,
    /// The request came to the other side, or may have.
    pub reached: bool,
    /// Every field that left the computer for this message, in this attempt.
    pub sent: Arc<[Egress]>,
}

impl CrmError {
    /// A failure of the whole sink that the usual back-off may heal, with the reason's own words.
    pub fn new(thing: impl Into<String>, reason: Reason) -> Self {
        Self {
            thing: thing.into(),
            kind: Kind::Sink,
            reason,
            cause: reason.title(),
            next: reason.next_step(),
            words: Box::default(),
            retry: Retry::Soon,
            uncertain: false,
            reached: true,
            sent: Arc::default(),
        }
    }

    /// What left the computer before it failed.
    #[must_use]
    pub fn sent(mut self, sent: Vec<Egress>) -> Self {
        self.sent = sent.into();
        self
    }

    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    #[must_use]
    pub fn uncertain(mut self, uncertain: bool) -> Self {
        self.uncertain = uncertain;
        self
    }

    #[must_use]
    pub fn reached(mut self, reached: bool) -> Self {
        self.reached = reached;
        self
    }

    /// The other side's words. What could be a value of ours is taken out: see [`without_values`].
    #[must_use]
    pub fn words(mut self, words: &str) -> Self {
        self.words = without_values(words).into();
        self
    }

    /// Takes these values of ours out of the words, should the other side have repeated one.
    #[must_use]
    pub fn without<'a>(mut self, values: impl IntoIterator<Item = &'a str>) -> Self {
        for value in values {
            let value = clean(value, 10 * MOST_WORDS);
            let value = value.trim();
            // A shorter one is part of many words.
            if value.chars().count() >= 3 && self.words.contains(value) {
                self.words = self.words.replace(value, "…").into();
            }
        }
        self
    }

    /// A cause and a next step that fit better than the reason's.
    #[must_use]
    pub fn told(mut self, cause: &'static str, next: &'static str) -> Self {
        self.cause = cause;
        self.next = next;
        self
    }
}

fn said(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(" It said: \"{words}\".") }
}

/// Longest quoted piece of a CRM's words that is a name of something and not a value of ours.
const LONGEST_NAME: usize = 60;

/// A CRM that refuses a value likes to repeat it. Addresses, what looks like a token, and quoted pieces that are no
/// name of a property are replaced by `…`, so that neither mail text nor a secret gets into an error.
pub fn without_values(words: &str) -> String {
    let words = clean(words, 10 * MOST_WORDS);
    let mut kept = String::with_capacity(words.len());
    for (i, piece) in words.split('"').enumerate() {
        if i > 0 {
            kept.push('"');
        }
        let quoted = i % 2 == 1;
        kept.push_str(if quoted && !is_name(piece) { "…" } else { piece });
    }
    let kept: Vec<&str> = kept
        .split(' ')
        .map(|word| {
            let secret = ["pat-", "whsec_", "Bearer"].iter().any(|s| word.contains(s));
            let long = word.chars().count() > 2 * LONGEST_NAME;
            if word.contains('@') || secret || long { "…" } else { word }
        })
        .collect();
    clean(&kept.join(" "), MOST_WORDS)
}

fn is_name(piece: &str) -> bool {
    piece.len() <= LONGEST_NAME && piece.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_thing_the_cause_and_the_next_step() {
        let error = CrmError::new("HubSpot, saving the emails", Reason::CrmTokenRejected).words("expired");
        assert_eq!(
            error.to_string(),
            "HubSpot, saving the emails: The CRM does not accept the token. It said: \"expired\". \
             Make a new token in the CRM and set it again."
        );
        let silent = CrmError::new("HubSpot", Reason::ServerUnavailable);
        assert!(!silent.to_string().contains("It said"), "{silent}");
    }

    #[test]
    fn values_are_taken_out_of_the_words() {
        let long = "dear Ann ".repeat(20);
        let words = without_values(&format!(
            "Property \"hs_email_text\" has \"{long}\" from ann@example.com pat-na1-123 {}",
            "x".repeat(500)
        ));
        assert_eq!(words, "Property \"hs_email_text\" has \"…\" from … … …");
        assert_eq!(without_values("was not valid: \"Offer 7\""), "was not valid: \"…\"");
    }

    #[test]
    fn a_value_that_is_known_is_taken_out_wherever_it_stands() {
        let error =
            CrmError::new("HubSpot", Reason::CrmRejected).words("Layoffs is no subject, nor is \"Layoffs\"");
        assert_eq!(&*error.without(["Layoffs", "is"]).words, "… is no subject, nor is \"…\"");
    }
}
