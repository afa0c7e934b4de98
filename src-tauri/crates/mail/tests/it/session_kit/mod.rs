//! What the tests of sessions and watches share: a signed-in session on a scripted server or in the lab.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use std::time::Duration;
use threadline_core::arrival::Role;
use threadline_mail::connect::{Security, Server, Timeouts};
use threadline_mail::error::MailError;
use threadline_mail::folders::watched;
use threadline_mail::login::Login;
use threadline_mail::session::{Folder, Session};
use threadline_mail::tls::Trust;
use threadline_mail::watch::{Cursor, News, Target, Watch};
use threadline_testkit::certs::{Authority, Identity};
use threadline_testkit::lab::Lab;
use threadline_testkit::script::{Script, Scripted, Transcript, serve_in_turn};

/// As a small server has them: IDLE, and nothing else that helps.
pub const PLAIN: &str = "IMAP4rev1 IDLE";
pub const NOTIFY: &str = "IMAP4rev1 IDLE NOTIFY ENABLE CONDSTORE QRESYNC SPECIAL-USE LIST-EXTENDED";

pub fn login() -> Login {
    Login::password("alice@lab.test", "secret".to_owned())
}

/// What a connection plays behind TLS.
pub type Play = Box<dyn FnOnce(Script) -> Script + Send>;

/// Scripted servers, one connection after the other, each played behind TLS.
pub struct Stage {
    pub scripted: Scripted,
    pub server: Server,
}

pub fn authority() -> (Authority, Identity) {
    let authority = Authority::new().unwrap();
    let identity = authority.issue(&["127.0.0.1"]).unwrap();
    (authority, identity)
}

impl Stage {
    /// Plays these scripts from the first byte inside TLS on.
    pub async fn raw(scripts: Vec<Play>) -> Stage {
        let (authority, identity) = authority();
        let scripts = scripts.into_iter().map(|play| play(Script::new().tls(&identity))).collect();
        let scripted = serve_in_turn(scripts).await.unwrap();
        let mut trust = Trust::default();
        trust.add_authority("127.0.0.1", authority.pem()).unwrap();
        let server =
            Server { host: "127.0.0.1".to_owned(), port: scripted.port(), security: Security::Tls, trust };
        Stage { scripted, server }
    }

    /// Plays this behind the sign-in.
    pub async fn new(caps: &'static str, play: impl FnOnce(Script) -> Script + Send + 'static) -> Stage {
        Self::raw(vec![Box::new(move |script| play(signed_in(script, caps)))]).await
    }

    /// Plays these steps behind the sign-in, a list of them for each connection, and then keeps silent.
    pub async fn talks(caps: &'static str, talks: Vec<Vec<(String, String)>>) -> Stage {
        let mut scripts: Vec<Play> = Vec::new();
        for steps in talks {
            scripts.push(Box::new(move |script| play(signed_in(script, caps), &steps).hang()));
        }
        Self::raw(scripts).await
    }

    pub async fn open(&self) -> Result<Session, MailError> {
        Session::open(&self.server, &login(), &Timeouts::default()).await
    }

    /// A watch of INBOX from this cursor on.
    pub async fn inbox(&self, cursor: Option<Cursor>) -> Watch {
        Watch::new(self.open().await.unwrap(), vec![inbox(cursor)])
    }

    /// What the client said on the connection that ended. Panics where it was not what the script expected.
    pub async fn said(&mut self) -> Transcript {
        let transcript = self.scripted.transcript().await;
        assert_eq!(transcript.mismatch, None, "{}", transcript.tls_text());
        transcript
    }
}

/// Steps of a conversation: the client's line must hold the first text, and gets the second.
pub fn play(script: Script, steps: &[(String, String)]) -> Script {
    steps.iter().fold(script, |script, (expect, send)| script.expect(expect).send(send))
}

pub fn step(expect: &str, send: impl Into<String>) -> (String, String) {
    (expect.to_owned(), send.into())
}

pub const OK: &str = "{tag} OK done\r\n";
pub const GO: &str = "+ go on\r\n";

/// Answers to a FETCH of UIDs, and its end.
pub fn uids(uids: &[u32]) -> String {
    let lines: String =
        uids.iter().enumerate().map(|(n, uid)| format!("* {} FETCH (UID {uid})\r\n", n + 1)).collect();
    lines + OK
}

/// Answers to a FETCH of headers, and its end.
pub fn headers(uids: &[u32]) -> String {
    let all: String = uids.iter().map(|uid| header(*uid, *uid, "s")).collect();
    all + OK
}

/// Greeting and sign-in.
pub fn signed_in(script: Script, caps: &str) -> Script {
    let script = script
        .send("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n")
        .expect("AUTHENTICATE PLAIN AGFsaWNlQGxhYi50ZXN0AHNlY3JldA==")
        .send(format!("{{tag}} OK [CAPABILITY {caps}] in\r\n"));
    if caps.contains("QRESYNC") { script.expect("ENABLE QRESYNC").send("{tag} OK\r\n") } else { script }
}

