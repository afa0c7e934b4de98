//! `threadline retention`, `threadline purge`, `threadline trash`

use crate::args::{RetentionCommand, TrashCommand};
use crate::output::{self, printable, when};
use std::process::ExitCode;
use threadline_core::retention::{Clock, Retention};
use threadline_engine::Engine;
use threadline_engine::retention::{PurgeHeld, PurgeReport, TrashLine};

pub async fn run(engine: &Engine, command: RetentionCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        RetentionCommand::Show => {}
        RetentionCommand::Set { clock, headers, body } => {
            let mut wanted = engine.retention().await?;
            let keep = wanted.keep_mut(clock.into());
            keep.headers = headers.unwrap_or(keep.headers);
            keep.body = body.or(headers).unwrap_or(keep.body);
            engine.set_retention(wanted).await?;
        }
        RetentionCommand::Reset => {
            let hold = engine.retention().await?.hold;
            engine.set_retention(Retention { hold, ..Retention::default() }).await?;
        }
        RetentionCommand::Hold { on, thread: Some(thread) } => engine.hold_thread(thread, on).await?,
        RetentionCommand::Hold { on, thread: None } => {
            let wanted = engine.retention().await?;
            engine.set_retention(Retention { hold: on, ..wanted }).await?;
        }
    }
    let set = engine.retention().await?;
    if json {
        output::json(&set)?;
        return Ok(ExitCode::SUCCESS);
    }
    let row = |clock: &Clock| {
        let keep = set.keep(*clock);
        vec![
            clock.name().to_owned(),
            keep.headers.to_string(),
            keep.body.to_string(),
            about(*clock).to_owned(),
        ]
    };
    output::table(&["CLOCK", "HEADERS", "TEXT", "OF"], &Clock::ALL.iter().map(row).collect::<Vec<_>>());
    if set.hold {
        output::say("Everything is under legal hold: nothing is purged.");
    }
    Ok(ExitCode::SUCCESS)
}

fn about(clock: Clock) -> &'static str {
    match clock {
        Clock::Metadata => "mail that you are asked about, of which the header alone is here",
        Clock::Gesture => "mail that you logged by a gesture",
        Clock::Noticed => "mail that was noticed in the mailbox",
        Clock::Sent => "mail that Threadline or the CRM sent",
        Clock::Deleted => "what was taken out of the log",
    }
}

pub async fn purge(engine: &Engine, dry_run: bool, json: bool) -> anyhow::Result<ExitCode> {
    let report = engine.purge(dry_run).await?;
    if json {
        output::json(&report)?;
        return Ok(ExitCode::SUCCESS);
    }
    match report.held {
        Some(PurgeHeld::LegalHold) => output::say("Nothing is purged: everything is under legal hold."),
        Some(PurgeHeld::ClockDiffers) => output::say(
            "Nothing is purged: this computer's clock and the servers' dates are more than a day apart. Set the clock.",
        ),
        None => purged(&report),
    }
    Ok(ExitCode::SUCCESS)
}

fn purged(report: &PurgeReport) {
    let verb = if report.dry_run { "would go" } else { "gone" };
    output::say(&format!(
        "Texts {verb}: {}. Headers {verb}: {}. From the trash: {}. Asked about: {}.",
        report.texts, report.headers, report.trash, report.metadata
    ));
}

pub async fn trash(engine: &Engine, command: Option<TrashCommand>, json: bool) -> anyhow::Result<ExitCode> {
    match command.unwrap_or(TrashCommand::List { limit: 50 }) {
        TrashCommand::List { limit } => {
            let lines = engine.trash(limit as usize).await?;
            if json {
                lines.iter().try_for_each(output::json)?;
            } else if lines.is_empty() {
                output::say("The trash is empty.");
            } else {
                let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
                output::table(&["ID", "DELETED", "UNTIL", "BY", "SUBJECT"], &rows);
            }
        }
        TrashCommand::Restore { id } => {
            engine.restore(id).await?;
            if !json {
                output::say("It is in the log again, and on its way to the CRM.");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(line: &TrashLine) -> Vec<String> {
    vec![
        line.message.to_string(),
        when(line.deleted_at),
        line.until.map(when).unwrap_or_else(|| "forever".to_owned()),
        line.in_crm.clone().unwrap_or_else(|| "you".to_owned()),
        printable(&line.subject, 60),
    ]
}
