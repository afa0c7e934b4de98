//! What passes, and how.

use crate::kit::{Fake, World};
use threadline_relay::answer::Answer;
use threadline_relay::offers::Offers;
use threadline_relay::upstream::Outcome;

/// A text with all that may be in one, as it is on the wire, without its last dot.
fn text() -> Vec<u8> {
    let mut text = b"Message-ID: <1@firm.example>\r\nX-Odd \t: x\r\nSUBJECT:folded\r\n\tsubject  \r\n\
                     From: =?iso-8859-1?q?Ann?= <ann@firm.example>\r\nBcc: hidden@firm.example\r\n\r\n"
        .to_vec();
    text.extend_from_slice(b"..a dot\r\n.b is no doubled one\r\n\r\n\r\n  trailing  \t\r\n");
    text.extend_from_slice(&(1..=255).filter(|b| !matches!(b, b'\r' | b'\n')).collect::<Vec<u8>>());
    text.extend_from_slice(format!("\r\n{}\r\n", "x".repeat(998)).as_bytes());
    text
}

#[tokio::test]
async fn a_mail_passes_byte_for_byte_however_it_is_cut() {
    let world = World::new(Fake::new());
    let text = text();
    let whole = [&text[..], b".\r\n"].concat();
    for size in [1, 7, 1_000, 1 << 20] {
        let mut client = world.at_text().await;
        for piece in whole.chunks(size) {
            client.say(piece).await;
        }
        assert_eq!(client.hear().await, "250 2.0.0 .\r\n");
        client.expect("QUIT", 221).await;
    }
    let seen = world.fake.seen();
    assert_eq!(seen.texts.len(), 4);
    assert!(seen.texts.iter().all(|passed| *passed == text));
    assert!(
        seen.kept.iter().all(|passing| passing.message_id.as_ref().unwrap().as_str() == "1@firm.example")
    );
    let (passing, outcome) = &seen.told[0];
    assert_eq!((outcome, passing.switch, passing.mailbox), (&Outcome::Accepted, None, 1));
    assert_eq!(passing.recipients, ["carl@firm.example"]);
}

#[tokio::test]
async fn mail_that_is_signed_or_encrypted_is_not_offered_for_rewriting() {
    let world = World::new(Fake { shouts: true, ..Fake::new() });
    let signed = "Message-ID: <1@x>\r\nContent-Type: multipart/signed; boundary=b\r\n\r\nbody\r\n";
    let plain = "Message-ID: <2@x>\r\nContent-Type: text/plain\r\n\r\nbody\r\n";
    for text in [signed, plain] {
        let mut client = world.at_text().await;
        client.say(format!("{text}.\r\n")).await;
        assert!(client.hear().await.starts_with("250"));
    }
    let seen = world.fake.seen();
    assert_eq!(String::from_utf8_lossy(&seen.texts[0]), signed);
    let changed = plain.replace("\r\nbody\r\n", "\r\nBODY\r\nTHE END\r\n");
    assert_eq!(String::from_utf8_lossy(&seen.texts[1]), changed, "the seam works where it is used");
}

#[tokio::test]
async fn a_message_id_is_added_where_there_is_none_and_is_the_same_on_a_second_try() {
    let fake = Fake::new().answering(".", 451, "4.3.0 later");
    let world = World::new(fake);
    let text = "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nSubject: x\r\n\r\nbody\r\n";
    for _ in 0..2 {
        let mut client = world.at_text().await;
        client.say(format!("{text}.\r\n")).await;
        assert_eq!(client.hear().await, "451 4.3.0 later\r\n");
    }
    let seen = world.fake.seen();
    assert_eq!(seen.texts[0], seen.texts[1]);
    let id = seen.kept[0].message_id.clone().unwrap();
    let want = text.replace("\r\n\r\n", &format!("\r\nMessage-ID: <{id}>\r\n\r\n"));
    assert_eq!(String::from_utf8_lossy(&seen.texts[0]), want);
    assert_eq!(seen.told[0].1, Outcome::Refused(Answer::new(451, "4.3.0 later")));
}

