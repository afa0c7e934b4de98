//! What the checks share: a server that plays a script, a client that trusts its authority, and what must not leak.

use std::time::Duration;
use threadline_core::reason::{Reason, Signal};
use threadline_mail::connect::{self, Opened, Security, Server, Timeouts};
use threadline_mail::error::MailError;
use threadline_mail::guard::{Limits, Violation};
use threadline_mail::smtp;
use threadline_mail::tls::Trust;
use threadline_testkit::certs::{Authority, Identity};
use threadline_testkit::script::{Script, Scripted, Transcript};

/// An authority, a good certificate for localhost, and a client that trusts them.
pub struct Rig {
    pub authority: Authority,
    pub identity: Identity,
}

impl Rig {
    pub fn new() -> Self {
        let authority = Authority::new().unwrap();
        let identity = authority.issue(&["localhost"]).unwrap();
        Self { authority, identity }
    }

    pub fn server(&self, port: u16, security: Security) -> Server {
        let mut trust = Trust::default();
        trust.add_authority("localhost", self.authority.pem()).unwrap();
        Server { host: "localhost".into(), port, security, trust }
    }

    /// An IMAP connection to a script, with the script's server.
    pub async fn imap(&self, security: Security, script: Script) -> (Scripted, Result<Opened, MailError>) {
        let server = script.serve().await.unwrap();
        let opened = connect::imap(&self.server(server.port(), security), Limits::imap(), &patient()).await;
        (server, opened)
    }

    /// An IMAP connection that must fail, with what the client said meanwhile.
    pub async fn imap_fails(&self, security: Security, script: Script) -> (MailError, Transcript) {
        let (mut server, opened) = self.imap(security, script).await;
        let err = opened.expect_err("this server is not to be used");
        let seen = server.transcript().await;
        assert_eq!(server.accepted(), 1, "one attempt, one connection");
        (err, seen)
    }

    /// An SMTP connection that must fail, with what the client said meanwhile.
    pub async fn smtp_fails(&self, security: Security, script: Script) -> (MailError, Transcript) {
        let mut server = script.serve().await.unwrap();
        let opened = smtp::smtp(&self.server(server.port(), security), &patient()).await;
        let err = opened.map(|_| ()).expect_err("this server is not to be used");
        let seen = server.transcript().await;
        assert_eq!(server.accepted(), 1, "one attempt, one connection");
        (err, seen)
    }

    /// A script with a greeting inside TLS.
    pub fn inside(&self) -> Script {
        Script::new().tls(&self.identity).send("* OK ready\r\n")
    }

    /// An open IMAP connection on which the server plays on.
    pub async fn opened(&self, script: Script) -> (Scripted, Opened) {
        let (server, opened) = self.imap(Security::Tls, script).await;
        (server, opened.expect("a good greeting"))
    }
}

/// Times so long that no check meets them by chance.
pub fn patient() -> Timeouts {
    let long = Duration::from_secs(20);
    Timeouts { dns: long, tcp: long, tls: long, greeting: long, command: long, asks_web: true }
}

/// What was said in the clear before a handshake began, whose first record no script without TLS can tell from words.
pub fn in_the_clear(seen: &Transcript) -> String {
    let end = seen.plain.windows(2).position(|w| w == [0x16, 0x03]);
    String::from_utf8_lossy(&seen.plain[..end.unwrap_or(seen.plain.len())]).into_owned()
}

/// In the clear an IMAP client said STARTTLS at most.
pub fn no_secrets(seen: &Transcript) {
    let said = in_the_clear(seen);
    assert!(matches!(said.as_str(), "" | "a1 STARTTLS\r\n"), "in the clear: {said:?}");
    assert_eq!(seen.tls_text(), "", "nothing was to be said inside TLS");
}

/// No word from before TLS is kept: there is none, or it is the guard's own.
pub fn no_words(err: &MailError) {
    let own = [Violation::BareLineBreak, Violation::LineTooLong].map(|v| v.to_string());
    let words = &err.evidence.words;
    assert!(words.is_empty() || own.contains(words), "{err}");
}

/// The one verdict where TLS cannot be had.
pub fn tls_required((err, seen): &(MailError, Transcript)) {
    assert_eq!((err.reason, &err.evidence.signal), (Reason::TlsRequired, &Signal::NoStartTls));
    no_words(err);
    no_secrets(seen);
}
