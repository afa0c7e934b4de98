//! "Where is my mail?": what became of mail that the person sent, by recipient or subject.
//!
//! The ledger has no text of mail that is not logged, so the mailbox is asked too, over a short connection of its own. What it
//! says is shown and not kept.

use crate::by_hand::MailPlace;
use crate::engine::{Account, Engine};
use crate::error::EngineError;
use crate::sign_in;
use crate::tokens::Using;
use crate::views::{CrmState, crm_states};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use threadline_core::address::{Address, Mailbox};
use threadline_core::arrival::Arrival;
use threadline_core::record::Direction;
use threadline_core::rule::Rule;
use threadline_mail::find::{Found, words};
use threadline_mail::folders::watched;
use threadline_store::message::{Headers, Message, Outcome};
use threadline_store::outbox::State;
use threadline_store::thread::Query;
use threadline_store::{StoreError, Tx, job, message, thread};

/// How far back the mailbox is searched.
const BACK: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How long the mailbox may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most messages shown.
const MOST: usize = 20;
/// Conversations, and messages that are asked about or held, that are looked through.
const LOOKED_AT: usize = 500;

/// How far a mail has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum TraceStage {
    /// It is in no folder for sent mail: the mail program has not sent it yet, or files no copy.
    NotInSent,
    /// It lies in Sent, and Threadline has not read it yet.
    NotSeen,
    /// A rule keeps it out.
    Ignored,
    /// The person is asked about it.
    Asked,
    /// It waits for the CRM's contacts.
    Held,
    /// It is logged, and its text is still to be read.
    Fetching,
    /// It is logged, and a CRM does not have it yet.
    Waiting,
    /// It is logged, and every CRM that is set has it: none where the log stays in the ledger.
    InCrm,
    /// Its text could not be read, or a CRM refused it.
    Failed,
    /// No mail, but a note: the mailbox could not be asked, so only what is logged or asked about is shown.
    NotAsked,
}

/// One answer to "Where is my mail?".
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Trace {
    /// Where the ledger knows it.
    pub message: Option<i64>,
    pub thread: Option<i64>,
    pub folder: Option<String>,
    /// Where it lies in the mailbox, where that was seen now.
    pub place: Option<MailPlace>,
    /// Of the mail; the words that were looked for where there is none.
    pub subject: String,
    pub to: Vec<Mailbox>,
    pub sent_at: Option<Timestamp>,
    pub decided_at: Option<Timestamp>,
    /// When the last CRM took it.
    pub stored_at: Option<Timestamp>,
    pub stage: TraceStage,
    pub rule: Option<Rule>,
    pub crm: Vec<CrmState>,
}

threadline_core::debug_only!(Trace { message, stage, rule });

/// A mail in a folder of the mailbox.
#[derive(Debug)]
struct Hit {
    folder: String,
    uidvalidity: u32,
    arrival: Arrival,
}

impl Engine {
    /// What became of mail from this mailbox with each of these words in a recipient or in the subject, the newest first; at
    /// most 20. The mailbox is searched for the last 14 days. Where it cannot be asked, or is paused, a note says so.
    pub async fn where_is_my_mail(
        &self,
        mailbox: &Address,
        question: &str,
    ) -> Result<Vec<Trace>, EngineError> {
        let account = self.account(mailbox).await?;
        let words = words(question);
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let hits = match tokio::time::timeout(PATIENCE, self.in_the_mailbox(&account, &words)).await {
            Ok(Ok(hits)) => Some(hits),
            Ok(Err(error)) => {
                tracing::info!(code = error.code(), "the mailbox was not asked where a mail is");
                None
            }
            Err(_) => None,
        };
        let asked = hits.is_some();
        let id = account.id;
        let read = move |tx: &Tx<'_>| traces(tx, id, &words, hits.unwrap_or_default());
        let mut traces = self.ledger().read(read).await?;
        if !asked {
            traces.push(note(TraceStage::NotAsked, question));
        } else if traces.is_empty() {
            traces.push(note(TraceStage::NotInSent, question));
        }
        Ok(traces)
    }

