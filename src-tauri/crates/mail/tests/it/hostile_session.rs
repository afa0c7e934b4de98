//! The rows of the hostile cases that lie or inject inside a session. Each row has a check here; the last line that the
//! test prints says how many hold.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use crate::session_kit::*;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use threadline_core::reason::Reason;
use threadline_mail::error::MailError;
use threadline_mail::folders::watched;
use threadline_mail::session::Place;
use threadline_mail::watch::{Cursor, News, Suspect, Watch};

const AREAS: [&str; 2] = ["imap-lie", "imap-inject"];

type Check = fn() -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// Every check by the row it is for. `h090` is of another area; the part that a session can play of it is here.
fn checks() -> BTreeMap<&'static str, Check> {
    BTreeMap::from([
        ("h047", (|| Box::pin(eof_inside_a_fetch())) as Check),
        ("h049", || Box::pin(lies_about_numbers())),
        ("h050", || Box::pin(answers_about_others())),
        ("h051", || Box::pin(expunge_during_a_fetch())),
        ("h053", || Box::pin(bye_at_every_point())),
        ("h054", || Box::pin(neither_tag_nor_star())),
        ("h055", || Box::pin(hostile_names())),
        ("h090", || Box::pin(poison())),
    ])
}

fn rows() -> Option<Vec<(String, String)>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/data/hostile/cases.jsonl");
    let text = std::fs::read_to_string(path).ok()?;
    let row = |line: &str| -> (String, String) {
        let row: serde_json::Value = serde_json::from_str(line).expect("a row of JSON");
        (
            row["id"].as_str().unwrap_or_default().to_owned(),
            row["area"].as_str().unwrap_or_default().to_owned(),
        )
    };
    Some(text.lines().filter(|l| !l.trim().is_empty()).map(row).collect())
}

#[tokio::test]
async fn every_row_holds() {
    let checks = checks();
    match rows() {
        None => println!(
            "the hostile cases are not here: their rows were skipped, the {} checks run",
            checks.len()
        ),
        Some(rows) => {
            for (id, _) in rows.iter().filter(|(_, area)| AREAS.contains(&area.as_str())) {
                assert!(checks.contains_key(id.as_str()), "row {id} has no check");
            }
            for id in checks.keys() {
                assert!(rows.iter().any(|(row, _)| row == id), "check {id} has no row");
            }
        }
    }
    let mut holds = 0;
    for (id, check) in &checks {
        match tokio::spawn(check()).await {
            Ok(()) => holds += 1,
            Err(error) => println!("{id} does not hold: {error}"),
        }
    }
    println!("{holds} of {} hold", checks.len());
    assert_eq!(holds, checks.len());
}

fn examine(exists: u32, next: &str) -> (String, String) {
    step("EXAMINE \"INBOX\"", examined(exists, 7, next))
}

fn idle() -> (String, String) {
    step("IDLE", GO)
}

async fn eof_inside_a_fetch() {
    let (authority_cut, whole) = (header(2, 11, "second"), headers(&[10, 11]));
    let cut = authority_cut[..authority_cut.len() - 20].to_owned();
    let stage = Stage::raw(vec![
        Box::new(move |s| {
            let steps = [examine(2, &uidnext(12)), step("UID FETCH 10:11", header(1, 10, "first") + &cut)];
            play(signed_in(s, PLAIN), &steps).close()
        }),
        Box::new(move |s| {
            let steps = [examine(2, &uidnext(12)), step("UID FETCH 10:11", whole), idle()];
            play(signed_in(s, PLAIN), &steps).hang()
        }),
    ])
    .await;
    let mut watch = stage.inbox(cursor(7, 10)).await;
    let error = try_next(&mut watch).await.unwrap_err();
    assert_eq!(error.reason, Reason::ServerClosedConnection);
    drop(watch);
    // Nothing was handed out, so the cursor is where it was, and all of it comes again.
    let mut watch = stage.inbox(cursor(7, 10)).await;
    assert_eq!(arrivals(&mut watch).await.0, [10, 11]);
}

