//! Headers and bodies of messages, by UID and by PEEK.

use crate::error::MailError;
use crate::reply::{Fetched, Reply};
use crate::session::{Folder, Place, Session};
use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use threadline_core::arrival::Arrival;
use threadline_core::envelope::{Envelope, FIELDS};
use threadline_core::reason::{ImapStatus, Phase, Signal};

/// A message as it lies on the server.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    /// RFC 5322, with CRLF.
    pub raw: Vec<u8>,
    /// True where the message is longer than was asked for.
    pub truncated: bool,
}

impl std::fmt::Debug for Body {
    /// Without the text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("bytes", &self.raw.len()).field("truncated", &self.truncated).finish()
    }
}

/// Largest header that is read, in bytes.
pub const MOST_HEADER: usize = 1024 * 1024;
/// Most bytes of headers that are read at once.
const MOST_BYTES: usize = 16 * MOST_HEADER;

/// Why a message is not where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It was moved or removed.
    Expunged,
    /// The folder's UIDVALIDITY is another one: what the UID means now is not known.
    Renumbered,
}

impl Session {
    /// One message, at most its first `most` bytes, without marking it as read.
    pub async fn fetch_body(
        &mut self,
        folder: &Folder,
        place: Place,
        most: u32,
    ) -> Result<Result<Body, Gone>, MailError> {
        if self.select(folder).await?.uidvalidity != place.uidvalidity {
            return Ok(Err(Gone::Renumbered));
        }
        let what = format!("(UID RFC822.SIZE BODY.PEEK[]<0.{most}>)");
        let Some(one) = self.fetch_one(place.uid, &what).await? else { return Ok(Err(Gone::Expunged)) };
        let Some(mut raw) = one.section else {
            return Err(
                self.malformed(Phase::Fetch, "The server has the message, but does not give its text.")
            );
        };
        let most = most as usize;
        let truncated =
            raw.len() > most || (raw.len() == most && one.size.is_none_or(|size| size as usize > most));
        raw.truncate(most);
        Ok(Ok(Body { raw, truncated }))
    }

    /// The status part of a delivery report (RFC 3464 §2: the second one), at most its first `most` bytes, and nothing of
    /// the message that comes back with it; `None` where the message has no such part, or is not there.
    pub async fn fetch_status(
        &mut self,
        folder: &Folder,
        place: Place,
        most: u32,
    ) -> Result<Option<Vec<u8>>, MailError> {
        if self.select(folder).await?.uidvalidity != place.uidvalidity {
            return Ok(None);
        }
        let part = async |session: &mut Self, what: &str| {
            let items = format!("(UID BODY.PEEK[{what}]<0.{most}>)");
            Ok(session.fetch_one(place.uid, &items).await?.and_then(|one| one.section))
        };
        let Some(kind) = part(self, "2.MIME").await? else { return Ok(None) };
        if !String::from_utf8_lossy(&kind).to_ascii_lowercase().contains("message/delivery-status") {
            return Ok(None);
        }
        part(self, "2").await
    }

    /// The header of one message; `None` where it is not there any more.
    pub async fn fetch_header(
        &mut self,
        folder: &Folder,
        place: Place,
    ) -> Result<Option<Arrival>, MailError> {
        if self.select(folder).await?.uidvalidity != place.uidvalidity {
            return Ok(None);
        }
        let labels = self.asks_labels();
        let one = match self.fetch_one(place.uid, &header_items(labels)).await {
            Err(error) if labels && is_refusal(&error) => {
                self.no_labels = true;
                self.fetch_one(place.uid, &header_items(false)).await?
            }
            one => one?,
        };
        Ok(one.and_then(|one| arrival(place.uid, one)))
    }

    /// Everything that the server says about one UID; `None` where it says nothing about it.
    pub(crate) async fn fetch_one(&mut self, uid: u32, what: &str) -> Result<Option<Fetched>, MailError> {
        self.leave_idle();
        let tag = self.wire.queue(format!("UID FETCH {uid} {what}").as_bytes());
        let mut found: Option<Fetched> = None;
        let seen = &mut self.seen;
        self.wire
            .done(&tag, Phase::Fetch, |reply| match reply {
                Reply::Fetch(one) if one.uid == Some(uid) => merge(found.get_or_insert_default(), one),
                other => seen.note(&other),
            })
            .await?;
        Ok(found)
    }

