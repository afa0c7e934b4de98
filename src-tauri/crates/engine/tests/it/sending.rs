//! Mails that go out, against servers that answer as they like and break off where they like.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use crate::sending_kit::*;
use std::time::Duration;
use threadline_core::address::{Address, Mailbox};
use threadline_core::health::{Channel, State};
use threadline_core::reason::Reason;
use threadline_core::rule::Rule;
use threadline_core::template::Template;
use threadline_engine::writing::{CopyWish, Draft, File, SendState};
use threadline_store::send::{Copy, CopyRule};
use threadline_testkit::script::Script;

#[tokio::test]
async fn a_mail_is_sent_and_logged_at_once() {
    let mut bench = Bench::new(&[|s| takes(hello(s)).expect("QUIT").send("221 bye\r\n")], &[never]).await;
    let line = bench.send(&bench.draft(&["carl@client.example"])).await;
    assert_eq!(
        (line.state, line.copy, line.copy_rule),
        (SendState::Sent, Some(Copy::None), Some(CopyRule::Unwanted))
    );
    assert_eq!(line.words.as_deref(), Some("250 2.0.0 queued"));
    let said = bench.said().await;
    assert!(said.contains(&format!("Message-ID: <{}>\r\n", line.message_id)), "{said}");
    assert!(said.contains("\r\n\r\nDear all,\r\n..\r\nregards\r\n.\r\n"), "{said}");
    let logged = bench.logged().await;
    assert_eq!(logged.len(), 1);
    assert_eq!((Some(logged[0].id), logged[0].rule), (line.message, Rule::SentByThreadline));
    let id = logged[0].id;
    let rows = bench.engine.ledger().read(move |tx| threadline_store::outbox::of_message(tx, id)).await;
    assert_eq!(rows.unwrap().len(), 1, "it waits for the one CRM there is");
    let health = bench
        .engine
        .ledger()
        .read(|tx| threadline_store::health::present(tx, &threadline_store::health::Owner::Account(1)));
    let health = health.await.unwrap();
    assert!(health.iter().any(|h| h.channel == Channel::Smtp && h.state == State::Connected), "{health:?}");
    // Nothing of it is sent a second time.
    assert_eq!(bench.engine.send_due(line.id).await.unwrap().state, SendState::Sent);
    assert_eq!(bench.smtp.accepted(), 1);
}

#[tokio::test]
async fn a_mail_for_nobody_is_refused_and_goes_when_the_person_says_so() {
    let mut bench = Bench::new(
        &[
            |s| {
                let s = hello(s).expect("MAIL").send("250 ok\r\n").expect("RCPT");
                s.send("550 5.7.1 not allowed\r\n")
                    .expect("RSET")
                    .send("250 ok\r\n")
                    .expect("QUIT")
                    .send("221\r\n")
            },
            |s| takes(hello(s)).expect("QUIT").send("221\r\n"),
        ],
        &[never],
    )
    .await;
    let line = bench.send(&bench.draft(&["carl@client.example"])).await;
    assert_eq!(line.state, SendState::Refused);
    assert!(line.words.as_deref().unwrap().contains("550 5.7.1 not allowed"), "{line:?}");
    bench.said().await;
    bench.engine.retry_send(line.id).await.unwrap();
    let again = bench.engine.send_due(line.id).await.unwrap();
    assert_eq!((again.state, again.refused.len()), (SendState::Sent, 0));
    assert_eq!(again.message_id, line.message_id);
    assert!(bench.said().await.contains(&line.message_id));
}

