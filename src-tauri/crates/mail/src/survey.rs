//! Finding the end of a folder, and what lies in it since a day, without trusting one number of the server.

use crate::error::MailError;
use crate::fetch::internal_date;
use crate::reply::{Fetched, Reply};
use crate::session::{Seen, Selected, Session};
use crate::wire::Tag;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use threadline_core::reason::Phase;

/// Messages that one SEARCH goes through: its answer is one line, which stays below the guard's limit.
const SEARCHED: u32 = 10_000;

/// Most searches of one folder: a server that claims four thousand million messages is not asked about all of them.
const MOST_SEARCHES: usize = 1_000;
/// Searches that are sent at once: for a million messages.
const IN_FLIGHT: usize = 100;

impl Session {
    /// Reads the answer to `UID FETCH * (UID)`. An empty folder has no `*`, and some servers refuse it there.
    pub(crate) async fn finish_last(&mut self, tag: &Tag) -> Result<Option<u32>, MailError> {
        let mut last = None;
        let seen = &mut self.seen;
        self.wire
            .finish(tag, Phase::Fetch, |reply| match reply {
                Reply::Fetch(Fetched { uid: Some(uid), .. }) => last = last.max(Some(uid)),
                other => seen.note(&other),
            })
            .await?;
        Ok(last)
    }

    /// A folder's last message, and the UIDs of all that arrived on `since`'s day or later: in one flight. Without `since`
    /// the search begins `back` before the last message's arrival, which is one turn more.
    pub(crate) async fn survey(
        &mut self,
        selected: &Selected,
        since: Option<Timestamp>,
        back: SignedDuration,
    ) -> Result<Survey, MailError> {
        if selected.exists == 0 {
            return Ok(Survey::default());
        }
        self.leave_idle();
        let mut stretches = stretches(selected.exists);
        let tag = self.wire.queue(b"UID FETCH * (UID INTERNALDATE)");
        let flight = since.map(|since| self.queue_searches(&mut stretches, since)).unwrap_or_default();
        let mut heard = Heard::default();
        let seen = &mut self.seen;
        // Servers may answer the searches before they say that the first command is done.
        self.wire.finish(&tag, Phase::Fetch, |reply| heard.take(reply, seen)).await?;
        if let Some(since) = since.or_else(|| heard.newest?.checked_sub(back).ok()) {
            self.finish_searches(flight, stretches, since, &mut heard).await?;
        }
        Ok(Survey { last: heard.last, uids: heard.found.into_iter().collect() })
    }

    /// The UIDs of messages that arrived on `since`'s day or later, in order.
    pub(crate) async fn search_since(
        &mut self,
        exists: u32,
        since: Timestamp,
    ) -> Result<Vec<u32>, MailError> {
        self.leave_idle();
        let mut heard = Heard::default();
        self.finish_searches(Vec::new(), stretches(exists), since, &mut heard).await?;
        Ok(heard.found.into_iter().collect())
    }

    /// Reads the answers to the searches that are on their way, and makes those that are left.
    async fn finish_searches(
        &mut self,
        mut flight: Vec<Tag>,
        mut stretches: impl Iterator<Item = (u32, u32)>,
        since: Timestamp,
        heard: &mut Heard,
    ) -> Result<(), MailError> {
        loop {
            if flight.is_empty() {
                flight = self.queue_searches(&mut stretches, since);
            }
            if flight.is_empty() {
                return Ok(());
            }
            for tag in flight.drain(..) {
                let seen = &mut self.seen;
                self.wire.done(&tag, Phase::Fetch, |reply| heard.take(reply, seen)).await?;
            }
        }
    }

    /// Queues the next searches: a large folder costs no more round trips than a small one. None where all are done.
    fn queue_searches(
        &mut self,
        stretches: &mut impl Iterator<Item = (u32, u32)>,
        since: Timestamp,
    ) -> Vec<Tag> {
        let day = since.strftime("%-d-%b-%Y");
        let next = stretches.take(IN_FLIGHT);
        next.map(|(low, high)| self.wire.queue(format!("UID SEARCH {low}:{high} SINCE {day}").as_bytes()))
            .collect()
    }

    /// The first UID behind the folder's messages: from UIDNEXT and from the last message's UID, whichever can be true,
    /// and the lower one where both can. A UID is at least as high as the number of messages below it.
    pub(crate) fn end_of(&self, selected: &Selected, last: Option<u32>) -> Result<u32, MailError> {
        if selected.exists == 0 {
            return Ok(1);
        }
        let possible = |next: &u32| *next > selected.exists && *next < u32::MAX;
        let claimed = selected.uidnext.filter(possible);
        let counted = last.and_then(|uid| uid.checked_add(1)).filter(possible);
        match (claimed, counted) {
            (Some(claimed), Some(counted)) => Ok(claimed.min(counted)),
            (Some(next), None) | (None, Some(next)) => Ok(next),
            (None, None) => Err(self.malformed(
                Phase::Select,
                "The folder holds messages, but the server does not say up to which UID.",
            )),
        }
    }
}

/// What the server told while a folder was surveyed.
#[derive(Debug, Default)]
struct Heard {
    last: Option<u32>,
    newest: Option<Timestamp>,
    found: BTreeSet<u32>,
}

impl Heard {
    fn take(&mut self, reply: Reply, seen: &mut Seen) {
        match reply {
            Reply::Fetch(Fetched { uid: Some(uid), internal_date: date, .. }) => {
                self.last = self.last.max(Some(uid));
                self.newest = self.newest.max(date.as_deref().and_then(internal_date));
            }
            Reply::Search(uids) => self.found.extend(uids.into_iter().filter(|uid| *uid > 0)),
            other => seen.note(&other),
        }
    }
}

/// What is known of a folder whose numbers are new.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The last message's UID, where the server told it.
    pub last: Option<u32>,
    /// The messages of the time that was asked about, in order.
    pub uids: Vec<u32>,
}

/// The folder's messages in stretches, from its end to its beginning: what was moved into it or restored stands among other
/// messages, so a stretch without any of the time asked about proves nothing.
fn stretches(exists: u32) -> impl Iterator<Item = (u32, u32)> {
    let ends = std::iter::successors(Some(exists), |high| high.checked_sub(SEARCHED));
    let ends = ends.take_while(|high| *high > 0).take(MOST_SEARCHES);
    ends.map(|high| (high.saturating_sub(SEARCHED - 1).max(1), high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_cover_a_folder_once_and_no_more_than_may_be_asked() {
        let all = |exists| stretches(exists).collect::<Vec<_>>();
        assert_eq!(all(0), []);
        assert_eq!(all(1), [(1, 1)]);
        assert_eq!(all(SEARCHED), [(1, SEARCHED)]);
        assert_eq!(all(25_000), [(15_001, 25_000), (5_001, 15_000), (1, 5_000)]);
        let claimed = all(u32::MAX);
        assert_eq!(claimed.len(), MOST_SEARCHES);
        assert_eq!(claimed.first(), Some(&(u32::MAX - SEARCHED + 1, u32::MAX)));
    }
}
