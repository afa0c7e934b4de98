//! Mails that came back: a CRM that shows a status is told so of its record, once.

use crate::error::EngineError;
use crate::shared::Shared;
use std::convert::Infallible;
use std::time::Duration;
use threadline_crm::{CrmError, Kind, Retry, Sink};
use threadline_store::egress::{self, Egress};
use threadline_store::{Tx, outbox, portal};

/// How often is looked for some.
const GLANCE: Duration = Duration::from_secs(60);
/// Records of one request.
const PAGE: usize = 100;

/// An entry of the outbox, its message and the CRM's id.
type Row = (i64, i64, String);

/// Tells what was not told yet; gives the number of records.
pub(crate) async fn work(shared: &Shared, sink: &dyn Sink) -> Result<usize, EngineError> {
    let name = sink.name();
    if !sink.marks_bounced() || shared.ledger.read(move |tx| portal::in_doubt(tx, name)).await? {
        return Ok(0);
    }
    let mut told = 0;
    loop {
        let rows = shared.ledger.read(move |tx| outbox::bounced(tx, name, PAGE)).await?;
        if rows.is_empty() {
            return Ok(told);
        }
        told += some(shared, sink, rows).await?;
    }
}

/// Some at once; where they are refused together, each alone, so that one stops no other.
async fn some(shared: &Shared, sink: &dyn Sink, rows: Vec<Row>) -> Result<usize, EngineError> {
    let ids: Vec<String> = rows.iter().map(|(_, _, id)| id.clone()).collect();
    match sink.mark_bounced(&ids).await {
        Ok(()) => {
            let told = rows.len();
            note(shared, sink.name(), rows, true).await?;
            Ok(told)
        }
        Err(error) if error.kind != Kind::Sink && rows.len() > 1 => {
            let mut told = 0;
            for one in rows {
                told += Box::pin(some(shared, sink, vec![one])).await?;
            }
            Ok(told)
        }
        Err(error) if is_for_good(&error) => {
            tracing::warn!(reason = error.reason.code(), "a CRM does not take it that a mail came back");
            note(shared, sink.name(), rows, false).await?;
            Ok(0)
        }
        Err(error) => Err(error.into()),
    }
}

/// The record itself is at fault: it would be refused again.
fn is_for_good(error: &CrmError) -> bool {
    error.kind != Kind::Sink && error.retry == Retry::Never
}

async fn note(shared: &Shared, sink: &'static str, rows: Vec<Row>, left: bool) -> Result<(), EngineError> {
    let now = shared.clock.now();
    let write = move |tx: &Tx<'_>| {
        for (entry, message, remote_id) in &rows {
            outbox::told_bounced(tx, *entry, now)?;
            let field = Egress {
                id: 0,
                at: now,
                sink: sink.to_owned(),
                message: Some(*message),
                object: "email".to_owned(),
                remote_id: Some(remote_id.clone()),
                field: "status".to_owned(),
                bytes: "BOUNCED".len() as u64,
            };
            if left {
                egress::add(tx, &[field])?;
            }
        }
        Ok(())
    };
    Ok(shared.ledger.write(write).await?)
}

/// Looks now and then.
pub(crate) async fn keep(shared: &Shared, sink: &dyn Sink) -> Infallible {
    loop {
        if let Err(error) = work(shared, sink).await {
            // The way to the CRM is told of by what pushes.
            tracing::debug!(code = error.code(), "a CRM was not told of mails that came back");
        }
        tokio::time::sleep(GLANCE).await;
    }
}
