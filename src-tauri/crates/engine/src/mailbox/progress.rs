//! Counts the first reading after a connection, over all connections of the mailbox.

use super::{Mailbox, lock};
use crate::event::{CatchUp, Event, VerdictName};
use std::collections::HashSet;
use threadline_store::StoreError;
use threadline_store::job::{self, Kind};

/// How far the reading is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// What connections read that broke before the end.
    before: Counts,
    /// One for each connection.
    parts: Vec<Part>,
    /// Decided in this reading, and not logged: a reply can be logged once its original is.
    not_logged: HashSet<i64>,
    done: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    missed: u32,
    checked: u32,
    logged: u32,
}

impl Counts {
    /// A server can claim any number.
    fn plus(self, other: Counts) -> Counts {
        Counts {
            missed: self.missed.saturating_add(other.missed),
            checked: self.checked.saturating_add(other.checked),
            logged: self.logged.saturating_add(other.logged),
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Part {
    counts: Counts,
    set_aside: u32,
    /// It is at the end of its folders.
    watching: bool,
}

/// What became of one batch.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Messages whose decision is stored.
    pub checked: u32,
    pub set_aside: u32,
    /// Of the decisions that are new: the message, and whether it is logged.
    pub decided: Vec<(i64, bool)>,
}

impl Taken {
    /// `seen` messages came, and these events.
    pub fn new(seen: usize, events: &[Event]) -> Self {
        let set_aside = events.iter().filter(|e| matches!(e, Event::SetAside { .. })).count();
        Self {
            checked: count(seen.saturating_sub(set_aside)),
            set_aside: count(set_aside),
            decided: events.iter().filter_map(decided).collect(),
        }
    }
}

fn decided(event: &Event) -> Option<(i64, bool)> {
    match event {
        Event::Decided { message, verdict, .. } => Some((*message, *verdict == VerdictName::Log)),
        _ => None,
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Progress {
    /// So many connections begin to read.
    fn begin(&mut self, connections: usize) {
        if self.done {
            *self = Self::default();
        }
        for part in std::mem::take(&mut self.parts) {
            // What was not read before the connection broke is found again by the next one.
            let missed = part.counts.checked.saturating_add(part.set_aside);
            self.before = self.before.plus(Counts { missed, ..part.counts });
        }
        self.parts = vec![Part::default(); connections];
    }

    fn take(&mut self, part: usize, missed: u32, taken: Taken) {
        let logged = taken.decided.iter().filter(|(_, logged)| *logged).count();
        self.not_logged
            .extend(taken.decided.iter().filter(|(_, logged)| !*logged).map(|(message, _)| *message));
        if let Some(part) = self.parts.get_mut(part) {
            part.counts.missed = missed;
            part.counts.checked += taken.checked;
            part.counts.logged += count(logged);
            part.set_aside += taken.set_aside;
        }
    }

    /// A message was decided again.
    fn again(&mut self, event: &Event) {
        if let Some((message, true)) = decided(event)
            && self.not_logged.remove(&message)
        {
            self.before.logged += 1;
        }
    }

    fn sum(&self) -> Counts {
        self.parts.iter().fold(self.before, |sum, part| sum.plus(part.counts))
    }

    fn is_read(&self) -> bool {
        self.parts.iter().all(|part| part.watching)
    }
}

impl Mailbox {
    pub(super) fn begin_catch_up(&self, connections: usize) {
        lock(&self.progress).begin(connections);
    }

    /// A connection has stored a batch; it found so many messages to be read so far.
    pub(super) fn note_taken(&self, part: usize, missed: u32, taken: Taken) {
        let mut progress = lock(&self.progress);
        if !progress.done {
            progress.take(part, missed, taken);
            self.tell_progress(&progress);
        }
    }

    /// A job decided a message again.
    pub(crate) fn note_decided_again(&self, event: &Event) {
        let mut progress = lock(&self.progress);
        if !progress.done {
            progress.again(event);
        }
    }

    /// A connection is at the end of its folders.
    pub(super) fn note_watching(&self, part: usize) {
        if let Some(part) = lock(&self.progress).parts.get_mut(part) {
            part.watching = true;
        }
    }

    /// Tells that all is read, once, when nothing of it waits to be decided again.
    pub(super) async fn end_catch_up(&self) -> Result<(), StoreError> {
        let is_open = |progress: &Progress| !progress.done && progress.is_read();
        if !is_open(&lock(&self.progress)) {
            return Ok(());
        }
        let (account, folders, now) = (self.id, self.watched_folders(), self.shared.clock.now());
        let due = move |tx: &threadline_store::Tx<'_>| job::due(tx, account, &folders, now, usize::MAX);
        let waits = self.shared.ledger.read(due).await?.iter().any(|job| job.kind == Kind::Recheck);
        let mut progress = lock(&self.progress);
        if !waits && is_open(&progress) {
            progress.done = true;
            self.tell_progress(&progress);
            progress.not_logged = HashSet::new();
        }
        Ok(())
    }

    fn tell_progress(&self, progress: &Progress) {
        let Counts { missed, checked, logged } = progress.sum();
        let (address, done) = (self.settings.address.clone(), progress.done);
        self.shared.tell(Event::CatchUp(CatchUp { address, missed, checked, logged, done }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(checked: u32, set_aside: u32, decided: &[(i64, bool)]) -> Taken {
        Taken { checked, set_aside, decided: decided.to_vec() }
    }

    #[test]
    fn what_is_set_aside_leaves_a_gap() {
        let mut progress = Progress::default();
        progress.begin(2);
        progress.take(0, 5, taken(4, 1, &[(1, true), (2, false)]));
        progress.take(1, 2, taken(2, 0, &[(3, true)]));
        let Counts { missed, checked, logged } = progress.sum();
        assert_eq!((missed, checked, logged), (7, 6, 2));
    }

    #[test]
    fn a_connection_that_broke_is_counted_on() {
        let mut progress = Progress::default();
        progress.begin(1);
        progress.take(0, 37, taken(19, 1, &[(1, true)]));
        progress.begin(1);
        progress.take(0, 17, taken(17, 0, &[]));
        let Counts { missed, checked, logged } = progress.sum();
        assert_eq!((missed, checked, logged), (37, 36, 1));
        progress.done = true;
        progress.begin(1);
        assert_eq!(progress.sum().missed, 0);
    }
}
