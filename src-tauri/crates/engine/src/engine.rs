//! The engine: what it is told to do, and the tasks that do it.

use crate::contacts::{self, Imported, LOCAL, PullError};
use crate::error::EngineError;
use crate::event::Event;
use crate::home::Home;
use crate::mailbox::{Broken, Mailbox};
use crate::queue::LedgerQueue;
use crate::settings::{AccountSettings, CrmSettings};
use crate::shared::{Outlet, Shared};
use crate::sinks;
use jiff::{SignedDuration, Timestamp};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use threadline_core::address::Address;
use threadline_core::clock::Clock;
use threadline_crm::{Portal, Secret, Sink};
use threadline_mail::connect::Timeouts;
use threadline_mail::error::MailError;
use threadline_mail::session::{Login, Session};
use threadline_secrets::Secrets;
use threadline_store::{Ledger, Tx, account, contact, message, outbox, setting};
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

/// The setting that holds the list of CRMs.
const CRMS: &str = "crms";
/// Counts up with each change of mailboxes and CRMs, so that a running engine sees what another process set.
const GENERATION: &str = "generation";
/// How often a running engine looks for such a change.
const GLANCE: Duration = Duration::from_secs(2);
/// How often it looks for what may be forgotten.
const TIDY: Duration = Duration::from_secs(3600);
/// How long the headers of a mail that was asked about are kept without an answer.
const UNANSWERED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Wires ledger, mailboxes and CRMs together. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

/// What a catch-up did.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct CaughtUp {
    pub mailboxes: Vec<Outcome>,
    pub crms: Vec<Outcome>,
}

/// How it went for one mailbox or CRM.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Outcome {
    pub name: String,
    /// `None` where it went well.
    pub problem: Option<String>,
    /// The reason's code.
    pub reason: Option<String>,
    /// Messages pushed, for a CRM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed: Option<usize>,
}

/// A pause that only a person ends. The ledger keeps microseconds, so compare by [`until_resumed`].
pub const UNTIL_RESUMED: Timestamp = Timestamp::MAX;

/// True for a pause that only a person ends.
pub fn until_resumed(until: Timestamp) -> bool {
    until.as_second() == UNTIL_RESUMED.as_second()
}

impl CaughtUp {
    pub fn is_well(&self) -> bool {
        self.mailboxes.iter().chain(&self.crms).all(|o| o.problem.is_none())
    }
}

/// A mailbox as it is set.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: i64,
    pub settings: AccountSettings,
    pub paused_until: Option<Timestamp>,
}

impl Engine {
    /// Opens the ledger. The second value is the place of an old ledger that was set aside, because its key is no
    /// more in the keychain.
    pub fn open(
        home: Home,
        secrets: Arc<dyn Secrets>,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Option<PathBuf>), EngineError> {
        let (ledger, aside) = home.open_ledger(&*secrets, clock.now())?;
        Ok((Self { shared: Arc::new(Shared::new(home, ledger, secrets, clock)) }, aside))
    }

    pub fn home(&self) -> &Home {
        &self.shared.home
    }

