//! Watching, on scripted servers: what a real one does rarely, or never twice.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use crate::session_kit::*;
use std::time::Duration;
use threadline_core::reason::{Phase, Reason};
use threadline_mail::watch::{Cursor, News, PROBE};

#[tokio::test]
async fn connecting_takes_four_flights_where_nothing_is_new() {
    let steps = vec![
        list(),
        examine_sent(3, 20),
        step("EXAMINE \"INBOX\" (CONDSTORE)", examined(3, 7, &uidnext(10))),
        step(
            "NOTIFY SET STATUS (selected (MessageNew MessageExpunge)) (mailboxes (\"INBOX\" \"Sent\") (Me",
            OK,
        ),
        idle(""),
    ];
    let mut stage = Stage::talks(NOTIFY, vec![steps]).await;
    let mut watch = both(&stage).await;
    assert_eq!(next(&mut watch).await, News::Watching);
    assert_eq!(watch.covers(), 2);
    drop(watch);
    let said = stage.said().await.tls_text();
    // ENABLE leaves with LIST, and both EXAMINE with NOTIFY.
    assert_eq!(said.lines().filter(|l| l.contains("FETCH") || l.contains("CAPABILITY")).count(), 0);
}

#[tokio::test]
async fn a_status_wakes_and_the_other_folder_is_read() {
    let steps = vec![
        list(),
        examine_sent(3, 20),
        examine(3, 10),
        step("NOTIFY", "* STATUS Sent (MESSAGES 3 UIDNEXT 20 UIDVALIDITY 9)\r\n{tag} OK\r\n"),
        idle("* STATUS \"Sent\" (MESSAGES 4 UIDNEXT 21)\r\n"),
        done(),
        step("EXAMINE \"Sent\"", examined(4, 9, &uidnext(21))),
        step("UID FETCH 20:20", headers(&[20])),
        step("EXAMINE \"INBOX\"", examined(3, 7, &uidnext(10))),
        step("STATUS \"Sent\"", format!("* STATUS Sent (MESSAGES 4 UIDNEXT 21 UIDVALIDITY 9)\r\n{OK}")),
        idle(""),
    ];
    let mut stage = Stage::talks(NOTIFY, vec![steps]).await;
    let mut watch = both(&stage).await;
    assert_eq!(next(&mut watch).await, News::Watching);
    let News::Arrivals { target, cursor, arrivals, .. } = next(&mut watch).await else { panic!() };
    assert_eq!((target, cursor.next_uid, arrivals[0].uid), (1, 21, 20));
    assert_eq!(arrivals[0].flags, ["\\Seen", "$x"]);
    assert_eq!(arrivals[0].internal_date.to_string(), "2026-11-02T09:00:00Z");
    assert_eq!(next(&mut watch).await, News::Watching);
    drop(watch);
    stage.said().await;
}

#[tokio::test]
async fn notify_that_is_refused_leaves_idle() {
    let steps = vec![
        list(),
        examine_sent(3, 20),
        examine(3, 10),
        step("NOTIFY", "{tag} NO [BADEVENT (MessageNew)] not here\r\n"),
        idle("* 4 EXISTS\r\n"),
        done(),
        step("UID FETCH 10:*", headers(&[10])),
        idle(""),
    ];
    let mut stage = Stage::talks(NOTIFY, vec![steps]).await;
    let mut watch = both(&stage).await;
    assert_eq!(next(&mut watch).await, News::Watching);
    assert_eq!(watch.covers(), 1);
    assert_eq!(arrivals(&mut watch).await.0, [10]);
    assert_eq!(next(&mut watch).await, News::Watching);
    drop(watch);
    stage.said().await;
}

#[tokio::test]
async fn notify_that_is_given_up_is_asked_for_again_and_all_is_looked_at() {
    let steps = vec![
        list(),
        examine_sent(3, 20),
        examine(3, 10),
        step("NOTIFY", OK),
        idle("* OK [NOTIFICATIONOVERFLOW] too much\r\n"),
        done(),
        step("NOTIFY", OK),
        step("UID FETCH 10:*", headers(&[9])),
        step("EXAMINE \"Sent\"", examined(4, 9, &uidnext(21))),
        step("UID FETCH 20:20", headers(&[20])),
        examine(3, 10),
        step("STATUS \"Sent\"", OK),
        idle(""),
    ];
    let mut stage = Stage::talks(NOTIFY, vec![steps]).await;
    let mut watch = both(&stage).await;
    assert_eq!(next(&mut watch).await, News::Watching);
    assert_eq!(arrivals(&mut watch).await.0, [20]);
    assert_eq!(next(&mut watch).await, News::Watching);
    drop(watch);
    stage.said().await;
}

