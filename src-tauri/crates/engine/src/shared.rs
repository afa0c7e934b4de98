//! What all of the engine's tasks share.

use crate::at_work::{AtWork, Works};
use crate::crms::CrmList;
use crate::event::Event;
use crate::home::Home;
use crate::journal;
use crate::keychain::Keychain;
use crate::link::Links;
use crate::outgoing::Flights;
use crate::sending::Tried;
use crate::tokens::Tokens;
use crate::undo::Undos;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use threadline_core::address::Address;
use threadline_core::clock::Clock;
use threadline_core::health::Health;
use threadline_core::retention::Witness;
use threadline_mail::watch::Waker;
use threadline_secrets::{SecretError, Secrets};
use threadline_store::health::{self, Owner};
use threadline_store::{Ledger, StoreError};
use tokio::sync::{Notify, broadcast};
use zeroize::Zeroizing;

/// Events kept for a listener that is slow; more than that and it is told how many it missed.
const EVENTS: usize = 4_096;

/// Handed to every task.
#[derive(Debug)]
pub(crate) struct Shared {
    pub home: Home,
    pub ledger: Ledger,
    pub clock: Arc<dyn Clock>,
    pub events: broadcast::Sender<Event>,
    pub undos: Undos,
    pub links: Links,
    pub tokens: Tokens,
    keychain: Keychain,
    /// Rings where a CRM has accepted something.
    pub accepted: Notify,
    /// The latest that a server's clock has shown.
    witness: Mutex<Option<Witness>>,
    desk: Mutex<Desk>,
    /// How sending was when it was tried last, in this process.
    tried: Mutex<Option<Tried>>,
    works: Works,
    pub flights: Flights,
}

/// What stands ready for whoever has work.
#[derive(Debug, Default)]
struct Desk {
    /// Every CRM that is set, whether it works at the moment or not.
    sinks: Vec<String>,
    /// Whose contacts count.
    sources: Vec<String>,
    /// Wakes each CRM's worker.
    bells: HashMap<&'static str, Arc<Notify>>,
    /// Ends each connection's wait, by its mailbox, so that it looks for jobs.
    wakers: Vec<(i64, Waker)>,
}

impl Shared {
    pub fn new(home: Home, ledger: Ledger, secrets: Arc<dyn Secrets>, clock: Arc<dyn Clock>) -> Self {
        let (events, _) = broadcast::channel(EVENTS);
        let (undos, links, tokens, desk) =
            (Undos::default(), Links::default(), Tokens::default(), Mutex::default());
        let (works, tried, witness) = (Works::default(), Mutex::default(), Mutex::default());
        let flights = Flights::default();
        let keychain = Keychain::new(home.clone(), secrets, works.clone());
        let accepted = Notify::new();
        Self {
            home,
            ledger,
            keychain,
            accepted,
            clock,
            events,
            undos,
            links,
            tokens,
            witness,
            desk,
            tried,
            works,
            flights,
        }
    }

    /// Tells whoever listens, and the log; nobody may listen.
    pub fn tell(&self, event: Event) {
        journal::event(&event);
        let _ = self.events.send(event);
    }

    /// Tells what happened at once, which may be much.
    pub fn tell_all(&self, events: Vec<Event>) {
        journal::events(&events);
        for event in events {
            let _ = self.events.send(event);
        }
    }

    pub fn tried(&self) -> MutexGuard<'_, Option<Tried>> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts as at work until what it gives is dropped.
    pub fn at_work(&self) -> AtWork {
        self.works.begin()
    }

    /// Waits until nothing is at work.
    pub async fn at_rest(&self) {
        self.works.rest().await;
    }

    /// A server's clock was at this date at least: a mail arrived there then.
    pub fn heard(&self, date: Timestamp) {
        let heard = self.clock.monotonic();
        let new = Witness { date, heard };
        let mut witness = self.witness.lock().unwrap_or_else(PoisonError::into_inner);
        *witness = Some(witness.map_or(new, |before| before.later(new, heard)));
    }

