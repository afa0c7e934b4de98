//! Mails that are written in the window and go out through the person's own server, and templates for them.

use super::{Answer, Shell, address, count, not_an_address};
use crate::dialogs;
use crate::error::AppError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tauri::{AppHandle, State};
use threadline_core::address::Mailbox;
use threadline_core::template::Template;
use threadline_engine::writing::{CopyWish, Draft, File, SendLine, ShownMail};

/// Files that the person chose for mails, by the numbers that the window knows them by: it names no place of this computer.
#[derive(Debug, Default)]
pub struct Chosen(Mutex<Vec<PathBuf>>);

impl Chosen {
    fn files(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, path: PathBuf) -> u32 {
        let mut files = self.files();
        files.push(path);
        u32::try_from(files.len()).unwrap_or(u32::MAX)
    }

    fn path(&self, id: u32) -> Answer<PathBuf> {
        let found = count(id).checked_sub(1).and_then(|at| self.files().get(at).cloned());
        found.ok_or_else(|| {
            AppError::new("no_file", "A file of this mail is not known any more. Choose it again.")
        })
    }
}

/// A file that was chosen.
#[derive(Debug, Clone, Serialize, specta::Type)]
pub struct ChosenFile {
    pub id: u32,
    pub name: String,
    pub bytes: u64,
}

/// A mail as it is written.
#[derive(Clone, Deserialize, specta::Type)]
pub struct WrittenMail {
    /// The mailbox that sends it.
    pub mailbox: String,
    /// The name beside its address; the one given last where it is missing.
    pub from_name: Option<String>,
    /// Each `name@firm.example` or `Name <name@firm.example>`.
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub bcc: Vec<String>,
    pub subject: String,
    pub text: String,
    /// Beside the plain text, which is made of it where that is empty.
    pub html: Option<String>,
    /// The template that it began with: the variables in its texts stand for the first recipient.
    pub template: Option<String>,
    /// Variables that the person gave: name and value.
    pub values: Vec<(String, String)>,
    /// Files by their numbers.
    pub files: Vec<u32>,
    /// When it goes; at once (after the time to take it back) where it is missing.
    pub at: Option<Timestamp>,
}

threadline_core::debug_only!(WrittenMail {});

/// A template as it is kept.
#[derive(Clone, Serialize, Deserialize, specta::Type)]
pub struct KeptTemplate {
    pub name: String,
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
}

threadline_core::debug_only!(KeptTemplate {});

#[tauri::command]
#[specta::specta]
pub async fn find_contacts(shell: Shell<'_>, words: String, limit: u32) -> Answer<Vec<Mailbox>> {
    Ok(shell.engine().await?.find_contacts(&words, count(limit)).await?)
}

/// The name that a mailbox's mails were sent under last.
#[tauri::command]
#[specta::specta]
pub async fn sender_name(shell: Shell<'_>, mailbox: String) -> Answer<Option<String>> {
    Ok(shell.engine().await?.sender_name(&address(&mailbox)?).await?)
}

/// Asks for files; empty where none was chosen.
#[tauri::command]
#[specta::specta]
pub async fn choose_files(
    app: AppHandle,
    shell: Shell<'_>,
    chosen: State<'_, Chosen>,
) -> Answer<Vec<ChosenFile>> {
    let mut files = Vec::new();
    for path in dialogs::files(&app, shell.locale().await?).await? {
        let bytes = std::fs::metadata(&path).map_err(|error| unreadable(&path, &error))?.len();
        files.push(ChosenFile { name: name(&path), bytes, id: chosen.keep(path) });
    }
    Ok(files)
}

/// The mail as it would go, with its files. Variables that are missing are named, and no error.
#[tauri::command]
#[specta::specta]
pub async fn show_mail(shell: Shell<'_>, chosen: State<'_, Chosen>, mail: WrittenMail) -> Answer<ShownMail> {
    let from = address(&mail.mailbox)?;
    let files = read(&chosen, &mail.files).await?;
    Ok(shell.engine().await?.show_send(&from, &draft(mail, files)?).await?)
}

/// Stores the mail to go out at its time.
#[tauri::command]
#[specta::specta]
pub async fn send_mail(shell: Shell<'_>, chosen: State<'_, Chosen>, mail: WrittenMail) -> Answer<SendLine> {
    let from = address(&mail.mailbox)?;
    let files = read(&chosen, &mail.files).await?;
    Ok(shell.engine().await?.send(&from, &draft(mail, files)?).await?)
}

/// Most bytes of the files of a mail. No server takes as many; it keeps a film that was chosen by mistake out of memory.
const MOST_FILES: u64 = 150 * 1024 * 1024;

