//! Invitations and the answers to them (RFC 5546, RFC 6047).

use super::parts::{Kind, parts};
use crate::address::Address;

/// What a calendar sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// An invitation, or a change of one.
    Request,
    /// An answer to one.
    Reply(Answer),
    Cancel,
    /// Another time is proposed.
    Counter,
    Publish,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Accepted,
    Declined,
    Tentative,
    /// Passed on to somebody else, or none of these.
    Other,
}

/// A message of a calendar.
#[derive(Clone, PartialEq, Eq)]
pub struct Calendar {
    pub method: Method,
    /// Of the appointment.
    pub summary: Option<String>,
    /// Who answers, in an answer.
    pub attendee: Option<Address>,
}

crate::debug_only!(Calendar { method });

/// Whether a message of this content type, in lower case, is an answer to an invitation as a whole (RFC 6047 §2.4).
pub fn is_reply(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    parts.next() == Some("text/calendar")
        && parts.any(|part| {
            let value = part.strip_prefix("method").map(|rest| rest.trim_start().trim_start_matches('='));
            value.is_some_and(|value| value.trim().trim_matches('"') == "reply")
        })
}

/// Reads what a calendar sent from a raw message (RFC 5322). `None` where nothing of the kind is in it.
pub fn read(raw: &[u8]) -> Option<Calendar> {
    let (_, parts) = parts(raw);
    parts.iter().filter(|part| part.kind == Kind::Calendar).find_map(|part| of_text(&part.text))
}

fn of_text(text: &str) -> Option<Calendar> {
    let text = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let mut found = Found::default();
    for line in text.lines().take(20_000) {
        let Some((name, value)) = named(line) else { continue };
        let (name, parameters) = name.split_once(';').unwrap_or((name, ""));
        match name.to_ascii_uppercase().as_str() {
            "METHOD" if found.method.is_none() => found.method = Some(value.trim().to_ascii_uppercase()),
            "SUMMARY" if found.summary.is_none() => {
                found.summary = Some(value.replace("\\,", ",").replace("\\;", ";"))
            }
            "ATTENDEE" if found.attendee.is_none() => {
                let value = value.trim();
                let address = value
                    .get(..7)
                    .filter(|s| s.eq_ignore_ascii_case("mailto:"))
                    .map_or(value, |_| &value[7..]);
                found.attendee = Address::parse(address).ok();
                found.answer = parameters.to_ascii_uppercase();
            }
            _ => {}
        }
    }
    let answer = match found.answer.as_str() {
        p if p.contains("PARTSTAT=ACCEPTED") => Answer::Accepted,
        p if p.contains("PARTSTAT=DECLINED") => Answer::Declined,
        p if p.contains("PARTSTAT=TENTATIVE") => Answer::Tentative,
        _ => Answer::Other,
    };
    let method = match found.method?.as_str() {
        "REQUEST" | "ADD" | "REFRESH" => Method::Request,
        "REPLY" => Method::Reply(answer),
        "CANCEL" => Method::Cancel,
        "COUNTER" | "DECLINECOUNTER" => Method::Counter,
        "PUBLISH" => Method::Publish,
        _ => return None,
    };
    let attendee = found.attendee.filter(|_| matches!(method, Method::Reply(_) | Method::Counter));
    Some(Calendar { method, summary: found.summary.filter(|s| !s.is_empty()), attendee })
}

#[derive(Default)]
struct Found {
    method: Option<String>,
    summary: Option<String>,
    attendee: Option<Address>,
    /// The parameters of the first attendee.
    answer: String,
}

/// A line up to its colon, which can stand in quotation marks of a parameter, and what stands behind it.
fn named(line: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let at = line.bytes().position(|b| {
        quoted ^= b == b'"';
        b == b':' && !quoted
    })?;
    Some((&line[..at], &line[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(calendar: &str) -> Option<Calendar> {
        read(format!("Subject: x\r\nContent-Type: text/calendar; method=REPLY; charset=utf-8\r\n\r\nBEGIN:VCALENDAR\r\n{calendar}\r\nEND:VCALENDAR\r\n").as_bytes())
    }

    #[test]
    fn answers_are_named() {
        for (state, want) in [
            ("ACCEPTED", Answer::Accepted),
            ("DECLINED", Answer::Declined),
            ("TENTATIVE", Answer::Tentative),
            ("DELEGATED", Answer::Other),
        ] {
            let text = format!(
                "METHOD:REPLY\r\nBEGIN:VEVENT\r\nATTENDEE;CN=\"Lee: Ann\";PARTSTAT={state}:mai\r\n lto:ann@x.org\r\nSUMMARY;LANGUAGE=en:Offer\\, talk\r\nEND:VEVENT"
            );
            let found = mail(&text).unwrap();
            assert_eq!(found.method, Method::Reply(want));
            assert_eq!(found.summary.as_deref(), Some("Offer, talk"));
            assert_eq!(found.attendee.unwrap().as_str(), "ann@x.org");
        }
        assert_eq!(
            mail("METHOD:REQUEST\r\nATTENDEE:mailto:ann@x.org").map(|c| (c.method, c.attendee)),
            Some((Method::Request, None))
        );
        assert_eq!(mail("METHOD:CANCEL").unwrap().method, Method::Cancel);
    }

    #[test]
    fn what_is_no_calendar_is_none() {
        assert!(mail("BEGIN:VEVENT").is_none());
        assert!(read(b"Subject: METHOD:REPLY\r\n\r\nMETHOD:REPLY\r\n").is_none());
        assert!(read(b"").is_none());
    }
}
