//! A part in plain text, with the charset and the line ends that it was written with.

use super::{flowed, sealed};
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, Message, MessagePart, MimeHeaders};
use std::borrow::Cow;

/// A part in plain text, as its charset and its form say.
pub(super) fn plain(message: &Message<'_>, part: &MessagePart<'_>) -> String {
    let text = right_charset(message, part, part.text_contents().unwrap_or_default());
    let attribute = |name: &str| part.content_type().and_then(|t| t.attribute(name)).unwrap_or_default();
    let text = match attribute("format").eq_ignore_ascii_case("flowed") {
        true => flowed::unflow(&text, attribute("delsp").eq_ignore_ascii_case("yes")),
        false => text,
    };
    match text.trim_start().strip_prefix("-----BEGIN PGP SIGNED MESSAGE-----") {
        Some(signed) => sealed::without_armour(signed),
        None => text,
    }
}

/// A text whose charset is not told, or not known, and that is no UTF-8, is read as Windows-1252, as mail programs do.
pub(super) fn right_charset(message: &Message<'_>, part: &MessagePart<'_>, text: &str) -> String {
    let told = part.content_type().and_then(|t| t.attribute("charset"));
    let known =
        told.is_some_and(|c| !c.eq_ignore_ascii_case("us-ascii") && charset_decoder(c.as_bytes()).is_some());
    let utf8 = told.is_some_and(|c| c.eq_ignore_ascii_case("utf-8"));
    if known || utf8 || !text.contains('\u{fffd}') {
        return text.to_owned();
    }
    let range = part.offset_body as usize..part.offset_end as usize;
    let raw = message.raw_message.get(range).unwrap_or_default();
    let bytes = match part.encoding {
        Encoding::None => Some(Cow::Borrowed(raw)),
        Encoding::Base64 => base64_decode(raw).map(Cow::Owned),
        Encoding::QuotedPrintable => quoted_printable_decode(raw).map(Cow::Owned),
    };
    match (bytes, charset_decoder(b"windows-1252")) {
        (Some(bytes), Some(decode)) => decode(&bytes),
        _ => text.to_owned(),
    }
}
