//! A header that a mail program wrote into a text.

use super::fields::{Field, blank, field, fields_in_line};
use super::people::people;
use super::{Line, next_text};

/// Most lines of one header.
const MOST_LINES: usize = 60;
/// Longest value kept, in bytes.
const MOST_VALUE: usize = 64 * 1024;

/// A header in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Block {
    values: Vec<(Field, String)>,
    /// The first line behind it.
    pub end: usize,
    /// It stood behind quote marks.
    pub quoted: bool,
}

impl Block {
    /// Reads the header that begins at a line. Blank lines between its fields are passed over.
    pub fn read(lines: &[Line<'_>], start: usize) -> Option<Self> {
        let first = lines.get(start)?;
        field(first.text)?;
        let mut block = Self { end: start, quoted: first.depth > 0, ..Self::default() };
        let mut at = start;
        while at < lines.len() && at < start + MOST_LINES {
            let line = &lines[at];
            if line.is_blank() {
                // A program that puts each field into a paragraph.
                match next_text(lines, at)
                    .filter(|next| next - at <= 2)
                    .and_then(|next| Some((next, field(lines[next].text)?.0)))
                {
                    Some((next, name)) if !block.is_complete() && !block.has(name) => at = next,
                    _ => break,
                }
                continue;
            }
            match field(line.text) {
                Some((name, value)) if name == Field::Other || !block.has(name) => {
                    block.values.push((name, value.to_owned()));
                }
                None if block.goes_on(line) || goes_on_to_a_field(lines, at, &block) => {
                    if let Some((_, value)) = block.values.last_mut()
                        && value.len() < MOST_VALUE
                    {
                        value.push(' ');
                        value.push_str(line.text.trim_matches(blank));
                    }
                }
                _ => break,
            }
            at += 1;
            block.end = at;
        }
        block.is_one().then_some(block)
    }

    /// Reads a header that stands in one line.
    pub fn read_line(line: &str) -> Option<Self> {
        let values = fields_in_line(line).into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        let block = Self { values, ..Self::default() };
        block.is_one().then_some(block)
    }

    fn has(&self, name: Field) -> bool {
        self.values.iter().any(|(n, _)| *n == name)
    }

    /// Nothing is missing any more.
    fn is_complete(&self) -> bool {
        [Field::From, Field::To, Field::Date, Field::Subject].iter().all(|name| self.has(*name))
    }

    /// How much speaks for a header: words such as "To:" stand in other texts too.
    fn is_one(&self) -> bool {
        let names = [Field::From, Field::To, Field::Date, Field::Subject, Field::Cc];
        let known = names.iter().filter(|name| self.has(**name)).count();
        let addressed = |name| self.value(name).is_some_and(|v| v.contains('@'));
        let dated =
            self.value(Field::Date).is_some_and(|v| v.chars().filter(char::is_ascii_digit).count() >= 3);
        match (self.has(Field::From), known) {
            (true, 3..) => true,
            (true, 2) => {
                (addressed(Field::From) && (dated || self.has(Field::Subject)))
                    || (dated && self.has(Field::Subject))
            }
            (false, 2..) => dated && addressed(Field::To),
            _ => false,
        }
    }

    /// The line before does not end where it is cut.
    fn goes_on(&self, line: &Line<'_>) -> bool {
        let Some((name, value)) = self.values.last() else { return false };
        match name {
            Field::From | Field::To | Field::Cc => {
                let opened =
                    |open: char, close: char| value.matches(open).count() > value.matches(close).count();
                let tail = &value[value
                    .len()
                    .saturating_sub(2_000)
                    .min(super::fields::floor(value, value.len().saturating_sub(2_000)))..];
                tail.trim_end().ends_with([',', ';', '，', '；'])
                    || (value.len() < 2_000 && (opened('<', '>') || opened('[', ']') || opened('(', ')')))
                    || (value.is_empty() && line.text.contains('@'))
                    || (line.text.starts_with([' ', '\t']) && line.text.contains('@'))
            }
            Field::Date | Field::Subject => value.is_empty() && line.text.starts_with(['\t', ' ']),
            Field::Other => line.text.starts_with([' ', '\t']),
        }
    }

    /// The value of a field, where it is there and not empty.
    pub fn value(&self, name: Field) -> Option<&str> {
        self.values.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    pub fn people(&self, name: Field) -> Vec<crate::address::Mailbox> {
        self.value(name).map(people).unwrap_or_default()
    }
}

/// A subject over several lines, which a further field shows.
fn goes_on_to_a_field(lines: &[Line<'_>], at: usize, block: &Block) -> bool {
    matches!(block.values.last(), Some((Field::Subject | Field::From | Field::To | Field::Cc, _)))
        && !block.is_complete()
        && lines[at + 1..]
            .iter()
            .take(2)
            .take_while(|line| !line.is_blank())
            .any(|line| field(line.text).is_some_and(|(name, _)| name != Field::Other && !block.has(name)))
}

#[cfg(test)]
mod tests {
    use super::super::lines;
    use super::*;

    fn read(text: &str) -> Option<Block> {
        Block::read(&lines(text), 0)
    }

    #[test]
    fn a_header_ends_where_the_text_begins() {
        let block = read("From: Ann <ann@x>\nSent: Monday, 2 May 2022 10:00\nTo: Bob <bob@y>;\n Cy <cy@z>\nSubject: Two\nOne: more").unwrap();
        assert_eq!(block.end, 5);
        assert_eq!(block.value(Field::Subject), Some("Two"));
        assert_eq!(block.people(Field::To).len(), 2);
    }

    #[test]
    fn paragraphs_and_lines_that_are_cut_are_read() {
        let block = read("*From:* bob@x [mailto:\nbob@x]\n\n*Sent:* Wednesday, June 27, 2012 3:05 PM\n\n*To:* ann@y\n\n*Subject:* Hello\n\nTo: do").unwrap();
        assert_eq!(block.value(Field::From), Some("bob@x [mailto: bob@x]"));
        assert_eq!(block.value(Field::To), Some("ann@y"));
        assert_eq!(block.end, 8);
        let block =
            read("From: bob@x\nDate: Tue, Sep 4, 2012 at 1:35 PM\nSubject: Two\nline subject\nTo: rob@x\n")
                .unwrap();
        assert_eq!(block.value(Field::Subject), Some("Two line subject"));
    }

    #[test]
    fn what_looks_alike_is_none() {
        for text in [
            "Date: Wednesday 3, October 2011\nTime: 7:00am\nAddress: 130 Fox St\n",
            "To: do\nFrom: memory\n",
            "An: alle\nBetreff: Grillfest\n",
            "Subject: x\nHello",
            "From: here\nTo: there\n",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