#[tokio::test]
async fn what_comes_later_is_tried_later() {
    let mut bench = Bench::new(
        &[
            |s| {
                hello(s)
                    .expect("MAIL")
                    .send("451 4.7.1 greylisted\r\n")
                    .expect("RSET")
                    .send("250\r\n")
                    .expect("QUIT")
                    .send("221\r\n")
            },
            |s| {
                let s = hello(s).expect("MAIL").send("250\r\n").expect("RCPT").send("452 4.2.2 full\r\n");
                s.expect("RSET").send("250\r\n").expect("QUIT").send("221\r\n")
            },
            |s| {
                text(begun(hello(s)))
                    .send("451 4.3.0 not now\r\n")
                    .expect("RSET")
                    .send("250\r\n")
                    .expect("QUIT")
                    .send("221\r\n")
            },
            |s| takes(hello(s)).expect("QUIT").send("221\r\n"),
        ],
        &[never],
    )
    .await;
    let mut line = bench.send(&bench.draft(&["carl@client.example"])).await;
    for words in ["451 4.7.1 greylisted", "452 4.2.2 full", "451 4.3.0 not now"] {
        assert_eq!((line.state, line.words.as_deref()), (SendState::Waiting, Some(words)));
        assert!(line.due > bench.now());
        bench.said().await;
        bench.clock.advance(Duration::from_secs(3 * 3600));
        line = bench.engine.send_due(line.id).await.unwrap();
    }
    assert_eq!(line.state, SendState::Sent);
    bench.said().await;
}

#[tokio::test]
async fn what_breaks_before_the_end_waits_and_what_breaks_after_it_is_unknown() {
    // The search for it finds nothing.
    let imap: Play = |s| {
        s.send("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n")
            .expect("AUTHENTICATE")
            .send("{tag} OK [CAPABILITY IMAP4rev1] in\r\n")
            .expect("LIST")
            .send("* LIST (\\Sent) \"/\" Sent\r\n{tag} OK\r\n")
            .expect("EXAMINE \"Sent\"")
            .send("* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n{tag} OK\r\n")
            .expect("UID SEARCH 1:* OR HEADER Message-ID")
            .send("* SEARCH\r\n{tag} OK\r\n")
            .expect("LOGOUT")
            .send("{tag} OK\r\n")
    };
    let found: Play = |s| {
        s.send("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n")
            .expect("AUTHENTICATE")
            .send("{tag} OK [CAPABILITY IMAP4rev1] in\r\n")
            .expect("LIST")
            .send("* LIST (\\Sent) \"/\" Sent\r\n{tag} OK\r\n")
            .expect("EXAMINE \"Sent\"")
            .send("* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n{tag} OK\r\n")
            .expect("UID SEARCH")
            .send("* SEARCH 4\r\n{tag} OK\r\n")
            .expect("LOGOUT")
            .send("{tag} OK\r\n")
    };
    let mut bench = Bench::new(
        &[
            |s| hello(s).expect("MAIL").send("250\r\n").expect("RCPT").send("250\r\n").expect("DATA").close(),
            |s| text(begun(hello(s))).close(),
        ],
        &[imap, found],
    )
    .await;
    let line = bench.send(&bench.draft(&["carl@client.example"])).await;
    assert_eq!(line.state, SendState::Waiting, "{line:?}");
    bench.said().await;
    bench.clock.advance(Duration::from_secs(3600));
    let line = bench.engine.send_due(line.id).await.unwrap();
    assert_eq!(line.state, SendState::Unknown, "{line:?}");
    bench.said().await;
    assert!(bench.logged().await.is_empty());
    // Whatever the time, it is not sent again but looked for.
    for want in [SendState::Unknown, SendState::Sent] {
        bench.clock.advance(Duration::from_secs(24 * 3600));
        let line = bench.engine.send_due(line.id).await.unwrap();
        assert_eq!(line.state, want, "{line:?}");
    }
    assert_eq!((bench.smtp.accepted(), bench.imap.accepted()), (2, 2));
    assert_eq!(bench.logged().await.len(), 1);
    let error = bench.engine.undo_send(line.id).await.unwrap_err();
    assert_eq!(error.code(), "too_late");
}

