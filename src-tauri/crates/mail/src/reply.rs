//! What one response says, as far as Threadline asks for it: async-imap's reading, made into owned and plain values.

use crate::structure::Structure;
use async_imap::imap_proto::{
    AttributeValue, Capability, MailboxDatum, MailboxListData, NameAttribute, Outcome, Response,
    ResponseCode, Status, StatusAttribute,
};
use threadline_core::reason::ImapStatus;

/// One response of a server (RFC 9051 §7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The end of a command.
    Done {
        tag: String,
        end: End,
    },
    /// `* OK`, `* NO`, `* BAD`, `* PREAUTH`.
    Said(Text),
    Bye(Text),
    /// `+`: the server waits for the rest of a command. What stands behind it is a challenge, or words for nobody.
    Go(String),
    /// Also the answer to ENABLE, with what was switched on.
    Capability(Vec<String>),
    List(Listed),
    Status {
        folder: Vec<u8>,
        counts: Counts,
    },
    Search(Vec<u32>),
    Exists(u32),
    /// How many messages are gone; 0 for those that were gone before (`EARLIER`, RFC 7162 §3.2.10).
    Gone(u32),
    Fetch(Fetched),
    /// Something that was not asked for.
    Other,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    /// `None` for OK.
    pub refused: Option<ImapStatus>,
    pub text: Text,
}

/// The text of a status response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text {
    /// The response code's name in upper case, without its values.
    pub code: Option<String>,
    /// The code's value, where it is one number.
    pub number: Option<u64>,
    /// The code's value, where it is a list of capabilities.
    pub capabilities: Option<Vec<String>>,
    /// The flags of PERMANENTFLAGS (RFC 9051 §7.1).
    pub flags: Option<Vec<String>>,
    /// The words for a person.
    pub words: String,
}

impl Text {
    /// The number that comes with this code.
    pub fn number(&self, code: &str) -> Option<u64> {
        self.number.filter(|_| self.code.as_deref() == Some(code))
    }
}

/// One folder of a LIST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub attributes: Vec<String>,
    pub delimiter: Option<char>,
    pub name: Vec<u8>,
}

/// What a STATUS tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub messages: Option<u32>,
    pub uidnext: Option<u32>,
    pub uidvalidity: Option<u32>,
}

/// What a FETCH tells of one message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fetched {
    /// `None` and 0 belong to no message that was asked for.
    pub uid: Option<u32>,
    pub flags: Option<Vec<String>>,
    /// `X-GM-LABELS`.
    pub labels: Option<Vec<String>>,
    pub internal_date: Option<String>,
    pub size: Option<u32>,
    /// The one `BODY[…]` that was asked for: a header, a part or a whole message.
    pub section: Option<Vec<u8>>,
    /// BODYSTRUCTURE.
    pub structure: Option<Structure>,
}

/// Takes over one response. `frame` is the memory that it was read from.
pub(crate) fn read(response: &Response<'_>, frame: &[u8]) -> Reply {
    match response {
        Response::Continue(outcome) => Reply::Go(text(outcome).words),
        Response::Done { tag, status, outcome } => {
            let refused = match status {
                Status::Ok => None,
                Status::No => Some(ImapStatus::No),
                _ => Some(ImapStatus::Bad),
            };
            Reply::Done { tag: tag.0.clone(), end: End { refused, text: text(outcome) } }
        }
        Response::Data { status: Status::Bye, outcome } => Reply::Bye(text(outcome)),
        Response::Data { outcome, .. } => Reply::Said(text(outcome)),
        Response::Capabilities(names) => Reply::Capability(names.iter().map(capability).collect()),
        Response::Expunge(_) => Reply::Gone(1),
        Response::Vanished { earlier: true, .. } => Reply::Gone(0),
        Response::Vanished { uids, .. } => Reply::Gone(uids.iter().map(length).fold(0, u32::saturating_add)),
        Response::Fetch(_, items) => Reply::Fetch(fetched(items)),
        Response::MailboxData(MailboxDatum::Exists(n)) => Reply::Exists(*n),
        Response::MailboxData(MailboxDatum::Search(uids)) => Reply::Search(uids.clone()),
        Response::MailboxData(MailboxDatum::List(folder)) => {
            listed(folder, frame).map_or(Reply::Other, Reply::List)
        }
        Response::MailboxData(MailboxDatum::Status { mailbox, status }) => match name(mailbox, frame) {
            Some(folder) => Reply::Status { folder, counts: counts(status) },
            None => Reply::Other,
        },
        _ => Reply::Other,
    }
}

