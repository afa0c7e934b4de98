//! The program itself.

use super::{Answer, Shell};
use crate::controller::Request;
use crate::settings::AppSettings;
use crate::tray::menu::Action;
use crate::views::App;

#[tauri::command]
#[specta::specta]
pub async fn app(shell: Shell<'_>) -> Answer<App> {
    shell.app().await
}

#[tauri::command]
#[specta::specta]
pub async fn set_app_settings(shell: Shell<'_>, settings: AppSettings) -> Answer<App> {
    shell.set_settings(settings).await
}

#[tauri::command]
#[specta::specta]
pub async fn restart_engine(shell: Shell<'_>) -> Answer<App> {
    shell.restart().await
}

/// Ends the engine, and takes ledger, secrets, settings and logs away. Mailboxes and CRMs keep what they have.
#[tauri::command]
#[specta::specta]
pub async fn delete_everything(shell: Shell<'_>) -> Answer<App> {
    shell.wipe().await
}

#[tauri::command]
#[specta::specta]
pub fn quit(shell: Shell<'_>) {
    shell.tell(Request::Menu(Action::Quit));
}
