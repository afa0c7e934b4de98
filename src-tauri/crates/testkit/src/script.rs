//! A server that plays a script of bytes, in plaintext, inside TLS, or first the one and then the other, and keeps
//! what the client said. It knows no protocol: so it can break each of them.

use crate::certs::Identity;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// How long a client that neither speaks nor goes is listened to after the script's end.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What one connection plays, step by step; at the end it hangs up.
#[derive(Debug, Clone, Default)]
pub struct Script {
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
enum Step {
    Send(Vec<u8>),
    Repeat(Vec<u8>, usize),
    Dribble(Vec<u8>),
    Slowly(Vec<u8>, usize, Duration),
    Expect(String),
    Tls(Identity),
    Hang,
    Reset,
}

impl Script {
    pub fn new() -> Self {
        Self::default()
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Sends these bytes. `{tag}` stands for the first word of the line read last.
    pub fn send(self, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Step::Send(bytes.as_ref().to_vec()))
    }

    /// Sends the same bytes so many times.
    pub fn repeat(self, bytes: impl AsRef<[u8]>, times: usize) -> Self {
        self.then(Step::Repeat(bytes.as_ref().to_vec(), times))
    }

    /// Sends byte by byte, each in a packet of its own (inside TLS: a record).
    pub fn dribble(self, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Step::Dribble(bytes.as_ref().to_vec()))
    }

    /// Sends the same bytes so many times, each time after a pause. The pause is tokio's, so that a test can turn the clock.
    pub fn slowly(self, bytes: impl AsRef<[u8]>, times: usize, pause: Duration) -> Self {
        self.then(Step::Slowly(bytes.as_ref().to_vec(), times, pause))
    }

    /// Reads a line, which must hold this text (without regard to case); "" takes any line. On another line the
    /// connection ends, and [`Transcript::mismatch`] holds the line.
    pub fn expect(self, text: &str) -> Self {
        self.then(Step::Expect(text.to_owned()))
    }

    /// Shakes hands as the server: first for implicit TLS, later for STARTTLS.
    pub fn tls(self, identity: &Identity) -> Self {
        self.then(Step::Tls(identity.clone()))
    }

    /// Expects STARTTLS, says the tagged OK and shakes hands.
    pub fn starttls(self, identity: &Identity) -> Self {
        self.expect("STARTTLS").send("{tag} OK begin TLS\r\n").tls(identity)
    }

    /// Plays another script's steps after these.
    pub fn followed_by(mut self, other: Script) -> Self {
        self.steps.extend(other.steps);
        self
    }

    /// Says nothing more, and reads until the client goes.
    pub fn hang(self) -> Self {
        self.then(Step::Hang)
    }

    /// Breaks the connection off with a TCP reset.
    pub fn reset(self) -> Self {
        self.then(Step::Reset)
    }

    /// Hangs up. So does the end of the script; this only says it.
    pub fn close(self) -> Self {
        self
    }

    /// Serves every connection with this script.
    pub async fn serve(self) -> io::Result<Scripted> {
        serve_in_turn(vec![self]).await
    }

    async fn play(self, tcp: TcpStream) -> Transcript {
        let mut player = Player {
            stream: Box::new(tcp),
            encrypted: false,
            pending: Vec::new(),
            tag: String::new(),
            seen: Transcript::default(),
        };
        for step in self.steps {
            if matches!(step, Step::Reset) {
                // The socket was told at the beginning to answer its end with a reset.
                return player.seen;
            }
            if player.step(step).await.is_err() {
                break;
            }
        }
        // An orderly end: what was sent arrives before the end does, and what the client still says is kept.
        let _ = player.stream.shutdown().await;
        let _ = tokio::time::timeout(LAST_WORDS, async { while let Ok(1..) = player.read().await {} }).await;
        player.seen
    }
}

