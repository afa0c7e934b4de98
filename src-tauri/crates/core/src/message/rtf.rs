//! Compressed RTF ([MS-OXRTFCP]) and what can be read of it: the HTML that it was made of ([MS-OXRTFEX]), or its words.

/// What is in the dictionary before anything was read ([MS-OXRTFCP] §2.1.2.1).
const DICTIONARY: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
/// Most bytes that are unpacked.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// Deepest groups that are told apart.
const MOST_DEPTH: usize = 200;

/// Unpacks it. `None` where it is not in this form; what is damaged ends where the damage begins.
pub(super) fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    let word = |at: usize| bytes.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let (size, kind) = (word(4)? as usize, word(8)?);
    let body = bytes.get(16..)?;
    match kind {
        0x414c_454d => return Some(body[..body.len().min(size).min(MOST_BYTES)].to_vec()),
        0x7546_5a4c => {}
        _ => return None,
    }
    let mut ring = vec![b' '; 4096];
    ring[..DICTIONARY.len()].copy_from_slice(DICTIONARY);
    let (mut write, mut at) = (DICTIONARY.len(), 0);
    let mut all = Vec::new();
    let most = size.min(MOST_BYTES);
    while let Some(control) = body.get(at) {
        at += 1;
        for bit in 0..8 {
            if all.len() >= most {
                return Some(all);
            }
            if control >> bit & 1 == 0 {
                let Some(byte) = body.get(at) else { return Some(all) };
                all.push(*byte);
                ring[write] = *byte;
                write = (write + 1) % 4096;
                at += 1;
                continue;
            }
            let Some(pair) = body.get(at..at + 2) else { return Some(all) };
            at += 2;
            let reference = u16::from_be_bytes([pair[0], pair[1]]);
            let (offset, length) = (usize::from(reference >> 4), usize::from(reference & 15) + 2);
            if offset == write {
                return Some(all);
            }
            for i in 0..length {
                let byte = ring[(offset + i) % 4096];
                all.push(byte);
                ring[write] = byte;
                write = (write + 1) % 4096;
            }
        }
    }
    Some(all)
}

/// What RTF says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Words {
    Html(String),
    Text(String),
}

/// Groups whose words are not for people.
const HIDDEN: &[&str] = &[
    "fonttbl",
    "colortbl",
    "stylesheet",
    "info",
    "pict",
    "object",
    "header",
    "footer",
    "themedata",
    "listtable",
    "listoverridetable",
    "rsidtbl",
    "generator",
    "xmlnstbl",
    "datastore",
    "latentstyles",
    "mmathpr",
];

#[derive(Clone, Copy, Default)]
struct Group {
    hidden: bool,
    /// A piece of the HTML that the text was made of.
    tag: bool,
    /// RTF that stands for HTML and is not to be read.
    instead: bool,
    /// How many characters stand behind `\u` for programs that do not know it.
    skip: usize,
}

