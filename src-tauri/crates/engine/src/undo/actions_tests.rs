//! What a person does to mail, and takes back: on a real ledger, without a server.

use super::*;
use crate::answers::AskedAnswer;
use crate::home::Home;
use crate::ingest;
use crate::settings::{AccountSettings, CrmSettings, Encryption};
use std::sync::Arc;
use threadline_core::arrival::{Arrival, Role};
use threadline_core::envelope::Envelope;
use threadline_core::rule::{LogMode, Rule};
use threadline_secrets::Memory;
use threadline_store::message::{self, Outcome};
use threadline_store::{folder, job, outbox};
use threadline_testkit::clock::HandClock;
use zeroize::Zeroizing;

const ANN: &str = "ann@firm.example";

struct Desk {
    _dir: tempfile::TempDir,
    engine: Engine,
    clock: HandClock,
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

impl Desk {
    async fn new(mode: LogMode) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(&dir.path().join("data")).unwrap();
        let clock = HandClock::at(Timestamp::from_second(1_000).unwrap());
        let (engine, _) = Engine::open(home, Arc::new(Memory::new()), Arc::new(clock.clone()), None).unwrap();
        let mut settings = AccountSettings::new(address(ANN), "imap.firm.example".into(), Encryption::Tls);
        settings.rules.mode = mode;
        engine.add_account(settings, Some(Zeroizing::new("secret".into()))).await.unwrap();
        Self { _dir: dir, engine, clock }
    }

    async fn rules(&self) -> threadline_core::rule::Rules {
        self.engine.account(&address(ANN)).await.unwrap().settings.rules
    }

    fn arrival(uid: u32, to: &str) -> Arrival {
        let header = format!("Message-ID: <{uid}@x>\r\nFrom: {ANN}\r\nTo: {to}\r\nSubject: S{uid}\r\n\r\n");
        Arrival {
            uid,
            internal_date: Timestamp::from_second(900 + i64::from(uid)).unwrap(),
            size: 100,
            flags: Vec::new(),
            labels: None,
            envelope: Envelope::parse(header.as_bytes()),
        }
    }

    /// Ann's mail to somebody comes up in her Sent folder, or is read once more there. Gives its id.
    async fn sees(&self, uid: u32, to: &str, again: bool) -> i64 {
        let account = self.engine.account(&address(ANN)).await.unwrap();
        let of = ingest::Mailbox {
            id: account.id,
            epoch: 0,
            address: address(ANN),
            // A task may lag behind what was set: the ledger's rules count.
            rules: threadline_core::rule::Rules::default(),
            contact_sources: vec![crate::contacts::LOCAL.to_owned()],
            history: false,
        };
        let (arrival, now) = (Self::arrival(uid, to), self.engine.clock().now());
        self.engine
            .ledger()
            .write(move |tx| {
                let folder = folder::ensure(tx, of.id, "Sent", Role::Sent)?;
                let place = threadline_store::place::Place { folder: folder.id, uidvalidity: 1, uid };
                match again {
                    true => ingest::recheck(tx, &of, &folder, place, &arrival, now)?,
                    false => ingest::store_one(tx, &of, &folder, 1, &arrival, now)?,
                };
                Ok(message::known(tx, of.id, &arrival.envelope)?.unwrap().message)
            })
            .await
            .unwrap()
    }

    /// The text of a logged mail is there, and waits for the folder.
    async fn fetched(&self, id: i64) {
        self.fetched_for(id, "folder").await;
    }

