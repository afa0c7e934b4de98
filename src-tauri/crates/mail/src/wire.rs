//! One IMAP connection: commands out in flights, responses in one at a time.
//!
//! async-imap reads; its session type does not come into it, because a session can be had only by a sign-in that knows
//! no SASL-IR and drops the capabilities it is answered with. After one response that the library cannot read it never
//! reads another, so such a response costs the connection.

use crate::connect::{ImapStream, Server, Timeouts};
use crate::dial::acknowledge_at_once;
use crate::error::MailError;
use crate::guard::{self, Limits};
use crate::reply::{End, Reply, Text, read};
use crate::tls;
use async_imap::Client;
use futures::FutureExt as _;
use std::collections::VecDeque;
use std::io;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use threadline_core::reason::{Evidence, ImapStatus, Phase, Signal};
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

/// How many bytes of an unfinished answer must come within the time that a server is waited for: a large message on a
/// slow line takes its time, but a server that sends one byte a minute would be waited for through all of it.
const LEAST_BYTES: u64 = 1024;
/// The longest that one command may take from its last byte to the end of its answer. IDLE is not waited for so.
const LONGEST_COMMAND: Duration = Duration::from_secs(30 * 60);

/// Most ends of commands kept that nobody has asked for yet.
const MOST_ENDS: usize = 64;

/// The tag of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag(String);

/// A connection after TLS.
pub(crate) struct Wire {
    client: Client<ImapStream>,
    /// `host:port`, as errors name it.
    server: String,
    /// Longest wait for the next [`LEAST_BYTES`] of an answer.
    patience: Duration,
    outgoing: Zeroizing<Vec<u8>>,
    /// How many responses the next flight may be answered with, where it is not the guard's usual number.
    untagged: Option<u64>,
    tags: u32,
    ends: VecDeque<(String, End)>,
    bye: Option<Text>,
}

impl std::fmt::Debug for Wire {
    /// Without what is on the wire.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").field("server", &self.server).field("tags", &self.tags).finish_non_exhaustive()
    }
}

impl Wire {
    pub fn new(stream: ImapStream, server: &Server, timeouts: &Timeouts) -> Self {
        Self {
            client: Client::new(stream),
            server: server.name(),
            patience: timeouts.command,
            outgoing: Zeroizing::default(),
            untagged: None,
            tags: 0,
            ends: VecDeque::new(),
            bye: None,
        }
    }

    /// Puts a command into the next flight. It leaves with [`flush`](Self::flush), or when an end is waited for.
    pub fn queue(&mut self, command: &[u8]) -> Tag {
        self.tags = self.tags.wrapping_add(1);
        let tag = format!("T{}", self.tags);
        self.outgoing.extend_from_slice(tag.as_bytes());
        self.outgoing.push(b' ');
        self.queue_line(command);
        Tag(tag)
    }

    /// Puts a line without a tag into the next flight: the rest of a command.
    pub fn queue_line(&mut self, line: &[u8]) {
        self.outgoing.extend_from_slice(line);
        self.outgoing.extend_from_slice(b"\r\n");
    }

    /// Allows the next flight at least this many responses.
    pub fn expect(&mut self, responses: u64) {
        let least = self.untagged.unwrap_or(Limits::imap().untagged_per_command);
        self.untagged = Some(responses.max(least));
    }

    /// How long an answer may be silent from now on; gives how long it might before.
    pub fn be_patient(&mut self, patience: Duration) -> Duration {
        std::mem::replace(&mut self.patience, patience)
    }

