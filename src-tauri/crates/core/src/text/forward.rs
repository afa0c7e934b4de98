//! What a forward says of the mail that it forwards.

use super::block::Block;
use super::fields::{Field, blank, field};
use super::{Line, attribution, lines, marks, next_text};
use crate::address::Mailbox;
use crate::message::shallow;
use crate::subject::{Prefix, peel};
use mail_parser::{MessageParser, PartType};

/// The mail that was forwarded, as the text of the forward shows it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Forward {
    pub from: Option<Mailbox>,
    /// Empty where the program leaves them out.
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub subject: Option<String>,
    /// As it stands; see [`super::when::moment`].
    pub date: Option<String>,
    /// What the forwarding person wrote above it.
    pub note: Option<String>,
    /// The text that was forwarded, without quote marks.
    pub body: String,
}

crate::debug_only!(Forward { from, to, cc });

/// Reads a forward from its subject and its plain text. `None` where it is none, or where it is not understood. Without a
/// subject (`None`: it is not known) the rule that Outlook puts above a header counts as the sign of a forward.
pub fn read(subject: Option<&str>, text: &str) -> Option<Forward> {
    let outer = subject.and_then(peel);
    if matches!(outer, Some((Prefix::Reply, _))) {
        return None;
    }
    let lines = lines(text);
    let found = find(&lines, outer.is_some(), subject.is_none())?;
    if matches!(outer, Some((Prefix::Either, _)))
        && lines[found.start..found.header.end(&lines)].iter().any(is_finnish)
    {
        return None;
    }
    Some(found.forward(&lines, outer.map(|(_, rest)| rest)))
}

/// In Finnish `VS:` is an answer.
fn is_finnish(line: &Line<'_>) -> bool {
    matches!(field(line.text), Some((Field::From, _)))
        && line.text.trim_matches(|c| blank(c) || c == '*').to_lowercase().starts_with("lähettäjä")
}

/// Where a forward begins, and what stands at its head.
struct Found<'a> {
    /// The line of its mark, or of its header.
    start: usize,
    /// What stands in front of the mark in the same line.
    before: &'a str,
    header: Header,
}

enum Header {
    Block(Block),
    Attribution(attribution::Attribution),
    /// It stands in the line of the mark.
    InLine(Block),
}

impl Header {
    fn end(&self, lines: &[Line<'_>]) -> usize {
        match self {
            Header::Block(block) => block.end,
            Header::Attribution(attribution) => attribution.end,
            Header::InLine(_) => lines.len(),
        }
    }
}

/// The first thing that begins a forward. `told`: the subject says that it is one; `unknown`: there is no subject to say so.
fn find<'a>(lines: &[Line<'a>], told: bool, unknown: bool) -> Option<Found<'a>> {
    let above = |at: usize| lines[..at].iter().any(|line| !line.is_blank());
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_blank()) {
        let found = |header| Some(Found { start: at, before: "", header });
        let next = || next_text(lines, at + 1);
        if marks::begins_forward(line.text) {
            if let Some(block) = next().and_then(|next| Block::read(lines, next)) {
                return found(Header::Block(block));
            }
            if let Some(attribution) = next().and_then(|next| attribution::read(lines, next)) {
                return found(Header::Attribution(attribution));
            }
        } else if marks::begins_original(line.text) {
            let block = next().and_then(|next| Block::read(lines, next));
            return block.filter(|_| told || !above(at)).and_then(|block| found(Header::Block(block)));
        } else if let Some((before, rest)) = marks::forward_in_line(line.text)
            && let Some(block) = Block::read_line(rest)
        {
            return Some(Found { start: at, before, header: Header::InLine(block) });
        } else if let Some(block) = Block::read(lines, at) {
            // Without a mark it is an answer, unless the subject says otherwise: what is forwarded below was so by somebody else.
            let ruled = || {
                lines[..at]
                    .iter()
                    .rev()
                    .find(|line| !line.is_blank())
                    .is_some_and(|line| marks::is_rule(line.text))
            };
            return (told || (unknown && ruled()))
                .then_some(block)
                .and_then(|block| found(Header::Block(block)));
        } else if let Some(attribution) = attribution::read(lines, at) {
            return told
                .then_some(attribution)
                .and_then(|attribution| found(Header::Attribution(attribution)));
        }
    }
    None
}

impl Found<'_> {
    fn forward(self, lines: &[Line<'_>], outer: Option<&str>) -> Forward {
        let subject = |block: &Block| {
            let outer = outer.map(str::trim).filter(|s| !s.is_empty());
            block.value(Field::Subject).or(outer).map(str::to_owned)
        };
        let of_block = |block: &Block| Forward {
            from: block.people(Field::From).into_iter().next(),
            to: block.people(Field::To),
            cc: block.people(Field::Cc),
            subject: subject(block),
            date: block.value(Field::Date).map(str::to_owned),
            ..Forward::default()
        };
        let (mut forward, body) = match &self.header {
            Header::Block(block) => (of_block(block), text_of(&lines[behind(lines, block)..], block.quoted)),
            Header::InLine(block) => (of_block(block), text_of(&lines[self.start + 1..], false)),
            Header::Attribution(attribution) => {
                let subject = outer.map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned);
                let forward = Forward {
                    from: attribution.from.clone(),
                    subject,
                    date: attribution.date.clone(),
                    ..Forward::default()
                };
                (forward, outdented(&text_of(&lines[attribution.end..], false)))
            }
        };
        forward.body = body;
        let mut note: Vec<&str> = lines[..self.start].iter().map(|line| line.raw).collect();
        while note.last().is_some_and(|line| line.chars().all(blank) || marks::is_rule(line)) {
            note.pop();
        }
        note.push(self.before);
        let note = note.join("\n");
        forward.note = Some(note.trim_matches(blank).to_owned()).filter(|note| !note.is_empty());
        forward
    }
}

