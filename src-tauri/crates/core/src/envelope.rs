//! What the header of a message says, read without ever needing its body.

use crate::address::{Address, Mailbox};
use crate::id::{MessageId, MessageKey, ThreadRoot};
use jiff::Timestamp;
use mail_parser::{HeaderName, HeaderValue, MessageParser};
use serde::{Deserialize, Serialize};

/// The header fields that decisions need. `mail` asks the server for these and no others.
pub const FIELDS: &[&str] = &[
    "MESSAGE-ID",
    "IN-REPLY-TO",
    "REFERENCES",
    "X-MICROSOFT-ORIGINAL-MESSAGE-ID",
    "X-GOOGLE-ORIGINAL-MESSAGE-ID",
    "X-FORWARDED-MESSAGE-ID",
    "THREAD-INDEX",
    "FROM",
    "SENDER",
    "TO",
    "CC",
    "BCC",
    "SUBJECT",
    "DATE",
    "AUTO-SUBMITTED",
    "X-AUTOREPLY",
    "X-AUTO-RESPONSE-SUPPRESS",
    "PRECEDENCE",
    "LIST-ID",
    "LIST-UNSUBSCRIBE",
    "CONTENT-TYPE",
    "RETURN-PATH",
];

/// Where servers that give a message a new id keep its old one.
const ORIGINALS: [&str; 2] = ["X-Microsoft-Original-Message-ID", "X-Google-Original-Message-ID"];
/// Most ids kept of one References or In-Reply-To field.
pub const MOST_REFERENCES: usize = 100;
/// Most addresses kept of one address field.
pub const MOST_ADDRESSES: usize = 500;
/// Longest subject kept, in characters.
pub const MOST_SUBJECT: usize = 1_000;

/// The header of one message.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    /// SHA-256 of the canonical id; see [`MessageKey`].
    pub key: MessageKey,
    /// Every id this message goes by, the canonical one first; empty where it carries none.
    pub ids: Vec<MessageId>,
    /// How many of `ids`, counted from the first, are ids that it says it had before a server gave it another one.
    originals: usize,
    /// The key without these.
    own_key: MessageKey,
    pub in_reply_to: Vec<MessageId>,
    pub references: Vec<MessageId>,
    /// The originals of a forward (`X-Forwarded-Message-Id`).
    pub forwarded: Vec<MessageId>,
    /// Of Exchange's own conversations.
    pub thread_root: Option<ThreadRoot>,
    pub from: Option<Mailbox>,
    pub sender: Option<Mailbox>,
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub bcc: Vec<Mailbox>,
    /// Decoded, without control characters.
    pub subject: String,
    pub date: Option<Timestamp>,
    pub machine: Option<Machine>,
    /// A server has delivered it to somebody: it bears a Return-Path (RFC 5321 §4.4).
    pub delivered: bool,
    /// True when a field that may stand once stands twice; the first one counts.
    pub suspicious: bool,
}

crate::debug_only!(Envelope { key, machine, suspicious });

/// A message that no person wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Machine {
    /// A delivery report (RFC 3464) or one of its non-standard kin.
    Bounce,
    /// An out-of-office answer or another automatic one (RFC 3834).
    AutoReply,
    /// A newsletter, a mailing list, a bulk mail.
    List,
    /// An answer to an invitation (RFC 5546 §3.2.3).
    CalendarReply,
    /// A receipt that a mail was shown, or deleted unread (RFC 8098).
    ReadReceipt,
}

