//! `threadline setting`

use crate::args::{CrmTextArg, SettingCommand};
use crate::output;
use anyhow::Context;
use jiff::SignedDuration;
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;
use threadline_engine::Engine;
use threadline_engine::crm_text::CrmText;

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
        SettingCommand::CrmText { text } => {
            let set = match text {
                Some(CrmTextArg::Whole) => engine.set_crm_text(CrmText::Whole).await?,
                Some(CrmTextArg::New) => engine.set_crm_text(CrmText::New).await?,
                None => engine.crm_text().await?,
            };
            match (json, set) {
                (true, set) => output::json(&json!({ "crm_text": set }))?,
                (false, CrmText::Whole) => output::say("The CRM gets the text as it was sent."),
                (false, CrmText::New) => {
                    output::say("The CRM gets what is new in a text, without quote and signature.");
                }
            }
        }
        SettingCommand::WriteBack { on } => {
            let on = match on {
                Some(on) => engine.set_writes_back(on).await?,
                None => engine.writes_back().await?,
            };
            match (json, on) {
                (true, on) => output::json(&json!({ "write_back": on }))?,
                (false, true) => {
                    output::say(
                        "Mail that the CRM has gets the keyword $CrmLogged, where the server keeps keywords.",
                    );
                }
                (false, false) => output::say("No keyword is written. What was written stays."),
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
