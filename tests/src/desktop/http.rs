//! One JSON request over HTTP to this computer.

use anyhow::{Context, Result};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Longest wait for an answer: a WebDriver holds one back while a page loads.
const LIMIT: Duration = Duration::from_secs(90);

/// Sends a request and gives the answer, whatever its status says. Where the connection ends without a byte, the request
/// was lost between the two drivers while the page changed: it is sent once more.
pub fn call(port: u16, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let mut answer = exchange(port, method, path, body)?;
    if answer.is_empty() {
        answer = exchange(port, method, path, body)?;
    }
    let (_, json) = answer.split_once("\r\n\r\n").context("an answer without a body")?;
    serde_json::from_str(json).with_context(|| format!("{method} {path} was answered with {json}"))
}

fn exchange(port: u16, method: &str, path: &str, body: Option<&Value>) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(LIMIT))?;
    let body = body.map(Value::to_string).unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).with_context(|| format!("no answer to {method} {path}"))?;
    Ok(String::from_utf8(answer)?)
}
