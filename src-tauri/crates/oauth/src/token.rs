//! The token endpoint (RFC 6749 §3.2): a code or a refresh token becomes an access token.

use crate::error::{Host, OauthError};
use crate::provider::{App, Provider, url};
use crate::secret::Hidden;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Client, Url};
use serde_json::Value;
use std::time::Duration;
use threadline_core::envelope::clean;
use threadline_net::http::{self, NoBody};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Largest answer read.
const MOST_ANSWER: usize = 256 * 1024;
/// Most numbers kept of a refusal.
const MOST_NUMBERS: usize = 8;
/// How long an access token is good for where the provider does not say.
const USUAL_LIFE: Duration = Duration::from_secs(3_600);
/// Longest time that a provider is believed.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3_600);

/// What a provider grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub access: Hidden,
    /// From the moment of the answer on.
    pub expires_in: Duration,
    /// A new one takes the place of the one before; none leaves that as it is.
    pub refresh: Option<Hidden>,
    /// Addresses and names by which the provider knows who signed in, where it says so; cleaned.
    pub names: Vec<String>,
}

/// One provider's token endpoint, and who we are there.
#[derive(Debug, Clone)]
pub struct Endpoint {
    client: Client,
    token: Url,
    app: App,
}

impl Endpoint {
    pub fn new(provider: &Provider, app: &App) -> Result<Self, OauthError> {
        let token = url(&provider.token)?;
        let client = http::client(&token, TIMEOUT).map_err(|e| OauthError::NoClient(e.to_string()))?;
        Ok(Self { client, token, app: app.clone() })
    }

    /// RFC 6749 §4.1.3, RFC 7636 §4.5.
    pub(crate) async fn redeem(
        &self,
        code: &Hidden,
        verifier: &Hidden,
        redirect: &str,
    ) -> Result<Grant, OauthError> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.reveal()),
            ("redirect_uri", redirect),
            ("code_verifier", verifier.reveal()),
        ];
        self.ask(&form).await
    }

    /// RFC 6749 §6. Where the answer has a new refresh token, it must be kept before the access token is used.
    pub async fn refresh(&self, token: &Hidden) -> Result<Grant, OauthError> {
        self.ask(&[("grant_type", "refresh_token"), ("refresh_token", token.reveal())]).await
    }

    async fn ask(&self, form: &[(&str, &str)]) -> Result<Grant, OauthError> {
        let mut form = form.to_vec();
        form.push(("client_id", &self.app.client_id));
        if let Some(secret) = &self.app.client_secret {
            form.push(("client_secret", secret.reveal()));
        }
        let request = self.client.post(self.token.clone()).header("accept", "application/json").form(&form);
        let answer = request.send().await.map_err(|e| unreachable(&self.token, &e))?;
        let status = answer.status();
        let body = http::body(answer, MOST_ANSWER).await.map_err(|why| match why {
            NoBody::Broken(error) => unreachable(&self.token, &error),
            NoBody::TooLarge => OauthError::Malformed("it is too large"),
        })?;
        let json = serde_json::from_slice::<Value>(&body).ok();
        match json {
            Some(json) if status.is_success() => granted(&json),
            Some(json) if json["error"].is_string() => Err(refused(&json)),
            _ if status.is_server_error() || status.as_u16() == 429 => {
                Err(OauthError::Unavailable { host: Host(&self.token).to_string(), status: status.as_u16() })
            }
            _ => Err(OauthError::Malformed("it is neither a token nor an error")),
        }
    }
}

pub(crate) fn unreachable(place: &Url, error: &reqwest::Error) -> OauthError {
    let cause = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    OauthError::Unreachable { host: Host(place).to_string(), cause, signal: http::signal(error) }
}

