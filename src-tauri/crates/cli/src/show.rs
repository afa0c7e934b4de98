//! `threadline status`, `log` and `export`

use crate::output::{printable, when};
use crate::{NEEDS_YOU, output};
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use threadline_core::health::{Health, State};
use threadline_engine::Engine;
use threadline_engine::engine::until_resumed;

pub async fn status(engine: &Engine, json: bool) -> anyhow::Result<ExitCode> {
    let status = engine.status().await?;
    let needs_you = status.mailboxes.iter().map(|m| m.state).chain(status.crms.iter().map(|c| c.state));
    let aside = status.mailboxes.iter().any(|m| !m.set_aside.is_empty())
        || status.crms.iter().any(|c| c.set_aside > 0);
    let aside = aside || !status.unusable_crms.is_empty();
    let code = match aside || needs_you.into_iter().any(|s| s == State::NeedsAttention) {
        true => ExitCode::from(NEEDS_YOU),
        false => ExitCode::SUCCESS,
    };
    if json {
        output::json(&status)?;
        return Ok(code);
    }
    if status.running.is_none() && !status.mailboxes.is_empty() {
        output::say("Threadline is not running. This is how things were; start it with `threadline run`.");
    }
    if status.mailboxes.is_empty() {
        output::say("No mailbox yet. Add one with `threadline account add ADDRESS --host SERVER`.");
    }
    for mailbox in &status.mailboxes {
        output::say(&format!("{}: {}", mailbox.address, words(mailbox.state)));
        if mailbox.state == State::Paused {
            // How it was before the pause is not how it is, and nothing is tried.
            let until = mailbox.paused_until.filter(|until| !until_resumed(*until));
            let until = until.map_or_else(String::new, |until| format!("Until {}. ", when(until)));
            let resume = format!("threadline account resume {}", mailbox.address);
            output::say(&format!("  {until}Next: `{resume}` connects at once."));
        } else {
            mailbox.channels.iter().for_each(channel);
            if let Some(step) = &mailbox.next_step {
                output::say(&format!("  Next: {step}"));
            }
        }
        output::say(&format!(
            "  logged {}, asked {}, held {}, ignored {}; bodies never read {}; to be read {}, waiting for a CRM {}",
            mailbox.logged,
            mailbox.asked,
            mailbox.held,
            mailbox.ignored,
            mailbox.bodies_never_read,
            mailbox.to_read,
            mailbox.waiting
        ));
        for aside in &mailbox.set_aside {
            output::say(&format!(
                "  set aside: message {} in {}: {}",
                aside.uid,
                printable(&aside.folder, 40),
                printable(&aside.why, 200)
            ));
        }
    }
    for cause in status.shared_causes() {
        let met = output::count(cause.met.len() as u64, "mailbox", "mailboxes");
        output::say(&format!(
            "One cause for {met} of {} at {} since {}: {}",
            cause.mailboxes,
            cause.provider,
            when(cause.since),
            cause.reason.title()
        ));
    }
    status.unusable_crms.iter().for_each(|crm| output::say(&crm.problem));
    for crm in &status.crms {
        output::say(&format!("{}: {}", crm.settings.kind(), words(crm.state)));
        crm.health.iter().for_each(channel);
        output::say(&format!("  logged {}, waiting {}, set aside {}", crm.done, crm.waiting, crm.set_aside));
    }
    Ok(code)
}

fn words(state: State) -> String {
    state.name().replace('_', " ")
}

fn channel(health: &Health) {
    let since = format!("{} since {}", words(health.state), when(health.since));
    let mut line = format!("  {:<6} {since}", health.channel.name());
    if let Some(reason) = health.reason {
        line += &format!(": {}", reason.title());
    }
    if let Some(at) = health.next_try {
        line += &format!(" Next try {}.", output::clock(at));
    }
    output::say(&line);
    if let (Some(_), Some(words)) = (health.reason, &health.evidence) {
        output::say(&format!("         {}", printable(words, 300)));
    }
}

pub async fn log(engine: &Engine, limit: u32, json: bool) -> anyhow::Result<ExitCode> {
    let decisions = engine.log(limit as usize).await?;
    if json {
        decisions.iter().try_for_each(output::json)?;
    } else if decisions.is_empty() {
        output::say("Nothing was seen yet. Start with `threadline run`.");
    } else {
        let rows: Vec<Vec<String>> = decisions
            .into_iter()
            .map(|d| {
                vec![
                    when(d.decided_at),
                    d.outcome.name().to_owned(),
                    d.rule.name().to_owned(),
                    d.folder.unwrap_or_default(),
                    d.subject.unwrap_or_else(|| "(no text is kept)".to_owned()),
                ]
            })
            .collect();
        output::table(&["DECIDED", "OUTCOME", "RULE", "FOLDER", "SUBJECT"], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn export(engine: &Engine, dir: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let shown = std::io::stderr().is_terminal() && !json;
    let progress = move |messages: u64| {
        if shown && messages.is_multiple_of(500) {
            output::note(&format!("{messages} messages written"));
        }
    };
    let exported = engine.export(dir, progress).await?;
    if json {
        output::json(&exported)?;
    } else {
        output::say(&format!(
            "{}: messages {} (with their text {}), threads {}, contacts {}",
            dir.display(),
            exported.messages,
            exported.bodies,
            exported.threads,
            exported.contacts
        ));
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn egress(
    engine: &Engine,
    message: Option<i64>,
    limit: u32,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let lines = match message {
        Some(message) => engine.egress_of(message, limit as usize).await?,
        None => engine.egress(None, limit as usize).await?,
    };
    let bodies = engine.bodies_read().await?;
    if json {
        lines.iter().try_for_each(output::json)?;
        output::json(&bodies)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = lines
        .into_iter()
        .map(|e| {
            let object = match e.remote_id {
                Some(id) => format!("{} {}", e.object, printable(&id, 40)),
                None => e.object,
            };
            let subject = printable(&e.subject.unwrap_or_default(), 40);
            vec![when(e.at), e.sink, object, printable(&e.field, 40), e.bytes.to_string(), subject]
        })
        .collect();
    output::table(&["LEFT", "CRM", "OBJECT", "FIELD", "BYTES", "SUBJECT"], &rows);
    output::say(&format!(
        "Texts read: {}. Messages that were seen and whose text was never read: {}.",
        bodies.bodies_read, bodies.bodies_never_read
    ));
    Ok(ExitCode::SUCCESS)
}
