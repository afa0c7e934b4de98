//! Setting a mailbox up, and connecting it again.

use super::{Answer, Shell, address, desktop};
use crate::error::AppError;
use tauri::State;
use tauri::ipc::Channel;
use threadline_core::rule::LogMode;
use threadline_engine::check::{CheckReport, CheckStep};
use threadline_engine::discover::{Discovery, Internet, Pop3Found, pop3_found};
use threadline_engine::reconnect::{Broken, OtherMailbox};
use threadline_engine::settings::{AccountSettings, MailboxDraft, OauthProvider};
use threadline_engine::views::Status;
use threadline_engine::{Engine, EngineError};
use tokio::sync::Notify;
use zeroize::Zeroizing;

#[tauri::command]
#[specta::specta]
pub async fn discover(shell: Shell<'_>, mailbox: String) -> Answer<Discovery> {
    Ok(shell.engine().await?.discover(&address(&mailbox)?, &Internet::new()).await?)
}

/// Looks for the IMAP server beside a POP3 one.
#[tauri::command]
#[specta::specta]
pub async fn imap_beside(host: String, port: u16) -> Answer<Pop3Found> {
    Ok(pop3_found(&host, port, &Internet::new()).await)
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

/// Sign-ins with the browser that are waited for: a new one takes the place of the one before.
#[derive(Debug, Default)]
pub struct Waiting(Notify);

/// Opens the provider's sign-in page in the browser and waits for the person. The page's address is told, to be opened by
/// hand where no browser comes up. What the provider grants is used by `check`, and kept by `add_mailbox` and `reconnect`.
#[tauri::command]
#[specta::specta]
pub async fn sign_in(
    shell: Shell<'_>,
    waiting: State<'_, Waiting>,
    mailbox: String,
    provider: OauthProvider,
    on_page: Channel<String>,
) -> Answer<()> {
    let engine = shell.engine().await?;
    waiting.0.notify_waiters();
    let begun = engine.begin_sign_in(&address(&mailbox)?, provider).await?;
    let page = begun.url().to_owned();
    // Without a browser the person opens the page by hand.
    let _ = desktop::open_link(page.clone()).await;
    // The window may have been closed.
    let _ = on_page.send(page);
    tokio::select! {
        finished = engine.finish_sign_in(begun) => Ok(finished?),
        () = waiting.0.notified() => Err(AppError::new("cancelled", "The sign-in was taken back.".to_owned())),
    }
}

/// Takes back the sign-in that is waited for.
#[tauri::command]
#[specta::specta]
pub async fn cancel_sign_in(waiting: State<'_, Waiting>) -> Answer<()> {
    waiting.0.notify_waiters();
    Ok(())
}

/// Without a password somebody must have signed in with the browser.
#[tauri::command]
#[specta::specta]
pub async fn add_mailbox(
    shell: Shell<'_>,
    draft: MailboxDraft,
    password: Option<String>,
    mode: LogMode,
) -> Answer<Status> {
    let engine = shell.engine().await?;
    let mut settings = settings(&engine, draft).await?;
    settings.rules.mode = mode;
    engine.add_account(settings, password.map(Zeroizing::new)).await?;
    shell.status().await
}

/// What the wizard opens with.
#[tauri::command]
#[specta::specta]
pub async fn broken(shell: Shell<'_>, mailbox: String) -> Answer<Broken> {
    Ok(shell.engine().await?.broken(&address(&mailbox)?).await?)
}

/// Signs in, stores draft and password, and connects again; news of the kind `catch_up` follow. Another mailbox than the one
/// that was read before is refused, unless the person says that it takes its place.
#[tauri::command]
#[specta::specta]
pub async fn reconnect(
    shell: Shell<'_>,
    draft: MailboxDraft,
    password: Option<String>,
    takes_place: bool,
) -> Answer<Status> {
    let engine = shell.engine().await?;
    let settings = settings(&engine, draft).await?;
    let other = if takes_place { OtherMailbox::Accept } else { OtherMailbox::Refuse };
    engine.reconnect(settings, password.map(Zeroizing::new), other).await?;
    shell.status().await
}

/// The draft with the mailbox's own rules, or with those that a new one begins with: the IT department may have set some.
async fn settings(engine: &Engine, draft: MailboxDraft) -> Result<AccountSettings, EngineError> {
    let rules = match engine.account(&draft.address).await {
        Ok(account) => account.settings.rules,
        Err(EngineError::NoAccount(_)) => engine.rules_for(&draft.address).await?,
        Err(error) => return Err(error),
    };
    Ok(AccountSettings { draft, rules })
}
