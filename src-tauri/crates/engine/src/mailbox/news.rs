//! What a connection tells, and how it is stored.

use super::progress::Taken;
use super::{GLANCE, Mailbox, Watched, lock};
use crate::broken::Broken;
use crate::event::Event;
use crate::ingest::{self, Batch, Unreadable};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use threadline_mail::watch::{Cursor, News, Waker, Watch};
use threadline_store::{StoreError, Tx, account, folder, job, place};

impl Mailbox {
    /// The next news; a job that was put off wakes the connection when its time has come. What may have broken a
    /// connection is remembered for the next one until it was passed. After `wait` the connection is woken.
    pub(super) async fn next(
        &self,
        watch: &mut Watch,
        watched: &[Watched],
        wait: Duration,
    ) -> Result<News, Broken> {
        let alarm = self.alarm(watch.waker(), watched.iter().map(|w| w.row.id).collect());
        let waker = watch.waker();
        let reminder = async {
            tokio::time::sleep(wait).await;
            waker.wake();
            std::future::pending::<Infallible>().await
        };
        let news = tokio::select! {
            biased;
            news = watch.next() => news,
            failed = alarm => { let Err(error) = failed; return Err(error.into()) }
            never = reminder => match never {},
        };
        let (Some(first), now) = (watched.first(), watch.suspect()) else { return Ok(news?) };
        let mut suspects = lock(&self.suspects);
        let before = match now.clone() {
            Some(suspect) => suspects.insert(first.row.id, suspect),
            None => suspects.remove(&first.row.id),
        };
        let nearer = now.zip(before).is_some_and(|(now, before)| now.is_nearer_than(&before));
        self.nearer.store(news.is_err() && nearer, Ordering::Relaxed);
        Ok(news?)
    }

    /// Wakes the connection when the next job in its folders is due. Ends only where the ledger fails.
    pub(super) async fn alarm(&self, waker: Waker, folders: Vec<i64>) -> Result<Infallible, StoreError> {
        let account = self.id;
        loop {
            let folders = folders.clone();
            let due = self.shared.ledger.read(move |tx| job::next_due(tx, account, &folders)).await?;
            let Some(due) = due else { return std::future::pending().await };
            let left = Duration::try_from(due.duration_since(self.shared.clock.now())).unwrap_or_default();
            if left.is_zero() {
                waker.wake();
                return std::future::pending().await;
            }
            // The wall clock may be set, or the computer sleep, in between.
            tokio::time::sleep(left.min(GLANCE)).await;
        }
    }

    /// Stores one piece of news; gives what became of the messages in it, where there are any.
    pub(super) async fn take(&self, watched: &[Watched], news: News) -> Result<Option<Taken>, Broken> {
        let at = |target: usize| {
            watched
                .get(target)
                .map(|w| w.row.clone())
                .ok_or(StoreError::NotFound { what: "folder", id: target as i64 })
        };
        match news {
            News::Watching | News::Woken | News::Refused { .. } => Ok(None),
            News::OtherFolders => Err(Broken::OtherFolders),
            News::Baseline { target, cursor } | News::Renumbered { target, cursor } => {
                let row = at(target)?;
                let cursor = to_row(cursor);
                let (id, epoch) = (self.id, self.epoch);
                self.shared
                    .ledger
                    .write(move |tx| {
                        account::still(tx, id, epoch)?;
                        place::remove_outdated(tx, row.id, cursor.uidvalidity)?;
                        // A folder that was put back from a backup gives its UIDs anew under the same UIDVALIDITY. The jobs
                        // stay: each looks whether its message is still there, and for another place of it.
                        place::remove_from(tx, row.id, cursor.next_uid)?;
                        folder::move_cursor(tx, row.id, &cursor)
                    })
                    .await?;
                Ok(None)
            }
            News::Arrivals { target, cursor, arrivals, set_aside } => {
                let unreadable: Vec<_> =
                    set_aside.into_iter().map(|(uid, why)| Unreadable { uid, why }).collect();
                let seen = arrivals.len() + unreadable.len();
                let (cursor, folder) = (to_row(cursor), at(target)?);
                let uidvalidity = cursor.uidvalidity;
                let batch = Batch { folder, uidvalidity, cursor: Some(cursor), arrivals, unreadable };
                let events = self.store(batch).await?;
                let taken = Taken::new(seen, &events);
                self.shared.tell_all(events);
                // Another connection may have to fetch a reply that waited for its original.
                self.shared.wake(Some(self.id));
                Ok(Some(taken))
            }
        }
    }

    /// Stores a batch in one transaction. Where one message breaks it, each is stored alone, and that one is set aside.
    pub(crate) async fn store(&self, batch: Batch) -> Result<Vec<Event>, StoreError> {
        let (mailbox, now, batch) = (self.for_ingest(), self.shared.clock.now(), Arc::new(batch));
        if let Some(newest) = batch.arrivals.iter().map(|a| a.internal_date).max() {
            self.shared.heard(newest);
        }
        let (whole, of) = (Arc::clone(&batch), mailbox.clone());
        match self.shared.ledger.write(move |tx| ingest::store(tx, &of, &whole, now)).await {
            Err(error) if error.concerns_a_row() => {}
            result => return result,
        }
        let mut events = Vec::new();
        let mut unreadable = batch.unreadable.clone();
        for at in 0..batch.arrivals.len() {
            let (of, whole) = (mailbox.clone(), Arc::clone(&batch));
            let stored = self
                .shared
                .ledger
                .write(move |tx| {
                    let Some(arrival) = whole.arrivals.get(at) else { return Ok(Vec::new()) };
                    ingest::store_one(tx, &of, &whole.folder, whole.uidvalidity, arrival, now)
                })
                .await;
            match stored {
                Ok(told) => events.extend(told),
                Err(error) if error.concerns_a_row() => unreadable.extend(
                    batch.arrivals.get(at).map(|a| Unreadable { uid: a.uid, why: error.to_string() }),
                ),
                Err(error) => return Err(error),
            }
        }
        let Batch { uidvalidity, cursor, .. } = *batch;
        let rest =
            Batch { folder: batch.folder.clone(), uidvalidity, cursor, arrivals: Vec::new(), unreadable };
        let set_aside = move |tx: &Tx<'_>| ingest::store(tx, &mailbox, &rest, now);
        events.extend(self.shared.ledger.write(set_aside).await?);
        Ok(events)
    }

    pub fn for_ingest(&self) -> ingest::Mailbox {
        ingest::Mailbox {
            id: self.id,
            epoch: self.epoch,
            address: self.settings.address.clone(),
            rules: self.settings.rules.clone(),
            contact_sources: self.shared.contact_sources(),
            history: self.history,
        }
    }
}

pub(super) fn from_row(cursor: folder::Cursor) -> Cursor {
    Cursor { uidvalidity: cursor.uidvalidity, next_uid: cursor.next_uid, modseq: cursor.modseq }
}

pub(super) fn to_row(cursor: Cursor) -> folder::Cursor {
    folder::Cursor { uidvalidity: cursor.uidvalidity, next_uid: cursor.next_uid, modseq: cursor.modseq }
}
