//! The HTML of a mail as plain text whose quotes have quote marks, so that it can be read as plain text is.
//!
//! It is read for its words alone, and nothing of it is shown: what is shown passes the crate `html`.

use super::{MOST_BYTES, fields, marks};
use mail_parser::decoders::html::add_html_token;
use std::collections::HashMap;

/// Most quote marks in front of a line.
const MOST_DEPTH: usize = 20;

/// Words in the class or id of an element that holds what is answered, in lower case.
#[rustfmt::skip]
const QUOTES: &[&str] = &[
    "gmail_quote", "gmail_quote_container", "yahoo_quoted", "yahooquoted", "zmail_extra",
    "protonmail_quote", "olk_src_body_section", "tutanota_quote",
    "mail-editor-reference-message-container", "ms-outlook-mobile-reference-message",
    "replyforwardcontainer", "x_gmail_quote", "quoted-content", "moz-forward-container", "cite",
    "front-quote", "superhuman-quote", "airmail_quote", "spark_quote", "ymailquoted",
];

/// Elements whose content is not read.
#[rustfmt::skip]
const HIDDEN: &[&str] =
    &["style", "script", "head", "title", "template", "noscript", "svg", "math", "xml", "select", "textarea"];

/// Elements that begin a line of their own.
#[rustfmt::skip]
const LINES: &[&str] = &[
    "address", "article", "aside", "blockquote", "body", "br", "center", "dd", "div", "dl", "dt", "footer",
    "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "nav", "ol", "p",
    "pre", "section", "table", "tbody", "tr", "ul",
];

/// Reads HTML as text. A quote has a `>` in front of each line, unless it is a forward. Never fails; at most the first
/// [`MOST_BYTES`] are read.
pub fn to_text(html: &str) -> String {
    let html = &html[..fields::floor(html, MOST_BYTES)];
    let mut writer = Writer::default();
    let mut rest = html;
    while !rest.is_empty() {
        match rest.find('<') {
            Some(0) => rest = writer.tag(rest),
            at => {
                let end = at.unwrap_or(rest.len());
                writer.text(&rest[..end]);
                rest = &rest[end..];
            }
        }
    }
    writer.finish()
}

