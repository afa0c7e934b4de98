//! What a provider wants done about a reason, for a window that has the words in its own language.

use serde::Serialize;
use threadline_core::reason::Reason;
use threadline_mail::advice::{advice, provider_of};

/// What this provider wants done, in the place of what is usual.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ProviderAdvice {
    /// Names the sentence, as `gmail.password`.
    pub key: String,
    /// The provider's own page about it, by HTTPS.
    pub link: String,
}

impl ProviderAdvice {
    /// `None` where nothing is known of the provider of this server, or nothing special about the reason. `host` may carry a
    /// port.
    pub fn of(reason: Reason, host: &str) -> Option<Self> {
        let provider = provider_of(host)?;
        let advice = advice(reason, Some(provider));
        Some(Self { key: format!("{}.{}", provider.name(), advice.topic?), link: advice.link?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let told = ProviderAdvice::of(Reason::AppPasswordRequired, "imap.gmail.com:993").unwrap();
        assert_eq!(told.key, "gmail.password");
        assert!(told.link.starts_with("https://"));
        assert_eq!(ProviderAdvice::of(Reason::DnsFailure, "imap.gmail.com"), None);
        assert_eq!(ProviderAdvice::of(Reason::AppPasswordRequired, "imap.firm.example"), None);
    }
}