async fn lies_about_numbers() {
    // Two messages are new, 10 and 11, whatever UIDNEXT says.
    let asks =
        || vec![step("UID FETCH 10:* (UID)", uids(&[10, 11])), step("UID FETCH 10:11", headers(&[10, 11]))];
    for (claim, fetches) in [
        (String::new(), vec![step("UID FETCH 10:*", headers(&[9, 10, 11]))]),
        (uidnext(1), asks()),
        (uidnext(5), asks()),
        (uidnext(4_294_967_295), asks()),
        (uidnext(100_000), asks()),
        (uidnext(99), vec![step("UID FETCH 10:98", headers(&[10, 11]))]),
    ] {
        let mut steps = vec![examine(12, &claim)];
        steps.extend(fetches);
        steps.push(idle());
        let mut stage = Stage::talks(PLAIN, vec![steps]).await;
        let mut watch = stage.inbox(cursor(7, 10)).await;
        let (uids, _, cursor) = arrivals(&mut watch).await;
        assert_eq!((uids, cursor.next_uid), (vec![10, 11], 12), "{claim}");
        assert_eq!(next(&mut watch).await, News::Watching, "{claim}");
        drop(watch);
        stage.said().await;
    }
    // Nothing is new: the last message, which `*` always names, is not new; and it is asked once, not for ever.
    for (claim, fetches) in [
        (String::new(), vec![step("UID FETCH 10:*", headers(&[9]))]),
        (uidnext(10), vec![]),
        (uidnext(3), vec![step("UID FETCH 10:* (UID)", uids(&[9]))]),
        (uidnext(4_294_967_295), vec![step("UID FETCH 10:* (UID)", uids(&[9]))]),
    ] {
        let mut steps = vec![examine(9, &claim)];
        steps.extend(fetches);
        steps.push(idle());
        let mut stage = Stage::talks(PLAIN, vec![steps]).await;
        let mut watch = stage.inbox(cursor(7, 10)).await;
        assert_eq!(next(&mut watch).await, News::Watching, "{claim}");
        drop(watch);
        stage.said().await;
    }
    first_contact().await;
    for validity in ["* OK [UIDVALIDITY 0] x\r\n", ""] {
        let answer = format!("* 1 EXISTS\r\n{validity}{{tag}} OK opened\r\n");
        let stage = Stage::talks(PLAIN, vec![vec![step("EXAMINE", answer)]]).await;
        let error = try_next(&mut stage.inbox(cursor(7, 10)).await).await.unwrap_err();
        assert_eq!(error.reason, Reason::ProtocolError);
    }
}

/// Where the folder ends, when it is seen for the first time.
async fn first_contact() {
    for (exists, claim, last, want) in [
        (3, String::new(), uids(&[7]), 8),
        (3, uidnext(8), uids(&[7]), 8),
        (3, uidnext(1), uids(&[7]), 8),
        (3, uidnext(4_294_967_295), uids(&[7]), 8),
        (3, uidnext(8), uids(&[4_294_967_295]), 8),
        (3, uidnext(8), "{tag} NO not now\r\n".to_owned(), 8),
        // A message came between the two commands: it is new.
        (3, uidnext(8), uids(&[8]), 8),
        (0, uidnext(900), "{tag} BAD no such message\r\n".to_owned(), 1),
    ] {
        let steps = vec![examine(exists, &claim), step("UID FETCH * (UID)", last), idle()];
        let stage = Stage::talks(PLAIN, vec![steps]).await;
        let mut watch = stage.inbox(None).await;
        let News::Baseline { target: 0, cursor } = next(&mut watch).await else { panic!("{claim}") };
        assert_eq!((cursor.uidvalidity, cursor.next_uid), (7, want), "{claim}");
        assert_eq!(next(&mut watch).await, News::Watching);
    }
    let steps = vec![examine(3, ""), step("UID FETCH * (UID)", OK)];
    let stage = Stage::talks(PLAIN, vec![steps]).await;
    let error = try_next(&mut stage.inbox(None).await).await.unwrap_err();
    assert_eq!(error.reason, Reason::ProtocolError);
}

