//! Where people sign in, and what the program is registered as there.

use crate::error::OauthError;
use crate::secret::Hidden;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use threadline_net::http;

/// How long the provider's description of itself is waited for.
const TIMEOUT: Duration = Duration::from_secs(20);
const MOST_METADATA: usize = 256 * 1024;

/// Where people sign in. All addresses are `https`, or `http` on this very computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// RFC 6749 §3.1.
    pub authorize: String,
    /// RFC 6749 §3.2.
    pub token: String,
    /// Who must sign the answer (RFC 9207) where it is signed; `{tenantid}` stands for any text without a slash.
    pub issuer: Option<String>,
    /// Whether an answer without `iss` is refused.
    #[serde(default)]
    pub always_signs: bool,
    pub scopes: Vec<String>,
    /// Further parameters of the address that is opened.
    #[serde(default)]
    pub extra: Vec<(String, String)>,
    /// The host in the address that the browser is sent back to: `127.0.0.1` (RFC 8252 §7.3), or `localhost` where the
    /// provider knows only that without a port. The port is opened on 127.0.0.1 either way.
    #[serde(default = "loopback")]
    pub back_to: String,
}

fn loopback() -> String {
    "127.0.0.1".to_owned()
}

/// What the program is registered as at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    pub client_id: String,
    /// Some providers give one to programs too (Google); it is no secret to whoever has the program.
    pub client_secret: Option<Hidden>,
}

impl Provider {
    /// Google's, for Gmail and Workspace (developers.google.com/identity/protocols/oauth2/native-app). `offline` asks for
    /// a refresh token, and without `consent` it comes at the first sign-in alone.
    pub fn google() -> Self {
        Self {
            authorize: "https://accounts.google.com/o/oauth2/v2/auth".to_owned(),
            token: "https://oauth2.googleapis.com/token".to_owned(),
            issuer: Some("https://accounts.google.com".to_owned()),
            always_signs: false,
            // The names of who signs in tell another person's sign-in from a refused one.
            scopes: ["https://mail.google.com/", "openid", "email"].map(str::to_owned).to_vec(),
            extra: vec![
                ("access_type".to_owned(), "offline".to_owned()),
                ("prompt".to_owned(), "consent".to_owned()),
            ],
            back_to: loopback(),
        }
    }

    /// Microsoft's, for Microsoft 365 and Outlook.com
    /// (learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth).
    pub fn microsoft() -> Self {
        Self {
            authorize: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize".to_owned(),
            token: "https://login.microsoftonline.com/common/oauth2/v2.0/token".to_owned(),
            issuer: Some("https://login.microsoftonline.com/{tenantid}/v2.0".to_owned()),
            always_signs: false,
            scopes: [
                "https://outlook.office.com/IMAP.AccessAsUser.All",
                "https://outlook.office.com/SMTP.Send",
                "offline_access",
                "openid",
                "profile",
                "email",
            ]
            .map(str::to_owned)
            .to_vec(),
            extra: Vec::new(),
            back_to: "localhost".to_owned(),
        }
    }

