//! One way to make an HTTP client, and one reading of what can go wrong with it.

use crate::proxy::{self, Kind, Proxy};
use reqwest::{Client, ClientBuilder, Response, Url};
use rustls_pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use threadline_core::reason::{Signal, TlsFault};

/// Why an address may not be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub enum BadUrl {
    NoUrl,
    Credentials,
    Plaintext,
}

impl BadUrl {
    pub fn text(self) -> &'static str {
        match self {
            BadUrl::NoUrl => "The address is not a URL.",
            BadUrl::Credentials => "The address holds a user name or a password.",
            BadUrl::Plaintext => "The address is not encrypted.",
        }
    }

    pub fn next_step(self) -> &'static str {
        match self {
            BadUrl::NoUrl => "Write it as https://host/path.",
            BadUrl::Credentials => "Leave them out of the address.",
            BadUrl::Plaintext => "Use an address that begins with https://.",
        }
    }
}

/// Reads an address to send to. `https` only, except to this very computer; no name and password inside.
pub fn parse_url(text: &str) -> Result<Url, BadUrl> {
    let url = Url::parse(text.trim()).map_err(|_| BadUrl::NoUrl)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadUrl::Credentials);
    }
    match url.scheme() {
        "https" if url.host().is_some() => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(BadUrl::Plaintext),
    }
}

/// Whether an address is this very computer's.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Why no client can be made.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoClient(String);

/// A client for addresses like this one. It follows no redirect, so that a token goes to no other host, and trusts what
/// the system trusts. The proxy is the one that is set, or the system's,
/// but none for this very computer.
pub fn client(url: &Url, timeout: Duration) -> Result<Client, NoClient> {
    let builder = builder(timeout, Vec::new())?;
    let builder = if is_loopback(url) { builder.no_proxy() } else { by_proxy(builder)? };
    builder.build().map_err(|e| failed(&e))
}

/// What files that anybody may have are fetched with, by the proxy that is set. Redirects are followed: what comes is checked by
/// its signature.
pub fn downloads(timeout: Duration) -> Result<ClientBuilder, NoClient> {
    by_proxy(builder(timeout, Vec::new())?.redirect(reqwest::redirect::Policy::limited(5)))
}

/// What [`client`] is made of, without a proxy yet; `authorities` are trusted beside those of the system.
pub fn builder(
    timeout: Duration,
    authorities: Vec<CertificateDer<'static>>,
) -> Result<ClientBuilder, NoClient> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        Verifier::new_with_extra_roots(authorities, Arc::clone(&provider)).map_err(|e| failed(&e))?;
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| failed(&e))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .timeout(timeout)
        .connect_timeout(timeout.min(Duration::from_secs(20)))
        .tcp_nodelay(true)
        .user_agent(concat!("Threadline/", env!("CARGO_PKG_VERSION"))))
}

fn failed(error: &dyn Error) -> NoClient {
    NoClient(error.to_string())
}

/// The way that connections take ([`proxy::in_use`]).
pub fn by_proxy(builder: ClientBuilder) -> Result<ClientBuilder, NoClient> {
    let server = match proxy::in_use() {
        Proxy::None => return Ok(builder.no_proxy()),
        Proxy::System => return Ok(builder),
        Proxy::Through(server) => server,
    };
    let scheme = match server.kind {
        Kind::Http => "http",
        // The proxy looks names up.
        Kind::Socks5 => "socks5h",
    };
    let place = format!("{scheme}://{}:{}", server.host, server.port);
    let mut proxy = reqwest::Proxy::all(place).map_err(|e| NoClient(e.to_string()))?;
    if let Some((user, password)) = server.login() {
        proxy = proxy.basic_auth(user, password);
    }
    Ok(builder.no_proxy().proxy(proxy))
}

/// What hyper says where the server hangs up before it has answered.
const CUT_SHORT: &str = "connection closed before message completed";

/// Why a request was not answered, or not to its end; `None` where nothing sharper is known than that the server is at fault.
pub fn signal(error: &reqwest::Error) -> Option<Signal> {
    let mut io_kind = None;
    let mut tls = None;
    let (mut dns, mut cut) = (false, false);
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = source {
        tls = tls.or(cause.downcast_ref::<rustls::Error>().map(fault));
        dns |= cause.to_string().starts_with("dns error");
        cut |= cause.to_string() == CUT_SHORT;
        source = match cause.downcast_ref::<io::Error>() {
            Some(e) => {
                io_kind = io_kind.or(Some(e.kind()));
                // `source` of an io::Error steps over what it wraps, which is where TLS errors are.
                e.get_ref().map(|inner| -> &(dyn Error + 'static) { inner })
            }
            None => cause.source(),
        };
    }
    match (tls, io_kind) {
        (Some(fault), _) => Some(Signal::Tls(fault)),
        _ if error.is_connect() && dns => Some(Signal::Dns),
        _ if error.is_connect() && error.is_timeout() => Some(Signal::TimedOut),
        (_, Some(io::ErrorKind::ConnectionRefused)) => Some(Signal::Refused),
        (_, Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable)) => {
            Some(Signal::Unreachable)
        }
        (_, Some(io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted)) => Some(Signal::Reset),
        (_, Some(io::ErrorKind::BrokenPipe)) => Some(Signal::Reset),
        (_, Some(io::ErrorKind::UnexpectedEof)) => Some(Signal::Closed),
        _ if cut => Some(Signal::Closed),
        _ if error.is_timeout() => Some(Signal::TimedOut),
        _ => None,
    }
}

fn fault(error: &rustls::Error) -> TlsFault {
    use rustls::CertificateError as C;
    match error {
        rustls::Error::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => TlsFault::Expired,
        rustls::Error::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => {
            TlsFault::NotYetValid
        }
        rustls::Error::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
            TlsFault::NameMismatch
        }
        rustls::Error::InvalidCertificate(_) => TlsFault::UnknownIssuer,
        rustls::Error::InvalidMessage(_) => TlsFault::NotTls,
        _ => TlsFault::Other,
    }
}

/// Why a body was not read.
#[derive(Debug)]
pub enum NoBody {
    TooLarge,
    Broken(reqwest::Error),
}

/// Reads an answer's body of at most so many bytes.
pub async fn body(mut answer: Response, most: usize) -> Result<Vec<u8>, NoBody> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(NoBody::Broken)? {
        if bytes.len() + chunk.len() > most {
            return Err(NoBody::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_encrypted_addresses_and_this_computer_are_sent_to() {
        for good in ["https://x.example/a?b", "http://127.0.0.1:80/", "http://[::1]/", " http://localhost/x "]
        {
            assert!(parse_url(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("x.example", BadUrl::NoUrl),
            ("http://x.example/", BadUrl::Plaintext),
            ("ftp://127.0.0.1/", BadUrl::Plaintext),
            ("https://a:b@x.example/", BadUrl::Credentials),
            ("http://127.0.0.1.x.example/", BadUrl::Plaintext),
        ] {
            assert_eq!(parse_url(bad), Err(why), "{bad}");
        }
    }
}
