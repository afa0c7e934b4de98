//! What was logged of somebody who is never to be logged.

use super::Who;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::undo::Undo;
use serde::Serialize;
use threadline_core::address::Address;
use threadline_store::message::{self, Headers, Outcome};
use threadline_store::{StoreError, Tx, outbox};

/// Messages looked at in one go.
const PAGE: usize = 500;

/// A message that a CRM has. Threadline does not delete it there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InCrm {
    pub message: i64,
    pub sink: String,
    pub remote_id: Option<String>,
    /// Where a person sees it.
    pub link: Option<String>,
}

/// What was taken out of the log.
#[derive(Debug, Clone, Serialize)]
pub struct Forgotten {
    pub messages: usize,
    /// What the CRMs have of it.
    pub in_crm: Vec<InCrm>,
    /// `None` where there was nothing.
    #[serde(skip)]
    pub undo: Option<Undo>,
}

impl Engine {
    /// Takes out of a mailbox's log every message on which this address (or, behind `@`, this domain) stands. What a CRM has
    /// stays there, and is listed.
    pub async fn forget_logged(&self, mailbox: &Address, who: &str) -> Result<Forgotten, EngineError> {
        let account = self.account(mailbox).await?.id;
        let parsed = Who::parse(who).ok_or_else(|| EngineError::NotAnAddress(who.to_owned()))?;
        let find = move |tx: &Tx<'_>| find(tx, account, &parsed);
        let (messages, in_crm) = self.ledger().read(find).await?;
        let number = messages.len();
        let undo = self.take_out(messages).await?;
        Ok(Forgotten { messages: number, in_crm, undo })
    }
}

fn find(tx: &Tx<'_>, account: i64, who: &Who) -> Result<(Vec<i64>, Vec<InCrm>), StoreError> {
    let (mut found, mut in_crm) = (Vec::new(), Vec::new());
    let mut after = 0;
    loop {
        let page = message::of_outcome(tx, account, Outcome::Log, after, PAGE)?;
        let Some(last) = page.last() else { return Ok((found, in_crm)) };
        after = last.id;
        for row in page {
            let mut people = row.headers.iter().flat_map(Headers::people);
            if !people.any(|m| who.means(&m.address)) {
                continue;
            }
            for entry in outbox::of_message(tx, row.id)? {
                if entry.remote_id.is_some() || entry.attempts > 0 {
                    let (remote_id, link) = (entry.remote_id, entry.link);
                    in_crm.push(InCrm { message: row.id, sink: entry.sink, remote_id, link });
                }
            }
            found.push(row.id);
        }
    }
}