#[tokio::test]
async fn bye_during_idle_keeps_the_servers_words() {
    let steps = vec![examine(3, 10), idle("* BYE [UNAVAILABLE] Maintenance until six\r\n")];
    let stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut watch = stage.inbox(cursor(7, 10)).await;
    assert_eq!(next(&mut watch).await, News::Watching);
    let error = try_next(&mut watch).await.unwrap_err();
    assert_eq!((error.phase, error.reason), (Phase::Idle, Reason::ServerUnavailable));
    assert!(error.evidence.words.contains("Maintenance until six"));
}

#[tokio::test]
async fn the_end_of_the_stream_during_idle_is_a_hang_up() {
    let stage = Stage::new(PLAIN, |s| play(s, &[examine(3, 10), idle("")]).close()).await;
    let mut watch = stage.inbox(cursor(7, 10)).await;
    assert_eq!(next(&mut watch).await, News::Watching);
    let error = try_next(&mut watch).await.unwrap_err();
    assert_eq!((error.phase, error.reason), (Phase::Idle, Reason::ServerClosedConnection));
}

#[tokio::test]
async fn a_refused_batch_is_halved_and_what_stays_refused_is_set_aside() {
    let no = "{tag} NO [SERVERBUG] cannot read a message\r\n";
    let steps = vec![
        examine(3, 13),
        step("UID FETCH 10:12 ", no),
        step("UID FETCH 10:* (UID)", uids(&[10, 11, 12])),
        step("UID FETCH 10:12 ", no),
        step("UID FETCH 10:10 ", headers(&[10])),
        step("UID FETCH 11:12 ", no),
        step("UID FETCH 11:11 ", no),
        step("UID FETCH 12:12 ", headers(&[12])),
        idle(""),
    ];
    let mut stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut watch = stage.inbox(cursor(7, 10)).await;
    let mut got = (vec![], vec![], 0);
    while let News::Arrivals { arrivals, set_aside, cursor, .. } = next(&mut watch).await {
        got.0.extend(arrivals.iter().map(|a| a.uid));
        got.1.extend(set_aside.iter().map(|(uid, _)| *uid));
        got.2 = cursor.next_uid;
    }
    assert_eq!(got, (vec![10, 12], vec![11], 13));
    drop(watch);
    stage.said().await;
}

#[tokio::test]
async fn a_message_without_a_header_is_set_aside_and_one_that_is_gone_is_not() {
    let bare = "* 2 FETCH (UID 11 FLAGS () RFC822.SIZE 5 BODY[HEADER.FIELDS (DATE)] NIL)\r\n";
    let steps = vec![
        examine(3, 13),
        step("UID FETCH 10:12 ", header(1, 10, "s") + bare + OK),
        step("UID FETCH 10:* (UID)", uids(&[10, 11, 12])),
        step("UID FETCH 10:12 ", header(1, 10, "s") + bare + OK),
        step("UID FETCH 10:10 ", headers(&[10])),
        step("UID FETCH 11:12 ", format!("{bare}{OK}")),
        step("UID FETCH 11:11 ", format!("{bare}{OK}")),
        step("UID FETCH 12:12 ", OK),
        idle(""),
    ];
    let mut stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut watch = stage.inbox(cursor(7, 10)).await;
    assert_eq!(arrivals(&mut watch).await.0, [10]);
    let (none, aside, cursor) = arrivals(&mut watch).await;
    assert_eq!((none.len(), aside, cursor.next_uid), (0, vec![11], 12));
    assert_eq!(next(&mut watch).await, News::Watching);
    drop(watch);
    stage.said().await;
}

