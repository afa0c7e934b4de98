//! A webhook receiver that verifies the signature by its own reckoning and keeps doubles away by the id.

use crate::hubspot::Fault;
use crate::hubspot::web::{Answer, Ask, WebServer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The path that takes messages.
const PATH: &str = "/hook";
/// The path that lists mails that are to be sent, and takes what became of them.
const SENDS: &str = "/sends";

type Chaos = Box<dyn FnMut() -> Option<Fault> + Send>;

/// One attempt as it arrived.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub id: String,
    pub timestamp: String,
    pub signature: String,
    pub idempotency_key: String,
    /// The bytes that were signed.
    pub body: String,
}

#[derive(Default)]
struct State {
    attempts: Vec<Attempt>,
    /// By id: what a receiver that dedupes has in the end.
    stored: BTreeMap<String, Value>,
    faults: VecDeque<Planned>,
    chaos: Option<Chaos>,
    violations: Vec<String>,
    /// What is listed to be sent, and the answers to it, as they came.
    wanted: Vec<Value>,
    answers: Vec<Value>,
    /// Answers are taken and not believed: what is listed stays.
    forgetful: bool,
}

enum Planned {
    Fault(Fault),
    /// A status and a Retry-After.
    Later(u16, String),
    /// This answer's text, after storing.
    Text(String),
}

/// A running receiver. It stops when dropped.
pub struct WebhookReceiver {
    state: Arc<Mutex<State>>,
    server: WebServer,
    secret: String,
}

impl std::fmt::Debug for WebhookReceiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookReceiver").field("server", &self.server).finish_non_exhaustive()
    }
}

impl WebhookReceiver {
    /// Starts on a free port with a secret of its own.
    pub async fn start() -> std::io::Result<Self> {
        let key = b"a key that only tests have".to_vec();
        let secret = format!("whsec_{}", STANDARD.encode(&key));
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let server = WebServer::start(move |ask| {
            let answer = serve(&shared, &key, &ask);
            async move { answer }
        })
        .await?;
        Ok(Self { state, server, secret })
    }

    /// Where to post to.
    pub fn url(&self) -> String {
        format!("{}{PATH}", self.server.url())
    }

    /// Where mails that are to be sent are listed.
    pub fn sends_url(&self) -> String {
        format!("{}{SENDS}", self.server.url())
    }

    /// Lists a mail that is to be sent, until it is answered.
    pub fn want(&self, request: Value) {
        self.state().wanted.push(request);
    }

    /// What was listed stays listed, whatever is answered: the answers get lost.
    pub fn forget_answers(&self, forgetful: bool) {
        self.state().forgetful = forgetful;
    }

    /// What is still listed.
    pub fn wanted(&self) -> Vec<Value> {
        self.state().wanted.clone()
    }

    /// What became of the mails, one value a mail, as it came.
    pub fn answers(&self) -> Vec<Value> {
        self.state().answers.clone()
    }

    /// `whsec_…`
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The next request meets `fault`.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push_back(Planned::Fault(fault));
    }

    /// The next request is answered by `status` and a Retry-After.
    pub fn later(&self, status: u16, retry_after: &str) {
        self.state().faults.push_back(Planned::Later(status, retry_after.to_owned()));
    }

    /// The next message is stored and answered by this text.
    pub fn answer(&self, text: &str) {
        self.state().faults.push_back(Planned::Text(text.to_owned()));
    }

    /// Asked for each request; `None` lets it pass.
    pub fn chaos(&self, chaos: impl FnMut() -> Option<Fault> + Send + 'static) {
        self.state().chaos = Some(Box::new(chaos));
    }

    /// Ends all faults.
    pub fn calm(&self) {
        let mut state = self.state();
        state.chaos = None;
        state.faults.clear();
    }

    /// What is stored, by id.
    pub fn stored(&self) -> BTreeMap<String, Value> {
        self.state().stored.clone()
    }

    /// Every attempt whose signature was right, oldest first.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.state().attempts.clone()
    }

    /// What was wrong; taking it keeps the drop from failing.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.state().violations)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for WebhookReceiver {
    fn drop(&mut self) {
        let violations = self.take_violations();
        if !std::thread::panicking() {
            assert!(violations.is_empty(), "the webhook was not as agreed:\n{}", violations.join("\n"));
        }
    }
}

