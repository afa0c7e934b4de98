//! The people in a line that a mail program wrote for people to read.

use super::fields::blank;
use crate::address::{Address, Mailbox};
use crate::envelope::clean;

/// Most people taken from one line.
pub const MOST_PEOPLE: usize = 500;
/// Longest name kept, in characters.
const MOST_NAME: usize = 200;

/// Everybody with an address: `Ann <ann@x>`, `Doe, Ann <ann@x>`, `Ann [mailto:ann@x]`, `Ann (ann@x)`, `ann@x`, each with
/// what mail programs put between. A name alone is nobody.
pub(super) fn people(line: &str) -> Vec<Mailbox> {
    let mut reader = Reader { found: Vec::new(), name: String::new() };
    let mut quoted = false;
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if reader.found.len() == MOST_PEOPLE {
            break;
        }
        match c {
            '"' => {
                quoted = !quoted;
                reader.name.push(c);
            }
            '<' | '[' | '(' => {
                let address = bracket(rest, c).and_then(|(inner, behind)| Some((address_in(inner)?, behind)));
                if let Some((address, behind)) = address {
                    reader.take(address);
                    quoted = false;
                    rest = behind;
                    continue;
                }
                reader.name.push(c);
            }
            ',' | ';' | '；' | '，' | '、' if !quoted => reader.separate(c),
            _ => reader.name.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    reader.separate(';');
    reader.found
}

struct Reader {
    found: Vec<Mailbox>,
    /// What stood since the last address.
    name: String,
}

impl Reader {
    /// An address in brackets, behind a name.
    fn take(&mut self, address: Address) {
        let name = std::mem::take(&mut self.name);
        let name = plain_name(&name);
        // The same address once more, as a link to itself.
        if let Some(last) = self.found.last_mut()
            && last.address == address
        {
            if last.name.is_none() && name.as_deref().is_some_and(|n| n != address.as_str()) {
                last.name = name.filter(|n| Address::parse(n).is_err());
            }
            return;
        }
        let name = name.filter(|n| Address::parse(n).is_err());
        self.found.push(Mailbox::new(name, address));
    }

    /// A comma can stand in a name; an address in front of it ends there.
    fn separate(&mut self, c: char) {
        let last = self.name.rfind(',').map_or(self.name.as_str(), |at| &self.name[at + 1..]);
        if let Some(address) = bare(last) {
            // A name in front of it, with a comma between, had no address.
            self.name.clear();
            if self.found.last().is_none_or(|last| last.address != address) {
                self.found.push(Mailbox::new(None, address));
            }
        } else if c == ',' || c == '，' || c == '、' {
            if !self.name.trim().is_empty() && self.name.len() < 1_000 {
                self.name.push(',');
            } else {
                self.name.clear();
            }
        } else {
            self.name.clear();
        }
    }
}

/// What stands in a bracket that begins the text, and what stands behind the bracket. Brackets can lie in each other.
fn bracket(text: &str, open: char) -> Option<(&str, &str)> {
    let close = match open {
        '<' => '>',
        '[' => ']',
        _ => ')',
    };
    let mut depth = 0;
    for (at, c) in text.char_indices().take(600) {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return Some((&text[1..at], &text[at + 1..]));
            }
        }
    }
    None
}

/// The address in a bracket: `ann@x`, `mailto:ann@x`, `ann@x<mailto:ann@x>`, `mailto:ann@x?subject=…`.
fn address_in(inner: &str) -> Option<Address> {
    let first = inner
        .split(['<', '[', '?'])
        .map(|p| p.trim_matches(|c| blank(c) || matches!(c, '>' | ']')))
        .find(|p| !p.is_empty())?;
    bare(first)
}

/// An address without anything around it.
fn bare(text: &str) -> Option<Address> {
    let text = text.trim_matches(|c| {
        blank(c) || matches!(c, '"' | '\'' | '“' | '”' | '„' | '*' | '<' | '>' | '.' | ':')
    });
    let text = text
        .strip_prefix("mailto:")
        .or_else(|| text.strip_prefix("MAILTO:"))
        .or_else(|| text.strip_prefix("smtp:"))
        .unwrap_or(text);
    if !text.contains('@')
        || text.contains(['<', '>', ',', ';', '(', ')', '[', ']', '"'])
        || text.contains("://")
    {
        return None;
    }
    Address::parse(text).ok()
}