    pub fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    /// Everything that happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.shared.events.subscribe()
    }

    // ---- mailboxes

    /// Tries the sign-in with these settings and finds the folders; nothing is stored. A mailbox without a folder for sent
    /// mail is no error but a warning: the folder may come with the first mail sent.
    pub async fn try_account(
        &self,
        settings: &AccountSettings,
        password: Zeroizing<String>,
    ) -> Result<Option<MailError>, EngineError> {
        let login = Login { user: settings.user.clone(), password };
        let mut session = Session::open(&settings.server()?, &login, &Timeouts::default()).await?;
        let folders = session.folders().await?;
        let found = threadline_mail::folders::watched(&folders, session.capabilities().is_gmail());
        session.logout().await;
        let server = settings.server()?.name();
        Ok(found.sent_unknown().map(|evidence| MailError::new(&server, evidence)))
    }

    /// Adds a mailbox: the password goes to the keychain, the rest to the ledger.
    pub async fn add_account(
        &self,
        settings: AccountSettings,
        password: Zeroizing<String>,
    ) -> Result<(), EngineError> {
        settings.server()?;
        let address = settings.address.clone();
        if self.account(&address).await.is_ok() {
            return Err(EngineError::AccountExists(address.to_string()));
        }
        self.shared.secrets.set(&self.shared.home.secret_name(&settings.secret_name()), &password)?;
        let text = to_json(&settings)?;
        let now = self.shared.clock.now();
        self.shared
            .ledger
            .write(move |tx| {
                account::insert(tx, &address, &text, now)?;
                count_up(tx)
            })
            .await?;
        Ok(())
    }

    /// Removes a mailbox, its password, and what the ledger knows through it.
    pub async fn remove_account(&self, address: &Address) -> Result<(), EngineError> {
        let found = self.account(address).await?;
        self.shared
            .ledger
            .write(move |tx| {
                account::remove(tx, found.id)?;
                count_up(tx)
            })
            .await?;
        self.shared.secrets.delete(&self.shared.home.secret_name(&found.settings.secret_name()))?;
        Ok(())
    }

    /// Stores another password and connects again with it.
    pub async fn set_password(
        &self,
        address: &Address,
        password: Zeroizing<String>,
    ) -> Result<(), EngineError> {
        let found = self.account(address).await?;
        self.shared.secrets.set(&self.shared.home.secret_name(&found.settings.secret_name()), &password)?;
        self.shared
            .ledger
            .write(move |tx| {
                account::set_worked_secret(tx, found.id, false)?;
                count_up(tx)
            })
            .await?;
        Ok(())
    }

    /// Connects every mailbox and CRM again now, whatever each was waiting for.
    pub async fn reconnect(&self) -> Result<(), EngineError> {
        Ok(self.shared.ledger.write(count_up).await?)
    }

    /// Pushes again now what a CRM refused or what waits for it.
    pub async fn retry_pushes(&self, kind: &str) -> Result<usize, EngineError> {
        let (kind, now) = (kind.to_owned(), self.shared.clock.now());
        let entries = self.shared.ledger.write(move |tx| outbox::hurry(tx, &kind, now)).await?;
        self.shared.ring();
        Ok(entries)
    }

    /// Stops the connection until then; `None` takes the pause back.
    pub async fn pause(&self, address: &Address, until: Option<Timestamp>) -> Result<(), EngineError> {
        let found = self.account(address).await?;
        self.shared
            .ledger
            .write(move |tx| {
                account::set_paused(tx, found.id, until)?;
                count_up(tx)
            })
            .await?;
        Ok(())
    }

    pub async fn accounts(&self) -> Result<Vec<Account>, EngineError> {
        let rows = self.shared.ledger.read(account::list).await?;
        rows.into_iter()
            .map(|row| {
                let settings =
                    serde_json::from_str(&row.settings).map_err(|e| EngineError::BrokenSetting {
                        what: format!("mailbox {}", row.address),
                        cause: format!("{:?} error", e.classify()),
                    })?;
                Ok(Account { id: row.id, settings, paused_until: row.paused_until })
            })
            .collect()
    }

    pub async fn account(&self, address: &Address) -> Result<Account, EngineError> {
        let all = self.accounts().await?;
        all.into_iter()
            .find(|a| a.settings.address == *address)
            .ok_or_else(|| EngineError::NoAccount(address.to_string()))
    }

    // ---- CRMs

    /// The CRMs that are set; where none is, the local folder.
    pub async fn crms(&self) -> Result<Vec<CrmSettings>, EngineError> {
        let set: Option<Vec<CrmSettings>> = self.shared.ledger.read(|tx| setting::get(tx, CRMS)).await?;
        Ok(match set {
            Some(crms) if !crms.is_empty() => crms,
            _ => vec![CrmSettings::Folder { dir: self.shared.home.default_export_dir() }],
        })
    }

    /// Connects to a CRM with these settings; nothing is stored here. `None` for the ledger alone.
    pub async fn try_crm(
        &self,
        crm: &CrmSettings,
        secret: Option<Zeroizing<String>>,
    ) -> Result<Option<Portal>, EngineError> {
        let secret = secret.map(|s| Secret::new(s.as_str()));
        match crm.sink(secret, Arc::clone(&self.shared.clock))? {
            Some(sink) => Ok(Some(sink.connect().await?)),
            None => Ok(None),
        }
    }

    /// Sets a CRM, in the place of one of the same kind. The secret goes to the keychain.
    pub async fn set_crm(
        &self,
        crm: CrmSettings,
        secret: Option<Zeroizing<String>>,
    ) -> Result<(), EngineError> {
        // Settings that no sink can be made of are refused here, where the person can mend them.
        crm.sink(secret.as_ref().map(|s| Secret::new(s.as_str())), Arc::clone(&self.shared.clock))?;
        if let (Some(name), Some(secret)) = (crm.secret_name(), secret) {
            self.shared.secrets.set(&self.shared.home.secret_name(name), &secret)?;
        }
        let now = self.shared.clock.now();
        self.shared
            .ledger
            .write(move |tx| {
                let mut crms: Vec<CrmSettings> = setting::get(tx, CRMS)?.unwrap_or_default();
                // The ledger alone excludes every CRM, and every CRM excludes it.
                crms.retain(|c| {
                    c.kind() != crm.kind() && *c != CrmSettings::Ledger && crm != CrmSettings::Ledger
                });
                // Another portal has other contacts, under other ids.
                contact::clear(tx, crm.kind())?;
                outbox::hurry(tx, crm.kind(), now)?;
                crms.push(crm);
                setting::set(tx, CRMS, &crms)?;
                count_up(tx)
            })
            .await?;
        Ok(())
    }

    /// Stops logging to a CRM and forgets its secret and its contacts.
    pub async fn remove_crm(&self, kind: &str) -> Result<(), EngineError> {
        let crms = self.crms().await?;
        let Some(found) = crms.iter().find(|c| c.kind() == kind) else {
            return Err(EngineError::CrmSetting(format!("no CRM of the kind {kind} is set")));
        };
        if let Some(name) = found.secret_name() {
            self.shared.secrets.delete(&self.shared.home.secret_name(name))?;
        }
        let kind = found.kind();
        self.shared
            .ledger
            .write(move |tx| {
                let mut crms: Vec<CrmSettings> = setting::get(tx, CRMS)?.unwrap_or_default();
                crms.retain(|c| c.kind() != kind);
                setting::set(tx, CRMS, &crms)?;
                contact::clear(tx, kind)?;
                count_up(tx)
            })
            .await?;
        Ok(())
    }

    /// Reads the local contact list anew from a CSV file; see [`Imported`].
    pub async fn import_contacts(&self, source: impl Read) -> Result<Imported, EngineError> {
        let (contacts, imported) = contacts::read_csv(source)?;
        let now = self.shared.clock.now();
        self.shared
            .ledger
            .write(move |tx| {
                contact::upsert(tx, LOCAL, &contacts, now)?;
                count_up(tx)
            })
            .await?;
        contacts::decide_again(&self.shared, LOCAL).await?;
        Ok(imported)
    }

    // ---- at work

    /// Watches all mailboxes and pushes to all CRMs until the future is dropped. What another process sets meanwhile
    /// (`threadline account add`, `crm set`, `pause`) is taken up within seconds.
    pub async fn run(&self) -> Result<(), EngineError> {
        loop {
            let generation = self.generation().await?;
            let mut tasks = self.start().await?;
            let changed = self.changed(generation);
            tokio::pin!(changed);
            tokio::select! {
                result = &mut changed => result?,
                Some(ended) = tasks.join_next() => {
                    // A task ends only when the ledger fails or it panicked; all are started again.
                    tracing::error!(panicked = ended.is_err(), "a task of the engine ended");
                    tokio::time::sleep(GLANCE).await;
                }
            }
            tasks.shutdown().await;
        }
    }

    /// Reads what is new in every mailbox, pushes what waits, and returns.
    pub async fn catch_up(&self) -> Result<CaughtUp, EngineError> {
        let (outlets, mailboxes, mut report) = self.prepare().await?;
        for outlet in &outlets {
            if outlet.sink.has_contacts()
                && let Err(error) = contacts::pull(&self.shared, &*outlet.sink).await
            {
                sinks::tell_pull_failed(&self.shared, outlet.sink.name(), &error).await?;
                if let PullError::Store(error) = error {
                    return Err(error.into());
                }
            }
        }
        let reads = mailboxes.iter().map(|mailbox| async {
            let name = mailbox.settings.address.to_string();
            match mailbox.catch_up().await {
                Ok(()) => Outcome { name, problem: None, reason: None, pushed: None },
                Err(broken) => Outcome {
                    name,
                    reason: Some(broken.reason().code().to_owned()),
                    problem: Some(broken.to_string()),
                    pushed: None,
                },
            }
        });
        report.mailboxes = futures::future::join_all(reads).await;
        for outlet in &outlets {
            report.crms.push(sinks::drain(&self.shared, &outlet.sink).await?);
        }
        Ok(report)
    }

    /// Makes sinks and mailboxes of the settings. What cannot be made is reported, and the rest goes on.
    async fn prepare(&self) -> Result<(Vec<Outlet>, Vec<Arc<Mailbox>>, CaughtUp), EngineError> {
        let mut report = CaughtUp::default();
        let mut outlets = Vec::new();
        let crms = self.crms().await?;
        let names = crms.iter().filter(|c| **c != CrmSettings::Ledger).map(CrmSettings::kind).collect();
        for crm in crms {
            match self.sink(&crm) {
                Ok(Some(sink)) => outlets.push(Outlet { sink, bell: Arc::default() }),
                Ok(None) => {}
                Err(error) => {
                    sinks::tell_unusable(&self.shared, crm.kind(), &error).await?;
                    report.crms.push(Outcome {
                        name: crm.kind().to_owned(),
                        reason: Some(error.code().to_owned()),
                        problem: Some(error.to_string()),
                        pushed: None,
                    });
                }
            }
        }
        for outlet in &outlets {
            let name = outlet.sink.name();
            // No worker runs yet: what is leased was under way when the last process ended.
            self.shared.ledger.write(move |tx| outbox::recover(tx, name)).await?;
        }
        self.shared.set_outlets(names, outlets.clone());
        let mut sources = vec![LOCAL.to_owned()];
        sources.extend(outlets.iter().filter(|o| o.sink.has_contacts()).map(|o| o.sink.name().to_owned()));
        let now = self.shared.clock.now();
        let mailboxes = self
            .accounts()
            .await?
            .into_iter()
            .filter(|a| a.paused_until.is_none_or(|until| until <= now))
            .map(|a| Arc::new(Mailbox::new(Arc::clone(&self.shared), a.id, a.settings, sources.clone())))
            .collect();
        Ok((outlets, mailboxes, report))
    }

    fn sink(&self, crm: &CrmSettings) -> Result<Option<Arc<dyn Sink>>, EngineError> {
        let secret = match crm.secret_name() {
            Some(name) => self.shared.secrets.get(&self.shared.home.secret_name(name))?,
            None => None,
        };
        crm.sink(secret.map(|s| Secret::new(s.as_str())), Arc::clone(&self.shared.clock))
    }

    async fn start(&self) -> Result<JoinSet<()>, EngineError> {
        let (outlets, mailboxes, _) = self.prepare().await?;
        let mut tasks = JoinSet::new();
        for outlet in outlets {
            let queue = LedgerQueue::new(Arc::clone(&self.shared), outlet.sink.name());
            tasks.spawn(sinks::work(Arc::clone(&self.shared), outlet.clone(), queue));
            if outlet.sink.has_contacts() {
                let wake: Vec<Arc<Mailbox>> = mailboxes.clone();
                tasks.spawn(sinks::keep_contacts(Arc::clone(&self.shared), outlet.sink, wake));
            }
        }
        for mailbox in mailboxes {
            tasks.spawn(async move { mailbox.run().await });
        }
        Ok(tasks)
    }

    /// Takes the headers of mails that nobody was interested in for so long.
    async fn forget_unanswered(&self) -> Result<(), EngineError> {
        let Ok(before) = self.shared.clock.now().checked_sub(UNANSWERED) else { return Ok(()) };
        let forget = move |tx: &Tx<'_>| {
            for account in account::list(tx)? {
                message::expire_unanswered(tx, account.id, before)?;
            }
            Ok(())
        };
        Ok(self.shared.ledger.write(forget).await?)
    }

    async fn generation(&self) -> Result<u64, EngineError> {
        Ok(self.shared.ledger.read(|tx| setting::get(tx, GENERATION)).await?.unwrap_or_default())
    }

    /// Returns when something was set, or a pause is over.
    async fn changed(&self, before: u64) -> Result<(), EngineError> {
        let paused: Vec<Timestamp> = {
            let now = self.shared.clock.now();
            let all = self.accounts().await?;
            all.into_iter().filter_map(|a| a.paused_until).filter(|until| *until > now).collect()
        };
        let mut tidied: Option<Duration> = None;
        loop {
            if tidied.is_none_or(|at| self.shared.clock.monotonic().saturating_sub(at) > TIDY) {
                tidied = Some(self.shared.clock.monotonic());
                self.forget_unanswered().await?;
            }
            tokio::time::sleep(GLANCE).await;
            let now = self.shared.clock.now();
            if self.generation().await? != before || paused.iter().any(|until| *until <= now) {
                return Ok(());
            }
        }
    }
}

impl Broken {
    /// The reason's code, for reports.
    pub(crate) fn reason(&self) -> threadline_core::reason::Reason {
        crate::mailbox::why(self).0
    }
}

fn count_up(tx: &Tx<'_>) -> Result<(), threadline_store::StoreError> {
    let now: u64 = setting::get(tx, GENERATION)?.unwrap_or_default();
    setting::set(tx, GENERATION, &(now + 1))
}

fn to_json(value: &impl serde::Serialize) -> Result<String, EngineError> {
    serde_json::to_string(value)
        .map_err(|e| EngineError::BrokenSetting { what: "the mailbox".to_owned(), cause: e.to_string() })
}
