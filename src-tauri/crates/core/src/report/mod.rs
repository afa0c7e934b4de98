//! What a delivery report says: which recipients were not reached, why, and of which mail.
//!
//! Standard reports (RFC 3464) are read from their status part, also where it is damaged. Others are written for people; of
//! these the recipients are read that stand in lines of their own. What is not understood is `None`, never a guess.

pub mod calendar;
mod cause;
mod parts;
mod prose;
mod status;

pub use cause::Lasting;

use crate::address::Address;
use crate::envelope::{Envelope, Machine};
use parts::{Kind, Part, fields, parts, value};
use std::collections::HashSet;

/// A delivery report.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub recipients: Vec<Recipient>,
    /// Message-ID of the mail that is reported on, without white space, with its angle brackets where it has them. Servers
    /// return it as they got it: it is not always a well-formed id. See [`crate::id::MessageId::parse`].
    pub original_id: Option<String>,
}

crate::debug_only!(Report { recipients });

/// What became of a mail on its way to one recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    /// As the report names it; it is not always a mail address.
    pub address: String,
    /// Whom the mail was sent to, where it was passed on from there and the report says so.
    pub original: Option<String>,
    /// `failed`, `delayed` and the like, in lower case (RFC 3464 §2.3.3); `None` where the report has no status part.
    pub action: Option<String>,
    /// `n.n.n` (RFC 3463).
    pub status: Option<String>,
    /// The code of the server that refused it (RFC 5321 §4.2), where the report shows it.
    pub smtp: Option<u16>,
    pub outcome: Outcome,
    pub source: Source,
}

crate::debug_only!(Recipient { status, smtp, outcome, source });

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Failed(Lasting),
    /// The server still tries.
    Delayed,
    /// It arrived, as far as the server knows.
    Arrived,
}

/// Where a recipient is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// In the status part.
    Status,
    /// In `X-Failed-Recipients`.
    Header,
    /// In the text.
    Text,
}

impl Recipient {
    /// The mail address that failed: the one that was written to, where the report tells it.
    pub fn mail_address(&self) -> Option<Address> {
        let plain = |text: &str| {
            // A source route (RFC 5321 §4.1.1.3) says nothing about who was written to.
            let text = if text.starts_with('@') { text.split_once(':')?.1 } else { text };
            Address::parse(text).ok().filter(|a| a.domain().contains('.'))
        };
        self.original.as_deref().and_then(plain).or_else(|| plain(&self.address))
    }

    /// The code in the form in which people name it: `5.1.1`, else `550`.
    pub fn code(&self) -> Option<String> {
        self.status.clone().or_else(|| self.smtp.map(|code| code.to_string()))
    }
}

/// Reads a raw message (RFC 5322) as a delivery report. `None` where it is none, or where it names neither a recipient nor the
/// mail it is about.
pub fn read(raw: &[u8]) -> Option<Report> {
    let (header, parts) = parts(raw);
    let header = fields(&header);
    let blocks: Vec<status::Block> = parts
        .iter()
        .filter(|part| part.kind == Kind::Status || (part.kind == Kind::Plain && has_status(&part.text)))
        .flat_map(|part| status::blocks(&part.text))
        .collect();
    let standard = parts.iter().any(|part| part.kind == Kind::Status);
    let text = words(&parts);
    let mut recipients: Vec<Recipient> = blocks.iter().filter_map(|block| of_block(block, &text)).collect();
    if recipients.is_empty() && (standard || is_report(&header, raw, &text)) {
        recipients = of_people(&header, &text);
    } else if recipients.is_empty() {
        return None;
    }
    let original_id = original_id(&header, &parts);
    (!recipients.is_empty() || original_id.is_some()).then_some(Report { recipients, original_id })
}

/// A status part that stands in a text.
fn has_status(text: &str) -> bool {
    let field = |name: &str| {
        text.lines()
            .take(2_000)
            .any(|line| line.get(..name.len()).is_some_and(|l| l.eq_ignore_ascii_case(name)))
    };
    field("final-recipient:") && field("action:") && field("status:")
}

/// What people read of it.
fn words(parts: &[Part]) -> String {
    let of = |kind: Kind| -> String {
        let texts: Vec<&str> = parts.iter().filter(|p| p.kind == kind).map(|p| p.text.as_str()).collect();
        texts.join("\n")
    };
    match of(Kind::Plain) {
        plain if plain.trim().is_empty() => crate::text::html::to_text(&of(Kind::Html)),
        plain => plain,
    }
}

/// Whether a message without a status part is a report: a server sent it, and it says that a mail did not arrive.
fn is_report(header: &[(String, String)], raw: &[u8], text: &str) -> bool {
    let envelope = Envelope::parse(raw);
    let head = &text[..text.len() - prose::original(text).len()];
    let head = begin(head, 4_000);
    let says = || {
        prose::says_failed(&envelope.subject)
            || prose::says_failed(head)
            || prose::says_delayed(&envelope.subject)
    };
    let nobody = value(header, "return-path").is_some_and(|v| v.trim() == "<>");
    if value(header, "x-failed-recipients").is_some() {
        return true;
    }
    match envelope.machine {
        Some(Machine::Bounce) => says(),
        Some(Machine::AutoReply) => prose::says_failed(&envelope.subject) || (nobody && says()),
        _ => nobody && says(),
    }
}

