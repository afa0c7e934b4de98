//! What the tests stand on: messages, a queue in memory, a timer that turns the clock.

use bytes::Bytes;
use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use threadline_core::address::{Address, Mailbox};
use threadline_core::clock::Clock;
use threadline_core::id::{MessageId, MessageKey};
use threadline_core::record::{Association, Direction, Record};
use threadline_core::rule::Rule;
use threadline_crm::{
    Accepted, CrmError, DeliveredFile, Delivery, HubspotSettings, HubspotSink, Leased, Queue, QueueError,
    Secret, Timer, Uploaded, Worker,
};
use threadline_testkit::clock::HandClock;
use threadline_testkit::hubspot::{FakeHubspot, Options};

pub const BCC: &str = "hidden@secret.example";

/// Waiting turns the clock.
#[derive(Debug, Clone)]
pub struct TurningTimer(pub HandClock);

#[async_trait::async_trait]
impl Timer for TurningTimer {
    async fn sleep(&self, duration: Duration) {
        self.0.advance(duration);
        tokio::task::yield_now().await;
    }
}

pub fn clock() -> HandClock {
    HandClock::at("2026-03-04T10:00:00Z".parse().unwrap())
}

pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

/// A mail with a Message-ID, to one contact, whose raw form holds a Bcc.
pub fn delivery(n: usize, to: &str, remote_id: Option<&str>) -> Delivery {
    let id = format!("mail-{n}@Own.example");
    let id = MessageId::parse(&id).unwrap();
    let to = address(to);
    let subject = format!("Offer {n}");
    let raw = format!(
        "From: Sam Seller <sam@own.example>\r\nTo: {to}\r\nBcc: {BCC}\r\nMessage-ID: <{id}>\r\nSubject: {subject}\r\n\r\nDear Ann {n}\r\n"
    );
    Delivery {
        files: Vec::new(),
        record: Record {
            key: MessageKey::of_id(&id),
            message_id: Some(id.to_string()),
            ids: vec![id.to_string()],
            in_reply_to: None,
            thread: MessageKey::of_id(&id),
            direction: Direction::Outgoing,
            date: "2026-03-04T09:59:00Z".parse().unwrap(),
            from: Some(Mailbox::new(Some("Sam Seller".into()), address("sam@own.example"))),
            to: vec![Mailbox::new(Some("Ann van Lee".into()), to.clone())],
            cc: Vec::new(),
            subject,
            text: format!("Dear Ann {n}"),
            html: Some(format!("<p>Dear Ann {n}</p>")),
            attachments: Vec::new(),
            truncated: false,
            contacts: vec![Association {
                address: to,
                name: Some("Ann van Lee".into()),
                remote_id: remote_id.map(str::to_owned),
                may_create: true,
            }],
            account: address("sam@own.example"),
            rule: Rule::SentToContact,
        },
        raw: Bytes::from(raw),
        uncertain: false,
        awaited: None,
    }
}

pub fn hubspot(portal: &FakeHubspot, clock: &HandClock) -> HubspotSink {
    hubspot_with(portal, clock, &Options::default().token, Duration::from_secs(30))
}

pub fn hubspot_with(portal: &FakeHubspot, clock: &HandClock, token: &str, timeout: Duration) -> HubspotSink {
    let mut settings = HubspotSettings::new(Secret::new(token));
    settings.base = portal.url();
    settings.timeout = timeout;
    HubspotSink::new(settings, Arc::new(clock.clone()), Arc::new(TurningTimer(clock.clone()))).unwrap()
}

pub async fn portal(options: Options, clock: &HandClock) -> FakeHubspot {
    FakeHubspot::start(options, Arc::new(clock.clone())).await.unwrap()
}

pub fn worker(clock: &HandClock) -> Worker {
    Worker::new(Arc::new(TurningTimer(clock.clone())), || 0.5)
}

#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    Waiting(Timestamp),
    Accepted(Accepted),
    SetAside(CrmError),
}

#[derive(Debug, Clone)]
pub struct Row {
    pub delivery: Delivery,
    pub attempts: u32,
    pub fate: Fate,
    pub leased: bool,
    pub errors: Vec<CrmError>,
}

/// An outbox in memory that keeps its promises as the ledger does.
#[derive(Debug)]
pub struct MemoryQueue {
    pub rows: Mutex<Vec<Row>>,
    /// Files that went not: the row, the name, and how many fields left the computer for it.
    pub refused: Mutex<Vec<(i64, String, usize)>>,
    clock: HandClock,
}

