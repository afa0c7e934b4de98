//! The lines of SMTP replies (RFC 5321 §4.2): three digits, a hyphen where more lines follow, words, CR LF.

use super::{At, Limits, Violation};

#[derive(Debug)]
pub(super) struct Lexer {
    limits: Limits,
    state: State,
    /// Bytes of this line.
    line: usize,
    /// Bytes of this reply.
    total: u64,
    /// Lines of this reply that are over.
    lines: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// So many digits were read.
    Digits(u8),
    /// In the words; whether another line follows.
    Words {
        more: bool,
    },
    Cr {
        more: bool,
    },
}

impl Lexer {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, state: State::Digits(0), line: 0, total: 0, lines: 0 }
    }

    pub(super) fn between_replies(&self) -> bool {
        self.total == 0
    }

    pub(super) fn feed(&mut self, byte: u8) -> Result<At, Violation> {
        self.line += 1;
        self.total += 1;
        if self.line > self.limits.line {
            return Err(Violation::LineTooLong);
        }
        if self.total > self.limits.response {
            return Err(Violation::ResponseTooLarge);
        }
        self.state = match (self.state, byte) {
            (State::Digits(count @ 0..=2), b'0'..=b'9') => State::Digits(count + 1),
            (State::Digits(3), b' ' | b'-') => State::Words { more: byte == b'-' },
            (State::Digits(3), b'\r') => State::Cr { more: false },
            (State::Digits(_), _) => return Err(Violation::NotAReply),
            (State::Words { more }, b'\r') => State::Cr { more },
            (State::Words { .. }, b'\n') => return Err(Violation::BareLineBreak),
            (State::Words { more }, _) => State::Words { more },
            (State::Cr { more }, b'\n') => return self.end(more),
            (State::Cr { .. }, _) => return Err(Violation::BareLineBreak),
        };
        Ok(At::Line)
    }

    fn end(&mut self, more: bool) -> Result<At, Violation> {
        if !more {
            *self = Self::new(self.limits);
            return Ok(At::ResponseEnd);
        }
        self.lines += 1;
        if self.lines >= self.limits.untagged_per_command {
            return Err(Violation::TooManyResponses);
        }
        self.line = 0;
        self.state = State::Digits(0);
        Ok(At::LineEnd)
    }
}
