//! The worker that takes rows from the outbox to a sink.

use crate::error::{CrmError, Kind, Retry};
use crate::sink::{Accepted, DeliveredFile, Delivery, How, Portal, Sink, Uploaded};
use crate::timer::Timer;
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use threadline_core::clock::Clock;
use threadline_core::id::MessageKey;
use tokio::sync::Notify;

/// The ledger failed. The worker stops, since what it did could not be written down.
pub type QueueError = Box<dyn std::error::Error + Send + Sync>;

/// The outbox, as the worker needs it.
///
/// Invariant: a row that was leased and got no answer (a kill, a power cut) comes back with
/// [`Delivery::uncertain`] set.
#[async_trait::async_trait]
pub trait Queue: Send + Sync {
    /// At most `most` rows that are due, oldest first, marked as under way.
    async fn lease(&self, most: usize) -> Result<Vec<Leased>, QueueError>;
    /// The sink has stored a file of a row: its id counts from now on, whatever becomes of the row.
    async fn uploaded(&self, id: i64, file: &DeliveredFile, uploaded: Uploaded) -> Result<(), QueueError>;
    /// The sink does not take a file of a row, whenever it is offered: the row goes without it.
    async fn refused(&self, id: i64, file: &DeliveredFile, error: &CrmError) -> Result<(), QueueError>;
    /// The CRM has it.
    async fn accepted(&self, id: i64, accepted: Accepted) -> Result<(), QueueError>;
    /// Try again at `at`; uncertain from now on where the error says so.
    async fn retry_later(&self, id: i64, error: &CrmError, at: Timestamp) -> Result<(), QueueError>;
    /// Out of the way until a person asks for it.
    async fn set_aside(&self, id: i64, error: &CrmError) -> Result<(), QueueError>;
    /// When the next row that is not under way and not set aside is due.
    async fn next_due(&self) -> Result<Option<Timestamp>, QueueError>;
}

/// A row under way.
#[derive(Debug, Clone)]
pub struct Leased {
    pub id: i64,
    /// Earlier attempts that failed; the back-off grows with it.
    pub attempts: u32,
    pub delivery: Delivery,
}

/// What the worker did.
#[derive(Debug, Clone, PartialEq)]
pub enum OutboxEvent {
    /// The sink works, for the first time or again after a pause: it took what was due, or nothing was.
    Connected(Portal),
    Accepted {
        id: i64,
        key: MessageKey,
        how: How,
        remote_id: Option<String>,
        link: Option<String>,
    },
    Retrying {
        id: i64,
        key: MessageKey,
        error: CrmError,
        at: Timestamp,
    },
    SetAside {
        id: i64,
        key: MessageKey,
        error: CrmError,
    },
    /// Nothing is pushed before `until`: the failure concerns the sink, not a row.
    Paused {
        error: CrmError,
        until: Timestamp,
    },
}

/// What [`Worker::drain_once`] did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drained {
    pub accepted: usize,
    pub retried: usize,
    pub set_aside: usize,
    /// Set where the sink as a whole failed and the rest was left.
    pub failed: Option<CrmError>,
    /// When the sink is worth another try; set together with `failed`.
    pub paused_until: Option<Timestamp>,
}

/// Shortest wait before anything is tried again.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);
/// First back-off; it doubles with each attempt.
pub const FIRST_WAIT: Duration = Duration::from_secs(2);
/// Longest back-off.
pub const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// Failures of the sink in a row after which rows are tried one at a time.
const PROBE_AFTER: u32 = 3;
/// Longest uninterrupted wait: the wall clock may be set, or the computer sleep, in between.
const GLANCE: Duration = Duration::from_secs(30);

/// Pushes what is due. One worker a sink.
pub struct Worker {
    timer: Arc<dyn Timer>,
    jitter: Box<dyn Fn() -> f64 + Send + Sync>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("timer", &self.timer).finish_non_exhaustive()
    }
}

/// What one piece of work goes on with: the outbox, the sink, and whom to tell.
struct Shift<'a, F> {
    queue: &'a dyn Queue,
    sink: &'a dyn Sink,
    clock: &'a dyn Clock,
    on: &'a F,
    /// Failures of the sink in a row before this.
    failures: u32,
}

impl Worker {
    /// `jitter` gives numbers in `0.0..1.0`, so that two computers do not knock at the same moment.
    pub fn new(timer: Arc<dyn Timer>, jitter: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self { timer, jitter: Box::new(jitter) }
    }

