//! One sign-in with the browser, from the address to open to the tokens.

use crate::answer;
use crate::error::OauthError;
use crate::provider::{App, Provider, url};
use crate::redirect::Door;
use crate::secret::Hidden;
use crate::token::{Endpoint, Grant};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a person may take at the provider's page.
pub const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// A sign-in that was begun. Dropping it takes it back: the port closes, and an answer that comes then is nobody's.
#[derive(Debug)]
pub struct SignIn {
    url: String,
    door: Door,
    verifier: Hidden,
    redirect: String,
    endpoint: Endpoint,
}

impl SignIn {
    /// Opens a port for the answer and makes the address for the browser. `hint` is the address of the mailbox, which some
    /// providers fill in.
    pub async fn begin(provider: &Provider, app: &App, hint: Option<&str>) -> Result<Self, OauthError> {
        let endpoint = Endpoint::new(provider, app)?;
        let mut address = url(&provider.authorize)?;
        let (state, verifier) = (random()?, random()?);
        let door = {
            let (provider, state) = (provider.clone(), state.clone());
            Door::open(move |target| answer::read(target, "/", &state, &provider)).await?
        };
        let redirect = format!("http://{}:{}", provider.back_to, door.port);
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.reveal()));
        {
            let mut query = address.query_pairs_mut();
            query
                .append_pair("response_type", "code")
                .append_pair("client_id", &app.client_id)
                .append_pair("redirect_uri", &redirect)
                .append_pair("scope", &provider.scopes.join(" "))
                .append_pair("state", state.reveal())
                .append_pair("code_challenge", &challenge)
                .append_pair("code_challenge_method", "S256");
            if let Some(hint) = hint {
                query.append_pair("login_hint", hint);
            }
            query.extend_pairs(&provider.extra);
        }
        Ok(Self { url: address.into(), door, verifier, redirect, endpoint })
    }

    /// What the browser is to open.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits for the person, for at most so long, and redeems the code.
    pub async fn finish(mut self, patience: Duration) -> Result<Grant, OauthError> {
        let answer = tokio::time::timeout(patience, self.door.answer()).await;
        let code = answer.unwrap_or(Err(OauthError::TimedOut))?;
        self.endpoint.redeem(&code, &self.verifier, &self.redirect).await
    }
}

/// 256 bits in 43 characters that need no escape (RFC 7636 §4.1).
fn random() -> Result<Hidden, OauthError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    getrandom::fill(bytes.as_mut()).map_err(|_| OauthError::NoRandomness)?;
    Ok(Hidden::new(URL_SAFE_NO_PAD.encode(*bytes)))
}

#[cfg(test)]
mod tests;