/// The files that were chosen, as they are now.
async fn read(chosen: &Chosen, files: &[u32]) -> Answer<Vec<File>> {
    let paths = files.iter().map(|id| chosen.path(*id)).collect::<Answer<Vec<_>>>()?;
    let read = move || {
        let sizes = paths.iter().filter_map(|path| std::fs::metadata(path).ok());
        if sizes.map(|about| about.len()).sum::<u64>() > MOST_FILES {
            let words = "The mail is too large with its files. Send a link to the files instead.";
            return Err(AppError::new("mail_too_large_here", words.to_owned()));
        }
        let files = paths.iter().map(|path| match std::fs::read(path) {
            Ok(bytes) => Ok(File { name: name(path), bytes }),
            Err(error) => Err(unreadable(path, &error)),
        });
        files.collect::<Answer<Vec<_>>>()
    };
    tauri::async_runtime::spawn_blocking(read).await?
}

/// Mails that go out or went, the newest first.
#[tauri::command]
#[specta::specta]
pub async fn sends(shell: Shell<'_>, limit: u32) -> Answer<Vec<SendLine>> {
    Ok(shell.engine().await?.sends(count(limit)).await?)
}

/// Takes a mail back that has not gone.
#[tauri::command]
#[specta::specta]
pub async fn undo_send(shell: Shell<'_>, id: i64) -> Answer<()> {
    Ok(shell.engine().await?.undo_send(id).await?)
}

/// Sends a mail again that was refused or is known not to be sent; of one that was sent, files its copy again.
#[tauri::command]
#[specta::specta]
pub async fn retry_send(shell: Shell<'_>, id: i64) -> Answer<()> {
    Ok(shell.engine().await?.retry_send(id).await?)
}

/// The person knows that a mail was sent.
#[tauri::command]
#[specta::specta]
pub async fn confirm_sent(shell: Shell<'_>, id: i64) -> Answer<()> {
    Ok(shell.engine().await?.confirm_sent(id).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn templates(shell: Shell<'_>) -> Answer<Vec<KeptTemplate>> {
    let kept = shell.engine().await?.templates().await?.into_iter().map(|kept| {
        let Template { subject, text, html } = kept.template;
        KeptTemplate { name: kept.name, subject, text, html }
    });
    Ok(kept.collect())
}

/// Keeps it in place of the one with its name.
#[tauri::command]
#[specta::specta]
pub async fn set_template(shell: Shell<'_>, template: KeptTemplate) -> Answer<()> {
    let KeptTemplate { name, subject, text, html } = template;
    Ok(shell.engine().await?.set_template(&name, Template { subject, text, html }).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn remove_template(shell: Shell<'_>, name: String) -> Answer<()> {
    Ok(shell.engine().await?.remove_template(&name).await?)
}

/// What becomes of the person's own copies of what a mailbox sends.
#[tauri::command]
#[specta::specta]
pub async fn copy_wish(shell: Shell<'_>, mailbox: String) -> Answer<CopyWish> {
    Ok(shell.engine().await?.copy_wish(&address(&mailbox)?).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn set_copy_wish(shell: Shell<'_>, mailbox: String, wish: CopyWish) -> Answer<CopyWish> {
    shell.engine().await?.set_copy_wish(&address(&mailbox)?, wish).await?;
    Ok(wish)
}

fn draft(mail: WrittenMail, files: Vec<File>) -> Answer<Draft> {
    Ok(Draft {
        from_name: mail.from_name,
        to: people(&mail.to)?,
        cc: people(&mail.cc)?,
        bcc: people(&mail.bcc)?,
        subject: Some(mail.subject),
        text: Some(mail.text),
        html: mail.html,
        template: mail.template,
        values: mail.values,
        files,
        at: mail.at,
        request: None,
    })
}

fn people(of: &[String]) -> Answer<Vec<Mailbox>> {
    let person = |text: &String| Mailbox::parse(text).map_err(|error| not_an_address(text, error));
    of.iter().map(person).collect()
}

fn name(path: &std::path::Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn unreadable(path: &std::path::Path, error: &std::io::Error) -> AppError {
    AppError::new("unreadable_file", format!("{} cannot be read: {error}. Choose it again.", name(path)))
        .with("path", name(path))
        .with("cause", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_names_files_by_numbers_that_it_was_given() {
        let chosen = Chosen::default();
        let offer = chosen.keep("/home/ann/Offer.pdf".into());
        let plan = chosen.keep("/home/ann/Plan.pdf".into());
        assert_eq!((offer, plan), (1, 2));
        assert_eq!(chosen.path(plan).unwrap(), PathBuf::from("/home/ann/Plan.pdf"));
        for unknown in [0, 3, u32::MAX] {
            assert_eq!(chosen.path(unknown).unwrap_err().code, "no_file");
        }
    }

    #[test]
    fn whoever_cannot_be_written_to_is_named() {
        let error = people(&["Carl <carl@x.example>".into(), "Dora".into()]).unwrap_err();
        assert!(error.code == "not_an_address" && error.message.starts_with("Dora:"), "{error:?}");
    }
}
