//! Takes private text out of what a person may send to somebody.
//!
//! Two nets: what is known to be private (addresses, names, subjects of the ledger) goes wherever it stands, and what looks
//! like an address or a secret goes whether it is known or not. It rather takes too much.

/// What is known to be private.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Private {
    /// The mailboxes' addresses: each is shown as its number.
    pub mailboxes: Vec<String>,
    /// Names, addresses and subjects.
    pub words: Vec<String>,
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

/// The text without what is private.
pub fn redact(text: &str, private: &Private) -> String {
    let mut text = text.to_owned();
    for (at, address) in private.mailboxes.iter().enumerate() {
        text = replace(&text, address, &format!("<mailbox {}>", at + 1));
    }
    let mut words: Vec<&String> =
        private.words.iter().filter(|w| w.trim().chars().count() >= SHORTEST).collect();
    // A name within a subject must not leave the rest of it.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    for word in words {
        text = replace(&text, word.trim(), "<private>");
    }
    if let Some(home) = private.home.as_deref().filter(|home| home.len() > 1) {
        text = replace(&text, home, "~");
    }
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Replaces a word however it is written.
fn replace(text: &str, word: &str, by: &str) -> String {
    let (folded, word) = (fold(text), fold(word));
    if word.is_empty() {
        return text.to_owned();
    }
    let mut whole = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(at) = folded[from..].find(&word) {
        whole.push_str(&text[from..from + at]);
        whole.push_str(by);
        from += at + word.len();
    }
    whole.push_str(&text[from..]);
    whole
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
        "locked", "failed", "disabled", "service", "ring", "chain",
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn private() -> Private {
        Private {
            mailboxes: vec!["ann@firm.example".into()],
            words: vec!["Jane Roe".into(), "Offer for the Grüner Park".into(), "al".into()],
            home: Some("/home/ann".into()),
        }
    }

    #[test]
    fn what_helps_stays() {
        for text in [
            "2026-03-02T16:00:00Z Info threadline_engine::mailbox it is tried again code=dns_failure",
            "imap.firm.example:993 tls handshake took 120 ms",
            "the password was changed; the key is missing",
            "/usr/share/threadline/ui",
        ] {
            assert_eq!(redact(text, &private()), text);
        }
    }

    #[test]
    fn mailboxes_are_told_apart_and_others_are_not_shown() {
        let text = redact("ANN@firm.example got mail from Jane Roe <jane@customer.example>", &private());
        assert_eq!(text, "<mailbox 1> got mail from <private> <<address>>");
        assert_eq!(redact("/home/ann/.local/share", &private()), "~/.local/share");
    }

    #[test]
    fn planted_secrets_are_taken_out() {
        for (text, secret) in [
            ("A1 LOGIN ann hunter2", "ann"),
            ("password=hunter2", "hunter2"),
            ("\"password\": \"hun ter\"", "hun"),
            ("client_secret: s3cr3t!", "s3cr3t!"),
            ("Authorization: Bearer abcdef", "Bearer abcdef"),
            ("whsec_C2FVsBQIhrscChlQIMV", "whsec_C2F"),
            ("pat-eu1-0123", "pat-eu1"),
            ("https://x.example/hooks/4f9d8a7c6b5e4f3a2b1c0d?k=v", "4f9d8a7c6b5e4f3a2b1c0d"),
            ("token eyJhbGciOi", "eyJ"),
            ("AUTH PLAIN AGFubgBodW50ZXIy", "AGFubgBodW50ZXIy"),
            ("subject OFFER FOR THE GRÜNER PARK ends", "PARK"),
        ] {
            let redacted = redact(text, &private());
            assert!(!redacted.contains(secret), "{text} became {redacted}");
        }
    }

    proptest! {
        #[test]
        fn known_words_never_survive(before in ".{0,40}", word in "[a-zA-ZäÖß ]{3,20}", behind in ".{0,40}") {
            prop_assume!(word.trim().chars().count() >= SHORTEST);
            let private = Private { words: vec![word.clone()], ..Private::default() };
            let redacted = redact(&format!("{before}{word}{behind}"), &private);
            let left = fold(&redacted).replace("<private>", "").replace("<address>", "").replace("<secret>", "");
            prop_assert!(!left.contains(&fold(word.trim())), "{redacted}");
        }

        #[test]
        fn addresses_never_survive(before in "[a-z ]{0,20}", local in "[a-z0-9.+_-]{1,20}", domain in "[a-z0-9]{1,10}\\.[a-z]{2,5}") {
            let redacted = redact(&format!("{before} {local}@{domain} x"), &Private::default());
            let shown = redacted.contains(&format!("{local}@"));
            prop_assert!(!shown, "{redacted}");
        }

        #[test]
        fn tokens_never_survive(before in "[a-z ]{0,20}", token in "[A-Za-z0-9+_-]{30,80}") {
            prop_assume!(token.bytes().any(|b| b.is_ascii_digit()) && token.bytes().any(|b| b.is_ascii_alphabetic()));
            let redacted = redact(&format!("{before} {token}"), &Private::default());
            prop_assert!(!redacted.contains(&token), "{}", redacted);
        }

        #[test]
        fn any_text_is_taken(text in ".{0,200}", word in ".{0,10}") {
            redact(&text, &Private { words: vec![word], ..private() });
        }
    }
}
