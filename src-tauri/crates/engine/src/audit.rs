//! The coverage audit (PRODUCT B8): every message of the last days in the watched folders, as the server has it, against the
//! ledger. It has a connection of its own, reads headers in portions, and changes nothing unless it is told to mend.

pub(crate) mod nightly;

use crate::crms;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::event::Event;
use crate::history::{Scan, ScanProgress, Told, count};
use crate::ingest::Batch;
use crate::jobs;
use crate::mailbox::Watched;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use threadline_core::address::Address;
use threadline_core::arrival::{Arrival, Role};
use threadline_core::audit::{Facts, Miss, Standing, judge};
use threadline_core::record::Direction;
use threadline_core::rule::{Rule, Rules};
use threadline_mail::watch::MOST_ARRIVALS;
use threadline_store::folder::Folder;
use threadline_store::job::{self, Kind};
use threadline_store::place::Place;
use threadline_store::{StoreError, Tx, account, audit, contact, folder, setting};

pub use nightly::NightlyAudit;

/// Most missed messages that are listed one by one; all are counted.
pub const MOST_LINES: usize = 200;
/// Most samples of messages that no rule spoke for: the newest of each folder's last portions.
pub const MOST_SAMPLES: usize = 20;

/// How many messages a rule keeps out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct IgnoredBy {
    pub rule: Rule,
    pub count: u32,
}

/// How many messages are missed for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct MissedBy {
    pub why: Miss,
    pub count: u32,
}

/// A message that a person may look for in the mail program. It has no text: the message is not logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct AuditLine {
    /// When it came to the server; `None` where the server does not say.
    pub date: Option<Timestamp>,
    pub folder: String,
    pub uid: u32,
    pub direction: Direction,
    /// Why it is missed; `None` for a sample of what no rule spoke for.
    pub why: Option<Miss>,
    /// The ledger's number, where it knows the message.
    pub message: Option<i64>,
}

threadline_core::debug_only!(AuditLine { uid, direction, why, message });

/// What an audit found. Each message counts once, in whatever number of folders it lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct AuditReport {
    pub mailbox: Address,
    pub days: u32,
    pub at: Timestamp,
    /// Messages that the server has in this time.
    pub messages: u32,
    /// At the CRM.
    pub logged: u32,
    /// Not read yet, or on their way.
    pub waiting: u32,
    /// The person is asked about them.
    pub asked: u32,
    /// The most frequent first.
    pub ignored: Vec<IgnoredBy>,
    /// No rule spoke for them.
    pub unruled: u32,
    /// They arrived before the mailbox was added.
    pub older: u32,
    pub missed: u32,
    pub missed_by: Vec<MissedBy>,
    /// At most [`MOST_LINES`].
    pub missed_lines: Vec<AuditLine>,
    /// At most [`MOST_SAMPLES`] of those that no rule spoke for.
    pub samples: Vec<AuditLine>,
    /// Missed ones that were put on their way.
    pub fixed: u32,
}

impl Engine {
    /// Compares the last `days` days of a mailbox with the ledger. With `fix`, what is missed is put on its way: it is decided
    /// about, its text is read, it is queued. Nothing else is changed.
    pub async fn audit(
        &self,
        address: &Address,
        days: u32,
        fix: bool,
        progress: impl FnMut(ScanProgress) + Send,
    ) -> Result<AuditReport, EngineError> {
        let mut scan = Scan::begin(self, address, days).await?;
        let result = run(&mut scan, days, fix, progress).await;
        if fix {
            scan.mailbox.shared.wake(Some(scan.mailbox.id));
            scan.mailbox.shared.ring();
        }
        scan.session.logout().await;
        let report = result?;
        let (name, kept) = (last_name(scan.mailbox.id), numbers(&report));
        self.ledger().write(move |tx| setting::set(tx, &name, &kept)).await?;
        self.shared().tell(Event::Audited {
            account: report.mailbox.clone(),
            messages: report.messages,
            missed: report.missed,
            unruled: report.unruled,
            fixed: report.fixed,
        });
        Ok(report)
    }

    /// The last audit of each mailbox, without its lines.
    pub async fn last_audits(&self) -> Result<Vec<AuditReport>, EngineError> {
        let read = |tx: &Tx<'_>| {
            let mut reports = Vec::new();
            for account in account::list(tx)? {
                reports.extend(setting::get::<AuditReport>(tx, &last_name(account.id))?);
            }
            Ok(reports)
        };
        Ok(self.ledger().read(read).await?)
    }
}

/// The setting that holds the last audit's numbers.
fn last_name(account: i64) -> String {
    format!("audit.last:{account}")
}

/// What is kept of a report.
fn numbers(report: &AuditReport) -> AuditReport {
    AuditReport { missed_lines: Vec::new(), samples: Vec::new(), ..report.clone() }
}

