//! Evidence from a text alone, such as a line of a log: the structure that the live connection knows is looked for in it.

use super::rules::{CODES, ERRORS, errno};
use super::{Evidence, ImapStatus, Phase, Protocol, Signal, Spoken};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Most characters of a text that are looked at.
const MOST_READ: usize = 4_096;

/// Reads what a server, a library or the operating system was seen to say in a protocol. Several lines of one exchange may
/// stand in `text`. The step is the sign-in, unless the text names another.
pub fn read(protocol: Protocol, text: &str) -> Evidence {
    let text: String = text.chars().take(MOST_READ).collect();
    let text = text.replace("\\r\\n", "\n").replace('\r', "\n");
    match protocol {
        Protocol::Imap => imap(&text),
        Protocol::Smtp => smtp(&text),
        Protocol::OAuth => {
            let signal = Signal::OAuth { error: error(&text), numbers: numbers(&text) };
            Evidence::new(Phase::Auth, signal, &text)
        }
        Protocol::Tls => system(&text, Phase::Tls, Protocol::Tls),
        // A connection that is reset was open before.
        Protocol::Tcp if matches!(errno(&text), Some(Signal::Reset)) => {
            Evidence::new(Phase::Idle, Signal::Reset, &text)
        }
        Protocol::Tcp => system(&text, Phase::Tcp, Protocol::Tcp),
        Protocol::Dns => system(&text, Phase::Dns, Protocol::Dns),
    }
}

/// What a system call or a library says.
fn system(text: &str, phase: Phase, protocol: Protocol) -> Evidence {
    let signal = match errno(text) {
        // A resolver's own time-out is no time-out of the server.
        Some(Signal::TimedOut) if protocol == Protocol::Dns => Signal::Dns,
        Some(signal) => signal,
        None if of_tls(text) => return Evidence::new(Phase::Tls, Signal::Said(Protocol::Tls), text),
        None => Signal::Said(protocol),
    };
    Evidence::new(phase, signal, text)
}

/// Whether these are a TLS library's words, whatever was spoken over it.
fn of_tls(text: &str) -> bool {
    let text = text.to_lowercase();
    ["certificate", "zertifikat", "x509", "ssl routines", "ssl error", "handshake"]
        .iter()
        .any(|word| text.contains(word))
}

/// What begins like another protocol does. A text alone does not say whether the settings are to blame.
fn another_protocol(text: &str, greeting: &[&str]) -> bool {
    let text = text.trim_start();
    let of_others = ["+OK", "-ERR", "HTTP/", "SSH-", "<!DOCTYPE", "<html"];
    of_others
        .iter()
        .chain(greeting)
        .any(|begin| text.get(..begin.len()).is_some_and(|head| head.eq_ignore_ascii_case(begin)))
}

fn imap(text: &str) -> Evidence {
    if another_protocol(text, &["220 ", "220-"]) {
        return Evidence::new(Phase::Greeting, Signal::Spoken(Spoken::Other), text);
    }
    let mut words: Vec<String> = Vec::new();
    let mut status = None;
    let mut code: Option<String> = None;
    let mut challenge = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(data) = line.strip_prefix("+ ") {
            challenge = challenge.or_else(|| decode(data));
            continue;
        }
        let (ended, mut rest) = status_of(line);
        // The end of a command says more than what came beside it.
        status = match (status, ended) {
            (None | Some(ImapStatus::Bye), Some(ended)) => Some(ended),
            (status, _) => status,
        };
        while let Some((found, before, after)) = bracketed(&rest) {
            // ALERT says only that a person should read it.
            if code.as_deref().is_none_or(|code| code == "ALERT") {
                code = Some(found);
            }
            rest = format!("{before} {after}");
        }
        words.push(rest);
    }
    let words = words.join(" ");
    let phase = match step_named(&words) {
        // These codes are said of folders (RFC 5530, RFC 3501), unless the words say otherwise.
        Phase::Auth if matches!(code.as_deref(), Some("NONEXISTENT" | "TRYCREATE")) && !of_a_user(&words) => {
            Phase::Select
        }
        phase => phase,
    };
    if let Some(said) = challenge.or_else(|| words.split_whitespace().find_map(decode)) {
        return Evidence::new(phase, of_token(&said), &words);
    }
    match (status, &code) {
        (Some(status), _) => Evidence::new(phase, Signal::Imap { status, code }, &words),
        // Without its beginning a line with a code is still a refusal.
        (None, Some(_)) => Evidence::new(phase, Signal::Imap { status: ImapStatus::No, code }, &words),
        (None, None) => system(&words, phase, Protocol::Imap),
    }
}

