//! `threadline run`

use crate::args::RunArgs;
use crate::{NEEDS_YOU, live, output};
use std::process::ExitCode;
use std::sync::Arc;
use threadline_engine::once::CaughtUp;
use threadline_engine::{Engine, EngineError};
use tokio::sync::Notify;

pub async fn run(engine: &Engine, args: &RunArgs, json: bool) -> anyhow::Result<ExitCode> {
    if engine.accounts().await?.is_empty() && engine.unusable_accounts().await?.is_empty() {
        output::note("No mailbox yet. Add one with `threadline account add ADDRESS --host SERVER`.");
    }
    let enough = Arc::new(Notify::new());
    let telling = tokio::spawn(live::tell(engine.events(), Arc::clone(&enough), json));
    let result = if args.once { engine.catch_up().await.map(Some) } else { until_stopped(engine).await };
    // What happened comes before what it came to.
    enough.notify_one();
    telling.await?;
    match result? {
        Some(report) => tell_report(&report, json),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn tell_report(report: &CaughtUp, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        output::json(report)?;
    } else {
        for outcome in &report.sending {
            if let Some(problem) = &outcome.problem {
                output::note(&format!("{} (sending): {problem}", outcome.name));
            }
            if outcome.waiting + outcome.set_aside > 0 {
                let mails = output::count(outcome.waiting + outcome.set_aside, "mail", "mails");
                output::note(&format!("{}: {mails} not settled; see `threadline sends`", outcome.name));
            }
        }
        for outcome in report.mailboxes.iter().chain(&report.crms) {
            match (&outcome.problem, outcome.pushed) {
                (Some(problem), _) => output::note(&format!("{}: {problem}", outcome.name)),
                (None, Some(pushed)) => output::say(&format!("{}: {pushed} pushed", outcome.name)),
                (None, None) => output::say(&format!("{}: caught up", outcome.name)),
            }
            if outcome.waiting > 0 {
                let messages = output::count(outcome.waiting, "message waits", "messages wait");
                output::note(&format!("{}: {messages} for another try at the next run", outcome.name));
            }
            if outcome.set_aside > 0 {
                let messages = output::count(outcome.set_aside, "message was", "messages were");
                output::note(&format!("{}: {messages} put aside; see `threadline status`", outcome.name));
            }
        }
    }
    Ok(if report.is_well() { ExitCode::SUCCESS } else { ExitCode::from(NEEDS_YOU) })
}

async fn until_stopped(engine: &Engine) -> Result<Option<CaughtUp>, EngineError> {
    tokio::select! {
        result = engine.run() => match result? {},
        () = stop() => output::note("Stopped. What is sent meanwhile is caught up at the next start."),
    }
    Ok(None)
}

/// Ctrl-C, or the system asking the program to end.
async fn stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
