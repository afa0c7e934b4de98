//! What an IT department sets for its people: opened, shown, and used where the person says so.

use super::{Answer, Shell};
use crate::dialogs;
use crate::error::AppError;
use crate::offer::Offer;
use tauri::{AppHandle, State};
use threadline_engine::setup::Preview;
use threadline_engine::views::Status;
use zeroize::Zeroizing;

/// Asks for a file; false where none was chosen.
#[tauri::command]
#[specta::specta]
pub async fn open_setup_file(app: AppHandle, shell: Shell<'_>, offer: State<'_, Offer>) -> Answer<bool> {
    let Some(path) = dialogs::setup_file(&app, shell.locale().await?).await? else { return Ok(false) };
    offer.take_file(&path)?;
    Ok(true)
}

/// What the set-up that was opened would do; `None` where none is.
#[tauri::command]
#[specta::specta]
pub async fn offered_setup(shell: Shell<'_>, offer: State<'_, Offer>) -> Answer<Option<Preview>> {
    let Some(setup) = offer.read()? else { return Ok(None) };
    Ok(Some(shell.engine().await?.preview_setup(&setup).await?))
}

/// Does it. `secret` is the CRM's, where it needs one.
#[tauri::command]
#[specta::specta]
pub async fn apply_setup(
    shell: Shell<'_>,
    offer: State<'_, Offer>,
    secret: Option<String>,
) -> Answer<Status> {
    let setup = offer.read()?.ok_or_else(|| {
        AppError::new("setup_gone", "No set-up is open any more. Open the link or the file again.")
    })?;
    shell.engine().await?.apply_setup(setup, secret.map(Zeroizing::new)).await?;
    offer.forget();
    shell.status().await
}

#[tauri::command]
#[specta::specta]
pub async fn decline_setup(offer: State<'_, Offer>) -> Answer<()> {
    offer.forget();
    Ok(())
}
