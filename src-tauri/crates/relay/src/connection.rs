//! What is said with a mail program inside TLS.

use crate::answer::Answer;
use crate::chunks::discard;
use crate::command::Command;
use crate::offers::Offers;
use crate::plaintext::{NAME, greeting};
use crate::server::{Login, Shared};
use crate::sign_in::sign_in;
use crate::transaction::Transaction;
use crate::wire::{Line, Lost, Wire};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

/// Most bytes of commands that are looked at together.
const TOGETHER: usize = 64 * 1024;

/// Speaks until the connection is over.
pub(crate) async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send>(
    shared: &Arc<Shared>,
    stream: S,
    greets: bool,
) {
    let mut wire = Wire::new(stream, shared.limits.idle);
    wire.end_within(Some(shared.limits.before_sign_in));
    if greets {
        wire.say(&greeting());
    }
    let conversation = Conversation {
        shared,
        wire: &mut wire,
        login: None,
        greeted: false,
        transaction: None,
        mistakes: 0,
        refusals: 0,
    };
    match conversation.run().await {
        Ok(()) => {}
        Err(Lost::Gone) => return,
        Err(Lost::Late) => wire.say(&Answer::new(421, "4.4.2 This took too long")),
        Err(Lost::TooMuch) => wire.say(&Answer::new(421, "4.7.0 Too much was said")),
    }
    // Late already, it would not be let go by the same limit.
    wire.end_within(None);
    wire.close().await;
}