    /// Pushes whatever becomes due, until the ledger fails. Stopping it in the middle is safe.
    ///
    /// `wake` is notified when a row was added. It does not end a pause.
    pub async fn run(
        &self,
        queue: &dyn Queue,
        sink: &dyn Sink,
        clock: &dyn Clock,
        wake: &Notify,
        on: impl Fn(OutboxEvent) + Send + Sync,
    ) -> Result<Infallible, QueueError> {
        let mut shift = Shift { queue, sink, clock, on: &on, failures: 0 };
        let mut connected = false;
        loop {
            let done =
                if connected { self.drain(&shift).await? } else { self.connect_and_drain(&shift).await? };
            connected = done.failed.is_none();
            if let (Some(error), Some(until)) = (done.failed, done.paused_until) {
                shift.failures = shift.failures.saturating_add(1);
                let seconds = until_then(clock, until).as_secs();
                tracing::warn!(seconds, reason = error.reason.code(), "pushing pauses");
                on(OutboxEvent::Paused { error, until });
                self.pause(clock, until_then(clock, until)).await;
                continue;
            }
            shift.failures = 0;
            match queue.next_due().await? {
                Some(due) => self.rest(wake, until_then(clock, due).min(GLANCE)).await,
                // A call can be lost, and another process can add a row: look now and then.
                None => self.rest(wake, GLANCE).await,
            }
        }
    }

    /// Pushes all that is due now and returns.
    pub async fn drain_once(
        &self,
        queue: &dyn Queue,
        sink: &dyn Sink,
        clock: &dyn Clock,
        on: impl Fn(OutboxEvent) + Send + Sync,
    ) -> Result<Drained, QueueError> {
        self.connect_and_drain(&Shift { queue, sink, clock, on: &on, failures: 0 }).await
    }

    async fn connect_and_drain<F: Fn(OutboxEvent) + Send + Sync>(
        &self,
        shift: &Shift<'_, F>,
    ) -> Result<Drained, QueueError> {
        match shift.sink.connect().await {
            Ok(portal) => {
                let done = self.drain(shift).await?;
                if done.failed.is_none() {
                    (shift.on)(OutboxEvent::Connected(portal));
                }
                Ok(done)
            }
            Err(error) => {
                let until = self.when(&error, shift.failures, shift.clock);
                Ok(Drained { failed: Some(error), paused_until: Some(until), ..Drained::default() })
            }
        }
    }

    async fn drain<F: Fn(OutboxEvent) + Send + Sync>(
        &self,
        shift: &Shift<'_, F>,
    ) -> Result<Drained, QueueError> {
        let mut total = Drained::default();
        loop {
            // After several failures one row goes ahead, so that it is seen whether a row is the cause.
            let most = if shift.failures < PROBE_AFTER { shift.sink.most().max(1) } else { 1 };
            let rows = shift.queue.lease(most).await?;
            if rows.is_empty() {
                return Ok(total);
            }
            tracing::debug!(rows = rows.len(), "pushing");
            self.push(shift, rows, &mut total).await?;
            if total.failed.is_some() {
                return Ok(total);
            }
        }
    }

    /// Pushes one lease. A batch that is refused as a whole is halved until the row at fault stands alone; what
    /// is left when the sink fails goes back to the queue.
    async fn push<F: Fn(OutboxEvent) + Send + Sync>(
        &self,
        shift: &Shift<'_, F>,
        rows: Vec<Leased>,
        total: &mut Drained,
    ) -> Result<(), QueueError> {
        let mut batches = VecDeque::from([rows]);
        while let Some(rows) = batches.pop_front() {
            if let (Some(failed), Some(until)) = (total.failed.clone(), total.paused_until) {
                // These were not sent: nothing new about them is uncertain.
                for row in rows {
                    let error = failed.clone().uncertain(row.delivery.uncertain);
                    self.retry(shift, &row, &error, until, total).await?;
                }
                continue;
            }
            let (mut ready, mut failed) = (Vec::new(), Vec::new());
            for mut row in rows {
                match Self::upload(shift, &mut row).await? {
                    Ok(()) => ready.push(row),
                    Err(error) => failed.push((row, error)),
                }
            }
            let (mut ids, mut deliveries): (Vec<_>, Vec<_>) =
                ready.into_iter().map(|row| ((row.id, row.attempts), row.delivery)).unzip();
            let mut answers =
                if deliveries.is_empty() { Vec::new() } else { shift.sink.push(&deliveries).await };
            for (row, error) in failed {
                ids.push((row.id, row.attempts));
                // It was not pushed: what is uncertain is what was before.
                answers.push(Err(error.uncertain(row.delivery.uncertain)));
                deliveries.push(row.delivery);
            }
            let alone = deliveries.len() == 1;
            let mut again = Vec::new();
            for (((id, attempts), delivery), answer) in ids.into_iter().zip(deliveries).zip(answers) {
                let key = delivery.record.key;
                let mut error = match answer {
                    Ok(accepted) => {
                        let event = OutboxEvent::Accepted {
                            id,
                            key,
                            how: accepted.how,
                            remote_id: accepted.remote_id.clone(),
                            link: accepted.link.clone(),
                        };
                        shift.queue.accepted(id, accepted).await?;
                        total.accepted += 1;
                        (shift.on)(event);
                        continue;
                    }
                    Err(error) => error,
                };
                let mut row = Leased { id, attempts, delivery };
                // Once uncertain, a row stays so until it was found or stored.
                row.delivery.uncertain |= error.uncertain;
                error.uncertain = row.delivery.uncertain;
                match error.kind {
                    Kind::Batch if !alone => again.push(row),
                    Kind::Sink => {
                        let until = match total.paused_until {
                            Some(until) => until,
                            None => self.when(&error, shift.failures, shift.clock),
                        };
                        // A row that breaks the sink whenever it is sent falls behind the others.
                        let probe = alone && shift.failures >= PROBE_AFTER && error.retry == Retry::Soon;
                        let own = self.when(&error, attempts, shift.clock).duration_since(shift.clock.now());
                        let at = if probe { until.saturating_add(own).unwrap_or(until) } else { until };
                        self.retry(shift, &row, &error, at, total).await?;
                        total.failed.get_or_insert(error);
                        total.paused_until = Some(until);
                    }
                    _ if error.retry == Retry::Never => {
                        shift.queue.set_aside(id, &error).await?;
                        total.set_aside += 1;
                        (shift.on)(OutboxEvent::SetAside { id, key, error });
                    }
                    _ => {
                        let at = self.when(&error, attempts, shift.clock);
                        self.retry(shift, &row, &error, at, total).await?;
                    }
                }
            }
            if again.len() > 1 {
                let second = again.split_off(again.len() / 2);
                batches.push_front(second);
            }
            if !again.is_empty() {
                batches.push_front(again);
            }
        }
        Ok(())
    }

