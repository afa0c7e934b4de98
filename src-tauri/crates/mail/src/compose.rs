//! A mail, put together from its parts: MIME by lettre, with an id and a date of ours.
//!
//! Invariant: who gets a blind copy stands in the envelope and in no byte of what is sent. The sender's own copy names them
//! ([`own_copy`]), as every mail program's does.

use crate::smtp::canonical;
use jiff::Timestamp;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, MultiPart, SinglePart};
use std::time::{Duration, SystemTime};
use threadline_core::address::{Address, Mailbox};
use threadline_core::file_name::safe_name;
use threadline_core::text::html;

/// Most bytes of a mail that is put together here: no provider takes more.
pub const MOST_BYTES: usize = 150 * 1024 * 1024;

/// What a mail is to hold.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    pub from: Mailbox,
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub bcc: Vec<Mailbox>,
    pub subject: String,
    /// Made of the HTML where it is empty.
    pub text: String,
    pub html: Option<String>,
    pub files: Vec<File>,
    pub date: Timestamp,
    /// Without brackets.
    pub id: String,
}

/// A file that goes with a mail.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Mail text: a debug print, which may reach a log, shows none of it.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Letter(…)")
    }
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "File({} bytes)", self.bytes.len())
    }
}

/// A mail as it goes out.
#[derive(Clone, PartialEq, Eq)]
pub struct Composed {
    /// RFC 5322, its lines ending with CR LF; ASCII unless an address is not.
    pub raw: Vec<u8>,
    /// Everybody it goes to, each once: To, Cc, Bcc.
    pub recipients: Vec<Address>,
}

impl std::fmt::Debug for Composed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Composed({} bytes)", self.raw.len())
    }
}

/// Why a mail cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotComposed {
    #[error("The mail goes to nobody. Name somebody with --to, --cc or --bcc.")]
    Nobody,
    #[error("The mail has no text. Give one with --text or --html, or name a template.")]
    Empty,
    #[error("The address {0} cannot stand in a mail. Compare it with what the person wrote to you.")]
    Address(String),
    #[error(
        "The mail is too large: {bytes} bytes with its files, and {} is the most. Send a link to the files instead.",
        MOST_BYTES
    )]
    TooLarge { bytes: usize },
}

/// Puts a mail together. It begins a conversation: it answers nothing.
pub fn compose(letter: &Letter) -> Result<Composed, NotComposed> {
    let everybody = || letter.to.iter().chain(&letter.cc).chain(&letter.bcc);
    let mut recipients: Vec<Address> = Vec::new();
    for person in everybody() {
        if !recipients.contains(&person.address) {
            recipients.push(person.address.clone());
        }
    }
    if recipients.is_empty() {
        return Err(NotComposed::Nobody);
    }
    let text = match (letter.text.trim().is_empty(), &letter.html) {
        (false, _) => letter.text.clone(),
        (true, Some(html)) => html::to_text(html),
        (true, None) if letter.files.is_empty() => return Err(NotComposed::Empty),
        (true, None) => String::new(),
    };
    let bytes = letter.files.iter().map(|file| file.bytes.len()).fold(0, usize::saturating_add);
    if bytes > MOST_BYTES / 4 * 3 {
        return Err(NotComposed::TooLarge { bytes });
    }
    let to: Vec<lettre::Address> = recipients.iter().map(plain).collect::<Result<_, _>>()?;
    let envelope = Envelope::new(Some(plain(&letter.from.address)?), to).map_err(|_| NotComposed::Nobody)?;
    let mut builder = lettre::Message::builder()
        .envelope(envelope)
        .message_id(Some(format!("<{}>", letter.id)))
        .date(system_time(letter.date))
        .from(mailbox(&letter.from)?)
        .subject(one_line(&letter.subject));
    for person in &letter.to {
        builder = builder.to(mailbox(person)?);
    }
    for person in &letter.cc {
        builder = builder.cc(mailbox(person)?);
    }
    if letter.to.is_empty() && letter.cc.is_empty() {
        // RFC 5322 §3.4: servers distrust mails to nobody.
        let nobody = "undisclosed-recipients:;".to_owned();
        builder = builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("To"), nobody));
    }
    let plain_part = SinglePart::plain(text);
    let inner = letter.html.as_ref().map(|html| {
        MultiPart::alternative().singlepart(plain_part.clone()).singlepart(SinglePart::html(html.clone()))
    });
    let message = match (inner, letter.files.is_empty()) {
        (None, true) => builder.singlepart(plain_part),
        (Some(both), true) => builder.multipart(both),
        (inner, false) => {
            let mixed = MultiPart::mixed();
            let mixed = match inner {
                Some(both) => mixed.multipart(both),
                None => mixed.singlepart(plain_part),
            };
            builder.multipart(letter.files.iter().fold(mixed, |mixed, file| mixed.singlepart(attached(file))))
        }
    };
    let raw = canonical(&message.map_err(|_| NotComposed::Nobody)?.formatted());
    if raw.len() > MOST_BYTES {
        return Err(NotComposed::TooLarge { bytes: raw.len() });
    }
    Ok(Composed { raw, recipients })
}

