//! HubSpot, over its public API with a private app's token.
//!
//! A push goes: contacts (looked up, made where missing), emails that are there already (by our unique property,
//! and by Message-ID those that HubSpot logged itself), emails that are new, associations. Each step can be
//! done again without harm.

mod api;
mod email;
mod file;
mod find;
mod link;
mod pace;
mod people;
mod portal;
mod pull;
mod push;

use crate::error::{CrmError, Kind, Retry};
use crate::http;
use crate::secret::Secret;
use crate::sink::{Accepted, ContactPage, DeliveredFile, Delivery, Portal, Sink, Uploaded};
use crate::timer::Timer;
use api::Api;
use portal::Found;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use threadline_core::address::Address;
use threadline_core::clock::Clock;
use threadline_core::id::MessageKey;
use threadline_core::reason::Reason;

/// Where HubSpot's API is.
pub const BASE: &str = "https://api.hubapi.com";
/// Searches in a second; HubSpot allows five for all programs of an account.
pub const SEARCHES: u32 = 4;
/// After so long a search shows what was written.
pub const SEARCH_LAG: Duration = Duration::from_secs(60);
/// How long an owner is remembered.
const OWNER_FOR: Duration = Duration::from_secs(3600);
/// Most messages in doubt, and most owners, that are remembered.
const MOST_REMEMBERED: usize = 10_000;

/// What HubSpot needs.
#[derive(Debug, Clone)]
pub struct HubspotSettings {
    /// A private app's token (`pat-…`).
    pub token: Secret,
    /// [`BASE`], or a test server on this computer.
    pub base: String,
    /// Longest time for one request.
    pub timeout: Duration,
    /// Searches in a second, for all that is done with this sink.
    pub searches: u32,
}

impl HubspotSettings {
    /// The real HubSpot, with the usual limits.
    pub fn new(token: Secret) -> Self {
        Self { token, base: BASE.to_owned(), timeout: http::TIMEOUT, searches: SEARCHES }
    }
}

/// One HubSpot portal.
#[derive(Debug)]
pub struct HubspotSink {
    api: Api,
    found: tokio::sync::Mutex<Option<Arc<Found>>>,
    owners: Mutex<HashMap<Address, (Option<String>, Duration)>>,
    /// Without a unique property: messages whose outcome is unknown, and since when.
    doubts: Mutex<HashMap<MessageKey, Duration>>,
    /// The token may not store files.
    no_files: AtomicBool,
}

impl HubspotSink {
    /// Fails where the base is not encrypted. `timer` waits where the portal's limits say so.
    pub fn new(
        settings: HubspotSettings,
        clock: Arc<dyn Clock>,
        timer: Arc<dyn Timer>,
    ) -> Result<Self, CrmError> {
        let base = http::parse_url("the HubSpot address", &settings.base)?;
        let client = http::client("HubSpot", &base, settings.timeout)?;
        let api = Api::new(base, settings.token, client, clock, timer, settings.searches, settings.timeout);
        Ok(Self {
            api,
            found: tokio::sync::Mutex::default(),
            owners: Mutex::default(),
            doubts: Mutex::default(),
            no_files: AtomicBool::new(false),
        })
    }

    /// The portal; asked once.
    async fn found(&self) -> Result<Arc<Found>, CrmError> {
        let mut found = self.found.lock().await;
        if let Some(found) = &*found {
            return Ok(found.clone());
        }
        let fresh = Arc::new(portal::look(&self.api).await?);
        *found = Some(fresh.clone());
        Ok(fresh)
    }

    /// The owner with this address, remembered for a while.
    async fn owner(&self, address: &Address) -> Result<(Option<String>, bool), CrmError> {
        let now = self.api.clock.monotonic();
        if let Some((owner, at)) = self.owners.lock().unwrap_or_else(PoisonError::into_inner).get(address)
            && now.saturating_sub(*at) < OWNER_FOR
        {
            return Ok((owner.clone(), false));
        }
        let owner = people::owner(&self.api, address).await?;
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        if owners.len() >= MOST_REMEMBERED {
            owners.clear();
        }
        owners.insert(address.clone(), (owner.clone(), now));
        Ok((owner, true))
    }

