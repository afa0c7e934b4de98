//! The one way to hand a mail to a server: a signed-in SMTP session that stays open (RFC 5321, RFC 6409).
//!
//! A refusal is an [`Answer`] like any other; an error is a connection or a protocol that broke. The text of a mail is written piece
//! by piece, so that no mail is held whole here.
//!
//! Invariant: nothing that ends a mail is sent inside its text, for no server's understanding of a line break, and the end itself
//! is sent once. From then on a broken connection leaves open what happened: [`Undelivered::Unknown`].

mod answer;
mod body;
mod extensions;
mod path;

pub use answer::Answer;
use body::write;
pub use body::{Body, Stuffing, Undelivered};
pub use extensions::Extensions;
pub use path::{Params, Path};

use crate::connect::{Server, Timeouts};
use crate::error::MailError;
use crate::login::Login;
use crate::smtp::{self, Line, Reply, Stream, Submission};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::response::Response;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use threadline_core::envelope::clean;
use threadline_core::reason::{Evidence, MOST_WORDS, Phase, Signal};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// How long a server may take to answer (RFC 5321 §4.5.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    pub mail: Duration,
    pub rcpt: Duration,
    /// DATA until its 354.
    pub data: Duration,
    /// Until it has taken the next 64 KiB of a mail.
    pub block: Duration,
    /// The end of a mail until its answer: shorter ones double mails.
    pub end: Duration,
    /// RSET and QUIT.
    pub other: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            mail: Duration::from_secs(300),
            rcpt: Duration::from_secs(300),
            data: Duration::from_secs(120),
            block: Duration::from_secs(180),
            end: Duration::from_secs(600),
            other: Duration::from_secs(30),
        }
    }
}

/// What a server said to several RCPTs.
#[derive(Debug)]
pub struct Heard {
    /// In their order; fewer where the connection broke.
    pub answers: Vec<Answer>,
    /// Why the rest was not heard.
    pub broke: Option<MailError>,
}

/// A signed-in session. It takes one mail after the other.
pub struct Session {
    connection: AsyncSmtpConnection,
    /// What lettre's connection runs on: the text of a mail goes past lettre.
    stream: Stream,
    /// `host:port`.
    name: String,
    extensions: Extensions,
    welcome: String,
    patience: Patience,
    /// False while something is under way, and for good once that broke.
    ready: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("name", &self.name)
            .field("extensions", &self.extensions)
            .field("ready", &self.ready)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Connects, encrypts, verifies and signs in.
    pub async fn open(
        server: &Server,
        login: &Login,
        timeouts: &Timeouts,
        patience: Patience,
    ) -> Result<Self, MailError> {
        let submission = smtp::smtp(server, timeouts).await?;
        let session = Self::sign_in(server, submission, login, timeouts).await?;
        Ok(Self { patience, ..session })
    }

    /// Signs in on a connection that is open.
    pub async fn sign_in(
        server: &Server,
        mut submission: Submission,
        login: &Login,
        timeouts: &Timeouts,
    ) -> Result<Self, MailError> {
        let signing = smtp::authenticate(server, &mut submission, login);
        let words = match timeout(timeouts.command, signing).await {
            Ok(words) => words?,
            Err(_) => return Err(MailError::timed_out(&server.name(), Phase::Auth)),
        };
        Ok(Self {
            connection: submission.connection,
            stream: submission.stream,
            name: server.name(),
            extensions: Extensions::read(&submission.extensions),
            welcome: clean(&words, MOST_WORDS),
            patience: Patience::default(),
            ready: true,
        })
    }

    /// What the server said when it accepted the sign-in; cleaned and cut.
    pub fn welcome(&self) -> &str {
        &self.welcome
    }

    /// What the server offered before the sign-in, inside TLS.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// `host:port`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether another command may be sent. Not after 421, after a broken connection, and after a mail that was not ended.
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// MAIL FROM: a mail begins.
    pub async fn mail(&mut self, from: &Path, params: &Params) -> Result<Answer, MailError> {
        self.ask(&format!("MAIL FROM:<{from}>{params}"), self.patience.mail).await
    }

    /// RCPT TO: one recipient more. Each has its own answer.
    pub async fn rcpt(&mut self, to: &Path, params: &Params) -> Result<Answer, MailError> {
        self.ask(&rcpt(to, params), self.patience.rcpt).await
    }

    /// RCPT TO for each, in this order. Where the server offers PIPELINING (RFC 2920) they go in one piece, and cost one round trip
    /// however many they are. From the first 421 on all have that answer: the server is about to close.
    pub async fn recipients(&mut self, to: &[(Path, Params)]) -> Heard {
        let mut answers = Vec::with_capacity(to.len());
        let heard = match to {
            [_, _, ..] if self.extensions.pipelining => self.pipeline(to, &mut answers).await,
            _ => self.one_by_one(to, &mut answers).await,
        };
        if let (Ok(()), Some(last)) = (&heard, answers.last().cloned()) {
            answers.resize(to.len(), last);
        }
        Heard { answers, broke: heard.err() }
    }

    async fn one_by_one(
        &mut self,
        to: &[(Path, Params)],
        answers: &mut Vec<Answer>,
    ) -> Result<(), MailError> {
        for (path, params) in to {
            answers.push(self.rcpt(path, params).await?);
            if !self.ready {
                break;
            }
        }
        Ok(())
    }

