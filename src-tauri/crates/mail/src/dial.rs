//! DNS, TCP and TLS: what IMAP and SMTP share on the way to a server.

use crate::clock;
use crate::connect::{OnStep, Server, Step, Timeouts};
use crate::error::MailError;
use crate::guard::Guard;
use crate::overheard::{First, Overheard};
use crate::portal;
use crate::tls::{ForHost, TrustError, bare, client_config};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use rustls::ProtocolVersion;
use rustls_pki_types::ServerName;
use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use threadline_core::reason::{Evidence, Phase, ProxyFault, Signal, Spoken, TlsFault};
use threadline_net::proxy::ProxyServer;
use threadline_net::{proxy, tunnel};
use tokio::io::AsyncRead;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What a connection is once hands were shaken.
pub type Encrypted = TlsStream<Overheard<TcpStream>>;

/// How long one address may be silent before the next one is tried beside it (RFC 8305 §8).
const NEXT_ADDRESS: Duration = Duration::from_millis(250);

/// Most of a server's addresses that are shown.
const MOST_SHOWN: usize = 4;

/// One connection on its way: tells of each step with its time, and names the server in errors.
pub(crate) struct Way<'a, 'o> {
    server: &'a Server,
    host: &'a str,
    name: String,
    timeouts: &'a Timeouts,
    /// Made while DNS and TCP are waited for.
    config: JoinHandle<Result<ForHost, TrustError>>,
    /// Never locked: it makes the way shareable between threads, whatever listens.
    on: Mutex<OnStep<'o>>,
    /// The step that is under way.
    at: Option<Phase>,
    since: Instant,
}

impl<'a, 'o> Way<'a, 'o> {
    pub(crate) fn new(server: &'a Server, timeouts: &'a Timeouts, on: OnStep<'o>) -> Self {
        let host = bare(&server.host);
        let (trust, for_host) = (server.trust.clone(), host.to_owned());
        Self {
            server,
            host,
            name: server.name(),
            timeouts,
            config: tokio::task::spawn_blocking(move || client_config(&trust, &for_host)),
            on: Mutex::new(on),
            at: None,
            since: Instant::now(),
        }
    }

    pub(crate) fn fail(&self, phase: Phase, signal: Signal, words: &str) -> MailError {
        MailError::new(&self.name, Evidence::new(phase, signal, words))
    }

    pub(crate) fn io(&self, phase: Phase, err: &io::Error) -> MailError {
        MailError::from_io(&self.name, phase, err)
    }

    /// A step begins, unless it is under way.
    pub(crate) fn begin(&mut self, phase: Phase) {
        if self.at != Some(phase) {
            self.at = Some(phase);
            self.since = Instant::now();
            self.tell(Step::Begun(phase));
        }
    }

    /// The step is done; `found` is what to show of it.
    pub(crate) fn done(&mut self, phase: Phase, found: String) {
        self.at = None;
        let millis = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(step = phase.name(), ms = millis, "a step to the server is done");
        self.tell(Step::Done { phase, millis, found });
    }

    fn tell(&mut self, step: Step) {
        (self.on.get_mut().unwrap_or_else(PoisonError::into_inner))(step);
    }

    /// Waits for one step no longer than allowed.
    pub(crate) async fn within<T>(
        &self,
        phase: Phase,
        most: Duration,
        step: impl Future<Output = io::Result<T>>,
    ) -> Result<T, MailError> {
        match timeout(most, step).await {
            Ok(result) => result.map_err(|err| self.io(phase, &err)),
            Err(_) => Err(MailError::timed_out(&self.name, phase)),
        }
    }

    /// One response or reply, whole. An answer that breaks a limit is looked at once more: it may be another
    /// protocol's.
    pub(crate) async fn answer<S: AsyncRead + Unpin>(
        &self,
        guard: &mut Guard<S>,
        phase: Phase,
        most: Duration,
    ) -> Result<Vec<u8>, MailError> {
        match timeout(most, guard.read_response()).await {
            Ok(Ok(Some(answer))) => Ok(answer),
            Ok(Ok(None)) => Err(self.fail(phase, Signal::Closed, "")),
            Ok(Err(err)) => match spoken(guard.unread()) {
                Some(other) if phase == Phase::Greeting && other != Spoken::Imap => {
                    Err(self.fail(phase, Signal::Spoken(other), ""))
                }
                _ => Err(self.io(phase, &err)),
            },
            Err(_) => Err(MailError::timed_out(&self.name, phase)),
        }
    }

