//! One catch-up: reads what is new, pushes what waits, and says what is left.

use crate::backoff;
use crate::bounces;
use crate::contacts::{self, PullError};
use crate::crms::CrmList;
use crate::error::EngineError;
use crate::journal;
use crate::mailbox::Mailbox;
use crate::marks;
use crate::outgoing::Outgoing;
use crate::queue::LedgerQueue;
use crate::removals;
use crate::shared::Shared;
use crate::sinks;
use crate::supervisor;
use crate::unusable::Unusable;
use jiff::Timestamp;
use std::collections::HashSet;
use std::sync::Arc;
use threadline_core::reason::Reason;
use threadline_crm::{CrmError, Drained, Sink, TokioTimer, Worker};
use threadline_store::{StoreError, outbox, portal};
use tracing::Instrument as _;

/// What a catch-up did.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct CaughtUp {
    /// What each mailbox sent, before it was read.
    pub sending: Vec<Outcome>,
    pub mailboxes: Vec<Outcome>,
    pub crms: Vec<Outcome>,
}

/// How it went for one mailbox or CRM.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Outcome {
    pub name: String,
    /// `None` where it went well.
    pub problem: Option<String>,
    /// The reason's code.
    pub reason: Option<String>,
    /// Messages pushed, for a CRM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed: Option<usize>,
    /// Messages that were not read or pushed and are tried again later.
    pub waiting: u64,
    /// Messages that were put aside this time.
    pub set_aside: u64,
}

impl Outcome {
    fn failed(name: String, reason: &str, problem: String) -> Self {
        Self { name, reason: Some(reason.to_owned()), problem: Some(problem), ..Self::default() }
    }

    /// True where it failed nowhere and nothing is left.
    pub fn is_well(&self) -> bool {
        self.problem.is_none() && self.waiting == 0 && self.set_aside == 0
    }
}

impl CaughtUp {
    pub fn is_well(&self) -> bool {
        self.sending.iter().chain(&self.mailboxes).chain(&self.crms).all(Outcome::is_well)
    }
}

/// Makes CRMs and mailboxes of the settings. What cannot be made is reported, and the rest goes on.
pub(crate) async fn catch_up(
    shared: &Arc<Shared>,
    crms: &CrmList,
    sending: Vec<Outgoing>,
    mailboxes: Vec<Mailbox>,
    unusable: &[Unusable],
) -> Result<CaughtUp, EngineError> {
    let mut report = CaughtUp::default();
    supervisor::not_too_late(shared).await?;
    contacts::decide_again_locally(shared).await?;
    let mut working: Vec<(Arc<dyn Sink>, Option<PullError>)> = Vec::new();
    for crm in &crms.set {
        let kind = crm.kind();
        let doubt = shared.ledger.read(move |tx| portal::doubted(tx, kind)).await?;
        match sinks::make(shared, crm).await {
            Ok(Some(sink)) => {
                let name = sink.name();
                shared.ledger.write(move |tx| outbox::recover(tx, name)).await?;
                let pulled = match sink.has_contacts() {
                    true => {
                        contacts::pull(shared, &*sink, doubt).instrument(journal::of_crm(name)).await.err()
                    }
                    false => None,
                };
                working.push((sink, pulled));
            }
            Ok(None) => {}
            Err(error) => {
                sinks::tell_unusable(shared, crm.kind(), &error).await?;
                report.crms.push(Outcome::failed(crm.kind().to_owned(), error.code(), error.to_string()));
            }
        }
    }
    report.sending = futures::future::join_all(sending.iter().map(Outgoing::once)).await;
    let reading = mailboxes.iter().map(|mailbox| read(mailbox).instrument(journal::of_mailbox(mailbox.id)));
    report.mailboxes = futures::future::join_all(reading).await;
    for account in unusable {
        account.tell(shared).await?;
        let code = Reason::SettingUnusable.code();
        report.mailboxes.push(Outcome::failed(account.address.to_string(), code, account.error.to_string()));
    }
    for crm in &crms.unusable {
        crm.tell(shared).await?;
        let name = crm.kind.clone().unwrap_or_default();
        report.crms.push(Outcome::failed(name, Reason::SettingUnusable.code(), crm.problem.clone()));
    }
    for (sink, pulled) in working {
        let whose = journal::of_crm(sink.name());
        report.crms.push(drain(shared, &*sink, pulled).instrument(whose).await?);
    }
    for (mailbox, _) in
        mailboxes.iter().zip(&report.mailboxes).filter(|(_, outcome)| outcome.problem.is_none())
    {
        let mut refused = HashSet::new();
        // That it could not be written back is no failure of the catch-up: it is tried again by the next one.
        while matches!(marks::write(mailbox, &mut refused).await, Ok(written) if written > 0) {}
    }
    Ok(report)
}

