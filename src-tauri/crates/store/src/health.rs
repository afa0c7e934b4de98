//! `health`: the history of each channel's states. The open row is the present.

use crate::activity;
use crate::error::StoreError;
use crate::sql::{maybe_named, maybe_time, most, named, reason, time, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::{Row, named_params, params};
use threadline_core::health::{Channel, Health, State};
use threadline_core::reason::{Phase, Reason};

pub(crate) const SQL: &str = "
CREATE TABLE health (
  id       INTEGER PRIMARY KEY,
  account  INTEGER REFERENCES account ON DELETE CASCADE,
  sink     TEXT,
  channel  TEXT NOT NULL,
  state    TEXT NOT NULL,
  phase    TEXT,
  reason   TEXT,
  since    INTEGER NOT NULL,
  until    INTEGER,
  evidence TEXT,
  next_try INTEGER,
  CHECK ((account IS NULL) <> (sink IS NULL))
) STRICT;
CREATE UNIQUE INDEX health_open_account ON health (account, channel) WHERE until IS NULL AND account IS NOT NULL;
CREATE UNIQUE INDEX health_open_sink ON health (sink, channel) WHERE until IS NULL AND sink IS NOT NULL;
CREATE INDEX health_by_account ON health (account);
";

/// The second version: what ended lately is found.
pub(crate) const SECOND: &str = "
CREATE INDEX health_by_end ON health (until, since);
";

/// Whose health it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    Account(i64),
    /// A CRM, by the name of its sink.
    Sink(String),
}

impl Owner {
    pub(crate) fn columns(&self) -> (Option<i64>, Option<&str>) {
        match self {
            Owner::Account(id) => (Some(*id), None),
            Owner::Sink(name) => (None, Some(name)),
        }
    }
}

/// A state that a channel is or was in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    pub id: i64,
    pub owner: Owner,
    pub health: Health,
    /// `None` while it lasts.
    pub until: Option<Timestamp>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Period> {
    let account: Option<i64> = row.get("account")?;
    Ok(Period {
        id: row.get("id")?,
        owner: match account {
            Some(id) => Owner::Account(id),
            None => Owner::Sink(row.get("sink")?),
        },
        health: Health {
            channel: named(row, "channel", channel)?,
            state: named(row, "state", state)?,
            phase: maybe_named(row, "phase", phase)?,
            reason: reason(row, "reason")?,
            since: time(row, "since")?,
            evidence: row.get("evidence")?,
            next_try: maybe_time(row, "next_try")?,
        },
        until: maybe_time(row, "until")?,
    })
}

fn channel(name: &str) -> Option<Channel> {
    [Channel::Inbox, Channel::Sent, Channel::Smtp, Channel::Crm].into_iter().find(|c| c.name() == name)
}

pub(crate) fn state(name: &str) -> Option<State> {
    use State::{Connected, NeedsAttention, Offline, Paused, Retrying, Working};
    [Connected, Working, Retrying, Offline, NeedsAttention, Paused].into_iter().find(|s| s.name() == name)
}

fn phase(name: &str) -> Option<Phase> {
    use Phase::{Append, Auth, Dns, Fetch, Greeting, Idle, Keychain, Push, Select, Send, Tcp, Tls};
    [Keychain, Dns, Tcp, Tls, Greeting, Auth, Select, Idle, Fetch, Append, Send, Push]
        .into_iter()
        .find(|p| p.name() == name)
}

/// Notes a channel's health. A new state or reason ends the period that was open, at the new one's `since`; else the open
/// period keeps its beginning and takes the new phase, evidence and next try. An outage whose reason only changes from one
/// that waiting can heal to another keeps its beginning too. True where state or reason changed.
pub fn set(tx: &Tx<'_>, owner: &Owner, health: &Health) -> Result<bool, StoreError> {
    let open = open_period(tx, owner, health.channel)?;
    if let Some(open) = &open {
        let same = open.health.state == health.state && open.health.reason == health.reason;
        if (Health { since: open.health.since, ..health.clone() }) == open.health {
            // As after each push: not worth a write to the disk.
            return Ok(false);
        }
        if same || (heals(&open.health) && heals(health)) {
            tx.run(
                "UPDATE health SET state = ?2, phase = ?3, reason = ?4, evidence = ?5, next_try = ?6 WHERE id = ?1",
                params![
                    open.id,
                    health.state.name(),
                    health.phase.map(Phase::name),
                    health.reason.map(Reason::code),
                    health.evidence,
                    health.next_try.map(us)
                ],
            )?;
            if !same {
                activity::health(tx, owner, health)?;
            }
            return Ok(!same);
        }
        tx.run(
            "UPDATE health SET until = ?2, next_try = NULL WHERE id = ?1",
            params![open.id, us(health.since)],
        )?;
    }
    let (account, sink) = owner.columns();
    tx.run(
        "INSERT INTO health (account, sink, channel, state, phase, reason, since, evidence, next_try)
         VALUES (:account, :sink, :channel, :state, :phase, :reason, :since, :evidence, :next_try)",
        named_params! {
            ":account": account,
            ":sink": sink,
            ":channel": health.channel.name(),
            ":state": health.state.name(),
            ":phase": health.phase.map(Phase::name),
            ":reason": health.reason.map(Reason::code),
            ":since": us(health.since),
            ":evidence": health.evidence,
            ":next_try": health.next_try.map(us),
        },
    )?;
    if is_trouble(health) || open.is_some_and(|open| is_trouble(&open.health)) {
        activity::health(tx, owner, health)?;
    }
    Ok(true)
}

