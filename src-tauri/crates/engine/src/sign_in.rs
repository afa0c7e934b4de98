//! Signing in to a mailbox, with a password or in the browser.

use crate::apps;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::settings::{AccountSettings, Auth, OauthProvider};
use crate::shared::Shared;
use crate::tokens::Using;
use async_trait::async_trait;
use threadline_core::address::Address;
use threadline_core::reason::{Blame, Evidence, ImapStatus, Phase, Reason, Signal};
use threadline_mail::connect::{Server, Timeouts};
use threadline_mail::error::MailError;
use threadline_mail::login::{Credential, Login};
use threadline_mail::session::Session;
use threadline_mail::submit::{self, Patience};
use threadline_oauth::{OauthError, PATIENCE, SignIn};
use zeroize::Zeroizing;

/// A sign-in with the browser that was begun. Dropping it takes it back.
#[derive(Debug)]
pub struct BrowserSignIn {
    address: Address,
    provider: OauthProvider,
    sign_in: SignIn,
}

impl BrowserSignIn {
    /// What the browser is to open.
    pub fn url(&self) -> &str {
        self.sign_in.url()
    }
}

impl Engine {
    /// Begins a sign-in with the browser for this mailbox, known or not. Fails with `no_oauth_app` where Threadline is not
    /// registered at the provider: then nothing has been asked for.
    pub async fn begin_sign_in(
        &self,
        address: &Address,
        provider: OauthProvider,
    ) -> Result<BrowserSignIn, EngineError> {
        let (at, app) = apps::of(self.shared(), provider).await?;
        self.shared().tokens.let_go(address);
        let sign_in = SignIn::begin(&at, &app, Some(&address.to_string())).await?;
        Ok(BrowserSignIn { address: address.clone(), provider, sign_in })
    }

    /// Waits for the person, and keeps what the provider grants in memory: [`Engine::check`], [`Engine::add_account`] and
    /// [`Engine::reconnect`] use it for this mailbox, and the two latter store it.
    pub async fn finish_sign_in(&self, begun: BrowserSignIn) -> Result<(), EngineError> {
        let BrowserSignIn { address, provider, sign_in } = begun;
        let grant = sign_in.finish(PATIENCE).await?;
        if grant.refresh.is_none() {
            return Err(OauthError::NoRefreshToken.into());
        }
        self.shared().take_in_hand(&address, provider, grant);
        Ok(())
    }
}

/// Who signs in: with this password, or with what the keychain has, or with an access token.
pub(crate) async fn login(
    shared: &Shared,
    settings: &AccountSettings,
    password: Option<Zeroizing<String>>,
    using: Using,
) -> Result<Login, EngineError> {
    let password = match (settings.auth, password) {
        (Auth::Oauth { provider }, _) => {
            let token = shared.access_token(settings, provider, using).await?;
            return Ok(Login::token(&settings.user, token));
        }
        (Auth::Password, Some(password)) => Some(password),
        (Auth::Password, None) => shared.secret(&settings.secret_name()).await?,
    };
    let Some(password) = password else {
        let evidence = Evidence::new(Phase::Keychain, Signal::KeychainMissing, "");
        return Err(MailError::new(&settings.server()?.name(), evidence).into());
    };
    Ok(Login::password(&settings.user, password))
}

/// Connects and signs in. An access token that is refused is renewed once.
pub(crate) async fn session(
    shared: &Shared,
    settings: &AccountSettings,
    password: Option<Zeroizing<String>>,
    using: Using,
) -> Result<Session, EngineError> {
    renewing(shared, settings, &settings.server()?, password, using).await
}

/// The same at the server that takes mail. Fails with `no_smtp` where the mailbox has none.
pub(crate) async fn submission(
    shared: &Shared,
    settings: &AccountSettings,
) -> Result<submit::Session, EngineError> {
    let server = settings.smtp_server()?.ok_or_else(|| EngineError::NoSmtp(settings.address.to_string()))?;
    renewing(shared, settings, &server, None, Using::Kept).await
}

/// A session that begins with a sign-in.
#[async_trait]
trait SignedIn: Sized + Send {
    async fn begin(server: &Server, login: &Login) -> Result<Self, MailError>;
}

#[async_trait]
impl SignedIn for Session {
    async fn begin(server: &Server, login: &Login) -> Result<Self, MailError> {
        Session::open(server, login, &Timeouts::default()).await
    }
}

#[async_trait]
impl SignedIn for submit::Session {
    async fn begin(server: &Server, login: &Login) -> Result<Self, MailError> {
        submit::Session::open(server, login, &Timeouts::default(), Patience::default()).await
    }
}

/// Begins a session, once more with a new access token where the server refuses the one that was kept.
async fn renewing<S: SignedIn>(
    shared: &Shared,
    settings: &AccountSettings,
    server: &Server,
    password: Option<Zeroizing<String>>,
    using: Using,
) -> Result<S, EngineError> {
    let first = login(shared, settings, password, using).await?;
    let (begun, is_new) = match S::begin(server, &first).await {
        Err(error) => match renewed(shared, settings, &first, &error).await? {
            Some(second) => (S::begin(server, &second).await, true),
            None => (Err(error), false),
        },
        begun => (begun, false),
    };
    begun.map_err(|error| refused(shared, settings, error, using, is_new).into())
}

/// Another login where this error is a server's refusal of an access token that may be out of date.
pub(crate) async fn renewed(
    shared: &Shared,
    settings: &AccountSettings,
    login: &Login,
    error: &MailError,
) -> Result<Option<Login>, EngineError> {
    let (Credential::Token(token), Auth::Oauth { provider }) = (&login.credential, settings.auth) else {
        return Ok(None);
    };
    let said_no = match error.evidence.signal {
        Signal::Imap { status, .. } => status != ImapStatus::Bye,
        Signal::Smtp { code, .. } => (500..=599).contains(&code),
        _ => false,
    };
    let is_busy =
        matches!(error.reason, Reason::ServerUnavailable | Reason::TooManyConnections | Reason::Throttled);
    if error.phase != Phase::Auth
        || !said_no
        || is_busy
        || !shared.token_refused(&settings.address, token).await
    {
        return Ok(None);
    }
    let token = shared.access_token(settings, provider, Using::Kept).await?;
    Ok(Some(Login::token(&settings.user, token)))
}

/// A refusal at the sign-in, with what is known of the access token. Where somebody else signed in in the browser just now,
/// that is why. Else, where the token is as new as can be (`is_new`, or just from the browser), the server does not say why,
/// whatever its code for a wrong password says. A sign-in with the browser that was refused is not used again.
pub(crate) fn refused(
    shared: &Shared,
    settings: &AccountSettings,
    error: MailError,
    using: Using,
    is_new: bool,
) -> MailError {
    let Auth::Oauth { provider } = settings.auth else { return error };
    if error.phase != Phase::Auth {
        return error;
    }
    let just_now = match using {
        Using::JustNow => shared.who_signed_in(&settings.address, provider),
        Using::Kept => None,
    };
    if just_now.is_some() && error.evidence.blame() != Blame::No {
        shared.tokens.let_go(&settings.address);
    }
    let fresh_token = is_new || just_now.is_some();
    let names = just_now.unwrap_or_default();
    let own = [settings.user.to_lowercase(), settings.address.to_string().to_lowercase()];
    if !names.is_empty() && !names.iter().any(|name| own.contains(&name.to_lowercase())) {
        let evidence = Evidence::new(Phase::Auth, Signal::WrongAccount, &names.join(", "));
        return MailError::new(&error.server, evidence);
    }
    MailError::new(&error.server, Evidence { fresh_token, ..error.evidence })
}