async fn answers_about_others() {
    let foreign = header(3, 999, "foreign")
        + &header(4, 0, "zero")
        + &header(1, 9, "old")
        + &header(5, 10, "nameless").replace("UID 10 ", "")
        + "* 2 FETCH (FLAGS (\\Seen))\r\n"
        + &header(2, 10, "mine")
        + &header(2, 10, "mine again")
        + OK;
    let steps = vec![
        examine(2, &uidnext(11)),
        step("UID FETCH 10:10", foreign.clone()),
        step("UID FETCH 10:* (UID)", uids(&[10])),
        step("UID FETCH 10:10", foreign),
        idle(),
    ];
    let mut stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut watch = stage.inbox(cursor(7, 10)).await;
    let News::Arrivals { arrivals, cursor, set_aside, .. } = next(&mut watch).await else { panic!() };
    assert_eq!(arrivals.len(), 1);
    assert_eq!((arrivals[0].uid, arrivals[0].envelope.subject.as_str()), (10, "mine"));
    assert_eq!((cursor.next_uid, set_aside.len()), (11, 0));
    assert_eq!(next(&mut watch).await, News::Watching);
    drop(watch);
    stage.said().await;

    // A body of another message is not taken for the one that was asked for.
    let other = "* 3 FETCH (UID 999 BODY[] {5}\r\nother)\r\n{tag} OK done\r\n";
    let steps = vec![examine(3, &uidnext(11)), step("UID FETCH 10 ", other)];
    let stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut session = stage.open().await.unwrap();
    let inbox = threadline_mail::session::Folder::inbox();
    let found = session.fetch_body(&inbox, Place { uidvalidity: 7, uid: 10 }, 99).await.unwrap();
    assert_eq!(found, Err(threadline_mail::session::Gone::Expunged));
}

async fn expunge_during_a_fetch() {
    let answers =
        header(2, 10, "a") + "* 1 EXPUNGE\r\n* VANISHED 3\r\n" + &header(2, 11, "b") + "* 3 EXISTS\r\n" + OK;
    let steps = vec![
        examine(3, &uidnext(12)),
        step("UID FETCH 10:11", answers),
        step("UID FETCH 12:*", headers(&[12])),
        idle(),
    ];
    let mut stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut watch = stage.inbox(cursor(7, 10)).await;
    assert_eq!(arrivals(&mut watch).await.0, [10, 11]);
    assert_eq!(arrivals(&mut watch).await.0, [12]);
    assert_eq!(next(&mut watch).await, News::Watching);
    drop(watch);
    let said = stage.said().await.tls_text();
    assert!(said.lines().all(|line| !line.contains(" FETCH ") || line.contains(" UID FETCH ")), "{said}");
}

/// What a client does with news until the connection fails: the UIDs it was given, and where it would go on.
async fn read_all(stage: &Stage, from: Cursor) -> (Vec<u32>, Cursor, Option<MailError>) {
    let (mut uids, mut cursor) = (Vec::new(), from);
    let session = match stage.open().await {
        Ok(session) => session,
        Err(error) => return (uids, cursor, Some(error)),
    };
    let mut watch = Watch::new(session, vec![inbox(Some(from))]);
    loop {
        match try_next(&mut watch).await {
            Ok(News::Arrivals { arrivals, cursor: now, .. }) => {
                uids.extend(arrivals.iter().map(|a| a.uid));
                cursor = now;
                if uids.last() == Some(&12) {
                    return (uids, cursor, None);
                }
            }
            Ok(_) => {}
            Err(error) => return (uids, cursor, Some(error)),
        }
    }
}

