//! Opens a verified, guarded connection to an IMAP server.
//!
//! Invariant: nothing is sent before TLS but STARTTLS, and nothing that came before TLS outlives it: no capability,
//! no data, no word.

use crate::dial::{Encrypted, Way, spoken};
use crate::error::MailError;
use crate::guard::{Guard, Limits, Protocol};
use crate::tls::Trust;
use serde::Deserialize;
use std::time::Duration;
use threadline_core::envelope::clean;
use threadline_core::reason::{ImapStatus, MOST_WORDS, Phase, Signal, Spoken};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// How a connection becomes encrypted. There is no third way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// RFC 9051 §6.2.1 and RFC 3207; nothing that matters is said before it.
    StartTls,
}

/// Where to connect to, and whom to trust there.
#[derive(Debug, Clone)]
pub struct Server {
    /// A name or an IP address.
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub trust: Trust,
}

impl Server {
    /// `host:port`, as errors name it.
    pub fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// The longest that each step may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    pub dns: Duration,
    pub tcp: Duration,
    pub tls: Duration,
    pub greeting: Duration,
    /// One command until its tagged answer, or the next KiB of it.
    pub command: Duration,
    /// Whether a web server is asked what a refused handshake means: see `clock` and `portal`. It takes some seconds more.
    pub asks_web: bool,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            dns: Duration::from_secs(10),
            tcp: Duration::from_secs(20),
            tls: Duration::from_secs(20),
            greeting: Duration::from_secs(30),
            command: Duration::from_secs(60),
            asks_web: true,
        }
    }
}

/// What IMAP sessions run on.
pub type ImapStream = Guard<Encrypted>;

/// What is told of one step on the way to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Begun(Phase),
    /// It took so long, and this was found: addresses, the version of TLS, the greeting. No word from before TLS.
    Done {
        phase: Phase,
        millis: u64,
        found: String,
    },
}

/// Hears of each step as it begins and as it ends well. What fails is the error.
pub type OnStep<'a> = &'a mut (dyn FnMut(Step) + Send);

/// What the server said first, inside TLS. Empty after STARTTLS, where servers do not greet a second time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Greeting {
    /// Cleaned, at most 500 characters, without the response code.
    pub text: String,
    /// In upper case; none where the server did not say.
    pub capabilities: Option<Vec<String>>,
}

/// An open connection, before the sign-in.
#[derive(Debug)]
pub struct Opened {
    /// The greeting is read already.
    pub stream: ImapStream,
    pub greeting: Greeting,
}

/// Connects, encrypts, verifies and reads the greeting. `limits` are for the session. No round trip is made that
/// the protocol does not ask for.
pub async fn imap(server: &Server, limits: Limits, timeouts: &Timeouts) -> Result<Opened, MailError> {
    observed(server, limits, timeouts, &mut |_| {}).await
}

/// As [`imap`], and tells of each step. After STARTTLS the greeting is a step before TLS; else it comes behind it.
pub async fn observed(
    server: &Server,
    limits: Limits,
    timeouts: &Timeouts,
    on: OnStep<'_>,
) -> Result<Opened, MailError> {
    let opened = go(server, limits, timeouts, on).await;
    if let Err(error) = &opened {
        error.log("the way to the server ends");
    }
    opened
}

async fn go(
    server: &Server,
    limits: Limits,
    timeouts: &Timeouts,
    on: OnStep<'_>,
) -> Result<Opened, MailError> {
    let mut way = Way::new(server, timeouts, on);
    let tcp = way.tcp().await?;
    let (stream, greeting) = match server.security {
        Security::Tls => {
            let mut stream = Guard::new(way.encrypt(tcp, false).await?, Protocol::Imap, limits);
            way.begin(Phase::Greeting);
            let line = way.answer(&mut stream, Phase::Greeting, timeouts.greeting).await?;
            let greeting = greet(&line).map_err(|no| way.fail(Phase::Greeting, no.signal, &no.words))?;
            way.done(Phase::Greeting, greeting.text.clone());
            (stream, greeting)
        }
        Security::StartTls => {
            let tcp = starttls(&mut way, tcp, timeouts).await?;
            let stream = Guard::new(way.encrypt(tcp, true).await?, Protocol::Imap, limits);
            (stream, Greeting::default())
        }
    };
    Ok(Opened { stream, greeting })
}

