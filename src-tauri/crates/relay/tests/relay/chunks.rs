//! A mail in chunks of a told size (RFC 3030).

use crate::kit::{ALL, Breaks, Client, Fake, World};
use threadline_relay::offers::Offers;
use threadline_relay::switch::Switch;
use threadline_relay::upstream::Outcome;
use tokio::io::{AsyncRead, AsyncWrite};

const CHUNKS: Offers = Offers { chunking: true, binary: true, ..ALL };

fn fake() -> Fake {
    Fake { offers: CHUNKS, ..Fake::new() }
}

async fn begin<S: AsyncRead + AsyncWrite + Unpin>(client: &mut Client<S>, body: &str) {
    client.expect(&format!("MAIL FROM:<ann@firm.example>{body}"), 250).await;
    client.expect("RCPT TO:<carl+log@firm.example>", 250).await;
}

async fn chunk<S: AsyncRead + AsyncWrite + Unpin>(
    client: &mut Client<S>,
    bytes: &[u8],
    last: bool,
) -> String {
    let words = if last { " LAST" } else { "" };
    client.say([format!("BDAT {}{words}\r\n", bytes.len()).as_bytes(), bytes].concat()).await;
    client.hear().await
}

#[tokio::test]
async fn it_is_offered_where_the_provider_offers_it() {
    let offered = World::new(fake()).client().await.ask("EHLO pc").await;
    assert!(offered.contains("250-CHUNKING\r\n250-BINARYMIME\r\n"), "{offered}");
    let world = World::new(Fake::new());
    let mut client = world.signed_in().await;
    begin(&mut client, "").await;
    assert!(chunk(&mut client, b"QUIT\r\n", true).await.starts_with("502"));
    // Its bytes were no command.
    client.expect("NOOP", 250).await;
    client.expect("RSET", 250).await;
    assert!(chunk(&mut client, b"QUIT\r\n", true).await.starts_with("503"));
    client.expect("MAIL FROM:<a@x> BODY=BINARYMIME", 555).await;
}

#[tokio::test]
async fn a_mail_in_chunks_passes_byte_for_byte() {
    let text = "Message-ID: <1@x>\r\nTo: carl+log@firm.example\r\nSubject: x\r\n\r\n.\r\n..\r\nno line end";
    let want = text.replace("carl+log@", "carl@");
    for size in [1, 10, 1_000] {
        let world = World::new(fake());
        let mut client = world.signed_in().await;
        begin(&mut client, "").await;
        for piece in text.as_bytes().chunks(size) {
            assert!(chunk(&mut client, piece, false).await.starts_with("250"));
        }
        assert_eq!(chunk(&mut client, b"", true).await, "250 2.0.0 .\r\n");
        client.expect("NOOP", 250).await;
        let seen = world.fake.seen();
        assert_eq!(String::from_utf8_lossy(&seen.texts[0]), want, "in pieces of {size}");
        assert_eq!(seen.told[0].1, Outcome::Accepted);
        assert_eq!(seen.kept[0].switch, Some(Switch::Log));
        assert!(seen.said.iter().any(|line| line.ends_with(" LAST")), "{:?}", seen.said);
    }
}

#[tokio::test]
async fn a_large_chunk_goes_on_in_pieces() {
    let world = World::new(fake());
    let mut client = world.signed_in().await;
    begin(&mut client, " BODY=BINARYMIME").await;
    client.expect("DATA", 503).await;
    begin(&mut client, " BODY=BINARYMIME").await;
    let head = b"Message-ID: <1@x>\r\n\r\n";
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 256) as u8).collect();
    let whole = [&head[..], &body].concat();
    client.say(format!("BDAT {} LAST\r\n", whole.len())).await;
    client.say(&whole).await;
    assert_eq!(client.hear().await, "250 2.0.0 .\r\n");
    let seen = world.fake.seen();
    assert!(seen.texts[0] == whole, "binary bytes pass, bare line ends and NULs among them");
    let pieces = seen.said.iter().filter(|line| line.starts_with("BDAT")).count();
    assert_eq!(pieces, 3, "{:?}", seen.said);
}

#[tokio::test]
async fn what_is_no_text_is_refused_unless_it_is_binary() {
    for (bytes, code) in
        [(&b"a\nb"[..], "550"), (b"a\rb", "550"), (b"a\0", "550"), (b"a\r", "550"), (b"a\r\n.\r\nb", "250")]
    {
        let world = World::new(fake());
        let mut client = world.signed_in().await;
        begin(&mut client, "").await;
        let text = [b"Message-ID: <1@x>\r\n\r\n", bytes].concat();
        let answer = chunk(&mut client, &text, true).await;
        assert!(answer.starts_with(code), "{bytes:?}: {answer}");
        assert_eq!(world.fake.seen().texts.len(), usize::from(code == "250"), "{bytes:?}");
    }
}

#[tokio::test]
async fn what_breaks_is_told_and_the_chunk_is_no_command() {
    for (breaks, words) in [(Breaks::InText, "The mail was not sent"), (Breaks::AfterDot, "not known")] {
        let world = World::new(Fake { breaks: Some(breaks), ..fake() });
        let mut client = world.signed_in().await;
        begin(&mut client, "").await;
        let answer = chunk(&mut client, b"Message-ID: <1@x>\r\n\r\nQUIT\r\n", true).await;
        assert!(answer.starts_with("451") && answer.contains(words), "{answer}");
        assert_eq!(world.fake.seen().told.len(), usize::from(breaks == Breaks::AfterDot));
        client.expect("NOOP", 250).await;
    }
    let world = World::new(fake().answering("BDAT", 452, "4.3.1 full"));
    let mut client = world.signed_in().await;
    begin(&mut client, "").await;
    let text = [b"Message-ID: <1@x>\r\n\r\n", "x".repeat(100).as_bytes()].concat();
    assert_eq!(chunk(&mut client, &text, false).await, "452 4.3.1 full\r\n");
    assert!(chunk(&mut client, b"QUIT\r\n", true).await.starts_with("503"));
    for line in ["BDAT", "BDAT x", "BDAT 1 FIRST"] {
        let mut client = world.signed_in().await;
        client.expect(line, 501).await;
        assert!(client.is_over().await, "{line}");
    }
}
