//! "Where is my mail?", asked of a real mailbox.

use anyhow::{Context, Result, ensure};
use threadline_core::address::Address;
use threadline_core::rule::{LogMode, Rule};
use threadline_engine::by_hand::{MailPlace, Which};
use threadline_engine::engine::UNTIL_RESUMED;
use threadline_engine::threads::ThreadQuery;
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

/// Ann logs only what she says; Carl is somebody of whom no mail is to be logged.
async fn careful() -> Result<Desk> {
    let desk = Desk::new().await?;
    let ann = Address::parse(ANN)?;
    let mut rules = desk.engine.account(&ann).await?.settings.rules;
    rules.mode = LogMode::OnlyWhenISay;
    rules.never_addresses.push(Address::parse(CARL)?);
    desk.engine.set_rules(&ann, rules).await?;
    desk.engine.catch_up().await?;
    Ok(desk)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_a_rule_kept_out_is_logged_by_hand_and_that_is_taken_back() -> Result<()> {
    let desk = careful().await?;
    let (engine, ann) = (&desk.engine, Address::parse(ANN)?);
    file(&desk, "1@lab.test", "dora@customer2.example", "Offer")?;
    file(&desk, "2@lab.test", "bob@lab.test", "Lunch")?;
    engine.catch_up().await?;
    let trace = traces(&desk, "offer").await?.remove(0);
    ensure!(trace.stage == TraceStage::Ignored && trace.rule == Some(Rule::OnlyWhenISay), "{trace:?}");
    let which = Which::Message { message: trace.message.context("no number")? };
    let undo = engine.log_by_hand(&ann, which.clone(), false).await?;
    ensure!(stages(&desk, "offer").await? == [TraceStage::Fetching]);
    ensure!(engine.catch_up().await?.is_well());
    let trace = traces(&desk, "offer").await?.remove(0);
    ensure!(trace.stage == TraceStage::InCrm && trace.rule == Some(Rule::ToldToLog), "{trace:?}");
    // Said twice it is logged once, and the second time there is nothing to take back.
    let again = engine.log_by_hand(&ann, which.clone(), false).await?;
    ensure!(again.until < undo.until, "{again:?}");
    engine.undo(undo.token).await?;
    ensure!(stages(&desk, "offer").await? == [TraceStage::Ignored]);
    ensure!(engine.catch_up().await?.is_well());
    ensure!(stages(&desk, "offer").await? == [TraceStage::Ignored], "it is not logged by itself");

    // Mail among colleagues is logged by nobody's word.
    let lunch = traces(&desk, "lunch").await?.remove(0).message.context("no number")?;
    let refused = engine.log_by_hand(&ann, Which::Message { message: lunch }, true).await.unwrap_err();
    ensure!(refused.code() == "not_loggable", "{refused}");
    ensure!(refused.to_string().contains(Rule::OnlyColleagues.explanation()), "{refused}");
    // And what was deleted meanwhile is not there.
    desk.lab.expunge(ANN, "Sent", &[])?;
    let gone = engine.log_by_hand(&ann, which, false).await.unwrap_err();
    ensure!(gone.code() == "not_there", "{gone}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_never_log_rule_is_stronger_unless_the_person_says_that_it_does_not_count() -> Result<()> {
    let desk = careful().await?;
    let (engine, ann) = (&desk.engine, Address::parse(ANN)?);
    file(&desk, "1@lab.test", CARL, "Offer")?;
    // Not even read yet: it is named by its place.
    let trace = traces(&desk, "offer").await?.remove(0);
    ensure!(trace.stage == TraceStage::NotSeen && trace.message.is_none(), "{trace:?}");
    let which = Which::Place { place: trace.place.context("no place")? };
    let refused = engine.log_by_hand(&ann, which.clone(), false).await.unwrap_err();
    ensure!(refused.code() == "never_log", "{refused}");
    ensure!(stages(&desk, "offer").await? == [TraceStage::NotSeen], "a refusal changes nothing");
    let undo = engine.log_by_hand(&ann, which, true).await?;
    ensure!(engine.catch_up().await?.is_well());
    ensure!(stages(&desk, "offer").await? == [TraceStage::InCrm]);
    let rules = engine.account(&ann).await?.settings.rules;
    ensure!(rules.never_addresses.len() == 1, "the rule itself stays");
    file(&desk, "2@lab.test", CARL, "Second offer")?;
    engine.catch_up().await?;
    ensure!(stages(&desk, "second").await? == [TraceStage::Ignored], "and counts for the next one");
    engine.undo(undo.token).await?;
    let trace = traces(&desk, "offer").await?.into_iter().find(|t| t.subject == "Offer");
    ensure!(trace.is_some_and(|t| t.rule == Some(Rule::NeverAddress)), "it is what it would have been");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_in_a_folder_that_nobody_watches_is_logged_by_its_place() -> Result<()> {
    let desk = careful().await?;
    let (engine, ann) = (&desk.engine, Address::parse(ANN)?);
    let raw = "From: dora@customer2.example\r\nTo: ann@lab.test\r\nMessage-ID: <1@x>\r\nSubject: Order\r\n\r\nhello\r\n";
    let uid = desk.lab.append(ANN, "Archive", raw.as_bytes())?;
    let uidvalidity = desk.lab.uidvalidity(ANN, "Archive")?;
    let place = MailPlace { folder: "Archive".into(), uidvalidity, uid };
    engine.log_by_hand(&ann, Which::Place { place: place.clone() }, false).await?;
    let threads = engine.threads_page(ThreadQuery::default()).await?.rows;
    ensure!(threads.len() == 1 && threads[0].subject == "Order", "{threads:?}");
    ensure!(engine.catch_up().await?.is_well(), "its text was not read");
    let texts: usize = desk.lab.rawlog(ANN)?.iter().map(texts_given).sum();
    ensure!(texts == 1, "{texts} texts were read");
    let elsewhere = Which::Place { place: MailPlace { uidvalidity: place.uidvalidity + 1, ..place } };
    let refused = engine.log_by_hand(&ann, elsewhere, false).await.unwrap_err();
    ensure!(refused.code() == "not_there", "{refused}");
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
