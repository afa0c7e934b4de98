//! `threadline where`

use crate::output::{self, printable, when};
use std::process::ExitCode;
use threadline_core::address::Address;
use threadline_engine::Engine;
use threadline_engine::whereabouts::{Trace, TraceStage};

pub async fn run(engine: &Engine, mailbox: &Address, words: &str, json: bool) -> anyhow::Result<ExitCode> {
    let traces = engine.where_is_my_mail(mailbox, words).await?;
    if json {
        traces.iter().try_for_each(output::json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (notes, mails): (Vec<&Trace>, Vec<&Trace>) = traces.iter().partition(|t| t.sent_at.is_none());
    if !mails.is_empty() {
        let rows: Vec<Vec<String>> = mails.into_iter().map(row).collect();
        output::table(&["NUMBER", "SENT", "TO", "SUBJECT", "WHERE", "SINCE"], &rows);
    }
    if traces.iter().any(|t| t.stage == TraceStage::Ignored) {
        output::say(&format!("Log one all the same with `threadline log this {mailbox} NUMBER`."));
    }
    for note in notes {
        output::say(words_of(note.stage));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(trace: &Trace) -> Vec<String> {
    let to: Vec<&str> = trace.to.iter().map(|m| m.address.as_str()).collect();
    let place = match trace.rule.filter(|_| trace.stage == TraceStage::Ignored) {
        Some(rule) => format!("{} ({rule})", words_of(trace.stage)),
        None => words_of(trace.stage).to_owned(),
    };
    vec![
        trace.message.map(|number| number.to_string()).unwrap_or_default(),
        trace.sent_at.map(when).unwrap_or_default(),
        printable(&to.join(", "), 40),
        printable(&trace.subject, 40),
        place,
        trace.stored_at.or(trace.decided_at).map(when).unwrap_or_default(),
    ]
}

fn words_of(stage: TraceStage) -> &'static str {
    match stage {
        TraceStage::NotInSent => {
            "No such mail lies in the folder for sent mail. Look into the outbox of your mail program."
        }
        TraceStage::NotSeen => "in Sent, not read by Threadline yet",
        TraceStage::Ignored => "not logged, by a rule",
        TraceStage::Asked => "asked about: see `threadline asked`",
        TraceStage::Held => "held until the contacts are read",
        TraceStage::Fetching => "logged, its text is being read",
        TraceStage::Waiting => "logged, waits for the CRM",
        TraceStage::InCrm => "logged, in the CRM",
        TraceStage::Failed => "failed: see `threadline status`",
        TraceStage::NotAsked => {
            "The mailbox could not be asked, so only what is logged or asked about is shown. See `threadline status`."
        }
    }
}
