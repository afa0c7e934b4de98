//! Signing in, listing folders and reading bodies, on scripted servers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use crate::session_kit::*;
use std::time::Duration;
use threadline_core::reason::Reason;
use threadline_mail::connect::Timeouts;
use threadline_mail::login::Login;
use threadline_mail::session::{Folder, Gone, Place, Session};
use threadline_testkit::script::Script;

async fn sign_in(
    login: Login,
    conversation: impl FnOnce(Script) -> Script + Send + 'static,
) -> (Result<Session, threadline_mail::error::MailError>, Stage) {
    let stage = Stage::raw(vec![Box::new(|s| conversation(s).hang())]).await;
    (Session::open(&stage.server, &login, &Timeouts::default()).await, stage)
}

#[tokio::test]
async fn every_way_to_sign_in_works() {
    const TOKEN: &str = "AGFsaWNlQGxhYi50ZXN0AHNlY3JldA==";
    let plain = |s: Script| {
        s.send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n")
            .expect(&format!("AUTHENTICATE PLAIN {TOKEN}"))
            .send("{tag} OK [CAPABILITY IMAP4rev1 IDLE NOTIFY] in\r\n")
    };
    let step_by_step = |s: Script| {
        s.send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n")
            .expect("AUTHENTICATE PLAIN")
            .send("+ \r\n")
            .expect(TOKEN)
            .send("* CAPABILITY IMAP4rev1 IDLE NOTIFY\r\nT1 OK in\r\n")
    };
    let asked = |s: Script| {
        s.send("* OK hi\r\n")
            .expect("CAPABILITY")
            .send("* CAPABILITY IMAP4rev1\r\n{tag} OK\r\n")
            .expect("LOGIN \"alice@lab.test\" \"secret\"")
            .send("{tag} OK in\r\n")
            .expect("CAPABILITY")
            .send("* CAPABILITY IMAP4rev1 NOTIFY IDLE\r\n{tag} OK\r\n")
    };
    for conversation in [Box::new(plain) as Play, Box::new(step_by_step), Box::new(asked)] {
        let (session, mut stage) = sign_in(login(), conversation).await;
        let session = session.unwrap();
        assert!(session.capabilities().has_notify() && session.capabilities().has_idle());
        drop(session);
        stage.said().await;
    }
}

#[tokio::test]
async fn login_takes_every_character() {
    let login = Login::password("alice@lab.test", "pä\"ss".to_owned());
    let (session, mut stage) = sign_in(login, |s| {
        s.send("* OK [CAPABILITY IMAP4rev1] hi\r\n")
            .expect("LOGIN \"alice@lab.test\" {6}")
            .send("+ go\r\n")
            .expect("pä\"ss")
            .send("T1 OK [CAPABILITY IMAP4rev1] in\r\n")
    })
    .await;
    drop(session.unwrap());
    stage.said().await;
}

#[tokio::test]
async fn a_refused_sign_in_has_its_reason_and_no_secret() {
    let greeting = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n";
    for (answer, reason) in [
        ("{tag} NO [AUTHENTICATIONFAILED] Invalid credentials\r\n", Reason::CredentialsRejected),
        ("{tag} NO [UNAVAILABLE] Later\r\n", Reason::ServerUnavailable),
        ("{tag} NO no\r\n", Reason::AuthRejected),
        (
            "* BYE [UNAVAILABLE] Too many\r\n{tag} NO [AUTHENTICATIONFAILED] x\r\n",
            Reason::CredentialsRejected,
        ),
        ("{tag} BAD AUTHENTICATE PLAIN AGFsaWNlQGxhYi50ZXN0AHNlY3JldA== is wrong\r\n", Reason::ProtocolError),
        ("{tag} BAD secret\r\n", Reason::ProtocolError),
    ] {
        let (session, _stage) =
            sign_in(login(), move |s| s.send(greeting).expect("AUTHENTICATE").send(answer)).await;
        let error = session.unwrap_err();
        assert_eq!(error.reason, reason, "{answer}");
        let shown = format!("{error:?} {error}");
        assert!(!shown.contains("secret") && !shown.contains("AGFsaWNl"), "{shown}");
    }
    let (session, mut stage) =
        sign_in(login(), |s| s.send("* OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2] hi\r\n")).await;
    let error = session.unwrap_err();
    assert_eq!(error.reason, Reason::AuthMechanismUnsupported);
    assert!(error.evidence.words.contains("AUTH=XOAUTH2"));
    assert_eq!(stage.said().await.tls_text(), "");
    let stage = Stage::raw(vec![Box::new(move |s| {
        s.send(greeting).expect("AUTHENTICATE").send("* BYE [UNAVAILABLE] Full\r\n")
    })])
    .await;
    let error = stage.open().await.unwrap_err();
    assert_eq!(error.reason, Reason::ServerUnavailable);
    assert!(error.evidence.words.contains("Full"));
}