    async fn fetched_for(&self, id: i64, sink: &'static str) {
        let now = self.engine.clock().now();
        let finish = move |tx: &Tx<'_>| {
            for job in job::of_message(tx, id)? {
                job::finish_body(tx, job.id, b"Subject: x\r\n\r\nwords", false, &[sink], now)?;
            }
            Ok(())
        };
        self.engine.ledger().write(finish).await.unwrap();
    }

    async fn rule(&self, id: i64) -> (Outcome, Rule) {
        let row = self.engine.ledger().read(move |tx| message::get(tx, id)).await.unwrap().unwrap();
        (row.outcome, row.rule)
    }

    async fn pushes(&self, id: i64) -> Vec<outbox::State> {
        let rows = self.engine.ledger().read(move |tx| outbox::of_message(tx, id)).await.unwrap();
        rows.into_iter().map(|e| e.state).collect()
    }
}

#[tokio::test]
async fn a_message_taken_out_comes_back_within_ten_minutes() {
    let desk = Desk::new(LogMode::EveryoneOutside).await;
    let id = desk.sees(1, "bob@client.example", false).await;
    desk.fetched(id).await;
    let undo = desk.engine.unlog_message(id).await.unwrap();
    assert_eq!(undo.until, Timestamp::from_second(1_600).unwrap());
    assert_eq!(desk.rule(id).await, (Outcome::Ignore, Rule::TakenOut));
    assert_eq!(desk.pushes(id).await, [outbox::State::Abandoned]);
    assert_eq!(desk.engine.unlog_message(id).await.unwrap_err().code(), "not_logged");
    // Seen again, in another folder or by a new connection, it stays out.
    desk.sees(1, "bob@client.example", false).await;
    desk.sees(1, "bob@client.example", true).await;
    assert_eq!(desk.rule(id).await, (Outcome::Ignore, Rule::TakenOut));
    desk.clock.advance(Duration::from_secs(599));
    desk.engine.undo(undo.token).await.unwrap();
    assert_eq!(desk.rule(id).await, (Outcome::Log, Rule::SentToOutsider));
    assert_eq!(desk.pushes(id).await, [outbox::State::Waiting]);
    assert_eq!(desk.engine.undo(undo.token).await.unwrap_err().code(), "undo_gone");
}

#[tokio::test]
async fn after_ten_minutes_or_in_another_process_a_token_means_nothing() {
    let desk = Desk::new(LogMode::EveryoneOutside).await;
    let id = desk.sees(1, "bob@client.example", false).await;
    let undo = desk.engine.unlog_message(id).await.unwrap();
    desk.clock.advance(Duration::from_secs(600));
    assert_eq!(desk.engine.undo(undo.token).await.unwrap_err().code(), "undo_gone");
    assert_eq!(desk.rule(id).await.1, Rule::TakenOut);
}

#[tokio::test]
async fn a_thread_taken_out_comes_back_whole() {
    let desk = Desk::new(LogMode::EveryoneOutside).await;
    let id = desk.sees(1, "bob@client.example", false).await;
    desk.fetched(id).await;
    let page = desk.engine.threads_page(Default::default()).await.unwrap();
    let thread = page.rows[0].id;
    let undo = desk.engine.unlog_thread(thread).await.unwrap();
    assert_eq!(desk.engine.threads_page(Default::default()).await.unwrap().total, 0);
    assert_eq!(desk.engine.unlog_thread(thread).await.unwrap_err().code(), "no_thread");
    desk.engine.undo(undo.token).await.unwrap();
    let view = desk.engine.thread(thread).await.unwrap();
    assert_eq!(view.items[0].text.as_deref(), Some("words"));
}

