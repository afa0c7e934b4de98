//! One way to make an HTTP client, and one reading of what can go wrong with it.

use crate::error::{CrmError, Kind, Retry};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::HeaderMap;
use reqwest::{Client, Response, Url};
use rustls_platform_verifier::BuilderVerifierExt;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use threadline_core::reason::Reason;

/// How long one request may take, from the first byte to the last.
pub const TIMEOUT: Duration = Duration::from_secs(60);
/// Largest answer read, in bytes.
const MOST_ANSWER: usize = 32 * 1024 * 1024;
/// Longest pause believed when a server asks for one.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);

/// Reads an address to send to. `https` only, except to this very computer; no name and password inside.
pub fn parse_url(thing: &'static str, text: &str) -> Result<Url, CrmError> {
    let bad = |cause, next| Err(setting(thing).told(cause, next));
    let Ok(url) = Url::parse(text.trim()) else {
        return bad("The address is not a URL.", "Write it as https://host/path.");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return bad("The address holds a user name or a password.", "Leave them out of the address.");
    }
    match url.scheme() {
        "https" if url.host().is_some() => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => bad("The address is not encrypted.", "Use an address that begins with https://."),
    }
}

fn setting(thing: &'static str) -> CrmError {
    CrmError::new(thing, Reason::CrmRejected).retry(Retry::Never)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A client that follows no redirect, so that a token goes to no other host, and trusts what the system trusts.
/// A proxy that the environment names is used, but never for this very computer.
pub fn client(thing: &'static str, url: &Url, timeout: Duration) -> Result<Client, CrmError> {
    let failed = |e: &dyn Error| setting(thing).words(&e.to_string());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|e| failed(&e))?
        .with_no_client_auth();
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .timeout(timeout)
        .connect_timeout(timeout.min(Duration::from_secs(20)))
        .tcp_nodelay(true)
        .user_agent(concat!("Threadline/", env!("CARGO_PKG_VERSION")));
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|e| failed(&e))
}

/// Says why there was no answer. Where the request may have arrived, the error is uncertain if it was a write.
/// The URL, which can hold an address, is left out of the words.
pub fn unanswered(thing: &str, error: reqwest::Error, write: bool) -> CrmError {
    let error = error.without_url();
    let mut io_kind = None;
    let mut tls = None;
    let mut dns = false;
    let mut source: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(cause) = source {
        tls = tls.or(cause.downcast_ref::<rustls::Error>().map(tls_reason));
        dns |= cause.to_string().starts_with("dns error");
        source = match cause.downcast_ref::<io::Error>() {
            Some(e) => {
                io_kind = io_kind.or(Some(e.kind()));
                // `source` of an io::Error steps over what it wraps, which is where TLS errors are.
                e.get_ref().map(|inner| -> &(dyn Error + 'static) { inner })
            }
            None => cause.source(),
        };
    }
    let connecting = error.is_connect();
    let reason = match (tls, io_kind) {
        (Some(reason), _) => reason,
        _ if connecting && dns => Reason::DnsFailure,
        _ if connecting && error.is_timeout() => Reason::ConnectionTimeout,
        (_, Some(io::ErrorKind::ConnectionRefused)) => Reason::ConnectionRefused,
        (_, Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable)) => {
            Reason::NetworkUnreachable
        }
        _ => Reason::ServerUnavailable,
    };
    let words = if error.is_timeout() { "no answer in time" } else { "" };
    CrmError::new(thing, reason).words(words).uncertain(write && !connecting && !error.is_builder())
}

fn tls_reason(error: &rustls::Error) -> Reason {
    use rustls::CertificateError as C;
    match error {
        rustls::Error::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => Reason::TlsExpired,
        rustls::Error::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
            Reason::TlsNameMismatch
        }
        rustls::Error::InvalidCertificate(_) => Reason::TlsUntrusted,
        rustls::Error::InvalidMessage(_) => Reason::TlsPlaintextPort,
        _ => Reason::ProtocolError,
    }
}

/// Reads the answer's body, in bounded memory.
pub async fn body(thing: &str, mut answer: Response, write: bool) -> Result<Vec<u8>, CrmError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|e| unanswered(thing, e, write))? {
        if bytes.len() + chunk.len() > MOST_ANSWER {
            let error = CrmError::new(thing, Reason::ProtocolError).words("the answer is too large");
            return Err(error.uncertain(write));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// `Retry-After` (RFC 9110 §10.2.3): seconds or a date.
pub fn retry_after(answer: &Response, now: Timestamp) -> Option<Duration> {
    let value = answer.headers().get("retry-after")?.to_str().ok()?.trim();
    let pause = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = rfc2822::parse(value).ok()?.timestamp();
            Duration::try_from(date.duration_since(now)).unwrap_or_default()
        }
    };
    Some(pause.min(LONGEST_PAUSE))
}

/// The server's own time (RFC 9110 §6.6.1).
pub fn date(headers: &HeaderMap) -> Option<Timestamp> {
    rfc2822::parse(headers.get("date")?.to_str().ok()?).ok().map(|date| date.timestamp())
}

/// An answer of the 5xx kind: the server may or may not have done it.
pub fn unavailable(thing: &str, status: u16, pause: Option<Duration>, write: bool) -> CrmError {
    CrmError::new(thing, Reason::ServerUnavailable)
        .kind(Kind::Sink)
        .words(&format!("HTTP {status}"))
        .retry(pause.map_or(Retry::Soon, Retry::After))
        .uncertain(write)
}
