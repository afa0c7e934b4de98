//! Dovecot's own record of each session: proof of what a client asked for and what it was given.

use anyhow::{Context, Result, anyhow};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// One session after sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawSession {
    /// What the client sent.
    pub input: Vec<u8>,
    /// What the server answered.
    pub output: Vec<u8>,
    /// Both, line by line, in the order in which the server saw and said them.
    pub lines: Vec<RawLine>,
}

/// One line of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawLine {
    /// Microseconds since 1970, by the server's clock, when the line began.
    pub at: u64,
    pub from_client: bool,
    /// With its line end, where it has one.
    pub bytes: Vec<u8>,
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

    /// How often the client spoke after the server had: commands sent together count once.
    pub fn turns(&self) -> usize {
        let turn = |pair: &[RawLine]| !pair[0].from_client && pair[1].from_client;
        let first = self.lines.first().is_some_and(|line| line.from_client);
        usize::from(first) + self.lines.windows(2).filter(|pair| turn(pair)).count()
    }

    fn new(input: &[u8], output: &[u8]) -> Result<Self> {
        let mut lines = split(input, true)?;
        lines.append(&mut split(output, false)?);
        // Stable: what a client sent in the same microsecond came before what it was answered.
        lines.sort_by_key(|line| line.at);
        let all = |from_client: bool| {
            lines
                .iter()
                .filter(|l| l.from_client == from_client)
                .flat_map(|l| l.bytes.iter().copied())
                .collect()
        };
        Ok(Self { input: all(true), output: all(false), lines })
    }
}

/// Dovecot writes the time before each line, as seconds, a dot, six digits and a space.
fn split(record: &[u8], from_client: bool) -> Result<Vec<RawLine>> {
    let line = |line: &[u8]| {
        let space = line.iter().position(|b| *b == b' ')?;
        let time = std::str::from_utf8(&line[..space]).ok()?;
        let (seconds, micros) = time.split_once('.')?;
        let at = seconds.parse::<u64>().ok()? * 1_000_000 + micros.parse::<u64>().ok()?;
        Some(RawLine { at, from_client, bytes: line[space + 1..].to_vec() })
    };
    record
        .split_inclusive(|b| *b == b'\n')
        .map(|l| {
            line(l)
                .ok_or_else(|| anyhow!("a line of the record has no time: {:?}", String::from_utf8_lossy(l)))
        })
        .collect()
}

/// Reads the sessions recorded in a folder, the oldest first.
pub(crate) fn read(folder: &Path) -> Result<Vec<RawSession>> {
    let mut sessions: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "in") {
            let about = path.metadata()?;
            sessions.push((about.created().or_else(|_| about.modified())?, path));
        }
    }
    sessions.sort();
    let bytes = |path: &Path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    sessions
        .into_iter()
        .map(|(_, path)| RawSession::new(&bytes(&path)?, &bytes(&path.with_extension("out"))?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_taken_off_and_put_the_lines_in_order() {
        let session = RawSession::new(
            b"10.000002 b NOOP\r\n10.000002 c NOOP\r\n10.000009 d 1.5 x",
            b"10.000001 a OK in\r\n10.000002 b OK\r\n10.000003 c OK\r\n",
        )
        .unwrap();
        assert_eq!(session.asked(), "b NOOP\r\nc NOOP\r\nd 1.5 x");
        assert_eq!(session.answered(), "a OK in\r\nb OK\r\nc OK\r\n");
        assert_eq!(session.turns(), 2);
    }

    #[test]
    fn a_record_in_another_form_is_not_guessed_at() {
        assert!(RawSession::new(b"b NOOP\r\n", b"").is_err());
    }
}
