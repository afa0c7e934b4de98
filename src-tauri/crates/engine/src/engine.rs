//! The engine: what it is told to do, and the tasks that do it.

use crate::contacts::{self, Imported};
use crate::error::EngineError;
use crate::event::Event;
use crate::generation::{Part, count_up};
use crate::home::{Hold, Home};
use crate::ingest;
use crate::mailbox::Mailbox;
use crate::once::{self, CaughtUp};
use crate::outgoing::Outgoing;
use crate::relay;
use crate::settings::{AccountSettings, Auth, secret_names};
use crate::shared::Shared;
use crate::sign_in;
use crate::supervisor;
use crate::tokens::Using;
use crate::unusable::Unusable;
use jiff::Timestamp;
use serde::Deserialize;
use std::convert::Infallible;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use threadline_core::address::Address;
use threadline_core::clock::Clock;
use threadline_mail::error::MailError;
use threadline_secrets::Secrets;
use threadline_store::{Ledger, Tx, account, setting};
use tokio::sync::broadcast;
use zeroize::Zeroizing;

/// Wires ledger, mailboxes and CRMs together. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

/// A pause that only a person ends. The ledger keeps microseconds, so compare by [`until_resumed`].
pub const UNTIL_RESUMED: Timestamp = Timestamp::MAX;

/// True for a pause that only a person ends.
pub fn until_resumed(until: Timestamp) -> bool {
    until.as_second() == UNTIL_RESUMED.as_second()
}

/// A mailbox as it is set.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    pub id: i64,
    pub settings: AccountSettings,
    pub paused_until: Option<Timestamp>,
    /// How often another mailbox took its place.
    pub(crate) epoch: u32,
}

impl Account {
    pub(crate) fn read(row: &account::Account) -> Result<Self, EngineError> {
        let settings = serde_json::from_str(&row.settings).map_err(|e| EngineError::BrokenAccount {
            address: row.address.to_string(),
            cause: format!("{:?} error", e.classify()),
        })?;
        Ok(Self { id: row.id, settings, paused_until: row.paused_until, epoch: row.epoch })
    }
}

/// Who signs in where. It is read from damaged settings too, as far as it stands there.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Whose {
    host: Option<String>,
    port: Option<u16>,
    user: Option<String>,
}

impl Whose {
    pub(crate) fn read(settings: &str) -> Self {
        serde_json::from_str(settings).unwrap_or(Self { host: None, port: None, user: None })
    }

    /// What changes with the mailbox: one server may be reached at several ports.
    pub(crate) fn mailbox(&self) -> (Option<String>, Option<&str>) {
        (self.host.as_ref().map(|host| host.to_lowercase()), self.user.as_deref())
    }
}

impl Engine {
    /// Opens the ledger. The second value is the place of an old ledger that was set aside, because its key is no
    /// more in the keychain; see [`Home::open_ledger`] for what `hold` is needed for.
    pub fn open(
        home: Home,
        secrets: Arc<dyn Secrets>,
        clock: Arc<dyn Clock>,
        hold: Option<&Hold>,
    ) -> Result<(Self, Option<PathBuf>), EngineError> {
        let (ledger, aside) = home.open_ledger(&*secrets, clock.now(), hold)?;
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

    /// Tries the sign-in with these settings and finds the folders; nothing is stored. The password is needed where the
    /// settings ask for one; else somebody must have signed in with the browser ([`Engine::finish_sign_in`]). A mailbox without a folder for sent
    /// mail is no error but a warning: the folder may come with the first mail sent.
    pub async fn try_account(
        &self,
        settings: &AccountSettings,
        password: Option<Zeroizing<String>>,
    ) -> Result<Option<MailError>, EngineError> {
        let mut session = sign_in::session(&self.shared, settings, password, Using::JustNow).await?;
        let folders = session.folders().await?;
        let found = threadline_mail::folders::watched(
            &folders,
            session.capabilities().is_gmail(),
            settings.sent_folder.as_deref(),
        );
        session.logout().await;
        let server = settings.server()?.name();
        Ok(found.sent_unknown().map(|evidence| MailError::new(&server, evidence)))
    }

    /// Adds a mailbox: the password, or what a sign-in with the browser has given, goes to the keychain, the rest to the
    /// ledger.
    pub async fn add_account(
        &self,
        settings: AccountSettings,
        password: Option<Zeroizing<String>>,
    ) -> Result<(), EngineError> {
        settings.server()?;
        let address = settings.address.clone();
        match self.row(&address).await {
            Ok(_) => return Err(EngineError::AccountExists(address.to_string())),
            Err(EngineError::NoAccount(_)) => {}
            Err(error) => return Err(error),
        }
        match (settings.auth, password) {
            (Auth::Oauth { provider }, _) if self.shared.who_signed_in(&address, provider).is_some() => {
                self.shared.store_in_hand(&address, provider).await?;
            }
            (Auth::Oauth { .. }, _) => return Err(EngineError::NotSignedIn(address.to_string())),
            (Auth::Password, Some(password)) => {
                self.shared.set_secret(&settings.secret_name(), password).await?;
            }
            (Auth::Password, None) => return Err(EngineError::NoPassword(address.to_string())),
        }
        let text = to_json(&settings)?;
        let now = self.shared.clock.now();
        let add = move |tx: &Tx<'_>| {
            let id = account::insert(tx, &address, &text, now)?;
            count_up(tx, Part::News)?;
            Ok(id)
        };
        let id = self.shared.ledger.write(add).await?;
        self.recall_sending(id, &settings, false).await
    }