#[tokio::test]
async fn the_persons_word_settles_what_is_unknown() {
    let lost: Play = |s| text(begun(hello(s))).close();
    let again: Play = |s| takes(hello(s)).expect("QUIT").send("221\r\n");
    for confirm in [true, false] {
        let mut bench = Bench::new(&[lost, again], &[never]).await;
        let line = bench.send(&bench.draft(&["carl@client.example"])).await;
        assert_eq!(line.state, SendState::Unknown);
        bench.said().await;
        if confirm {
            bench.engine.confirm_sent(line.id).await.unwrap();
            assert_eq!(bench.engine.sending(line.id).await.unwrap().state, SendState::Sent);
        } else {
            bench.engine.retry_send(line.id).await.unwrap();
            let line = bench.engine.send_due(line.id).await.unwrap();
            assert_eq!(line.state, SendState::Sent, "{:?}", line.words);
        }
        assert_eq!(bench.logged().await.len(), 1);
        assert_eq!(bench.smtp.accepted(), if confirm { 1 } else { 2 });
        assert_eq!(bench.engine.confirm_sent(line.id).await.unwrap_err().code(), "nothing_to_try");
    }
}

#[tokio::test]
async fn a_mail_can_be_taken_back_until_it_goes() {
    let bench = Bench::new(&[never], &[never]).await;
    let draft = Draft { at: None, ..bench.draft(&["carl@client.example"]) };
    let line = bench.engine.send(&bench.ann, &draft).await.unwrap();
    assert_eq!(line.due, bench.now() + jiff::SignedDuration::from_secs(10));
    bench.engine.undo_send(line.id).await.unwrap();
    bench.engine.undo_send(line.id).await.unwrap();
    bench.clock.advance(Duration::from_secs(60));
    assert_eq!(bench.engine.send_due(line.id).await.unwrap().state, SendState::Cancelled);
    assert_eq!(bench.smtp.accepted(), 0);
    assert_eq!(bench.engine.retry_send(line.id).await.unwrap_err().code(), "nothing_to_try");
    assert_eq!(bench.engine.undo_send(99).await.unwrap_err().code(), "no_send");
}

#[tokio::test]
async fn the_same_request_is_sent_once() {
    let bench = Bench::new(&[|s| takes(hello(s)).expect("QUIT").send("221\r\n")], &[never]).await;
    let draft = Draft { request: Some("r-1".into()), ..bench.draft(&["carl@client.example"]) };
    let first = bench.engine.send(&bench.ann, &draft).await.unwrap();
    let second = bench.engine.send(&bench.ann, &draft).await.unwrap();
    assert_eq!((first.id, &first.message_id), (second.id, &second.message_id));
    bench.engine.send_due(first.id).await.unwrap();
    assert_eq!(bench.engine.send(&bench.ann, &draft).await.unwrap().state, SendState::Sent);
    assert_eq!(bench.smtp.accepted(), 1);
}

#[tokio::test]
async fn what_the_server_cannot_take_is_told_before() {
    let bench = Bench::new(&[|s| hello(s).expect("QUIT").send("221\r\n")], &[never]).await;
    let mut large = bench.draft(&["carl@client.example"]);
    large.files = vec![File { name: "a.bin".into(), bytes: vec![7; 20_000] }];
    // Nothing is known of the server yet: it is asked, and nothing is given to it.
    let line = bench.send(&large).await;
    assert_eq!(line.state, SendState::Refused);
    assert!(line.words.as_deref().unwrap().contains("Send a link"), "{line:?}");
    // From then on it is told at once.
    let error = bench.engine.send(&bench.ann, &large).await.unwrap_err();
    assert_eq!(error.code(), "mail_too_large");
    assert_eq!(error.values()[2].0, "server");
    let odd = bench.draft(&["jörg@client.example"]);
    let error = bench.engine.send(&bench.ann, &odd).await.unwrap_err().to_string();
    assert!(error.contains("jörg@client.example") && error.contains("SMTPUTF8"), "{error}");
    assert_eq!(bench.smtp.accepted(), 1);
}

#[tokio::test]
async fn a_refused_sign_in_is_the_state_of_the_way_out_and_the_mail_waits() {
    let bench = Bench::new(
        &[|s| s.send("220 mx\r\n").expect("EHLO").send(HELLO).expect("AUTH").send("535 5.7.8 no\r\n").hang()],
        &[never],
    )
    .await;
    let line = bench.send(&bench.draft(&["carl@client.example"])).await;
    assert_eq!(line.state, SendState::Waiting);
    assert_eq!(line.words.as_deref(), Some("5.7.8 no"));
    let health = bench
        .engine
        .ledger()
        .read(|tx| threadline_store::health::present(tx, &threadline_store::health::Owner::Account(1)));
    let health = health.await.unwrap();
    let smtp = health.iter().find(|h| h.channel == Channel::Smtp).unwrap();
    assert_eq!((smtp.state, smtp.reason), (State::NeedsAttention, Some(Reason::CredentialsRejected)));
}

