//! The system's own file dialogs. The window never sees the file system: it is given the path to show.

use crate::error::AppError;
use crate::locale::Locale;
use std::path::PathBuf;
use tauri::{AppHandle, Manager};
use tauri_plugin_dialog::{DialogExt as _, FileDialogBuilder, FilePath};
use tokio::sync::oneshot;

/// A CSV file with contacts; `None` where the person chose none, as everywhere here.
pub async fn contact_list(app: &AppHandle, locale: Locale) -> Result<Option<PathBuf>, AppError> {
    let texts = locale.catalogue();
    let dialog = at_window(app, &texts.text("shell.dialog.contacts", &[])).add_filter("CSV", &["csv", "txt"]);
    answer(|reply| dialog.pick_file(reply)).await
}

/// A set-up of the IT department.
pub async fn setup_file(app: &AppHandle, locale: Locale) -> Result<Option<PathBuf>, AppError> {
    let dialog =
        at_window(app, &locale.catalogue().text("shell.dialog.setup", &[])).add_filter("JSON", &["json"]);
    answer(|reply| dialog.pick_file(reply)).await
}

/// A folder for an export.
pub async fn export_folder(app: &AppHandle, locale: Locale) -> Result<Option<PathBuf>, AppError> {
    let dialog = at_window(app, &locale.catalogue().text("shell.dialog.export", &[]));
    answer(|reply| dialog.pick_folder(reply)).await
}

/// A file for the diagnostics.
pub async fn bundle_file(app: &AppHandle, locale: Locale) -> Result<Option<PathBuf>, AppError> {
    let dialog = at_window(app, &locale.catalogue().text("shell.dialog.bundle", &[]));
    answer(|reply| dialog.set_file_name("threadline-diagnostics.txt").save_file(reply)).await
}

/// A file for an attachment; its name is the suggestion.
pub async fn attachment_file(
    app: &AppHandle,
    locale: Locale,
    name: &str,
) -> Result<Option<PathBuf>, AppError> {
    let dialog = at_window(app, &locale.catalogue().text("shell.dialog.attachment", &[]));
    answer(|reply| dialog.set_file_name(name).save_file(reply)).await
}

/// Files for a mail; empty where the person chose none.
pub async fn files(app: &AppHandle, locale: Locale) -> Result<Vec<PathBuf>, AppError> {
    let dialog = at_window(app, &locale.catalogue().text("shell.dialog.files", &[]));
    let (reply, chosen) = oneshot::channel();
    dialog.pick_files(move |paths| {
        // Where nobody waits any more, the window is gone.
        let _ = reply.send(paths);
    });
    chosen
        .await
        .ok()
        .flatten()
        .unwrap_or_default()
        .into_iter()
        .map(|path| path.into_path().map_err(no_place))
        .collect()
}

/// A file for the relay's certificate.
pub async fn certificate_file(app: &AppHandle, locale: Locale) -> Result<Option<PathBuf>, AppError> {
    let dialog = at_window(app, &locale.catalogue().text("shell.dialog.certificate", &[]));
    answer(|reply| dialog.set_file_name("threadline.crt").save_file(reply)).await
}

fn at_window(app: &AppHandle, title: &str) -> FileDialogBuilder<tauri::Wry> {
    let dialog = app.dialog().file().set_title(title);
    match app.get_webview_window(crate::windows::MAIN) {
        Some(window) => dialog.set_parent(&window),
        None => dialog,
    }
}

async fn answer(
    show: impl FnOnce(Box<dyn FnOnce(Option<FilePath>) + Send>),
) -> Result<Option<PathBuf>, AppError> {
    let (reply, chosen) = oneshot::channel();
    show(Box::new(move |path| {
        // Where nobody waits any more, the window is gone.
        let _ = reply.send(path);
    }));
    let path = chosen.await.ok().flatten();
    path.map(FilePath::into_path).transpose().map_err(no_place)
}

fn no_place(error: impl std::fmt::Display) -> AppError {
    let text = format!("This place is no folder on this computer: {error}. Choose another one.");
    AppError::new("not_a_file", text).with("cause", error)
}
