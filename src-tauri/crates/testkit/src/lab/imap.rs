//! A small blocking IMAP client, for what a lab does as "another mail client". It is not under test and knows only what
//! Dovecot answers.

use super::lmtp::crlf;
use anyhow::{Context, Result, anyhow, bail};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

pub(crate) struct Imap {
    stream: BufReader<TcpStream>,
    tags: u32,
}

impl Imap {
    pub fn sign_in(address: (&str, u16), user: &str, password: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut imap = Self { stream: BufReader::new(stream), tags: 0 };
        imap.line()?;
        imap.command(&format!("LOGIN {} {}", quoted(user), quoted(password)))?;
        Ok(imap)
    }

    /// APPENDs, gives the new UID (UIDPLUS, RFC 4315).
    pub fn append(&mut self, folder: &str, flags: &str, raw: &[u8]) -> Result<u32> {
        let raw = crlf(raw);
        let append = format!("APPEND {} ({flags}) {{{}}}", quoted(folder), raw.len());
        let done = match self.with_literal(&append, &raw) {
            Err(e) if e.to_string().contains("[TRYCREATE]") => {
                self.command(&format!("CREATE {}", quoted(folder)))?;
                self.with_literal(&append, &raw)?
            }
            other => other?,
        };
        let done = String::from_utf8_lossy(&done).into_owned();
        done.split("[APPENDUID ")
            .nth(1)
            .and_then(|rest| rest.split([' ', ']']).nth(1)?.parse().ok())
            .ok_or_else(|| anyhow!("APPEND told no UID: {done:?}"))
    }

    pub fn add_flags(&mut self, folder: &str, uid: u32, flags: &str) -> Result<()> {
        self.command(&format!("SELECT {}", quoted(folder)))?;
        self.command(&format!("UID STORE {uid} +FLAGS.SILENT ({flags})")).map(drop)
    }

    /// A whole message, without setting `\Seen`.
    pub fn message(&mut self, folder: &str, uid: u32) -> Result<Vec<u8>> {
        self.command(&format!("EXAMINE {}", quoted(folder)))?;
        let answer = self.command(&format!("UID FETCH {uid} BODY.PEEK[]"))?;
        let start = answer.windows(3).position(|w| w == b"}\r\n").context("no such message")? + 3;
        let head = String::from_utf8_lossy(&answer[..start - 3]).into_owned();
        let size: usize = head.rsplit('{').next().unwrap_or_default().parse()?;
        answer.get(start..start + size).map(<[u8]>::to_vec).context("the message was cut")
    }

    fn command(&mut self, text: &str) -> Result<Vec<u8>> {
        self.bytes(text.as_bytes())
    }

    /// Sends a command that ends with a literal, when the server wants that: not every one has LITERAL+.
    fn with_literal(&mut self, command: &str, literal: &[u8]) -> Result<Vec<u8>> {
        self.tags += 1;
        let tag = format!("t{} ", self.tags);
        self.stream.get_mut().write_all(format!("{tag}{command}\r\n").as_bytes())?;
        let line = self.line()?;
        if !line.starts_with(b"+") {
            bail!("the lab's server said: {}", String::from_utf8_lossy(&line).trim_end());
        }
        self.stream.get_mut().write_all(&[literal, b"\r\n"].concat())?;
        self.until(&tag)
    }

    /// Sends one command; gives everything up to and with its tagged OK.
    fn bytes(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        self.tags += 1;
        let tag = format!("t{} ", self.tags);
        let whole = [tag.as_bytes(), command, b"\r\n"].concat();
        self.stream.get_mut().write_all(&whole)?;
        self.until(&tag)
    }

    fn until(&mut self, tag: &str) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let line = self.line()?;
            all.extend_from_slice(&line);
            if let Some(rest) = line.strip_prefix(tag.as_bytes()) {
                if rest.starts_with(b"OK") {
                    return Ok(all);
                }
                bail!("the lab's server said: {}", String::from_utf8_lossy(rest).trim_end());
            }
        }
    }

    /// One line, with the literal that it announces and what follows that.
    fn line(&mut self) -> Result<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            if self.stream.read_until(b'\n', &mut line)? == 0 {
                bail!("the lab's server closed the connection");
            }
            let text = String::from_utf8_lossy(&line);
            let announced =
                text.trim_end().strip_suffix('}').and_then(|t| t.rsplit('{').next()?.parse().ok());
            let Some(size) = announced else { return Ok(line) };
            self.stream.by_ref().take(size).read_to_end(&mut line)?;
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
