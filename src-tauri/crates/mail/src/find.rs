//! Looking for messages by words, in one folder, on the server.

use crate::error::MailError;
use crate::fetch::{arrival, header_items, merge};
use crate::reply::{Fetched, Reply};
use crate::session::{Folder, Session};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use threadline_core::arrival::Arrival;
use threadline_core::envelope::Envelope;
use threadline_core::reason::Phase;

/// Messages that one SEARCH goes through: its answer is one line, which stays below the guard's limit.
const SEARCHED: u32 = 10_000;
/// Most searches of one folder, from its end.
const MOST_SEARCHES: u32 = 10;
/// Headers that are read and compared here where the server refuses to search for the words.
const COMPARED: usize = 200;
/// Most words that are looked for.
pub const MOST_WORDS: usize = 8;

/// What was found in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub uidvalidity: u32,
    /// The newest first.
    pub arrivals: Vec<Arrival>,
}

/// Text in pieces, each behind the first sent when the server asks for it: a literal begins each of them.
type Pieces = Vec<Vec<u8>>;

impl Session {
    /// The newest messages of a folder that arrived on `since`'s day or later and hold each of these words in To, Cc, Bcc or
    /// Subject; at most `most`. A server that does not search for such words (RFC 9051 §6.4.4, `BADCHARSET`) is asked for
    /// the newest messages, which are compared here.
    pub async fn find(
        &mut self,
        folder: &Folder,
        since: Timestamp,
        words: &[String],
        most: usize,
    ) -> Result<Found, MailError> {
        let selected = self.select(folder).await?;
        let day = since.strftime("%-d-%b-%Y").to_string();
        let mut uids = BTreeSet::new();
        let mut refused = false;
        let mut high = selected.exists;
        for _ in 0..MOST_SEARCHES {
            if high == 0 || uids.len() >= if refused { COMPARED } else { most } {
                break;
            }
            let low = high.saturating_sub(SEARCHED - 1).max(1);
            if !refused {
                let found = self.search(criteria(low, high, &day, words)).await?;
                refused = found.is_none();
                uids.extend(found.unwrap_or_default());
            }
            if refused {
                let all = self.search(criteria(low, high, &day, &[])).await?;
                uids.extend(all.ok_or_else(|| {
                    self.malformed(Phase::Fetch, "The server does not search for messages by their date.")
                })?);
            }
            high = low - 1;
        }
        let read = if refused { COMPARED } else { most };
        let newest: Vec<u32> = uids.into_iter().rev().take(read).collect();
        let mut arrivals = self.headers_of(&newest).await?;
        if refused {
            arrivals.retain(|a| holds(&a.envelope, words));
        }
        arrivals.truncate(most);
        Ok(Found { uidvalidity: selected.uidvalidity, arrivals })
    }

    /// The UIDs of a folder's messages that bear this keyword, and the UIDVALIDITY; none where the server refuses the search.
    pub async fn with_keyword(
        &mut self,
        folder: &Folder,
        keyword: &str,
    ) -> Result<(u32, BTreeSet<u32>), MailError> {
        let selected = self.select(folder).await?;
        let found = match selected.exists {
            0 => None,
            _ => self.search(vec![format!("UID SEARCH KEYWORD {keyword}").into_bytes()]).await?,
        };
        Ok((selected.uidvalidity, found.unwrap_or_default()))
    }

    /// Runs one SEARCH; `None` where the server refuses it.
    pub(crate) async fn search(&mut self, pieces: Pieces) -> Result<Option<BTreeSet<u32>>, MailError> {
        self.leave_idle();
        let mut found = BTreeSet::new();
        let seen = &mut self.seen;
        let mut on = |reply| match reply {
            Reply::Search(uids) => found.extend(uids.into_iter().filter(|uid| *uid > 0)),
            other => seen.note(&other),
        };
        let mut pieces = pieces.into_iter();
        let tag = self.wire.queue(&pieces.next().unwrap_or_default());
        for piece in pieces {
            if !self.wire.go_ahead(&tag, Phase::Fetch, &mut on).await? {
                break;
            }
            self.wire.queue_line(&piece);
        }
        let end = self.wire.finish(&tag, Phase::Fetch, &mut on).await?;
        Ok(end.refused.is_none().then_some(found))
    }

