//! Taking mail out of the log.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use crate::undo::{Steps, Undo};
use threadline_store::message::{self, Image, Outcome};
use threadline_store::{Tx, retention, thread};

impl Engine {
    /// Takes a message out of the log and puts it into the trash: what waits for a CRM is not pushed any more, and no copy of it
    /// is logged again. What a CRM has by then stays there.
    pub async fn unlog_message(&self, message: i64) -> Result<Undo, EngineError> {
        let taken = self.take_out(vec![message]).await?;
        taken.ok_or(EngineError::NotLogged(message))
    }

    /// The same for all messages that a conversation has now. A later one may begin it anew.
    pub async fn unlog_thread(&self, thread: i64) -> Result<Undo, EngineError> {
        let read = move |tx: &Tx<'_>| match thread::get(tx, thread)? {
            Some(_) => Ok(message::of_thread(tx, thread)?.iter().map(|m| m.id).collect()),
            None => Ok(Vec::new()),
        };
        let messages = self.ledger().read(read).await?;
        self.take_out(messages).await?.ok_or_else(|| EngineError::NoThread(thread.to_string()))
    }

    /// `None` where none of them is logged.
    pub(crate) async fn take_out(&self, messages: Vec<i64>) -> Result<Option<Undo>, EngineError> {
        let shared = self.shared();
        let now = shared.clock.now();
        let take = move |tx: &Tx<'_>| {
            let mut images = Vec::new();
            for id in messages {
                images.extend(Image::take(tx, id)?.filter(|i| i.message().outcome == Outcome::Log));
            }
            for image in &images {
                retention::throw_away(tx, image.message().id, None, now)?;
            }
            count_up(tx, Part::News)?;
            Ok(images)
        };
        let images = shared.ledger.write(take).await?;
        if images.is_empty() {
            return Ok(None);
        }
        let steps = Steps { messages: images, ..Steps::default() };
        Ok(Some(shared.undos.keep(steps, &*shared.clock)))
    }
}