struct Conversation<'a, S> {
    shared: &'a Arc<Shared>,
    wire: &'a mut Wire<S>,
    login: Option<&'a Login>,
    greeted: bool,
    transaction: Option<Transaction>,
    mistakes: u32,
    refusals: u32,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Conversation<'_, S> {
    /// To the last answer, which is said but not sent yet.
    async fn run(mut self) -> Result<(), Lost> {
        loop {
            let limits = &self.shared.limits;
            let answer = match self.wire.line(limits.command, limits.overlong).await? {
                Line::Whole(line) => match std::str::from_utf8(&line) {
                    Ok(line) => {
                        let (answer, closes) = self.obey(line).await?;
                        if closes {
                            self.wire.say(&answer);
                            return Ok(());
                        }
                        answer
                    }
                    Err(_) => self.mistake(500, "5.5.2 The line is no text"),
                },
                Line::TooLong => self.mistake(500, "5.5.6 The line is too long"),
                Line::Broken => {
                    self.wire.say(&Answer::new(500, "5.5.2 Lines end with CR LF"));
                    return Ok(());
                }
            };
            self.wire.say(&answer);
            if answer.ends() {
                return Ok(());
            }
            if self.mistakes > limits.mistakes {
                self.wire.say(&Answer::new(421, "4.7.0 Too many mistakes"));
                return Ok(());
            }
        }
    }

    fn mistake(&mut self, code: u16, words: &str) -> Answer {
        self.mistakes += 1;
        Answer::new(code, words)
    }

    /// The answer, and whether the connection ends behind it.
    async fn obey(&mut self, line: &str) -> Result<(Answer, bool), Lost> {
        let answer = match Command::read(line) {
            Command::Ehlo => {
                self.forget();
                self.greeted = true;
                self.introduction()
            }
            Command::Helo => {
                self.forget();
                self.greeted = true;
                Answer::new(250, NAME)
            }
            Command::StartTls => self.mistake(503, "5.5.1 TLS is on already"),
            Command::Auth(words) => return self.sign_in(words).await,
            Command::Mail(rest) => self.mail(rest).await,
            Command::Rcpt(rest) => self.recipients(rest).await?,
            Command::Data => return self.data().await,
            Command::Bdat { size, last } => return self.chunk(size, last).await,
            Command::BrokenBdat => {
                return Ok((Answer::new(501, "5.5.4 How many bytes follow cannot be read"), true));
            }
            Command::Rset => {
                self.forget();
                Answer::new(250, "2.0.0 OK")
            }
            Command::Noop => Answer::new(250, "2.0.0 OK"),
            Command::Quit => {
                self.forget();
                Answer::new(221, "2.0.0 Good-bye")
            }
            Command::Vrfy => Answer::new(252, "2.5.0 The provider knows its people; send, and it will say"),
            Command::Help => Answer::new(214, "2.0.0 This passes mail on to your provider"),
            Command::NotHere => self.mistake(502, "5.5.1 This is not had here"),
            Command::Wrong => self.mistake(501, "5.5.4 The command is written in another way"),
            Command::Unknown => self.mistake(500, "5.5.2 This is not understood"),
        };
        Ok((answer, false))
    }

    fn forget(&mut self) {
        if let Some(transaction) = self.transaction.take() {
            transaction.forget();
        }
        if self.login.is_some() {
            self.wire.end_within(None);
        }
    }

    /// The answer to EHLO. Whose mailbox it is is known after the sign-in alone, and few mail programs ask again then: before
    /// it, what the providers of all mailboxes have offered counts.
    fn introduction(&self) -> Answer {
        let of = |login: &Login| self.shared.upstream.offers(login.mailbox);
        let offers = match self.login {
            Some(login) => of(login),
            None => self.shared.logins.iter().map(of).reduce(Offers::shared_with).unwrap_or_default(),
        };
        let mut lines = vec![NAME.to_owned()];
        lines.extend(offers.lines());
        lines.push("AUTH PLAIN LOGIN".to_owned());
        Answer { code: 250, lines }
    }

    async fn sign_in(&mut self, words: &str) -> Result<(Answer, bool), Lost> {
        if self.login.is_some() || !self.greeted {
            return Ok((self.mistake(503, "5.5.1 This is not the time to sign in"), false));
        }
        let shared = self.shared;
        match sign_in(self.wire, words, &shared.logins, &shared.limits).await? {
            Ok(Some(login)) => {
                self.login = Some(login);
                shared.right_password();
                self.wire.end_within(None);
                Ok((Answer::new(235, "2.7.0 Welcome"), false))
            }
            Ok(None) => {
                self.refusals += 1;
                tokio::time::sleep(shared.wrong_password()).await;
                let answer = Answer::new(
                    535,
                    "5.7.8 The name or password is wrong: it is the relay's own, see `threadline relay password`",
                );
                Ok((answer, self.refusals >= shared.limits.refusals))
            }
            Err(answer) => {
                self.mistakes += 1;
                Ok((answer, false))
            }
        }
    }

    async fn mail(&mut self, rest: &str) -> Answer {
        let Some(login) = self.login else {
            return self.mistake(530, "5.7.0 Sign in first, with the relay's own password");
        };
        if self.transaction.is_some() {
            return self.mistake(503, "5.5.1 Another mail is begun already");
        }
        let (answer, transaction) =
            Transaction::begin(rest, login, &*self.shared.upstream, &self.shared.limits).await;
        self.transaction = transaction;
        answer
    }

    /// This RCPT and those that the mail program sent with it, without waiting for an answer. Gives the last answer.
    async fn recipients(&mut self, rest: &str) -> Result<Answer, Lost> {
        let Some(transaction) = &mut self.transaction else {
            return Ok(self.mistake(503, "5.5.1 Say MAIL first"));
        };
        let limits = &self.shared.limits;
        let mut rests = vec![rest.to_owned()];
        self.wire.take_in(TOGETHER).await?;
        while let Some(rest) = self.wire.line_here(limits.command, recipient) {
            rests.push(rest);
        }
        let (answers, goes_on) = transaction.recipients(&rests, limits).await;
        if !goes_on {
            self.transaction = None;
        }
        let mut answers = answers.into_iter();
        let mut answer = answers.next().unwrap_or_else(|| Answer::new(451, "4.3.0 Nothing was said"));
        for next in answers {
            if answer.ends() {
                break;
            }
            self.wire.say(&std::mem::replace(&mut answer, next));
        }
        Ok(answer)
    }

    /// The answer to a text whose provider is gone; its mail is over with it.
    fn broke(&mut self) -> Option<Answer> {
        let broke = self.transaction.as_ref().and_then(Transaction::broke)?;
        self.transaction = None;
        Some(broke)
    }

    async fn data(&mut self) -> Result<(Answer, bool), Lost> {
        if let Some(broke) = self.broke() {
            return Ok((broke, !self.wire.pending().is_empty()));
        }
        match self.transaction.take() {
            None => Ok((self.mistake(503, "5.5.1 Say MAIL first"), false)),
            Some(transaction) if !transaction.takes_data() => {
                transaction.forget();
                Ok((self.mistake(503, "5.5.1 This mail comes by BDAT"), !self.wire.pending().is_empty()))
            }
            Some(transaction) if !transaction.has_recipients() => {
                // RFC 2920 §3.1: what the mail program sent behind it would be taken for commands.
                let closes = !self.wire.pending().is_empty();
                self.transaction = Some(transaction);
                Ok((Answer::new(554, "5.5.1 No recipient was accepted"), closes))
            }
            Some(transaction) => {
                transaction.text(self.wire, &*self.shared.upstream, &self.shared.limits).await
            }
        }
    }

    /// BDAT. Its bytes are read whatever the answer: behind them comes the next command.
    async fn chunk(&mut self, size: u64, last: bool) -> Result<(Answer, bool), Lost> {
        let shared = self.shared;
        if let Some(broke) = self.broke() {
            discard(size, self.wire, shared.limits.swallow).await?;
            return Ok((broke, false));
        }
        let answer = match self.transaction.take() {
            Some(transaction) if !transaction.takes_chunks() => {
                self.transaction = Some(transaction);
                self.mistake(502, "5.5.1 The provider does not take BDAT")
            }
            Some(transaction) if !transaction.has_recipients() => {
                self.transaction = Some(transaction);
                Answer::new(554, "5.5.1 No recipient was accepted")
            }
            Some(transaction) => {
                let chunk = transaction.chunk(size, last, self.wire, &*shared.upstream, &shared.limits);
                let (answer, transaction, closes) = chunk.await?;
                self.transaction = transaction;
                return Ok((answer, closes));
            }
            None => self.mistake(503, "5.5.1 Say MAIL first"),
        };
        discard(size, self.wire, shared.limits.swallow).await?;
        Ok((answer, false))
    }
}

/// What stands behind RCPT, where the line is one.
fn recipient(line: &str) -> Option<String> {
    match Command::read(line) {
        Command::Rcpt(rest) => Some(rest.to_owned()),
        _ => None,
    }
}
