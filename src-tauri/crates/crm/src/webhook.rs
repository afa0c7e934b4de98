//! A signed webhook (Standard Webhooks 1.0).
//!
//! The receiver keeps doubles away: `webhook-id` is the message's key, the same on every attempt and every computer.

use crate::error::{CrmError, Kind, Retry};
use crate::http;
use crate::secret::Secret;
use crate::sink::{
    Accepted, ContactPage, Dedupe, DeliveredFile, Delivery, Egress, How, Portal, Sink, Uploaded,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::{Client, Response, Url};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use std::sync::Arc;
use std::time::Duration;
use threadline_core::clock::Clock;
use threadline_core::envelope::clean;
use threadline_core::reason::Reason;

const THING: &str = "the webhook";
/// Posts under way at the same time.
const AT_ONCE: usize = 8;
/// Largest file that is sent, in bytes; in base64 it is a third larger.
pub const MOST_FILE: usize = 10 * 1024 * 1024;
/// Longest id and longest link taken from an answer, in characters.
const MOST_ID: usize = 200;
const MOST_LINK: usize = 2_000;

/// What a webhook needs.
#[derive(Clone)]
pub struct WebhookSettings {
    /// Where to post to: https, or this very computer.
    pub url: String,
    /// `whsec_…`, shared with the receiver.
    pub secret: Secret,
    /// Longest time for one request.
    pub timeout: Duration,
}

impl WebhookSettings {
    pub fn new(url: impl Into<String>, secret: Secret) -> Self {
        Self { url: url.into(), secret, timeout: http::TIMEOUT }
    }
}

/// The address may hold a token of its own.
impl std::fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookSettings").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for WebhookSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookSink").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

/// Posts each message to one address.
pub struct WebhookSink {
    url: Url,
    secret: Secret,
    client: Client,
    clock: Arc<dyn Clock>,
    timeout: Duration,
}

impl WebhookSink {
    /// Fails where the address is not encrypted or the secret is not one.
    pub fn new(settings: WebhookSettings, clock: Arc<dyn Clock>) -> Result<Self, CrmError> {
        let url = http::parse_url("the webhook's address", &settings.url)?;
        let client = http::client(THING, &url, settings.timeout)?;
        let sink = Self { url, secret: settings.secret, client, clock, timeout: settings.timeout };
        signer(&sink.secret)?;
        Ok(sink)
    }

    async fn post(&self, delivery: &Delivery) -> Result<Accepted, CrmError> {
        let mut data = serde_json::to_value(&delivery.record).map_err(|_| broken())?;
        let files: Vec<Value> = delivery
            .files
            .iter()
            .filter_map(|file| {
                let key = file.remote_id.as_ref()?;
                Some(json!({"key": key, "name": file.name, "media_type": file.media_type, "size": file.bytes.len()}))
            })
            .collect();
        if !files.is_empty() {
            data["files"] = files.into();
        }
        let sent = egress("event", &data);
        let key = delivery.record.key.to_string();
        let said = self.say(&key, "email.logged", data, &sent).await?;
        let id = match &said["id"] {
            Value::String(id) => Some(clean(id, MOST_ID)),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        };
        let link = said["url"].as_str().map(|url| clean(url, MOST_LINK));
        Ok(Accepted {
            remote_id: id.filter(|id| !id.is_empty()),
            link: link.filter(|url| url.starts_with("https://") || url.starts_with("http://")),
            how: How::Created,
            sent,
            contacts: Vec::new(),
        })
    }

    /// Posts one event and gives what the receiver said to it. `key` is the same on every attempt.
    async fn say(&self, key: &str, kind: &str, data: Value, sent: &[Egress]) -> Result<Value, CrmError> {
        let now = self.clock.now();
        let body = json!({"type": kind, "timestamp": now.to_string(), "data": data}).to_string();
        let seconds = now.as_second();
        let signature = signer(&self.secret)?.sign(key, seconds, body.as_bytes()).map_err(|_| broken())?;
        let answer = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("webhook-id", key)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signature)
            .header("idempotency-key", key)
            .timeout(self.timeout + http::patience(body.len()))
            .body(body)
            .send()
            .await
            .map_err(|e| http::unanswered(THING, e, true));
        let answer = match answer {
            Ok(answer) => answer,
            // It may have arrived.
            Err(error) if error.reached => return Err(error.sent(sent.to_vec())),
            Err(error) => return Err(error),
        };
        let status = answer.status().as_u16();
        tracing::debug!(status, "the webhook answered");
        if !(200..300).contains(&status) {
            return Err(refusal(&answer, status, http::retry_after(&answer, now)).sent(sent.to_vec()));
        }
        // The event is stored: whatever the text of the answer is, it is no failure.
        Ok(match http::body(THING, answer, true).await {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(_) => Value::Null,
        })
    }
}

