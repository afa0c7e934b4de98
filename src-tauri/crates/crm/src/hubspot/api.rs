//! One request to HubSpot, and what its refusals mean.

use super::pace::Pace;
use crate::error::{CrmError, Kind, Retry};
use crate::http;
use crate::secret::Secret;
use crate::timer::Timer;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::multipart::Form;
use reqwest::{Client, Method, Url};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use threadline_core::clock::Clock;
use threadline_core::reason::Reason;

/// Asked for before the portal has told its own limit.
const CAREFUL: u32 = 90;
/// Waits for a place before a request goes out all the same; the portal's 429 is the second net.
const MOST_WAITS: usize = 20;

/// Speaks to one portal.
#[derive(Debug)]
pub(super) struct Api {
    base: Url,
    token: Secret,
    client: Client,
    pub clock: Arc<dyn Clock>,
    timer: Arc<dyn Timer>,
    pace: Mutex<Pace>,
    searches: Mutex<Pace>,
    zone: Mutex<TimeZone>,
    /// For a request that carries little.
    timeout: Duration,
}

/// One request.
#[derive(Debug)]
pub(super) struct Call {
    /// For errors: `saving the emails`.
    pub step: &'static str,
    pub method: Method,
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    pub body: Option<Value>,
    /// Something may be stored by it.
    pub write: bool,
}

impl Call {
    pub fn get(step: &'static str, path: impl Into<String>) -> Self {
        Self { step, method: Method::GET, path: path.into(), query: Vec::new(), body: None, write: false }
    }

    /// A POST that only asks.
    pub fn ask(step: &'static str, path: impl Into<String>, body: Value) -> Self {
        Self {
            step,
            method: Method::POST,
            path: path.into(),
            query: Vec::new(),
            body: Some(body),
            write: false,
        }
    }

    /// A POST that stores.
    pub fn store(step: &'static str, path: impl Into<String>, body: Value) -> Self {
        Self { write: true, ..Self::ask(step, path, body) }
    }
}

/// An answer that the caller can use: 2xx, or a refusal of the data (400, 404, 409, 413).
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub body: Value,
    /// The portal's own time.
    pub date: Option<Timestamp>,
    step: &'static str,
}

impl Answer {
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// HubSpot's `message`.
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    /// The refusal as an error about the rows of the request.
    pub fn refused(&self, kind: Kind) -> CrmError {
        let words = match self.message() {
            "" => format!("HTTP {}", self.status),
            message => message.to_owned(),
        };
        CrmError::new(thing(self.step), Reason::CrmRejected).kind(kind).words(&words).retry(Retry::Never)
    }

    /// The items of `results`.
    pub fn results(&self) -> impl Iterator<Item = &Value> {
        self.body["results"].as_array().into_iter().flatten()
    }

    /// The items of `errors` in a 207.
    pub fn errors(&self) -> impl Iterator<Item = &Value> {
        self.body["errors"].as_array().into_iter().flatten()
    }

    /// Fails unless it is 2xx.
    pub fn ok(self) -> Result<Self, CrmError> {
        match self.status {
            200..300 => Ok(self),
            404 => Err(CrmError::new(thing(self.step), Reason::CrmGone)
                .retry(Retry::Never)
                .words(self.message())),
            // What was asked is refused: one of the rows that it was asked for may be at fault.
            _ => Err(self.refused(Kind::Batch)),
        }
    }
}

pub(super) fn thing(step: &str) -> String {
    format!("HubSpot, {step}")
}

impl Api {
    pub fn new(
        base: Url,
        token: Secret,
        client: Client,
        clock: Arc<dyn Clock>,
        timer: Arc<dyn Timer>,
        searches: u32,
        timeout: Duration,
    ) -> Self {
        Self {
            base,
            token,
            client,
            clock,
            timer,
            pace: Mutex::new(Pace::new(CAREFUL, Duration::from_secs(10))),
            searches: Mutex::new(Pace::new(searches, Duration::from_secs(1))),
            zone: Mutex::new(TimeZone::UTC),
            timeout,
        }
    }

    /// The daily limit ends at midnight here.
    pub fn set_zone(&self, zone: TimeZone) {
        *self.zone.lock().unwrap_or_else(PoisonError::into_inner) = zone;
    }

    /// Sends a request. An error concerns the whole sink, but for its `uncertain`.
    pub async fn call(&self, call: Call) -> Result<Answer, CrmError> {
        self.send(call, None).await
    }

