//! Messages made to break a parser, against the parsers of core.

use threadline_core::envelope::{Envelope, MOST_ADDRESSES, MOST_REFERENCES, MOST_SUBJECT};
use threadline_core::id::{MessageId, MessageKey};
use threadline_core::message::{Body, MOST_ATTACHMENTS, MOST_TEXT};

fn header(text: &str) -> Envelope {
    Envelope::parse(text.replace('\n', "\r\n").as_bytes())
}

fn body(text: &str) -> Body {
    Body::parse(text.replace('\n', "\r\n").as_bytes())
}

fn ids(all: &[MessageId]) -> Vec<&str> {
    all.iter().map(MessageId::as_str).collect()
}

fn bounded(body: &Body) {
    assert!(body.text.len() <= MOST_TEXT && body.attachments.len() <= MOST_ATTACHMENTS);
    assert!(body.html.as_ref().is_none_or(|h| h.len() <= MOST_TEXT));
}

pub async fn multipart_bomb() {
    let mut raw = String::from("Subject: s\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n");
    for i in 0..5_000 {
        raw += &format!("--b{i}\r\nContent-Type: multipart/mixed; boundary=b{}\r\n\r\n", i + 1);
    }
    bounded(&Body::parse(raw.as_bytes()));
    assert_eq!(Envelope::parse(raw.as_bytes()).subject, "s");
}

/// In a process of its own: what fails here is an abort, and it would take all other checks with it.
pub async fn rfc822_bomb() {
    let alone = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "hostile::mime::rfc822_bomb_alone", "--ignored"])
        .output()
        .unwrap();
    assert!(alone.status.success(), "{}", String::from_utf8_lossy(&alone.stderr));
    assert!(String::from_utf8_lossy(&alone.stdout).contains("1 passed"), "the check did not run");
}

#[test]
#[ignore = "run by rfc822_bomb, in a process of its own"]
fn rfc822_bomb_alone() {
    let raw = "Content-Type: message/rfc822\r\n\r\n".repeat(100_000);
    bounded(&Body::parse(raw.as_bytes()));
    assert!(Envelope::parse(raw.as_bytes()).ids.is_empty());
}

pub async fn subject_bomb() {
    let raw = format!("Message-ID: <a@x>\r\nSubject: {}\r\nFrom: ann@x\r\n\r\ntext", "s".repeat(50 << 20));
    let e = Envelope::parse(raw.as_bytes());
    assert_eq!((e.subject.len(), ids(&e.ids)), (MOST_SUBJECT, vec!["a@x"]));
    assert_eq!(e.from.unwrap().address.as_str(), "ann@x");
    bounded(&Body::parse(raw.as_bytes()));
}

pub async fn references_bomb() {
    let references: String = (0..1_000_000).map(|i| format!("<{i}@x>\r\n ")).collect();
    let e = Envelope::parse(format!("Message-ID: <a@x>\r\nReferences: {references}\r\n\r\n").as_bytes());
    assert_eq!(e.references.len(), MOST_REFERENCES);
    assert_eq!(ids(&e.ids), ["a@x"]);
    assert!(e.parents().len() <= 2 * MOST_REFERENCES);
}

pub async fn addresses_bomb() {
    let to: String = (0..1_000_000).map(|i| format!("a{i}@x,\r\n ")).collect();
    let e = Envelope::parse(format!("To: {to} last@x\r\nFrom: ann@x\r\n\r\n").as_bytes());
    assert_eq!(e.to.len(), MOST_ADDRESSES);
    assert_eq!(e.from.unwrap().address.as_str(), "ann@x");
}

pub async fn comment_bomb() {
    let raw = format!("From: {} ann@x\r\nMessage-ID: <a@x>\r\n\r\n", "(".repeat(1_000_000));
    assert_eq!(ids(&Envelope::parse(raw.as_bytes()).ids), ["a@x"]);
}

pub async fn duplicates() {
    let e = header("Message-ID: <a@x>\nMessage-ID: <b@x>\nFrom: a@x\nFrom: b@x\n\n");
    assert_eq!((ids(&e.ids), e.suspicious), (vec!["a@x"], true));
    assert_eq!(e.from.unwrap().address.as_str(), "a@x");
    assert!(header("Content-Type: text/plain\nContent-Type: text/html\n\n").suspicious);
    assert!(!header("Message-ID: <a@x>\nFrom: a@x\n\n").suspicious);
}

pub async fn odd_ids() {
    let rest = "Date: Mon, 2 Nov 2026 10:00:00 +0100\nFrom: a@x\nTo: b@y\nSubject: s\n\n";
    let key = |id: &str| header(&format!("{id}{rest}")).key;
    let none = key("");
    let long = format!("Message-ID: <{}@x>\n", "a".repeat(1_200));
    for id in ["Message-ID:\n", "Message-ID: <>\n", "Message-ID: <a b@c>\n", &long] {
        assert_eq!(key(id), none, "{id:.40}");
    }
    assert_eq!(key("message-id: <a@x>\n"), key("MESSAGE-ID: <a@x>\n"));
    assert_ne!(key("Message-ID: <a@x>\n"), none);
    assert_ne!(header(&rest.replace("Subject: s", "Subject: t")).key, none);
}

