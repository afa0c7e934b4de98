//! `threadline oauth`

use crate::args::{OauthCommand, OauthSet};
use crate::{output, prompt};
use serde_json::json;
use std::process::ExitCode;
use threadline_engine::Engine;
use threadline_engine::settings::OauthProvider;
use threadline_oauth::Provider;

pub async fn run(engine: &Engine, command: OauthCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        OauthCommand::Set(args) => set(engine, args, json).await?,
        OauthCommand::Show => show(engine, json).await?,
        OauthCommand::Remove { provider } => {
            let provider = OauthProvider::from(provider);
            engine.remove_oauth_app(provider).await?;
            done(
                json,
                "removed",
                provider,
                "Forgotten. Mailboxes that use it need it again within the hour.",
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn done(json: bool, what: &str, provider: OauthProvider, words: &str) -> anyhow::Result<()> {
    if json {
        return output::json(&json!({ "done": what, "provider": provider }));
    }
    output::say(&format!("{}: {words}", provider.name()));
    Ok(())
}

async fn set(engine: &Engine, args: OauthSet, json: bool) -> anyhow::Result<()> {
    let of = OauthProvider::from(args.provider);
    let provider = match args.issuer {
        Some(issuer) => Some(Provider::described(&issuer, args.scopes).await?),
        None => None,
    };
    let secret = match args.client_secret {
        true => Some(prompt::secret(&format!("Client secret of {} at {}", args.client_id, of.name()))?),
        false => None,
    };
    engine.set_oauth_app(of, args.client_id, provider, secret).await?;
    done(json, "set", of, "Set. Sign in with `threadline account add ADDRESS --oauth` and this name.")
}

async fn show(engine: &Engine, json: bool) -> anyhow::Result<()> {
    let apps = engine.oauth_apps().await?;
    if json {
        return apps.iter().try_for_each(|app| output::json(&json!(app)));
    }
    if apps.is_empty() {
        output::say(
            "Threadline is registered nowhere, so nobody can sign in with the browser. The README says how it is registered; \
             then name it with `threadline oauth set google --client-id ID`.",
        );
        return Ok(());
    }
    let rows: Vec<Vec<String>> = apps
        .into_iter()
        .map(|app| {
            let from = if app.built_in { "built in" } else { "set" };
            let secret = if app.has_secret { "yes" } else { "no" };
            vec![
                app.provider.name().to_owned(),
                app.client_id,
                secret.to_owned(),
                from.to_owned(),
                app.authorize,
            ]
        })
        .collect();
    output::table(&["PROVIDER", "CLIENT ID", "SECRET", "FROM", "SIGN-IN PAGE"], &rows);
    Ok(())
}