/// A folder's portion, and what it is judged by.
struct Portion {
    account: i64,
    rules: Rules,
    sources: Vec<String>,
    queued: HashMap<String, Timestamp>,
    folder: Folder,
    uidvalidity: u32,
    arrivals: Vec<Arrival>,
}

/// A message and where it stands.
struct Judged {
    arrival: Arrival,
    standing: Standing,
    message: Option<i64>,
}

async fn run(
    scan: &mut Scan,
    days: u32,
    fix: bool,
    mut progress: impl FnMut(ScanProgress) + Send,
) -> Result<AuditReport, EngineError> {
    let mut tally = Tally::new(scan.folders.len() > 1);
    let mut watched = Vec::new();
    let queued = scan.mailbox.shared.ledger.read(|tx| audit::first_queued(tx, &crms::sinks(tx)?)).await?;
    for at in 0..scan.folders.len() {
        let Some((on_server, period)) = scan.period(at).await? else { continue };
        let (account, name, role) = (scan.mailbox.id, on_server.name.clone(), scan.folders[at].1);
        let ensure = move |tx: &Tx<'_>| folder::ensure(tx, account, &name, role);
        let row = scan.mailbox.shared.ledger.write(ensure).await?;
        let mut told = Told::new(&on_server, &period);
        for uids in period.uids.chunks(MOST_ARRIVALS) {
            let read = scan.headers(&on_server, &period, uids).await?;
            for (uid, _) in &read.unreadable {
                tally.unreadable(&row.name, *uid);
            }
            let portion = Portion {
                account,
                rules: scan.mailbox.settings.rules.clone(),
                sources: scan.mailbox.shared.contact_sources(),
                queued: queued.clone(),
                folder: row.clone(),
                uidvalidity: period.uidvalidity,
                arrivals: read.arrivals.into_iter().filter(|a| tally.is_new(a)).collect(),
            };
            let judged = scan.mailbox.shared.ledger.read(move |tx| judge_all(tx, portion)).await?;
            for one in &judged {
                tally.add(&row.name, one, is_sent(one, role, &scan.mailbox.settings.rules));
            }
            if fix {
                tally.fixed += mend(scan, &row, period.uidvalidity, judged).await?;
            }
            progress(told.further(uids.len()));
        }
        watched.push(Watched { row, on_server, reads_from: scan.since });
    }
    if fix
        && let Err(broken) = jobs::rechecks(&scan.mailbox, &mut scan.session, &watched).await
        && let Some(error) = broken.into_error()
    {
        return Err(error);
    }
    Ok(tally.report(scan.mailbox.settings.address.clone(), days, scan.mailbox.shared.clock.now()))
}

fn is_sent(one: &Judged, role: Role, rules: &Rules) -> bool {
    let from = one.arrival.envelope.from.as_ref().map(|m| &m.address);
    from.map_or(role == Role::Sent, |from| {
        rules.is_own(from) || role == Role::Sent && rules.is_colleague(from)
    })
}

fn judge_all(tx: &Tx<'_>, portion: Portion) -> Result<Vec<Judged>, StoreError> {
    let Portion { account, rules, sources, queued, folder, uidvalidity, arrivals } = portion;
    let added = account::get(tx, account)?.map(|a| a.created);
    // As it is now: what was read since the audit began is known by now.
    let cursor = folder::get(tx, folder.id)?.and_then(|f| f.cursor).filter(|c| c.uidvalidity == uidvalidity);
    let mut judged = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        let known = audit::known(tx, account, &arrival.envelope, &queued)?;
        let to: Vec<Address> = arrival.envelope.recipients().iter().map(|m| m.address.clone()).collect();
        let mut to_contact = false;
        for source in &sources {
            to_contact |= !contact::lookup(tx, source, &to)?.is_empty();
        }
        let standing = judge(&Facts {
            arrival: &arrival,
            role: folder.role,
            rules: &rules,
            kept: known.map(|k| k.kept),
            answers_logged: audit::is_logged(tx, account, &arrival.envelope.parents())?,
            to_contact,
            unread: cursor.is_none_or(|cursor| arrival.uid >= cursor.next_uid),
            // A server tells whole seconds.
            older: added.is_some_and(|added| arrival.internal_date.as_second() < added.as_second()),
        });
        judged.push(Judged { arrival, standing, message: known.map(|k| k.message) });
    }
    Ok(judged)
}

