//! Servers that send too much, too deep, or half of it.

use super::rig::{Rig, no_secrets};
use std::io;
use threadline_core::reason::Reason;
use threadline_mail::connect::Security;
use threadline_mail::error::MailError;
use threadline_mail::guard::{Violation, violation};
use threadline_testkit::script::Script;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What a session reads of a script that goes on inside TLS, and how that ends.
async fn read(rig: &Rig, script: Script) -> (Vec<u8>, io::Result<usize>, u64) {
    let (server, mut opened) = rig.opened(script).await;
    let mut seen = Vec::new();
    let end = opened.stream.read_to_end(&mut seen).await;
    let bytes_in = opened.stream.bytes_in();
    drop((server, opened));
    (seen, end, bytes_in)
}

fn broken(end: io::Result<usize>) -> Violation {
    let err = end.expect_err("the guard must break it");
    let named = MailError::from_io("x:1", threadline_core::reason::Phase::Fetch, &err);
    assert_eq!(named.reason, Reason::ProtocolError);
    violation(&err).expect("a violation")
}

pub async fn literals() {
    let rig = Rig::new();
    for (length, want) in [
        ("{4294967296}", Violation::LiteralTooLarge),
        ("{99999999999999999999}", Violation::LiteralTooLarge),
        ("{536870912}", Violation::LiteralTooLarge),
        ("{-1}", Violation::LiteralMalformed),
        ("{1e9}", Violation::LiteralMalformed),
        ("~{18446744073709551616}", Violation::LiteralTooLarge),
    ] {
        let line = format!("* 1 FETCH (UID 1 BODY[] {length}\r\n");
        let (seen, end, _) = read(&rig, rig.inside().send(line).hang()).await;
        assert_eq!((seen.len(), broken(end)), (0, want), "{length}");
    }
    let (err, seen) =
        rig.imap_fails(Security::StartTls, Script::new().send("* OK {4294967296}\r\n").hang()).await;
    assert_eq!(err.reason, Reason::ProtocolError);
    no_secrets(&seen);
}

pub async fn endless_line() {
    let rig = Rig::new();
    for begin in ["* OK ", "* CAPABILITY ", "* LIST () \"/\" \"", "a1 OK ", "+ "] {
        let script = rig.inside().send(begin).repeat("a".repeat(1024), 16 * 1024).hang();
        let (seen, end, bytes_in) = read(&rig, script).await;
        assert_eq!((seen.len(), broken(end)), (0, Violation::LineTooLong));
        assert!(bytes_in < 300 * 1024, "{bytes_in} bytes were taken");
    }
    // As a greeting, before TLS and inside it.
    let flood = Script::new().send("* OK ").repeat("a".repeat(1024), 16 * 1024).hang();
    let (err, _) = rig.imap_fails(Security::StartTls, flood).await;
    assert_eq!(err.reason, Reason::ProtocolError);
    let flood = Script::new().tls(&rig.identity).repeat("a".repeat(1024), 16 * 1024).hang();
    let (err, _) = rig.imap_fails(Security::Tls, flood).await;
    assert_eq!(err.reason, Reason::ProtocolError);
}

pub async fn nested() {
    let rig = Rig::new();
    for begin in ["* 1 FETCH (BODYSTRUCTURE ", "* LIST ", "* 1 FETCH (BODY (\"a\" ", "* THREAD "] {
        let script = rig.inside().send(begin).send("(".repeat(500)).hang();
        let (seen, end, _) = read(&rig, script).await;
        assert_eq!((seen.len(), broken(end)), (0, Violation::NestingTooDeep));
        let script = rig.inside().send(begin).dribble("(".repeat(500)).hang();
        let (seen, end, _) = read(&rig, script).await;
        assert_eq!((seen.len(), broken(end)), (0, Violation::NestingTooDeep));
    }
    // Fifty levels are honest.
    let honest = format!("* 1 FETCH (BODYSTRUCTURE {}{})\r\n", "(".repeat(50), ")".repeat(50));
    let (seen, end, _) = read(&rig, rig.inside().send(&honest)).await;
    assert!(end.is_ok() && seen == honest.as_bytes());
}

/// There is nothing to inflate: compression is never asked for, so that a server cannot begin it.
pub async fn no_compress() {
    let rig = Rig::new();
    let greeting = "* OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] x\r\n";
    let (mut server, opened) =
        rig.imap(Security::Tls, Script::new().tls(&rig.identity).send(greeting).hang()).await;
    drop(opened.unwrap());
    no_secrets(&server.transcript().await);
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut looked_at = 0;
    for entry in std::fs::read_dir(sources).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "rs") {
            looked_at += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains("COMPRESS DEFLATE"), "{}", path.display());
        }
    }
    assert!(looked_at > 3);
}

pub async fn flood() {
    let rig = Rig::new();
    for line in ["* OK [ALERT] x\r\n", "* 7 EXISTS\r\n", "* LIST () \"/\" x\r\n", "a9 OK x\r\n", "+ x\r\n"] {
        let script = rig.inside().expect("NOOP").repeat(line, 1_000_000).hang();
        let (server, mut opened) = rig.opened(script).await;
        opened.stream.command_started_with(1_000);
        opened.stream.write_all(b"a2 NOOP\r\n").await.unwrap();
        opened.stream.flush().await.unwrap();
        let mut seen = Vec::new();
        let end = opened.stream.read_to_end(&mut seen).await;
        assert_eq!(broken(end), Violation::TooManyResponses);
        assert_eq!(seen.len(), 1_001 * line.len());
        drop((server, opened));
    }
    // Before TLS a few lines are enough.
    let script =
        Script::new().send("* OK x\r\n").expect("STARTTLS").repeat("* OK [ALERT] x\r\n", 1_000_000).hang();
    let (err, seen) = rig.imap_fails(Security::StartTls, script).await;
    assert_eq!(err.reason, Reason::ProtocolError);
    no_secrets(&seen);
}

pub async fn cut_off() {
    let rig = Rig::new();
    for half in [
        "* 1 FETCH (UID 1 BODY[] {100}\r\nhalf of it",
        "* 1 FETCH (UID 1 BODY[] {4}\r\nhalf",
        "* 1 FETCH (UID 1 BODY[] {4}\r\nhalf)",
        "* 1 FE",
        "a2 OK don",
    ] {
        let (_, end, _) = read(&rig, rig.inside().send(half)).await;
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::UnexpectedEof, "{half:?}");
    }
}
