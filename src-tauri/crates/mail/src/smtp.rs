//! Opens a verified, guarded connection to an SMTP server, for lettre to go on with.
//!
//! lettre's own STARTTLS takes plaintext that was sent behind the 220 for the answer to the EHLO inside TLS. So the
//! greeting and STARTTLS are done here, and lettre begins inside TLS.

mod stream;

use crate::connect::{Security, Server, Timeouts};
use crate::dial::{Way, spoken};
use crate::error::{MailError, enhanced};
use crate::guard::{Guard, Limits, Protocol};
use crate::login::{Login, told};
use crate::sasl::{Exchange, Fault, Mechanism};
use crate::submit;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use std::io;
use std::net::Ipv4Addr;
pub(crate) use stream::Stream;
use threadline_core::reason::{Evidence, Phase, Signal, Spoken};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

/// The name in EHLO: an address literal that says nothing about this computer (RFC 5321 §4.1.3).
const HELLO: ClientId = ClientId::Ipv4(Ipv4Addr::LOCALHOST);

/// A connection inside TLS, before the sign-in.
pub struct Submission {
    pub connection: AsyncSmtpConnection,
    /// What lettre reads and writes on.
    pub(crate) stream: Stream,
    /// The lines of the answer to EHLO behind its first.
    pub(crate) extensions: Vec<String>,
    /// The ways of signing in that the server offers, in upper case.
    offered: Vec<String>,
}

impl std::fmt::Debug for Submission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Submission").field("offered", &self.offered).finish_non_exhaustive()
    }
}

/// Connects, encrypts, verifies, says EHLO inside TLS, and leaves the connection where a sign-in may follow.
pub async fn smtp(server: &Server, timeouts: &Timeouts) -> Result<Submission, MailError> {
    let mut heard = |_| {};
    let mut way = Way::new(server, timeouts, &mut heard);
    let mut tcp = way.tcp().await?;
    let peer = tcp.peer_addr().map_err(|err| way.io(Phase::Tcp, &err))?;
    if server.security == Security::StartTls {
        tcp = starttls(&mut way, tcp, timeouts).await?;
    }
    let tls = way.encrypt(tcp, server.security == Security::StartTls).await?;
    let mut stream = Guard::new(tls, Protocol::Smtp, Limits::smtp());
    if server.security == Security::Tls {
        let greeting = Reply::read(&way, &mut stream, Phase::Greeting, timeouts).await?;
        greeting.want(&way, Phase::Greeting, 220, true)?;
    }
    let hello = format!("EHLO {HELLO}\r\n");
    way.within(Phase::Greeting, timeouts.command, write(&mut stream, hello.as_bytes())).await?;
    let raw = way.answer(&mut stream, Phase::Greeting, timeouts.command).await?;
    let answer = Reply::parse(&raw).ok_or_else(|| way.fail(Phase::Greeting, Signal::Malformed, ""))?;
    answer.want(&way, Phase::Greeting, 250, true)?;
    let offered = answer.mechanisms();
    let stream = Stream::new(stream, peer, &raw, hello.len());
    let connection = AsyncSmtpConnection::connect_with_transport(Box::new(stream.clone()), &HELLO);
    let extensions = answer.lines.into_iter().skip(1).collect();
    match tokio::time::timeout(timeouts.command, connection).await {
        Ok(Ok(connection)) => Ok(Submission { connection, stream, extensions, offered }),
        Ok(Err(err)) => Err(MailError::from_smtp(&server.name(), Phase::Greeting, &err)),
        Err(_) => Err(MailError::timed_out(&server.name(), Phase::Greeting)),
    }
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Signs in and signs out again; nothing is sent. Gives the server's words. The connection is of no more use.
pub async fn sign_in(
    server: &Server,
    submission: Submission,
    login: &Login,
    timeouts: &Timeouts,
) -> Result<String, MailError> {
    let session = submit::Session::sign_in(server, submission, login, timeouts).await?;
    let words = session.welcome().to_owned();
    session.quit().await;
    Ok(words)
}

/// AUTH (RFC 4954) by the best way that the server offers; gives its words. As with IMAP a password is shown once: the next
/// way is tried only where the one before broke off earlier.
pub(crate) async fn authenticate(
    server: &Server,
    submission: &mut Submission,
    login: &Login,
) -> Result<String, MailError> {
    let name = server.name();
    let fail = |signal, words: &str| MailError::new(&name, Evidence::new(Phase::Auth, signal, words));
    let offers = |name: &str| submission.offered.iter().any(|offered| offered == name);
    let mut failed = None;
    for mechanism in Mechanism::fitting(&login.credential, offers) {
        let mut exchange = match Exchange::new(mechanism, login, server) {
            Ok(exchange) => exchange,
            Err(fault) => {
                failed.get_or_insert_with(|| fail(Signal::NoMechanism, &fault.to_string()));
                continue;
            }
        };
        let fault = match converse(&mut submission.connection, mechanism, &mut exchange).await {
            Ok(words) => match exchange.accepted() {
                Ok(()) => return Ok(told(words, "", false, login)),
                Err(fault) => return Err(fail(Signal::Malformed, &fault.to_string())),
            },
            Err(Broken::Refused(error)) => {
                // Looked at whole: what is cut off may be half of what must not be repeated.
                let whole = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                let mut error = MailError::from_smtp(&name, Phase::Auth, &error);
                let refusal = exchange.refusal().map(ToString::to_string).unwrap_or_default();
                let repeats = exchange.repeats(&whole) || login.is_in(&whole);
                error.evidence.words = told(error.evidence.words, &refusal, repeats, login);
                let error = error.tried_by(login.kind());
                if exchange.is_tested() || !matches!(error.evidence.signal, Signal::Smtp { .. }) {
                    return Err(error);
                }
                failed = Some(error);
                continue;
            }
            Err(Broken::Fault(fault)) => fault,
        };
        let error = fail(Signal::Malformed, &fault.to_string());
        if exchange.is_tested() {
            return Err(error);
        }
        failed.get_or_insert(error);
        // The server answers with 501 (RFC 4954 §4).
        let _ = submission.connection.command(Line("*")).await;
    }
    Err(failed.unwrap_or_else(|| {
        let offered = submission.offered.join(" ");
        let offered = if offered.is_empty() { "nothing" } else { &offered };
        fail(Signal::NoMechanism, &format!("The server offers: {offered}"))
    }))
}

/// Why an exchange did not end well.
enum Broken {
    /// The server said no, or the connection broke.
    Refused(lettre::transport::smtp::Error),
    Fault(Fault),
}

/// One exchange; gives the words of the server's yes.
async fn converse(
    connection: &mut AsyncSmtpConnection,
    mechanism: Mechanism,
    exchange: &mut Exchange,
) -> Result<String, Broken> {
    let mut line = Zeroizing::new(format!("AUTH {}", mechanism.name()));
    if let Some(first) = exchange.first() {
        line.push(' ');
        line.push_str(&first);
    }
    loop {
        let response = connection.command(Line(&line)).await.map_err(Broken::Refused)?;
        if !response.has_code(334) {
            let words: Vec<&str> = response.message().collect();
            let words = words.join(" ");
            return Ok(if exchange.repeats(&words) { String::new() } else { words });
        }
        line = exchange.answer(response.message().next().unwrap_or_default()).map_err(Broken::Fault)?;
    }
}

/// A line of ours.
pub(crate) struct Line<'a>(pub &'a str);

