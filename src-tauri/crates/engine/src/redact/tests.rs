use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

fn private() -> Private {
    Private {
        mailboxes: vec!["ann@firm.example".into()],
        words: vec!["Jane Roe".into(), "Offer for the Grüner Park".into(), "al".into(), "tr0ub4dor".into()],
        texts: vec![
            "Dear Jane,\nplease find the price of the green pavilion\n> enclosed.\nCode 7F3A99QX".into(),
        ],
        home: Some("/home/ann".into()),
    }
}

fn redact(text: &str, private: &Private) -> String {
    Redactor::new(private).redact(text)
}

#[test]
fn what_helps_stays() {
    for text in [
        "2026-03-02T16:00:00Z Info threadline_engine::mailbox it is tried again code=dns_failure",
        "imap.firm.example:993 tls handshake took 120 ms",
        "the password was changed; the key is missing",
        "/usr/share/threadline/ui",
        "  inbox needs_attention since 2026-11-24T22:05:00Z phase auth reason auth_rejected next try none words none",
        "took 12 ms, 3 of 4 in 127.0.0.1:993 to [::1]:143, 20 % of 12:30:45",
        "uid 4711, 4712, 4713; 1, 2, 3; id 0a1b2c; de:ad:be:ef",
        "A3 NO [AUTHENTICATIONFAILED] AAAAAAA (code 5.7.139) R&D=7 c:\\users\\x",
        "crm: {\"kind\":\"hubspot\"}",
    ] {
        assert_eq!(redact(text, &private()), text);
    }
}

#[test]
fn mailboxes_are_told_apart_and_others_are_not_shown() {
    let text = redact("ANN@firm.example got mail from Jane Roe <jane@customer.example>", &private());
    assert_eq!(text, "<mailbox 1> got mail from <private> <<address>>");
    assert_eq!(redact("/home/ann/.local/share", &private()), "~/.local/share");
}

#[test]
fn words_that_overlap_go_together() {
    let words = vec!["Offer for Jane".into(), "Jane Roe".into(), "Roe".into()];
    let private = Private { words, ..Private::default() };
    assert_eq!(redact("an Offer for Jane Roe, and Roe", &private), "an <private>, and <private>");
}

#[test]
fn a_piece_of_a_mails_text_goes_however_it_is_wrapped() {
    let cut =
        redact("500 invalid: \"please find  the\\nprice of the GREEN pavilion\" said the CRM", &private());
    assert!(!cut.contains("find") && !cut.contains("pavilion"), "{cut}");
    assert!(cut.starts_with("500 invalid: \"") && cut.ends_with("\" said the CRM"), "{cut}");
    assert_eq!(redact("id 7f3a99qx", &private()), "id <private>");
    assert_eq!(redact("the green light", &private()), "the green light");
}

#[test]
fn planted_secrets_are_taken_out() {
    for (text, secret) in [
        ("A1 LOGIN ann hunter2", "ann"),
        ("password=hunter2", "hunter2"),
        ("\"password\": \"hun ter\"", "hun"),
        ("client_secret: s3cr3t!", "s3cr3t!"),
        ("Authorization: Bearer abcdef", "Bearer abcdef"),
        ("whsec_C2FVsBQIhrscChlQIMV", "whsec_C2F"),
        ("pat-eu1-0123", "pat-eu1"),
        ("https://x.example/hooks/4f9d8a7c6b5e4f3a2b1c0d?k=v", "4f9d8a7c6b5e4f3a2b1c0d"),
        ("token eyJhbGciOi", "eyJ"),
        ("AUTH PLAIN AGFubgBodW50ZXIy", "AGFubgBodW50ZXIy"),
        ("subject OFFER FOR THE GRÜNER PARK ends", "PARK"),
        ("x?access_token%3Dsecret-of-ann", "secret-of-ann"),
    ] {
        let redacted = redact(text, &private());
        assert!(!redacted.contains(secret), "{text} became {redacted}");
    }
}

