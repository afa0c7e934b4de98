//! A small LMTP client (RFC 2033), to deliver as a mail server does.

use anyhow::{Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

pub(crate) fn deliver(port: u16, recipient: &str, raw: &[u8]) -> Result<()> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut step = |stream: &mut &TcpStream, command: &[u8]| -> Result<()> {
        stream.write_all(command)?;
        reply(&mut reader)
    };
    let mut writer = &stream;
    step(&mut writer, b"")?;
    step(&mut writer, b"LHLO localhost\r\n")?;
    step(&mut writer, format!("MAIL FROM:<{}>\r\n", sender(raw)).as_bytes())?;
    step(&mut writer, format!("RCPT TO:<{recipient}>\r\n").as_bytes())?;
    step(&mut writer, b"DATA\r\n")?;
    step(&mut writer, &dotted(raw))?;
    step(&mut writer, b"QUIT\r\n")
}

/// Reads one reply, which may have several lines; anything but 2xx and 3xx fails.
fn reply(reader: &mut impl BufRead) -> Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.as_bytes() {
            [b'2' | b'3', _, _, b'-', ..] => {}
            [b'2' | b'3', ..] => return Ok(()),
            _ => bail!("LMTP delivery failed: {}", line.trim_end()),
        }
    }
}

/// Every line end as CRLF.
pub(crate) fn crlf(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 32);
    let mut last = 0;
    for &byte in raw {
        if byte == b'\n' && last != b'\r' {
            out.push(b'\r');
        }
        out.push(byte);
        last = byte;
    }
    out
}

/// The message as DATA sends it (RFC 5321 §4.5.2), with its end.
fn dotted(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + 64);
    let text = crlf(raw);
    for line in text.split_inclusive(|b| *b == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

/// The address in From; empty where there is none, as for a bounce.
fn sender(raw: &[u8]) -> String {
    let head = String::from_utf8_lossy(&raw[..raw.len().min(8_192)]);
    let from = head
        .lines()
        .take_while(|line| !line.is_empty())
        .find(|line| line.get(..5).is_some_and(|name| name.eq_ignore_ascii_case("from:")));
    let Some(value) = from.map(|line| line[5..].trim()) else { return String::new() };
    let address = match value.rsplit_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or_default(),
        None => value,
    };
    let usable = address.is_ascii() && address.contains('@') && !address.contains(char::is_whitespace);
    if usable { address.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_crlf_and_dots_are_doubled() {
        assert_eq!(dotted(b"a\n.b\r\n\n.\n"), b"a\r\n..b\r\n\r\n..\r\n.\r\n");
        assert_eq!(dotted(b"a"), b"a\r\n.\r\n");
    }

    #[test]
    fn the_sender_is_the_address_in_from() {
        assert_eq!(sender(b"To: x@y\nfrom: Ann <ann@x.test>\n\n"), "ann@x.test");
        assert_eq!(sender(b"From: ann@x.test\r\n\r\n"), "ann@x.test");
        assert_eq!(sender(b"To: x@y\n\nFrom: late@x.test\n"), "");
    }
}