#[tokio::test]
async fn a_user_name_with_a_line_break_is_not_sent() {
    let mut login = login();
    login.user = "a\r\nx LOGOUT".to_owned();
    let (session, mut stage) = sign_in(login, |s| s.send("* OK [CAPABILITY IMAP4rev1] hi\r\n")).await;
    session.unwrap_err();
    assert_eq!(stage.said().await.tls_text(), "");
}

#[tokio::test]
async fn folders_come_by_one_list_and_extensions_go_with_it() {
    let answer = "* LIST (\\HasNoChildren \\sent) \".\" INBOX.Sent\r\n* LIST (\\Noselect) NIL \"[Gmail]\"\r\n{tag} OK\r\n";
    for refused in [false, true] {
        let mut steps = vec![];
        if refused {
            steps.push(step("LIST \"\" \"*\" RETURN (SPECIAL-USE)", "{tag} BAD what?\r\n"));
            steps.push(step("LIST \"\" \"*\"", answer));
        } else {
            steps.push(step("LIST \"\" \"*\" RETURN (SPECIAL-USE)", answer));
        }
        let stage = Stage::talks(NOTIFY, vec![steps]).await;
        let folders = stage.open().await.unwrap().folders().await.unwrap();
        assert_eq!(folders[0].name, "INBOX.Sent");
        assert!(folders[0].has("\\Sent") && folders[0].selectable && folders[0].delimiter == Some('.'));
        assert!(!folders[1].selectable && folders[1].delimiter.is_none());
    }
    let stage = Stage::talks(PLAIN, vec![vec![step("LIST \"\" \"*\"", answer)]]).await;
    assert_eq!(stage.open().await.unwrap().folders().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_body_is_cut_at_the_limit_and_its_folder_opened_once() {
    let body = |answer: &str| step("UID FETCH 5 (UID RFC822.SIZE BODY.PEEK[]<0.4>)", format!("{answer}{OK}"));
    let steps = vec![
        step("EXAMINE \"INBOX\"", examined(1, 7, "")),
        body("* 1 FETCH (UID 5 RFC822.SIZE 4 BODY[]<0> {4}\r\nwhol)\r\n"),
        body("* 1 FETCH (UID 5 RFC822.SIZE 9 BODY[]<0> {4}\r\npart)\r\n"),
        body("* 1 FETCH (UID 5 RFC822.SIZE 9 BODY[] {9}\r\nall of it)\r\n"),
        body("* 1 FETCH (UID 5 RFC822.SIZE 9 BODY[]<0> NIL)\r\n"),
        body(""),
    ];
    let mut stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut session = stage.open().await.unwrap();
    let place = Place { uidvalidity: 7, uid: 5 };
    for (text, truncated) in [("whol", false), ("part", true), ("all ", true)] {
        let body = session.fetch_body(&Folder::inbox(), place, 4).await.unwrap().unwrap();
        assert_eq!((&body.raw[..], body.truncated), (text.as_bytes(), truncated));
        assert!(!format!("{body:?}").contains(text));
    }
    session.fetch_body(&Folder::inbox(), place, 4).await.unwrap_err();
    let gone = session.fetch_body(&Folder::inbox(), place, 4).await.unwrap();
    assert_eq!(gone, Err(Gone::Expunged));
    // Another UIDVALIDITY: nothing is fetched at all.
    let gone = session.fetch_body(&Folder::inbox(), Place { uidvalidity: 6, uid: 5 }, 4).await.unwrap();
    assert_eq!(gone, Err(Gone::Renumbered));
    drop(session);
    let said = stage.said().await.tls_text();
    assert_eq!((said.matches("UID FETCH").count(), said.matches("EXAMINE").count()), (5, 1));
}

#[tokio::test]
async fn a_folder_that_is_gone_says_so() {
    let steps = vec![step("EXAMINE", "{tag} NO [NONEXISTENT] Mailbox doesn't exist\r\n")];
    let stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut session = stage.open().await.unwrap();
    let error = session.fetch_body(&Folder::inbox(), Place { uidvalidity: 7, uid: 5 }, 4).await.unwrap_err();
    assert_eq!(error.reason, Reason::FolderMissing);
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    let stage = Stage::talks(PLAIN, vec![vec![]]).await;
    let mut session = stage.open().await.unwrap();
    tokio::time::pause();
    let error = session.folders().await.unwrap_err();
    tokio::time::resume();
    assert_eq!(error.reason, Reason::ConnectionTimeout);
}

#[tokio::test]
async fn a_server_that_dribbles_is_given_up() {
    const PAUSE: Duration = Duration::from_secs(20);
    // One line that never ends; and whole lines, which say that the server is still at work.
    for (bytes, longest) in [("x", 2), ("* OK Still here\r\n", 31)] {
        let stage = Stage::new(PLAIN, move |s| {
            s.expect("LIST").send("* OK ").slowly(bytes, 1_000, PAUSE).send("\r\n{tag} OK\r\n").hang()
        })
        .await;
        let mut session = stage.open().await.unwrap();
        tokio::time::pause();
        let began = tokio::time::Instant::now();
        let error = session.folders().await.unwrap_err();
        let waited = began.elapsed();
        tokio::time::resume();
        assert_eq!(error.reason, Reason::ConnectionTimeout, "{bytes}");
        assert!(waited <= Duration::from_secs(60 * longest), "{waited:?}");
    }
}

#[tokio::test]
async fn a_slow_line_is_waited_for_as_long_as_it_brings_something() {
    let part = "x".repeat(600);
    let stage = Stage::new(PLAIN, move |s| {
        s.expect("EXAMINE \"INBOX\"")
            .send(examined(1, 7, ""))
            .expect("UID FETCH 5")
            .send("* 1 FETCH (UID 5 RFC822.SIZE 12000 BODY[]<0> {12000}\r\n")
            .slowly(part, 20, Duration::from_secs(25))
            .send(format!(")\r\n{OK}"))
            .hang()
    })
    .await;
    let mut session = stage.open().await.unwrap();
    tokio::time::pause();
    let place = Place { uidvalidity: 7, uid: 5 };
    let body = session.fetch_body(&Folder::inbox(), place, 20_000).await.unwrap().unwrap();
    tokio::time::resume();
    assert_eq!(body.raw.len(), 12_000);
}

#[tokio::test]
async fn what_makes_the_librarys_parser_panic_costs_the_connection_only() {
    for answer in [
        &b"* OK [ALERT]\xc3\xa9 secret\r\n"[..],
        b"* METADATA \"\xff\" (/private/comment NIL)\r\n",
        b"* 1 FETCH (INTERNALDATE NIL)\r\n",
    ] {
        let stage =
            Stage::new(PLAIN, move |s| s.expect("LIST").send(answer).send("{tag} OK\r\n").hang()).await;
        let error = stage.open().await.unwrap().folders().await.unwrap_err();
        assert_eq!(error.reason, Reason::ProtocolError);
        assert!(!format!("{error:?} {error}").contains("secret"));
    }
}

#[tokio::test]
async fn what_was_not_asked_for_is_passed_over() {
    let noise = "* OK Still here\r\n* 3 RECENT\r\n* FLAGS (\\Seen)\r\n* ID NIL\r\n* SEARCH\r\n* 1 FETCH (FLAGS ())\r\n\
                 * STATUS other (MESSAGES 1)\r\n* VANISHED 1:5\r\n* 9 EXPUNGE\r\n* CAPABILITY IMAP4rev1\r\nZ9 OK\r\n";
    let stage =
        Stage::talks(PLAIN, vec![vec![step("LIST", format!("{noise}* LIST () NIL INBOX\r\n{noise}{OK}"))]])
            .await;
    assert_eq!(stage.open().await.unwrap().folders().await.unwrap().len(), 1);
}
