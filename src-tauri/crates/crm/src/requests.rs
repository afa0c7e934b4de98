//! Mails that a webhook's receiver wants sent: a list that is asked for, signed as Standard Webhooks signs (with an empty body),
//! and an answer that says what was taken.
//!
//! The receiver lists a request until it is answered. Whoever takes them keeps doubles away by the request's id.

use crate::error::{CrmError, Retry};
use crate::http;
use crate::secret::Secret;
use crate::sink::Egress;
use crate::webhook::signer;
use jiff::Timestamp;
use reqwest::{Client, RequestBuilder, Response, Url};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use threadline_core::address::{Address, Mailbox};
use threadline_core::clock::Clock;
use threadline_core::reason::Reason;

const THING: &str = "the list of mails to be sent";
/// Most requests taken from one list.
pub const MOST: usize = 100;
/// Longest id of a request, in characters.
pub const MOST_ID: usize = 200;

/// A mail that is wanted. Fields that are not known are passed over.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Request {
    /// The receiver's own; the same for the same mail, whenever it is listed.
    pub id: String,
    /// The mailbox to send from; none where there is only one.
    #[serde(default)]
    pub from: Option<Address>,
    #[serde(default)]
    pub to: Vec<Mailbox>,
    #[serde(default)]
    pub cc: Vec<Mailbox>,
    #[serde(default)]
    pub bcc: Vec<Mailbox>,
    #[serde(default)]
    pub subject: Option<String>,
    #[serde(default)]
    pub text: Option<String>,
    #[serde(default)]
    pub html: Option<String>,
    /// The name of a template that the person has.
    #[serde(default)]
    pub template: Option<String>,
    /// Variables for it.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// When it goes.
    #[serde(default)]
    pub at: Option<Timestamp>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").finish_non_exhaustive()
    }
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Taken {
    pub id: String,
    /// False where it is not sent, and why.
    pub taken: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    sends: Vec<serde_json::Value>,
}

/// Where the requests are.
pub struct Requests {
    url: Url,
    secret: Secret,
    client: Client,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Requests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Requests").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

impl Requests {
    /// Fails where the address is not encrypted or the secret is not one.
    pub fn new(url: &str, secret: Secret, clock: Arc<dyn Clock>) -> Result<Self, CrmError> {
        let url = http::parse_url(THING, url)?;
        let client = http::client(THING, &url, http::TIMEOUT)?;
        signer(&secret)?;
        Ok(Self { url, secret, client, clock })
    }

    /// Asks for the list; `call` is an id that no other call has. What cannot be read of it is given by its id alone, where it has
    /// one.
    pub async fn list(&self, call: &str) -> Result<Vec<Result<Request, String>>, CrmError> {
        let asked = self.signed(self.client.get(self.url.clone()), call, "")?;
        let answer = asked.send().await.map_err(|e| http::unanswered(THING, e, false))?;
        let answer = self.accepted(answer)?;
        if answer.status().as_u16() == 204 {
            return Ok(Vec::new());
        }
        let bytes = http::body(THING, answer, false).await?;
        let list: List = serde_json::from_slice(&bytes).map_err(|_| {
            CrmError::new(THING, Reason::ProtocolError).retry(Retry::Never).told(
                "It is not the JSON that the documentation describes.",
                "Ask whoever runs the receiver.",
            )
        })?;
        Ok(list.sends.into_iter().take(MOST).filter_map(read).collect())
    }

    /// Says what became of them; gives what left for it. The same answer has the same `call`.
    pub async fn answer(&self, call: &str, taken: &[Taken]) -> Result<Vec<Egress>, CrmError> {
        let sent = left(taken);
        let now = self.clock.now();
        let body = json!({"type": "sends.taken", "timestamp": now.to_string(), "data": {"sends": taken}});
        let body = body.to_string();
        let post = self.client.post(self.url.clone()).header("content-type", "application/json");
        let asked = self.signed(post, call, &body)?.body(body);
        match asked.send().await.map_err(|e| http::unanswered(THING, e, true)) {
            Ok(answer) => match self.accepted(answer) {
                Ok(_) => Ok(sent),
                Err(error) => Err(error.sent(sent)),
            },
            // It may have arrived.
            Err(error) if error.reached => Err(error.sent(sent)),
            Err(error) => Err(error),
        }
    }

    fn signed(&self, asked: RequestBuilder, call: &str, body: &str) -> Result<RequestBuilder, CrmError> {
        let seconds = self.clock.now().as_second();
        let signature = signer(&self.secret)?.sign(call, seconds, body.as_bytes());
        let signature = signature.map_err(|_| CrmError::new(THING, Reason::CrmRejected))?;
        Ok(asked
            .header("webhook-id", call)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signature))
    }

    fn accepted(&self, answer: Response) -> Result<Response, CrmError> {
        let status = answer.status().as_u16();
        let error = |reason| CrmError::new(THING, reason).words(&format!("HTTP {status}"));
        match status {
            200..=299 => Ok(answer),
            401 | 403 => Err(error(Reason::CrmTokenRejected).retry(Retry::Never).told(
                "The receiver does not accept the signature.",
                "Compare the webhook's secret on both sides and this computer's clock.",
            )),
            429 | 408 | 500..=599 => {
                let pause = http::retry_after(&answer, self.clock.now());
                Err(http::unavailable(THING, status, pause, false))
            }
            404 | 410 => Err(error(Reason::CrmGone).retry(Retry::Never)),
            _ => Err(error(Reason::CrmRejected).retry(Retry::Never)),
        }
    }
}

/// What an answer tells, field by field. A reason can name an address of the mail.
fn left(taken: &[Taken]) -> Vec<Egress> {
    let fields = |one: &Taken| {
        let reason = one.reason.as_ref().map(|reason| ("reason", reason.len()));
        let all = [("id", one.id.len()), ("taken", one.taken.to_string().len())].into_iter().chain(reason);
        let field = |(field, bytes): (&str, usize)| Egress {
            object: "send".to_owned(),
            remote_id: Some(one.id.clone()),
            field: field.to_owned(),
            bytes: bytes as u64,
        };
        all.map(field).collect::<Vec<_>>()
    };
    taken.iter().flat_map(fields).collect()
}

/// A request, or the id of one that cannot be read; none where it has no id that can be answered.
fn read(value: serde_json::Value) -> Option<Result<Request, String>> {
    let id = value["id"].as_str()?.to_owned();
    if id.is_empty() || id.chars().count() > MOST_ID || id.chars().any(char::is_control) {
        return None;
    }
    Some(serde_json::from_value(value).map_err(|_| id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_and_what_cannot_be_is_named() {
        let full = json!({
            "id": "r1", "from": "ann@firm.example", "to": [{"address": "Carl@Client.example", "name": "Carl"}],
            "subject": "x", "text": "y", "values": {"offer": "17"}, "at": "2026-11-24T12:00:00Z", "more": 1
        });
        let request = read(full).unwrap().unwrap();
        assert_eq!(request.to[0].address.as_str(), "carl@client.example");
        assert_eq!((request.values["offer"].as_str(), request.html), ("17", None));
        assert_eq!(read(json!({"id": "r2", "to": "carl"})), Some(Err("r2".to_owned())));
        for none in [json!({"to": []}), json!({"id": ""}), json!({"id": 7}), json!({"id": "a\nb"}), json!(1)]
        {
            assert_eq!(read(none.clone()), None, "{none}");
        }
    }
}
