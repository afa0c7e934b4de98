//! What can go wrong with the ledger.

use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};

/// Why the ledger did not do what it was asked. No variant carries a key or the text of a mail.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is there and was not touched.
    #[error("the ledger {} does not open with the key from the keychain: the key is another one, or the file is no ledger", path.display())]
    WrongKey { path: PathBuf },
    /// The file was written by a later version, and was not touched.
    #[error("the ledger {} has version {found}, and this program knows versions up to {known}", path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("the ledger {} cannot be written: the file or its folder is read-only", path.display())]
    ReadOnly { path: PathBuf },
    #[error("the disk with the ledger {} is full", path.display())]
    Full { path: PathBuf },
    #[error("the ledger {} is damaged", path.display())]
    Corrupt { path: PathBuf },
    #[error("another program holds the ledger {}", path.display())]
    Busy { path: PathBuf },
    #[error("the ledger {} cannot be opened: {source}", path.display())]
    CannotOpen { path: PathBuf, source: std::io::Error },
    #[error("the disk with the ledger {} fails: {source}", path.display())]
    Disk { path: PathBuf, source: rusqlite::Error },
    /// A row that a caller names by its id is not there.
    #[error("the ledger has no {what} {id}")]
    NotFound { what: &'static str, id: i64 },
    /// A row breaks a rule of its table. The cause names tables and columns, never values.
    #[error("the ledger refuses a row: {source}")]
    Refused { source: rusqlite::Error },
    #[error("the ledger's column {column} holds a value that this program does not know")]
    Unreadable { column: String },
    /// The closure panicked; its transaction was rolled back.
    #[error("a task on the ledger broke off; nothing of it was kept")]
    Panicked,
    #[error("the ledger was closed")]
    Closed,
    #[error("the ledger refuses a query: {source}")]
    Query { source: rusqlite::Error },
}

impl StoreError {
    /// A code for scripts and the window.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongKey { .. } => "ledger_wrong_key",
            Self::Newer { .. } => "ledger_newer",
            Self::ReadOnly { .. } => "ledger_read_only",
            Self::Full { .. } => "ledger_disk_full",
            Self::Corrupt { .. } => "ledger_corrupt",
            Self::Busy { .. } => "ledger_busy",
            Self::CannotOpen { .. } => "ledger_cannot_open",
            Self::Disk { .. } => "ledger_disk_fails",
            Self::NotFound { .. } => "ledger_no_such_row",
            Self::Refused { .. } => "ledger_row_refused",
            Self::Unreadable { .. } => "ledger_unreadable",
            Self::Panicked => "ledger_task_broke_off",
            Self::Closed => "ledger_closed",
            Self::Query { .. } => "ledger_query_refused",
        }
    }

    /// True where what was stored or read is at fault, and not the ledger: others can be stored and read all the same.
    pub fn concerns_a_row(&self) -> bool {
        matches!(
            self,
            Self::NotFound { .. }
                | Self::Refused { .. }
                | Self::Unreadable { .. }
                | Self::Panicked
                | Self::Query { .. }
        )
    }

    /// What to do now, in one sentence.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::WrongKey { .. } => {
                "Unlock the keychain that made this ledger, or move the file away: a new one is filled from the mailbox and the CRM."
            }
            Self::Newer { .. } => "Install the newest version of Threadline.",
            Self::ReadOnly { .. } => {
                "Give yourself the right to write to the data folder, or choose another one."
            }
            Self::Full { .. } => "Free some space on this disk; Threadline then goes on by itself.",
            Self::Corrupt { .. } => {
                "Move the file away and start again: a new ledger is filled from the mailbox and the CRM."
            }
            Self::Busy { .. } => "Close the other program that uses this data folder.",
            Self::CannotOpen { .. } => "Check that the data folder exists and is yours.",
            Self::Disk { .. } => "Check the disk, then start Threadline again.",
            Self::NotFound { .. } => "Look at the list again: the row may have gone meanwhile.",
            Self::Refused { .. } | Self::Query { .. } | Self::Panicked => {
                "Report this with a diagnostic bundle: it is a defect in Threadline."
            }
            Self::Unreadable { .. } => "Install the newest version of Threadline.",
            Self::Closed => "Start Threadline again.",
        }
    }

    /// Names the file, which the rows' functions do not know.
    pub(crate) fn at(mut self, file: &Path) -> Self {
        match &mut self {
            Self::WrongKey { path }
            | Self::Newer { path, .. }
            | Self::ReadOnly { path }
            | Self::Full { path }
            | Self::Corrupt { path }
            | Self::Busy { path }
            | Self::CannotOpen { path, .. }
            | Self::Disk { path, .. } => *path = file.to_owned(),
            Self::NotFound { .. }
            | Self::Refused { .. }
            | Self::Unreadable { .. }
            | Self::Panicked
            | Self::Closed
            | Self::Query { .. } => {}
        }
        self
    }
}

/// A stored value that does not read back.
#[derive(Debug, thiserror::Error)]
#[error("column {0} holds an unknown value")]
pub(crate) struct UnknownValue(pub String);

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let path = PathBuf::new();
        if let rusqlite::Error::FromSqlConversionFailure(column, _, cause) = &error {
            let column = match cause.downcast_ref::<UnknownValue>() {
                Some(UnknownValue(name)) => name.clone(),
                None => column.to_string(),
            };
            return Self::Unreadable { column };
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            // Once a ledger is open, a page that does not decrypt is a damaged one.
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => Self::Disk { path, source: error },
            Some(ErrorCode::ConstraintViolation) => Self::Refused { source: error },
            _ => Self::Query { source: error },
        }
    }
}
