//! The CRMs at work: pushing, keeping their contacts, and telling how they are.

use crate::backoff;
use crate::bounces;
use crate::contacts::{self, EVERY, PullError};
use crate::deleted;
use crate::error::EngineError;
use crate::link::{is_on_the_way, on_the_way};
use crate::outage::Outage;
use crate::queue::LedgerQueue;
use crate::removals;
use crate::settings::CrmSettings;
use crate::shared::Shared;
use jiff::Timestamp;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use threadline_core::health::{Channel, Health, State};
use threadline_core::reason::{Phase, Reason};
use threadline_crm::{CrmError, OutboxEvent, QueueError, Retry, Secret, Sink, TokioTimer, Worker};
use threadline_store::portal::{self, Doubt};
use threadline_store::{StoreError, Tx, outbox};
use tokio::sync::mpsc;

/// Makes the sink that the settings describe; `None` where nothing is to leave the ledger.
pub(crate) async fn make(shared: &Shared, crm: &CrmSettings) -> Result<Option<Arc<dyn Sink>>, EngineError> {
    let secret = match crm.secret_name() {
        Some(name) => shared.secret(name).await?,
        None => None,
    };
    crm.sink(secret.map(|s| Secret::new(s.as_str())), Arc::clone(&shared.clock))
}

/// One CRM at work, until the future is dropped.
pub(crate) async fn work(shared: Arc<Shared>, crm: CrmSettings) -> Infallible {
    let mut failures: u32 = 0;
    let kind = crm.kind();
    let (sink, doubt) = loop {
        // Before the secret is read: see there.
        let doubt = match shared.ledger.read(move |tx| portal::doubted(tx, kind)).await {
            Ok(doubt) => doubt,
            Err(error) => {
                failures += 1;
                tracing::error!(
                    code = error.code(),
                    "which account of a CRM it is could not be read from the ledger"
                );
                tokio::time::sleep(backoff::wait(failures, backoff::random())).await;
                continue;
            }
        };
        match make(&shared, &crm).await {
            Ok(Some(sink)) => break (sink, doubt),
            Ok(None) => return std::future::pending().await,
            Err(error) => {
                failures += 1;
                let wait = backoff::wait(failures, backoff::random());
                log(tell_unusable(&shared, crm.kind(), &error).await);
                tokio::time::sleep(wait).await;
            }
        }
    };
    let standing = Standing::new(Arc::clone(&shared), sink.name(), Outage::default());
    let looking = deleted::keep(&shared, &*sink);
    let removing = removals::keep(&shared, &*sink);
    let telling = bounces::keep(&shared, &*sink);
    tokio::join!(
        push(&shared, &*sink, &standing),
        keep_contacts(&shared, &*sink, &standing, doubt),
        looking,
        removing,
        telling
    )
    .0
}

/// Pushes what becomes due. While the ledger fails it is tried again and again: a disk gets room again.
async fn push(shared: &Arc<Shared>, sink: &dyn Sink, standing: &Standing) -> Infallible {
    let bell = shared.bell(sink.name());
    let mut failures: u32 = 0;
    loop {
        let Err(error) = push_until_something_turns(shared, sink, standing, &bell).await else {
            failures = 0;
            continue;
        };
        failures += 1;
        tracing::error!(%error, sink = sink.name(), "pushing stopped, because the ledger failed; it is tried again");
        tokio::time::sleep(backoff::wait(failures, backoff::random())).await;
    }
}

/// Ends well where the network is another one and the CRM was not to be reached in the one before: then it is connected
/// anew at once. Fails where the ledger does.
async fn push_until_something_turns(
    shared: &Arc<Shared>,
    sink: &dyn Sink,
    standing: &Standing,
    bell: &tokio::sync::Notify,
) -> Result<(), QueueError> {
    let name = sink.name();
    // No worker runs yet: what is leased was under way when the last one ended.
    shared.ledger.write(move |tx| outbox::recover(tx, name)).await?;
    if shared.ledger.read(move |tx| outbox::has_ended(tx, name)).await? {
        // It stands in the ledger why. Who begins again connects anew.
        return std::future::pending().await;
    }
    if shared.ledger.read(move |tx| portal::in_doubt(tx, name)).await? {
        // By the ids of another portal a mail would be somebody else's. Who reads the contacts rings.
        bell.notified().await;
        return Ok(());
    }
    let queue = LedgerQueue::new(Arc::clone(shared), sink);
    let worker = Worker::new(Arc::new(TokioTimer), backoff::random);
    let (states, mut news) = mpsc::unbounded_channel();
    let on = |event: OutboxEvent| {
        if let Some(trouble) = trouble_of(&event) {
            // Nobody listens only while this very function ends.
            let _ = states.send(trouble);
        }
    };
    let telling = async {
        while let Some(trouble) = news.recv().await {
            if trouble.as_ref().is_some_and(|t| t.next_try.is_none()) {
                log(shared.ledger.write(move |tx| outbox::end(tx, name)).await);
            }
            standing.lacks(sink.lacks());
            log(standing.note(Way::Push, trouble).await);
        }
    };
    tokio::select! {
        result = worker.run(&queue, sink, &*shared.clock, bell, on) => match result? {},
        () = telling => return Err("nobody tells how the CRM is".into()),
        () = standing.turned(Way::Push) => {}
    }
    let now = shared.clock.now();
    let hurry = move |tx: &Tx<'_>| {
        on_the_way().try_for_each(|reason| outbox::hurry_after(tx, name, reason, now).map(drop))
    };
    Ok(shared.ledger.write(hurry).await?)
}

