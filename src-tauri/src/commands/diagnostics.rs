//! The log, and the diagnostics that can be sent to somebody.

use super::{Answer, Shell};
use crate::dialogs;
use tauri::{AppHandle, State};
use threadline_engine::diagnostics::{self, BundleFile};
use threadline_engine::logs::{LogLine, Logs};

#[tauri::command]
#[specta::specta]
pub async fn logs(logs: State<'_, Logs>, after: Option<u64>) -> Answer<Vec<LogLine>> {
    Ok(logs.after(after))
}

#[tauri::command]
#[specta::specta]
pub async fn bundle(shell: Shell<'_>) -> Answer<Vec<BundleFile>> {
    shell.bundle().await
}

/// Asks for a file and writes the bundle into it; `None` where none was chosen.
#[tauri::command]
#[specta::specta]
pub async fn save_bundle(app: AppHandle, shell: Shell<'_>) -> Answer<Option<String>> {
    let files = shell.bundle().await?;
    let Some(path) = dialogs::bundle_file(&app, shell.locale().await?).await? else { return Ok(None) };
    diagnostics::save(&path, &files)?;
    Ok(Some(path.display().to_string()))
}

#[tauri::command]
#[specta::specta]
pub async fn copy_diagnostics(shell: Shell<'_>) -> Answer<()> {
    shell.copy_diagnostics().await
}
