//! Greeting, TLS and signing in.

use crate::kit::{ANN, Client, Fake, PASSWORD, World, encode, plain};
use threadline_relay::limits::Limits;
use threadline_relay::offers::Offers;
use threadline_relay::server::{Port, listen};
use tokio::net::TcpStream;
use tokio::time::Instant;

#[tokio::test]
async fn what_all_providers_offer_is_offered_and_after_the_sign_in_what_its_own_does() {
    let world = World::new(Fake::new());
    let mut client = world.client().await;
    let before = client.ask("EHLO pc").await;
    assert_eq!(
        before,
        "250-localhost\r\n250-PIPELINING\r\n250-SIZE 50000000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
         250-ENHANCEDSTATUSCODES\r\n250 AUTH PLAIN LOGIN\r\n",
        "Bob's provider has no DSN"
    );
    client.expect(&format!("AUTH PLAIN {}", plain(ANN, PASSWORD)), 235).await;
    assert!(client.ask("EHLO pc").await.contains("250-DSN\r\n"));
    let world = World::new(Fake { offers: Offers::default(), ..Fake::new() });
    let offered = world.client().await.ask("EHLO pc").await;
    assert_eq!(offered, "250-localhost\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN\r\n");
}

#[tokio::test]
async fn before_tls_there_is_starttls_and_nothing_else() {
    let world = World::new(Fake::new());
    let mut client = Client::over(world.plain(Port::StartTls));
    assert_eq!(client.hear().await, "220 localhost ESMTP Threadline relay\r\n");
    assert_eq!(client.ask("EHLO pc").await, "250-localhost\r\n250 STARTTLS\r\n");
    for line in ["AUTH PLAIN AGEAYg==", "MAIL FROM:<a@b>", "RCPT TO:<a@b>", "DATA", "VRFY a"] {
        client.expect(line, 530).await;
    }
    client.expect("NOOP", 250).await;
    client.expect("X-YZ", 500).await;
    client.expect("STARTTLS", 220).await;
    let mut client = world.encrypted(client.into_inner()).await;
    // Nothing of the EHLO before TLS counts (RFC 3207 §4.2).
    client.expect(&format!("AUTH PLAIN {}", plain(ANN, PASSWORD)), 503).await;
    let offered = client.ask("EHLO pc").await;
    assert!(offered.contains("AUTH PLAIN LOGIN") && !offered.contains("STARTTLS"), "{offered}");
    client.expect("STARTTLS", 503).await;
    client.expect(&format!("AUTH PLAIN {}", plain(ANN, PASSWORD)), 235).await;
    client.expect("QUIT", 221).await;
    assert!(client.is_over().await);
}

#[tokio::test]
async fn what_is_said_behind_starttls_in_plaintext_ends_it() {
    let world = World::new(Fake::new());
    let mut client = Client::over(world.plain(Port::StartTls));
    client.hear().await;
    client.say("STARTTLS\r\nEHLO evil\r\n").await;
    assert_eq!(client.hear().await, "220 2.0.0 Begin TLS\r\n");
    assert!(client.is_over().await);
    for line in ["STARTTLS\n", "EHLO \0pc\r\n"] {
        let mut client = Client::over(world.plain(Port::StartTls));
        client.hear().await;
        client.say(line).await;
        assert!(client.is_over().await, "{line:?}");
    }
}

