//! Mailboxes: how they are, and what can be done about it.

use super::{Answer, Shell, address};
use crate::views::PauseFor;
use threadline_engine::views::Status;

#[tauri::command]
#[specta::specta]
pub async fn status(shell: Shell<'_>) -> Answer<Status> {
    shell.status().await
}

/// Without a span the pause is taken back; without an address every mailbox is meant.
#[tauri::command]
#[specta::specta]
pub async fn pause(shell: Shell<'_>, mailbox: Option<String>, span: Option<PauseFor>) -> Answer<Status> {
    let mailbox = mailbox.as_deref().map(address).transpose()?;
    shell.pause(mailbox, span).await
}

#[tauri::command]
#[specta::specta]
pub async fn retry_now(shell: Shell<'_>, mailbox: String) -> Answer<Status> {
    shell.engine().await?.reconnect_account(&address(&mailbox)?).await?;
    shell.status().await
}

#[tauri::command]
#[specta::specta]
pub async fn forget_set_aside(shell: Shell<'_>, mailbox: String) -> Answer<Status> {
    shell.engine().await?.forget_set_aside(&address(&mailbox)?).await?;
    shell.status().await
}

#[tauri::command]
#[specta::specta]
pub async fn retry_set_aside(shell: Shell<'_>, mailbox: String) -> Answer<Status> {
    shell.engine().await?.retry_set_aside(&address(&mailbox)?).await?;
    shell.status().await
}

#[tauri::command]
#[specta::specta]
pub async fn remove_mailbox(shell: Shell<'_>, mailbox: String) -> Answer<Status> {
    shell.engine().await?.remove_account(&address(&mailbox)?).await?;
    shell.status().await
}