    /// Another provider, by what it says of itself (RFC 8414, OpenID Connect Discovery 1.0) below its issuer's address.
    pub async fn described(issuer: &str, scopes: Vec<String>) -> Result<Self, OauthError> {
        let issuer = issuer.trim().trim_end_matches('/');
        let base = url(issuer)?;
        let client = http::client(&base, TIMEOUT).map_err(|e| OauthError::NoClient(e.to_string()))?;
        let mut last = OauthError::Malformed("the provider does not describe itself");
        for place in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
            match describe(&client, &url(&format!("{issuer}{place}"))?).await {
                Ok(said) => return Self::of_metadata(issuer, &said, scopes),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn of_metadata(issuer: &str, said: &Value, scopes: Vec<String>) -> Result<Self, OauthError> {
        let text = |name: &str| said[name].as_str().map(str::to_owned);
        let missing = || OauthError::Malformed("it names no place to sign in");
        // RFC 8414 §3.3.
        if text("issuer").is_none_or(|named| named.trim_end_matches('/') != issuer) {
            return Err(OauthError::OtherIssuer);
        }
        let provider = Self {
            authorize: text("authorization_endpoint").ok_or_else(missing)?,
            token: text("token_endpoint").ok_or_else(missing)?,
            issuer: text("issuer"),
            always_signs: said["authorization_response_iss_parameter_supported"] == Value::Bool(true),
            scopes,
            extra: Vec::new(),
            back_to: loopback(),
        };
        provider.check()?;
        Ok(provider)
    }

    /// Fails where an address may not be sent to.
    pub fn check(&self) -> Result<(), OauthError> {
        url(&self.authorize).and(url(&self.token)).map(drop)
    }

    /// The host of the token endpoint, as errors name it.
    pub fn host(&self) -> String {
        url(&self.token).map_or_else(|_| self.token.clone(), |url| crate::error::Host(&url).to_string())
    }

    /// Whether an answer with this `iss` is this provider's.
    pub(crate) fn signed(&self, iss: Option<&str>) -> bool {
        match (iss, &self.issuer) {
            (None, _) => !self.always_signs,
            // A provider of which no issuer is known cannot be told from another.
            (Some(_), None) => true,
            (Some(iss), Some(issuer)) => match issuer.split_once("{tenantid}") {
                None => iss == issuer,
                Some((before, after)) => iss
                    .strip_prefix(before)
                    .and_then(|rest| rest.strip_suffix(after))
                    .is_some_and(|tenant| !tenant.is_empty() && !tenant.contains('/')),
            },
        }
    }
}

pub(crate) fn url(text: &str) -> Result<Url, OauthError> {
    http::parse_url(text).map_err(|why| OauthError::BadUrl { url: text.to_owned(), next: why.next_step() })
}

async fn describe(client: &reqwest::Client, place: &Url) -> Result<Value, OauthError> {
    let answer = client.get(place.clone()).send().await.map_err(|e| crate::token::unreachable(place, &e))?;
    if !answer.status().is_success() {
        return Err(OauthError::Malformed("the provider does not describe itself"));
    }
    let body = http::body(answer, MOST_METADATA).await;
    let body = body.map_err(|_| OauthError::Malformed("its description breaks off or is too large"))?;
    serde_json::from_slice(&body).map_err(|_| OauthError::Malformed("its description is no JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_providers_can_be_used() {
        for provider in [Provider::google(), Provider::microsoft()] {
            provider.check().unwrap();
            assert!(!provider.scopes.is_empty());
            let text = serde_json::to_string(&provider).unwrap();
            assert_eq!(serde_json::from_str::<Provider>(&text).unwrap(), provider);
        }
    }

    #[test]
    fn an_answer_is_taken_from_the_provider_that_was_asked_alone() {
        let google = Provider::google();
        assert!(google.signed(None) && google.signed(Some("https://accounts.google.com")));
        for other in ["https://accounts.google.com.evil.test", "https://evil.test", ""] {
            assert!(!google.signed(Some(other)), "{other}");
        }
        let microsoft = Provider::microsoft();
        assert!(microsoft.signed(Some("https://login.microsoftonline.com/9188040d-6c67/v2.0")));
        for other in [
            "https://login.microsoftonline.com//v2.0",
            "https://login.microsoftonline.com/a/b/v2.0",
            "https://login.microsoftonline.com/v2.0",
            "https://login.microsoftonline.com/a/v2.0/x",
        ] {
            assert!(!microsoft.signed(Some(other)), "{other}");
        }
        let strict = Provider { always_signs: true, ..google };
        assert!(!strict.signed(None));
    }

    #[test]
    fn a_description_must_be_the_issuers_own_and_encrypted() {
        let said = |issuer: &str, token: &str| {
            serde_json::json!({
                "issuer": issuer, "authorization_endpoint": "https://id.test/auth", "token_endpoint": token,
                "authorization_response_iss_parameter_supported": true,
            })
        };
        let read = |said: Value| Provider::of_metadata("https://id.test", &said, vec!["mail".into()]);
        let good = read(said("https://id.test", "https://id.test/token")).unwrap();
        assert!(good.always_signs && good.signed(Some("https://id.test")) && !good.signed(None));
        assert_eq!(read(said("https://evil.test", "https://id.test/t")), Err(OauthError::OtherIssuer));
        assert!(matches!(
            read(said("https://id.test", "http://id.test/token")),
            Err(OauthError::BadUrl { .. })
        ));
        assert!(matches!(
            read(serde_json::json!({"issuer": "https://id.test"})),
            Err(OauthError::Malformed(_))
        ));
    }
}
