//! Mails on their way to a scripted server: what it answers, where it breaks off, and what is known then.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use crate::session_kit::*;
use std::time::Duration;
use threadline_core::reason::{Phase, Reason, Signal};
use threadline_mail::connect::Timeouts;
use threadline_mail::submit::{Answer, Heard, Params, Path, Patience, Session, Stuffing, Undelivered};
use threadline_testkit::script::Script;

/// As small as a test can wait for.
fn patience() -> Patience {
    let long = Duration::from_secs(20);
    Patience { mail: long, rcpt: long, data: long, block: long, end: long, other: long }
}

/// A signed-in session whose server plays this behind the sign-in.
async fn signed_in(play: impl FnOnce(Script) -> Script + Send + 'static) -> (Stage, Session) {
    let stage = Stage::raw(vec![Box::new(move |script| {
        let script = script
            .send("220 mx\r\n")
            .expect("EHLO")
            .send("250-mx\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-CHUNKING\r\n250 AUTH PLAIN\r\n")
            .expect("AUTH PLAIN")
            .send("235 2.7.0 in\r\n");
        play(script)
    })])
    .await;
    let session = Session::open(&stage.server, &login(), &Timeouts::default(), patience()).await.unwrap();
    (stage, session)
}

fn path(text: &str) -> Path {
    Path::new(text).unwrap()
}

/// MAIL, RCPT and DATA with a yes to each.
fn begun(script: Script) -> Script {
    script
        .expect("MAIL FROM:<a@x.test>")
        .send("250 ok\r\n")
        .expect("RCPT TO:<b@x.test>")
        .send("250 ok\r\n")
        .expect("DATA")
        .send("354 go\r\n")
}

async fn send(session: &mut Session, pieces: &[&str]) -> Result<Answer, Undelivered> {
    assert!(session.mail(&path("a@x.test"), &Params::none()).await.unwrap().is_yes());
    assert!(session.rcpt(&path("b@x.test"), &Params::none()).await.unwrap().is_yes());
    let mut body = session.data().await.unwrap().unwrap();
    for piece in pieces {
        body.write(piece.as_bytes()).await?;
    }
    body.finish().await
}

#[tokio::test]
async fn mails_go_one_after_the_other_and_arrive_as_they_were_written() {
    let (mut stage, mut session) = signed_in(|script| {
        begun(
            begun(script)
                .expect("one")
                .expect("..")
                .expect("")
                .expect(".")
                .send("250-2.0.0 ok\r\n250 2.0.0 queued as 1\r\n"),
        )
        .expect("two")
        .expect(".")
        .send("250\r\n")
        .expect("QUIT")
        .send("221 bye\r\n")
    })
    .await;
    assert_eq!(session.welcome(), "2.7.0 in");
    let offered = session.extensions();
    assert_eq!((offered.most_bytes, offered.eight_bit, offered.utf8), (Some(1000), true, false));
    let answer = send(&mut session, &["one\r\n.", ".\r\n\r\n"]).await.unwrap();
    assert_eq!(answer.lines, ["2.0.0 ok", "2.0.0 queued as 1"]);
    assert_eq!(answer.words(), "2.0.0 ok queued as 1");
    assert_eq!(send(&mut session, &["two"]).await.unwrap().code, 250);
    session.quit().await;
    let said = stage.said().await.tls_text();
    let text = said.split("DATA\r\n").nth(1).unwrap();
    assert!(text.starts_with("one\r\n..\r\n\r\n.\r\nMAIL FROM"), "{said:?}");
    assert!(said.ends_with("DATA\r\ntwo\r\n.\r\nQUIT\r\n"), "{said:?}");
}

