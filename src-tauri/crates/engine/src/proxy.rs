//! The proxy, as a person sets it: for mail servers, CRMs and sign-ins alike.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use serde::{Deserialize, Serialize};
use threadline_net::proxy::{self, Kind, NoProxy, Proxy, ProxyServer};
use threadline_store::setting;
use zeroize::Zeroizing;

/// The setting that holds the proxy, without its password.
const PROXY: &str = "proxy";
/// What the proxy's password is called in the keychain, before the data folder's own mark.
pub(crate) const SECRET: &str = "proxy";

/// The proxy as a form has it. Host, port and user count for the last two ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ProxyDraft {
    pub way: ProxyWay,
    pub host: String,
    pub port: u16,
    /// Empty: it wants no sign-in.
    pub user: String,
}

/// How this program leaves the computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum ProxyWay {
    System,
    None,
    Http,
    Socks5,
}

impl From<&Proxy> for ProxyDraft {
    fn from(proxy: &Proxy) -> Self {
        let bare = |way| Self { way, host: String::new(), port: 0, user: String::new() };
        match proxy {
            Proxy::System => bare(ProxyWay::System),
            Proxy::None => bare(ProxyWay::None),
            Proxy::Through(server) => Self {
                way: match server.kind {
                    Kind::Http => ProxyWay::Http,
                    Kind::Socks5 => ProxyWay::Socks5,
                },
                host: server.host.clone(),
                port: server.port,
                user: server.login().map(|(user, _)| user.to_owned()).unwrap_or_default(),
            },
        }
    }
}

impl ProxyDraft {
    fn proxy(&self, password: Zeroizing<String>) -> Result<Proxy, NoProxy> {
        let kind = match self.way {
            ProxyWay::System => return Ok(Proxy::System),
            ProxyWay::None => return Ok(Proxy::None),
            ProxyWay::Http => Kind::Http,
            ProxyWay::Socks5 => Kind::Socks5,
        };
        let login = (!self.user.is_empty()).then(|| (self.user.clone(), password));
        ProxyServer::new(kind, &self.host, self.port, login).map(Proxy::Through)
    }
}

impl Engine {
    /// Sets the proxy that a form holds. Without a password the one that is kept stays, where it is for the same user at the
    /// same proxy.
    pub async fn set_proxy_draft(
        &self,
        draft: &ProxyDraft,
        password: Option<Zeroizing<String>>,
    ) -> Result<(), EngineError> {
        let password = match (password, self.proxy().await) {
            (Some(password), _) => password,
            (None, Ok(Proxy::Through(set))) if ProxyDraft::from(&Proxy::Through(set.clone())) == *draft => {
                set.login().map(|(_, password)| Zeroizing::new(password.to_owned())).unwrap_or_default()
            }
            (None, _) => Zeroizing::default(),
        };
        self.set_proxy(draft.proxy(password)?).await
    }

    /// The proxy that is set; the system's where none is.
    pub async fn proxy(&self) -> Result<Proxy, EngineError> {
        Ok(match self.proxy_without_password().await? {
            Proxy::Through(server) if server.login().is_some() => {
                let password = self.shared().secret(SECRET).await?;
                Proxy::Through(server.with_password(password.unwrap_or_default()))
            }
            other => other,
        })
    }

    async fn proxy_without_password(&self) -> Result<Proxy, EngineError> {
        let set: Option<String> = self.ledger().read(|tx| setting::get(tx, PROXY)).await?;
        Ok(set.map_or(Ok(Proxy::System), |text| text.parse())?)
    }

    /// Sets the proxy; a password in it goes to the keychain. Everything connects anew, by that way.
    pub async fn set_proxy(&self, proxy: Proxy) -> Result<(), EngineError> {
        let (shown, password) = match proxy {
            Proxy::Through(server) => {
                let (server, password) = server.without_password();
                (Proxy::Through(server), password)
            }
            other => (other, None),
        };
        match password {
            Some(password) => self.shared().set_secret(SECRET, password).await?,
            None => self.shared().delete_secret(SECRET).await?,
        }
        let text = shown.to_string();
        let write = move |tx: &threadline_store::Tx<'_>| {
            setting::set(tx, PROXY, &text)?;
            count_up(tx, Part::All)
        };
        self.ledger().write(write).await?;
        self.take_proxy().await.map(|_| ())
    }

    /// Lets this process take the way that is set. A running engine does so whenever something was set. Where the keychain
    /// does not give the proxy's password, the proxy is asked without, and this gives false: to go round it would not be what
    /// was set.
    pub async fn take_proxy(&self) -> Result<bool, EngineError> {
        match self.proxy().await {
            Ok(proxy) => proxy::take(proxy),
            Err(EngineError::Secret(error)) => {
                tracing::warn!(code = %error.code(), "the proxy's password is not to be had");
                proxy::take(self.proxy_without_password().await?);
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Home;
    use jiff::Timestamp;
    use std::sync::Arc;
    use threadline_core::reason::Reason;
    use threadline_secrets::{Memory, SecretError};
    use threadline_testkit::clock::HandClock;

    /// One test: the proxy is the process's.
    #[tokio::test]
    async fn a_locked_keychain_costs_the_proxys_password_and_not_the_proxy() {
        let dir = tempfile::tempdir().unwrap();
        let secrets = Arc::new(Memory::new());
        let home = Home::open(&dir.path().join("data")).unwrap();
        let clock = Arc::new(HandClock::at(Timestamp::UNIX_EPOCH));
        let (engine, _) = Engine::open(home, secrets.clone(), clock, None).unwrap();
        engine.set_proxy("http://ann:pw@proxy.firm.example:3128".parse().unwrap()).await.unwrap();
        let way = || match proxy::in_use() {
            Proxy::Through(server) => server.login().map(|(user, password)| format!("{user} {password}")),
            other => panic!("{other}"),
        };
        assert_eq!(way().as_deref(), Some("ann pw"));
        let locked = SecretError::Locked { words: "as told".into() };
        assert_eq!(locked.code(), Reason::KeychainLocked);
        secrets.fail_with(Some(locked));
        assert!(!engine.take_proxy().await.unwrap());
        assert_eq!(way().as_deref(), Some("ann "));
        secrets.fail_with(None);
        assert!(engine.take_proxy().await.unwrap());
        assert_eq!(way().as_deref(), Some("ann pw"));
    }

    #[test]
    fn a_proxy_survives_its_form() {
        for text in ["system", "none", "http://proxy.firm.example:3128", "socks5://ann%40firm@proxy:1080"] {
            let proxy: Proxy = text.parse().unwrap();
            let draft = ProxyDraft::from(&proxy);
            assert_eq!(draft.proxy(Zeroizing::default()).unwrap(), proxy, "{text}");
        }
        let nameless = ProxyDraft { way: ProxyWay::Http, host: String::new(), port: 80, user: String::new() };
        assert_eq!(nameless.proxy(Zeroizing::default()), Err(NoProxy));
    }
}