async fn read(mailbox: &Mailbox) -> Outcome {
    let name = mailbox.settings.address.to_string();
    let id = mailbox.id;
    let before = mailbox.shared.ledger.read(move |tx| left(tx, id)).await.unwrap_or_default();
    if let Err(broken) = mailbox.catch_up().await {
        return Outcome::failed(name, broken.why().0.code(), broken.to_string());
    }
    match mailbox.shared.ledger.read(move |tx| left(tx, id)).await {
        Ok(after) => Outcome {
            name,
            waiting: after.0,
            set_aside: after.1.saturating_sub(before.1),
            ..Outcome::default()
        },
        Err(error) => Outcome::failed(name, error.code(), error.to_string()),
    }
}

/// Jobs that wait, and messages that were put aside.
fn left(tx: &threadline_store::Tx<'_>, account: i64) -> Result<(u64, u64), StoreError> {
    let counts = threadline_store::status::account(tx, account)?;
    Ok((counts.jobs_waiting, counts.jobs_set_aside + counts.set_aside))
}

/// Pushes all that is due.
async fn drain(
    shared: &Arc<Shared>,
    sink: &dyn Sink,
    pulled: Option<PullError>,
) -> Result<Outcome, EngineError> {
    let name = sink.name();
    if shared.ledger.read(move |tx| outbox::has_ended(tx, name)).await? {
        let error = CrmError::new(name, Reason::CrmGone);
        return Ok(Outcome::failed(name.to_owned(), error.reason.code(), error.to_string()));
    }
    let queue = LedgerQueue::new(Arc::clone(shared), sink);
    let worker = Worker::new(Arc::new(TokioTimer), backoff::random);
    // By the ids of another portal a mail would be somebody else's: why it is not known yet is what the pull ended with.
    let known = !shared.ledger.read(move |tx| portal::in_doubt(tx, name)).await?;
    let drained = match known {
        true => worker.drain_once(&queue, sink, &*shared.clock, |_| {}).await,
        false => Ok(Drained::default()),
    };
    let drained = match drained {
        Ok(drained) => drained,
        Err(error) => match error.downcast::<StoreError>() {
            Ok(error) => return Err((*error).into()),
            Err(error) => return Err(EngineError::CrmSetting(error.to_string())),
        },
    };
    let Drained { accepted, set_aside, failed, paused_until, .. } = drained;
    if paused_until == Some(Timestamp::MAX) {
        shared.ledger.write(move |tx| outbox::end(tx, name)).await?;
    }
    let failed = failed.or(match pulled {
        Some(PullError::Crm(error)) => Some(error),
        Some(PullError::Store(error)) => return Err(error.into()),
        None => None,
    });
    removals::work(shared, sink).await?;
    if failed.is_none()
        && let Err(error) = bounces::work(shared, sink).await
    {
        // It is told the next time.
        tracing::debug!(code = error.code(), "a CRM was not told of mails that came back");
    }
    let told = failed.clone().or_else(|| sink.lacks());
    sinks::tell_once(shared, name, told.as_ref(), paused_until).await?;
    let waiting = shared.ledger.read(move |tx| outbox::waiting(tx, name)).await?;
    Ok(Outcome {
        name: name.to_owned(),
        problem: failed.as_ref().map(ToString::to_string),
        reason: failed.map(|e| e.reason.code().to_owned()),
        pushed: Some(accepted),
        waiting,
        set_aside: set_aside as u64,
    })
}
