//! Opens a verified, guarded connection to an SMTP server, for lettre to go on with.
//!
//! lettre's own STARTTLS takes plaintext that was sent behind the 220 for the answer to the EHLO inside TLS. So the
//! greeting and STARTTLS are done here, and lettre begins inside TLS.

use crate::connect::{Security, Server, Timeouts};
use crate::dial::{Way, spoken};
use crate::error::{MailError, enhanced};
use crate::guard::{Guard, Limits, Protocol};
use crate::login;
use crate::session::Login;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::extension::ClientId;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use threadline_core::envelope::clean;
use threadline_core::reason::{MOST_WORDS, Phase, Signal, Spoken};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// The name in EHLO: an address literal that says nothing about this computer (RFC 5321 §4.1.3).
const HELLO: ClientId = ClientId::Ipv4(Ipv4Addr::LOCALHOST);

/// Connects, encrypts, verifies, says EHLO inside TLS, and leaves the connection where a sign-in may follow.
pub async fn smtp(server: &Server, timeouts: &Timeouts) -> Result<AsyncSmtpConnection, MailError> {
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
    Reply::parse(&raw).ok_or_else(|| way.fail(Phase::Greeting, Signal::Malformed, ""))?.want(
        &way,
        Phase::Greeting,
        250,
        true,
    )?;
    let answers = [GREETING, &raw].concat();
    let stream = Box::new(Replayed { answers, given: 0, hello: hello.len(), stream, peer });
    let connection = AsyncSmtpConnection::connect_with_transport(stream, &HELLO);
    match tokio::time::timeout(timeouts.command, connection).await {
        Ok(Ok(connection)) => Ok(connection),
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
    mut connection: AsyncSmtpConnection,
    login: &Login,
    timeouts: &Timeouts,
) -> Result<String, MailError> {
    let credentials = Credentials::new(login.user.clone(), login.password.as_str().to_owned());
    let signing = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
    let words = match tokio::time::timeout(timeouts.command, signing).await {
        Ok(Ok(response)) => response.message().collect::<Vec<_>>().join(" "),
        Ok(Err(err)) => {
            let mut error = MailError::from_smtp(&server.name(), Phase::Auth, &err);
            // A server that repeats the command in its answer must not put the password into an error.
            if login::repeats(&error.evidence.words, login) {
                error.evidence.words.clear();
            }
            return Err(error);
        }
        Err(_) => return Err(MailError::timed_out(&server.name(), Phase::Auth)),
    };
    // What the server thinks of the good-bye does not matter any more.
    let _ = tokio::time::timeout(timeouts.command, connection.quit()).await;
    Ok(if login::repeats(&words, login) { String::new() } else { clean(&words, MOST_WORDS) })
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
struct Reply {
    code: u16,
    /// The words of each line.
    lines: Vec<String>,
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
    fn parse(raw: &[u8]) -> Option<Self> {
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

    /// As [`Reply::want`], on the way to TLS: a refusal for good means that there is no TLS to be had.
    fn want_tls(&self, way: &Way<'_, '_>, code: u16) -> Result<(), MailError> {
        if (500..=599).contains(&self.code) {
            return Err(way.fail(Phase::Tls, Signal::NoStartTls, ""));
        }
        self.want(way, Phase::Tls, code, false)
    }
}

/// lettre waits for a greeting; the server's own was read before, or there is none after STARTTLS.
const GREETING: &[u8] = b"220 ready\r\n";

/// A stream on which the greeting and EHLO are over already: lettre's own EHLO is not sent again, and gets the
/// answer that the server gave to ours. Were it lettre's to ask, a refusal would make it wait for the answer to a
/// QUIT without end.
struct Replayed {
    answers: Vec<u8>,
    given: usize,
    /// Bytes of lettre's EHLO that are still to be kept back.
    hello: usize,
    stream: Guard<TlsStream<TcpStream>>,
    peer: SocketAddr,
}

impl std::fmt::Debug for Replayed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replayed").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl AsyncTokioStream for Replayed {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl AsyncRead for Replayed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let left = &this.answers[this.given..];
        if left.is_empty() {
            return Pin::new(&mut this.stream).poll_read(cx, buf);
        }
        let now = &left[..buf.remaining().min(left.len())];
        buf.put_slice(now);
        this.given += now.len();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Replayed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.hello > 0 {
            let kept_back = buf.len().min(self.hello);
            self.hello -= kept_back;
            return Poll::Ready(Ok(kept_back));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
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
}
