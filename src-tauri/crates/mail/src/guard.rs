//! The wrapper between TLS and the protocol libraries.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub line: usize,
    pub literal: u64,
    pub literals: u32,
    pub depth: u16,
    pub response: u64,
    pub untagged_per_command: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Imap,
    Smtp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    #[error("a line is too long")]
    LineTooLong,
}

impl Limits {
    pub fn imap() -> Self {
        Self {
            line: 256 * 1024,
            literal: 26 << 20,
            literals: 1_000,
            depth: 64,
            response: 28 << 20,
            untagged_per_command: 100_000,
        }
    }
}

#[derive(Debug)]
pub struct Guard<S> {
    inner: S,
}

impl<S> Guard<S> {
    pub fn new(inner: S, _protocol: Protocol, _limits: Limits) -> Self {
        Self { inner }
    }
    /// Resets the counters of the command and goes back to the default budget.
    pub fn command_started(&mut self) {}
    /// Resets the counters and allows this many untagged responses until the next `command_started`.
    pub fn command_started_with(&mut self, _untagged: u64) {}
    pub fn bytes_in(&self) -> u64 {
        0
    }
    pub fn bytes_out(&self) -> u64 {
        0
    }
}

pub fn violation(err: &io::Error) -> Option<Violation> {
    err.get_ref()?.downcast_ref::<Violation>().copied()
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
