//! Each way of signing in, over IMAP and over SMTP, on scripted servers; and a server that refuses at each step.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use crate::session_kit::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use threadline_core::reason::{ImapStatus, Phase, Reason, Signal};
use threadline_mail::connect::Timeouts;
use threadline_mail::error::MailError;
use threadline_mail::login::Login;
use threadline_mail::session::Session;
use threadline_mail::smtp;
use threadline_testkit::script::Script;

const TOKEN: &str = "ya29.a0-secret_Token";
const PASSWORD: &str = "hünter2";
/// `{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`, as Google says it.
const CHALLENGE: &str =
    "eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==";
const SAID_OF_IT: &str = "(status 400, scope https://mail.google.com/)";

fn token() -> Login {
    Login::token("alice@lab.test", TOKEN.to_owned())
}

/// Neither the name nor the password is ASCII.
fn password() -> Login {
    Login::password("älice@lab.test", PASSWORD.to_owned())
}

fn xoauth2() -> String {
    STANDARD.encode(format!("user=alice@lab.test\u{1}auth=Bearer {TOKEN}\u{1}\u{1}"))
}

fn plain() -> String {
    STANDARD.encode(format!("\0älice@lab.test\0{PASSWORD}"))
}

/// Fails where a secret is shown, in any of the forms in which it is sent.
fn no_secret(error: &MailError) {
    let shown = format!("{error:?} {error}");
    for secret in [TOKEN, &xoauth2(), PASSWORD, &STANDARD.encode(PASSWORD), &plain()] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// Signs in by IMAP behind a greeting with these capabilities. Panics where the client said something unexpected.
async fn imap(
    login: &Login,
    capabilities: &str,
    play: impl FnOnce(Script) -> Script + Send + 'static,
) -> (Result<(), MailError>, String) {
    let greeting = format!("* OK [CAPABILITY IMAP4rev1 {capabilities}] hi\r\n");
    let mut stage = Stage::raw(vec![Box::new(move |s| play(s.send(greeting)).hang())]).await;
    let signed_in = Session::open(&stage.server, login, &Timeouts::default()).await.map(drop);
    if let Err(error) = &signed_in {
        no_secret(error);
    }
    let said = stage.said().await.tls_text();
    (signed_in, said)
}

const IN: &str = "{tag} OK [CAPABILITY IMAP4rev1 IDLE] in\r\n";
/// The tag of a first command, where the line read last was none.
const IN_1: &str = "T1 OK [CAPABILITY IMAP4rev1 IDLE] in\r\n";

#[tokio::test]
async fn a_token_is_said_at_once_or_when_it_is_asked_for() {
    let said = xoauth2();
    let (result, _) = imap(&token(), "SASL-IR AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER", move |s| {
        s.expect(&format!("AUTHENTICATE XOAUTH2 {said}")).send(IN)
    })
    .await;
    result.unwrap();
    let said = xoauth2();
    let (result, _) = imap(&token(), "AUTH=XOAUTH2", move |s| {
        s.expect("AUTHENTICATE XOAUTH2").send("+ \r\n").expect(&said).send(IN_1)
    })
    .await;
    result.unwrap();
    let (result, said) = imap(&token(), "SASL-IR AUTH=OAUTHBEARER", |s| {
        s.expect("AUTHENTICATE OAUTHBEARER bixhPWFsaWNlQGxhYi50ZXN0LAFob3N0PTEyNy4wLjAuMQFwb3J0P").send(IN)
    })
    .await;
    result.unwrap();
    let sent = said.trim().rsplit(' ').next().unwrap();
    let sent = String::from_utf8(STANDARD.decode(sent).unwrap()).unwrap();
    assert!(sent.ends_with(&format!("\u{1}auth=Bearer {TOKEN}\u{1}\u{1}")), "{sent:?}");
}

#[tokio::test]
async fn a_refused_token_is_answered_and_its_words_are_kept() {
    for (mechanism, answer) in [("XOAUTH2", ""), ("OAUTHBEARER", "AQ==")] {
        let (result, said) = imap(&token(), &format!("SASL-IR AUTH={mechanism} AUTH=PLAIN"), move |s| {
            s.expect("AUTHENTICATE")
                .send(format!("+ {CHALLENGE}\r\n"))
                .expect(answer)
                .send("T1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n")
        })
        .await;
        let error = result.unwrap_err();
        assert_eq!(error.phase, Phase::Auth);
        let words = &error.evidence.words;
        assert!(words.contains("Invalid credentials") && words.ends_with(SAID_OF_IT), "{words}");
        assert!(said.ends_with(&format!("\r\n{answer}\r\n")), "{said:?}");
        // A token is not shown to the server a second time by another name.
        assert_eq!(said.matches("AUTHENTICATE").count(), 1);
    }
}

#[tokio::test]
async fn a_server_that_contradicts_itself_or_never_ends_is_left() {
    let (result, _) = imap(&token(), "SASL-IR AUTH=XOAUTH2", |s| {
        s.expect("AUTHENTICATE").send(format!("+ {CHALLENGE}\r\n")).expect("").send(IN_1)
    })
    .await;
    assert_eq!(result.unwrap_err().reason, Reason::ProtocolError);
    for challenge in ["not base64!", CHALLENGE] {
        let (result, _) = imap(&token(), "SASL-IR AUTH=XOAUTH2", move |s| {
            let challenge = format!("+ {challenge}\r\n");
            s.expect("AUTHENTICATE").send(&challenge).expect("").send(&challenge)
        })
        .await;
        assert_eq!(result.unwrap_err().reason, Reason::ProtocolError, "{challenge}");
    }
}

#[tokio::test]
async fn a_token_needs_a_way_for_tokens() {
    let (result, said) = imap(&token(), "SASL-IR AUTH=PLAIN AUTH=LOGIN", |s| s).await;
    let error = result.unwrap_err();
    assert_eq!(
        (error.reason, error.evidence.signal),
        (Reason::AuthMechanismUnsupported, Signal::NoMechanism)
    );
    assert_eq!(said, "");
    let odd = Login::token("alice@lab.test", "two words".to_owned());
    let (result, said) = imap(&odd, "SASL-IR AUTH=XOAUTH2", |s| s).await;
    assert_eq!(result.unwrap_err().reason, Reason::AuthMechanismUnsupported);
    assert_eq!(said, "");
}

#[tokio::test]
async fn a_server_that_repeats_what_it_was_told_is_not_quoted() {
    for words in [TOKEN.to_owned(), xoauth2()] {
        let (result, _) = imap(&token(), "SASL-IR AUTH=XOAUTH2", move |s| {
            s.expect("AUTHENTICATE").send(format!("{{tag}} BAD Unknown command {words}\r\n"))
        })
        .await;
        assert_eq!(result.unwrap_err().evidence.words, "");
    }
    let told = STANDARD.encode(format!("{{\"status\":\"{TOKEN}\"}}"));
    let (result, _) = imap(&token(), "SASL-IR AUTH=XOAUTH2", move |s| {
        s.expect("AUTHENTICATE").send(format!("+ {told}\r\n")).expect("").send("T1 NO Sorry\r\n")
    })
    .await;
    assert_eq!(result.unwrap_err().evidence.words, "Sorry");
}

#[tokio::test]
async fn an_odd_password_goes_in_base64_before_it_goes_in_literals() {
    let said = plain();
    let (result, _) = imap(&password(), "SASL-IR AUTH=PLAIN AUTH=LOGIN", move |s| {
        s.expect(&format!("AUTHENTICATE PLAIN {said}")).send(IN)
    })
    .await;
    result.unwrap();
    let login = |s: Script| {
        s.expect("AUTHENTICATE LOGIN")
            .send("+ VXNlcm5hbWU6\r\n")
            .expect(&STANDARD.encode("älice@lab.test"))
            .send("+ UGFzc3dvcmQ6\r\n")
            .expect(&STANDARD.encode(PASSWORD))
            .send(IN_1)
    };
    for capabilities in ["SASL-IR AUTH=LOGIN", "AUTH=LOGIN LOGINDISABLED"] {
        imap(&password(), capabilities, login).await.0.unwrap();
    }
    let (result, _) = imap(&password(), "", |s| {
        s.expect("LOGIN {15}")
            .send("+ go\r\n")
            .expect("älice@lab.test {8}")
            .send("+ go\r\n")
            .expect(PASSWORD)
            .send(IN_1)
    })
    .await;
    result.unwrap();
    // ASCII goes by the command, which every server has.
    let ascii = Login::password("alice", "a\"b\\c".to_owned());
    let (result, _) =
        imap(&ascii, "AUTH=LOGIN", |s| s.expect("LOGIN \"alice\" \"a\\\"b\\\\c\"").send(IN)).await;
    result.unwrap();
}

#[tokio::test]
async fn scram_goes_first_and_nothing_is_tried_twice_once_the_password_was_judged() {
    const OFFERS: &str = "SASL-IR AUTH=PLAIN AUTH=SCRAM-SHA-256";
    // Refused before the proof, as servers do that keep no such secret; and a first message that cannot be used.
    for (refusal, cancelled) in [
        ("{tag} NO [AUTHENTICATIONFAILED] no\r\n", false),
        ("+ cj1hbm90aGVyLW5vbmNlLHM9VzIyWixpPTQwOTY=\r\n", true),
        ("+ !\r\n", true),
    ] {
        let said = plain();
        let (result, said) = imap(&password(), OFFERS, move |s| {
            let s = s.expect("AUTHENTICATE SCRAM-SHA-256 biws").send(refusal);
            let s = if cancelled { s.expect("*").send("T1 BAD cancelled\r\n") } else { s };
            s.expect(&format!("AUTHENTICATE PLAIN {said}")).send(IN)
        })
        .await;
        result.unwrap();
        assert!(!said.contains(PASSWORD));
    }
    // With no other way the fault itself is told.
    let (result, _) = imap(&password(), "SASL-IR AUTH=SCRAM-SHA-256 LOGINDISABLED", |s| {
        s.expect("AUTHENTICATE").send("+ !\r\n").expect("*").send("T1 BAD cancelled\r\n")
    })
    .await;
    let error = result.unwrap_err();
    assert_eq!((error.reason, error.phase), (Reason::ProtocolError, Phase::Auth));
    // PLAIN was judged: LOGIN is not tried.
    let (result, said) = imap(&password(), "SASL-IR AUTH=PLAIN AUTH=LOGIN", |s| {
        s.expect("AUTHENTICATE PLAIN").send("{tag} NO [AUTHENTICATIONFAILED] no\r\n")
    })
    .await;
    let imap_no = Signal::Imap { status: ImapStatus::No, code: Some("AUTHENTICATIONFAILED".to_owned()) };
    assert_eq!(result.unwrap_err().evidence.signal, imap_no);
    assert_eq!(said.lines().count(), 1);
    // PLAIN was offered, and refused before anything was told: LOGIN is tried.
    let (result, _) = imap(&Login::password("alice", "x".to_owned()), "AUTH=PLAIN", |s| {
        s.expect("AUTHENTICATE PLAIN").send("{tag} NO not today\r\n").expect("LOGIN \"alice\" \"x\"").send(IN)
    })
    .await;
    result.unwrap();
}

#[tokio::test]
async fn who_we_are_is_said_where_the_server_wants_to_know() {
    const ID: &str = "ID (\"name\" \"Threadline\" \"version\" \"";
    for answer in
        ["* ID (\"name\" \"Coremail\")\r\n{tag} OK\r\n", "* ID NIL\r\n{tag} OK\r\n", "{tag} BAD what?\r\n"]
    {
        let (result, said) = imap(&token(), "ID SASL-IR AUTH=XOAUTH2", move |s| {
            s.expect(ID).send(answer).expect("AUTHENTICATE").send(IN)
        })
        .await;
        result.unwrap();
        assert_eq!(said.matches("ID (").count(), 1);
    }
    // Where it is offered after the sign-in only, it goes with the next command.
    let greeting = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n";
    let mut stage = Stage::raw(vec![Box::new(move |s| {
        s.send(greeting)
            .expect("AUTHENTICATE")
            .send("{tag} OK [CAPABILITY IMAP4rev1 ID] in\r\n")
            .expect(ID)
            .send("* ID NIL\r\n{tag} OK\r\n")
            .expect("LIST")
            .send(list().1)
            .hang()
    })])
    .await;
    let mut session = stage.open().await.unwrap();
    assert_eq!(session.folders().await.unwrap().len(), 2);
    drop(session);
    stage.said().await;
}

// ---- SMTP

/// Signs in by SMTP behind these lines of the answer to EHLO.
async fn smtp(
    login: &Login,
    offers: &str,
    play: impl FnOnce(Script) -> Script + Send + 'static,
) -> (Result<String, MailError>, String) {
    let hello = format!("250-mx\r\n250-SIZE 1\r\n250 AUTH {offers}\r\n");
    let mut stage =
        Stage::raw(vec![Box::new(move |s| play(s.send("220 mx\r\n").expect("EHLO").send(hello)).hang())])
            .await;
    let submission = smtp::smtp(&stage.server, &Timeouts::default()).await.unwrap();
    let signed_in = smtp::sign_in(&stage.server, submission, login, &Timeouts::default()).await;
    if let Err(error) = &signed_in {
        no_secret(error);
        assert_eq!(error.phase, Phase::Auth);
    }
    let said = stage.said().await.tls_text();
    (signed_in, said)
}

const YES: &str = "235 2.7.0 in\r\n";
const BYE: &str = "221 bye\r\n";

#[tokio::test]
async fn every_way_works_over_smtp_too() {
    let said = xoauth2();
    let (result, _) = smtp(&token(), "LOGIN PLAIN XOAUTH2 OAUTHBEARER", move |s| {
        s.expect(&format!("AUTH XOAUTH2 {said}")).send(YES).expect("QUIT").send(BYE)
    })
    .await;
    assert_eq!(result.unwrap(), "2.7.0 in");
    let (result, _) = smtp(&token(), "OAUTHBEARER", |s| {
        s.expect("AUTH OAUTHBEARER bixhPWFsaWNl").send(YES).expect("QUIT").send(BYE)
    })
    .await;
    result.unwrap();
    let said = plain();
    let (result, _) = smtp(&password(), "PLAIN LOGIN", move |s| {
        s.expect(&format!("AUTH PLAIN {said}")).send(YES).expect("QUIT").send(BYE)
    })
    .await;
    result.unwrap();
    let (result, _) = smtp(&password(), "LOGIN", |s| {
        s.expect("AUTH LOGIN")
            .send("334 VXNlcm5hbWU6\r\n")
            .expect(&STANDARD.encode("älice@lab.test"))
            .send("334 Password, please\r\n")
            .expect(&STANDARD.encode(PASSWORD))
            .send(YES)
            .expect("QUIT")
            .send(BYE)
    })
    .await;
    result.unwrap();
}

#[tokio::test]
async fn smtp_refuses_at_each_step() {
    let (result, said) = smtp(&token(), "XOAUTH2", |s| {
        s.expect("AUTH XOAUTH2")
            .send(format!("334 {CHALLENGE}\r\n"))
            .expect("")
            .send("535 5.7.8 Not accepted\r\n")
    })
    .await;
    let error = result.unwrap_err();
    let want = Signal::Smtp { code: 535, enhanced: Some("5.7.8".to_owned()) };
    assert_eq!(error.evidence.signal, want);
    assert!(error.evidence.words.ends_with(SAID_OF_IT), "{error}");
    assert!(said.ends_with("\r\n\r\n"), "{said:?}");
    for (login, offers, step) in [
        (password(), "PLAIN", "AUTH PLAIN"),
        (password(), "LOGIN", "AUTH LOGIN"),
        (password(), "SCRAM-SHA-256", "AUTH SCRAM-SHA-256 biws"),
        (token(), "OAUTHBEARER", "AUTH OAUTHBEARER"),
    ] {
        for (answer, signal) in [
            ("535 5.7.8 no\r\n", want.clone()),
            ("454 4.7.0 later\r\n", Signal::Smtp { code: 454, enhanced: Some("4.7.0".to_owned()) }),
            ("504 what?\r\n", Signal::Smtp { code: 504, enhanced: None }),
        ] {
            let (result, _) = smtp(&login, offers, move |s| s.expect(step).send(answer)).await;
            assert_eq!(result.unwrap_err().evidence.signal, signal, "{step} {answer}");
        }
        let (result, _) = smtp(&login, offers, move |s| {
            s.expect(step).send("334 !\r\n").expect("").send("334 !\r\n").expect("").send("334 !\r\n")
        })
        .await;
        let reason = result.unwrap_err().reason;
        assert!(matches!(reason, Reason::ProtocolError), "{step}: {reason}");
    }
    // SCRAM is refused before the password was judged: PLAIN is tried. A fault is cancelled first.
    for (answer, cancelled) in [("535 5.7.8 no\r\n", false), ("334 !\r\n", true)] {
        let (result, _) = smtp(&password(), "PLAIN SCRAM-SHA-256", move |s| {
            let s = s.expect("AUTH SCRAM-SHA-256").send(answer);
            let s = if cancelled { s.expect("*").send("501 cancelled\r\n") } else { s };
            s.expect("AUTH PLAIN").send(YES).expect("QUIT").send(BYE)
        })
        .await;
        result.unwrap();
    }
    let said = plain();
    let (result, _) =
        smtp(&password(), "PLAIN", move |s| s.expect("AUTH").send(format!("500 AUTH PLAIN {said}?\r\n")))
            .await;
    assert_eq!(result.unwrap_err().evidence.words, "");
}
