//! The wrapper between TLS and the protocol libraries. It reads what the server sends before they do, byte by byte,
//! and breaks the connection where they would hang, take memory without end, or abort the process.
//!
//! Invariant: a library sees whole lines and literals only, and never a byte of a line that broke a limit. So it
//! parses a line once, however small the pieces in which it arrives, and never meets what the guard refuses.

mod imap;
mod limits;
mod smtp;
#[cfg(test)]
mod tests;

pub use limits::Limits;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// What the server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// RFC 3501 and RFC 9051.
    Imap,
    /// RFC 5321 §4.2.
    Smtp,
}

/// The limit or the rule that a server broke. None of its bytes is in here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    #[error("a line is too long")]
    LineTooLong,
    #[error("a literal is too large")]
    LiteralTooLarge,
    #[error("the length of a literal cannot be read")]
    LiteralMalformed,
    #[error("a response has too many literals")]
    TooManyLiterals,
    #[error("parentheses are nested too deep")]
    NestingTooDeep,
    #[error("parentheses do not match")]
    Unbalanced,
    #[error("a quoted string does not end, or begins inside a word")]
    BrokenQuote,
    #[error("a line ends without CR and LF")]
    BareLineBreak,
    #[error("a response is too large")]
    ResponseTooLarge,
    #[error("too many responses came to one command")]
    TooManyResponses,
    #[error("a response that nobody asked for, or a message without a date")]
    Unreadable,
    #[error("a reply does not begin with three digits")]
    NotAReply,
}

/// The violation inside an I/O error that came through a [`Guard`].
pub fn violation(err: &io::Error) -> Option<Violation> {
    let mut source: Option<&(dyn std::error::Error + 'static)> = err.get_ref().map(|e| e as _);
    while let Some(error) = source {
        if let Some(violation) = error.downcast_ref::<Violation>() {
            return Some(*violation);
        }
        source = error.source();
    }
    None
}

/// Where a byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// More of the line must come.
    Line,
    /// A line is over, its response is not.
    LineEnd,
    ResponseEnd,
}

#[derive(Debug)]
enum Lexer {
    Imap(imap::Lexer),
    Smtp(smtp::Lexer),
}

impl Lexer {
    fn new(protocol: Protocol, limits: Limits) -> Self {
        match protocol {
            Protocol::Imap => Lexer::Imap(imap::Lexer::new(limits)),
            Protocol::Smtp => Lexer::Smtp(smtp::Lexer::new(limits)),
        }
    }

    fn feed(&mut self, byte: u8) -> Result<At, Violation> {
        match self {
            Lexer::Imap(lexer) => lexer.feed(byte),
            Lexer::Smtp(lexer) => lexer.feed(byte),
        }
    }

    /// Bytes of a literal that are still to come; they are not fed but skipped.
    fn literal_left(&self) -> u64 {
        match self {
            Lexer::Imap(lexer) => lexer.literal_left(),
            Lexer::Smtp(_) => 0,
        }
    }

    /// Notes `count` bytes of a literal, at most [`Lexer::literal_left`].
    fn skip(&mut self, count: u64) {
        if let Lexer::Imap(lexer) = self {
            lexer.skip(count);
        }
    }

    fn between_responses(&self) -> bool {
        match self {
            Lexer::Imap(lexer) => lexer.between_responses(),
            Lexer::Smtp(lexer) => lexer.between_replies(),
        }
    }
}

/// A stream whose reading side keeps to [`Limits`]. After a violation every read fails with
/// [`io::ErrorKind::InvalidData`]; an end of the stream inside a response is [`io::ErrorKind::UnexpectedEof`].
pub struct Guard<S> {
    inner: S,
    protocol: Protocol,
    limits: Limits,
    lexer: Lexer,
    /// Most responses until the next command.
    budget: u64,
    responses: u64,
    /// Read and looked at: `held[given..ready]` may be given out, `held[ready..]` is an unfinished line.
    held: Vec<u8>,
    given: usize,
    ready: usize,
    failed: Option<Violation>,
    bytes_in: u64,
    bytes_out: u64,
    scratch: Box<[u8; SCRATCH]>,
}

const SCRATCH: usize = 8 * 1024;

impl<S> std::fmt::Debug for Guard<S> {
    /// Without what was sent.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard")
            .field("protocol", &self.protocol)
            .field("bytes_in", &self.bytes_in)
            .field("bytes_out", &self.bytes_out)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

impl<S> Guard<S> {
    pub fn new(inner: S, protocol: Protocol, limits: Limits) -> Self {
        Self {
            inner,
            protocol,
            limits,
            lexer: Lexer::new(protocol, limits),
            budget: limits.untagged_per_command,
            responses: 0,
            held: Vec::new(),
            given: 0,
            ready: 0,
            failed: None,
            bytes_in: 0,
            bytes_out: 0,
            scratch: Box::new([0; SCRATCH]),
        }
    }

