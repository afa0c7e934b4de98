//! The body of a logged message: parsed, capped, cleaned.

mod cms;
mod flowed;
mod plain;
mod rtf;
mod sealed;
mod tnef;

use crate::attachment::{self, NoFile};
use crate::file_name::safe_name;
use crate::record::Attachment;
use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};
use plain::{plain, right_charset};
use sealed::{is_encrypted, opened};
use std::borrow::Cow;
use std::collections::HashSet;

/// Largest message that is read whole, in bytes. Of a larger one the first part is read, which holds its text.
pub const MOST_BYTES: u32 = 25 * 1024 * 1024;
/// Longest text or HTML kept of one message, in bytes; HubSpot's limit when a mail is logged by BCC is the same.
pub const MOST_TEXT: usize = 2 * 1024 * 1024;
/// Most messages and multiparts read inside one message.
pub const MOST_CONTAINERS: usize = 1_000;
/// Most attachments listed.
pub const MOST_ATTACHMENTS: usize = 200;
/// The text of a message that is encrypted.
pub const ENCRYPTED: &str = "(encrypted)";

/// What a person reads of a message.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Body {
    /// The plain text; made from the HTML where the message has none.
    pub text: String,
    /// As it was sent: not cleaned, never to be shown outside a sandbox.
    pub html: Option<String>,
    pub attachments: Vec<Attachment>,
    /// Only the recipient can read it: the text is [`ENCRYPTED`], and there is nothing else.
    pub encrypted: bool,
}

crate::debug_only!(Body { encrypted });

impl Body {
    /// Reads the raw message (RFC 5322). Never fails: broken MIME gives what can be read of it. A message that is signed as a
    /// whole is opened, and so is `winmail.dat`.
    pub fn parse(raw: &[u8]) -> Self {
        let raw = opened(raw);
        let raw = &raw[..shallow(&raw)];
        let Some(message) = MessageParser::default().parse(raw) else {
            return Self { text: cut(String::from_utf8_lossy(raw).into_owned()), ..Self::default() };
        };
        if is_encrypted(&message) {
            return Self { text: ENCRYPTED.to_owned(), encrypted: true, ..Self::default() };
        }
        let mut texts: Vec<String> = (0..message.text_body_count())
            .filter_map(|i| match message.text_part(i as u32) {
                Some(part) if !part.is_text_html() => Some(plain(&message, part)),
                _ => message.body_text(i).map(Cow::into_owned),
            })
            .collect();
        let mut html = message
            .html_part(0)
            .filter(|part| part.is_text_html())
            .and_then(|part| part.text_contents().map(|text| right_charset(&message, part, text)));
        for part in message.attachments().filter(|part| is_stray_text(part)) {
            let contents = part.text_contents().unwrap_or_default();
            if !is_type(part, "html") {
                texts.push(plain(&message, part));
            } else if html.is_none() {
                html = Some(contents.to_owned());
                if texts.is_empty() {
                    texts.push(mail_parser::decoders::html::html_to_text(contents));
                }
            }
        }
        let wrapped = winmail(&message);
        if let Some(inside) = &wrapped
            && html.is_none()
            && texts.iter().all(|text| text.trim().is_empty())
        {
            texts = inside.text.clone().into_iter().collect();
            html.clone_from(&inside.html);
            if let (true, Some(html)) = (texts.is_empty(), &html) {
                texts.push(mail_parser::decoders::html::html_to_text(html));
            }
        }
        let attachments: Vec<Attachment> =
            files(&message, wrapped.as_ref()).iter().map(|f| f.about.clone()).collect();
        if texts.is_empty() && html.is_none() && attachments.is_empty() {
            // An illegal boundary, say: the text as it came is better than none.
            texts.push(String::from_utf8_lossy(behind_header(raw)).into_owned());
        }
        Self { text: cut(texts.join("\n")), html: html.map(cut), attachments, encrypted: false }
    }
}