/// A name without quotation marks, commas around it and the words that programs put in front of it.
fn plain_name(text: &str) -> Option<String> {
    let outer = |c: char| blank(c) || matches!(c, ',' | ';' | '*');
    let marks = |c: char| matches!(c, '"' | '\'' | '“' | '”' | '„' | '«' | '»' | '‘' | '’' | '‚' | '‹' | '›');
    let text = text.trim_matches(outer);
    let inner = text.trim_matches(|c| marks(c) || outer(c));
    // An apostrophe at the end of a name is no quotation mark.
    let text = if text.starts_with(marks) { inner } else { text.trim_end_matches('"').trim_end() };
    let text = clean(&text.replace('\\', ""), MOST_NAME);
    let name: Vec<&str> = text.split_whitespace().collect();
    (!name.is_empty()).then(|| name.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(line: &str) -> Vec<(String, String)> {
        people(line).into_iter().map(|m| (m.name.unwrap_or_default(), m.address.to_string())).collect()
    }

    fn is(line: &str, want: &[(&str, &str)]) {
        let want: Vec<(String, String)> =
            want.iter().map(|(n, a)| ((*n).to_owned(), (*a).to_owned())).collect();
        assert_eq!(read(line), want, "{line}");
    }

    #[test]
    fn one_person_in_many_forms() {
        for line in [
            "Ann Lee <ann@x.org>",
            "\"Ann Lee\" <ann@x.org>",
            "„Ann Lee” <ann@x.org>",
            "Ann Lee [mailto:ann@x.org]",
            "Ann Lee (ann@x.org)",
            "Ann Lee<mailto:ann@x.org>",
            "Ann Lee <ann@x.org<mailto:ann@x.org>>",
            "Ann Lee<mailto:ann@x.org> <ann@x.org<mailto:ann@x.org>>",
            "*Ann Lee* <ann@x.org>;",
        ] {
            is(line, &[("Ann Lee", "ann@x.org")]);
        }
        is("ann@x.org", &[("", "ann@x.org")]);
        is("<ann@x.org>", &[("", "ann@x.org")]);
        is("ann@x.org <ann@x.org>", &[("", "ann@x.org")]);
        is("'ann@x.org' <ann@x.org>", &[("", "ann@x.org")]);
        is("ann@x.org<mailto:ann@x.org>", &[("", "ann@x.org")]);
    }

    #[test]
    fn several_people_with_commas_in_their_names() {
        is(
            "Lee, Ann <ann@x>, bob@y, Roe, Cy<cy@z>",
            &[("Lee, Ann", "ann@x"), ("", "bob@y"), ("Roe, Cy", "cy@z")],
        );
        is("Lee, Ann <ann@x>; Bob <bob@y>", &[("Lee, Ann", "ann@x"), ("Bob", "bob@y")]);
        is("<ann@x>, bob@y", &[("", "ann@x"), ("", "bob@y")]);
        is("ann@x, Bob <bob@y>", &[("", "ann@x"), ("Bob", "bob@y")]);
        is("\"Lee; Ann, Dr.\" <ann@x>", &[("Lee; Ann, Dr.", "ann@x")]);
        is("Ann Lee; Bob Roe", &[]);
        is("Ann Lee; Bob <bob@y>", &[("Bob", "bob@y")]);
        is("undisclosed-recipients:;", &[]);
        is("", &[]);
    }

    proptest! {
        #[test]
        fn any_line_has_people_or_not(line in "[a@.<>,;\"\\[\\]() é]{0,80}") {
            people(&line);
        }
    }

    #[test]
    fn a_bomb_ends() {
        assert!(people(&"<".repeat(20_000)).is_empty());
        assert_eq!(people(&"a@x, ".repeat(20_000)).len(), 1);
        let many: String = (0..10_000).map(|i| format!("a{i}@x;")).collect();
        assert_eq!(people(&many).len(), MOST_PEOPLE);
    }
}