    /// What was heard of the servers' clocks since the program's start.
    pub fn witness(&self) -> Option<Witness> {
        *self.witness.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // ---- CRMs

    /// Notes which CRMs are set, whether they work or not.
    pub fn set_crms(&self, crms: &CrmList) {
        let mut desk = self.desk();
        desk.sinks = crms.sinks();
        desk.sources = crms.contact_sources();
    }

    /// The CRMs that mail waits for.
    pub fn sink_names(&self) -> Vec<String> {
        self.desk().sinks.clone()
    }

    /// The parts of the contact index that count.
    pub fn contact_sources(&self) -> Vec<String> {
        self.desk().sources.clone()
    }

    /// What wakes a CRM's worker; the same one at every call.
    pub fn bell(&self, sink: &'static str) -> Arc<Notify> {
        Arc::clone(self.desk().bells.entry(sink).or_default())
    }

    /// Wakes the workers: there is something to push.
    pub fn ring(&self) {
        for bell in self.desk().bells.values() {
            bell.notify_one();
        }
    }

    // ---- mailboxes

    pub fn add_waker(&self, account: i64, waker: Waker) {
        self.desk().wakers.push((account, waker));
    }

    pub fn forget_wakers(&self, account: i64) {
        self.desk().wakers.retain(|(id, _)| *id != account);
    }

    /// Lets every connection of a mailbox look for jobs; of all mailboxes where none is named.
    pub fn wake(&self, account: Option<i64>) {
        for (id, waker) in &self.desk().wakers {
            if account.is_none_or(|a| a == *id) {
                waker.wake();
            }
        }
    }

    /// Lets every connection ask its server whether it still lives.
    pub fn probe(&self) {
        for (_, waker) in &self.desk().wakers {
            waker.probe();
        }
    }

    // ---- secrets

    pub fn keychain(&self) -> Keychain {
        self.keychain.clone()
    }

    pub async fn secret(&self, name: &str) -> Result<Option<Zeroizing<String>>, SecretError> {
        self.keychain.secret(name).await
    }

    pub async fn set_secret(&self, name: &str, secret: Zeroizing<String>) -> Result<(), SecretError> {
        self.keychain.set_secret(name, secret).await
    }

    pub async fn delete_secret(&self, name: &str) -> Result<(), SecretError> {
        self.keychain.delete_secret(name).await
    }

    // ---- health

    /// Stores the state of a mailbox's channel, and tells of it where it is another one than before.
    pub async fn set_health(&self, id: i64, address: &Address, health: Health) -> Result<(), StoreError> {
        self.put_health(Owner::Account(id), address.to_string(), health).await
    }

    /// The same for a CRM.
    pub async fn set_sink_health(&self, sink: &str, health: Health) -> Result<(), StoreError> {
        self.put_health(Owner::Sink(sink.to_owned()), sink.to_owned(), health).await
    }

    async fn put_health(&self, owner: Owner, of: String, health: Health) -> Result<(), StoreError> {
        let (row, whose) = (health.clone(), owner.clone());
        let stored = self.ledger.write(move |tx| health::set(tx, &owner, &row)).await;
        // Where the ledger fails, telling is all that is left.
        if !matches!(stored, Ok(false)) {
            journal::health(&whose, &health);
            self.tell(Event::Health { of, health });
        }
        stored.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::CrmSettings;
    use crate::testing::World;
    use futures::FutureExt as _;
    use std::sync::Arc;
    use threadline_core::rule::LogMode;

    #[tokio::test]
    async fn it_is_at_rest_when_the_last_task_is_gone() {
        let world = World::new(LogMode::EveryoneOutside, &[]);
        let shared = Arc::clone(&world.mailbox.shared);
        assert!(shared.at_rest().now_or_never().is_some());
        let crm = CrmSettings::Folder { dir: "/nowhere".into() };
        let at_work = shared.at_work();
        let task = tokio::spawn(async move {
            let _at_work = at_work;
            crate::sinks::work(world.mailbox.shared.clone(), crm).await
        });
        assert!(shared.at_rest().now_or_never().is_none());
        task.abort();
        shared.at_rest().await;
        assert!(task.await.is_err());
    }
}
