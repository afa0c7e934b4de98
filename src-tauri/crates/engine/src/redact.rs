//! Takes private text out of what a person may send to somebody.
//!
//! Two nets. What is known to be private (addresses, names, subjects, secrets, the texts of logged mail) goes wherever it
//! stands, and what looks like an address or a secret goes whether it is known or not. Both are also cast over what a run of
//! characters encodes: base64, percent and quoted-printable escapes, hexadecimal digits, decimal bytes. It rather takes too
//! much.

mod encoded;
#[cfg(test)]
mod tests;
mod texts;

use aho_corasick::{AhoCorasick, MatchKind};
use std::ops::Range;
use texts::Texts;

/// What is known to be private.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Private {
    /// The mailboxes' addresses: each is shown as its number.
    pub mailboxes: Vec<String>,
    /// Names, addresses, subjects and secrets.
    pub words: Vec<String>,
    /// The texts of mails, as plain text.
    pub texts: Vec<String>,
    /// The person's home folder.
    pub home: Option<String>,
}

/// Without what it holds.
impl std::fmt::Debug for Private {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Private").field("words", &self.words.len()).finish_non_exhaustive()
    }
}

/// Shorter words than this are no names: they would take half of every text.
const SHORTEST: usize = 3;
/// A run of letters and digits of this length is taken for a secret.
const LONG_RUN: usize = 20;
/// What stands in the place of what is known.
const TAKEN: &str = "<private>";
/// How known secrets begin.
const SECRET_HEADS: &[&str] = &["whsec_", "pat-", "ya29.", "eyj", "ghp_", "xox", "sk-", "1//"];
/// Behind these words stands a secret.
const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "pass",
    "pwd",
    "token",
    "secret",
    "bearer",
    "basic",
    "authorization",
    "apikey",
    "api_key",
    "key",
    "login",
    "auth",
    "plain",
    "xoauth2",
    "oauthbearer",
    "cookie",
    "credential",
    "code_verifier",
];

/// Looks for what is private.
pub struct Redactor {
    /// `None` where there are too many words for it: then nothing is shown.
    known: Option<AhoCorasick>,
    /// What stands in the place of each known word.
    marks: Vec<String>,
    texts: Texts,
}

/// Without what it looks for.
impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").field("words", &self.marks.len()).finish_non_exhaustive()
    }
}

impl Redactor {
    pub fn new(private: &Private) -> Self {
        let mut words = Vec::new();
        let mut marks = Vec::new();
        let mut know = |word: &str, mark: String| {
            words.push(fold(word));
            marks.push(mark);
        };
        for (at, address) in private.mailboxes.iter().enumerate().filter(|(_, address)| !address.is_empty()) {
            know(address, format!("<mailbox {}>", at + 1));
        }
        for word in private.words.iter().map(|w| w.trim()).filter(|w| w.chars().count() >= SHORTEST) {
            know(word, TAKEN.to_owned());
        }
        if let Some(home) = private.home.as_deref().filter(|home| home.len() > 1) {
            know(home, "~".to_owned());
        }
        let known = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&words).ok();
        Self { known, marks, texts: Texts::of(&private.texts) }
    }

    /// The text without what is private.
    pub fn redact(&self, text: &str) -> String {
        self.plain(&encoded::take_out(text, self, 0))
    }

    /// As it stands, without a look at what it may encode.
    fn plain(&self, text: &str) -> String {
        self.without_known(text).split('\n').map(line).collect::<Vec<_>>().join("\n")
    }

    fn without_known(&self, text: &str) -> String {
        let mut whole = String::with_capacity(text.len());
        let mut from = 0;
        for (range, mark) in self.places(text) {
            whole.push_str(&text[from..range.start]);
            whole.push_str(mark);
            from = range.end;
        }
        whole.push_str(&text[from..]);
        whole
    }

    /// Where what is known stands, in order, and what is shown in its place. Words that overlap are one place, with the mark
    /// of the longest.
    fn places(&self, text: &str) -> Vec<(Range<usize>, &str)> {
        let Some(known) = &self.known else { return vec![(0..text.len(), TAKEN)] };
        let folded = fold(text);
        let words = known.find_overlapping_iter(&folded).map(|found| {
            let mark = self.marks.get(found.pattern().as_usize()).map_or(TAKEN, String::as_str);
            (found.range(), mark)
        });
        let texts = self.texts.places(text).into_iter().map(|range| (range, TAKEN));
        let mut found: Vec<(Range<usize>, &str)> = words.chain(texts).collect();
        found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut places = Vec::new();
        let mut found = found.into_iter().peekable();
        while let Some((first, mark)) = found.next() {
            let (mut end, mut longest) = (first.end, (first.len(), mark));
            while let Some((next, mark)) = found.next_if(|(next, _)| next.start < end) {
                end = end.max(next.end);
                if next.len() > longest.0 {
                    longest = (next.len(), mark);
                }
            }
            places.push((first.start..end, longest.1));
        }
        places
    }
}

/// In one case, every character as long as before.
fn fold(text: &str) -> String {
    text.chars()
        .map(|c| {
            let mut lower = c.to_lowercase();
            match (lower.next(), lower.next()) {
                (Some(one), None) if one.len_utf8() == c.len_utf8() => one,
                _ => c,
            }
        })
        .collect()
}

/// One line, run by run. A run is what stands between white space, quotes and brackets.
fn line(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    // Set by a secret's name, until what stands behind it has come.
    let mut behind_name = false;
    while !rest.is_empty() {
        let end = rest.find(is_edge).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        whole.push_str(&self::run(run, &mut behind_name));
        let edge = behind.chars().next().map_or(0, char::len_utf8);
        whole.push_str(&behind[..edge]);
        rest = &behind[edge..];
    }
    whole
}

fn is_edge(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '"' | '\'' | '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | '=' | ':' | '&' | '?'
        )
}

fn run(run: &str, behind_name: &mut bool) -> String {
    let folded = run.to_lowercase();
    if run.is_empty() {
        return String::new();
    }
    let is_name = SECRET_NAMES.iter().any(|name| folded == *name || folded.ends_with(&format!("_{name}")));
    if is_name {
        *behind_name = true;
        return run.to_owned();
    }
    if run.contains('@') {
        *behind_name = false;
        return "<address>".to_owned();
    }
    let known_head = SECRET_HEADS.iter().any(|head| folded.starts_with(head));
    // Prose goes on behind a word such as `key` or `login`; what has a digit or a sign in it does not.
    let named = std::mem::take(behind_name)
        && !(run.len() < 12 && run.chars().all(char::is_alphabetic) && is_prose(&folded));
    if known_head || named || is_long_run(run) {
        return "<secret>".to_owned();
    }
    run.to_owned()
}

/// Words of our own lines that may stand behind a secret's name.
fn is_prose(word: &str) -> bool {
    [
        "is", "was", "were", "has", "have", "in", "of", "for", "and", "or", "to", "not", "no", "the", "a",
        "an", "again", "here", "expired", "changed", "rejected", "required", "refused", "gone", "missing",
        "locked", "failed", "disabled", "service", "ring", "chain", "reason",
    ]
    .contains(&word)
}

/// Letters and digits mixed, and too long for a word, a host or a path.
fn is_long_run(run: &str) -> bool {
    run.split(['/', '.', '\\']).any(|part| {
        part.len() >= LONG_RUN
            && part.bytes().any(|b| b.is_ascii_digit())
            && part.bytes().any(|b| b.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'_' | b'='))
    }) || (run.len() >= 2 * LONG_RUN
        && run.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_')))
}
