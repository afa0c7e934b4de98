//! The proxy, as a person sets it: for mail servers, CRMs and sign-ins alike.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use threadline_net::proxy::{self, Proxy};
use threadline_store::setting;

/// The setting that holds the proxy, without its password.
const PROXY: &str = "proxy";
/// What the proxy's password is called in the keychain, before the data folder's own mark.
pub(crate) const SECRET: &str = "proxy";

impl Engine {
    /// The proxy that is set; the system's where none is.
    pub async fn proxy(&self) -> Result<Proxy, EngineError> {
        let set: Option<String> = self.ledger().read(|tx| setting::get(tx, PROXY)).await?;
        let proxy: Proxy = set.map_or(Ok(Proxy::System), |text| text.parse())?;
        Ok(match proxy {
            Proxy::Through(server) if server.login().is_some() => {
                let password = self.shared().secret(SECRET).await?;
                Proxy::Through(server.with_password(password.unwrap_or_default()))
            }
            other => other,
        })
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
        self.take_proxy().await
    }

    /// Lets this process take the way that is set. A running engine does so whenever something was set.
    pub async fn take_proxy(&self) -> Result<(), EngineError> {
        proxy::take(self.proxy().await?);
        Ok(())
    }
}
