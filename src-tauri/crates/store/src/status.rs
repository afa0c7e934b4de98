//! Numbers for the status.

use crate::error::StoreError;
use crate::message::Outcome;
use crate::outbox::State;
use crate::sql::named;
use crate::tx::Tx;
use serde::Serialize;

/// A mailbox in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct AccountCounts {
    pub logged: u64,
    pub asked: u64,
    pub held: u64,
    pub ignored: u64,
    /// Messages of which the body was fetched.
    pub bodies_read: u64,
    /// Bodies and headers still to be read from the server.
    pub jobs_waiting: u64,
    /// Of these, bodies of logged mail.
    pub bodies_waiting: u64,
    /// Jobs that were given up.
    pub jobs_set_aside: u64,
    /// Messages that are not at a CRM yet, though their body is here.
    pub pushes_waiting: u64,
    /// Messages that a CRM refused.
    pub pushes_set_aside: u64,
    /// Messages that could not be taken in.
    pub set_aside: u64,
}

impl AccountCounts {
    /// Every message that was decided about.
    pub fn seen(&self) -> u64 {
        self.logged + self.asked + self.held + self.ignored
    }

    /// Messages of which nobody but the person and the mail server has the body.
    pub fn bodies_never_read(&self) -> u64 {
        self.seen().saturating_sub(self.bodies_read)
    }
}

/// The way to a CRM in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SinkCounts {
    pub sink: String,
    /// Not at the CRM yet; those that a worker has right now count too.
    pub waiting: u64,
    pub set_aside: u64,
    pub done: u64,
}

pub fn account(tx: &Tx<'_>, account: i64) -> Result<AccountCounts, StoreError> {
    let mut counts = AccountCounts::default();
    let rows = tx.all(
        "SELECT verdict, count(*) AS number, count(body_at) AS bodies FROM message WHERE account = ?1 GROUP BY verdict",
        [account],
        |row| {
            let outcome = named(row, "verdict", Outcome::from_name)?;
            Ok((outcome, row.get::<_, u32>("number")?, row.get::<_, u32>("bodies")?))
        },
    )?;
    for (outcome, number, bodies) in rows {
        let number = u64::from(number);
        match outcome {
            Outcome::Log => counts.logged = number,
            Outcome::Ask => counts.asked = number,
            Outcome::Hold => counts.held = number,
            Outcome::Ignore => counts.ignored = number,
        }
        counts.bodies_read += u64::from(bodies);
    }
    let number = |sql: &str| -> Result<u64, StoreError> {
        let number: Option<u32> = tx.one(sql, [account], |row| row.get(0))?;
        Ok(number.map_or(0, u64::from))
    };
    counts.jobs_waiting = number("SELECT count(*) FROM job WHERE account = ?1 AND state = 'waiting'")?;
    counts.bodies_waiting =
        number("SELECT count(*) FROM job WHERE account = ?1 AND state = 'waiting' AND kind = 'body'")?;
    let pushes = |states: &str| {
        number(&format!(
            "SELECT count(DISTINCT o.message) FROM outbox o INDEXED BY outbox_open /* whole index */
             CROSS JOIN message m ON m.id = o.message
             WHERE o.state IN ('waiting', 'leased', 'set_aside') AND o.state IN ({states}) AND m.account = ?1"
        ))
    };
    counts.pushes_waiting = pushes("'waiting', 'leased'")?;
    counts.pushes_set_aside = pushes("'set_aside'")?;
    counts.jobs_set_aside = number("SELECT count(*) FROM job WHERE account = ?1 AND state = 'set_aside'")?;
    counts.set_aside = number("SELECT count(*) FROM set_aside WHERE account = ?1")?;
    Ok(counts)
}

/// Every sink that has entries in the outbox, by name.
pub fn sinks(tx: &Tx<'_>) -> Result<Vec<SinkCounts>, StoreError> {
    let rows = tx.all(
        "SELECT sink, state, count(*) AS number FROM outbox /* whole index */ GROUP BY sink, state ORDER BY sink",
        [],
        |row| {
            let state = named(row, "state", State::from_name)?;
            Ok((row.get::<_, String>("sink")?, state, row.get::<_, u32>("number")?))
        },
    )?;
    let mut sinks: Vec<SinkCounts> = Vec::new();
    for (sink, state, number) in rows {
        if sinks.last().is_none_or(|last| last.sink != sink) {
            sinks.push(SinkCounts { sink, ..SinkCounts::default() });
        }
        let Some(counts) = sinks.last_mut() else { continue };
        let number = u64::from(number);
        match state {
            State::Waiting | State::Leased => counts.waiting += number,
            State::SetAside => counts.set_aside += number,
            State::Done => counts.done += number,
            State::Abandoned => {}
        }
    }
    Ok(sinks)
}