async fn bye_at_every_point() {
    let start = vec![
        step("AUTHENTICATE", format!("{{tag}} OK [CAPABILITY {PLAIN}] in\r\n")),
        examine(2, &uidnext(12)),
        step("UID FETCH 10:11", headers(&[10, 11])),
        step("IDLE", format!("{GO}* 3 EXISTS\r\n")),
        step("DONE", ""),
        step("UID FETCH 12:*", headers(&[12])),
    ];
    let greeting = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n";
    for at in 0..start.len() {
        for (end, reset) in [("* BYE Connection closed. 14\r\n", false), ("", false), ("", true)] {
            for instead in [true, false] {
                // The end comes instead of an answer, or behind its first half.
                let before = start[..at].to_vec();
                let (expect, answer) = start[at].clone();
                let half = if instead { String::new() } else { first_half(&answer) };
                let steps = before.into_iter().chain([(expect, half + end)]).collect::<Vec<_>>();
                let whole = start.clone();
                let stage = Stage::raw(vec![
                    Box::new(move |s| {
                        let script = play(s.send(greeting), &steps);
                        if reset { script.reset() } else { script.close() }
                    }),
                    Box::new(move |s| {
                        let rest =
                            [examine(3, &uidnext(13)), step("UID FETCH 10:12", headers(&[10, 11, 12]))];
                        let after = [examine(3, &uidnext(13)), step("UID FETCH 12:12", headers(&[12]))];
                        let rest = if at > 2 { after } else { rest };
                        play(play(s.send(greeting), &whole[..1]), &rest).hang()
                    }),
                ])
                .await;
                let from = cursor(7, 10).unwrap();
                let (mut got, cursor, error) = read_all(&stage, from).await;
                let error = error.expect("the connection was cut");
                assert!(error.is_transient(), "at {at}: {error}");
                if !end.is_empty() && (instead || answer.ends_with("\r\n")) {
                    assert!(error.evidence.words.contains("Connection closed. 14"), "at {at}: {error}");
                }
                let (again, _, error) = read_all(&stage, cursor).await;
                assert_eq!(error, None, "at {at}");
                got.extend(again);
                assert_eq!(got, [10, 11, 12], "at {at}");
            }
        }
    }
}

/// Whole responses up to the middle; a cut inside one is another row.
fn first_half(answer: &str) -> String {
    match answer.split_once(")\r\n") {
        Some((first, _)) => format!("{first})\r\n"),
        None if answer.starts_with("* ") => answer.split_inclusive("\r\n").take(2).collect(),
        None => String::new(),
    }
}

