//! What all of the engine's tasks share.

use crate::event::Event;
use crate::home::Home;
use std::sync::{Arc, Mutex, PoisonError};
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
    /// The sinks that logged mail goes to, and the bell of each one's worker.
    outlets: Mutex<Vec<Outlet>>,
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

    pub fn outlets(&self) -> Vec<Outlet> {
        self.outlets.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set_outlets(&self, outlets: Vec<Outlet>) {
        *self.outlets.lock().unwrap_or_else(PoisonError::into_inner) = outlets;
    }

    pub fn sink_names(&self) -> Vec<String> {
        self.outlets().iter().map(|o| o.sink.name().to_owned()).collect()
    }

    /// Wakes the workers: there is something to push.
    pub fn ring(&self) {
        for outlet in self.outlets() {
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
