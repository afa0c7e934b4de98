//! The sender's own copy (PRODUCT R15): the provider files it, else it is put into the folder of sent mail. A copy that fails is
//! tried again and shown, and changes nothing in the mail's being sent.

use super::{Outgoing, record};
use crate::broken::Broken;
use crate::settings::AccountSettings;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use threadline_mail::compose::own_copy;
use threadline_mail::error::MailError;
use threadline_mail::folders::{Watched, Why, watched};
use threadline_mail::provider;
use threadline_mail::session::{Folder, Session};
use threadline_store::send::{self, Copy, CopyRule, Sending};
use threadline_store::{StoreError, Tx, setting};

/// When is looked whether the provider has filed the copy, after the mail was sent and between the looks.
const LOOKS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(5)];
/// When a copy that failed is tried again.
const AGAIN: [SignedDuration; 4] = [
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(10),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(6),
];

/// What the person wants of a mailbox's copies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum CopyWish {
    /// None where the provider files it, else one.
    #[default]
    Auto,
    Never,
    /// One, though the provider is known to file it; none where it lies there already.
    Always,
}

fn wish_key(account: i64) -> String {
    format!("send.copy:{account}")
}

pub(crate) fn wish(tx: &Tx<'_>, account: i64) -> Result<CopyWish, StoreError> {
    Ok(setting::get(tx, &wish_key(account))?.unwrap_or_default())
}

pub(crate) fn set_wish(tx: &Tx<'_>, account: i64, wish: CopyWish) -> Result<(), StoreError> {
    setting::set(tx, &wish_key(account), &wish)
}

/// What was seen of a server: it files sent mail itself, or it does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Learned {
    /// The SMTP server's name.
    host: String,
    files: bool,
}

fn learned_key(account: i64) -> String {
    format!("send.files:{account}")
}

/// The folders that sent mail may lie in.
pub(super) struct Places(Watched);

impl Places {
    /// Where a copy may lie that the provider has filed.
    pub fn searched(&self) -> impl Iterator<Item = &Folder> {
        self.0.all.iter().chain(&self.0.sent)
    }

    /// Where a copy is put.
    fn target(&self) -> Option<(&Folder, CopyRule)> {
        let rule = match self.0.why.first()? {
            Why::Named => CopyRule::Named,
            Why::SpecialUse => CopyRule::SpecialUse,
            Why::Name => CopyRule::Name,
            Why::NameContains => CopyRule::NameContains,
        };
        self.0.sent.first().map(|folder| (folder, rule))
    }
}

pub(super) async fn places(session: &mut Session, settings: &AccountSettings) -> Result<Places, MailError> {
    let folders = session.folders().await?;
    let gmail = session.capabilities().is_gmail();
    Ok(Places(watched(&folders, gmail, settings.sent_folder.as_deref())))
}

/// What is known before the mailbox is looked at.
struct Before {
    wish: CopyWish,
    learned: Option<bool>,
}

impl Outgoing {
    /// Sees to every copy that is due.
    pub(super) async fn file_copies(&self) -> Result<(), Broken> {
        let (id, now) = (self.mailbox.id, self.now());
        let due = self.shared().ledger.read(move |tx| send::copies_due(tx, id, now)).await?;
        let mut session: Option<(Session, Places)> = None;
        for sending in due {
            let before = self.before().await?;
            if let Some(rule) = self.without_a_look(&before) {
                let copy = if rule == CopyRule::Unwanted { Copy::None } else { Copy::Filed };
                self.end_copy(&sending, copy, rule, None).await?;
                continue;
            }
            let (imap, places) = match &mut session {
                Some((imap, places)) => (imap, &*places),
                None => match self.open_places().await {
                    Ok(opened) => {
                        let (imap, places) = session.insert(opened);
                        (imap, &*places)
                    }
                    Err(Broken::Store(error)) => return Err(error.into()),
                    // A mailbox that cannot be looked into keeps no mail from going out.
                    Err(broken) => {
                        self.copy_failed(&sending, &broken.to_string()).await?;
                        continue;
                    }
                },
            };
            if let Err(error) = self.file(imap, places, &sending, &before).await {
                let Broken::Mail(error) = error else { return Err(error) };
                self.copy_failed(&sending, &error.to_string()).await?;
                // The line broke, or the server refused this one: a new connection begins anew either way.
                session = None;
            }
        }
        if let Some((imap, _)) = session {
            imap.logout().await;
        }
        Ok(())
    }

