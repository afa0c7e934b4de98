//! Which folders are watched, on scripted servers: what comes, goes, is refused, or is opened by somebody else.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use crate::session_kit::*;
use threadline_core::arrival::Role;
use threadline_core::reason::{Phase, Reason};
use threadline_mail::folders::watched;
use threadline_mail::session::{Folder, Place};
use threadline_mail::watch::{News, PROBE, Target, Watch};

#[tokio::test]
async fn a_sent_folder_that_is_refused_is_told_and_the_others_go_on() {
    let no = "{tag} NO [NOPERM] not yours\r\n";
    for first_contact in [false, true] {
        let mut steps = vec![list(), step("EXAMINE \"Sent\"", no)];
        if first_contact {
            steps.push(step("UID FETCH * (UID)", "{tag} BAD no folder is open\r\n"));
        }
        steps.extend([
            examine(3, 10),
            step("NOTIFY", OK),
            idle("* 4 EXISTS\r\n"),
            done(),
            step("UID FETCH 10:*", headers(&[10])),
            idle(""),
        ]);
        let mut stage = Stage::talks(NOTIFY, vec![steps]).await;
        let mut watch = both_from(&stage, if first_contact { None } else { cursor(9, 20) }).await;
        let News::Refused { target: 1, error } = next(&mut watch).await else { panic!() };
        assert_eq!(error.phase, Phase::Select);
        assert!(error.evidence.words.contains("not yours"));
        assert_eq!(next(&mut watch).await, News::Watching);
        assert_eq!(arrivals(&mut watch).await.0, [10]);
        assert_eq!(next(&mut watch).await, News::Watching);
        drop(watch);
        stage.said().await;
    }
}

#[tokio::test]
async fn a_sent_folder_that_goes_away_is_told_once() {
    let steps = vec![
        list(),
        examine_sent(3, 20),
        examine(3, 10),
        idle(""),
        done(),
        step("STATUS \"Sent\"", "{tag} NO [NONEXISTENT] no such folder\r\n"),
        step("NOOP", OK),
        idle("* 4 EXISTS\r\n"),
        done(),
        step("UID FETCH 10:*", headers(&[10])),
        idle(""),
    ];
    let mut stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut watch = both(&stage).await;
    assert_eq!(next(&mut watch).await, News::Watching);
    tokio::time::pause();
    let News::Refused { target: 1, error } = watch.next().await.unwrap() else { panic!() };
    tokio::time::resume();
    assert_eq!(error.reason, Reason::FolderMissing);
    assert_eq!(arrivals(&mut watch).await.0, [10]);
    assert_eq!(next(&mut watch).await, News::Watching);
    drop(watch);
    stage.said().await;
}

#[tokio::test]
async fn a_new_folder_of_a_known_mailbox_is_read_from_a_day_on() {
    // The headers of the kit arrived on 2 November at 9:00 UTC.
    for (begins, wanted) in [("2026-11-02T08:00:00Z", vec![5, 6]), ("2026-11-02T10:00:00Z", vec![])] {
        let steps = vec![
            list(),
            examine_sent(6, 7),
            examine(3, 10),
            step("EXAMINE \"Sent\"", examined(6, 9, &uidnext(7))),
            step(
                "UID FETCH * (UID INTERNALDATE)",
                format!("* 6 FETCH (UID 6 INTERNALDATE \" 2-Nov-2026 10:00:00 +0100\")\r\n{OK}"),
            ),
            step("UID SEARCH 1:6 SINCE 31-Oct-2026", format!("* SEARCH 5 6\r\n{OK}")),
            step("UID FETCH 5:6 ", headers(&[5, 6])),
            step("EXAMINE \"INBOX\"", examined(3, 7, &uidnext(10))),
            step("STATUS \"Sent\"", OK),
            idle(""),
            done(),
            step("STATUS \"Sent\"", format!("* STATUS Sent (MESSAGES 7 UIDNEXT 8 UIDVALIDITY 9)\r\n{OK}")),
            step("NOOP", OK),
            step("EXAMINE \"Sent\"", examined(7, 9, &uidnext(8))),
            step("UID FETCH 7:7 ", headers(&[7])),
        ];
        let mut stage = Stage::talks(PLAIN, vec![steps]).await;
        let mut watch = both_from(&stage, None).await.begins(1, begins.parse().unwrap());
        let News::Renumbered { target: 1, cursor } = next(&mut watch).await else { panic!() };
        assert_eq!((cursor.uidvalidity, cursor.next_uid), (9, 5));
        let (uids, _, cursor) = arrivals(&mut watch).await;
        assert_eq!((uids, cursor.next_uid), (wanted, 7));
        assert_eq!(next(&mut watch).await, News::Watching);
        tokio::time::pause();
        // What comes later comes, whatever day it bears.
        let News::Arrivals { arrivals, .. } = watch.next().await.unwrap() else { panic!() };
        tokio::time::resume();
        assert_eq!(arrivals[0].uid, 7);
        drop(watch);
        stage.said().await;
    }
}

#[tokio::test]
async fn folders_are_listed_again_and_others_are_news() {
    let one = format!("* LIST () \"/\" INBOX\r\n{OK}");
    let two = format!("* LIST () \"/\" INBOX\r\n* LIST (\\HasNoChildren) \"/\" Sent\r\n{OK}");
    let steps = vec![
        step("LIST", one.clone()),
        examine(3, 10),
        idle(""),
        done(),
        step("NOOP", OK),
        step("LIST", one.replace("()", "(\\HasChildren)")),
        idle(""),
        done(),
        step("NOOP", OK),
        step("LIST", two),
    ];
    let mut stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut session = stage.open().await.unwrap();
    let found = watched(&session.folders().await.unwrap(), false, None);
    let mut watch = Watch::new(session, vec![inbox(cursor(7, 10))]).among(&found);
    assert_eq!(next(&mut watch).await, News::Watching);
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    assert_eq!(watch.next().await.unwrap(), News::OtherFolders);
    let waited = began.elapsed();
    tokio::time::resume();
    assert!(waited >= 2 * PROBE && waited < 3 * PROBE, "{waited:?}");
    drop(watch);
    stage.said().await;
}