    /// Headers of the messages in a range of UIDs, at most `most` of them, the lowest UIDs. `open` leaves the upper end to
    /// the server (`*`), which then also names its last message though that lies below the range.
    pub(crate) async fn fetch_headers(
        &mut self,
        range: RangeInclusive<u32>,
        open: bool,
        most: usize,
    ) -> Result<Batch, MailError> {
        let high = if open { "*".to_owned() } else { range.end().to_string() };
        self.fetch_set(&format!("{}:{high}", range.start()), range, most).await
    }

    /// The same for a set of UIDs (RFC 9051 §9, sequence-set) within a range.
    pub(crate) async fn fetch_set(
        &mut self,
        set: &str,
        range: RangeInclusive<u32>,
        most: usize,
    ) -> Result<Batch, MailError> {
        let labels = self.asks_labels();
        let batch = self.fetch_items(set, range.clone(), most, labels).await?;
        if labels && batch.refused.is_some() && batch.arrivals.is_empty() {
            self.no_labels = true;
            return self.fetch_items(set, range, most, false).await;
        }
        Ok(batch)
    }

    async fn fetch_items(
        &mut self,
        set: &str,
        range: RangeInclusive<u32>,
        most: usize,
        labels: bool,
    ) -> Result<Batch, MailError> {
        self.leave_idle();
        let command = format!("UID FETCH {set} {}", header_items(labels));
        let tag = self.wire.queue(command.as_bytes());
        let mut batch = Batch::default();
        let seen = &mut self.seen;
        let end = self
            .wire
            .finish(&tag, Phase::Fetch, |reply| match reply {
                Reply::Fetch(one) => batch.take(&range, one, most),
                other => seen.note(&other),
            })
            .await?;
        batch.refused = end.refused;
        batch.close();
        Ok(batch)
    }

    /// The UIDs from `low` on, at most `most` of them, the lowest.
    pub(crate) async fn fetch_uids(&mut self, low: u32, most: usize) -> Result<Uids, MailError> {
        self.leave_idle();
        let exists = self.seen.selected.as_ref().map_or(0, |s| s.exists);
        self.wire.expect(2 * u64::from(exists) + 10_000);
        let tag = self.wire.queue(format!("UID FETCH {low}:* (UID)").as_bytes());
        let mut uids = BTreeSet::new();
        let (mut more, mut last) = (false, None);
        let seen = &mut self.seen;
        self.wire
            .done(&tag, Phase::Fetch, |reply| match reply {
                Reply::Fetch(Fetched { uid: Some(uid), .. }) => {
                    last = last.max(Some(uid));
                    if uid >= low && uid > 0 {
                        uids.insert(uid);
                    }
                    if uids.len() > most {
                        uids.pop_last();
                        more = true;
                    }
                }
                other => seen.note(&other),
            })
            .await?;
        Ok(Uids { uids: uids.into_iter().collect(), more, last })
    }
}

/// Which messages there are.
#[derive(Debug)]
pub(crate) struct Uids {
    /// In order.
    pub uids: Vec<u32>,
    /// There are more behind them.
    pub more: bool,
    /// The highest UID that was named. `*` names the last message, though that lies below what was asked for.
    pub last: Option<u32>,
}

/// The answers to one FETCH of headers.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    parts: BTreeMap<u32, Fetched>,
    pub arrivals: BTreeMap<u32, Arrival>,
    /// Messages with a header beyond [`MOST_HEADER`].
    oversized: BTreeSet<u32>,
    /// Bytes of each header that was taken.
    bytes: BTreeMap<u32, usize>,
    /// From this UID on nothing is taken any more.
    ceiling: Option<u32>,
    /// Answers above the range: about a message that was not asked for, or that came this moment.
    pub beyond: bool,
    /// There were more than was asked for.
    pub more: bool,
    pub refused: Option<ImapStatus>,
}

