//! What is logged and what never is.

use super::{Answer, Shell, address};
use crate::error::AppError;
use jiff::Timestamp;
use serde::Serialize;
use threadline_core::rule::Rules;
use threadline_engine::Engine;
use threadline_engine::rules::Explained;
use threadline_engine::settings::MailboxDraft;
use threadline_engine::undo::Undo;

/// A mailbox as it is set.
#[derive(Debug, Clone, Serialize, specta::Type)]
pub struct MailboxSettings {
    pub draft: MailboxDraft,
    pub rules: Rules,
    pub paused_until: Option<Timestamp>,
}

#[tauri::command]
#[specta::specta]
pub async fn mailbox_settings(shell: Shell<'_>) -> Answer<Vec<MailboxSettings>> {
    all(&shell.engine().await?).await
}

#[tauri::command]
#[specta::specta]
pub async fn set_rules(shell: Shell<'_>, mailbox: String, rules: Rules) -> Answer<Vec<MailboxSettings>> {
    let engine = shell.engine().await?;
    engine.set_rules(&address(&mailbox)?, rules).await?;
    all(&engine).await
}

/// What would become of a new mail to somebody, and of one from them.
#[tauri::command]
#[specta::specta]
pub async fn explain_rules(shell: Shell<'_>, mailbox: String, who: String) -> Answer<Explained> {
    Ok(shell.engine().await?.explain_rules(&address(&mailbox)?, &address(&who)?).await?)
}

/// From now on until this time nothing that is sent is logged; without one that ends now.
#[tauri::command]
#[specta::specta]
pub async fn set_private(shell: Shell<'_>, until: Option<Timestamp>) -> Answer<Vec<MailboxSettings>> {
    let engine = shell.engine().await?;
    engine.set_private(until).await?;
    all(&engine).await
}

/// An address, or a domain behind `@`.
#[tauri::command]
#[specta::specta]
pub async fn never_log(shell: Shell<'_>, mailbox: String, who: String) -> Answer<Undo> {
    Ok(shell.engine().await?.never_log(&address(&mailbox)?, &who).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn undo(shell: Shell<'_>, token: i64) -> Answer<()> {
    Ok(shell.engine().await?.undo(token).await?)
}

async fn all(engine: &Engine) -> Result<Vec<MailboxSettings>, AppError> {
    let accounts = engine.accounts().await?;
    let settings = accounts.into_iter().map(|account| MailboxSettings {
        rules: account.settings.rules.clone(),
        draft: account.settings.draft,
        paused_until: account.paused_until,
    });
    Ok(settings.collect())
}