    /// Without a unique property, an unknown outcome must wait until the search would show it: from now on.
    fn doubt(&self, key: MessageKey) {
        let now = self.api.clock.monotonic();
        self.doubts_with_room().insert(key, now);
    }

    fn doubts_with_room(&self) -> MutexGuard<'_, HashMap<MessageKey, Duration>> {
        let mut doubts = self.doubts.lock().unwrap_or_else(PoisonError::into_inner);
        if doubts.len() >= MOST_REMEMBERED {
            doubts.clear();
        }
        doubts
    }

    fn settle(&self, key: MessageKey) {
        self.doubts.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }

    /// An error as long as the search index may not show yet what an earlier attempt stored.
    fn wait_for_index(&self, key: MessageKey) -> Option<CrmError> {
        let now = self.api.clock.monotonic();
        let since = *self.doubts_with_room().entry(key).or_insert(now);
        let left = SEARCH_LAG.saturating_sub(now.saturating_sub(since));
        if left.is_zero() {
            return None;
        }
        let error = CrmError::new(api::thing("looking for an earlier attempt"), Reason::ServerUnavailable)
            .kind(Kind::Row)
            .retry(Retry::After(left))
            .uncertain(true);
        Some(error.told(
            "An earlier attempt may have arrived, and HubSpot's search does not show it yet.",
            "Wait: it is looked for again in a minute.",
        ))
    }
}

#[async_trait::async_trait]
impl Sink for HubspotSink {
    fn name(&self) -> &'static str {
        "hubspot"
    }

    async fn connect(&self) -> Result<Portal, CrmError> {
        Ok(self.found().await?.portal())
    }

    fn most(&self) -> usize {
        people::BATCH
    }

    async fn push(&self, batch: &[Delivery]) -> Vec<Result<Accepted, CrmError>> {
        let answers = push::push(self, batch).await;
        let changed = |e: &CrmError| matches!(e.reason, Reason::CrmTokenRejected | Reason::ScopeMissing);
        if answers.iter().filter_map(|a| a.as_ref().err()).any(changed) {
            // What the portal allows may have changed: look again before the next push.
            *self.found.lock().await = None;
        }
        answers
    }

    fn wants_files(&self) -> bool {
        true
    }

    fn uploads(&self) -> bool {
        true
    }

    async fn upload(&self, file: &DeliveredFile) -> Result<Uploaded, CrmError> {
        let stored = file::upload(&self.api, file).await;
        if let Ok(uploaded) = &stored {
            self.no_files.store(uploaded.remote_id.is_none(), Ordering::Relaxed);
        }
        stored
    }

    fn lacks(&self) -> Option<CrmError> {
        self.no_files.load(Ordering::Relaxed).then(file::not_allowed)
    }

    fn archives(&self) -> bool {
        true
    }

    async fn archive(&self, remote_ids: &[String]) -> Result<(), CrmError> {
        find::archive(&self.api, remote_ids).await
    }

    fn marks_bounced(&self) -> bool {
        true
    }

    async fn mark_bounced(&self, remote_ids: &[String]) -> Result<(), CrmError> {
        email::mark_bounced(&self.api, remote_ids).await
    }

    fn knows_deleted(&self) -> bool {
        true
    }

    async fn deleted(&self, remote_ids: &[String]) -> Result<Vec<String>, CrmError> {
        find::deleted(&self.api, remote_ids).await
    }

    fn has_contacts(&self) -> bool {
        true
    }

    async fn contacts(&self, cursor: Option<&str>) -> Result<ContactPage, CrmError> {
        pull::page(&self.api, cursor).await
    }
}
