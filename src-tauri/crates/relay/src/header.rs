//! The header of a mail, held until it is whole: what is looked at, and the little that is changed.

use crate::switch::{self, Switch};
use sha2::{Digest as _, Sha256};
use std::ops::Range;
use threadline_core::envelope::Envelope;
use threadline_core::id::MessageId;

/// The field that is added where a mail has none. No other is, and none is taken away.
pub const ADDED: &str = "Message-ID";
/// The field whose beginning loses a switch.
pub const SUBJECT: &str = "Subject";
/// The fields whose addresses lose the switch that they have in the envelope.
pub const PEOPLE: [&str; 3] = ["To", "Cc", "Bcc"];

/// A header that comes in pieces.
#[derive(Debug)]
pub(crate) struct Hold {
    held: Vec<u8>,
    /// Where the line begins that is not whole yet.
    line: usize,
    most: usize,
}

/// How far it is.
#[derive(Debug)]
pub(crate) enum Held {
    More(Hold),
    Whole(Head),
    TooLarge,
}

impl Hold {
    pub(crate) fn new(most: usize) -> Self {
        Self { held: Vec::new(), line: 0, most }
    }

    /// Takes the next piece of the text.
    pub(crate) fn feed(mut self, piece: &[u8]) -> Held {
        self.held.extend_from_slice(piece);
        while let Some(end) = self.held[self.line..].iter().position(|b| *b == b'\n') {
            let next = self.line + end + 1;
            match kind(&self.held[self.line..next]) {
                Kind::Field => self.line = next,
                Kind::Fold if self.line > 0 => self.line = next,
                Kind::Empty => return Held::Whole(self.cut(true)),
                Kind::Fold | Kind::Other => return Held::Whole(self.cut(false)),
            }
            if self.line > self.most {
                return Held::TooLarge;
            }
        }
        if self.held.len() > self.most { Held::TooLarge } else { Held::More(self) }
    }

    /// The text ended within its header.
    pub(crate) fn end(mut self) -> Head {
        self.line = self.held.len();
        self.cut(true)
    }

    fn cut(mut self, sound: bool) -> Head {
        let rest = self.held.split_off(self.line);
        Head { fields: self.held, rest, sound }
    }
}

enum Kind {
    Field,
    Fold,
    Empty,
    Other,
}

/// What a line of a header is (RFC 5322 §2.2).
fn kind(line: &[u8]) -> Kind {
    match line.first() {
        _ if line == b"\r\n" => Kind::Empty,
        Some(b' ' | b'\t') => Kind::Fold,
        _ => {
            let colon = line.iter().position(|b| *b == b':').unwrap_or_default();
            let name = line[..colon].trim_ascii_end();
            match !name.is_empty() && name.iter().all(u8::is_ascii_graphic) {
                true => Kind::Field,
                false => Kind::Other,
            }
        }
    }
}

/// A header that is whole.
#[derive(Clone, PartialEq, Eq)]
pub struct Head {
    /// Every field with its line end.
    fields: Vec<u8>,
    /// From the empty line on, as far as it came.
    pub(crate) rest: Vec<u8>,
    /// False where a line stands in it that is no field: such a header stays as it is.
    sound: bool,
}

/// Mail text: not for a log.
impl std::fmt::Debug for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Head(…)")
    }
}

/// A header as it goes on.
pub(crate) struct Edited {
    pub fields: Vec<u8>,
    pub message_id: Option<MessageId>,
    pub switch: Option<Switch>,
}

impl Head {
    /// Each field: its name, and where it stands.
    fn fields(&self) -> Vec<(&[u8], Range<usize>)> {
        let mut found: Vec<(&[u8], Range<usize>)> = Vec::new();
        let mut begin = 0;
        for line in self.fields.split_inclusive(|b| *b == b'\n') {
            let end = begin + line.len();
            match (line.first(), found.last_mut()) {
                (Some(b' ' | b'\t'), Some((_, range))) => range.end = end,
                _ => {
                    let colon = line.iter().position(|b| *b == b':').unwrap_or(line.len());
                    found.push((line[..colon].trim_ascii_end(), begin..end));
                }
            }
            begin = end;
        }
        found
    }

