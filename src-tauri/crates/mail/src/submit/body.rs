//! The text of a mail between 354 and the final dot.

use super::{Answer, Session};
use crate::error::MailError;
use crate::smtp::Stream;
use memchr::memchr2;
use std::time::Duration;
use threadline_core::reason::{Phase, Signal};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

/// Bytes written at once.
const BLOCK: usize = 64 * 1024;

/// How long is waited for what a server says as it hangs up in the middle of a mail.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Why a mail's text did not get through.
#[derive(Debug, thiserror::Error)]
pub enum Undelivered {
    /// The server refused before it had the whole mail. It has not taken it.
    #[error("the server refused the mail: {0}")]
    Refused(Answer),
    /// It broke before the end was begun. The server has not taken the mail.
    #[error(transparent)]
    Broken(MailError),
    /// A line of one dot is inside the text, by one or another understanding of line breaks. The end was not sent; the server has
    /// not taken the mail.
    #[error("a line of the mail is a single dot, which would end it too early for some servers")]
    EndInside,
    /// It broke after the end was begun and before the answer: the server may have taken the mail, or not.
    #[error(transparent)]
    Unknown(MailError),
}

/// The text of a mail on its way. Where it is dropped without [`Body::finish`] no mail is sent, and the session is of no more use.
#[derive(Debug)]
pub struct Body<'a> {
    session: &'a mut Session,
    ends: Ends,
}

impl<'a> Body<'a> {
    pub(super) fn new(session: &'a mut Session) -> Self {
        Self { session, ends: Ends::default() }
    }

    /// Writes more of the text, its dots added already ([`Stuffing`]). Any piece may be cut anywhere.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Undelivered> {
        for block in bytes.chunks(BLOCK) {
            if !self.ends.pass(block) {
                return Err(Undelivered::EndInside);
            }
            self.listen().await?;
            if let Err(error) = self.session.put(block).await {
                return Err(self.interrupted(Some(error)).await);
            }
        }
        Ok(())
    }

    /// Ends the mail and waits for the answer: yes, or the refusal. Adds the line break that the text lacks.
    pub async fn finish(mut self) -> Result<Answer, Undelivered> {
        if self.ends.at == At::Dot {
            return Err(Undelivered::EndInside);
        }
        self.listen().await?;
        let end: &[u8] = if self.ends.line_is_over { b".\r\n" } else { b"\r\n.\r\n" };
        let answer = self.session.ended(end).await?;
        if (300..=399).contains(&answer.code) {
            self.session.ready = false;
            return Err(Undelivered::Unknown(self.session.fail(Signal::Malformed, "")));
        }
        Ok(answer)
    }

    /// Fails where the server has spoken or hung up although the mail is not over. No yes is taken for one to this mail.
    async fn listen(&mut self) -> Result<(), Undelivered> {
        match self.session.stream.spoke_early().await {
            true => Err(self.interrupted(None).await),
            false => Ok(()),
        }
    }

    /// Servers say why before they hang up.
    async fn interrupted(&mut self, error: Option<MailError>) -> Undelivered {
        let said = self.session.answer(LAST_WORDS).await;
        self.session.ready = false;
        match said {
            Ok(answer) if answer.code >= 400 => Undelivered::Refused(answer),
            Ok(_) => Undelivered::Broken(error.unwrap_or_else(|| self.session.fail(Signal::Malformed, ""))),
            Err(said) => Undelivered::Broken(error.unwrap_or(said)),
        }
    }
}

impl Session {
    /// Writes past lettre.
    pub(super) async fn put(&mut self, bytes: &[u8]) -> Result<(), MailError> {
        write(self.stream.clone(), &self.name, bytes, self.patience.block).await
    }

    /// Writes the last bytes of a mail and waits for what comes of it.
    pub(super) async fn ended(&mut self, end: &[u8]) -> Result<Answer, Undelivered> {
        self.put(end).await.map_err(Undelivered::Unknown)?;
        self.answer(self.patience.end).await.map_err(Undelivered::Unknown)
    }
}

/// Writes block by block, each within this time; `name` is the server's.
pub(super) async fn write(
    mut stream: Stream,
    name: &str,
    bytes: &[u8],
    most: Duration,
) -> Result<(), MailError> {
    for block in bytes.chunks(BLOCK) {
        let written = async {
            stream.write_all(block).await?;
            stream.flush().await
        };
        match timeout(most, written).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(MailError::from_io(name, Phase::Send, &error)),
            Err(_) => return Err(MailError::timed_out(name, Phase::Send)),
        }
    }
    Ok(())
}

