//! New versions of the program.

use super::Answer;
use crate::updates::{Found, NewVersion};
use tauri::{AppHandle, State};

/// `None`: this is the newest.
#[tauri::command]
#[specta::specta]
pub async fn check_update(app: AppHandle, found: State<'_, Found>) -> Answer<Option<NewVersion>> {
    found.check(&app).await
}

/// Fetches what was found; it is kept where the publisher signed it.
#[tauri::command]
#[specta::specta]
pub async fn download_update(found: State<'_, Found>) -> Answer<NewVersion> {
    found.download().await
}

/// Installs what was fetched, and starts anew.
#[tauri::command]
#[specta::specta]
pub async fn install_update(app: AppHandle, found: State<'_, Found>) -> Answer<()> {
    found.install(&app).await
}
