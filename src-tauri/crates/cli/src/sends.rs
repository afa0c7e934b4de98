//! `threadline sends` and `threadline templates`

use crate::args::{SendsCommand, TemplatesCommand};
use crate::output::{self, printable, when};
use crate::send;
use serde_json::json;
use std::process::ExitCode;
use threadline_core::template::Template;
use threadline_engine::Engine;
use threadline_engine::writing::CopyWish;

pub async fn run(engine: &Engine, command: Option<SendsCommand>, json: bool) -> anyhow::Result<ExitCode> {
    match command.unwrap_or(SendsCommand::List { limit: 50 }) {
        SendsCommand::List { limit } => list(engine, limit as usize, json).await?,
        SendsCommand::Show { id } => show(engine, id, json).await?,
        SendsCommand::Undo { id } => {
            engine.undo_send(id).await?;
            show(engine, id, json).await?;
        }
        SendsCommand::Retry { id } => {
            engine.retry_send(id).await?;
            show(engine, id, json).await?;
        }
        SendsCommand::Confirm { id } => {
            engine.confirm_sent(id).await?;
            show(engine, id, json).await?;
        }
        SendsCommand::FromCrm { url } => {
            if let Some(url) = url {
                engine.set_send_requests((url != "off").then_some(url)).await?;
            }
            let url = engine.send_requests().await?;
            if json {
                output::json(&json!({ "from_crm": url }))?;
            } else {
                output::say(&match url {
                    Some(url) => format!("Mails that are listed at {url} are sent."),
                    None => "No list of a CRM is read.".to_owned(),
                });
            }
        }
        SendsCommand::Copies { address, wish } => {
            if let Some(wish) = wish {
                engine.set_copy_wish(&address, wish.into()).await?;
            }
            let wish = engine.copy_wish(&address).await?;
            if json {
                output::json(&json!({ "account": address, "copies": wish }))?;
            } else {
                output::say(match wish {
                    CopyWish::Auto => "A copy is filed where the provider does not file one itself.",
                    CopyWish::Never => "No copy is filed.",
                    CopyWish::Always => "A copy is filed, unless one lies there already.",
                });
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(engine: &Engine, limit: usize, json: bool) -> anyhow::Result<()> {
    let sends = engine.sends(limit).await?;
    if json {
        return sends.iter().try_for_each(output::json);
    }
    if sends.is_empty() {
        output::say("Nothing was sent through Threadline yet. See `threadline send --help`.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = sends
        .iter()
        .map(|line| {
            let to: Vec<&str> = line.to.iter().map(|address| address.as_str()).collect();
            vec![
                line.id.to_string(),
                line.state.name().to_owned(),
                when(line.sent_at.unwrap_or(line.due)),
                to.join(", "),
                printable(&line.subject, 40),
                line.copy.map(|copy| copy.name().to_owned()).unwrap_or_default(),
                line.words.clone().unwrap_or_default(),
            ]
        })
        .collect();
    output::table(&["ID", "STATE", "AT", "TO", "SUBJECT", "COPY", "SAID"], &rows);
    Ok(())
}

async fn show(engine: &Engine, id: i64, json: bool) -> anyhow::Result<()> {
    let line = engine.sending(id).await?;
    if json {
        return output::json(&line);
    }
    send::tell(&line);
    Ok(())
}

pub async fn templates(engine: &Engine, command: TemplatesCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        TemplatesCommand::List => list_templates(engine, json).await?,
        TemplatesCommand::Set { name, subject, text, html } => {
            let text = text.as_deref().map(send::read_text).transpose()?.unwrap_or_default();
            let html = html.as_deref().map(send::read_text).transpose()?;
            engine.set_template(&name, Template { subject, text, html }).await?;
            if !json {
                output::say(&format!(
                    "The template is kept. Use it with `threadline send --template {name}`."
                ));
            }
        }
        TemplatesCommand::Show { name } => {
            let kept = engine.template(&name).await?;
            let Template { subject, text, html } = &kept.template;
            if json {
                output::json(&json!({ "name": kept.name, "subject": subject, "text": text, "html": html }))?;
            } else {
                output::say(&format!("Subject: {subject}\n\n{text}"));
                if let Some(html) = html {
                    output::say(&format!("\n{html}"));
                }
            }
        }
        TemplatesCommand::Remove { name } => {
            engine.remove_template(&name).await?;
            if !json {
                output::say("The template is gone.");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list_templates(engine: &Engine, json: bool) -> anyhow::Result<()> {
    let templates = engine.templates().await?;
    if templates.is_empty() && !json {
        output::say(
            "There is no template yet. Make one with `threadline templates set NAME --subject TEXT --text FILE`.",
        );
        return Ok(());
    }
    let mut rows = Vec::new();
    for kept in &templates {
        let variables = kept.template.variables().unwrap_or_default();
        if json {
            output::json(&json!({
                "name": kept.name, "subject": kept.template.subject, "variables": variables,
                "changed_at": kept.changed_at,
            }))?;
        }
        let subject = printable(&kept.template.subject, 40);
        rows.push(vec![kept.name.clone(), subject, variables.join(", "), when(kept.changed_at)]);
    }
    if !json {
        output::table(&["NAME", "SUBJECT", "VARIABLES", "CHANGED"], &rows);
    }
    Ok(())
}
