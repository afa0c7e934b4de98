//! The engine and what scripted servers do with their folders.

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use std::sync::Arc;
use threadline_core::address::Address;
use threadline_core::health::{Channel, State};
use threadline_engine::event::Event;
use threadline_engine::settings::{AccountSettings, Encryption};
use threadline_engine::{Engine, Home};
use threadline_secrets::Memory;
use threadline_testkit::certs::Authority;
use threadline_testkit::clock::HandClock;
use threadline_testkit::script::{Script, Scripted, serve_in_turn};
use zeroize::Zeroizing;

const ANN: &str = "ann@lab.test";
const OK: &str = "{tag} OK done\r\n";

struct Desk {
    _dir: tempfile::TempDir,
    server: Scripted,
    engine: Engine,
}

impl Desk {
    /// An engine whose mailbox is at a server that plays these scripts behind the sign-in, one for each connection.
    async fn new(scripts: Vec<Script>) -> Result<Self> {
        let authority = Authority::new()?;
        let identity = authority.issue(&["127.0.0.1"])?;
        let signed_in = |script: Script| {
            Script::new()
                .tls(&identity)
                .send("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n")
                .expect("AUTHENTICATE PLAIN")
                .followed_by(script)
        };
        let server = serve_in_turn(scripts.into_iter().map(signed_in).collect()).await?;
        let dir = tempfile::tempdir()?;
        let home = Home::open(&dir.path().join("data"))?;
        let clock = Arc::new(HandClock::at(Timestamp::now()));
        let (engine, _) = Engine::open(home, Arc::new(Memory::new()), clock, None)?;
        let mut settings = AccountSettings::new(Address::parse(ANN)?, "127.0.0.1".into(), Encryption::Tls);
        settings.port = server.port();
        settings.authority = Some(authority.pem().to_owned());
        engine.add_account(settings, Some(Zeroizing::new("secret".to_owned()))).await?;
        Ok(Self { _dir: dir, server, engine })
    }

    /// Runs the engine until so many connections watch. Anything that breaks meanwhile is an error.
    async fn watching(&self, connections: usize) -> Result<()> {
        let mut events = self.engine.events();
        let seen = async {
            let mut watching = 0;
            while watching < connections {
                match events.recv().await? {
                    Event::Watching { .. } => watching += 1,
                    Event::Health { health, .. } if health.state == State::Retrying => bail!("{health:?}"),
                    _ => {}
                }
            }
            Ok(())
        };
        tokio::select! {
            ended = self.engine.run() => bail!("the engine ended: {ended:?}"),
            seen = seen => seen,
        }
    }

    async fn state(&self, channel: Channel) -> Result<Option<State>> {
        let status = self.engine.status().await?;
        let channels = &status.mailboxes[0].channels;
        Ok(channels.iter().find(|c| c.channel == channel).map(|c| c.state))
    }

    /// What the client said on the next connection that is over.
    async fn said(&mut self) -> Result<String> {
        let transcript = self.server.transcript().await;
        ensure!(transcript.mismatch.is_none(), "{:?}: {}", transcript.mismatch, transcript.tls_text());
        Ok(transcript.tls_text())
    }
}

fn signed_in() -> Script {
    Script::new().send("{tag} OK [CAPABILITY IMAP4rev1 IDLE] in\r\n")
}

fn listed(script: Script, folders: &[&str]) -> Script {
    let lines: String = folders.iter().map(|f| format!("* LIST () \"/\" {f}\r\n")).collect();
    script.expect("LIST").send(lines + OK)
}

/// Opens a folder whose last message is 9.
fn opened(script: Script, folder: &str) -> Script {
    script.expect(&format!("EXAMINE \"{folder}\"")).send(
        "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 10] x\r\n{tag} OK [READ-ONLY] opened\r\n",
    )
}

fn last(script: Script) -> Script {
    arrived(script, "")
}

/// First contact: which messages arrived since the mailbox was added?
fn arrived(script: Script, uids: &str) -> Script {
    script
        .expect("UID FETCH * (UID INTERNALDATE)")
        .send("* 3 FETCH (UID 9)\r\n{tag} OK\r\n")
        .expect("UID SEARCH 1:3 SINCE")
        .send(format!("* SEARCH{uids}\r\n{{tag}} OK\r\n"))
}

fn idle(script: Script) -> Script {
    script.expect("IDLE").send("+ go on\r\n")
}