#[tokio::test]
async fn the_ways_to_sign_in() {
    let world = World::new(Fake::new());
    let answer = plain("ANN@Firm.example", PASSWORD);
    let mut client = world.client().await;
    client.expect("AUTH PLAIN", 503).await;
    client.expect("EHLO pc", 250).await;
    for (line, code) in [
        ("AUTH", 501),
        ("AUTH CRAM-MD5", 504),
        ("AUTH PLAIN a b", 501),
        ("AUTH PLAIN !!", 501),
        ("AUTH PLAIN AAAA", 501),
        ("AUTH PLAIN =", 501),
    ] {
        client.expect(line, code).await;
    }
    // On behalf of somebody else.
    let other = encode(&format!("bob@firm.example\0{ANN}\0{PASSWORD}"));
    client.expect(&format!("AUTH PLAIN {other}"), 501).await;
    client.expect("AUTH LOGIN", 334).await;
    client.expect("*", 501).await;
    client.expect("MAIL FROM:<ann@firm.example>", 530).await;
    assert_eq!(client.ask("AUTH LOGIN").await, "334 VXNlcm5hbWU6\r\n");
    assert_eq!(client.ask(&encode(ANN)).await, "334 UGFzc3dvcmQ6\r\n");
    client.expect(&encode(PASSWORD), 235).await;
    client.expect(&format!("AUTH PLAIN {answer}"), 503).await;
    for first in [format!("AUTH PLAIN {answer}"), format!("auth login {}", encode(ANN))] {
        let mut client = world.client().await;
        client.expect("EHLO pc", 250).await;
        let answer = client.ask(&first).await;
        if answer.starts_with("334") {
            client.expect(&encode(PASSWORD), 235).await;
        } else {
            assert_eq!(answer, "235 2.7.0 Welcome\r\n");
        }
    }
    let mut client = world.client().await;
    client.expect("EHLO pc", 250).await;
    assert_eq!(client.ask("AUTH PLAIN").await, "334 \r\n");
    client.expect(&answer, 235).await;
}

#[tokio::test(start_paused = true)]
async fn wrong_passwords_are_slowed_over_all_connections_and_end_it() {
    let world = World::new(Fake::new());
    let mut waited = Vec::new();
    for _ in 0..2 {
        let mut client = world.client().await;
        client.expect("EHLO pc", 250).await;
        for wrong in [plain(ANN, "abcde-fghik"), plain("eve@firm.example", PASSWORD), plain(ANN, "")] {
            let begun = Instant::now();
            client.expect(&format!("AUTH PLAIN {wrong}"), 535).await;
            waited.push(begun.elapsed().as_millis());
        }
        assert!(client.is_over().await);
    }
    assert_eq!(waited, [500, 1_000, 2_000, 4_000, 8_000, 16_000]);
    assert_eq!(world.fake.seen().opened, 0, "no provider is asked");
    // The right one is not slowed, and the count begins anew.
    let begun = Instant::now();
    let mut client = world.signed_in().await;
    assert_eq!(begun.elapsed().as_millis(), 0);
    client.expect("QUIT", 221).await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_sign_in_is_not_waited_for() {
    let world = World::new(Fake::new());
    let begun = Instant::now();
    let mut client = world.client().await;
    for _ in 0..11 {
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        client.expect("NOOP", 250).await;
    }
    assert_eq!(client.hear().await, "421 4.4.2 This took too long\r\n");
    assert_eq!(begun.elapsed().as_secs(), 60);
}

#[tokio::test]
async fn connections_are_counted() {
    let world = World::within(Fake::new(), Limits { connections: 1, ..Limits::default() });
    let (tls, starttls) = (listen(0).await.unwrap(), listen(0).await.unwrap());
    let (at_tls, at_starttls) = (tls.local_addr().unwrap(), starttls.local_addr().unwrap());
    assert!(at_tls.ip().is_loopback() && at_starttls.ip().is_loopback());
    let server = world.server.clone();
    let serving = tokio::spawn(async move { server.serve(tls, starttls).await });
    let mut first = world.encrypted(TcpStream::connect(at_tls).await.unwrap()).await;
    assert!(first.hear().await.starts_with("220"));
    let mut second = Client::over(TcpStream::connect(at_starttls).await.unwrap());
    assert_eq!(second.hear().await, "421 4.7.0 Too many connections; come again\r\n");
    first.expect("QUIT", 221).await;
    assert!(first.is_over().await);
    drop(first);
    let mut third = Client::over(TcpStream::connect(at_starttls).await.unwrap());
    // Its place is free once the first one's task has ended, which this connection may overtake.
    while third.hear().await.starts_with("421") {
        third = Client::over(TcpStream::connect(at_starttls).await.unwrap());
    }
    third.expect("NOOP", 250).await;
    serving.abort();
}
