//! `threadline account`

use crate::args::{AccountAdd, AccountCommand, ModeArg, SecurityArg};
use crate::{output, prompt};
use anyhow::Context;
use jiff::SignedDuration;
use serde_json::json;
use std::process::ExitCode;
use threadline_core::address::{Address, normal_domain};
use threadline_core::rule::{CreateContacts, LogMode};
use threadline_engine::Engine;
use threadline_engine::engine::{UNTIL_RESUMED, until_resumed};
use threadline_engine::settings::{AccountSettings, CrmSettings, Encryption};

pub async fn run(engine: &Engine, command: AccountCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        AccountCommand::Add(args) => add(engine, args, json).await?,
        AccountCommand::List => list(engine, json).await?,
        AccountCommand::Remove { address } => {
            engine.remove_account(&address).await?;
            done(json, "removed", &address, "Removed. Its mail and what the CRM has stay as they are.")?;
        }
        AccountCommand::Password { address, no_check } => {
            let settings = engine.account(&address).await?.settings;
            let password = prompt::secret(&format!("Password of {} at {}", settings.user, settings.host))?;
            if !no_check {
                engine.try_account(&settings, password.clone()).await?;
            }
            engine.set_password(&address, password).await?;
            done(json, "password", &address, "The new password is in the keychain.")?;
        }
        AccountCommand::Pause { address, length } => {
            let until = match length {
                Some(text) => {
                    let length: SignedDuration = text
                        .parse()
                        .with_context(|| format!("--for {text}: write a time such as 1h or 30m"))?;
                    engine.clock().now().checked_add(length).context("--for: that is too long")?
                }
                None => UNTIL_RESUMED,
            };
            engine.pause(&address, Some(until)).await?;
            done(json, "paused", &address, "Paused. What is sent meanwhile is caught up on resume.")?;
        }
        AccountCommand::Resume { address } => {
            engine.pause(&address, None).await?;
            done(json, "resumed", &address, "Resumed.")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn done(json: bool, what: &str, address: &Address, words: &str) -> anyhow::Result<()> {
    if json {
        return output::json(&json!({ "done": what, "address": address }));
    }
    output::say(&format!("{address}: {words}"));
    Ok(())
}

async fn add(engine: &Engine, args: AccountAdd, json: bool) -> anyhow::Result<()> {
    let encryption = match args.security {
        SecurityArg::Tls => Encryption::Tls,
        SecurityArg::Starttls => Encryption::Starttls,
    };
    let host = args.host.unwrap_or_else(|| format!("imap.{}", args.address.domain()));
    let mut settings = AccountSettings::new(args.address, host, encryption);
    if let Some(port) = args.port {
        settings.port = port;
    }
    if let Some(user) = args.user {
        settings.user = user;
    }
    if let Some(path) = args.ca {
        let pem = std::fs::read_to_string(&path)
            .with_context(|| format!("--ca {}: the certificate cannot be read", path.display()))?;
        settings.authority = Some(pem);
    }
    settings.fingerprint = args.fingerprint;
    let rules = &mut settings.rules;
    rules.own.extend(args.own);
    rules.mode = match args.mode {
        ModeArg::KnownContacts => LogMode::KnownContacts,
        ModeArg::EveryoneOutside => LogMode::EveryoneOutside,
        ModeArg::OnlyWhenISay => LogMode::OnlyWhenISay,
    };
    if args.create_contacts {
        rules.create_contacts = CreateContacts::WhenIWrite;
    }
    for never in args.never {
        if never.contains('@') {
            rules.never_addresses.push(Address::parse(&never).with_context(|| format!("--never {never}"))?);
        } else {
            let domain = normal_domain(&never);
            rules
                .never_domains
                .push(domain.with_context(|| format!("--never {never}: give an address or a domain"))?);
        }
    }
    let password = prompt::secret(&format!("Password of {} at {}", settings.user, settings.host))?;
    if !args.no_check
        && let Some(warning) = engine.try_account(&settings, password.clone()).await?
    {
        output::note(&format!(
            "Warning: {warning} INBOX is watched, and a Sent folder as soon as there is one."
        ));
    }
    let address = settings.address.clone();
    engine.add_account(settings, password).await?;
    done(json, "added", &address, "Added. The password is in the keychain. Start with `threadline run`.")?;
    if let [CrmSettings::Folder { dir }] = engine.crms().await?.as_slice()
        && !json
    {
        output::say(&format!(
            "Logged mail goes to {}, which only you can read, until you set a CRM with `threadline crm set`.",
            dir.display()
        ));
    }
    Ok(())
}

async fn list(engine: &Engine, json: bool) -> anyhow::Result<()> {
    let accounts = engine.accounts().await?;
    if json {
        for account in accounts {
            let s = account.settings;
            output::json(&json!({
                "address": s.address, "user": s.user, "host": s.host, "port": s.port,
                "encryption": s.encryption, "rules": s.rules, "paused_until": account.paused_until,
            }))?;
        }
        return Ok(());
    }
    if accounts.is_empty() {
        output::say("No mailbox yet. Add one with `threadline account add ADDRESS --host SERVER`.");
        return Ok(());
    }
    let now = engine.clock().now();
    let rows: Vec<Vec<String>> = accounts
        .into_iter()
        .map(|a| {
            let paused = match a.paused_until.filter(|until| *until > now) {
                Some(until) if until_resumed(until) => "until resumed".to_owned(),
                Some(until) => format!("until {}", output::when(until)),
                None => String::new(),
            };
            let s = a.settings;
            vec![s.address.to_string(), format!("{}:{}", s.host, s.port), s.user, paused]
        })
        .collect();
    output::table(&["ADDRESS", "SERVER", "USER", "PAUSED"], &rows);
    Ok(())
}