/// Serves the first connection with the first script and so on, and all further ones with the last.
pub async fn serve_in_turn(scripts: Vec<Script>) -> io::Result<Scripted> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (tell, ended) = mpsc::unbounded_channel();
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    let task = tokio::spawn(async move {
        let mut running = tokio::task::JoinSet::new();
        while let Ok((tcp, _)) = listener.accept().await {
            let turn = count.fetch_add(1, Ordering::SeqCst);
            let script = scripts.get(turn).or(scripts.last()).cloned().unwrap_or_default();
            let _ = tcp.set_nodelay(true);
            if script.steps.iter().any(|s| matches!(s, Step::Reset)) {
                let _ = tcp.set_zero_linger();
            }
            let tell = tell.clone();
            running.spawn(async move {
                let _ = tell.send(script.play(tcp).await);
            });
        }
    });
    Ok(Scripted { address, accepted, ended, task })
}

/// A running server. It stops when it is dropped.
#[derive(Debug)]
pub struct Scripted {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    ended: mpsc::UnboundedReceiver<Transcript>,
    task: JoinHandle<()>,
}

impl Scripted {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Connections accepted so far.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Waits until a connection is over and gives what was said on it. Let the client go first: its last words count
    /// too, and a script that hangs does not end before.
    pub async fn transcript(&mut self) -> Transcript {
        self.ended.recv().await.unwrap_or_default()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a client said on one connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    /// Before TLS; a handshake is not in it.
    pub plain: Vec<u8>,
    /// Inside TLS, decrypted.
    pub tls: Vec<u8>,
    /// Why the handshake failed.
    pub tls_error: Option<String>,
    /// The line that was not the expected one.
    pub mismatch: Option<String>,
}

impl Transcript {
    pub fn plain_text(&self) -> String {
        String::from_utf8_lossy(&self.plain).into_owned()
    }

    pub fn tls_text(&self) -> String {
        String::from_utf8_lossy(&self.tls).into_owned()
    }
}

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

struct Player {
    stream: Box<dyn Io>,
    encrypted: bool,
    /// Read and not yet a line.
    pending: Vec<u8>,
    tag: String,
    seen: Transcript,
}

impl Player {
    async fn step(&mut self, step: Step) -> io::Result<()> {
        match step {
            Step::Send(bytes) => {
                let bytes = self.with_tag(&bytes);
                self.write(&bytes).await
            }
            Step::Repeat(bytes, times) => {
                // In pieces of some size, so that a flood is a flood.
                let bytes = self.with_tag(&bytes);
                let a_piece = (16 * 1024 / bytes.len().max(1)).clamp(1, times.max(1));
                let piece = bytes.repeat(a_piece);
                for _ in 0..times / a_piece {
                    self.write(&piece).await?;
                }
                self.write(&bytes.repeat(times % a_piece)).await
            }
            Step::Dribble(bytes) => {
                for byte in self.with_tag(&bytes) {
                    self.write(&[byte]).await?;
                }
                Ok(())
            }
            Step::Slowly(bytes, times, pause) => {
                let bytes = self.with_tag(&bytes);
                for _ in 0..times {
                    tokio::time::sleep(pause).await;
                    self.write(&bytes).await?;
                }
                Ok(())
            }
            Step::Expect(text) => {
                let line = self.line().await?;
                self.tag = line.split(' ').next().unwrap_or_default().to_owned();
                if line.to_ascii_lowercase().contains(&text.to_ascii_lowercase()) {
                    return Ok(());
                }
                self.seen.mismatch = Some(line);
                Err(io::ErrorKind::InvalidData.into())
            }
            Step::Tls(identity) => self.handshake(&identity).await,
            Step::Hang => {
                while self.read().await? > 0 {}
                Ok(())
            }
            Step::Reset => Ok(()),
        }
    }