async fn neither_tag_nor_star() {
    let line = "Server Unavailable. 15\r\n";
    for steps in [
        vec![step("EXAMINE", line)],
        vec![examine(2, &uidnext(12)), step("UID FETCH", line)],
        vec![examine(2, &uidnext(10)), step("IDLE", format!("{GO}{line}"))],
    ] {
        let stage = Stage::talks(PLAIN, vec![steps]).await;
        let mut watch = stage.inbox(cursor(7, 10)).await;
        let error = loop {
            match try_next(&mut watch).await {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.reason, Reason::ServerUnavailable);
    }
}

async fn hostile_names() {
    let long = "n".repeat(4_096);
    let mut list = String::from("* LIST () \"/\" {14}\r\nA\r\nx LOGOUT\r\nB\r\n");
    for name in ["a\\\"b\\\\c", "&AAo-x", "&-&", "&unterminated", "Se\u{202e}nt", long.as_str(), "INBOX"] {
        list.push_str(&format!("* LIST () \"/\" \"{name}\"\r\n"));
    }
    list.push_str("* LIST () \"/\" {3}\r\nN\0L\r\n");
    let steps = vec![
        step("LIST", list + OK),
        step("EXAMINE \"a\\\"b\\\\c\"", examined(0, 7, "")),
        step("EXAMINE \"&AAo-x\"", examined(0, 7, "")),
        step("EXAMINE \"&-&\"", examined(0, 7, "")),
        step("EXAMINE \"&unterminated\"", examined(0, 7, "")),
        step("EXAMINE \"Se\u{202e}nt\"", examined(0, 7, "")),
        step(&format!("EXAMINE \"{long}\""), examined(0, 7, "")),
        step("EXAMINE \"INBOX\"", examined(0, 7, "")),
        step("LOGOUT", "* BYE\r\n{tag} OK\r\n"),
    ];
    let mut stage = Stage::talks(PLAIN, vec![steps]).await;
    let mut session = stage.open().await.unwrap();
    let folders = session.folders().await.unwrap();
    let names: Vec<&str> = folders.iter().map(|f| f.name.as_str()).collect();
    let shown =
        ["A\\u{d}\\u{a}x LOGOUT\\u{d}\\u{a}B", "a\"b\\c", "\\u{a}x", "&-&", "&unterminated", "Se\\u{202e}nt"];
    assert_eq!(names[..6], shown);
    assert!(names.iter().all(|n| !n.contains(char::is_control) && n.len() <= 500));
    assert!(!folders[0].selectable && watched(&folders, false, None).sent.is_empty());
    let place = Place { uidvalidity: 8, uid: 1 };
    for (at, folder) in folders.iter().enumerate() {
        let read = session.fetch_body(folder, place, 10).await;
        let breaks = at == 0 || folder.name.contains("\\u{0}");
        assert_eq!(read.is_err(), breaks, "{}", folder.name);
    }
    session.logout().await;
    let said = stage.said().await.tls_text();
    assert!(!said.contains("x LOGOUT") && said.matches("LOGOUT").count() == 1, "{said}");
}

/// Message 3 of 1 to 4 has an answer that breaks the connection each time. It is cornered and set aside; all others come.
async fn poison() {
    for bad in [
        // The library cannot read it, and says so by repeating it.
        "* 3 FETCH UID 3 secret\r\n",
        // The library panics over it.
        "* 3 FETCH (UID 3 INTERNALDATE NIL RFC822.SIZE 5)\r\n",
        // The guard ends it.
        "* 3 FETCH (UID 3 BODY[HEADER] {99999999999}\r\n",
        "* BYE secret\r\n",
    ] {
        let all = examine(4, &uidnext(5));
        let talks = vec![
            vec![all.clone(), step("UID FETCH 1:4", header(1, 1, "s") + bad)],
            vec![
                all.clone(),
                step("UID FETCH 1:* (UID)", uids(&[1, 2, 3, 4])),
                step("UID FETCH 1:2 ", headers(&[1, 2])),
                step("UID FETCH 3:3 ", bad),
            ],
            vec![all.clone(), step("UID FETCH 3:* (UID)", uids(&[3, 4])), step("UID FETCH 3:3 ", bad)],
            vec![all.clone(), step("UID FETCH 3:* (UID)", uids(&[3, 4])), step("UID FETCH 3:3 ", bad)],
            vec![
                all,
                step("UID FETCH 3:* (UID)", uids(&[3, 4])),
                step("UID FETCH 4:4 ", headers(&[4])),
                idle(),
            ],
        ];
        let stage = Stage::talks(PLAIN, talks).await;
        let (mut at, mut suspect, mut last) = (cursor(7, 1), None, None::<Suspect>);
        let (mut got, mut aside, mut broken) = (vec![], vec![], 0);
        'connections: loop {
            let mut watch = stage.inbox(at).await.wary(suspect.take());
            loop {
                match try_next(&mut watch).await {
                    Ok(News::Arrivals { cursor, arrivals, set_aside, .. }) => {
                        at = Some(cursor);
                        got.extend(arrivals.iter().map(|a| a.uid));
                        aside.extend(set_aside);
                    }
                    Ok(News::Watching) => break 'connections,
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => {
                        assert!(bad.contains("BYE") || !format!("{error:?} {error}").contains("secret"));
                        let now = watch.suspect();
                        let nearer = now.as_ref().zip(last.as_ref()).is_none_or(|(n, l)| n.is_nearer_than(l));
                        assert!(nearer, "{now:?} after {last:?}");
                        assert!(now.as_ref().is_none_or(|n| !n.is_nearer_than(n)));
                        last = now.clone();
                        suspect = now;
                        broken += 1;
                        break;
                    }
                }
            }
        }
        assert_eq!((&got[..], aside.len(), aside[0].0, broken), (&[1, 2, 4][..], 1, 3, 4), "{bad}");
        assert_eq!(at.unwrap().next_uid, 5);
    }
}
