//! The port on which TLS begins with a command (RFC 3207). Before it nothing can be done but that, and nothing that was said
//! before it counts behind it.

use crate::answer::Answer;
use crate::command::Command;
use crate::limits::Limits;
use crate::wire::{Line, Wire};
use tokio::io::{AsyncRead, AsyncWrite};

/// What this server calls itself: it is reached at this name alone.
pub(crate) const NAME: &str = "localhost";

pub(crate) fn greeting() -> Answer {
    Answer::new(220, format!("{NAME} ESMTP Threadline relay"))
}

/// Speaks until TLS is to begin; `None` where it does not.
pub(crate) async fn until_tls<S: AsyncRead + AsyncWrite + Unpin>(stream: S, limits: &Limits) -> Option<S> {
    let mut wire = Wire::new(stream, limits.idle);
    wire.end_within(Some(limits.before_sign_in));
    wire.say(&greeting());
    let mut mistakes = 0;
    loop {
        let line = match wire.line(limits.command, limits.overlong).await {
            Ok(Line::Whole(line)) => Some(line),
            Ok(Line::TooLong) => None,
            Ok(Line::Broken) | Err(_) => return None,
        };
        let command = line.as_ref().and_then(|line| std::str::from_utf8(line).ok());
        let answer = match command.map_or(Command::Unknown, Command::read) {
            _ if line.is_none() => {
                mistakes += 1;
                Answer::new(500, "5.5.6 The line is too long")
            }
            Command::StartTls => {
                wire.say(&Answer::new(220, "2.0.0 Begin TLS"));
                wire.flush().await.ok()?;
                // What came in the same packets was said by anybody.
                return wire.into_inner();
            }
            Command::Ehlo => Answer { code: 250, lines: vec![NAME.to_owned(), "STARTTLS".to_owned()] },
            Command::Helo => Answer::new(250, NAME),
            Command::Noop | Command::Rset => Answer::new(250, "2.0.0 OK"),
            Command::Quit => {
                wire.say(&Answer::new(221, "2.0.0 Good-bye"));
                wire.close().await;
                return None;
            }
            Command::Unknown | Command::Wrong | Command::NotHere | Command::BrokenBdat => {
                mistakes += 1;
                Answer::new(500, "5.5.2 This is not understood here")
            }
            _ => {
                mistakes += 1;
                Answer::new(530, "5.7.0 Say STARTTLS first")
            }
        };
        wire.say(&answer);
        if mistakes > limits.mistakes {
            wire.say(&Answer::new(421, "4.7.0 Too many mistakes"));
            wire.close().await;
            return None;
        }
    }
}
