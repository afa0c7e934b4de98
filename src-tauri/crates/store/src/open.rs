//! Opening the file: key, version, and the settings every connection needs.

use crate::error::StoreError;
use crate::key::Key;
use crate::schema;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a connection waits for a lock of another program: a backup, or a second process that stores much at once.
const PATIENCE: Duration = Duration::from_secs(60);

/// Opens the one connection that writes, and brings the file to this program's version.
///
/// Nothing is written before the key and the version were found good.
pub(crate) fn writer(path: &Path, key: &Key) -> Result<Connection, StoreError> {
    make_private(path)?;
    let mut conn = unlocked(path, key)?;
    let found: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > schema::VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: schema::VERSION });
    }
    if conn.is_readonly("main")? {
        return Err(StoreError::ReadOnly { path: path.to_owned() });
    }
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::ReadOnly { path: path.to_owned() });
    }
    settings(&conn)?;
    schema::upgrade(&mut conn)?;
    Ok(conn)
}

/// Opens a connection that only reads. The file is there and current.
pub(crate) fn reader(path: &Path, key: &Key) -> Result<Connection, StoreError> {
    let conn = unlocked(path, key)?;
    settings(&conn)?;
    conn.execute_batch("PRAGMA query_only = ON")?;
    Ok(conn)
}

/// Makes SQLCipher ready before any thread opens a file. SQLite calls itself ready while SQLCipher still is not, and a
/// second thread that opens a file in that moment finds its key refused: a good ledger would be taken for a foreign one.
fn ready() -> Result<(), StoreError> {
    static READY: Mutex<bool> = Mutex::new(false);
    let mut ready = READY.lock().unwrap_or_else(PoisonError::into_inner);
    if !*ready {
        Connection::open_in_memory()?;
        *ready = true;
    }
    Ok(())
}

/// A connection that has proved its key by reading the first page.
fn unlocked(path: &Path, key: &Key) -> Result<Connection, StoreError> {
    ready()?;
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    // Else SQLCipher writes lines of its own to stderr.
    conn.execute_batch("PRAGMA cipher_log_level = NONE")?;
    conn.execute_batch(&key.pragma()).map_err(without_words)?;
    conn.busy_timeout(PATIENCE)?;
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(|error| {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => StoreError::WrongKey { path: path.to_owned() },
            _ => error.into(),
        }
    })?;
    Ok(conn)
}

/// The error of the statement with the key would quote it: only its number is kept.
fn without_words(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error() {
        Some(code) => rusqlite::Error::SqliteFailure(*code, None).into(),
        None => rusqlite::Error::InvalidQuery.into(),
    }
}

/// WAL is the file's own setting; these belong to each connection.
fn settings(conn: &Connection) -> Result<(), StoreError> {
    conn.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;
         PRAGMA cache_size = -1024;
         PRAGMA journal_size_limit = 4194304;",
    )?;
    conn.set_prepared_statement_cache_capacity(128);
    Ok(())
}

/// Writes all of the side file into the file and cuts it to nothing.
pub(crate) fn checkpoint(conn: &Connection) -> Result<(), StoreError> {
    let busy: i64 = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    match busy {
        0 => Ok(()),
        // A reader has not let go of an older state for so long as the busy time-out lasts.
        _ => Err(StoreError::Busy { path: PathBuf::new() }),
    }
}

/// Makes the file before SQLite does, so that no other user can ever read it. SQLite gives its side files the same mode.
#[cfg(unix)]
fn make_private(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    outcome(made, path)
}

/// The folder's own access list guards the file on Windows.
#[cfg(not(unix))]
fn make_private(path: &Path) -> Result<(), StoreError> {
    outcome(std::fs::OpenOptions::new().write(true).create_new(true).open(path), path)
}

fn outcome(made: std::io::Result<std::fs::File>, path: &Path) -> Result<(), StoreError> {
    use std::io::ErrorKind;
    let path: PathBuf = path.to_owned();
    match made {
        Ok(_) => {
            // The name of a file is on the disk only when its folder is. Some systems cannot say so: that is no error.
            if let Some(folder) = path.parent()
                && let Err(error) = std::fs::File::open(folder).and_then(|folder| folder.sync_all())
            {
                tracing::debug!(%error, "the folder of the new ledger was not synced");
            }
            Ok(())
        }
        Err(error) => match error.kind() {
            ErrorKind::AlreadyExists => Ok(()),
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Err(StoreError::ReadOnly { path }),
            ErrorKind::StorageFull => Err(StoreError::Full { path }),
            _ => Err(StoreError::CannotOpen { path, source: error }),
        },
    }
}
