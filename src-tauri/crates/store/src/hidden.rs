//! `hidden`: a mail that went to contacts in Bcc is logged on each of them alone. Each such copy is a message of its own, in a
//! conversation of its own: it lies nowhere, is found by the mail's ids and is identified by none.

use crate::error::StoreError;
use crate::job::{self, Job, Kind};
use crate::message::{self, NewDecision};
use crate::message_id;
use crate::place::Place;
use crate::sql::us;
use crate::thread;
use crate::tx::Tx;
use rusqlite::params;
use threadline_core::decide::{Decision, Thread, Verdict};
use threadline_core::envelope::Envelope;
use threadline_core::hidden::Hidden;
use threadline_core::id::MessageKey;

/// The ninth version. `who` is a keyed hash of the copy's own key.
pub(crate) const NINTH: &str = "
CREATE TABLE hidden (
  message INTEGER PRIMARY KEY REFERENCES message ON DELETE CASCADE,
  of      INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
  who     BLOB NOT NULL CHECK (length(who) = 16),
  UNIQUE (of, who)
) STRICT;
";

/// The header as those see it who see each other.
pub(crate) fn open(envelope: &Envelope, hidden: &[Hidden]) -> Envelope {
    let mut open = envelope.clone();
    open.bcc.retain(|mailbox| !hidden.iter().any(|one| one.contact.address == mailbox.address));
    open
}

/// Logs a mail on each of those whom it hides, where that was not done. Somebody on whom it is logged together with the others,
/// as was done once, stays there.
pub(crate) fn put(tx: &Tx<'_>, of: i64, new: &NewDecision<'_>, open: &Envelope) -> Result<(), StoreError> {
    // A mail that lies nowhere yet has its copies when it comes up.
    let Some(place) = new.place else { return Ok(()) };
    let logged_on = crate::association::of_message(tx, of)?;
    for one in &new.decision.hidden {
        if logged_on.iter().any(|known| known.address == one.contact.address) {
            continue;
        }
        let key = MessageKey::hidden(&open.key, &one.contact.address);
        let who = tx.hash_key(&key);
        let there =
            tx.one("SELECT 1 FROM hidden WHERE of = ?1 AND who = ?2", params![of, who], |_| Ok(()))?;
        if there.is_some() {
            continue;
        }
        let bcc = new.envelope.bcc.iter().filter(|mailbox| mailbox.address == one.contact.address).cloned();
        // What it says of others would bring them into the conversation, and before the CRM's readers.
        let mut envelope = open.clone();
        envelope.key = key;
        (envelope.to, envelope.cc, envelope.bcc) = (Vec::new(), Vec::new(), bcc.collect());
        let thread = match one.thread {
            Thread::Join(id) => id,
            Thread::New => own_thread(tx, new, &key)?,
        };
        let decision = Decision {
            verdict: Verdict::Log { thread: Thread::Join(thread), contacts: vec![one.contact.clone()] },
            hidden: Vec::new(),
            apart_from: None,
            ..new.decision.clone()
        };
        let copy = message::put_copy(tx, &NewDecision { envelope: &envelope, decision: &decision, ..*new })?;
        message_id::note(tx, new.account, copy, tx.hash_key(&open.key))?;
        tx.run("INSERT INTO hidden (message, of, who) VALUES (?1, ?2, ?3)", params![copy, of, who])?;
        job::add(tx, Kind::Body, copy, place, job::AT_ONCE)?;
    }
    Ok(())
}

/// A conversation under the copy's key: the same on every computer.
fn own_thread(tx: &Tx<'_>, new: &NewDecision<'_>, key: &MessageKey) -> Result<i64, StoreError> {
    let there = tx.one(
        "SELECT id FROM thread WHERE account = ?1 AND key = ?2",
        params![new.account, key.as_bytes()],
        |row| row.get(0),
    )?;
    match there {
        Some(id) => Ok(id),
        None => thread::insert(tx, new.account, key, &new.envelope.subject, us(new.time)),
    }
}

/// The message of which this one is a copy; `None` where it is none.
pub fn of(tx: &Tx<'_>, message: i64) -> Result<Option<i64>, StoreError> {
    tx.one("SELECT of FROM hidden WHERE message = ?1", [message], |row| row.get(0))
}

/// A message and its copies, or a copy and what it is a copy of, with that one's other copies; the message alone where it
/// hides nobody.
pub fn group(tx: &Tx<'_>, message: i64) -> Result<Vec<i64>, StoreError> {
    let first = of(tx, message)?.unwrap_or(message);
    let copies: Vec<i64> =
        tx.all("SELECT message FROM hidden WHERE of = ?1 ORDER BY message", [first], |row| row.get(0))?;
    Ok(std::iter::once(first).chain(copies).collect())
}

/// The texts that are still to be read of a message and its copies.
pub fn waiting(tx: &Tx<'_>, message: i64) -> Result<Vec<Job>, StoreError> {
    let mut jobs = Vec::new();
    for one in group(tx, message)? {
        jobs.extend(job::of_message(tx, one)?.into_iter().filter(|job| job.kind == Kind::Body));
    }
    Ok(jobs)
}

/// Where a message lies; for a copy, where that lies of which it is one.
pub fn places(tx: &Tx<'_>, message: i64) -> Result<Vec<Place>, StoreError> {
    crate::place::of_message(tx, of(tx, message)?.unwrap_or(message))
}

/// How many copies there are whose text was read, with that of what they are copies of.
pub fn read_copies(tx: &Tx<'_>, account: i64) -> Result<u64, StoreError> {
    let count: Option<i64> = tx.one(
        "SELECT count(*) FROM message m INDEXED BY message_by_verdict
         WHERE m.account = ?1 AND m.verdict = 'log' AND m.body_at IS NOT NULL
           AND EXISTS (SELECT 1 FROM hidden h WHERE h.message = m.id)",
        [account],
        |row| row.get(0),
    )?;
    Ok(count.map_or(0, i64::cast_unsigned))
}