impl std::fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\r\n", self.0)
    }
}

/// A message with CR LF at the end of each line and nowhere else a CR or LF (RFC 5321 §2.3.8). lettre escapes the
/// dots of such lines only; a dot between bare line feeds would end the mail early for a careless server, and what
/// follows would be taken for commands.
pub fn canonical(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 32);
    let mut bytes = message.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' => {
                bytes.next_if_eq(&b'\n');
                out.extend_from_slice(b"\r\n");
            }
            b'\n' => out.extend_from_slice(b"\r\n"),
            _ => out.push(byte),
        }
    }
    out
}

/// The plaintext phase: EHLO and STARTTLS and nothing else, and no word of it is kept.
async fn starttls(
    way: &mut Way<'_, '_>,
    tcp: TcpStream,
    timeouts: &Timeouts,
) -> Result<TcpStream, MailError> {
    let mut plain = Guard::new(tcp, Protocol::Smtp, Limits::smtp());
    let greeting = Reply::read(way, &mut plain, Phase::Greeting, timeouts).await?;
    greeting.want(way, Phase::Greeting, 220, false)?;
    let hello = format!("EHLO {HELLO}\r\n");
    way.within(Phase::Tls, timeouts.command, plain.write_all(hello.as_bytes())).await?;
    let offered = Reply::read(way, &mut plain, Phase::Tls, timeouts).await?;
    offered.want_tls(way, 250)?;
    if !offered.lines.iter().skip(1).any(|line| line.trim().eq_ignore_ascii_case("STARTTLS")) {
        return Err(way.fail(Phase::Tls, Signal::NoStartTls, ""));
    }
    way.within(Phase::Tls, timeouts.command, plain.write_all(b"STARTTLS\r\n")).await?;
    let answer = Reply::read(way, &mut plain, Phase::Tls, timeouts).await?;
    answer.want_tls(way, 220)?;
    plain.into_inner().ok_or_else(|| way.fail(Phase::Tls, Signal::PlaintextLeftOver, ""))
}

