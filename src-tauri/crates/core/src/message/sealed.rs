//! Messages that are signed or encrypted as a whole.

use super::{cms, shallow};
use mail_parser::{ContentType, Message, MessageParser, MessagePart, MimeHeaders};
use std::borrow::Cow;

/// Most signed messages that are opened one in the other.
const MOST_SIGNED: usize = 3;

/// The message inside a message that is signed as a whole, else the message itself.
pub(super) fn opened(raw: &[u8]) -> Cow<'_, [u8]> {
    let mut raw = Cow::Borrowed(raw);
    for _ in 0..MOST_SIGNED {
        let sealed = MessageParser::default()
            .parse_headers(&raw)
            .is_some_and(|m| m.parts.first().is_some_and(is_pkcs7));
        let whole = if sealed { MessageParser::default().parse(&raw[..shallow(&raw)]) } else { None };
        let inside = whole.and_then(|message| cms::signed_content(message.parts.first()?.contents()));
        match inside {
            Some(inside) => raw = Cow::Owned(inside),
            None => break,
        }
    }
    raw
}

fn is_pkcs7(part: &MessagePart<'_>) -> bool {
    part.content_type().is_some_and(|t| {
        let subtype = t.subtype().unwrap_or_default();
        t.ctype().eq_ignore_ascii_case("application")
            && ["pkcs7-mime", "x-pkcs7-mime"].iter().any(|s| subtype.eq_ignore_ascii_case(s))
    })
}

/// Whether only the recipient can read it: S/MIME (RFC 8551), PGP (RFC 3156, or in the text), Microsoft's rights management.
pub(super) fn is_encrypted(message: &Message<'_>) -> bool {
    let Some(first) = message.parts.first() else { return false };
    let type_is = |part: &MessagePart<'_>, kind: &str, subtype: &str| {
        part.content_type().is_some_and(|t: &ContentType<'_>| {
            t.ctype().eq_ignore_ascii_case(kind)
                && t.subtype().is_some_and(|s| s.eq_ignore_ascii_case(subtype))
        })
    };
    let armoured = || {
        let text = first.text_contents().unwrap_or_default().trim_start();
        text.starts_with("-----BEGIN PGP MESSAGE-----")
    };
    let signed = |t: &ContentType<'_>| {
        t.attribute("smime-type")
            .is_some_and(|kind| ["signed-data", "certs-only"].iter().any(|k| kind.eq_ignore_ascii_case(k)))
    };
    (is_pkcs7(first) && !first.content_type().is_some_and(signed))
        || type_is(first, "multipart", "encrypted")
        || message.parts.iter().take(10).any(|part| type_is(part, "application", "x-microsoft-rpmsg-message"))
        || armoured()
}

/// The text of a message that is signed in its text (RFC 9580 §7).
pub(super) fn without_armour(signed: &str) -> String {
    let text = signed.split("-----BEGIN PGP SIGNATURE-----").next().unwrap_or_default();
    let mut lines = text.lines().skip(1).skip_while(|line| !line.trim().is_empty());
    lines.next();
    let lines: Vec<&str> = lines.map(|line| line.strip_prefix("- ").unwrap_or(line)).collect();
    lines.join("\n")
}
