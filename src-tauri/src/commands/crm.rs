//! CRMs and contacts.

use super::{Answer, Shell, count};
use crate::dialogs;
use crate::error::AppError;
use serde::Serialize;
use tauri::AppHandle;
use threadline_engine::settings::CrmSettings;
use threadline_engine::views::{ContactLine, Status};
use zeroize::Zeroizing;

/// What a CRM turned out to be.
#[derive(Debug, Clone, Serialize, specta::Type)]
pub struct Portal {
    pub id: Option<String>,
    /// The account, the host or the folder.
    pub name: Option<String>,
    /// Scopes whose absence costs something small.
    pub missing_scopes: Vec<String>,
}

/// How a contact list was read.
#[derive(Debug, Clone, Copy, Serialize, specta::Type)]
pub struct ContactsRead {
    pub read: u64,
    /// Lines without an address.
    pub skipped: u64,
}

#[tauri::command]
#[specta::specta]
pub async fn try_crm(shell: Shell<'_>, crm: CrmSettings, secret: Option<String>) -> Answer<Option<Portal>> {
    let portal = shell.engine().await?.try_crm(&crm, secret.map(Zeroizing::new)).await?;
    Ok(portal.map(|p| Portal { id: p.id, name: Some(p.name), missing_scopes: p.missing_scopes }))
}

#[tauri::command]
#[specta::specta]
pub async fn set_crm(shell: Shell<'_>, crm: CrmSettings, secret: Option<String>) -> Answer<Status> {
    shell.engine().await?.set_crm(crm, secret.map(Zeroizing::new)).await?;
    shell.status().await
}

#[tauri::command]
#[specta::specta]
pub async fn remove_crm(shell: Shell<'_>, kind: String) -> Answer<Status> {
    shell.engine().await?.remove_crm(&kind).await?;
    shell.status().await
}

#[tauri::command]
#[specta::specta]
pub async fn contacts(shell: Shell<'_>, limit: u32) -> Answer<Vec<ContactLine>> {
    Ok(shell.engine().await?.contacts(count(limit)).await?)
}

/// Asks for a CSV file; `None` where none was chosen.
#[tauri::command]
#[specta::specta]
pub async fn import_contacts(app: AppHandle, shell: Shell<'_>) -> Answer<Option<ContactsRead>> {
    let engine = shell.engine().await?;
    let Some(path) = dialogs::contact_list(&app, shell.locale().await?).await? else { return Ok(None) };
    let file = std::fs::File::open(&path).map_err(|error| {
        let text = format!("{} cannot be read: {error}. Choose another file.", path.display());
        AppError::new("contact_list", text)
    })?;
    let imported = engine.import_contacts(file, |_| {}).await?;
    Ok(Some(ContactsRead { read: imported.contacts, skipped: imported.left_out }))
}
