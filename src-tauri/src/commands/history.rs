//! Folders, and the mail that was there before.

use super::{Answer, Shell, address};
use tauri::ipc::Channel;
use threadline_engine::history::{DryRun, Folder, ScanProgress, Scanned};

#[tauri::command]
#[specta::specta]
pub async fn folders(shell: Shell<'_>, mailbox: String) -> Answer<Vec<Folder>> {
    Ok(shell.engine().await?.folders(&address(&mailbox)?).await?)
}

/// What reading the last days would log; nothing is stored.
#[tauri::command]
#[specta::specta]
pub async fn dry_run(
    shell: Shell<'_>,
    mailbox: String,
    days: u32,
    on_progress: Channel<ScanProgress>,
) -> Answer<DryRun> {
    let engine = shell.engine().await?;
    Ok(engine.dry_run(&address(&mailbox)?, days, teller(on_progress)).await?)
}

/// Reads the last days, and logs as the rules say.
#[tauri::command]
#[specta::specta]
pub async fn read_history(
    shell: Shell<'_>,
    mailbox: String,
    days: u32,
    on_progress: Channel<ScanProgress>,
) -> Answer<Scanned> {
    let engine = shell.engine().await?;
    Ok(engine.read_history(&address(&mailbox)?, days, teller(on_progress)).await?)
}

pub(super) fn teller(channel: Channel<ScanProgress>) -> impl FnMut(ScanProgress) + Send {
    move |progress| {
        // The window may have been closed.
        let _ = channel.send(progress);
    }
}
