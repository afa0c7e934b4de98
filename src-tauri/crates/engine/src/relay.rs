//! The local relay: off until the person turns it on. What is said on it is the relay crate's; who may sign in, and the way
//! to the providers, come from here.
//!
//! A mail that goes through it is logged as any other: when its copy comes up in a Sent folder. The relay keeps what the
//! person said of it, by a keyed hash of its id, before the mail can be sent. Where neither the provider nor the mail
//! program files a copy nothing is logged, and `threadline relay status` counts it.

mod run;
mod test;
mod upstream;

pub use test::{TestStep, TestStepName};

use crate::engine::{Account, Engine};
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use crate::shared::Shared;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::io;
use std::time::Duration;
use threadline_core::address::Address;
use threadline_relay::guide::{Client, Values};
use threadline_relay::identity::{Identity, IdentityError};
use threadline_relay::server::{STARTTLS_PORT, TLS_PORT, listen};
use threadline_relay::{password, server};
use threadline_store::{Tx, relayed, setting};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

pub(crate) use run::run;

/// The setting that holds [`RelaySettings`].
const RELAY: &str = "relay";
/// The setting that holds [`RelayState`].
const STATE: &str = "relay_state";
/// What certificate and key are called in the keychain, before the data folder's own mark.
const IDENTITY: &str = "relay-identity";

/// How many ports are tried behind one that is taken.
const TRIES: u16 = 50;
/// How far back the mails are counted.
const COUNTED: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a copy of a mail may take to come up.
const SETTLED: SignedDuration = SignedDuration::from_mins(15);
/// How long the relay may take to greet.
const GREETS: Duration = Duration::from_secs(2);

/// The relay as it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct RelaySettings {
    pub on: bool,
    /// With TLS from the first byte.
    pub tls_port: u16,
    /// With STARTTLS.
    pub starttls_port: u16,
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self { on: false, tls_port: TLS_PORT, starttls_port: STARTTLS_PORT }
    }
}

/// How it went when it was to listen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RelayState {
    Listening {
        since: Timestamp,
    },
    /// It tries again by itself.
    Failed {
        since: Timestamp,
        /// Of the error; empty where an earlier version wrote it.
        #[serde(default)]
        code: String,
        /// The port that it cannot have.
        #[serde(default)]
        port: Option<u16>,
        /// For a person, with the next step, in English.
        words: String,
    },
}

/// The relay as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct RelayStatus {
    pub settings: RelaySettings,
    /// `None` where it was never started.
    pub state: Option<RelayState>,
    /// Whether it answers at its ports now.
    pub answers: bool,
    /// SHA-256 of its certificate; `None` before the first start.
    pub fingerprint: Option<String>,
    /// The certificate's last day.
    pub certificate_ends: Option<String>,
    pub mailboxes: Vec<RelayMailbox>,
}

/// What went through it from one mailbox in the last 30 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct RelayMailbox {
    /// Also the name to sign in with.
    pub address: Address,
    /// False where the mailbox has no server for sending.
    pub can_send: bool,
    pub has_password: bool,
    pub accepted: u32,
    /// The provider's connection broke before its answer.
    pub unknown: u32,
    /// Accepted, and after 15 minutes in no watched folder: without a copy nothing is logged.
    pub unseen: u32,
}

/// What the relay's password of a mailbox is called in the keychain, before the data folder's own mark.
pub(crate) fn secret_name(address: &Address) -> String {
    format!("relay:{address}")
}

/// The names of all secrets of the relay, for the mailboxes with these addresses.
pub(crate) fn secret_names<'a>(addresses: impl Iterator<Item = &'a Address>) -> Vec<String> {
    addresses.map(secret_name).chain([IDENTITY.to_owned()]).collect()
}

/// What runs: it is started anew where this changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RelayPlan {
    settings: RelaySettings,
    /// Those that can send.
    mailboxes: Vec<(i64, Address)>,
}

impl RelayPlan {
    /// `None` where it is off.
    pub async fn read(engine: &Engine, accounts: &[Account]) -> Result<Option<Self>, EngineError> {
        let settings = engine.relay_settings().await?;
        let sending = accounts.iter().filter(|account| account.settings.smtp.is_some());
        let mailboxes = sending.map(|account| (account.id, account.settings.address.clone())).collect();
        Ok(settings.on.then_some(Self { settings, mailboxes }))
    }
}

impl Engine {
    pub async fn relay_settings(&self) -> Result<RelaySettings, EngineError> {
        Ok(self.ledger().read(|tx| setting::get(tx, RELAY)).await?.unwrap_or_default())
    }

