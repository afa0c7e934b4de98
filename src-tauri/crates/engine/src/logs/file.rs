//! The log's files: one that is written, and the one before it.

use super::LogLine;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file is closed at this size, in bytes. Two are kept.
const MOST_BYTES: u64 = 1024 * 1024;

#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    open: Option<(File, u64)>,
}

impl LogFile {
    pub fn in_folder(dir: &Path) -> Self {
        Self { path: dir.join("threadline.log"), open: None }
    }

    /// The file that is written, and the one before it.
    pub fn paths(&self) -> (PathBuf, PathBuf) {
        (self.path.clone(), self.path.with_extension("old.log"))
    }

    /// Deletes both files.
    pub fn remove(&mut self) {
        self.open = None;
        let (new, old) = self.paths();
        for path in [new, old] {
            // One that is not there is deleted.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Writes a line. Where the disk is full it is lost here, and stays in memory.
    pub fn write(&mut self, line: &LogLine) {
        let text = as_text(line);
        if self.open.as_ref().is_some_and(|(_, size)| *size + text.len() as u64 > MOST_BYTES) {
            self.open = None;
            let _ = std::fs::rename(&self.path, self.path.with_extension("old.log"));
        }
        if self.open.is_none() {
            self.open = open(&self.path).ok();
        }
        if let Some((file, size)) = &mut self.open {
            match file.write_all(text.as_bytes()) {
                Ok(()) => *size += text.len() as u64,
                Err(_) => self.open = None,
            }
        }
    }
}

/// One line of the file.
pub(super) fn as_text(line: &LogLine) -> String {
    format!("{} {:?} {} {}\n", line.at, line.level, line.target, line.text)
}

fn open(path: &Path) -> std::io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::Level;
    use jiff::Timestamp;

    #[test]
    fn the_files_do_not_grow_without_end() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = LogFile::in_folder(dir.path());
        let text = "x".repeat(1_000);
        let line = LogLine { id: 0, at: Timestamp::UNIX_EPOCH, level: Level::Info, target: "t".into(), text };
        for _ in 0..3 * MOST_BYTES / 1_000 {
            file.write(&line);
        }
        let sizes: Vec<u64> =
            std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).collect();
        assert_eq!(sizes.len(), 2);
        assert!(sizes.iter().all(|size| *size <= MOST_BYTES && *size > 0), "{sizes:?}");
    }

    #[test]
    fn what_is_deleted_is_gone_and_the_next_line_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = LogFile::in_folder(dir.path());
        let text = "x".to_owned();
        let line = LogLine { id: 0, at: Timestamp::UNIX_EPOCH, level: Level::Info, target: "t".into(), text };
        file.write(&line);
        file.remove();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        file.write(&line);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_gone_stops_nothing() {
        let mut file = LogFile::in_folder(Path::new("/nowhere/at/all"));
        let line = LogLine {
            id: 0,
            at: Timestamp::UNIX_EPOCH,
            level: Level::Info,
            target: "t".into(),
            text: "x".into(),
        };
        file.write(&line);
        assert!(file.open.is_none());
    }
}