#[tokio::test]
async fn another_uidvalidity_is_searched_to_the_beginning_of_the_folder() {
    let steps = vec![
        step("EXAMINE", examined(25_000, 8, &uidnext(50_000))),
        step(
            "UID FETCH * (UID INTERNALDATE)",
            format!("* 25000 FETCH (UID 49000 INTERNALDATE \"20-Nov-2026 10:00:00 +0000\")\r\n{OK}"),
        ),
        step("UID SEARCH 15001:25000 SINCE 18-Nov-2026", format!("* SEARCH 300 200\r\n{OK}")),
        step("UID SEARCH 5001:15000 SINCE 18-Nov-2026", format!("* SEARCH\r\n{OK}")),
        step("UID SEARCH 1:5000 SINCE 18-Nov-2026", format!("* SEARCH 100\r\n{OK}")),
        step("UID FETCH 100:300 ", headers(&[100, 200, 250, 300])),
        idle(""),
    ];
    let mut stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut watch = stage.inbox(cursor(7, 10)).await.last_seen(0, "2026-11-20T12:00:00Z".parse().unwrap());
    let News::Renumbered { cursor, .. } = next(&mut watch).await else { panic!() };
    assert_eq!(cursor, Cursor { uidvalidity: 8, next_uid: 100, modseq: None });
    let (uids, _, cursor) = arrivals(&mut watch).await;
    assert_eq!((uids, cursor.next_uid), (vec![100, 200, 250, 300], 301));
    assert_eq!(next(&mut watch).await, News::Watching);
    drop(watch);
    stage.said().await;
}

#[tokio::test]
async fn another_uidvalidity_brings_up_nothing_from_before_the_mailbox_was_added() {
    // The headers of the kit arrived on 2 November at 9:00 UTC. An old mail was moved into the folder last. Dovecot answers the
    // search before it says that the command before it is done.
    let found = "* SEARCH 5 6\r\n";
    for (floor, wanted, early, late) in [
        ("2026-11-02T09:30:00Z", vec![], "", found),
        ("2026-11-02T08:30:00Z", vec![5, 6], "", found),
        ("2026-11-02T08:30:00Z", vec![5, 6], found, ""),
    ] {
        let steps = vec![
            step("EXAMINE", examined(6, 8, &uidnext(7))),
            step(
                "UID FETCH * (UID INTERNALDATE)",
                format!("* 6 FETCH (UID 6 INTERNALDATE \" 2-Nov-2026 10:00:00 +0100\")\r\n{early}{OK}"),
            ),
            step("UID SEARCH 1:6 SINCE 31-Oct-2026", format!("{late}{OK}")),
            step("UID FETCH 5:6 ", headers(&[5, 6])),
            idle("* 7 EXISTS\r\n"),
            done(),
            step("UID FETCH 7:*", headers(&[7])),
            idle(""),
        ];
        let mut stage = Stage::talks(PLAIN, vec![steps]).await;
        let watch = stage.inbox(cursor(7, 10)).await.last_seen(0, "2026-10-03T12:00:00Z".parse().unwrap());
        let mut watch = watch.not_before(0, floor.parse().unwrap());
        assert!(matches!(next(&mut watch).await, News::Renumbered { .. }));
        let (uids, _, cursor) = arrivals(&mut watch).await;
        assert_eq!((uids, cursor.next_uid), (wanted, 7), "{floor}");
        assert_eq!(next(&mut watch).await, News::Watching);
        // What comes later comes, whatever day it bears.
        assert_eq!(arrivals(&mut watch).await.0, [7]);
        assert_eq!(next(&mut watch).await, News::Watching);
        drop(watch);
        stage.said().await;
    }
}

#[tokio::test]
async fn without_idle_the_server_is_asked() {
    let steps = vec![
        list(),
        examine_sent(3, 20),
        examine(3, 10),
        step("STATUS \"Sent\"", format!("* STATUS Sent (MESSAGES 4 UIDNEXT 21 UIDVALIDITY 9)\r\n{OK}")),
        step("NOOP", format!("* 4 EXISTS\r\n{OK}")),
        step("UID FETCH 10:*", headers(&[10])),
        step("EXAMINE \"Sent\"", examined(4, 9, &uidnext(21))),
        step("UID FETCH 20:20", headers(&[20])),
        examine(4, 11),
        step("STATUS \"Sent\"", OK),
    ];
    let mut stage = Stage::talks("IMAP4rev1", vec![steps]).await;
    let mut watch = both(&stage).await;
    assert_eq!(next(&mut watch).await, News::Watching);
    assert_eq!(watch.covers(), 0);
    tokio::time::pause();
    assert_eq!(arrivals(&mut watch).await.0, [10]);
    tokio::time::resume();
    assert_eq!(arrivals(&mut watch).await.0, [20]);
    assert_eq!(next(&mut watch).await, News::Watching);
    drop(watch);
    stage.said().await;
}