/// The status that a line begins with, behind a tag or a star or without, and the rest of the line. An `OK` that comes
/// with a complaint counts as a refusal.
fn status_of(line: &str) -> (Option<ImapStatus>, String) {
    let mut words = line.splitn(3, ' ');
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    let status = |word: &str| match word {
        "NO" | "OK" => Some(ImapStatus::No),
        "BAD" => Some(ImapStatus::Bad),
        "BYE" => Some(ImapStatus::Bye),
        _ => None,
    };
    if let Some(found) = status(first) {
        return (Some(found), line[first.len()..].trim_start().to_owned());
    }
    let tag = first == "*" || first.bytes().all(|b| b.is_ascii_alphanumeric() || b".+-_".contains(&b));
    match status(second).filter(|_| tag && !first.is_empty()) {
        Some(found) => (Some(found), words.next().unwrap_or_default().to_owned()),
        None => (None, line.to_owned()),
    }
}

/// The first response code of a line: its name, and what stands around it.
fn bracketed(line: &str) -> Option<(String, &str, &str)> {
    let mut from = 0;
    while let Some(open) = line[from..].find('[').map(|at| from + at) {
        let close = line[open..].find(']').map(|at| open + at)?;
        let name = line[open + 1..close].split(' ').next().unwrap_or_default();
        if let Some(name) = CODES.iter().find(|code| code.eq_ignore_ascii_case(name)) {
            return Some(((*name).to_owned(), &line[..open], &line[close + 1..]));
        }
        from = open + 1;
    }
    None
}

fn of_a_user(words: &str) -> bool {
    let words = words.to_lowercase();
    ["user", "account", "login", "auth"].iter().any(|word| words.contains(word))
}

/// The step, where the server repeats the command.
fn step_named(words: &str) -> Phase {
    let words: Vec<&str> = words.split_whitespace().take(2).collect();
    let begins = |command: &str| {
        words.first() == Some(&command) || (words.first() == Some(&"UID") && words.get(1) == Some(&command))
    };
    if begins("SELECT") || begins("EXAMINE") || begins("STATUS") {
        Phase::Select
    } else if begins("FETCH") || begins("SEARCH") {
        Phase::Fetch
    } else if begins("IDLE") {
        Phase::Idle
    } else if begins("APPEND") {
        Phase::Append
    } else {
        Phase::Auth
    }
}

fn smtp(text: &str) -> Evidence {
    if another_protocol(text, &["* OK", "* PREAUTH", "* BYE"]) {
        return Evidence::new(Phase::Greeting, Signal::Spoken(Spoken::Other), text);
    }
    let words = text.lines().collect::<Vec<_>>().join(" ");
    let reply = text.lines().find_map(reply);
    let enhanced = text.split_whitespace().find_map(enhanced);
    if let Some(said) = text.split_whitespace().find_map(decode) {
        return Evidence::new(Phase::Auth, of_token(&said), &words);
    }
    match (reply, enhanced) {
        (None, None) => system(&words, Phase::Auth, Protocol::Smtp),
        (code, enhanced) => {
            let phase = if code == Some(220) || code == Some(221) { Phase::Greeting } else { Phase::Auth };
            Evidence::new(phase, Signal::Smtp { code: code.unwrap_or(0), enhanced }, &words)
        }
    }
}

/// The reply code of a line: at its beginning, or behind the words of a program that repeats it.
fn reply(line: &str) -> Option<u16> {
    let begins = |text: &str| {
        let code = text.get(..3).filter(|code| code.bytes().all(|b| b.is_ascii_digit()))?;
        let ends = text[3..].chars().next().is_none_or(|c| matches!(c, ' ' | '-'));
        code.parse().ok().filter(|code| ends && (200..600).contains(code))
    };
    begins(line.trim_start()).or_else(|| line.split(": ").skip(1).find_map(begins))
}

/// An enhanced status code (RFC 3463), alone or behind `535-`.
fn enhanced(word: &str) -> Option<String> {
    let word = word.trim_start_matches('#').trim_end_matches([':', ',', ';']);
    let word = word.rsplit('-').next().unwrap_or(word);
    let parts: Vec<&str> = word.split('.').collect();
    let number = |p: &&str| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit());
    let whole = parts.len() == 3 && matches!(parts[0], "2" | "4" | "5") && parts.iter().all(number);
    whole.then(|| word.to_owned())
}

/// What a server says of a token, hidden in base64 (RFC 7628 §3.2.2, and XOAUTH2 before it).
fn decode(data: &str) -> Option<String> {
    let data = data.trim();
    if !data.starts_with("eyJ") {
        return None;
    }
    let bytes = STANDARD.decode(data).ok()?;
    String::from_utf8(bytes).ok().filter(|json| json.contains("status"))
}

