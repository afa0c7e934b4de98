//! Access tokens: in memory alone, asked for before they run out and when one was refused.
//!
//! Invariant: a refresh token serves once at some providers. So one task at a time, of all processes on a data folder,
//! asks for a new one, and what comes back is in the keychain before the access token is used.

use crate::apps;
use crate::error::EngineError;
use crate::settings::{AccountSettings, OauthProvider, secret_names};
use crate::shared::Shared;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use threadline_core::address::Address;
use threadline_core::reason::{Evidence, Phase, Signal};
use threadline_mail::error::MailError;
use threadline_oauth::{Endpoint, Grant, Hidden, OauthError, Provider};
use tokio::sync::Mutex as Turn;
use zeroize::Zeroizing;

/// How long before its end a token is renewed: longer than a sign-in takes, and than clocks differ.
const EARLY: Duration = Duration::from_secs(120);

/// What is kept in memory.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    /// One turn for each mailbox.
    access: Mutex<HashMap<Address, Arc<Turn<Option<Access>>>>>,
    /// Of sign-ins with the browser that are not stored yet.
    in_hand: Mutex<HashMap<Address, InHand>>,
}

#[derive(Debug)]
struct Access {
    token: Hidden,
    /// On the monotonic clock.
    good_until: Duration,
}

#[derive(Debug, Clone)]
struct InHand {
    provider: OauthProvider,
    grant: Grant,
    good_until: Duration,
}

impl Tokens {
    fn turn(&self, address: &Address) -> Arc<Turn<Option<Access>>> {
        Arc::clone(lock(&self.access).entry(address.clone()).or_default())
    }

    /// Forgets what is known of a mailbox.
    pub fn forget(&self, address: &Address) {
        lock(&self.in_hand).remove(address);
        lock(&self.access).remove(address);
    }
}

impl Shared {
    /// Keeps what a sign-in with the browser gave until the mailbox is stored, or another sign-in comes.
    pub fn take_in_hand(&self, address: &Address, provider: OauthProvider, grant: Grant) {
        let good_until = self.clock.monotonic() + grant.expires_in;
        lock(&self.tokens.in_hand).insert(address.clone(), InHand { provider, grant, good_until });
    }

    fn in_hand(&self, address: &Address, provider: OauthProvider) -> Option<InHand> {
        lock(&self.tokens.in_hand).get(address).filter(|hand| hand.provider == provider).cloned()
    }

    /// The names by which the provider knows who signed in; `None` where nobody has just now.
    pub fn who_signed_in(&self, address: &Address, provider: OauthProvider) -> Option<Vec<String>> {
        self.in_hand(address, provider).map(|hand| hand.grant.names)
    }

    /// Puts the refresh token of a sign-in that has proved good into the keychain, and a password that it takes the place of
    /// away. Nothing where nobody has signed in.
    pub async fn store_in_hand(&self, address: &Address, provider: OauthProvider) -> Result<(), EngineError> {
        let Some(hand) = self.in_hand(address, provider) else { return Ok(()) };
        let turn = self.tokens.turn(address);
        let mut access = turn.lock().await;
        let Some(refresh) = hand.grant.refresh else {
            return Err(OauthError::NoRefreshToken.into());
        };
        let [password, token] = secret_names(address);
        self.set_secret(&token, refresh.into()).await?;
        self.delete_secret(&password).await?;
        *access = Some(Access { token: hand.grant.access, good_until: hand.good_until });
        lock(&self.tokens.in_hand).remove(address);
        Ok(())
    }

    /// An access token that is good for some minutes: of a sign-in just now, or the one before, or a new one.
    pub async fn access_token(
        &self,
        settings: &AccountSettings,
        provider: OauthProvider,
    ) -> Result<Zeroizing<String>, EngineError> {
        let address = &settings.address;
        if let Some(hand) = self.in_hand(address, provider) {
            return Ok(hand.grant.access.into());
        }
        let turn = self.tokens.turn(address);
        let mut access = turn.lock().await;
        if let Some(known) = access.as_ref().filter(|a| a.good_until > self.clock.monotonic() + EARLY) {
            return Ok(known.token.clone().into());
        }
        *access = None;
        let new = self.renew(settings, provider).await?;
        let token = new.token.clone();
        *access = Some(new);
        Ok(token.into())
    }

    /// A server refused this token. `true` where another one may be had: it is asked for at the next turn.
    pub async fn token_refused(&self, address: &Address, token: &str) -> bool {
        if lock(&self.tokens.in_hand).contains_key(address) {
            return false;
        }
        let turn = self.tokens.turn(address);
        let mut access = turn.lock().await;
        if access.as_ref().is_some_and(|known| known.token.reveal() == token) {
            *access = None;
        }
        true
    }

    async fn renew(
        &self,
        settings: &AccountSettings,
        provider: OauthProvider,
    ) -> Result<Access, EngineError> {
        let (at, app) = apps::of(self, provider).await?;
        let endpoint = Endpoint::new(&at, &app)?;
        let home = self.home.clone();
        let door = tokio::task::spawn_blocking(move || home.token_door()).await;
        // Held until the new refresh token is kept. Where the door breaks the data folder is at fault, and it is told there.
        let _door = door.map_err(|_| EngineError::Unfinished)??;
        let [_, name] = secret_names(&settings.address);
        // From the keychain each time: another process may have renewed it.
        let Some(refresh) = self.secret(&name).await? else {
            let evidence = Evidence::new(Phase::Keychain, Signal::KeychainMissing, "");
            return Err(MailError::new(&settings.server()?.name(), evidence).into());
        };
        let refresh = Hidden::new(refresh);
        let grant = endpoint.refresh(&refresh).await.map_err(|error| self.told(&at, &error))?;
        if let Some(next) = grant.refresh.filter(|next| *next != refresh) {
            self.set_secret(&name, next.into()).await?;
        }
        Ok(Access { token: grant.access, good_until: self.clock.monotonic() + grant.expires_in })
    }

    /// A provider's refusal as an error of the mailbox, with its reason.
    fn told(&self, at: &Provider, error: &OauthError) -> EngineError {
        MailError::new(&at.host(), error.evidence()).into()
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
