//! Signing in with an access token: XOAUTH2, and OAUTHBEARER (RFC 7628).

use super::Said;
use crate::connect::Server;
use serde_json::Value;
use threadline_core::envelope::clean;
use zeroize::Zeroizing;

/// Most characters kept of each part of a refusal.
const MOST_PART: usize = 120;

/// The characters of a token (RFC 6750 §2.1).
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b))
}

pub(super) fn xoauth2(user: &str, token: &str) -> Said {
    Zeroizing::new(format!("user={user}\u{1}auth=Bearer {token}\u{1}\u{1}").into_bytes())
}

/// RFC 7628 §3.1. The header in front is GS2's (RFC 5801): no channel binding, and the user.
pub(super) fn oauthbearer(user: &str, token: &str, server: &Server) -> Said {
    let user = user.replace('=', "=3D").replace(',', "=2C");
    let Server { host, port, .. } = server;
    let text = format!("n,a={user},\u{1}host={host}\u{1}port={port}\u{1}auth=Bearer {token}\u{1}\u{1}");
    Zeroizing::new(text.into_bytes())
}

/// What a server says of a token that it does not take, before it says no (RFC 7628 §3.2.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: Option<String>,
    scope: Option<String>,
}

impl Refusal {
    /// Keeps the named parts and nothing else; what cannot be read says nothing.
    pub fn read(challenge: &[u8]) -> Self {
        let Ok(json) = serde_json::from_slice::<Value>(challenge) else { return Self::default() };
        let part = |name: &str| match &json[name] {
            Value::String(text) => Some(clean(text, MOST_PART)).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        Self { status: part("status"), scope: part("scope") }
    }
}

/// `status invalid_token, scope imap`; empty where nothing is known.
impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [("status", &self.status), ("scope", &self.scope)];
        let said = parts.iter().filter_map(|(name, part)| Some(format!("{name} {}", part.as_ref()?)));
        f.write_str(&said.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_are_those_of_the_specifications() {
        // Google's own example.
        let said = xoauth2("someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg");
        let text = String::from_utf8(said.to_vec()).unwrap();
        assert_eq!(
            text,
            "user=someuser@example.com\u{1}auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\u{1}\u{1}"
        );
        // RFC 7628 §4.1, with our port.
        let server = super::super::tests::server();
        let said = oauthbearer("us=er,x@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", &server);
        let text = String::from_utf8(said.to_vec()).unwrap();
        assert_eq!(
            text,
            "n,a=us=3Der=2Cx@example.com,\u{1}host=imap.x.test\u{1}port=993\u{1}\
             auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\u{1}\u{1}"
        );
    }

    #[test]
    fn a_refusal_keeps_what_it_knows() {
        for (json, said) in [
            (
                r#"{"status":"invalid_token","scope":"example_scope","openid-configuration":"https://x/y"}"#,
                "status invalid_token, scope example_scope",
            ),
            (r#"{"status":401,"schemes":"bearer"}"#, "status 401"),
            (r#"{"scope":"a\r\nb"}"#, "scope ab"),
            ("[]", ""),
            ("no json", ""),
        ] {
            assert_eq!(Refusal::read(json.as_bytes()).to_string(), said);
        }
    }
}
