//! What is logged and what never is.

use super::{Answer, Shell, address};
use crate::error::AppError;
use jiff::Timestamp;
use serde::Serialize;
use threadline_core::rule::Rules;
use threadline_engine::Engine;
use threadline_engine::log_folder::FolderUse;
use threadline_engine::question::{PersonAnswer, UnknownPerson};
use threadline_engine::rules::{Explained, Forgotten, Past};
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

/// A mailbox's folders, and which of them are watched.
#[tauri::command]
#[specta::specta]
pub async fn folder_uses(shell: Shell<'_>, mailbox: String) -> Answer<Vec<FolderUse>> {
    Ok(shell.engine().await?.folder_uses(&address(&mailbox)?).await?)
}

/// Makes the folder Threadline/Log, or finds it; gives its name.
#[tauri::command]
#[specta::specta]
pub async fn make_log_folder(shell: Shell<'_>, mailbox: String) -> Answer<String> {
    Ok(shell.engine().await?.make_log_folder(&address(&mailbox)?).await?)
}

/// Whether the keyword $CrmLogged is written back.
#[tauri::command]
#[specta::specta]
pub async fn writes_back(shell: Shell<'_>) -> Answer<bool> {
    Ok(shell.engine().await?.writes_back().await?)
}

#[tauri::command]
#[specta::specta]
pub async fn set_writes_back(shell: Shell<'_>, wanted: bool) -> Answer<bool> {
    Ok(shell.engine().await?.set_writes_back(wanted).await?)
}

/// People whom the person wrote to and whom the CRM does not know.
#[tauri::command]
#[specta::specta]
pub async fn unknown_people(shell: Shell<'_>) -> Answer<Vec<UnknownPerson>> {
    Ok(shell.engine().await?.unknown_people().await?)
}

#[tauri::command]
#[specta::specta]
pub async fn answer_person(
    shell: Shell<'_>,
    mailbox: String,
    person: String,
    answer: PersonAnswer,
) -> Answer<Undo> {
    let engine = shell.engine().await?;
    Ok(engine.answer_person(&address(&mailbox)?, &address(&person)?, answer).await?)
}

/// What was logged with an address (or a domain behind `@`), and what the CRMs have of it.
#[tauri::command]
#[specta::specta]
pub async fn past_of(shell: Shell<'_>, mailbox: String, who: String) -> Answer<Past> {
    Ok(shell.engine().await?.past_of(&address(&mailbox)?, &who).await?)
}

/// Takes it out of the log; with `in_crm` out of the CRM too, where Threadline made the record and the CRM has a way to.
#[tauri::command]
#[specta::specta]
pub async fn forget_logged(
    shell: Shell<'_>,
    mailbox: String,
    who: String,
    in_crm: bool,
) -> Answer<Forgotten> {
    Ok(shell.engine().await?.forget_logged(&address(&mailbox)?, &who, in_crm).await?)
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