    /// Writes and reads at the same time (RFC 2920 §3.1): neither side may wait for the other with its buffers full.
    async fn pipeline(&mut self, to: &[(Path, Params)], answers: &mut Vec<Answer>) -> Result<(), MailError> {
        if !std::mem::replace(&mut self.ready, false) {
            return Err(self.fail(Signal::Closed, ""));
        }
        let lines: String = to.iter().map(|(path, params)| format!("{}\r\n", rcpt(path, params))).collect();
        let (stream, name, block) = (self.stream.clone(), self.name.clone(), self.patience.block);
        let written = AtomicBool::new(false);
        let write = async {
            match write(stream, &name, lines.as_bytes(), block).await {
                Ok(()) => written.store(true, Ordering::Relaxed),
                Err(error) => return error,
            }
            std::future::pending().await
        };
        let heard = tokio::select! {
            // What the server said before it hung up counts.
            biased;
            heard = self.answers(to.len(), answers) => heard,
            error = write => Err(error),
        };
        // Answers to what was not asked yet are none.
        if self.ready && !written.load(Ordering::Relaxed) {
            self.ready = false;
            answers.clear();
            return Err(self.fail(Signal::Malformed, ""));
        }
        heard
    }

    /// The answers to so many RCPTs that are on their way; fewer where the server says that it closes.
    async fn answers(&mut self, count: usize, answers: &mut Vec<Answer>) -> Result<(), MailError> {
        let mut goes_on = true;
        while goes_on && answers.len() < count {
            answers.push(self.answer(self.patience.rcpt).await?);
            goes_on = std::mem::replace(&mut self.ready, false);
        }
        self.ready = goes_on;
        Ok(())
    }

    /// DATA. The text may follow where the server says 354; any other answer refuses it.
    pub async fn data(&mut self) -> Result<Result<Body<'_>, Answer>, MailError> {
        let answer = self.ask("DATA", self.patience.data).await?;
        match answer.code {
            354 => {
                self.ready = false;
                Ok(Ok(Body::new(self)))
            }
            400..=599 => Ok(Err(answer)),
            _ => {
                self.ready = false;
                Err(self.fail(Signal::Malformed, ""))
            }
        }
    }

    /// BDAT (RFC 3030): a piece of a mail as it is, without dots added. The answer to the last piece is the answer to the mail.
    pub async fn chunk(&mut self, piece: &[u8], is_last: bool) -> Result<Answer, Undelivered> {
        if !std::mem::replace(&mut self.ready, false) {
            return Err(Undelivered::Broken(self.fail(Signal::Closed, "")));
        }
        let head = format!("BDAT {}{}\r\n", piece.len(), if is_last { " LAST" } else { "" });
        // All but the last byte leave the server waiting for more.
        let (rest, end) = piece.split_at(piece.len().saturating_sub(1));
        if !is_last {
            self.put(&[head.as_bytes(), piece].concat()).await.map_err(Undelivered::Broken)?;
            return self.answer(self.patience.end).await.map_err(Undelivered::Broken);
        }
        // A last piece may be empty: then its command is the end.
        let (before, end) = match end.is_empty() {
            true => (Vec::new(), head.as_bytes()),
            false => ([head.as_bytes(), rest].concat(), end),
        };
        self.put(&before).await.map_err(Undelivered::Broken)?;
        self.ended(end).await
    }

    /// RSET: the mail that was begun is forgotten.
    pub async fn reset(&mut self) -> Result<Answer, MailError> {
        self.ask("RSET", self.patience.other).await
    }

    /// QUIT. What the server thinks of the good-bye does not matter any more.
    pub async fn quit(mut self) {
        if self.ready {
            let _ = self.ask("QUIT", self.patience.other).await;
        }
    }

    /// One command and its answer.
    async fn ask(&mut self, line: &str, most: Duration) -> Result<Answer, MailError> {
        if !std::mem::replace(&mut self.ready, false) {
            return Err(self.fail(Signal::Closed, ""));
        }
        let asked = timeout(most, self.connection.command(Line(line))).await;
        self.heard(asked)
    }

    /// The answer to what was written past lettre.
    async fn answer(&mut self, most: Duration) -> Result<Answer, MailError> {
        let answered = timeout(most, self.connection.read_response()).await;
        self.heard(answered)
    }

    fn heard(
        &mut self,
        heard: Result<Result<Response, lettre::transport::smtp::Error>, Elapsed>,
    ) -> Result<Answer, MailError> {
        match heard {
            Err(_) => return Err(MailError::timed_out(&self.name, Phase::Send)),
            Ok(Err(error)) if error.status().is_none() => {
                return Err(MailError::from_smtp(&self.name, Phase::Send, &error));
            }
            // lettre takes a refusal for an error, and joins its lines.
            Ok(_) => {}
        }
        let Some(reply) = Reply::parse(&self.stream.last()) else {
            return Err(self.fail(Signal::Malformed, ""));
        };
        let answer = Answer::new(reply);
        // RFC 5321 §3.8: the server closes behind this one.
        self.ready = answer.code != 421;
        Ok(answer)
    }

    fn fail(&self, signal: Signal, words: &str) -> MailError {
        MailError::new(&self.name, Evidence::new(Phase::Send, signal, words))
    }
}

/// The command, without its line end.
fn rcpt(to: &Path, params: &Params) -> String {
    format!("RCPT TO:<{to}>{params}")
}
