//! Keeps one task for each mailbox and each CRM, one for the relay, and no other.
//!
//! Invariant: a change of one mailbox or CRM connects that one anew, and leaves the others as they are.

use crate::absence;
use crate::contacts;
use crate::crms::CrmList;
use crate::engine::{Account, Engine};
use crate::error::EngineError;
use crate::generation::{self, Generations};
use crate::journal;
use crate::mailbox::Mailbox;
use crate::outgoing::Outgoing;
use crate::relay::{self, RelayPlan};
use crate::settings::CrmSettings;
use crate::shared::Shared;
use crate::unusable::Unusable;
use crate::{backoff, jobs, marks, sinks, timetable};
use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use threadline_store::{Tx, account, activity, job, message, outbox, relayed, send};
use tokio::task::JoinHandle;
use tracing::{Instrument as _, Span};

/// How often a keychain is asked again that did not give the proxy's password.
const ASK_KEYCHAIN: Duration = Duration::from_secs(60);
/// How often a running engine looks for what another process set.
const GLANCE: Duration = Duration::from_secs(2);
/// How often it looks for what may be forgotten.
const TIDY: Duration = Duration::from_secs(3600);
/// How long the headers of a mail that was asked about are kept without an answer.
const UNANSWERED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How much is kept of what happened.
const MOST_ACTIVITY: usize = 50_000;
/// The longest pause that a CRM asks for: until midnight in its portal's time zone.
const LONGEST_PUSH_PAUSE: SignedDuration = SignedDuration::from_hours(26);

/// Runs until the future is dropped. Fails only where the ledger cannot be read at the start.
pub(crate) async fn run(engine: &Engine) -> Result<Infallible, EngineError> {
    let shared = engine.shared();
    log("copies of files that were opened are still there", engine.delete_copies().await);
    let listening = async { tokio::join!(shared.links.follow(&*shared.clock), take_turns(shared)).1 };
    tokio::select! {
        result = keep_fit(engine) => result,
        never = listening => match never {},
        never = timetable::keep(engine) => match never {},
        never = crate::question::keep(engine) => match never {},
    }
}

/// Where the network is another one, or the computer woke, open connections may be dead and CRMs be reached again.
async fn take_turns(shared: &Shared) -> Infallible {
    loop {
        shared.links.turned(shared.links.now()).await;
        shared.probe();
        shared.ring();
    }
}

async fn keep_fit(engine: &Engine) -> Result<Infallible, EngineError> {
    let shared = engine.shared();
    let mut tasks = Tasks::default();
    let mut plan = Plan::read(engine).await?;
    let mut tidied: Option<Duration> = None;
    let mut asked = shared.clock.monotonic();
    let mut beaten: Option<Timestamp> = None;
    loop {
        tasks.fit(shared, &plan).await;
        for account in &plan.unusable {
            log(
                "the state of a mailbox could not be stored",
                account.tell(shared).await.map_err(EngineError::from),
            );
        }
        for crm in &plan.crms.unusable {
            log("the state of a CRM could not be stored", crm.tell(shared).await.map_err(EngineError::from));
        }
        let decided = contacts::decide_again_locally(shared).await.map_err(EngineError::from);
        log("what waits for the local contacts was not decided", decided);
        // What is set without a new connection: there may be something to read or to push.
        shared.wake(None);
        shared.ring();
        plan = loop {
            if tidied.is_none_or(|at| shared.clock.monotonic().saturating_sub(at) > TIDY) {
                tidied = Some(shared.clock.monotonic());
                log("what may be forgotten was not", forget_unanswered(shared).await);
                log("what was put off stays so", not_too_late(shared).await);
            }
            let now = shared.clock.now();
            // By the wall clock, which goes on while the computer sleeps.
            if beaten.is_none_or(|at| now.duration_since(at).abs() >= absence::BEAT) {
                beaten = Some(now);
                let beat = shared.ledger.write(move |tx| absence::beat(tx, now)).await;
                log("that the engine runs was not noted", beat.map_err(EngineError::from));
            }
            tokio::time::sleep(GLANCE).await;
            let now = shared.clock.monotonic();
            if !plan.proxy_whole && now.saturating_sub(asked) > ASK_KEYCHAIN {
                asked = now;
                plan.proxy_whole = engine.take_proxy().await.unwrap_or(false);
            }
            match next(engine, &plan).await {
                Ok(None) => {}
                Ok(Some(plan)) => break plan,
                // The disk is full, or the ledger is busy: what runs goes on.
                Err(error) => log("the settings were not read", Err(error)),
            }
        };
    }
}

