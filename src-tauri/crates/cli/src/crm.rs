//! `threadline crm`

use crate::args::{CrmCommand, CrmSet};
use crate::{output, prompt};
use anyhow::Context;
use serde_json::json;
use std::process::ExitCode;
use threadline_core::address::Address;
use threadline_engine::Engine;
use threadline_engine::own_record::MissingAnswer;
use threadline_engine::settings::CrmSettings;

/// What a person should know about a folder.
const FOLDER: &str =
    "The folder is an export: only you can read it, and what is in it stays until you delete it.";

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
                CrmSet::Ledger => (CrmSettings::Ledger, None),
            };
            let kind = crm.kind();
            let portal = engine.try_crm(&crm, secret.clone()).await?;
            engine.set_crm(crm, secret).await?;
            let name = portal.as_ref().map(|p| p.name.clone());
            let missing_scopes = portal.map(|p| p.missing_scopes).unwrap_or_default();
            if json {
                output::json(&json!({
                    "done": "set", "kind": kind, "name": name, "missing_scopes": missing_scopes,
                }))?;
                return Ok(ExitCode::SUCCESS);
            }
            match name {
                Some(name) => output::say(&format!("{kind}: logged mail goes to {name}.")),
                None => output::say("Logged mail stays in the ledger on this computer."),
            }
            if kind == "folder" {
                output::say(FOLDER);
            }
            for scope in missing_scopes {
                output::note(&format!(
                    "The token does not have the scope {scope}; it works without, with less."
                ));
            }
        }
        CrmCommand::Retry { kind } => {
            let entries = engine.retry_push(&kind, None).await?;
            match json {
                true => output::json(&json!({ "done": "retry", "kind": kind, "entries": entries }))?,
                false => {
                    let messages = output::count(entries as u64, "message", "messages");
                    output::say(&format!(
                        "{kind}: {messages} to be pushed again, at once where Threadline runs."
                    ));
                }
            }
        }
        CrmCommand::Remove { kind } => {
            let ended = engine.remove_crm(&kind).await?;
            let left = engine.crms().await?;
            if json {
                output::json(&json!({ "done": "removed", "kind": kind, "ended": ended,
                    "crms": left.iter().map(CrmSettings::shown).collect::<Vec<_>>() }))?;
                return Ok(ExitCode::SUCCESS);
            }
            output::say(&format!("{kind}: removed. What is there stays there."));
            if ended > 0 {
                let messages = output::count(ended as u64, "message", "messages");
                output::say(&format!("{messages} that waited for it will not be pushed."));
            }
            if let [CrmSettings::Folder { dir }] = left.as_slice() {
                output::say(&format!(
                    "Logged mail now goes to {}, as files that only you can read. To keep it in the ledger alone, use \
                     `threadline crm set ledger`.",
                    dir.display()
                ));
            }
        }
        CrmCommand::Show => show(engine, json).await?,
        CrmCommand::Address { kind, addresses, none } => {
            address(engine, &kind, addresses, none, json).await?
        }
        CrmCommand::Missing => missing(engine, json).await?,
        CrmCommand::Push { id } => {
            engine.answer_missing(id, MissingAnswer::Push).await?;
            answered(
                json,
                id,
                "push",
                "It is pushed, at once where Threadline runs, unless the CRM has it by then.",
            )?;
        }
        CrmCommand::Leave { id } => {
            engine.answer_missing(id, MissingAnswer::Leave).await?;
            answered(json, id, "leave", "It stays logged here, and is not pushed.")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn answered(json: bool, id: i64, done: &str, words: &str) -> anyhow::Result<()> {
    match json {
        true => output::json(&json!({ "done": done, "id": id })),
        false => {
            output::say(words);
            Ok(())
        }
    }
}

async fn address(
    engine: &Engine,
    kind: &str,
    addresses: Vec<Address>,
    none: bool,
    json: bool,
) -> anyhow::Result<()> {
    let set = match none || !addresses.is_empty() {
        true => engine.set_crm_addresses(kind, addresses).await?,
        false => engine.crm_addresses(kind).await?,
    };
    if json {
        return output::json(&json!({ "kind": kind, "addresses": set }));
    }
    let list: Vec<String> = set.iter().map(ToString::to_string).collect();
    match list.as_slice() {
        [] => output::say(&format!("{kind}: no address of its own is set.")),
        list => output::say(&format!(
            "{kind} logs by itself what is sent to {}. Threadline finds it there, and does not push it.",
            list.join(", ")
        )),
    }
    Ok(())
}

async fn missing(engine: &Engine, json: bool) -> anyhow::Result<()> {
    let lines = engine.missing_records().await?;
    if json {
        return lines.iter().try_for_each(output::json);
    }
    if lines.is_empty() {
        output::say("Nothing is missing: the CRM has logged what was sent to its own address, or may still.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = lines
        .into_iter()
        .map(|l| {
            let subject = output::printable(&l.subject.unwrap_or_default(), 60);
            vec![l.outbox.to_string(), l.sink, output::when(l.since), subject]
        })
        .collect();
    output::table(&["ID", "CRM", "SINCE", "SUBJECT"], &rows);
    output::say("Answer with `threadline crm push ID` or `threadline crm leave ID`.");
    Ok(())
}

async fn show(engine: &Engine, json: bool) -> anyhow::Result<()> {
    let status = engine.status().await?;
    status.unusable_crms.iter().for_each(|crm| output::note(&crm.problem));
    let crms = status.crms;
    if json {
        return crms.iter().try_for_each(output::json);
    }
    for crm in crms {
        let place = match &crm.settings {
            CrmSettings::Hubspot { base_url } => base_url.clone().unwrap_or_else(|| "HubSpot".to_owned()),
            CrmSettings::Webhook { url } => url.clone(),
            CrmSettings::Folder { dir } => dir.display().to_string(),
            CrmSettings::Ledger => "nothing leaves this computer".to_owned(),
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
