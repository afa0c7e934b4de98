//! The parts of a message that its own HTML can name (RFC 2392), its pictures above all.

use crate::message::shallow;
use mail_parser::{MessageParser, MimeHeaders};

/// Most parts given.
pub const MOST_PARTS: usize = 200;
/// Largest part given, in bytes.
pub const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Most bytes of all parts together.
pub const MOST_BYTES_IN_ALL: usize = 16 * 1024 * 1024;

/// A part with a Content-ID.
#[derive(Clone, PartialEq, Eq)]
pub struct InlinePart {
    /// Without angle brackets.
    pub content_id: String,
    /// Decoded. Its Content-Type is not told: what it is, its bytes must show.
    pub bytes: Vec<u8>,
}

crate::debug_only!(InlinePart {});

/// The parts of a raw message (RFC 5322) that have a Content-ID, in their order. Never fails.
pub fn parts(raw: &[u8]) -> Vec<InlinePart> {
    let Some(message) = MessageParser::default().parse(&raw[..shallow(raw)]) else { return Vec::new() };
    let mut left = MOST_BYTES_IN_ALL;
    let mut found = Vec::new();
    for part in &message.parts {
        let Some(id) = part.content_id() else { continue };
        let bytes = part.contents();
        if bytes.len() > MOST_BYTES || bytes.len() > left {
            continue;
        }
        left -= bytes.len();
        found.push(InlinePart {
            content_id: id.trim().trim_matches(['<', '>']).to_owned(),
            bytes: bytes.to_vec(),
        });
        if found.len() == MOST_PARTS {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_found_by_its_id_and_decoded() {
        let raw = "Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n\
                   <img src=\"cid:logo@x\">\r\n--b\r\nContent-Type: image/png\r\nContent-ID: <logo@x>\r\n\
                   Content-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n--b--\r\n";
        let want = InlinePart { content_id: "logo@x".to_owned(), bytes: b"\x89PNG".to_vec() };
        assert!(parts(raw.as_bytes()) == [want]);
    }

    #[test]
    fn what_is_too_much_is_left_out() {
        let part = |i: usize, bytes: usize| {
            format!("--b\r\nContent-Type: image/png\r\nContent-ID: <{i}@x>\r\n\r\n{}\r\n", "x".repeat(bytes))
        };
        let head = "Content-Type: multipart/related; boundary=b\r\n\r\n";
        let many: String = (0..MOST_PARTS + 9).map(|i| part(i, 3)).collect();
        assert_eq!(parts(format!("{head}{many}--b--\r\n").as_bytes()).len(), MOST_PARTS);
        let large: String = (0..9).map(|i| part(i, 3 << 20)).chain([part(9, MOST_BYTES + 1)]).collect();
        let sizes: usize =
            parts(format!("{head}{large}--b--\r\n").as_bytes()).iter().map(|p| p.bytes.len()).sum();
        assert!(sizes <= MOST_BYTES_IN_ALL && sizes > 3 << 20, "{sizes}");
    }

    #[test]
    fn what_is_no_message_has_no_parts() {
        assert!(parts(b"").is_empty() && parts(b"\0\xff").is_empty());
    }
}