/// What lies in the sender's own folder: the mail, and who got a blind copy of it.
pub fn own_copy(raw: &[u8], bcc: &[Address]) -> Vec<u8> {
    if bcc.is_empty() {
        return raw.to_vec();
    }
    let names: Vec<&str> = bcc.iter().map(Address::as_str).collect();
    let field = format!("Bcc: {}\r\n", names.join(",\r\n "));
    [field.as_bytes(), raw].concat()
}

fn plain(address: &Address) -> Result<lettre::Address, NotComposed> {
    address.as_str().parse().map_err(|_| NotComposed::Address(address.to_string()))
}

fn mailbox(person: &Mailbox) -> Result<lettre::message::Mailbox, NotComposed> {
    let name = person.name.as_deref().map(one_line).filter(|name| !name.is_empty());
    Ok(lettre::message::Mailbox::new(name, plain(&person.address)?))
}

/// No field of a header has a second line of somebody else's making.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn attached(file: &File) -> SinglePart {
    let name = safe_name(&file.name);
    let media_type = ContentType::parse(media_type(&name)).unwrap_or(ContentType::TEXT_PLAIN);
    // Whatever it is, no server and no line break of a text changes a byte of it.
    let bytes = Body::new_with_encoding(file.bytes.clone(), ContentTransferEncoding::Base64);
    Attachment::new(name).body(bytes.unwrap_or_else(Body::new), media_type)
}

