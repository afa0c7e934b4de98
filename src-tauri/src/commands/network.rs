//! The way out of the computer: the proxy, the list of providers, and what Threadline is registered as for sign-ins.

use super::{Answer, Shell};
use serde::Serialize;
use threadline_engine::Engine;
use threadline_engine::apps::OauthAppView;
use threadline_engine::proxy::ProxyDraft;
use threadline_engine::settings::OauthProvider;
use zeroize::Zeroizing;

/// How Threadline leaves the computer, and as what.
#[derive(Debug, Clone, Serialize, specta::Type)]
pub struct NetworkSettings {
    /// Its password stays in the keychain.
    pub proxy: ProxyDraft,
    /// The public list of providers that is asked for a domain's servers; `None`: none is.
    pub ispdb: Option<String>,
    /// Where Threadline is registered for sign-ins with the browser.
    pub apps: Vec<OauthAppView>,
}

#[tauri::command]
#[specta::specta]
pub async fn network(shell: Shell<'_>) -> Answer<NetworkSettings> {
    all(&shell.engine().await?).await
}

/// Without a password the one in the keychain stays, where user and proxy are the same.
#[tauri::command]
#[specta::specta]
pub async fn set_proxy(
    shell: Shell<'_>,
    proxy: ProxyDraft,
    password: Option<String>,
) -> Answer<NetworkSettings> {
    let engine = shell.engine().await?;
    engine.set_proxy_draft(&proxy, password.map(Zeroizing::new)).await?;
    all(&engine).await
}

#[tauri::command]
#[specta::specta]
pub async fn set_ispdb(shell: Shell<'_>, url: Option<String>) -> Answer<NetworkSettings> {
    let engine = shell.engine().await?;
    engine.set_ispdb(url).await?;
    all(&engine).await
}

/// Sets what Threadline is registered as at Google or Microsoft, in the place of what was set before.
#[tauri::command]
#[specta::specta]
pub async fn set_oauth_app(
    shell: Shell<'_>,
    provider: OauthProvider,
    client_id: String,
    secret: Option<String>,
) -> Answer<NetworkSettings> {
    let engine = shell.engine().await?;
    engine.set_oauth_app(provider, client_id, None, secret.map(Zeroizing::new)).await?;
    all(&engine).await
}

/// Forgets it; what is built into the program counts again.
#[tauri::command]
#[specta::specta]
pub async fn remove_oauth_app(shell: Shell<'_>, provider: OauthProvider) -> Answer<NetworkSettings> {
    let engine = shell.engine().await?;
    engine.remove_oauth_app(provider).await?;
    all(&engine).await
}

async fn all(engine: &Engine) -> Answer<NetworkSettings> {
    Ok(NetworkSettings {
        proxy: ProxyDraft::from(&engine.proxy().await?),
        ispdb: engine.ispdb().await?,
        apps: engine.oauth_apps().await?,
    })
}
