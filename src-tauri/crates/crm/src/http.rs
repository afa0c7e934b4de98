//! One way to make an HTTP client, and one reading of what can go wrong with it.

use crate::error::{CrmError, Kind, Retry};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::HeaderMap;
use reqwest::{Client, Response, Url};
use std::time::Duration;
use threadline_core::reason::{Evidence, Phase, Reason, classify};
use threadline_net::http::{self as net, NoBody};

/// How long one request may take, from the first byte to the last.
pub const TIMEOUT: Duration = Duration::from_secs(60);
/// Slowest line on which a file is still sent to its end, in bytes a second.
const SLOWEST: u64 = 32 * 1024;
/// Largest answer read, in bytes.
const MOST_ANSWER: usize = 32 * 1024 * 1024;
/// Longest pause believed when a server asks for one.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);

/// How much longer a request may take that carries so many bytes.
pub fn patience(bytes: usize) -> Duration {
    Duration::from_secs(bytes as u64 / SLOWEST)
}

/// Reads an address to send to; see [`net::parse_url`].
pub fn parse_url(thing: &'static str, text: &str) -> Result<Url, CrmError> {
    net::parse_url(text).map_err(|why| setting(thing).told(why.text(), why.next_step()))
}

fn setting(thing: &'static str) -> CrmError {
    CrmError::new(thing, Reason::CrmRejected).retry(Retry::Never)
}

/// See [`net::client`].
pub fn client(thing: &'static str, url: &Url, timeout: Duration) -> Result<Client, CrmError> {
    net::client(url, timeout).map_err(|e| setting(thing).words(&e.to_string()))
}

/// Says why there was no answer. Where the request may have arrived, the error is uncertain if it was a write.
/// The URL, which can hold an address, is left out of the words.
pub fn unanswered(thing: &str, error: reqwest::Error, write: bool) -> CrmError {
    let error = error.without_url();
    let reached = !error.is_connect() && !error.is_builder();
    let reason = match net::signal(&error) {
        Some(signal) => classify(&Evidence::new(Phase::Push, signal, "")),
        None => Reason::ServerUnavailable,
    };
    let words = if error.is_timeout() { "no answer in time" } else { "" };
    CrmError::new(thing, reason).words(words).uncertain(write && reached).reached(reached)
}

/// Reads the answer's body, in bounded memory.
pub async fn body(thing: &str, answer: Response, write: bool) -> Result<Vec<u8>, CrmError> {
    net::body(answer, MOST_ANSWER).await.map_err(|why| match why {
        NoBody::Broken(error) => unanswered(thing, error, write),
        NoBody::TooLarge => {
            CrmError::new(thing, Reason::ProtocolError).words("the answer is too large").uncertain(write)
        }
    })
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
