//! A folder on this computer or on a share: one JSON line per message, and the message itself as an .eml file.
//!
//! ```text
//! events.jsonl                 one line per message: the record, "event": "logged", "eml": the file's path
//! messages/2026-01/<key>.eml   the message, without its Bcc fields
//! messages/2026-01/<key>.files its files, under their own names, where it has some
//! .threadline.lock             held by whoever writes
//! ```

mod files;
mod index;

use crate::error::{CrmError, Kind, Retry};
use crate::sink::{Accepted, ContactPage, Dedupe, DeliveredFile, Delivery, Egress, How, Portal, Sink};
use index::Index;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use threadline_core::id::MessageKey;
use threadline_core::reason::Reason;
use threadline_core::record::Record;

const EVENTS: &str = "events.jsonl";
const MESSAGES: &str = "messages";
const LOCK: &str = ".threadline.lock";
/// How long another writer is waited for, and how often is looked.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

/// Writes to a folder. Several computers and programs may write to the same one.
#[derive(Debug, Clone)]
pub struct FolderSink {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    index: Mutex<Index>,
}

impl FolderSink {
    /// The folder is made on [`Sink::connect`].
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { inner: Arc::new(Inner { dir: dir.into(), index: Mutex::default() }) }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, CrmError> + Send + 'static,
    ) -> Result<T, CrmError> {
        let inner = self.inner.clone();
        match tokio::task::spawn_blocking(move || work(&inner)).await {
            Ok(done) => done,
            // The write may have come to its end; the index knows next time.
            Err(_) => Err(CrmError::new("the folder", Reason::Unknown)),
        }
    }
}

/// What is to be written of one message.
struct Entry {
    key: MessageKey,
    /// `messages/2026-01/<key>.eml`, with `/` on every system.
    eml: String,
    raw: bytes::Bytes,
    files: Vec<DeliveredFile>,
    record: Record,
}

impl Inner {
    fn prepare(&self) -> Result<(), CrmError> {
        let failed = |e| disk(&self.dir, e);
        files::private_folder(&self.dir).map_err(failed)?;
        files::private_subfolder(&self.dir.join(MESSAGES)).map_err(failed)?;
        // Opening for writing tells a read-only folder before the first message does.
        drop(files::open_private(&self.dir.join(EVENTS)).map_err(failed)?);
        drop(files::open_private(&self.dir.join(LOCK)).map_err(failed)?);
        Ok(())
    }

    /// Writes the batch under one lock and with one flush of the event file.
    fn write(&self, batch: &[Entry]) -> Result<Vec<(How, String)>, CrmError> {
        self.prepare()?;
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = files::open_private(&self.dir.join(LOCK)).map_err(|e| disk(&self.dir, e))?;
        self.wait_for(&lock)?;
        let done = self.write_locked(batch, &mut index).map_err(|e| disk(&self.dir, e));
        if done.is_err() {
            // What is on the disk now is not what the index thinks.
            *index = Index::default();
        }
        drop(lock);
        done
    }

    /// Another program may write at the moment. One that hangs must not hang this one too.
    fn wait_for(&self, lock: &File) -> Result<(), CrmError> {
        let begun = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => std::thread::sleep(LOOK),
                Err(TryLockError::WouldBlock) => {
                    return Err(disk(&self.dir, io::ErrorKind::ResourceBusy.into()));
                }
                Err(TryLockError::Error(error)) => return Err(disk(&self.dir, error)),
            }
        }
    }

    fn write_locked(&self, batch: &[Entry], index: &mut Index) -> io::Result<Vec<(How, String)>> {
        let path = self.dir.join(EVENTS);
        let mut events = files::open_private(&path)?;
        index.catch_up(&mut events)?;
        let mut lines = Vec::new();
        let mut fresh = BTreeSet::new();
        let mut folders = BTreeSet::new();
        let mut answers = Vec::with_capacity(batch.len());
        for entry in batch {
            let file = self.dir.join(&entry.eml);
            if index.contains(&entry.key) {
                // Another computer may have taken the message's other date.
                let there = if file.exists() { None } else { index::eml_of(&mut events, &entry.key)? };
                answers.push((How::Existing, there.unwrap_or_else(|| entry.eml.clone())));
                continue;
            }
            if !fresh.insert(entry.key) {
                answers.push((How::Existing, entry.eml.clone()));
                continue;
            }
            if let Some(folder) = file.parent()
                && folders.insert(folder.to_owned())
            {
                files::private_subfolder(folder)?;
            }
            files::write_whole(&file, &files::without_bcc(&entry.raw)).map_err(of_one_mail)?;
            write_files(&file.with_extension("files"), &entry.files).map_err(of_one_mail)?;
            serde_json::to_writer(&mut lines, &line(entry))?;
            lines.push(b'\n');
            answers.push((How::Created, entry.eml.clone()));
        }
        // The messages are there for good before a line says so.
        for folder in &folders {
            files::sync_folder(folder)?;
        }
        if !folders.is_empty() {
            files::sync_folder(&self.dir.join(MESSAGES))?;
        }
        if !lines.is_empty() {
            index.append(&mut events, &lines, fresh)?;
            files::sync_folder(&self.dir)?;
        }
        Ok(answers)
    }
}