/// Puts what is missed on its way; gives the number of messages.
async fn mend(scan: &Scan, row: &Folder, uidvalidity: u32, judged: Vec<Judged>) -> Result<u32, EngineError> {
    let shared = Arc::clone(&scan.mailbox.shared);
    let now = shared.clock.now();
    let (mut unknown, mut known) = (Vec::new(), Vec::new());
    for one in judged {
        match (one.standing, one.message) {
            (Standing::Missed(_), None) => unknown.push(one.arrival),
            (Standing::Missed(why), Some(message)) => known.push((message, one.arrival.uid, why)),
            _ => {}
        }
    }
    let mut fixed = count(unknown.len());
    if !unknown.is_empty() {
        let batch = Batch {
            folder: row.clone(),
            uidvalidity,
            cursor: None,
            arrivals: unknown,
            unreadable: Vec::new(),
        };
        let events = scan.mailbox.store(batch).await?;
        shared.tell_all(events);
    }
    let folder = row.id;
    let put = move |tx: &Tx<'_>| {
        let mut fixed = 0;
        for (message, uid, why) in known {
            let place = Place { folder, uidvalidity, uid };
            fixed += match why {
                Miss::AnswersLogged | Miss::SentToContact => {
                    job::add(tx, Kind::Recheck, message, place, job::AT_ONCE)?;
                    1
                }
                _ => u32::from(audit::put_on_its_way(tx, message, place, &crms::sinks(tx)?, now)?),
            };
        }
        Ok(fixed)
    };
    fixed += shared.ledger.write(put).await?;
    Ok(fixed)
}

/// Counts.
#[derive(Default)]
struct Tally {
    /// Where several folders are read, the messages that were counted: eight bytes of each one's key.
    seen: Option<HashSet<u64>>,
    report: Numbers,
    ignored: HashMap<Rule, u32>,
    missed: BTreeMap<Miss, u32>,
    missed_lines: Vec<AuditLine>,
    samples: Vec<AuditLine>,
    fixed: u32,
}

#[derive(Default)]
struct Numbers {
    messages: u32,
    logged: u32,
    waiting: u32,
    asked: u32,
    unruled: u32,
    older: u32,
}

impl Tally {
    fn new(several: bool) -> Self {
        Self { seen: several.then(HashSet::new), ..Self::default() }
    }

    /// False where the message was counted in another folder.
    fn is_new(&mut self, arrival: &Arrival) -> bool {
        let Some(seen) = &mut self.seen else { return true };
        let mut head = [0; 8];
        head.copy_from_slice(&arrival.envelope.key.as_bytes()[..8]);
        seen.insert(u64::from_be_bytes(head))
    }

    fn unreadable(&mut self, folder: &str, uid: u32) {
        self.report.messages += 1;
        self.miss(AuditLine {
            date: None,
            folder: folder.to_owned(),
            uid,
            direction: Direction::Incoming,
            why: Some(Miss::Unreadable),
            message: None,
        });
    }

    fn add(&mut self, folder: &str, one: &Judged, sent: bool) {
        let line = |why| AuditLine {
            date: Some(one.arrival.internal_date),
            folder: folder.to_owned(),
            uid: one.arrival.uid,
            direction: if sent { Direction::Outgoing } else { Direction::Incoming },
            why,
            message: one.message,
        };
        self.report.messages += 1;
        match one.standing {
            Standing::Logged => self.report.logged += 1,
            Standing::Waiting => self.report.waiting += 1,
            Standing::Asked => self.report.asked += 1,
            Standing::Older => self.report.older += 1,
            Standing::Ignored(rule) => *self.ignored.entry(rule).or_default() += 1,
            Standing::Unruled => {
                self.report.unruled += 1;
                // The later ones are the newer ones.
                if self.samples.len() == MOST_SAMPLES {
                    self.samples.remove(0);
                }
                self.samples.push(line(None));
            }
            Standing::Missed(why) => self.miss(line(Some(why))),
        }
    }

    fn miss(&mut self, line: AuditLine) {
        if let Some(why) = line.why {
            *self.missed.entry(why).or_default() += 1;
        }
        if self.missed_lines.len() < MOST_LINES {
            self.missed_lines.push(line);
        }
    }

    fn report(self, mailbox: Address, days: u32, at: Timestamp) -> AuditReport {
        let mut ignored: Vec<IgnoredBy> =
            self.ignored.into_iter().map(|(rule, count)| IgnoredBy { rule, count }).collect();
        ignored.sort_by_key(|by| (std::cmp::Reverse(by.count), by.rule));
        let Numbers { messages, logged, waiting, asked, unruled, older } = self.report;
        AuditReport {
            mailbox,
            days,
            at,
            messages,
            logged,
            waiting,
            asked,
            ignored,
            unruled,
            older,
            missed: self.missed.values().sum(),
            missed_by: self.missed.into_iter().map(|(why, count)| MissedBy { why, count }).collect(),
            missed_lines: self.missed_lines,
            samples: self.samples,
            fixed: self.fixed,
        }
    }
}