    /// Sends everything queued in one piece. The guard's counts begin again with it.
    pub async fn flush(&mut self, phase: Phase) -> Result<(), MailError> {
        if self.outgoing.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.outgoing);
        let stream = self.client.get_mut();
        match self.untagged.take() {
            Some(most) => stream.command_started_with(most),
            None => stream.command_started(),
        }
        let sent = tokio::time::timeout(self.patience, async {
            stream.write_all(&bytes).await?;
            stream.flush().await
        })
        .await;
        match sent {
            Ok(Ok(())) => {
                acknowledge_at_once(self.client.get_ref().get_ref());
                Ok(())
            }
            Ok(Err(error)) => Err(self.broken(phase, &error)),
            Err(_) => Err(self.fail(phase, Signal::TimedOut, "")),
        }
    }

    /// Sends what is queued and reads to the end of one command. Every other response goes to `on`.
    ///
    /// A BYE before the end is an error, except while signing in, where the end that follows it says more.
    pub async fn finish(
        &mut self,
        tag: &Tag,
        phase: Phase,
        mut on: impl FnMut(Reply),
    ) -> Result<End, MailError> {
        self.flush(phase).await?;
        let until = Instant::now() + LONGEST_COMMAND;
        loop {
            if let Some(end) = self.end(tag) {
                return Ok(end);
            }
            if let Some(reply) = self.answer(phase, until).await? {
                on(reply);
            }
        }
    }

    /// The end of a command, once, where it came already.
    pub fn end(&mut self, tag: &Tag) -> Option<End> {
        let at = self.ends.iter().position(|(done, _)| *done == tag.0)?;
        self.ends.remove(at).map(|(_, end)| end)
    }

    /// As [`finish`](Self::finish); an end that is not OK is an error.
    pub async fn done(&mut self, tag: &Tag, phase: Phase, on: impl FnMut(Reply)) -> Result<Text, MailError> {
        let end = self.finish(tag, phase, on).await?;
        match end.refused {
            None => Ok(end.text),
            Some(status) => Err(self.refused(phase, status, &end.text)),
        }
    }

    /// Sends what is queued and reads until the server waits for more (`true`), or until the command ended without that;
    /// then [`finish`](Self::finish) gives its end.
    pub async fn go_ahead(
        &mut self,
        tag: &Tag,
        phase: Phase,
        on: impl FnMut(Reply),
    ) -> Result<bool, MailError> {
        Ok(self.challenge(tag, phase, on).await?.is_some())
    }

    /// As [`go_ahead`](Self::go_ahead), and gives what the server asks with.
    pub async fn challenge(
        &mut self,
        tag: &Tag,
        phase: Phase,
        mut on: impl FnMut(Reply),
    ) -> Result<Option<String>, MailError> {
        self.flush(phase).await?;
        let until = Instant::now() + LONGEST_COMMAND;
        loop {
            if self.ends.iter().any(|(done, _)| *done == tag.0) {
                return Ok(None);
            }
            match self.answer(phase, until).await? {
                Some(Reply::Go(text)) => return Ok(Some(text)),
                Some(reply) => on(reply),
                None => {}
            }
        }
    }

    /// The next response that is no end of a command, as long as it takes; `None` where an end came, which is kept. May be
    /// dropped at any moment.
    pub async fn next(&mut self, phase: Phase) -> Result<Option<Reply>, MailError> {
        let reply = self.response(phase).await?;
        self.keep(phase, reply)
    }

    /// As [`next`](Self::next), for an answer to a command: it must go on coming, and end at a certain time.
    async fn answer(&mut self, phase: Phase, until: Instant) -> Result<Option<Reply>, MailError> {
        let reply = loop {
            let before = self.client.get_ref().bytes_in();
            let patience = until.min(Instant::now() + self.patience);
            match timeout_at(patience, self.response(phase)).await {
                _ if Instant::now() >= until => {
                    return Err(self.broken(phase, &io::ErrorKind::TimedOut.into()));
                }
                Ok(reply) => break reply?,
                Err(_) if self.client.get_ref().bytes_in() >= before + LEAST_BYTES => {}
                Err(_) => return Err(self.broken(phase, &io::ErrorKind::TimedOut.into())),
            }
        };
        self.keep(phase, reply)
    }

    /// Keeps the ends of commands; a BYE is an error, except while signing in.
    fn keep(&mut self, phase: Phase, reply: Reply) -> Result<Option<Reply>, MailError> {
        match reply {
            Reply::Done { tag, end } => {
                if self.ends.len() == MOST_ENDS {
                    self.ends.pop_front();
                }
                self.ends.push_back((tag, end));
                Ok(None)
            }
            Reply::Bye(text) if phase == Phase::Auth => {
                self.bye = Some(text);
                Ok(None)
            }
            Reply::Bye(text) => Err(self.refused(phase, ImapStatus::Bye, &text)),
            reply => Ok(Some(reply)),
        }
    }

    /// Reads one response. Where the library's parser panics (three answers are known that make it) the connection is
    /// lost and nothing else.
    async fn response(&mut self, phase: Phase) -> Result<Reply, MailError> {
        match AssertUnwindSafe(self.client.read_response()).catch_unwind().await {
            Ok(Ok(Some(data))) => Ok(read(data.parsed(), data.borrow_owner())),
            Ok(Ok(None)) => Err(self.broken(phase, &io::ErrorKind::UnexpectedEof.into())),
            Ok(Err(error)) => Err(self.broken(phase, &error)),
            Err(_) => Err(self.fail(phase, Signal::Malformed, UNREADABLE)),
        }
    }

    /// An error of this connection at this step.
    pub fn fail(&self, phase: Phase, signal: Signal, words: &str) -> MailError {
        MailError::new(&self.server, Evidence::new(phase, signal, words))
    }

    pub fn refused(&self, phase: Phase, status: ImapStatus, text: &Text) -> MailError {
        self.fail(phase, Signal::Imap { status, code: text.code.clone() }, &text.words)
    }

    /// What broke the connection. Words that the server said before it come first.
    fn broken(&self, phase: Phase, error: &io::Error) -> MailError {
        if let Some(text) = &self.bye {
            return self.refused(phase, ImapStatus::Bye, text);
        }
        let of_library = error.kind() == io::ErrorKind::Other
            && guard::violation(error).is_none()
            && tls::fault(error).is_none();
        if !of_library {
            return MailError::from_io(&self.server, phase, error);
        }
        // The library's error repeats what it could not read, which may be anybody's mail: only one line of Exchange's,
        // which has neither star nor tag, is looked for in it, and nothing of it is kept.
        if error.to_string().contains("parsing of \"Server Unavailable") {
            let code = Some("UNAVAILABLE".to_owned());
            return self.fail(phase, Signal::Imap { status: ImapStatus::Bye, code }, "Server Unavailable");
        }
        self.fail(phase, Signal::Malformed, UNREADABLE)
    }
}

const UNREADABLE: &str = "The server sent an answer that cannot be read.";