    /// Finds the server's addresses and connects to the first that answers; or the proxy's, and through that to the server,
    /// whose name the proxy looks up.
    pub(crate) async fn tcp(&mut self) -> Result<TcpStream, MailError> {
        self.begin(Phase::Dns);
        let proxy = proxy::in_use().for_mail(self.host).map_err(|error| {
            self.fail(Phase::Dns, Signal::Proxy(ProxyFault::Unusable), &error.to_string())
        })?;
        let nearest = match &proxy {
            Some(proxy) => (bare(&proxy.host), proxy.port),
            None => (self.host, self.server.port),
        };
        let found = timeout(self.timeouts.dns, tokio::net::lookup_host(nearest)).await;
        let addresses: Vec<SocketAddr> = match (found, &proxy) {
            (Ok(Ok(found)), _) => found.collect(),
            (Ok(Err(_)), _) | (Err(_), Some(_)) => Vec::new(),
            (Err(_), None) => return Err(MailError::timed_out(&self.name, Phase::Dns)),
        };
        if addresses.is_empty() {
            return Err(match &proxy {
                Some(proxy) => self.no_proxy(Phase::Dns, proxy, "DNS"),
                None => self.fail(Phase::Dns, Signal::Dns, ""),
            });
        }
        let shown: BTreeSet<String> = addresses.iter().map(|a| a.ip().to_string()).collect();
        self.done(Phase::Dns, shown.into_iter().take(MOST_SHOWN).collect::<Vec<_>>().join(", "));
        self.begin(Phase::Tcp);
        let reached = self.within(Phase::Tcp, self.timeouts.tcp, race(in_turns(addresses))).await;
        let tcp = reached.map_err(|error| match &proxy {
            Some(proxy) => self.no_proxy(Phase::Tcp, proxy, "TCP"),
            None => error,
        })?;
        tcp.set_nodelay(true).map_err(|err| self.io(Phase::Tcp, &err))?;
        let peer = tcp.peer_addr().map_err(|err| self.io(Phase::Tcp, &err))?;
        let Some(proxy) = &proxy else {
            self.done(Phase::Tcp, peer.to_string());
            return Ok(tcp);
        };
        let tunnel = tunnel::through(proxy, tcp, self.host, self.server.port);
        let tcp = match timeout(self.timeouts.tcp, tunnel).await {
            Ok(Ok(tcp)) => tcp,
            Ok(Err(error)) => return Err(self.tunnel_failed(proxy, &error)),
            Err(_) => return Err(self.no_proxy(Phase::Tcp, proxy, "timeout")),
        };
        self.done(Phase::Tcp, format!("{peer} ({proxy})"));
        Ok(tcp)
    }

    /// What fails on the way to a proxy is said of the proxy, and not of the server. The words are names alone: the reason has
    /// its sentence in each language.
    fn no_proxy(&self, phase: Phase, proxy: &ProxyServer, what: &str) -> MailError {
        self.fail(phase, Signal::Proxy(ProxyFault::Unreachable), &format!("{proxy} ({what})"))
    }

    fn tunnel_failed(&self, proxy: &ProxyServer, error: &io::Error) -> MailError {
        match tunnel::at(error) {
            // The proxy says so of the server; that there is a proxy in between must be said too.
            tunnel::At::Server => {
                let signal = self.io(Phase::Tcp, error).evidence.signal;
                self.fail(Phase::Tcp, signal, &format!("({proxy})"))
            }
            tunnel::At::Refusal => {
                let words = format!("{proxy} ({error})");
                self.fail(Phase::Tcp, Signal::Proxy(ProxyFault::Refused), &words)
            }
            tunnel::At::Proxy if error.kind() == io::ErrorKind::InvalidData => {
                self.no_proxy(Phase::Tcp, proxy, &error.to_string())
            }
            tunnel::At::Proxy => self.no_proxy(Phase::Tcp, proxy, "EOF"),
        }
    }

    /// Shakes hands and verifies the certificate. `upgraded` says that plaintext went before.
    pub(crate) async fn encrypt(&mut self, tcp: TcpStream, upgraded: bool) -> Result<Encrypted, MailError> {
        self.begin(Phase::Tls);
        let untrusted = Signal::Tls(TlsFault::UnknownIssuer);
        let ForHost { config, presented } = match (&mut self.config).await {
            Ok(Ok(config)) => config,
            Ok(Err(err)) => return Err(self.fail(Phase::Tls, untrusted, &err.to_string())),
            Err(_) => {
                return Err(self.fail(Phase::Tls, untrusted, "the trusted certificates cannot be read"));
            }
        };
        let Ok(server_name) = ServerName::try_from(self.host.to_owned()) else {
            return Err(self.fail(Phase::Dns, Signal::Dns, "this is not a host name"));
        };
        let first = First::default();
        let handshake = TlsConnector::from(config).connect(server_name, Overheard::new(tcp, first.clone()));
        let tls = match self.within(Phase::Tls, self.timeouts.tls, handshake).await {
            Ok(tls) => tls,
            Err(err) if upgraded && err.evidence.signal == Signal::Tls(TlsFault::NotTls) => {
                // The server agreed to TLS, and then something else came.
                return Err(self.fail(Phase::Tls, Signal::PlaintextLeftOver, ""));
            }
            Err(err)
                if err.evidence.signal == Signal::Tls(TlsFault::NotTls)
                    && spoken(&first.bytes()) == Some(Spoken::Pop3) =>
            {
                return Err(self.fail(Phase::Tls, Signal::Spoken(Spoken::Pop3), ""));
            }
            Err(err) => {
                let error = MailError { presented: presented.take().map(Box::new), ..err };
                if !self.timeouts.asks_web {
                    return Err(error);
                }
                return Err(portal::judged(clock::judged(error, self.host).await, self.host).await);
            }
        };
        let version = match tls.get_ref().1.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS",
        };
        acknowledge_at_once(&tls);
        self.done(Phase::Tls, version.to_owned());
        Ok(tls)
    }
}

