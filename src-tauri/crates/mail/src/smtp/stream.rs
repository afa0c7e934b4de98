//! The stream under lettre, which is ours as well: lettre reads one reply at a time from it, and between its commands the text
//! of a mail is written through another handle.

use crate::dial::Encrypted;
use crate::guard::Guard;
use lettre::transport::smtp::client::AsyncTokioStream;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// lettre waits for a greeting; the server's own was read before, or there is none after STARTTLS.
const GREETING: &[u8] = b"220 ready\r\n";

/// One of the handles of a stream. The lock is held while the stream is polled and never longer.
#[derive(Clone)]
pub(crate) struct Stream {
    shared: Arc<Mutex<Shared>>,
    peer: SocketAddr,
}

/// A stream on which the greeting and EHLO are over already: lettre's own EHLO is not sent again, and gets the
/// answer that the server gave to ours. Were it lettre's to ask, a refusal would make it wait for the answer to a
/// QUIT without end.
///
/// Invariant: lettre gets no byte of a reply before it has asked for that reply, so none lies in its buffer that came too early.
struct Shared {
    stream: Guard<Encrypted>,
    /// What lettre is given: one reply, as valid text.
    reply: Vec<u8>,
    given: usize,
    /// Read from the server, and not yet begun to be given.
    ahead: Vec<u8>,
    /// Bytes of lettre's EHLO that are still to be kept back.
    hello: usize,
}

impl Stream {
    /// `answer` is the server's to EHLO, and lettre's EHLO will have `hello` bytes.
    pub fn new(stream: Guard<Encrypted>, peer: SocketAddr, answer: &[u8], hello: usize) -> Self {
        let reply = [GREETING, answer].concat();
        let shared = Shared { stream, reply, given: 0, ahead: Vec::new(), hello };
        Self { shared: Arc::new(Mutex::new(shared)), peer }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reply that lettre read last, whole.
    pub fn last(&self) -> Vec<u8> {
        self.lock().reply.clone()
    }

    /// Whether the server has said something that nobody has asked for yet, or has hung up. Does not wait.
    pub async fn spoke_early(&self) -> bool {
        poll_fn(|cx| {
            let mut shared = self.lock();
            if !shared.ahead.is_empty() {
                return Poll::Ready(true);
            }
            // Its end and its failure are read once more by whoever reads next.
            Poll::Ready(shared.read_ahead(cx).is_ready())
        })
        .await
    }
}

impl Shared {
    /// Reads some bytes more; 0 at the end of the stream.
    fn read_ahead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut chunk = [0; 1024];
        let mut buf = ReadBuf::new(&mut chunk);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf))?;
        let read = buf.filled();
        self.ahead.extend_from_slice(read);
        Poll::Ready(Ok(read.len()))
    }

    /// Makes the next whole reply what lettre is given.
    fn next_reply(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if let Some(end) = reply_end(&self.ahead) {
                let raw: Vec<u8> = self.ahead.drain(..end).collect();
                (self.reply, self.given) = (readable(&raw), 0);
                return Poll::Ready(Ok(()));
            }
            if ready!(self.read_ahead(cx))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }
}

/// Where the first reply ends: behind the line whose code no hyphen follows.
fn reply_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(length) = bytes[at..].iter().position(|byte| *byte == b'\n') {
        let line = &bytes[at..at + length];
        at += length + 1;
        if line.get(3) != Some(&b'-') {
            return Some(at);
        }
    }
    None
}

/// A reply as lettre can read it: in UTF-8, and with a blank behind a code that stands alone.
fn readable(raw: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(raw);
    let lines = text.split_inclusive('\n').map(|line| match line.trim_end().len() {
        3 => format!("{} \r\n", line.trim_end()),
        _ => line.to_owned(),
    });
    lines.collect::<String>().into_bytes()
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl AsyncTokioStream for Stream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut shared = self.lock();
        if shared.given == shared.reply.len() {
            ready!(shared.next_reply(cx))?;
        }
        let from = shared.given;
        let to = shared.reply.len().min(from + buf.remaining());
        buf.put_slice(&shared.reply[from..to]);
        shared.given = to;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut shared = self.lock();
        if shared.hello > 0 {
            let kept_back = buf.len().min(shared.hello);
            shared.hello -= kept_back;
            return Poll::Ready(Ok(kept_back));
        }
        Pin::new(&mut shared.stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_ends_behind_its_last_line() {
        for (bytes, end) in [
            (&b""[..], None),
            (b"250-a\r\n", None),
            (b"250-a\r\n250", None),
            (b"250 a\r\n", Some(7)),
            (b"250\r\n", Some(5)),
            (b"250-a\r\n250 b\r\n354 c\r\n", Some(14)),
        ] {
            assert_eq!(reply_end(bytes), end, "{bytes:?}");
        }
    }

    #[test]
    fn lettre_is_given_what_it_can_read() {
        assert_eq!(readable(b"250\r\n"), b"250 \r\n");
        assert_eq!(
            readable(b"550-n\xe4chste\r\n550 Zeile\r\n"),
            "550-n\u{fffd}chste\r\n550 Zeile\r\n".as_bytes()
        );
    }
}
