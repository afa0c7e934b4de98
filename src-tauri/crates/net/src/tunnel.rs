//! A connection to a server through a proxy.

use crate::proxy::{Kind, ProxyServer};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;

/// Largest answer to CONNECT.
const MOST_ANSWER: usize = 8 * 1024;

/// In the words of RFC 1928; whoever shows them says in the person's language what that means.
const WANTS_LOGIN: &str = "SOCKS5: no acceptable methods";
const FORBIDS: &str = "SOCKS5: not allowed by ruleset";
const NO_PROXY: &str = "HTTP/SOCKS5: protocol error";

/// Whose failure an error of [`through`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The proxy broke off, or what answers is none.
    Proxy,
    /// It refuses.
    Refusal,
    /// The proxy did not reach the server.
    Server,
}

/// Tells whose failure an error of [`through`] is. The text of one that is no server's is ours, and may be shown.
pub fn at(error: &io::Error) -> At {
    match error.kind() {
        io::ErrorKind::PermissionDenied => At::Refusal,
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::TimedOut => At::Server,
        _ => At::Proxy,
    }
}

/// Asks the proxy at the other end of `tcp` for a connection to this host, whose name the proxy looks up. What comes behind
/// the proxy's answer is the server's, and no byte of it is taken.
pub async fn through(
    proxy: &ProxyServer,
    mut tcp: TcpStream,
    host: &str,
    port: u16,
) -> io::Result<TcpStream> {
    match proxy.kind {
        Kind::Http => {
            connect(&mut tcp, proxy, host, port).await?;
            Ok(tcp)
        }
        Kind::Socks5 => {
            let target = (host, port);
            let opened = match proxy.login() {
                Some((user, password)) => {
                    Socks5Stream::connect_with_password_and_socket(tcp, target, user, password).await
                }
                None => Socks5Stream::connect_with_socket(tcp, target).await,
            };
            opened.map(Socks5Stream::into_inner).map_err(|error| refused(&error))
        }
    }
}

/// What a SOCKS proxy's refusal means.
fn refused(error: &tokio_socks::Error) -> io::Error {
    use tokio_socks::Error as E;
    let kind = match error {
        E::Io(inner) => inner.kind(),
        E::ConnectionRefused => io::ErrorKind::ConnectionRefused,
        E::NetworkUnreachable => io::ErrorKind::NetworkUnreachable,
        E::HostUnreachable => io::ErrorKind::HostUnreachable,
        E::TtlExpired => io::ErrorKind::TimedOut,
        E::ConnectionNotAllowedByRuleset => return io::Error::new(io::ErrorKind::PermissionDenied, FORBIDS),
        E::NoAcceptableAuthMethods | E::AuthorizationRequired | E::PasswordAuthFailure(_) => {
            return io::Error::new(io::ErrorKind::PermissionDenied, WANTS_LOGIN);
        }
        _ => return io::Error::new(io::ErrorKind::InvalidData, NO_PROXY),
    };
    kind.into()
}

