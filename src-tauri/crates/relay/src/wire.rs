//! The connection to a mail program: lines and pieces in, answers out.

use crate::answer::Answer;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};
use zeroize::{Zeroize as _, Zeroizing};

/// Bytes read at once.
const PIECE: usize = 32 * 1024;

/// Why a connection is over.
#[derive(Debug)]
pub(crate) enum Lost {
    /// The mail program is gone, or the connection broke.
    Gone,
    /// It was silent for too long, or took too long.
    Late,
    /// It said more than is read.
    TooMuch,
}

impl From<io::Error> for Lost {
    fn from(_: io::Error) -> Self {
        Lost::Gone
    }
}

/// A line of a mail program.
pub(crate) enum Line {
    /// Without its end. Wiped when dropped: it may be a password.
    Whole(Zeroizing<Vec<u8>>),
    /// It was read to its end and forgotten.
    TooLong,
    /// It ends with a bare LF, or holds a bare CR or a NUL.
    Broken,
}

pub(crate) struct Wire<S> {
    stream: S,
    held: Zeroizing<Vec<u8>>,
    /// Where in `held` the unread begins.
    at: usize,
    out: Vec<u8>,
    /// How long it may be silent, and the moment by which all must be over.
    idle: Duration,
    until: Option<Instant>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(crate) fn new(stream: S, idle: Duration) -> Self {
        Self {
            stream,
            held: Zeroizing::new(Vec::with_capacity(PIECE)),
            at: 0,
            out: Vec::new(),
            idle,
            until: None,
        }
    }

    /// Everything must be over by then.
    pub(crate) fn end_within(&mut self, time: Option<Duration>) {
        self.until = time.map(|time| Instant::now() + time);
    }

    /// What came and was not read yet.
    pub(crate) fn pending(&self) -> &[u8] {
        &self.held[self.at..]
    }