#[tokio::test]
async fn a_folder_that_is_not_refused_any_more_is_news() {
    let steps = vec![
        list(),
        step("EXAMINE \"Sent\"", "{tag} NO [INUSE] being repaired\r\n"),
        examine(3, 10),
        step("NOTIFY", OK),
        idle(""),
        done(),
        step("STATUS \"Sent\"", "{tag} NO [INUSE] being repaired\r\n"),
        step("NOOP", OK),
        idle(""),
        done(),
        step("STATUS \"Sent\"", format!("* STATUS Sent (MESSAGES 4 UIDNEXT 21 UIDVALIDITY 9)\r\n{OK}")),
        step("NOOP", OK),
        // Counts alone do not say that it can be read.
        step("EXAMINE \"Sent\"", "{tag} NO [INUSE] being repaired\r\n"),
        examine(3, 10),
        idle(""),
        done(),
        step("STATUS \"Sent\"", format!("* STATUS Sent (MESSAGES 4 UIDNEXT 21 UIDVALIDITY 9)\r\n{OK}")),
        step("NOOP", OK),
        examine_sent(4, 21),
    ];
    let mut stage = Stage::talks(NOTIFY, vec![steps]).await;
    let mut watch = both(&stage).await;
    assert!(matches!(next(&mut watch).await, News::Refused { target: 1, .. }));
    assert_eq!(next(&mut watch).await, News::Watching);
    tokio::time::pause();
    assert_eq!(watch.next().await.unwrap(), News::OtherFolders);
    tokio::time::resume();
    drop(watch);
    stage.said().await;
}

#[tokio::test]
async fn an_inbox_that_is_refused_ends_the_watch() {
    let steps = vec![step("EXAMINE \"INBOX\"", "{tag} NO [NOPERM] not yours\r\n")];
    let stage = Stage::talks(PLAIN, vec![steps]).await;
    let error = try_next(&mut stage.inbox(cursor(7, 10)).await).await.unwrap_err();
    assert_eq!(error.phase, Phase::Select);
}

#[tokio::test]
async fn a_connection_of_which_every_folder_is_refused_waits() {
    let steps = vec![
        list(),
        step("EXAMINE \"Sent\"", "{tag} NO [NOPERM] not yours\r\n"),
        step("NOOP", "* BYE enough\r\n"),
    ];
    let stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut session = stage.open().await.unwrap();
    let sent = watched(&session.folders().await.unwrap(), false, None).sent.remove(0);
    let target = Target { folder: sent, role: Role::Sent, cursor: cursor(9, 20) };
    let mut watch = Watch::new(session, vec![target]);
    assert!(matches!(next(&mut watch).await, News::Refused { target: 0, .. }));
    assert_eq!(next(&mut watch).await, News::Watching);
    tokio::time::pause();
    let error = watch.next().await.unwrap_err();
    tokio::time::resume();
    assert!(error.evidence.words.contains("enough"), "{error}");
}

#[tokio::test]
async fn what_arrives_while_a_job_has_other_folders_open_is_read() {
    let body = "* 1 FETCH (UID 5 RFC822.SIZE 4 BODY[]<0> {4}\r\nbody)\r\n{tag} OK\r\n";
    let steps = vec![
        list(),
        examine_sent(3, 20),
        examine(3, 10),
        idle(""),
        // The job reads a body in Sent and one in INBOX; meanwhile a message came to INBOX.
        done(),
        examine_sent(3, 20),
        step("UID FETCH 5 ", body),
        examine(4, 11),
        step("UID FETCH 5 ", body),
        step("UID FETCH 10:10 ", headers(&[10])),
        idle(""),
    ];
    let mut stage = Stage::talks(PLAIN, vec![steps]).await;
    let (mut watch, sent) = watch_both(&stage, cursor(9, 20)).await;
    assert_eq!(next(&mut watch).await, News::Watching);
    for (folder, uidvalidity) in [(sent, 9), (Folder::inbox(), 7)] {
        let place = Place { uidvalidity, uid: 5 };
        watch.session().fetch_body(&folder, place, 99).await.unwrap().unwrap();
    }
    assert_eq!(arrivals(&mut watch).await.0, [10]);
    assert_eq!(next(&mut watch).await, News::Watching);
    drop(watch);
    stage.said().await;
}

#[tokio::test]
async fn folders_that_the_server_reports_are_asked_with_each_probe() {
    let steps = vec![
        list(),
        examine_sent(3, 20),
        examine(3, 10),
        step("NOTIFY", OK),
        idle(""),
        done(),
        step("STATUS \"Sent\"", format!("* STATUS Sent (MESSAGES 4 UIDNEXT 21 UIDVALIDITY 9)\r\n{OK}")),
        step("NOOP", OK),
        step("EXAMINE \"Sent\"", examined(4, 9, &uidnext(21))),
        step("UID FETCH 20:20", headers(&[20])),
    ];
    let mut stage = Stage::talks(NOTIFY, vec![steps]).await;
    let mut watch = both(&stage).await;
    assert_eq!(next(&mut watch).await, News::Watching);
    tokio::time::pause();
    let News::Arrivals { target: 1, arrivals, .. } = watch.next().await.unwrap() else { panic!() };
    tokio::time::resume();
    assert_eq!(arrivals[0].uid, 20);
    drop(watch);
    stage.said().await;
}
