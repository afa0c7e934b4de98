//! Retention (PRODUCT R17): the clocks as they are set, the daily purge, the trash.

use crate::crms;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use crate::views::account_address;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::Duration;
use threadline_core::address::{Address, Mailbox};
use threadline_core::retention::{Clock, Retention, clock_is_right};
use threadline_store::retention::{self, Clocked, Purged};
use threadline_store::{StoreError, Tx, account, message, send, setting};

/// The setting that holds the clocks.
const NAME: &str = "retention";
/// The setting that holds when the last purge was.
const LAST: &str = "retention.purged_at";
/// Messages of one transaction.
const PAGE: usize = 500;
/// How often.
const EVERY: SignedDuration = SignedDuration::from_hours(24);
/// How long after its start the program waits for a server's date before it believes the computer's clock.
const UNHEARD: Duration = Duration::from_secs(5 * 60);

/// Why nothing was purged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum PurgeHeld {
    /// Everything is under legal hold.
    LegalHold,
    /// The computer's clock and the servers' dates are more than a day apart.
    ClockDiffers,
}

/// What a purge took, or would take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct PurgeReport {
    pub at: Timestamp,
    /// Nothing was taken: it is what would be.
    pub dry_run: bool,
    pub held: Option<PurgeHeld>,
    /// Messages whose text and files went.
    pub texts: u32,
    /// Messages whose header went: receipts are left.
    pub headers: u32,
    /// Messages that left the trash for good.
    pub trash: u32,
    /// Messages that were asked about and lost their header.
    pub metadata: u32,
}

/// When the parts of a message go, or went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Goes {
    /// `None` before every CRM has accepted the message: its clock has not begun.
    pub clock: Option<Clock>,
    pub begun: Option<Timestamp>,
    /// When its text goes; `None` for never, and where it is gone.
    pub text: Option<Timestamp>,
    /// When its header goes too.
    pub headers: Option<Timestamp>,
    pub text_gone: Option<Timestamp>,
    pub headers_gone: Option<Timestamp>,
    /// It is under legal hold: nothing goes as long as that lasts.
    pub hold: bool,
}

/// A message in the trash.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct TrashLine {
    pub message: i64,
    pub account: Address,
    pub deleted_at: Timestamp,
    /// Until when it can be restored; `None` for as long as the person likes.
    pub until: Option<Timestamp>,
    /// The CRM that its record was deleted in; `None` where the person took it out here.
    pub in_crm: Option<String>,
    pub date: Timestamp,
    pub subject: String,
    pub from: Option<Mailbox>,
    pub to: Vec<Mailbox>,
}

threadline_core::debug_only!(TrashLine { message, deleted_at, in_crm });

impl Engine {
    /// How long each part of a mail stays.
    pub async fn retention(&self) -> Result<Retention, EngineError> {
        Ok(self.ledger().read(set).await?)
    }

    /// Sets it. What is due by it goes at the next purge.
    pub async fn set_retention(&self, wanted: Retention) -> Result<(), EngineError> {
        Ok(self.ledger().write(move |tx| setting::set(tx, NAME, &wanted)).await?)
    }

    /// Puts a conversation under legal hold, or ends that.
    pub async fn hold_thread(&self, thread: i64, hold: bool) -> Result<(), EngineError> {
        match self.ledger().write(move |tx| retention::set_hold(tx, thread, hold)).await {
            Err(StoreError::NotFound { .. }) => Err(EngineError::NoThread(thread.to_string())),
            result => Ok(result?),
        }
    }

    /// Takes what is due, so that nothing of it is left in the ledger's file. With `dry_run` nothing is taken.
    pub async fn purge(&self, dry_run: bool) -> Result<PurgeReport, EngineError> {
        let shared = self.shared();
        let now = shared.clock.now();
        let wanted = self.retention().await?;
        let mut report =
            PurgeReport { at: now, dry_run, held: None, texts: 0, headers: 0, trash: 0, metadata: 0 };
        if wanted.hold {
            report.held = Some(PurgeHeld::LegalHold);
            return Ok(report);
        }
        if !clock_is_right(now, shared.clock.monotonic(), shared.witness()) {
            report.held = Some(PurgeHeld::ClockDiffers);
            return Ok(report);
        }
        let work = Work { wanted, zone: TimeZone::system(), now };
        let taken = match dry_run {
            true => shared.ledger.rehearse(move |tx| work.all(tx)).await?,
            false => self.take_pages(work).await?,
        };
        (report.texts, report.headers, report.trash, report.metadata) =
            (taken.purged.texts, taken.purged.headers, taken.purged.trash, taken.metadata);
        if !dry_run {
            self.ledger().write(move |tx| setting::set(tx, LAST, &now)).await?;
            if taken != Taken::default() {
                self.ledger().checkpoint().await?;
            }
        }
        Ok(report)
    }

