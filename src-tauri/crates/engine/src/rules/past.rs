//! What was logged of somebody who is never to be logged.

use super::Who;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use crate::undo::{Steps, Undo};
use serde::Serialize;
use threadline_core::address::Address;
use threadline_store::message::{self, Headers, Image, Outcome};
use threadline_store::{StoreError, Tx, outbox, removal, retention};

/// Messages looked at in one go.
const PAGE: usize = 500;
/// The CRMs whose records can be removed.
const REMOVABLE: &[&str] = &["hubspot"];

/// A message that a CRM has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct InCrm {
    pub message: i64,
    pub sink: String,
    pub remote_id: Option<String>,
    /// Where a person sees it.
    pub link: Option<String>,
    /// Threadline can remove it there: it made the record, and the CRM has a way to.
    pub removable: bool,
}

/// What was logged, and what the CRMs have of it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Past {
    pub messages: u32,
    pub in_crm: Vec<InCrm>,
}

/// What was taken out of the log.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Forgotten {
    pub messages: u32,
    /// What the CRMs have of it.
    pub in_crm: Vec<InCrm>,
    /// How many of these records are on their way out of the CRM.
    pub removing: u32,
    /// Takes it back, as long as this process lives and the time is not over; `None` where there was nothing. A record that the CRM
    /// has removed by then stays in its recycling bin.
    pub undo: Option<Undo>,
}

impl Engine {
    /// What was logged in a mailbox with this address (or, behind `@`, this domain). Nothing changes.
    pub async fn past_of(&self, mailbox: &Address, who: &str) -> Result<Past, EngineError> {
        let (messages, in_crm) = self.logged_of(mailbox, who).await?;
        Ok(Past { messages: number(messages.len()), in_crm })
    }

    /// Takes out of a mailbox's log every message on which this address (or, behind `@`, this domain) stands. What a CRM has
    /// stays there, and is listed; with `in_crm`, what Threadline made there is removed.
    pub async fn forget_logged(
        &self,
        mailbox: &Address,
        who: &str,
        in_crm: bool,
    ) -> Result<Forgotten, EngineError> {
        let (messages, records) = self.logged_of(mailbox, who).await?;
        let shared = self.shared();
        let (now, listed) = (shared.clock.now(), records.clone());
        let take = move |tx: &Tx<'_>| {
            let mut steps = Steps::default();
            for id in &messages {
                steps.messages.extend(Image::take(tx, *id)?.filter(|i| i.message().outcome == Outcome::Log));
            }
            for image in &steps.messages {
                retention::throw_away(tx, image.message().id, None, now)?;
            }
            for record in listed.iter().filter(|record| in_crm && record.removable) {
                if let Some(remote_id) = &record.remote_id {
                    steps.removals.push(removal::add(tx, &record.sink, record.message, remote_id, now)?);
                }
            }
            count_up(tx, Part::News)?;
            Ok(steps)
        };
        let steps = shared.ledger.write(take).await?;
        let (taken, removing) = (number(steps.messages.len()), number(steps.removals.len()));
        let undo = (taken > 0).then(|| shared.undos.keep(steps, &*shared.clock));
        Ok(Forgotten { messages: taken, in_crm: records, removing, undo })
    }

    async fn logged_of(&self, mailbox: &Address, who: &str) -> Result<(Vec<i64>, Vec<InCrm>), EngineError> {
        let account = self.account(mailbox).await?;
        let parsed = Who::parse(who).ok_or_else(|| EngineError::NotAnAddress(who.to_owned()))?;
        Ok(self.ledger().read(move |tx| find(tx, account.id, &parsed, &account.settings.rules.own)).await?)
    }
}

fn number(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

/// Of what retention has taken, that is found which was with this person alone: the receipts of a conversation with others name
/// nobody.
fn find(tx: &Tx<'_>, account: i64, who: &Who, own: &[Address]) -> Result<(Vec<i64>, Vec<InCrm>), StoreError> {
    let (mut found, mut in_crm) = (Vec::new(), Vec::new());
    let mut after = 0;
    loop {
        let page = message::of_outcome(tx, account, Outcome::Log, after, PAGE)?;
        let Some(last) = page.last() else { return Ok((found, in_crm)) };
        after = last.id;
        for row in page {
            let mut people = row.headers.iter().flat_map(Headers::people);
            let receipt = match who {
                Who::Address(address) => retention::was_with(tx, row.id, address, own)?,
                Who::Domain(_) => false,
            };
            if !receipt && !people.any(|m| who.means(&m.address)) {
                continue;
            }
            for entry in outbox::of_message(tx, row.id)? {
                if entry.remote_id.is_some() || entry.attempts > 0 {
                    // What the CRM logged by itself is the CRM's own.
                    let removable = entry.remote_id.is_some()
                        && entry.how.as_deref() != Some("linked")
                        && REMOVABLE.contains(&entry.sink.as_str());
                    let (remote_id, link) = (entry.remote_id, entry.link);
                    in_crm.push(InCrm { message: row.id, sink: entry.sink, remote_id, link, removable });
                }
            }
            found.push(row.id);
        }
    }
}