pub fn inbox(cursor: Option<Cursor>) -> Target {
    Target { folder: Folder::inbox(), role: Role::Inbox, cursor }
}

pub fn cursor(uidvalidity: u32, next_uid: u32) -> Option<Cursor> {
    Some(Cursor { uidvalidity, next_uid, modseq: None })
}

/// The answer to an EXAMINE.
pub fn examined(exists: u32, uidvalidity: u32, uidnext: &str) -> String {
    format!(
        "* FLAGS (\\Seen)\r\n* {exists} EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY {uidvalidity}] ok\r\n\
         {uidnext}{{tag}} OK [READ-ONLY] opened\r\n"
    )
}

pub fn uidnext(n: u32) -> String {
    format!("* OK [UIDNEXT {n}] next\r\n")
}

/// One answer to a FETCH of headers.
pub fn header(seq: u32, uid: u32, subject: &str) -> String {
    let text = format!("Message-ID: <m{uid}@x>\r\nSubject: {subject}\r\n\r\n");
    format!(
        "* {seq} FETCH (UID {uid} FLAGS (\\Seen $x) INTERNALDATE \" 2-Nov-2026 10:00:00 +0100\" RFC822.SIZE 321 \
         BODY[HEADER.FIELDS (MESSAGE-ID SUBJECT)] {{{}}}\r\n{text})\r\n",
        text.len()
    )
}

/// The news, or a panic after ten seconds: no test waits for ever.
pub async fn next(watch: &mut Watch) -> News {
    try_next(watch).await.unwrap()
}

pub async fn try_next(watch: &mut Watch) -> Result<News, MailError> {
    tokio::time::timeout(Duration::from_secs(60), watch.next()).await.expect("no news")
}

/// The UIDs, those set aside, and the cursor of the arrivals that come next.
pub async fn arrivals(watch: &mut Watch) -> (Vec<u32>, Vec<u32>, Cursor) {
    match next(watch).await {
        News::Arrivals { cursor, arrivals, set_aside, .. } => (
            arrivals.iter().map(|a| a.uid).collect(),
            set_aside.into_iter().map(|(uid, _)| uid).collect(),
            cursor,
        ),
        other => panic!("{other:?}"),
    }
}

/// How to reach a lab.
pub fn lab_server(lab: &Lab) -> Server {
    let mut trust = Trust::default();
    trust.add_authority("localhost", lab.ca_pem()).unwrap();
    Server { host: "localhost".to_owned(), port: lab.imaps_port(), security: Security::Tls, trust }
}

pub async fn lab_session(lab: &Lab) -> Session {
    Session::open(&lab_server(lab), &login(), &Timeouts::default()).await.unwrap()
}

/// A mail from another person.
pub fn mail(n: u32) -> Vec<u8> {
    format!(
        "From: Carol <carol@customer1.example>\nTo: alice@lab.test\nMessage-ID: <n{n}@customer1.example>\n\
         Date: Mon, 2 Nov 2026 10:00:00 +0100\nSubject: Mail {n}\nX-Private: not asked for\n\nSecret text {n}.\n"
    )
    .into_bytes()
}

pub fn examine(exists: u32, next: u32) -> (String, String) {
    step("EXAMINE \"INBOX\"", examined(exists, 7, &uidnext(next)))
}

pub fn examine_sent(exists: u32, next: u32) -> (String, String) {
    step("EXAMINE \"Sent\"", examined(exists, 9, &uidnext(next)))
}

pub fn idle(then: &str) -> (String, String) {
    step("IDLE", format!("{GO}{then}"))
}

pub fn done() -> (String, String) {
    step("DONE", "")
}

pub fn list() -> (String, String) {
    step("LIST", format!("* LIST (\\Sent) \"/\" Sent\r\n* LIST () \"/\" INBOX\r\n{OK}"))
}

/// INBOX from UID 10 on and Sent from UID 20 on.
pub async fn both(stage: &Stage) -> Watch {
    both_from(stage, cursor(9, 20)).await
}

pub async fn both_from(stage: &Stage, sent_from: Option<Cursor>) -> Watch {
    watch_both(stage, sent_from).await.0
}

/// The same, and the Sent folder.
pub async fn watch_both(stage: &Stage, sent_from: Option<Cursor>) -> (Watch, Folder) {
    let mut session = stage.open().await.unwrap();
    let sent = watched(&session.folders().await.unwrap(), false, None).sent.remove(0);
    let target = Target { folder: sent.clone(), role: Role::Sent, cursor: sent_from };
    (Watch::new(session, vec![inbox(cursor(7, 10)), target]), sent)
}
