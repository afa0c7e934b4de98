//! The CRMs at work: pushing, keeping their contacts, and telling how they are.

use crate::contacts::{self, PullError};
use crate::engine::Outcome;
use crate::error::EngineError;
use crate::mailbox::Mailbox;
use crate::queue::LedgerQueue;
use crate::shared::{Outlet, Shared};
use crate::{backoff, contacts::EVERY};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use threadline_core::health::{Channel, Health, State};
use threadline_core::reason::{Phase, Reason};
use threadline_crm::{CrmError, OutboxEvent, Sink, TokioTimer, Worker};
use threadline_store::StoreError;
use tokio::sync::mpsc;

/// Pushes what becomes due, until the ledger fails.
pub(crate) async fn work(shared: Arc<Shared>, outlet: Outlet, queue: LedgerQueue) {
    let worker = Worker::new(Arc::new(TokioTimer), backoff::random);
    let name = outlet.sink.name();
    let (states, mut news) = mpsc::unbounded_channel();
    let on = |event: OutboxEvent| {
        // Nobody listens only while this very function ends.
        let _ = states.send(state_of(&event));
    };
    let telling = async {
        while let Some(state) = news.recv().await {
            if let Some((state, error, next_try)) = state
                && let Err(e) = tell(&shared, name, state, error.as_ref(), next_try).await
            {
                tracing::error!(code = e.code(), "the state of a CRM could not be stored");
            }
        }
    };
    tokio::select! {
        result = worker.run(&queue, &*outlet.sink, &*shared.clock, &outlet.bell, on) => {
            let Err(error) = result;
            tracing::error!(%error, sink = name, "the outbox stopped, because the ledger failed");
        }
        () = telling => {}
    }
}

/// Pushes all that is due and returns how it went.
pub(crate) async fn drain(shared: &Arc<Shared>, sink: &Arc<dyn Sink>) -> Result<Outcome, EngineError> {
    let name = sink.name();
    let queue = LedgerQueue::new(Arc::clone(shared), name);
    let worker = Worker::new(Arc::new(TokioTimer), backoff::random);
    let drained = match worker.drain_once(&queue, &**sink, &*shared.clock, |_| {}).await {
        Ok(drained) => drained,
        Err(error) => match error.downcast::<StoreError>() {
            Ok(error) => return Err((*error).into()),
            Err(error) => return Err(EngineError::CrmSetting(error.to_string())),
        },
    };
    let state = if drained.failed.is_some() { State::NeedsAttention } else { State::Connected };
    tell(shared, name, state, drained.failed.as_ref(), drained.paused_until).await?;
    Ok(Outcome {
        name: name.to_owned(),
        problem: drained.failed.as_ref().map(ToString::to_string),
        reason: drained.failed.map(|e| e.reason.code().to_owned()),
        pushed: Some(drained.accepted),
    })
}

/// Keeps the contact index fresh, and lets the mailboxes look at what waited for it.
pub(crate) async fn keep_contacts(shared: Arc<Shared>, sink: Arc<dyn Sink>, mailboxes: Vec<Arc<Mailbox>>) {
    let mut failures: u32 = 0;
    loop {
        let wait = match contacts::pull(&shared, &*sink).await {
            Ok(read) => {
                failures = 0;
                if read > 0 {
                    mailboxes.iter().for_each(|m| m.wake());
                }
                EVERY
            }
            Err(error) => {
                failures += 1;
                if let Err(e) = tell_pull_failed(&shared, sink.name(), &error).await {
                    tracing::error!(code = e.code(), "the state of a CRM could not be stored");
                }
                wait_after(&error, failures, shared.clock.now())
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// The CRM's own pause, where it asked for one.
fn wait_after(error: &PullError, failures: u32, now: Timestamp) -> Duration {
    let usual = backoff::wait(failures, backoff::random());
    match error {
        PullError::Crm(CrmError { retry: threadline_crm::Retry::After(pause), .. }) => (*pause).max(usual),
        PullError::Crm(CrmError { retry: threadline_crm::Retry::At(at), .. }) => {
            Duration::try_from(at.duration_since(now)).unwrap_or(usual).max(usual)
        }
        _ => usual,
    }
}

pub(crate) async fn tell_pull_failed(
    shared: &Arc<Shared>,
    sink: &str,
    error: &PullError,
) -> Result<(), StoreError> {
    match error {
        PullError::Crm(error) => tell(shared, sink, severity(error), Some(error), None).await,
        PullError::Store(_) => Ok(()),
    }
}

/// A CRM whose settings or secret no sink can be made of.
pub(crate) async fn tell_unusable(
    shared: &Arc<Shared>,
    sink: &str,
    error: &EngineError,
) -> Result<(), StoreError> {
    let reason = match error {
        EngineError::Crm(e) => e.reason,
        EngineError::Secret(e) => e.code(),
        _ => Reason::CrmTokenRejected,
    };
    let health = Health {
        channel: Channel::Crm,
        state: State::NeedsAttention,
        phase: Some(Phase::Keychain),
        reason: Some(reason),
        since: shared.clock.now(),
        evidence: Some(error.to_string()),
        next_try: None,
    };
    shared.set_sink_health(sink, health).await
}

type Told = Option<(State, Option<CrmError>, Option<Timestamp>)>;

fn state_of(event: &OutboxEvent) -> Told {
    match event {
        OutboxEvent::Connected(_) | OutboxEvent::Accepted { .. } => Some((State::Connected, None, None)),
        OutboxEvent::Paused { error, until } => Some((severity(error), Some(error.clone()), Some(*until))),
        OutboxEvent::Retrying { .. } | OutboxEvent::SetAside { .. } => None,
    }
}

fn severity(error: &CrmError) -> State {
    if error.reason.is_transient() { State::Retrying } else { State::NeedsAttention }
}

async fn tell(
    shared: &Arc<Shared>,
    sink: &str,
    state: State,
    error: Option<&CrmError>,
    next_try: Option<Timestamp>,
) -> Result<(), StoreError> {
    let health = Health {
        channel: Channel::Crm,
        state,
        phase: error.map(|_| Phase::Push),
        reason: error.map(|e| e.reason),
        since: shared.clock.now(),
        evidence: error.map(ToString::to_string),
        next_try,
    };
    shared.set_sink_health(sink, health).await
}
