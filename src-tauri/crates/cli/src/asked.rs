//! `threadline asked`

use crate::args::AskedCommand;
use crate::output::{self, printable, when};
use anyhow::Context;
use serde_json::json;
use std::process::ExitCode;
use threadline_core::rule::Answer;
use threadline_engine::Engine;

pub async fn run(engine: &Engine, command: Option<AskedCommand>, json: bool) -> anyhow::Result<ExitCode> {
    match command.unwrap_or(AskedCommand::List { limit: 50 }) {
        AskedCommand::List { limit } => list(engine, limit as usize, json).await?,
        AskedCommand::Log { id } => answer(engine, id, Answer::Log, json).await?,
        AskedCommand::Ignore { id } => answer(engine, id, Answer::Ignore, json).await?,
        AskedCommand::Never { id } => never(engine, id, json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(engine: &Engine, limit: usize, json: bool) -> anyhow::Result<()> {
    let asked = engine.asked(limit).await?;
    if json {
        return asked.iter().try_for_each(output::json);
    }
    if asked.is_empty() {
        output::say("No question is open.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = asked
        .into_iter()
        .map(|d| {
            let from = d.from.map(|m| m.address.to_string()).unwrap_or_default();
            let to: Vec<String> = d.to.iter().map(|m| m.address.to_string()).collect();
            vec![
                d.message.to_string(),
                when(d.date),
                from,
                to.join(", "),
                printable(&d.subject.unwrap_or_default(), 40),
                d.why.to_owned(),
            ]
        })
        .collect();
    output::table(&["ID", "DATE", "FROM", "TO", "SUBJECT", "WHY"], &rows);
    output::say("Answer with `threadline asked log ID`, `ignore ID` or `never ID`.");
    Ok(())
}

async fn answer(engine: &Engine, id: i64, answer: Answer, json: bool) -> anyhow::Result<()> {
    engine.answer(id, answer).await?;
    if json {
        return output::json(&json!({ "done": answer.name(), "message": id }));
    }
    output::say(match answer {
        Answer::Log => "It is logged, at once where Threadline runs.",
        Answer::Ignore => "It is not logged.",
    });
    Ok(())
}

async fn never(engine: &Engine, id: i64, json: bool) -> anyhow::Result<()> {
    let asked = engine.asked(usize::MAX).await?;
    let found = asked
        .into_iter()
        .find(|d| d.message == id)
        .with_context(|| format!("There is no question about the message {id}. See `threadline asked`"))?;
    let rules = engine.account(&found.account).await?.settings.rules;
    let people = found.from.iter().chain(&found.to).map(|m| m.address.clone());
    let outside: Vec<_> = people.filter(|a| !rules.is_colleague(a)).collect();
    engine.answer(id, Answer::Ignore).await?;
    for address in &outside {
        engine.never_log(&found.account, address).await?;
    }
    if json {
        return output::json(&json!({ "done": "never", "message": id, "addresses": outside }));
    }
    let names: Vec<&str> = outside.iter().map(|a| a.as_str()).collect();
    output::say(&format!("Mail with {} is never logged from now on.", names.join(", ")));
    Ok(())
}