#[tokio::test]
async fn refusals_are_answers_and_the_session_goes_on() {
    let (mut stage, mut session) = signed_in(|script| {
        script
            .expect("MAIL FROM:<> SIZE=7 SMTPUTF8 RET=HDRS")
            .send("452 4.3.1 full\r\n")
            .expect("RSET")
            .send("250 ok\r\n")
            .expect("MAIL FROM:<a@x.test>")
            .send("250 ok\r\n")
            .expect("RCPT TO:<b@x.test> NOTIFY=NEVER")
            .send("550-5.1.1 no such\r\n550-5.1.1 n\u{fc}\r\n550 5.1.1 user\r\n")
            .expect("DATA")
            .send("503 5.5.1 no recipients\r\n")
            .expect("QUIT")
            .send("221 bye\r\n")
    })
    .await;
    let params = Params::none().size(7).utf8().with("RET=HDRS").unwrap();
    let full = session.mail(&Path::nobody(), &params).await.unwrap();
    assert!(full.is_passing());
    assert_eq!(full.evidence().signal, Signal::Smtp { code: 452, enhanced: Some("4.3.1".to_owned()) });
    assert!(session.reset().await.unwrap().is_yes());
    assert!(session.mail(&path("a@x.test"), &Params::none()).await.unwrap().is_yes());
    let no = session.rcpt(&path("b@x.test"), &Params::none().with("NOTIFY=NEVER").unwrap()).await.unwrap();
    assert_eq!(no.lines, ["5.1.1 no such", "5.1.1 n\u{fc}", "5.1.1 user"]);
    assert_eq!(no.to_string(), "550 5.1.1 no such n\u{fc} user");
    assert_eq!(session.data().await.unwrap().unwrap_err().code, 503);
    assert!(session.is_ready());
    session.quit().await;
    stage.said().await;
}

/// A signed-in session with a server that takes commands in one piece.
async fn pipelined(play: impl FnOnce(Script) -> Script + Send + 'static) -> (Stage, Session) {
    let stage = Stage::raw(vec![Box::new(move |script| {
        let script = script.send("220 mx\r\n").expect("EHLO");
        let script = script.send("250-mx\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n");
        play(script.expect("AUTH PLAIN").send("235 2.7.0 in\r\n").expect("MAIL").send("250 ok\r\n"))
    })])
    .await;
    let mut session = Session::open(&stage.server, &login(), &Timeouts::default(), patience()).await.unwrap();
    assert!(session.mail(&path("a@x.test"), &Params::none()).await.unwrap().is_yes());
    (stage, session)
}

fn people(count: usize) -> Vec<(Path, Params)> {
    (0..count).map(|n| (path(&format!("r{n}@x.test")), Params::none())).collect()
}

#[tokio::test]
async fn a_thousand_recipients_cost_one_round_trip_and_each_has_its_own_answer() {
    // The server answers nobody before it has heard of everybody.
    let (mut stage, mut session) = pipelined(|mut script| {
        for n in 0..1_000 {
            script = script.expect(&format!("RCPT TO:<r{n}@x.test>"));
        }
        for n in 0..1_000 {
            script = match n % 3 {
                0 => script.send(format!("550-5.1.1 not {n}\r\n550 5.1.1 here\r\n")),
                _ => script.send(format!("250 2.1.5 {n}\r\n")),
            };
        }
        script.expect("DATA").send("354 go\r\n").expect("one").expect(".").send("250 queued\r\n")
    })
    .await;
    let answers = session.recipients(&people(1_000)).await.answers;
    assert_eq!(answers.len(), 1_000);
    for (n, answer) in answers.iter().enumerate() {
        let want = if n % 3 == 0 { format!("550 5.1.1 not {n} here") } else { format!("250 2.1.5 {n}") };
        assert_eq!(answer.to_string(), want);
    }
    assert!(session.is_ready());
    let mut body = session.data().await.unwrap().unwrap();
    body.write(b"one\r\n").await.unwrap();
    assert!(body.finish().await.unwrap().is_yes());
    stage.said().await;
}

#[tokio::test]
async fn a_server_that_reads_nothing_more_before_it_is_heard_is_heard() {
    // More than what the buffers between two programs hold, in both directions.
    let (mut stage, mut session) = pipelined(|mut script| {
        for n in 0..400 {
            script = script.expect(&format!("RCPT TO:<r{n}@"));
            let line = format!("550-{}\r\n", "x".repeat(500));
            script = script.send(format!("{}550 no {n}\r\n", line.repeat(60)));
        }
        script
    })
    .await;
    let long: Vec<_> =
        (0..400).map(|n| (path(&format!("r{n}@{}.test", "x".repeat(900))), Params::none())).collect();
    let answers = session.recipients(&long).await.answers;
    assert_eq!((answers.len(), answers[399].lines.len()), (400, 61));
    assert_eq!(answers[399].lines[60], "no 399");
    stage.said().await;
}

