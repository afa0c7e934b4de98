//! Reports that are written for people alone: who could not be reached.

use super::status::{find_code, find_smtp};
use crate::address::Address;
use std::collections::HashSet;

/// A recipient that a text names, and what it says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub address: String,
    pub status: Option<String>,
    pub smtp: Option<u16>,
    pub words: String,
}

/// Words with which servers say that a mail did not arrive, in lower case.
#[rustfmt::skip]
const FAILED: &[&str] = &[
    "undeliver", "not be delivered", "not delivered", "unable to deliver", "wasn't able to deliver",
    "was not able to deliver", "couldn't be delivered", "could not deliver", "couldn't deliver",
    "delivery failed", "delivery failure", "failed delivery", "delivery to the following",
    "failed permanently", "permanent error", "permanent fatal error", "fatal error", "did not reach",
    "didn't reach", "returned mail", "returned to sender", "returning message to sender",
    "mail delivery fail", "message not delivered", "delivery status notification (failure)",
    "delivery has failed", "mail system error", "failure notice", "cannot be delivered",
    "can not be delivered", "rejected your message", "has been rejected", "was rejected", "undeliverable",
    "non-delivery", "giving up on it", "was not delivered", "unzustellbar", "nicht zugestellt",
    "konnte nicht zugestellt", "nicht zustellbar", "zustellung fehlgeschlagen", "unzustellbarkeits",
    "non remis", "n'a pas pu être remis", "échec de la remise", "échec de remise", "non distribué",
    "non délivré", "n'a pas pu être distribué", "no se pudo entregar", "no se ha podido entregar",
    "no se puede entregar", "error en la entrega", "impossibile recapitare", "non recapitat",
    "mancato recapito", "non è stato recapitato", "impossibile consegnare", "não pôde ser entregue",
    "não foi possível entregar", "não foi entregue", "não entregue", "falha na entrega",
    "niet worden bezorgd", "niet bezorgd", "niet worden afgeleverd", "onbestelbaar",
    "kunde inte levereras", "gick inte att leverera", "kunne ikke leveres", "ikke leveret", "ikke levert",
    "ei voitu toimittaa", "perille toimittaminen", "nie można dostarczyć", "nie została dostarczona",
    "niedostarczon", "nelze doručit", "nedoručiteľn", "nedoručiteln", "nepodařilo doručit",
    "nem kézbesíthető", "kézbesítés sikertelen", "kézbesítetlen", "nu a putut fi livrat", "nelivrat",
    "не доставлено", "не удалось доставить", "не может быть доставлено", "недоставленное",
    "невозможно доставить", "не вдалося доставити", "teslim edilemedi", "iletilemedi", "δεν παραδόθηκε",
    "配信できません", "配信不能", "送信できません", "配信に失敗", "退信", "无法送达", "無法傳遞", "未送达", "投递失败", "배달 실패", "전달되지 못",
    "לא נמסר", "تعذر تسليم", "ne peut être délivré",
];

/// Words of reports that say that the mail waits, and will be tried again.
#[rustfmt::skip]
const DELAYED: &[&str] = &[
    "delayed", "will be retried", "will continue to try", "will keep trying", "not yet been delivered",
    "has not been delivered yet", "still being tried", "warning: could not send", "delay)",
    "do not need to resend", "no action is required", "verzögert", "retardé", "diferido", "retrasad",
    "ritardat", "försenad", "forsinket", "vertraagd", "opóźni", "zpožd", "задерж",
];

/// Lines behind which the message that is reported on stands, in lower case.
#[rustfmt::skip]
const ORIGINAL: &[&str] = &[
    "below this line is a copy of the message", "this is a copy of the message",
    "this is a copy of your message", "original message follows", "the original message",
    "original message headers", "message header follows", "headers of the message",
    "header of the original message", "included is a copy", "text of the message",
    "unsent message follows", "unsent message below", "your original message", "original message:",
    "original message -", "message headers follow", "first 20 lines", "copie du message",
    "ursprüngliche nachricht", "kopie der nachricht", "original-nachricht", "kopfzeilen", "encabezados",
    "en-têtes", "returned message", "original-header", "message follows", "message text follows",
    "-- original message", "the following is a copy",
];

/// Words in front of an address in a line, in lower case, without what stands between.
#[rustfmt::skip]
const LABELS: &[&str] = &[
    "to", "recipient", "recipients", "recipient address", "address", "failed recipient",
    "failed recipients", "intended recipient", "rcpt to", "email", "e-mail", "user", "delivery to", "an",
    "empfänger", "adresse", "destinataire", "para", "destinatario", "a", "destinatário", "aan",
    "ontvanger", "till", "til", "do", "adresat", "komu", "кому", "получатель", "адрес", "収信者", "宛先", "收件人",
    "收件者", "받는 사람", "final-recipient", "original-recipient", "failed address", "your message to",
    "the email address",
];

/// Most recipients named.
const MOST: usize = 100;
/// Most lines looked at.
const MOST_LINES: usize = 2_000;

/// True where a text says that a mail did not arrive.
pub(super) fn says_failed(text: &str) -> bool {
    let lower = text.to_lowercase().replace('’', "'");
    FAILED.iter().any(|words| lower.contains(words))
}

/// True where it says that the mail waits.
pub(super) fn says_delayed(text: &str) -> bool {
    let lower = text.to_lowercase();
    DELAYED.iter().any(|words| lower.contains(words))
}

/// True where the text itself says so, in more than a word.
pub(super) fn says_waiting(text: &str) -> bool {
    let lower = text.to_lowercase();
    DELAYED.iter().filter(|words| words.contains(' ')).any(|words| lower.contains(words))
}

