//! How much a mail program may say, and how long it may take.

use std::time::Duration;

/// The relay's limits. Memory is bounded by `connections` times the header, a line and a piece of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most connections at once; a further one is told to come again.
    pub connections: usize,
    /// Most bytes of a command's line with its end. RFC 5321 §4.5.3.1.4 has 512, the extensions add to it; the first answer
    /// to AUTH may stand in the line.
    pub command: usize,
    /// Most bytes of a line while signing in (RFC 4954 §4).
    pub sign_in_line: usize,
    /// Most bytes of a command's line that is read to its end and refused; beyond, the connection ends.
    pub overlong: usize,
    /// Most bytes of a mail's header, which is held.
    pub header: usize,
    /// Most bytes of a line of a mail, without its end and without a dot that was doubled (RFC 5322 §2.1.1).
    pub text_line: usize,
    /// Most recipients of one mail.
    pub recipients: usize,
    /// Most commands on one connection that are not understood, or come at the wrong time.
    pub mistakes: u32,
    /// Most wrong passwords on one connection.
    pub refusals: u32,
    /// The longest pause after a wrong password; it doubles with each, whatever the connection.
    pub longest_pause: Duration,
    /// TLS handshake.
    pub handshake: Duration,
    /// From connecting to signing in.
    pub before_sign_in: Duration,
    /// Silence between commands, and within a mail's text (RFC 5321 §4.5.3.2.7).
    pub idle: Duration,
    /// One mail's text, from the 354 to its dot.
    pub text: Duration,
    /// Bytes of a text that is read to its end after it was refused; beyond, the connection ends.
    pub swallow: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 32,
            command: 4 * 1024,
            sign_in_line: 12 * 1024,
            overlong: 64 * 1024,
            header: 256 * 1024,
            text_line: 998,
            recipients: 1_000,
            mistakes: 20,
            refusals: 3,
            longest_pause: Duration::from_secs(30),
            handshake: Duration::from_secs(10),
            before_sign_in: Duration::from_secs(60),
            idle: Duration::from_secs(5 * 60),
            text: Duration::from_secs(30 * 60),
            swallow: 200 * 1024 * 1024,
        }
    }
}
