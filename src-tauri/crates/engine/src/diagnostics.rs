//! The diagnostics that a person can send to somebody: what is in them is previewed, and holds nothing private.

use crate::disconnects::History;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::redact::{Private, Redactor};
use crate::settings::{AccountSettings, Auth, CrmSettings, secret_names};
use crate::views::{Decided, Status};
use crate::{apps, proxy, relay};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use threadline_core::health::Health;
use threadline_core::message::Body;
use threadline_store::{Tx, account, body};

/// Of how many decisions and contacts the names, addresses and subjects are taken out.
const NEWEST: usize = 5_000;
/// Of how many mails the texts are taken out.
const NEWEST_TEXTS: usize = 500;
/// How much of each, in characters.
const MOST_TEXT: usize = 64 * 1024;
/// How far the history of disconnects goes back, in days.
const DAYS: u32 = 30;
/// What stands where a part could not be read.
const UNREAD: &str = "It could not be read.\n";

/// One part of the diagnostics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct BundleFile {
    pub name: String,
    pub text: String,
}

/// What the ledger gives to them.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The settings, without secrets.
    pub settings: String,
    pub status: Option<Status>,
    pub history: Option<History>,
    /// What must not be shown.
    pub private: Private,
}

/// All parts, redacted. `about` is what a program says of itself, `log` what it wrote down. Without a ledger its parts are
/// missing: the servers' own words are shown only where it is known what is private in them.
pub fn make(about: &str, log: &str, known: Option<&Known>) -> Vec<BundleFile> {
    let home = std::env::home_dir().and_then(|home| home.to_str().map(str::to_owned));
    let private = Private { home, ..known.map(|known| known.private.clone()).unwrap_or_default() };
    let redactor = Redactor::new(&private);
    let system = format!(
        "Threadline {}\nsystem: {} {}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    let status = known.and_then(|known| known.status.as_ref());
    let history = known.and_then(|known| known.history.as_ref());
    let parts = [
        ("about.txt", system + about),
        ("settings.txt", known.map_or_else(|| UNREAD.to_owned(), |known| known.settings.clone())),
        ("state.txt", status.map_or_else(|| UNREAD.to_owned(), state)),
        ("health.txt", history.map_or_else(|| UNREAD.to_owned(), disconnects)),
        ("log.txt", log.to_owned()),
    ];
    parts.map(|(name, text)| BundleFile { name: name.to_owned(), text: redactor.redact(&text) }).into()
}

/// The parts as one text, for the clipboard and for a file.
pub fn as_text(files: &[BundleFile]) -> String {
    files.iter().fold(String::new(), |mut text, file| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "==== {}\n{}", file.name, file.text);
        text
    })
}

/// Writes them to a file that only the person can read. It is there whole or not at all; one that was there before is
/// replaced.
pub fn save(path: &Path, files: &[BundleFile]) -> Result<(), EngineError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let beside = path.with_file_name(name);
    let written = write(&beside, as_text(files).as_bytes()).and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|source| {
        // What was begun goes; where it cannot, the folder is gone too.
        let _ = std::fs::remove_file(&beside);
        EngineError::NotWritten { path: path.to_owned(), source }
    })
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

impl Engine {
    /// What the ledger gives to the diagnostics, and what in them is private.
    pub async fn for_diagnostics(&self) -> Result<Known, EngineError> {
        let status = self.status().await?;
        let mailboxes = status.mailboxes.iter().map(|m| m.address.to_string()).collect();
        let private = Private {
            mailboxes,
            words: self.private_words().await?,
            texts: self.private_texts().await?,
            home: None,
        };
        let history = Some(self.health_history(DAYS).await?);
        Ok(Known { settings: self.settings_without_secrets().await?, status: Some(status), history, private })
    }

    /// Names, addresses, subjects and secrets.
    async fn private_words(&self) -> Result<Vec<String>, EngineError> {
        let decided = self.log(NEWEST).await?;
        let contacts = self.contacts(NEWEST).await?;
        let mut words: Vec<String> = decided.into_iter().flat_map(words_of).collect();
        words.extend(contacts.iter().flat_map(|c| &c.addresses).map(ToString::to_string));
        words.extend(contacts.into_iter().filter_map(|c| c.name));
        let rows = self.ledger().read(account::list).await?;
        let mut names: Vec<String> = rows.iter().flat_map(|row| secret_names(&row.address)).collect();
        names.extend(relay::secret_names(rows.iter().map(|row| &row.address)));
        names.extend(apps::secret_names());
        names.push(proxy::SECRET.to_owned());
        names.extend(CrmSettings::SECRETS.iter().map(|name| (*name).to_owned()));
        names.extend(self.home().key_names()?);
        for name in names {
            // A keychain that does not answer has told nobody its secrets.
            if let Ok(Some(secret)) = self.shared().secret(&name).await {
                words.push(secret.to_string());
            }
        }
        words.sort();
        words.dedup();
        Ok(words)
    }

    /// The texts of the newest mails that are kept, and subjects, of which a server may repeat a part.
    async fn private_texts(&self) -> Result<Vec<String>, EngineError> {
        let decided = self.log(NEWEST).await?;
        let mut texts: Vec<String> = decided.into_iter().filter_map(|one| one.subject).collect();
        let newest = |tx: &Tx<'_>| body::newest(tx, NEWEST_TEXTS);
        for message in self.ledger().read(newest).await? {
            let Some(raw) = self.raw(message).await? else { continue };
            let read =
                tokio::task::spawn_blocking(move || Body::parse(&raw).text.chars().take(MOST_TEXT).collect())
                    .await;
            texts.extend(read.ok());
        }
        Ok(texts)
    }

