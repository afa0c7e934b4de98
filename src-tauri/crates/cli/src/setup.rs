//! `threadline setup`

use crate::args::SetupArgs;
use crate::output::printable;
use crate::{output, prompt};
use anyhow::Context;
use serde_json::json;
use std::io::Read as _;
use std::process::ExitCode;
use threadline_engine::setup::{Change, MOST_BYTES, Preview, Setup, SetupError};
use threadline_engine::{Engine, EngineError};

pub async fn run(engine: &Engine, args: &SetupArgs, json: bool) -> anyhow::Result<ExitCode> {
    let setup = read(&args.from)?;
    if args.link {
        output::say(&setup.to_link().map_err(EngineError::from)?);
        return Ok(ExitCode::SUCCESS);
    }
    let preview = engine.preview_setup(&setup).await?;
    match json {
        true => output::json(&preview)?,
        false => show(&preview),
    }
    if !args.yes && !prompt::confirm("Set this?")? {
        output::note("Nothing was set. Answer y, or give --yes, to set it.");
        return Ok(ExitCode::FAILURE);
    }
    let secret = match &preview.needs_secret {
        Some(kind) => Some(prompt::secret(&format!("Token or secret of {kind}"))?),
        None => None,
    };
    engine.apply_setup(setup, secret).await?;
    match json {
        true => output::json(&json!({ "done": "set_up" }))?,
        false => output::say("Set. Add your mailbox with `threadline account add ADDRESS`."),
    }
    Ok(ExitCode::SUCCESS)
}

/// A link is taken as it is; anything else names a file.
fn read(from: &str) -> anyhow::Result<Setup> {
    if from.contains("://") {
        return Ok(Setup::read(from).map_err(EngineError::from)?);
    }
    let mut text = String::new();
    let file = std::fs::File::open(from).with_context(|| format!("The set-up {from} cannot be opened"))?;
    // A byte more than it may have, so that it is told as too long and not as broken off.
    let most = MOST_BYTES as u64 + 1;
    let read = file.take(most).read_to_string(&mut text);
    if read.is_err() && std::fs::metadata(from).is_ok_and(|about| about.len() >= most) {
        return Err(EngineError::from(SetupError::TooLong).into());
    }
    read.with_context(|| format!("The set-up {from} cannot be read as text"))?;
    Ok(Setup::read(&text).map_err(EngineError::from)?)
}

fn show(preview: &Preview) {
    let from =
        preview.from.as_deref().map(|from| format!(" It says that it is from {}.", printable(from, 100)));
    output::say(&format!("This set-up sets:{}", from.unwrap_or_default()));
    for change in &preview.changes {
        output::say(&format!("  {}", printable(&words(change), 400)));
    }
    if let Some(kind) = &preview.needs_secret {
        output::say(&format!("  The secret of {kind} is asked for, and goes to the keychain."));
    }
}

fn words(change: &Change) -> String {
    let list = |of: &[String]| of.join(", ");
    let instead =
        |of: Vec<String>| if of.is_empty() { String::new() } else { format!(" (instead: {})", list(&of)) };
    let mailboxes = |of: &[threadline_core::address::Address]| match of.len() {
        0 => String::new(),
        n => format!(" (changes {})", output::count(n as u64, "mailbox", "mailboxes")),
    };
    match change {
        Change::OauthApp { provider, client_id, at, instead_of } => {
            let at = at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
            let instead = instead(instead_of.iter().cloned().collect());
            format!("sign-in with {}{at}: client id {client_id}{instead}", provider.name())
        }
        Change::Crm { crm, instead_of } => {
            let shown = |crm| serde_json::to_string(crm).unwrap_or_default();
            format!("logged mail goes to {}{}", shown(crm), instead(instead_of.iter().map(shown).collect()))
        }
        Change::Mode { mode, instead_of } => {
            let mode = serde_json::to_string(mode).unwrap_or_default();
            format!("whose mail is logged: {}{}", mode.trim_matches('"'), mailboxes(instead_of))
        }
        Change::CreateContacts { create, instead_of } => {
            let create = serde_json::to_string(create).unwrap_or_default();
            format!("contacts are made: {}{}", create.trim_matches('"'), mailboxes(instead_of))
        }
        Change::Colleagues { domains } => format!("colleagues: {}", list(domains)),
        Change::Never { who } => format!("never logged: {}", list(who)),
    }
}