impl Batch {
    /// A message counts once all asked for is there, in one answer or in several; the first answer wins. What is about
    /// another message, or about none, is passed over.
    fn take(&mut self, range: &RangeInclusive<u32>, one: Fetched, most: usize) {
        let Some(uid) = one.uid.filter(|uid| *uid > 0) else { return };
        if uid > *range.end() {
            self.beyond = true;
        }
        let known = self.arrivals.contains_key(&uid) || self.oversized.contains(&uid);
        if !range.contains(&uid) || known || self.ceiling.is_some_and(|ceiling| uid >= ceiling) {
            return;
        }
        let bytes = one.section.as_ref().map_or(0, Vec::len);
        if bytes > MOST_HEADER {
            self.parts.remove(&uid);
            self.oversized.insert(uid);
            return self.trim(most);
        }
        *self.bytes.entry(uid).or_default() += bytes;
        let part = self.parts.entry(uid).or_default();
        merge(part, one);
        if part.section.is_some()
            && part.size.is_some()
            && let Some(whole) = self.parts.remove(&uid)
            && let Some(arrival) = arrival(uid, whole)
        {
            self.arrivals.insert(uid, arrival);
        }
        self.trim(most);
    }

    /// Drops the highest UIDs where there is too much, in number or in bytes. One message stays in any case.
    fn trim(&mut self, most: usize) {
        loop {
            let count = self.arrivals.len() + self.oversized.len();
            let heavy = self.bytes.values().sum::<usize>() > MOST_BYTES && count + self.parts.len() > 1;
            if count <= most && self.parts.len() <= most && !heavy {
                return;
            }
            let last = self.last().max(self.parts.keys().next_back().copied());
            let Some(last) = last else { return };
            self.arrivals.remove(&last);
            self.oversized.remove(&last);
            self.parts.remove(&last);
            self.bytes.remove(&last);
            self.ceiling = Some(last);
            self.more = true;
        }
    }

    /// The highest UID that is done with, be it read or too large.
    pub fn last(&self) -> Option<u32> {
        self.arrivals.keys().next_back().max(self.oversized.last()).copied()
    }

    /// The messages that are too large, and why they are set aside.
    pub fn set_aside(&self) -> Vec<(u32, String)> {
        let why = "The header of this message is larger than a mebibyte.";
        self.oversized.iter().map(|uid| (*uid, why.to_owned())).collect()
    }

    /// A header without a size is still a header.
    fn close(&mut self) {
        let (whole, rest) =
            std::mem::take(&mut self.parts).into_iter().partition(|(_, part)| part.section.is_some());
        self.parts = rest;
        let whole: BTreeMap<u32, Fetched> = whole;
        self.arrivals.extend(whole.into_iter().filter_map(|(uid, part)| Some((uid, arrival(uid, part)?))));
    }

    /// Messages of which only a part was told. An answer without size and header may be news of a flag, about a message
    /// of which nothing was asked.
    pub fn partial(&self) -> impl Iterator<Item = u32> {
        self.parts.keys().copied()
    }

    /// True where everything that was answered is understood.
    pub fn is_clean(&self) -> bool {
        self.refused.is_none() && !self.beyond && self.parts.is_empty()
    }
}

/// The first answer for an item stays.
pub(crate) fn merge(into: &mut Fetched, from: Fetched) {
    into.uid = into.uid.or(from.uid);
    into.flags = into.flags.take().or(from.flags);
    into.labels = into.labels.take().or(from.labels);
    into.internal_date = into.internal_date.take().or(from.internal_date);
    into.size = into.size.or(from.size);
    into.section = into.section.take().or(from.section);
    into.structure = into.structure.take().or(from.structure);
}

fn is_refusal(error: &MailError) -> bool {
    matches!(error.evidence.signal, Signal::Imap { status: ImapStatus::No | ImapStatus::Bad, .. })
}

/// What is asked for of each message. Gmail, which keeps all mail in one folder, says by labels what was sent.
pub(crate) fn header_items(labels: bool) -> String {
    let labels = if labels { "X-GM-LABELS " } else { "" };
    format!("(UID FLAGS {labels}INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS ({})])", FIELDS.join(" "))
}

/// `None` where there is no header. Without a readable INTERNALDATE the header's own date stands for it.
pub(crate) fn arrival(uid: u32, one: Fetched) -> Option<Arrival> {
    let header = one.section?;
    let envelope = Envelope::parse(header.get(..MOST_HEADER).unwrap_or(&header));
    let internal_date = one
        .internal_date
        .as_deref()
        .and_then(internal_date)
        .or(envelope.date)
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let (size, flags) = (one.size.unwrap_or_default(), one.flags.unwrap_or_default());
    Some(Arrival { uid, internal_date, size, flags, labels: one.labels, envelope })
}

