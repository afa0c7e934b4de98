//! `threadline relay`

use crate::NEEDS_YOU;
use crate::args::{ClientArg, RelayCommand};
use crate::output::{self, printable};
use anyhow::{Context as _, ensure};
use serde_json::json;
use std::process::ExitCode;
use threadline_core::address::Address;
use threadline_engine::Engine;
use threadline_engine::relay::{RelayState, RelayStatus, TestStep, TestStepName};
use threadline_relay::guide::Client;

pub async fn run(engine: &Engine, command: RelayCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        RelayCommand::On { tls_port, starttls_port } => {
            let before = engine.relay_settings().await?;
            let settings = engine.turn_relay_on(tls_port, starttls_port).await?;
            if json {
                output::json(&settings)?;
                return Ok(ExitCode::SUCCESS);
            }
            for (name, wanted, got) in [
                ("TLS", tls_port.unwrap_or(before.tls_port), settings.tls_port),
                ("STARTTLS", starttls_port.unwrap_or(before.starttls_port), settings.starttls_port),
            ] {
                if wanted != got {
                    output::note(&format!(
                        "Port {wanted} is in use by another program. For {name} the relay takes {got}."
                    ));
                }
            }
            output::say(&format!(
                "The relay is on at 127.0.0.1: port {} with TLS, port {} with STARTTLS, as long as Threadline runs.",
                settings.tls_port, settings.starttls_port
            ));
            output::say(
                "Next: `threadline relay help thunderbird` (or outlook, apple-mail) says how to set your mail program up.",
            );
        }
        RelayCommand::Off => {
            engine.turn_relay_off().await?;
            if json {
                output::json(&engine.relay_settings().await?)?;
            } else {
                output::say(
                    "The relay is off. Set your mail program back to your provider's server for sending.",
                );
            }
        }
        RelayCommand::Status => {
            let status = engine.relay_status().await?;
            if json {
                output::json(&status)?;
            } else {
                show(&status);
            }
            let failed = status.settings.on && matches!(status.state, Some(RelayState::Failed { .. }));
            return Ok(if failed { ExitCode::from(NEEDS_YOU) } else { ExitCode::SUCCESS });
        }
        RelayCommand::Password { address, new } => {
            let password = engine.relay_password(&address, new).await?;
            if json {
                output::json(&json!({ "user": address, "password": *password }))?;
            } else {
                output::say(&password);
            }
        }
        RelayCommand::Certificate { pem, new } => {
            let certificate = engine.relay_certificate(new).await?;
            let (fingerprint, ends) = (certificate.fingerprint(), certificate.ends().to_string());
            match (json, pem) {
                (true, _) => {
                    output::json(&json!({ "sha256": fingerprint, "ends": ends, "pem": certificate.pem() }))?
                }
                (false, true) => output::say(certificate.pem().trim_end()),
                (false, false) => output::say(&format!("SHA-256 {fingerprint}, until {ends}")),
            }
        }
        RelayCommand::Test { address } => return test(engine, &address, json).await,
        RelayCommand::Help { client, address } => {
            let address = match address {
                Some(address) => address,
                None => only_mailbox(engine).await?,
            };
            let page = engine.relay_guide(client.into(), &address).await?;
            if json {
                output::json(&json!({ "text": page }))?;
            } else {
                output::say(page.trim_end());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn only_mailbox(engine: &Engine) -> anyhow::Result<Address> {
    let accounts = engine.accounts().await?;
    ensure!(accounts.len() < 2, "There are several mailboxes: name one of them behind the mail program.");
    let account = accounts.into_iter().next();
    let account =
        account.context("There is no mailbox yet: add one with `threadline account add ADDRESS`.")?;
    Ok(account.settings.draft.address)
}

async fn test(engine: &Engine, address: &Address, json: bool) -> anyhow::Result<ExitCode> {
    let steps = engine.test_relay(address).await?;
    for step in &steps {
        if json {
            output::json(step)?;
        } else {
            output::say(&line(step));
        }
    }
    let good = steps.iter().all(|step| step.good);
    if good && !json {
        output::say("The relay works. Nothing was sent.");
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(NEEDS_YOU) })
}

fn line(step: &TestStep) -> String {
    let name = match step.step {
        TestStepName::Tls => "relay, TLS",
        TestStepName::Starttls => "relay, STARTTLS",
        TestStepName::Provider => "provider",
    };
    let state = if step.good { "ok" } else { "FAILED" };
    let words = printable(&step.words, 300);
    let why = step.reason.map(|reason| format!("{} {}  ", reason.title(), reason.next_step()));
    format!("{name:<16} {state:<7} {:>6} ms  {}{words}", step.ms, why.unwrap_or_default())
}

fn show(status: &RelayStatus) {
    let settings = &status.settings;
    if !settings.on {
        output::say("The relay is off.");
    } else {
        let ports = format!(
            "127.0.0.1, port {} with TLS, port {} with STARTTLS",
            settings.tls_port, settings.starttls_port
        );
        match (status.answers, &status.state) {
            (true, _) => output::say(&format!("The relay answers at {ports}.")),
            (false, Some(RelayState::Failed { words, .. })) => output::say(words),
            (false, _) => {
                output::say(&format!("The relay is on ({ports}), and does not answer: does Threadline run?"));
            }
        }
    }
    if let (Some(fingerprint), Some(ends)) = (&status.fingerprint, &status.certificate_ends) {
        output::say(&format!("Certificate: SHA-256 {fingerprint}, until {ends}"));
    }
    let rows: Vec<Vec<String>> = status
        .mailboxes
        .iter()
        .map(|mailbox| {
            let password = match (mailbox.can_send, mailbox.has_password) {
                (false, _) => "no server for sending",
                (true, true) => "set",
                (true, false) => "none yet",
            };
            vec![
                mailbox.address.to_string(),
                password.to_owned(),
                mailbox.accepted.to_string(),
                mailbox.unknown.to_string(),
                mailbox.unseen.to_string(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        output::table(&["MAILBOX", "PASSWORD", "TAKEN", "UNKNOWN", "NOT IN SENT"], &rows);
    }
    if status.mailboxes.iter().any(|mailbox| mailbox.unseen > 0) {
        output::say(
            "Mail that is not in Sent is not logged: neither the provider nor your mail program files a copy. Let your mail \
             program keep copies of sent mail in the Sent folder on the server.",
        );
    }
}

impl From<ClientArg> for Client {
    fn from(client: ClientArg) -> Self {
        match client {
            ClientArg::Outlook => Client::Outlook,
            ClientArg::AppleMail => Client::AppleMail,
            ClientArg::Thunderbird => Client::Thunderbird,
        }
    }
}