/// The message's files beside it, under their own names; of two with one name the second gets a number.
fn write_files(folder: &Path, sent: &[DeliveredFile]) -> io::Result<()> {
    if sent.is_empty() {
        return Ok(());
    }
    files::private_subfolder(folder)?;
    let mut names = BTreeSet::new();
    for (at, file) in sent.iter().enumerate() {
        let name = match names.insert(file.name.to_lowercase()) {
            true => file.name.clone(),
            false => format!("{}-{}", at + 1, file.name),
        };
        names.insert(name.to_lowercase());
        files::write_whole(&folder.join(name), &file.bytes)?;
    }
    files::sync_folder(folder)
}

fn eml_path(record: &Record) -> String {
    format!("{MESSAGES}/{}/{}.eml", record.date.strftime("%Y-%m"), record.key)
}

fn line(entry: &Entry) -> Value {
    let mut line = json!({"event": "logged", "eml": entry.eml});
    if let (Value::Object(all), Ok(Value::Object(record))) = (&mut line, serde_json::to_value(&entry.record))
    {
        all.extend(record);
    }
    line
}

/// Of an error: it concerns the one mail that was being written, by its name or its size.
#[derive(Debug, thiserror::Error)]
#[error("the disk takes no such file")]
struct OneMail;

fn of_one_mail(error: io::Error) -> io::Error {
    use io::ErrorKind as K;
    match error.kind() {
        kind @ (K::InvalidFilename | K::InvalidInput | K::FileTooLarge) => io::Error::new(kind, OneMail),
        _ => error,
    }
}

fn disk(dir: &Path, error: io::Error) -> CrmError {
    use io::ErrorKind as K;
    // The others are not to wait for it.
    let kind = if error.get_ref().is_some_and(|e| e.is::<OneMail>()) { Kind::Batch } else { Kind::Sink };
    let (cause, next) = match error.kind() {
        K::StorageFull | K::QuotaExceeded => ("The disk is full.", "Make room; it goes on by itself."),
        K::PermissionDenied => {
            ("Threadline may not write there.", "Allow it, or choose another folder; it goes on by itself.")
        }
        K::ReadOnlyFilesystem => ("The disk is read-only.", "Make it writable, or choose another folder."),
        K::NotFound | K::NotADirectory => {
            ("The folder is not there.", "Connect the drive, or choose another folder.")
        }
        K::AlreadyExists => {
            ("A file stands where the folder should be.", "Move it away, or choose another folder.")
        }
        K::ResourceBusy => ("Another program holds it.", "Close that program; it is tried again."),
        _ if kind == Kind::Batch => (
            "The disk takes no file of this name or size.",
            "The mail is set aside; choose another folder and push it again.",
        ),
        _ => ("Writing failed.", "It is tried again; if it stays, choose another folder."),
    };
    // The system's words hold no path and no content.
    let words = error.raw_os_error().map(|code| io::Error::from_raw_os_error(code).to_string());
    CrmError::new(format!("the folder {}", dir.display()), Reason::FolderFailed)
        .kind(kind)
        .retry(if kind == Kind::Sink { Retry::Soon } else { Retry::Never })
        .words(&words.unwrap_or_default())
        .told(cause, next)
}

#[async_trait::async_trait]
impl Sink for FolderSink {
    fn name(&self) -> &'static str {
        "folder"
    }

    async fn connect(&self) -> Result<Portal, CrmError> {
        self.blocking(Inner::prepare).await?;
        Ok(Portal {
            name: self.inner.dir.display().to_string(),
            id: None,
            dedupe: Dedupe::Index,
            missing_scopes: Vec::new(),
        })
    }

    fn most(&self) -> usize {
        100
    }

    fn wants_files(&self) -> bool {
        true
    }

    async fn push(&self, batch: &[Delivery]) -> Vec<Result<Accepted, CrmError>> {
        let entries: Vec<Entry> = batch
            .iter()
            .map(|delivery| Entry {
                key: delivery.record.key,
                eml: eml_path(&delivery.record),
                raw: delivery.raw.clone(),
                files: delivery.files.clone(),
                record: delivery.record.clone(),
            })
            .collect();
        match self.blocking(move |inner| inner.write(&entries)).await {
            Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
            Ok(answers) => {
                let told = batch.iter().zip(answers);
                told.map(|(delivery, (how, eml))| Ok(self.accepted(delivery, how, &eml))).collect()
            }
        }
    }

    fn wants_raw(&self) -> bool {
        true
    }

    fn has_contacts(&self) -> bool {
        false
    }

    async fn contacts(&self, _cursor: Option<&str>) -> Result<ContactPage, CrmError> {
        Ok(ContactPage { first_pull_done: true, ..ContactPage::default() })
    }
}

impl FolderSink {
    fn accepted(&self, delivery: &Delivery, how: How, eml: &str) -> Accepted {
        let key = delivery.record.key.to_string();
        let sent = if how == How::Created {
            let egress = |object: &str, field: &str, bytes| Egress {
                object: object.into(),
                remote_id: Some(key.clone()),
                field: field.into(),
                bytes,
            };
            let line = serde_json::to_string(&delivery.record).map_or(0, |line| line.len() as u64);
            vec![egress("event", "record", line), egress("file", "eml", delivery.raw.len() as u64)]
        } else {
            Vec::new()
        };
        Accepted {
            link: Some(self.inner.dir.join(eml).display().to_string()),
            remote_id: Some(key),
            how,
            sent,
            contacts: Vec::new(),
        }
    }
}
