//! A mail that the person wants logged, whatever the rules said of it: its header is read again, and it is decided about with
//! the person's yes.

use crate::engine::{Account, Engine};
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use crate::ingest::{self, ByHand};
use crate::jobs;
use crate::mailbox::{Mailbox, Watched, chosen};
use crate::sign_in;
use crate::tokens::Using;
use crate::undo::{Steps, Undo};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use threadline_core::address::Address;
use threadline_core::arrival::{Arrival, Role};
use threadline_mail::folders::watched;
use threadline_mail::session::{Folder as ServerFolder, Place as ServerPlace, Session};
use threadline_store::place::Place;
use threadline_store::{StoreError, Tx, account, folder, message, place};

/// Where a mail lies on its server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct MailPlace {
    /// The folder's name, as the ledger and the window show it.
    pub folder: String,
    pub uidvalidity: u32,
    pub uid: u32,
}

/// Which mail is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Which {
    /// By the number that the ledger gave it.
    Message {
        message: i64,
    },
    Place {
        place: MailPlace,
    },
}

/// A mail whose header was read again.
struct Found {
    on_server: ServerFolder,
    /// `None` where the folder is not watched.
    role: Option<Role>,
    place: MailPlace,
    arrival: Arrival,
}

impl Engine {
    /// Logs a mail that a rule kept out, or that was not read yet. Its text is read where the engine runs, or when it does.
    /// Never-log rules and private times are stronger, with `never_log`, unless `despite` says that they do not count for
    /// this one. What no yes can log (mail among colleagues, a draft, mail marked with `$CrmNever`) is refused with
    /// `not_loggable`; a mail that is not there any more with `not_there`.
    pub async fn log_by_hand(
        &self,
        mailbox: &Address,
        which: Which,
        despite: bool,
    ) -> Result<Undo, EngineError> {
        let account = self.account(mailbox).await?;
        let shared = self.shared();
        if account.paused_until.is_some_and(|until| until > shared.clock.now()) {
            return Err(EngineError::Paused(mailbox.to_string()));
        }
        shared.set_crms(&self.crm_list().await?);
        let id = account.id;
        let places = match which {
            Which::Place { place } => vec![place],
            Which::Message { message } => self.ledger().read(move |tx| places_of(tx, id, message)).await?,
        };
        let mut session = sign_in::session(shared, &account.settings, None, Using::Kept).await?;
        let logged = self.log_on(&mut session, account, places, despite).await;
        session.logout().await;
        logged
    }

    async fn log_on(
        &self,
        session: &mut Session,
        account: Account,
        places: Vec<MailPlace>,
        despite: bool,
    ) -> Result<Undo, EngineError> {
        let shared = self.shared();
        let found = find(session, &account, places).await?.ok_or(EngineError::NotThere)?;
        let Found { on_server, role, place, arrival } = found;
        let mailbox = Mailbox::new(Arc::clone(shared), account);
        let (id, of, now) = (mailbox.id, mailbox.for_ingest(), shared.clock.now());
        let store = move |tx: &Tx<'_>| {
            let row = folder::ensure(tx, id, &place.folder, role.unwrap_or(Role::Other))?;
            let at = Place { folder: row.id, uidvalidity: place.uidvalidity, uid: place.uid };
            let result = ingest::by_hand(tx, &of, &row, at, &arrival, now, despite)?;
            count_up(tx, Part::News)?;
            Ok((result, row, account::still(tx, id, of.epoch)?.reads_from))
        };
        let (result, row, reads_from) = shared.ledger.write(store).await?;
        let (events, before) = match result {
            ByHand::Logged { events, before } => (events, before),
            ByHand::Never(rule) => return Err(EngineError::NeverLog(rule)),
            ByHand::Not(rule) => return Err(EngineError::NotLoggable(rule)),
        };
        shared.tell_all(events);
        match role {
            Some(_) => shared.wake(Some(id)),
            // No other connection looks into this folder.
            None => {
                let folder = Watched { row, on_server, reads_from };
                if let Err(broken) = jobs::run(&mailbox, session, &[folder]).await {
                    tracing::info!(reason = broken.why().0.code(), "a text waits for another connection");
                }
            }
        }
        Ok(match before {
            Some(image) => {
                shared.undos.keep(Steps { messages: vec![*image], ..Steps::default() }, &*shared.clock)
            }
            // It was logged before: there is nothing to be taken back.
            None => Undo { token: 0, until: now },
        })
    }
}

/// The places of a message of this mailbox.
fn places_of(tx: &Tx<'_>, account: i64, message: i64) -> Result<Vec<MailPlace>, StoreError> {
    if message::get(tx, message)?.is_none_or(|row| row.account != account) {
        return Ok(Vec::new());
    }
    let mut places = Vec::new();
    for place in place::of_message(tx, message)? {
        if let Some(row) = folder::get(tx, place.folder)? {
            places.push(MailPlace { folder: row.name, uidvalidity: place.uidvalidity, uid: place.uid });
        }
    }
    Ok(places)
}

/// The first of these places where there is a mail; those in watched folders first.
async fn find(
    session: &mut Session,
    account: &Account,
    mut places: Vec<MailPlace>,
) -> Result<Option<Found>, EngineError> {
    let listed = session.folders().await?;
    let gmail = session.capabilities().is_gmail();
    let chosen = chosen(&watched(&listed, gmail, account.settings.sent_folder.as_deref()));
    let role_of = |name: &str| chosen.iter().find(|(f, _)| f.name == name).map(|(_, role)| *role);
    places.sort_by_key(|place| role_of(&place.folder).is_none());
    for place in places {
        let folders = chosen.iter().map(|(folder, _)| folder).chain(&listed);
        let Some(on_server) = folders.into_iter().find(|f| f.name == place.folder && f.selectable) else {
            continue;
        };
        let at = ServerPlace { uidvalidity: place.uidvalidity, uid: place.uid };
        if let Some(arrival) = session.fetch_header(on_server, at).await? {
            let (on_server, role) = (on_server.clone(), role_of(&place.folder));
            return Ok(Some(Found { on_server, role, place, arrival }));
        }
    }
    Ok(None)
}
