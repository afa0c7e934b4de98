//! Opens a verified, guarded connection to an SMTP server, for lettre to go on with.
//!
//! lettre's own STARTTLS takes plaintext that was sent behind the 220 for the answer to the EHLO inside TLS. So the
//! greeting and STARTTLS are done here, and lettre begins inside TLS.

use crate::connect::{Security, Server, Timeouts};
use crate::dial::{Way, spoken};
use crate::error::{MailError, enhanced};
use crate::guard::{Guard, Limits, Protocol};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::extension::ClientId;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use threadline_core::reason::{Phase, Signal, Spoken};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// The name in EHLO: an address literal that says nothing about this computer (RFC 5321 §4.1.3).
const HELLO: ClientId = ClientId::Ipv4(Ipv4Addr::LOCALHOST);

/// Connects, encrypts, verifies, says EHLO inside TLS, and leaves the connection where a sign-in may follow.
pub async fn smtp(server: &Server, timeouts: &Timeouts) -> Result<AsyncSmtpConnection, MailError> {
    let mut way = Way::new(server, timeouts);
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
        way.done(Phase::Greeting);
    }
    let stream = Box::new(Greeted { greeting: GREETING, stream, peer });
    match tokio::time::timeout(timeouts.command, AsyncSmtpConnection::connect_with_transport(stream, &HELLO))
        .await
    {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(err)) => Err(MailError::from_smtp(&server.name(), Phase::Greeting, &err)),
        Err(_) => Err(MailError::timed_out(&server.name(), Phase::Greeting)),
    }
}

/// The plaintext phase: EHLO and STARTTLS and nothing else, and no word of it is kept.
async fn starttls(way: &mut Way<'_>, tcp: TcpStream, timeouts: &Timeouts) -> Result<TcpStream, MailError> {
    let mut plain = Guard::new(tcp, Protocol::Smtp, Limits::smtp());
    let greeting = Reply::read(way, &mut plain, Phase::Greeting, timeouts).await?;
    greeting.want(way, Phase::Greeting, 220, false)?;
    way.done(Phase::Greeting);
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
        way: &Way<'_>,
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
    fn want(&self, way: &Way<'_>, phase: Phase, code: u16, trusted: bool) -> Result<(), MailError> {
        if self.code == code {
            return Ok(());
        }
        let enhanced = self.lines.first().and_then(|l| enhanced(l)).filter(|_| trusted);
        let words = if trusted { self.lines.join(" ") } else { String::new() };
        Err(way.fail(phase, Signal::Smtp { code: self.code, enhanced }, &words))
    }

    /// As [`Reply::want`], on the way to TLS: a refusal for good means that there is no TLS to be had.
    fn want_tls(&self, way: &Way<'_>, code: u16) -> Result<(), MailError> {
        if (500..=599).contains(&self.code) {
            return Err(way.fail(Phase::Tls, Signal::NoStartTls, ""));
        }
        self.want(way, Phase::Tls, code, false)
    }
}

/// lettre waits for a greeting; the server's own was read before, or there is none after STARTTLS.
const GREETING: &[u8] = b"220 ready\r\n";

/// A stream with a greeting in front.
#[derive(Debug)]
struct Greeted {
    greeting: &'static [u8],
    stream: Guard<TlsStream<TcpStream>>,
    peer: SocketAddr,
}

impl AsyncTokioStream for Greeted {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl AsyncRead for Greeted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.greeting.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let (now, later) = self.greeting.split_at(buf.remaining().min(self.greeting.len()));
        buf.put_slice(now);
        self.greeting = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Greeted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
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
    fn a_reply_is_one_code_and_its_lines() {
        let reply = Reply::parse(b"250-mx at your service\r\n250-STARTTLS\r\n250 SIZE 1\r\n").unwrap();
        assert_eq!(reply.code, 250);
        assert_eq!(reply.lines, ["mx at your service", "STARTTLS", "SIZE 1"]);
        assert!(Reply::parse(b"250-a\r\n550 b\r\n").is_none());
        assert_eq!(Reply::parse(b"220\r\n").unwrap().lines, [""]);
    }
}
