//! What all of the engine's tasks share.

use crate::event::Event;
use crate::home::Home;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use threadline_core::address::Address;
use threadline_core::clock::Clock;
use threadline_core::health::Health;
use threadline_crm::Sink;
use threadline_secrets::Secrets;
use threadline_store::health::{self, Owner};
use threadline_store::{Ledger, StoreError};
use tokio::sync::{Notify, broadcast};

/// Events kept for a listener that is slow; more than that and it is told how many it missed.
const EVENTS: usize = 4_096;

/// Handed to every task.
#[derive(Debug)]
pub(crate) struct Shared {
    pub home: Home,
    pub ledger: Ledger,
    pub secrets: Arc<dyn Secrets>,
    pub clock: Arc<dyn Clock>,
    pub events: broadcast::Sender<Event>,
    outlets: Mutex<Outlets>,
}

/// Where logged mail goes.
#[derive(Debug, Default)]
struct Outlets {
    /// Every CRM that is set. Mail is queued for one that does not work at the moment too.
    names: Vec<&'static str>,
    /// Those at work, and the bell of each one's worker.
    working: Vec<Outlet>,
}

/// A sink at work.
#[derive(Debug, Clone)]
pub(crate) struct Outlet {
    pub sink: Arc<dyn Sink>,
    pub bell: Arc<Notify>,
}

impl Shared {
    pub fn new(home: Home, ledger: Ledger, secrets: Arc<dyn Secrets>, clock: Arc<dyn Clock>) -> Self {
        let (events, _) = broadcast::channel(EVENTS);
        Self { home, ledger, secrets, clock, events, outlets: Mutex::default() }
    }

    /// Tells whoever listens; nobody may.
    pub fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn outlets(&self) -> MutexGuard<'_, Outlets> {
        self.outlets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_outlets(&self, names: Vec<&'static str>, working: Vec<Outlet>) {
        *self.outlets() = Outlets { names, working };
    }

    /// The CRMs that a message is queued for.
    pub fn sink_names(&self) -> Vec<&'static str> {
        self.outlets().names.clone()
    }

    /// Wakes the workers: there is something to push.
    pub fn ring(&self) {
        for outlet in &self.outlets().working {
            outlet.bell.notify_one();
        }
    }

    /// Stores the state of a mailbox's channel, and tells of it where it is another one than before.
    pub async fn set_health(&self, id: i64, address: &Address, health: Health) -> Result<(), StoreError> {
        self.put_health(Owner::Account(id), address.to_string(), health).await
    }

    /// The same for a CRM.
    pub async fn set_sink_health(&self, sink: &str, health: Health) -> Result<(), StoreError> {
        self.put_health(Owner::Sink(sink.to_owned()), sink.to_owned(), health).await
    }

    async fn put_health(&self, owner: Owner, of: String, health: Health) -> Result<(), StoreError> {
        let row = health.clone();
        let stored = self.ledger.write(move |tx| health::set(tx, &owner, &row)).await;
        // Where the ledger fails, telling is all that is left.
        if !matches!(stored, Ok(false)) {
            self.tell(Event::Health { of, health });
        }
        stored.map(|_| ())
    }
}
