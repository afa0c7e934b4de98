//! Why a sign-in with the browser, or a new access token, was not to be had.

use std::fmt;
use threadline_core::envelope::clean;
use threadline_core::reason::{Evidence, MOST_WORDS, Phase, Signal};

/// Most characters kept of an error's name and code.
const MOST_NAME: usize = 60;

/// What went wrong. Holds the provider's words, and nothing that is secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OauthError {
    /// The provider says no, at its page or at its token endpoint.
    #[error("The provider refuses: {}. Sign in again; if it refuses again, show these words to your administrator.", said(.error, .words))]
    Refused {
        /// RFC 6749 §4.1.2.1 and §5.2, such as `invalid_grant`; cleaned.
        error: String,
        /// Microsoft's own, such as 50173 of `AADSTS50173`.
        numbers: Vec<u32>,
        /// Cleaned; a finer name of the error, such as `invalid_rapt`, stands in front.
        words: String,
    },
    #[error(
        "The provider's server at {host} does not answer ({cause}). Check the connection, then try again."
    )]
    Unreachable { host: String, cause: &'static str, signal: Option<Signal> },
    /// The provider's server answers with a 5xx.
    #[error("The provider's server at {host} is not available (HTTP {status}). Try again later.")]
    Unavailable { host: String, status: u16 },
    #[error(
        "The provider's answer cannot be read: {0}. Try again later; if it stays so, check the provider's addresses in the settings."
    )]
    Malformed(&'static str),
    /// RFC 9207: another provider answered than the one that was asked.
    #[error(
        "The answer comes from another provider than the one that was asked. Try again; if it happens again, tell your administrator."
    )]
    OtherIssuer,
    #[error(
        "The provider gives no permission that lasts: its answer holds no refresh token. Ask whoever registered Threadline there to allow refresh tokens (offline access)."
    )]
    NoRefreshToken,
    #[error("Nobody signed in within the time. Try again.")]
    TimedOut,
    #[error(
        "No port of this computer could be opened for the provider's answer: {0}. Close other programs and try again."
    )]
    NoPort(String),
    #[error("The address {url} cannot be used. {next}")]
    BadUrl { url: String, next: &'static str },
    #[error("The computer gives no random numbers. Restart it and try again.")]
    NoRandomness,
    #[error(
        "No connection to the provider can be made: {0}. Check the proxy and the trusted certificates of this computer, then try again."
    )]
    NoClient(String),
}

fn said(error: &str, words: &str) -> String {
    if words.is_empty() { error.to_owned() } else { format!("{error}: {words}") }
}

impl OauthError {
    /// As the provider put it; cleaned here.
    pub(crate) fn refused(error: &str, numbers: Vec<u32>, finer: Option<&str>, words: &str) -> Self {
        let numbers = if numbers.is_empty() { aadsts(words).into_iter().collect() } else { numbers };
        let words = match finer.map(|finer| clean(finer, MOST_NAME)) {
            Some(finer) if !words.contains(&finer) => format!("{finer}: {words}"),
            _ => words.to_owned(),
        };
        OauthError::Refused { error: clean(error, MOST_NAME), numbers, words: clean(&words, MOST_WORDS) }
    }

    /// What was seen, for the one classifier of reasons.
    pub fn evidence(&self) -> Evidence {
        let evidence = |signal, words: &str| Evidence::new(Phase::Auth, signal, words);
        match self {
            OauthError::Refused { error, numbers, words } => {
                let error = Some(error.clone()).filter(|error| !error.is_empty());
                evidence(Signal::OAuth { error, numbers: numbers.clone() }, words)
            }
            OauthError::Unreachable { signal, .. } => {
                evidence(signal.clone().unwrap_or(Signal::Reset), &self.to_string())
            }
            OauthError::Unavailable { .. } => {
                let error = Some("temporarily_unavailable".to_owned());
                evidence(Signal::OAuth { error, numbers: Vec::new() }, &self.to_string())
            }
            OauthError::TimedOut => evidence(Signal::TimedOut, &self.to_string()),
            OauthError::Malformed(_)
            | OauthError::NoRefreshToken
            | OauthError::OtherIssuer
            | OauthError::NoPort(_)
            | OauthError::BadUrl { .. }
            | OauthError::NoRandomness
            | OauthError::NoClient(_) => evidence(Signal::Malformed, &self.to_string()),
        }
    }

    /// Whether the refresh token is of no use any more: a person must sign in again.
    pub fn is_final(&self) -> bool {
        matches!(self, OauthError::Refused { error, .. }
            if error != "temporarily_unavailable" && error != "server_error" && error != "slow_down")
    }
}

/// Microsoft's number in its words.
fn aadsts(words: &str) -> Option<u32> {
    let at = words.find("AADSTS")?;
    let digits: String = words[at + 6..].chars().take_while(char::is_ascii_digit).take(9).collect();
    digits.parse().ok()
}

/// The host of an address, for errors.
pub(crate) struct Host<'a>(pub &'a reqwest::Url);

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.host_str().unwrap_or("the provider"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microsofts_numbers_are_found_in_its_words() {
        let words = "AADSTS50173: The provided grant has expired due to it being revoked.\r\nTrace ID: 1";
        let error = OauthError::refused("invalid_grant", Vec::new(), Some("bad_token"), words);
        let OauthError::Refused { numbers, words, .. } = &error else { panic!() };
        assert_eq!(numbers, &[50_173]);
        assert!(words.starts_with("bad_token: AADSTS50173: The") && !words.contains('\n'), "{words}");
        assert!(error.is_final());
        let error = OauthError::refused("invalid_grant", vec![70_008], None, words);
        assert!(matches!(error, OauthError::Refused { numbers, .. } if numbers == [70_008]));
        assert!(aadsts("AADSTS: none").is_none());
    }

    #[test]
    fn what_waiting_can_heal_is_not_final() {
        assert!(!OauthError::refused("temporarily_unavailable", Vec::new(), None, "").is_final());
        assert!(!OauthError::TimedOut.is_final());
        assert!(!OauthError::Unavailable { host: "x".into(), status: 503 }.is_final());
    }
}