#[tokio::test]
async fn a_server_that_goes_in_between_or_says_too_much_is_told_apart() {
    let (_stage, mut session) = pipelined(|script| {
        let script = script.expect("RCPT TO:<r0@x.test>").expect("").expect("").expect("");
        script.send("250 ok\r\n421 4.3.2 closing\r\n").close()
    })
    .await;
    let codes = |heard: &Heard| heard.answers.iter().map(|a| a.code).collect::<Vec<_>>();
    let heard = session.recipients(&people(4)).await;
    assert_eq!((codes(&heard), heard.broke.is_none()), (vec![250, 421, 421, 421], true));
    assert!(!session.is_ready());
    let (_stage, mut session) =
        pipelined(|script| script.expect("RCPT").send("250 ok\r\n550 no\r\n").close()).await;
    let heard = session.recipients(&people(4)).await;
    assert_eq!(codes(&heard), [250, 550], "what it said before counts");
    let error = heard.broke.unwrap();
    assert_eq!((error.phase, error.reason), (Phase::Send, Reason::ServerClosedConnection));
    assert!(!session.is_ready());
}

#[tokio::test]
async fn after_421_nothing_more_is_said() {
    let (mut stage, mut session) =
        signed_in(|script| script.expect("MAIL").send("421 4.3.2 closing\r\n").close()).await;
    assert_eq!(session.mail(&path("a@x.test"), &Params::none()).await.unwrap().code, 421);
    assert!(!session.is_ready());
    let error = session.reset().await.unwrap_err();
    assert_eq!((error.phase, error.reason), (Phase::Send, Reason::ServerClosedConnection));
    session.quit().await;
    assert!(stage.said().await.tls_text().ends_with("MAIL FROM:<a@x.test>\r\n"));
}

#[tokio::test]
async fn what_breaks_before_the_end_is_not_sent() {
    for breaks in [Script::reset as fn(Script) -> Script, Script::close] {
        let (mut stage, mut session) = signed_in(move |script| breaks(begun(script).expect("one"))).await;
        let sent = async {
            session.mail(&path("a@x.test"), &Params::none()).await.unwrap();
            session.rcpt(&path("b@x.test"), &Params::none()).await.unwrap();
            let mut body = session.data().await.unwrap().unwrap();
            body.write(b"one\r\n").await?;
            // Writing goes on until the break is noticed.
            loop {
                tokio::task::yield_now().await;
                body.write(b"more\r\n").await?;
            }
        };
        let sent: Result<(), Undelivered> = sent.await;
        assert!(matches!(sent, Err(Undelivered::Broken(_))), "{sent:?}");
        assert!(!session.is_ready());
        drop(session);
        assert!(!stage.said().await.tls_text().contains("\r\n.\r\n"));
    }
}

