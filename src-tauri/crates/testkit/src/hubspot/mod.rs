//! A HubSpot that is not one: stateful, strict, and able to fail at any moment.
//!
//! Every request and every answer is checked against `openapi.json`. A violation is kept, and fails the test
//! when the portal is dropped.

pub mod contract;
mod emails;
mod fault;
mod refusal;
mod routes;
mod search;
mod serve;
mod state;
#[cfg(test)]
mod tests;
pub mod web;

pub use fault::Fault;
pub use state::{Object, Property};

use contract::Contract;
use jiff::SignedDuration;
use serde_json::Value;
use state::{Poison, State};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use threadline_core::clock::Clock;
use web::WebServer;

/// What the portal is like.
#[derive(Debug, Clone)]
pub struct Options {
    pub token: String,
    pub portal: u64,
    pub time_zone: String,
    /// `None` allows all.
    pub scopes: Option<Vec<String>>,
    /// Requests in ten seconds.
    pub ten_seconds: u32,
    /// Requests in a day.
    pub daily: u32,
    /// Searches in one second.
    pub searches: u32,
    /// How long a search does not see what was just written.
    pub search_lag: SignedDuration,
    /// Nobody may make properties.
    pub property_forbidden: bool,
    /// `hs_email_message_id` can be written.
    pub message_id_settable: bool,
    /// A batch read finds a contact by its additional addresses too.
    pub read_by_other_address: bool,
    /// Contacts that are there from the beginning, made when they are looked at: `person0@crowd0.example` …
    pub crowd: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            token: "pat-test-00000000".into(),
            portal: 7_654_321,
            time_zone: "Europe/Berlin".into(),
            scopes: None,
            ten_seconds: u32::MAX,
            daily: u32::MAX,
            searches: u32::MAX,
            search_lag: SignedDuration::ZERO,
            property_forbidden: false,
            message_id_settable: true,
            read_by_other_address: true,
            crowd: 0,
        }
    }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Request {
    /// `POST /crm/v3/objects/emails/batch/upsert`
    pub line: String,
    pub query: Vec<(String, String)>,
    pub body: Value,
    /// The status that was answered; `None` where the connection was closed or left waiting.
    pub status: Option<u16>,
}

type Chaos = Box<dyn FnMut(&str) -> Option<Fault> + Send>;

struct Shared {
    state: Mutex<State>,
    chaos: Mutex<Option<Chaos>>,
    contract: Contract,
    clock: Arc<dyn Clock>,
}

/// A running portal. It stops when dropped.
pub struct FakeHubspot {
    shared: Arc<Shared>,
    server: WebServer,
}

impl std::fmt::Debug for FakeHubspot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeHubspot").field("server", &self.server).finish_non_exhaustive()
    }
}

