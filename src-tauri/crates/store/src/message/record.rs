//! Recording a decision: the message, its ids, what it answers, and its place, in one call.

use super::{Headers, Outcome, merge};
use crate::error::StoreError;
use crate::place::Place;
use crate::sql::{direction_name, maybe_json, named, to_json, us};
use crate::tx::{IdHash, Tx};
use crate::{activity, association, hidden, message_id, place, reference, retention, thread};
use jiff::Timestamp;
use rusqlite::{named_params, params};
use threadline_core::decide::{self, Decision, Verdict};
use threadline_core::envelope::Envelope;
use threadline_core::matching::{self, Link};
use threadline_core::record::Association;
use threadline_core::rule::Rule;

/// A decision about a message.
#[derive(Debug, Clone, Copy)]
pub struct NewDecision<'a> {
    pub account: i64,
    /// Where it was seen; none where it is known before any folder shows it.
    pub place: Option<Place>,
    pub envelope: &'a Envelope,
    pub decision: &'a Decision,
    pub rule_version: u32,
    /// The message's own time.
    pub time: Timestamp,
    /// Bytes.
    pub size: u32,
    /// Now.
    pub at: Timestamp,
}

/// What was known of a message before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    pub message: i64,
    pub outcome: Outcome,
    pub rule: Rule,
    pub thread: Option<i64>,
}

/// What became of a recorded decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    pub message: i64,
    pub before: Option<Before>,
    /// The outcome that stands now.
    pub outcome: Outcome,
    /// The thread of a logged message.
    pub thread: Option<i64>,
    /// True when the message was not known to lie here.
    pub new_place: bool,
    /// True when this call made it a logged one: its body is to be fetched.
    pub newly_logged: bool,
}

/// What becomes of a verdict that differs from the one that is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// The message was seen once more: the stronger verdict stands.
    Seen,
    /// It was decided anew: the new verdict stands, unless the message is logged already.
    Decided,
}

/// Records the decision about a message that was seen in a folder. Where the message is known, by any of its ids, it
/// gains the place and the ids, and the stronger outcome stands: log, ask, hold, ignore. Repeating a call changes nothing.
pub fn record(tx: &Tx<'_>, new: &NewDecision<'_>) -> Result<Recorded, StoreError> {
    store(tx, new, Again::Seen)
}

/// Records the decision about a message that was decided again, because contacts, threads or rules changed. The new
/// outcome stands, even a weaker one; a logged message stays logged.
pub fn decide_again(tx: &Tx<'_>, new: &NewDecision<'_>) -> Result<Recorded, StoreError> {
    store(tx, new, Again::Decided)
}

