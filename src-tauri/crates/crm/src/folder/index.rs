//! Which keys are in the event file, kept in 16 bytes each and read from where the last look ended.

use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use threadline_core::id::MessageKey;

/// The keys seen so far.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// The first halves of the keys (SHA-256), sorted.
    keys: Vec<u128>,
    /// Bytes of the file that are read.
    read: u64,
    /// What stood last before that place: tells a file that was put in its place from the one that was read.
    mark: Vec<u8>,
}

/// Length of [`Index::mark`], in bytes.
const MARK: u64 = 64;

#[derive(Deserialize)]
struct Line {
    key: MessageKey,
}

fn half(key: &MessageKey) -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&key.as_bytes()[..16]);
    u128::from_be_bytes(bytes)
}

impl Index {
    pub fn contains(&self, key: &MessageKey) -> bool {
        self.keys.binary_search(&half(key)).is_ok()
    }

    /// Reads what others have written since. A last line that is torn is what a crash left: it is cut off. One that is whole
    /// but for its end was written by a person or a copying program: it stays, and gets its end. The caller holds the lock,
    /// so nobody is in the middle of writing it.
    pub fn catch_up(&mut self, events: &mut File) -> io::Result<()> {
        let length = events.metadata()?.len();
        if length < self.read || self.mark != mark(events, self.read)? {
            *self = Self::default();
        }
        if length == self.read {
            return Ok(());
        }
        events.seek(SeekFrom::Start(self.read))?;
        let mut reader = BufReader::with_capacity(256 * 1024, &*events);
        let mut line = Vec::new();
        let mut torn = false;
        let mut unended = false;
        loop {
            line.clear();
            let bytes = reader.read_until(b'\n', &mut line)? as u64;
            if bytes == 0 {
                break;
            }
            if line.last() != Some(&b'\n') {
                torn = serde_json::from_slice::<Line>(&line).is_err();
                if torn {
                    break;
                }
                unended = true;
            }
            self.read += bytes;
            // A line that a person wrote or broke is not ours to judge.
            if let Ok(line) = serde_json::from_slice::<Line>(&line) {
                self.keys.push(half(&line.key));
            }
        }
        drop(reader);
        self.keys.sort_unstable();
        self.keys.dedup();
        if torn {
            events.set_len(self.read)?;
            events.sync_all()?;
        }
        if unended {
            events.seek(SeekFrom::Start(self.read))?;
            events.write_all(b"\n")?;
            events.sync_all()?;
            self.read += 1;
        }
        self.mark = mark(events, self.read)?;
        Ok(())
    }

    /// Appends whole lines and makes them last.
    pub fn append(&mut self, events: &mut File, lines: &[u8], keys: BTreeSet<MessageKey>) -> io::Result<()> {
        events.seek(SeekFrom::Start(self.read))?;
        events.write_all(lines)?;
        events.sync_all()?;
        self.read += lines.len() as u64;
        self.keys.extend(keys.iter().map(half));
        self.keys.sort_unstable();
        self.mark = mark(events, self.read)?;
        Ok(())
    }
}

/// Where the line of a message says that its file is.
pub(super) fn eml_of(events: &mut File, key: &MessageKey) -> io::Result<Option<String>> {
    #[derive(Deserialize)]
    struct Place {
        key: MessageKey,
        eml: String,
    }
    events.seek(SeekFrom::Start(0))?;
    for line in BufReader::new(&*events).split(b'\n') {
        match serde_json::from_slice::<Place>(&line?) {
            Ok(place) if place.key == *key => return Ok(Some(place.eml)),
            _ => {}
        }
    }
    Ok(None)
}

/// The bytes before `end`.
fn mark(events: &mut File, end: u64) -> io::Result<Vec<u8>> {
    let start = end.saturating_sub(MARK);
    events.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    events.take(end - start).read_to_end(&mut bytes)?;
    Ok(bytes)
}
