//! New versions of the program. They are looked for where the person asks, and are taken only with a signature by the key
//! that was built in. A program that was built without a key and an address has none of it.

use crate::error::AppError;
use serde::Serialize;
use std::time::Duration;
use tauri::utils::config::Config;
use tauri::{AppHandle, Context, Wry};
use tauri_plugin_updater::{Update, UpdaterExt as _};
use threadline_net::http;
use tokio::sync::Mutex;

/// The name of the settings in `tauri.conf.json`, as the plugin reads them.
const PLUGIN: &str = "updater";
/// In a development build these settings are taken from the environment, so that a test can be its own publisher.
#[cfg(debug_assertions)]
const TRIED_WITH: &str = "THREADLINE_UPDATER";
/// How long one answer may take: a package has some tens of megabytes.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// A newer version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, specta::Type)]
pub struct NewVersion {
    pub version: String,
    /// What the publisher says of it.
    pub notes: Option<String>,
    /// It is on this computer, and its signature is good.
    pub ready: bool,
}

/// The version that was found, and its package once it is here.
#[derive(Default)]
pub struct Found(Mutex<Option<(Update, Option<Vec<u8>>)>>);

/// Without what it holds.
impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found").finish_non_exhaustive()
    }
}

/// Puts the plugin into the app, where there is a key and an address for it.
pub fn add(builder: tauri::Builder<Wry>, context: &mut Context<Wry>) -> tauri::Builder<Wry> {
    #[cfg(debug_assertions)]
    if let Some(set) = std::env::var(TRIED_WITH).ok().and_then(|text| serde_json::from_str(&text).ok()) {
        context.config_mut().plugins.0.insert(PLUGIN.to_owned(), set);
    }
    match are_on(context.config()) {
        true => builder.plugin(tauri_plugin_updater::Builder::new().build()),
        false => builder,
    }
}

/// Whether this program was built with a key and an address.
pub fn are_on(config: &Config) -> bool {
    let Some(set) = config.plugins.0.get(PLUGIN) else { return false };
    let key = set["pubkey"].as_str().unwrap_or_default();
    let addresses = set["endpoints"].as_array().map(Vec::len).unwrap_or_default();
    !key.is_empty() && addresses > 0
}

impl Found {
    /// Asks the publisher. `None`: this is the newest.
    pub async fn check(&self, app: &AppHandle) -> Result<Option<NewVersion>, AppError> {
        if !are_on(app.config()) {
            let text = "This Threadline was built without an address for updates. Get a new version where you got this one.";
            return Err(AppError::new("updates_off", text));
        }
        // By the proxy that is set, and with the trust that everything else goes by.
        let by_our_way = |usual| http::downloads(PATIENCE).unwrap_or(usual);
        let updater = app.updater_builder().timeout(PATIENCE).configure_client(by_our_way);
        let found = match updater.build() {
            Ok(updater) => updater.check().await,
            Err(error) => Err(error),
        };
        let update = found.map_err(|error| refused(&error))?;
        let shown = update.as_ref().map(|update| shown(update, false));
        tracing::info!(newer = update.is_some(), "updates were looked for");
        *self.0.lock().await = update.map(|update| (update, None));
        Ok(shown)
    }

    /// Fetches the package of what was found. One whose signature is not by the built-in key is thrown away.
    pub async fn download(&self) -> Result<NewVersion, AppError> {
        let mut found = self.0.lock().await;
        let Some((update, package)) = found.as_mut() else { return Err(not_found()) };
        let bytes = update.download(|_, _| {}, || {}).await.map_err(|error| refused(&error))?;
        tracing::info!(bytes = bytes.len(), "an update is here");
        *package = Some(bytes);
        Ok(shown(update, true))
    }

    /// Installs it, and starts the new program in this one's place.
    pub async fn install(&self, app: &AppHandle) -> Result<(), AppError> {
        let Some((update, Some(package))) = self.0.lock().await.take() else { return Err(not_found()) };
        // It asks for the administrator's password where the system wants one, and checks the signature once more.
        let installed = tokio::task::spawn_blocking(move || update.install(package)).await;
        match installed {
            Ok(Ok(())) => {
                app.request_restart();
                Ok(())
            }
            Ok(Err(error)) => Err(refused(&error)),
            Err(_) => Err(AppError::new("update_broke_off", "Installing broke off. Look for updates again.")),
        }
    }
}

fn shown(update: &Update, ready: bool) -> NewVersion {
    let notes = update.body.clone().filter(|notes| !notes.trim().is_empty());
    NewVersion { version: update.version.clone(), notes, ready }
}

fn not_found() -> AppError {
    AppError::new("no_update", "No update was found yet. Look for updates again.")
}

/// What went wrong, without the address.
fn refused(error: &tauri_plugin_updater::Error) -> AppError {
    use tauri_plugin_updater::Error as E;
    let told = match error {
        E::Minisign(_)
        | E::SignatureUtf8(_)
        | E::Base64(_)
        | E::SignedVersionMismatch { .. }
        | E::MissingSignedVersion => AppError::new(
            "update_forged",
            "The update is not signed by the publisher of this program, and was thrown away. Tell whoever gave you Threadline.",
        ),
        E::Reqwest(_) | E::Network(_) | E::ReleaseNotFound => AppError::new(
            "update_unreachable",
            "The publisher did not answer. Look at the network, then try again.",
        ),
        other => {
            AppError::new("update_unusable", format!("The update cannot be used: {other}. Try again later."))
                .with("cause", other)
        }
    };
    tracing::warn!(code = %told.code, "an update was refused");
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn without_a_key_or_an_address_there_are_no_updates() {
        let mut config: Config = serde_json::from_str(include_str!("../../tauri.conf.json")).unwrap();
        assert!(!are_on(&config), "no key is kept with the sources");
        let mut with = |key: &str, addresses: &[&str]| {
            let set = json!({ "pubkey": key, "endpoints": addresses });
            config.plugins.0.insert(PLUGIN.to_owned(), set);
            are_on(&config)
        };
        assert!(!with("", &["https://updates.example/"]));
        assert!(!with("key", &[]));
        assert!(with("key", &["https://updates.example/"]));
    }

    #[test]
    fn the_settings_that_a_package_is_built_with_are_the_plugins() {
        let text =
            include_str!("../updater.conf.json").replace("ADDRESS", "https://updates.example/new.json");
        let set: serde_json::Value = serde_json::from_str(&text).unwrap();
        let read: tauri_plugin_updater::Config =
            serde_json::from_value(set["plugins"][PLUGIN].clone()).unwrap();
        // An old version with a good signature must not be taken for a new one.
        assert!(read.require_signed_version);
        assert!(!read.allow_downgrades && !read.dangerous_insecure_transport_protocol);
    }
}
