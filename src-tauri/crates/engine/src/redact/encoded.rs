//! Private text that is written in another way: base64, escapes, hexadecimal digits, decimal bytes.

mod escapes;

use super::{Redactor, is_edge};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What stands in the place of what was taken out.
const TAKEN: &str = "<encoded>";
/// Shorter texts hold no word that is private.
const SHORTEST: usize = 3;
/// From so many readable characters on, the look of a secret counts in what a run decodes to; shorter ones look like
/// anything by chance.
const TELLING: usize = 12;
/// So many decimal bytes in a row help nobody.
const MOST_BYTES: usize = 16;
/// Codes within codes are looked through to this depth.
const DEPTH: usize = 2;

/// The text without what decodes to something private.
pub(super) fn take_out(text: &str, redactor: &Redactor, depth: usize) -> String {
    if depth == DEPTH {
        return text.to_owned();
    }
    let look = Look { redactor, depth };
    let text = lists(text, &look);
    let text = text.split('\n').map(|line| escapes::take_out(line, &look)).collect::<Vec<_>>().join("\n");
    let text = runs(&text, |c| c.is_ascii_hexdigit(), &|run| look.any(&hex(run)));
    runs(&text, |c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_'), &|run| {
        look.any(&base64(run))
    })
}

/// Whether what was decoded is private.
struct Look<'a> {
    redactor: &'a Redactor,
    depth: usize,
}

impl Look<'_> {
    fn is_private(&self, decoded: &str) -> bool {
        if decoded.len() < SHORTEST {
            return false;
        }
        if !self.redactor.places(decoded).is_empty() || addresses(decoded).next().is_some() {
            return true;
        }
        let readable =
            decoded.len() >= TELLING && !decoded.chars().any(|c| c.is_control() || c == '\u{fffd}');
        (readable && decoded.split('\n').map(super::line).any(|line| line.contains("<secret>")))
            || take_out(decoded, self.redactor, self.depth + 1) != decoded
    }

    fn any(&self, decoded: &[String]) -> bool {
        decoded.iter().any(|decoded| self.is_private(decoded))
    }
}

/// Where addresses stand: a name, an `@` and a domain with a dot.
fn addresses(text: &str) -> impl Iterator<Item = std::ops::Range<usize>> {
    text.match_indices('@').filter_map(|(at, _)| {
        let is_part = |c: char| !is_edge(c) && !c.is_control() && c != '@';
        let name: usize = text[..at].chars().rev().take_while(|c| is_part(*c)).map(char::len_utf8).sum();
        let domain: usize = text[at + 1..]
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-'))
            .map(char::len_utf8)
            .sum();
        let (_, top) = text[at + 1..at + 1 + domain].trim_end_matches('.').rsplit_once('.')?;
        let is_address = name > 0 && top.chars().count() >= 2 && top.chars().all(char::is_alphanumeric);
        is_address.then_some(at - name..at + 1 + domain)
    })
}

/// Replaces each run of such characters that is to go.
fn runs(text: &str, belongs: impl Fn(char) -> bool, goes: &dyn Fn(&str) -> bool) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        whole.push_str(if run.len() > SHORTEST && goes(run) { TAKEN } else { run });
        let edge = behind.find(&belongs).unwrap_or(behind.len());
        whole.push_str(&behind[..edge]);
        rest = &behind[edge..];
    }
    whole
}

/// What a run of digits may stand for, from each of the two places at which a byte can begin.
fn hex(run: &str) -> Vec<String> {
    let from = |begin: usize| {
        let digits = run.get(begin..)?;
        let byte = |at: usize| u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok();
        Some(readable(&(0..digits.len() / 2).map_while(byte).collect::<Vec<u8>>()))
    };
    (0..2).filter_map(from).collect()
}

/// What a run may stand for, from each of the four places at which a group can begin. Both alphabets are one.
fn base64(run: &str) -> Vec<String> {
    let run: String = run
        .chars()
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    let from = |begin: usize| {
        let part = run.get(begin..)?;
        // One character of a group alone is no byte.
        let part = if part.len() % 4 == 1 { &part[..part.len() - 1] } else { part };
        BASE64.decode(part).ok().map(|bytes| readable(&bytes))
    };
    (0..4).filter_map(from).collect()
}

/// Text; SASL separates its parts by NUL.
fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', " ")
}

/// Lists such as `[72, 105]` or `48:69`.
fn lists(text: &str, look: &Look<'_>) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    let mut within_word = false;
    while let Some(first) = rest.chars().next() {
        let list =
            (first.is_ascii_hexdigit() && !within_word).then(|| list(rest)).filter(|list| list.goes(look));
        let length = match list {
            Some(list) => {
                whole.push_str(TAKEN);
                list.length
            }
            None => {
                whole.push(first);
                first.len_utf8()
            }
        };
        within_word = first.is_alphanumeric();
        rest = &rest[length..];
    }
    whole
}

/// A list at the beginning of a text, read as decimal numbers and as hexadecimal ones.
struct List {
    decimal: Vec<u8>,
    hex: Vec<u8>,
    length: usize,
}

impl List {
    fn goes(&self, look: &Look<'_>) -> bool {
        self.decimal.len() >= MOST_BYTES
            || [&self.decimal, &self.hex]
                .iter()
                .any(|bytes| bytes.len() > 1 && look.is_private(&readable(bytes)))
    }
}

fn list(text: &str) -> List {
    let mut list = List { decimal: Vec::new(), hex: Vec::new(), length: 0 };
    let (mut decimal, mut hex) = (true, true);
    let mut at = 0;
    loop {
        let length = text[at..].bytes().take_while(u8::is_ascii_alphanumeric).count();
        let item = &text[at..at + length];
        let digits = item.strip_prefix("0x").unwrap_or(item);
        let as_decimal = item.parse::<u8>().ok().filter(|_| decimal);
        let as_hex = u8::from_str_radix(digits, 16).ok().filter(|_| hex && digits.len() == 2);
        (decimal, hex) = (as_decimal.is_some(), as_hex.is_some());
        if !decimal && !hex {
            return list;
        }
        list.decimal.extend(as_decimal);
        list.hex.extend(as_hex);
        list.length = at + length;
        let gap =
            text[list.length..].bytes().take_while(|b| matches!(b, b',' | b' ' | b';' | b':' | b'-')).count();
        if !(1..=2).contains(&gap) {
            return list;
        }
        at = list.length + gap;
    }
}