    /// The newest mails with these words in the folders for sent mail.
    async fn in_the_mailbox(&self, account: &Account, words: &[String]) -> Result<Vec<Hit>, EngineError> {
        let (shared, settings) = (self.shared(), &account.settings);
        let now = shared.clock.now();
        if account.paused_until.is_some_and(|until| until > now) {
            return Err(EngineError::Paused(settings.address.to_string()));
        }
        let mut session = sign_in::session(shared, settings, None, Using::Kept).await?;
        let found = watched(
            &session.folders().await?,
            session.capabilities().is_gmail(),
            settings.sent_folder.as_deref(),
        );
        // Gmail's All Mail holds what came in, too.
        let own_only = found.all.is_some();
        let since = now.checked_sub(BACK).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut hits = Vec::new();
        for folder in found.all.iter().chain(&found.sent) {
            let Found { uidvalidity, arrivals } = session.find(folder, since, words, MOST).await?;
            let hit = |arrival| Hit { folder: folder.name.clone(), uidvalidity, arrival };
            hits.extend(arrivals.into_iter().map(hit));
        }
        session.logout().await;
        if own_only {
            hits.retain(|hit| {
                hit.arrival.envelope.from.as_ref().is_some_and(|from| settings.rules.is_own(&from.address))
            });
        }
        Ok(hits)
    }
}

/// A trace that is no mail.
fn note(stage: TraceStage, question: &str) -> Trace {
    Trace {
        message: None,
        thread: None,
        folder: None,
        place: None,
        subject: question.trim().to_owned(),
        to: Vec::new(),
        sent_at: None,
        decided_at: None,
        stored_at: None,
        stage,
        rule: None,
        crm: Vec::new(),
    }
}

/// What the ledger knows of the mails that were found, and what it finds by itself; each mail once.
fn traces(tx: &Tx<'_>, account: i64, words: &[String], hits: Vec<Hit>) -> Result<Vec<Trace>, StoreError> {
    let mut traces: Vec<Trace> = Vec::new();
    for row in in_the_ledger(tx, account, words)? {
        traces.push(of_row(tx, &row)?);
    }
    for hit in hits {
        let known = message::known(tx, account, &hit.arrival.envelope)?;
        let trace = match known.map(|k| message::get(tx, k.message)).transpose()?.flatten() {
            Some(row) if traces.iter().any(|t| t.message == Some(row.id)) => continue,
            Some(row) => of_row(tx, &row)?,
            None => note(TraceStage::NotSeen, ""),
        };
        let envelope = &hit.arrival.envelope;
        traces.push(Trace {
            folder: Some(hit.folder.clone()),
            place: Some(MailPlace { folder: hit.folder, uidvalidity: hit.uidvalidity, uid: hit.arrival.uid }),
            subject: envelope.subject.clone(),
            to: envelope.recipients().into_iter().cloned().collect(),
            sent_at: Some(hit.arrival.time()),
            ..trace
        });
    }
    traces.sort_by_key(|t| std::cmp::Reverse(t.sent_at));
    traces.truncate(MOST);
    Ok(traces)
}

/// The sent mails with these words of which the ledger keeps the header, the newest first.
fn in_the_ledger(tx: &Tx<'_>, account: i64, words: &[String]) -> Result<Vec<Message>, StoreError> {
    let search = words.join(" ");
    let query = Query { account: Some(account), search: Some(&search), limit: LOOKED_AT, ..Query::default() };
    let mut rows = Vec::new();
    for summary in thread::list(tx, &query)?.rows {
        rows.extend(message::of_thread(tx, summary.thread.id)?);
        if rows.len() > LOOKED_AT {
            break;
        }
    }
    for outcome in [Outcome::Ask, Outcome::Hold] {
        rows.extend(message::newest_of_outcome(tx, account, outcome, LOOKED_AT)?);
    }
    rows.retain(|m| {
        m.direction == Direction::Outgoing && m.headers.as_ref().is_some_and(|h| holds(h, words))
    });
    rows.sort_by_key(|m| std::cmp::Reverse(m.time));
    rows.truncate(MOST);
    Ok(rows)
}