/// A server that answers in several small writes and has Nagle's algorithm on waits for our acknowledgement between
/// them, and Linux holds that back by 40 ms: between the tickets of a TLS session and the greeting, say (Postfix). This asks for
/// the next few at once; the system forgets it by itself, so it is said with each flight. Where it cannot be said it is slower, no
/// more.
#[cfg(target_os = "linux")]
pub(crate) fn acknowledge_at_once(encrypted: &Encrypted) {
    let _ = encrypted.get_ref().0.get_ref().set_quickack(true);
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn acknowledge_at_once(_encrypted: &Encrypted) {}

/// IPv6 and IPv4 by turns, each in the order given (RFC 8305 §4).
fn in_turns(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|a| a.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut all = Vec::new();
    loop {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            return all;
        }
        all.extend(pair.into_iter().flatten());
    }
}

/// The first connection that opens. Of several failures the first one counts that says more than "no way there".
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut running = FuturesUnordered::new();
    let mut failure: Option<io::Error> = None;
    loop {
        if let Some(address) = waiting.next() {
            running.push(TcpStream::connect(address));
        }
        tokio::select! {
            result = running.next() => match result {
                Some(Ok(stream)) => return Ok(stream),
                Some(Err(err)) => failure = Some(match failure {
                    Some(first) if !no_way(&first) => first,
                    _ => err,
                }),
                None => return Err(failure.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into())),
            },
            () = sleep(NEXT_ADDRESS), if waiting.len() > 0 => {}
        }
    }
}

fn no_way(err: &io::Error) -> bool {
    matches!(
        err.kind(),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable | io::ErrorKind::AddrNotAvailable
    )
}

/// Which protocol begins like this.
pub(crate) fn spoken(bytes: &[u8]) -> Option<Spoken> {
    let begins = |with: &[u8]| bytes.len() >= with.len() && bytes[..with.len()].eq_ignore_ascii_case(with);
    if begins(b"* ") {
        Some(Spoken::Imap)
    } else if begins(b"+OK") || begins(b"-ERR") {
        Some(Spoken::Pop3)
    } else if begins(b"HTTP/") || begins(b"<!doctype") || begins(b"<html") {
        Some(Spoken::Http)
    } else if begins(b"SSH-") {
        Some(Spoken::Ssh)
    } else if matches!(bytes, [a, b, c, b' ' | b'-', ..] if [a, b, c].iter().all(|d| d.is_ascii_digit())) {
        Some(Spoken::Smtp)
    } else if matches!(bytes, [0x14..=0x17, 0x03, ..]) {
        // A TLS record, where it was not expected yet.
        Some(Spoken::Other)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_known_by_their_first_bytes() {
        for (bytes, want) in [
            (&b"* OK x"[..], Some(Spoken::Imap)),
            (b"+OK POP3 ready", Some(Spoken::Pop3)),
            (b"220 mx ESMTP", Some(Spoken::Smtp)),
            (b"220-mx", Some(Spoken::Smtp)),
            (b"HTTP/1.1 400 Bad Request", Some(Spoken::Http)),
            (b"SSH-2.0-OpenSSH", Some(Spoken::Ssh)),
            (b"\x15\x03\x01\x00\x02\x02\x0a", Some(Spoken::Other)),
            (b"2200 x", None),
            (b"", None),
            (b"junk", None),
        ] {
            assert_eq!(spoken(bytes), want, "{bytes:?}");
        }
    }

    #[test]
    fn addresses_come_by_turns() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let [a6, b6, a4, b4] = ["[::1]:1", "[::2]:1", "127.0.0.1:1", "127.0.0.2:1"].map(address);
        assert_eq!(in_turns(vec![a6, b6, a4, b4]), [a6, a4, b6, b4]);
        assert_eq!(in_turns(vec![a4, b4]), [a4, b4]);
        assert_eq!(in_turns(vec![]), []);
    }

    #[tokio::test]
    async fn a_dead_address_does_not_hide_a_living_one() {
        let dead = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dead_address = dead.local_addr().unwrap();
        drop(dead);
        let living = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = living.local_addr().unwrap();
        let stream = race(vec![dead_address, address]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        let refused = race(vec![dead_address]).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        assert!(race(vec![]).await.is_err());
    }
}
