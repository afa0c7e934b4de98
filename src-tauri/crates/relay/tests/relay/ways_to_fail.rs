//! Where the provider, the mail program or this computer breaks off: the mail program hears what is true, and nothing is sent
//! twice or behind its back.

use crate::kit::{Breaks, Fake, World};
use threadline_relay::answer::Answer;
use threadline_relay::upstream::Outcome;

const TEXT: &str = "Message-ID: <1@x>\r\nSubject: x\r\n\r\nbody\r\n.\r\n";

#[tokio::test]
async fn a_sign_in_that_the_provider_refuses_is_told_in_its_words() {
    let no = Answer::new(451, "4.7.0 The password was changed. Enter it in Threadline.");
    let world = World::new(Fake { refuses_to_open: Some(no), ..Fake::new() });
    let mut client = world.signed_in().await;
    assert_eq!(
        client.ask("MAIL FROM:<ann@firm.example>").await,
        "451 4.7.0 The password was changed. Enter it in Threadline.\r\n"
    );
    client.expect("RCPT TO:<carl@x.example>", 503).await;
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_end_has_sent_nothing() {
    for at in [Breaks::AtMail, Breaks::AtRcpt, Breaks::AtData, Breaks::InText] {
        let world = World::new(Fake { breaks: Some(at), ..Fake::new() });
        let mut client = world.signed_in().await;
        let mut answer = String::new();
        for line in ["MAIL FROM:<ann@firm.example>", "RCPT TO:<carl@x.example>", "DATA"] {
            answer = client.ask(line).await;
            if answer.starts_with("451") {
                break;
            }
        }
        if at == Breaks::InText {
            client.say(TEXT).await;
            answer = client.hear().await;
        }
        assert_eq!(answer, "451 4.4.2 The mail was not sent: the line broke.\r\n", "{at:?}");
        let texts = world.fake.seen().texts.len();
        let told = world.fake.seen().told.len();
        assert_eq!((texts, told), (0, 0), "{at:?}");
        // The connection goes on, and the next mail begins anew.
        client.expect("RCPT TO:<carl@x.example>", 503).await;
    }
}

#[tokio::test]
async fn where_it_breaks_among_recipients_each_that_was_answered_keeps_its_answer() {
    let fake = Fake { breaks: Some(Breaks::AtLost), ..Fake::new() };
    let world = World::new(fake.answering("gone@x.example", 550, "5.1.1 no such user"));
    let all = "RCPT TO:<carl@x.example>\r\nRCPT TO:<gone@x.example>\r\nRCPT TO:<lost@x.example>\r\nRCPT TO:<late@x.example>\r\n";
    let broke = "451 4.4.2 The mail was not sent: the line broke.\r\n";
    for text in ["DATA\r\n", "BDAT 4 LAST\r\nbody"] {
        let mut client = world.signed_in().await;
        client.expect("MAIL FROM:<ann@firm.example>", 250).await;
        client.say(all).await;
        let mut heard = Vec::new();
        for _ in 0..4 {
            heard.push(client.hear().await);
        }
        assert!(heard[0].starts_with("250"), "{heard:?}");
        assert_eq!(heard[1..], ["550 5.1.1 no such user\r\n", broke, broke]);
        // Whoever is named then, and the text: nobody takes it any more, and it is to come again.
        assert_eq!(client.ask("RCPT TO:<dora@x.example>").await, broke);
        client.say(text).await;
        assert_eq!(client.hear().await, broke);
        client.expect("DATA", 503).await;
        client.expect("MAIL FROM:<ann@firm.example>", 250).await;
    }
    // Where nobody was accepted there is nothing to go on with.
    let mut client = world.signed_in().await;
    client.expect("MAIL FROM:<ann@firm.example>", 250).await;
    assert_eq!(client.ask("RCPT TO:<lost@x.example>").await, broke);
    client.expect("DATA", 503).await;
    assert!(world.fake.seen().texts.is_empty() && world.fake.seen().told.is_empty());
}

#[tokio::test]
async fn after_the_dot_nobody_says_what_nobody_knows() {
    let world = World::new(Fake { breaks: Some(Breaks::AfterDot), ..Fake::new() });
    let mut client = world.at_text().await;
    client.say(TEXT).await;
    let answer = client.hear().await;
    assert!(
        answer.starts_with("451 4.4.2") && answer.contains("not known whether this mail was sent"),
        "{answer}"
    );
    let seen = world.fake.seen();
    assert_eq!(seen.told.len(), 1);
    assert_eq!(seen.told[0].1, Outcome::Unknown);
    assert_eq!(seen.told[0].0.message_id.as_ref().unwrap().as_str(), "1@x");
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_sent() {
    let full = Answer::new(451, "4.3.1 The disk is full.");
    let world = World::new(Fake { refuses_to_keep: Some(full), ..Fake::new() });
    let mut client = world.at_text().await;
    client.say(TEXT).await;
    assert_eq!(client.hear().await, "451 4.3.1 The disk is full.\r\n");
    assert!(world.fake.seen().texts.is_empty());
    client.expect("NOOP", 250).await;
}

#[tokio::test]
async fn a_mail_program_that_goes_in_the_middle_sends_nothing() {
    let world = World::new(Fake::new());
    let mut client = world.at_text().await;
    client.say("Message-ID: <1@x>\r\n\r\nhalf a mail\r\n").await;
    drop(client);
    while world.fake.seen().begun.is_empty() {
        tokio::task::yield_now().await;
    }
    let seen = world.fake.seen();
    assert!(seen.texts.is_empty() && seen.told.is_empty() && seen.kept.is_empty());
}

#[tokio::test]
async fn a_mail_that_is_taken_back_is_forgotten() {
    let world = World::new(Fake::new());
    let mut client = world.signed_in().await;
    for end in ["RSET", "EHLO pc", "QUIT"] {
        client.expect("MAIL FROM:<ann@firm.example>", 250).await;
        client.expect("RCPT TO:<carl@x.example>", 250).await;
        client.ask(end).await;
    }
    assert!(client.is_over().await);
    while world.fake.seen().said.iter().filter(|line| *line == "QUIT").count() < 3 {
        tokio::task::yield_now().await;
    }
    assert!(world.fake.seen().texts.is_empty());
}