    /// Marks so much of it as read.
    pub(crate) fn take(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.held.len());
    }

    /// The stream, where nothing that came on it is left unread.
    pub(crate) fn into_inner(self) -> Option<S> {
        self.pending().is_empty().then_some(self.stream)
    }

    /// Puts an answer behind those that wait. They leave when the mail program is listened to next: one packet for commands
    /// that came in one.
    pub(crate) fn say(&mut self, answer: &Answer) {
        answer.write(&mut self.out);
    }

    /// Lets go what waits.
    pub(crate) async fn flush(&mut self) -> Result<(), Lost> {
        if self.out.is_empty() {
            return Ok(());
        }
        let deadline = self.deadline();
        let out = std::mem::take(&mut self.out);
        let written = async {
            self.stream.write_all(&out).await?;
            self.stream.flush().await
        };
        Ok(timeout_at(deadline, written).await.map_err(|_| Lost::Late)??)
    }

    /// Says the last words and closes.
    pub(crate) async fn close(mut self) {
        // Nobody may be there any more.
        let _ = self.flush().await;
        let _ = timeout_at(self.deadline(), self.stream.shutdown()).await;
    }

    fn deadline(&self) -> Instant {
        let idle = Instant::now() + self.idle;
        self.until.map_or(idle, |until| idle.min(until))
    }

    /// Waits for more to be pending.
    pub(crate) async fn more(&mut self) -> Result<(), Lost> {
        self.flush().await?;
        self.make_room();
        let deadline = self.deadline();
        let read = timeout_at(deadline, self.stream.read_buf(&mut *self.held)).await;
        match read.map_err(|_| Lost::Late)?? {
            0 => Err(Lost::Gone),
            _ => Ok(()),
        }
    }

    /// Takes what has come by now, without waiting.
    pub(crate) async fn glance(&mut self) -> Result<(), Lost> {
        self.make_room();
        tokio::select! {
            biased;
            read = self.stream.read_buf(&mut *self.held) => match read? {
                0 => Err(Lost::Gone),
                _ => Ok(()),
            },
            () = std::future::ready(()) => Ok(()),
        }
    }

    /// Takes what has come by now, up to so many bytes, without waiting.
    pub(crate) async fn take_in(&mut self, most: usize) -> Result<(), Lost> {
        while self.pending().len() < most {
            let before = self.pending().len();
            self.glance().await?;
            if self.pending().len() == before {
                break;
            }
        }
        Ok(())
    }

    /// What `of` makes of the next line, where that lies here whole; else the line stays.
    pub(crate) fn line_here<T>(&mut self, most: usize, of: impl Fn(&str) -> Option<T>) -> Option<T> {
        let end = self.pending().iter().position(|b| *b == b'\n')?;
        let line = self.pending()[..=end].strip_suffix(b"\r\n").filter(|_| end < most)?;
        let is_clean = !line.contains(&b'\r') && !line.contains(&0);
        let found = std::str::from_utf8(line).ok().filter(|_| is_clean).and_then(of)?;
        self.take(end + 1);
        Some(found)
    }

    fn make_room(&mut self) {
        if self.at == self.held.len() {
            self.held.clear();
            self.at = 0;
        } else if self.at > 0 {
            self.held.drain(..self.at);
            self.at = 0;
        }
        if self.held.capacity() - self.held.len() < 1024 {
            self.held.reserve(PIECE);
        }
    }

    /// The next line of at most `most` bytes with its end. One beyond `overlong` ends the connection.
    pub(crate) async fn line(&mut self, most: usize, overlong: usize) -> Result<Line, Lost> {
        let mut dropped = 0;
        loop {
            if let Some(end) = self.pending().iter().position(|b| *b == b'\n') {
                let whole = &self.held[self.at..=self.at + end];
                let line = match whole.strip_suffix(b"\r\n") {
                    _ if dropped + whole.len() > most => Line::TooLong,
                    Some(line) if !line.contains(&b'\r') && !line.contains(&0) => {
                        Line::Whole(Zeroizing::new(line.to_vec()))
                    }
                    _ => Line::Broken,
                };
                let begin = self.at;
                self.held[begin..=begin + end].zeroize();
                self.take(end + 1);
                return Ok(line);
            }
            let waiting = self.pending().len();
            if dropped + waiting > overlong {
                return Err(Lost::TooMuch);
            }
            if dropped + waiting > most {
                dropped += waiting;
                self.held.zeroize();
                self.at = 0;
            }
            self.more().await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(300);

    async fn lines(said: &[u8]) -> Vec<String> {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        client.write_all(said).await.unwrap();
        drop(client);
        let mut wire = Wire::new(server, IDLE);
        let mut found = Vec::new();
        loop {
            match wire.line(16, 64).await {
                Ok(Line::Whole(line)) => found.push(String::from_utf8_lossy(&line).into_owned()),
                Ok(Line::TooLong) => found.push("(too long)".to_owned()),
                Ok(Line::Broken) => found.push("(broken)".to_owned()),
                Err(lost) => {
                    found.push(format!("{lost:?}"));
                    return found;
                }
            }
        }
    }

    #[tokio::test]
    async fn a_line_ends_with_cr_and_lf() {
        assert_eq!(
            lines(b"a\r\nb\n\rc\r\n\0\r\nd\r\n").await,
            ["a", "(broken)", "(broken)", "(broken)", "d", "Gone"]
        );
    }

    #[tokio::test]
    async fn a_long_line_is_read_to_its_end_and_a_very_long_one_ends_it() {
        let long = "x".repeat(15);
        assert_eq!(lines(format!("{long}\r\nNOOP\r\n").as_bytes()).await, ["(too long)", "NOOP", "Gone"]);
        let fits = "x".repeat(14);
        assert_eq!(lines(format!("{fits}\r\n").as_bytes()).await, [fits.as_str(), "Gone"]);
        assert_eq!(lines("x".repeat(65).as_bytes()).await, ["TooMuch"]);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_and_slowness_end_it() {
        let (_client, server) = tokio::io::duplex(64);
        let mut wire = Wire::new(server, IDLE);
        assert!(matches!(wire.more().await, Err(Lost::Late)));
        wire.end_within(Some(Duration::from_secs(1)));
        let begun = Instant::now();
        assert!(matches!(wire.more().await, Err(Lost::Late)));
        assert_eq!(begun.elapsed().as_secs(), 1);
    }

    #[tokio::test]
    async fn a_glance_does_not_wait() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut wire = Wire::new(server, IDLE);
        wire.glance().await.unwrap();
        assert!(wire.pending().is_empty());
        client.write_all(b"x").await.unwrap();
        wire.glance().await.unwrap();
        assert_eq!(wire.pending(), b"x");
        assert!(wire.into_inner().is_none(), "something was said behind");
    }
}