/// The `status` in it.
fn of_token(json: &str) -> Signal {
    let after = json.split_once("\"status\"").map(|(_, after)| after);
    let status = after.and_then(|after| after.split('"').nth(1)).map(str::to_owned);
    Signal::OAuth { error: status, numbers: Vec::new() }
}

/// The first known `error` of OAuth 2, wherever it stands: in JSON, in a query, in a program's words.
fn error(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .find(|word| ERRORS.contains(word))
        .map(str::to_owned)
}

/// Microsoft's numbers: `AADSTS50076`, and those of `error_codes`.
fn numbers(text: &str) -> Vec<u32> {
    let mut found = Vec::new();
    let mut add = |digits: &str| {
        let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
        if let Ok(number) = digits.parse()
            && !found.contains(&number)
        {
            found.push(number);
        }
    };
    text.split("AADSTS").skip(1).for_each(&mut add);
    if let Some((_, list)) = text.split_once("\"error_codes\":[") {
        list.split(']').next().unwrap_or_default().split(',').map(str::trim).for_each(&mut add);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imap_signal(text: &str) -> (ImapStatus, Option<String>, String) {
        match read(Protocol::Imap, text) {
            Evidence { signal: Signal::Imap { status, code }, words, .. } => (status, code, words),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_imap_line_is_taken_apart() {
        let code = |code: &str| Some(code.to_owned());
        for (text, want) in [
            ("a1 NO [AUTHENTICATIONFAILED] no", (ImapStatus::No, code("AUTHENTICATIONFAILED"), "no")),
            ("* BYE Bye.", (ImapStatus::Bye, None, "Bye.")),
            ("BAD What?\r\n* BYE Bye", (ImapStatus::Bad, None, "What? Bye")),
            (". NO [x.y 1] no", (ImapStatus::No, None, "[x.y 1] no")),
            ("A1 OK Success [THROTTLED]", (ImapStatus::No, code("THROTTLED"), "Success")),
            ("[ALERT] no", (ImapStatus::No, code("ALERT"), "no")),
            ("* NO [WEBALERT https://x] a\n2 NO [ALERT] b", (ImapStatus::No, code("WEBALERT"), "a b")),
        ] {
            let (status, code, words) = imap_signal(text);
            let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!((status, code, words.as_str()), want, "{text}");
        }
        assert_eq!(read(Protocol::Imap, "no such thing").signal, Signal::Said(Protocol::Imap));
        assert_eq!(read(Protocol::Imap, "+OK POP3").signal, Signal::Spoken(Spoken::Other));
        assert_eq!(read(Protocol::Imap, "3 NO EXAMINE no").phase, Phase::Select);
        assert_eq!(read(Protocol::Imap, "3 NO [NONEXISTENT] Unknown Mailbox: x").phase, Phase::Select);
        assert_eq!(read(Protocol::Imap, "3 NO [NONEXISTENT] Unknown user").phase, Phase::Auth);
    }

    #[test]
    fn a_text_of_any_length_is_read_in_no_time() {
        let begun = std::time::Instant::now();
        for text in ["[", "[ALERT] ", "[ALERT", "]", "5.7.8 ", "eyJ", "\r\n"] {
            let text = text.repeat(1_000_000);
            for protocol in Protocol::ALL {
                assert!(read(*protocol, &text).words.len() <= crate::reason::MOST_WORDS);
            }
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
    }

    #[test]
    fn an_smtp_reply_is_found_behind_a_programs_words() {
        for (text, code, enhanced) in [
            ("535-5.7.8 no\n535 5.7.8 more", 535, Some("5.7.8")),
            ("Invalid login: 535 no", 535, None),
            ("5.7.3 no [X]", 0, Some("5.7.3")),
            ("transient: 4.7.0 no", 0, Some("4.7.0")),
            ("530 5.7.57 a. Error: 535 5.7.139 b", 530, Some("5.7.57")),
        ] {
            let enhanced = enhanced.map(str::to_owned);
            assert_eq!(read(Protocol::Smtp, text).signal, Signal::Smtp { code, enhanced }, "{text}");
        }
        for text in ["at 10.0.0.1 1234", "no", "version 1.2.3"] {
            assert_eq!(read(Protocol::Smtp, text).signal, Signal::Said(Protocol::Smtp), "{text}");
        }
    }

    #[test]
    fn an_oauth_error_is_found_in_every_writing() {
        for text in
            ["{\"error\":\"invalid_grant\"}", "{u'error': u'invalid_grant'}", "?error=invalid_grant&x=1"]
        {
            let error = Some("invalid_grant".to_owned());
            assert_eq!(read(Protocol::OAuth, text).signal, Signal::OAuth { error, numbers: Vec::new() });
        }
        assert_eq!(numbers("AADSTS70002: a. AADSTS70008: b \"error_codes\":[70002, 5]"), [70002, 70008, 5]);
    }
}
