//! "Where is my mail?", asked of a real mailbox.

use anyhow::{Result, ensure};
use threadline_core::address::Address;
use threadline_core::rule::Rule;
use threadline_engine::engine::UNTIL_RESUMED;
use threadline_engine::whereabouts::{Trace, TraceStage};
use threadline_tests::desk::{ANN, CARL, Desk};
use threadline_tests::texts_given;

/// Ann's mail client files a mail of today.
fn file(desk: &Desk, id: &str, to: &str, subject: &str) -> Result<()> {
    let raw = format!("From: {ANN}\r\nTo: {to}\r\nMessage-ID: <{id}>\r\nSubject: {subject}\r\n\r\nhello\r\n");
    desk.lab.append(ANN, "Sent", raw.as_bytes())?;
    Ok(())
}

async fn stages(desk: &Desk, words: &str) -> Result<Vec<TraceStage>> {
    Ok(traces(desk, words).await?.iter().map(|t| t.stage).collect())
}

async fn traces(desk: &Desk, words: &str) -> Result<Vec<Trace>> {
    Ok(desk.engine.where_is_my_mail(&Address::parse(ANN)?, words).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mail_is_found_where_it_is() -> Result<()> {
    let desk = Desk::new().await?;
    desk.engine.catch_up().await?;
    ensure!(stages(&desk, "carl").await? == [TraceStage::NotInSent]);
    ensure!(traces(&desk, " \r\n ").await?.is_empty());

    file(&desk, "1@lab.test", CARL, "Offer")?;
    let found = traces(&desk, "CARL offer").await?;
    ensure!(found.len() == 1 && found[0].stage == TraceStage::NotSeen, "{found:?}");
    ensure!(found[0].message.is_none() && found[0].folder.as_deref() == Some("Sent"));
    ensure!(found[0].subject == "Offer" && found[0].to[0].address.as_str() == CARL);

    desk.engine.catch_up().await?;
    let found = traces(&desk, "offer").await?;
    ensure!(found.len() == 1 && found[0].stage == TraceStage::InCrm, "{found:?}");
    let trace = &found[0];
    ensure!(trace.thread.is_some() && trace.rule == Some(Rule::SentToContact));
    ensure!(trace.stored_at >= trace.decided_at && trace.decided_at.is_some());
    ensure!(stages(&desk, "offer nobody").await? == [TraceStage::NotInSent]);

    // Of these the ledger has the header of one, and of the other no text at all.
    file(&desk, "2@lab.test", "zoe@new.example", "Question")?;
    file(&desk, "3@lab.test", "bob@lab.test", "Lunch")?;
    desk.engine.catch_up().await?;
    ensure!(stages(&desk, "zoe").await? == [TraceStage::Asked]);
    let found = traces(&desk, "lunch").await?;
    ensure!(found.len() == 1 && found[0].stage == TraceStage::Ignored, "{found:?}");
    ensure!(found[0].rule == Some(Rule::OnlyColleagues) && found[0].subject == "Lunch");

    let sessions = desk.lab.rawlog(ANN)?;
    let texts: usize = sessions.iter().map(texts_given).sum();
    ensure!(texts == 1, "one mail is logged, and {texts} texts were read");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn words_in_any_language_are_found() -> Result<()> {
    let desk = Desk::new().await?;
    desk.engine.catch_up().await?;
    file(&desk, "1@lab.test", CARL, "=?utf-8?Q?Gr=C3=B6=C3=9Fe?=")?;
    ensure!(stages(&desk, "größe").await? == [TraceStage::NotSeen]);
    ensure!(stages(&desk, "größe carl").await? == [TraceStage::NotSeen]);
    ensure!(stages(&desk, "grüße").await? == [TraceStage::NotInSent]);
    // Nothing that is typed becomes a command.
    ensure!(stages(&desk, "carl\" DELETED\r\nT9 LOGOUT").await? == [TraceStage::NotInSent]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_mailbox_is_not_asked_that_is_said_beside_what_is_known() -> Result<()> {
    let desk = Desk::new().await?;
    desk.engine.catch_up().await?;
    file(&desk, "1@lab.test", CARL, "Offer")?;
    desk.engine.catch_up().await?;
    file(&desk, "2@lab.test", CARL, "Second")?;
    let ann = Address::parse(ANN)?;
    desk.engine.pause(&ann, Some(UNTIL_RESUMED)).await?;
    let sessions = desk.lab.rawlog(ANN)?.len();
    ensure!(stages(&desk, "carl").await? == [TraceStage::InCrm, TraceStage::NotAsked]);
    ensure!(desk.lab.rawlog(ANN)?.len() == sessions, "a paused mailbox was connected to");
    desk.engine.pause(&ann, None).await?;
    desk.lab.stop_imap();
    ensure!(stages(&desk, "carl").await? == [TraceStage::InCrm, TraceStage::NotAsked]);
    Ok(())
}