impl FakeHubspot {
    /// Starts on a free port. `clock` gives the portal's time: its limits, its dates, its search lag.
    pub async fn start(options: Options, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let contract = Contract::parse(include_str!("openapi.json")).map_err(anyhow::Error::msg)?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(options, clock.now())),
            chaos: Mutex::new(None),
            contract,
            clock,
        });
        let handler = shared.clone();
        let server = WebServer::start(move |ask| {
            let shared = handler.clone();
            async move { shared.serve(ask).await }
        })
        .await?;
        Ok(Self { shared, server })
    }

    /// What [`Options::token`] belongs to: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Changes the portal while it runs.
    pub fn set(&self, change: impl FnOnce(&mut Options)) {
        change(&mut self.state().options);
    }

    /// The next request whose line begins with `on` (empty: any) meets `fault`.
    pub fn inject(&self, on: &str, fault: Fault) {
        self.state().faults.push_back((on.to_owned(), fault));
    }

    /// Asked for each request line; `None` lets it pass.
    pub fn chaos(&self, chaos: impl FnMut(&str) -> Option<Fault> + Send + 'static) {
        *self.shared.chaos.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(chaos));
    }

    /// Ends all faults.
    pub fn calm(&self) {
        *self.shared.chaos.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.state().faults.clear();
    }

    /// Emails whose subject holds `subject` are refused: with their batch (400), or alone (207).
    pub fn poison(&self, subject: &str, whole_batch: bool) {
        self.state().poison.push(Poison { subject: subject.to_owned(), whole_batch });
    }

    /// Ends all poison.
    pub fn cure(&self) {
        self.state().poison.clear();
    }

    /// Adds a contact; answers its id.
    pub fn add_contact(&self, email: &str, first: &str, last: &str) -> u64 {
        let now = self.shared.clock.now();
        let mut state = self.state();
        let id = state.new_id();
        let properties = [("email", email), ("firstname", first), ("lastname", last)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let properties = BTreeMap::from(properties);
        state.put_contact(Object { id, properties, created: now, updated: now, archived: None });
        id
    }

    /// Sets properties of a contact, as a person in the CRM does.
    pub fn change_contact(&self, id: u64, properties: &[(&str, &str)]) {
        let now = self.shared.clock.now();
        let mut state = self.state();
        if let Some(mut contact) = state.contact(id) {
            contact.properties.extend(properties.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
            contact.updated = now;
            state.put_contact(contact);
        }
    }

    /// Moves a contact to the recycling bin.
    pub fn archive_contact(&self, id: u64) {
        let now = self.shared.clock.now();
        let mut state = self.state();
        if let Some(mut contact) = state.contact(id) {
            contact.archived = Some(now);
            state.links.retain(|(_, contact)| *contact != id);
            state.put_contact(contact);
        }
    }

    /// Moves an email to the recycling bin.
    pub fn archive_email(&self, id: u64) {
        let now = self.shared.clock.now();
        if let Some(email) = self.state().emails.get_mut(&id) {
            email.archived = Some(now);
        }
    }

    /// The search index shows this object's changes only after `lag`.
    pub fn delay_in_search(&self, id: u64, lag: SignedDuration) {
        self.state().slow.insert(id, lag);
    }

    /// Adds an email that HubSpot sent or logged by itself; answers its id.
    pub fn add_own_email(&self, message_id: &str, subject: &str) -> u64 {
        let now = self.shared.clock.now();
        let mut state = self.state();
        let id = state.new_id();
        let properties = [
            ("hs_email_message_id", message_id),
            ("hs_email_subject", subject),
            ("hs_email_text", "as HubSpot logged it"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let properties = BTreeMap::from(properties);
        state.emails.insert(id, Object { id, properties, created: now, updated: now, archived: None });
        id
    }

    /// Adds a user; answers the owner's id.
    pub fn add_owner(&self, email: &str) -> u64 {
        let mut state = self.state();
        let id = state.new_id();
        state.owners.push((id, email.to_lowercase()));
        id
    }

    /// All emails that are not archived, in the order of their ids.
    pub fn emails(&self) -> Vec<Object> {
        self.state().emails.values().filter(|e| e.archived.is_none()).cloned().collect()
    }

    /// How many emails there are of each `threadline_message_id`, or of each Message-ID where that is missing.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for email in self.emails() {
            let key = match email.get("threadline_message_id") {
                "" => email.get("hs_email_message_id"),
                key => key,
            };
            *counts.entry(key.to_owned()).or_default() += 1;
        }
        counts
    }

    /// Contacts that are not archived, without the crowd.
    pub fn contacts(&self) -> Vec<Object> {
        self.state().contacts.values().filter(|c| c.archived.is_none()).cloned().collect()
    }

    /// The contacts of an email.
    pub fn links(&self, email: u64) -> Vec<u64> {
        self.state().links.range((email, 0)..=(email, u64::MAX)).map(|(_, c)| *c).collect()
    }

    /// The properties of emails by name.
    pub fn properties(&self) -> BTreeMap<String, Property> {
        self.state().properties.clone()
    }

    /// Uploaded files: id, name, bytes.
    pub fn files(&self) -> Vec<(u64, String, usize)> {
        self.state().files.clone()
    }

    /// Every request so far, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.state().log.clone()
    }

    /// Requests whose line begins with `line`.
    pub fn count(&self, line: &str) -> usize {
        self.state().log.iter().filter(|r| r.line.starts_with(line)).count()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.state().log.clear();
    }

    /// What broke the contract; taking it keeps the drop from failing.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.state().violations)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl Drop for FakeHubspot {
    fn drop(&mut self) {
        let violations = self.take_violations();
        if !std::thread::panicking() {
            assert!(violations.is_empty(), "the contract was broken:\n{}", violations.join("\n"));
        }
    }
}