/// The bytes of one of the files that [`Body::parse`] lists, by its place in the list, with what is listed of it. `None`
/// where there is none.
pub fn attachment(raw: &[u8], index: usize) -> Option<(Attachment, Vec<u8>)> {
    let raw = opened(raw);
    let message = MessageParser::default().parse(&raw[..shallow(&raw)])?;
    if is_encrypted(&message) {
        return None;
    }
    let wrapped = winmail(&message);
    let file = files(&message, wrapped.as_ref()).into_iter().nth(index).filter(|file| !file.left)?;
    Some((file.about, file.bytes.to_vec()))
}

/// A file that somebody sent with a message, or a part that is listed with its files and belongs to the text.
#[derive(Clone, PartialEq, Eq)]
pub struct SentFile {
    /// As [`Body::parse`] lists it, in the same order.
    pub about: Attachment,
    /// `None` where it belongs to the text, or is left on the mail server.
    pub bytes: Option<Vec<u8>>,
    /// Nobody fetched it: the limits keep it from the CRM, or the message is too large.
    pub left: bool,
    pub no_file: Option<NoFile>,
}

crate::debug_only!(SentFile { no_file });

/// The field that a part has in its header where it was left on the mail server: how many bytes it has there.
pub const LEFT: &str = "X-Threadline-Left";

/// The files that [`Body::parse`] lists, with their bytes where somebody sent them for themselves.
pub fn sent_files(raw: &[u8]) -> Vec<SentFile> {
    let raw = opened(raw);
    let Some(message) = MessageParser::default().parse(&raw[..shallow(&raw)]) else { return Vec::new() };
    if is_encrypted(&message) {
        return Vec::new();
    }
    let wrapped = winmail(&message);
    files(&message, wrapped.as_ref())
        .into_iter()
        .map(|file| SentFile {
            bytes: (file.no_file.is_none() && !file.left).then(|| file.bytes.to_vec()),
            left: file.left,
            about: file.about,
            no_file: file.no_file,
        })
        .collect()
}

/// Why a part is no file that somebody sent.
fn no_file(
    message: &Message<'_>,
    id: u32,
    part: &MessagePart<'_>,
    shown: &HashSet<String>,
) -> Option<NoFile> {
    let related = message.parts.iter().any(|parent| match &parent.body {
        PartType::Multipart(children) => {
            parent
                .content_type()
                .is_some_and(|t| t.subtype().is_some_and(|s| s.eq_ignore_ascii_case("related")))
                && children.iter().skip(1).any(|child| *child == id)
        }
        _ => false,
    });
    let described = described(part);
    let disposition = part.content_disposition();
    let facts = attachment::Part {
        media_type: &described.media_type,
        name: part.attachment_name(),
        attachment: disposition.is_some_and(|d| d.is_attachment()),
        inline: disposition.is_some_and(|d| d.is_inline()),
        content_id: part.content_id().map(|id| id.trim().trim_matches(['<', '>'])),
        related,
        size: described.size,
    };
    attachment::judge(&facts, shown).err()
}

/// What a `winmail.dat` holds.
fn winmail<'a>(message: &'a Message<'a>) -> Option<tnef::Tnef<'a>> {
    message
        .attachments()
        .take(MOST_ATTACHMENTS)
        .filter(|part| is_winmail(part))
        .find_map(|part| tnef::read(part.contents()))
}

fn is_winmail(part: &MessagePart<'_>) -> bool {
    let typed = part.content_type().is_some_and(|t| {
        let subtype = t.subtype().unwrap_or_default();
        subtype.eq_ignore_ascii_case("ms-tnef") || subtype.eq_ignore_ascii_case("vnd.ms-tnef")
    });
    typed || part.attachment_name().is_some_and(|name| name.eq_ignore_ascii_case("winmail.dat"))
}

