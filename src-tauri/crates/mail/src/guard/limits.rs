//! How much a server may send, and why so much.

/// How much of anything a server may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of one response outside its literals, over all its lines.
    pub line: usize,
    /// Most bytes of one literal.
    pub literal: u64,
    /// Most literals of one response.
    pub literals: u32,
    /// Most parentheses open at once, outside quoted strings.
    pub depth: u16,
    /// Most bytes of one response, literals included.
    pub response: u64,
    /// Most responses to one command, its tagged one not counted. For SMTP: most lines of one reply.
    pub untagged_per_command: u64,
}

impl Limits {
    /// For a session. The line is 256 KiB: the longest that servers honestly send are ENVELOPE and flag lists of
    /// large mails and SEARCH answers of some 30,000 numbers, while async-imap, which tries a line again with each
    /// 4 KiB, stays at milliseconds. A literal is one message of 25 MiB and a little; imap-proto aborts the process
    /// at about 400 open parentheses, and no honest mail nests 64 deep.
    pub const fn imap() -> Self {
        Self {
            line: 256 * 1024,
            literal: 26 * 1024 * 1024,
            literals: 1_000,
            depth: 64,
            response: 28 * 1024 * 1024,
            untagged_per_command: 50_000,
        }
    }

    /// For what is said before TLS: a greeting and an answer or two.
    pub const fn plaintext() -> Self {
        Self {
            line: 8 * 1024,
            literal: 4 * 1024,
            literals: 4,
            depth: 16,
            response: 16 * 1024,
            untagged_per_command: 20,
        }
    }

    /// For SMTP replies; RFC 5321 §4.5.3.1.5 has lines of 512 bytes.
    pub const fn smtp() -> Self {
        Self {
            line: 4 * 1024,
            literal: 0,
            literals: 0,
            depth: 0,
            response: 64 * 1024,
            untagged_per_command: 128,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::imap()
    }
}