/// Reads the words of RTF.
pub(super) fn words(rtf: &[u8], decode: impl Fn(&[u8]) -> String) -> Words {
    let html = rtf.get(..1_000).unwrap_or(rtf).windows(9).any(|w| w == b"\\fromhtml");
    let mut out = String::new();
    // Bytes of one charset, not decoded yet.
    let mut bytes: Vec<u8> = Vec::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut too_deep = 0usize;
    let mut now = Group { skip: 1, ..Group::default() };
    let mut pending = 0;
    let mut at = 0;
    while let Some(byte) = rtf.get(at) {
        at += 1;
        match byte {
            b'{' if groups.len() < MOST_DEPTH => groups.push(now),
            b'{' => too_deep += 1,
            b'}' if too_deep > 0 => too_deep -= 1,
            b'}' => now = groups.pop().unwrap_or(now),
            b'\r' | b'\n' => {}
            b'\\' => {
                let Some(next) = rtf.get(at) else { break };
                if next.is_ascii_alphabetic() {
                    let end = rtf[at..]
                        .iter()
                        .take(40)
                        .position(|b| !b.is_ascii_alphabetic())
                        .map_or(rtf.len(), |i| at + i);
                    let name = std::str::from_utf8(&rtf[at..end]).unwrap_or_default();
                    let number_end = rtf[end..]
                        .iter()
                        .take(12)
                        .position(|b| !(b.is_ascii_digit() || *b == b'-'))
                        .map_or(rtf.len(), |i| end + i);
                    let number: Option<i64> =
                        std::str::from_utf8(&rtf[end..number_end]).ok().and_then(|n| n.parse().ok());
                    at = number_end + usize::from(rtf.get(number_end) == Some(&b' '));
                    let unicode = (name == "u").then_some(number).flatten();
                    if let Some(code) = unicode {
                        let code = if code < 0 { code + 65_536 } else { code };
                        if shown(&now, html) {
                            flush(&mut bytes, &mut out, &decode);
                            push(
                                &mut out,
                                char::from_u32(u32::try_from(code).unwrap_or(0)).unwrap_or('\u{fffd}'),
                                html && !now.tag,
                            );
                        }
                        pending = now.skip;
                        continue;
                    }
                    match name {
                        "htmltag" => now.tag = true,
                        "htmlrtf" => now.instead = number != Some(0),
                        "mhtmltag" => now.hidden = true,
                        "uc" => now.skip = usize::try_from(number.unwrap_or(1)).unwrap_or(1).min(8),
                        "par" | "line" | "row" | "page" | "sect" if shown(&now, html) => bytes.push(b'\n'),
                        "tab" | "cell" if shown(&now, html) => bytes.push(b'\t'),
                        "lquote" | "rquote" if shown(&now, html) => bytes.push(b'\''),
                        "ldblquote" | "rdblquote" if shown(&now, html) => bytes.push(b'"'),
                        "emdash" | "endash" | "bullet" if shown(&now, html) => bytes.push(b'-'),
                        "bin" => at = at.saturating_add(usize::try_from(number.unwrap_or(0)).unwrap_or(0)),
                        _ if HIDDEN.contains(&name) => now.hidden = true,
                        _ => {}
                    }
                } else {
                    at += 1;
                    match next {
                        b'\'' => {
                            let hex = rtf
                                .get(at..at + 2)
                                .and_then(|h| std::str::from_utf8(h).ok())
                                .and_then(|h| u8::from_str_radix(h, 16).ok());
                            at += 2;
                            if pending > 0 {
                                pending -= 1;
                            } else if let Some(hex) = hex
                                && shown(&now, html)
                            {
                                bytes.push(hex);
                            }
                        }
                        b'*' => now.hidden |= !next_is_tag(&rtf[at.min(rtf.len())..]),
                        b'~' if shown(&now, html) => bytes.push(b' '),
                        b'\\' | b'{' | b'}' if shown(&now, html) => bytes.push(*next),
                        _ => {}
                    }
                }
            }
            _ if pending > 0 => pending -= 1,
            other if shown(&now, html) => match (other, html && !now.tag) {
                (b'<', true) => bytes.extend(b"&lt;"),
                (b'&', true) => bytes.extend(b"&amp;"),
                _ => bytes.push(*other),
            },
            _ => {}
        }
    }
    flush(&mut bytes, &mut out, &decode);
    if html { Words::Html(out) } else { Words::Text(out) }
}

fn shown(group: &Group, html: bool) -> bool {
    !group.hidden && (group.tag || !(html && group.instead))
}

/// `\*\htmltag`: the one group of this kind that is read.
fn next_is_tag(rest: &[u8]) -> bool {
    rest.trim_ascii_start().starts_with(b"\\htmltag")
}

fn flush(bytes: &mut Vec<u8>, out: &mut String, decode: &impl Fn(&[u8]) -> String) {
    if !bytes.is_empty() {
        out.push_str(&decode(bytes));
        bytes.clear();
    }
}

fn push(out: &mut String, c: char, escape: bool) {
    match c {
        '<' if escape => out.push_str("&lt;"),
        '&' if escape => out.push_str("&amp;"),
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(rtf: &str) -> Words {
        words(rtf.as_bytes(), |b| b.iter().map(|b| char::from(*b)).collect())
    }

    #[test]
    fn words_are_read_without_what_describes_them() {
        let rtf = "{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}{\\*\\generator x;}\\f0 Gr\\'fc\\'dfe,\\par \\u8364?5 \\{a\\}\\par}";
        assert_eq!(read(rtf), Words::Text("Grüße,\n€5 {a}\n".into()));
    }

    #[test]
    fn the_html_that_was_wrapped_comes_out() {
        let rtf = "{\\rtf1\\ansi\\fromhtml1 {\\*\\htmltag64 <p>}\\htmlrtf {\\f0 \\htmlrtf0 A < B\\htmlrtf\\par}\\htmlrtf0 {\\*\\htmltag72 </p>}}";
        assert_eq!(read(rtf), Words::Html("<p>A &lt; B</p>".into()));
    }

    #[test]
    fn the_example_of_the_specification_is_unpacked() {
        // [MS-OXRTFCP] §3.1.1.
        let packed = [
            0x2d, 0, 0, 0, 0x2b, 0, 0, 0, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0, 0x0a, 0,
            0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09,
            0, 0x20, 0x62, 0x77, 0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
        ];
        assert_eq!(unpack(&packed).unwrap(), b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        assert_eq!(unpack(b"short"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(rtf in "(\\{|\\}|\\\\u8364|\\\\'e4|\\\\htmltag|\\\\\\*|\\\\bin9|\\\\htmlrtf|a|<| ){0,80}", bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            read(&rtf);
            words(&bytes, |b| String::from_utf8_lossy(b).into_owned());
            unpack(&bytes);
            unpack(&[&[0, 0, 0, 0, 255, 255, 255, 255, 0x4c, 0x5a, 0x46, 0x75, 0, 0, 0, 0][..], &bytes].concat());
        }
    }
}