    /// Turns it on. Where a port is taken by another program the next free one is chosen: look at what it gives.
    pub async fn turn_relay_on(
        &self,
        tls_port: Option<u16>,
        starttls_port: Option<u16>,
    ) -> Result<RelaySettings, EngineError> {
        let before = self.relay_settings().await?;
        let tls = tls_port.unwrap_or(before.tls_port);
        let starttls = starttls_port.unwrap_or(before.starttls_port);
        // Its own ports are taken by itself.
        let own = |port| before.on && (port == before.tls_port || port == before.starttls_port);
        let tls_port = if own(tls) { tls } else { free_port(tls, None).await? };
        let starttls_port = match own(starttls) && starttls != tls_port {
            true => starttls,
            false => free_port(starttls, Some(tls_port)).await?,
        };
        let settings = RelaySettings { on: true, tls_port, starttls_port };
        // So that the first mail program that asks is shown one.
        identity(self.shared()).await?;
        self.set_relay(settings).await?;
        Ok(settings)
    }

    /// Turns it off. The passwords and the certificate stay.
    pub async fn turn_relay_off(&self) -> Result<(), EngineError> {
        let settings = RelaySettings { on: false, ..self.relay_settings().await? };
        self.set_relay(settings).await
    }

    async fn set_relay(&self, settings: RelaySettings) -> Result<(), EngineError> {
        let write = move |tx: &Tx<'_>| {
            setting::set(tx, RELAY, &settings)?;
            setting::remove(tx, STATE)?;
            count_up(tx, Part::News)
        };
        Ok(self.ledger().write(write).await?)
    }

    /// The password that a mail program signs in to the relay with. It is made where there is none, and anew where
    /// `new` says so; then the old one counts no more.
    pub async fn relay_password(
        &self,
        address: &Address,
        new: bool,
    ) -> Result<Zeroizing<String>, EngineError> {
        let account = self.account(address).await?;
        if account.settings.smtp.is_none() {
            return Err(EngineError::NoSmtp(address.to_string()));
        }
        let name = secret_name(&account.settings.address);
        if let (false, Some(kept)) = (new, self.shared().secret(&name).await?) {
            return Ok(kept);
        }
        let made = password::generate().map_err(|_| EngineError::NoRandomness)?;
        self.shared().set_secret(&name, made.clone()).await?;
        self.ledger().write(|tx| count_up(tx, Part::Relay)).await?;
        Ok(made)
    }

    /// The certificate that mail programs are shown. It is made where there is none or the old one's time is over, and anew
    /// where `new` says so; then mail programs ask about it again.
    pub async fn relay_certificate(&self, new: bool) -> Result<Identity, EngineError> {
        if new {
            self.shared().delete_secret(IDENTITY).await?;
            let made = identity(self.shared()).await?;
            self.ledger().write(|tx| count_up(tx, Part::Relay)).await?;
            return Ok(made);
        }
        identity(self.shared()).await
    }

    /// How to set a mail program up for a mailbox.
    pub async fn relay_guide(&self, client: Client, address: &Address) -> Result<String, EngineError> {
        let address = self.account(address).await?.settings.draft.address;
        let settings = self.relay_settings().await?;
        Ok(client.page(&Values {
            user: address.to_string(),
            tls_port: settings.tls_port,
            starttls_port: settings.starttls_port,
            fingerprint: self.relay_certificate(false).await?.fingerprint(),
        }))
    }

    pub async fn relay_status(&self) -> Result<RelayStatus, EngineError> {
        let settings = self.relay_settings().await?;
        let identity = self.shared().secret(IDENTITY).await?;
        let identity = identity.and_then(|text| Identity::from_text(&text).ok());
        let now = self.clock().now();
        let ago = |time| now.checked_sub(time).unwrap_or(Timestamp::MIN);
        let (since, settled) = (ago(COUNTED), ago(SETTLED));
        let mut mailboxes = Vec::new();
        for account in self.accounts().await? {
            let id = account.id;
            let counts = self.ledger().read(move |tx| relayed::counts(tx, id, since, settled)).await?;
            let address = account.settings.draft.address;
            let has_password = self.shared().secret(&secret_name(&address)).await?.is_some();
            mailboxes.push(RelayMailbox {
                can_send: account.settings.draft.smtp.is_some(),
                address,
                has_password,
                accepted: counts.accepted,
                unknown: counts.unknown,
                unseen: counts.unseen,
            });
        }
        Ok(RelayStatus {
            settings,
            state: self.ledger().read(|tx| setting::get(tx, STATE)).await?,
            answers: settings.on && greets(settings.starttls_port).await,
            fingerprint: identity.as_ref().map(Identity::fingerprint),
            certificate_ends: identity.map(|identity| identity.ends().to_string()),
            mailboxes,
        })
    }
}

