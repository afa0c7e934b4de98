//! `threadline health`

use crate::output;
use crate::output::{printable, when};
use std::process::ExitCode;
use threadline_engine::Engine;
use threadline_engine::disconnects::Disconnect;

/// Prints the disconnects of the last days and each day's uptime.
pub async fn run(engine: &Engine, days: u32, json: bool) -> anyhow::Result<ExitCode> {
    let history = engine.health_history(days).await?;
    if json {
        output::json(&history)?;
        return Ok(ExitCode::SUCCESS);
    }
    if history.disconnects.is_empty() {
        output::say(&format!("No disconnect in {}.", output::count(u64::from(days), "day", "days")));
    }
    history.disconnects.iter().for_each(disconnect);
    // A day on which nothing happened is not worth a line.
    let rows: Vec<Vec<String>> = history
        .days
        .iter()
        .filter(|day| day.connected < day.seconds)
        .map(|day| vec![day.day.clone(), day.of.clone(), format!("{:.2} %", day.uptime * 100.0)])
        .collect();
    if !rows.is_empty() {
        output::table(&["DAY (UTC)", "OF", "CONNECTED"], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

fn disconnect(one: &Disconnect) {
    let outage = &one.outage;
    let until = outage.until.map_or_else(|| "it lasts".to_owned(), |until| format!("until {}", when(until)));
    output::say(&format!("{} ({}): {}, {until}", outage.of, outage.channel.name(), when(outage.since)));
    if let Some(reason) = outage.reason {
        output::say(&format!("  {reason}: {}", reason.title()));
    }
    if let Some(words) = &outage.evidence {
        output::say(&format!("  Seen: {}", printable(words, 300)));
    }
    let count = one.delayed.map(|count| format!(" ({})", output::count(count, "message", "messages")));
    output::say(&format!("  Delayed: {}{}", one.delays.replace('_', " "), count.unwrap_or_default()));
}