    /// One page a transaction: whoever else writes comes in between.
    async fn take_pages(&self, work: Work) -> Result<Taken, EngineError> {
        let first = work.clone();
        let mut taken = self.ledger().write(move |tx| first.small(tx)).await?;
        for clock in CLOCKS {
            let mut after = None;
            loop {
                let work = work.clone();
                let (purged, next) = self.ledger().write(move |tx| work.page(tx, clock, after)).await?;
                taken.add(purged);
                match next {
                    Some(last) => after = Some(last),
                    None => break,
                }
            }
        }
        loop {
            let work = work.clone();
            let gone = self.ledger().write(move |tx| work.trash(tx)).await?;
            taken.purged.trash += gone;
            if (gone as usize) < PAGE {
                return Ok(taken);
            }
        }
    }

    /// Purges where the last time was a day ago by the program's clock; `None` where it was not.
    pub async fn purge_if_due(&self) -> Result<Option<PurgeReport>, EngineError> {
        let now = self.clock().now();
        let last: Option<Timestamp> = self.ledger().read(|tx| setting::get(tx, LAST)).await?;
        // A last time that is still to come was noted by a clock that was wrong.
        if last.is_some_and(|last| last <= now && now.duration_since(last) < EVERY) {
            return Ok(None);
        }
        self.purge(false).await.map(Some)
    }

    /// What lies in the trash, the newest first.
    pub async fn trash(&self, limit: usize) -> Result<Vec<TrashLine>, EngineError> {
        let read = move |tx: &Tx<'_>| {
            let (wanted, zone) = (set(tx)?, TimeZone::system());
            let lines = retention::trash_page(tx, limit)?.into_iter().map(|one| {
                Ok(TrashLine {
                    message: one.message,
                    account: account_address(tx, one.account)?,
                    deleted_at: one.deleted_at,
                    until: wanted.goes(Clock::Deleted, one.deleted_at, &zone).headers,
                    in_crm: one.in_crm,
                    date: one.time,
                    subject: one.headers.subject,
                    from: one.headers.from,
                    to: one.headers.to,
                })
            });
            lines.collect::<Result<Vec<_>, StoreError>>()
        };
        Ok(self.ledger().read(read).await?)
    }

    /// Puts a message back into the log and on its way to the CRMs that are set.
    pub async fn restore(&self, message: i64) -> Result<(), EngineError> {
        let shared = self.shared();
        let now = shared.clock.now();
        let put = move |tx: &Tx<'_>| {
            let done = retention::restore(tx, message, &crms::sinks(tx)?, now)?;
            count_up(tx, Part::News)?;
            Ok(done)
        };
        match self.ledger().write(put).await? {
            true => Ok(()),
            false => Err(EngineError::NotInTrash(message)),
        }
    }
}

fn set(tx: &Tx<'_>) -> Result<Retention, StoreError> {
    Ok(setting::get(tx, NAME)?.unwrap_or_default())
}

/// When the parts of a message go.
pub(crate) fn goes(tx: &Tx<'_>, message: i64) -> Result<Goes, StoreError> {
    let standing = retention::standing(tx, message)?;
    let wanted = set(tx)?;
    let mut goes = Goes {
        clock: standing.clock.map(|(clock, _)| clock),
        begun: standing.clock.map(|(_, begun)| begun),
        text_gone: standing.text_purged,
        headers_gone: standing.purged,
        hold: standing.hold || wanted.hold,
        ..Goes::default()
    };
    if let Some((clock, begun)) = standing.clock.filter(|_| standing.purged.is_none()) {
        let ends = wanted.goes(clock, begun, &TimeZone::system());
        goes.headers = ends.headers;
        goes.text = ends.body.filter(|_| standing.text_purged.is_none());
    }
    Ok(goes)
}