#[tokio::test]
async fn what_breaks_after_the_end_is_unknown() {
    for (answer, signal) in [
        ("", Signal::Closed),
        ("25", Signal::Closed),
        ("354 more\r\n", Signal::Malformed),
        ("what?\r\n", Signal::Malformed),
        ("250-a\r\n550 b\r\n", Signal::Malformed),
    ] {
        let (mut stage, mut session) =
            signed_in(move |script| begun(script).expect("one").expect(".").send(answer).close()).await;
        let sent = send(&mut session, &["one\r\n"]).await;
        let Err(Undelivered::Unknown(error)) = sent else { panic!("{answer:?}: {sent:?}") };
        assert_eq!((error.phase, error.evidence.signal), (Phase::Send, signal), "{answer:?}");
        assert!(!session.is_ready());
        drop(session);
        stage.said().await;
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_unknown() {
    let (stage, session) = signed_in(|script| begun(script).expect("one").expect(".").hang()).await;
    drop(session);
    let impatient = Patience { end: Duration::from_millis(200), ..patience() };
    let opened = Session::open(&stage.server, &login(), &Timeouts::default(), impatient).await;
    let sent = send(&mut opened.unwrap(), &["one"]).await;
    let Err(Undelivered::Unknown(error)) = sent else { panic!("{sent:?}") };
    assert_eq!(error.evidence.signal, Signal::TimedOut);
    assert!(Patience::default().end >= Duration::from_secs(600), "RFC 5321 §4.5.3.2.6");
}

#[tokio::test]
async fn a_refusal_of_the_end_is_an_answer() {
    let (mut stage, mut session) = signed_in(|script| {
        begun(script)
            .expect("one")
            .expect(".")
            .send("552 5.3.4 too big\r\n")
            .expect("QUIT")
            .send("221 bye\r\n")
    })
    .await;
    let answer = send(&mut session, &["one\r\n"]).await.unwrap();
    assert_eq!((answer.code, session.is_ready()), (552, true));
    session.quit().await;
    stage.said().await;
}

#[tokio::test]
async fn an_answer_before_the_end_is_no_yes() {
    // With the 354, in one packet: the server cannot have read the mail yet.
    for (early, refused) in [("250 queued\r\n", false), ("552 5.3.4 too big\r\n", true)] {
        let (mut stage, mut session) = signed_in(move |script| {
            script
                .expect("MAIL")
                .send("250 ok\r\n")
                .expect("RCPT")
                .send("250 ok\r\n")
                .expect("DATA")
                .send(format!("354 go\r\n{early}"))
                .hang()
        })
        .await;
        match send(&mut session, &["one\r\n"]).await {
            Err(Undelivered::Refused(answer)) => assert!(refused && answer.code == 552),
            Err(Undelivered::Broken(error)) => {
                assert!(!refused && error.evidence.signal == Signal::Malformed, "{error:?}");
            }
            other => panic!("{early:?}: {other:?}"),
        }
        assert!(!session.is_ready());
        drop(session);
        let said = stage.said().await.tls_text();
        assert!(!said.contains("one") && !said.contains("\r\n.\r\n"), "{said:?}");
    }
}

#[tokio::test]
async fn an_end_inside_the_text_is_never_sent() {
    for pieces in [&["a\r\n.\r\nMAIL FROM:<e@x>\r\n"][..], &["a\n.", "\nb"], &["a\r\n."]] {
        let (mut stage, mut session) = signed_in(|script| begun(script).hang()).await;
        let sent = send(&mut session, pieces).await;
        assert!(matches!(sent, Err(Undelivered::EndInside)), "{pieces:?}: {sent:?}");
        assert!(!session.is_ready());
        drop(session);
        let said = stage.said().await.tls_text();
        assert!(
            !said.contains(".\r\nMAIL") && !said.contains("\n.\n") && !said.ends_with(".\r\n"),
            "{said:?}"
        );
    }
    // With its dots the same text arrives whole.
    let (mut stage, mut session) = signed_in(|script| {
        begun(script).expect("a").expect("..").expect("b").expect(".").send("250 ok\r\n").hang()
    })
    .await;
    let stuffed = String::from_utf8(Stuffing::default().add(b"a\r\n.\r\nb\r\n")).unwrap();
    assert!(send(&mut session, &[&stuffed]).await.unwrap().is_yes());
    drop(session);
    stage.said().await;
}

#[tokio::test]
async fn a_server_that_hangs_up_during_a_long_text_says_why() {
    let (mut stage, mut session) =
        signed_in(|script| begun(script).expect("xxx").send("552 5.3.4 too big\r\n").close()).await;
    let line = format!("{}\r\n", "x".repeat(998));
    let text = line.repeat(30_000);
    let sent = send(&mut session, &[&text]).await;
    assert!(matches!(&sent, Err(Undelivered::Refused(answer)) if answer.code == 552), "{sent:?}");
    drop(session);
    assert!(stage.said().await.tls.len() < text.len());
}

#[tokio::test]
async fn pieces_by_bdat_go_as_they_are() {
    let (mut stage, mut session) = signed_in(|script| {
        script
            .expect("MAIL FROM:<a@x.test>")
            .send("250 ok\r\n")
            .expect("BDAT 4")
            .expect("a")
            .send("250 4 bytes\r\n")
            .expect(".BDAT 2 LAST")
            .expect("")
            .expect("")
            .send("250 queued\r\n")
            .expect("BDAT 0 LAST")
            .close()
    })
    .await;
    session.mail(&path("a@x.test"), &Params::none()).await.unwrap();
    assert!(session.chunk(b"a\r\n.", false).await.is_ok());
    assert!(session.chunk(b"\n\n", true).await.is_ok());
    let cut = session.chunk(b"", true).await;
    assert!(matches!(cut, Err(Undelivered::Unknown(_))), "{cut:?}");
    drop(session);
    stage.said().await;
}
