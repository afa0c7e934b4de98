//! The engine as the controller sees it: small enough that a test can play it.

use crate::error::AppError;
use crate::tray::state::LastContact;
use async_trait::async_trait;
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use threadline_core::address::Address;
use threadline_core::reason::Reason;
use threadline_engine::activity::Activity;
use threadline_engine::clock::SystemClock;
use threadline_engine::diagnostics::Known;
use threadline_engine::home::Hold;
use threadline_engine::threads::ThreadQuery;
use threadline_engine::views::Status;
use threadline_engine::{Engine, EngineError, Event, Home};
use threadline_secrets::{SecretError, Secrets};
use tokio::sync::broadcast;

/// An engine that was opened. Cheap to clone.
#[async_trait]
pub trait Desk: Clone + Send + Sync + 'static {
    /// Everything that happens from now on.
    fn events(&self) -> broadcast::Receiver<Event>;
    /// Works until it cannot any more; gives the cause.
    async fn work(&self) -> AppError;
    /// After its work was ended: waits until all of it is gone.
    async fn gone(&self) {}
    async fn status(&self) -> Result<Status, AppError>;
    /// With whom mail was logged last.
    async fn last_contact(&self) -> Result<Option<LastContact>, AppError>;
    /// Pauses one mailbox, or all; `None` takes the pause back.
    async fn pause(&self, address: Option<&Address>, until: Option<Timestamp>) -> Result<(), AppError>;
    /// Never logs mail with this contact again, or does so again.
    async fn set_logging(&self, contact: &LastContact, on: bool) -> Result<(), AppError>;
    /// What happened behind that row of the activity, the oldest first; without one the newest row alone.
    async fn happened_since(&self, row: Option<i64>) -> Result<Vec<Activity>, AppError>;
    /// How many people the person wrote to whom the CRM does not know.
    async fn unknown_people(&self) -> Result<u64, AppError>;
    /// What the ledger gives to the diagnostics.
    async fn for_diagnostics(&self) -> Result<Known, AppError>;
}

/// Why an engine could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// Another program has the data folder.
    Held { by: String },
    /// The keychain is locked, or is not there (yet).
    Keychain { error: AppError, missing: bool },
    /// A person has to mend something.
    Refused(AppError),
}

/// Opens the engine; again after it was closed or could not be opened.
#[async_trait]
pub trait Opener: Clone + Send + Sync + 'static {
    type Desk: Desk;
    async fn open(&self) -> Result<Self::Desk, Closed>;
    /// Gives the data folder back.
    fn let_go(&self);
    /// Deletes what an engine that has ended kept on this computer, and gives the data folder back.
    async fn wipe(&self, desk: Self::Desk) -> Result<(), AppError>;
}

/// Opens the real engine on a data folder.
#[derive(Debug)]
pub struct DataFolder {
    dir: PathBuf,
    /// Kept from the first moment to the last, so that `threadline run` is told who has the folder.
    hold: Mutex<Option<Hold>>,
}

/// What `threadline run` says of who has the folder.
const NAME: &str = "Threadline";

impl DataFolder {
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, hold: Mutex::default() }
    }

    fn open_with(&self, secrets: Arc<dyn Secrets>) -> Result<Engine, EngineError> {
        let home = Home::open(&self.dir)?;
        let hold = self.hold.lock().unwrap_or_else(PoisonError::into_inner);
        let (engine, aside) = Engine::open(home, secrets, Arc::new(SystemClock::start()), hold.as_ref())?;
        if aside.is_some() {
            tracing::warn!("the ledger's key is gone; the old ledger was set aside and a new one begun");
        }
        Ok(engine)
    }

    /// Takes the folder, where it is not taken yet.
    fn hold(&self) -> Result<(), EngineError> {
        let mut hold = self.hold.lock().unwrap_or_else(PoisonError::into_inner);
        if hold.is_none() {
            *hold = Some(Home::open(&self.dir)?.hold(NAME)?);
        }
        Ok(())
    }

    fn open_now(&self) -> Result<Engine, Closed> {
        self.hold()?;
        let secrets = threadline_secrets::system().map_err(EngineError::from)?;
        Ok(self.open_with(secrets)?)
    }
}