    /// The same with a form of so many bytes instead of JSON.
    pub async fn send(&self, call: Call, form: Option<(Form, usize)>) -> Result<Answer, CrmError> {
        let thing = thing(call.step);
        self.wait(&self.pace).await;
        if call.path.ends_with("/search") {
            self.wait(&self.searches).await;
        }
        let url = format!("{}{}", self.base.as_str().trim_end_matches('/'), call.path);
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", self.token.expose())).map_err(|_| {
            CrmError::new("the HubSpot token", Reason::CrmTokenRejected)
                .retry(Retry::Never)
                .reached(false)
                .told("The token holds characters that no token has.", "Paste the token again.")
        })?;
        bearer.set_sensitive(true);
        let mut request =
            self.client.request(call.method, url).query(&call.query).header(AUTHORIZATION, bearer);
        if let Some(body) = &call.body {
            let body = body.to_string();
            let timeout = self.timeout + http::patience(body.len());
            request = request.header(CONTENT_TYPE, "application/json").timeout(timeout).body(body);
        }
        if let Some((form, bytes)) = form {
            request = request.multipart(form).timeout(self.timeout + http::patience(bytes));
        }
        let asked = self.clock.monotonic();
        let answer = request.send().await.map_err(|e| http::unanswered(&thing, e, call.write))?;
        self.learn(answer.headers());
        let status = answer.status();
        let ms = self.clock.monotonic().saturating_sub(asked).as_millis();
        tracing::debug!(status = status.as_u16(), ms, "HubSpot answered, {}", call.step);
        let date = http::date(answer.headers());
        let pause = http::retry_after(&answer, self.clock.now());
        let bytes = match http::body(&thing, answer, call.write).await {
            Ok(bytes) => bytes,
            // A refusal whose text was cut off is a refusal all the same.
            Err(_) if status.is_client_error() => Vec::new(),
            Err(error) => return Err(error),
        };
        let parsed = serde_json::from_slice::<Value>(&bytes);
        let code = status.as_u16();
        match code {
            200..300 => match parsed {
                Ok(body) => Ok(Answer { status: code, body, date, step: call.step }),
                Err(_) if bytes.is_empty() => {
                    Ok(Answer { status: code, body: Value::Null, date, step: call.step })
                }
                Err(_) => Err(CrmError::new(thing, Reason::ProtocolError)
                    .words("the answer is not JSON")
                    .uncertain(call.write)),
            },
            400 | 404 | 409 | 413 => {
                Ok(Answer { status: code, body: parsed.unwrap_or_default(), date, step: call.step })
            }
            _ => Err(self.refusal(&thing, code, &parsed.unwrap_or_default(), pause, call.write)),
        }
    }

    fn refusal(
        &self,
        thing: &str,
        code: u16,
        body: &Value,
        pause: Option<Duration>,
        write: bool,
    ) -> CrmError {
        let words = body["message"].as_str().unwrap_or_default();
        let error = |reason| CrmError::new(thing, reason).words(words);
        match code {
            401 => error(Reason::CrmTokenRejected).retry(Retry::Never),
            403 => {
                let scopes = scopes(body);
                let error = error(Reason::ScopeMissing).retry(Retry::Never);
                if scopes.is_empty() {
                    error
                } else {
                    error.words(&format!("missing scopes: {}", scopes.join(", ")))
                }
            }
            410 => error(Reason::CrmGone).retry(Retry::Never),
            429 if body["policyName"].as_str().is_some_and(|p| p.contains("DAILY")) => {
                error(Reason::CrmDailyLimit).retry(Retry::At(self.midnight()))
            }
            429 => {
                let secondly = body["policyName"] == "SECONDLY";
                let usual = Duration::from_secs(if secondly { 1 } else { 10 });
                error(Reason::Throttled).retry(Retry::After(pause.unwrap_or(usual)))
            }
            // 423: too many at once on one object. 477: the portal is being moved to another data centre.
            423 | 477 | 500..600 => http::unavailable(thing, code, pause, write && code >= 500),
            _ if (300..400).contains(&code) => {
                error(Reason::ProtocolError).words(&format!("HTTP {code}, which sends us elsewhere"))
            }
            _ => error(Reason::CrmRejected).kind(Kind::Batch).retry(Retry::Never),
        }
    }

    /// The next midnight in the portal's time zone.
    fn midnight(&self) -> Timestamp {
        let zone = self.zone.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = self.clock.now();
        now.to_zoned(zone)
            .tomorrow()
            .and_then(|day| day.start_of_day())
            .map_or(now, |midnight| midnight.timestamp())
    }

    async fn wait(&self, pace: &Mutex<Pace>) {
        for _ in 0..MOST_WAITS {
            let place = pace.lock().unwrap_or_else(PoisonError::into_inner).take(self.clock.monotonic());
            match place {
                Ok(()) => return,
                Err(wait) => self.timer.sleep(wait).await,
            }
        }
    }

    fn learn(&self, headers: &HeaderMap) {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.parse::<u32>().ok();
        let Some(left) = number("x-hubspot-ratelimit-remaining") else { return };
        let most = number("x-hubspot-ratelimit-max").unwrap_or(0);
        let interval = number("x-hubspot-ratelimit-interval-milliseconds").unwrap_or(0);
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        pace.learn(most, left, Duration::from_millis(interval.into()), self.clock.monotonic());
    }
}

/// The scopes that a 403 names.
fn scopes(body: &Value) -> Vec<String> {
    body["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|e| ["requiredGranularScopes", "requiredScopes"].map(|name| &e["context"][name]))
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(|s| Some(s.as_str()?.to_owned()))
        .collect()
}
