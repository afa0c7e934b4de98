//! Which files of a mail go to a CRM (PRODUCT R11), and opening one from a temporary copy.

use crate::engine::Engine;
use crate::error::EngineError;
use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use threadline_core::attachment::{Limits, NoFile, Skipped};
use threadline_core::message::sent_files;
use threadline_core::record::Attachment;
use threadline_crm::DeliveredFile;
use threadline_store::{StoreError, Tx, body, file, setting};

/// The setting that holds the limits.
pub(crate) const LIMITS: &str = "attachments";
/// The folder of temporary copies, in the data folder.
pub(crate) const OPENED: &str = "opened";
/// Endings of what is shown and not run: documents without macros, and pictures.
const SHOWN: &[&str] =
    &["pdf", "txt", "png", "jpg", "jpeg", "gif", "webp", "docx", "xlsx", "pptx", "odt", "ods", "odp"];

/// What becomes of a listed file.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct FileFate {
    pub file: Attachment,
    /// It belongs to the mail's text and goes nowhere by itself.
    pub belongs: Option<NoFile>,
    /// It is a file, and stays here.
    pub skipped: Option<Skipped>,
    /// It may be opened from here; else it is only saved.
    pub opens: bool,
}

threadline_core::debug_only!(FileFate { belongs, skipped });

impl Engine {
    /// What may go to a CRM.
    pub async fn attachment_limits(&self) -> Result<Limits, EngineError> {
        Ok(self.ledger().read(|tx| setting::get(tx, LIMITS)).await?.unwrap_or_default())
    }

    /// Sets it, for what is pushed from now on.
    pub async fn set_attachment_limits(&self, limits: Limits) -> Result<(), EngineError> {
        Ok(self.ledger().write(move |tx| setting::set(tx, LIMITS, &limits)).await?)
    }

    /// What becomes of each file of a message, in the order of `MessageView::attachments`; nothing where its text is not here.
    pub async fn file_fates(&self, message: i64) -> Result<Vec<FileFate>, EngineError> {
        let limits = self.attachment_limits().await?;
        let get = move |tx: &Tx<'_>| body::get(tx, message);
        let Some(body) = self.ledger().read(get).await? else { return Ok(Vec::new()) };
        let told = tokio::task::spawn_blocking(move || fates(&body.raw, body.truncated, &limits)).await;
        let told = told.map_err(|_| EngineError::Unreadable(message))?;
        let refused = move |tx: &Tx<'_>| {
            told.into_iter()
                .map(|(mut fate, hash)| {
                    if let (None, Some(hash)) = (fate.skipped, hash) {
                        fate.skipped = file::is_refused(tx, message, &hash)?.then_some(Skipped::Refused);
                    }
                    Ok(fate)
                })
                .collect::<Result<Vec<_>, StoreError>>()
        };
        Ok(self.ledger().read(refused).await?)
    }

    /// Writes a file of a message to a folder of the data folder that only the person reads, to be opened; gives the path. The
    /// copies go at the next start, and with the data folder. Refused for what could run.
    pub async fn open_copy(&self, message: i64, index: usize) -> Result<PathBuf, EngineError> {
        let (name, bytes) = self.attachment(message, index).await?;
        if !opens(&name) {
            return Err(EngineError::NotOpened(name));
        }
        let dir = self.home().dir().join(OPENED).join(format!("{message}-{index}"));
        let path = dir.join(name);
        let copy = path.clone();
        let written = tokio::task::spawn_blocking(move || write_private(&dir, &copy, &bytes)).await;
        let failed = |source| EngineError::Folder { dir: self.home().dir().to_owned(), source };
        written.map_err(|_| EngineError::Unreadable(message))?.map_err(failed)?;
        Ok(path)
    }

    /// Deletes the copies that were opened before.
    pub async fn delete_copies(&self) -> Result<(), EngineError> {
        let dir = self.home().dir().join(OPENED);
        let failed = |source| EngineError::Folder { dir: self.home().dir().to_owned(), source };
        match tokio::fs::remove_dir_all(&dir).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }
}

fn write_private(dir: &std::path::Path, path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut folder = std::fs::DirBuilder::new();
    folder.recursive(true);
    let mut file = std::fs::OpenOptions::new();
    file.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
        std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    }
    folder.create(dir)?;
    std::io::Write::write_all(&mut file.open(path)?, bytes)?;
    // The mark of what came from outside, by which Office opens a document in its protected view.
    #[cfg(windows)]
    {
        let mut mark = path.as_os_str().to_owned();
        mark.push(":Zone.Identifier");
        std::fs::write(mark, "[ZoneTransfer]\r\nZoneId=3\r\n")?;
    }
    Ok(())
}

/// Whether a file is of a kind that is shown and not run, by the ending of its name.
fn opens(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| SHOWN.contains(&ending.as_str()))
}

