//! The list of conversations: searched, filtered, a page at a time.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::views::{ThreadLine, line};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use threadline_core::address::Address;
use threadline_core::conversation::ThreadState;
use threadline_core::record::Direction;
use threadline_store::thread::{self, Query};
use threadline_store::{StoreError, Tx, contact};

/// Most rows of one page.
pub const MOST_ROWS: u32 = 500;

/// Which conversations a list shows; what is `None` is not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ThreadQuery {
    /// Words of which each begins a word of the subject, of an address or of a contact's name. Neither case nor accents
    /// count.
    pub search: Option<String>,
    /// The mailbox.
    pub account: Option<Address>,
    /// Somebody who took part, by any address of theirs that the CRM knows.
    pub contact: Option<Address>,
    pub state: Option<ThreadState>,
    /// Of the newest message.
    pub direction: Option<Direction>,
    /// Only conversations in which the person has waited for a reply for so many days. An automatic answer is no reply.
    pub silent_days: Option<u32>,
    /// How many rows are passed over.
    pub offset: u32,
    /// 1 to [`MOST_ROWS`]; what is outside is brought into it.
    pub limit: u32,
}

/// The newest fifty.
impl Default for ThreadQuery {
    fn default() -> Self {
        Self {
            search: None,
            account: None,
            contact: None,
            state: None,
            direction: None,
            silent_days: None,
            offset: 0,
            limit: 50,
        }
    }
}

/// A part of the list.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ThreadPage {
    /// How many conversations the whole list has.
    pub total: u32,
    pub rows: Vec<ThreadLine>,
}

impl Engine {
    /// A part of the list, the conversation with the newest message first.
    pub async fn threads_page(&self, query: ThreadQuery) -> Result<ThreadPage, EngineError> {
        let account = match &query.account {
            Some(address) => Some(self.account(address).await?.id),
            None => None,
        };
        let sources = self.contact_sources().await?;
        let now = self.clock().now();
        let silent_since = query.silent_days.map(|days| {
            now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(jiff::Timestamp::MIN)
        });
        let read = move |tx: &Tx<'_>| {
            let people = query.contact.as_ref().map(|c| everybody(tx, &sources, c)).transpose()?;
            let page = thread::list(
                tx,
                &Query {
                    account,
                    search: query.search.as_deref(),
                    people: people.as_deref(),
                    state: query.state,
                    direction: query.direction,
                    silent_since,
                    offset: query.offset as usize,
                    limit: query.limit.clamp(1, MOST_ROWS) as usize,
                },
            )?;
            let rows = page.rows.into_iter().map(|row| line(tx, row)).collect::<Result<_, _>>()?;
            Ok(ThreadPage { total: u32::try_from(page.total).unwrap_or(u32::MAX), rows })
        };
        Ok(self.ledger().read(read).await?)
    }
}

/// Every address of the contact that has this one.
fn everybody(tx: &Tx<'_>, sources: &[String], address: &Address) -> Result<Vec<Address>, StoreError> {
    let mut all = vec![address.clone()];
    for source in sources {
        for contact in contact::lookup(tx, source, std::slice::from_ref(address))?.into_values() {
            all.extend(contact.addresses);
        }
    }
    Ok(all)
}