impl Envelope {
    /// Reads a header block; bytes behind it are not looked at. Never fails: what cannot be read is absent.
    pub fn parse(header: &[u8]) -> Self {
        if !header.contains(&b'\n') && header.contains(&b'\r') {
            // Lines that end in CR alone.
            return Self::parse(
                &header.iter().map(|b| if *b == b'\r' { b'\n' } else { *b }).collect::<Vec<u8>>(),
            );
        }
        let parsed = MessageParser::default().parse_headers(header).unwrap_or_default();
        let fields = Fields { header, parsed: &parsed };
        let own = fields.raw("Message-ID");
        let mut ids: Vec<MessageId> = Vec::new();
        let mut originals = 0;
        for name in [ORIGINALS[0], ORIGINALS[1], "Message-ID"] {
            for id in fields.raw(name).iter().filter_map(|raw| MessageId::parse(first_id(raw))) {
                if !ids.contains(&id) {
                    ids.push(id);
                    originals += usize::from(name != "Message-ID");
                }
            }
        }
        let text = |name: &str| fields.raw(name).unwrap_or_default();
        let usable = own.as_deref().is_some_and(|raw| !first_id(raw).contains(char::is_whitespace));
        let own_key = match ids.get(originals) {
            Some(id) if usable => MessageKey::of_id(id),
            _ => MessageKey::of_headers(&text("Date"), &text("From"), &text("To"), &text("Subject")),
        };
        let key = match ids.first() {
            Some(id) if originals > 0 => MessageKey::of_id(id),
            _ => own_key,
        };
        let list = |name: &str| MessageId::parse_list(&text(name), MOST_REFERENCES);
        Self {
            key,
            ids,
            originals,
            own_key,
            in_reply_to: list("In-Reply-To"),
            references: list("References"),
            forwarded: list("X-Forwarded-Message-Id"),
            thread_root: ThreadRoot::parse(&text("Thread-Index")),
            from: fields.addresses(HeaderName::From).into_iter().next(),
            sender: fields.addresses(HeaderName::Sender).into_iter().next(),
            to: fields.addresses(HeaderName::To),
            cc: fields.addresses(HeaderName::Cc),
            bcc: fields.addresses(HeaderName::Bcc),
            subject: clean(fields.text(HeaderName::Subject), MOST_SUBJECT),
            date: fields.date(),
            machine: fields.machine(),
            delivered: fields.count("Return-Path") > 0,
            suspicious: ["Message-ID", "From", "Content-Type"].iter().any(|name| fields.count(name) > 1),
        }
    }

    /// True where it says that it had another id before.
    pub fn claims_original(&self) -> bool {
        self.originals > 0
    }

    /// The message without the ids that it says it had before. Anybody can write these into a header.
    pub fn without_originals(&self) -> Self {
        let mut plain = self.clone();
        plain.ids.drain(..self.originals.min(self.ids.len()));
        plain.key = self.own_key;
        plain.originals = 0;
        plain
    }

    /// Every id that this message says it answers, the nearest first.
    pub fn parents(&self) -> Vec<MessageId> {
        let mut all: Vec<MessageId> = Vec::new();
        for id in self.in_reply_to.iter().chain(self.references.iter().rev()) {
            if !all.contains(id) && !self.ids.contains(id) {
                all.push(id.clone());
            }
        }
        all
    }

    /// The id at the root of the conversation, as far as the header tells: the first of References, else
    /// In-Reply-To, else its own.
    pub fn root(&self) -> MessageKey {
        let other = |id: &&MessageId| !self.ids.contains(id);
        self.references
            .iter()
            .find(other)
            .or_else(|| self.in_reply_to.iter().find(other))
            .map_or(self.key, MessageKey::of_id)
    }

    /// Everybody the message went to, each address once.
    pub fn recipients(&self) -> Vec<&Mailbox> {
        let mut all: Vec<&Mailbox> = Vec::new();
        for mailbox in self.to.iter().chain(&self.cc).chain(&self.bcc) {
            if !all.iter().any(|m| m.address == mailbox.address) {
                all.push(mailbox);
            }
        }
        all
    }
}

/// The first `<…>` of a Message-ID field, else the whole field.
fn first_id(raw: &str) -> &str {
    match raw.split_once('<').and_then(|(_, rest)| rest.split_once('>')) {
        Some((inner, _)) => inner.trim(),
        None => raw.trim(),
    }
}

/// Text without control characters (RFC 2047 words can carry CR and LF) and no longer than `most` characters.
pub fn clean(text: &str, most: usize) -> String {
    text.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).take(most).collect()
}

struct Fields<'a> {
    header: &'a [u8],
    parsed: &'a mail_parser::Message<'a>,
}

