//! The lines of IMAP responses, read as imap-proto reads them, so that the two never disagree about where a string,
//! a literal or a response ends. Where they could disagree, the guard refuses.

use super::{At, Limits, Violation};

/// A state machine that takes one byte at a time, in constant memory.
#[derive(Debug)]
pub(super) struct Lexer {
    limits: Limits,
    state: State,
    /// Bytes of this response outside literals.
    outside: usize,
    /// Bytes of this response.
    total: u64,
    depth: u16,
    literals: u32,
    literal_left: u64,
    /// The byte before, outside quoted strings; a space at the beginning.
    last: u8,
    /// How much of [`DATELESS`] the data ends with.
    dateless: usize,
}

/// imap-proto panics at it, and at METADATA (RFC 5464) that is not UTF-8, for which we never ask.
const DATELESS: &[u8] = b"INTERNALDATE NIL";
const METADATA: &[u8] = b"METADAT";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte of a response.
    Start,
    /// After the star: a space must follow.
    Star,
    /// In the first word of an untagged response; at most seven letters are kept.
    Word {
        letters: [u8; 7],
        count: u8,
    },
    /// In words for people, where nothing has a meaning; how far the end looks like a literal.
    Text(Tail),
    /// In data: lists, strings, literals.
    Data,
    Quoted,
    Escape,
    /// In `{n`, with the number so far and whether it has a digit.
    Length {
        count: u64,
        digits: bool,
    },
    /// After the `+` of `{n+`.
    Plus {
        count: u64,
    },
    /// After the `}`.
    Close {
        count: u64,
    },
    /// After the CR behind the `}`.
    CloseCr {
        count: u64,
    },
    /// After a CR that ends the response.
    Cr,
}

/// How much of `{digits}` or `{digits+}` the end of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    None,
    Open,
    Digits,
    Plus,
    Closed,
}

