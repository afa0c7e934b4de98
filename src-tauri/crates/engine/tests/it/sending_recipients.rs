//! Recipients whom a server refuses, for good or for the moment, among others.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use crate::sending_kit::*;
use std::time::Duration;
use threadline_core::address::Address;
use threadline_engine::writing::SendState;
use threadline_testkit::script::Script;

#[tokio::test]
async fn who_is_refused_is_told_and_the_others_get_their_mail() {
    let mut bench = Bench::new(
        &[|s| {
            let s = hello(s).expect("MAIL").send("250 ok\r\n");
            let s = s.expect("RCPT TO:<carl@client.example>").send("250 ok\r\n");
            let s = s.expect("RCPT TO:<no@client.example>").send("550-5.1.1 no such\r\n550 5.1.1 user\r\n");
            text(s.expect("DATA").send("354 go\r\n")).send("250 queued\r\n").expect("QUIT").send("221\r\n")
        }],
        &[never],
    )
    .await;
    let line = bench.send(&bench.draft(&["carl@client.example", "no@client.example"])).await;
    assert_eq!(line.state, SendState::Sent);
    let no = Address::parse("no@client.example").unwrap();
    assert_eq!(line.refused, [(no, "550 5.1.1 no such user".to_owned())]);
    bench.said().await;
}

const PIPELINING: &str = "250-mx\r\n250-SIZE 9000\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n";

#[tokio::test]
async fn recipients_go_in_one_piece_and_who_is_refused_is_told() {
    let mut bench = Bench::new(
        &[|s| {
            let s = s.send("220 mx\r\n").expect("EHLO").send(PIPELINING).expect("AUTH PLAIN");
            let mut s = s.send("235 2.7.0 in\r\n").expect("MAIL").send("250 ok\r\n");
            // Nobody is answered before everybody is named.
            for n in 0..100 {
                s = s.expect(&format!("RCPT TO:<r{n}@client.example>"));
            }
            for n in 0..100 {
                s = s.send(if n == 7 { "550 5.1.1 no seven\r\n" } else { "250 ok\r\n" });
            }
            // The people stand in more than one line of the header: the text is read as it comes.
            s.expect("DATA").send("354 go\r\n").close()
        }],
        &[never],
    )
    .await;
    let all: Vec<String> = (0..100).map(|n| format!("r{n}@client.example")).collect();
    let line = bench.send(&bench.draft(&all.iter().map(String::as_str).collect::<Vec<_>>())).await;
    // It broke before its end: it waits, and nobody is asked about him any more.
    assert_eq!((line.state, line.refused.len()), (SendState::Waiting, 1));
    assert_eq!(line.refused[0].0.as_str(), "r7@client.example");
    bench.said().await;
}

#[tokio::test]
async fn a_server_that_goes_among_the_recipients_refuses_nobody() {
    let mut bench = Bench::new(
        &[|s| {
            let s = s.send("220 mx\r\n").expect("EHLO").send(PIPELINING).expect("AUTH PLAIN");
            let s =
                s.send("235 2.7.0 in\r\n").expect("MAIL").send("250 ok\r\n").expect("RCPT").expect("RCPT");
            s.send("250 ok\r\n421 4.3.2 closing\r\n").close()
        }],
        &[never],
    )
    .await;
    let line = bench.send(&bench.draft(&["carl@client.example", "dan@client.example"])).await;
    assert_eq!((line.state, line.refused.len()), (SendState::Waiting, 0), "{line:?}");
    assert!(line.words.as_deref().unwrap().contains("closing"), "{line:?}");
    bench.said().await;
}

/// Full, all the time.
fn full(s: Script) -> Script {
    let s = hello(s).expect("MAIL").send("250\r\n").expect("RCPT").send("452 4.2.2 full\r\n");
    s.expect("RSET").send("250\r\n").expect("QUIT").send("221\r\n")
}

#[tokio::test]
async fn who_is_refused_for_the_moment_is_waited_for_as_long_as_nobody_else_waits() {
    let mut bench = Bench::new(&[full, full, full, full, full, full, full], &[never]).await;
    let mut line = bench.send(&bench.draft(&["carl@client.example"])).await;
    for _ in 0..6 {
        assert_eq!((line.state, line.refused.len()), (SendState::Waiting, 0), "{line:?}");
        bench.said().await;
        bench.clock.advance(Duration::from_secs(3 * 3600));
        line = bench.engine.send_due(line.id).await.unwrap();
    }
    assert_eq!(line.state, SendState::Waiting, "{line:?}");
}

#[tokio::test]
async fn a_mail_at_which_the_server_hangs_up_stops_no_other_mail() {
    let mut bench = Bench::new(
        &[
            |s| hello(s).expect("MAIL").send("250\r\n").expect("RCPT TO:<no@client.example>").close(),
            |s| takes(hello(s)).expect("QUIT").send("221\r\n"),
        ],
        &[never],
    )
    .await;
    let poison = bench.send(&bench.draft(&["no@client.example"])).await;
    assert_eq!(poison.state, SendState::Waiting);
    assert!(poison.due > bench.now(), "{poison:?}");
    bench.said().await;
    let line = bench.send(&bench.draft(&["carl@client.example"])).await;
    assert_eq!(line.state, SendState::Sent, "{line:?}");
    bench.said().await;
}
