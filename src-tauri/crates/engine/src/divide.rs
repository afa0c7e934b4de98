//! Conversations that a person divides and joins. What a CRM has stays as it is there: no CRM that is spoken to has an object
//! for a conversation, and a mail stays on the contacts on which it is logged.

use crate::engine::Engine;
use crate::error::EngineError;
use serde::Serialize;
use threadline_store::thread;
use threadline_store::{Tx, message};

pub use threadline_store::thread::Why;

/// From which conversation another one stands apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Apart {
    pub from: i64,
    pub why: Why,
}

impl Engine {
    /// Makes a conversation of its own of a logged message and of all that answers it; gives its number.
    pub async fn split_thread(&self, message: i64) -> Result<i64, EngineError> {
        let now = self.clock().now();
        let split = move |tx: &Tx<'_>| {
            let logged = message::get(tx, message)?.is_some_and(|m| m.thread.is_some());
            Ok((logged, thread::split(tx, message, now)?))
        };
        match self.ledger().write(split).await? {
            (_, Some(new)) => Ok(new),
            (true, None) => Err(EngineError::NothingToSplit(message)),
            (false, None) => Err(EngineError::NotLogged(message)),
        }
    }

    /// Puts all messages of a conversation into another one of the same mailbox.
    pub async fn merge_threads(&self, from: i64, into: i64) -> Result<(), EngineError> {
        let now = self.clock().now();
        match self.ledger().write(move |tx| thread::merge(tx, from, into, now)).await? {
            true => Ok(()),
            false => Err(EngineError::NotMergeable { from, into }),
        }
    }

    /// Takes the last of these changes back, also one of an earlier run; gives the number of messages that returned.
    pub async fn undo_threads(&self) -> Result<usize, EngineError> {
        self.ledger().write(thread::undo).await?.ok_or(EngineError::NoThreadChange)
    }

    /// From which conversation this one stands apart, and why; `None` where it does not.
    pub async fn thread_apart(&self, thread: i64) -> Result<Option<Apart>, EngineError> {
        let apart = self.ledger().read(move |tx| thread::apart(tx, thread)).await?;
        Ok(apart.map(|(from, why)| Apart { from, why }))
    }
}