/// The first line of the body: some programs repeat the mark behind the header.
fn behind(lines: &[Line<'_>], block: &Block) -> usize {
    match next_text(lines, block.end) {
        Some(next)
            if marks::begins_forward(lines[next].text)
                && next_text(lines, next + 1).is_none_or(|n| Block::read(lines, n).is_none()) =>
        {
            next + 1
        }
        _ => block.end,
    }
}

/// The forwarded text. Where it is quoted, one quote mark of each line is taken off.
fn text_of(lines: &[Line<'_>], quoted: bool) -> String {
    let end = lines.iter().position(|line| marks::ends_forward(line.text)).unwrap_or(lines.len());
    let lines = &lines[..end];
    let quoted = quoted || lines.iter().all(|line| line.depth > 0 || line.is_blank());
    let bare = |line: &str| if line.chars().all(blank) { "" } else { line }.len();
    let text: Vec<&str> = lines
        .iter()
        .map(|line| if quoted { outer(line.raw) } else { line.raw })
        .map(|line| &line[..bare(line)])
        .collect();
    text.join("\n").trim_matches(blank).to_owned()
}

/// A line without its first quote mark.
fn outer(line: &str) -> &str {
    match line.trim_start().strip_prefix('>') {
        Some(rest) => rest.strip_prefix(' ').unwrap_or(rest),
        None => line,
    }
}

/// A text without the indentation that all of its lines have. Its first line has lost its own.
fn outdented(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let shared = text.lines().skip(1).filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    let lines: Vec<&str> = text.lines().map(|line| &line[indent(line).min(shared)..]).collect();
    lines.join("\n")
}

/// Most attached messages given.
pub const MOST_ATTACHED: usize = 20;

/// The messages that are attached to a raw message (RFC 5322), raw, in their order: a forward as attachment. Those that lie in
/// another one are not given. Never fails.
pub fn attached(raw: &[u8]) -> Vec<Vec<u8>> {
    let Some(message) = MessageParser::default().parse(&raw[..shallow(raw)]) else { return Vec::new() };
    let inner = message.parts.iter().filter_map(|part| match &part.body {
        PartType::Message(inner) if !inner.parts.is_empty() => Some(inner.raw_message().to_vec()),
        _ => None,
    });
    inner.filter(|raw| !raw.is_empty()).take(MOST_ATTACHED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_answer_is_no_forward() {
        let text = "Yes.\n\nOn 28/10/2021 12:46, \"Ann\" <ann@x> wrote:\n> ---------- Forwarded message ---------\n> From: Bob <bob@y>\n> Date: Wed, 27 Oct 2021\n> Subject: s\n> To: a@b\n";
        assert_eq!(read(Some("Fine"), text), None);
        assert_eq!(read(Some("Re: Fwd: s"), text), None);
        let outlook = "Yes.\n\nFrom: Ann <ann@x>\nSent: Monday, 2 May 2022 10:00\nTo: Bob <bob@y>\nSubject: s\n\nHello\n";
        assert_eq!(read(Some("Re: s"), outlook), None);
        assert_eq!(read(Some("s"), outlook), None);
        assert!(read(Some("WG: s"), outlook).is_some());
    }

    #[test]
    fn in_finnish_vs_is_an_answer() {
        let text = "Kyllä.\n\nLähettäjä: Ann <ann@x>\nLähetetty: maanantai 2. toukokuuta 2022 10.00\nVastaanottaja: Bob <bob@y>\nAihe: s\n\nHei\n";
        assert_eq!(read(Some("VS: s"), text), None);
        assert!(read(Some("VL: s"), text).is_some());
        let danish = "Fra: Ann <ann@x>\nSendt: 2. maj 2022 10:00\nTil: Bob <bob@y>\nEmne: s\n\nHej\n";
        assert!(read(Some("VS: s"), danish).is_some());
    }

    #[test]
    fn an_attached_message_is_given_whole() {
        let inner = "Message-ID: <a@x>\r\nFrom: Ann <ann@x>\r\nSubject: s\r\n\r\nwords\r\n";
        let raw = format!(
            "Subject: Fwd: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee\r\n\
             --b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--b--\r\n"
        );
        let found = attached(raw.as_bytes());
        assert_eq!(found.len(), 1);
        let envelope = crate::envelope::Envelope::parse(&found[0]);
        assert_eq!((envelope.ids[0].as_str(), envelope.subject.as_str()), ("a@x", "s"));
        assert!(crate::message::Body::parse(&found[0]).text.starts_with("words"));
        assert!(attached(b"").is_empty() && attached(inner.as_bytes()).is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in "(From: |To: |> |\n|a@b|Date: 1 May 2022|---- Forwarded message ----|Von: |x|Subject: |On 1/1/2020 10:00, | wrote:){0,60}") {
            read(None, &text);
            read(Some("Fwd: x"), &text);
        }
    }
}