    /// Stores a row's files that the sink does not have. The id of each is written down before the message goes. A mail goes
    /// without a file that is refused rather than not at all.
    async fn upload<F: Fn(OutboxEvent) + Send + Sync>(
        shift: &Shift<'_, F>,
        row: &mut Leased,
    ) -> Result<Result<(), CrmError>, QueueError> {
        if !shift.sink.uploads() {
            return Ok(Ok(()));
        }
        for at in 0..row.delivery.files.len() {
            let Some(file) = row.delivery.files.get_mut(at).filter(|file| file.remote_id.is_none()) else {
                continue;
            };
            match shift.sink.upload(file).await {
                Ok(uploaded) => {
                    file.remote_id.clone_from(&uploaded.remote_id);
                    shift.queue.uploaded(row.id, file, uploaded).await?;
                }
                Err(error) if error.kind == Kind::Row && error.retry == Retry::Never => {
                    shift.queue.refused(row.id, file, &error).await?;
                }
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(()))
    }

    async fn retry<F: Fn(OutboxEvent) + Send + Sync>(
        &self,
        shift: &Shift<'_, F>,
        row: &Leased,
        error: &CrmError,
        at: Timestamp,
        total: &mut Drained,
    ) -> Result<(), QueueError> {
        shift.queue.retry_later(row.id, error, at).await?;
        total.retried += 1;
        let key = row.delivery.record.key;
        (shift.on)(OutboxEvent::Retrying { id: row.id, key, error: error.clone(), at });
        Ok(())
    }

    /// When to try again after `failures` earlier failures. What the CRM asked for is never undercut.
    fn when(&self, error: &CrmError, failures: u32, clock: &dyn Clock) -> Timestamp {
        let now = clock.now();
        let jitter = (self.jitter)().clamp(0.0, 1.0);
        let wait = match error.retry {
            Retry::After(pause) => pause.max(SHORTEST_WAIT).mul_f64(1.0 + jitter / 10.0),
            Retry::At(moment) => return moment.max(later(now, SHORTEST_WAIT)),
            Retry::Never => LONGEST_WAIT,
            Retry::Soon => {
                let full = FIRST_WAIT.saturating_mul(1 << failures.min(16)).min(LONGEST_WAIT);
                full.mul_f64(0.5 + jitter / 2.0)
            }
        };
        later(now, wait)
    }

    /// Until somebody calls, or so long.
    async fn rest(&self, wake: &Notify, most: Duration) {
        tokio::select! {
            () = wake.notified() => {}
            () = self.timer.sleep(most) => {}
        }
    }

    /// Measured on the monotonic clock, a glance at a time.
    async fn pause(&self, clock: &dyn Clock, pause: Duration) {
        let end = clock.monotonic().saturating_add(pause);
        loop {
            let left = end.saturating_sub(clock.monotonic());
            if left.is_zero() {
                return;
            }
            self.timer.sleep(left.min(GLANCE)).await;
        }
    }
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// Time left until `then` on the wall clock; zero where it is past.
fn until_then(clock: &dyn Clock, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(clock.now())).unwrap_or_default()
}