fn length(range: &std::ops::RangeInclusive<u32>) -> u32 {
    range.end().abs_diff(*range.start()).saturating_add(1)
}

fn capability(one: &Capability<'_>) -> String {
    match one {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(name) => format!("AUTH={name}"),
        Capability::Atom(name) => name.to_string(),
    }
}

fn text(outcome: &Outcome<'_>) -> Text {
    let words = outcome.information.as_deref().unwrap_or_default().trim().to_owned();
    let (code, number) = match &outcome.code {
        None => return unknown_code(words),
        Some(ResponseCode::Capabilities(names)) => {
            let capabilities = Some(names.iter().map(capability).collect());
            return Text { code: Some("CAPABILITY".to_owned()), capabilities, words, ..Text::default() };
        }
        Some(ResponseCode::PermanentFlags(flags)) => {
            let flags = Some(flags.iter().map(|flag| flag.to_string()).collect());
            return Text { code: Some("PERMANENTFLAGS".to_owned()), flags, words, ..Text::default() };
        }
        Some(ResponseCode::UidValidity(n)) => ("UIDVALIDITY", Some(u64::from(*n))),
        Some(ResponseCode::UidNext(n)) => ("UIDNEXT", Some(u64::from(*n))),
        Some(ResponseCode::HighestModSeq(n)) => ("HIGHESTMODSEQ", Some(*n)),
        Some(ResponseCode::Alert) => ("ALERT", None),
        Some(ResponseCode::Parse) => ("PARSE", None),
        Some(ResponseCode::ReadOnly) => ("READ-ONLY", None),
        Some(ResponseCode::TryCreate) => ("TRYCREATE", None),
        Some(_) => return Text { words, ..Text::default() },
    };
    Text { code: Some(code.to_owned()), number, words, ..Text::default() }
}

/// The library leaves codes that it does not know (all of RFC 5530) in front of the words, and lists of capabilities
/// with two blanks between them too.
fn unknown_code(words: String) -> Text {
    let Some((inside, _)) = words.strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
        return Text { words, ..Text::default() };
    };
    let (code, values) = inside.split_once(' ').unwrap_or((inside, ""));
    let code = code.to_ascii_uppercase();
    let names = || values.split_ascii_whitespace().map(str::to_owned).collect();
    let capabilities = (code == "CAPABILITY").then(names);
    Text { code: Some(code), capabilities, words, ..Text::default() }
}

fn listed(folder: &MailboxListData<'_>, frame: &[u8]) -> Option<Listed> {
    Some(Listed {
        attributes: folder.name_attributes.iter().map(attribute).collect(),
        delimiter: folder.delimiter.as_deref().and_then(|d| d.chars().last()),
        name: name(&folder.name, frame)?,
    })
}

fn attribute(attribute: &NameAttribute<'_>) -> String {
    match attribute {
        NameAttribute::NoInferiors => "\\Noinferiors",
        NameAttribute::NoSelect => "\\Noselect",
        NameAttribute::Marked => "\\Marked",
        NameAttribute::Unmarked => "\\Unmarked",
        NameAttribute::All => "\\All",
        NameAttribute::Archive => "\\Archive",
        NameAttribute::Drafts => "\\Drafts",
        NameAttribute::Flagged => "\\Flagged",
        NameAttribute::Junk => "\\Junk",
        NameAttribute::Sent => "\\Sent",
        NameAttribute::Trash => "\\Trash",
        NameAttribute::Extension(name) => name,
        _ => "",
    }
    .to_owned()
}

