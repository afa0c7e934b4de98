//! `threadline audit`

use crate::NEEDS_YOU;
use crate::args::AuditArgs;
use crate::output::{self, count, printable, when};
use std::process::ExitCode;
use threadline_core::record::Direction;
use threadline_engine::Engine;
use threadline_engine::audit::{AuditLine, AuditReport, NightlyAudit};
use threadline_engine::history::ScanProgress;

pub async fn run(engine: &Engine, args: AuditArgs, json: bool) -> anyhow::Result<ExitCode> {
    if let Some(on) = args.nightly {
        let set = NightlyAudit { on, days: args.days, fix: args.fix, last: None };
        let set = engine.set_nightly_audit(set).await?;
        match (json, set.on) {
            (true, _) => output::json(&set)?,
            (false, true) => output::say(&format!("Each night the last {} are audited.", days(set.days))),
            (false, false) => output::say("No audit runs by night."),
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mailboxes = match args.account {
        Some(address) => vec![address],
        None => engine.accounts().await?.into_iter().map(|a| a.settings.draft.address).collect(),
    };
    let mut missed = 0;
    for mailbox in mailboxes {
        let told = |at: ScanProgress| {
            if !json && at.of > 5_000 && at.seen.is_multiple_of(5_000) {
                output::note(&format!("{}: {} of {}", printable(&at.folder, 60), at.seen, at.of));
            }
        };
        let report = engine.audit(&mailbox, args.days, args.fix, told).await?;
        missed += report.missed.saturating_sub(report.fixed);
        match json {
            true => output::json(&report)?,
            false => show(&report),
        }
    }
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::from(NEEDS_YOU) })
}

fn days(number: u32) -> String {
    count(u64::from(number), "day", "days")
}

fn show(report: &AuditReport) {
    let messages = count(u64::from(report.messages), "message", "messages");
    output::say(&format!("{}: {messages} of the last {}", report.mailbox, days(report.days)));
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row = |what: &str, number: u32, why: &str| {
        if number > 0 {
            rows.push(vec![what.to_owned(), number.to_string(), why.to_owned()]);
        }
    };
    row("logged", report.logged, "");
    row("waiting", report.waiting, "not read yet, or on the way to the CRM");
    row("asked", report.asked, "see `threadline asked`");
    for by in &report.ignored {
        row(&format!("ignored by {}", by.rule), by.count, by.rule.explanation());
    }
    row("no rule matched", report.unruled, "neither contact nor logged conversation");
    row("older", report.older, "arrived before the mailbox was added");
    for by in &report.missed_by {
        row("MISSED", by.count, by.why.explanation());
    }
    output::table(&["WHERE", "MESSAGES", "WHY"], &rows);
    list("Missed:", &report.missed_lines, report.missed);
    list("No rule matched, samples:", &report.samples, report.unruled);
    if report.fixed > 0 {
        let fixed = count(u64::from(report.fixed), "message was", "messages were");
        output::say(&format!("{fixed} put on the way. Run the audit again to see what came of it."));
    } else if report.missed > 0 {
        output::say("Put them on the way with `threadline audit --fix`.");
    }
}

fn list(title: &str, lines: &[AuditLine], of: u32) {
    if lines.is_empty() {
        return;
    }
    output::say(title);
    let row = |line: &AuditLine| {
        let way = if line.direction == Direction::Outgoing { "sent" } else { "received" };
        let why = line.why.map(|why| why.explanation()).unwrap_or_default();
        let date = line.date.map(when).unwrap_or_default();
        vec![date, way.to_owned(), line.folder.clone(), line.uid.to_string(), why.to_owned()]
    };
    output::table(&["DATE", "WAY", "FOLDER", "UID", "WHY"], &lines.iter().map(row).collect::<Vec<_>>());
    if of as usize > lines.len() {
        output::note(&format!("{} of {of}", lines.len()));
    }
}