/// At most so many bytes of a text's beginning.
fn begin(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn of_block(block: &status::Block, text: &str) -> Option<Recipient> {
    let last = block.final_recipient.as_deref().and_then(status::address);
    let first = block.original_recipient.as_deref().and_then(status::address);
    let address = last.clone().or_else(|| first.clone())?;
    let action =
        block.action.as_deref().map(|a| a.split_whitespace().next().unwrap_or_default().to_ascii_lowercase());
    let status = block.status.as_deref().and_then(status::code);
    let diagnostic = block.diagnostic.as_deref().unwrap_or_default();
    let words = if diagnostic.is_empty() { begin(text, 2_000) } else { diagnostic };
    let failed = || Outcome::Failed(cause::lasting(status.as_deref(), words).unwrap_or(Lasting::Soft));
    let outcome = match (action.as_deref(), status.as_deref().and_then(|s| s.chars().next())) {
        (Some("failed" | "expired"), _) => failed(),
        (Some("delayed"), _) => Outcome::Delayed,
        (Some("delivered" | "relayed" | "expanded" | "deliverable"), _) | (_, Some('2')) => Outcome::Arrived,
        (_, Some('4')) => Outcome::Delayed,
        _ => failed(),
    };
    Some(Recipient {
        original: first.filter(|first| *first != address),
        address,
        action: action.filter(|a| !a.is_empty()),
        status,
        smtp: status::find_smtp(diagnostic),
        outcome,
        source: Source::Status,
    })
}

/// The recipients of a report without a status part.
fn of_people(header: &[(String, String)], text: &str) -> Vec<Recipient> {
    let own = ["to", "delivered-to", "x-original-to", "envelope-to", "from", "sender", "reply-to"];
    let not: HashSet<Address> = header
        .iter()
        .filter(|(name, _)| own.contains(&name.as_str()))
        .flat_map(|(_, value)| value.split([',', ' ', '<', '>', ';', '"']))
        .filter_map(|word| Address::parse(word).ok())
        .collect();
    let subject = value(header, "subject").unwrap_or_default();
    let delayed = prose::says_delayed(subject) || (!prose::says_failed(subject) && prose::says_waiting(text));
    let named = prose::recipients(text, &not);
    let made = |address: String, status: Option<String>, smtp: Option<u16>, words: &str, source: Source| {
        let outcome = match delayed {
            true => Outcome::Delayed,
            false => Outcome::Failed(cause::lasting(status.as_deref(), words).unwrap_or(Lasting::Soft)),
        };
        Recipient { address, original: None, action: None, status, smtp, outcome, source }
    };
    let listed: Vec<String> = value(header, "x-failed-recipients")
        .map(|v| {
            v.split([',', ' ', '<', '>']).filter(|w| Address::parse(w).is_ok()).map(str::to_owned).collect()
        })
        .unwrap_or_default();
    if listed.is_empty() {
        return named
            .into_iter()
            .map(|n| made(n.address, n.status, n.smtp, &n.words, Source::Text))
            .collect();
    }
    let whole = || (status::find_code(text), status::find_smtp(text), begin(text, 2_000));
    let alone = listed.len() == 1;
    listed
        .into_iter()
        .take(100)
        .map(|address| match named.iter().find(|n| n.address.eq_ignore_ascii_case(&address)) {
            Some(n) if n.status.is_some() || n.smtp.is_some() || !alone => {
                made(address, n.status.clone(), n.smtp, &n.words, Source::Header)
            }
            _ if alone => {
                let (status, smtp, words) = whole();
                made(address, status, smtp, words, Source::Header)
            }
            _ => made(address, None, None, "", Source::Header),
        })
        .collect()
}

/// The id of the mail that is reported on: of the message that came back, else named in another part, else answered by the
/// report itself.
fn original_id(header: &[(String, String)], parts: &[Part]) -> Option<String> {
    let returned = parts.iter().filter(|p| p.kind == Kind::Original).find_map(|part| {
        let head = part.text.split("\n\n").next().unwrap_or_default();
        value(&fields(head), "message-id").and_then(id)
    });
    let status = parts.iter().position(|p| p.kind == Kind::Status).unwrap_or(0);
    let (before, behind) = parts.split_at(status);
    let written = || {
        behind.iter().chain(before).filter(|p| p.kind != Kind::Html).find_map(|part| id_in_text(&part.text))
    };
    let answered = || {
        let last = value(header, "in-reply-to").or_else(|| value(header, "references"))?;
        let open = last.rfind('<')?;
        id(&last[open..])
    };
    returned.or_else(written).or_else(answered)
}

/// An id in a text: in a line `Message-ID: <…>`, which can be folded.
fn id_in_text(text: &str) -> Option<String> {
    let mut lines = text.lines().take(5_000).peekable();
    while let Some(line) = lines.next() {
        let line = line.trim_start_matches([' ', '\t', '>', '|', '*', '-']);
        let Some((name, value)) = line.get(..line.len().min(300)).and_then(|l| l.split_once(':')) else {
            continue;
        };
        if !["message-id", "original-message-id", "x-original-message-id"]
            .contains(&name.trim().to_ascii_lowercase().as_str())
        {
            continue;
        }
        let folded = if value.trim().is_empty() { lines.peek().copied().unwrap_or_default() } else { value };
        if folded.contains('<')
            && let Some(id) = id(folded)
        {
            return Some(id);
        }
    }
    None
}

/// An id without white space, and without what stands behind it.
fn id(value: &str) -> Option<String> {
    let value = match (value.find('<'), value.rfind('>')) {
        (Some(open), Some(close)) if open < close => &value[open..=close],
        _ => value,
    };
    let id: String = value.chars().filter(|c| !c.is_whitespace()).take(1_000).collect();
    (!id.is_empty() && id != "<>").then_some(id)
}
