//! The status part of a delivery report (RFC 3464 §2), as servers write it.

use super::parts::fields;

/// What a report says of one recipient, in the words of the report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Block {
    pub final_recipient: Option<String>,
    pub original_recipient: Option<String>,
    pub action: Option<String>,
    pub status: Option<String>,
    pub diagnostic: Option<String>,
}

/// Most recipients of one report.
const MOST: usize = 500;

/// The recipients of a status part, in its order. A field that stands a second time begins the next recipient, whether a blank
/// line stands between or not.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut all = Vec::new();
    for group in until_the_message(text).split("\n\n") {
        let mut block = Block::default();
        for (name, value) in fields(group) {
            let again = match name.as_str() {
                "final-recipient" => block.final_recipient.is_some(),
                "action" => block.action.is_some(),
                "status" => {
                    block.status.is_some() && block.final_recipient.is_some() && block.action.is_some()
                }
                _ => false,
            };
            if again {
                all.push(std::mem::take(&mut block));
            }
            let field = match name.as_str() {
                "final-recipient" => &mut block.final_recipient,
                "original-recipient" => &mut block.original_recipient,
                "action" => &mut block.action,
                "status" => &mut block.status,
                "diagnostic-code" => &mut block.diagnostic,
                _ => continue,
            };
            if field.is_none() {
                *field = Some(value).filter(|v| !v.is_empty());
            }
        }
        all.push(block);
        if all.len() > 4 * MOST {
            break;
        }
    }
    all.retain(|block| block.final_recipient.is_some() || block.original_recipient.is_some());
    all.truncate(MOST);
    all
}

/// Without what follows where the boundary behind the part is damaged: the message that is reported on.
fn until_the_message(text: &str) -> &str {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let name = line.split(':').next().unwrap_or_default();
        let header = ["return-path", "received", "content-type", "mime-version", "message-id"];
        if line.starts_with("--") || (at > 0 && header.iter().any(|h| name.eq_ignore_ascii_case(h))) {
            return &text[..at];
        }
        at += line.len();
    }
    text
}

/// `rfc822; <ann@x> (Ann)`: without type, angle brackets and comment.
pub(super) fn address(value: &str) -> Option<String> {
    let value = match value.split_once(';') {
        Some((kind, rest)) if !kind.contains(['@', '<', '"']) => rest,
        _ => value,
    };
    let value = value.trim();
    let value = match (value.find('<'), value.rfind('>')) {
        (Some(open), Some(close)) if open < close => &value[open + 1..close],
        _ => value.split(" (").next().unwrap_or(value),
    };
    let value = value.trim().trim_matches(['<', '>']);
    (!value.is_empty() && value.len() <= 998).then(|| value.to_owned())
}

/// `5.1.1 (bad destination)`: the code alone (RFC 3463 §2).
pub(super) fn code(value: &str) -> Option<String> {
    find_code(value)
}

/// The first enhanced status code in a text.
pub(super) fn find_code(text: &str) -> Option<String> {
    let word = |c: char| !(c.is_ascii_digit() || c == '.');
    text.split(word).map(|w| w.trim_matches('.')).find(|w| is_code(w)).map(str::to_owned)
}

fn is_code(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3
        && matches!(parts[0], "2" | "4" | "5")
        && parts[1..].iter().all(|p| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
}

/// The first SMTP code of a refusal in a text (RFC 5321 §4.2): three digits that begin with 4 or 5 and stand alone.
pub(super) fn find_smtp(text: &str) -> Option<u16> {
    let bytes = text.as_bytes();
    let stands = |b: Option<&u8>| {
        b.is_none_or(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'@' | b'_' | b'/')))
    };
    (0..bytes.len().saturating_sub(2).min(4_000)).find_map(|at| {
        let three = &bytes[at..at + 3];
        let right =
            matches!(three[0], b'4' | b'5') && matches!(three[1], b'0'..=b'5') && three[2].is_ascii_digit();
        let behind = bytes.get(at + 3);
        let alone = stands(at.checked_sub(1).and_then(|i| bytes.get(i)))
            || bytes.get(at.wrapping_sub(1)) == Some(&b':');
        (right
            && alone
            && behind.is_none_or(|b| matches!(b, b' ' | b'-' | b'\n' | b',' | b';' | b')' | b':')))
        .then(|| text[at..at + 3].parse().ok())
        .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_come_with_and_without_blank_lines() {
        let text = "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; ann@x\nAction: failed\nStatus: 5.1.1\nFinal-Recipient: rfc822;bob@y\nAction: delayed\nStatus: 4.4.7 (late)\n\nStatus : 5.0.0\nFinal-Recipient : rfc/822;cy@z\n";
        let found = blocks(text);
        let addresses: Vec<_> =
            found.iter().map(|b| address(b.final_recipient.as_deref().unwrap()).unwrap()).collect();
        assert_eq!(addresses, ["ann@x", "bob@y", "cy@z"]);
        assert_eq!(found[1].action.as_deref(), Some("delayed"));
        assert_eq!(code(found[1].status.as_deref().unwrap()).as_deref(), Some("4.4.7"));
        assert_eq!(found[2].status.as_deref(), Some("5.0.0"));
    }

    #[test]
    fn addresses_and_codes_are_freed_of_what_is_around_them() {
        for (value, want) in [
            ("RFC822; <ann@x>", "ann@x"),
            ("rfc822;ann@x (Ann Lee)", "ann@x"),
            ("ann@x", "ann@x"),
            ("rfc822; @relay:ann@x", "@relay:ann@x"),
            ("LOCAL; \"|/bin/x\"", "\"|/bin/x\""),
        ] {
            assert_eq!(address(value).as_deref(), Some(want));
        }
        assert_eq!(address("rfc822;"), None);
        assert_eq!(find_code("550 5.1.1 <a@x>... User unknown"), Some("5.1.1".into()));
        assert_eq!(find_code("host 192.0.2.5 said 2.0.0.1"), None);
        assert_eq!(find_smtp("host mx[192.0.2.55] said: 550 no such user"), Some(550));
        assert_eq!(find_smtp("smtp;550-no"), Some(550));
        assert_eq!(find_smtp("port 25, 5501 and 5.5.0"), None);
    }
}
