//! `threadline account`

use crate::args::{AccountAdd, AccountCommand, AccountSet, AccountSignIn, ModeArg, SecurityArg, SmtpArgs};
use crate::{browser, discover, output, pop3, prompt};
use anyhow::{Context, bail};
use jiff::SignedDuration;
use serde_json::json;
use std::process::ExitCode;
use threadline_core::address::{Address, normal_domain};
use threadline_core::arrival::Role;
use threadline_core::reason::Reason;
use threadline_core::rule::{CreateContacts, LogMode, Rules};
use threadline_engine::discover::{Internet, pop3_found, pop3_sign};
use threadline_engine::engine::{UNTIL_RESUMED, until_resumed};
use threadline_engine::reconnect::OtherMailbox;
use threadline_engine::settings::{AccountSettings, Auth, CrmSettings, Encryption, Endpoint, OauthProvider};
use threadline_engine::{Engine, EngineError};

pub async fn run(engine: &Engine, command: AccountCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        AccountCommand::Add(args) => add(engine, args, json).await?,
        AccountCommand::List => list(engine, json).await?,
        AccountCommand::Remove { address, yes } => {
            if !yes && !prompt::confirm(&farewell(engine, &address).await?)? {
                bail!("{address}: not removed. With --yes nothing is asked.");
            }
            engine.remove_account(&address).await?;
            done(json, "removed", &address, "Removed. Its mail and what the CRM has stay as they are.")?;
        }
        AccountCommand::SignIn(args) => sign_in_again(engine, args, json).await?,
        AccountCommand::Password { address, no_check } => {
            let settings = engine.account(&address).await?.settings;
            let password = prompt::secret(&format!("Password of {} at {}", settings.user, settings.host))?;
            if !no_check {
                engine.try_account(&settings, Some(password.clone())).await?;
            }
            engine.set_password(&address, password).await?;
            done(json, "password", &address, "The new password is in the keychain.")?;
        }
        AccountCommand::Set(args) => {
            let mut settings = match engine.account(&args.address).await {
                Err(EngineError::BrokenAccount { .. }) if args.host.is_some() => anew(engine, &args).await?,
                found => found?.settings,
            };
            change(&mut settings, &args)?;
            let elsewhere =
                args.host.is_some() || args.port.is_some() || args.user.is_some() || args.security.is_some();
            if elsewhere && !args.no_check {
                let other = if args.other_mailbox { OtherMailbox::Accept } else { OtherMailbox::Refuse };
                engine.reconnect(settings, None, other).await?;
            } else {
                engine.change_account(settings).await?;
            }
            done(json, "set", &args.address, "Changed. It connects anew where Threadline runs.")?;
        }
        AccountCommand::Folders { address, make_log } => folders(engine, &address, make_log, json).await?,
        AccountCommand::Retry { address, forget } => {
            let (what, messages) = match forget {
                true => ("forgotten", engine.forget_set_aside(&address).await?),
                false => ("retry", engine.retry_set_aside(&address).await?),
            };
            if json {
                output::json(&json!({ "done": what, "address": address, "messages": messages }))?;
            } else {
                let messages = output::count(messages as u64, "message", "messages");
                output::say(&match forget {
                    true => format!("{address}: {messages} taken off the list."),
                    false => {
                        format!("{address}: {messages} to be read again, at once where Threadline runs.")
                    }
                });
            }
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
            // Where nothing is paused, it waits for its next attempt no longer.
            engine.reconnect_account(&address).await?;
            done(json, "resumed", &address, "Resumed.")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The question before a mailbox is removed: what is lost with it.
async fn farewell(engine: &Engine, address: &Address) -> anyhow::Result<String> {
    let mailboxes = engine.status().await?.mailboxes;
    let Some(found) = mailboxes.iter().find(|m| m.address == *address) else {
        return Err(EngineError::NoAccount(address.to_string()).into());
    };
    Ok(format!(
        "{address}: {} not in the CRM yet, {} that the CRM refused and {} for you go with it. Remove it?",
        output::count(found.waiting, "message", "messages"),
        output::count(found.refused, "message", "messages"),
        output::count(found.asked, "question", "questions"),
    ))
}

fn done(json: bool, what: &str, address: &Address, words: &str) -> anyhow::Result<()> {
    if json {
        return output::json(&json!({ "done": what, "address": address }));
    }
    output::say(&format!("{address}: {words}"));
    Ok(())
}

async fn add(engine: &Engine, args: AccountAdd, json: bool) -> anyhow::Result<()> {
    let mut settings = match args.host {
        Some(host) => {
            let encryption = args.security.map_or(Encryption::Tls, encryption);
            let mut settings = AccountSettings::new(args.address, host, encryption);
            settings.port = args.port.unwrap_or(settings.port);
            settings
        }
        None => {
            let found = discover::choose(engine, &args.address, json).await?;
            let mut settings = AccountSettings::new(args.address, found.imap.host, found.imap.encryption);
            settings.port = found.imap.port;
            settings.user = found.user;
            settings.smtp = found.smtp;
            settings
        }
    };
    if pop3_sign(&settings.host, settings.port).is_some() {
        return Err(pop3_instead(&settings, json).await?);
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
    set_smtp(&mut settings, &args.smtp)?;
    settings.rules = engine.rules_for(&settings.address).await?;
    let rules = &mut settings.rules;
    rules.own.extend(args.own);
    rules.mode = args.mode.map_or(rules.mode, mode);
    if args.create_contacts {
        rules.create_contacts = CreateContacts::WhenIWrite;
    }
    never(rules, &args.never)?;
    let password = match args.oauth.map(OauthProvider::from) {
        Some(provider) => {
            settings.auth = Auth::Oauth { provider };
            browser::sign_in(engine, &settings.address, provider, args.no_browser, json).await?;
            None
        }
        None => Some(prompt::secret(&format!("Password of {} at {}", settings.user, settings.host))?),
    };
    if !args.no_check {
        match engine.try_account(&settings, password.clone()).await {
            Ok(None) => {}
            Ok(Some(warning)) => output::note(&format!(
                "Warning: {warning} INBOX is watched, and a Sent folder as soon as there is one."
            )),
            Err(EngineError::Mail(error)) if error.reason == Reason::Pop3Configured => {
                return Err(pop3_instead(&settings, json).await?);
            }
            Err(error) => return Err(error.into()),
        }
    }
    let address = settings.address.clone();
    engine.add_account(settings, password).await?;
    let kept = if args.oauth.is_some() { "sign-in" } else { "password" };
    let words = format!("Added. The {kept} is in the keychain. Start with `threadline run`.");
    done(json, "added", &address, &words)?;
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

/// Signs in with the browser and connects anew.
async fn sign_in_again(engine: &Engine, args: AccountSignIn, json: bool) -> anyhow::Result<()> {
    let mut settings = engine.account(&args.address).await?.settings;
    if let Some(provider) = args.oauth {
        settings.auth = Auth::Oauth { provider: provider.into() };
    }
    let Auth::Oauth { provider } = settings.auth else {
        bail!(
            "{}: this mailbox has a password. Name where to sign in with --oauth google, microsoft or other",
            args.address
        );
    };
    browser::sign_in(engine, &args.address, provider, args.no_browser, json).await?;
    let other = if args.other_mailbox { OtherMailbox::Accept } else { OtherMailbox::Refuse };
    engine.reconnect(settings, None, other).await?;
    done(json, "signed_in", &args.address, "Signed in. It connects anew where Threadline runs.")
}

/// Looks for IMAP beside the POP3 server that was named, and gives the error that tells of both.
async fn pop3_instead(settings: &AccountSettings, json: bool) -> anyhow::Result<anyhow::Error> {
    let found = pop3_found(&settings.host, settings.port, &Internet::new()).await;
    pop3::refused(&settings.address, found, json)
}

/// What is not named stays as it is.
fn set_smtp(settings: &mut AccountSettings, args: &SmtpArgs) -> anyhow::Result<()> {
    let SmtpArgs { smtp_host, smtp_port, smtp_encryption, smtp_fingerprint } = args;
    if let Some(hex) = smtp_fingerprint {
        settings.smtp_fingerprint = pin(hex);
    }
    if smtp_host.is_none() && smtp_port.is_none() && smtp_encryption.is_none() {
        return Ok(());
    }
    let old = settings.smtp.take();
    let host = smtp_host.clone().or_else(|| old.as_ref().map(|o| o.host.clone()));
    let host = host.context("--smtp-host is missing: name the SMTP server")?;
    let new = smtp_encryption.map(encryption);
    let encryption = new.or_else(|| old.as_ref().map(|o| o.encryption)).unwrap_or(Encryption::Tls);
    // Another encryption has another usual port.
    let old_port = old.map(|o| o.port).filter(|_| new.is_none());
    let port = smtp_port.or(old_port).unwrap_or_else(|| encryption.smtp_port());
    settings.smtp = Some(Endpoint { host, port, encryption });
    Ok(())
}

/// A fingerprint as it was typed; `none` is none.
fn pin(hex: &str) -> Option<String> {
    (hex != "none").then(|| hex.to_owned())
}

/// Settings to begin anew with, since what is stored cannot be read.
async fn anew(engine: &Engine, args: &AccountSet) -> anyhow::Result<AccountSettings> {
    let host = args.host.clone().unwrap_or_default();
    let mut settings = AccountSettings::new(args.address.clone(), host, Encryption::Tls);
    let unusable = engine.unusable_accounts().await?.into_iter().find(|u| u.address == args.address);
    match unusable.and_then(|u| u.rules) {
        Some(rules) => settings.rules = rules,
        None => output::note(
            "Warning: the rules could not be read either and begin anew. Name with --never again whom mail is never logged of.",
        ),
    }
    Ok(settings)
}

fn encryption(arg: SecurityArg) -> Encryption {
    match arg {
        SecurityArg::Tls => Encryption::Tls,
        SecurityArg::Starttls => Encryption::Starttls,
    }
}

pub fn mode(arg: ModeArg) -> LogMode {
    match arg {
        ModeArg::KnownContacts => LogMode::KnownContacts,
        ModeArg::EveryoneOutside => LogMode::EveryoneOutside,
        ModeArg::OnlyWhenISay => LogMode::OnlyWhenISay,
    }
}

/// Adds addresses and domains to the never-log lists.
fn never(rules: &mut Rules, list: &[String]) -> anyhow::Result<()> {
    for never in list {
        if never.contains('@') {
            rules.never_addresses.push(Address::parse(never).with_context(|| format!("--never {never}"))?);
        } else {
            let domain = normal_domain(never);
            rules
                .never_domains
                .push(domain.with_context(|| format!("--never {never}: give an address or a domain"))?);
        }
    }
    Ok(())
}

fn change(settings: &mut AccountSettings, args: &AccountSet) -> anyhow::Result<()> {
    let rules = settings.rules.clone();
    if let Some(host) = &args.host {
        settings.host.clone_from(host);
    }
    if let Some(security) = args.security {
        settings.encryption = encryption(security);
        settings.port = settings.encryption.imap_port();
    }
    if let Some(port) = args.port {
        settings.port = port;
    }
    if let Some(user) = &args.user {
        settings.user.clone_from(user);
    }
    if let Some(hex) = &args.fingerprint {
        settings.fingerprint = pin(hex);
    }
    set_smtp(settings, &args.smtp)?;
    if let Some(arg) = args.mode {
        settings.rules.mode = mode(arg);
    }
    if let Some(create) = args.create_contacts {
        settings.rules.create_contacts =
            if create { CreateContacts::WhenIWrite } else { CreateContacts::Never };
    }
    never(&mut settings.rules, &args.never)?;
    if settings.rules != rules {
        settings.rules.version += 1;
    }
    Ok(())
}

async fn list(engine: &Engine, json: bool) -> anyhow::Result<()> {
    let accounts = engine.accounts().await?;
    let unusable = engine.unusable_accounts().await?;
    if json {
        for account in &unusable {
            output::json(&json!({ "address": account.address, "problem": account.error.to_string() }))?;
        }
        for account in accounts {
            let s = account.settings;
            output::json(&json!({
                "address": s.address, "user": s.user, "host": s.host, "port": s.port,
                "encryption": s.encryption, "auth": s.auth, "smtp": s.smtp, "rules": s.rules, "paused_until": account.paused_until,
            }))?;
        }
        return Ok(());
    }
    unusable.iter().for_each(|account| output::note(&account.error.to_string()));
    if accounts.is_empty() && unusable.is_empty() {
        output::say("No mailbox yet. Add one with `threadline account add ADDRESS`.");
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
            vec![s.address.to_string(), format!("{}:{}", s.host, s.port), s.user.clone(), paused]
        })
        .collect();
    output::table(&["ADDRESS", "SERVER", "USER", "PAUSED"], &rows);
    Ok(())
}

async fn folders(engine: &Engine, address: &Address, make_log: bool, json: bool) -> anyhow::Result<()> {
    if make_log {
        let name = engine.make_log_folder(address).await?;
        if json {
            return output::json(&json!({ "done": "made", "address": address, "folder": name }));
        }
        output::say(&format!("{name} is there. What is put into it is logged, from any mail program."));
        return Ok(());
    }
    let folders = engine.folder_uses(address).await?;
    if json {
        return folders.iter().try_for_each(output::json);
    }
    let rows: Vec<Vec<String>> = folders
        .iter()
        .map(|folder| {
            let watched = match (folder.logs, folder.role) {
                (true, _) => "what is put there is logged",
                (false, Some(Role::Sent)) => "sent mail",
                (false, Some(_)) => "watched",
                (false, None) => "",
            };
            vec![output::printable(&folder.name, 60), watched.to_owned()]
        })
        .collect();
    output::table(&["FOLDER", "WATCHED"], &rows);
    if !folders.iter().any(|folder| folder.logs) {
        output::say(
            "There is no folder Threadline/Log. Make it with --make-log: what is put into it is logged.",
        );
    }
    Ok(())
}
