//! A mail as it would go, for the eyes of whoever writes it.

use super::{Draft, name_key};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::message_html;
use serde::Serialize;
use threadline_core::address::{Address, Mailbox};
use threadline_core::message::Body;
use threadline_core::record::Attachment;
use threadline_core::template::NotFilled;
use threadline_html::MessageHtml;
use threadline_store::{Tx, contact, setting};

/// A mail before it goes.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ShownMail {
    /// Variables of the template for which nothing stands; while there is one the mail cannot go, and the rest is empty.
    pub gaps: Vec<String>,
    pub subject: String,
    pub recipients: Vec<Address>,
    pub text: String,
    /// Cleaned, for a frame with `sandbox`; `None` where the mail is plain text.
    pub html: Option<MessageHtml>,
    /// Its files, as whoever gets it sees them.
    pub attachments: Vec<Attachment>,
    /// As it goes, with its files.
    pub bytes: u64,
}

threadline_core::debug_only!(ShownMail { bytes });

impl Engine {
    /// Puts a mail together as [`Engine::preview_send`] does, and names the variables that are missing instead of failing on
    /// them.
    pub async fn show_send(&self, from: &Address, draft: &Draft) -> Result<ShownMail, EngineError> {
        let preview = match self.preview_send(from, draft).await {
            Err(EngineError::NotFilled(NotFilled::Missing { gaps, .. })) => {
                return Ok(ShownMail { gaps, ..ShownMail::default() });
            }
            preview => preview?,
        };
        let body = Body::parse(&preview.raw);
        let bytes = preview.raw.len() as u64;
        let html = match body.html {
            Some(_) => Some(message_html::shown(preview.raw).await),
            None => None,
        };
        Ok(ShownMail {
            gaps: Vec::new(),
            subject: preview.subject,
            recipients: preview.recipients,
            text: body.text,
            html,
            attachments: body.attachments,
            bytes,
        })
    }

    /// The name beside a mailbox's address, as it was given last.
    pub async fn sender_name(&self, from: &Address) -> Result<Option<String>, EngineError> {
        let id = self.account(from).await?.id;
        Ok(self.ledger().read(move |tx| setting::get(tx, &name_key(id))).await?)
    }

    /// Contacts whose name or address has these words in it, by name.
    pub async fn find_contacts(&self, words: &str, limit: usize) -> Result<Vec<Mailbox>, EngineError> {
        let sources = self.contact_sources().await?;
        let words = words.trim().to_owned();
        let read = move |tx: &Tx<'_>| {
            let mut found: Vec<Mailbox> = Vec::new();
            for source in sources {
                for person in contact::find(tx, &source, &words, limit)? {
                    if !found.iter().any(|known| known.address == person.address) {
                        found.push(person);
                    }
                }
            }
            found.truncate(limit);
            Ok(found)
        };
        Ok(self.ledger().read(read).await?)
    }
}
