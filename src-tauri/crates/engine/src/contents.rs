//! The files of a logged message.

use crate::engine::Engine;
use crate::error::EngineError;
use threadline_core::message::attachment;
use threadline_store::body;

impl Engine {
    /// A file of a message by its place in `MessageView::attachments`: a name that is safe on every file system, and the
    /// bytes.
    pub async fn attachment(&self, message: i64, index: usize) -> Result<(String, Vec<u8>), EngineError> {
        let gone = || EngineError::NoAttachment { message, index };
        let raw = self.raw(message).await?.ok_or_else(gone)?;
        let found = tokio::task::spawn_blocking(move || attachment(&raw, index)).await;
        let (file, bytes) = found.map_err(|_| EngineError::Unreadable(message))?.ok_or_else(gone)?;
        Ok((file.name, bytes))
    }

    /// The message as the server gave it; `None` while it is not fetched, and where retention took it.
    pub(crate) async fn raw(&self, message: i64) -> Result<Option<Vec<u8>>, EngineError> {
        Ok(self.ledger().read(move |tx| body::get(tx, message)).await?.map(|body| body.raw))
    }
}
