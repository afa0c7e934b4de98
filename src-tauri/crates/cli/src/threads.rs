//! `threadline threads`

use crate::args::{ThreadsArgs, ThreadsCommand};
use crate::output::{self, printable, when};
use serde_json::json;
use std::process::ExitCode;
use threadline_core::record::Direction;
use threadline_core::report::Lasting;
use threadline_engine::Engine;
use threadline_engine::divide::Why;
use threadline_engine::notices::Bounced;
use threadline_engine::threads::ThreadQuery;
use threadline_engine::views::{MessageView, ThreadLine};

pub async fn run(
    engine: &Engine,
    command: Option<ThreadsCommand>,
    list: ThreadsArgs,
    json: bool,
) -> anyhow::Result<ExitCode> {
    match command.unwrap_or(ThreadsCommand::List(list)) {
        ThreadsCommand::List(args) => {
            let asks = args.search.is_some() || args.state.is_some() || args.silent_days.is_some();
            let page = engine.threads_page(query(args)).await?;
            if json {
                page.rows.iter().try_for_each(output::json)?;
            } else if page.rows.is_empty() {
                output::say(if asks { "No conversation is like that." } else { "Nothing is logged yet." });
            } else {
                let rows: Vec<Vec<String>> = page.rows.iter().map(row).collect();
                output::table(&["ID", "LAST", "MESSAGES", "CONTACTS", "STATE", "SUBJECT", "CRM"], &rows);
                if page.total as usize > page.rows.len() {
                    output::note(&format!("{} of {}", page.rows.len(), page.total));
                }
            }
        }
        ThreadsCommand::Show { id } => {
            let thread = engine.thread(id).await?;
            if json {
                output::json(&thread)?;
            } else {
                output::say(&format!("{} ({})", printable(&thread.line.subject, 200), thread.line.account));
                let state = thread.line.state.name().replace('_', " ");
                output::say(&format!("{state} since {}", when(thread.line.state_since)));
                if let Some(apart) = engine.thread_apart(id).await? {
                    let why = match apart.why {
                        Why::PassedOn => {
                            "one of its mails was passed on to somebody new, which begins another conversation"
                        }
                        Why::ByHand => "you split it off",
                    };
                    output::say(&format!("It stands apart from the conversation {}: {why}.", apart.from));
                    output::say(&format!("`threadline threads merge {id} {}` joins them.", apart.from));
                }
                let notices = engine.notices(id).await?;
                for one in &notices.bounced {
                    output::say(&format!("{} was not reached: {}", one.address, cause(one)));
                }
                for one in &notices.away {
                    output::say(&format!("{} is away until {}", one.address, one.until));
                }
                thread.items.iter().for_each(message);
            }
        }
        ThreadsCommand::Split { message } => {
            let new = engine.split_thread(message).await?;
            match json {
                true => output::json(&json!({ "split": message, "thread": new }))?,
                false => output::say(&format!(
                    "It is the conversation {new} now. `threadline threads undo` takes this back."
                )),
            }
        }
        ThreadsCommand::Merge { id, into } => {
            engine.merge_threads(id, into).await?;
            match json {
                true => output::json(&json!({ "merged": id, "thread": into }))?,
                false => {
                    output::say("They are one conversation now. `threadline threads undo` takes this back.")
                }
            }
        }
        ThreadsCommand::Undo => {
            let messages = engine.undo_threads().await?;
            match json {
                true => output::json(&json!({ "messages": messages }))?,
                false => output::say(&format!(
                    "Taken back: {} returned.",
                    output::count(messages as u64, "message", "messages")
                )),
            }
        }
        ThreadsCommand::Bounced => {
            let all = engine.bounced().await?;
            if json {
                all.iter().try_for_each(output::json)?;
            } else if all.is_empty() {
                output::say("No mail came back.");
            } else {
                let row = |one: &Bounced| {
                    vec![one.address.to_string(), cause(one), when(one.time), one.thread.to_string()]
                };
                let rows: Vec<Vec<String>> = all.iter().map(row).collect();
                output::table(&["ADDRESS", "CODE", "WHEN", "CONVERSATION"], &rows);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `5.1.1 (for good)`.
fn cause(one: &Bounced) -> String {
    let code = one.code.as_deref().map_or_else(|| "no code".to_owned(), |code| printable(code, 20));
    match one.lasting {
        Some(Lasting::Hard) => format!("{code} (for good)"),
        Some(Lasting::Soft) => format!("{code} (this time)"),
        None => code,
    }
}

fn query(args: ThreadsArgs) -> ThreadQuery {
    ThreadQuery {
        search: args.search,
        state: args.state.map(Into::into),
        silent_days: args.silent_days,
        limit: args.limit,
        ..ThreadQuery::default()
    }
}

fn row(line: &ThreadLine) -> Vec<String> {
    let contacts: Vec<&str> = line.contacts.iter().map(|c| c.address.as_str()).collect();
    let crm: Vec<String> =
        line.crm.iter().map(|c| format!("{} {} {}", c.sink, c.messages, c.state)).collect();
    vec![
        line.id.to_string(),
        when(line.last),
        line.messages.to_string(),
        contacts.join(", "),
        line.state.name().replace('_', " "),
        line.subject.clone(),
        crm.join(", "),
    ]
}

fn message(item: &MessageView) {
    let arrow = match item.decided.direction {
        Direction::Outgoing => "sent",
        Direction::Incoming => "received",
    };
    output::say("");
    output::say(&format!(
        "[{}] {} {arrow}, logged by {}: {}",
        item.decided.message,
        when(item.decided.date),
        item.decided.rule,
        item.decided.why
    ));
    if let Some(from) = &item.decided.from {
        output::say(&format!("  From: {}", from.address));
    }
    let to: Vec<&str> = item.decided.to.iter().map(|m| m.address.as_str()).collect();
    output::say(&format!("  To: {}", to.join(", ")));
    for state in &item.crm {
        let place = state.link.as_deref().or(state.remote_id.as_deref()).unwrap_or_default();
        let words = state.words.as_deref().unwrap_or_default();
        output::say(&format!("  {}: {} {place} {}", state.sink, state.state, printable(words, 200)));
    }
    for file in &item.attachments {
        output::say(&format!("  File: {} ({} bytes)", printable(&file.name, 100), file.size));
    }
    for line in item.text.as_deref().unwrap_or("(The text is not here.)").lines() {
        output::say(&format!("  | {}", printable(line, 200)));
    }
}
