//! Setting a mailbox up, and connecting it again.

use super::{Answer, Shell, address};
use tauri::ipc::Channel;
use threadline_core::rule::{LogMode, Rules};
use threadline_engine::check::{CheckReport, CheckStep};
use threadline_engine::discover::{Discovery, Internet};
use threadline_engine::reconnect::{Broken, OtherMailbox};
use threadline_engine::settings::{AccountSettings, MailboxDraft};
use threadline_engine::views::Status;
use threadline_engine::{Engine, EngineError};
use zeroize::Zeroizing;

#[tauri::command]
#[specta::specta]
pub async fn discover(shell: Shell<'_>, mailbox: String) -> Answer<Discovery> {
    Ok(shell.engine().await?.discover(&address(&mailbox)?, &Internet).await)
}

/// Without a password the one in the keychain is used.
#[tauri::command]
#[specta::specta]
pub async fn check(
    shell: Shell<'_>,
    draft: MailboxDraft,
    password: Option<String>,
    on_step: Channel<CheckStep>,
) -> Answer<CheckReport> {
    let engine = shell.engine().await?;
    let settings = settings(&engine, draft).await?;
    let tell = move |step| {
        // The window may have been closed.
        let _ = on_step.send(step);
    };
    Ok(engine.check(&settings, password.map(Zeroizing::new), tell).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn add_mailbox(
    shell: Shell<'_>,
    draft: MailboxDraft,
    password: String,
    mode: LogMode,
) -> Answer<Status> {
    let engine = shell.engine().await?;
    let mut settings = settings(&engine, draft).await?;
    settings.rules.mode = mode;
    engine.add_account(settings, Zeroizing::new(password)).await?;
    shell.status().await
}

#[tauri::command]
#[specta::specta]
pub async fn change_mailbox(shell: Shell<'_>, draft: MailboxDraft) -> Answer<Status> {
    let engine = shell.engine().await?;
    let settings = settings(&engine, draft).await?;
    engine.change_account(settings).await?;
    shell.status().await
}

/// What the wizard opens with.
#[tauri::command]
#[specta::specta]
pub async fn broken(shell: Shell<'_>, mailbox: String) -> Answer<Broken> {
    Ok(shell.engine().await?.broken(&address(&mailbox)?).await?)
}

/// Signs in, stores draft and password, and connects again; news of the kind `catch_up` follow.
#[tauri::command]
#[specta::specta]
pub async fn reconnect(shell: Shell<'_>, draft: MailboxDraft, password: Option<String>) -> Answer<Status> {
    let engine = shell.engine().await?;
    let settings = settings(&engine, draft).await?;
    engine.reconnect(settings, password.map(Zeroizing::new), OtherMailbox::Refuse).await?;
    shell.status().await
}

/// The draft with the mailbox's own rules, or with those that a new one begins with.
async fn settings(engine: &Engine, draft: MailboxDraft) -> Result<AccountSettings, EngineError> {
    let rules = match engine.account(&draft.address).await {
        Ok(account) => account.settings.rules,
        Err(EngineError::NoAccount(_)) => Rules::for_mailbox(&draft.address),
        Err(error) => return Err(error),
    };
    Ok(draft.with_rules(rules))
}
