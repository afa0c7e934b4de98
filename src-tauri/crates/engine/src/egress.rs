//! What left this computer, and how little was read for it (PRODUCT B7).

use crate::engine::Engine;
use crate::error::EngineError;
use jiff::Timestamp;
use serde::Serialize;
use threadline_store::message::Headers;
use threadline_store::{StoreError, Tx, account, egress, hidden, message, status};

/// Most rows of one page.
const MOST_ROWS: usize = 500;

/// One field that left the computer. Its value is not kept.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct EgressLine {
    /// Counts up with each field that leaves.
    pub id: i64,
    pub at: Timestamp,
    /// The CRM's kind.
    pub sink: String,
    /// The kind of object at the CRM, for example `email` or `contact`.
    pub object: String,
    /// The CRM's id of the object.
    pub remote_id: Option<String>,
    pub field: String,
    pub bytes: u64,
    /// The conversation that its message is in now.
    pub thread: Option<i64>,
    /// Only of a message that is logged now.
    pub subject: Option<String>,
}

threadline_core::debug_only!(EgressLine { id, at, sink, object, field, bytes });

/// How many texts were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct BodiesRead {
    /// Messages whose text was read.
    pub bodies_read: u64,
    /// Messages that were seen and whose text never was.
    pub bodies_never_read: u64,
}

impl Engine {
    /// What left, the newest first. The next page begins before the id of the last row; `None` for the first page.
    pub async fn egress(&self, before: Option<i64>, limit: usize) -> Result<Vec<EgressLine>, EngineError> {
        let read = move |tx: &Tx<'_>| {
            egress::newest(tx, before, limit.min(MOST_ROWS))?.into_iter().map(|row| line(tx, row)).collect()
        };
        Ok(self.ledger().read(read).await?)
    }

    /// What left for one message, the newest first.
    pub async fn egress_of(&self, message: i64, limit: usize) -> Result<Vec<EgressLine>, EngineError> {
        let read = move |tx: &Tx<'_>| {
            let rows = egress::of_message(tx, message, limit)?;
            rows.into_iter().map(|row| line(tx, row)).collect()
        };
        Ok(self.ledger().read(read).await?)
    }

    /// How many texts were read, and how many never, in all mailboxes.
    pub async fn bodies_read(&self) -> Result<BodiesRead, EngineError> {
        let read = |tx: &Tx<'_>| {
            let mut all = BodiesRead::default();
            for row in account::list(tx)? {
                let counts = status::account(tx, row.id)?;
                all.bodies_never_read += counts.bodies_never_read();
                // The text of copies is that of the mail of which they are.
                all.bodies_read += counts.bodies_read.saturating_sub(hidden::read_copies(tx, row.id)?);
            }
            Ok(all)
        };
        Ok(self.ledger().read(read).await?)
    }
}

fn line(tx: &Tx<'_>, row: egress::Egress) -> Result<EgressLine, StoreError> {
    let message = row.message.map(|id| message::get(tx, id)).transpose()?.flatten();
    let logged = message.filter(|message| message.thread.is_some());
    Ok(EgressLine {
        id: row.id,
        at: row.at,
        sink: row.sink,
        object: row.object,
        remote_id: row.remote_id,
        field: row.field,
        bytes: row.bytes,
        thread: logged.as_ref().and_then(|message| message.thread),
        subject: logged.and_then(|message| message.headers).map(|headers: Headers| headers.subject),
    })
}
