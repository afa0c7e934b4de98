//! The reconnect wizard on a real server: what it opens with, that it is the same mailbox, and what was missed.

use anyhow::{Context, Result, ensure};
use threadline_core::address::Address;
use threadline_core::health::{Channel, State};
use threadline_core::reason::Reason;
use threadline_engine::Event;
use threadline_engine::check::{CheckState, CheckStepName};
use threadline_engine::event::CatchUp;
use threadline_engine::reconnect::OtherMailbox;
use threadline_testkit::lab::{Lab, LabBuilder};
use threadline_tests::PATIENCE;
use threadline_tests::desk::{ANN, CARL, Desk};
use threadline_tests::maildir::lay;
use tokio::sync::broadcast::Receiver;
use zeroize::Zeroizing;

/// Waits for an event for which this gives something.
async fn wait_for<T>(events: &mut Receiver<Event>, mut is: impl FnMut(&Event) -> Option<T>) -> Result<T> {
    let waiting = async {
        loop {
            if let Some(found) = is(&events.recv().await?) {
                return anyhow::Ok(found);
            }
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.context("it did not come")?
}

/// What is told of a catch-up, up to its end.
async fn caught_up(events: &mut Receiver<Event>) -> Result<Vec<CatchUp>> {
    let mut told = Vec::new();
    wait_for(events, |event| {
        let Event::CatchUp(progress) = event else { return None };
        told.push(progress.clone());
        progress.done.then_some(())
    })
    .await?;
    Ok(told)
}

async fn is(events: &mut Receiver<Event>, state: State) -> Result<Option<Reason>> {
    wait_for(events, |event| match event {
        Event::Health { health, .. } if health.channel == Channel::Inbox && health.state == state => {
            Some(health.reason)
        }
        _ => None,
    })
    .await
}

/// 37 mails come while the server is down: Ann's own to Carl, his answers, and what is nobody's business.
async fn an_outage_is_caught_up_and_counted(lab: LabBuilder) -> Result<()> {
    let desk = Desk::on(lab.maildir()).await?;
    let mut events = desk.engine.events();
    let _at_work = desk.run().await?;
    let first = caught_up(&mut events).await?;
    ensure!(first.iter().all(|c| (c.missed, c.checked, c.logged) == (0, 0, 0)), "{first:?}");
    desk.send("0@lab.test")?;
    desk.until("the first mail", || async { Ok(desk.engine.status().await?.mailboxes[0].logged == 1) })
        .await?;
    desk.lab.stop_imap();
    is(&mut events, State::Retrying).await?;
    for n in 1..=7 {
        let raw = format!("From: {ANN}\r\nTo: {CARL}\r\nMessage-ID: <{n}@lab.test>\r\n\r\nhello\r\n");
        lay(&desk.lab, ANN, "Sent", &format!("s{n}"), 0, &raw)?;
    }
    for n in 1..=5 {
        // Read before what it answers: INBOX comes first.
        let raw = format!(
            "From: {CARL}\r\nTo: {ANN}\r\nMessage-ID: <r{n}@c>\r\nIn-Reply-To: <{n}@lab.test>\r\n\r\nyes\r\n"
        );
        lay(&desk.lab, ANN, "INBOX", &format!("r{n}"), 0, &raw)?;
    }
    for n in 1..=25 {
        let raw = format!("From: x{n}@strange.example\r\nTo: {ANN}\r\nMessage-ID: <x{n}@s>\r\n\r\nbuy\r\n");
        lay(&desk.lab, ANN, "INBOX", &format!("x{n}"), 0, &raw)?;
    }
    desk.lab.start_imap()?;
    let told = caught_up(&mut events).await?;
    let last = told.last().context("nothing was told")?;
    ensure!((last.missed, last.checked, last.logged) == (37, 37, 12), "{told:?}");
    ensure!(last.address.as_str() == ANN);
    for pair in told.windows(2) {
        ensure!(pair[0].checked <= pair[1].checked && pair[0].missed <= pair[1].missed, "{told:?}");
    }
    ensure!(told.iter().all(|c| c.logged <= c.checked && c.checked <= c.missed), "{told:?}");
    let status = desk.engine.status().await?;
    ensure!(status.mailboxes[0].logged == 13, "the ledger says another number: {:?}", status.mailboxes[0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_caught_up_by_one_connection() -> Result<()> {
    an_outage_is_caught_up_and_counted(Lab::builder()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_caught_up_by_two_connections() -> Result<()> {
    let caps = "IMAP4rev1 IDLE SPECIAL-USE LIST-EXTENDED UIDPLUS";
    an_outage_is_caught_up_and_counted(Lab::builder().caps(caps)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_is_mended_with_the_new_one_and_with_no_other() -> Result<()> {
    let desk = Desk::new().await?;
    let ann = Address::parse(ANN)?;
    let mut events = desk.engine.events();
    let _at_work = desk.run().await?;
    caught_up(&mut events).await?;
    let settings = desk.engine.account(&ann).await?.settings;
    let well = desk.engine.broken(&ann).await?;
    ensure!((well.reason, well.failed, well.since) == (None, None, None), "{well:?}");
    desk.lab.set_password(ANN, "another")?;
    desk.lab.kick(ANN)?;
    ensure!(is(&mut events, State::NeedsAttention).await? == Some(Reason::PasswordChanged));
    desk.send("1@lab.test")?;
    let broken = desk.engine.broken(&ann).await?;
    ensure!(broken.reason == Some(Reason::PasswordChanged), "{broken:?}");
    ensure!(broken.failed == Some(CheckStepName::SignIn) && broken.since.is_some(), "{broken:?}");
    ensure!(
        broken.evidence.as_ref().is_some_and(|words| words.contains("AUTHENTICATIONFAILED")),
        "{broken:?}"
    );
    ensure!(broken.draft == settings.draft);
    // The stored password was changed; a new one that is wrong is just wrong.
    let report = desk.engine.check(&settings, None, |_| {}).await?;
    let sign_in = report.steps.iter().find(|s| s.step == CheckStepName::SignIn).context("no sign-in")?;
    ensure!(sign_in.reason == Some(Reason::PasswordChanged), "{report:?}");
    let wrong = Some(Zeroizing::new("wrong".to_owned()));
    let error = desk.engine.reconnect(settings.clone(), wrong, OtherMailbox::Refuse).await.err();
    ensure!(error.context("it was taken")?.code() == "credentials_rejected");
    let new = Some(Zeroizing::new("another".to_owned()));
    desk.engine.reconnect(settings, new, OtherMailbox::Refuse).await?;
    let told = caught_up(&mut events).await?;
    let last = told.last().context("nothing was told")?;
    ensure!((last.missed, last.checked, last.logged) == (1, 1, 1), "{told:?}");
    ensure!(desk.engine.broken(&ann).await?.reason.is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_mailbox_is_not_taken_for_the_known_one() -> Result<()> {
    const BOB: &str = "bob@lab.test";
    let desk = Desk::new().await?;
    let ann = Address::parse(ANN)?;
    let settings = desk.engine.account(&ann).await?.settings;
    let report = desk.engine.check(&settings, None, |_| {}).await?;
    ensure!((report.failed, report.same_mailbox) == (None, None), "nothing is known yet: {report:?}");
    desk.engine.catch_up().await?;
    for n in 1..=5 {
        desk.send(&format!("{n}@lab.test"))?;
    }
    desk.engine.catch_up().await?;
    ensure!(desk.engine.check(&settings, None, |_| {}).await?.same_mailbox == Some(true));
    // The same server, the same numbers, another mailbox, in which more was sent to the same person.
    let sent = |n: u32| {
        let raw = format!("From: {ANN}\r\nTo: {CARL}\r\nMessage-ID: <b{n}@lab.test>\r\n\r\nhello\r\n");
        desk.lab.append(BOB, "Sent", raw.as_bytes())
    };
    sent(0)?;
    for folder in ["INBOX", "Sent"] {
        let number = desk.lab.uidvalidity(ANN, folder)?;
        desk.lab.set_uidvalidity(BOB, folder, number)?;
    }
    for n in 1..=9 {
        sent(n)?;
    }
    ensure!(desk.lab.uidvalidity(BOB, "Sent")? == desk.lab.uidvalidity(ANN, "Sent")?);
    let mut other = settings.clone();
    other.user = BOB.to_owned();
    let password = || desk.lab.password(BOB).map(|p| Some(Zeroizing::new(p)));
    let report = desk.engine.check(&other, password()?, |_| {}).await?;
    ensure!(report.steps.iter().all(|s| s.state != CheckState::Failed), "{report:?}");
    ensure!(report.same_mailbox == Some(false), "{report:?}");
    let refused = desk.engine.reconnect(other.clone(), password()?, OtherMailbox::Refuse).await.err();
    ensure!(refused.context("another mailbox was taken")?.code() == "wrong_account");
    ensure!(desk.engine.account(&ann).await?.settings == settings, "it was stored all the same");
    desk.engine.reconnect(other.clone(), password()?, OtherMailbox::Accept).await?;
    ensure!(desk.engine.account(&ann).await?.settings == other);
    // What lay in it before it was taken stays unread; what is sent from now on is logged.
    desk.engine.catch_up().await?;
    let logged = || async { anyhow::Ok(desk.engine.status().await?.mailboxes[0].logged) };
    ensure!(logged().await? == 5, "old mail of another mailbox was logged: {}", logged().await?);
    let raw = format!("From: {ANN}\r\nTo: {CARL}\r\nMessage-ID: <new@lab.test>\r\n\r\nhello\r\n");
    desk.lab.append(BOB, "Sent", raw.as_bytes())?;
    desk.engine.catch_up().await?;
    ensure!(logged().await? == 6, "new mail was not logged: {}", logged().await?);
    Ok(())
}

/// Every message is gone, so that only the numbers are left to go by.
#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_mailbox_is_the_known_one_and_an_empty_other_one_is_not() -> Result<()> {
    const BOB: &str = "bob@lab.test";
    let desk = Desk::new().await?;
    let settings = desk.engine.account(&Address::parse(ANN)?).await?.settings;
    desk.engine.catch_up().await?;
    for n in 1..=5 {
        desk.send(&format!("{n}@lab.test"))?;
    }
    desk.engine.catch_up().await?;
    let empty = |user: &str| desk.lab.expunge(user, "Sent", &[]);
    empty(ANN)?;
    ensure!(desk.lab.uids(ANN, "Sent")?.is_empty());
    ensure!(desk.engine.check(&settings, None, |_| {}).await?.same_mailbox == Some(true));
    // Another one that was hardly used, and one in which more were and are no more.
    for used in [1, 9] {
        for n in 0..used {
            let raw = format!("From: {ANN}\r\nTo: {CARL}\r\nMessage-ID: <b{n}@lab.test>\r\n\r\nhello\r\n");
            desk.lab.append(BOB, "Sent", raw.as_bytes())?;
        }
        for folder in ["INBOX", "Sent"] {
            let number = desk.lab.uidvalidity(ANN, folder)?;
            desk.lab.set_uidvalidity(BOB, folder, number)?;
        }
        empty(BOB)?;
        let mut other = settings.clone();
        other.user = BOB.to_owned();
        let password = || desk.lab.password(BOB).map(|p| Some(Zeroizing::new(p)));
        let report = desk.engine.check(&other, password()?, |_| {}).await?;
        ensure!(report.same_mailbox == Some(false), "{used}: {report:?}");
        let refused = desk.engine.reconnect(other, password()?, OtherMailbox::Refuse).await.err();
        ensure!(refused.context("another mailbox was taken")?.code() == "wrong_account");
    }
    Ok(())
}

/// Settings that are stored without a look at the messages may lead to another mailbox.
#[tokio::test(flavor = "multi_thread")]
async fn under_another_user_a_mailbox_is_read_from_now_on() -> Result<()> {
    const BOB: &str = "bob@lab.test";
    let desk = Desk::new().await?;
    let ann = Address::parse(ANN)?;
    desk.engine.catch_up().await?;
    for n in 1..=9 {
        let raw = format!("From: {ANN}\r\nTo: {CARL}\r\nMessage-ID: <b{n}@lab.test>\r\n\r\nhello\r\n");
        desk.lab.append(BOB, "Sent", raw.as_bytes())?;
    }
    for folder in ["INBOX", "Sent"] {
        desk.lab.set_uidvalidity(BOB, folder, desk.lab.uidvalidity(ANN, folder)?)?;
    }
    let mut other = desk.engine.account(&ann).await?.settings;
    other.user = BOB.to_owned();
    desk.engine.change_account(other).await?;
    desk.engine.set_password(&ann, Zeroizing::new(desk.lab.password(BOB)?)).await?;
    desk.engine.catch_up().await?;
    let status = desk.engine.status().await?;
    ensure!(status.mailboxes[0].logged == 0, "{:?}", status.mailboxes[0]);
    ensure!(status.mailboxes[0].state == State::Connected, "{:?}", status.mailboxes[0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_was_moved_is_known_by_its_messages() -> Result<()> {
    let desk = Desk::new().await?;
    let ann = Address::parse(ANN)?;
    desk.engine.catch_up().await?;
    for n in 1..=3 {
        desk.send(&format!("{n}@lab.test"))?;
    }
    desk.engine.catch_up().await?;
    for folder in ["INBOX", "Sent"] {
        desk.lab.set_uidvalidity(ANN, folder, 77_777)?;
    }
    let settings = desk.engine.account(&ann).await?.settings;
    let report = desk.engine.check(&settings, None, |_| {}).await?;
    ensure!(report.same_mailbox == Some(true), "{report:?}");
    desk.engine
        .reconnect(settings, None, OtherMailbox::Refuse)
        .await
        .context("a move was taken for another mailbox")
}