#[derive(Default)]
struct Writer {
    /// Depth and text of each line.
    done: Vec<(usize, String)>,
    line: String,
    depth: usize,
    /// Open elements that can hold a quote: whether they do, and the line with which they begin.
    open: Vec<(&'static str, bool, usize)>,
    /// How many of each are open.
    counts: HashMap<&'static str, usize>,
    /// From which line to which a quote goes.
    spans: Vec<(usize, usize)>,
    preformatted: usize,
}

impl Writer {
    /// Reads what begins with `<`, and gives what stands behind it.
    fn tag<'a>(&mut self, text: &'a str) -> &'a str {
        if let Some(rest) = text.strip_prefix("<!--") {
            return rest.find("-->").map_or("", |end| &rest[end + 3..]);
        }
        let name_end = text[1..]
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '/' || c == ':'))
            .map_or(text.len(), |i| i + 1);
        let name = text[1..name_end].to_ascii_lowercase();
        if name.is_empty() && !text.starts_with("<!") && !text.starts_with("<?") {
            self.text("<");
            return &text[1..];
        }
        let Some(end) = tag_end(text) else { return "" };
        let (tag, rest) = (&text[name_end.min(end)..end], &text[(end + 1).min(text.len())..]);
        let (closes, name) = match name.strip_prefix('/') {
            Some(name) => (true, name),
            None => (false, name.trim_end_matches('/')),
        };
        if HIDDEN.contains(&name) && !closes {
            return match tag.ends_with('/') {
                true => rest,
                false => behind_close(rest, name),
            };
        }
        if LINES.contains(&name) {
            self.end_line(name == "br");
        } else if matches!(name, "td" | "th") && !self.line.ends_with(' ') {
            self.line.push(' ');
        }
        match name {
            "hr" => {
                self.line.push_str("________________________________");
                self.end_line(true);
            }
            "pre" => {
                self.preformatted =
                    if closes { self.preformatted.saturating_sub(1) } else { self.preformatted + 1 }
            }
            "div" | "blockquote" | "span" | "section" => self.container(name, closes, tag),
            _ => {}
        }
        rest
    }

    fn container(&mut self, name: &str, closes: bool, tag: &str) {
        let Some(name) = ["div", "blockquote", "span", "section"].into_iter().find(|n| *n == name) else {
            return;
        };
        if !closes {
            let quote = is_quote(name, tag) && self.depth < MOST_DEPTH;
            if quote {
                self.end_line(false);
                self.depth += 1;
            }
            self.open.push((name, quote, self.done.len()));
            *self.counts.entry(name).or_default() += 1;
            return;
        }
        if self.counts.get(name).is_none_or(|count| *count == 0) {
            return;
        }
        while let Some((open, quote, start)) = self.open.pop() {
            if let Some(count) = self.counts.get_mut(open) {
                *count -= 1;
            }
            if quote {
                self.end_line(false);
                self.depth -= 1;
                self.spans.push((start, self.done.len()));
            }
            if open == name {
                return;
            }
        }
    }

    fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if c == '&'
                && let Some(end) = rest.as_bytes().iter().take(32).position(|b| *b == b';')
                && rest[1..end].chars().all(|c| c.is_ascii_alphanumeric() || c == '#')
            {
                let mut decoded = String::new();
                add_html_token(&mut decoded, &rest.as_bytes()[..=end], false);
                self.line.push_str(&decoded);
                rest = &rest[end + 1..];
                continue;
            }
            match c {
                '\n' if self.preformatted > 0 => self.end_line(true),
                ' ' | '\n' | '\r' | '\t' => {
                    if self.preformatted > 0 {
                        self.line.push(c);
                    } else if !self.line.is_empty() && !self.line.ends_with(' ') {
                        self.line.push(' ');
                    }
                }
                _ => self.line.push(c),
            }
            rest = &rest[c.len_utf8()..];
        }
    }

    /// Ends the line. An empty one stays only where it was asked for.
    fn end_line(&mut self, keep_empty: bool) {
        let line = std::mem::take(&mut self.line);
        let empty = line.trim().is_empty();
        if !empty || (keep_empty && self.done.last().is_some_and(|(_, last)| !last.is_empty())) {
            self.done.push((self.depth, if empty { String::new() } else { line.trim_end().to_owned() }));
        }
    }

    fn finish(mut self) -> String {
        self.end_line(false);
        while let Some((_, quote, start)) = self.open.pop() {
            if quote {
                self.spans.push((start, self.done.len()));
            }
        }
        // What is forwarded is no quote, though programs wrap it as one.
        let mut change = vec![0i64; self.done.len() + 1];
        for (start, end) in self.spans {
            let first = self.done[start..end].iter().take(4).find(|(_, line)| !line.is_empty());
            if first.is_some_and(|(_, line)| marks::begins_forward(line)) {
                change[start] += 1;
                change[end] -= 1;
            }
        }
        let mut less = 0;
        let mut text = String::new();
        for ((depth, line), change) in self.done.iter().zip(change) {
            less += change;
            for _ in 0..depth.saturating_sub(usize::try_from(less).unwrap_or(0)) {
                text.push('>');
            }
            if !text.ends_with('\n') && !text.is_empty() && text.ends_with('>') {
                text.push(' ');
            }
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// Where a tag ends: at the `>` that is in no quotation marks.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut value = false;
    for (at, b) in text.bytes().enumerate() {
        match (quote, b) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') if value => quote = Some(b),
            (Some(q), b) if b == q => quote = None,
            // A quotation mark that nothing closes.
            _ if at > 64 * 1024 => return text.find('>'),
            _ => {}
        }
        if quote.is_none() && !b.is_ascii_whitespace() {
            value = b == b'=';
        }
    }
    text.find('>')
}