/// The plaintext phase. Its words are for nobody: whoever sits in between can write them.
async fn starttls(
    way: &mut Way<'_, '_>,
    tcp: TcpStream,
    timeouts: &Timeouts,
) -> Result<TcpStream, MailError> {
    let mut plain = Guard::new(tcp, Protocol::Imap, Limits::plaintext());
    way.begin(Phase::Greeting);
    let line = way.answer(&mut plain, Phase::Greeting, timeouts.greeting).await?;
    let greeting = greet(&line).map_err(|no| way.fail(Phase::Greeting, no.without_code(), ""))?;
    way.done(Phase::Greeting, String::new());
    way.begin(Phase::Tls);
    // A server that does not list its capabilities is not asked for them: its answer to STARTTLS says the same.
    let hidden = |all: Vec<String>| !all.iter().any(|c| c == "STARTTLS");
    if greeting.capabilities.is_some_and(hidden) {
        return Err(way.fail(Phase::Tls, Signal::NoStartTls, ""));
    }
    way.within(Phase::Tls, timeouts.command, plain.write_all(b"a1 STARTTLS\r\n")).await?;
    let answer = async {
        loop {
            let line = way.answer(&mut plain, Phase::Tls, timeouts.command).await?;
            if let Some(verdict) = agreed(&line) {
                return verdict.map_err(|signal| way.fail(Phase::Tls, signal, ""));
            }
        }
    };
    match tokio::time::timeout(timeouts.command, answer).await {
        Ok(verdict) => verdict?,
        Err(_) => return Err(way.fail(Phase::Tls, Signal::TimedOut, "")),
    }
    // Whatever lies behind the OK came before TLS and would be read as if it came inside.
    plain.into_inner().ok_or_else(|| way.fail(Phase::Tls, Signal::PlaintextLeftOver, ""))
}

/// Reads one answer in the plaintext phase. None for untagged data, which is dropped.
fn agreed(line: &[u8]) -> Option<Result<(), Signal>> {
    let text = String::from_utf8_lossy(line).to_ascii_uppercase();
    let mut words = text.split_ascii_whitespace();
    Some(match (words.next(), words.next()) {
        (Some("A1"), Some("OK")) => Ok(()),
        (Some("A1"), Some("NO" | "BAD")) => Err(Signal::NoStartTls),
        (Some("*"), Some("BYE")) => Err(Signal::Imap { status: ImapStatus::Bye, code: None }),
        (Some("*"), Some("PREAUTH")) => Err(Signal::Malformed),
        (Some("*"), Some(_)) => return None,
        _ => Err(Signal::Malformed),
    })
}

/// Why a greeting is not one.
#[derive(Debug, PartialEq, Eq)]
struct Refused {
    signal: Signal,
    words: String,
}

impl Refused {
    fn new(signal: Signal, words: &str) -> Self {
        Self { signal, words: clean(words, MOST_WORDS) }
    }

    /// The signal as it may be used before TLS: a code such as REFERRAL would lead a person to where an attacker
    /// wants.
    fn without_code(self) -> Signal {
        match self.signal {
            Signal::Imap { status, code } => {
                Signal::Imap { status, code: code.filter(|c| c == "UNAVAILABLE") }
            }
            other => other,
        }
    }
}