    /// The value of the first field of a name, with folds and line end.
    fn value(&self, name: &str) -> Option<&[u8]> {
        let fields = self.fields();
        let (_, range) = fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes()))?;
        let field = &self.fields[range.clone()];
        field.iter().position(|b| *b == b':').map(|colon| &field[colon + 1..])
    }

    /// The id that the mail program gave; the inner `None` where it cannot be read.
    fn own_id(&self) -> Option<Option<MessageId>> {
        self.value(ADDED)?;
        // Read as its copy in Sent will be.
        Some(Envelope::parse(&self.fields).ids.into_iter().next_back())
    }

    /// Whether the text behind it is signed or encrypted as a whole, so that no byte of it may be another one.
    pub fn is_sealed(&self) -> bool {
        let kind =
            String::from_utf8_lossy(self.value("Content-Type").unwrap_or_default()).to_ascii_lowercase();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        matches!(
            kind,
            "multipart/signed"
                | "multipart/encrypted"
                | "application/pkcs7-mime"
                | "application/x-pkcs7-mime"
                | "application/pgp-encrypted"
        )
    }

    /// The header as it goes on. `switched` are addresses of the envelope with and without their switch; `domain` is the
    /// mailbox's, for a Message-ID; `random` makes one where there is no Date to tell two mails apart by.
    pub(crate) fn edit(&self, switched: &[(String, String)], domain: &str, random: &[u8; 16]) -> Edited {
        if !self.sound {
            let message_id = self.own_id().flatten();
            return Edited { fields: self.fields.clone(), message_id, switch: None };
        }
        let mut fields = Vec::with_capacity(self.fields.len() + 128);
        let (mut switch, mut subject_seen) = (None, false);
        for (name, range) in self.fields() {
            let field = &self.fields[range];
            let behind = field.iter().position(|b| *b == b':').map_or(field.len(), |colon| colon + 1);
            let (head, value) = field.split_at(behind);
            let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
            if is(SUBJECT) && !subject_seen {
                subject_seen = true;
                if let Some((said, rest)) = switch::of_subject(value) {
                    switch = Some(said);
                    fields.extend_from_slice(head);
                    fields.extend_from_slice(&rest);
                    continue;
                }
            }
            fields.extend_from_slice(head);
            match PEOPLE.into_iter().any(is) {
                true => fields.extend_from_slice(&without_switches(value, switched)),
                false => fields.extend_from_slice(value),
            }
        }
        let message_id = match self.own_id() {
            Some(own) => own,
            None => {
                let dated = self.value("Date").is_some();
                let id = made_id(&fields, if dated { None } else { Some(random) }, domain);
                if !fields.is_empty() && !fields.ends_with(b"\n") {
                    fields.extend_from_slice(b"\r\n");
                }
                fields.extend_from_slice(format!("{ADDED}: <{id}>\r\n").as_bytes());
                MessageId::parse(&id)
            }
        };
        Edited { fields, message_id, switch }
    }
}

/// A Message-ID made of the header that goes out, so that a second try has the same one.
fn made_id(fields: &[u8], random: Option<&[u8; 16]>, domain: &str) -> String {
    let mut sha = Sha256::new();
    sha.update(b"threadline relay\0");
    sha.update(random.map_or(&[][..], |random| random));
    sha.update(fields);
    let digest = sha.finalize();
    let hex: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
    format!("threadline.{hex}@{domain}")
}

/// Every whole address of the list by its form without a switch.
fn without_switches(value: &[u8], switched: &[(String, String)]) -> Vec<u8> {
    let mut value = value.to_vec();
    for (with, without) in switched {
        let with = with.as_bytes();
        let mut at = 0;
        while at + with.len() <= value.len() {
            let end = at + with.len();
            let whole = !value[..at].last().is_some_and(|b| of_address(*b))
                && !value.get(end).is_some_and(|b| of_address(*b));
            if whole && value[at..end].eq_ignore_ascii_case(with) {
                value.splice(at..end, without.bytes());
                at += without.len();
            } else {
                at += 1;
            }
        }
    }
    value
}

