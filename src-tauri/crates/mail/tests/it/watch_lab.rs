//! Watching folders of a real Dovecot.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use crate::session_kit::*;
use threadline_core::arrival::Role;
use threadline_core::reason::Reason;
use threadline_mail::folders::{Why, watched};
use threadline_mail::login::Credential;
use threadline_mail::session::Place;
use threadline_mail::watch::{Cursor, News, Target, Watch};
use threadline_testkit::lab::Lab;

const ALICE: &str = "alice@lab.test";

/// INBOX and every Sent folder, as the engine watches them.
async fn watch(lab: &Lab, cursors: [Option<Cursor>; 2]) -> Watch {
    let mut session = lab_session(lab).await;
    let folders = session.folders().await.unwrap();
    let watched = watched(&folders, session.capabilities().is_gmail(), None);
    assert_eq!(watched.sent.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["Sent"]);
    assert_eq!(watched.why, [Why::SpecialUse]);
    let target = |folder, role, cursor| Target { folder, role, cursor };
    let sent = watched.sent.into_iter().next().unwrap();
    Watch::new(
        session,
        vec![target(watched.inbox, Role::Inbox, cursors[0]), target(sent, Role::Sent, cursors[1])],
    )
}

async fn baselines(watch: &mut Watch) -> [Cursor; 2] {
    let mut cursors = [None; 2];
    for _ in 0..2 {
        match next(watch).await {
            News::Baseline { target, cursor } => cursors[target] = Some(cursor),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(next(watch).await, News::Watching);
    cursors.map(Option::unwrap)
}

#[tokio::test]
async fn notify_reports_both_folders_and_bodies_are_fetched_only_when_asked() {
    let lab = Lab::start().unwrap();
    lab.append(ALICE, "INBOX", &mail(1)).unwrap();
    lab.append_with(ALICE, "Sent", "\\Seen", &mail(2)).unwrap();
    let mut watch = watch(&lab, [None, None]).await;
    let cursors = baselines(&mut watch).await;
    assert_eq!(watch.covers(), 2);
    assert_eq!(cursors.map(|c| c.next_uid), [2, 2]);
    let turns = lab.rawlog(ALICE).unwrap().last().unwrap().turns();
    assert!(turns <= 8, "{turns} round trips");

    lab.deliver(ALICE, &mail(3)).unwrap();
    let (uids, aside, cursor) = arrivals(&mut watch).await;
    assert_eq!((uids, aside, cursor.next_uid), (vec![2], vec![], 3));
    assert_eq!(next(&mut watch).await, News::Watching);

    lab.append_with(ALICE, "Sent", "$CrmLog", &mail(4)).unwrap();
    let News::Arrivals { target, arrivals: found, cursor, .. } = next(&mut watch).await else { panic!() };
    assert_eq!((target, found[0].uid, cursor.next_uid), (1, 2, 3));
    assert!(found[0].has_flag("$crmlog"));
    assert_eq!(found[0].envelope.ids[0].as_str(), "n4@customer1.example");
    assert_eq!(next(&mut watch).await, News::Watching);

    let raw = lab.rawlog(ALICE).unwrap().pop().unwrap();
    assert!(!raw.answered().contains("Secret text") && !raw.answered().contains("X-Private"));
    assert!(raw.asked().contains("NOTIFY SET"));

    let folder = watched(&watch.session().folders().await.unwrap(), false, None).sent.remove(0);
    let place = Place { uidvalidity: cursor.uidvalidity, uid: 2 };
    let body = watch.session().fetch_body(&folder, place, 1_000_000).await.unwrap().unwrap();
    assert!(body.raw.ends_with(b"Secret text 4.\r\n") && !body.truncated);
    let cut = watch.session().fetch_body(&folder, place, 10).await.unwrap().unwrap();
    assert_eq!((&cut.raw[..], cut.truncated), (&b"From: Caro"[..], true));
    let again = watch.session().fetch_header(&folder, place).await.unwrap().unwrap();
    assert_eq!(again, found[0]);

    lab.deliver(ALICE, &mail(5)).unwrap();
    assert_eq!(arrivals(&mut watch).await.0, [3]);

    let asked = lab.rawlog(ALICE).unwrap().pop().unwrap().asked();
    let bodies = asked.lines().filter(|l| l.contains("BODY.PEEK[]")).count();
    assert_eq!(bodies, 2);
    for forbidden in [" SELECT", " STORE", " BODY[", "RFC822.TEXT"] {
        assert!(!asked.contains(forbidden), "{forbidden}");
    }
    assert!(lab.flags(ALICE, "INBOX").unwrap().iter().all(|(_, flags)| flags.is_empty()));
    assert_eq!(lab.flags(ALICE, "Sent").unwrap()[0].1, ["\\Seen"]);
    assert_eq!(lab.flags(ALICE, "Sent").unwrap()[1].1, ["$CrmLog"]);
}

#[tokio::test]
async fn idle_reports_the_first_folder_and_the_waker_ends_the_wait() {
    let lab = Lab::builder().caps("IMAP4rev1 SASL-IR IDLE SPECIAL-USE LIST-EXTENDED").start().unwrap();
    let mut watch = watch(&lab, [None, None]).await;
    baselines(&mut watch).await;
    assert_eq!(watch.covers(), 1);
    for n in 1..=3 {
        lab.deliver(ALICE, &mail(n)).unwrap();
        assert_eq!(arrivals(&mut watch).await.0, [n]);
        assert_eq!(next(&mut watch).await, News::Watching);
    }
    watch.waker().wake();
    assert_eq!(next(&mut watch).await, News::Woken);
    let waker = watch.waker();
    let (news, ()) = tokio::join!(next(&mut watch), async { waker.wake() });
    assert_eq!(news, News::Woken);
    lab.deliver(ALICE, &mail(4)).unwrap();
    assert_eq!(arrivals(&mut watch).await.0, [4]);
    let asked = lab.rawlog(ALICE).unwrap().pop().unwrap().asked();
    assert!(asked.contains("IDLE") && asked.contains("DONE") && !asked.contains("NOTIFY"));
}

#[tokio::test]
async fn what_came_while_nobody_watched_is_read_in_batches() {
    let lab = Lab::start().unwrap();
    let mut first = watch(&lab, [None, None]).await;
    let [inbox, sent] = baselines(&mut first).await;
    first.into_session().logout().await;
    lab.seed(ALICE, 1_234).unwrap();
    let validity = |folder| lab.uidvalidity(ALICE, folder).unwrap();
    let from = |c: Cursor, folder| Some(Cursor { uidvalidity: validity(folder), next_uid: 1, ..c });
    let mut last = [from(inbox, "INBOX"), from(sent, "Sent")];
    let mut watch = watch(&lab, last).await;
    let mut seen = [vec![], vec![]];
    loop {
        match try_next(&mut watch).await {
            Ok(News::Arrivals { target, cursor, arrivals, set_aside }) => {
                assert!(arrivals.len() <= 500 && set_aside.is_empty());
                seen[target].extend(arrivals.iter().map(|a| a.uid));
                last[target] = Some(cursor);
                assert_eq!(cursor.next_uid, arrivals.last().unwrap().uid + 1);
            }
            Ok(News::Watching) => break,
            Ok(other) => panic!("{other:?}"),
            // Dovecot rebuilds the index of a mailbox that was put in its place, and ends the session over it.
            Err(error) if [Reason::ServerUnavailable, Reason::SessionExpired].contains(&error.reason) => {
                watch = self::watch(&lab, last).await.wary(watch.suspect());
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(seen[0], lab.uids(ALICE, "INBOX").unwrap());
    assert_eq!(seen[1], lab.uids(ALICE, "Sent").unwrap());
    for (at, folder) in ["INBOX", "Sent"].into_iter().enumerate() {
        lab.append(ALICE, folder, &mail(1)).unwrap();
        last[at] = Some(arrivals(&mut watch).await.2);
        assert_eq!(next(&mut watch).await, News::Watching);
    }
    watch.into_session().logout().await;

    let mut watch = self::watch(&lab, last).await;
    assert_eq!(next(&mut watch).await, News::Watching);
    let raw = lab.rawlog(ALICE).unwrap().pop().unwrap();
    assert!(raw.turns() <= 5, "{}", raw.asked());
    assert!(raw.output.len() < 4_000, "{} bytes to learn that nothing is new", raw.output.len());
}

#[tokio::test]
async fn another_uidvalidity_is_read_again_from_the_last_seen_day_on() {
    let lab = Lab::start().unwrap();
    for n in 1..=3 {
        lab.append(ALICE, "INBOX", &mail(n)).unwrap();
    }
    let mut first = watch(&lab, [None, None]).await;
    let cursors = baselines(&mut first).await;
    lab.set_uidvalidity(ALICE, "INBOX", 4_711).unwrap();
    let error = loop {
        match try_next(&mut first).await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.reason, Reason::ServerUnavailable, "{error}");

    let mut watch =
        watch(&lab, cursors.map(Some)).await.last_seen(0, "2020-01-01T00:00:00Z".parse().unwrap());
    let News::Renumbered { target: 0, cursor } = next(&mut watch).await else { panic!() };
    assert_eq!(cursor.uidvalidity, 4_711);
    let (uids, _, cursor) = arrivals(&mut watch).await;
    assert_eq!(uids, lab.uids(ALICE, "INBOX").unwrap());
    assert_eq!(cursor.next_uid, uids.last().unwrap() + 1);
    assert_eq!(next(&mut watch).await, News::Watching);

    let gone = Place { uidvalidity: cursors[0].uidvalidity, uid: 1 };
    let inbox = threadline_mail::session::Folder::inbox();
    let found = watch.session().fetch_body(&inbox, gone, 10).await.unwrap();
    assert_eq!(found, Err(threadline_mail::session::Gone::Renumbered));
    let gone = Place { uidvalidity: 4_711, uid: 9_999 };
    let found = watch.session().fetch_body(&inbox, gone, 10).await.unwrap();
    assert_eq!(found, Err(threadline_mail::session::Gone::Expunged));
}

#[tokio::test]
async fn what_was_removed_long_ago_is_not_repeated_at_each_connection() {
    let lab = Lab::start().unwrap();
    for n in 1..=9 {
        lab.append(ALICE, "INBOX", &mail(n)).unwrap();
    }
    let mut first = watch(&lab, [None, None]).await;
    let cursors = baselines(&mut first).await;
    assert!(cursors[0].modseq.is_some());
    first.into_session().logout().await;
    lab.expunge(ALICE, "INBOX", &[2, 4, 6, 8]).unwrap();
    lab.append(ALICE, "INBOX", &mail(10)).unwrap();
    let mut watch = watch(&lab, cursors.map(Some)).await;
    assert_eq!(arrivals(&mut watch).await.0, [10]);
    assert_eq!(next(&mut watch).await, News::Watching);
    let raw = lab.rawlog(ALICE).unwrap().pop().unwrap();
    assert!(raw.asked().contains("(QRESYNC ("), "{}", raw.asked());
    assert!(!raw.answered().contains("VANISHED"), "{}", raw.answered());
}

#[tokio::test]
async fn a_restart_is_an_error_with_a_reason_and_nothing_is_missed() {
    let lab = Lab::start().unwrap();
    let mut first = watch(&lab, [None, None]).await;
    let cursors = baselines(&mut first).await;
    lab.stop_imap();
    let error = try_next(&mut first).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    lab.start_imap().unwrap();
    lab.deliver(ALICE, &mail(1)).unwrap();
    lab.append(ALICE, "Sent", &mail(2)).unwrap();
    let mut watch = watch(&lab, cursors.map(Some)).await;
    let mut got = vec![];
    while let News::Arrivals { target, arrivals, .. } = next(&mut watch).await {
        got.push((target, arrivals[0].uid));
    }
    got.sort_unstable();
    assert_eq!(got, [(0, 1), (1, 1)]);
}

#[tokio::test]
async fn a_wrong_password_says_so() {
    let lab = Lab::start().unwrap();
    let mut login = login();
    login.credential = Credential::Password("wrong pässword".to_owned().into());
    let error = threadline_mail::session::Session::open(&lab_server(&lab), &login, &Default::default())
        .await
        .unwrap_err();
    assert_eq!(error.reason, Reason::CredentialsRejected);
    assert!(!format!("{error:?}{login:?}").contains("pässword"));
}

#[tokio::test]
async fn starttls_leads_to_the_same_session() {
    let lab = Lab::start().unwrap();
    lab.append(ALICE, "Sent", &mail(1)).unwrap();
    let mut server = lab_server(&lab);
    (server.port, server.security) = (lab.imap_port(), threadline_mail::connect::Security::StartTls);
    let mut session =
        threadline_mail::session::Session::open(&server, &login(), &Default::default()).await.unwrap();
    assert!(session.capabilities().has_notify());
    assert_eq!(watched(&session.folders().await.unwrap(), false, None).sent.len(), 1);
    session.logout().await;
}