/// Reads the first line of a server (RFC 9051 §7.1): only `* OK` will do. PREAUTH is refused: whoever is signed in
/// before the sign-in is not who the person is.
fn greet(line: &[u8]) -> Result<Greeting, Refused> {
    let line = String::from_utf8_lossy(line);
    let line = line.trim_end_matches(['\r', '\n']);
    let Some(rest) = line.strip_prefix("* ") else {
        return Err(no_greeting(line));
    };
    let (word, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let (code, text) = split_code(text);
    let (name, arguments) = code.split_once(' ').unwrap_or((code, ""));
    let refused = |status| {
        let code = (!name.is_empty()).then(|| clean(&name.to_ascii_uppercase(), 40));
        Err(Refused::new(Signal::Imap { status, code }, text))
    };
    match word.to_ascii_uppercase().as_str() {
        "OK" => Ok(Greeting {
            text: clean(text, MOST_WORDS),
            capabilities: name
                .eq_ignore_ascii_case("CAPABILITY")
                .then(|| arguments.split_ascii_whitespace().map(str::to_ascii_uppercase).collect()),
        }),
        "BYE" => refused(ImapStatus::Bye),
        "NO" => refused(ImapStatus::No),
        "BAD" => refused(ImapStatus::Bad),
        _ => Err(Refused::new(Signal::Malformed, line)),
    }
}

/// What a first line without a star means.
fn no_greeting(line: &str) -> Refused {
    let lower = line.to_ascii_lowercase();
    if let Some(other) = spoken(line.as_bytes()) {
        return Refused::new(Signal::Spoken(other), line);
    }
    if ["server unavailable", "service unavailable", "temporarily unavailable"]
        .iter()
        .any(|w| lower.contains(w))
    {
        // Front ends say so in bare words when what is behind them is down.
        let code = Some("UNAVAILABLE".to_owned());
        return Refused::new(Signal::Imap { status: ImapStatus::No, code }, line);
    }
    let tagged = lower.split_ascii_whitespace().nth(1).is_some_and(|w| matches!(w, "ok" | "no" | "bad"));
    let signal = if tagged { Signal::Malformed } else { Signal::Spoken(Spoken::Other) };
    Refused::new(signal, line)
}

/// Splits `[CODE …] words`.
fn split_code(text: &str) -> (&str, &str) {
    match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((code, words)) => (code, words.trim_start()),
        None => ("", text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_gives_its_words_and_capabilities() {
        let greeting = greet(b"* ok [Capability imap4rev1 Idle] ready\x07 now\r\n").unwrap();
        assert_eq!(greeting.text, "ready now");
        assert_eq!(greeting.capabilities.unwrap(), ["IMAP4REV1", "IDLE"]);
        let bare = greet(b"* OK\r\n").unwrap();
        assert_eq!(bare, Greeting::default());
    }

    #[test]
    fn anything_else_is_refused_for_what_it_is() {
        let imap = |status, code: Option<&str>| Signal::Imap { status, code: code.map(str::to_owned) };
        for (line, want) in [
            ("* PREAUTH [CAPABILITY IMAP4rev1] hello", Signal::Malformed),
            ("* BYE gone", imap(ImapStatus::Bye, None)),
            ("* BYE [unavailable] gone", imap(ImapStatus::Bye, Some("UNAVAILABLE"))),
            ("* NO [ALERT] x", imap(ImapStatus::No, Some("ALERT"))),
            ("* BAD x", imap(ImapStatus::Bad, None)),
            ("* LIST () \"/\" x", Signal::Malformed),
            ("a1 OK ready", Signal::Malformed),
            ("Ac3cXIo1 rJzgnVlo", Signal::Spoken(Spoken::Other)),
            ("+OK pop", Signal::Spoken(Spoken::Pop3)),
            ("220 mx", Signal::Spoken(Spoken::Smtp)),
            ("Server Unavailable. 15", imap(ImapStatus::No, Some("UNAVAILABLE"))),
            ("", Signal::Spoken(Spoken::Other)),
        ] {
            assert_eq!(greet(line.as_bytes()).unwrap_err().signal, want, "{line}");
        }
    }

    #[test]
    fn before_tls_a_code_leads_nobody_astray() {
        let refused = greet(b"* BYE [REFERRAL imap://evil/] moved").unwrap_err();
        let want = Signal::Imap { status: ImapStatus::Bye, code: None };
        assert_eq!(refused.without_code(), want);
    }

    #[test]
    fn only_the_answer_to_our_tag_counts() {
        assert_eq!(agreed(b"a1 OK begin\r\n"), Some(Ok(())));
        assert_eq!(agreed(b"A1 ok\r\n"), Some(Ok(())));
        assert_eq!(agreed(b"a1 NO\r\n"), Some(Err(Signal::NoStartTls)));
        assert_eq!(agreed(b"a1 BAD x\r\n"), Some(Err(Signal::NoStartTls)));
        assert_eq!(agreed(b"* CAPABILITY IDLE\r\n"), None);
        assert_eq!(agreed(b"a2 OK\r\n"), Some(Err(Signal::Malformed)));
        assert_eq!(agreed(b"+ go on\r\n"), Some(Err(Signal::Malformed)));
        assert_eq!(agreed(b"\r\n"), Some(Err(Signal::Malformed)));
    }
}
