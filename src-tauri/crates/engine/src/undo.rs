//! What a person can take back for ten minutes. It lies in the memory of the process alone: text of mail that is not logged
//! any more belongs in no file.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use crate::rules::edit_rules;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use threadline_core::address::Address;
use threadline_core::clock::Clock;
use threadline_store::message::Image;
use threadline_store::{StoreError, Tx, removal};

/// How long something can be taken back.
const LASTS: Duration = Duration::from_secs(10 * 60);
/// Most memory for it, in bytes: what is the oldest can be taken back no more where there is more.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// What can be taken back, until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Undo {
    pub token: i64,
    /// The time of the action where it is too large to be taken back.
    pub until: Timestamp,
}

/// What takes an action back.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// Messages as they were.
    pub messages: Vec<Image>,
    /// What was put on a mailbox's never-log list.
    pub never: Vec<Never>,
    /// Records that are to go from a CRM.
    pub removals: Vec<i64>,
}

/// New entries of a mailbox's never-log lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Never {
    pub account: i64,
    pub addresses: Vec<Address>,
    pub domains: Vec<String>,
}

impl Steps {
    fn bytes(&self) -> usize {
        self.messages.iter().map(Image::bytes).sum()
    }

    fn take_back(&self, tx: &Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
        for image in &self.messages {
            image.restore(tx, now)?;
        }
        for never in &self.never {
            edit_rules(tx, never.account, |rules| {
                rules.never_addresses.retain(|a| !never.addresses.contains(a));
                rules.never_domains.retain(|d| !never.domains.contains(d));
            })?;
        }
        // What the CRM has removed already is noticed there like any other deleted record.
        removal::cancel(tx, &self.removals)?;
        count_up(tx, Part::News)
    }
}

/// The actions that can be taken back, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Undos(Mutex<VecDeque<Entry>>);

#[derive(Debug)]
struct Entry {
    token: i64,
    /// On the monotonic clock.
    until: Duration,
    steps: Arc<Steps>,
}

impl Undos {
    fn entries(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what takes an action back.
    /// Nothing that was done so far can be taken back any more.
    pub fn forget(&self) {
        self.entries().clear();
    }

    pub fn keep(&self, steps: Steps, clock: &dyn Clock) -> Undo {
        let (now, monotonic) = (clock.now(), clock.monotonic());
        let mut entries = self.entries();
        entries.retain(|e| e.until > monotonic);
        // The time makes tokens of an earlier process mean nothing in this one.
        let token = entries.back().map_or(0, |e| e.token + 1).max(now.as_microsecond());
        entries.push_back(Entry { token, until: monotonic + LASTS, steps: Arc::new(steps) });
        while entries.iter().map(|e| e.steps.bytes()).sum::<usize>() > MOST_BYTES {
            entries.pop_front();
        }
        let kept = entries.back().is_some_and(|e| e.token == token);
        let lasts = SignedDuration::try_from(LASTS).unwrap_or_default();
        Undo { token, until: if kept { now.checked_add(lasts).unwrap_or(now) } else { now } }
    }

    /// What takes this action back, where there is still time. It is there until [`Undos::done`].
    fn find(&self, token: i64, clock: &dyn Clock) -> Option<Arc<Steps>> {
        let monotonic = clock.monotonic();
        let entries = self.entries();
        entries.iter().find(|e| e.token == token && e.until > monotonic).map(|e| Arc::clone(&e.steps))
    }

    fn done(&self, token: i64) {
        self.entries().retain(|e| e.token != token);
    }
}

impl Engine {
    /// Takes an action back, once. What a CRM took by then stays there, and is not pushed again.
    pub async fn undo(&self, token: i64) -> Result<(), EngineError> {
        let shared = self.shared();
        let steps = shared.undos.find(token, &*shared.clock).ok_or(EngineError::UndoGone)?;
        let now = shared.clock.now();
        shared.ledger.write(move |tx| steps.take_back(tx, now)).await?;
        shared.undos.done(token);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use threadline_testkit::clock::HandClock;

    fn steps(domain: &str) -> Steps {
        let never = Never { account: 1, addresses: Vec::new(), domains: vec![domain.to_owned()] };
        Steps { never: vec![never], ..Steps::default() }
    }

    #[test]
    fn what_is_kept_can_be_found_for_ten_minutes_and_once() {
        let clock = HandClock::at(Timestamp::from_second(1_000).unwrap());
        let undos = Undos::default();
        let first = undos.keep(steps("a"), &clock);
        assert_eq!(first.until, Timestamp::from_second(1_600).unwrap());
        let second = undos.keep(steps("b"), &clock);
        assert_ne!(first.token, second.token);
        let found = undos.find(first.token, &clock).unwrap();
        assert_eq!(found.never[0].domains, ["a"]);
        undos.done(first.token);
        assert!(undos.find(first.token, &clock).is_none());
        clock.advance(LASTS);
        assert!(undos.find(second.token, &clock).is_none());
        undos.keep(steps("c"), &clock);
        assert_eq!(undos.entries().len(), 1, "what is over is forgotten");
    }

    #[test]
    fn a_token_of_another_process_means_nothing() {
        let clock = HandClock::at(Timestamp::from_second(1_000).unwrap());
        let before = Undos::default().keep(steps("a"), &clock);
        clock.advance(Duration::from_secs(1));
        let undos = Undos::default();
        undos.keep(steps("b"), &clock);
        assert!(undos.find(before.token, &clock).is_none());
    }
}

#[cfg(test)]
mod actions_tests;
