//! Whether everything is where it belongs, and how long it stays: the coverage audit, retention, the trash.

use super::{Answer, Shell, address, count};
use tauri::ipc::Channel;
use threadline_core::attachment::Limits;
use threadline_core::retention::Retention;
use threadline_engine::audit::{AuditReport, NightlyAudit};
use threadline_engine::egress::EgressLine;
use threadline_engine::files::FileFate;
use threadline_engine::history::ScanProgress;
use threadline_engine::read_again::ReadAgain;
use threadline_engine::retention::{PurgeReport, TrashLine};

/// Most lines of the trash.
const MOST_TRASH: usize = 500;

/// Compares the last days of a mailbox with the ledger; with `fix`, what is missed is put on its way.
#[tauri::command]
#[specta::specta]
pub async fn audit(
    shell: Shell<'_>,
    mailbox: String,
    days: u32,
    fix: bool,
    on_progress: Channel<ScanProgress>,
) -> Answer<AuditReport> {
    let told = super::history::teller(on_progress);
    Ok(shell.engine().await?.audit(&address(&mailbox)?, days, fix, told).await?)
}

/// The last audit of each mailbox, without its lines.
#[tauri::command]
#[specta::specta]
pub async fn last_audits(shell: Shell<'_>) -> Answer<Vec<AuditReport>> {
    Ok(shell.engine().await?.last_audits().await?)
}

#[tauri::command]
#[specta::specta]
pub async fn nightly_audit(shell: Shell<'_>) -> Answer<NightlyAudit> {
    Ok(shell.engine().await?.nightly_audit().await?)
}

#[tauri::command]
#[specta::specta]
pub async fn set_nightly_audit(shell: Shell<'_>, wanted: NightlyAudit) -> Answer<NightlyAudit> {
    Ok(shell.engine().await?.set_nightly_audit(wanted).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn retention(shell: Shell<'_>) -> Answer<Retention> {
    Ok(shell.engine().await?.retention().await?)
}

#[tauri::command]
#[specta::specta]
pub async fn set_retention(shell: Shell<'_>, wanted: Retention) -> Answer<()> {
    Ok(shell.engine().await?.set_retention(wanted).await?)
}

/// Takes what is due; with `dry_run`, says what would go.
#[tauri::command]
#[specta::specta]
pub async fn purge(shell: Shell<'_>, dry_run: bool) -> Answer<PurgeReport> {
    Ok(shell.engine().await?.purge(dry_run).await?)
}

/// Legal hold on one conversation.
#[tauri::command]
#[specta::specta]
pub async fn hold_thread(shell: Shell<'_>, id: i64, hold: bool) -> Answer<()> {
    Ok(shell.engine().await?.hold_thread(id, hold).await?)
}

/// What was taken out of the log, the newest first.
#[tauri::command]
#[specta::specta]
pub async fn trash(shell: Shell<'_>) -> Answer<Vec<TrashLine>> {
    Ok(shell.engine().await?.trash(MOST_TRASH).await?)
}

/// Puts a message back into the log.
#[tauri::command]
#[specta::specta]
pub async fn restore(shell: Shell<'_>, message: i64) -> Answer<()> {
    Ok(shell.engine().await?.restore(message).await?)
}

/// A text that retention took, read from the mailbox to be shown. It is not stored.
#[tauri::command]
#[specta::specta]
pub async fn read_again(shell: Shell<'_>, message: i64) -> Answer<ReadAgain> {
    Ok(shell.engine().await?.read_again(message).await?)
}

/// What becomes of each file of a message: at the CRM, part of the text, or kept here and why.
#[tauri::command]
#[specta::specta]
pub async fn file_fates(shell: Shell<'_>, message: i64) -> Answer<Vec<FileFate>> {
    Ok(shell.engine().await?.file_fates(message).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn attachment_limits(shell: Shell<'_>) -> Answer<Limits> {
    Ok(shell.engine().await?.attachment_limits().await?)
}

#[tauri::command]
#[specta::specta]
pub async fn set_attachment_limits(shell: Shell<'_>, wanted: Limits) -> Answer<()> {
    Ok(shell.engine().await?.set_attachment_limits(wanted).await?)
}

/// What left this computer, the newest first.
#[tauri::command]
#[specta::specta]
pub async fn egress(shell: Shell<'_>, before: Option<i64>, limit: u32) -> Answer<Vec<EgressLine>> {
    Ok(shell.engine().await?.egress(before, count(limit)).await?)
}