/// Ends what is known of a channel: it is not known any more.
pub fn close(tx: &Tx<'_>, owner: &Owner, channel: Channel, at: Timestamp) -> Result<(), StoreError> {
    if let Some(open) = open_period(tx, owner, channel)? {
        tx.run("UPDATE health SET until = ?2, next_try = NULL WHERE id = ?1", params![open.id, us(at)])?;
    }
    Ok(())
}

/// A state in which nothing is read or pushed.
fn is_trouble(health: &Health) -> bool {
    matches!(health.state, State::Retrying | State::Offline | State::NeedsAttention)
}

/// A failure that waiting can heal.
fn heals(health: &Health) -> bool {
    is_trouble(health) && health.reason.is_some_and(Reason::is_transient)
}

fn open_period(tx: &Tx<'_>, owner: &Owner, channel: Channel) -> Result<Option<Period>, StoreError> {
    match owner {
        Owner::Account(id) => tx.one(
            "SELECT * FROM health WHERE account = ?1 AND channel = ?2 AND until IS NULL",
            params![id, channel.name()],
            read,
        ),
        Owner::Sink(sink) => tx.one(
            "SELECT * FROM health WHERE sink = ?1 AND channel = ?2 AND until IS NULL",
            params![sink, channel.name()],
            read,
        ),
    }
}

/// The present health of each channel of an owner.
pub fn present(tx: &Tx<'_>, owner: &Owner) -> Result<Vec<Health>, StoreError> {
    let periods = match owner {
        Owner::Account(id) => {
            tx.all("SELECT * FROM health WHERE account = ?1 AND until IS NULL ORDER BY channel", [id], read)
        }
        Owner::Sink(sink) => {
            tx.all("SELECT * FROM health WHERE sink = ?1 AND until IS NULL ORDER BY channel", [sink], read)
        }
    }?;
    Ok(periods.into_iter().map(|period| period.health).collect())
}

/// The periods in which a channel was in trouble that last still or ended after a time, the oldest first.
pub fn troubles(tx: &Tx<'_>, after: Timestamp) -> Result<Vec<Period>, StoreError> {
    const IN_TROUBLE: &str = "state IN ('retrying', 'offline', 'needs_attention')";
    let mut periods =
        tx.all(&format!("SELECT * FROM health WHERE until > ?1 AND {IN_TROUBLE}"), [us(after)], read)?;
    periods.extend(tx.all(
        &format!("SELECT * FROM health WHERE until IS NULL AND {IN_TROUBLE}"),
        [],
        read,
    )?);
    periods.sort_by_key(|p| (p.health.since, p.id));
    Ok(periods)
}

/// How many messages of a mailbox came or were sent in a time, and were decided only after its end.
pub fn delayed(
    tx: &Tx<'_>,
    account: i64,
    channel: Channel,
    since: Timestamp,
    until: Timestamp,
) -> Result<u64, StoreError> {
    let direction = if channel == Channel::Inbox { "incoming" } else { "outgoing" };
    let count: Option<i64> = tx.one(
        "SELECT count(*) FROM message
         WHERE decided_at >= ?4 AND account = ?1 AND direction = ?2 AND time >= ?3 AND time < ?4",
        params![account, direction, us(since), us(until)],
        |row| row.get(0),
    )?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
}

/// All periods by id, from behind `after` (0 for the first page): for an export.
pub fn page(tx: &Tx<'_>, after: i64, limit: usize) -> Result<Vec<Period>, StoreError> {
    tx.all("SELECT * FROM health WHERE id > ?1 ORDER BY id LIMIT ?2", params![after, most(limit)], read)
}
