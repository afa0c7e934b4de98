use super::*;
use futures::FutureExt;
use proptest::prelude::*;
use std::collections::VecDeque;
use tokio::io::AsyncWriteExt;

/// A stream of pieces that never waits.
struct Pieces(VecDeque<Vec<u8>>);

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(mut piece) = self.0.pop_front() {
            let later = piece.split_off(piece.len().min(buf.remaining()));
            buf.put_slice(&piece);
            if !later.is_empty() {
                self.0.push_front(later);
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Clean,
    Broken(Violation),
    CutOff,
}

/// What a library would see, and how it ends.
fn read(protocol: Protocol, limits: Limits, pieces: Vec<Vec<u8>>) -> (Vec<u8>, End) {
    let mut guard = Guard::new(Pieces(pieces.into()), protocol, limits);
    let mut seen = Vec::new();
    let end = guard.read_to_end(&mut seen).now_or_never().expect("pieces never wait");
    let end = match end {
        Ok(_) => End::Clean,
        Err(err) if err.kind() == io::ErrorKind::UnexpectedEof => End::CutOff,
        Err(err) => End::Broken(violation(&err).expect("a violation")),
    };
    (seen, end)
}

const SMALL: Limits =
    Limits { line: 200, literal: 100, literals: 3, depth: 4, response: 250, untagged_per_command: 5 };

fn imap(text: &str) -> (String, End) {
    let (seen, end) = read(Protocol::Imap, SMALL, vec![text.as_bytes().to_vec()]);
    (String::from_utf8(seen).unwrap(), end)
}

fn broken(text: &str) -> Violation {
    let (seen, end) = imap(text);
    assert_eq!(seen, "", "nothing of the line may pass: {text:?}");
    match end {
        End::Broken(violation) => violation,
        other => panic!("{text:?} gave {other:?}"),
    }
}

#[test]
fn honest_responses_pass_unchanged() {
    for text in [
        "* OK [CAPABILITY IMAP4rev1 IDLE] ready (really \"so {5} far\r\n",
        "a1 OK [READ-ONLY] done (((((((((( \" \r\n",
        "+ \r\n",
        "+ idling\r\n",
        "* 1 FETCH (UID 7 FLAGS (\\Seen $x) BODY[HEADER.FIELDS (\"TO\")] {5}\r\n(((\"{ MODSEQ (1))\r\n",
        "* LIST (\\HasNoChildren) \"/\" \"a (\\\"b\\\" \\\\ {3}\"\r\n",
        "* LIST () NIL {3}\r\na\r\n\r\n",
        "* 2 FETCH (BODY[] {0}\r\n X {3+}\r\nabc Y ~{2}\r\n\x01\x02)\r\n",
        "* SEARCH\r\n",
        "* okay (x)\r\n",
        "* BYE\r\n",
        "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n",
        "\r\n",
    ] {
        assert_eq!(imap(text), (text.to_owned(), End::Clean));
    }
}

#[test]
fn literals_that_lie_are_refused() {
    assert_eq!(broken("* 1 FETCH (BODY[] {101}\r\n"), Violation::LiteralTooLarge);
    assert_eq!(broken("* 1 FETCH (BODY[] {4294967296}\r\n"), Violation::LiteralTooLarge);
    assert_eq!(broken("* 1 FETCH (BODY[] {99999999999999999999}\r\n"), Violation::LiteralTooLarge);
    for length in ["{-1}", "{}", "{a}", "{1 }", "{1+", "{+}", "{1}x", "{1}\rx", "{1++}"] {
        let text = format!("* 1 FETCH (BODY[] {length}\r\n");
        assert_eq!(broken(&text), Violation::LiteralMalformed, "{text:?}");
    }
}

#[test]
fn words_that_end_like_a_literal_are_refused() {
    for text in
        ["* OK [BADCHARSET ({3}\r\n", "* BAD {10}\r\n", "a1 NO x {10+}\r\n", "+ {1}\r\n", "* OK {{3}\r\n"]
    {
        assert_eq!(broken(text), Violation::LiteralMalformed, "{text:?}");
    }
}

#[test]
fn what_the_parser_behind_it_panics_at_is_refused() {
    for text in [
        "* 1 FETCH (UID 5 INTERNALDATE NIL)\r\n",
        "* 1 FETCH (internaldate Nil FLAGS ())\r\n",
        "* METADATA \"\" (/private/comment \"x\")\r\n",
        "* metadata \"\" /shared/comment\r\n",
    ] {
        assert_eq!(broken(text), Violation::Unreadable, "{text}");
    }
    assert_eq!(imap("* 1 FETCH (INTERNALDATE \"1-Jan-2026\")\r\n* 1 FETCH (X NIL)\r\n").1, End::Clean);
}

#[test]
fn nesting_is_counted_outside_strings_only() {
    assert_eq!(broken("* 1 FETCH (BODYSTRUCTURE (((("), Violation::NestingTooDeep);
    assert_eq!(imap("* 1 FETCH ((((\"((((((\"))))\r\n").1, End::Clean);
    assert_eq!(imap("* 1 FETCH (() () () () ())\r\n").1, End::Clean);
    assert_eq!(broken("* 1 FETCH )\r\n"), Violation::Unbalanced);
    assert_eq!(broken("* 1 FETCH (\r\n"), Violation::Unbalanced);
    // A literal does not begin the count anew.
    let (seen, end) = imap("* 1 FETCH ((( {1}\r\nx((");
    assert_eq!((seen.as_str(), end), ("* 1 FETCH ((( {1}\r\nx", End::Broken(Violation::NestingTooDeep)));
}

#[test]
fn quotes_end_on_their_line_and_begin_a_word() {
    assert_eq!(broken("* LIST () \"/\" \"x\r\n\"\r\n"), Violation::BrokenQuote);
    assert_eq!(broken("* LIST () \"/\" a\"b\r\n"), Violation::BrokenQuote);
    assert_eq!(broken("* LIST () \"/\" \"a\\n\"\r\n"), Violation::BrokenQuote);
    // Not a way to hide parentheses from the count.
    assert_eq!(broken("* 1 FETCH (FLAGS (a\"(((((((((((((("), Violation::BrokenQuote);
}

#[test]
fn lines_end_with_cr_and_lf() {
    for text in ["* OK x\n", "* 1 EXISTS\n", "* OK x\ry\r\n", "* 1 EXISTS\rx", "a1 OK\n"] {
        assert_eq!(broken(text), Violation::BareLineBreak, "{text:?}");
    }
}

#[test]
fn sizes_are_capped() {
    let long = format!("* OK {}", "a".repeat(300));
    assert_eq!(broken(&long), Violation::LineTooLong);
    let spread = format!("* 1 FETCH (A {} B {{1}}\r\nx{}", "a".repeat(100), "b".repeat(100));
    assert_eq!(imap(&spread).1, End::Broken(Violation::LineTooLong));
    let full = "x".repeat(100);
    let large = format!("* 1 FETCH (A {{100}}\r\n{full} B {{100}}\r\n{full} C {{100}}\r\n{full})\r\n");
    assert_eq!(imap(&large).1, End::Broken(Violation::ResponseTooLarge));
    let many = format!("* 1 FETCH ({})\r\n", "{0}\r\n ".repeat(4));
    assert_eq!(imap(&many).1, End::Broken(Violation::TooManyLiterals));
}

#[test]
fn a_flood_ends_at_the_budget() {
    let (seen, end) = imap(&"* 1 EXISTS\r\n".repeat(7));
    assert_eq!((seen.lines().count(), end), (6, End::Broken(Violation::TooManyResponses)));
}

#[test]
fn an_end_in_mid_response_is_no_end() {
    for text in ["* OK", "* 1 FETCH (BODY[] {5}\r\nabc", "* 1 FETCH (BODY[] {5}\r\nabcde", "* OK x\r"] {
        assert_eq!(imap(text).1, End::CutOff, "{text:?}");
    }
    assert_eq!(imap("").1, End::Clean);
}

#[tokio::test]
async fn commands_begin_the_count_anew() {
    let (client, mut server) = tokio::io::duplex(4096);
    let mut guard = Guard::new(client, Protocol::Imap, SMALL);
    let six = "* 1 EXISTS\r\n".repeat(6);
    let mut seen = vec![0; six.len()];
    for round in 0..3 {
        server.write_all(six.as_bytes()).await.unwrap();
        guard.read_exact(&mut seen).await.unwrap();
        match round {
            0 => guard.command_started(),
            _ => guard.write_all(b"a NOOP\r\n").await.unwrap(),
        }
    }
    guard.command_started_with(11);
    for _ in 0..2 {
        server.write_all(six.as_bytes()).await.unwrap();
        guard.read_exact(&mut seen).await.unwrap();
    }
    server.write_all(six.as_bytes()).await.unwrap();
    let err = guard.read_exact(&mut seen).await.unwrap_err();
    assert_eq!(violation(&err), Some(Violation::TooManyResponses));
    assert_eq!((guard.bytes_in(), guard.bytes_out()), (6 * six.len() as u64, 16));
    assert!(!format!("{guard:?}").contains("EXISTS"));
}

#[tokio::test]
async fn one_response_is_read_and_the_rest_is_left() {
    let (client, mut server) = tokio::io::duplex(4096);
    let mut guard = Guard::new(client, Protocol::Imap, SMALL);
    server.write_all(b"* LIST () NIL {2}\r\n\r\n\r\n* OK x\r\n").await.unwrap();
    assert_eq!(guard.read_response().await.unwrap().unwrap(), b"* LIST () NIL {2}\r\n\r\n\r\n");
    assert_eq!(guard.unread(), b"* OK x\r\n");
    assert!(guard.into_inner().is_none());
}

fn smtp(text: &str) -> (usize, End) {
    let (seen, end) = read(Protocol::Smtp, SMALL, vec![text.as_bytes().to_vec()]);
    (seen.len(), end)
}

#[test]
fn smtp_replies_are_counted_line_by_line() {
    for text in ["220 x\r\n", "220\r\n", "250-a\r\n250-b\r\n250 c\r\n", "354 \r\n250 ok\r\n"] {
        assert_eq!(smtp(text), (text.len(), End::Clean), "{text:?}");
    }
    for (text, want) in [
        ("* OK x\r\n", Violation::NotAReply),
        ("25 x\r\n", Violation::NotAReply),
        ("2500 x\r\n", Violation::NotAReply),
        ("250 x\n", Violation::BareLineBreak),
        ("250 x\ry", Violation::BareLineBreak),
    ] {
        assert_eq!(smtp(text), (0, End::Broken(want)), "{text:?}");
    }
    assert_eq!(smtp(&format!("250 {}", "x".repeat(300))), (0, End::Broken(Violation::LineTooLong)));
    assert_eq!(smtp(&"250-x\r\n".repeat(9)), (28, End::Broken(Violation::TooManyResponses)));
    assert_eq!(smtp("250-x\r\n"), (7, End::CutOff));
}

/// Pieces of responses, right and wrong, that make interesting streams when strung together.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        Just("* "),
        Just("a1 OK "),
        Just("+ "),
        Just("1 FETCH ("),
        Just("("),
        Just(")"),
        Just("\""),
        Just("\\"),
        Just("{3}\r\n"),
        Just("{0}\r\n"),
        Just("{9+}\r\n"),
        Just("{200}\r\n"),
        Just("{x"),
        Just("\r\n"),
        Just("\r"),
        Just("\n"),
        Just("BODY[] "),
        Just("OK "),
        Just("250-x\r\n"),
        Just("220 y\r\n"),
        Just("abc"),
        Just(" "),
    ];
    proptest::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat().into_bytes())
}