#[tokio::test]
async fn a_template_greets_by_name_or_not_at_all() {
    let bench = Bench::new(&[never], &[never]).await;
    let template = Template {
        subject: "For {{first_name}}".into(),
        text: "Dear {{name}},\n{{offer}}\n{{my_email}}".into(),
        html: None,
    };
    bench.engine.set_template("offer", template).await.unwrap();
    let csv = "email,name\ncarl@client.example,Carl Meier\n";
    bench.engine.import_contacts(csv.as_bytes(), |_| ()).await.unwrap();
    let mut draft = Draft {
        template: Some("offer".into()),
        subject: None,
        text: None,
        ..bench.draft(&["carl@client.example"])
    };
    let error = bench.engine.preview_send(&bench.ann, &draft).await.unwrap_err();
    assert_eq!(error.code(), "template_not_filled");
    assert!(error.to_string().contains("asks for offer"), "{error}");
    draft.values = vec![("offer".into(), "17".into())];
    let preview = bench.engine.preview_send(&bench.ann, &draft).await.unwrap();
    assert_eq!(preview.subject, "For Carl");
    let raw = String::from_utf8(preview.raw).unwrap();
    assert!(raw.trim_end().ends_with("Dear Carl Meier,\r\n17\r\nann@firm.example"), "{raw}");
    draft.to = vec![Mailbox::new(None, Address::parse("nobody@client.example").unwrap())];
    let error = bench.engine.preview_send(&bench.ann, &draft).await.unwrap_err().to_string();
    assert!(error.contains("first_name, name") && error.contains("nobody@client.example"), "{error}");
    draft.template = Some("other".into());
    assert_eq!(bench.engine.preview_send(&bench.ann, &draft).await.unwrap_err().code(), "no_template");
    assert!(bench.engine.sends(10).await.unwrap().is_empty(), "a preview stores nothing");
}

/// A mailbox whose server has these folders; one look finds nothing, or this.
fn looked(script: Script, folders: &str) -> Script {
    script
        .send("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n")
        .expect("AUTHENTICATE")
        .send("{tag} OK [CAPABILITY IMAP4rev1] in\r\n")
        .expect("LIST")
        .send(format!("{folders}{{tag}} OK\r\n"))
}

fn look(script: Script, folder: &str, found: &str) -> Script {
    script
        .expect(&format!("EXAMINE \"{folder}\""))
        .send("* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n{tag} OK\r\n")
        .expect("UID SEARCH")
        .send(format!("* SEARCH{found}\r\n{{tag}} OK\r\n"))
}

#[tokio::test]
async fn a_copy_that_fails_is_tried_again_and_changes_nothing_in_the_mails_being_sent() {
    let failing: Play = |s| {
        let s = looked(s, "* LIST () \"/\" Gesendet\r\n* LIST () \"/\" Presents\r\n");
        let s = look(look(look(s, "Gesendet", ""), "Gesendet", ""), "Gesendet", "");
        s.expect("APPEND \"Gesendet\" (\\Seen)").send("{tag} NO [OVERQUOTA] full\r\n").hang()
    };
    // The APPEND had been done: it is found, and not doubled.
    let found: Play = |s| {
        look(looked(s, "* LIST () \"/\" Gesendet\r\n"), "Gesendet", " 9")
            .expect("LOGOUT")
            .send("{tag} OK\r\n")
    };
    let mut bench =
        Bench::new(&[|s| takes(hello(s)).expect("QUIT").send("221\r\n")], &[failing, found]).await;
    bench.engine.set_copy_wish(&bench.ann, CopyWish::Auto).await.unwrap();
    let line = bench.send(&bench.draft(&["carl@client.example"])).await;
    assert_eq!((line.state, line.copy), (SendState::Sent, Some(Copy::Failed)));
    assert_eq!((line.copy_rule, line.copy_folder.as_deref()), (Some(CopyRule::Name), Some("Gesendet")));
    assert!(line.copy_words.as_deref().unwrap().contains("full"), "{line:?}");
    bench.said().await;
    bench.engine.retry_send(line.id).await.unwrap();
    let line = bench.engine.send_due(line.id).await.unwrap();
    assert_eq!(
        (line.state, line.copy, line.copy_rule),
        (SendState::Sent, Some(Copy::Appended), Some(CopyRule::Name))
    );
    assert_eq!((bench.smtp.accepted(), bench.imap.accepted()), (1, 2));
}