/// Signs as Standard Webhooks asks.
pub(crate) fn signer(secret: &Secret) -> Result<Webhook, CrmError> {
    // `new` takes an empty key, which anybody could sign with.
    let secret = secret.expose();
    let long_enough = secret.trim_start_matches("whsec_").len() >= 24;
    Webhook::new(secret).ok().filter(|_| long_enough).ok_or_else(|| {
        CrmError::new("the webhook's secret", Reason::CrmTokenRejected).retry(Retry::Never).told(
            "The secret is not whsec_ followed by at least 24 characters of base64.",
            "Copy the whole secret from the receiver and set it again.",
        )
    })
}

fn broken() -> CrmError {
    CrmError::new("the webhook's message", Reason::CrmRejected)
        .kind(Kind::Row)
        .retry(Retry::Never)
        .told("The message cannot be written as JSON.", "It is set aside; send the diagnostics.")
}

fn refusal(answer: &Response, status: u16, pause: Option<Duration>) -> CrmError {
    let error = |reason| CrmError::new(THING, reason).words(&format!("HTTP {status}"));
    match status {
        401 | 403 => error(Reason::CrmTokenRejected).retry(Retry::Never).told(
            "The receiver does not accept the signature.",
            "Compare the secret on both sides and this computer's clock, then set the webhook again.",
        ),
        404 => error(Reason::CrmGone).retry(Retry::Never),
        // Standard Webhooks: the receiver wants no more. Only a person can begin again.
        410 => error(Reason::CrmGone).retry(Retry::At(Timestamp::MAX)).told(
            "The receiver has ended this webhook.",
            "Set it up again at the receiver, then here; or push again with `threadline crm retry webhook`.",
        ),
        429 => error(Reason::Throttled).retry(pause.map_or(Retry::Soon, Retry::After)),
        // The same event is still in work there, and it says for how long; or it came too early (RFC 8470 §5.2).
        409 | 425 if pause.is_some() || status == 425 => error(Reason::ServerUnavailable)
            .kind(Kind::Row)
            .retry(pause.map_or(Retry::Soon, Retry::After))
            .uncertain(true),
        408 | 500..=599 => http::unavailable(THING, status, pause, true),
        300..=399 => {
            let somewhere = answer.headers().contains_key("location");
            error(Reason::ProtocolError).retry(Retry::Never).told(
                if somewhere {
                    "The address sends us to another one."
                } else {
                    "The answer is not one of a webhook."
                },
                "Set the address that the receiver has now.",
            )
        }
        _ => error(Reason::CrmRejected).kind(Kind::Row).retry(Retry::Never),
    }
}

fn egress(object: &str, data: &Value) -> Vec<Egress> {
    data.as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
        .map(|(field, value)| Egress {
            object: object.into(),
            remote_id: None,
            field: field.clone(),
            bytes: value.as_str().map_or_else(|| value.to_string().len(), str::len) as u64,
        })
        .collect()
}

#[async_trait::async_trait]
impl Sink for WebhookSink {
    fn name(&self) -> &'static str {
        "webhook"
    }

    /// Asks nothing of the receiver: Standard Webhooks has no question that stores nothing.
    async fn connect(&self) -> Result<Portal, CrmError> {
        Ok(Portal {
            name: self.url.host_str().unwrap_or_default().to_owned(),
            id: None,
            dedupe: Dedupe::Receiver,
            missing_scopes: Vec::new(),
        })
    }

    fn most(&self) -> usize {
        AT_ONCE
    }

    async fn push(&self, batch: &[Delivery]) -> Vec<Result<Accepted, CrmError>> {
        futures::future::join_all(batch.iter().map(|delivery| self.post(delivery))).await
    }

    fn wants_files(&self) -> bool {
        true
    }

    fn uploads(&self) -> bool {
        true
    }

    /// An event of its own, before the message's: the same contents under the same name have the same id on every computer.
    /// What is larger than [`MOST_FILE`] is not sent, and the message does not name it.
    async fn upload(&self, file: &DeliveredFile) -> Result<Uploaded, CrmError> {
        if file.bytes.len() > MOST_FILE {
            return Ok(Uploaded::default());
        }
        let hash: String = file.hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = format!("file-{hash}");
        let data = json!({
            "key": key,
            "name": file.name,
            "media_type": file.media_type,
            "size": file.bytes.len(),
            "content": STANDARD.encode(&file.bytes),
        });
        let sent = egress("file", &data);
        self.say(&key, "email.file", data, &sent).await?;
        Ok(Uploaded { remote_id: Some(key), sent })
    }

    fn has_contacts(&self) -> bool {
        false
    }

    async fn contacts(&self, _cursor: Option<&str>) -> Result<ContactPage, CrmError> {
        Ok(ContactPage { first_pull_done: true, ..ContactPage::default() })
    }
}
