//! `threadline check`

use crate::output::printable;
use crate::{NEEDS_YOU, output};
use std::process::ExitCode;
use threadline_core::address::Address;
use threadline_engine::Engine;
use threadline_engine::check::{CheckReport, CheckState, CheckStep, CheckStepName, Found, FoundHow};

pub async fn run(engine: &Engine, address: &Address, json: bool) -> anyhow::Result<ExitCode> {
    let settings = engine.account(address).await?.settings;
    let told = |step: CheckStep| match json {
        // A line that cannot be printed has nowhere to be told.
        true => drop(output::json(&step)),
        false => {
            if let Some(line) = line(&step) {
                output::say(&line);
            }
        }
    };
    let report = engine.check(&settings, None, told).await?;
    if json {
        output::json(&report)?;
    } else {
        conclude(address, &report);
    }
    let good = report.failed.is_none() && report.same_mailbox != Some(false);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(NEEDS_YOU) })
}

fn line(step: &CheckStep) -> Option<String> {
    let state = match step.state {
        CheckState::Running => return None,
        CheckState::Ok => "ok",
        CheckState::Warning => "warning",
        CheckState::Failed => "FAILED",
        CheckState::Skipped => "skipped",
    };
    let time = step.ms.map(|ms| format!("{ms} ms")).unwrap_or_default();
    let words = step.found.as_ref().map(words).or_else(|| step.words.clone());
    let words = words.map(|words| printable(&words, 200)).unwrap_or_default();
    let mut line = format!("{:<13} {state:<8} {time:>8}  {words}", name(step.step)).trim_end().to_owned();
    if let Some(reason) = step.reason {
        line += &format!("\n  {} {}", reason.title(), reason.next_step());
    }
    Some(line)
}

fn words(found: &Found) -> String {
    let list = |parts: Vec<String>| parts.join(", ");
    match found {
        Found::Messages { messages } => output::count(u64::from(*messages), "message", "messages"),
        Found::SentFolders { folders } => {
            list(folders.iter().map(|folder| format!("{} ({})", folder.name, how(folder.how))).collect())
        }
        Found::Crms { crms } => list(crms.iter().map(|crm| format!("{}: {}", crm.kind, crm.name)).collect()),
        Found::Unusable { message, .. } => message.clone(),
    }
}

fn how(how: FoundHow) -> &'static str {
    match how {
        FoundHow::Named => "named in the settings",
        FoundHow::SpecialUse => "special use",
        FoundHow::Name => "by its name",
        FoundHow::NameContains => "its name contains \"sent\"",
        FoundHow::All => "all mail",
    }
}

fn name(step: CheckStepName) -> &'static str {
    match step {
        CheckStepName::Dns => "DNS",
        CheckStepName::Tcp => "TCP",
        CheckStepName::Tls => "TLS",
        CheckStepName::Greeting => "greeting",
        CheckStepName::SignIn => "sign-in",
        CheckStepName::Capabilities => "capabilities",
        CheckStepName::Inbox => "INBOX",
        CheckStepName::Sent => "Sent",
        CheckStepName::Smtp => "SMTP",
        CheckStepName::Crm => "CRM",
    }
}

fn conclude(address: &Address, report: &CheckReport) {
    if report.same_mailbox == Some(false) {
        output::say("This is another mailbox than the one that was read before.");
    }
    for (server, option, shown) in
        [("IMAP", "--fingerprint", &report.presented), ("SMTP", "--smtp-fingerprint", &report.presented_smtp)]
    {
        let Some(shown) = shown else { continue };
        output::say(&format!(
            "The {server} server showed a certificate for {}, from {}, valid until {}. If the IT department confirms its \
             SHA-256, trust it with `threadline account set {address} {option} {}`.",
            printable(&shown.subject, 80),
            printable(&shown.issuer, 80),
            output::when(shown.expires),
            shown.fingerprint
        ));
    }
}
