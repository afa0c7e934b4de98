//! What is logged, what is asked, and where a mail is.

use super::{Answer, Shell, address, count, write};
use crate::dialogs;
use crate::error::AppError;
use tauri::AppHandle;
use threadline_engine::answers::AskedAnswer;
use threadline_engine::by_hand::Which;
use threadline_engine::divide::Apart;
use threadline_engine::threads::{ThreadPage, ThreadQuery};
use threadline_engine::undo::Undo;
use threadline_engine::views::{Decided, ThreadView};
use threadline_engine::whereabouts::Trace;
use threadline_html::MessageHtml;

/// Most questions at once.
const MOST_ASKED: usize = 500;

#[tauri::command]
#[specta::specta]
pub async fn threads(shell: Shell<'_>, query: ThreadQuery) -> Answer<ThreadPage> {
    Ok(shell.engine().await?.threads_page(query).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn thread(shell: Shell<'_>, id: i64) -> Answer<ThreadView> {
    Ok(shell.engine().await?.thread(id).await?)
}

/// Cleaned, for a frame without scripts, network and same origin.
#[tauri::command]
#[specta::specta]
pub async fn message_html(shell: Shell<'_>, message: i64) -> Answer<MessageHtml> {
    Ok(shell.engine().await?.message_html(message).await?)
}

/// Keeps an attachment as a file that the person names; gives its path.
#[tauri::command]
#[specta::specta]
pub async fn save_attachment(
    app: AppHandle,
    shell: Shell<'_>,
    message: i64,
    index: u32,
) -> Answer<Option<String>> {
    let (name, bytes) = shell.engine().await?.attachment(message, count(index)).await?;
    let Some(path) = dialogs::attachment_file(&app, shell.locale().await?, &name).await? else {
        return Ok(None);
    };
    Ok(Some(write(&path, &bytes)?))
}

/// Opens an attachment with the system's own program, from a copy that goes at the next start.
#[tauri::command]
#[specta::specta]
pub async fn open_attachment(shell: Shell<'_>, message: i64, index: u32) -> Answer<()> {
    let path = shell.engine().await?.open_copy(message, count(index)).await?;
    tauri_plugin_opener::open_path(&path, None::<&str>).map_err(|error| {
        AppError::new("no_program_file", format!("No program opens this file: {error}. Save it instead."))
    })
}

#[tauri::command]
#[specta::specta]
pub async fn unlog_thread(shell: Shell<'_>, id: i64) -> Answer<Undo> {
    Ok(shell.engine().await?.unlog_thread(id).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn unlog_message(shell: Shell<'_>, message: i64) -> Answer<Undo> {
    Ok(shell.engine().await?.unlog_message(message).await?)
}

/// Makes a conversation of its own of a message and of all that answers it; gives its number.
#[tauri::command]
#[specta::specta]
pub async fn split_thread(shell: Shell<'_>, message: i64) -> Answer<i64> {
    Ok(shell.engine().await?.split_thread(message).await?)
}

/// Puts all messages of a conversation into another one of the same mailbox.
#[tauri::command]
#[specta::specta]
pub async fn merge_threads(shell: Shell<'_>, from: i64, into: i64) -> Answer<()> {
    Ok(shell.engine().await?.merge_threads(from, into).await?)
}

/// Takes the last of these changes back.
#[tauri::command]
#[specta::specta]
pub async fn undo_threads(shell: Shell<'_>) -> Answer<()> {
    shell.engine().await?.undo_threads().await?;
    Ok(())
}

/// From which conversation this one stands apart, and why.
#[tauri::command]
#[specta::specta]
pub async fn thread_apart(shell: Shell<'_>, id: i64) -> Answer<Option<Apart>> {
    Ok(shell.engine().await?.thread_apart(id).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn asked(shell: Shell<'_>) -> Answer<Vec<Decided>> {
    Ok(shell.engine().await?.asked(MOST_ASKED).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn answer(shell: Shell<'_>, messages: Vec<i64>, answer: AskedAnswer) -> Answer<Undo> {
    Ok(shell.engine().await?.answer(&messages, answer).await?)
}

/// Logs a mail that a rule kept out. Where a never-log rule did, it is refused unless the person says that it does not count
/// for this one.
#[tauri::command]
#[specta::specta]
pub async fn log_by_hand(shell: Shell<'_>, mailbox: String, which: Which, despite: bool) -> Answer<Undo> {
    Ok(shell.engine().await?.log_by_hand(&address(&mailbox)?, which, despite).await?)
}

/// By recipient or subject.
#[tauri::command]
#[specta::specta]
pub async fn where_is_my_mail(shell: Shell<'_>, mailbox: String, words: String) -> Answer<Vec<Trace>> {
    Ok(shell.engine().await?.where_is_my_mail(&address(&mailbox)?, &words).await?)
}
