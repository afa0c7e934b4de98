//! The worker: back-off, pauses, isolation.

use crate::bench::*;
use std::sync::Mutex;
use std::time::Duration;
use threadline_core::clock::Clock;
use threadline_core::reason::Reason;
use threadline_crm::{
    Accepted, ContactPage, CrmError, Dedupe, Delivery, How, Kind, OutboxEvent, Portal, Retry, Sink,
};
use tokio::sync::Notify;

type Script = Box<dyn FnMut(&[Delivery]) -> Vec<Result<(), CrmError>> + Send>;

/// A sink that does what a test says.
struct Puppet {
    script: Mutex<Script>,
    most: usize,
}

impl std::fmt::Debug for Puppet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Puppet")
    }
}

fn puppet(
    most: usize,
    script: impl FnMut(&[Delivery]) -> Vec<Result<(), CrmError>> + Send + 'static,
) -> Puppet {
    Puppet { script: Mutex::new(Box::new(script)), most }
}

#[async_trait::async_trait]
impl Sink for Puppet {
    fn name(&self) -> &'static str {
        "puppet"
    }

    async fn connect(&self) -> Result<Portal, CrmError> {
        Ok(Portal { name: "puppet".into(), id: None, dedupe: Dedupe::Index, missing_scopes: Vec::new() })
    }

    fn most(&self) -> usize {
        self.most
    }

    async fn push(&self, batch: &[Delivery]) -> Vec<Result<Accepted, CrmError>> {
        let accepted =
            Accepted { remote_id: None, link: None, how: How::Created, sent: vec![], contacts: vec![] };
        let answers = (self.script.lock().unwrap())(batch);
        answers.into_iter().map(|a| a.map(|()| accepted.clone())).collect()
    }

    fn has_contacts(&self) -> bool {
        false
    }

    async fn contacts(&self, _: Option<&str>) -> Result<ContactPage, CrmError> {
        Ok(ContactPage::default())
    }
}

fn mails(n: usize) -> Vec<Delivery> {
    (0..n).map(|n| delivery(n, "ann@buyer.example", None)).collect()
}

fn fails(error: &CrmError, batch: &[Delivery]) -> Vec<Result<(), CrmError>> {
    batch.iter().map(|_| Err(error.clone())).collect()
}

#[tokio::test]
async fn several_poison_rows_are_found_among_the_good_ones() {
    let clock = clock();
    let error = CrmError::new("the puppet", Reason::CrmRejected).kind(Kind::Batch).retry(Retry::Never);
    let sink = puppet(100, move |batch| {
        let bad = batch
            .iter()
            .any(|d| ["Offer 0", "Offer 41", "Offer 42", "Offer 99"].contains(&d.record.subject.as_str()));
        if bad { fails(&error, batch) } else { batch.iter().map(|_| Ok(())).collect() }
    });
    let queue = MemoryQueue::new(&clock, mails(100));
    let done = worker(&clock).drain_once(&queue, &sink, &clock, |_| {}).await.unwrap();
    assert_eq!((done.accepted, done.set_aside, done.retried), (96, 4, 0));
    let aside: Vec<usize> = queue
        .rows()
        .iter()
        .enumerate()
        .filter(|(_, r)| matches!(r.fate, Fate::SetAside(_)))
        .map(|(n, _)| n)
        .collect();
    assert_eq!(aside, [0, 41, 42, 99]);
}

#[tokio::test]
async fn a_failing_row_backs_off_alone_and_further_each_time() {
    let clock = clock();
    let error = CrmError::new("the puppet", Reason::ServerUnavailable).kind(Kind::Row);
    let sink = puppet(10, move |batch| {
        batch
            .iter()
            .map(|d| if d.record.subject == "Offer 1" { Err(error.clone()) } else { Ok(()) })
            .collect()
    });
    let queue = MemoryQueue::new(&clock, mails(3));
    let worker = worker(&clock);
    let mut waits = Vec::new();
    for _ in 0..16 {
        worker.drain_once(&queue, &sink, &clock, |_| {}).await.unwrap();
        let Fate::Waiting(at) = queue.rows()[1].fate else { panic!() };
        waits.push(at.duration_since(clock.now()).as_millis());
        queue.turn().await;
    }
    assert_eq!(waits[..4], [1_500, 3_000, 6_000, 12_000]);
    assert_eq!(waits[14..], [2_700_000, 2_700_000], "never more than an hour");
    assert_eq!(queue.waiting(), 1);
}

