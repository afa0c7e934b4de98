//! Text in which characters are escaped: `%41`, `=41`, `\x41`, `\u0041`, `&#65;`, and `+` for a space.

use super::{Look, TAKEN, addresses};
use std::ops::Range;

/// The line without what is private once the escapes are read.
pub(super) fn take_out(line: &str, look: &Look<'_>) -> String {
    if !line.contains(['%', '=', '\\', '&', '+']) {
        return line.to_owned();
    }
    let as_space = without_private(line, true, look);
    without_private(&as_space, false, look)
}

fn without_private(line: &str, plus_is_space: bool, look: &Look<'_>) -> String {
    let Some(read) = Decoded::read(line, plus_is_space) else { return line.to_owned() };
    let mut goes: Vec<Range<usize>> =
        look.redactor.places(&read.text).into_iter().map(|(range, _)| range).collect();
    goes.extend(addresses(&read.text));
    // What looks like a secret, or is encoded twice.
    let mut from = 0;
    for run in read.text.split_inclusive(char::is_whitespace) {
        let range = from..from + run.trim_end().len();
        from += run.len();
        if read.is_escaped(&range) && look.is_private(run) {
            goes.push(range);
        }
    }
    let mut places: Vec<Range<usize>> =
        goes.iter().filter(|range| read.is_escaped(range)).map(|range| read.source(range)).collect();
    places.sort_by_key(|range| (range.start, range.end));
    let mut whole = String::with_capacity(line.len());
    let mut from = 0;
    for place in places {
        if place.start >= from {
            whole.push_str(&line[from..place.start]);
            whole.push_str(TAKEN);
        }
        from = from.max(place.end);
    }
    whole.push_str(&line[from..]);
    whole
}

/// A line with its escapes read, and where each byte of it came from.
struct Decoded {
    text: String,
    /// For each byte of `text` the place in the line at which it begins, and the line's end.
    from: Vec<usize>,
    /// For each byte of `text` whether it was escaped.
    escaped: Vec<bool>,
}

impl Decoded {
    /// `None` where nothing is escaped.
    fn read(line: &str, plus_is_space: bool) -> Option<Self> {
        let mut bytes = Vec::with_capacity(line.len());
        let mut at = 0;
        while let Some(next) = line[at..].chars().next() {
            let (read, length, escaped) = match escape(&line[at..]) {
                Some((read, length)) => (read, length, true),
                None if plus_is_space && next == '+' => (" ".into(), 1, true),
                None => (next.to_string().into_bytes(), next.len_utf8(), false),
            };
            bytes.extend(read.into_iter().map(|byte| (byte, at, escaped)));
            at += length;
        }
        if !bytes.iter().any(|(_, _, escaped)| *escaped) {
            return None;
        }
        let raw: Vec<u8> = bytes.iter().map(|(byte, _, _)| *byte).collect();
        let mut from: Vec<usize> = bytes.iter().map(|(_, from, _)| *from).collect();
        from.push(line.len());
        let escaped = bytes.iter().map(|(_, _, escaped)| *escaped).collect();
        let mut decoded = Self { text: String::new(), from, escaped };
        for chunk in raw.utf8_chunks() {
            // A byte that is no text stands as one character, so that the places stay right.
            decoded.text.push_str(chunk.valid());
            chunk.invalid().iter().for_each(|_| decoded.text.push('?'));
        }
        Some(decoded)
    }

    fn is_escaped(&self, range: &Range<usize>) -> bool {
        self.escaped[range.clone()].iter().any(|escaped| *escaped)
    }

    fn source(&self, range: &Range<usize>) -> Range<usize> {
        self.from[range.start]..self.from[range.end]
    }
}

/// The escape at the beginning of a text, and how long it is.
fn escape(text: &str) -> Option<(Vec<u8>, usize)> {
    let number = |begin: usize, digits: usize| u32::from_str_radix(text.get(begin..begin + digits)?, 16).ok();
    let byte = |begin: usize| number(begin, 2).and_then(|n| u8::try_from(n).ok()).map(|byte| vec![byte]);
    let character = |n: u32| char::from_u32(n).map(|c| c.to_string().into_bytes());
    match text.as_bytes() {
        [b'%' | b'=', ..] => Some((byte(1)?, 3)),
        [b'\\', b'x', ..] => Some((byte(2)?, 4)),
        [b'\\', b'u', ..] => Some((character(number(2, 4)?)?, 6)),
        [b'&', b'#', ..] => {
            let end = text.find(';').filter(|end| *end <= 9)?;
            let digits = &text[2..end];
            let n = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            Some((character(n)?, end + 1))
        }
        _ => None,
    }
}
