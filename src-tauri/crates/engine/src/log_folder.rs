//! The folder `Threadline/Log`, made where the person asks for it (PRODUCT B5).

use crate::engine::Engine;
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use crate::sign_in;
use crate::tokens::Using;
use serde::Serialize;
use threadline_core::address::Address;
use threadline_core::arrival::Role;
use threadline_mail::folders::watched;

/// A folder of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct FolderUse {
    pub name: String,
    /// What it is watched for; `None` where it is not watched.
    pub role: Option<Role>,
    /// What is put into it is logged.
    pub logs: bool,
}

impl Engine {
    /// A mailbox's folders and which of them are watched, over a connection of its own.
    pub async fn folder_uses(&self, mailbox: &Address) -> Result<Vec<FolderUse>, EngineError> {
        let account = self.account(mailbox).await?;
        let mut session = sign_in::session(self.shared(), &account.settings, None, Using::Kept).await?;
        let folders = session.folders().await?;
        let gmail = session.capabilities().is_gmail();
        session.logout().await;
        let found = watched(&folders, gmail, account.settings.sent_folder.as_deref());
        let chosen = crate::mailbox::chosen(&found);
        let role = |name: &str| chosen.iter().find(|(folder, _)| folder.name == name).map(|(_, role)| *role);
        let logs = |name: &str| found.log.as_ref().is_some_and(|log| log.name == name);
        let uses = folders.iter().filter(|f| f.selectable);
        Ok(uses
            .map(|f| FolderUse { name: f.name.clone(), role: role(&f.name), logs: logs(&f.name) })
            .collect())
    }

    /// Makes the folder `Threadline/Log` in a mailbox, and gives its name; where it is there already, nothing changes. The mailbox
    /// connects anew, so that it is watched at once.
    pub async fn make_log_folder(&self, mailbox: &Address) -> Result<String, EngineError> {
        let account = self.account(mailbox).await?;
        let mut session = sign_in::session(self.shared(), &account.settings, None, Using::Kept).await?;
        let folders = session.folders().await?;
        let gmail = session.capabilities().is_gmail();
        let there = watched(&folders, gmail, account.settings.sent_folder.as_deref()).log;
        let name = match there {
            Some(there) => there.name,
            None => session.make_log_folder(&folders).await?,
        };
        session.logout().await;
        self.ledger().write(move |tx| count_up(tx, Part::Account(account.id))).await?;
        Ok(name)
    }
}
