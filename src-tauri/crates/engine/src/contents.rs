//! What a logged message holds beside its text: the HTML as it was sent, and its files.

use crate::engine::Engine;
use crate::error::EngineError;
use threadline_core::message::{Body, attachment};
use threadline_store::body;

impl Engine {
    /// The HTML of a message as it was sent, for the cleaner: it is never to be shown as it is. `None` where the message has
    /// none, or its text is not here.
    pub async fn message_html_raw(&self, message: i64) -> Result<Option<String>, EngineError> {
        let Some(raw) = self.raw(message).await? else { return Ok(None) };
        let parsed = tokio::task::spawn_blocking(move || Body::parse(&raw).html).await;
        parsed.map_err(|_| EngineError::Unreadable(message))
    }

    /// A file of a message by its place in `MessageView::attachments`: a name that is safe on every file system, and the
    /// bytes.
    pub async fn attachment(&self, message: i64, index: usize) -> Result<(String, Vec<u8>), EngineError> {
        let gone = || EngineError::NoAttachment { message, index };
        let raw = self.raw(message).await?.ok_or_else(gone)?;
        let found = tokio::task::spawn_blocking(move || attachment(&raw, index)).await;
        let (file, bytes) = found.map_err(|_| EngineError::Unreadable(message))?.ok_or_else(gone)?;
        Ok((file.name, bytes))
    }

    async fn raw(&self, message: i64) -> Result<Option<Vec<u8>>, EngineError> {
        Ok(self.ledger().read(move |tx| body::get(tx, message)).await?.map(|body| body.raw))
    }
}