/// One reply (RFC 5321 §4.2).
pub(crate) struct Reply {
    pub code: u16,
    /// The words of each line.
    pub lines: Vec<String>,
}

impl Reply {
    async fn read<S: AsyncRead + Unpin>(
        way: &Way<'_, '_>,
        guard: &mut Guard<S>,
        phase: Phase,
        timeouts: &Timeouts,
    ) -> Result<Self, MailError> {
        let most = if phase == Phase::Greeting { timeouts.greeting } else { timeouts.command };
        let raw = way.answer(guard, phase, most).await?;
        if phase == Phase::Greeting && spoken(&raw) != Some(Spoken::Smtp) {
            return Err(way.fail(phase, Signal::Malformed, ""));
        }
        Self::parse(&raw).ok_or_else(|| way.fail(phase, Signal::Malformed, ""))
    }

    /// None where the lines do not agree on the code.
    pub fn parse(raw: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(raw);
        let mut code = None;
        let mut lines = Vec::new();
        for line in text.lines() {
            let digits = line.get(..3)?.parse().ok()?;
            if *code.get_or_insert(digits) != digits {
                return None;
            }
            lines.push(line.get(4..).unwrap_or_default().to_owned());
        }
        Some(Self { code: code?, lines })
    }

    /// Fails where the code is another one. `trusted` says that the reply came inside TLS and may speak for itself.
    fn want(&self, way: &Way<'_, '_>, phase: Phase, code: u16, trusted: bool) -> Result<(), MailError> {
        if self.code == code {
            return Ok(());
        }
        let enhanced = self.lines.first().and_then(|l| enhanced(l)).filter(|_| trusted);
        let words = if trusted { self.lines.join(" ") } else { String::new() };
        Err(way.fail(phase, Signal::Smtp { code: self.code, enhanced }, &words))
    }

    /// The ways of signing in of an answer to EHLO: behind `AUTH`, or behind `AUTH=`, as some write it twice.
    fn mechanisms(&self) -> Vec<String> {
        let mut found = Vec::new();
        for line in self.lines.iter().skip(1).map(|line| line.to_ascii_uppercase()) {
            let Some(rest) = line.strip_prefix("AUTH").filter(|rest| rest.starts_with([' ', '='])) else {
                continue;
            };
            for name in rest[1..].split_ascii_whitespace() {
                if !found.iter().any(|f| f == name) {
                    found.push(name.to_owned());
                }
            }
        }
        found
    }

    /// As [`Reply::want`], on the way to TLS: a refusal for good means that there is no TLS to be had.
    fn want_tls(&self, way: &Way<'_, '_>, code: u16) -> Result<(), MailError> {
        if (500..=599).contains(&self.code) {
            return Err(way.fail(Phase::Tls, Signal::NoStartTls, ""));
        }
        self.want(way, Phase::Tls, code, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_ends_with_cr_and_lf() {
        let canonical = |text: &str| String::from_utf8(canonical(text.as_bytes())).unwrap();
        assert_eq!(canonical("a\r\nb\nc\rd\r\r\n\n.\n"), "a\r\nb\r\nc\r\nd\r\n\r\n\r\n.\r\n");
        assert_eq!(canonical(""), "");
    }

    #[test]
    fn a_reply_is_one_code_and_its_lines() {
        let reply = Reply::parse(b"250-mx at your service\r\n250-STARTTLS\r\n250 SIZE 1\r\n").unwrap();
        assert_eq!(reply.code, 250);
        assert_eq!(reply.lines, ["mx at your service", "STARTTLS", "SIZE 1"]);
        assert!(Reply::parse(b"250-a\r\n550 b\r\n").is_none());
        assert_eq!(Reply::parse(b"220\r\n").unwrap().lines, [""]);
    }

    #[test]
    fn ways_to_sign_in_are_read_in_both_spellings() {
        let reply = b"250-mx AUTH NONE\r\n250-AUTH PLAIN login\r\n250-AUTH=PLAIN XOAUTH2\r\n250-AUTHX X\r\n250 AUTH\r\n";
        assert_eq!(Reply::parse(reply).unwrap().mechanisms(), ["PLAIN", "LOGIN", "XOAUTH2"]);
    }
}
