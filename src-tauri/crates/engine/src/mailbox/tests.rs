//! How a mailbox goes on after its server has refused it, with a server that is scripted.

use super::*;
use crate::settings::Encryption;
use crate::testing::World;
use threadline_core::rule::LogMode;
use threadline_testkit::certs::Authority;
use threadline_testkit::script::{Script, Scripted};

const ANN: &str = "ann@firm.example";

/// The mailbox of this address, whose server answers each sign-in so.
async fn refused(world: &World, address: &str, answer: &str) -> (Mailbox, Scripted) {
    let authority = Authority::new().unwrap();
    let server = Script::new()
        .tls(&authority.issue(&["localhost"]).unwrap())
        .send("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n")
        .expect("AUTHENTICATE PLAIN")
        .send(format!("{{tag}} {answer}\r\n"))
        .serve()
        .await
        .unwrap();
    let address = Address::parse(address).unwrap();
    let mut settings = AccountSettings::new(address.clone(), "localhost".into(), Encryption::Tls);
    settings.port = server.port();
    settings.authority = Some(authority.pem().to_owned());
    let shared = Arc::clone(&world.mailbox.shared);
    shared.set_secret(&settings.secret_name(), "secret".to_owned().into()).await.unwrap();
    let id = if address == world.mailbox.settings.address {
        world.mailbox.id
    } else {
        let add = move |tx: &Tx<'_>| account::insert(tx, &address, "{}", Timestamp::UNIX_EPOCH);
        shared.ledger.write_blocking(add).unwrap()
    };
    let account = Account { id, settings, paused_until: None, epoch: 0 };
    (Mailbox::new(shared, account), server)
}

/// How many sign-ins there are, with the computer waking all the time, until another mailbox on the same computer, whose
/// server says that it is not there for the moment, has tried again twice for it.
async fn attempts(answer: &str, reason: Reason) -> usize {
    let world = World::new(LogMode::EveryoneOutside, &[]);
    let (mailbox, server) = refused(&world, ANN, answer).await;
    let (beside, busy) = refused(&world, "bob@firm.example", "NO [UNAVAILABLE] Try again later.").await;
    let mut events = mailbox.shared.events.subscribe();
    let waking = async {
        loop {
            if let Event::Health { of, health } = events.recv().await.unwrap()
                && of == ANN
                && health.reason.is_some()
            {
                assert_eq!(health.reason, Some(reason));
                break;
            }
        }
        let before = busy.accepted();
        while busy.accepted() < before + 2 {
            mailbox.shared.links.wake();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        never = mailbox.run() => match never {},
        never = beside.run() => match never {},
        () = waking => {}
    }
    server.accepted()
}

#[tokio::test]
async fn a_pause_that_the_server_asks_for_outlasts_a_wake() {
    assert_eq!(attempts("NO [THROTTLED] wait 60 seconds", Reason::Throttled).await, 1);
}

#[tokio::test]
async fn a_secret_that_is_refused_is_shown_twice_at_most_whatever_is_said_beside() {
    let answer = "NO [AUTHENTICATIONFAILED] Too many simultaneous connections.";
    let count = attempts(answer, Reason::TooManyConnections).await;
    assert!((1..=2).contains(&count), "{count}");
    let answer = "NO [AUTHENTICATIONFAILED] Wrong password, try again later";
    assert_eq!(attempts(answer, Reason::CredentialsRejected).await, 1);
}