/// ` 1-Jan-2026 12:00:00 +0100` (RFC 9051 §9, date-time).
pub(crate) fn internal_date(text: &str) -> Option<Timestamp> {
    BrokenDownTime::parse("%d-%b-%Y %H:%M:%S %z", text.trim()).ok()?.to_timestamp().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn internal_dates_are_read() {
        for (text, want) in [
            (" 1-Jan-2026 12:00:00 +0100", "2026-01-01T11:00:00Z"),
            ("17-Jul-1996 02:44:25 -0700", "1996-07-17T09:44:25Z"),
        ] {
            assert_eq!(internal_date(text).unwrap().to_string(), want);
        }
        assert_eq!(internal_date("yesterday"), None);
        assert_eq!(internal_date("31-Feb-2026 00:00:00 +0000"), None);
    }

    fn part(uid: u32, size: Option<u32>, header: Option<&str>) -> Fetched {
        Fetched { uid: Some(uid), size, section: header.map(|h| h.as_bytes().to_vec()), ..Fetched::default() }
    }

    #[test]
    fn answers_about_other_messages_are_passed_over() {
        let mut batch = Batch::default();
        let range = 10..=20;
        for one in [part(9, Some(1), Some("")), part(0, Some(1), Some("")), Fetched::default()] {
            batch.take(&range, one, 500);
        }
        assert!(batch.is_clean() && batch.arrivals.is_empty());
        batch.take(&range, part(21, Some(1), Some("")), 500);
        assert!(batch.beyond && batch.arrivals.is_empty());
    }

    #[test]
    fn the_first_answer_wins_and_halves_make_a_whole() {
        let mut batch = Batch::default();
        batch.take(&(1..=9), part(3, None, Some("Subject: first\r\n\r\n")), 500);
        assert_eq!(batch.partial().collect::<Vec<_>>(), [3]);
        batch.take(&(1..=9), part(3, Some(7), None), 500);
        batch.take(&(1..=9), part(3, Some(8), Some("Subject: second\r\n\r\n")), 500);
        assert!(batch.is_clean());
        assert_eq!(batch.arrivals[&3].envelope.subject, "first");
        assert_eq!(batch.arrivals[&3].size, 7);
    }

    proptest! {
        #[test]
        fn any_header_makes_an_envelope(header in proptest::collection::vec(any::<u8>(), 0..200)) {
            Envelope::parse(&header);
        }

        #[test]
        fn anything_near_a_header_makes_one(header in "[:a \r\n\t<@>=?]{0,40}") {
            Envelope::parse(header.as_bytes());
        }
    }

    #[test]
    fn a_flood_keeps_the_lowest() {
        let mut batch = Batch::default();
        for uid in [5, 4, 3, 2, 1] {
            batch.take(&(1..=9), part(uid, Some(1), Some("")), 2);
        }
        assert!(batch.more);
        assert_eq!(batch.arrivals.keys().copied().collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_header_without_end_is_set_aside_and_not_kept() {
        let mut batch = Batch::default();
        let large = "x".repeat(MOST_HEADER + 1);
        batch.take(&(1..=9), part(3, Some(1), Some(&large)), 500);
        batch.take(&(1..=9), part(3, Some(1), Some("")), 500);
        batch.take(&(1..=9), part(2, Some(1), Some("")), 500);
        batch.close();
        assert!(batch.is_clean() && batch.parts.is_empty());
        assert_eq!(batch.arrivals.keys().copied().collect::<Vec<_>>(), [2]);
        assert_eq!(batch.set_aside().into_iter().map(|(uid, _)| uid).collect::<Vec<_>>(), [3]);
        assert_eq!(batch.last(), Some(3));
    }

    #[test]
    fn many_large_headers_are_read_in_several_goes() {
        let mut batch = Batch::default();
        let large = "x".repeat(MOST_HEADER);
        for uid in 1..=40 {
            // Without a size they are kept as they came.
            batch.take(&(1..=100), part(uid, None, Some(&large)), 500);
        }
        // A small one behind those that were dropped must not move the cursor over them.
        batch.take(&(1..=100), part(41, Some(1), Some("")), 500);
        batch.close();
        assert!(batch.more);
        assert_eq!(batch.arrivals.keys().copied().collect::<Vec<_>>(), (1..=16).collect::<Vec<_>>());
        let mut one = Batch::default();
        one.take(&(7..=7), part(7, Some(1), Some(&large)), 500);
        assert!(!one.more && one.last() == Some(7));
    }
}