/// Where the message that is reported on begins.
pub(super) fn original(text: &str) -> &str {
    let mut at = 0;
    let mut before = "";
    for line in text.split_inclusive('\n').take(MOST_LINES) {
        let lower = line.trim().to_lowercase();
        let marked = line.len() <= 200 && ORIGINAL.iter().any(|mark| lower.contains(mark)) && at > 0;
        let header = ["received:", "return-path:", "message-id:"].iter().any(|h| lower.starts_with(h))
            && before.trim().is_empty();
        if marked || header {
            return &text[at..];
        }
        at += line.len();
        before = line;
    }
    ""
}

/// The recipients that a text names in lines of their own, without the addresses in `not`: the sender's, the server's.
pub(super) fn recipients(text: &str, not: &HashSet<Address>) -> Vec<Named> {
    let text = &text[..text.len() - original(text).len()];
    let lines: Vec<&str> = text.lines().take(MOST_LINES).collect();
    let mut found: Vec<(usize, Address, String)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((address, shown)) = address_line(line) else { continue };
        if not.contains(&address) || is_server(&address) || found.iter().any(|(_, a, _)| *a == address) {
            continue;
        }
        found.push((at, address, shown));
        if found.len() == MOST {
            break;
        }
    }
    let ends: Vec<usize> = found.iter().skip(1).map(|(at, ..)| *at).chain([lines.len()]).collect();
    found
        .into_iter()
        .zip(ends)
        .map(|((at, _, address), end)| {
            let words = lines[at..end.min(at + 12)].join("\n");
            let own = words.replace(&address, "");
            Named { address, status: find_code(&own), smtp: find_smtp(&own), words }
        })
        .collect()
}

fn is_server(address: &Address) -> bool {
    matches!(
        address.local(),
        "mailer-daemon"
            | "postmaster"
            | "mailerdaemon"
            | "abuse"
            | "helpdesk"
            | "support"
            | "noreply"
            | "no-reply"
    )
}

/// The address with which a line begins, behind a label or a mark: `<ann@x>:`, `  ann@x`, `To: ann@x`, `- ann@x (reason)`.
fn address_line(line: &str) -> Option<(Address, String)> {
    if line.len() > 1_000 || !line.contains('@') {
        return None;
    }
    let at = line.find('@')?;
    let start = line[..at]
        .rfind(|c: char| {
            c.is_whitespace() || matches!(c, '<' | '(' | '"' | ':' | ';' | '\'' | '«' | '“' | '[')
        })
        .map_or(0, |i| i + line[i..].chars().next().map_or(1, char::len_utf8));
    let end = line[at..]
        .find(|c: char| {
            c.is_whitespace() || matches!(c, '>' | ')' | '"' | ':' | ';' | ',' | '\'' | '»' | '”' | ']')
        })
        .map_or(line.len(), |i| at + i);
    let shown = line[start..end].trim_end_matches('.');
    let before = line[..start].trim_matches(|c: char| {
        c.is_whitespace()
            || matches!(c, '<' | '(' | '"' | '-' | '*' | '•' | '\'' | '>' | '·' | '[' | '“' | '«')
    });
    let lower = before.trim_end_matches([':', ' ', ';']).to_lowercase();
    let scheme =
        |text: &str| ["smtp", "mailto", "rfc822"].iter().find_map(|s| text.strip_suffix(s).map(str::len));
    let label = lower[..scheme(&lower).unwrap_or(lower.len())]
        .trim_matches([':', ' ', ';', '[', '<', '('])
        .to_owned();
    // A name in front of the address, as Exchange writes it: `Lee, Ann <ann@x>`, `Ann Lee (ann@x)`.
    let after = line[end..].trim_start_matches(['>', ')', '"', '\'', ']', '”', '»']).trim();
    let named = line[..start].trim_end().ends_with(['<', '('])
        && label.split_whitespace().count() <= 4
        && !label.contains(['.', '@', '=', '['])
        && (after.is_empty() || after.starts_with(['<', '(', ':', ';', ',', '[']));
    // A sentence that says that a mail to this address did not arrive.
    let told = line.matches('@').count() == 1 && says_failed(line);
    if !(label.is_empty() || LABELS.contains(&label.as_str()) || named || told) {
        return None;
    }
    // A sentence that begins with an address is about it all the same, unless it is long.
    if label.is_empty() && after.split_whitespace().count() > 25 {
        return None;
    }
    let address =
        Address::parse(shown).ok().filter(|a| a.domain().contains('.') || a.domain().starts_with('['))?;
    Some((address, shown.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<(String, Option<String>, Option<u16>)> {
        recipients(text, &HashSet::new()).into_iter().map(|n| (n.address, n.status, n.smtp)).collect()
    }

    #[test]
    fn recipients_stand_in_lines_of_their_own() {
        for text in [
            "<ann@x.org>:\nhost mx said: 550 5.1.1 unknown",
            "  ann@x.org\n    SMTP error: 550 5.1.1 unknown",
            "To: ann@x.org\n550 5.1.1",
            "Ann Lee (ann@x.org)\n 550 5.1.1",
            "Lee, Ann <ann@x.org>\n#550 5.1.1",
        ] {
            assert_eq!(
                named(text),
                [("ann@x.org".to_owned(), Some("5.1.1".to_owned()), Some(550))],
                "{text}",
            );
        }
    }

    #[test]
    fn addresses_elsewhere_are_none() {
        for text in [
            "Please write to postmaster@x.org for help.",
            "For further assistance, please send mail to help@x.org.",
            "ann@localhost",
            "MAIL FROM:<me@x.org> SIZE=1",
            "words\n--- Below this line is a copy of the message.\nann@x.org",
        ] {
            assert_eq!(named(text), [], "{text}");
        }
    }
}