proptest! {
    #[test]
    fn the_verdict_does_not_depend_on_the_pieces(
        bytes in stream(),
        cuts in proptest::collection::vec(1_usize..20, 1..20),
        smtp in any::<bool>(),
    ) {
        let protocol = if smtp { Protocol::Smtp } else { Protocol::Imap };
        let whole = read(protocol, SMALL, vec![bytes.clone()]);
        let single = read(protocol, SMALL, bytes.iter().map(|b| vec![*b]).collect());
        let mut rest = &bytes[..];
        let mut pieces = Vec::new();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, later) = rest.split_at(rest.len().min(*cut));
            pieces.push(piece.to_vec());
            rest = later;
        }
        let pieced = read(protocol, SMALL, pieces);
        prop_assert_eq!(&whole, &single);
        prop_assert_eq!(&whole, &pieced);
        prop_assert!(bytes.starts_with(&whole.0));
    }

    #[test]
    fn the_depth_is_exact(depth in 1_usize..200) {
        let text = format!("* 1 FETCH (BODYSTRUCTURE {}", "(".repeat(depth));
        let (seen, end) = read(Protocol::Imap, SMALL, vec![text.into_bytes()]);
        prop_assert!(seen.is_empty());
        prop_assert_eq!(end == End::CutOff, depth < 4);
    }
}
