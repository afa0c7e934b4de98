//! Whom mail did not reach, and who is away.

use crate::engine::Engine;
use crate::error::EngineError;
use jiff::civil::Date;
use serde::Serialize;
use threadline_core::address::Address;
use threadline_store::Tx;
use threadline_store::notice;

pub use threadline_store::notice::Bounced;

/// What delivery reports and automatic answers say of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Notices {
    /// The newest failure of each address.
    pub bounced: Vec<Bounced>,
    pub away: Vec<Away>,
}

/// Somebody who answered that they are away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Away {
    pub address: Address,
    /// The last day, or the day of the return, as the answer states it.
    pub until: Date,
}

impl Engine {
    /// The addresses that logged mail did not reach, each with its newest failure, the newest first.
    pub async fn bounced(&self) -> Result<Vec<Bounced>, EngineError> {
        Ok(self.ledger().read(|tx: &Tx<'_>| notice::bounced(tx, None)).await?)
    }

    /// What is known of one conversation; nothing where it is not there.
    pub async fn notices(&self, thread: i64) -> Result<Notices, EngineError> {
        let read = move |tx: &Tx<'_>| {
            let away = notice::away(tx, thread)?.into_iter();
            Ok(Notices {
                bounced: notice::bounced(tx, Some(thread))?,
                away: away.map(|(address, until)| Away { address, until }).collect(),
            })
        };
        Ok(self.ledger().read(read).await?)
    }
}
