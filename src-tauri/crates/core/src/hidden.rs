//! Mail that went to contacts in Bcc: none of them may see the others, nor may who reads the CRM's record of one.

use crate::address::{Address, Mailbox};
use crate::decide::{Known, KnownThread, Thread};
use crate::envelope::Envelope;
use crate::matching::{Link, forwards};
use crate::record::Association;

/// A contact on whom a mail is logged alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    pub thread: Thread,
    pub contact: Association,
}

/// A mail that is logged more than once.
#[derive(Debug)]
pub(crate) struct Split {
    /// The conversation of those who see each other, or of the first in Bcc where nobody else is a contact.
    pub thread: Thread,
    pub link: Option<Link>,
    pub open: Vec<Association>,
    pub hidden: Vec<Hidden>,
}

/// Divides those on whom a mail is logged into those who see each other (To, Cc) and those whom it hides (Bcc). `None` where
/// it hides nobody from anybody. `ties` are the conversations that it may belong to, the surest first.
pub(crate) fn split(
    envelope: &Envelope,
    contacts: &[Association],
    ties: &[(Link, &KnownThread)],
    known: &Known,
) -> Option<Split> {
    let (mut hidden, mut open): (Vec<_>, Vec<_>) =
        contacts.iter().cloned().partition(|contact| is_hidden(envelope, &contact.address));
    if hidden.is_empty() || contacts.len() < 2 {
        return None;
    }
    if open.is_empty() {
        open.push(hidden.remove(0));
    }
    let took_part = |thread: &KnownThread, who: &[Association]| {
        who.iter().any(|contact| thread.took_part(&contact.address, &known.contacts))
    };
    let outside: Vec<&Address> = open.iter().map(|contact| &contact.address).collect();
    let forwards = forwards(envelope);
    let fits = |thread: &KnownThread| thread.fits(&outside, &known.contacts, forwards);
    let own = |thread: &KnownThread| took_part(thread, &open) && !took_part(thread, &hidden);
    let find = |is: &dyn Fn(&KnownThread) -> bool| ties.iter().find(|(_, thread)| is(thread));
    // One in which somebody hidden takes part serves only where they took part openly before.
    let tie = find(&own).or_else(|| find(&|thread| took_part(thread, &open) && fits(thread)));
    let (thread, link) = tie.map_or((Thread::New, None), |(link, t)| (Thread::Join(t.id), Some(*link)));
    let hidden = hidden
        .iter()
        .map(|one| {
            let alone = |thread: &KnownThread| {
                let others = contacts.iter().filter(|other| other.address != one.address).cloned();
                took_part(thread, std::slice::from_ref(one))
                    && !took_part(thread, &others.collect::<Vec<_>>())
            };
            let thread = find(&alone).map_or(Thread::New, |(_, t)| Thread::Join(t.id));
            Hidden { thread, contact: one.clone() }
        })
        .collect();
    Some(Split { thread, link, open, hidden })
}

/// Leaves those who are in To or Cc, where anybody is.
pub(crate) fn keep_open(envelope: &Envelope, contacts: &mut Vec<Association>) {
    if contacts.iter().any(|contact| !is_hidden(envelope, &contact.address)) {
        contacts.retain(|contact| !is_hidden(envelope, &contact.address));
    }
}

/// In Bcc and nowhere else.
fn is_hidden(envelope: &Envelope, who: &Address) -> bool {
    let has = |list: &[Mailbox]| list.iter().any(|mailbox| mailbox.address == *who);
    has(&envelope.bcc) && !has(&envelope.to) && !has(&envelope.cc)
}

/// The message with these people in its Bcc field and nobody else; without the field where there is nobody. `alone` leaves out To
/// and Cc too.
pub fn with_bcc(raw: &[u8], bcc: &[Mailbox], alone: bool) -> Vec<u8> {
    let mut kept = Vec::with_capacity(raw.len());
    if !bcc.is_empty() {
        let list: Vec<&str> = bcc.iter().map(|mailbox| mailbox.address.as_str()).collect();
        kept.extend_from_slice(format!("Bcc: {}\r\n", list.join(",\r\n ")).as_bytes());
    }
    let mut rest = raw;
    let mut drops = false;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
        let continues = line.starts_with(b" ") || line.starts_with(b"\t");
        drops = if continues { drops } else { names_people(line, alone) };
        if !drops {
            kept.extend_from_slice(line);
        }
        rest = after;
    }
    kept.extend_from_slice(rest);
    kept
}

/// A field that names who got the message unseen (RFC 5322 §3.6.3, §3.6.6), or, where so asked, who got it at all.
fn names_people(line: &[u8], all: bool) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii();
    let name = name.to_ascii_lowercase();
    let field = name.strip_prefix(b"resent-").unwrap_or(&name);
    field == b"bcc" || (all && matches!(field, b"to" | b"cc"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(raw: &str, bcc: &[&str]) -> String {
        let bcc: Vec<Mailbox> =
            bcc.iter().map(|a| Mailbox { name: None, address: Address::parse(a).unwrap() }).collect();
        String::from_utf8(with_bcc(raw.as_bytes(), &bcc, false)).unwrap()
    }

    #[test]
    fn a_message_keeps_the_one_whom_it_is_shown_to() {
        let raw = "From: a@x\r\nBCC: b@x,\r\n\tc@x\r\nSubject: s\r\n bcc: no field\r\nResent-Bcc : d@x\r\n\r\nBcc: text\r\n";
        let rest = "From: a@x\r\nSubject: s\r\n bcc: no field\r\n\r\nBcc: text\r\n";
        assert_eq!(only(raw, &[]), rest);
        assert_eq!(only(raw, &["b@x.example"]), format!("Bcc: b@x.example\r\n{rest}"));
        assert_eq!(
            only(raw, &["b@x.example", "c@x.example"]),
            format!("Bcc: b@x.example,\r\n c@x.example\r\n{rest}")
        );
        let alone =
            with_bcc(b"To: b@x\r\nFrom: a@x\r\nCc: c@x,\r\n d@x\r\nTopic: x\r\n\r\nTo: text", &[], true);
        assert_eq!(String::from_utf8(alone).unwrap(), "From: a@x\r\nTopic: x\r\n\r\nTo: text");
        assert_eq!(only("Bcc: b@x", &[]), "");
        assert_eq!(only("\r\nBcc: text", &[]), "\r\nBcc: text");
    }
}
