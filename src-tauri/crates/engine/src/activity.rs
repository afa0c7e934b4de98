//! What happened, in one list; and the pushes that failed.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use crate::settings::CrmSettings;
use crate::views::account_address;
use jiff::Timestamp;
use serde::Serialize;
use threadline_core::address::Address;
use threadline_core::health::State;
use threadline_core::reason::Reason;
use threadline_core::record::Direction;
use threadline_core::rule::Rule;
pub use threadline_store::activity::Kind as ActivityKind;
use threadline_store::health::Owner;
use threadline_store::message::Outcome;
use threadline_store::outbox::{self, Entry, State as PushState};
use threadline_store::{StoreError, Tx, activity, message};

/// Most rows of one page.
const MOST_ROWS: usize = 500;

/// One thing that happened.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Activity {
    /// Counts up with each thing that happens, across all mailboxes and CRMs.
    pub id: i64,
    pub at: Timestamp,
    pub kind: ActivityKind,
    /// The mailbox's address, or the CRM's kind.
    pub of: String,
    pub message: Option<i64>,
    /// The conversation that the message is in now.
    pub thread: Option<i64>,
    pub direction: Option<Direction>,
    pub outcome: Option<Outcome>,
    pub rule: Option<Rule>,
    pub reason: Option<Reason>,
    pub state: Option<State>,
    pub folder: Option<String>,
    /// Only of a message that is logged now.
    pub subject: Option<String>,
    /// The first contact of a message that is logged now.
    pub with: Option<Address>,
    /// The server's or the CRM's own words.
    pub words: Option<String>,
}

threadline_core::debug_only!(Activity { id, kind, message, outcome, rule, reason, state });

/// A push that failed: it was given up, or is tried again.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct FailedPush {
    pub outbox: i64,
    pub sink: String,
    pub message: i64,
    pub thread: Option<i64>,
    pub subject: Option<String>,
    pub reason: Option<Reason>,
    pub words: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// `None` where it was given up until a person tries it again.
    pub next_try: Option<Timestamp>,
}

threadline_core::debug_only!(FailedPush { outbox, sink, message, reason, attempts, next_try });

impl Engine {
    /// What happened, the newest first. The next page begins before the id of the last row; `None` for the first page.
    pub async fn activity(&self, before: Option<i64>, limit: usize) -> Result<Vec<Activity>, EngineError> {
        let read = move |tx: &Tx<'_>| {
            activity::newest(tx, before, limit.min(MOST_ROWS))?
                .into_iter()
                .map(|row| shown(tx, row))
                .collect()
        };
        Ok(self.ledger().read(read).await?)
    }

    /// What happened behind the row `after`, the oldest first, with the same ids: to be asked for at each
    /// [`Event`](crate::Event), so that a listener who missed some misses no row.
    pub async fn activity_since(&self, after: i64) -> Result<Vec<Activity>, EngineError> {
        let read = move |tx: &Tx<'_>| {
            activity::since(tx, after, MOST_ROWS)?.into_iter().map(|row| shown(tx, row)).collect()
        };
        Ok(self.ledger().read(read).await?)
    }

    /// The pushes that failed, of each CRM the longest due first; at most 500 of each.
    pub async fn failed_pushes(&self) -> Result<Vec<FailedPush>, EngineError> {
        let crms = self.crms().await?;
        let read = move |tx: &Tx<'_>| {
            let mut all = Vec::new();
            for kind in crms.iter().map(CrmSettings::kind) {
                for entry in outbox::failed(tx, kind, MOST_ROWS)? {
                    all.push(failed(tx, entry)?);
                }
            }
            Ok(all)
        };
        Ok(self.ledger().read(read).await?)
    }

    /// Pushes again now what a CRM refused or what waits for it: all of it, or one push by its `outbox`. Gives their
    /// number.
    pub async fn retry_push(&self, kind: &str, entry: Option<i64>) -> Result<usize, EngineError> {
        let kind = self.crm(kind).await?.kind();
        let now = self.clock().now();
        let retry = move |tx: &Tx<'_>| {
            let pushes = match entry {
                Some(id) => {
                    outbox::begin_again(tx, kind)?;
                    outbox::retry(tx, id, now).map(|()| 1)
                }
                None => outbox::hurry(tx, kind, now),
            }?;
            // A pause that the CRM's worker keeps ends with a new connection.
            count_up(tx, Part::Crm(kind))?;
            Ok(pushes)
        };
        Ok(self.ledger().write(retry).await?)
    }
}

fn shown(tx: &Tx<'_>, row: activity::Activity) -> Result<Activity, StoreError> {
    Ok(Activity {
        id: row.id,
        at: row.at,
        kind: row.kind,
        of: match row.owner {
            Owner::Account(id) => account_address(tx, id)?.to_string(),
            Owner::Sink(sink) => sink,
        },
        message: row.message,
        thread: row.thread,
        direction: row.direction,
        outcome: row.outcome,
        rule: row.rule,
        reason: row.reason,
        state: row.state,
        folder: row.folder,
        subject: row.subject,
        with: row.with,
        words: row.words,
    })
}

fn failed(tx: &Tx<'_>, entry: Entry) -> Result<FailedPush, StoreError> {
    let row = message::get(tx, entry.message)?;
    Ok(FailedPush {
        outbox: entry.id,
        sink: entry.sink,
        message: entry.message,
        thread: row.as_ref().and_then(|m| m.thread),
        subject: row.and_then(|m| m.headers).map(|h| h.subject),
        reason: entry.reason,
        words: entry.words,
        attempts: entry.attempts,
        next_try: (entry.state == PushState::Waiting).then_some(entry.next_try),
    })
}