#[tokio::test]
async fn the_never_log_list_takes_addresses_and_domains_and_gives_them_back() {
    let desk = Desk::new(LogMode::EveryoneOutside).await;
    let before = desk.rules().await;
    let ann = address(ANN);
    let undo = desk.engine.never_log(&ann, "bob@client.example").await.unwrap();
    let again = desk.engine.never_log(&ann, "Bob@client.example").await.unwrap();
    desk.engine.never_log(&ann, "@bank.example").await.unwrap();
    let rules = desk.rules().await;
    assert_eq!((rules.never_addresses.len(), rules.version), (1, before.version + 2));
    assert_eq!(rules.never_domains, ["bank.example"]);
    // What was on the list before stays there.
    desk.engine.undo(again.token).await.unwrap();
    assert_eq!(desk.rules().await.never_addresses.len(), 1);
    desk.engine.undo(undo.token).await.unwrap();
    let rules = desk.rules().await;
    assert!(rules.never_addresses.is_empty() && rules.version > before.version + 2);
    assert_eq!(rules.never_domains, ["bank.example"]);
    for (who, code) in [(ANN, "never_own"), ("@firm.example", "never_own"), ("nobody", "not_an_address")] {
        assert_eq!(desk.engine.never_log(&ann, who).await.unwrap_err().code(), code, "{who}");
    }
}

#[tokio::test]
async fn what_is_on_its_way_is_stopped_with_its_person() {
    let desk = Desk::new(LogMode::EveryoneOutside).await;
    let read = desk.sees(1, "bob@client.example", false).await;
    let waits = desk.sees(2, "Bob <bob@client.example>, carl@client.example", false).await;
    desk.fetched(waits).await;
    let other = desk.sees(3, "carl@client.example", false).await;
    desk.fetched(other).await;
    let arrived = desk.sees(4, "bob@client.example", false).await;
    desk.fetched(arrived).await;
    let accept = move |tx: &Tx<'_>| {
        let entry = outbox::of_message(tx, arrived)?.remove(0);
        let accepted = outbox::Accepted {
            remote_id: None,
            link: None,
            how: "created".into(),
            at: Timestamp::UNIX_EPOCH,
        };
        outbox::accept(tx, entry.id, &accepted)
    };
    desk.engine.ledger().write(accept).await.unwrap();
    let undo = desk.engine.never_log(&address(ANN), "bob@client.example").await.unwrap();
    for (id, outcome) in
        [(read, Outcome::Ignore), (waits, Outcome::Ignore), (other, Outcome::Log), (arrived, Outcome::Log)]
    {
        assert_eq!(desk.rule(id).await.0, outcome, "{id}");
    }
    assert_eq!(desk.pushes(waits).await, [outbox::State::Abandoned]);
    assert!(desk.engine.ledger().read(move |tx| job::of_message(tx, read)).await.unwrap().is_empty());
    let late = desk.sees(5, "bob@client.example", false).await;
    assert_eq!(desk.rule(late).await, (Outcome::Ignore, Rule::NeverAddress));
    desk.engine.undo(undo.token).await.unwrap();
    assert_eq!(desk.pushes(waits).await, [outbox::State::Waiting]);
    assert_eq!(desk.engine.ledger().read(move |tx| job::of_message(tx, read)).await.unwrap().len(), 1);
    // The rules as a whole do the same.
    let mut rules = desk.rules().await;
    rules.never_domains = vec!["client.example".into()];
    desk.engine.set_rules(&address(ANN), rules).await.unwrap();
    assert_eq!(desk.pushes(other).await, [outbox::State::Abandoned]);
}

