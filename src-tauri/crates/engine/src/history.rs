//! The last days of a mailbox: what reading them would log, and reading them.
//!
//! Both go through the same headers, in the same order, by the same [`ingest`](crate::ingest). Sent comes before INBOX, so
//! that originals are known before their replies; what is left of that is decided again at the end. Neither reads a body,
//! and neither moves a folder's cursor.

mod rehearsal;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::event::{Event, VerdictName};
use crate::ingest::{Batch, Unreadable};
use crate::jobs;
use crate::mailbox::{Mailbox, Watched, chosen};
use crate::sign_in;
use crate::tokens::Using;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use threadline_core::address::{Address, Mailbox as Person};
use threadline_core::arrival::Role;
use threadline_core::reason::{Evidence, Phase, Signal};
use threadline_core::record::Direction;
use threadline_core::rule::Rule;
use threadline_mail::error::MailError;
use threadline_mail::folders::watched;
use threadline_mail::history::{Headers, Period};
use threadline_mail::session::{Folder as ServerFolder, Session};
use threadline_mail::watch::MOST_ARRIVALS;
use threadline_store::message::Outcome;
use threadline_store::{account, folder};

pub use rehearsal::{MOST_LINES, MOST_MESSAGES};

/// A watched folder, as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Folder {
    pub name: String,
    pub role: Role,
}

/// How far a folder is read.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ScanProgress {
    pub folder: String,
    /// Messages.
    pub seen: u32,
    pub of: u32,
}

threadline_core::debug_only!(ScanProgress { seen, of });

/// How many messages got one verdict by one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct RuleCount {
    pub rule: Rule,
    pub outcome: Outcome,
    pub count: u32,
}

/// One message of a dry run.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct DryRunLine {
    pub date: Timestamp,
    pub direction: Direction,
    pub subject: String,
    /// The people on it who are no colleagues.
    pub with: Vec<Person>,
    pub outcome: Outcome,
    pub rule: Rule,
}

threadline_core::debug_only!(DryRunLine { direction, outcome, rule });

/// What reading the last days would do. Only what is new counts: a message that the ledger knows as logged is not logged
/// again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct DryRun {
    pub days: u32,
    /// Messages looked at, in all folders.
    pub seen: u32,
    pub log: u32,
    pub ask: u32,
    pub ignore: u32,
    /// The most frequent first.
    pub by_rule: Vec<RuleCount>,
    /// At most [`MOST_LINES`]: what would be logged first, then asked, then the rest, each the newest first.
    pub lines: Vec<DryRunLine>,
}

/// What reading the last days did. Only what is new counts, as in [`DryRun`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Scanned {
    /// Messages looked at, in all folders.
    pub seen: u32,
    pub logged: u32,
    pub asked: u32,
}

impl Engine {
    /// The folders that are watched, by the ledger. Empty before the first connection.
    pub async fn folders(&self, address: &Address) -> Result<Vec<Folder>, EngineError> {
        let id = self.account(address).await?.id;
        let rows = self.ledger().read(move |tx| folder::list(tx, id)).await?;
        Ok(rows.into_iter().map(|row| Folder { name: row.name, role: row.role }).collect())
    }

    /// What reading the last `days` days would log; nothing is stored. Of a mailbox with more than
    /// [`MOST_MESSAGES`] messages in that time, the newest of each folder are looked at.
    pub async fn dry_run(
        &self,
        address: &Address,
        days: u32,
        progress: impl FnMut(ScanProgress) + Send,
    ) -> Result<DryRun, EngineError> {
        let mut scan = Scan::begin(self, address, days).await?;
        let result = rehearsal::run(&mut scan, days, progress).await;
        scan.session.logout().await;
        result
    }

    /// Reads the last `days` days: decisions are stored and bodies are fetched as for mail that comes now, where the engine
    /// runs, or when it does. It may be repeated and may overlap with the watch: a message is logged once.
    pub async fn read_history(
        &self,
        address: &Address,
        days: u32,
        progress: impl FnMut(ScanProgress) + Send,
    ) -> Result<Scanned, EngineError> {
        let mut scan = Scan::begin(self, address, days).await?;
        let (id, since) = (scan.mailbox.id, scan.since);
        self.ledger().write(move |tx| account::read_from(tx, id, since)).await?;
        let result = scan.store(progress).await;
        let mailbox = &scan.mailbox;
        // What was stored before a failure is stored: its bodies are to be fetched.
        mailbox.shared.wake(Some(mailbox.id));
        scan.session.logout().await;
        result
    }
}