/// A file of a message.
struct File<'a> {
    about: Attachment,
    bytes: &'a [u8],
    left: bool,
    no_file: Option<NoFile>,
}

/// The parts that are files, at most [`MOST_ATTACHMENTS`]; the files in a `winmail.dat` stand for it.
fn files<'a>(message: &'a Message<'a>, wrapped: Option<&tnef::Tnef<'a>>) -> Vec<File<'a>> {
    let mut shown = HashSet::new();
    for html in message.html_bodies() {
        shown.extend(html.text_contents().map(attachment::shown_in).unwrap_or_default());
    }
    let own = message
        .attachments
        .iter()
        .filter_map(|id| Some((*id, message.parts.get(*id as usize)?)))
        .filter(|(_, part)| !is_stray_text(part))
        // What calls itself a multipart and could not be taken apart is no file.
        .filter(|(_, part)| !part.content_type().is_some_and(|t| t.ctype().eq_ignore_ascii_case("multipart")))
        .filter(|(_, part)| wrapped.is_none() || !is_winmail(part))
        .map(|(id, part)| File {
            about: described(part),
            bytes: part.contents(),
            left: left(part).is_some(),
            no_file: no_file(message, id, part, &shown),
        });
    let inside = wrapped.into_iter().flat_map(|tnef| &tnef.files).map(|file| File {
        about: Attachment {
            name: safe_name(file.name.as_deref().unwrap_or("attachment")),
            media_type: file
                .media_type
                .clone()
                .unwrap_or_else(|| "application/octet-stream".to_owned())
                .to_lowercase(),
            size: file.bytes.len() as u64,
        },
        bytes: file.bytes,
        left: false,
        no_file: None,
    });
    own.chain(inside).take(MOST_ATTACHMENTS).collect()
}

fn described(part: &MessagePart<'_>) -> Attachment {
    Attachment {
        name: safe_name(part.attachment_name().unwrap_or("attachment")),
        media_type: part.content_type().map_or_else(
            || "application/octet-stream".to_owned(),
            |t| match t.subtype() {
                Some(sub) => format!("{}/{}", t.ctype(), sub).to_lowercase(),
                None => t.ctype().to_lowercase(),
            },
        ),
        size: left(part).unwrap_or(part.contents().len() as u64),
    }
}

/// How many bytes a part has that was left on the mail server.
fn left(part: &MessagePart<'_>) -> Option<u64> {
    let field = part.headers.iter().find(|header| header.name().eq_ignore_ascii_case(LEFT))?;
    field.value.as_text()?.trim().parse().ok()
}

/// How much of a message is read so that no more than [`MOST_CONTAINERS`] messages and multiparts can lie in each
/// other: the parser keeps one in the other, and frees them by recursion.
pub(crate) fn shallow(raw: &[u8]) -> usize {
    let mut containers = 0;
    let mut at = 0;
    for line in raw.split_inclusive(|b| *b == b'\n') {
        let opens = |kind: &[u8]| line.windows(kind.len()).any(|w| w.eq_ignore_ascii_case(kind));
        if line.len() <= 1_000
            && line.first().is_some_and(|b| matches!(b, b'c' | b'C' | b' ' | b'\t'))
            && (opens(b"message/") || opens(b"multipart/"))
        {
            containers += 1;
            if containers > MOST_CONTAINERS {
                return at;
            }
        }
        at += line.len();
    }
    raw.len()
}

/// What stands behind the first empty line.
fn behind_header(raw: &[u8]) -> &[u8] {
    let mut at = 0;
    for line in raw.split_inclusive(|b| *b == b'\n') {
        at += line.len();
        if line.trim_ascii().is_empty() {
            return &raw[at..];
        }
    }
    &[]
}

/// A text that the parser took for an attachment because its multipart was cut off before the closing boundary:
/// it has no file name and does not call itself an attachment.
fn is_stray_text(part: &MessagePart<'_>) -> bool {
    (is_type(part, "plain") || is_type(part, "html"))
        && part.text_contents().is_some()
        && part.attachment_name().is_none()
        && !part.content_disposition().is_some_and(|d| d.is_attachment())
}