    /// Changes a mailbox's server, user or rules; the address says which one. It connects anew. Settings that cannot be
    /// read are written anew with it. Under another host or user it may be another mailbox: it is read from now on.
    /// [`Engine::reconnect`] looks at the messages instead.
    pub async fn change_account(&self, settings: AccountSettings) -> Result<(), EngineError> {
        settings.server()?;
        let found = self.row(&settings.address).await?;
        let id = found.id;
        let another = sends_elsewhere(&found, &settings);
        let (text, now) = (to_json(&settings)?, self.shared.clock.now());
        let before = Whose::read(&found.settings);
        let after = Whose::read(&text);
        self.shared
            .ledger
            .write(move |tx| {
                account::set_settings(tx, id, &text)?;
                if before != after {
                    account::set_worked_secret(tx, id, false)?;
                }
                if before.mailbox() != after.mailbox() {
                    account::begin_anew(tx, id, now)?;
                }
                count_up(tx, Part::News)
            })
            .await?;
        self.recall_sending(id, &settings, another).await
    }

    /// Removes a mailbox, its password, and what the ledger knows through it.
    pub async fn remove_account(&self, address: &Address) -> Result<(), EngineError> {
        let found = self.row(address).await?;
        // The secret first: where the keychain fails, the mailbox is still there to be removed again.
        for name in secret_names(address).into_iter().chain([relay::secret_name(address)]) {
            self.shared.delete_secret(&name).await?;
        }
        self.shared.tokens.forget(address);
        let names = ingest::own_names(address);
        self.shared
            .ledger
            .write(move |tx| {
                account::remove(tx, found.id)?;
                setting::remove(tx, &names)?;
                count_up(tx, Part::News)
            })
            .await?;
        Ok(())
    }

    /// Stores another password and connects again with it.
    pub async fn set_password(
        &self,
        address: &Address,
        password: Zeroizing<String>,
    ) -> Result<(), EngineError> {
        let found = self.row(address).await?;
        let [name, _] = secret_names(address);
        self.shared.set_secret(&name, password).await?;
        self.shared
            .ledger
            .write(move |tx| {
                account::set_worked_secret(tx, found.id, false)?;
                count_up(tx, Part::Account(found.id))
            })
            .await?;
        Ok(())
    }

    /// Connects every mailbox and CRM again now, whatever each was waiting for.
    pub async fn reconnect_all(&self) -> Result<(), EngineError> {
        Ok(self.shared.ledger.write(|tx| count_up(tx, Part::All)).await?)
    }

    /// Connects one mailbox again now, whatever it was waiting for.
    pub async fn reconnect_account(&self, address: &Address) -> Result<(), EngineError> {
        let id = self.row(address).await?.id;
        Ok(self.shared.ledger.write(move |tx| count_up(tx, Part::Account(id))).await?)
    }

