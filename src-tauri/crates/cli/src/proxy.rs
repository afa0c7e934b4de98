//! `threadline proxy`

use crate::args::ProxyCommand;
use crate::output;
use serde_json::json;
use std::process::ExitCode;
use threadline_engine::Engine;

pub async fn run(engine: &Engine, command: ProxyCommand, json: bool) -> anyhow::Result<ExitCode> {
    let set = matches!(&command, ProxyCommand::Set { .. });
    if let ProxyCommand::Set { proxy } = command {
        engine.set_proxy(proxy).await?;
    }
    let proxy = engine.proxy().await?.to_string();
    if json {
        output::json(&json!({ "proxy": proxy }))?;
    } else if set {
        output::say(&format!("{proxy}: set. Everything connects anew by this way where Threadline runs."));
    } else {
        output::say(&proxy);
    }
    Ok(ExitCode::SUCCESS)
}