/// The plan to go on with, where something was set or a pause is over.
async fn next(engine: &Engine, plan: &Plan) -> Result<Option<Plan>, EngineError> {
    let shared = engine.shared();
    let now = shared.clock.now();
    let generations = shared.ledger.read(generation::read).await?;
    if generations == plan.generations && plan.resumes.is_none_or(|at| at > now) {
        return Ok(None);
    }
    Plan::read(engine).await.map(Some)
}

/// What is to run.
#[derive(Debug)]
struct Plan {
    generations: Generations,
    /// False where the keychain did not give the proxy's password.
    proxy_whole: bool,
    crms: CrmList,
    parts: HashMap<Key, Part>,
    /// What cannot run as it is set.
    unusable: Vec<Unusable>,
    /// When the first pause is over.
    resumes: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Account(i64),
    Crm(&'static str),
    /// What a mailbox sends.
    Sending(i64),
    Relay,
}

impl Key {
    fn span(&self) -> Span {
        match self {
            Key::Account(id) | Key::Sending(id) => journal::of_mailbox(*id),
            Key::Crm(kind) => journal::of_crm(kind),
            Key::Relay => journal::of_relay(),
        }
    }
}

/// One mailbox or CRM as it is set. It is connected anew where this changes.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    Account(Box<Account>, (u64, u64)),
    Crm(CrmSettings, (u64, u64)),
    Sending(Box<Account>, (u64, u64)),
    Relay(RelayPlan, u64),
}

impl Plan {
    async fn read(engine: &Engine) -> Result<Self, EngineError> {
        // First the counters: what is set while the rest is read is seen at the next glance.
        let generations = engine.ledger().read(generation::read).await?;
        let proxy_whole = engine.take_proxy().await?;
        let crms = engine.crm_list().await?;
        let now = engine.clock().now();
        let mut parts = HashMap::new();
        for crm in &crms.set {
            let part = Part::Crm(crm.clone(), generations.of_crm(crm.kind()));
            parts.insert(Key::Crm(crm.kind()), part);
        }
        let mut resumes = None;
        let accounts = engine.accounts().await?;
        // A mailbox that is paused can send.
        if let Some(plan) = RelayPlan::read(engine, &accounts).await? {
            parts.insert(Key::Relay, Part::Relay(plan, generations.of_relay()));
        }
        for account in accounts {
            match account.paused_until.filter(|until| *until > now) {
                Some(until) => resumes = Some(resumes.map_or(until, |first: Timestamp| first.min(until))),
                None => {
                    let generation = generations.of_account(account.id);
                    // A pause that is over is no change of the mailbox.
                    let key = Key::Account(account.id);
                    let account = Box::new(Account { paused_until: None, ..account });
                    if account.settings.smtp.is_some() {
                        let part = Part::Sending(account.clone(), generation);
                        parts.insert(Key::Sending(account.id), part);
                    }
                    parts.insert(key, Part::Account(account, generation));
                }
            }
        }
        let unusable = engine.unusable_accounts().await?;
        Ok(Self { generations, proxy_whole, crms, parts, unusable, resumes })
    }
}

/// The running tasks.
#[derive(Debug, Default)]
struct Tasks {
    running: HashMap<Key, (Part, Task)>,
}