#[tokio::test]
async fn every_answer_is_the_providers_own() {
    let no = Answer { code: 550, lines: vec!["5.1.1 <eve@x>: no such".into(), "5.1.1 user here".into()] };
    let mut fake = Fake::new()
        .answering("slow@x.example", 450, "4.2.0 greylisted")
        .answering("far@x.example", 251, "2.1.5 will forward")
        .answering(".", 552, "5.3.4 too large for us");
    fake.answers.insert("eve@x.example".to_owned(), no);
    let world = World::new(fake);
    let mut client = world.signed_in().await;
    assert_eq!(client.ask("MAIL FROM:<ann@firm.example>").await, "250 2.0.0 MAIL\r\n");
    assert_eq!(
        client.ask("RCPT TO:<eve@x.example>").await,
        "550-5.1.1 <eve@x>: no such\r\n550 5.1.1 user here\r\n"
    );
    client.expect("DATA", 554).await;
    assert_eq!(client.ask("RCPT TO:<slow@x.example>").await, "450 4.2.0 greylisted\r\n");
    assert_eq!(client.ask("RCPT TO:<far@x.example>").await, "251 2.1.5 will forward\r\n");
    client.expect("DATA", 354).await;
    client.say("Message-ID: <1@x>\r\n\r\n.\r\n").await;
    assert_eq!(client.hear().await, "552 5.3.4 too large for us\r\n");
    assert_eq!(world.fake.seen().told[0].0.recipients, ["far@x.example"]);
    for (command, answer) in [("MAIL", "550 5.7.1 not from here\r\n"), ("DATA", "554 5.7.1 spam\r\n")] {
        let (code, text) = answer.trim_end().split_once(' ').unwrap();
        let world = World::new(Fake::new().answering(command, code.parse().unwrap(), text));
        let mut client = world.signed_in().await;
        let mut said = client.ask("MAIL FROM:<ann@firm.example>").await;
        if command == "DATA" {
            client.expect("RCPT TO:<carl@x.example>", 250).await;
            said = client.ask("DATA").await;
        }
        assert_eq!(said, answer);
        // The next mail begins anew.
        client.expect("RCPT TO:<carl@x.example>", 503).await;
        assert!(world.fake.seen().texts.is_empty());
    }
}

#[tokio::test]
async fn a_provider_that_goes_ends_the_connection_too() {
    let world = World::new(Fake::new().answering("MAIL", 421, "4.7.0 too many of you"));
    let mut client = world.signed_in().await;
    assert_eq!(client.ask("MAIL FROM:<ann@firm.example>").await, "421 4.7.0 too many of you\r\n");
    assert!(client.is_over().await);
}

#[tokio::test]
async fn parameters_pass_where_they_are_offered() {
    let world = World::new(Fake::new());
    let mut client = world.signed_in().await;
    client
        .expect(
            "mail from: <ann@firm.example> size=1000 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x+2By AUTH=<>",
            250,
        )
        .await;
    client.expect("RCPT TO:<jörg@bücher.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;j@x", 250).await;
    client.expect("RCPT TO:<carl@x.example> FOO=1", 555).await;
    client.expect("RCPT TO:<>", 553).await;
    client.expect("RSET", 250).await;
    for line in
        ["MAIL FROM:<a@x> BODY=BINARYMIME", "MAIL FROM:<a@x> MT-PRIORITY=9", "MAIL FROM:<a@x> SMTPUTF8=1"]
    {
        client.expect(line, 555).await;
    }
    client.expect("MAIL FROM:<jörg@x>", 553).await;
    client.expect("MAIL FROM:<>", 250).await;
    client.expect("MAIL FROM:<>", 503).await;
    client.expect("RCPT TO:<jörg@x>", 553).await;
    let said = world.fake.seen().said.clone();
    assert_eq!(
        said.iter().filter(|line| *line != "QUIT").collect::<Vec<_>>(),
        [
            "MAIL FROM:<ann@firm.example> SIZE=1000 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x+2By",
            "RCPT TO:<jörg@bücher.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;j@x",
            "MAIL FROM:<>",
        ]
    );
    let world = World::new(Fake { offers: Offers::default(), ..Fake::new() });
    let mut client = world.signed_in().await;
    for parameter in ["SIZE=1", "BODY=8BITMIME", "BODY=7BIT", "SMTPUTF8", "RET=FULL", "ENVID=1"] {
        client.expect(&format!("MAIL FROM:<a@x> {parameter}"), 555).await;
    }
    assert!(!world.fake.seen().said.iter().any(|line| line.starts_with("MAIL")));
}