/// RFC 6749 §5.1.
fn granted(json: &Value) -> Result<Grant, OauthError> {
    let text = |name: &str| json[name].as_str().filter(|text| !text.is_empty());
    let access = text("access_token").ok_or(OauthError::Malformed("it holds no access token"))?;
    if !text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err(OauthError::Malformed("its token is of another kind than Bearer"));
    }
    // Some write the number as a text.
    let seconds = json["expires_in"].as_u64().or_else(|| json["expires_in"].as_str()?.parse().ok());
    Ok(Grant {
        access: Hidden::new(access.to_owned()),
        expires_in: seconds.map_or(USUAL_LIFE, Duration::from_secs).min(LONGEST_LIFE),
        refresh: text("refresh_token").map(|token| Hidden::new(token.to_owned())),
        names: text("id_token").map(names).unwrap_or_default(),
    })
}

/// RFC 6749 §5.2, with what Microsoft (`error_codes`, `suberror`) and Google (`error_subtype`) add.
fn refused(json: &Value) -> OauthError {
    let text = |name: &str| json[name].as_str().filter(|text| !text.is_empty());
    let numbers = json["error_codes"].as_array().into_iter().flatten();
    let numbers = numbers.filter_map(|number| u32::try_from(number.as_u64()?).ok()).take(MOST_NUMBERS);
    OauthError::refused(
        text("error").unwrap_or_default(),
        numbers.collect(),
        text("error_subtype").or(text("suberror")),
        text("error_description").unwrap_or_default(),
    )
}

/// The names in an ID token. It came from the provider itself over TLS, so its signature need not be checked
/// (OpenID Connect Core 1.0 §3.1.3.7); nothing but a sharper reason hangs on it.
fn names(token: &str) -> Vec<String> {
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims = claims.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok()).unwrap_or_default();
    let names = ["email", "preferred_username", "upn"];
    names.iter().filter_map(|name| claims[*name].as_str()).map(|name| clean(name, 320)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_grant_is_read_and_shows_no_token() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"email":"ann@x.test","sub":"1"}"#);
        let grant = granted(&json!({
            "access_token": "acc-1", "token_type": "bearer", "expires_in": "60", "refresh_token": "ref-1",
            "id_token": format!("e30.{claims}.sig"),
        }))
        .unwrap();
        assert_eq!(grant.access.reveal(), "acc-1");
        assert_eq!(grant.refresh.as_ref().unwrap().reveal(), "ref-1");
        assert_eq!(
            (grant.expires_in, &grant.names[..]),
            (Duration::from_secs(60), &["ann@x.test".to_owned()][..])
        );
        let shown = format!("{grant:?}");
        assert!(!shown.contains("acc-1") && !shown.contains("ref-1"), "{shown}");
        let bare =
            granted(&json!({"access_token": "a", "token_type": "Bearer", "expires_in": u64::MAX})).unwrap();
        assert_eq!((bare.expires_in, bare.refresh, bare.names), (LONGEST_LIFE, None, vec![]));
        for bad in [
            json!({}),
            json!({"access_token": "", "token_type": "Bearer"}),
            json!({"access_token": "a"}),
            json!({"access_token": "a", "token_type": "mac"}),
            json!([]),
        ] {
            assert!(matches!(granted(&bad), Err(OauthError::Malformed(_))), "{bad}");
        }
    }

    #[test]
    fn a_refusal_keeps_the_finest_there_is() {
        let read = |json: Value| match refused(&json) {
            OauthError::Refused { error, numbers, words } => (error, numbers, words),
            other => panic!("{other}"),
        };
        let json = json!({"error": "invalid_grant", "error_codes": [50_173, "x"], "suberror": "bad_token"});
        assert_eq!(read(json), ("invalid_grant".to_owned(), vec![50_173], "bad_token: ".to_owned()));
        let json =
            json!({"error": "invalid_grant", "error_subtype": "invalid_rapt", "error_description": "x"});
        assert_eq!(read(json), ("invalid_grant".to_owned(), vec![], "invalid_rapt: x".to_owned()));
        let json = json!({"error": "invalid_client"});
        assert_eq!(read(json), ("invalid_client".to_owned(), vec![], String::new()));
    }

    #[test]
    fn what_is_no_id_token_names_nobody() {
        for token in ["", "a.b", "a.!.c", "a.e30.c", "a.W10.c"] {
            assert_eq!(names(token), Vec::<String>::new(), "{token}");
        }
    }
}