#[tokio::test]
async fn answers_are_taken_back_before_and_after_they_were_carried_out() {
    let desk = Desk::new(LogMode::KnownContacts).await;
    let before = desk.rules().await;
    for (uid, answer, carried_out) in [
        (1, AskedAnswer::Log, false),
        (2, AskedAnswer::Log, true),
        (3, AskedAnswer::Ignore, true),
        (4, AskedAnswer::Never, true),
    ] {
        let to = format!("zoe{uid}@new.example");
        let id = desk.sees(uid, &to, false).await;
        assert_eq!(desk.rule(id).await, (Outcome::Ask, Rule::UnknownRecipient));
        let undo = desk.engine.answer(&[id], answer).await.unwrap();
        assert!(desk.engine.asked(9).await.unwrap().iter().all(|d| d.message != id), "it is answered");
        if carried_out {
            desk.sees(uid, &to, true).await;
            let done = desk.engine.ledger().write(move |tx| {
                job::of_message(tx, id)?
                    .iter()
                    .filter(|j| j.kind == job::Kind::Recheck)
                    .try_for_each(|j| job::done(tx, j.id))
            });
            done.await.unwrap();
            assert_ne!(desk.rule(id).await.0, Outcome::Ask);
        }
        desk.engine.undo(undo.token).await.unwrap();
        assert_eq!(desk.rule(id).await, (Outcome::Ask, Rule::UnknownRecipient), "{answer:?}");
        assert!(desk.engine.asked(9).await.unwrap().iter().any(|d| d.message == id));
    }
    assert_eq!(desk.rules().await.never_addresses, before.never_addresses);
    assert_eq!(desk.engine.threads_page(Default::default()).await.unwrap().total, 0);
    assert_eq!(desk.engine.answer(&[999], AskedAnswer::Log).await.unwrap_err().code(), "not_asked");
}

#[tokio::test]
async fn a_question_whose_mail_was_moved_can_be_settled_but_not_logged() {
    let desk = Desk::new(LogMode::KnownContacts).await;
    let mut ids = Vec::new();
    for uid in [1, 2, 3] {
        ids.push(desk.sees(uid, &format!("zoe{uid}@new.example"), false).await);
    }
    let moved = ids[..2].to_vec();
    let remove = move |tx: &Tx<'_>| {
        for id in moved {
            for place in threadline_store::place::of_message(tx, id)? {
                threadline_store::place::remove(tx, place)?;
            }
        }
        Ok(())
    };
    desk.engine.ledger().write(remove).await.unwrap();
    let error = desk.engine.answer(&ids[..1], AskedAnswer::Log).await.unwrap_err();
    assert_eq!(error.code(), "moved_away");
    desk.engine.answer(&ids, AskedAnswer::Log).await.unwrap();
    let asked = desk.engine.asked(9).await.unwrap();
    assert_eq!(
        asked.iter().map(|d| d.message).collect::<Vec<_>>(),
        [ids[1], ids[0]],
        "the others are not hidden"
    );
    let undo = desk.engine.answer(&ids[..1], AskedAnswer::Ignore).await.unwrap();
    desk.engine.answer(&ids[1..2], AskedAnswer::Never).await.unwrap();
    assert!(desk.engine.asked(9).await.unwrap().is_empty());
    assert_eq!(desk.rules().await.never_addresses, [address("zoe2@new.example")]);
    let (id, read) = (ids[0], |id| move |tx: &Tx<'_>| message::get(tx, id));
    let row = desk.engine.ledger().read(read(id)).await.unwrap().unwrap();
    assert_eq!((row.outcome, row.rule), (Outcome::Ignore, Rule::ToldNotTo));
    assert!(row.headers.is_none() && row.key.is_none(), "its text is gone");
    // A copy that comes up in another folder is not logged and not asked about.
    desk.sees(1, "zoe1@new.example", false).await;
    assert_eq!(desk.rule(id).await, (Outcome::Ignore, Rule::ToldNotTo));
    desk.engine.undo(undo.token).await.unwrap();
    let row = desk.engine.ledger().read(read(id)).await.unwrap().unwrap();
    assert!(row.outcome == Outcome::Ask && row.headers.is_some());
}

#[tokio::test]
async fn several_questions_are_answered_at_once() {
    let desk = Desk::new(LogMode::KnownContacts).await;
    let first = desk.sees(1, "zoe@new.example", false).await;
    let second = desk.sees(2, "eve@new.example", false).await;
    let undo = desk.engine.answer(&[first, 999, second], AskedAnswer::Never).await.unwrap();
    assert!(desk.engine.asked(9).await.unwrap().is_empty());
    let never = desk.rules().await.never_addresses;
    assert_eq!(never, [address("zoe@new.example"), address("eve@new.example")]);
    desk.engine.undo(undo.token).await.unwrap();
    assert_eq!(desk.engine.asked(9).await.unwrap().len(), 2);
    assert!(desk.rules().await.never_addresses.is_empty());
}

