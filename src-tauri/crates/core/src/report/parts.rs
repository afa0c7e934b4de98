//! The parts of a raw message, flat: what a report is looked for in.

use crate::message::shallow;
use mail_parser::{MessageParser, MimeHeaders, PartType};
use std::borrow::Cow;

/// Most parts looked at.
const MOST_PARTS: usize = 200;
/// Most bytes looked at of one part.
const MOST_BYTES: usize = 1024 * 1024;

/// What a part is, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// For people to read, in plain text.
    Plain,
    Html,
    /// `message/delivery-status` and its kin.
    Status,
    /// The message that is reported on, or its header.
    Original,
    Calendar,
    Other,
}

/// A part and its text.
pub(super) struct Part {
    pub kind: Kind,
    pub text: String,
}

/// The message's own header, and its parts in their order. Those in a message within are not given; that message is one part,
/// raw. Line ends are LF.
pub(super) fn parts(raw: &[u8]) -> (String, Vec<Part>) {
    let raw = with_lf(&raw[..shallow(raw)]);
    let Some(message) = MessageParser::default().parse(&raw) else {
        return (text(&raw), Vec::new());
    };
    let header = message.parts.first().map_or("".into(), |part| {
        text(raw.get(part.offset_header as usize..part.offset_body as usize).unwrap_or_default())
    });
    let mut all = Vec::new();
    for part in message.parts.iter().take(MOST_PARTS) {
        let kind = kind(part.content_type());
        let text = match &part.body {
            PartType::Multipart(_) => continue,
            PartType::Message(inner) if inner.parts.is_empty() => continue,
            PartType::Message(inner) => text(inner.raw_message()),
            PartType::Text(t) | PartType::Html(t) => cut(t).to_owned(),
            PartType::Binary(b) | PartType::InlineBinary(b) if kind != Kind::Other => text(b),
            PartType::Binary(_) | PartType::InlineBinary(_) => continue,
        };
        all.push(Part { kind, text });
    }
    (header, all)
}

fn kind(content_type: Option<&mail_parser::ContentType<'_>>) -> Kind {
    let Some(content_type) = content_type else { return Kind::Plain };
    let subtype = content_type.subtype().unwrap_or_default().to_ascii_lowercase();
    match (content_type.ctype().to_ascii_lowercase().as_str(), subtype.as_str()) {
        ("message", "delivery-status" | "global-delivery-status") => Kind::Status,
        (
            "message",
            "rfc822" | "global" | "partial" | "rfc822-headers" | "global-headers" | "external-body",
        ) => Kind::Original,
        ("text", "rfc822-headers" | "rfc822-header" | "rfc822") => Kind::Original,
        ("text", "calendar") | ("application", "ics") => Kind::Calendar,
        ("text", "html") => Kind::Html,
        ("text", _) => Kind::Plain,
        _ => Kind::Other,
    }
}

/// Lines that end in CR alone, or in CR and LF, end in LF.
fn with_lf(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.contains(&b'\r') {
        return Cow::Borrowed(raw);
    }
    let mut all = Vec::with_capacity(raw.len());
    for (at, b) in raw.iter().enumerate() {
        match b {
            b'\r' if raw.get(at + 1) == Some(&b'\n') => {}
            b'\r' => all.push(b'\n'),
            other => all.push(*other),
        }
    }
    Cow::Owned(all)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(MOST_BYTES)]).into_owned()
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MOST_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The fields of a header or of a status part, unfolded: name in lower case, and value. White space in front of the colon is
/// passed over, and so are lines that are no field.
pub(super) fn fields(text: &str) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = all.last_mut().filter(|(_, value)| open && value.len() < 16 * 1024) {
                value.push(' ');
                value.push_str(line.trim());
            }
            continue;
        }
        open = false;
        let Some((name, value)) = line.split_once(':') else { continue };
        let name = name.trim_end();
        if !name.is_empty()
            && name.len() <= 80
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        {
            all.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            open = true;
        }
    }
    all
}

/// The first value of a field.
pub(super) fn value<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
}
