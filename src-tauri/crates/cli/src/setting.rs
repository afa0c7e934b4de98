//! `threadline setting`

use crate::args::SettingCommand;
use crate::output;
use anyhow::Context;
use jiff::SignedDuration;
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;
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
        SettingCommand::DisconnectAfter { time } => {
            if let Some(text) = time {
                engine.set_extended_period(period(&text)?).await?;
            }
            let seconds = engine.extended_period().await?.as_secs();
            if json {
                output::json(&json!({ "disconnect_after_s": seconds }))?;
            } else {
                let length = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
                output::say(&format!("What may heal is called a disconnect after {length:#}."));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a time such as `30m`.
fn period(text: &str) -> anyhow::Result<Duration> {
    let length: SignedDuration =
        text.parse().with_context(|| format!("{text}: write a time such as 30m or 2h"))?;
    Duration::try_from(length).with_context(|| format!("{text}: write a time that is not negative"))
}