/// By the end of the name; what is not listed is bytes.
fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).as_deref() {
        Some("pdf") => "application/pdf",
        Some("txt" | "log" | "md") => "text/plain; charset=utf-8",
        Some("csv") => "text/csv; charset=utf-8",
        Some("html" | "htm") => "text/html; charset=utf-8",
        Some("ics") => "text/calendar; charset=utf-8",
        Some("vcf") => "text/vcard; charset=utf-8",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("png") => "image/png",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("svg") => "image/svg+xml",
        Some("zip") => "application/zip",
        Some("json") => "application/json",
        Some("xml") => "application/xml",
        Some("doc") => "application/msword",
        Some("xls") => "application/vnd.ms-excel",
        Some("ppt") => "application/vnd.ms-powerpoint",
        Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Some("pptx") => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        Some("odt") => "application/vnd.oasis.opendocument.text",
        Some("ods") => "application/vnd.oasis.opendocument.spreadsheet",
        Some("mp4") => "video/mp4",
        Some("mp3") => "audio/mpeg",
        _ => "application/octet-stream",
    }
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(at.as_second()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use threadline_core::envelope::Envelope as Header;
    use threadline_core::message::{self, attachment};

    fn person(text: &str) -> Mailbox {
        Mailbox::new(None, Address::parse(text).unwrap())
    }

    fn letter() -> Letter {
        Letter {
            from: Mailbox::new(Some("Ann Lee".into()), Address::parse("ann@firm.example").unwrap()),
            to: vec![person("carl@client.example")],
            cc: Vec::new(),
            bcc: Vec::new(),
            subject: "Offer".into(),
            text: "Dear Carl,\n.\nregards".into(),
            html: None,
            files: Vec::new(),
            date: "2026-11-24T12:00:00Z".parse().unwrap(),
            id: "1.a@firm.example".into(),
        }
    }

    fn text(raw: &[u8]) -> String {
        String::from_utf8(raw.to_vec()).unwrap()
    }

    #[test]
    fn a_mail_begins_a_conversation_with_an_id_and_a_date_of_ours() {
        let composed = compose(&letter()).unwrap();
        let raw = text(&composed.raw);
        for field in [
            "Message-ID: <1.a@firm.example>\r\n",
            "Date: Tue, 24 Nov 2026 12:00:00 +0000\r\n",
            "To: carl@client.example\r\n",
            "MIME-Version: 1.0\r\n",
        ] {
            assert!(raw.contains(field), "{field:?} in {raw}");
        }
        assert!(!raw.contains("References") && !raw.contains("In-Reply-To"));
        assert!(raw.trim_end().ends_with("\r\n\r\nDear Carl,\r\n.\r\nregards"), "{raw}");
        assert_eq!(raw.matches('\n').count(), raw.matches("\r\n").count());
        let header = Header::parse(&composed.raw);
        assert_eq!(header.from.unwrap().name.as_deref(), Some("Ann Lee"));
    }

    #[test]
    fn blind_copies_are_in_no_byte_of_what_is_sent() {
        let mut letter = letter();
        letter.cc = vec![person("dora@client.example"), person("carl@client.example")];
        letter.bcc = vec![person("eve@else.example"), person("dora@client.example")];
        let composed = compose(&letter).unwrap();
        let recipients: Vec<&str> = composed.recipients.iter().map(Address::as_str).collect();
        assert_eq!(recipients, ["carl@client.example", "dora@client.example", "eve@else.example"]);
        assert!(!text(&composed.raw).to_lowercase().contains("bcc") && !text(&composed.raw).contains("eve@"));
        let bcc: Vec<Address> = letter.bcc.iter().map(|m| m.address.clone()).collect();
        let own = own_copy(&composed.raw, &bcc);
        let header = Header::parse(&own);
        assert_eq!(header.bcc.len(), 2);
        assert!(own.ends_with(&composed.raw));
        assert_eq!(own_copy(&composed.raw, &[]), composed.raw);
        letter.to.clear();
        letter.cc.clear();
        let only_blind = text(&compose(&letter).unwrap().raw);
        assert!(only_blind.contains("To: undisclosed-recipients:;\r\n"), "{only_blind}");
        letter.bcc.clear();
        assert_eq!(compose(&letter).unwrap_err(), NotComposed::Nobody);
    }

    #[test]
    fn html_brings_its_text_with_it() {
        let mut letter = letter();
        letter.text.clear();
        letter.html = Some("<p>Dear <b>Çarl</b></p><p>regards</p>".into());
        let body = message::Body::parse(&compose(&letter).unwrap().raw);
        assert!(body.text.contains("Dear Çarl") && body.text.contains("regards"), "{}", body.text);
        assert!(body.html.unwrap().contains("<b>Çarl</b>"));
        letter.html = None;
        assert_eq!(compose(&letter).unwrap_err(), NotComposed::Empty);
    }

    #[test]
    fn files_arrive_byte_for_byte() {
        let mut letter = letter();
        let bytes: Vec<u8> = (0..=255).chain(*b"a\nb\rc\r\n.\r\n").collect();
        letter.files = vec![
            File { name: "../Angebot für Carl.pdf".into(), bytes: bytes.clone() },
            File { name: "notes.txt".into(), bytes: b"a\nb\n.\n".to_vec() },
        ];
        let raw = compose(&letter).unwrap().raw;
        assert!(raw.is_ascii());
        for (index, name, want) in
            [(0, "Angebot für Carl.pdf", &bytes), (1, "notes.txt", &b"a\nb\n.\n".to_vec())]
        {
            let (file, got) = attachment(&raw, index).unwrap();
            assert_eq!(&got, want);
            assert!(file.name.ends_with(name), "{}", file.name);
        }
        letter.files = vec![File { name: "big".into(), bytes: vec![0; MOST_BYTES] }];
        assert!(matches!(compose(&letter), Err(NotComposed::TooLarge { .. })));
    }

    #[test]
    fn nothing_in_a_header_makes_a_line_of_its_own() {
        let mut letter = letter();
        letter.subject = "one\r\nBcc: evil@x.example\r\n\r\nbody".into();
        letter.to = vec![Mailbox::new(Some("Carl\r\nX-Evil: 1".into()), letter.to[0].address.clone())];
        let composed = compose(&letter).unwrap();
        let raw = text(&composed.raw);
        let head = raw.split("\r\n\r\n").next().unwrap();
        let begins = |name: &str| head.lines().any(|line| line.to_lowercase().starts_with(name));
        assert!(!begins("bcc:") && !begins("x-evil:"), "{head}");
        assert_eq!(Header::parse(&composed.raw).subject, "one Bcc: evil@x.example body");
    }
}