    /// What is guarded.
    pub(crate) fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Begins to count responses anew, with the budget of [`Limits`]. Every write begins the count anew too, but
    /// keeps the budget.
    pub fn command_started(&mut self) {
        self.command_started_with(self.limits.untagged_per_command);
    }

    /// As [`Guard::command_started`], for a command to which `untagged` responses may come: a FETCH of 100,000
    /// headers is allowed where it was asked for. The budget stands until it is set again.
    pub fn command_started_with(&mut self, untagged: u64) {
        self.responses = 0;
        self.budget = untagged;
    }

    /// Bytes received, after decryption.
    pub fn bytes_in(&self) -> u64 {
        self.bytes_in
    }

    /// Bytes sent, before encryption.
    pub fn bytes_out(&self) -> u64 {
        self.bytes_out
    }

    /// What was received and not read, the beginning of an unfinished line included.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.held[self.given..]
    }

    /// The stream inside; none where bytes were received that nobody has read, for they would be lost.
    pub(crate) fn into_inner(self) -> Option<S> {
        self.unread().is_empty().then_some(self.inner)
    }

    /// Looks at what lies in `scratch[..count]` and keeps it.
    fn take_in(&mut self, count: usize) {
        let mut at = 0;
        while at < count {
            let left = self.lexer.literal_left();
            if left > 0 {
                let part = usize::try_from(left).unwrap_or(usize::MAX).min(count - at);
                self.lexer.skip(part as u64);
                at += part;
                self.ready = self.held.len() + at;
                continue;
            }
            let verdict = self.lexer.feed(self.scratch[at]);
            at += 1;
            match verdict {
                Ok(At::Line) => {}
                Ok(At::LineEnd) => self.ready = self.held.len() + at,
                Ok(At::ResponseEnd) => {
                    self.responses += 1;
                    if self.protocol == Protocol::Imap && self.responses > self.budget.saturating_add(1) {
                        self.failed = Some(Violation::TooManyResponses);
                        break;
                    }
                    self.ready = self.held.len() + at;
                }
                Err(violation) => {
                    self.failed = Some(violation);
                    break;
                }
            }
        }
        self.held.extend_from_slice(&self.scratch[..at]);
    }

    /// Moves what may be given out into `buf`.
    fn give(&mut self, buf: &mut ReadBuf<'_>) {
        let count = buf.remaining().min(self.ready - self.given);
        buf.put_slice(&self.held[self.given..self.given + count]);
        self.given += count;
        if self.given == self.held.len() {
            self.held.clear();
            self.held.shrink_to(2 * SCRATCH);
            (self.given, self.ready) = (0, 0);
        } else if self.given == self.ready && self.given > 0 {
            self.held.drain(..self.given);
            (self.given, self.ready) = (0, 0);
        }
    }
}

impl<S: AsyncRead + Unpin> Guard<S> {
    /// Reads exactly one response with its literals; what follows it stays unread. None at the end of the stream.
    pub(crate) async fn read_response(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut lexer = Lexer::new(self.protocol, self.limits);
        let mut response = Vec::new();
        let mut byte = [0];
        loop {
            if self.read(&mut byte).await? == 0 {
                return Ok(None);
            }
            response.push(byte[0]);
            if lexer.literal_left() > 0 {
                lexer.skip(1);
            } else if lexer.feed(byte[0]).map_err(invalid)? == At::ResponseEnd {
                return Ok(Some(response));
            }
        }
    }
}

fn invalid(violation: Violation) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, violation)
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            if this.ready > this.given {
                this.give(buf);
                return Poll::Ready(Ok(()));
            }
            if let Some(violation) = this.failed {
                return Poll::Ready(Err(invalid(violation)));
            }
            let left = this.lexer.literal_left();
            if left > 0 && this.held.is_empty() {
                // The middle of a literal goes straight through.
                let most = usize::try_from(left).unwrap_or(usize::MAX).min(buf.remaining());
                let mut part = ReadBuf::new(buf.initialize_unfilled_to(most));
                ready!(Pin::new(&mut this.inner).poll_read(cx, &mut part))?;
                let count = part.filled().len();
                if count == 0 {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                buf.advance(count);
                this.lexer.skip(count as u64);
                this.bytes_in += count as u64;
                return Poll::Ready(Ok(()));
            }
            let mut part = ReadBuf::new(&mut this.scratch[..]);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut part))?;
            let count = part.filled().len();
            if count == 0 {
                return Poll::Ready(if this.lexer.between_responses() {
                    Ok(())
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                });
            }
            this.bytes_in += count as u64;
            this.take_in(count);
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.inner).poll_write(cx, buf))?;
        self.bytes_out += count as u64;
        self.responses = 0;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
