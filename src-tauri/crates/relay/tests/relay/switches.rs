//! `+log` and `+nolog`.

use crate::kit::{Fake, World};
use threadline_relay::header::{ADDED, PEOPLE, SUBJECT};
use threadline_relay::switch::Switch;

/// Sends a mail to these recipients; gives what the provider got.
async fn sent(recipients: &[&str], text: &str) -> (Vec<String>, String, Option<Switch>) {
    let world = World::new(Fake::new().answering("eve@x.example", 550, "5.1.1 no"));
    let mut client = world.signed_in().await;
    client.expect("MAIL FROM:<ann@firm.example>", 250).await;
    for recipient in recipients {
        client.ask(&format!("RCPT TO:{recipient}")).await;
    }
    client.expect("DATA", 354).await;
    client.say(format!("Message-ID: <1@x>\r\n{text}.\r\n")).await;
    assert!(client.hear().await.starts_with("250"));
    let seen = world.fake.seen();
    let said = seen.said.iter().filter(|line| line.starts_with("RCPT")).cloned().collect();
    assert_eq!(seen.kept[0].switch, seen.told[0].0.switch);
    let text = String::from_utf8_lossy(&seen.texts[0]).into_owned();
    (said, text.strip_prefix("Message-ID: <1@x>\r\n").unwrap().to_owned(), seen.kept[0].switch)
}

#[tokio::test]
async fn a_suffix_goes_from_envelope_and_header() {
    let (said, text, switch) = sent(
        &["<Carl+log@x.example> ORCPT=rfc822;Carl+2Blog@x.example", "<dave@x.example>"],
        "To: Carl <carl+log@x.example>, dave@x.example\r\nSubject: Offer\r\n\r\ncarl+log@x.example\r\n",
    )
    .await;
    assert_eq!(said, ["RCPT TO:<Carl@x.example> ORCPT=rfc822;Carl@x.example", "RCPT TO:<dave@x.example>"]);
    assert_eq!(
        text,
        "To: Carl <Carl@x.example>, dave@x.example\r\nSubject: Offer\r\n\r\ncarl+log@x.example\r\n"
    );
    assert_eq!(switch, Some(Switch::Log));
}

#[tokio::test]
async fn a_prefix_goes_from_the_subject() {
    for (subject, left, want) in [
        ("+log Offer", "Offer", Some(Switch::Log)),
        ("+NoLog Offer", "Offer", Some(Switch::NoLog)),
        ("=?UTF-8?Q?+log_M=C3=A4rz?=", "=?UTF-8?Q?M=C3=A4rz?=", Some(Switch::Log)),
        ("Re: +log Offer", "Re: +log Offer", None),
    ] {
        let (_, text, switch) =
            sent(&["<carl@x.example>"], &format!("Subject: {subject}\r\n\r\nbody\r\n")).await;
        assert_eq!((text, switch), (format!("Subject: {left}\r\n\r\nbody\r\n"), want), "{subject}");
    }
}

/// The README names them too, and nobody else changes a byte.
#[tokio::test]
async fn what_is_changed_is_what_the_documentation_names() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let (_, table) = readme.split_once("| field of the header | what is changed |\n").unwrap();
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let named: Vec<&str> = rows
        .flat_map(|row| row.split('|').nth(1).unwrap().split(','))
        .map(|name| name.trim().trim_matches('`'))
        .collect();
    let known: Vec<&str> = [ADDED, SUBJECT].into_iter().chain(PEOPLE).collect();
    assert_eq!(named, known);
    const OTHERS: [&str; 16] = [
        "From",
        "Sender",
        "Reply-To",
        "Resent-To",
        "Resent-Cc",
        "In-Reply-To",
        "References",
        "Date",
        "Comments",
        "Keywords",
        "Return-Path",
        "Received",
        "DKIM-Signature",
        "Thread-Topic",
        "Content-Type",
        "X-Anything",
    ];
    let text: String = OTHERS
        .iter()
        .chain(&known[1..])
        .map(|name| format!("{name}: +log carl+log@x.example \t=\r\n folded\r\n"))
        .collect();
    let (_, came, _) =
        sent(&["<carl+log@x.example>"], &format!("{text}\r\n+log carl+log@x.example\r\n")).await;
    let (head, body) = came.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "+log carl+log@x.example\r\n");
    let changed: Vec<&str> = head
        .lines()
        .filter(|line| !line.starts_with(' '))
        .filter(|line| !line.ends_with(": +log carl+log@x.example \t="))
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(changed, known[1..], "{head}");
    assert_eq!(
        head.split("\r\n").count(),
        2 * (OTHERS.len() + known.len() - 1),
        "none is added, and none is lost"
    );
}

#[tokio::test]
async fn the_no_counts_and_a_recipient_who_was_refused_says_nothing() {
    let (.., switch) = sent(&["<carl+nolog@x.example>"], "Subject: +log x\r\n\r\n").await;
    assert_eq!(switch, Some(Switch::NoLog));
    let (said, _, switch) = sent(&["<eve+log@x.example>", "<carl@x.example>"], "Subject: x\r\n\r\n").await;
    assert_eq!((said[0].as_str(), switch), ("RCPT TO:<eve@x.example>", None));
}

#[tokio::test]
async fn of_a_signed_mail_no_byte_behind_the_header_is_another() {
    let body = "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: +log Offer\r\nTo: carl+log@x.example\r\n\r\n..x\r\n\
                --b\r\nContent-Type: application/pgp-signature\r\n\r\n-----BEGIN PGP SIGNATURE-----\r\n--b--\r\n";
    let head = "Content-Type: multipart/signed; micalg=pgp-sha512; boundary=b\r\n";
    let (_, text, switch) =
        sent(&["<carl+log@x.example>"], &format!("{head}Subject: +log Offer\r\n\r\n{body}")).await;
    assert_eq!(text, format!("{head}Subject: Offer\r\n\r\n{body}"));
    assert_eq!(switch, Some(Switch::Log));
}
