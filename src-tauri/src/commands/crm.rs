//! CRMs and contacts.

use super::{Answer, Shell, address, count};
use crate::dialogs;
use crate::error::AppError;
use serde::Serialize;
use tauri::AppHandle;
use threadline_engine::crm_text::CrmText;
use threadline_engine::egress::BodiesRead;
use threadline_engine::own_record::{MissingAnswer, MissingRecord};
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

/// The addresses at which a CRM logs by itself what is sent there. HubSpot's own need not be set.
#[tauri::command]
#[specta::specta]
pub async fn crm_addresses(shell: Shell<'_>, kind: String) -> Answer<Vec<String>> {
    Ok(shell.engine().await?.crm_addresses(&kind).await?.iter().map(ToString::to_string).collect())
}

#[tauri::command]
#[specta::specta]
pub async fn set_crm_addresses(
    shell: Shell<'_>,
    kind: String,
    addresses: Vec<String>,
) -> Answer<Vec<String>> {
    let wanted = addresses.iter().map(|text| address(text)).collect::<Result<Vec<_>, _>>()?;
    let set = shell.engine().await?.set_crm_addresses(&kind, wanted).await?;
    Ok(set.iter().map(ToString::to_string).collect())
}

/// How much of a mail's text goes to the CRM.
#[tauri::command]
#[specta::specta]
pub async fn crm_text(shell: Shell<'_>) -> Answer<CrmText> {
    Ok(shell.engine().await?.crm_text().await?)
}

#[tauri::command]
#[specta::specta]
pub async fn set_crm_text(shell: Shell<'_>, wanted: CrmText) -> Answer<CrmText> {
    Ok(shell.engine().await?.set_crm_text(wanted).await?)
}

/// How many texts were read, and how many never.
#[tauri::command]
#[specta::specta]
pub async fn bodies_read(shell: Shell<'_>) -> Answer<BodiesRead> {
    Ok(shell.engine().await?.bodies_read().await?)
}

/// Mails that the CRM should have logged by itself and did not in time.
#[tauri::command]
#[specta::specta]
pub async fn missing_records(shell: Shell<'_>) -> Answer<Vec<MissingRecord>> {
    Ok(shell.engine().await?.missing_records().await?)
}

#[tauri::command]
#[specta::specta]
pub async fn answer_missing(shell: Shell<'_>, outbox: i64, answer: MissingAnswer) -> Answer<()> {
    Ok(shell.engine().await?.answer_missing(outbox, answer).await?)
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
        AppError::new("unreadable_file", text).with("path", path.display()).with("cause", error)
    })?;
    let imported = engine.import_contacts(file, |_| {}).await?;
    Ok(Some(ContactsRead { read: imported.contacts, skipped: imported.left_out }))
}
