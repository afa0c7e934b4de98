//! `threadline setting`

use crate::args::SettingCommand;
use crate::output;
use serde_json::json;
use std::process::ExitCode;
use threadline_engine::Engine;

pub async fn run(engine: &Engine, command: SettingCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        SettingCommand::Ispdb { url, off } => {
            if off || url.is_some() {
                engine.set_ispdb(url).await?;
            }
            let set = engine.ispdb().await?;
            match (json, set) {
                (true, set) => output::json(&json!({ "ispdb": set }))?,
                (false, Some(url)) => output::say(&format!("The list of providers at {url} is asked.")),
                (false, None) => output::say("No list of providers is asked."),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