#[tokio::test]
async fn what_is_too_large_is_taken_out_and_cannot_be_taken_back() {
    let clock = HandClock::at(Timestamp::from_second(1_000).unwrap());
    let desk = Desk::new(LogMode::EveryoneOutside).await;
    let id = desk.sees(1, "bob@client.example", false).await;
    desk.fetched(id).await;
    let image = desk.engine.ledger().read(move |tx| Image::take(tx, id)).await.unwrap().unwrap();
    let undos = Undos::default();
    let small = undos.keep(Steps { messages: vec![image.clone()], ..Steps::default() }, &clock);
    // Each image counts for some kilobytes: so many do not fit.
    let many = vec![image.clone(); MOST_BYTES / image.bytes() + 1];
    let large = undos.keep(Steps { messages: many, ..Steps::default() }, &clock);
    assert_eq!(large.until, Timestamp::from_second(1_000).unwrap());
    assert!(undos.find(large.token, &clock).is_none() && undos.find(small.token, &clock).is_none());
}

#[tokio::test]
async fn a_webhook_that_wants_no_more_is_left_alone_until_a_person_begins_again() {
    let desk = Desk::new(LogMode::EveryoneOutside).await;
    let receiver = threadline_testkit::webhook::WebhookReceiver::start().await.unwrap();
    let crm = CrmSettings::Webhook { url: receiver.url() };
    desk.engine.set_crm(crm, Some(Zeroizing::new(receiver.secret().to_owned()))).await.unwrap();
    // No server is asked: only the push is of interest.
    desk.engine.pause(&address(ANN), Some(crate::engine::UNTIL_RESUMED)).await.unwrap();
    for uid in [1, 2] {
        let id = desk.sees(uid, "bob@client.example", false).await;
        desk.fetched_for(id, "webhook").await;
        if uid == 1 {
            receiver.later(410, "");
        }
        let report = desk.engine.catch_up().await.unwrap();
        assert_eq!(report.crms[0].reason.as_deref(), Some("crm_gone"));
    }
    assert_eq!(receiver.attempts().len(), 1, "it was asked again");
    desk.engine.retry_push("webhook", None).await.unwrap();
    let report = desk.engine.catch_up().await.unwrap();
    assert_eq!((report.crms[0].pushed, receiver.stored().len()), (Some(2), 2));
}

#[tokio::test]
async fn the_ledger_alone_takes_the_place_of_every_crm_with_its_secret_and_contacts() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(&dir.path().join("data")).unwrap();
    let secrets = Arc::new(Memory::new());
    let clock = Arc::new(HandClock::at(Timestamp::UNIX_EPOCH));
    let (engine, _) = Engine::open(home, secrets.clone(), clock, None).unwrap();
    let crm = CrmSettings::Hubspot { base_url: None };
    engine.set_crm(crm, Some(Zeroizing::new("pat-na1-1".to_owned()))).await.unwrap();
    let zoe = threadline_core::contact::Contact {
        remote_id: "1".into(),
        addresses: vec![address("zoe@new.example")],
        name: None,
    };
    let put =
        move |tx: &Tx<'_>| threadline_store::contact::upsert(tx, "hubspot", &[zoe], Timestamp::UNIX_EPOCH);
    engine.ledger().write(put).await.unwrap();
    engine.set_crm(CrmSettings::Ledger, None).await.unwrap();
    assert_eq!(engine.crms().await.unwrap(), [CrmSettings::Ledger]);
    assert!(!secrets.names().iter().any(|name| name.contains("hubspot")), "{:?}", secrets.names());
    let left = engine.ledger().read(|tx| threadline_store::contact::count(tx, "hubspot")).await.unwrap();
    assert_eq!(left, 0);
}