pub async fn reference_loops() {
    let own = header("Message-ID: <a@x>\nReferences: <a@x> <a@x>\nIn-Reply-To: <a@x>\n\n");
    assert!(own.parents().is_empty());
    assert_eq!(own.root(), own.key);
    // Two messages that name each other each have one parent and end there.
    let one = header("Message-ID: <a@x>\nReferences: <b@x>\n\n");
    let two = header("Message-ID: <b@x>\nReferences: <a@x>\n\n");
    assert_eq!((ids(&one.parents()), ids(&two.parents())), (vec!["b@x"], vec!["a@x"]));
    assert_eq!(one.root(), MessageKey::of_id(&two.ids[0]));
}

pub async fn encoded_words() {
    let e = header(
        "Subject: =?utf-8?Q?a=0D=0ABcc:_x?= =?x-unknown?Q?b?=\nFrom: =?utf-8?Q?A=0D=0AB=00?= <ann@x>\n\
         To: =?utf-8?Q?evil=40y?= <bob@x>, =?utf-8?B?w?= =?utf-8?B?vA==?= <cat@x>\n\n",
    );
    assert!(e.subject.starts_with("aBcc: x") && !e.subject.contains(['\r', '\n']), "{:?}", e.subject);
    assert_eq!(e.from.unwrap().name.unwrap(), "AB");
    let to: Vec<&str> = e.to.iter().map(|m| m.address.as_str()).collect();
    assert_eq!(to, ["bob@x", "cat@x"], "an encoded word is a name and never an address");
    assert!(e.bcc.is_empty());
    let nested = header("Subject: =?utf-8?Q?=3D=3Futf-8=3FQ=3Fx=3F=3D?=\n\n");
    assert_eq!(nested.subject, "=?utf-8?Q?x?=", "decoded once");
}

pub async fn charsets() {
    for (charset, bytes) in [
        ("utf-7", &b"+ADw-script+AD4-alert(1)"[..]),
        ("iso-2022-jp", b"\x1b$B\x1b(B\x1b(Iplain"),
        ("utf-16", b"p\0l\0a\0i\0n\0\0"),
        ("x-unknown", b"plain \xff\xfe"),
        ("utf-8", b"plain \xc0\xbcscript\xc0\xbe"),
        ("", b"plain"),
    ] {
        let mut raw = format!("Content-Type: text/plain; charset={charset}\r\n\r\n").into_bytes();
        raw.extend_from_slice(bytes);
        let read = Body::parse(&raw);
        bounded(&read);
        assert!(read.html.is_none() && !read.text.contains('\0'), "{charset}: {read:?}");
        assert!(
            !read.text.contains("\u{fffd}script>") && !read.text.contains("<script\u{3e}\0"),
            "{charset}"
        );
        if charset == "utf-8" {
            assert!(!read.text.contains('<'), "overlong bytes are no markup: {read:?}");
        }
    }
}

pub async fn boundaries() {
    let part = |boundary: &str| format!("--{boundary}\nContent-Type: text/plain\n\nshown\n");
    for (boundary, inner) in [
        ("b", format!("{}--b--\nepilogue\n", part("b"))),
        ("b", part("b")),
        ("\"b c\"", format!("{}--b c--\n", part("b c"))),
        ("b", format!("{}--b-- \n", part("b \t"))),
        ("b", format!("preamble\n{}--bb\nnot a part\n--b--\n", part("b"))),
    ] {
        let text = body(&format!("Content-Type: multipart/mixed; boundary={boundary}\n\n{inner}")).text;
        assert!(text.contains("shown"), "{boundary}: {text:?}");
        assert!(!text.contains("epilogue"), "{boundary}: {text:?}");
    }
    // No legal boundary (RFC 2046 §5.1.1): such a mail may read empty, but never as something that was not sent.
    for (boundary, inner) in [("\"\"", part("")), ("\"b c \"", part("b c "))] {
        let text = body(&format!("Content-Type: multipart/mixed; boundary={boundary}\n\n{inner}")).text;
        assert!(text.is_empty() || text.contains("shown"), "{boundary}: {text:?}");
    }
}

pub async fn wrapped() {
    for kind in [
        "application/pkcs7-mime; smime-type=enveloped-data",
        "application/ms-tnef; name=winmail.dat",
        "message/partial; number=1; total=2; id=x",
        "message/external-body; access-type=URL; URL=\"http://127.0.0.1:9/x\"",
        "multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b",
    ] {
        let raw = format!(
            "Content-Type: {kind}\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b--\n"
        );
        let read = body(&raw);
        bounded(&read);
        assert_eq!(read.html, None, "{kind}");
    }
}