/// Keeps the contact index fresh, and lets the mailboxes look at what waited for it.
async fn keep_contacts(
    shared: &Arc<Shared>,
    sink: &dyn Sink,
    standing: &Standing,
    doubt: Doubt,
) -> Infallible {
    if !sink.has_contacts() {
        return std::future::pending().await;
    }
    let mut failures: u32 = 0;
    loop {
        let result = contacts::pull(shared, sink, doubt).await;
        let wait = match &result {
            Ok(_) => {
                failures = 0;
                shared.wake(None);
                EVERY
            }
            Err(error) => {
                failures += 1;
                wait_after(error, failures, shared.clock.now())
            }
        };
        match result {
            Ok(_) => log(standing.note(Way::Pull, None).await),
            Err(PullError::Crm(error)) => {
                let next_try = jiff::SignedDuration::try_from(wait)
                    .ok()
                    .and_then(|wait| shared.clock.now().checked_add(wait).ok());
                log(standing.note(Way::Pull, Some(Trouble { error, next_try })).await);
            }
            Err(PullError::Store(error)) => {
                tracing::error!(code = error.code(), "contacts were not kept, because the ledger failed");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = standing.turned(Way::Pull) => failures = 0,
        }
    }
}

/// The CRM's own pause, where it asked for one.
fn wait_after(error: &PullError, failures: u32, now: Timestamp) -> Duration {
    let usual = backoff::wait(failures, backoff::random());
    match error {
        PullError::Crm(CrmError { retry: Retry::After(pause), .. }) => (*pause).max(usual),
        PullError::Crm(CrmError { retry: Retry::At(at), .. }) => {
            Duration::try_from(at.duration_since(now)).unwrap_or(usual).max(usual)
        }
        _ => usual,
    }
}

/// What is wrong with one way to a CRM.
#[derive(Debug, Clone)]
struct Trouble {
    error: CrmError,
    next_try: Option<Timestamp>,
}

/// The two ways to a CRM.
#[derive(Debug, Clone, Copy)]
enum Way {
    Push,
    Pull,
}

/// How a CRM is: the worse of its two ways.
#[derive(Debug)]
struct Standing {
    shared: Arc<Shared>,
    sink: &'static str,
    ways: Mutex<Ways>,
}

#[derive(Debug)]
struct Ways {
    push: Option<Trouble>,
    pull: Option<Trouble>,
    /// What the CRM cannot do though mail reaches it.
    lacks: Option<CrmError>,
    outage: Outage,
}

impl Standing {
    fn new(shared: Arc<Shared>, sink: &'static str, outage: Outage) -> Self {
        Self { shared, sink, ways: Mutex::new(Ways { push: None, pull: None, lacks: None, outage }) }
    }

    fn ways(&self) -> MutexGuard<'_, Ways> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until another network or a wake makes it worth while to try again a way on which the CRM was not to be reached. A
    /// pause that the CRM asked for is kept.
    async fn turned(&self, way: Way) {
        loop {
            self.shared.links.turned(self.shared.links.now()).await;
            let ways = self.ways();
            let trouble = match way {
                Way::Push => &ways.push,
                Way::Pull => &ways.pull,
            };
            let lost = |t: &Trouble| is_on_the_way(t.error.reason) && t.error.retry == Retry::Soon;
            if trouble.as_ref().is_some_and(lost) {
                return;
            }
        }
    }

    /// Notes what the CRM cannot do; it is stored with the next note.
    fn lacks(&self, lacks: Option<CrmError>) {
        self.ways().lacks = lacks;
    }

    /// Notes how one way is now, and stores how the CRM is.
    async fn note(&self, way: Way, trouble: Option<Trouble>) -> Result<(), StoreError> {
        let extended = self.shared.extended().await;
        let health = {
            let mut ways = self.ways();
            match way {
                Way::Push => ways.push = trouble,
                Way::Pull => ways.pull = trouble,
            }
            self.health(&mut ways, extended)
        };
        self.shared.set_sink_health(self.sink, health).await
    }

    fn health(&self, ways: &mut Ways, extended: Duration) -> Health {
        let worst = match (&ways.push, &ways.pull) {
            (Some(push), Some(pull)) if severity(&pull.error) > severity(&push.error) => Some(pull),
            (push, pull) => push.as_ref().or(pull.as_ref()),
        };
        let Some(worst) = worst.cloned() else {
            ways.outage.over();
            let state = ways.lacks.as_ref().map_or(State::Connected, severity);
            return health(&self.shared, state, ways.lacks.as_ref(), None);
        };
        if let Some(reason) = self.shared.links.now().explains(worst.error.reason) {
            // What fails without a network is no outage.
            ways.outage.over();
            let away = Health {
                reason: Some(reason),
                phase: None,
                evidence: None,
                ..health(&self.shared, State::Offline, None, worst.next_try)
            };
            return away;
        }
        let extended = ways.outage.failed(self.shared.clock.monotonic(), extended);
        let state = if extended { State::NeedsAttention } else { severity(&worst.error) };
        health(&self.shared, state, Some(&worst.error), worst.next_try)
    }
}

/// What an event says of the way to the CRM: nothing, that it works (`Some(None)`), or what is wrong with it.
fn trouble_of(event: &OutboxEvent) -> Option<Option<Trouble>> {
    match event {
        OutboxEvent::Connected(_) | OutboxEvent::Accepted { .. } => Some(None),
        OutboxEvent::Paused { error, until } => {
            Some(Some(Trouble { error: error.clone(), next_try: by_itself(*until) }))
        }
        OutboxEvent::Retrying { .. } | OutboxEvent::SetAside { .. } => None,
    }
}

/// When it is tried again by itself; `None` where only a person can begin again.
fn by_itself(until: Timestamp) -> Option<Timestamp> {
    (until < Timestamp::MAX).then_some(until)
}

fn severity(error: &CrmError) -> State {
    if error.reason.is_transient() { State::Retrying } else { State::NeedsAttention }
}

fn health(shared: &Shared, state: State, error: Option<&CrmError>, next_try: Option<Timestamp>) -> Health {
    Health {
        channel: Channel::Crm,
        state,
        phase: error.map(|_| Phase::Push),
        reason: error.map(|e| e.reason),
        since: shared.clock.now(),
        evidence: error.map(ToString::to_string),
        next_try,
    }
}

/// How a CRM was at one look.
pub(crate) async fn tell_once(
    shared: &Shared,
    sink: &str,
    error: Option<&CrmError>,
    next_try: Option<Timestamp>,
) -> Result<(), StoreError> {
    let state = error.map_or(State::Connected, severity);
    shared.set_sink_health(sink, health(shared, state, error, next_try.and_then(by_itself))).await
}

/// Why no sink can be made, and the step at which that was seen.
pub(crate) fn why_unusable(error: &EngineError) -> (Reason, Option<Phase>) {
    match error {
        EngineError::Crm(e) => (e.reason, None),
        EngineError::Secret(e) => (e.code(), Some(Phase::Keychain)),
        // Its secret is gone, or a setting is no more what it was.
        _ => (Reason::SettingUnusable, None),
    }
}

/// A CRM whose settings or secret no sink can be made of.
pub(crate) async fn tell_unusable(
    shared: &Shared,
    sink: &str,
    error: &EngineError,
) -> Result<(), StoreError> {
    let (reason, phase) = why_unusable(error);
    let health = Health {
        channel: Channel::Crm,
        state: State::NeedsAttention,
        phase,
        reason: Some(reason),
        since: shared.clock.now(),
        evidence: Some(error.to_string()),
        next_try: None,
    };
    shared.set_sink_health(sink, health).await
}

fn log(told: Result<(), StoreError>) {
    if let Err(error) = told {
        tracing::error!(code = error.code(), "the state of a CRM could not be stored");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crm_that_wants_no_more_is_not_said_to_be_tried_again() {
        let paused = |until| {
            let error = CrmError::new("the webhook", Reason::CrmGone);
            trouble_of(&OutboxEvent::Paused { error, until }).flatten().unwrap().next_try
        };
        assert_eq!(paused(Timestamp::MAX), None);
        assert_eq!(paused(Timestamp::UNIX_EPOCH), Some(Timestamp::UNIX_EPOCH));
    }

    /// Whether a turn ends the pause that this error made.
    async fn ends(error: CrmError) -> bool {
        let world = crate::testing::World::new(threadline_core::rule::LogMode::EveryoneOutside, &[]);
        let shared = Arc::clone(&world.mailbox.shared);
        let standing = Standing::new(Arc::clone(&shared), "hubspot", Outage::default());
        standing.note(Way::Push, Some(Trouble { error, next_try: None })).await.unwrap();
        let mut turned = std::pin::pin!(standing.turned(Way::Push));
        assert!(futures::poll!(&mut turned).is_pending());
        shared.links.wake();
        futures::poll!(&mut turned).is_ready()
    }

    #[tokio::test]
    async fn a_turn_ends_the_pause_after_a_failure_on_the_way_and_no_other() {
        let error = |reason| CrmError::new("HubSpot", reason);
        for reason in [
            Reason::ConnectionRefused,
            Reason::DnsFailure,
            Reason::TlsUntrusted,
            Reason::ServerClosedConnection,
            Reason::ConnectionTimeout,
        ] {
            assert!(ends(error(reason)).await, "{reason}");
        }
        assert!(!ends(error(Reason::Throttled)).await);
        assert!(!ends(error(Reason::CrmTokenRejected).retry(Retry::Never)).await);
        // The CRM asked for this one.
        let asked = Retry::After(Duration::from_secs(60));
        assert!(!ends(error(Reason::ConnectionReset).retry(asked)).await);
    }
}