#[tokio::test]
async fn what_was_not_sent_is_not_uncertain_when_the_sink_fails() {
    let clock = clock();
    let batch_error = CrmError::new("the puppet", Reason::CrmRejected).kind(Kind::Batch).retry(Retry::Never);
    let sink_error = CrmError::new("the puppet", Reason::ServerUnavailable).uncertain(true);
    let mut calls = 0;
    let sink = puppet(4, move |batch| {
        calls += 1;
        fails(if calls == 1 { &batch_error } else { &sink_error }, batch)
    });
    let queue = MemoryQueue::new(&clock, mails(4));
    let done = worker(&clock).drain_once(&queue, &sink, &clock, |_| {}).await.unwrap();
    assert_eq!((done.retried, queue.waiting()), (4, 4));
    let uncertain: Vec<bool> = queue.rows().iter().map(|r| r.delivery.uncertain).collect();
    assert_eq!(uncertain, [true, true, false, false]);
}

#[tokio::test]
async fn a_doubt_stays_until_the_row_is_settled() {
    let clock = clock();
    let sure = CrmError::new("the puppet", Reason::Throttled).retry(Retry::After(Duration::from_secs(10)));
    let sink = puppet(4, move |batch| fails(&sure, batch));
    let mut mail = mails(1);
    mail[0].uncertain = true;
    let queue = MemoryQueue::new(&clock, mail);
    worker(&clock).drain_once(&queue, &sink, &clock, |_| {}).await.unwrap();
    assert!(queue.rows()[0].errors[0].uncertain);
}

#[tokio::test]
async fn the_running_worker_pauses_the_sink_and_goes_on() {
    let clock = clock();
    let down = CrmError::new("the puppet", Reason::ServerUnavailable);
    let mut calls = 0;
    let sink = puppet(100, move |batch| {
        calls += 1;
        if calls <= 5 { fails(&down, batch) } else { batch.iter().map(|_| Ok(())).collect() }
    });
    let queue = MemoryQueue::new(&clock, mails(20));
    let (wake, events) = (Notify::new(), Mutex::new(Vec::new()));
    let done = Notify::new();
    let start = clock.monotonic();
    let worker = worker(&clock);
    let run = worker.run(&queue, &sink, &clock, &wake, |event| {
        events.lock().unwrap().push(event);
        if queue.waiting() == 0 {
            done.notify_one();
        }
    });
    tokio::select! {
        ended = run => panic!("{ended:?}"),
        () = done.notified() => {}
    }
    let events = events.into_inner().unwrap();
    let count = |is: fn(&OutboxEvent) -> bool| events.iter().filter(|e| is(e)).count();
    assert_eq!(
        count(|e| matches!(e, OutboxEvent::Paused { .. })),
        5,
        "one pause for the sink, not one a row"
    );
    // Connected is what takes something, not what answers a greeting.
    let states: Vec<&OutboxEvent> = events
        .iter()
        .filter(|e| {
            matches!(e, OutboxEvent::Paused { .. } | OutboxEvent::Connected(_) | OutboxEvent::Accepted { .. })
        })
        .collect();
    assert!(states[..5].iter().all(|e| matches!(e, OutboxEvent::Paused { .. })), "{states:?}");
    assert_eq!(count(|e| matches!(e, OutboxEvent::Accepted { .. })), 20);
    let waited = (clock.monotonic() - start).as_millis();
    assert!(waited >= 1_500 + 3_000 + 6_000 + 12_000 + 24_000, "{waited}");
}

#[tokio::test]
async fn a_row_that_breaks_the_sink_does_not_hold_the_others_up() {
    let clock = clock();
    let down = CrmError::new("the puppet", Reason::ServerUnavailable).uncertain(true);
    let sink = puppet(100, move |batch| {
        let breaks = batch.iter().any(|d| d.record.subject == "Offer 0");
        if breaks { fails(&down, batch) } else { batch.iter().map(|_| Ok(())).collect() }
    });
    let queue = MemoryQueue::new(&clock, mails(30));
    let (wake, done, worker) = (Notify::new(), Notify::new(), worker(&clock));
    let run = worker.run(&queue, &sink, &clock, &wake, |_| {
        if queue.waiting() == 1 {
            done.notify_one();
        }
    });
    tokio::select! {
        ended = run => panic!("{ended:?}"),
        () = done.notified() => {}
    }
    assert!(matches!(queue.rows()[0].fate, Fate::Waiting(_)));
}