    async fn open_places(&self) -> Result<(Session, Places), Broken> {
        let mut imap = self.imap().await?;
        let places = places(&mut imap, &self.mailbox.settings).await?;
        Ok((imap, places))
    }

    async fn before(&self) -> Result<Before, StoreError> {
        let (id, host) = (self.mailbox.id, self.smtp_host());
        let read = move |tx: &Tx<'_>| {
            let learned: Option<Learned> = setting::get(tx, &learned_key(id))?;
            let learned = learned.filter(|learned| learned.host == host).map(|learned| learned.files);
            Ok(Before { wish: wish(tx, id)?, learned })
        };
        self.shared().ledger.read(read).await
    }

    fn smtp_host(&self) -> String {
        self.mailbox.settings.smtp.as_ref().map(|smtp| smtp.host.to_lowercase()).unwrap_or_default()
    }

    /// The rule that settles a copy without a look into the mailbox.
    fn without_a_look(&self, before: &Before) -> Option<CopyRule> {
        let known = provider::of_server(&self.smtp_host()).is_some_and(|provider| provider.files_sent);
        match (before.wish, known, before.learned) {
            (CopyWish::Never, _, _) => Some(CopyRule::Unwanted),
            (CopyWish::Auto, true, _) | (CopyWish::Auto, _, Some(true)) => Some(CopyRule::Provider),
            _ => None,
        }
    }

    /// Looks for the copy, and puts one there where none is.
    async fn file(
        &self,
        imap: &mut Session,
        places: &Places,
        sending: &Sending,
        before: &Before,
    ) -> Result<(), Broken> {
        let chosen = sending.copy.as_ref().and_then(|copied| copied.rule);
        // Where it is known that the provider files nothing, or a copy was begun before, one look is enough.
        let looks = if before.learned == Some(false) || chosen.is_some() { 1 } else { LOOKS.len() };
        for (look, pause) in LOOKS.into_iter().enumerate().take(looks) {
            if looks > 1 || look > 0 {
                tokio::time::sleep(pause).await;
            }
            for folder in places.searched() {
                if imap.find_id(folder, sending.message_id.as_str()).await?.is_none() {
                    continue;
                }
                let (copy, rule) = match chosen {
                    Some(rule) => (Copy::Appended, rule),
                    None => (Copy::Filed, CopyRule::Found),
                };
                if chosen.is_none() {
                    self.learn(true).await?;
                }
                self.end_copy(sending, copy, rule, Some(folder.name.clone())).await?;
                return Ok(());
            }
        }
        let Some((folder, rule)) = places.target() else {
            self.copy_failed(sending, CopyRule::NoFolder.explanation()).await?;
            return Ok(());
        };
        let id = sending.id;
        let Some(raw) = self.shared().ledger.read(move |tx| send::raw(tx, id)).await? else {
            return Ok(());
        };
        let name = folder.name.clone();
        self.shared().ledger.write(move |tx| send::choose_copy(tx, id, rule, &name)).await?;
        let date = sending.submitted_at.unwrap_or_else(|| self.now());
        imap.append(folder, date, &own_copy(&raw, &record::blind(sending))).await?;
        self.learn(false).await?;
        self.end_copy(sending, Copy::Appended, rule, Some(folder.name.clone())).await?;
        Ok(())
    }

    async fn learn(&self, files: bool) -> Result<(), StoreError> {
        let (id, learned) = (self.mailbox.id, Learned { host: self.smtp_host(), files });
        self.shared().ledger.write(move |tx| setting::set(tx, &learned_key(id), &learned)).await
    }

    async fn end_copy(
        &self,
        sending: &Sending,
        copy: Copy,
        rule: CopyRule,
        folder: Option<String>,
    ) -> Result<(), StoreError> {
        let id = sending.id;
        let end = move |tx: &Tx<'_>| send::end_copy(tx, id, copy, rule, folder.as_deref());
        self.shared().ledger.write(end).await?;
        self.tell(id).await
    }

    async fn copy_failed(&self, sending: &Sending, words: &str) -> Result<(), StoreError> {
        let tries = sending.copy.as_ref().map_or(0, |copied| copied.tries as usize);
        let next = self.now().checked_add(AGAIN[tries.min(AGAIN.len() - 1)]).unwrap_or(Timestamp::MAX);
        let (id, words) = (sending.id, words.to_owned());
        self.shared().ledger.write(move |tx| send::copy_failed(tx, id, &words, next)).await?;
        self.tell(id).await
    }
}
