//! What a web server of a mail server's host says in plaintext, where TLS has failed. Everybody on the way can forge it, so
//! it decides over nothing but which reason is told.

use crate::connect::{Security, Server, Timeouts};
use crate::dial::Way;
use crate::tls::Trust;
use jiff::Timestamp;
use std::net::IpAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// Where a web server is, that needs no certificate.
const PORT: u16 = 80;
/// The longest that it is waited for; the reason is told later by so much.
const PATIENCE: Duration = Duration::from_secs(3);
/// Most of its answer that is read, in bytes.
const MOST: usize = 8 * 1024;
const END: &[u8] = b"\r\n\r\n";

/// The head of an answer (RFC 9110).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub status: u16,
    pub date: Option<Timestamp>,
    pub location: Option<String>,
}

/// The head that the web server of this host gives, and its address (the proxy's, where there is one).
pub(crate) async fn ask(host: &str) -> Option<(Head, IpAddr)> {
    timeout(PATIENCE, asked(host)).await.ok()?
}

async fn asked(host: &str) -> Option<(Head, IpAddr)> {
    let server =
        Server { host: host.to_owned(), port: PORT, security: Security::Tls, trust: Trust::default() };
    let timeouts = Timeouts { dns: PATIENCE, tcp: PATIENCE, ..Timeouts::default() };
    let mut tcp = Way::new(&server, &timeouts, &mut |_| {}).tcp().await.ok()?;
    let from = tcp.peer_addr().ok()?.ip();
    let request = format!("HEAD / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    tcp.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    while answer.len() < MOST && !answer.windows(END.len()).any(|end| end == END) {
        if tcp.read_buf(&mut answer).await.ok()? == 0 {
            break;
        }
    }
    Some((head(&String::from_utf8_lossy(&answer))?, from))
}

fn head(answer: &str) -> Option<Head> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split_whitespace().nth(1)?.parse().ok()?;
    let field = |wanted: &str| {
        let mut fields = head.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let date = field("date").and_then(|date| Some(jiff::fmt::rfc2822::parse(date).ok()?.timestamp()));
    Some(Head { status, date, location: field("location").map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_date_and_place_are_read_from_the_head_alone() {
        let text =
            "HTTP/1.1 301 Moved\r\nServer: x\r\ndate: Tue, 24 Nov 2026 10:00:00 GMT\r\nLocation: /y\r\n\r\n";
        let date = Some("2026-11-24T10:00:00Z".parse().unwrap());
        assert_eq!(head(text), Some(Head { status: 301, date, location: Some("/y".into()) }));
        let dateless = Some(Head { status: 200, date: None, location: None });
        for text in [
            "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nDate: Tue, 24 Nov 2026 10:00:00 GMT\r\n\r\n",
            "HTTP/1.0 200 OK\r\nDate: soon\r\n\r\n",
        ] {
            assert_eq!(head(text), dateless, "{text}");
        }
        for none in [
            "* OK\r\nDate: Tue, 24 Nov 2026 10:00:00 GMT\r\n\r\n",
            "HTTP/1.1 200 OK\r\nDate: Tue, 24 Nov 2026 10:00:00 GMT\r\n",
            "HTTP/1.1 twice OK\r\n\r\n",
            "",
        ] {
            assert_eq!(head(none), None, "{none}");
        }
    }
}
