//! Setting a ledger's file aside: its key is gone, or it is damaged. It is never overwritten.

use crate::error::StoreError;
use jiff::Timestamp;
use std::ffi::OsString;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// Renames a closed ledger, with its side files, so that a new one can be made at its path. Gives the new path, which
/// carries the time in its name.
pub fn move_aside(path: &Path, at: Timestamp) -> Result<PathBuf, StoreError> {
    let failed = |source| StoreError::CannotOpen { path: path.to_owned(), source };
    let aside = with_suffix(path, &format!(".aside-{}", at.strftime("%Y%m%dT%H%M%SZ")));
    if aside.try_exists().map_err(failed)? {
        return Err(failed(Error::from(ErrorKind::AlreadyExists)));
    }
    // The file itself goes last: a WAL that was left behind would be played into the new ledger.
    for side in ["-wal", "-shm", ""] {
        match std::fs::rename(with_suffix(path, side), with_suffix(&aside, side)) {
            Err(error) if error.kind() != ErrorKind::NotFound || side.is_empty() => {
                return Err(failed(error));
            }
            _ => {}
        }
    }
    Ok(aside)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
