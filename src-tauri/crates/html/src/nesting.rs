//! Writes elements so that they are well nested and not deep.
//!
//! Invariant: a parser that follows the HTML standard finds nothing to repair in the result. Its repairs are what makes a
//! small mail large (formatting that is opened anew in each paragraph) or moves text to another place (out of a table).

use crate::MOST_DEPTH;
use crate::css::Look;
use crate::tags::Kind;
use std::collections::HashMap;

/// An element that is open.
#[derive(Debug, Clone, Copy)]
struct Open {
    name: &'static str,
    kind: Kind,
    look: Look,
}

/// What is written so far, and what is open in it.
#[derive(Default)]
pub(crate) struct Nesting {
    out: String,
    open: Vec<Open>,
    /// Elements inside the last open one that lie too deep to be written, by name.
    too_deep: HashMap<&'static str, usize>,
    /// Where `out` ended behind the last `<pre>`: line breaks there are not shown.
    pre: usize,
}

impl Nesting {
    /// Closes what the element ends or cannot stand in, and says how it will look where it adds nothing of its own.
    /// `None` where it must not stand there.
    pub(crate) fn make_room(&mut self, name: &'static str, kind: Kind) -> Option<Look> {
        match (name, kind) {
            ("table" | "hr", _) | (_, Kind::Block) => {
                self.close_for_block(name);
                self.want_cell();
            }
            (_, Kind::Table) => self.make_room_in_table(name)?,
            ("a", _) => {
                self.close_within_cell("a");
                self.want_cell();
            }
            _ => self.want_cell(),
        }
        Some(self.look())
    }

    /// Writes a start tag, for which [`Nesting::make_room`] was asked. `attributes` begin with a space or are empty.
    pub(crate) fn start(&mut self, name: &'static str, kind: Kind, attributes: &str, look: Look) {
        if kind != Kind::Void {
            if self.open.len() >= MOST_DEPTH {
                *self.too_deep.entry(name).or_default() += 1;
                return;
            }
            self.open.push(Open { name, kind, look });
        }
        self.out.push('<');
        self.out.push_str(name);
        self.out.push_str(attributes);
        self.out.push('>');
        if name == "pre" {
            self.pre = self.out.len();
        }
    }

    /// Closes the element and what is open in it; does nothing where none of this name is open.
    pub(crate) fn end(&mut self, name: &'static str, kind: Kind) {
        if let Some(count) = self.too_deep.get_mut(name).filter(|count| **count > 0) {
            *count -= 1;
            return;
        }
        let barrier = |open: &Open| match kind {
            Kind::Table => open.name == "table",
            // A link ends where the mail says; of other formatting, what stands in between matters more.
            Kind::Inline if name != "a" => open.kind != Kind::Inline,
            _ => open.kind == Kind::Table,
        };
        for at in (0..self.open.len()).rev() {
            if self.open[at].name == name {
                return self.close_to(at);
            }
            if barrier(&self.open[at]) {
                return;
            }
        }
    }

    /// Writes text. Where only table rows may stand, it gets a cell.
    pub(crate) fn text(&mut self, text: &str) {
        let text = if self.pre == self.out.len() { text.trim_start_matches('\n') } else { text };
        if !text.trim_ascii().is_empty() {
            self.want_cell();
        }
        escape(text, &mut self.out);
    }

    /// Closes everything.
    pub(crate) fn finish(mut self) -> String {
        self.close_to(0);
        self.out
    }

    fn look(&self) -> Look {
        self.open.last().map_or_else(Look::default, |open| open.look)
    }

    fn close_to(&mut self, length: usize) {
        while self.open.len() > length {
            let Some(open) = self.open.pop() else { return };
            self.too_deep.clear();
            self.out.push_str("</");
            self.out.push_str(open.name);
            self.out.push('>');
        }
    }

    /// Closes the innermost element of this name in the same cell.
    fn close_within_cell(&mut self, name: &str) {
        for at in (0..self.open.len()).rev() {
            if self.open[at].name == name {
                return self.close_to(at);
            }
            if self.open[at].kind == Kind::Table {
                return;
            }
        }
    }

    /// A paragraph ends where a block begins; an entry of a list, where the next entry begins.
    fn close_for_block(&mut self, name: &str) {
        let ends: &[&str] = match name {
            "li" => &["li"],
            "dd" | "dt" => &["dd", "dt"],
            _ => &[],
        };
        for at in (0..self.open.len()).rev() {
            let open = self.open[at];
            if ends.contains(&open.name) {
                self.close_to(at);
                break;
            }
            let special = open.kind == Kind::Block && !matches!(open.name, "address" | "div" | "p");
            if special || open.kind == Kind::Table {
                break;
            }
        }
        self.close_within_cell("p");
        let heading = |name: &str| matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6");
        if heading(name) && self.open.last().is_some_and(|open| heading(open.name)) {
            self.close_to(self.open.len() - 1);
        }
    }

    /// Closes what stands between a part of a table and its place; `None` where no table is open.
    fn make_room_in_table(&mut self, name: &'static str) -> Option<()> {
        let table = self.open.iter().rposition(|open| open.name == "table")?;
        let group = |open: &Open| matches!(open.name, "tbody" | "thead" | "tfoot");
        let row = |open: &Open| open.name == "tr";
        let mut keep = table + 1;
        if matches!(name, "tr" | "td" | "th") {
            keep += usize::from(self.open.get(keep).is_some_and(group));
        }
        if matches!(name, "td" | "th") {
            keep += usize::from(self.open.get(keep).is_some_and(row));
        }
        self.close_to(keep);
        if matches!(name, "td" | "th") && !self.open.last().is_some_and(row) {
            self.open_implied("tr");
        }
        Some(())
    }

    /// Makes a cell where only rows or cells may stand.
    fn want_cell(&mut self) {
        let Some(open) = self.open.last() else { return };
        match open.name {
            "table" | "tbody" | "thead" | "tfoot" => {
                self.open_implied("tr");
                self.open_implied("td");
            }
            "tr" => self.open_implied("td"),
            _ => {}
        }
    }

    /// One that the mail left out. It is written at any depth: text must have its place, and it can lie at most two deeper.
    fn open_implied(&mut self, name: &'static str) {
        let look = self.look();
        self.open.push(Open { name, kind: Kind::Table, look });
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
    }
}

/// Appends text so that it is text, inside an element and inside a quoted attribute. Characters that turn the order of
/// reading round, and control characters, are left out.
pub(crate) fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{202d}' | '\u{202e}' => {}
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
}