impl Fields<'_> {
    /// None where the block holds no field: the parser's own accessor panics there.
    fn headers(&self) -> &[mail_parser::Header<'_>] {
        self.parsed.parts.first().map_or(&[], |part| &part.headers)
    }

    /// The first field of this name, unfolded but not decoded.
    fn raw(&self, name: &str) -> Option<String> {
        let field = self.headers().iter().find(|h| h.name().eq_ignore_ascii_case(name))?;
        let bytes = self.header.get(field.offset_start() as usize..field.offset_end() as usize)?;
        let text = String::from_utf8_lossy(bytes);
        Some(text.replace(['\r', '\n'], "").trim().to_owned())
    }

    fn count(&self, name: &str) -> usize {
        self.headers().iter().filter(|h| h.name().eq_ignore_ascii_case(name)).count()
    }

    fn addresses(&self, name: HeaderName<'_>) -> Vec<Mailbox> {
        let Some(HeaderValue::Address(address)) = self.value(&name) else {
            return Vec::new();
        };
        let mut all: Vec<Mailbox> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for addr in address.iter() {
            if let Some(Ok(address)) = addr.address().map(Address::parse)
                && seen.insert(address.clone())
            {
                let name = addr.name().map(|n| clean(n, 200)).filter(|n| !n.is_empty());
                all.push(Mailbox::new(name, address));
                if all.len() == MOST_ADDRESSES {
                    break;
                }
            }
        }
        all
    }

    fn value(&self, name: &HeaderName<'_>) -> Option<&HeaderValue<'_>> {
        self.headers().iter().find(|h| h.name == *name).map(|h| &h.value)
    }

    /// The first field of this name, decoded.
    fn text(&self, name: HeaderName<'_>) -> &str {
        self.value(&name).and_then(HeaderValue::as_text).unwrap_or_default()
    }

    fn date(&self) -> Option<Timestamp> {
        let date = self.value(&HeaderName::Date).and_then(HeaderValue::as_datetime)?;
        Timestamp::from_second(date.to_timestamp()).ok()
    }

    fn machine(&self) -> Option<Machine> {
        let value = |name: &str| self.raw(name).unwrap_or_default().to_ascii_lowercase();
        let content_type = value("Content-Type");
        let return_path = value("Return-Path");
        let from_daemon = self
            .addresses(HeaderName::From)
            .first()
            .is_some_and(|m| matches!(m.address.local(), "mailer-daemon" | "postmaster"));
        if content_type.starts_with("multipart/report") && content_type.contains("delivery-status") {
            return Some(Machine::Bounce);
        }
        if from_daemon && (return_path == "<>" || return_path.is_empty()) {
            return Some(Machine::Bounce);
        }
        if content_type.starts_with("multipart/report") && content_type.contains("disposition-notification") {
            return Some(Machine::ReadReceipt);
        }
        if crate::report::calendar::is_reply(&content_type) {
            return Some(Machine::CalendarReply);
        }
        let auto = value("Auto-Submitted");
        if (!auto.is_empty() && !auto.starts_with("no")) || self.count("X-Autoreply") > 0 {
            return Some(Machine::AutoReply);
        }
        // Programs that do not say so in a field of its own say it in the subject.
        if crate::away::is_subject(self.text(HeaderName::Subject)) {
            return Some(Machine::AutoReply);
        }
        let precedence = value("Precedence");
        if precedence == "auto_reply" {
            return Some(Machine::AutoReply);
        }
        if self.count("List-Id") > 0
            || self.count("List-Unsubscribe") > 0
            || matches!(precedence.as_str(), "bulk" | "list" | "junk")
        {
            return Some(Machine::List);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Envelope {
        Envelope::parse(text.replace('\n', "\r\n").as_bytes())
    }

    #[test]
    fn a_plain_header_is_read() {
        let e = parse(
            "Message-ID: <a@x>\nIn-Reply-To: <p@x>\nReferences: <r@x>\n <p@x>\nFrom: Ann <Ann@X>\n\
             To: Bob <bob@y>, bob@y\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\nDate: Mon, 2 Nov 2026 10:00:00 +0100\n\n",
        );
        assert_eq!(e.ids, [MessageId::parse("a@x").unwrap()]);
        assert_eq!(e.key, MessageKey::of_id(&e.ids[0]));
        assert_eq!(e.parents().iter().map(MessageId::as_str).collect::<Vec<_>>(), ["p@x", "r@x"]);
        assert_eq!(e.root(), MessageKey::of_id(&MessageId::parse("r@x").unwrap()));
        assert_eq!(e.from.as_ref().unwrap().address.as_str(), "ann@x");
        assert_eq!(e.to.len(), 1);
        assert_eq!(e.subject, "Grüße");
        assert_eq!(e.date.unwrap().to_string(), "2026-11-02T09:00:00Z");
        assert_eq!(e.machine, None);
    }

    #[test]
    fn a_rewritten_id_keeps_the_original_as_canonical() {
        let e = parse("Message-ID: <new@server>\nX-Microsoft-Original-Message-ID: <old@client>\n\n");
        assert_eq!(e.ids.iter().map(MessageId::as_str).collect::<Vec<_>>(), ["old@client", "new@server"]);
        assert_eq!(e.key, MessageKey::of_id(&e.ids[0]));
    }

    #[test]
    fn without_a_usable_id_the_headers_make_the_key() {
        let base = "Date: Mon, 2 Nov 2026 10:00:00 +0100\nFrom: a@x\nTo: b@y\nSubject: s\n\n";
        let keys: Vec<MessageKey> = ["", "Message-ID: \n", "Message-ID: <>\n", "Message-ID: <a b@c>\n"]
            .iter()
            .map(|id| parse(&format!("{id}{base}")).key)
            .collect();
        assert!(keys.iter().all(|k| *k == keys[0]), "{keys:?}");
        let long = format!("Message-ID: <{}@x>\n{base}", "a".repeat(2_000));
        assert_eq!(parse(&long).key, keys[0]);
    }

    #[test]
    fn an_id_with_a_space_still_matches_replies() {
        let e = parse("Message-ID: <a b@c>\n\n");
        assert_eq!(e.ids, MessageId::parse_list("<ab@c>", 1));
    }

    #[test]
    fn the_first_of_two_counts_and_is_marked() {
        let e = parse("Message-ID: <a@x>\nMessage-ID: <b@x>\nFrom: a@x\nFrom: b@x\n\n");
        assert_eq!(e.ids[0].as_str(), "a@x");
        assert_eq!(e.ids.len(), 1);
        assert_eq!(e.from.unwrap().address.as_str(), "a@x");
        assert!(e.suspicious);
    }

    #[test]
    fn a_reference_to_itself_is_no_parent() {
        let e = parse("Message-ID: <a@x>\nReferences: <a@x>\nIn-Reply-To: <a@x>\n\n");
        assert!(e.parents().is_empty());
        assert_eq!(e.root(), e.key);
    }

    #[test]
    fn encoded_line_breaks_do_not_survive() {
        let e = parse("Subject: =?utf-8?Q?a=0D=0ABcc:_x?=\nFrom: =?utf-8?Q?A=0D=0AB?= <a@x>\n\n");
        assert_eq!(e.subject, "aBcc: x");
        assert_eq!(e.from.unwrap().name.unwrap(), "AB");
    }

    #[test]
    fn machines_are_told_apart() {
        for (header, want) in [
            (
                "Content-Type: multipart/report; report-type=delivery-status; boundary=x",
                Some(Machine::Bounce),
            ),
            ("From: MAILER-DAEMON@x", Some(Machine::Bounce)),
            (
                "Subject: Read: x\nIn-Reply-To: <a@x>\nContent-Type: multipart/report; boundary=x;\n report-type=\"disposition-notification\"",
                Some(Machine::ReadReceipt),
            ),
            ("Subject: Auto: x", None),
            ("Auto-Submitted: auto-replied", Some(Machine::AutoReply)),
            ("Auto-Submitted: no", None),
            ("List-Id: <l.x>", Some(Machine::List)),
            ("Precedence: bulk", Some(Machine::List)),
            ("Subject: Automatische Antwort: x", Some(Machine::AutoReply)),
            ("Subject: Re: Automatische Antwort: x", None),
            ("Subject: plain", None),
        ] {
            assert_eq!(parse(&format!("{header}\n\n")).machine, want, "{header}");
        }
    }

    #[test]
    fn a_block_without_a_field_is_an_empty_envelope() {
        for header in [&b""[..], b"\t:", b":", b"\r\n", b"\r\n\r\n", b"\0", b"no colon", b" folded: x"] {
            assert!(Envelope::parse(header).ids.is_empty(), "{header:?}");
        }
    }

    #[test]
    fn bombs_are_cut() {
        let refs: String = (0..100_000).map(|i| format!(" <{i}@x>\n")).collect();
        let e = parse(&format!("References: a\n{refs}\n"));
        assert_eq!(e.references.len(), MOST_REFERENCES);
        let to: String = (0..20_000).map(|i| format!("a{i}@x,\n ")).collect();
        assert_eq!(parse(&format!("To: {to} b@x\n\n")).to.len(), MOST_ADDRESSES);
        assert_eq!(parse(&format!("Subject: {}\n\n", "s".repeat(1 << 20))).subject.len(), MOST_SUBJECT);
    }
}
