//! The mail that a person forwarded so that it is logged: the original, as a message that can be decided about.

use crate::envelope::Envelope;
use crate::message::Body;
use crate::text::{forward, when};
use jiff::tz::{Offset, TimeZone};
use mail_parser::MessageParser;

/// What a forward holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Original {
    /// The original's people, subject and date under the forward's own ids, so that it stays one message. What it answers is
    /// the original and what the forward named.
    pub envelope: Envelope,
    /// Its new text, without quote marks.
    pub text: String,
}

crate::debug_only!(Original { envelope });

/// Reads the original out of a raw forward (RFC 5322): the first message that is attached, else what is quoted in the text.
/// `None` where neither is there, or no sender is named.
pub fn original(raw: &[u8]) -> Option<Original> {
    let outer = Envelope::parse(raw);
    let mut envelope = outer.clone();
    envelope.bcc = Vec::new();
    envelope.sender = None;
    envelope.machine = None;
    envelope.thread_root = None;
    envelope.in_reply_to = Vec::new();
    let parents = outer.references.iter().chain(&outer.in_reply_to).chain(&outer.forwarded);
    envelope.references = parents.cloned().collect();
    envelope.forwarded = Vec::new();
    if let Some(inner) = forward::attached(raw).into_iter().next() {
        let read = Envelope::parse(&inner);
        envelope.from = Some(read.from?);
        (envelope.to, envelope.cc) = (read.to, read.cc);
        (envelope.subject, envelope.date) = (read.subject, read.date.or(outer.date));
        envelope.references.extend(read.references.into_iter().chain(read.in_reply_to).chain(read.ids));
        return Some(Original { envelope, text: Body::parse(&inner).text });
    }
    let read = forward::read(Some(&outer.subject), &Body::parse(raw).text)?;
    envelope.from = Some(read.from?);
    (envelope.to, envelope.cc) = (read.to, read.cc);
    envelope.subject = read.subject.unwrap_or_default();
    // Nobody forwards a mail before it was written.
    let date = read.date.and_then(|date| when::moment(&date, &zone(raw)));
    envelope.date = match (date, outer.date) {
        (Some(date), Some(forwarded)) => Some(date.min(forwarded)),
        (date, forwarded) => date.or(forwarded),
    };
    Some(Original { envelope, text: read.body })
}

/// Where the forward was written: programs quote a date by the clock on the wall there.
fn zone(raw: &[u8]) -> TimeZone {
    let offset =
        MessageParser::default().parse_headers(raw).filter(|m| !m.parts.is_empty()).and_then(|header| {
            let date = header.date()?;
            let minutes = i32::from(date.tz_hour) * 60 + i32::from(date.tz_minute);
            Offset::from_seconds(minutes * if date.tz_before_gmt { -60 } else { 60 }).ok()
        });
    offset.map_or(TimeZone::UTC, TimeZone::fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INLINE: &str = "Message-ID: <f@firm.example>\nFrom: Ann <ann@firm.example>\nTo: ann+crm@firm.example\n\
        Subject: Fwd: The offer\nDate: Tue, 3 Nov 2026 10:00:00 +0000\nReferences: <o@c.example>\n\n\
        Please log.\n\n---------- Forwarded message ---------\nFrom: Carl <carl@c.example>\n\
        Date: Mon, 2 Nov 2026 at 09:30\nSubject: The offer\nTo: Ann <ann@firm.example>\n\n\nThanks, we take it.\n";

    #[test]
    fn what_is_quoted_is_read_under_the_forwards_own_id() {
        let original = original(INLINE.replace('\n', "\r\n").as_bytes()).unwrap();
        let e = &original.envelope;
        assert_eq!(e.from.as_ref().unwrap().address.as_str(), "carl@c.example");
        assert_eq!(e.to[0].address.as_str(), "ann@firm.example");
        assert_eq!(e.subject, "The offer");
        assert_eq!(e.date.unwrap().to_string(), "2026-11-02T09:30:00Z");
        assert_eq!(e.ids[0].as_str(), "f@firm.example");
        assert_eq!(e.references[0].as_str(), "o@c.example");
        assert_eq!(original.text.trim(), "Thanks, we take it.");
    }

    #[test]
    fn a_quoted_date_is_of_the_time_zone_in_which_the_mail_was_forwarded() {
        for (written, moment) in [
            ("Tue, 3 Nov 2026 10:00:00 +0100", "2026-11-02T08:30:00Z"),
            ("Tue, 3 Nov 2026 10:00:00 -0330", "2026-11-02T13:00:00Z"),
            ("Tue, 3 Nov 2026 10:00:00 GMT", "2026-11-02T09:30:00Z"),
        ] {
            let raw = INLINE.replace("Tue, 3 Nov 2026 10:00:00 +0000", written).replace('\n', "\r\n");
            assert_eq!(original(raw.as_bytes()).unwrap().envelope.date.unwrap().to_string(), moment);
        }
    }

    #[test]
    fn what_is_attached_is_read_with_its_own_ids() {
        let raw = "Message-ID: <f@firm.example>\nFrom: ann@firm.example\nTo: ann+crm@firm.example\nSubject: Fwd: x\n\
            MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nlog\n\
            --b\nContent-Type: message/rfc822\n\nMessage-ID: <o@c.example>\nFrom: carl@c.example\n\
            To: ann@firm.example\nSubject: The offer\nDate: Mon, 2 Nov 2026 09:30:00 +0000\n\nWe take it.\n--b--\n";
        let original = original(raw.replace('\n', "\r\n").as_bytes()).unwrap();
        assert_eq!(original.envelope.from.unwrap().address.as_str(), "carl@c.example");
        assert!(original.envelope.references.iter().any(|id| id.as_str() == "o@c.example"));
        assert_eq!(original.text.trim(), "We take it.");
    }

    #[test]
    fn what_is_no_forward_has_no_original() {
        let raw = b"From: ann@firm.example\r\nSubject: Fwd: x\r\n\r\nNothing is quoted here.\r\n";
        assert!(original(raw).is_none());
    }
}