#[tokio::test]
async fn idle_is_renewed_before_servers_end_it() {
    let steps = vec![
        examine(3, 10),
        idle(""),
        done(),
        idle(""),
        done(),
        idle("* 4 EXISTS\r\n"),
        done(),
        step("UID FETCH 10:*", headers(&[10])),
        idle(""),
    ];
    let mut stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut watch = stage.inbox(cursor(7, 10)).await;
    assert_eq!(next(&mut watch).await, News::Watching);
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    // The clock jumps ahead whenever everybody waits.
    let News::Arrivals { arrivals, .. } = watch.next().await.unwrap() else { panic!() };
    let waited = began.elapsed();
    tokio::time::resume();
    assert_eq!(arrivals[0].uid, 10);
    assert!(waited >= 2 * PROBE && waited < 3 * PROBE, "{waited:?}");
    drop(watch);
    stage.said().await;
}

#[tokio::test]
async fn idle_that_the_server_ends_is_begun_again_without_a_done() {
    let stage = Stage::new(PLAIN, |s| {
        let script = play(s, &[examine(3, 10)]).expect("IDLE").send(GO);
        // The script's tag is that of IDLE until it reads another line.
        let script = script.slowly("{tag} OK that was long enough\r\n", 1, Duration::from_secs(100));
        play(script, &[idle("* 4 EXISTS\r\n"), done(), step("UID FETCH 10:*", headers(&[10])), idle("")])
            .hang()
    })
    .await;
    let mut watch = stage.inbox(cursor(7, 10)).await;
    assert_eq!(next(&mut watch).await, News::Watching);
    tokio::time::pause();
    let News::Arrivals { arrivals, .. } = watch.next().await.unwrap() else { panic!() };
    tokio::time::resume();
    assert_eq!(arrivals[0].uid, 10);
    assert_eq!(watch.covers(), 1);
}

#[tokio::test]
async fn a_server_that_ends_idle_at_once_is_asked() {
    let steps = vec![
        examine(3, 10),
        idle("{tag} OK IDLE terminated\r\n"),
        step("NOOP", format!("* 4 EXISTS\r\n{OK}")),
        step("UID FETCH 10:*", headers(&[10])),
    ];
    let mut stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut watch = stage.inbox(cursor(7, 10)).await;
    assert_eq!(next(&mut watch).await, News::Watching);
    tokio::time::pause();
    let News::Arrivals { arrivals, .. } = watch.next().await.unwrap() else { panic!() };
    tokio::time::resume();
    assert_eq!((arrivals[0].uid, watch.covers()), (10, 0));
    drop(watch);
    stage.said().await;
}

#[tokio::test]
async fn a_flag_change_far_away_moves_only_the_modseq() {
    let answer = examined(3, 7, &uidnext(10)).replace("{tag} OK", "* OK [HIGHESTMODSEQ 9000] x\r\n{tag} OK");
    let steps = vec![
        step(
            "EXAMINE \"INBOX\" (QRESYNC (7 5 10:4294967295))",
            format!("* 1 FETCH (UID 4 FLAGS (\\Seen) MODSEQ (8000))\r\n* VANISHED (EARLIER) 1:3\r\n{answer}"),
        ),
        step("NOTIFY", OK),
        idle(""),
    ];
    let stage = Stage::talks(NOTIFY, vec![steps]).await;
    let mut watch = stage.inbox(Some(Cursor { uidvalidity: 7, next_uid: 10, modseq: Some(5) })).await;
    let (uids, aside, cursor) = arrivals(&mut watch).await;
    assert_eq!((uids.len(), aside.len()), (0, 0));
    assert_eq!(cursor, Cursor { uidvalidity: 7, next_uid: 10, modseq: Some(9_000) });
    assert_eq!(next(&mut watch).await, News::Watching);
}