/// A folder's name, byte for byte. The library leaves the back-slashes of a quoted string in it, and does not tell a
/// quoted string from a literal; the byte in front of it does. `None` where the name is no UTF-8: its bytes are lost, so
/// it cannot be named to the server.
fn name(text: &str, frame: &[u8]) -> Option<Vec<u8>> {
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return None;
    }
    let at = (text.as_ptr() as usize).checked_sub(frame.as_ptr() as usize);
    let quoted = at.and_then(|at| frame.get(at.checked_sub(1)?)) == Some(&b'"');
    if !quoted {
        return Some(text.as_bytes().to_vec());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => out.extend(bytes.next()),
            byte => out.push(byte),
        }
    }
    Some(out)
}

fn counts(status: &[StatusAttribute]) -> Counts {
    let mut counts = Counts::default();
    for attribute in status {
        match attribute {
            StatusAttribute::Messages(n) => counts.messages = Some(*n),
            StatusAttribute::UidNext(n) => counts.uidnext = Some(*n),
            StatusAttribute::UidValidity(n) => counts.uidvalidity = Some(*n),
            _ => {}
        }
    }
    counts
}

fn fetched(items: &[AttributeValue<'_>]) -> Fetched {
    let mut read = Fetched::default();
    for item in items {
        match item {
            AttributeValue::Uid(uid) => read.uid = Some(*uid),
            AttributeValue::Flags(flags) => read.flags = Some(flags.iter().map(|f| f.to_string()).collect()),
            AttributeValue::GmailLabels(labels) => {
                read.labels = Some(labels.iter().map(|l| label(l)).collect());
            }
            AttributeValue::InternalDate(date) => read.internal_date = Some(date.to_string()),
            AttributeValue::Rfc822Size(size) => read.size = Some(*size),
            AttributeValue::BodyStructure(structure) => read.structure = Some(Structure::read(structure)),
            AttributeValue::BodySection { data, .. } => read.section = data.as_deref().map(<[u8]>::to_vec),
            _ => {}
        }
    }
    read
}

/// A label as it is named: the library leaves the back-slashes of a quoted string in it (`"\\\\Sent"`), and a name is in
/// modified UTF-7.
fn label(text: &str) -> String {
    let text = text.strip_prefix("\\\\").map_or_else(|| text.to_owned(), |rest| format!("\\{rest}"));
    crate::mailbox_name::decode(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use threadline_core::reason::{self, Evidence, Phase, Protocol, Signal};

    fn reply(frame: &[u8]) -> Reply {
        let (rest, response) = Response::parse(frame).unwrap();
        assert_eq!(rest, b"");
        read(&response, frame)
    }

    fn text(frame: &[u8]) -> Text {
        match reply(frame) {
            Reply::Said(text) | Reply::Bye(text) => text,
            Reply::Done { end, .. } => end.text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn status_lines_keep_code_and_words() {
        let read = text(b"A1 NO [unavailable] Try later\r\n");
        assert_eq!(read.code.as_deref(), Some("UNAVAILABLE"));
        assert_eq!(read.words, "[unavailable] Try later");
        assert_eq!(text(b"* OK [UIDNEXT 5] x\r\n").number("UIDNEXT"), Some(5));
        assert_eq!(text(b"* OK [UIDNEXT 5] x\r\n").number("UIDVALIDITY"), None);
        assert_eq!(text(b"* OK [UIDNEXT -5] x\r\n").number("UIDNEXT"), None);
        for line in
            [&b"A1 OK [CAPABILITY IMAP4rev1 IDLE] Hi\r\n"[..], b"A1 OK [CAPABILITY IMAP4REV1  IDLE ] Hi\r\n"]
        {
            assert_eq!(text(line).capabilities.unwrap(), ["IMAP4REV1", "IDLE"]);
        }
    }

    #[test]
    fn names_are_kept_byte_for_byte() {
        for (line, want) in [
            (&b"* LIST () \"/\" \"a\\\"b\\\\c\"\r\n"[..], &b"a\"b\\c"[..]),
            (b"* LIST () \"/\" {5}\r\na\\\"bc\r\n", b"a\\\"bc"),
            (b"* LIST () NIL {14}\r\nA\r\nx LOGOUT\r\nB\r\n", b"A\r\nx LOGOUT\r\nB"),
            (b"* LIST () \"\\\\\" inbox\r\n", b"INBOX"),
        ] {
            let found = match reply_prefix(line) {
                Reply::List(folder) => folder.name,
                other => panic!("{other:?}"),
            };
            assert_eq!(found, want, "{}", String::from_utf8_lossy(line));
        }
        assert_eq!(reply(b"* LIST () \"/\" \"a\xff\"\r\n"), Reply::Other);
        let Reply::Status { folder, counts } =
            reply(b"* STATUS \"Sent \\\"x\" (UIDNEXT 5 UIDVALIDITY 7)\r\n")
        else {
            panic!()
        };
        assert_eq!(folder, b"Sent \"x");
        assert_eq!(counts, Counts { messages: None, uidnext: Some(5), uidvalidity: Some(7) });
    }

    /// Reads the first response of several.
    fn reply_prefix(frame: &[u8]) -> Reply {
        match Response::parse(frame) {
            Ok((_, response)) => read(&response, frame),
            Err(_) => Reply::Other,
        }
    }

    #[test]
    fn a_fetch_is_taken_over() {
        let Reply::Fetch(one) = reply(
            b"* 3 FETCH (UID 9 FLAGS (\\Seen) RFC822.SIZE 10 MODSEQ (4) BODY[HEADER.FIELDS (DATE)] {3}\r\nabc)\r\n",
        ) else {
            panic!()
        };
        assert_eq!((one.uid, one.size, one.internal_date), (Some(9), Some(10), None));
        assert_eq!(one.section.as_deref(), Some(&b"abc"[..]));
    }

    #[test]
    fn gmails_labels_are_taken_over_by_their_names() {
        let Reply::Fetch(one) = reply(
            b"* 1 FETCH (UID 2 X-GM-LABELS (\\Inbox \"\\\\Sent\" Work \"Threadline/Log\" \"&AOk-\"))\r\n",
        ) else {
            panic!()
        };
        assert_eq!(one.labels.unwrap(), ["\\Inbox", "\\Sent", "Work", "Threadline/Log", "é"]);
    }

    #[test]
    fn messages_that_are_gone_are_counted() {
        assert_eq!(reply(b"* VANISHED 3,5:7\r\n"), Reply::Gone(4));
        assert_eq!(reply(b"* VANISHED (EARLIER) 1:900\r\n"), Reply::Gone(0));
        assert_eq!(reply(b"* VANISHED 1:4294967295,2:1\r\n"), Reply::Gone(u32::MAX));
        assert_eq!(reply(b"* 4 EXPUNGE\r\n"), Reply::Gone(1));
    }

    /// The live connection takes a line apart by the library, `explain` by itself.
    #[test]
    fn a_line_is_judged_live_as_explain_judges_it() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/data/reasons/texts.jsonl");
        let mut lines: Vec<String> = std::fs::read_to_string(file)
            .unwrap()
            .lines()
            .map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap())
            .filter(|row| row["protocol"] == "imap")
            .map(|row| row["raw"].as_str().unwrap().to_owned())
            .collect();
        lines.extend(
            [
                "a1 NO [LIMIT] LOGIN temporarily blocked, try again later",
                "a1 NO [LIMIT] session quota reached, wait 60 seconds",
                "a1 NO [CANNOT] Mailbox access is being prepared",
                "a1 NO [unavailable] Try later",
            ]
            .map(str::to_owned),
        );
        let mut count = 0;
        for line in lines {
            let told = reason::read(Protocol::Imap, &line);
            // A line alone, with one code at most, of a sign-in.
            let plain = !line.contains('\n') && line.matches('[').count() < 2 && told.phase == Phase::Auth;
            let frame = format!("{line}\r\n");
            let parsed =
                Response::parse(frame.as_bytes()).map(|(_, response)| read(&response, frame.as_bytes()));
            let (status, text) = match parsed {
                Ok(Reply::Done { end: End { refused: Some(status), text }, .. }) => (status, text),
                Ok(Reply::Bye(text)) => (ImapStatus::Bye, text),
                _ => continue,
            };
            if !plain || !matches!(told.signal, Signal::Imap { .. }) {
                continue;
            }
            count += 1;
            let live = Evidence::new(Phase::Auth, Signal::Imap { status, code: text.code }, &text.words);
            assert_eq!(reason::judge(&live), reason::judge(&told), "{line}");
        }
        assert!(count > 300, "{count}");
    }
}