    /// Stops the connection until then; `None` takes the pause back.
    pub async fn pause(&self, address: &Address, until: Option<Timestamp>) -> Result<(), EngineError> {
        let found = self.row(address).await?;
        self.shared
            .ledger
            .write(move |tx| {
                account::set_paused(tx, found.id, until)?;
                count_up(tx, Part::News)
            })
            .await?;
        Ok(())
    }

    /// The mailboxes whose settings can be read, the oldest first; for the others see [`Engine::unusable_accounts`].
    pub async fn accounts(&self) -> Result<Vec<Account>, EngineError> {
        let rows = self.shared.ledger.read(account::list).await?;
        Ok(rows.iter().filter_map(|row| Account::read(row).ok()).collect())
    }

    /// The mailboxes whose settings cannot be read. They are not watched; [`Engine::change_account`] writes them anew.
    pub async fn unusable_accounts(&self) -> Result<Vec<Unusable>, EngineError> {
        let rows = self.shared.ledger.read(account::list).await?;
        Ok(rows.iter().filter_map(Unusable::read).collect())
    }

    /// One mailbox. Fails where there is none, and where its settings cannot be read.
    pub async fn account(&self, address: &Address) -> Result<Account, EngineError> {
        Account::read(&self.row(address).await?)
    }

    /// A mailbox's row, whether its settings can be read or not.
    pub(crate) async fn row(&self, address: &Address) -> Result<account::Account, EngineError> {
        let wanted = address.clone();
        let row = self.shared.ledger.read(move |tx| account::by_address(tx, &wanted)).await?;
        row.ok_or_else(|| EngineError::NoAccount(address.to_string()))
    }

    // ---- contacts

    /// Reads the local contact list anew from a CSV file; see [`Imported`]. Contacts that are not in it go. `progress` is
    /// told how many are stored so far.
    pub async fn import_contacts(
        &self,
        source: impl Read,
        progress: impl Fn(usize),
    ) -> Result<Imported, EngineError> {
        let (contacts, imported) = contacts::read_csv(source)?;
        self.shared.set_crms(&self.crm_list().await?);
        contacts::replace_local(&self.shared, contacts, progress).await?;
        self.shared.ledger.write(|tx| count_up(tx, Part::News)).await?;
        Ok(imported)
    }

    // ---- at work

    /// Watches all mailboxes and pushes to all CRMs until the future is dropped. What is set meanwhile, by this process
    /// or another one (`threadline account add`, `crm set`, `pause`), is taken up within seconds. Fails only where the
    /// settings cannot be read at the start.
    pub async fn run(&self) -> Result<Infallible, EngineError> {
        supervisor::run(self).await
    }

    /// After [`Engine::run`] was dropped: waits until all that it began has ended, so that nothing of it meets the next one.
    pub async fn gone(&self) {
        self.shared.at_rest().await;
    }

    /// Reads what is new in every mailbox that is not paused, pushes what waits, and returns.
    pub async fn catch_up(&self) -> Result<CaughtUp, EngineError> {
        let crms = self.crm_list().await?;
        self.shared.set_crms(&crms);
        let now = self.shared.clock.now();
        if let Err(error) = self.take_send_requests().await {
            tracing::warn!(code = error.code(), "the mails that the CRM wants sent were not read");
        }
        let accounts = self.accounts().await?;
        let at_work = || accounts.iter().filter(|a| a.paused_until.is_none_or(|until| until <= now)).cloned();
        let sending = at_work().filter(|a| a.settings.smtp.is_some());
        let sending = sending.map(|a| Outgoing::new(Arc::clone(&self.shared), a)).collect();
        let mailboxes = at_work().map(|a| Mailbox::new(Arc::clone(&self.shared), a)).collect();
        let unusable = self.unusable_accounts().await?;
        let report = once::catch_up(&self.shared, &crms, sending, mailboxes, &unusable).await?;
        self.purge_if_due().await?;
        Ok(report)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

/// Whether mail is sent by another server than before, as far as that can be read.
pub(crate) fn sends_elsewhere(before: &account::Account, settings: &AccountSettings) -> bool {
    Account::read(before).map_or(true, |before| before.settings.smtp != settings.smtp)
}

pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<String, EngineError> {
    serde_json::to_string(value).map_err(|e| EngineError::BrokenSetting {
        what: "The settings of the mailbox".to_owned(),
        cause: e.to_string(),
    })
}