/// RFC 9110 §9.3.6. The answer is read a byte at a time: a mail server may speak first, right behind it.
async fn connect(tcp: &mut TcpStream, proxy: &ProxyServer, host: &str, port: u16) -> io::Result<()> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let mut request =
        zeroize::Zeroizing::new(format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n"));
    if let Some((user, password)) = proxy.login() {
        use base64::Engine as _;
        let pair = zeroize::Zeroizing::new(format!("{user}:{password}"));
        let pair = zeroize::Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(pair.as_bytes()));
        request.push_str(&format!("Proxy-Authorization: Basic {}\r\n", pair.as_str()));
    }
    request.push_str("\r\n");
    tcp.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() == MOST_ANSWER {
            return Err(io::Error::new(io::ErrorKind::InvalidData, NO_PROXY));
        }
        answer.push(tcp.read_u8().await?);
    }
    let status = answer.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5));
    let status: u16 = status
        .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, NO_PROXY))?;
    Err(match status {
        200..=299 => return Ok(()),
        401 | 403 | 405 | 407 => io::Error::new(io::ErrorKind::PermissionDenied, format!("HTTP {status}")),
        502 | 503 => io::ErrorKind::HostUnreachable.into(),
        504 => io::ErrorKind::TimedOut.into(),
        _ => io::Error::new(io::ErrorKind::InvalidData, NO_PROXY),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::Proxy;
    use tokio::net::TcpListener;

    /// A proxy that answers each expected request, and then passes on what a server says first. Gives what was read.
    async fn ask(scheme: &str, login: &str, steps: Vec<(usize, Vec<u8>)>) -> (io::Result<Vec<u8>>, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let Ok(Proxy::Through(proxy)) = format!("{scheme}://{login}127.0.0.1:{port}").parse() else {
            panic!()
        };
        let server = tokio::spawn(async move {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut said = Vec::new();
            for (expect, answer) in steps {
                let mut part = vec![0; expect];
                if expect == 0 {
                    while !said.ends_with(b"\r\n\r\n") {
                        said.push(tcp.read_u8().await.unwrap());
                    }
                }
                tcp.read_exact(&mut part).await.unwrap();
                said.extend(part);
                tcp.write_all(&answer).await.unwrap();
            }
            said
        });
        let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let opened = async {
            let mut tcp = through(&proxy, tcp, "imap.x.test", 143).await?;
            let mut greeting = Vec::new();
            tcp.read_to_end(&mut greeting).await?;
            Ok(greeting)
        };
        let opened = opened.await;
        (opened, server.await.unwrap())
    }

    #[tokio::test]
    async fn a_server_that_speaks_first_is_heard_behind_the_proxys_answer() {
        let answer = b"HTTP/1.1 200 OK\r\nVia: x\r\n\r\n* OK ready\r\n".to_vec();
        let (greeting, said) = ask("http", "ann:pw@", vec![(0, answer)]).await;
        assert_eq!(greeting.unwrap(), b"* OK ready\r\n");
        let said = String::from_utf8(said).unwrap();
        let want = "CONNECT imap.x.test:143 HTTP/1.1\r\nHost: imap.x.test:143\r\nProxy-Authorization: Basic YW5uOnB3\r\n\r\n";
        assert_eq!(said, want);
        // RFC 1928: no sign-in wanted; the name goes to the proxy.
        let done = [&b"\x05\0\0\x01\x7f\0\0\x01\0\x8f"[..], b"* OK ready\r\n"].concat();
        let steps = vec![(3, b"\x05\0".to_vec()), (18, done.clone())];
        let (greeting, said) = ask("socks5", "", steps).await;
        assert_eq!(greeting.unwrap(), b"* OK ready\r\n");
        assert_eq!(said, b"\x05\x01\0\x05\x01\0\x03\x0bimap.x.test\0\x8f");
        // RFC 1929.
        let steps = vec![(4, b"\x05\x02".to_vec()), (8, b"\x01\0".to_vec()), (18, done)];
        let (greeting, said) = ask("socks5", "ann:pw@", steps).await;
        assert_eq!(greeting.unwrap(), b"* OK ready\r\n");
        assert!(said.windows(8).any(|w| w == b"\x01\x03ann\x02pw"), "{said:?}");
    }

    #[tokio::test]
    async fn a_refusal_is_told_by_its_kind() {
        for (status, kind) in [
            ("407 Proxy Authentication Required", io::ErrorKind::PermissionDenied),
            ("403 Forbidden", io::ErrorKind::PermissionDenied),
            ("502 Bad Gateway", io::ErrorKind::HostUnreachable),
            ("504 Gateway Timeout", io::ErrorKind::TimedOut),
            ("301 Moved", io::ErrorKind::InvalidData),
            ("x", io::ErrorKind::InvalidData),
        ] {
            let (opened, _) =
                ask("http", "", vec![(0, format!("HTTP/1.1 {status}\r\n\r\n").into_bytes())]).await;
            assert_eq!(opened.unwrap_err().kind(), kind, "{status}");
        }
        for (code, kind) in [
            (2, io::ErrorKind::PermissionDenied),
            (3, io::ErrorKind::NetworkUnreachable),
            (4, io::ErrorKind::HostUnreachable),
            (5, io::ErrorKind::ConnectionRefused),
            (6, io::ErrorKind::TimedOut),
        ] {
            let answer = vec![5, code, 0, 1, 0, 0, 0, 0, 0, 0];
            let (opened, _) = ask("socks5", "", vec![(3, b"\x05\0".to_vec()), (18, answer)]).await;
            assert_eq!(opened.unwrap_err().kind(), kind, "{code}");
        }
        let flood = vec![b'x'; MOST_ANSWER + 1];
        let (opened, _) = ask("http", "", vec![(0, flood)]).await;
        assert_eq!(opened.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