    async fn settings_without_secrets(&self) -> Result<String, EngineError> {
        let mut text = String::new();
        for account in self.accounts().await? {
            mailbox(&mut text, account.id, &account.settings);
        }
        for broken in self.unusable_accounts().await? {
            let _ = writeln!(text, "{}: cannot be read", broken.address);
        }
        for crm in self.crms().await? {
            let _ = writeln!(text, "crm: {}", serde_json::to_string(&crm.shown()).unwrap_or_default());
        }
        for app in self.oauth_apps().await? {
            let from = if app.built_in { "built in" } else { "set" };
            let _ = writeln!(text, "sign-in with {}: {from}, at {}", app.provider.name(), app.authorize);
        }
        let _ = writeln!(text, "proxy: {}", self.proxy().await?);
        let _ = writeln!(
            text,
            "relay: {}",
            serde_json::to_string(&self.relay_settings().await?).unwrap_or_default()
        );
        let _ = writeln!(text, "list of providers: {}", self.ispdb().await?.as_deref().unwrap_or("none"));
        Ok(text)
    }
}

fn words_of(decided: Decided) -> impl Iterator<Item = String> {
    let people: Vec<String> = decided
        .from
        .into_iter()
        .chain(decided.to)
        .flat_map(|person| person.name.into_iter().chain([person.address.to_string()]))
        .collect();
    people.into_iter().chain(decided.subject)
}

/// `id` is the number by which the log names it.
fn mailbox(text: &mut String, id: i64, settings: &AccountSettings) {
    let encryption = |encryption| serde_json::to_string(&encryption).unwrap_or_default();
    let of_address = if settings.user == settings.address.as_str() { "the address" } else { "another name" };
    let auth = match settings.auth {
        Auth::Password => "password",
        Auth::Oauth { provider } => provider.name(),
    };
    let _ = write!(
        text,
        "{}: imap {}:{} {}, user is {of_address}",
        settings.address,
        settings.host,
        settings.port,
        encryption(settings.encryption),
    );
    if let Some(smtp) = &settings.smtp {
        let _ = write!(text, ", smtp {}:{} {}", smtp.host, smtp.port, encryption(smtp.encryption));
    }
    for (set, what) in [
        (settings.authority.is_some(), "own authority"),
        (settings.fingerprint.is_some(), "pinned certificate"),
        (settings.smtp_fingerprint.is_some(), "pinned certificate for smtp"),
    ] {
        if set {
            let _ = write!(text, ", {what}");
        }
    }
    let _ = write!(text, ", mailbox={id} in the log, sign-in by {auth}");
    let rules = &settings.rules;
    let _ = writeln!(
        text,
        "\n  rules {}: logs {}, own {}, colleagues {}, never addresses {}, domains {}, folders {}",
        rules.version,
        serde_json::to_string(&rules.mode).unwrap_or_default(),
        rules.own.len(),
        rules.colleagues.len(),
        rules.never_addresses.len(),
        rules.never_domains.len(),
        rules.never_folders.len(),
    );
}

fn state(status: &Status) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "running: {}", status.running.as_deref().unwrap_or("no"));
    for mailbox in &status.mailboxes {
        let _ = writeln!(
            text,
            "{}: {}, logged {}, asked {}, held {}, ignored {}, waiting {}, set aside {}",
            mailbox.address,
            mailbox.state.name(),
            mailbox.logged,
            mailbox.asked,
            mailbox.held,
            mailbox.ignored,
            mailbox.waiting,
            mailbox.set_aside.len(),
        );
        mailbox.channels.iter().for_each(|health| channel(&mut text, health));
    }
    for crm in &status.crms {
        let _ = writeln!(
            text,
            "{}: {}, waiting {}, set aside {}, done {}, contacts {}",
            crm.settings.kind(),
            crm.state.name(),
            crm.waiting,
            crm.set_aside,
            crm.done,
            crm.contacts,
        );
        crm.health.iter().for_each(|health| channel(&mut text, health));
    }
    text
}

fn channel(text: &mut String, health: &Health) {
    let _ = writeln!(
        text,
        "  {} {} since {} phase {} reason {} next try {} words {}",
        health.channel.name(),
        health.state.name(),
        health.since,
        health.phase.map_or("none", |phase| phase.name()),
        health.reason.map_or("none", |reason| reason.code()),
        health.next_try.map_or("none".to_owned(), |at| at.to_string()),
        health.evidence.as_deref().unwrap_or("none"),
    );
}

fn disconnects(history: &History) -> String {
    let mut text = String::new();
    for one in &history.disconnects {
        let outage = &one.outage;
        let _ = writeln!(
            text,
            "{} {} from {} until {} phase {} reason {} delayed {} words {}",
            outage.of,
            outage.channel.name(),
            outage.since,
            outage.until.map_or("now".to_owned(), |until| until.to_string()),
            one.phase.map_or("none", |phase| phase.name()),
            outage.reason.map_or("none", |reason| reason.code()),
            one.delayed.map_or("unknown".to_owned(), |count| count.to_string()),
            outage.evidence.as_deref().unwrap_or("none"),
        );
    }
    for day in history.days.iter().filter(|day| day.connected < day.seconds) {
        let _ = writeln!(text, "{} {} connected {} of {} s", day.day, day.of, day.connected, day.seconds);
    }
    text
}

#[cfg(test)]
mod tests;