#[tokio::test]
async fn a_provider_that_files_sent_mail_itself_is_found_out() {
    let files: Play = |s| {
        let s = looked(s, "* LIST (\\Sent) \"/\" \"Sent Items\"\r\n");
        look(s, "Sent Items", " 4").expect("LOGOUT").send("{tag} OK\r\n")
    };
    let twice: Play = |s| takes(hello(s)).expect("QUIT").send("221\r\n");
    let mut bench = Bench::new(&[twice, twice], &[files]).await;
    bench.engine.set_copy_wish(&bench.ann, CopyWish::Auto).await.unwrap();
    let line = bench.send(&bench.draft(&["carl@client.example"])).await;
    assert_eq!((line.copy, line.copy_rule), (Some(Copy::Filed), Some(CopyRule::Found)));
    assert_eq!(line.copy_folder.as_deref(), Some("Sent Items"));
    bench.said().await;
    // The next one is believed without a look.
    let line = bench.send(&bench.draft(&["carl@client.example"])).await;
    assert_eq!((line.copy, line.copy_rule), (Some(Copy::Filed), Some(CopyRule::Provider)));
    assert_eq!(bench.imap.accepted(), 1);
}

#[tokio::test]
async fn a_mail_is_shown_before_it_goes_and_names_what_it_lacks() {
    let bench = Bench::new(&[], &[]).await;
    let template = Template {
        subject: "Order {{order_no}}".into(),
        text: "Dear {{first_name}},".into(),
        html: Some("<p onclick=x>Dear {{first_name}}</p>".into()),
    };
    bench.engine.set_template("order", template.clone()).await.unwrap();
    let mut draft = Draft {
        subject: None,
        text: None,
        template: Some("order".into()),
        ..bench.draft(&["carl@client.example"])
    };
    let shown = bench.engine.show_send(&bench.ann, &draft).await.unwrap();
    assert_eq!((shown.gaps, shown.html), (vec!["first_name".into(), "order_no".into()], None));
    draft.to[0].name = Some("Carl Meier".into());
    draft.values = vec![("order_no".into(), "17".into())];
    draft.from_name = Some("Ann Lee".into());
    draft.files = vec![File { name: "Offer.pdf".into(), bytes: vec![7; 300] }];
    let shown = bench.engine.show_send(&bench.ann, &draft).await.unwrap();
    assert_eq!((shown.gaps.len(), shown.subject.as_str()), (0, "Order 17"));
    assert_eq!((shown.recipients.len(), shown.text.trim_end()), (1, "Dear Carl,"));
    let files: Vec<_> = shown.attachments.iter().map(|file| (file.name.as_str(), file.size)).collect();
    assert_eq!(files, [("Offer.pdf", 300)]);
    let html = shown.html.unwrap().html;
    assert!(html.contains("<p>Dear Carl</p>") && !html.contains("onclick"), "{html}");
    assert!(bench.engine.sends(9).await.unwrap().is_empty(), "it is shown, and stored nowhere");
    assert_eq!(bench.engine.sender_name(&bench.ann).await.unwrap(), None);
    bench.engine.send(&bench.ann, &draft).await.unwrap();
    assert_eq!(bench.engine.sender_name(&bench.ann).await.unwrap().as_deref(), Some("Ann Lee"));
}