/// What stands behind the end of an element whose content is not read.
fn behind_close<'a>(text: &'a str, name: &str) -> &'a str {
    let mut at = 0;
    while let Some(next) = text[at..].find("</") {
        let start = at + next + 2;
        if text.as_bytes()[start..].get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()))
        {
            return text[start..].find('>').map_or("", |end| &text[start + end + 1..]);
        }
        at = start;
    }
    ""
}

/// Whether an element holds what is answered.
fn is_quote(name: &str, tag: &str) -> bool {
    let tag = &tag[..fields::floor(tag, 2_000)];
    let lower = tag.to_ascii_lowercase();
    let named = ["class", "id"]
        .iter()
        .filter_map(|key| attribute(&lower, key))
        .any(|value| value.split_ascii_whitespace().any(|word| QUOTES.contains(&word)));
    match name {
        // Gmail's own indentation is a blockquote of this class too, outside a quote.
        "blockquote" => !attribute(&lower, "class")
            .is_some_and(|class| class.split_ascii_whitespace().any(|w| w == "gmail_quote")),
        _ => named,
    }
}

/// The value of an attribute of a tag in lower case.
fn attribute<'a>(tag: &'a str, key: &str) -> Option<&'a str> {
    tag.match_indices(key).find_map(|(at, _)| {
        let stands =
            tag[..at].chars().next_back().is_none_or(|c| c.is_ascii_whitespace() || matches!(c, '"' | '\''));
        let value = tag[at + key.len()..].trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next()?;
        let inner = match quote {
            '"' | '\'' => value[1..].split(quote).next()?,
            _ => value.split(|c: char| c.is_ascii_whitespace() || c == '>').next()?,
        };
        stands.then_some(inner)
    })
}

#[cfg(test)]
mod tests {
    use super::super::reply;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_get_marks_and_forwards_get_none() {
        let gmail = "Hi<div class=\"gmail_quote\">On 11-Apr-2011, at 6:54 PM, Bob &lt;bob@x&gt; wrote:<blockquote>Test</blockquote></div>";
        assert_eq!(to_text(gmail), "Hi\n> On 11-Apr-2011, at 6:54 PM, Bob <bob@x> wrote:\n>> Test\n");
        assert_eq!(reply::read(&to_text(gmail)).text, "Hi");
        let forward = "<div dir=ltr>FYI<br><div class=gmail_quote>---------- Forwarded message ---------<br>From: Bob</div></div>";
        assert_eq!(to_text(forward), "FYI\n---------- Forwarded message ---------\nFrom: Bob\n");
    }

    #[test]
    fn words_are_kept_and_the_rest_is_not() {
        let html = "<html><head><title>t</title><style>p{}</style></head><body><!-- x --><p title='a>b'>One &amp; t&uuml;o</p><script>x()</script><pre>a\n b</pre>1 < 2</body>";
        assert_eq!(to_text(html), "One & tüo\na\n b\n1 < 2\n");
        assert_eq!(to_text("<hr><b>From:</b> a"), "________________________________\nFrom: a\n");
    }

    #[test]
    fn bombs_end() {
        for html in [
            "<div>".repeat(200_000),
            "<blockquote>".repeat(100_000),
            "</div>".repeat(200_000),
            "<".repeat(1 << 20),
            "<a b='".repeat(100_000),
            "&".repeat(1 << 20),
            "<style>".repeat(100_000),
            "<div><p></blockquote>".repeat(50_000),
            "<!--".repeat(100_000),
        ] {
            assert!(to_text(&html).len() <= 3 * html.len() + 2);
        }
    }

    proptest! {
        #[test]
        fn any_html_is_text(html in "(<div>|</div>|<blockquote>|</blockquote>|<div class=gmail_quote>|x|&amp;|<br>|<|>|'|\"|\\n| ){0,60}", other in "\\PC{0,80}") {
            to_text(&html);
            to_text(&other);
        }
    }
}
