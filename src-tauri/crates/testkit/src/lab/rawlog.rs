//! Dovecot's own record of each session: proof of what a client asked for and what it was given.

use anyhow::{Context, Result};
use std::path::PathBuf;
use std::time::SystemTime;

/// One session after sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawSession {
    /// What the client sent.
    pub input: Vec<u8>,
    /// What the server answered.
    pub output: Vec<u8>,
}

impl RawSession {
    /// What the client sent, as text.
    pub fn asked(&self) -> String {
        String::from_utf8_lossy(&self.input).into_owned()
    }

    /// What the server answered, as text.
    pub fn answered(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }
}

/// Reads the sessions of these folders, the oldest first.
pub(crate) fn read<const N: usize>(folders: [PathBuf; N]) -> Result<Vec<RawSession>> {
    let mut sessions: Vec<(SystemTime, PathBuf)> = Vec::new();
    for folder in folders.iter().filter(|f| f.exists()) {
        for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "in") {
                let about = path.metadata()?;
                sessions.push((about.created().or_else(|_| about.modified())?, path));
            }
        }
    }
    sessions.sort();
    let bytes =
        |path: PathBuf| std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()));
    sessions
        .into_iter()
        .map(|(_, path)| {
            Ok(RawSession { input: bytes(path.clone())?, output: bytes(path.with_extension("out"))? })
        })
        .collect()
}
