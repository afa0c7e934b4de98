//! BDAT (RFC 3030): a mail in pieces of a told size, where the provider takes such. There are no dots in it, and with
//! BINARYMIME no lines either.

use crate::answer::Answer;
use crate::content::Scanner;
use crate::letter::Letter;
use crate::limits::Limits;
use crate::upstream::{Ended, Session, Upstream};
use crate::wire::{Lost, Wire};
use tokio::io::{AsyncRead, AsyncWrite};

/// The provider is given a piece when so much is together, however the mail program cuts its own.
const PIECE: usize = 1024 * 1024;

/// What came so far.
pub(crate) struct Chunks {
    /// `None` for a binary mail.
    scanner: Option<Scanner>,
    came: Vec<u8>,
    /// What is to go on.
    piece: Vec<u8>,
    /// Most bytes that are read although nobody wants them.
    swallow: u64,
}

/// What a chunk came to.
pub(crate) enum Taken {
    /// More may follow.
    GoesOn(Answer),
    /// The mail is over: how, as the provider has it.
    Over(Ended),
    /// The mail is refused here; true where the connection must end.
    Refused(Answer, bool),
}

impl Chunks {
    pub(crate) fn new(binary: bool, limits: &Limits) -> Self {
        let scanner = (!binary).then(|| Scanner::without_dots(limits.text_line));
        Self { scanner, came: Vec::new(), piece: Vec::new(), swallow: limits.swallow }
    }

    /// Reads a chunk and hands it on.
    pub(crate) async fn take<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &mut self,
        size: u64,
        last: bool,
        wire: &mut Wire<S>,
        letter: &mut Letter,
        session: &mut dyn Session,
        upstream: &dyn Upstream,
    ) -> Result<Taken, Lost> {
        let mut left = size;
        while left > 0 {
            if wire.pending().is_empty() {
                wire.more().await?;
            }
            let now = wire.pending().len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let refused = self.look(&wire.pending()[..now], letter, upstream);
            wire.take(now);
            left -= now as u64;
            let stopped = match refused {
                Some(refused) => Some(refused),
                None if self.piece.len() >= PIECE => self.hand_on(session).await,
                None => None,
            };
            if let Some(stopped) = stopped {
                discard(left, wire, self.swallow).await?;
                return Ok(stopped);
            }
        }
        if !last {
            return Ok(match self.hand_on(session).await {
                Some(stopped) => stopped,
                None => Taken::GoesOn(Answer::new(250, format!("2.0.0 {size} bytes"))),
            });
        }
        if self.scanner.as_mut().is_some_and(Scanner::is_cut) {
            return Ok(self.fault().unwrap_or(Taken::Over(Ended::Stopped)));
        }
        letter.end(upstream, &mut self.piece);
        if let Err(answer) = upstream.before_end(&letter.passing).await {
            return Ok(Taken::Refused(answer, false));
        }
        Ok(Taken::Over(session.chunk(&self.piece, true).await))
    }

    /// Puts what came behind the piece that is to go on.
    fn look(&mut self, came: &[u8], letter: &mut Letter, upstream: &dyn Upstream) -> Option<Taken> {
        let passed = match &mut self.scanner {
            Some(scanner) => {
                self.came.clear();
                scanner.feed(came, &mut self.came);
                if let Some(fault) = self.fault() {
                    return Some(fault);
                }
                letter.pass(&self.came, upstream, &mut self.piece)
            }
            None => letter.pass(came, upstream, &mut self.piece),
        };
        passed.err().map(|answer| Taken::Refused(answer, false))
    }

    fn fault(&self) -> Option<Taken> {
        let fault = self.scanner.as_ref().and_then(Scanner::fault)?;
        let (answer, closes) = fault.refusal();
        Some(Taken::Refused(answer, closes))
    }

    /// Gives the provider what is together; a header that is still held back waits.
    async fn hand_on(&mut self, session: &mut dyn Session) -> Option<Taken> {
        if self.piece.is_empty() {
            return None;
        }
        let ended = session.chunk(&self.piece, false).await;
        self.piece.clear();
        match ended {
            Ended::Answered(answer) if answer.is_good() => None,
            ended => Some(Taken::Over(ended)),
        }
    }
}

/// Reads so much and forgets it; beyond `most` the connection is over.
pub(crate) async fn discard<S: AsyncRead + AsyncWrite + Unpin>(
    mut left: u64,
    wire: &mut Wire<S>,
    most: u64,
) -> Result<(), Lost> {
    if left > most {
        return Err(Lost::TooMuch);
    }
    while left > 0 {
        if wire.pending().is_empty() {
            wire.more().await?;
        }
        let now = wire.pending().len().min(usize::try_from(left).unwrap_or(usize::MAX));
        wire.take(now);
        left -= now as u64;
    }
    Ok(())
}
