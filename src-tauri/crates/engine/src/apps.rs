//! What Threadline is registered as at the providers of browser sign-ins: set by the person or the firm, or built in.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::settings::OauthProvider;
use crate::shared::Shared;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use threadline_oauth::{App, Hidden, Provider};
use threadline_store::setting;
use zeroize::Zeroizing;

/// The setting that holds the registrations.
const APPS: &str = "oauth_apps";

/// A registration as it is stored. Its secret, where it has one, lies in the keychain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OauthApp {
    pub client_id: String,
    /// Where to sign in; for another provider than the known ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    #[serde(default)]
    pub has_secret: bool,
}

/// What a registration is at the moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct OauthAppView {
    pub provider: OauthProvider,
    pub client_id: String,
    /// True where it came with the program.
    pub built_in: bool,
    pub has_secret: bool,
    /// The address of the provider's sign-in page.
    pub authorize: String,
}

impl OauthProvider {
    pub const ALL: [OauthProvider; 3] =
        [OauthProvider::Google, OauthProvider::Microsoft, OauthProvider::Other];

    pub fn name(self) -> &'static str {
        match self {
            OauthProvider::Google => "google",
            OauthProvider::Microsoft => "microsoft",
            OauthProvider::Other => "other",
        }
    }

    fn known(self) -> Option<Provider> {
        match self {
            OauthProvider::Google => Some(Provider::google()),
            OauthProvider::Microsoft => Some(Provider::microsoft()),
            OauthProvider::Other => None,
        }
    }

    /// The registration that this program was built with.
    fn built_in(self) -> Option<App> {
        let (id, secret) = match self {
            OauthProvider::Google => {
                (option_env!("THREADLINE_GOOGLE_CLIENT_ID"), option_env!("THREADLINE_GOOGLE_CLIENT_SECRET"))
            }
            OauthProvider::Microsoft => (option_env!("THREADLINE_MICROSOFT_CLIENT_ID"), None),
            OauthProvider::Other => (None, None),
        };
        let client_secret = secret.map(|secret| Hidden::new(secret.to_owned()));
        Some(App { client_id: id.filter(|id| !id.is_empty())?.to_owned(), client_secret })
    }

    fn secret_name(self) -> String {
        format!("oauth-app:{}", self.name())
    }
}

/// What the registrations' secrets are called in the keychain, before the data folder's own mark.
pub(crate) fn secret_names() -> [String; 3] {
    OauthProvider::ALL.map(OauthProvider::secret_name)
}

type Apps = BTreeMap<OauthProvider, OauthApp>;

async fn stored(shared: &Shared) -> Result<Apps, EngineError> {
    Ok(shared.ledger.read(|tx| setting::get(tx, APPS)).await?.unwrap_or_default())
}

/// Where to sign in, and as what. What is set goes before what is built in.
pub(crate) async fn of(shared: &Shared, of: OauthProvider) -> Result<(Provider, App), EngineError> {
    let missing = || EngineError::NoOauthApp { provider: of.name() };
    let Some(set) = stored(shared).await?.remove(&of) else {
        return Ok((of.known().ok_or_else(missing)?, of.built_in().ok_or_else(missing)?));
    };
    let provider = set.provider.or_else(|| of.known()).ok_or_else(missing)?;
    let secret = match set.has_secret {
        true => shared.secret(&of.secret_name()).await?,
        false => None,
    };
    Ok((provider, App { client_id: set.client_id, client_secret: secret.map(Hidden::new) }))
}

impl Engine {
    /// Sets what Threadline is registered as at a provider, in the place of what was set before. The secret, where there is
    /// one, goes to the keychain.
    pub async fn set_oauth_app(
        &self,
        of: OauthProvider,
        client_id: String,
        provider: Option<Provider>,
        secret: Option<Zeroizing<String>>,
    ) -> Result<(), EngineError> {
        if let Some(provider) = &provider {
            provider.check()?;
        } else if of.known().is_none() {
            return Err(EngineError::NoOauthApp { provider: of.name() });
        }
        let app = OauthApp { client_id, provider, has_secret: secret.is_some() };
        match secret {
            Some(secret) => self.shared().set_secret(&of.secret_name(), secret).await?,
            None => self.shared().delete_secret(&of.secret_name()).await?,
        }
        self.change_apps(move |apps| {
            apps.insert(of, app);
        })
        .await
    }

    /// Forgets what was set; what is built in counts again.
    pub async fn remove_oauth_app(&self, of: OauthProvider) -> Result<(), EngineError> {
        self.shared().delete_secret(&of.secret_name()).await?;
        self.change_apps(move |apps| {
            apps.remove(&of);
        })
        .await
    }

    async fn change_apps(&self, change: impl FnOnce(&mut Apps) + Send + 'static) -> Result<(), EngineError> {
        let write = move |tx: &threadline_store::Tx<'_>| {
            let mut apps: Apps = setting::get(tx, APPS)?.unwrap_or_default();
            change(&mut apps);
            setting::set(tx, APPS, &apps)
        };
        Ok(self.ledger().write(write).await?)
    }

    /// The registrations that there are, set or built in.
    pub async fn oauth_apps(&self) -> Result<Vec<OauthAppView>, EngineError> {
        let stored = stored(self.shared()).await?;
        let mut views = Vec::new();
        for of in OauthProvider::ALL {
            let (client_id, built_in, has_secret, provider) = match (stored.get(&of), of.built_in()) {
                (Some(set), _) => (set.client_id.clone(), false, set.has_secret, set.provider.clone()),
                (None, Some(app)) => (app.client_id, true, app.client_secret.is_some(), None),
                (None, None) => continue,
            };
            let Some(provider) = provider.or_else(|| of.known()) else { continue };
            views.push(OauthAppView {
                provider: of,
                client_id,
                built_in,
                has_secret,
                authorize: provider.authorize,
            });
        }
        Ok(views)
    }
}