#[tokio::test]
async fn one_new_mail_in_a_large_folder_is_one_fetch() {
    let steps = vec![
        step("EXAMINE", examined(100_000, 7, &uidnext(200_000))),
        idle("* 100001 EXISTS\r\n"),
        done(),
        step("UID FETCH 200000:* (UID FLAGS", headers(&[200_000])),
        idle(""),
    ];
    let mut stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut watch = stage.inbox(cursor(7, 200_000)).await;
    assert_eq!(next(&mut watch).await, News::Watching);
    assert_eq!(arrivals(&mut watch).await.0, [200_000]);
    assert_eq!(next(&mut watch).await, News::Watching);
    drop(watch);
    stage.said().await;
}

/// Reads INBOX, on a new connection whenever one breaks, until it is watched: the UIDs, those set aside, and how many
/// connections broke.
async fn read_all(stage: &Stage, mut at: Option<Cursor>) -> (Vec<u32>, Vec<u32>, u32) {
    let (mut got, mut aside, mut broken, mut suspect) = (vec![], vec![], 0, None);
    loop {
        let mut watch = stage.inbox(at).await.wary(suspect.take());
        loop {
            match watch.next().await {
                Ok(News::Arrivals { cursor, arrivals, set_aside, .. }) => {
                    at = Some(cursor);
                    got.extend(arrivals.iter().map(|a| a.uid));
                    aside.extend(set_aside.iter().map(|(uid, _)| *uid));
                }
                Ok(News::Watching) => return (got, aside, broken),
                Ok(other) => panic!("{other:?}"),
                Err(_) => {
                    suspect = watch.suspect();
                    broken += 1;
                    break;
                }
            }
        }
    }
}

/// A connection that ends by the line, in the middle of an answer to the last of these steps.
fn fails(steps: Vec<(String, String)>, reset: bool) -> Play {
    Box::new(move |s| {
        let script = play(signed_in(s, PLAIN), &steps);
        if reset { script.reset() } else { script.hang() }
    })
}

#[tokio::test]
async fn a_line_that_fails_over_the_same_message_again_and_again_counts_against_it() {
    for reset in [true, false] {
        let cut = "* 1 FETCH (UID 11";
        let range = || fails(vec![examine(3, 13), step("UID FETCH 10:12 ", cut)], reset);
        let asked = || vec![examine(3, 13), step("UID FETCH 10:* (UID)", uids(&[10, 11, 12]))];
        let half = || {
            let mut steps = asked();
            steps.push(step("UID FETCH 10:11 ", cut));
            fails(steps, reset)
        };
        let alone = |mut steps: Vec<_>, first: bool| {
            if first {
                steps.push(step("UID FETCH 10:10 ", headers(&[10])));
            }
            steps.push(step("UID FETCH 11:11 ", cut));
            fails(steps, reset)
        };
        let rest = || vec![examine(3, 13), step("UID FETCH 11:* (UID)", uids(&[11, 12]))];
        let stage = Stage::raw(vec![
            range(),
            range(),
            range(),
            half(),
            alone(asked(), true),
            alone(rest(), false),
            alone(rest(), false),
            Box::new(move |s| {
                let mut steps = rest();
                steps.extend([step("UID FETCH 12:12 ", headers(&[12])), idle("")]);
                play(signed_in(s, PLAIN), &steps).hang()
            }),
        ])
        .await;
        tokio::time::pause();
        let read = read_all(&stage, cursor(7, 10)).await;
        tokio::time::resume();
        assert_eq!(read, (vec![10, 12], vec![11], 7));
    }
}

#[tokio::test]
async fn a_line_that_fails_now_and_then_puts_no_message_under_suspicion() {
    let cut = "* 1 FETCH (UID 10";
    let fails_at = |next, from: &str| fails(vec![examine(next, next + 1), step(from, cut)], true);
    let stage = Stage::raw(vec![
        fails_at(10, "UID FETCH 10:10 "),
        fails_at(11, "UID FETCH 10:11 "),
        Box::new(|s| {
            let steps = [examine(11, 12), step("UID FETCH 10:11 ", headers(&[10, 11])), idle("")];
            play(signed_in(s, PLAIN), &steps).hang()
        }),
    ])
    .await;
    assert_eq!(read_all(&stage, cursor(7, 10)).await, (vec![10, 11], vec![], 2));
}