/// Whether each of these words, in lower case, stands in a recipient or in the subject.
fn holds(headers: &Headers, words: &[String]) -> bool {
    let people = headers.recipients().flat_map(|m| [Some(m.address.as_str()), m.name.as_deref()]);
    let texts: Vec<String> =
        people.flatten().chain([headers.subject.as_str()]).map(str::to_lowercase).collect();
    words.iter().all(|word| texts.iter().any(|text| text.contains(word)))
}

fn of_row(tx: &Tx<'_>, row: &Message) -> Result<Trace, StoreError> {
    let crm = crm_states(tx, row.id)?;
    let given_up = job::of_message(tx, row.id)?.iter().any(|j| j.kind == job::Kind::Body && j.set_aside);
    let headers = row.headers.as_ref();
    Ok(Trace {
        message: Some(row.id),
        thread: row.thread,
        folder: row.folder.clone(),
        place: None,
        subject: headers.map(|h| h.subject.clone()).unwrap_or_default(),
        to: headers.map(|h| h.recipients().cloned().collect()).unwrap_or_default(),
        sent_at: Some(row.time),
        decided_at: Some(row.decided_at),
        stored_at: crm.iter().filter_map(|c| c.stored_at).max(),
        stage: stage(row.outcome, row.body_at.is_some(), given_up, &crm),
        rule: Some(row.rule),
        crm,
    })
}

/// How far a message that was decided about has come. The worst of its CRMs speaks for all of them.
fn stage(outcome: Outcome, read: bool, given_up: bool, crm: &[CrmState]) -> TraceStage {
    let any = |states: &[State]| crm.iter().any(|c| states.iter().any(|s| s.name() == c.state));
    match outcome {
        Outcome::Ignore => TraceStage::Ignored,
        Outcome::Ask => TraceStage::Asked,
        Outcome::Hold => TraceStage::Held,
        Outcome::Log if given_up || any(&[State::SetAside]) => TraceStage::Failed,
        Outcome::Log if !read => TraceStage::Fetching,
        Outcome::Log if any(&[State::Waiting, State::Leased]) => TraceStage::Waiting,
        Outcome::Log => TraceStage::InCrm,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stage_is_that_of_the_slowest() {
        let crm = |states: &[State]| -> Vec<CrmState> {
            let one = |s: &State| CrmState {
                sink: "folder".into(),
                state: s.name(),
                remote_id: None,
                link: None,
                how: None,
                stored_at: None,
                reason: None,
                words: None,
            };
            states.iter().map(one).collect()
        };
        use Outcome::{Ask, Hold, Ignore, Log};
        for (outcome, read, given_up, states, want) in [
            (Ignore, false, false, &[][..], TraceStage::Ignored),
            (Ignore, true, false, &[State::Done], TraceStage::Ignored),
            (Ask, false, false, &[], TraceStage::Asked),
            (Hold, false, false, &[], TraceStage::Held),
            (Log, false, false, &[], TraceStage::Fetching),
            (Log, false, true, &[], TraceStage::Failed),
            (Log, true, false, &[], TraceStage::InCrm),
            (Log, true, false, &[State::Done, State::Waiting], TraceStage::Waiting),
            (Log, true, false, &[State::Leased], TraceStage::Waiting),
            (Log, true, false, &[State::Waiting, State::SetAside], TraceStage::Failed),
            (Log, true, false, &[State::Done, State::Done], TraceStage::InCrm),
        ] {
            assert_eq!(stage(outcome, read, given_up, &crm(states)), want, "{outcome:?} {states:?}");
        }
    }
}