impl Tasks {
    /// Ends what is not to run any more, or not so, and starts what is missing.
    async fn fit(&mut self, shared: &Arc<Shared>, plan: &Plan) {
        let outdated: Vec<Key> = self
            .running
            .iter()
            .filter(|(key, (part, _))| plan.parts.get(key) != Some(part))
            .map(|(key, _)| key.clone())
            .collect();
        for key in outdated {
            if let Some((_, task)) = self.running.remove(&key) {
                task.stop().await;
                key.span().in_scope(|| tracing::info!("it has ended: it was set anew, paused or removed"));
            }
            if let Key::Account(id) = key {
                shared.forget_wakers(id);
            }
        }
        shared.set_crms(&plan.crms);
        for (key, part) in &plan.parts {
            if !self.running.contains_key(key) {
                let task = Task::start(Arc::clone(shared), part.clone(), key.span());
                self.running.insert(key.clone(), (part.clone(), task));
            }
        }
    }
}

/// A task that ends with its owner.
#[derive(Debug)]
struct Task(JoinHandle<Infallible>);

impl Task {
    fn start(shared: Arc<Shared>, part: Part, whose: Span) -> Self {
        let at_work = shared.at_work();
        let work = async move {
            let _at_work = at_work;
            tracing::info!("it begins");
            keep(shared, part).await
        };
        Self(tokio::spawn(work.instrument(whose)))
    }

    /// Ends it and waits until it is gone, so that nothing of it meets the next one.
    async fn stop(mut self) {
        self.0.abort();
        let _ = (&mut self.0).await;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs one part. A panic costs a pause, not the part.
async fn keep(shared: Arc<Shared>, part: Part) -> Infallible {
    let mut failures: u32 = 0;
    loop {
        let shared = Arc::clone(&shared);
        let run = async {
            match &part {
                Part::Account(account, _) => {
                    let mailbox = Mailbox::new(shared, Account::clone(account));
                    tokio::select! {
                        never = mailbox.run() => never,
                        never = marks::keep(&mailbox) => never,
                    }
                }
                Part::Crm(crm, _) => sinks::work(shared, crm.clone()).await,
                Part::Sending(account, _) => Outgoing::new(shared, Account::clone(account)).run().await,
                Part::Relay(plan, _) => relay::run(shared, plan.clone()).await,
            }
        };
        let Err(_) = AssertUnwindSafe(run).catch_unwind().await;
        failures += 1;
        tracing::error!("a task of the engine broke off; it is started again");
        tokio::time::sleep(backoff::wait(failures, backoff::random())).await;
    }
}

/// Takes the headers of mails that nobody was interested in for so long, and what happened long ago.
async fn forget_unanswered(shared: &Shared) -> Result<(), EngineError> {
    let Ok(before) = shared.clock.now().checked_sub(UNANSWERED) else { return Ok(()) };
    let forget = move |tx: &Tx<'_>| {
        for account in account::list(tx)? {
            message::expire_unanswered(tx, account.id, before)?;
        }
        send::forget(tx, before)?;
        activity::keep(tx, MOST_ACTIVITY)?;
        relayed::forget(tx, before)?;
        Ok(())
    };
    Ok(shared.ledger.write(forget).await?)
}

/// After the clock was set back, what was put off by it would wait too long.
pub(crate) async fn not_too_late(shared: &Shared) -> Result<(), EngineError> {
    let now = shared.clock.now();
    let after = |wait: SignedDuration| now.checked_add(wait).unwrap_or(Timestamp::MAX);
    let (jobs, pushes) = (after(jobs::LONGEST_PAUSE), after(LONGEST_PUSH_PAUSE));
    let sinks = shared.sink_names();
    let hurry = move |tx: &Tx<'_>| {
        for account in account::list(tx)? {
            job::not_beyond(tx, account.id, now, jobs)?;
        }
        sinks.into_iter().try_for_each(|sink| outbox::not_beyond(tx, &sink, now, pushes).map(|_| ()))
    };
    Ok(shared.ledger.write(hurry).await?)
}

fn log(what: &str, result: Result<(), EngineError>) {
    if let Err(error) = result {
        tracing::error!(code = error.code(), "{what}; it is tried again");
    }
}
