//! `threadline asked`

use crate::args::{AskedCommand, OfMailbox};
use crate::output::{self, printable, when};
use serde_json::json;
use std::process::ExitCode;
use threadline_core::address::Address;
use threadline_engine::Engine;
use threadline_engine::answers::AskedAnswer;
use threadline_engine::question::PersonAnswer;

pub async fn run(engine: &Engine, command: Option<AskedCommand>, json: bool) -> anyhow::Result<ExitCode> {
    match command.unwrap_or(AskedCommand::List { limit: 50 }) {
        AskedCommand::List { limit } => list(engine, limit as usize, json).await?,
        AskedCommand::Log { id } => answer(engine, id, AskedAnswer::Log, json).await?,
        AskedCommand::Same { id } => answer(engine, id, AskedAnswer::Same, json).await?,
        AskedCommand::Ignore { id } => answer(engine, id, AskedAnswer::Ignore, json).await?,
        AskedCommand::Never { id } => answer(engine, id, AskedAnswer::Never, json).await?,
        AskedCommand::People => people(engine, json).await?,
        AskedCommand::Add { addresses, of } => {
            persons(engine, addresses, of, PersonAnswer::Add, json).await?
        }
        AskedCommand::Later { addresses, of } => {
            persons(engine, addresses, of, PersonAnswer::Later, json).await?
        }
        AskedCommand::NeverPerson { addresses, of } => {
            persons(engine, addresses, of, PersonAnswer::Never, json).await?
        }
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
    output::say("Answer with `threadline asked log ID`, `same ID`, `ignore ID` or `never ID`.");
    Ok(())
}

async fn answer(engine: &Engine, id: i64, answer: AskedAnswer, json: bool) -> anyhow::Result<()> {
    engine.answer(&[id], answer).await?;
    if json {
        return output::json(&json!({ "done": answer, "message": id }));
    }
    output::say(match answer {
        AskedAnswer::Log => "It is logged, at once where Threadline runs.",
        AskedAnswer::Same => "It is logged, and mail from this address is the contact's from now on.",
        AskedAnswer::Ignore => "It is not logged.",
        AskedAnswer::Never => "It is not logged, nor any other mail with these people from now on.",
    });
    Ok(())
}

async fn people(engine: &Engine, json: bool) -> anyhow::Result<()> {
    let people = engine.unknown_people().await?;
    if json {
        return people.iter().try_for_each(output::json);
    }
    if people.is_empty() {
        output::say("Everybody whom you wrote to is in the CRM, or was answered for.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = people
        .into_iter()
        .map(|p| {
            let name = printable(&p.name.unwrap_or_default(), 40);
            vec![p.address.to_string(), name, p.mails.to_string(), when(p.last), p.account.to_string()]
        })
        .collect();
    output::table(&["ADDRESS", "NAME", "MAILS", "LAST", "MAILBOX"], &rows);
    output::say("Answer with `threadline asked add`, `later` or `never-person` and the addresses.");
    Ok(())
}

async fn persons(
    engine: &Engine,
    addresses: Vec<Address>,
    of: OfMailbox,
    answer: PersonAnswer,
    json: bool,
) -> anyhow::Result<()> {
    let mailbox = crate::rules::mailbox(engine, of).await?;
    for address in addresses {
        engine.answer_person(&mailbox, &address, answer).await?;
        match (json, answer) {
            (true, _) => output::json(&json!({ "done": answer, "address": address }))?,
            (false, PersonAnswer::Add) => {
                output::say(&format!(
                    "{address}: logged, with a contact in the CRM, where nobody else on it is unknown."
                ));
            }
            (false, PersonAnswer::Later) => {
                output::say(&format!("{address}: asked again with the next mail."))
            }
            (false, PersonAnswer::Never) => output::say(&format!("{address}: never logged.")),
        }
    }
    Ok(())
}