impl From<EngineError> for Closed {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Held { by, .. } => Closed::Held { by },
            EngineError::Secret(ref secret)
                if matches!(secret.code(), Reason::KeychainLocked | Reason::KeychainMissing) =>
            {
                let missing = matches!(secret, SecretError::NoService { .. });
                Closed::Keychain { error: error.into(), missing }
            }
            other => Closed::Refused(other.into()),
        }
    }
}

#[async_trait]
impl Opener for Arc<DataFolder> {
    type Desk = Engine;

    async fn open(&self) -> Result<Engine, Closed> {
        let folder = Arc::clone(self);
        // The keychain may wait for a person, and the ledger for the disk.
        let opened = tokio::task::spawn_blocking(move || folder.open_now()).await;
        opened.unwrap_or_else(|_| Err(Closed::Refused(broke_off())))
    }

    fn let_go(&self) {
        *self.hold.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn wipe(&self, engine: Engine) -> Result<(), AppError> {
        let hold = self.hold.lock().unwrap_or_else(PoisonError::into_inner).take();
        let hold = match hold {
            Some(hold) => hold,
            None => Home::open(&self.dir).and_then(|home| home.hold(NAME))?,
        };
        // A folder of files is a CRM's, and stays.
        Ok(engine.delete_everything(hold, false).await?)
    }
}

/// What is told of a panic, whose own words may quote mail.
pub fn broke_off() -> AppError {
    AppError::new("engine_broke_off", "Threadline's engine broke off. Start it again; nothing is lost.")
}

#[async_trait]
impl Desk for Engine {
    fn events(&self) -> broadcast::Receiver<Event> {
        Engine::events(self)
    }

    async fn work(&self) -> AppError {
        let Err(error) = self.run().await;
        error.into()
    }

    async fn gone(&self) {
        Engine::gone(self).await;
    }

    async fn status(&self) -> Result<Status, AppError> {
        Ok(Engine::status(self).await?)
    }

    async fn last_contact(&self) -> Result<Option<LastContact>, AppError> {
        let newest = self.threads_page(ThreadQuery { limit: 1, ..ThreadQuery::default() }).await?;
        Ok(newest.rows.into_iter().next().and_then(|thread| {
            let contact = thread.contacts.into_iter().next()?;
            Some(LastContact { account: thread.account, address: contact.address, name: contact.name })
        }))
    }

    async fn pause(&self, address: Option<&Address>, until: Option<Timestamp>) -> Result<(), AppError> {
        if let Some(address) = address {
            return Ok(Engine::pause(self, address, until).await?);
        }
        for account in self.accounts().await? {
            Engine::pause(self, &account.settings.address, until).await?;
        }
        Ok(())
    }

    async fn set_logging(&self, contact: &LastContact, on: bool) -> Result<(), AppError> {
        if !on {
            self.never_log(&contact.account, contact.address.as_str()).await?;
            return Ok(());
        }
        let mut rules = self.account(&contact.account).await?.settings.rules;
        rules.never_addresses.retain(|address| *address != contact.address);
        Ok(self.set_rules(&contact.account, rules).await?)
    }

    async fn happened_since(&self, row: Option<i64>) -> Result<Vec<Activity>, AppError> {
        Ok(match row {
            Some(row) => self.activity_since(row).await?,
            None => self.activity(None, 1).await?,
        })
    }

    async fn unknown_people(&self) -> Result<u64, AppError> {
        Ok(Engine::unknown_people(self).await?.len() as u64)
    }

    async fn for_diagnostics(&self) -> Result<Known, AppError> {
        Ok(Engine::for_diagnostics(self).await?)
    }
}
