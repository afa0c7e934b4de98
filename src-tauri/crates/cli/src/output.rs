//! The one place that prints.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::io::{ErrorKind, Write};

/// A line for a person.
pub fn say(line: &str) {
    // Whoever read has enough (`threadline log | head`): that is an end, not an error.
    if let Err(error) = writeln!(std::io::stdout().lock(), "{line}")
        && error.kind() == ErrorKind::BrokenPipe
    {
        std::process::exit(0);
    }
}

/// A line beside the data: progress, warnings. Where nobody can read it, it is not told.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// "1 message", "2 messages".
pub fn count(number: u64, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

/// One JSON object on a line.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    say(&serde_json::to_string(value)?);
    Ok(())
}

/// An error for a person, or for a script.
pub fn error(text: &str, code: Option<&str>, as_json: bool) {
    if as_json {
        note(&serde_json::json!({ "error": text, "code": code }).to_string());
    } else {
        note(&format!("threadline: {text}"));
    }
}

/// Rows under a header line, each column as wide as its widest cell. Control characters, which mail and servers
/// can send, never reach the terminal.
pub fn table(header: &[&str], rows: &[Vec<String>]) {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| printable(cell, 60)).collect()).collect();
    let mut widths: Vec<usize> = header.iter().map(|h| h.chars().count()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    say(&line(&mut header.iter().copied()));
    for row in &rows {
        say(&line(&mut row.iter().map(String::as_str)));
    }
}

/// Text without control and direction characters, cut with an ellipsis.
pub fn printable(text: &str, most: usize) -> String {
    let unsafe_char = |c: char| {
        c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    let clean: String = text.chars().map(|c| if unsafe_char(c) { ' ' } else { c }).collect();
    if clean.chars().count() <= most {
        return clean;
    }
    let cut: String = clean.chars().take(most.saturating_sub(1)).collect();
    format!("{cut}…")
}

/// Local date and time to the minute.
pub fn when(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Local time of day to the second.
pub fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_sends_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\u{202e}c\r\n", 60), "a [31mb c  ");
        assert_eq!(printable("abcdef", 4), "abc…");
    }
}
