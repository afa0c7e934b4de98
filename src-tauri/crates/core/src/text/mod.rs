//! What can be read out of the plain text of a mail: who wrote the mail that it forwards, and which of it is new.
//!
//! Mail programs write for people and not for programs; the tables in [`fields`] and [`marks`] say how, in the languages that
//! they speak. What is not understood is `None`. Everything here takes time that grows with the text and no faster.

mod attribution;
mod block;
mod fields;
pub mod forward;
pub mod html;
mod marks;
mod people;
pub mod reply;
pub mod when;

use fields::blank;

/// Most text that is looked at, in bytes.
pub const MOST_BYTES: usize = crate::message::MOST_TEXT;

/// A line of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line<'a> {
    /// As it stands, without its end.
    raw: &'a str,
    /// How many `>` stand in front of it.
    depth: usize,
    /// What stands behind these, without one space.
    text: &'a str,
}

impl<'a> Line<'a> {
    fn new(raw: &'a str) -> Self {
        let raw = raw.strip_suffix('\r').unwrap_or(raw);
        let mut text = raw;
        let mut depth = 0;
        loop {
            let ahead = text.trim_start_matches([' ', '\t', '\u{feff}']);
            match ahead.strip_prefix('>') {
                // `>From` at the beginning of a line is how mailboxes in files keep `From`.
                Some(rest) if text.len() - ahead.len() <= 4 => (text, depth) = (rest, depth + 1),
                _ => break,
            }
        }
        let text = if depth > 0 { text.strip_prefix(' ').unwrap_or(text) } else { text };
        Self { raw, depth, text }
    }

    fn is_blank(&self) -> bool {
        self.text.chars().all(blank)
    }
}

/// The lines of a text.
fn lines(text: &str) -> Vec<Line<'_>> {
    let text = &text[..fields::floor(text, MOST_BYTES)];
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.split('\n').map(Line::new).collect()
}

/// The first line from `from` on that is not blank.
fn next_text(lines: &[Line<'_>], from: usize) -> Option<usize> {
    (from..lines.len()).take(MOST_BLANK).find(|i| !lines[*i].is_blank())
}

/// Most blank lines that are passed over in search of the next one.
const MOST_BLANK: usize = 12;
