//! Signing in with the browser, from a terminal.

use crate::args::ProviderArg;
use crate::output;
use serde_json::json;
use threadline_core::address::Address;
use threadline_engine::Engine;
use threadline_engine::settings::OauthProvider;

impl From<ProviderArg> for OauthProvider {
    fn from(arg: ProviderArg) -> Self {
        match arg {
            ProviderArg::Google => OauthProvider::Google,
            ProviderArg::Microsoft => OauthProvider::Microsoft,
            ProviderArg::Other => OauthProvider::Other,
        }
    }
}

/// Prints the address, opens it, and waits until the person has signed in or it is too late. Ctrl-C takes it back.
pub async fn sign_in(
    engine: &Engine,
    address: &Address,
    provider: OauthProvider,
    no_browser: bool,
    json: bool,
) -> anyhow::Result<()> {
    let begun = engine.begin_sign_in(address, provider).await?;
    let url = begun.url().to_owned();
    if json {
        output::json(&json!({ "open": url }))?;
    } else {
        output::say(&format!("Sign in as {address} in the browser, on this computer:\n{url}"));
    }
    if !no_browser && open::that_detached(&url).is_err() {
        output::note("No browser could be opened. Open the address above yourself.");
    }
    Ok(engine.finish_sign_in(begun).await?)
}
