//! Finding the end of a folder, and what lies in it since a day, without trusting one number of the server.

use crate::error::MailError;
use crate::fetch::internal_date;
use crate::reply::{Fetched, Reply};
use crate::session::{Selected, Session};
use crate::wire::Tag;
use jiff::Timestamp;
use std::collections::BTreeSet;
use threadline_core::reason::Phase;

/// Messages that one SEARCH goes through: its answer is one line, which stays below the guard's limit.
const SEARCHED: u32 = 10_000;

/// Most searches of one folder: a server that claims four thousand million messages is not asked about all of them.
const MOST_SEARCHES: u32 = 1_000;
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

    /// The folder's last message: its UID, and when it arrived.
    pub(crate) async fn last_message(
        &mut self,
        selected: &Selected,
    ) -> Result<(Option<u32>, Option<Timestamp>), MailError> {
        if selected.exists == 0 {
            return Ok((None, None));
        }
        self.leave_idle();
        let tag = self.wire.queue(b"UID FETCH * (UID INTERNALDATE)");
        let (mut last, mut newest) = (None, None);
        let seen = &mut self.seen;
        self.wire
            .finish(&tag, Phase::Fetch, |reply| match reply {
                Reply::Fetch(Fetched { uid: Some(uid), internal_date: date, .. }) => {
                    last = last.max(Some(uid));
                    newest = newest.max(date.as_deref().and_then(internal_date));
                }
                other => seen.note(&other),
            })
            .await?;
        Ok((last, newest))
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

    /// The UIDs of messages that arrived on `since`'s day or later, in order. The whole folder is gone through: what was
    /// moved into it or restored stands among other messages, so a stretch without any proves nothing.
    pub(crate) async fn search_since(
        &mut self,
        exists: u32,
        since: Timestamp,
    ) -> Result<Vec<u32>, MailError> {
        let day = since.strftime("%-d-%b-%Y").to_string();
        let mut found = BTreeSet::new();
        let mut high = exists;
        let oldest = exists.saturating_sub(MOST_SEARCHES.saturating_mul(SEARCHED));
        self.leave_idle();
        while high > oldest {
            // Many in one flight: a large folder costs no more round trips than a small one.
            let mut flight = Vec::new();
            while high > oldest && flight.len() < IN_FLIGHT {
                let low = high.saturating_sub(SEARCHED - 1).max(1);
                flight.push(self.wire.queue(format!("UID SEARCH {low}:{high} SINCE {day}").as_bytes()));
                high = low - 1;
            }
            for tag in flight {
                let seen = &mut self.seen;
                self.wire
                    .done(&tag, Phase::Fetch, |reply| match reply {
                        Reply::Search(uids) => found.extend(uids.into_iter().filter(|uid| *uid > 0)),
                        other => seen.note(&other),
                    })
                    .await?;
            }
        }
        Ok(found.into_iter().collect())
    }
}