/// The certificate in the keychain; a new one where there is none, or its time is over.
async fn identity(shared: &Shared) -> Result<Identity, EngineError> {
    let now = shared.clock.now();
    if let Some(text) = shared.secret(IDENTITY).await? {
        let kept = Identity::from_text(&text)?;
        if !kept.is_over(now) {
            return Ok(kept);
        }
    }
    let made = Identity::make(now)?;
    shared.set_secret(IDENTITY, made.to_text()).await?;
    Ok(made)
}

/// This port, or the next one that no program has.
async fn free_port(wanted: u16, taken: Option<u16>) -> Result<u16, EngineError> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for port in (wanted..=wanted.saturating_add(TRIES)).filter(|port| Some(*port) != taken) {
        match listen(port).await {
            Ok(_) => return Ok(port),
            // Low ports are the system's own.
            Err(error) => last = error,
        }
    }
    Err(EngineError::RelayPort { port: wanted, source: last })
}

/// Whether the relay, and no other program, answers at the port.
async fn greets(port: u16) -> bool {
    let greeting = async {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await.ok()?;
        Some(line.contains("Threadline relay"))
    };
    tokio::time::timeout(GREETS, greeting).await.ok().flatten().unwrap_or(false)
}

impl From<IdentityError> for EngineError {
    fn from(error: IdentityError) -> Self {
        EngineError::RelayIdentity(error)
    }
}

/// A login of the relay; `None` where the mailbox has no password for it yet.
async fn login(shared: &Shared, id: i64, address: &Address) -> Result<Option<server::Login>, EngineError> {
    let kept = shared.secret(&secret_name(address)).await?;
    Ok(kept.map(|kept| server::Login {
        user: address.to_string(),
        password: password::Kept::new(&kept),
        mailbox: id,
        domain: address.domain().to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Home;
    use crate::settings::{AccountSettings, Encryption, Endpoint};
    use std::sync::Arc;
    use threadline_secrets::Memory;
    use threadline_testkit::clock::HandClock;

    async fn engine() -> (tempfile::TempDir, Engine, Address, Arc<Memory>) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(&dir.path().join("data")).unwrap();
        let secrets = Arc::new(Memory::new());
        let clock = Arc::new(HandClock::at("2026-11-25T00:00:00Z".parse().unwrap()));
        let (engine, _) = Engine::open(home, secrets.clone(), clock, None).unwrap();
        let ann = Address::parse("ann@firm.example").unwrap();
        let mut settings = AccountSettings::new(ann.clone(), "mail.firm.example".into(), Encryption::Tls);
        settings.smtp =
            Some(Endpoint { host: "mail.firm.example".into(), port: 465, encryption: Encryption::Tls });
        engine.add_account(settings, Some(Zeroizing::new("secret".into()))).await.unwrap();
        (dir, engine, ann, secrets)
    }

    #[tokio::test]
    async fn it_is_off_until_it_is_turned_on_and_takes_free_ports() {
        let (_dir, engine, ..) = engine().await;
        assert_eq!(engine.relay_settings().await.unwrap(), RelaySettings::default());
        assert!(!RelaySettings::default().on);
        let taken = listen(0).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let settings = engine.turn_relay_on(Some(port), Some(port)).await.unwrap();
        assert!(settings.on && settings.tls_port > port && settings.starttls_port > settings.tls_port);
        // On already, its ports stay its own whoever holds them.
        let _held = listen(settings.tls_port).await.unwrap();
        assert_eq!(engine.turn_relay_on(None, None).await.unwrap(), settings);
        engine.turn_relay_off().await.unwrap();
        assert_eq!(engine.relay_settings().await.unwrap(), RelaySettings { on: false, ..settings });
    }

    #[tokio::test]
    async fn a_password_is_made_once_and_is_not_the_mailboxs() {
        let (_dir, engine, ann, secrets) = engine().await;
        let first = engine.relay_password(&ann, false).await.unwrap();
        assert_ne!(**first, *"secret");
        assert_eq!(engine.relay_password(&ann, false).await.unwrap(), first);
        assert_ne!(engine.relay_password(&ann, true).await.unwrap(), first);
        let certificate = engine.relay_certificate(false).await.unwrap().fingerprint();
        assert_eq!(engine.relay_certificate(false).await.unwrap().fingerprint(), certificate);
        assert_ne!(engine.relay_certificate(true).await.unwrap().fingerprint(), certificate);
        let status = engine.relay_status().await.unwrap();
        assert!(status.mailboxes[0].has_password && !status.answers && status.fingerprint.is_some());
        for client in Client::ALL {
            let page = engine.relay_guide(*client, &ann).await.unwrap();
            assert!(page.contains(&status.fingerprint.clone().unwrap()));
        }
        // With the mailbox its password goes.
        engine.remove_account(&ann).await.unwrap();
        assert!(!secrets.names().iter().any(|name| name.contains("relay:")), "{:?}", secrets.names());
    }
}
