//! Mail programs, and what may speak in their place, that do not keep to the rules.

use crate::kit::{Fake, World};
use std::time::Duration;
use threadline_relay::limits::Limits;
use tokio::time::Instant;

#[tokio::test]
async fn a_mail_within_a_mail_is_refused_and_never_ended() {
    let inner = "MAIL FROM:<eve@x>\r\nRCPT TO:<carl@x>\r\nDATA\r\nFrom: eve@x\r\n\r\nfake\r\n.\r\n";
    for end in [
        "\n.\n",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\r",
        "\r\n.\r",
        "\r.\r\n",
        "\r\n.\r\r\n",
        "\r\r\n.\r\r\n",
        "\n\n.\r\n",
        "\0\r\n.\n",
    ] {
        let world = World::new(Fake::new());
        let mut client = world.at_text().await;
        client.say(format!("Message-ID: <1@x>\r\n\r\nfirst{end}{inner}")).await;
        let answer = client.hear().await;
        assert!(answer.starts_with("550 5.6.0"), "{end:?}: {answer}");
        assert!(client.is_over().await, "{end:?}");
        let seen = world.fake.seen();
        assert!(seen.texts.is_empty() && seen.kept.is_empty() && seen.told.is_empty(), "{end:?}");
        assert_eq!(seen.said.iter().filter(|line| line.starts_with("MAIL")).count(), 1, "{end:?}");
        // What the provider had got by then holds no end for any server.
        for begun in &seen.begun {
            let lenient = String::from_utf8_lossy(begun).replace('\r', "\n");
            assert!(!lenient.contains("\n.\n"), "{end:?}");
        }
    }
}

#[tokio::test]
async fn text_before_it_was_asked_for_is_refused() {
    let world = World::new(Fake::new());
    let mut client = world.signed_in().await;
    client.expect("MAIL FROM:<ann@firm.example>", 250).await;
    client.expect("RCPT TO:<carl@firm.example>", 250).await;
    client.say("DATA\r\nSubject: x\r\n\r\n.\r\nMAIL FROM:<eve@x>\r\n").await;
    assert_eq!(client.hear().await, "554 5.5.0 Text came before it was asked for\r\n");
    assert!(client.is_over().await);
    assert!(world.fake.seen().texts.is_empty());
    // The same where no recipient was accepted, so that nothing of the text is taken for commands.
    let world = World::new(Fake::new().answering("carl@x", 550, "5.1.1 no"));
    let mut client = world.signed_in().await;
    client.say("MAIL FROM:<a@x>\r\nRCPT TO:<carl@x>\r\nDATA\r\nSubject: x\r\n\r\n.\r\n").await;
    for code in ["250", "550", "554"] {
        assert!(client.hear().await.starts_with(code));
    }
    assert!(client.is_over().await);
}

#[tokio::test]
async fn no_parameter_is_another_command() {
    let world = World::new(Fake::new());
    for line in
        ["MAIL FROM:<a@x>\nRCPT TO:<b@x>\r\n", "MAIL FROM:<a@x>\rRCPT TO:<b@x>\r\n", "MAIL FROM:<a\0@x>\r\n"]
    {
        let mut client = world.signed_in().await;
        client.say(line).await;
        assert!(client.hear().await.starts_with("500 5.5.2"), "{line:?}");
        assert!(client.is_over().await, "{line:?}");
    }
    let mut client = world.signed_in().await;
    for (line, code) in [
        ("MAIL FROM:<a@x> SIZE=1 RCPT TO:<b@x>", 501),
        ("MAIL FROM:<a@x>> SIZE=1", 501),
        ("MAIL FROM:<a@x>RCPT", 501),
        ("MAIL FROM:<<a@x>>", 501),
        ("MAIL FROM:a@x", 501),
        ("MAIL FROM:<a x@x>", 553),
        ("MAIL FROM:<@y:a@x>", 553),
        ("MAIL FROM:<a@x> ENVID=a=b", 501),
    ] {
        client.expect(line, code).await;
    }
    assert!(world.fake.seen().said.is_empty(), "{:?}", world.fake.seen().said);
}

#[tokio::test]
async fn huge_lines_cost_nothing_and_a_very_huge_one_the_connection() {
    let world = World::new(Fake::new());
    let mut client = world.signed_in().await;
    client.expect(&format!("NOOP {}", "x".repeat(5_000)), 500).await;
    client.expect(&format!("MAIL FROM:<a@x> ENVID={}", "x".repeat(5_000)), 500).await;
    client.expect("NOOP", 250).await;
    client.say("x".repeat(70_000)).await;
    assert_eq!(client.hear().await, "421 4.7.0 Too much was said\r\n");
    let mut client = world.signed_in().await;
    client.say(b"NOOP \xff\xfe\r\n").await;
    assert_eq!(client.hear().await, "500 5.5.2 The line is no text\r\n");
}

#[tokio::test]
async fn lines_and_headers_of_a_mail_have_a_limit() {
    let world = World::new(Fake::new());
    let mut client = world.at_text().await;
    client.say(format!("Subject: {}\r\n\r\nx\r\n.\r\n", "x".repeat(990))).await;
    assert_eq!(client.hear().await, "550 5.6.0 A line of the mail has more than 998 bytes\r\n");
    // There is no doubt about where that mail ended: the connection goes on.
    client.expect("NOOP", 250).await;
    let mut client = world.at_text().await;
    let field = format!("X-Field: {}\r\n", "x".repeat(900));
    client.say(format!("{}\r\nbody\r\n.\r\n", field.repeat(300))).await;
    assert_eq!(client.hear().await, "552 5.3.4 The header of the mail is larger than 256 KiB\r\n");
    client.expect("NOOP", 250).await;
    assert!(world.fake.seen().texts.is_empty());
}

#[tokio::test]
async fn mistakes_are_counted() {
    let world = World::new(Fake::new());
    let mut client = world.client().await;
    for _ in 0..=20 {
        client.expect("GET / HTTP/1.1", 500).await;
    }
    assert_eq!(client.hear().await, "421 4.7.0 Too many mistakes\r\n");
}

#[tokio::test(start_paused = true)]
async fn a_silent_mail_program_is_let_go_and_its_mail_not_sent() {
    let world = World::new(Fake::new());
    let begun = Instant::now();
    let mut client = world.at_text().await;
    client.say("Message-ID: <1@x>\r\n\r\nhalf").await;
    assert_eq!(client.hear().await, "421 4.4.2 This took too long\r\n");
    assert_eq!(begun.elapsed().as_secs(), 300);
    let seen = world.fake.seen();
    assert!(seen.texts.is_empty() && seen.begun.len() == 1 && seen.told.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_slow_mail_program_is_let_go_in_the_end() {
    let limits = Limits { text: Duration::from_secs(600), ..Limits::default() };
    let world = World::within(Fake::new(), limits);
    let begun = Instant::now();
    let client = world.at_text().await;
    let (reader, mut writer) = tokio::io::split(client.into_inner());
    let dribble = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        while writer.write_all(b"x").await.is_ok() && writer.flush().await.is_ok() {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    });
    use tokio::io::AsyncReadExt as _;
    let mut reader = reader;
    let mut heard = Vec::new();
    let _ = reader.read_to_end(&mut heard).await;
    assert_eq!(String::from_utf8_lossy(&heard), "421 4.4.2 This took too long\r\n");
    assert_eq!(begun.elapsed().as_secs(), 600);
    dribble.abort();
    assert!(world.fake.seen().texts.is_empty());
}