impl MemoryQueue {
    pub fn new(clock: &HandClock, deliveries: Vec<Delivery>) -> Self {
        let now = clock.now();
        let row = |delivery| Row {
            delivery,
            attempts: 0,
            fate: Fate::Waiting(now),
            leased: false,
            errors: Vec::new(),
        };
        Self {
            rows: Mutex::new(deliveries.into_iter().map(row).collect()),
            clock: clock.clone(),
            refused: Mutex::default(),
        }
    }

    pub fn rows(&self) -> Vec<Row> {
        self.rows.lock().unwrap().clone()
    }

    pub fn waiting(&self) -> usize {
        self.rows().iter().filter(|r| matches!(r.fate, Fate::Waiting(_))).count()
    }

    /// What a kill and a restart do: what was under way comes back in doubt.
    pub fn restart(&self) {
        for row in self.rows.lock().unwrap().iter_mut().filter(|r| r.leased) {
            row.leased = false;
            row.delivery.uncertain = true;
        }
    }

    /// Turns the clock to the next row.
    pub async fn turn(&self) {
        if let Some(due) = self.next_due().await.unwrap() {
            let wait = due.duration_since(self.clock.now());
            self.clock.advance(Duration::try_from(wait).unwrap_or_default());
        }
    }

    fn change(&self, id: i64, change: impl FnOnce(&mut Row)) {
        let mut rows = self.rows.lock().unwrap();
        let row = &mut rows[usize::try_from(id).unwrap()];
        assert!(row.leased, "an answer for a row that is not under way");
        row.leased = false;
        change(row);
    }
}

#[async_trait::async_trait]
impl Queue for MemoryQueue {
    async fn lease(&self, most: usize) -> Result<Vec<Leased>, QueueError> {
        let now = self.clock.now();
        let mut leased = Vec::new();
        for (id, row) in self.rows.lock().unwrap().iter_mut().enumerate() {
            if leased.len() < most && !row.leased && matches!(row.fate, Fate::Waiting(at) if at <= now) {
                row.leased = true;
                leased.push(Leased {
                    id: i64::try_from(id).unwrap(),
                    attempts: row.attempts,
                    delivery: row.delivery.clone(),
                });
            }
        }
        Ok(leased)
    }

    async fn uploaded(&self, id: i64, file: &DeliveredFile, uploaded: Uploaded) -> Result<(), QueueError> {
        let mut rows = self.rows.lock().unwrap();
        let files = &mut rows[usize::try_from(id).unwrap()].delivery.files;
        for own in files.iter_mut().filter(|own| own.hash == file.hash) {
            own.remote_id.clone_from(&uploaded.remote_id);
        }
        Ok(())
    }

    async fn refused(&self, id: i64, file: &DeliveredFile, error: &CrmError) -> Result<(), QueueError> {
        self.refused.lock().unwrap().push((id, file.name.clone(), error.sent.len()));
        Ok(())
    }

    async fn accepted(&self, id: i64, accepted: Accepted) -> Result<(), QueueError> {
        self.change(id, |row| row.fate = Fate::Accepted(accepted));
        Ok(())
    }

    async fn retry_later(&self, id: i64, error: &CrmError, at: Timestamp) -> Result<(), QueueError> {
        assert!(at > self.clock.now(), "a retry without a wait");
        self.change(id, |row| {
            row.fate = Fate::Waiting(at);
            row.attempts += 1;
            row.delivery.uncertain |= error.uncertain;
            row.errors.push(error.clone());
        });
        Ok(())
    }

    async fn set_aside(&self, id: i64, error: &CrmError) -> Result<(), QueueError> {
        self.change(id, |row| row.fate = Fate::SetAside(error.clone()));
        Ok(())
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, QueueError> {
        Ok(self
            .rows()
            .iter()
            .filter(|r| !r.leased)
            .filter_map(|r| match r.fate {
                Fate::Waiting(at) => Some(at),
                _ => None,
            })
            .min())
    }
}

/// Small numbers from a seed (xorshift64*).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides as u64).unwrap()
    }
}

/// A seed of the day, or the one that `THREADLINE_SEED` names; printed, so that a failure can be repeated.
#[allow(clippy::print_stdout, reason = "shown when the test fails")]
pub fn seed() -> u64 {
    let seed = std::env::var("THREADLINE_SEED").ok().and_then(|s| s.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::try_from(Timestamp::now().as_microsecond()).unwrap());
    println!("THREADLINE_SEED={seed}");
    seed
}
