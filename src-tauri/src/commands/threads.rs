//! What is logged, what is asked, and where a mail is.

use super::{Answer, Shell, address, count, write};
use crate::dialogs;
use tauri::AppHandle;
use threadline_engine::answers::AskedAnswer;
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

/// By recipient or subject.
#[tauri::command]
#[specta::specta]
pub async fn where_is_my_mail(shell: Shell<'_>, mailbox: String, words: String) -> Answer<Vec<Trace>> {
    Ok(shell.engine().await?.where_is_my_mail(&address(&mailbox)?, &words).await?)
}