/// A connection of its own on which the last days are read.
pub(crate) struct Scan {
    pub mailbox: Mailbox,
    pub session: Session,
    /// Sent first.
    pub folders: Vec<(ServerFolder, Role)>,
    pub since: Timestamp,
}

impl Scan {
    pub async fn begin(engine: &Engine, address: &Address, days: u32) -> Result<Self, EngineError> {
        let account = engine.account(address).await?;
        engine.shared().set_crms(&engine.crm_list().await?);
        let mut session = sign_in::session(engine.shared(), &account.settings, None, Using::Kept).await?;
        let found = session.folders().await?;
        let mut folders = chosen(&watched(
            &found,
            session.capabilities().is_gmail(),
            account.settings.sent_folder.as_deref(),
        ));
        folders.sort_by_key(|(_, role)| *role != Role::Sent);
        let back = SignedDuration::from_hours(24 * i64::from(days));
        let since = engine.clock().now().checked_sub(back).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut mailbox = Mailbox::new(Arc::clone(engine.shared()), account);
        mailbox.history = true;
        Ok(Self { mailbox, session, folders, since })
    }

    /// The UIDs of a folder that may lie in the time.
    pub async fn period(&mut self, folder: usize) -> Result<Option<(ServerFolder, Period)>, EngineError> {
        let Some((on_server, _)) = self.folders.get(folder) else { return Ok(None) };
        let on_server = on_server.clone();
        let period = self.session.period(&on_server, self.since).await?;
        Ok(Some((on_server, period)))
    }

    /// The headers of these messages that lie in the time: a server searches by whole days of its own.
    pub async fn headers(
        &mut self,
        folder: &ServerFolder,
        period: &Period,
        uids: &[u32],
    ) -> Result<Headers, EngineError> {
        let read = self.session.headers(folder, period.uidvalidity, uids).await?;
        let Some(mut read) = read else {
            let server = self.mailbox.settings.server()?.name();
            let words = "The folder was numbered anew while it was read.";
            return Err(
                MailError::new(&server, Evidence::new(Phase::Select, Signal::Malformed, words)).into()
            );
        };
        read.arrivals.retain(|a| a.internal_date >= self.since);
        Ok(read)
    }

    async fn store(&mut self, mut progress: impl FnMut(ScanProgress) + Send) -> Result<Scanned, EngineError> {
        let mut seen = 0;
        let mut fate: HashMap<i64, VerdictName> = HashMap::new();
        let mut watched = Vec::new();
        for at in 0..self.folders.len() {
            let Some((on_server, period)) = self.period(at).await? else { continue };
            let (account, name, role) = (self.mailbox.id, on_server.name.clone(), self.folders[at].1);
            let row =
                self.mailbox.shared.ledger.write(move |tx| folder::ensure(tx, account, &name, role)).await?;
            let mut told = Told::new(&on_server, &period);
            for uids in period.uids.chunks(MOST_ARRIVALS) {
                let Headers { arrivals, unreadable } = self.headers(&on_server, &period, uids).await?;
                seen += arrivals.len() + unreadable.len();
                let unreadable = unreadable.into_iter().map(|(uid, why)| Unreadable { uid, why }).collect();
                let (folder, uidvalidity) = (row.clone(), period.uidvalidity);
                let batch = Batch { folder, uidvalidity, cursor: None, arrivals, unreadable };
                let events = self.mailbox.store(batch).await?;
                events.iter().for_each(|event| note(&mut fate, event));
                self.mailbox.shared.tell_all(events);
                progress(told.further(uids.len()));
            }
            watched.push(Watched { row, on_server, reads_from: self.since });
        }
        match jobs::rechecks(&self.mailbox, &mut self.session, &watched).await {
            Ok(events) => events.iter().for_each(|event| note(&mut fate, event)),
            Err(broken) => {
                if let Some(error) = broken.into_error() {
                    return Err(error);
                }
            }
        }
        let of = |verdict| count(fate.values().filter(|v| **v == verdict).count());
        Ok(Scanned { seen: count(seen), logged: of(VerdictName::Log), asked: of(VerdictName::Ask) })
    }
}

fn note(fate: &mut HashMap<i64, VerdictName>, event: &Event) {
    if let Event::Decided { message, verdict, .. } = event {
        fate.insert(*message, *verdict);
    }
}

pub(crate) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What was told of a folder.
pub(crate) struct Told(ScanProgress);

impl Told {
    pub fn new(folder: &ServerFolder, period: &Period) -> Self {
        Self(ScanProgress { folder: folder.name.clone(), seen: 0, of: count(period.uids.len()) })
    }

    pub fn further(&mut self, messages: usize) -> ScanProgress {
        self.0.seen = self.0.seen.saturating_add(count(messages));
        self.0.clone()
    }
}