/// What the limits say of each file, and under which hash a CRM is offered it.
fn fates(raw: &[u8], truncated: bool, limits: &Limits) -> Vec<(FileFate, Option<[u8; 32]>)> {
    let files = sent_files(raw);
    let last = files.len().saturating_sub(1);
    files
        .into_iter()
        .enumerate()
        .map(|(at, file)| {
            let cut = truncated && at == last;
            let allowed = limits.allow(&file.about.name, file.about.size);
            let left = || file.left.then_some(Skipped::Cut);
            let skipped = if cut { Some(Skipped::Cut) } else { allowed.err().or_else(left) };
            let hash = file.bytes.as_deref().map(|bytes| hash(bytes, &file.about.name));
            let skipped = skipped.filter(|_| file.no_file.is_none());
            let opens = opens(&file.about.name);
            (FileFate { skipped, belongs: file.no_file, opens, file: file.about }, hash)
        })
        .collect()
}

/// The name counts too: a portal shows it.
fn hash(bytes: &[u8], name: &str) -> [u8; 32] {
    Sha256::new().chain_update(bytes).chain_update(name.as_bytes()).finalize().into()
}

/// The files of a raw message that go to a CRM. Of a mail that was cut off the last one may lack its end: it stays here.
pub(crate) fn to_send(raw: &[u8], truncated: bool, limits: &Limits) -> Vec<DeliveredFile> {
    let files = sent_files(raw);
    let last = files.len().saturating_sub(1);
    files
        .into_iter()
        .enumerate()
        .filter(|(at, _)| !(truncated && *at == last))
        .filter(|(_, file)| limits.allow(&file.about.name, file.about.size).is_ok())
        .filter_map(|(_, file)| {
            let bytes = file.bytes?;
            Some(DeliveredFile {
                hash: hash(&bytes, &file.about.name),
                name: file.about.name,
                media_type: file.about.media_type,
                bytes: Bytes::from(bytes),
                remote_id: None,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &str = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHi\r\n\
        --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"../a.pdf\"\r\n\r\nPDF\r\n\
        --b\r\nContent-Type: application/x-ms\r\nContent-Disposition: attachment; filename=b.exe\r\n\r\nEXE\r\n\
        --b\r\nContent-Type: application/zip\r\nContent-Disposition: attachment; filename=c.zip\r\n\r\nlonger\r\n--b--\r\n";

    #[test]
    fn what_stays_here_is_listed_with_the_reason() {
        let limits = Limits { most_bytes: 5, never_endings: vec!["exe".into()] };
        let fates = fates(RAW.as_bytes(), false, &limits);
        let told: Vec<_> = fates.iter().map(|(f, _)| (f.file.name.as_str(), f.skipped)).collect();
        assert_eq!(
            told,
            [("_a.pdf", None), ("b.exe", Some(Skipped::Ending)), ("c.zip", Some(Skipped::TooLarge))]
        );
        assert_eq!(fates.iter().map(|(f, _)| f.opens).collect::<Vec<_>>(), [true, false, false]);
        let sent = to_send(RAW.as_bytes(), false, &limits);
        assert_eq!((sent.len(), sent[0].name.as_str(), &sent[0].bytes[..]), (1, "_a.pdf", &b"PDF"[..]));
    }

    #[test]
    fn what_could_run_is_not_opened() {
        for name in ["Offer.PDF", "a.b.docx", "übersicht.xlsx", "photo.jpeg"] {
            assert!(opens(name), "{name}");
        }
        for name in [
            "a.pdf.exe",
            "a.docm",
            "a.html",
            "a.svg",
            "a.lnk",
            "a.desktop",
            "a.js",
            "pdf",
            "a.pdf ",
            "a.",
            "",
        ] {
            assert!(!opens(name), "{name}");
        }
    }

    #[test]
    fn of_a_mail_that_was_cut_the_last_file_stays() {
        let all = Limits::default();
        assert_eq!(to_send(RAW.as_bytes(), false, &all).len(), 3);
        assert_eq!(to_send(RAW.as_bytes(), true, &all).len(), 2);
        assert_eq!(super::fates(RAW.as_bytes(), true, &all)[2].0.skipped, Some(Skipped::Cut));
    }

    #[test]
    fn the_same_contents_under_another_name_are_another_file() {
        let renamed = RAW.replace("b.exe", "d.exe");
        let hash = |raw: &str| to_send(raw.as_bytes(), false, &Limits::default())[1].hash;
        assert_eq!(super::fates(RAW.as_bytes(), false, &Limits::default())[1].1, Some(hash(RAW)));
        assert_eq!(hash(RAW), hash(RAW));
        assert_ne!(hash(RAW), hash(&renamed));
    }
}