/// A text as programs write it in logs, and the name of that way.
fn written(text: &str) -> Vec<(&'static str, String)> {
    let bytes = text.as_bytes();
    let list = |of: &dyn Fn(&u8) -> String, gap: &str| bytes.iter().map(of).collect::<Vec<_>>().join(gap);
    let escaped = |of: &dyn Fn(u8) -> String| -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric();
        bytes.iter().map(|b| if plain(*b) { char::from(*b).to_string() } else { of(*b) }).collect()
    };
    vec![
        ("base64", STANDARD.encode(bytes)),
        ("base64 at 1", STANDARD.encode(format!("x{text}y"))),
        ("base64 at 2", STANDARD.encode(format!("xy{text}"))),
        ("base64 behind other letters", format!("auth{}", STANDARD.encode(bytes))),
        ("base64 for addresses", URL_SAFE_NO_PAD.encode(format!("??{text}"))),
        ("base64 twice", STANDARD.encode(STANDARD.encode(bytes))),
        ("percent", escaped(&|b| format!("%{b:02X}"))),
        ("percent, every byte", bytes.iter().map(|b| format!("%{b:02x}")).collect()),
        ("form", escaped(&|b| if b == b' ' { "+".into() } else { format!("%{b:02X}") })),
        ("quoted-printable", escaped(&|b| if b == b' ' { " ".into() } else { format!("={b:02X}") })),
        ("JSON", text.encode_utf16().map(|u| format!("\\u{u:04x}")).collect()),
        ("HTML", text.chars().map(|c| format!("&#{};", u32::from(c))).collect()),
        ("hexadecimal", list(&|b| format!("{b:02x}"), "")),
        ("hexadecimal in a list", list(&|b| format!("0x{b:02X}"), ", ")),
        ("hexadecimal with colons", list(&|b| format!("{b:02x}"), ":")),
        ("decimal", format!("{bytes:?}")),
        ("decimal bare", list(&|b| b.to_string(), " ")),
    ]
}

#[test]
fn what_is_encoded_is_found_in_every_way_of_writing_it() {
    for word in [
        "Jane Roe",
        "Offer for the Grüner Park",
        "bob@customer.example",
        "ann@firm.example",
        "tr0ub4dor",
        "please find the price of the green pavilion",
    ] {
        for (how, text) in written(word) {
            for line in [
                format!("the server said {text} and hung up"),
                format!("q={text}&n=1"),
                format!("\"{text}\""),
            ] {
                let redacted = redact(&line, &private());
                assert!(!redacted.contains(&text), "{word} in {how}: {redacted}");
                assert!(
                    !line.starts_with("the") || redacted.ends_with(" and hung up"),
                    "{word} in {how}: {redacted}"
                );
            }
        }
    }
    let sasl = STANDARD.encode("\0ann@firm.example\0tr0ub4dor");
    assert_eq!(redact(&format!("AUTHENTICATE {sasl}"), &private()), "AUTHENTICATE <encoded>");
}

#[test]
fn what_cannot_be_looked_for_is_not_shown() {
    let broken = Redactor { known: None, marks: Vec::new(), texts: Texts::default() };
    assert_eq!(broken.redact("Jane Roe"), "<private>");
}

proptest! {
    #[test]
    fn known_words_never_survive(before in ".{0,40}", word in "[a-zA-ZäÖß ]{3,20}", behind in ".{0,40}") {
        prop_assume!(word.trim().chars().count() >= SHORTEST);
        let private = Private { words: vec![word.clone()], ..Private::default() };
        let redacted = redact(&format!("{before}{word}{behind}"), &private);
        let left = fold(&redacted)
            .replace("<private>", "").replace("<address>", "").replace("<secret>", "").replace("<encoded>", "");
        prop_assert!(!left.contains(&fold(word.trim())), "{redacted}");
    }

    #[test]
    fn encoded_words_never_survive(before in "[ -~]{0,20}", word in "[a-zA-Z0-9äÖß]{4,20}", behind in "[ -~]{0,20}") {
        let private = Private { words: vec![word.clone()], ..Private::default() };
        let whole = STANDARD.encode(format!("{before}{word}{behind}"));
        let redacted = redact(&format!("said {whole} once"), &private);
        prop_assert!(!redacted.contains(&whole), "{redacted}");
    }

    #[test]
    fn addresses_never_survive(before in "[a-z ]{0,20}", local in "[a-z0-9.+_-]{1,20}", domain in "[a-z0-9]{1,10}\\.[a-z]{2,5}") {
        let redacted = redact(&format!("{before} {local}@{domain} x"), &Private::default());
        let shown = redacted.contains(&format!("{local}@"));
        prop_assert!(!shown, "{redacted}");
    }

    #[test]
    fn tokens_never_survive(before in "[a-z ]{0,20}", token in "[A-Za-z0-9+_-]{30,80}") {
        prop_assume!(token.bytes().any(|b| b.is_ascii_digit()) && token.bytes().any(|b| b.is_ascii_alphabetic()));
        let redacted = redact(&format!("{before} {token}"), &Private::default());
        prop_assert!(!redacted.contains(&token), "{}", redacted);
    }

    #[test]
    fn text_with_signs_in_it_is_taken(text in "[a-fA-F0-9%=&#;xu+ü€ ,:/\\\\-]{0,80}") {
        redact(&text, &private());
    }

    #[test]
    fn any_text_is_taken(text in ".{0,200}", word in ".{0,10}") {
        redact(&text, &Private { words: vec![word.clone()], texts: vec![word], ..private() });
    }
}