fn serve(state: &Mutex<State>, key: &[u8], ask: &Ask) -> Answer {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    if ask.path == SENDS {
        return sends(&mut state, key, ask);
    }
    let attempt = match check(key, ask) {
        Ok(attempt) => attempt,
        Err(wrong) => {
            state.violations.push(wrong);
            return say(401, json!({"error": "signature"}).to_string());
        }
    };
    state.attempts.push(attempt.clone());
    let planned = state.faults.pop_front();
    let planned = planned.or_else(|| state.chaos.as_mut().and_then(|chaos| chaos()).map(Planned::Fault));
    match &planned {
        Some(Planned::Fault(Fault::DropBefore)) => return Answer::HangUp,
        Some(Planned::Fault(Fault::SilentBefore)) => return Answer::Silence,
        Some(Planned::Fault(Fault::Status(status))) => return say(*status, "no".into()),
        Some(Planned::Fault(Fault::TenSecondly | Fault::Daily)) => return say(429, "slower".into()),
        Some(Planned::Later(status, when)) => {
            let headers = vec![("retry-after", when.clone())];
            return Answer::Say { status: *status, headers, body: Vec::new() };
        }
        _ => {}
    }
    let body = serde_json::from_str(&attempt.body).unwrap_or_default();
    let number = state.stored.len() + 1;
    state.stored.entry(attempt.id.clone()).or_insert(body);
    match planned {
        Some(Planned::Fault(Fault::DropAfter)) => Answer::HangUp,
        Some(Planned::Fault(Fault::SilentAfter)) => Answer::Silence,
        Some(Planned::Fault(Fault::StatusAfter(status))) => say(status, "late".into()),
        Some(Planned::Fault(Fault::Garbage)) => say(200, "<html>".into()),
        Some(Planned::Text(text)) => say(200, text),
        _ => say(200, json!({"id": number, "url": format!("https://crm.example/{number}")}).to_string()),
    }
}

/// The list of mails that are to be sent, and the answers to it.
fn sends(state: &mut State, key: &[u8], ask: &Ask) -> Answer {
    let body = String::from_utf8_lossy(&ask.body).into_owned();
    let [id, timestamp, signature] =
        ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| ask.header(name).to_owned());
    if id.is_empty() || signature != signed(key, &id, &timestamp, &body) {
        state.violations.push(format!("the signature of {} {SENDS} is wrong", ask.method));
        return say(401, "signature".into());
    }
    if ask.method == "GET" {
        return say(200, json!({ "sends": state.wanted }).to_string());
    }
    let event: Value = serde_json::from_str(&body).unwrap_or_default();
    let Some(answers) = event["data"]["sends"].as_array().filter(|_| event["type"] == "sends.taken") else {
        state.violations.push(format!("this answers nothing: {body}"));
        return say(400, "what?".into());
    };
    if !state.forgetful {
        state.wanted.retain(|wanted| !answers.iter().any(|answer| answer["id"] == wanted["id"]));
    }
    state.answers.extend(answers.iter().cloned());
    say(204, String::new())
}

/// Standard Webhooks 1.0: HMAC-SHA256 of `id.timestamp.body`.
fn signed(key: &[u8], id: &str, timestamp: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key);
    let mac = mac.map(|mac| mac.chain_update(format!("{id}.{timestamp}.{body}")).finalize().into_bytes());
    mac.map(|bytes| format!("v1,{}", STANDARD.encode(bytes))).unwrap_or_default()
}

fn say(status: u16, body: String) -> Answer {
    Answer::Say {
        status,
        headers: vec![("content-type", "application/json".into())],
        body: body.into_bytes(),
    }
}

/// A message as it must be.
fn check(key: &[u8], ask: &Ask) -> Result<Attempt, String> {
    if ask.method != "POST" || ask.path != PATH {
        return Err(format!("{} {} is not where messages go", ask.method, ask.path));
    }
    let body = String::from_utf8(ask.body.to_vec()).map_err(|_| "the body is not text")?;
    let attempt = Attempt {
        id: ask.header("webhook-id").to_owned(),
        timestamp: ask.header("webhook-timestamp").to_owned(),
        signature: ask.header("webhook-signature").to_owned(),
        idempotency_key: ask.header("idempotency-key").to_owned(),
        body,
    };
    let want = signed(key, &attempt.id, &attempt.timestamp, &attempt.body);
    if attempt.signature != want {
        return Err("the signature is wrong".into());
    }
    let event: Value = serde_json::from_str(&attempt.body).map_err(|_| "the body is not JSON")?;
    let known = event["type"] == "email.logged" || event["type"] == "email.file";
    if !known || event["data"]["key"] != attempt.id.as_str() {
        return Err("the event has another type or another key than its id".into());
    }
    if attempt.idempotency_key != attempt.id {
        return Err("the idempotency key is another one than the id".into());
    }
    Ok(attempt)
}