    /// The headers of these messages, in this order. One that is gone is left out.
    async fn headers_of(&mut self, uids: &[u32]) -> Result<Vec<Arrival>, MailError> {
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        self.leave_idle();
        let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let tag = self.wire.queue(format!("UID FETCH {set} {}", header_items(false)).as_bytes());
        let mut parts: BTreeMap<u32, Fetched> = BTreeMap::new();
        let seen = &mut self.seen;
        self.wire
            .done(&tag, Phase::Fetch, |reply| match reply {
                Reply::Fetch(one) if one.uid.is_some_and(|uid| uids.contains(&uid)) => {
                    merge(parts.entry(one.uid.unwrap_or_default()).or_default(), one);
                }
                other => seen.note(&other),
            })
            .await?;
        Ok(uids.iter().filter_map(|uid| arrival(*uid, parts.remove(uid)?)).collect())
    }
}

/// `UID SEARCH` for all the words, in a stretch of the folder. A word that is no ASCII goes as a literal, in UTF-8.
fn criteria(low: u32, high: u32, day: &str, words: &[String]) -> Pieces {
    let charset = if words.iter().all(|w| w.is_ascii()) { "" } else { "CHARSET UTF-8 " };
    let mut pieces = vec![format!("UID SEARCH {charset}{low}:{high} SINCE {day}").into_bytes()];
    for word in words.iter().take(MOST_WORDS) {
        push(&mut pieces, " OR OR OR");
        for field in ["TO", "CC", "BCC", "SUBJECT"] {
            push(&mut pieces, &format!(" {field} "));
            if word.is_ascii() {
                let escaped = word.replace('\\', "\\\\").replace('"', "\\\"");
                push(&mut pieces, &format!("\"{escaped}\""));
            } else {
                push(&mut pieces, &format!("{{{}}}", word.len()));
                pieces.push(word.as_bytes().to_vec());
            }
        }
    }
    pieces
}

fn push(pieces: &mut Pieces, text: &str) {
    if let Some(last) = pieces.last_mut() {
        last.extend_from_slice(text.as_bytes());
    }
}

/// The words of a question as they can be sent and compared: in lower case, at most [`MOST_WORDS`].
pub fn words(question: &str) -> Vec<String> {
    let clean = |word: &str| word.chars().filter(|c| !c.is_control()).collect::<String>().to_lowercase();
    let words = question.split_whitespace().map(clean).filter(|word| !word.is_empty());
    words.take(MOST_WORDS).collect()
}

/// Whether a header holds each of these words, in lower case, in a recipient or in its subject.
fn holds(envelope: &Envelope, words: &[String]) -> bool {
    let recipients = envelope.recipients().into_iter();
    let texts = recipients.flat_map(|m| [Some(m.address.as_str()), m.name.as_deref()]);
    let texts: Vec<String> =
        texts.flatten().chain([envelope.subject.as_str()]).map(str::to_lowercase).collect();
    words.iter().all(|word| texts.iter().any(|text| text.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pieces: Pieces) -> Vec<String> {
        pieces.into_iter().map(|p| String::from_utf8(p).unwrap()).collect()
    }

    #[test]
    fn ascii_is_quoted_and_other_text_goes_as_literals() {
        let search = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
            text(criteria(1, 9, "1-Nov-2026", &words))
        };
        assert_eq!(search(&[]), ["UID SEARCH 1:9 SINCE 1-Nov-2026"]);
        assert_eq!(
            search(&["a\"b\\"]),
            [
                "UID SEARCH 1:9 SINCE 1-Nov-2026 OR OR OR TO \"a\\\"b\\\\\" CC \"a\\\"b\\\\\" BCC \"a\\\"b\\\\\" SUBJECT \"a\\\"b\\\\\""
            ]
        );
        assert_eq!(
            search(&["ä", "b"]),
            [
                "UID SEARCH CHARSET UTF-8 1:9 SINCE 1-Nov-2026 OR OR OR TO {2}",
                "ä CC {2}",
                "ä BCC {2}",
                "ä SUBJECT {2}",
                "ä OR OR OR TO \"b\" CC \"b\" BCC \"b\" SUBJECT \"b\"",
            ]
        );
    }

    #[test]
    fn words_cannot_end_a_line() {
        assert_eq!(words("  Angebot\r\nT1 LOGOUT\0 "), ["angebot", "t1", "logout"]);
        assert!(words(" \r\n\0").is_empty());
        assert_eq!(words(&"w ".repeat(99)).len(), MOST_WORDS);
    }

    #[test]
    fn each_word_must_be_in_a_recipient_or_in_the_subject() {
        let envelope = Envelope::parse(
            b"To: Carl <carl@client.example>\r\nBcc: dora@x\r\nSubject: Offer for M\xc3\xbcller\r\nFrom: ann@x\r\n\r\n",
        );
        let holds = |question: &str| super::holds(&envelope, &words(question));
        assert!(holds("CARL müller") && holds("dora") && holds("client.ex"));
        assert!(!holds("carl nobody") && !holds("ann"));
    }
}
