//! The dry run: the headers are kept in memory, go through the real [`ingest`] in one transaction, and that is taken back.

use super::{DryRun, DryRunLine, RuleCount, Scan, ScanProgress, Told, count};
use crate::error::EngineError;
use crate::event::{Event, VerdictName};
use crate::ingest;
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::HashMap;
use threadline_core::arrival::{Arrival, Role};
use threadline_core::record::Direction;
use threadline_core::rule::Rule;
use threadline_mail::watch::MOST_ARRIVALS;
use threadline_store::job::{self, Kind};
use threadline_store::message::Outcome;
use threadline_store::place::Place;
use threadline_store::{StoreError, Tx, folder};

/// Most lines of a dry run.
pub const MOST_LINES: usize = 200;
/// Most messages that a dry run keeps in memory, of all folders together: about a kilobyte each.
pub const MOST_MESSAGES: usize = 20_000;

/// A message and where it lies.
struct Seen {
    /// Index into the folders.
    folder: usize,
    uidvalidity: u32,
    arrival: Arrival,
}

/// What would become of a message.
struct Fate {
    /// Index into what was seen.
    seen: usize,
    direction: Direction,
    outcome: Outcome,
    rule: Rule,
}

pub(super) async fn run(
    scan: &mut Scan,
    days: u32,
    mut progress: impl FnMut(ScanProgress) + Send,
) -> Result<DryRun, EngineError> {
    let most = MOST_MESSAGES / scan.folders.len().max(1);
    let mut seen = Vec::new();
    for at in 0..scan.folders.len() {
        let Some((on_server, mut period)) = scan.period(at).await? else { continue };
        period.uids.drain(..period.uids.len().saturating_sub(most));
        let mut told = Told::new(&on_server, &period);
        for uids in period.uids.chunks(MOST_ARRIVALS) {
            let read = scan.headers(&on_server, &period, uids).await?;
            let uidvalidity = period.uidvalidity;
            seen.extend(read.arrivals.into_iter().map(|arrival| Seen { folder: at, uidvalidity, arrival }));
            progress(told.further(uids.len()));
        }
    }
    let (of, now) = (scan.mailbox.for_ingest(), scan.mailbox.shared.clock.now());
    let folders: Vec<(String, Role)> = scan.folders.iter().map(|(f, role)| (f.name.clone(), *role)).collect();
    let rehearse = move |tx: &Tx<'_>| {
        let fates = rehearse(tx, &of, &folders, &seen, now)?;
        Ok(sum_up(days, &of, &seen, fates))
    };
    Ok(scan.mailbox.shared.ledger.rehearse(rehearse).await?)
}

/// Takes everything in, and decides again what waited for another message.
fn rehearse(
    tx: &Tx<'_>,
    of: &ingest::Mailbox,
    folders: &[(String, Role)],
    seen: &[Seen],
    now: Timestamp,
) -> Result<Vec<Fate>, StoreError> {
    let rows = folders
        .iter()
        .map(|(name, role)| folder::ensure(tx, of.id, name, *role))
        .collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut places: HashMap<Place, usize> = HashMap::new();
    let mut fates: HashMap<i64, Fate> = HashMap::new();
    for (at, one) in seen.iter().enumerate() {
        let row = &rows[one.folder];
        places.insert(Place { folder: row.id, uidvalidity: one.uidvalidity, uid: one.arrival.uid }, at);
        match ingest::store_one(tx, of, row, one.uidvalidity, &one.arrival, now) {
            Ok(events) => note(&mut fates, at, &events),
            // Reading the history sets this one aside.
            Err(error) if error.concerns_a_row() => {}
            Err(error) => return Err(error),
        }
    }
    loop {
        let mut any = false;
        for job in job::due(tx, of.id, &ids, now, usize::MAX)? {
            let Some(&at) = places.get(&job.place).filter(|_| job.kind == Kind::Recheck) else { continue };
            let one = &seen[at];
            match ingest::recheck(tx, of, &rows[one.folder], job.place, &one.arrival, now) {
                Ok(events) => note(&mut fates, at, &events),
                Err(error) if error.concerns_a_row() => {}
                Err(error) => return Err(error),
            }
            job::done(tx, job.id)?;
            any = true;
        }
        if !any {
            return Ok(fates.into_values().collect());
        }
    }
}

fn note(fates: &mut HashMap<i64, Fate>, seen: usize, events: &[Event]) {
    for event in events {
        if let Event::Decided { message, direction, verdict, rule, .. } = event {
            let outcome = match verdict {
                VerdictName::Log => Outcome::Log,
                VerdictName::Ask => Outcome::Ask,
                VerdictName::Hold => Outcome::Hold,
                VerdictName::Ignore => Outcome::Ignore,
            };
            fates.insert(*message, Fate { seen, direction: *direction, outcome, rule: *rule });
        }
    }
}

fn sum_up(days: u32, of: &ingest::Mailbox, seen: &[Seen], mut fates: Vec<Fate>) -> DryRun {
    let number = |outcome| count(fates.iter().filter(|f| f.outcome == outcome).count());
    let (log, ask, ignore) = (number(Outcome::Log), number(Outcome::Ask), number(Outcome::Ignore));
    let mut by_rule: HashMap<(Rule, Outcome), u32> = HashMap::new();
    for fate in &fates {
        *by_rule.entry((fate.rule, fate.outcome)).or_default() += 1;
    }
    let mut by_rule: Vec<RuleCount> =
        by_rule.into_iter().map(|((rule, outcome), count)| RuleCount { rule, outcome, count }).collect();
    by_rule.sort_by_key(|r| (Reverse(r.count), r.rule, r.outcome));
    fates.sort_by_key(|f| Reverse((f.outcome, seen[f.seen].arrival.time(), f.seen)));
    let lines = fates.iter().take(MOST_LINES).map(|fate| line(of, &seen[fate.seen].arrival, fate)).collect();
    DryRun { days, seen: count(seen.len()), log, ask, ignore, by_rule, lines }
}

fn line(of: &ingest::Mailbox, arrival: &Arrival, fate: &Fate) -> DryRunLine {
    let envelope = &arrival.envelope;
    let everybody = envelope.from.iter().chain(envelope.recipients());
    DryRunLine {
        date: arrival.time(),
        direction: fate.direction,
        subject: envelope.subject.clone(),
        with: everybody.filter(|m| !of.rules.is_colleague(&m.address)).cloned().collect(),
        outcome: fate.outcome,
        rule: fate.rule,
    }
}
