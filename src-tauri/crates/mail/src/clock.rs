//! Whether it is this computer's clock that makes a certificate look out of date: a web server of the same host is asked
//! what time it is (RFC 9110 §6.6.1). That goes in plaintext, so it decides over nothing but which of two reasons is told.

use crate::connect::{Security, Server, Timeouts};
use crate::dial::Way;
use crate::error::MailError;
use crate::tls::Trust;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use threadline_core::reason::{Evidence, Phase, Signal, TlsFault};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// Where a web server is, that needs no certificate.
const PORT: u16 = 80;
/// The longest that it is waited for; the reason is told later by so much.
const PATIENCE: Duration = Duration::from_secs(3);
/// Most of its answer that is read, in bytes.
const MOST: u64 = 8 * 1024;
/// Clocks that differ by less than this are one.
const APART: SignedDuration = SignedDuration::from_hours(24);

/// The error as it is, or the clock's where the certificate's dates are refused and this computer is alone with its time.
pub(crate) async fn judged(error: MailError, host: &str) -> MailError {
    let dates = matches!(error.evidence.signal, Signal::Tls(TlsFault::Expired | TlsFault::NotYetValid));
    let Some(shown) = error.presented.as_deref().filter(|_| dates) else { return error };
    let Ok(Some(said)) = timeout(PATIENCE, ask(host)).await else { return error };
    let here = Timestamp::now();
    if !is_wrong(here, said, shown.begins, shown.expires) {
        return error;
    }
    let words = format!("{} ≠ {} ({host})", day(here), day(said));
    MailError::new(&error.server, Evidence::new(Phase::Tls, Signal::LocalClock, &words))
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Whether the certificate is good at the time that somebody else says, and only at that.
fn is_wrong(here: Timestamp, said: Timestamp, begins: Timestamp, expires: Timestamp) -> bool {
    let is_good = |at: Timestamp| begins <= at && at <= expires;
    is_good(said) && !is_good(here) && here.duration_since(said).abs() > APART
}

/// What time a web server of this host says it is.
async fn ask(host: &str) -> Option<Timestamp> {
    let server =
        Server { host: host.to_owned(), port: PORT, security: Security::Tls, trust: Trust::default() };
    let timeouts = Timeouts { dns: PATIENCE, tcp: PATIENCE, ..Timeouts::default() };
    let mut tcp = Way::new(&server, &timeouts, &mut |_| {}).tcp().await.ok()?;
    let request = format!("HEAD / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    tcp.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    tcp.take(MOST).read_to_end(&mut answer).await.ok()?;
    date(&String::from_utf8_lossy(&answer))
}

/// The date in the head of an answer.
fn date(answer: &str) -> Option<Timestamp> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.").then_some(())?;
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let (_, date) = fields.find(|(name, _)| name.eq_ignore_ascii_case("date"))?;
    Some(jiff::fmt::rfc2822::parse(date.trim()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_clock_is_wrong_where_the_certificate_is_good_by_somebody_elses() {
        let [begins, expires] = ["2026-10-01T00:00:00Z", "2026-12-30T00:00:00Z"].map(at);
        for (here, said, want) in [
            ("2029-11-24T10:00:00Z", "2026-11-24T10:00:00Z", true),
            ("2001-01-01T00:00:00Z", "2026-11-24T10:00:00Z", true),
            // It has expired, by both clocks.
            ("2027-01-03T00:00:00Z", "2027-01-03T00:00:10Z", false),
            ("2029-01-03T00:00:00Z", "2027-01-03T00:00:10Z", false),
            // It expires at this moment.
            ("2026-12-30T00:00:01Z", "2026-12-29T23:59:59Z", false),
            ("2026-11-24T10:00:00Z", "2026-11-20T10:00:00Z", false),
        ] {
            assert_eq!(is_wrong(at(here), at(said), begins, expires), want, "{here} {said}");
        }
    }

    #[test]
    fn the_date_is_read_from_the_head_alone() {
        let told = Some(at("2026-11-24T10:00:00Z"));
        let head = "HTTP/1.1 301 Moved\r\nServer: x\r\ndate: Tue, 24 Nov 2026 10:00:00 GMT\r\n\r\n";
        assert_eq!(date(head), told);
        for none in [
            "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nDate: Tue, 24 Nov 2026 10:00:00 GMT\r\n\r\n",
            "HTTP/1.1 200 OK\r\nDate: soon\r\n\r\n",
            "* OK\r\nDate: Tue, 24 Nov 2026 10:00:00 GMT\r\n\r\n",
            "HTTP/1.1 200 OK\r\nDate: Tue, 24 Nov 2026 10:00:00 GMT\r\n",
            "",
        ] {
            assert_eq!(date(none), None, "{none}");
        }
    }
}