/// Looks for what some server would take for the end of a mail: a line of one dot, whatever it takes for a line break
/// (RFC 5321 §4.1.1.4 knows CR LF alone; not all servers do).
#[derive(Debug)]
struct Ends {
    at: At,
    /// CR LF came last, or nothing yet.
    line_is_over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// At the beginning of a line; whether behind a CR.
    Start {
        cr: bool,
    },
    /// Behind a dot at the beginning.
    Dot,
    Inside,
}

impl Default for Ends {
    fn default() -> Self {
        Self { at: At::Start { cr: false }, line_is_over: true }
    }
}

impl Ends {
    /// False where an end is in it.
    fn pass(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes.iter();
        loop {
            // What is neither CR nor LF changes nothing there.
            if self.at == At::Inside {
                let bytes = rest.as_slice();
                let run = memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len());
                rest = bytes[run..].iter();
            }
            let Some(byte) = rest.next() else { return true };
            let before = self.at;
            self.at = match (before, byte) {
                (At::Dot, b'\r' | b'\n') => return false,
                (_, b'\r') => At::Start { cr: true },
                (_, b'\n') => At::Start { cr: false },
                (At::Start { .. }, b'.') => At::Dot,
                _ => At::Inside,
            };
            self.line_is_over = *byte == b'\n' && before == At::Start { cr: true };
        }
    }
}

/// Adds the dots that SMTP wants (RFC 5321 §4.5.2) to a text whose lines end with CR LF, piece by piece.
#[derive(Debug)]
pub struct Stuffing {
    at_start: bool,
}

impl Default for Stuffing {
    fn default() -> Self {
        Self { at_start: true }
    }
}

impl Stuffing {
    /// The next piece, with its dots. It may be cut anywhere.
    pub fn add(&mut self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + text.len() / 64 + 1);
        for byte in text {
            if self.at_start && *byte == b'.' {
                out.push(b'.');
            }
            out.push(*byte);
            self.at_start = *byte == b'\n';
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the pieces pass, and whether a line break must be added behind them.
    fn passes(pieces: &[&str]) -> Option<bool> {
        let mut ends = Ends::default();
        let passed = pieces.iter().all(|piece| ends.pass(piece.as_bytes()));
        (passed && ends.at != At::Dot).then_some(!ends.line_is_over)
    }

    #[test]
    fn an_end_inside_is_found_however_lines_break_and_wherever_it_is_cut() {
        for text in
            ["a\r\n.\r\nb", ".\r\n", "a\n.\nb", "a\r.\rb", "a\n.\r\nb", "a\r\n.\nb", "a\r.\n", "a\r\n.", "."]
        {
            assert_eq!(passes(&[text]), None, "{text:?}");
            for at in 0..=text.len() {
                assert_eq!(passes(&[&text[..at], &text[at..]]), None, "{text:?} cut at {at}");
            }
        }
    }

    #[test]
    fn other_texts_pass_and_end_with_a_line_break() {
        for (text, lacks) in [
            ("", false),
            ("a\r\n", false),
            ("a", true),
            ("a\n", true),
            ("a\r", true),
            ("..\r\n", false),
            ("a.\r\n.b\r\n...\r\n", false),
            ("\n\r", true),
            ("\r\r\n", false),
        ] {
            assert_eq!(passes(&[text]), Some(lacks), "{text:?}");
            for at in 0..=text.len() {
                assert_eq!(passes(&[&text[..at], &text[at..]]), Some(lacks), "{text:?} cut at {at}");
            }
        }
    }

    #[test]
    fn dots_are_added_at_the_beginning_of_lines() {
        let text = ".a\r\n.\r\n..\r\nb.\r\n.";
        let want = "..a\r\n..\r\n...\r\nb.\r\n..";
        for at in 0..=text.len() {
            let mut stuffing = Stuffing::default();
            let all = [stuffing.add(&text.as_bytes()[..at]), stuffing.add(&text.as_bytes()[at..])].concat();
            assert_eq!(String::from_utf8(all).unwrap(), want, "cut at {at}");
        }
        let stuffed = Stuffing::default().add(text.as_bytes());
        assert!(Ends::default().pass(&stuffed));
    }
}