/// True where the header claims an earlier id that belongs to a logged message of another sender or date: then it is not
/// that message, whatever it says.
pub fn contradicts(tx: &Tx<'_>, account: i64, envelope: &Envelope) -> Result<bool, StoreError> {
    if !envelope.claims_original() {
        return Ok(false);
    }
    let sender = envelope.from.as_ref().map(|m| &m.address);
    for owner in message_id::owners(tx, account, &message_id::identities(tx, envelope))? {
        let logged = tx.one(
            "SELECT headers, sender FROM message WHERE id = ?1 AND verdict = 'log'",
            [owner],
            |row| Ok((maybe_json::<Headers>(row, "headers")?, row.get::<_, Option<IdHash>>("sender")?)),
        )?;
        if let Some((_, Some(kept))) = logged {
            // Of a receipt's header this is all that is left.
            if kept != retention::sender(tx, sender, envelope.date) {
                return Ok(true);
            }
        } else if let Some((Some(headers), None)) = logged
            && (headers.from.as_ref().map(|m| &m.address) != sender || headers.date != envelope.date)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is known of the message with this header.
pub fn known(tx: &Tx<'_>, account: i64, envelope: &Envelope) -> Result<Option<Before>, StoreError> {
    let own = message_id::identities(tx, envelope);
    match message_id::owners(tx, account, &own)?.first() {
        Some(id) => before(tx, *id),
        None => Ok(None),
    }
}

fn store(tx: &Tx<'_>, whole: &NewDecision<'_>, again: Again) -> Result<Recorded, StoreError> {
    let open = hidden::open(whole.envelope, &whole.decision.hidden);
    let new = &NewDecision { envelope: &open, ..*whole };
    let own = message_id::identities(tx, new.envelope);
    let owners = message_id::owners(tx, new.account, &own)?;
    let before = match merge::one_of(tx, &owners)? {
        Some(id) => before(tx, id)?,
        None => None,
    };
    let outcome = Outcome::from(&new.decision.verdict);
    let message = match before {
        None => insert(tx, new)?,
        Some(row) => row.message,
    };
    let changes = match before {
        None => true,
        Some(row) if row.outcome == Outcome::Log => false,
        Some(row) => again == Again::Decided || outcome > row.outcome,
    };
    if changes {
        apply(tx, message, new)?;
    } else {
        extend(tx, message, new)?;
    }
    link(tx, message, new, &own)?;
    if outcome == Outcome::Log {
        let traces = matching::traces(new.envelope, new.decision.direction);
        message_id::add_traces(tx, new.account, message, &traces)?;
    }
    let new_place = match new.place {
        Some(place) => place::put(tx, place, message)?,
        None => false,
    };
    if outcome == Outcome::Log && !retention::is_receipt(tx, message)? {
        hidden::put(tx, message, whole, &open)?;
    }
    let now = self::before(tx, message)?.ok_or(StoreError::NotFound { what: "message", id: message })?;
    if let Some(thread) = now.thread {
        thread::refresh(tx, thread)?;
    }
    if is_notice(now.rule) || before.is_some_and(|b| is_notice(b.rule)) {
        thread::refresh_answered(tx, message)?;
    }
    if before.is_none_or(|b| b.outcome != now.outcome) {
        activity::decided(tx, message, new.place.map(|place| place.folder), new.at)?;
    }
    Ok(Recorded {
        message,
        before,
        outcome: now.outcome,
        thread: now.thread,
        new_place,
        newly_logged: now.outcome == Outcome::Log && before.is_none_or(|b| b.outcome != Outcome::Log),
    })
}

/// A delivery report or an automatic answer: it is not logged, and says how a thread stands.
fn is_notice(rule: Rule) -> bool {
    matches!(rule, Rule::Bounce | Rule::AutoReply)
}

pub(super) fn before(tx: &Tx<'_>, message: i64) -> Result<Option<Before>, StoreError> {
    tx.one("SELECT verdict, rule, thread FROM message WHERE id = ?1", [message], |row| {
        Ok(Before {
            message,
            outcome: named(row, "verdict", Outcome::from_name)?,
            rule: named(row, "rule", Rule::from_name)?,
            thread: row.get("thread")?,
        })
    })
}

/// A logged message that is found by the ids of another one, of which it is a copy, and goes by none of them.
pub(crate) fn put_copy(tx: &Tx<'_>, new: &NewDecision<'_>) -> Result<i64, StoreError> {
    let copy = insert(tx, new)?;
    apply(tx, copy, new)?;
    message_id::add(tx, new.account, copy, new.envelope, &[])?;
    let traces = matching::traces(new.envelope, new.decision.direction);
    message_id::add_traces(tx, new.account, copy, &traces)?;
    if let Some(row) = before(tx, copy)?.and_then(|row| row.thread) {
        thread::refresh(tx, row)?;
    }
    activity::decided(tx, copy, new.place.map(|place| place.folder), new.at)?;
    Ok(copy)
}

/// A bare row, which [`apply`] fills.
fn insert(tx: &Tx<'_>, new: &NewDecision<'_>) -> Result<i64, StoreError> {
    tx.insert(
        "INSERT INTO message (account, verdict, rule, rule_version, direction, time, decided_at, size)
         VALUES (?1, 'ignore', ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            new.account,
            new.decision.rule.name(),
            new.rule_version,
            direction_name(new.decision.direction),
            us(new.time),
            us(new.at),
            new.size
        ],
    )
}

/// Makes the decision the message's own.
fn apply(tx: &Tx<'_>, message: i64, new: &NewDecision<'_>) -> Result<(), StoreError> {
    let envelope = new.envelope;
    let outcome = Outcome::from(&new.decision.verdict);
    let thread = match &new.decision.verdict {
        Verdict::Log { thread, contacts } => Some(thread_for(tx, *thread, contacts, new)?),
        Verdict::Ask | Verdict::Hold | Verdict::Ignore => None,
    };
    let keeps_text = outcome != Outcome::Ignore;
    let headers = keeps_text.then(|| to_json(&Headers::from(envelope), "headers")).transpose()?;
    tx.run(
        "UPDATE message SET verdict = :verdict, rule = :rule, rule_version = :rule_version, direction = :direction,
           time = :time, decided_at = :at, size = :size, thread = :thread, key = :key, headers = :headers,
           link = :link
         WHERE id = :id",
        named_params! {
            ":verdict": outcome.name(),
            ":rule": new.decision.rule.name(),
            ":rule_version": new.rule_version,
            ":direction": direction_name(new.decision.direction),
            ":time": us(new.time),
            ":at": us(new.at),
            ":size": new.size,
            ":thread": thread,
            ":key": keeps_text.then_some(envelope.key.as_bytes()),
            ":headers": headers,
            ":link": new.decision.link.map(Link::name),
            ":id": message,
        },
    )?;
    if let (Some(thread), Some(from)) = (thread, new.decision.apart_from) {
        thread::set_apart(tx, thread, from, thread::Why::PassedOn)?;
    }
    tx.run("DELETE FROM asked_address WHERE message = ?1", [message])?;
    match &new.decision.verdict {
        Verdict::Log { contacts, .. } => {
            association::add(tx, message, contacts)?;
            if let Some(thread) = thread {
                thread::joined(tx, thread, envelope.from.iter().chain(envelope.recipients()))?;
                thread::unite(tx, new.account, thread, envelope, contacts)?;
            }
        }
        Verdict::Ask => {
            for mailbox in envelope.from.iter().chain(envelope.recipients()) {
                tx.run(
                    "INSERT OR IGNORE INTO asked_address (message, address) VALUES (?1, ?2)",
                    params![message, mailbox.address.as_str()],
                )?;
            }
        }
        Verdict::Hold | Verdict::Ignore => {}
    }
    Ok(())
}

fn thread_for(
    tx: &Tx<'_>,
    thread: decide::Thread,
    contacts: &[Association],
    new: &NewDecision<'_>,
) -> Result<i64, StoreError> {
    match thread {
        decide::Thread::Join(id) => Ok(id),
        decide::Thread::New => thread::begin(tx, new.account, new.envelope, contacts, new.time),
    }
}

/// A copy of a logged message may know more: a rewritten id, or the Bcc that only the Sent copy has.
fn extend(tx: &Tx<'_>, message: i64, new: &NewDecision<'_>) -> Result<(), StoreError> {
    if retention::is_receipt(tx, message)? {
        return Ok(());
    }
    let Some(mut headers) = tx
        .one("SELECT headers FROM message WHERE id = ?1", [message], |row| {
            maybe_json::<Headers>(row, "headers")
        })?
        .flatten()
    else {
        return Ok(());
    };
    let old = headers.clone();
    for id in &new.envelope.ids {
        if !headers.ids.contains(id) {
            headers.ids.push(id.clone());
        }
    }
    if headers.bcc.is_empty() {
        headers.bcc.clone_from(&new.envelope.bcc);
    }
    if headers != old {
        tx.run(
            "UPDATE message SET headers = ?2 WHERE id = ?1",
            params![message, to_json(&headers, "headers")?],
        )?;
    }
    if let Verdict::Log { contacts, .. } = &new.decision.verdict {
        association::add(tx, message, contacts)?;
    }
    Ok(())
}

fn link(tx: &Tx<'_>, message: i64, new: &NewDecision<'_>, own: &[IdHash]) -> Result<(), StoreError> {
    message_id::add(tx, new.account, message, new.envelope, own)?;
    let mut parents: Vec<IdHash> = new.envelope.parents().iter().map(|id| tx.hash_id(id)).collect();
    if new.envelope.machine.is_none() {
        parents.extend(matching::answered(new.envelope).iter().map(|(_, clue)| tx.hash_clue(clue)));
    }
    reference::add(tx, new.account, message, &parents)
}
