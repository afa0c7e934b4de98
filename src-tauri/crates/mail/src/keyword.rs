//! Keywords that are written back to messages. It is all that is ever changed in a folder that is there: no flag of the
//! protocol's own (`\\Seen` and the like) is touched, and nothing is read.

use crate::error::MailError;
use crate::session::{Folder, Session};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use threadline_core::reason::Phase;

/// Most bytes of a set of UIDs in one command.
const MOST_SET: usize = 4_000;

/// What becomes of a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Add,
    Remove,
}

/// What the folder made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Done,
    /// The folder's UIDVALIDITY is another one: what the UIDs mean now is not known.
    Renumbered,
    /// The server keeps no keywords of others there, or lets nobody write.
    NotAllowed,
}

impl Session {
    /// Adds a keyword to messages, or takes it away; what is there of others stays. A message that is gone is passed over. The
    /// folder is opened by SELECT for it and left without CLOSE, which would remove messages that are marked as deleted.
    pub async fn write_keyword(
        &mut self,
        folder: &Folder,
        uidvalidity: u32,
        uids: &BTreeSet<u32>,
        keyword: &str,
        change: Change,
    ) -> Result<Written, MailError> {
        let mut command = b"SELECT ".to_vec();
        command.extend(self.quoted(folder)?);
        self.leave_idle();
        let tag = self.wire.queue(&command);
        // What is known of the folder that was open until now does not hold any more.
        self.seen.selected = None;
        let (mut numbered, mut flags, mut read_only) = (None, None, false);
        let end = self
            .wire
            .finish(&tag, Phase::Select, |reply| {
                if let crate::reply::Reply::Said(text) = reply {
                    numbered = text.number("UIDVALIDITY").or(numbered);
                    read_only |= text.code.as_deref() == Some("READ-ONLY");
                    flags = text.flags.or(flags.take());
                }
            })
            .await?;
        read_only |= end.text.code.as_deref() == Some("READ-ONLY");
        if end.refused.is_some() || read_only || !keeps(flags.as_deref(), keyword, change) {
            return Ok(Written::NotAllowed);
        }
        if numbered != Some(u64::from(uidvalidity)) {
            return Ok(Written::Renumbered);
        }
        let sign = match change {
            Change::Add => '+',
            Change::Remove => '-',
        };
        for set in sets(uids) {
            let store = format!("UID STORE {set} {sign}FLAGS.SILENT ({keyword})");
            let tag = self.wire.queue(store.as_bytes());
            if self.wire.finish(&tag, Phase::Fetch, |_| {}).await?.refused.is_some() {
                return Ok(Written::NotAllowed);
            }
        }
        Ok(Written::Done)
    }
}

/// Whether a folder keeps this keyword for good (RFC 9051 §7.1). A server that says nothing keeps every flag it has, which is
/// too little to go by.
fn keeps(flags: Option<&[String]>, keyword: &str, change: Change) -> bool {
    let Some(flags) = flags else { return false };
    flags.iter().any(|flag| flag.eq_ignore_ascii_case(keyword) || (change == Change::Add && flag == "\\*"))
}

/// The UIDs as sequence sets (RFC 9051 §9), each short enough for one command.
fn sets(uids: &BTreeSet<u32>) -> Vec<String> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*uid) => *last = *uid,
            _ => ranges.push((*uid, *uid)),
        }
    }
    let mut sets: Vec<String> = Vec::new();
    for (first, last) in ranges {
        let full = sets.last().is_none_or(|set| set.len() > MOST_SET);
        if full {
            sets.push(String::new());
        }
        if let Some(set) = sets.last_mut() {
            let comma = if set.is_empty() { "" } else { "," };
            // Writing to a string does not fail.
            let _ = match first == last {
                true => write!(set, "{comma}{first}"),
                false => write!(set, "{comma}{first}:{last}"),
            };
        }
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_are_put_together_and_no_set_is_too_long() {
        let of = |uids: &[u32]| sets(&uids.iter().copied().collect());
        assert_eq!(of(&[7, 1, 2, 3, 9, u32::MAX]), [format!("1:3,7,9,{}", u32::MAX)]);
        assert!(of(&[]).is_empty());
        let many: BTreeSet<u32> = (0..4_000).map(|n| 2 * n + 1).collect();
        let sets = sets(&many);
        assert!(sets.len() > 1 && sets.iter().all(|set| set.len() < MOST_SET + 20));
        assert_eq!(sets.join(",").split(',').count(), 4_000);
    }

    #[test]
    fn a_keyword_is_written_only_where_it_stays() {
        let flags = |all: &[&str]| all.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>();
        for (all, add, remove) in [
            (&["\\Seen", "\\*"][..], true, false),
            (&["\\Seen", "$crmlogged"], true, true),
            (&["\\Seen", "\\Answered"], false, false),
            (&[], false, false),
        ] {
            let all = flags(all);
            assert_eq!(keeps(Some(&all), "$CrmLogged", Change::Add), add, "{all:?}");
            assert_eq!(keeps(Some(&all), "$CrmLogged", Change::Remove), remove, "{all:?}");
        }
        assert!(!keeps(None, "$CrmLogged", Change::Add));
    }
}
