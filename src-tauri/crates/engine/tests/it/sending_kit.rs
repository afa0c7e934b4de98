//! A mailbox between an SMTP and an IMAP server that are played, and what these play.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use jiff::Timestamp;
use std::sync::Arc;
use threadline_core::address::{Address, Mailbox};
use threadline_engine::settings::{AccountSettings, Encryption, Endpoint};
use threadline_engine::writing::{CopyWish, Draft, SendLine, SendState};
use threadline_engine::{Engine, Home};
use threadline_secrets::Memory;
use threadline_store::message::{self, Message};
use threadline_testkit::certs::{Authority, Identity};
use threadline_testkit::clock::HandClock;
use threadline_testkit::script::{Script, Scripted, serve_in_turn};
use zeroize::Zeroizing;

/// What a connection plays inside TLS.
pub type Play = fn(Script) -> Script;

pub struct Bench {
    _dir: tempfile::TempDir,
    pub engine: Engine,
    pub clock: HandClock,
    pub smtp: Scripted,
    pub imap: Scripted,
    pub ann: Address,
}

pub async fn played(identity: &Identity, scripts: &[Play]) -> Scripted {
    let scripts = scripts.iter().map(|play| play(Script::new().tls(identity)));
    serve_in_turn(scripts.collect()).await.unwrap()
}

impl Bench {
    /// One SMTP and one IMAP server, each connection with the next script. No copies are wanted.
    pub async fn new(smtp: &[Play], imap: &[Play]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(&dir.path().join("data")).unwrap();
        let clock = HandClock::at("2026-11-24T12:00:00Z".parse().unwrap());
        let (engine, _) = Engine::open(home, Arc::new(Memory::new()), Arc::new(clock.clone()), None).unwrap();
        let authority = Authority::new().unwrap();
        let identity = authority.issue(&["localhost"]).unwrap();
        let (smtp, imap) = (played(&identity, smtp).await, played(&identity, imap).await);
        let ann = Address::parse("ann@firm.example").unwrap();
        let mut settings = AccountSettings::new(ann.clone(), "localhost".into(), Encryption::Tls);
        settings.port = imap.port();
        settings.authority = Some(authority.pem().to_owned());
        let encryption = Encryption::Tls;
        settings.smtp = Some(Endpoint { host: "localhost".into(), port: smtp.port(), encryption });
        engine.add_account(settings, Some(Zeroizing::new("secret".to_owned()))).await.unwrap();
        engine.set_copy_wish(&ann, CopyWish::Never).await.unwrap();
        Self { _dir: dir, engine, clock, smtp, imap, ann }
    }

    pub fn now(&self) -> Timestamp {
        self.engine.clock().now()
    }

    /// A mail to these people, due now.
    pub fn draft(&self, to: &[&str]) -> Draft {
        let person = |text: &&str| Mailbox::new(None, Address::parse(text).unwrap());
        Draft {
            to: to.iter().map(person).collect(),
            subject: Some("Offer".into()),
            text: Some("Dear all,\n.\nregards".into()),
            at: Some(self.now()),
            ..Draft::default()
        }
    }

    pub async fn send(&self, draft: &Draft) -> SendLine {
        let line = self.engine.send(&self.ann, draft).await.unwrap();
        assert_eq!(line.state, SendState::Waiting);
        self.engine.send_due(line.id).await.unwrap()
    }

    /// What the client said on the SMTP connection that ended.
    pub async fn said(&mut self) -> String {
        let transcript = self.smtp.transcript().await;
        assert_eq!(transcript.mismatch, None, "{}", transcript.tls_text());
        transcript.tls_text()
    }

    pub async fn logged(&self) -> Vec<Message> {
        self.engine.ledger().read(|tx| message::logged_page(tx, 0, 10)).await.unwrap()
    }
}

pub const HELLO: &str = "250-mx\r\n250-SIZE 9000\r\n250 AUTH PLAIN\r\n";

pub fn hello(script: Script) -> Script {
    script.send("220 mx\r\n").expect("EHLO").send(HELLO).expect("AUTH PLAIN").send("235 2.7.0 in\r\n")
}

/// A mail with one recipient, up to its text.
pub fn begun(script: Script) -> Script {
    let script = script.expect("MAIL FROM:<ann@firm.example> SIZE=").send("250 ok\r\n");
    script.expect("RCPT TO:<carl@client.example>").send("250 ok\r\n").expect("DATA").send("354 go\r\n")
}

/// Reads the text: the header of a mail in plain text has eight lines.
pub fn text(mut script: Script) -> Script {
    for line in ["message-id", "date", "from", "to", "subject", "mime", "content-type", "content-transfer"] {
        let _ = line;
        script = script.expect("");
    }
    script.expect("").expect("Dear all,").expect("..").expect("regards").expect(".")
}

pub fn takes(script: Script) -> Script {
    text(begun(script)).send("250 2.0.0 queued\r\n")
}

pub fn never(script: Script) -> Script {
    script.close()
}
