//! Names of folders: modified UTF-7 (RFC 3501 §5.1.3) to text and back, and into a command.

use threadline_core::envelope::clean;

/// Longest name that is shown, in characters.
pub const MOST_NAME: usize = 500;

/// The name as a person reads it. What is no modified UTF-7 is shown as the server spelt it; control characters
/// and the marks that turn the direction of writing are shown as `\u{…}`, never as themselves.
pub fn decode(raw: &[u8]) -> String {
    let text = modified_utf7(raw).unwrap_or_else(|| String::from_utf8_lossy(raw).into_owned());
    let shown: String = text
        .chars()
        .flat_map(|c| {
            let escaped: Box<dyn Iterator<Item = char>> =
                if is_hidden(c) { Box::new(c.escape_unicode()) } else { Box::new(std::iter::once(c)) };
            escaped
        })
        .collect();
    clean(&shown, MOST_NAME)
}

/// Characters that a person does not see, or that make others appear elsewhere.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// `None` where the bytes are no modified UTF-7. UTF-8 is let through: servers send it, with and without leave.
fn modified_utf7(raw: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(raw).ok()?;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, coded)) = rest.split_once('&') {
        out.push_str(plain);
        let (coded, after) = coded.split_once('-')?;
        if coded.is_empty() {
            out.push('&');
        } else {
            out.push_str(&utf16_of(coded)?);
        }
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// The text of one shift sequence: base 64 with `,` for `/` and without padding, of UTF-16 in network order.
fn utf16_of(coded: &str) -> Option<String> {
    let mut bits: u32 = 0;
    let mut held = 0;
    let mut units: Vec<u16> = Vec::with_capacity(coded.len() * 3 / 8 + 1);
    for byte in coded.bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b',' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(digit);
        held += 6;
        if held >= 16 {
            held -= 16;
            units.push(u16::try_from((bits >> held) & 0xffff).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    if held >= 6 || bits != 0 || units.is_empty() {
        return None;
    }
    String::from_utf16(&units).ok()
}

/// A name as one quoted string of a command (RFC 9051 §4.3), from the very bytes that the server gave.
///
/// `None` for bytes that no quoted string may hold (CR, LF, NUL): a folder of such a name is never opened.
pub fn quoted(raw: &[u8]) -> Option<Vec<u8>> {
    if raw.iter().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
        return None;
    }
    let mut out = Vec::with_capacity(raw.len() + 2);
    out.push(b'"');
    for &byte in raw {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_the_world_are_read() {
        for (raw, name) in [
            ("INBOX", "INBOX"),
            ("Entw&APw-rfe", "Entwürfe"),
            ("&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-", "Отправленные"),
            ("&kAFP4W4IMH8w4TD8MOs-", "送信済みメール"),
            ("&XfJT0ZAB-", "已发送"),
            ("a&-b", "a&b"),
            ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
            ("&2D3eAA-", "😀"),
            ("Envoyés", "Envoyés"),
        ] {
            assert_eq!(decode(raw.as_bytes()), name);
        }
    }

    #[test]
    fn what_is_no_modified_utf7_is_shown_as_it_came() {
        for raw in ["&-&", "&", "a&b", "&AA-", "&AOk", "&!!!-", "&2D0-", "&AGEA-", "&//8-"] {
            assert_eq!(decode(raw.as_bytes()), raw);
        }
        assert_eq!(decode(b"\xff\xfea"), "\u{fffd}\u{fffd}a");
    }

    #[test]
    fn what_cannot_be_seen_is_shown_escaped() {
        assert_eq!(decode(b"&AAo-x"), "\\u{a}x");
        assert_eq!(decode(b"A\r\nx LOGOUT"), "A\\u{d}\\u{a}x LOGOUT");
        assert_eq!(decode("Sent\u{202e}tnes".as_bytes()), "Sent\\u{202e}tnes");
        assert_eq!(decode(b"a\0b"), "a\\u{0}b");
        assert_eq!(decode("n".repeat(4_096).as_bytes()).len(), MOST_NAME);
    }

    #[test]
    fn a_command_never_holds_a_line_break_of_a_name() {
        assert_eq!(quoted(b"A\r\nx LOGOUT"), None);
        assert_eq!(quoted(b"A\n"), None);
        assert_eq!(quoted(b"A\0"), None);
        assert_eq!(quoted(br#"a"b\c"#).unwrap(), br#""a\"b\\c""#);
        assert_eq!(quoted(b"&AAo-x").unwrap(), b"\"&AAo-x\"");
    }

    proptest! {
        #[test]
        fn any_bytes_make_a_name_without_control_characters(raw in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(!decode(&raw).chars().any(char::is_control));
            if let Some(command) = quoted(&raw) {
                prop_assert!(!command.iter().any(|b| matches!(b, b'\r' | b'\n')));
            }
        }
    }
}