#[tokio::test]
async fn many_changes_of_flags_do_not_end_the_connection() {
    let stage = Stage::new(NOTIFY, |s| {
        s.expect("EXAMINE \"INBOX\" (QRESYNC (7 5 10:4294967295))")
            .repeat("* 1 FETCH (UID 4 FLAGS (\\Seen) MODSEQ (8000))\r\n", 60_000)
            .send(examined(3, 7, &uidnext(10)))
            .expect("NOTIFY")
            .send(OK)
            .expect("IDLE")
            .send(GO)
            .hang()
    })
    .await;
    let mut watch = stage.inbox(Some(Cursor { uidvalidity: 7, next_uid: 10, modseq: Some(5) })).await;
    assert_eq!(next(&mut watch).await, News::Watching);
}

#[tokio::test]
async fn a_server_that_takes_no_parameters_with_examine_is_asked_without() {
    let steps = vec![
        step("EXAMINE \"INBOX\" (QRESYNC (7 5 10:4294967295))", "{tag} BAD QRESYNC is not enabled\r\n"),
        step("NOTIFY", "{tag} BAD no folder is open\r\n"),
        step("EXAMINE \"INBOX\"", examined(4, 7, &uidnext(11))),
        step("UID FETCH 10:10", headers(&[10])),
        idle(""),
    ];
    let mut stage = Stage::talks(NOTIFY, vec![steps]).await;
    let mut watch = stage.inbox(Some(Cursor { uidvalidity: 7, next_uid: 10, modseq: Some(5) })).await;
    assert_eq!(arrivals(&mut watch).await.0, [10]);
    assert_eq!(next(&mut watch).await, News::Watching);
    drop(watch);
    let said = stage.said().await.tls_text();
    assert!(said.contains("EXAMINE \"INBOX\"\r\n"), "{said}");
}

#[tokio::test]
async fn a_folder_that_was_put_back_from_a_backup_is_read_again() {
    // The UIDVALIDITY is the same, but the folder ends at UID 5 now, below the cursor.
    let steps = vec![
        examine(5, 6),
        step("UID FETCH 10:* (UID)", uids(&[5])),
        step(
            "UID FETCH * (UID INTERNALDATE)",
            format!("* 5 FETCH (UID 5 INTERNALDATE \" 2-Nov-2026 10:00:00 +0100\")\r\n{OK}"),
        ),
        step("UID SEARCH 1:5 SINCE", format!("* SEARCH 4 5\r\n{OK}")),
        step("UID FETCH 4:5", headers(&[4, 5])),
        idle("* 6 EXISTS\r\n"),
        done(),
        step("UID FETCH 6:*", headers(&[6])),
        idle(""),
    ];
    let mut stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut watch = stage.inbox(cursor(7, 10)).await;
    let News::Renumbered { cursor, .. } = next(&mut watch).await else { panic!() };
    assert_eq!((cursor.uidvalidity, cursor.next_uid), (7, 4));
    assert_eq!(arrivals(&mut watch).await.0, [4, 5]);
    assert_eq!(next(&mut watch).await, News::Watching);
    assert_eq!(arrivals(&mut watch).await.0, [6]);
    assert_eq!(next(&mut watch).await, News::Watching);
    drop(watch);
    stage.said().await;
}

#[tokio::test]
async fn a_header_that_is_too_large_is_set_aside_and_the_others_are_read() {
    let large = header(2, 11, &"x".repeat(1024 * 1024));
    let answer = header(1, 10, "s") + &large + &header(3, 12, "s") + OK;
    let steps = vec![examine(3, 13), step("UID FETCH 10:12", answer), idle("")];
    let mut stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut watch = stage.inbox(cursor(7, 10)).await;
    let (read, set_aside, cursor) = arrivals(&mut watch).await;
    assert_eq!((read, set_aside, cursor.next_uid), (vec![10, 12], vec![11], 13));
    assert_eq!(next(&mut watch).await, News::Watching);
    drop(watch);
    stage.said().await;
}
