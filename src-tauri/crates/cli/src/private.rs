//! `threadline private`

use crate::args::PrivateCommand;
use crate::output;
use anyhow::{Context, bail};
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use serde_json::json;
use std::process::ExitCode;
use threadline_engine::Engine;

pub async fn run(engine: &Engine, command: PrivateCommand, json: bool) -> anyhow::Result<ExitCode> {
    let until = match command {
        PrivateCommand::Off => None,
        PrivateCommand::Until { time } => {
            let now = engine.clock().now().to_zoned(TimeZone::system());
            let until = read(&time, &now)?;
            if until <= now.timestamp() {
                bail!("{time} is over. Name a time that is still to come.");
            }
            Some(until)
        }
    };
    engine.set_private(until).await?;
    match (json, until) {
        (true, _) => output::json(&json!({ "private_until": until }))?,
        (false, None) => output::say("Mail is logged again as the rules say."),
        (false, Some(until)) => {
            output::say(&format!("What you send until {} is never logged.", output::when(until)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A length of time, a time of day (the next one), or a date and time in the computer's own time zone or with one.
pub fn read(text: &str, now: &Zoned) -> anyhow::Result<Timestamp> {
    if let Ok(length) = text.parse::<SignedDuration>() {
        return now.timestamp().checked_add(length).context("That is too long.");
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let zone = now.time_zone().clone();
    if let Ok(at) = text.parse::<DateTime>() {
        return Ok(at.to_zoned(zone)?.timestamp());
    }
    let time: Time =
        text.parse().with_context(|| format!("{text} is no time. Write 2h, 18:30, or 2026-12-24T18:00."))?;
    let today = now.date().to_datetime(time).to_zoned(zone.clone())?;
    let next = if today > *now { today } else { now.date().tomorrow()?.to_datetime(time).to_zoned(zone)? };
    Ok(next.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_people_write_it() {
        let now: Zoned = "2026-11-24T10:00:00+01:00[Europe/Berlin]".parse().unwrap();
        for (text, want) in [
            ("2h", "2026-11-24T11:00:00Z"),
            ("90m", "2026-11-24T10:30:00Z"),
            ("18:30", "2026-11-24T17:30:00Z"),
            ("09:00", "2026-11-25T08:00:00Z"),
            ("2026-12-24T18:00", "2026-12-24T17:00:00Z"),
            ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00Z"),
        ] {
            assert_eq!(read(text, &now).unwrap().to_string(), want, "{text}");
        }
        assert!(read("soon", &now).is_err());
    }
}
