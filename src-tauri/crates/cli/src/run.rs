//! `threadline run`

use crate::args::RunArgs;
use crate::{NEEDS_YOU, live, output};
use std::process::ExitCode;
use threadline_engine::Engine;

pub async fn run(engine: &Engine, args: &RunArgs, json: bool) -> anyhow::Result<ExitCode> {
    if engine.accounts().await?.is_empty() {
        output::note("No mailbox yet. Add one with `threadline account add ADDRESS --host SERVER`.");
        if args.once {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let telling = tokio::spawn(live::tell(engine.events(), json));
    let code = if args.once { once(engine, json).await? } else { until_stopped(engine).await? };
    telling.abort();
    Ok(code)
}

async fn once(engine: &Engine, json: bool) -> anyhow::Result<ExitCode> {
    let report = engine.catch_up().await?;
    // The listener prints what is in the channel before it is stopped.
    tokio::task::yield_now().await;
    if json {
        output::json(&report)?;
    } else {
        for outcome in report.mailboxes.iter().chain(&report.crms) {
            match (&outcome.problem, outcome.pushed) {
                (Some(problem), _) => output::note(&format!("{}: {problem}", outcome.name)),
                (None, Some(pushed)) => output::say(&format!("{}: {pushed} pushed", outcome.name)),
                (None, None) => output::say(&format!("{}: caught up", outcome.name)),
            }
        }
    }
    Ok(if report.is_well() { ExitCode::SUCCESS } else { ExitCode::from(NEEDS_YOU) })
}

async fn until_stopped(engine: &Engine) -> anyhow::Result<ExitCode> {
    tokio::select! {
        result = engine.run() => result?,
        () = stop() => output::note("Stopped. What is sent meanwhile is caught up at the next start."),
    }
    Ok(ExitCode::SUCCESS)
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
