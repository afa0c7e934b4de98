//! `threadline crm`

use crate::args::{CrmCommand, CrmSet};
use crate::{output, prompt};
use anyhow::Context;
use serde_json::json;
use std::process::ExitCode;
use threadline_engine::Engine;
use threadline_engine::settings::CrmSettings;

pub async fn run(engine: &Engine, command: CrmCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        CrmCommand::Set(set) => {
            let (crm, secret) = match set {
                CrmSet::Hubspot { base_url } => {
                    (CrmSettings::Hubspot { base_url }, Some(prompt::secret("Token of the private app")?))
                }
                CrmSet::Webhook { url } => {
                    (CrmSettings::Webhook { url }, Some(prompt::secret("Secret of the webhook (whsec_…)")?))
                }
                CrmSet::Folder { dir } => {
                    // The engine may run in another folder than this command.
                    let dir = std::path::absolute(&dir).with_context(|| format!("{}", dir.display()))?;
                    (CrmSettings::Folder { dir }, None)
                }
            };
            let kind = crm.kind();
            let portal = engine.try_crm(&crm, secret.clone()).await?;
            engine.set_crm(crm, secret).await?;
            if json {
                output::json(&json!({
                    "done": "set", "kind": kind, "name": portal.name, "missing_scopes": portal.missing_scopes,
                }))?;
            } else {
                output::say(&format!("{kind}: logged mail goes to {}.", portal.name));
                for scope in portal.missing_scopes {
                    output::note(&format!(
                        "The token does not have the scope {scope}; it works without, with less."
                    ));
                }
            }
        }
        CrmCommand::Remove { kind } => {
            engine.remove_crm(&kind).await?;
            match json {
                true => output::json(&json!({ "done": "removed", "kind": kind }))?,
                false => output::say(&format!("{kind}: removed. What is there stays there.")),
            }
        }
        CrmCommand::Show => show(engine, json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(engine: &Engine, json: bool) -> anyhow::Result<()> {
    let crms = engine.status().await?.crms;
    if json {
        return crms.iter().try_for_each(output::json);
    }
    for crm in crms {
        let place = match &crm.settings {
            CrmSettings::Hubspot { base_url } => base_url.clone().unwrap_or_else(|| "HubSpot".to_owned()),
            CrmSettings::Webhook { url } => url.clone(),
            CrmSettings::Folder { dir } => dir.display().to_string(),
        };
        output::say(&format!("{}: {place}", crm.settings.kind()));
        output::say(&format!(
            "  {}; logged {}, waiting {}, set aside {}",
            crm.state.name().replace('_', " "),
            crm.done,
            crm.waiting,
            crm.set_aside
        ));
        if crm.settings.kind() == "hubspot" {
            let complete = if crm.contacts_complete { "" } else { " so far" };
            output::say(&format!("  {} contacts{complete}", crm.contacts));
        }
        for health in crm.health.iter().filter(|h| h.reason.is_some()) {
            output::say(&format!(
                "  {}",
                output::printable(health.evidence.as_deref().unwrap_or_default(), 300)
            ));
        }
    }
    Ok(())
}
