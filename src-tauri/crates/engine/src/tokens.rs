//! Access tokens: in memory alone, asked for before they run out and when one was refused.
//!
//! Invariant: a refresh token serves once at some providers. So one task at a time, of all processes on a data folder,
//! asks for a new one, and what comes back is in the keychain before the access token is used.

use crate::apps;
use crate::error::EngineError;
use crate::home::Home;
use crate::keychain::Keychain;
use crate::settings::{AccountSettings, OauthProvider, secret_names};
use crate::shared::Shared;
use std::collections::HashMap;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use threadline_core::address::Address;
use threadline_core::clock::Clock;
use threadline_core::reason::{Evidence, Phase, Signal};
use threadline_mail::error::MailError;
use threadline_oauth::{Endpoint, Grant, Hidden, OauthError};
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
    /// New refresh tokens that the keychain did not take, by name: the only copies.
    unsaved: Arc<Mutex<HashMap<String, Hidden>>>,
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

/// Which sign-in an access token is to come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Using {
    /// The one that the mailbox runs with.
    Kept,
    /// The one in the browser just now, where there was one; else the kept one.
    JustNow,
}

impl Tokens {
    fn turn(&self, address: &Address) -> Arc<Turn<Option<Access>>> {
        Arc::clone(lock(&self.access).entry(address.clone()).or_default())
    }

    /// Forgets what is known of a mailbox.
    pub fn forget(&self, address: &Address) {
        self.let_go(address);
        lock(&self.access).remove(address);
    }

    /// Forgets a sign-in with the browser that was not stored.
    pub fn let_go(&self, address: &Address) {
        lock(&self.in_hand).remove(address);
    }
}

impl Shared {
    /// Keeps what a sign-in with the browser gave until the mailbox is stored, another sign-in comes, it is refused or its
    /// access token runs out. A mailbox that runs goes on with the one that it has.
    pub fn take_in_hand(&self, address: &Address, provider: OauthProvider, grant: Grant) {
        let good_until = self.clock.monotonic() + grant.expires_in;
        lock(&self.tokens.in_hand).insert(address.clone(), InHand { provider, grant, good_until });
    }

    fn in_hand(&self, address: &Address, provider: OauthProvider) -> Option<InHand> {
        let mut all = lock(&self.tokens.in_hand);
        let now = self.clock.monotonic();
        all.retain(|_, hand| hand.good_until > now);
        all.get(address).filter(|hand| hand.provider == provider).cloned()
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
        // Another process may be about to store what it got for the token before: it comes first.
        let _door = door(&self.home).await?;
        self.set_secret(&token, refresh.into()).await?;
        lock(&self.tokens.unsaved).remove(&token);
        self.delete_secret(&password).await?;
        *access = Some(Access { token: hand.grant.access, good_until: hand.good_until });
        self.tokens.let_go(address);
        Ok(())
    }

    /// An access token that is good for some minutes: of a sign-in just now where that is meant, or the one before, or a new
    /// one.
    pub async fn access_token(
        &self,
        settings: &AccountSettings,
        provider: OauthProvider,
        using: Using,
    ) -> Result<Zeroizing<String>, EngineError> {
        let address = &settings.address;
        if using == Using::JustNow
            && let Some(hand) = self.in_hand(address, provider)
        {
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
        if lock(&self.tokens.in_hand).get(address).is_some_and(|hand| hand.grant.access.reveal() == token) {
            return false;
        }
        let turn = self.tokens.turn(address);
        let mut access = turn.lock().await;
        if access.as_ref().is_some_and(|known| known.token.reveal() == token) {
            *access = None;
        }
        true
    }

    /// Once begun it goes on to its end, whoever waits for it: the provider may have ended the old refresh token already.
    async fn renew(
        &self,
        settings: &AccountSettings,
        provider: OauthProvider,
    ) -> Result<Access, EngineError> {
        let (at, app) = apps::of(self, provider).await?;
        let [_, name] = secret_names(&settings.address);
        let renewal = Renewal {
            endpoint: Endpoint::new(&at, &app)?,
            provider: at.host(),
            mailbox: settings.server()?.name(),
            name,
            home: self.home.clone(),
            keychain: self.keychain(),
            clock: Arc::clone(&self.clock),
            unsaved: Arc::clone(&self.tokens.unsaved),
        };
        // Where the task breaks a provider's library is at fault, and it is told there.
        tokio::spawn(renewal.run()).await.map_err(|_| EngineError::Unfinished)?
    }
}

/// One new access token on its way.
struct Renewal {
    endpoint: Endpoint,
    provider: String,
    mailbox: String,
    /// Of the refresh token.
    name: String,
    home: Home,
    keychain: Keychain,
    clock: Arc<dyn Clock>,
    unsaved: Arc<Mutex<HashMap<String, Hidden>>>,
}

impl Renewal {
    async fn run(self) -> Result<Access, EngineError> {
        // Held until the new refresh token is kept.
        let _door = door(&self.home).await?;
        let unsaved = lock(&self.unsaved).get(&self.name).cloned();
        let refresh = match unsaved {
            // The keychain failed when it came, and what it holds is of no use any more.
            Some(unsaved) => {
                self.keep(unsaved.clone()).await?;
                unsaved
            }
            // From the keychain each time: another process may have renewed it.
            None => match self.keychain.secret(&self.name).await? {
                Some(refresh) => Hidden::new(refresh),
                None => {
                    let evidence = Evidence::new(Phase::Keychain, Signal::KeychainMissing, "");
                    return Err(MailError::new(&self.mailbox, evidence).into());
                }
            },
        };
        // A provider's refusal is an error of the mailbox, with its reason.
        let refused = |error: OauthError| MailError::new(&self.provider, error.evidence());
        let grant = self.endpoint.refresh(&refresh).await.map_err(refused)?;
        if let Some(next) = grant.refresh.filter(|next| *next != refresh) {
            lock(&self.unsaved).insert(self.name.clone(), next.clone());
            self.keep(next).await?;
        }
        tracing::info!(seconds = grant.expires_in.as_secs(), "the sign-in was renewed");
        Ok(Access { token: grant.access, good_until: self.clock.monotonic() + grant.expires_in })
    }

    async fn keep(&self, token: Hidden) -> Result<(), EngineError> {
        self.keychain.set_secret(&self.name, token.into()).await?;
        lock(&self.unsaved).remove(&self.name);
        Ok(())
    }
}

/// Waits until no other process on the data folder asks for a token.
async fn door(home: &Home) -> Result<File, EngineError> {
    let home = home.clone();
    let door = tokio::task::spawn_blocking(move || home.token_door()).await;
    // Where the door breaks the data folder is at fault, and it is told there.
    door.map_err(|_| EngineError::Unfinished)?
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
