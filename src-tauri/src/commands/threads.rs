//! What is logged, and what is asked.

use super::{Answer, Shell};
use threadline_engine::views::{Decided, ThreadView};

/// Most questions at once.
const MOST_ASKED: usize = 500;

#[tauri::command]
#[specta::specta]
pub async fn thread(shell: Shell<'_>, id: i64) -> Answer<ThreadView> {
    Ok(shell.engine().await?.thread(id).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn asked(shell: Shell<'_>) -> Answer<Vec<Decided>> {
    Ok(shell.engine().await?.asked(MOST_ASKED).await?)
}
