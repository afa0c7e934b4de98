//! A text that retention took, read once more from the mailbox to be shown. It is not stored.

use crate::engine::{Account, Engine};
use crate::error::EngineError;
use crate::sign_in;
use crate::tokens::Using;
use serde::Serialize;
use threadline_core::address::Mailbox;
use threadline_core::envelope::Envelope;
use threadline_core::message::{Body, MOST_BYTES};
use threadline_core::record::Attachment;
use threadline_mail::fetch::MOST_HEADER;
use threadline_mail::session::Place;
use threadline_store::{Tx, account, folder, hidden, message};

/// A message as the mailbox has it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ReadAgain {
    pub subject: String,
    pub from: Option<Mailbox>,
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub text: String,
    pub attachments: Vec<Attachment>,
    /// Its end is missing, since it is too large.
    pub truncated: bool,
}

threadline_core::debug_only!(ReadAgain { truncated });

impl Engine {
    /// Reads a logged message from the mailbox, over a connection of its own, and keeps nothing of it. Fails where the
    /// message is not logged, or lies in none of the folders any more in which it was seen.
    pub async fn read_again(&self, message: i64) -> Result<ReadAgain, EngineError> {
        let find = move |tx: &Tx<'_>| {
            let Some(row) = message::get(tx, message)?.filter(|row| row.thread.is_some()) else {
                return Ok(None);
            };
            let mut places = Vec::new();
            for place in hidden::places(tx, message)? {
                places.extend(folder::get(tx, place.folder)?.map(|folder| (folder.name, place)));
            }
            Ok(account::get(tx, row.account)?.map(|account| (account, places)))
        };
        let found = self.ledger().read(find).await?;
        let (row, places) = found.ok_or(EngineError::NotLogged(message))?;
        let account = Account::read(&row)?;
        let mut session = sign_in::session(self.shared(), &account.settings, None, Using::Kept).await?;
        let folders = session.folders().await?;
        let mut again = None;
        for (name, place) in places {
            let Some(on_server) = folders.iter().find(|f| f.name == name && f.selectable) else { continue };
            let at = Place { uidvalidity: place.uidvalidity, uid: place.uid };
            let Ok(body) = session.fetch_body(on_server, at, MOST_BYTES).await? else { continue };
            let envelope = Envelope::parse(body.raw.get(..MOST_HEADER).unwrap_or(&body.raw));
            let known = envelope.clone();
            if self.ledger().read(move |tx| message::is_its_header(tx, message, &known)).await? {
                again = Some((envelope, body));
                break;
            }
        }
        session.logout().await;
        let (envelope, body) = again.ok_or(EngineError::MovedAway(message))?;
        let truncated = body.truncated;
        let parsed = tokio::task::spawn_blocking(move || Body::parse(&body.raw)).await;
        let parsed = parsed.map_err(|_| EngineError::Unreadable(message))?;
        Ok(ReadAgain {
            subject: envelope.subject,
            from: envelope.from,
            to: envelope.to,
            cc: envelope.cc,
            text: parsed.text,
            attachments: parsed.attachments,
            truncated,
        })
    }
}
