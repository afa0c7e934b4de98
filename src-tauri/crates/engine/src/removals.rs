//! Records that go from a CRM because the person never wants them logged (PRODUCT B6): asked, counted before, and taken back as
//! long as the CRM has not done it.

use crate::backoff;
use crate::shared::Shared;
use jiff::{SignedDuration, Timestamp};
use std::convert::Infallible;
use std::time::Duration;
use threadline_core::reason::Reason;
use threadline_crm::{CrmError, Kind, Retry, Sink};
use threadline_store::egress::{self, Egress};
use threadline_store::removal::{self, Removal};
use threadline_store::{StoreError, Tx, portal};

/// Records of one request.
const PAGE: usize = 100;
/// How often is looked for what is due, where nobody rings.
const GLANCE: Duration = Duration::from_secs(60);
/// Longest wait before one is tried again.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// Removes what is due; gives the number of records that went. Fails where the ledger does.
pub(crate) async fn work(shared: &Shared, sink: &dyn Sink) -> Result<usize, StoreError> {
    let name = sink.name();
    if shared.ledger.read(move |tx| portal::in_doubt(tx, name)).await? {
        return Ok(0);
    }
    let mut gone = 0;
    loop {
        let now = shared.clock.now();
        let due = shared.ledger.read(move |tx| removal::due(tx, name, now, PAGE)).await?;
        if due.is_empty() || !sink.archives() {
            return Ok(gone);
        }
        gone += some(shared, sink, due).await?;
    }
}

/// Some at once; where they are refused together, each alone, so that one stops no other.
async fn some(shared: &Shared, sink: &dyn Sink, due: Vec<Removal>) -> Result<usize, StoreError> {
    let ids: Vec<String> = due.iter().map(|one| one.remote_id.clone()).collect();
    match sink.archive(&ids).await {
        Ok(()) => {
            let gone = due.len();
            note(shared, sink.name(), due, None).await?;
            Ok(gone)
        }
        Err(error) if error.kind != Kind::Sink && due.len() > 1 => {
            let mut gone = 0;
            for one in due {
                gone += Box::pin(some(shared, sink, vec![one])).await?;
            }
            Ok(gone)
        }
        Err(error) => {
            note(shared, sink.name(), due, Some(error)).await?;
            Ok(0)
        }
    }
}

async fn note(
    shared: &Shared,
    sink: &'static str,
    rows: Vec<Removal>,
    error: Option<CrmError>,
) -> Result<(), StoreError> {
    let now = shared.clock.now();
    let write = move |tx: &Tx<'_>| {
        for row in &rows {
            match &error {
                None => {
                    removal::done(tx, row.id)?;
                    egress::add(tx, &[left(sink, row, now)])?;
                }
                Some(error) => {
                    removal::failed(
                        tx,
                        row.id,
                        next_try(error, row.attempts, now),
                        error.reason,
                        &error.words,
                    )?;
                }
            }
        }
        Ok(())
    };
    shared.ledger.write(write).await
}

/// The id is all that leaves the computer for it.
fn left(sink: &str, row: &Removal, at: Timestamp) -> Egress {
    Egress {
        id: 0,
        at,
        sink: sink.to_owned(),
        message: row.message,
        object: "email".to_owned(),
        remote_id: Some(row.remote_id.clone()),
        field: "archive".to_owned(),
        bytes: row.remote_id.len() as u64,
    }
}

/// `None` where the record itself is at fault. What the sink as a whole is at fault of may heal.
fn next_try(error: &CrmError, attempts: u32, now: Timestamp) -> Option<Timestamp> {
    if error.kind != Kind::Sink && error.retry == Retry::Never && error.reason != Reason::ScopeMissing {
        return None;
    }
    let asked = match error.retry {
        Retry::After(pause) => SignedDuration::try_from(pause).unwrap_or(LONGEST),
        Retry::At(at) => return Some(at.max(now)),
        Retry::Never => LONGEST,
        Retry::Soon => {
            let wait = backoff::wait(attempts.saturating_add(1), backoff::random());
            SignedDuration::try_from(wait).unwrap_or(LONGEST)
        }
    };
    now.checked_add(asked).ok()
}

/// Removes what becomes due.
pub(crate) async fn keep(shared: &Shared, sink: &dyn Sink) -> Infallible {
    loop {
        if let Err(error) = work(shared, sink).await {
            tracing::error!(code = error.code(), "records were not removed, because the ledger failed");
        }
        // The bell is the pushing worker's: a call is heard by one of both.
        tokio::time::sleep(GLANCE).await;
    }
}