fn is_type(part: &MessagePart<'_>, subtype: &str) -> bool {
    part.content_type().is_some_and(|t| {
        t.ctype().eq_ignore_ascii_case("text") && t.subtype().is_some_and(|s| s.eq_ignore_ascii_case(subtype))
    })
}

/// Cuts at a character so that at most [`MOST_TEXT`] bytes remain, and drops NUL, which no database takes.
fn cut(mut text: String) -> String {
    if text.len() > MOST_TEXT {
        let mut end = MOST_TEXT;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    if text.contains('\0') {
        text = text.replace('\0', "");
    }
    text
}

/// The message with this plain text in the place of its own, and without files.
pub fn with_text(raw: &[u8], text: &str) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut drops = false;
    let mut rest = raw;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        if line.trim_ascii().is_empty() {
            break;
        }
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii();
            let name = name.to_ascii_lowercase();
            drops = name.starts_with(b"content-") || name == b"mime-version";
        }
        if !drops {
            kept.extend_from_slice(line);
        }
        rest = after;
    }
    kept.extend_from_slice(
        b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
    );
    kept.extend_from_slice(text.replace("\r\n", "\n").replace('\n', "\r\n").as_bytes());
    kept.extend_from_slice(b"\r\n");
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Body {
        Body::parse(text.replace('\n', "\r\n").as_bytes())
    }

    #[test]
    fn text_html_and_attachments_are_told_apart() {
        let body = parse(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=c\n\n\
             --c\nContent-Type: text/plain; charset=utf-8\n\nHallo Grüße\n--c\nContent-Type: text/html\n\n<p>Hallo</p>\n--c--\n\
             --b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=\"../a/b.pdf\"\n\
             Content-Transfer-Encoding: base64\n\nAAAA\n--b--\n",
        );
        assert_eq!(body.text.trim(), "Hallo Grüße");
        assert_eq!(body.html.unwrap().trim(), "<p>Hallo</p>");
        assert_eq!(
            body.attachments,
            [Attachment { name: "_a_b.pdf".into(), media_type: "application/pdf".into(), size: 3 }]
        );
    }

    #[test]
    fn a_file_is_given_by_its_place_in_the_list() {
        let raw = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nwords\r\n\
             --b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=a.png\r\n\r\none\r\n\
             --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"../b.pdf\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n";
        let listed = Body::parse(raw.as_bytes()).attachments;
        for (index, bytes) in [(0, &b"one"[..]), (1, &[0, 0, 0])] {
            let (file, contents) = attachment(raw.as_bytes(), index).unwrap();
            assert_eq!(file, listed[index]);
            assert_eq!(contents, bytes);
        }
        assert!(attachment(raw.as_bytes(), 2).is_none());
        assert!(attachment(b"", 0).is_none());
    }

    #[test]
    fn files_are_told_from_what_belongs_to_the_text() {
        let raw = "Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: multipart/related; boundary=r\n\n\
             --r\nContent-Type: text/html\n\n<p>Hi <img src=\"cid:logo@x\"></p>\n\
             --r\nContent-Type: image/png; name=image001.png\nContent-ID: <logo@x>\n\nlogo\n--r--\n\
             --m\nContent-Type: application/pdf; name=offer.pdf\nContent-Disposition: attachment\n\nPDF\n\
             --m\nContent-Type: image/jpeg; name=plan.jpg\nContent-Disposition: inline\n\nJPG\n--m--\n";
        let files = sent_files(raw.replace('\n', "\r\n").as_bytes());
        let told: Vec<_> = files
            .iter()
            .map(|f| (f.about.name.as_str(), f.no_file, f.bytes.as_deref().map(<[u8]>::len)))
            .collect();
        let logo = ("image001.png", Some(NoFile::Logo), None);
        assert_eq!(told, [logo, ("offer.pdf", None, Some(3)), ("plan.jpg", None, Some(3))]);
        assert_eq!(files.len(), parse(raw).attachments.len());
    }

    #[test]
    fn html_alone_gives_text_too() {
        let body = parse("Content-Type: text/html\n\n<p>One</p><p>Two</p>\n");
        assert!(body.text.contains("One") && !body.text.contains('<'), "{}", body.text);
    }

    #[test]
    fn plain_text_alone_has_no_html() {
        assert_eq!(parse("Subject: x\n\nOne\n").html, None);
    }

    #[test]
    fn an_unknown_charset_and_broken_mime_still_give_text() {
        assert!(
            parse("Content-Type: text/plain; charset=x-unknown\n\nplain words\n")
                .text
                .contains("plain words")
        );
        let cut =
            parse("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nwords");
        assert!(cut.text.contains("words"));
        assert_eq!(Body::parse(b"").text, "");
    }

    #[test]
    fn a_message_cut_in_its_html_keeps_both_texts() {
        let body = parse(
            "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain\n\
             --b\nContent-Type: text/html\n\n<p>rich",
        );
        assert_eq!((body.text.trim(), body.html.as_deref()), ("plain", Some("<p>rich")));
        assert!(body.attachments.is_empty());
    }

    #[test]
    fn texts_around_a_picture_are_joined() {
        let body = parse(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nabove\n\
             --b\nContent-Type: image/png\nContent-Disposition: inline; filename=a.png\n\nxx\n\
             --b\nContent-Type: text/plain\n\nbelow\n--b--\n",
        );
        assert!(body.text.contains("above") && body.text.contains("below"), "{}", body.text);
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let raw = format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{}", "ä".repeat(MOST_TEXT));
        let text = Body::parse(raw.as_bytes()).text;
        assert!(text.len() <= MOST_TEXT && text.len() > MOST_TEXT - 4);
    }

    #[test]
    fn nested_bombs_end() {
        let mut raw = String::from("Content-Type: multipart/mixed; boundary=b0\r\n\r\n");
        for i in 0..5_000 {
            raw += &format!("--b{i}\r\nContent-Type: multipart/mixed; boundary=b{}\r\n\r\n", i + 1);
        }
        Body::parse(raw.as_bytes());
        Body::parse("Content-Type: message/rfc822\r\n\r\n".repeat(100_000).as_bytes());
        Body::parse("Content-Type:\r\n MESSAGE/rfc822\r\n\r\n".repeat(100_000).as_bytes());
    }

    #[test]
    fn a_text_that_speaks_of_messages_is_read_to_its_end() {
        let raw = format!("Subject: x\n\n{}the end\n", "about message/rfc822\n".repeat(5_000));
        assert!(parse(&raw).text.ends_with("the end\r\n"));
    }

    #[test]
    fn flowed_text_and_unknown_charsets_are_read() {
        assert_eq!(
            parse("Content-Type: text/plain; charset=utf-8; format=flowed\n\nOne \ntwo\n").text,
            "One two\n"
        );
        let raw = b"Content-Type: text/plain\r\n\r\nGr\xfc\xdfe";
        assert_eq!(Body::parse(raw).text, "Grüße");
        let raw = b"Content-Type: text/plain; charset=x-unknown\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe";
        assert_eq!(Body::parse(raw).text.trim(), "Grüße");
    }

    #[test]
    fn winmail_is_opened_and_its_files_stand_for_it() {
        let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\r\n--b\r\n\
                    Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: binary\r\n\r\n";
        let raw = [head.as_bytes(), &tnef::tests::sample(), b"\r\n--b--\r\n"].concat();
        let body = Body::parse(&raw);
        assert_eq!(body.text, "Grüße");
        let names: Vec<&str> = body.attachments.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(names, ["Angebot für Ann.pdf"]);
        assert_eq!(attachment(&raw, 0).unwrap().1, b"%PDF");
    }

    #[test]
    fn a_signed_message_is_opened_and_an_encrypted_one_is_named() {
        let inner = b"Content-Type: text/plain; charset=utf-8\r\n\r\nGr\xc3\xbc\xc3\x9fe";
        let head = "Subject: s\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\nContent-Transfer-Encoding: binary\r\n\r\n";
        let raw = [
            head.as_bytes(),
            &cms::tests::signed(&[&[4, u8::try_from(inner.len()).unwrap()][..], inner].concat()),
        ]
        .concat();
        let body = Body::parse(&raw);
        assert_eq!((body.text.as_str(), body.encrypted), ("Grüße", false));
        let clear = parse(
            "Content-Type: multipart/signed; boundary=b\n\n--b\nContent-Type: text/plain\n\nwords\n--b\nContent-Type: application/pkcs7-signature; name=smime.p7s\n\nxx\n--b--\n",
        );
        assert_eq!((clear.text.trim(), clear.encrypted), ("words", false));
        let pgp = parse(
            "Content-Type: text/plain\n\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nwords\n- -- \nAnn\n-----BEGIN PGP SIGNATURE-----\nxx\n",
        );
        assert_eq!(pgp.text, "words\n-- \nAnn");
        for head in [
            "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nsecret",
            "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: application/octet-stream\n\nsecret\n--b--\n",
            "Content-Type: text/plain\n\n-----BEGIN PGP MESSAGE-----\n\nsecret\n-----END PGP MESSAGE-----\n",
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nopen the file\n--b\nContent-Type: application/x-microsoft-rpmsg-message; name=message.rpmsg\n\nsecret\n--b--\n",
        ] {
            let body = parse(head);
            assert!(
                body.encrypted
                    && body.text == ENCRYPTED
                    && body.html.is_none()
                    && body.attachments.is_empty(),
                "{head}"
            );
            assert!(attachment(head.as_bytes(), 0).is_none());
        }
    }

    #[test]
    fn an_illegal_boundary_costs_the_structure_and_not_the_text() {
        let body = parse(
            "Content-Type: multipart/mixed; boundary=\"\"\n\n--\nContent-Type: text/plain\n\nwords\n----\n",
        );
        assert!(body.text.contains("words"), "{body:?}");
    }

    #[test]
    fn another_text_takes_the_place_of_a_message_s_own() {
        let raw = b"From: a@x\r\nContent-Type: multipart/mixed;\r\n boundary=b\r\nMIME-Version: 1.0\r\nSubject: s\r\n\r\n--b\r\n\r\nold\r\n--b--\r\n";
        let made = with_text(raw, "gr\u{fc}n\nnew");
        let body = Body::parse(&made);
        assert_eq!(body.text.trim_end().replace("\r\n", "\n"), "gr\u{fc}n\nnew");
        let text = String::from_utf8(made).unwrap();
        assert!(text.starts_with("From: a@x\r\nSubject: s\r\nMIME-Version: 1.0\r\n"), "{text}");
        assert!(!text.contains("old") && !text.contains("boundary"), "{text}");
    }

    #[test]
    fn what_was_left_on_the_server_is_listed_and_has_no_bytes() {
        let raw = "Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/plain\n\nHi\n\
             --m\nContent-Type: video/mp4; name=a.mp4\nContent-Disposition: attachment\nX-Threadline-Left: 26214400\n\n\n--m--\n";
        let raw = raw.replace('\n', "\r\n");
        let files = sent_files(raw.as_bytes());
        assert_eq!((files.len(), files[0].about.size, files[0].left), (1, 26_214_400, true));
        assert!(files[0].bytes.is_none() && attachment(raw.as_bytes(), 0).is_none());
        assert_eq!(Body::parse(raw.as_bytes()).attachments[0].size, 26_214_400);
    }
}
