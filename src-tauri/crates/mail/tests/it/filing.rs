//! The sender's own copy: put into a folder, and found there, on a scripted server.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use crate::session_kit::*;
use threadline_core::reason::{ImapStatus, Phase, Signal};
use threadline_mail::session::{Folder, Place};

const RAW: &[u8] = b"Subject: x\r\n\r\nT1 LOGOUT\r\n";

fn date() -> jiff::Timestamp {
    "2026-11-04T09:05:00Z".parse().unwrap()
}

#[tokio::test]
async fn a_copy_is_put_there_as_read_with_its_date() {
    let mut stage = Stage::new(PLAIN, |script| {
        script
            .expect("APPEND \"INBOX\" (\\Seen) \"04-Nov-2026 09:05:00 +0000\" {25}")
            .send("+ go on\r\n")
            .expect("Subject: x")
            .expect("")
            .expect("T1 LOGOUT")
            .expect("")
            .send("* 1 EXISTS\r\nT2 OK [APPENDUID 1 1] done\r\n")
            .expect("LOGOUT")
            .send("* BYE\r\n{tag} OK\r\n")
    })
    .await;
    let mut session = stage.open().await.unwrap();
    session.append(&Folder::inbox(), date(), RAW).await.unwrap();
    session.logout().await;
    stage.said().await;
}

#[tokio::test]
async fn a_refusal_is_told_before_anything_is_sent_or_after() {
    let no = |code: &str| Signal::Imap { status: ImapStatus::No, code: Some(code.to_owned()) };
    for (before, code) in [(true, "OVERQUOTA"), (false, "TRYCREATE")] {
        let mut stage = Stage::new(PLAIN, move |script| {
            let script = script.expect("APPEND");
            match before {
                true => script.send("{tag} NO [OVERQUOTA] full\r\n"),
                false => script
                    .send("+ \r\n")
                    .expect("Subject")
                    .expect("")
                    .expect("T1 LOGOUT")
                    .expect("")
                    .send("T2 NO [TRYCREATE] no such folder\r\n"),
            }
            .expect("EXAMINE")
            .send(examined(0, 7, ""))
            .hang()
        })
        .await;
        let mut session = stage.open().await.unwrap();
        let error = session.append(&Folder::inbox(), date(), RAW).await.unwrap_err();
        assert_eq!((error.phase, error.evidence.signal), (Phase::Append, no(code)));
        // The session goes on.
        assert_eq!(session.find_id(&Folder::inbox(), "a@x").await.unwrap(), None);
        drop(session);
        stage.said().await;
    }
}

#[tokio::test]
async fn a_copy_is_found_by_any_id_that_it_may_go_by() {
    let mut stage = Stage::new(PLAIN, |script| {
        script
            .expect("EXAMINE \"INBOX\"")
            .send(examined(3, 7, ""))
            .expect("UID SEARCH 1:* OR HEADER Message-ID \"1.a@firm.example\" OR HEADER X-Microsoft-Original-Message-ID \"1.a@firm.example\" HEADER X-Google-Original-Message-ID \"1.a@firm.example\"")
            .send("* SEARCH 4 9\r\n{tag} OK\r\n")
            .expect("EXAMINE \"INBOX\"")
            .send(examined(20_001, 7, ""))
            .expect("UID SEARCH 10002:* OR")
            .send("* SEARCH\r\n{tag} OK\r\n")
            .expect("EXAMINE")
            .send(examined(3, 7, ""))
            .expect("UID SEARCH")
            .send("{tag} BAD what?\r\n")
            .hang()
    })
    .await;
    let mut session = stage.open().await.unwrap();
    let inbox = Folder::inbox();
    let found = session.find_id(&inbox, "1.a@firm.example").await.unwrap();
    assert_eq!(found, Some(Place { uidvalidity: 7, uid: 9 }));
    assert_eq!(session.find_id(&inbox, "1.a@firm.example").await.unwrap(), None);
    assert!(session.find_id(&inbox, "\"\r\nT9 LOGOUT").await.is_err());
    drop(session);
    assert!(!stage.said().await.tls_text().contains("\r\nT9"));
}
