//! Records that were deleted in the CRM (PRODUCT R17 (e)): they are noticed, go to the trash here, and are not pushed again
//! unless the person restores them.

use crate::error::EngineError;
use crate::shared::Shared;
use jiff::SignedDuration;
use std::convert::Infallible;
use std::time::Duration;
use threadline_crm::Sink;
use threadline_store::{Tx, outbox, portal, retention};

/// How often each record is looked for.
const EVERY: SignedDuration = SignedDuration::from_hours(24);
/// How often some are looked for.
const GLANCE: Duration = Duration::from_secs(10 * 60);
/// Records of one look: one request at HubSpot.
const PAGE: usize = 100;
/// Where all of so many records are gone at once, the CRM is another one or shows too little: nothing is believed.
const SUSPICIOUS: usize = 20;

/// Looks for the records that were not looked for since a day; gives how many are gone.
pub(crate) async fn look(shared: &Shared, sink: &dyn Sink) -> Result<usize, EngineError> {
    if !sink.knows_deleted() {
        return Ok(0);
    }
    let name = sink.name();
    if shared.ledger.read(move |tx| portal::in_doubt(tx, name)).await? {
        return Ok(0);
    }
    let mut gone = 0;
    loop {
        let now = shared.clock.now();
        let before = now.checked_sub(EVERY).unwrap_or(now);
        let rows = shared.ledger.read(move |tx| outbox::to_look_for(tx, name, before, PAGE)).await?;
        if rows.is_empty() {
            return Ok(gone);
        }
        let ids: Vec<String> = rows.iter().map(|(_, _, id)| id.clone()).collect();
        let deleted = sink.deleted(&ids).await?;
        let believed = deleted.len() < rows.len() || rows.len() < SUSPICIOUS;
        if !believed {
            tracing::warn!(
                records = rows.len(),
                "all records of a look are gone from the CRM: nothing is done"
            );
        }
        let full = rows.len() == PAGE;
        let put = move |tx: &Tx<'_>| {
            let mut thrown = 0;
            for (entry, message, remote_id) in &rows {
                outbox::looked_for(tx, &[*entry], now)?;
                if believed && deleted.contains(remote_id) {
                    thrown += usize::from(retention::throw_away(tx, *message, Some(name), now)?);
                }
            }
            Ok(thrown)
        };
        gone += shared.ledger.write(put).await?;
        if !full {
            return Ok(gone);
        }
    }
}

/// Looks now and then.
pub(crate) async fn keep(shared: &Shared, sink: &dyn Sink) -> Infallible {
    loop {
        if let Err(error) = look(shared, sink).await {
            // The way to the CRM is told of by what pushes.
            tracing::debug!(code = error.code(), "deleted records were not looked for");
        }
        tokio::time::sleep(GLANCE).await;
    }
}
