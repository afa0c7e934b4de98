//! Listens, and keeps the number of connections down.

use crate::connection::converse;
use crate::limits::Limits;
use crate::password::Kept;
use crate::plaintext::until_tls;
use crate::upstream::Upstream;
use rustls::ServerConfig;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// The port with TLS from the first byte (RFC 8314), where none is set: as 465 is the providers'.
pub const TLS_PORT: u16 = 1465;
/// The port on which TLS begins with STARTTLS, where none is set: as 587 is the providers'.
pub const STARTTLS_PORT: u16 = 1587;

/// The pause after the first wrong password.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// After the system gave no connection: too many files may be open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Who may sign in.
#[derive(Debug, Clone)]
pub struct Login {
    /// The name, read in any case: the mailbox's address.
    pub user: String,
    pub password: Kept,
    /// The mailbox, as [`Upstream`] numbers it.
    pub mailbox: i64,
    /// The right-hand side of Message-IDs that are made.
    pub domain: String,
}

/// How a connection begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    Tls,
    StartTls,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) upstream: Arc<dyn Upstream>,
    pub(crate) logins: Vec<Login>,
    pub(crate) limits: Limits,
    /// Wrong passwords since the last right one, of all connections.
    failures: AtomicU32,
}

impl Shared {
    /// How long the answer to a wrong password is held back.
    pub(crate) fn wrong_password(&self) -> Duration {
        let before = self.failures.fetch_add(1, Ordering::Relaxed);
        FIRST_PAUSE.saturating_mul(1 << before.min(10)).min(self.limits.longest_pause)
    }

    pub(crate) fn right_password(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }
}

/// The relay. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    tls: TlsAcceptor,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("shared", &self.shared).finish_non_exhaustive()
    }
}

/// Takes a port of 127.0.0.1; 0 for any that is free.
pub async fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}

impl Server {
    pub fn new(
        tls: Arc<ServerConfig>,
        logins: Vec<Login>,
        limits: Limits,
        upstream: Arc<dyn Upstream>,
    ) -> Self {
        let shared = Arc::new(Shared { upstream, logins, limits, failures: AtomicU32::new(0) });
        Self { tls: TlsAcceptor::from(tls), shared }
    }

    /// Serves until the future is dropped; with it its connections end.
    pub async fn serve(&self, tls: TcpListener, starttls: TcpListener) -> Infallible {
        let mut at_work = JoinSet::new();
        loop {
            let (accepted, port) = tokio::select! {
                accepted = tls.accept() => (accepted, Port::Tls),
                accepted = starttls.accept() => (accepted, Port::StartTls),
                Some(_) = at_work.join_next() => continue,
            };
            let Ok((stream, peer)) = accepted else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            // The port is one of 127.0.0.1; this holds where that should ever change.
            if !peer.ip().is_loopback() {
                continue;
            }
            if at_work.len() >= self.shared.limits.connections {
                tracing::warn!("the relay has too many connections; one was turned away");
                if port == Port::StartTls {
                    // Whether it hears it or not.
                    let _ = stream.try_write(b"421 4.7.0 Too many connections; come again\r\n");
                }
                continue;
            }
            // Answers are small, and each is waited for.
            let _ = stream.set_nodelay(true);
            let server = self.clone();
            at_work.spawn(async move { server.meet(stream, port).await });
        }
    }

    /// Speaks with one mail program until that is over.
    pub async fn meet<S: AsyncRead + AsyncWrite + Unpin + Send>(&self, stream: S, port: Port) {
        let limits = &self.shared.limits;
        let stream = match port {
            Port::Tls => stream,
            Port::StartTls => match until_tls(stream, limits).await {
                Some(stream) => stream,
                None => return,
            },
        };
        match tokio::time::timeout(limits.handshake, self.tls.accept(stream)).await {
            Ok(Ok(stream)) => converse(&self.shared, stream, port == Port::Tls).await,
            Ok(Err(_)) => tracing::debug!("a TLS handshake with the relay failed"),
            Err(_) => tracing::debug!("a TLS handshake with the relay took too long"),
        }
    }
}
