//! Whether it is this computer's clock that makes a certificate look out of date. A clock from before this program was made
//! is wrong by itself; else a web server of the same host, or of the domain above it, is asked what time it is (RFC 9110
//! §6.6.1).

use crate::error::MailError;
use crate::plain;
use crate::provider;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use std::net::IpAddr;
use threadline_core::reason::{Evidence, Phase, Signal, TlsFault};

/// Clocks that differ by less than this are one.
const APART: SignedDuration = SignedDuration::from_hours(24);

/// The error as it is, or the clock's where the certificate's dates are refused and this computer is alone with its time.
pub(crate) async fn judged(error: MailError, host: &str) -> MailError {
    let dates = matches!(error.evidence.signal, Signal::Tls(TlsFault::Expired | TlsFault::NotYetValid));
    let Some(shown) = error.presented.as_deref().filter(|_| dates) else { return error };
    let here = Timestamp::now();
    let made = provider::checked();
    let words = if let Some(made) = made.filter(|made| is_too_early(here, *made, shown.begins)) {
        format!("{} < {}", day(here), day(made))
    } else {
        let mut answers: FuturesUnordered<_> =
            hosts(host).into_iter().map(|host| async move { (plain::ask(host).await, host) }).collect();
        let says_otherwise = async {
            while let Some((answer, host)) = answers.next().await {
                let Some(said) = answer.and_then(|(head, _)| head.date) else { continue };
                // Of two clocks the first one counts: the other host is no better witness.
                return is_wrong(here, said, shown.begins, shown.expires).then_some((said, host));
            }
            None
        };
        let Some((said, host)) = says_otherwise.await else { return error };
        format!("{} ≠ {} ({host})", day(here), day(said))
    };
    MailError::new(&error.server, Evidence::new(Phase::Tls, Signal::LocalClock, &words))
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A mail server often has no web server, and the domain of its provider has one.
fn hosts(host: &str) -> Vec<&str> {
    let above = host.split_once('.').map(|(_, above)| above);
    let above = above.filter(|above| above.contains('.') && host.parse::<IpAddr>().is_err());
    std::iter::once(host).chain(above).collect()
}

/// Whether it is earlier here than when the program was made, and the certificate is refused for that.
fn is_too_early(here: Timestamp, made: Timestamp, begins: Timestamp) -> bool {
    here < begins && made.duration_since(here) > APART
}

/// Whether the certificate is good at the time that somebody else says, and only at that.
fn is_wrong(here: Timestamp, said: Timestamp, begins: Timestamp, expires: Timestamp) -> bool {
    let is_good = |at: Timestamp| begins <= at && at <= expires;
    is_good(said) && !is_good(here) && here.duration_since(said).abs() > APART
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
    fn a_clock_from_before_the_program_was_made_needs_no_witness() {
        let made = provider::checked().unwrap();
        let begins = at("2026-10-01T00:00:00Z");
        for (here, want) in [
            ("2001-01-01T00:00:00Z", true),
            ("2026-09-30T00:00:00Z", true),
            // The certificate has begun: its dates are refused for another cause.
            ("2026-10-02T00:00:00Z", false),
        ] {
            assert_eq!(is_too_early(at(here), made, begins), want, "{here}");
        }
        let later = at("2036-10-01T00:00:00Z");
        assert!(!is_too_early(at("2036-09-01T00:00:00Z"), made, later), "it is the server's fault");
    }

    #[test]
    fn the_domain_above_the_server_is_asked_too() {
        assert_eq!(hosts("imap.firm.example"), ["imap.firm.example", "firm.example"]);
        assert_eq!(hosts("firm.example"), ["firm.example"]);
        for alone in ["localhost", "192.0.2.7", "::1"] {
            assert_eq!(hosts(alone), [alone]);
        }
    }
}