impl Lexer {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Start,
            outside: 0,
            total: 0,
            depth: 0,
            literals: 0,
            literal_left: 0,
            last: b' ',
            dateless: 0,
        }
    }

    pub(super) fn literal_left(&self) -> u64 {
        self.literal_left
    }

    pub(super) fn skip(&mut self, count: u64) {
        self.literal_left = self.literal_left.saturating_sub(count);
    }

    pub(super) fn between_responses(&self) -> bool {
        self.state == State::Start && self.literal_left == 0
    }

    pub(super) fn feed(&mut self, byte: u8) -> Result<At, Violation> {
        self.outside += 1;
        self.total += 1;
        if self.outside > self.limits.line {
            return Err(Violation::LineTooLong);
        }
        if self.total > self.limits.response {
            return Err(Violation::ResponseTooLarge);
        }
        match self.state {
            State::Start => self.state = self.start(byte)?,
            State::Star if byte == b' ' => {
                self.state = State::Word { letters: [0; 7], count: 0 };
            }
            State::Star => self.data(byte)?,
            State::Word { letters, count } => self.word(byte, letters, count)?,
            State::Text(tail) => self.state = text(byte, tail)?,
            State::Data => self.data(byte)?,
            State::Quoted => match byte {
                b'"' => self.state = State::Data,
                b'\\' => self.state = State::Escape,
                b'\r' | b'\n' => return Err(Violation::BrokenQuote),
                _ => {}
            },
            State::Escape if matches!(byte, b'"' | b'\\') => self.state = State::Quoted,
            State::Escape => return Err(Violation::BrokenQuote),
            State::Length { count, digits } => self.state = self.length(byte, count, digits)?,
            State::Plus { count } if byte == b'}' => self.state = State::Close { count },
            State::Close { count } if byte == b'\r' => self.state = State::CloseCr { count },
            State::CloseCr { count } if byte == b'\n' => return self.literal(count),
            State::Plus { .. } | State::Close { .. } | State::CloseCr { .. } => {
                return Err(Violation::LiteralMalformed);
            }
            State::Cr if byte == b'\n' => return self.end(),
            State::Cr => return Err(Violation::BareLineBreak),
        }
        Ok(At::Line)
    }

    fn start(&self, byte: u8) -> Result<State, Violation> {
        match byte {
            b'*' => Ok(State::Star),
            // A tag or a continuation: both end in words.
            _ => text(byte, Tail::None),
        }
    }

    /// OK, NO, BAD, BYE and PREAUTH bring words; all else is data.
    fn word(&mut self, byte: u8, mut letters: [u8; 7], count: u8) -> Result<(), Violation> {
        let at = usize::from(count);
        if byte.is_ascii_alphabetic()
            && let Some(letter) = letters.get_mut(at)
        {
            *letter = byte.to_ascii_uppercase();
            self.last = byte;
            self.state = State::Word { letters, count: count + 1 };
            return Ok(());
        }
        if &letters[..at] == METADATA {
            return Err(Violation::Unreadable);
        }
        let status = matches!(&letters[..at], b"OK" | b"NO" | b"BAD" | b"BYE" | b"PREAUTH");
        if status && matches!(byte, b' ' | b'\r') {
            self.state = text(byte, Tail::None)?;
            return Ok(());
        }
        self.data(byte)
    }

    fn data(&mut self, byte: u8) -> Result<(), Violation> {
        let upper = byte.to_ascii_uppercase();
        self.dateless = match DATELESS.get(self.dateless) {
            Some(wanted) if *wanted == upper => self.dateless + 1,
            // No other letter of it is its first one, but that of NIL, before which it cannot begin anew.
            _ => usize::from(upper == DATELESS[0]),
        };
        if self.dateless == DATELESS.len() {
            return Err(Violation::Unreadable);
        }
        let last = std::mem::replace(&mut self.last, byte);
        self.state = match byte {
            b'(' => {
                self.depth += 1;
                if self.depth > self.limits.depth {
                    return Err(Violation::NestingTooDeep);
                }
                State::Data
            }
            b')' => {
                self.depth = self.depth.checked_sub(1).ok_or(Violation::Unbalanced)?;
                State::Data
            }
            // Inside a word a quote is not a quote to imap-proto, so it must not be one here.
            b'"' if matches!(last, b' ' | b'(' | b')' | b'[' | b'"') => State::Quoted,
            b'"' => return Err(Violation::BrokenQuote),
            b'{' => State::Length { count: 0, digits: false },
            b'\r' if self.depth > 0 => return Err(Violation::Unbalanced),
            b'\r' => State::Cr,
            b'\n' => return Err(Violation::BareLineBreak),
            _ => State::Data,
        };
        Ok(())
    }

    fn length(&self, byte: u8, count: u64, digits: bool) -> Result<State, Violation> {
        match byte {
            b'0'..=b'9' => {
                let count = count
                    .checked_mul(10)
                    .and_then(|c| c.checked_add(u64::from(byte - b'0')))
                    .filter(|c| *c <= self.limits.literal)
                    .ok_or(Violation::LiteralTooLarge)?;
                Ok(State::Length { count, digits: true })
            }
            b'+' if digits => Ok(State::Plus { count }),
            b'}' if digits => Ok(State::Close { count }),
            _ => Err(Violation::LiteralMalformed),
        }
    }

    fn literal(&mut self, count: u64) -> Result<At, Violation> {
        self.literals += 1;
        if self.literals > self.limits.literals {
            return Err(Violation::TooManyLiterals);
        }
        self.total = self.total.saturating_add(count);
        if self.total > self.limits.response {
            return Err(Violation::ResponseTooLarge);
        }
        self.literal_left = count;
        self.state = State::Data;
        self.last = b'}';
        Ok(At::LineEnd)
    }

    fn end(&mut self) -> Result<At, Violation> {
        *self = Self::new(self.limits);
        Ok(At::ResponseEnd)
    }
}

/// A text that ends like a literal is refused: a parser that takes it for one would read on in the next line, and
/// no server ends its words so.
fn text(byte: u8, tail: Tail) -> Result<State, Violation> {
    let tail = match (byte, tail) {
        (b'\r', Tail::Closed) => return Err(Violation::LiteralMalformed),
        (b'\r', _) => return Ok(State::Cr),
        (b'\n', _) => return Err(Violation::BareLineBreak),
        (b'{', _) => Tail::Open,
        (b'0'..=b'9', Tail::Open | Tail::Digits) => Tail::Digits,
        (b'+', Tail::Digits) => Tail::Plus,
        (b'}', Tail::Digits | Tail::Plus) => Tail::Closed,
        _ => Tail::None,
    };
    Ok(State::Text(tail))
}
