//! What happened: decisions, pushes, disconnects.

use super::{Answer, Shell, count};
use threadline_engine::activity::{Activity, FailedPush};
use threadline_engine::disconnects::Outage;

#[tauri::command]
#[specta::specta]
pub async fn outages(shell: Shell<'_>, days: u32) -> Answer<Vec<Outage>> {
    Ok(shell.engine().await?.outages(days).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn activity(shell: Shell<'_>, before: Option<i64>, limit: u32) -> Answer<Vec<Activity>> {
    Ok(shell.engine().await?.activity(before, count(limit)).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn failed_pushes(shell: Shell<'_>) -> Answer<Vec<FailedPush>> {
    Ok(shell.engine().await?.failed_pushes().await?)
}

/// All that a CRM refused, or one.
#[tauri::command]
#[specta::specta]
pub async fn retry_push(shell: Shell<'_>, sink: String, outbox: Option<i64>) -> Answer<u32> {
    let tried = shell.engine().await?.retry_push(&sink, outbox).await?;
    Ok(u32::try_from(tried).unwrap_or(u32::MAX))
}