    async fn handshake(&mut self, identity: &Identity) -> io::Result<()> {
        let config = identity.server_config().map_err(io::Error::other)?;
        let (placeholder, _) = tokio::io::duplex(1);
        let plain = std::mem::replace(&mut self.stream, Box::new(placeholder));
        match TlsAcceptor::from(config).accept(plain).await {
            Ok(tls) => {
                self.stream = Box::new(tls);
                self.encrypted = true;
                Ok(())
            }
            Err(err) => {
                self.seen.tls_error = Some(err.to_string());
                Err(err)
            }
        }
    }

    fn with_tag(&self, bytes: &[u8]) -> Vec<u8> {
        const MARK: &[u8] = b"{tag}";
        let mut out = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some(at) = rest.windows(MARK.len()).position(|w| w == MARK) {
            out.extend_from_slice(&rest[..at]);
            out.extend_from_slice(self.tag.as_bytes());
            rest = &rest[at + MARK.len()..];
        }
        out.extend_from_slice(rest);
        out
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    async fn read(&mut self) -> io::Result<usize> {
        let mut chunk = [0; 4096];
        let count = self.stream.read(&mut chunk).await?;
        self.pending.extend_from_slice(&chunk[..count]);
        let record = if self.encrypted { &mut self.seen.tls } else { &mut self.seen.plain };
        record.extend_from_slice(&chunk[..count]);
        Ok(count)
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.pending.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.read().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certs::Authority;
    use tokio::io::AsyncBufReadExt;

    #[tokio::test]
    async fn a_script_answers_with_the_tag_it_read_and_keeps_what_was_said() {
        let script = Script::new().send("* OK\r\n").expect("noop").send("{tag} OK {3}\r\n");
        let mut server = script.serve().await.unwrap();
        let mut client = tokio::io::BufReader::new(TcpStream::connect(server.address()).await.unwrap());
        let mut line = String::new();
        client.read_line(&mut line).await.unwrap();
        client.get_mut().write_all(b"x7 NOOP\r\n").await.unwrap();
        client.read_line(&mut line).await.unwrap();
        assert_eq!(line, "* OK\r\nx7 OK {3}\r\n");
        drop(client);
        let seen = server.transcript().await;
        assert_eq!(seen.plain_text(), "x7 NOOP\r\n");
        assert_eq!((seen.mismatch, server.accepted()), (None, 1));
    }

    #[tokio::test]
    async fn another_line_ends_the_script() {
        let mut server = Script::new().expect("LOGIN").send("never").serve().await.unwrap();
        let mut client = TcpStream::connect(server.address()).await.unwrap();
        client.write_all(b"a NOOP\r\n").await.unwrap();
        let mut all = Vec::new();
        client.read_to_end(&mut all).await.unwrap();
        assert!(all.is_empty());
        drop(client);
        assert_eq!(server.transcript().await.mismatch.unwrap(), "a NOOP");
    }

    #[tokio::test]
    async fn scripts_are_served_in_turn() {
        let scripts = vec![Script::new().send("one"), Script::new().send("two")];
        let server = serve_in_turn(scripts).await.unwrap();
        for want in ["one", "two", "two"] {
            let mut all = String::new();
            let mut client = TcpStream::connect(server.address()).await.unwrap();
            client.read_to_string(&mut all).await.unwrap();
            assert_eq!(all, want);
        }
    }

    #[tokio::test]
    async fn a_reset_is_a_reset() {
        let server = Script::new().expect("").reset().serve().await.unwrap();
        let mut client = TcpStream::connect(server.address()).await.unwrap();
        client.write_all(b"x\r\n").await.unwrap();
        let err = client.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(err.kind(), io::ErrorKind::ConnectionReset);
    }

    #[test]
    fn fingerprints_differ() {
        let authority = Authority::new().unwrap();
        let (one, two) = (authority.issue(&["localhost"]).unwrap(), authority.issue(&["localhost"]).unwrap());
        assert_ne!(one.sha256(), two.sha256());
        assert_eq!(one.sha256().len(), 64);
    }
}
