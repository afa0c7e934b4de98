//! Random faults in every order: nothing is lost, nothing is doubled.

use crate::bench::*;
use std::collections::BTreeMap;
use threadline_crm::{Delivery, FolderSink, Sink};
use threadline_testkit::clock::HandClock;
use threadline_testkit::hubspot::{Fault, Options};
use threadline_testkit::webhook::WebhookReceiver;

const MAILS: usize = 40;
const ROUNDS: usize = 400;

fn mails(dice: &mut Dice) -> Vec<Delivery> {
    (0..MAILS).map(|n| delivery(n, &format!("person{}@buyer.example", dice.roll(9)), None)).collect()
}

/// Two computers push the same mails; each can be killed in the middle of a push. `calm` ends the faults.
async fn two_computers(
    clock: &HandClock,
    dice: &mut Dice,
    sinks: [&dyn Sink; 2],
    calm: impl Fn(),
) -> Vec<Delivery> {
    let all = mails(dice);
    let queues = [MemoryQueue::new(clock, all.clone()), MemoryQueue::new(clock, all.clone())];
    let worker = worker(clock);
    for round in 0..ROUNDS {
        if round == ROUNDS / 2 {
            calm();
        }
        let turn = dice.roll(2);
        let (queue, sink) = (&queues[turn], sinks[turn]);
        if dice.roll(4) == 0 {
            // A kill after so many turns of the runtime, wherever the push is then.
            let mut polls = dice.roll(60);
            let push = worker.drain_once(queue, sink, clock, |_| {});
            let mut push = std::pin::pin!(push);
            let killed = std::future::poll_fn(|context| match push.as_mut().poll(context) {
                std::task::Poll::Ready(done) => std::task::Poll::Ready(Some(done)),
                std::task::Poll::Pending if polls == 0 => std::task::Poll::Ready(None),
                std::task::Poll::Pending => {
                    polls -= 1;
                    context.waker().wake_by_ref();
                    std::task::Poll::Pending
                }
            })
            .await;
            if let Some(done) = killed {
                done.unwrap();
            }
            queue.restart();
        } else {
            worker.drain_once(queue, sink, clock, |_| {}).await.unwrap();
        }
        queue.turn().await;
        if queues.iter().all(|q| q.waiting() == 0) {
            break;
        }
    }
    for queue in &queues {
        assert_eq!(queue.waiting(), 0, "still waiting when the faults had ended");
        assert!(queue.rows().iter().all(|r| matches!(r.fate, Fate::Accepted(_))));
    }
    all
}

fn check(all: &[Delivery], counts: &BTreeMap<String, usize>, id: impl Fn(&Delivery) -> String) {
    let lost = all.iter().filter(|d| !counts.contains_key(&id(d))).count();
    let doubled = counts.values().filter(|n| **n > 1).count();
    assert_eq!((lost, doubled, counts.len()), (0, 0, all.len()));
}

fn chaos(mut dice: Dice) -> impl FnMut() -> Option<Fault> {
    move || (dice.roll(4) == 0).then(|| Fault::ALL[dice.roll(Fault::ALL.len())])
}

#[tokio::test]
async fn hubspot_with_the_unique_property() {
    let seed = seed();
    for run in 0..6 {
        let mut dice = Dice::new(seed + run);
        let clock = clock();
        let portal = portal(Options::default(), &clock).await;
        let sinks = [hubspot(&portal, &clock), hubspot(&portal, &clock)];
        // The mode is chosen while all is well: a portal that answers is one that can be asked.
        let mut faults = chaos(dice.clone());
        portal.chaos(move |_| faults());
        let all = two_computers(&clock, &mut dice, [&sinks[0], &sinks[1]], || portal.calm()).await;
        check(&all, &portal.counts(), |d| d.record.key.to_string());
        assert!(portal.contacts().len() <= 9, "a contact was doubled");
        for email in portal.emails() {
            assert_eq!(portal.links(email.id).len(), 1, "an email without its contact");
        }
    }
}

#[tokio::test]
async fn hubspot_by_search() {
    let seed = seed();
    for run in 0..6 {
        let mut dice = Dice::new(seed + 100 + run);
        let clock = clock();
        let options = Options {
            property_forbidden: true,
            search_lag: jiff::SignedDuration::from_secs(15),
            ..Options::default()
        };
        let portal = portal(options, &clock).await;
        let mut faults = chaos(dice.clone());
        portal.chaos(move |_| faults());
        // One computer: two in the same moment cannot be told apart by a search that lags.
        let all = mails(&mut dice);
        let queue = MemoryQueue::new(&clock, all.clone());
        let mut sink = hubspot(&portal, &clock);
        let worker = worker(&clock);
        for round in 0..ROUNDS {
            if round == ROUNDS / 2 {
                portal.calm();
            }
            worker.drain_once(&queue, &sink, &clock, |_| {}).await.unwrap();
            if dice.roll(5) == 0 {
                // A restart forgets all doubts but those in the ledger.
                sink = hubspot(&portal, &clock);
            }
            queue.turn().await;
            if queue.waiting() == 0 {
                break;
            }
        }
        assert_eq!(queue.waiting(), 0);
        check(&all, &portal.counts(), |d| format!("<{}>", d.record.message_id.as_ref().unwrap()));
        for email in portal.emails() {
            assert_eq!(portal.links(email.id).len(), 1);
        }
    }
}

#[tokio::test]
async fn webhook() {
    let seed = seed();
    for run in 0..6 {
        let mut dice = Dice::new(seed + 200 + run);
        let clock = clock();
        let receiver = WebhookReceiver::start().await.unwrap();
        let sink = crate::webhook::sink(&receiver, &clock);
        receiver.chaos(chaos(dice.clone()));
        let all = two_computers(&clock, &mut dice, [&sink, &sink], || receiver.calm()).await;
        let counts = receiver.stored().into_keys().map(|key| (key, 1)).collect();
        check(&all, &counts, |d| d.record.key.to_string());
        assert!(receiver.attempts().len() > all.len(), "no fault struck");
    }
}

#[tokio::test]
async fn folder() {
    let seed = seed();
    for run in 0..6 {
        let mut dice = Dice::new(seed + 300 + run);
        let clock = clock();
        let temp = tempfile::tempdir().unwrap();
        let sinks = [FolderSink::new(temp.path()), FolderSink::new(temp.path())];
        let all = two_computers(&clock, &mut dice, [&sinks[0], &sinks[1]], || {}).await;
        check(&all, &crate::folder::counts(temp.path()), |d| d.record.key.to_string());
    }
}