/// The clocks that run on logged messages.
const CLOCKS: [Clock; 3] = [Clock::Gesture, Clock::Noticed, Clock::Sent];

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Taken {
    purged: Purged,
    metadata: u32,
}

impl Taken {
    fn add(&mut self, purged: Purged) {
        self.purged.texts += purged.texts;
        self.purged.headers += purged.headers;
    }
}

/// One purge.
#[derive(Debug, Clone)]
struct Work {
    wanted: Retention,
    zone: TimeZone,
    now: Timestamp,
}

impl Work {
    fn is_over(&self, end: Option<Timestamp>) -> bool {
        end.is_some_and(|end| end <= self.now)
    }

    /// All in one transaction.
    fn all(&self, tx: &Tx<'_>) -> Result<Taken, StoreError> {
        let mut taken = self.small(tx)?;
        for clock in CLOCKS {
            let mut after = None;
            loop {
                let (purged, next) = self.page(tx, clock, after)?;
                taken.add(purged);
                match next {
                    Some(last) => after = Some(last),
                    None => break,
                }
            }
        }
        loop {
            let gone = self.trash(tx)?;
            taken.purged.trash += gone;
            if (gone as usize) < PAGE {
                return Ok(taken);
            }
        }
    }

    /// What is no log: clocks that are late, and headers of mail that was asked about.
    fn small(&self, tx: &Tx<'_>) -> Result<Taken, StoreError> {
        let mut taken = Taken::default();
        // What was refused or taken back became no message, and has no clock of its own.
        if let Some(before) = self.wanted.sent.headers.begun_before(self.now, &self.zone) {
            send::forget(tx, before)?;
        }
        let before = self.wanted.metadata.headers.begun_before(self.now, &self.zone);
        for account in account::list(tx)? {
            retention::begin_overdue(tx, account.id)?;
            if let Some(before) = before {
                let gone = message::expire_unanswered(tx, account.id, before)?;
                taken.metadata += u32::try_from(gone).unwrap_or(u32::MAX);
            }
        }
        Ok(taken)
    }

    /// One page of a clock, and where the next one begins, where there is one.
    fn page(
        &self,
        tx: &Tx<'_>,
        clock: Clock,
        after: Option<Clocked>,
    ) -> Result<(Purged, Option<Clocked>), StoreError> {
        let rows = retention::clocked(tx, clock, after, PAGE)?;
        let (mut purged, mut threads) = (Purged::default(), BTreeSet::new());
        let mut last = None;
        let mut due = true;
        for row in &rows {
            let goes = self.wanted.goes(clock, row.begun, &self.zone);
            if self.is_over(goes.headers) {
                threads.extend(retention::purge_headers(tx, row.message, self.now)?);
                purged.headers += 1;
                purged.texts += u32::from(row.text);
            } else if self.is_over(goes.body) {
                if row.text {
                    retention::purge_text(tx, row.message, self.now)?;
                    purged.texts += 1;
                }
            } else {
                // Whose clock began later is not due either.
                due = false;
                break;
            }
            last = Some(*row);
        }
        retention::settle_threads(tx, &threads)?;
        Ok((purged, last.filter(|_| due && rows.len() == PAGE)))
    }

    fn trash(&self, tx: &Tx<'_>) -> Result<u32, StoreError> {
        let ends = |at| self.wanted.goes(Clock::Deleted, at, &self.zone).headers;
        let gone = retention::expire_trash(tx, |at| self.is_over(ends(at)), PAGE)?;
        Ok(u32::try_from(gone).unwrap_or(u32::MAX))
    }
}

/// Purges where it is due, and says so where nothing may be purged.
pub(crate) async fn glance(engine: &Engine) {
    let shared = engine.shared();
    if shared.witness().is_none() && shared.clock.monotonic() <= UNHEARD {
        return;
    }
    match engine.purge_if_due().await {
        Ok(Some(PurgeReport { held: Some(held), .. })) => tracing::warn!(?held, "nothing was purged"),
        Ok(_) => {}
        Err(error) => tracing::error!(code = error.code(), "the purge failed; it is tried again"),
    }
}