#[tokio::test]
async fn commands_that_come_in_one_packet_are_answered_in_order() {
    let world = World::new(Fake::new().answering("eve@x", 550, "5.1.1 no"));
    let mut client = world.signed_in().await;
    client.say("MAIL FROM:<ann@firm.example>\r\nRCPT TO:<carl@x>\r\nRCPT TO:<eve@x>\r\nDATA\r\n").await;
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(client.hear().await[..3].to_owned());
    }
    assert_eq!(codes, ["250", "250", "550", "354"]);
    // The end of one mail, and the next one behind it, in one packet.
    client.say("Message-ID: <1@x>\r\n\r\n.\r\nMAIL FROM:<ann@firm.example>\r\nRCPT TO:<carl@x>\r\n").await;
    for _ in 0..3 {
        assert!(client.hear().await.starts_with("250"));
    }
    assert_eq!(world.fake.seen().opened, 2, "a session for each mail");
    assert_eq!(world.fake.seen().together[0], 2, "the provider hears of both at once");
}

#[tokio::test]
async fn those_who_are_refused_here_or_there_keep_their_place() {
    let fake = Fake::new()
        .answering("eve@x", 550, "5.1.1 no")
        .answering("slow@x", 450, "4.2.0 later")
        .answering("bye@x", 421, "4.3.2 closing");
    let world = World::new(fake);
    let mut client = world.signed_in().await;
    client.expect("MAIL FROM:<ann@firm.example>", 250).await;
    let mut said = String::new();
    for to in
        ["<carl@x>", "<>", "<eve@x>", "<a b@x>", "<slow@x>", "<dan@x> NOTIFY", "<fay@x> FOO=1", "<dora@x>"]
    {
        said += &format!("RCPT TO:{to}\r\n");
    }
    client.say(said + "NOOP\r\n").await;
    let mut codes = Vec::new();
    for _ in 0..9 {
        codes.push(client.hear().await[..3].to_owned());
    }
    assert_eq!(codes, ["250", "553", "550", "553", "450", "250", "555", "250", "250"]);
    client.say("RCPT TO:<bye@x>\r\nRCPT TO:<late@x>\r\n").await;
    assert_eq!(client.hear().await, "421 4.3.2 closing\r\n");
    assert!(client.is_over().await, "nothing is said behind it");
}

#[tokio::test]
async fn a_thousand_recipients_pass_and_one_more_is_told_to_wait() {
    let world = World::new(Fake::new());
    let mut client = world.signed_in().await;
    client.expect("MAIL FROM:<ann@firm.example>", 250).await;
    let all: String = (0..1_000).map(|n| format!("RCPT TO:<r{n}@x.example>\r\n")).collect();
    let hear = async {
        let (reader, mut writer) = tokio::io::split(client.into_inner());
        let write = async {
            use tokio::io::AsyncWriteExt as _;
            writer.write_all(all.as_bytes()).await.unwrap();
            writer.flush().await.unwrap();
            writer
        };
        let read = async {
            use tokio::io::AsyncBufReadExt as _;
            let mut lines = tokio::io::BufReader::new(reader).lines();
            for _ in 0..1_000 {
                assert!(lines.next_line().await.unwrap().unwrap().starts_with("250"));
            }
            lines.into_inner().into_inner()
        };
        let (writer, reader) = tokio::join!(write, read);
        reader.unsplit(writer)
    };
    let mut client = crate::kit::Client::over(hear.await);
    client.expect("RCPT TO:<r1000@x.example>", 452).await;
    client.expect("DATA", 354).await;
    client.say("Message-ID: <1@x>\r\n\r\n.\r\n").await;
    assert!(client.hear().await.starts_with("250"));
    let seen = world.fake.seen();
    assert_eq!(seen.told[0].0.recipients.len(), 1_000);
    assert_eq!(seen.together.iter().sum::<usize>(), 1_000);
    // So much at once as lies here: between two tasks that is less than on a network.
    assert!(seen.together.len() <= 10, "{:?}", seen.together);
}

#[tokio::test]
async fn small_words_are_answered() {
    let world = World::new(Fake::new());
    let mut client = world.signed_in().await;
    for (line, code) in [
        ("NOOP", 250),
        ("RSET", 250),
        ("VRFY carl", 252),
        ("HELP", 214),
        ("EXPN list", 502),
        ("RCPT TO:<a@b>", 503),
        ("DATA", 503),
        ("HELO pc", 250),
        ("MAIL <a@b>", 501),
        ("X-YZ", 500),
    ] {
        client.expect(line, code).await;
    }
}