fn left(script: Script) -> Script {
    idle(script).expect("DONE").expect("LOGOUT").send("* BYE\r\n{tag} OK\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sent_folder_is_told_on_its_channel_alone() -> Result<()> {
    let script = listed(signed_in(), &["INBOX", "Sent"])
        .expect("EXAMINE \"Sent\"")
        .send("{tag} NO [NOPERM] not yours\r\n");
    let mut desk = Desk::new(vec![left(last(opened(script, "INBOX")))]).await?;
    desk.engine.catch_up().await?;
    ensure!(desk.state(Channel::Inbox).await? == Some(State::Connected));
    ensure!(desk.state(Channel::Sent).await? == Some(State::Retrying));
    desk.said().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sent_folder_that_appears_later_is_read_from_the_beginning_of_the_mailbox() -> Result<()> {
    let first = left(last(opened(listed(signed_in(), &["INBOX"]), "INBOX")));
    let both = listed(signed_in(), &["INBOX", "Sent"]);
    let second = opened(opened(opened(both, "Sent"), "INBOX"), "Sent")
        .expect("UID FETCH * (UID INTERNALDATE)")
        .send("* 3 FETCH (UID 9)\r\n{tag} OK\r\n")
        .expect("UID SEARCH 1:3 SINCE")
        .send("* SEARCH 9\r\n{tag} OK\r\n")
        .expect("UID FETCH 9:9 (UID FLAGS")
        .send("* 3 FETCH (UID 9 RFC822.SIZE 3 BODY[HEADER.FIELDS (DATE)] {2}\r\n\r\n)\r\n{tag} OK\r\n");
    let second = opened(second, "INBOX").expect("STATUS \"Sent\"").send(OK);
    let third = opened(opened(listed(signed_in(), &["INBOX", "Sent"]), "Sent"), "INBOX");
    let mut desk = Desk::new(vec![first, left(second), left(third)]).await?;
    for _ in 0..3 {
        let report = desk.engine.catch_up().await?;
        let said = desk.said().await?;
        ensure!(report.mailboxes.iter().all(|m| m.problem.is_none()), "{report:?}: {said}");
    }
    ensure!(desk.state(Channel::Sent).await? == Some(State::Connected));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_without_a_sent_folder_is_a_warning() -> Result<()> {
    let script = listed(signed_in(), &["INBOX"]).expect("LOGOUT").send("* BYE\r\n{tag} OK\r\n");
    let desk = Desk::new(vec![script]).await?;
    let settings = desk.engine.account(&Address::parse(ANN)?).await?.settings;
    let warning = desk.engine.try_account(&settings, Some(Zeroizing::new("secret".to_owned()))).await?;
    ensure!(warning.is_some_and(|w| w.reason.code() == "sent_folder_unknown"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_one_connection_is_watched_by_one() -> Result<()> {
    let first = listed(signed_in(), &["INBOX", "Sent"]);
    let first = last(opened(opened(first, "Sent"), "INBOX"));
    let first = opened(last(opened(first, "Sent")), "INBOX").expect("STATUS \"Sent\"").send(OK);
    let second = Script::new().send("{tag} NO [LIMIT] one connection is enough\r\n");
    let desk = Desk::new(vec![idle(first).hang(), second]).await?;
    desk.watching(1).await?;
    ensure!(desk.server.accepted() == 2);
    ensure!(desk.state(Channel::Inbox).await? == Some(State::Connected));
    ensure!(desk.state(Channel::Sent).await? == Some(State::Connected));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sent_folders_without_notify_are_two_connections_and_no_more() -> Result<()> {
    let first = last(opened(listed(signed_in(), &["INBOX", "Sent", "Gesendet"]), "INBOX"));
    let second = last(opened(opened(signed_in(), "Gesendet"), "Sent"));
    let second = opened(last(opened(second, "Gesendet")), "Sent").expect("STATUS \"Gesendet\"").send(OK);
    let broken = Script::new().send("* BYE too many\r\n");
    let desk = Desk::new(vec![idle(first).hang(), idle(second).hang(), broken]).await?;
    desk.watching(2).await?;
    ensure!(desk.server.accepted() == 2, "{} connections", desk.server.accepted());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn other_mail_does_not_wait_long_while_a_bad_message_is_cornered() -> Result<()> {
    let grown = |script: Script| {
        listed(script, &["INBOX"]).expect("EXAMINE \"INBOX\"").send(
            "* 4 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 11] x\r\n{tag} OK [READ-ONLY] opened\r\n",
        )
    };
    let asked =
        |script| grown(script).expect("UID FETCH 10:* (UID)").send("* 4 FETCH (UID 10)\r\n{tag} OK\r\n");
    let breaks = |script: Script| script.expect("UID FETCH 10:10 ").close();
    let first = left(last(opened(listed(signed_in(), &["INBOX"]), "INBOX")));
    let desk = Desk::new(vec![
        first,
        breaks(grown(signed_in())),
        breaks(asked(signed_in())),
        breaks(asked(signed_in())),
        asked(signed_in()).hang(),
    ])
    .await?;
    desk.engine.catch_up().await?;
    let mut events = desk.engine.events();
    let set_aside = async {
        loop {
            if let Event::SetAside { uid, .. } = events.recv().await? {
                return anyhow::Ok(uid);
            }
        }
    };
    let uid = tokio::select! {
        ended = desk.engine.run() => bail!("the engine ended: {ended:?}"),
        seen = set_aside => seen?,
    };
    ensure!(uid == 10 && desk.server.accepted() == 5);
    // The clock stands still, so this is the last pause. The third of pauses that grow is three seconds at least.
    let status = desk.engine.status().await?;
    let inbox = status.mailboxes[0].channels.iter().find(|c| c.channel == Channel::Inbox).context("INBOX")?;
    let pause = inbox.next_try.context("it never broke")?.duration_since(inbox.since);
    ensure!(pause.as_millis() < 1_400, "{pause:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_came_between_adding_a_mailbox_and_the_first_reading_is_read_and_no_older() -> Result<()> {
    let second = jiff::SignedDuration::from_secs(1);
    let date = |at: Timestamp| at.strftime("%d-%b-%Y %H:%M:%S +0000").to_string();
    let (before, after) = (date(Timestamp::now() - second * 60), date(Timestamp::now() + second * 60));
    let header = |n: u32, uid: u32, date: &str| {
        let text = format!("Message-ID: <{uid}@x>\r\nFrom: carl@customer1.example\r\n\r\n");
        let (size, section) = (text.len(), "BODY[HEADER.FIELDS (FROM)]");
        format!(
            "* {n} FETCH (UID {uid} INTERNALDATE \"{date}\" RFC822.SIZE 99 {section} {{{size}}}\r\n{text})\r\n"
        )
    };
    let first = arrived(opened(listed(signed_in(), &["INBOX"]), "INBOX"), " 8 9")
        .expect("UID FETCH 8:9 (UID FLAGS")
        .send(header(2, 8, &before) + &header(3, 9, &after) + OK);
    let mut desk = Desk::new(vec![left(first)]).await?;
    let report = desk.engine.catch_up().await?;
    let said = desk.said().await?;
    ensure!(report.mailboxes.iter().all(|m| m.problem.is_none()), "{report:?}: {said}");
    ensure!(desk.engine.log(9).await?.len() == 1, "one of the two is older than the mailbox here");
    Ok(())
}

/// A header that could not be read is read once more where the person asks for it, and listed again where that fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_set_aside_is_read_once_more() -> Result<()> {
    let again = |answer: &str| {
        let script = idle(opened(listed(signed_in(), &["INBOX"]), "INBOX")).expect("DONE");
        let script = script.expect("UID FETCH 9 (UID FLAGS").send(answer);
        script.expect("LOGOUT").send("* BYE\r\n{tag} OK\r\n")
    };
    let text = "Message-ID: <9@x>\r\nFrom: carl@customer1.example\r\n\r\n";
    let header = format!(
        "* 3 FETCH (UID 9 FLAGS () INTERNALDATE \" 2-Nov-2026 10:00:00 +0100\" RFC822.SIZE 321 \
         BODY[HEADER.FIELDS (MESSAGE-ID FROM)] {{{}}}\r\n{text})\r\n{{tag}} OK\r\n",
        text.len()
    );
    let first = left(last(opened(listed(signed_in(), &["INBOX"]), "INBOX")));
    let mut desk = Desk::new(vec![first, again("{tag} NO not this one\r\n"), again(&header)]).await?;
    desk.engine.catch_up().await?;
    desk.said().await?;
    let ann = Address::parse(ANN)?;
    let put = |tx: &threadline_store::Tx<'_>| {
        let account = threadline_store::account::list(tx)?.remove(0).id;
        let folder = threadline_store::folder::list(tx, account)?.remove(0).id;
        let place = threadline_store::place::Place { folder, uidvalidity: 7, uid: 9 };
        threadline_store::set_aside::add(tx, place, "torn", None, Timestamp::now())
    };
    desk.engine.ledger().write(put).await?;
    for (aside, ignored) in [(1, 0), (0, 1)] {
        ensure!(desk.engine.retry_set_aside(&ann).await? == 1);
        let report = desk.engine.catch_up().await?;
        let said = desk.said().await?;
        ensure!(report.mailboxes.iter().all(|m| m.problem.is_none()), "{report:?}: {said}");
        let status = desk.engine.status().await?.mailboxes.remove(0);
        let decided = status.ignored + status.asked;
        ensure!((status.set_aside.len(), decided) == (aside, ignored), "{status:?}: {said}");
    }
    Ok(())
}
