//! `threadline send`

use crate::args::SendArgs;
use crate::output::{self, when};
use crate::{NEEDS_YOU, private};
use anyhow::{Context, bail};
use jiff::tz::TimeZone;
use serde_json::json;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use threadline_core::address::{Address, Mailbox};
use threadline_engine::writing::{Draft, SendLine, SendState};
use threadline_engine::{Engine, EngineError};
use threadline_mail::compose::File;

pub async fn run(engine: &Engine, args: SendArgs, json: bool) -> anyhow::Result<ExitCode> {
    let account = account(engine, args.account.clone()).await?;
    let draft = draft(engine, &args)?;
    if args.dry_run {
        let preview = engine.preview_send(&account, &draft).await?;
        if json {
            output::json(&json!({
                "account": account, "recipients": preview.recipients, "subject": preview.subject,
                "bytes": preview.raw.len(), "due": preview.due, "raw": String::from_utf8_lossy(&preview.raw),
            }))?;
            return Ok(ExitCode::SUCCESS);
        }
        let to: Vec<&str> = preview.recipients.iter().map(Address::as_str).collect();
        output::note(&format!("It would go to {} at {}.", to.join(", "), when(preview.due)));
        for line in String::from_utf8_lossy(&preview.raw).lines() {
            output::say(&output::printable(line, usize::MAX));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let line = engine.send(&account, &draft).await?;
    let id = line.id;
    let running = match engine.home().hold("threadline send") {
        Ok(hold) => Some(hold),
        Err(EngineError::Held { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let waits = args.at.is_some() && line.due > engine.clock().now();
    if running.is_none() || waits {
        if json {
            output::json(&line)?;
            return Ok(ExitCode::SUCCESS);
        }
        let undo = format!("Take it back with `threadline sends undo {id}`.");
        output::say(&match (running.is_none(), waits) {
            (true, _) => format!("The mail goes at {}. {undo}", output::clock(line.due)),
            (false, _) => format!(
                "The mail goes at {}, where Threadline runs then (`threadline run`, or the app). {undo}",
                when(line.due)
            ),
        });
        return Ok(ExitCode::SUCCESS);
    }
    if !json {
        output::note(&format!("The mail goes at {}. Ctrl-C takes it back.", output::clock(line.due)));
    }
    let line = tokio::select! {
        line = engine.send_due(id) => line?,
        _ = tokio::signal::ctrl_c() => match engine.undo_send(id).await {
            Ok(()) => engine.sending(id).await?,
            Err(error) => {
                output::note(&error.to_string());
                engine.gone().await;
                engine.sending(id).await?
            }
        },
    };
    if json {
        output::json(&line)?
    } else {
        tell(&line)
    }
    Ok(exit(&line))
}

/// What became of a mail, in words: the thing, the cause, the next step.
pub fn tell(line: &SendLine) {
    let id = line.id;
    let words = line.words.as_deref().unwrap_or("The server does not say why.");
    output::say(&match line.state {
        SendState::Waiting if line.words.is_some() => {
            format!("Mail {id} is not sent yet: {words} It is tried again at {}.", when(line.due))
        }
        SendState::Waiting => format!("Mail {id} goes at {}.", when(line.due)),
        SendState::Submitting => format!("Mail {id}: the server is taking it."),
        SendState::Sent => format!("Mail {id} is sent."),
        SendState::Refused => format!(
            "Mail {id} is not sent: {words} Mend what is wrong, then send it again with `threadline sends retry {id}`."
        ),
        SendState::Unknown => format!(
            "Mail {id} may be sent or not: {words} It was looked for among what was sent and not found. Ask the recipient; then say `threadline sends confirm {id}` or `threadline sends retry {id}`."
        ),
        SendState::Cancelled => format!("Mail {id} was taken back; nobody gets it."),
    });
    for (address, words) in &line.refused {
        output::note(&format!("{address} does not get it: {words} Compare the address."));
    }
    if let Some(words) = &line.copy_words {
        output::note(&format!(
            "Your own copy of mail {id} could not be filed: {words} It is tried again; `threadline sends retry {id}` tries now."
        ));
    } else if let Some(rule) = line.copy_rule {
        let place = line.copy_folder.as_ref().map(|folder| format!(" in {folder}")).unwrap_or_default();
        output::say(&format!("Your copy{place}: {}", rule.explanation()));
    }
}

pub fn exit(line: &SendLine) -> ExitCode {
    let well = matches!(line.state, SendState::Sent | SendState::Cancelled) && line.refused.is_empty();
    if well { ExitCode::SUCCESS } else { ExitCode::from(NEEDS_YOU) }
}

/// The mailbox that is named, or the only one that can send.
async fn account(engine: &Engine, named: Option<Address>) -> anyhow::Result<Address> {
    if let Some(named) = named {
        return Ok(named);
    }
    let accounts = engine.accounts().await?;
    let able: Vec<&Address> =
        accounts.iter().filter(|a| a.settings.smtp.is_some()).map(|a| &a.settings.address).collect();
    match able.as_slice() {
        [only] => Ok((*only).clone()),
        [] => bail!(
            "No mailbox can send. Set a server with `threadline account set ADDRESS --smtp-host SERVER`."
        ),
        _ => bail!("There are several mailboxes. Name one with --account."),
    }
}

fn draft(engine: &Engine, args: &SendArgs) -> anyhow::Result<Draft> {
    let people = |of: &[String]| of.iter().map(|text| person(text)).collect::<anyhow::Result<Vec<_>>>();
    let now = engine.clock().now().to_zoned(TimeZone::system());
    let mut files = Vec::new();
    for path in &args.attach {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        files.push(File { name, bytes: std::fs::read(path).with_context(|| cannot_read(path))? });
    }
    let mut values = Vec::new();
    for pair in &args.values {
        let (name, value) =
            pair.split_once('=').with_context(|| format!("--set {pair}: write NAME=VALUE."))?;
        values.push((name.to_owned(), value.to_owned()));
    }
    Ok(Draft {
        from_name: args.from_name.clone(),
        to: people(&args.to)?,
        cc: people(&args.cc)?,
        bcc: people(&args.bcc)?,
        subject: args.subject.clone(),
        text: args.text.as_deref().map(read_text).transpose()?,
        html: args.html.as_deref().map(read_text).transpose()?,
        template: args.template.clone(),
        values,
        files,
        at: args.at.as_deref().map(|text| private::read(text, &now)).transpose()?,
        request: None,
    })
}

fn cannot_read(path: &Path) -> String {
    format!("The file {} cannot be read. Compare its name and its rights", path.display())
}

/// A file, or standard input for `-`.
pub fn read_text(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("The text cannot be read from standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(|| cannot_read(path))
}

/// `name@firm.example`, or `Name <name@firm.example>`.
fn person(text: &str) -> anyhow::Result<Mailbox> {
    Mailbox::parse(text)
        .with_context(|| format!("{text} names nobody. Write name@firm.example, or Name <name@firm.example>"))
}
