//! What lies in a folder since a day: its UIDs, and their headers in portions that a caller can bear.

use crate::catchup::MOST_ARRIVALS;
use crate::error::MailError;
use crate::session::{Folder, Session};
use jiff::Timestamp;
use threadline_core::arrival::Arrival;

/// A part of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    pub uidvalidity: u32,
    /// In order.
    pub uids: Vec<u32>,
}

/// Headers of some messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    pub arrivals: Vec<Arrival>,
    /// UIDs whose header the server has and does not give, and why.
    pub unreadable: Vec<(u32, String)>,
}

impl Session {
    /// The messages that arrived on `since`'s day (UTC) or later. One SEARCH for each 10,000 messages of the folder.
    pub async fn period(&mut self, folder: &Folder, since: Timestamp) -> Result<Period, MailError> {
        let tag = self.queue_examine(folder, None)?;
        let selected = self.finish_examine(&tag, folder).await?;
        let uids = self.search_since(selected.exists, since).await?;
        Ok(Period { uidvalidity: selected.uidvalidity, uids })
    }

    /// The headers of these messages, at most [`MOST_ARRIVALS`] of them; `None` where the folder's UIDs mean other
    /// messages by now. What is not there any more is not in the answer.
    pub async fn headers(
        &mut self,
        folder: &Folder,
        uidvalidity: u32,
        uids: &[u32],
    ) -> Result<Option<Headers>, MailError> {
        if self.select(folder).await?.uidvalidity != uidvalidity {
            return Ok(None);
        }
        let mut read = Headers::default();
        let mut open = vec![&uids[..uids.len().min(MOST_ARRIVALS)]];
        while let Some(part) = open.pop() {
            let (Some(&low), Some(&high)) = (part.first(), part.last()) else { continue };
            let batch = self.fetch_set(&set(part), low..=high, part.len()).await?;
            if batch.refused.is_none() && !batch.more && batch.partial().next().is_none() {
                let asked = |uid: &u32| part.binary_search(uid).is_ok();
                read.unreadable.extend(batch.set_aside().into_iter().filter(|(uid, _)| asked(uid)));
                read.arrivals.extend(batch.arrivals.into_values().filter(|a| asked(&a.uid)));
            } else if part.len() == 1 {
                // Alone, it is the one at fault.
                read.unreadable.push((low, "The server does not give this message's header.".to_owned()));
            } else {
                let (first, second) = part.split_at(part.len() / 2);
                open.extend([second, first]);
            }
        }
        Ok(Some(read))
    }
}

/// UIDs in order, as a sequence-set: `1:3,7`.
fn set(uids: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &uid in uids {
        match runs.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(uid) => *end = uid,
            _ => runs.push((uid, uid)),
        }
    }
    let run = |(low, high): (u32, u32)| if low == high { low.to_string() } else { format!("{low}:{high}") };
    runs.into_iter().map(run).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_named_together() {
        assert_eq!(set(&[1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
        assert_eq!(set(&[5]), "5");
        assert_eq!(set(&[u32::MAX - 1, u32::MAX]), format!("{}:{}", u32::MAX - 1, u32::MAX));
    }
}