/// A byte that belongs to the address beside which it stands.
fn of_address(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"!#$%&'*+-/=?^_`{|}~.@".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RANDOM: [u8; 16] = [7; 16];

    fn head(text: &str) -> Head {
        match Hold::new(1 << 20).feed(text.as_bytes()) {
            Held::Whole(head) => head,
            Held::More(hold) => hold.end(),
            Held::TooLarge => panic!("too large"),
        }
    }

    fn edited(text: &str, switched: &[(&str, &str)]) -> (String, Option<MessageId>, Option<Switch>) {
        let switched: Vec<_> = switched.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let head = head(text);
        let edited = head.edit(&switched, "firm.example", &RANDOM);
        let whole = [edited.fields, head.rest].concat();
        (String::from_utf8(whole).unwrap(), edited.message_id, edited.switch)
    }

    #[test]
    fn a_header_with_an_id_and_no_switch_is_the_same() {
        for text in [
            "Message-ID: <a@b>\r\nSubject : x\r\n\r\nbody\r\n",
            "message-id:\r\n <a@b>\r\n\r\n",
            "Message-ID: <a@b>\r\nTo: carl+log@x\r\n",
            "Message-ID: <a@b>\r\nno field\r\n\r\nbody",
            "no header at all\r\n",
            " fold first\r\nA: b\r\n\r\n",
        ] {
            assert_eq!(edited(text, &[]).0, text, "{text:?}");
        }
    }

    #[test]
    fn an_id_is_made_where_there_is_none_and_is_the_same_again() {
        let text = "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nSubject: x\r\n\r\nbody\r\n";
        let (sent, id, _) = edited(text, &[]);
        let id = id.unwrap();
        assert!(id.as_str().ends_with("@firm.example"));
        assert_eq!(sent, text.replace("\r\n\r\n", &format!("\r\nMessage-ID: <{id}>\r\n\r\n")));
        assert_eq!(edited(text, &[]).1.as_ref(), Some(&id));
        assert_ne!(edited(&text.replace('x', "y"), &[]).1, Some(id));
    }

    #[test]
    fn without_a_date_two_mails_are_two() {
        let head = head("Subject: backup\r\n\r\n");
        let id = |random: [u8; 16]| head.edit(&[], "x.example", &random).message_id;
        assert_ne!(id([1; 16]), id([2; 16]));
        // One that the client gave is never made anew, however odd.
        assert_eq!(edited("Message-ID: \r\n\r\n", &[]), ("Message-ID: \r\n\r\n".to_owned(), None, None));
    }

    #[test]
    fn a_text_without_a_body_gets_its_id_too() {
        let (sent, id, _) = edited("Date: x\r\n", &[]);
        assert_eq!(sent, format!("Date: x\r\nMessage-ID: <{}>\r\n", id.unwrap()));
        let (sent, id, _) = edited("\r\nbody\r\n", &[]);
        assert_eq!(sent, format!("Message-ID: <{}>\r\n\r\nbody\r\n", id.unwrap()));
    }

    #[test]
    fn switches_go_from_subject_and_addresses_and_from_nowhere_else() {
        let text = "Message-ID: <a@b>\r\nFrom: carl+log@x.example\r\nTo: \"carl+log@x.example\" <Carl+Log@x.example>,\r\n \
                    mycarl+log@x.example, carl+log@x.example.org\r\nSubject: +log Offer\r\nSubject: +log two\r\n\r\n+log\r\n";
        let want = "Message-ID: <a@b>\r\nFrom: carl+log@x.example\r\nTo: \"carl@x.example\" <carl@x.example>,\r\n \
                    mycarl+log@x.example, carl+log@x.example.org\r\nSubject: Offer\r\nSubject: +log two\r\n\r\n+log\r\n";
        let (sent, _, switch) = edited(text, &[("carl+log@x.example", "carl@x.example")]);
        assert_eq!(sent, want);
        assert_eq!(switch, Some(Switch::Log));
    }

    #[test]
    fn signed_and_encrypted_mail_is_known() {
        for (kind, sealed) in [
            ("multipart/signed; micalg=pgp-sha512", true),
            ("MULTIPART/Encrypted;\r\n boundary=x", true),
            ("application/pkcs7-mime; smime-type=signed-data", true),
            ("multipart/mixed", false),
            ("text/plain; name=\"multipart/signed\"", false),
        ] {
            assert_eq!(head(&format!("Content-Type: {kind}\r\n\r\n")).is_sealed(), sealed, "{kind}");
        }
    }

    #[test]
    fn a_header_is_bounded() {
        let field = format!("X: {}\r\n", "x".repeat(500));
        assert!(matches!(Hold::new(1_000).feed(field.repeat(3).as_bytes()), Held::TooLarge));
        assert!(matches!(Hold::new(1_000).feed("x".repeat(1_001).as_bytes()), Held::TooLarge));
        assert!(matches!(Hold::new(1_000).feed(field.as_bytes()), Held::More(_)));
    }

    proptest! {
        #[test]
        fn whatever_it_is_it_passes_whole(text in "([A-Za-z]{1,8}: ?[ -~]{0,20}\r\n( [!-~]{1,9}\r\n)?){0,5}(\r\n[ -~\r\n]{0,30})?") {
            let whole = format!("Message-ID: <a@b>\r\n{text}");
            let head = head(&whole);
            let edited = head.edit(&[], "x.example", &RANDOM);
            prop_assume!(edited.switch.is_none());
            prop_assert_eq!([edited.fields, head.rest].concat(), whole.into_bytes());
        }

        #[test]
        fn how_it_is_cut_does_not_matter(text in "([a-z]{1,3}: x\r\n){0,4}(\r\n)?[a-z:\r\n ]{0,20}", cut in 0_usize..40) {
            let whole = head(&text);
            let (one, two) = text.as_bytes().split_at(cut.min(text.len()));
            let cut = match Hold::new(1 << 20).feed(one) {
                Held::Whole(mut head) => {
                    head.rest.extend_from_slice(two);
                    head
                }
                Held::More(hold) => match hold.feed(two) {
                    Held::Whole(head) => head,
                    Held::More(hold) => hold.end(),
                    Held::TooLarge => panic!(),
                },
                Held::TooLarge => panic!(),
            };
            prop_assert_eq!(whole, cut);
        }
    }
}
