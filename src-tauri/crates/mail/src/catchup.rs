//! Reading one folder from its cursor to its end, in batches, whatever the server claims about its numbers.

use crate::error::{MailError, blames_message};
use crate::fetch::{Batch, Uids};
use crate::session::{Folder, Selected};
use crate::survey::Survey;
use crate::watch::{Cursor, News, Target, Watch};
use crate::wire::Tag;
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use threadline_core::arrival::Role;
use threadline_core::reason::{ImapStatus, Signal};

/// Most headers handed out at once.
pub const MOST_ARRIVALS: usize = 500;
/// Most UIDs kept of a folder that is far behind; the rest is asked for afterwards.
const MOST_UIDS: usize = 50_000;
/// How many changes a stored mod-sequence may lie behind before the cursor is told again, though nothing arrived: QRESYNC
/// repeats them at each connection.
const MOST_STALE: u64 = 1_000;
/// How far above the expected UIDs an answer is believed without asking a second time.
const SLACK: u32 = 1_000;
/// Servers and persons may be of different days.
const DAYS_APART: SignedDuration = SignedDuration::from_hours(48);
/// How long before a folder's newest message a changed UIDVALIDITY is looked into, where nothing else is known.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Messages during whose fetch a connection broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    folder: Vec<u8>,
    uidvalidity: u32,
    low: u32,
    high: u32,
    /// How often the connection broke with one message alone under suspicion.
    deaths: u8,
    /// How often in a row the line failed, or the server fell silent, when messages from `low` on were fetched.
    silences: u8,
}

/// How often a connection may break over one message alone before that is set aside: once or twice may be chance.
const MOST_DEATHS: u8 = 3;
/// How often in a row the line may fail over the same messages before it counts against them.
const MOST_SILENCES: u8 = 3;

impl Suspect {
    /// Lines fail by chance. Until they failed often over the same messages, nothing is done about those.
    fn is_faint(&self) -> bool {
        (1..MOST_SILENCES).contains(&self.silences)
    }

    /// Whether less is under suspicion than before, or the same message for one more time: the search comes to its end, so
    /// the next connection need not wait long.
    pub fn is_nearer_than(&self, before: &Suspect) -> bool {
        let inside = self.low >= before.low && self.high <= before.high;
        let same_folder = self.folder == before.folder && self.uidvalidity == before.uidvalidity;
        let less = (self.low, self.high) != (before.low, before.high) || self.deaths > before.deaths;
        same_folder && inside && less && !self.is_faint()
    }

    /// After an error: what is under suspicion now. `before` is what was when the connection began.
    fn after(mut self, error: &MailError, before: Option<&Suspect>) -> Option<Suspect> {
        let before = before.filter(|b| b.folder == self.folder && b.uidvalidity == self.uidvalidity);
        match error.evidence.signal {
            _ if blames_message(error) => {
                self.silences = 0;
                Some(self)
            }
            Signal::TimedOut | Signal::Reset => {
                self.silences = match before {
                    None => 1,
                    Some(b) if !b.is_faint() => 0,
                    Some(b) if b.low == self.low => b.silences + 1,
                    Some(_) => 1,
                };
                Some(self)
            }
            _ => None,
        }
    }
}

/// A target on its way.
#[derive(Debug)]
pub(crate) struct State {
    pub folder: Folder,
    /// Covers what was handed out. `None` before the first contact.
    pub cursor: Option<Cursor>,
    /// The watch goes on without it where the server refuses it.
    optional: bool,
    /// The server refused it.
    pub lost: bool,
    /// There may be something new.
    pub dirty: bool,
    pub last_seen: Option<Timestamp>,
    /// Known to exist, lowest first, and still to be fetched.
    pending: VecDeque<u32>,
    /// There is more behind `pending`.
    more: bool,
    /// The next look asks for UIDs first.
    careful: bool,
    /// How many messages are fetched at once.
    chunk: usize,
    /// The UIDNEXT with which nothing new was found.
    checked: Option<u32>,
    /// Messages in the folder when it was last read to its end.
    known: u32,
    /// UIDNEXT as last claimed, where nothing arrived since.
    uidnext: Option<u32>,
    renumber: bool,
    /// Without a cursor, what arrived since [`State::floor`] is read.
    begins: bool,
    /// Where the folder is searched by time, nothing is handed out that arrived before.
    floor: Option<Timestamp>,
    /// Up to this UID, what arrived before the floor is passed over.
    before: Option<(u32, Timestamp)>,
    /// The cursor's mod-sequence moved far since it was told.
    stale: bool,
    /// Messages found beyond the cursor so far, read or not.
    pub missed: u32,
}

impl State {
    pub fn new(target: Target) -> Self {
        Self {
            folder: target.folder,
            cursor: target.cursor.filter(|c| c.uidvalidity != 0),
            optional: matches!(target.role, Role::Sent | Role::Other),
            lost: false,
            dirty: false,
            last_seen: None,
            pending: VecDeque::new(),
            more: false,
            careful: false,
            chunk: MOST_ARRIVALS,
            checked: None,
            known: 0,
            uidnext: None,
            renumber: false,
            begins: false,
            floor: None,
            before: None,
            stale: false,
            missed: 0,
        }
    }

    /// So many messages were found beyond the cursor.
    fn found(&mut self, messages: usize) {
        self.missed = self.missed.saturating_add(u32::try_from(messages).unwrap_or(u32::MAX));
    }

    /// See [`Watch::begins`].
    pub fn begins(&mut self, since: Timestamp) {
        self.floor = Some(since);
        if self.cursor.is_none() {
            self.begins = true;
            self.renumber = true;
            self.dirty = true;
        }
    }

    /// See [`Watch::not_before`].
    pub fn not_before(&mut self, at: Timestamp) {
        self.floor = Some(at);
    }

    /// Messages appeared while the folder was open, so its UIDNEXT is out of date.
    pub fn grew(&mut self) {
        self.dirty = true;
        self.uidnext = None;
    }

    /// Compares what the folder's opening told with the cursor.
    pub fn opened(&mut self, selected: &Selected) {
        let Some(cursor) = &mut self.cursor else { return };
        if cursor.uidvalidity != selected.uidvalidity {
            self.renumber = true;
            self.dirty = true;
            return;
        }
        self.stale |=
            cursor.modseq.zip(selected.modseq).is_some_and(|(old, new)| new.abs_diff(old) > MOST_STALE);
        cursor.modseq = selected.modseq;
        self.uidnext = selected.uidnext;
        self.claims(selected.uidnext, Some(selected.exists));
        if !self.dirty {
            self.known = selected.exists;
        }
    }

    /// A UIDNEXT that is the cursor's own says that there is nothing new. Any other, lower ones too, is looked into once:
    /// it may be a lie, and nothing may be skipped.
    pub fn claims(&mut self, uidnext: Option<u32>, exists: Option<u32>) {
        let Some(cursor) = self.cursor else { return };
        let news = match uidnext {
            Some(next) => next != cursor.next_uid && self.checked != Some(next),
            None => exists.is_none_or(|n| n > self.known || self.checked != Some(0)),
        };
        self.dirty |= news && exists != Some(0);
    }

    /// The cursor, where it is worth telling without any arrival.
    pub fn retold(&mut self) -> Option<Cursor> {
        self.cursor.filter(|_| std::mem::take(&mut self.stale))
    }

    /// The messages that the next fetch is for.
    fn plan(&self, next: u32, exists: u32) -> Plan {
        let gap = match self.uidnext {
            Some(uidnext) => uidnext.checked_sub(next).filter(|gap| *gap > 0).map(u64::from),
            None => Some(u64::from(exists.saturating_sub(self.known)).max(1)),
        };
        match gap {
            Some(gap) if gap <= MOST_ARRIVALS as u64 && !self.careful => match self.uidnext {
                Some(uidnext) => Plan::Range(next..=uidnext - 1, false),
                None => Plan::Range(next..=next.saturating_add(SLACK), true),
            },
            _ => Plan::Ask,
        }
    }

    /// Whether the folder was put back from a backup: its numbers begin anew below the cursor, under the UIDVALIDITY that
    /// it had. A server that lies about UIDNEXT has its last message at or above that.
    fn was_put_back(&self, found: &Uids) -> bool {
        let Some((cursor, uidnext)) = self.cursor.zip(self.uidnext) else { return false };
        let below = uidnext < cursor.next_uid && found.last.is_some_and(|last| last < uidnext);
        below && found.uids.is_empty()
    }

    /// The end of the folder was reached.
    fn caught_up(&mut self, exists: u32) {
        self.dirty = false;
        self.careful = false;
        self.chunk = MOST_ARRIVALS;
        self.checked = Some(self.uidnext.unwrap_or_default());
        self.known = exists;
    }
}

enum Plan {
    /// These UIDs; true where the server says where they end.
    Range(RangeInclusive<u32>, bool),
    /// Which UIDs there are must be asked first.
    Ask,
}

/// The commands with which a target is opened for the first time on a connection.
pub(crate) struct Opening {
    examine: Tag,
    /// On first contact: which UID is the last.
    last: Option<Tag>,
}

impl Watch {
    pub(crate) fn queue_opening(&mut self, at: usize) -> Result<Opening, MailError> {
        let state = &self.targets[at];
        let examine = self.session.queue_examine(&state.folder, state.cursor)?;
        let last =
            (state.cursor.is_none() && !state.begins).then(|| self.session.wire.queue(b"UID FETCH * (UID)"));
        Ok(Opening { examine, last })
    }

    pub(crate) async fn finish_opening(&mut self, at: usize, opening: Opening) -> Result<(), MailError> {
        let selected = self.finish_examine(at, &opening.examine).await?;
        if let Some(tag) = opening.last {
            // Where no folder is open, this is refused too.
            let last = self.session.finish_last(&tag).await?;
            let Some(selected) = selected else { return Ok(()) };
            self.session.seen.opened.retain(|s| s.raw != selected.raw);
            let next_uid = self.session.end_of(&selected, last)?;
            let cursor = Cursor { uidvalidity: selected.uidvalidity, next_uid, modseq: selected.modseq };
            let state = &mut self.targets[at];
            state.cursor = Some(cursor);
            state.uidnext = selected.uidnext;
            state.caught_up(selected.exists);
            self.news.push_back(News::Baseline { target: at, cursor });
        }
        Ok(())
    }

    /// Reads the answer to a target's EXAMINE; `None` where it is refused and the watch can do without it.
    pub(crate) async fn finish_examine(
        &mut self,
        at: usize,
        tag: &Tag,
    ) -> Result<Option<Selected>, MailError> {
        let folder = self.targets[at].folder.clone();
        match self.session.finish_examine(tag, &folder).await {
            Ok(selected) => Ok(Some(selected)),
            Err(error) => self.lose(at, error).map(|()| None),
        }
    }

    /// Goes on without a target that the server refused; any other error stays one.
    pub(crate) fn lose(&mut self, at: usize, error: MailError) -> Result<(), MailError> {
        let refused =
            matches!(error.evidence.signal, Signal::Imap { status: ImapStatus::No | ImapStatus::Bad, .. });
        let state = &mut self.targets[at];
        if !refused || !state.optional {
            return Err(error);
        }
        state.dirty = false;
        if !std::mem::replace(&mut state.lost, true) {
            self.news.push_back(News::Refused { target: at, error });
        }
        Ok(())
    }

    /// One step of reading a target: at most one batch of headers becomes news.
    pub(crate) async fn catch_up(&mut self, at: usize) -> Result<(), MailError> {
        let folder = self.targets[at].folder.clone();
        if self.session.seen.selected.as_ref().is_none_or(|s| s.raw != folder.raw) {
            let tag = self.session.queue_examine(&folder, self.targets[at].cursor)?;
            if self.finish_examine(at, &tag).await?.is_none() {
                return Ok(());
            }
            self.take_in();
        }
        let selected = self.session.select(&folder).await?;
        if self.targets[at].renumber {
            return self.renumber(at, &selected).await;
        }
        let Some(cursor) = self.targets[at].cursor else { return Ok(()) };
        if self.targets[at].pending.is_empty() && !self.targets[at].more {
            self.doubt(at, &selected);
            match self.targets[at].plan(cursor.next_uid, selected.exists) {
                Plan::Range(range, open) => return self.read_range(at, range, open, &selected).await,
                Plan::Ask => {}
            }
        }
        if self.targets[at].pending.is_empty() {
            let found = self.session.fetch_uids(cursor.next_uid, MOST_UIDS).await?;
            let state = &mut self.targets[at];
            if state.was_put_back(&found) {
                state.renumber = true;
                return Ok(());
            }
            state.found(found.uids.len());
            state.pending = found.uids.into();
            state.more = found.more;
            if state.pending.is_empty() {
                state.caught_up(selected.exists);
                self.trust(at);
                return Ok(());
            }
        }
        self.read_pending(at, &selected).await
    }

    /// Where the connection before this one broke over messages of this folder, UIDs are asked for first.
    fn doubt(&mut self, at: usize, selected: &Selected) {
        if self.suspected(at, selected).is_some() {
            self.targets[at].careful = true;
        }
    }

    /// What is under more than a faint suspicion in a target.
    fn suspected(&self, at: usize, selected: &Selected) -> Option<&Suspect> {
        let folder = &self.targets[at].folder.raw;
        self.wary
            .as_ref()
            .filter(|w| w.folder == *folder && w.uidvalidity == selected.uidvalidity && !w.is_faint())
    }

    /// The connection broke: what was being fetched may be at fault.
    pub(crate) fn suspect_after(&mut self, error: &MailError) {
        self.suspect = self.suspect.take().and_then(|s| s.after(error, self.wary.as_ref()));
    }

    /// The usual case: few messages, in one fetch. Anything odd, and it is done again with care.
    async fn read_range(
        &mut self,
        at: usize,
        range: RangeInclusive<u32>,
        open: bool,
        selected: &Selected,
    ) -> Result<(), MailError> {
        let high = if open { u32::MAX } else { *range.end() };
        self.begin_suspicion(at, selected, *range.start(), high, 0);
        let batch = self.session.fetch_headers(range, open, MOST_ARRIVALS).await?;
        self.relieve(at);
        let state = &mut self.targets[at];
        if !batch.is_clean() {
            state.careful = true;
            return Ok(());
        }
        let more = batch.more;
        state.found(batch.arrivals.len());
        let last = batch.last();
        if !more {
            state.caught_up(selected.exists);
        } else {
            state.careful = true;
        }
        if let Some(last) = last {
            let set_aside = batch.set_aside();
            self.hand_out(at, last, batch, set_aside);
        }
        Ok(())
    }

    /// Messages known to exist: some at once, fewer after each trouble, and the one that is left is set aside.
    async fn read_pending(&mut self, at: usize, selected: &Selected) -> Result<(), MailError> {
        let (take, deaths) = self.share(at, selected);
        let state = &self.targets[at];
        let chunk: Vec<u32> = state.pending.iter().copied().take(take).collect();
        let (Some(&low), Some(&high)) = (chunk.first(), chunk.last()) else { return Ok(()) };
        if deaths >= MOST_DEATHS {
            self.pass(at, chunk.len(), selected);
            self.wary = None;
            let why = "The connection breaks when this message is fetched: the server ends it, or its answer cannot be read.".to_owned();
            self.hand_out(at, high, Batch::default(), vec![(low, why)]);
            return Ok(());
        }
        self.begin_suspicion(at, selected, low, high, deaths);
        let batch = self.session.fetch_headers(low..=high, false, MOST_ARRIVALS).await?;
        self.relieve(at);
        let mut set_aside = batch.set_aside();
        if batch.refused.is_some() || batch.more || batch.partial().next().is_some() {
            if chunk.len() > 1 {
                self.targets[at].chunk = (chunk.len() / 2).max(1);
                return Ok(());
            }
            if batch.last().is_none() {
                set_aside.push((low, trouble(&batch).to_owned()));
            }
        }
        self.pass(at, chunk.len(), selected);
        let state = &mut self.targets[at];
        // Between the listed ones lie others that are read with them.
        state.found(batch.arrivals.keys().filter(|uid| chunk.binary_search(uid).is_err()).count());
        state.chunk = (state.chunk * 2).min(MOST_ARRIVALS);
        if batch.arrivals.is_empty() && set_aside.is_empty() {
            // Expunged since they were listed. The cursor stays; the next batch moves it.
            return Ok(());
        }
        self.hand_out(at, high, batch, set_aside);
        Ok(())
    }

    /// How many of the pending messages are fetched next, and how often the one of them broke a connection already.
    fn share(&mut self, at: usize, selected: &Selected) -> (usize, u8) {
        let state = &self.targets[at];
        let chunk = state.chunk.max(1);
        let Some(wary) = self.suspected(at, selected) else { return (chunk, 0) };
        let before = state.pending.iter().take_while(|uid| **uid < wary.low).count();
        if before > 0 {
            return (chunk.min(before), 0);
        }
        let inside = state.pending.iter().take_while(|uid| **uid <= wary.high).count();
        match inside {
            0 => {
                self.wary = None;
                (chunk, 0)
            }
            1 => (1, wary.deaths),
            _ => (chunk.min(inside.div_ceil(2)), 0),
        }
    }

    fn begin_suspicion(&mut self, at: usize, selected: &Selected, low: u32, high: u32, deaths: u8) {
        self.suspect = Some(Suspect {
            folder: self.targets[at].folder.raw.clone(),
            uidvalidity: selected.uidvalidity,
            low,
            high,
            deaths: if low == high { deaths.saturating_add(1) } else { 0 },
            silences: 0,
        });
    }

    /// The fetch came to its end, so the line did not fail over it.
    fn relieve(&mut self, at: usize) {
        self.suspect = None;
        let folder = &self.targets[at].folder.raw;
        self.wary.take_if(|w| w.is_faint() && w.folder == *folder);
    }

    /// These pending messages are done with.
    fn pass(&mut self, at: usize, count: usize, selected: &Selected) {
        let state = &mut self.targets[at];
        let last = state.pending.drain(..count.min(state.pending.len())).next_back();
        if state.pending.is_empty() {
            if !std::mem::take(&mut state.more) {
                state.caught_up(selected.exists);
                self.trust(at);
            }
        } else if let (Some(wary), Some(last)) = (&mut self.wary, last)
            && wary.folder == state.folder.raw
        {
            wary.low = wary.low.max(last.saturating_add(1));
        }
    }

    /// Everything that was under suspicion in this folder is read or set aside.
    fn trust(&mut self, at: usize) {
        if self.wary.as_ref().is_some_and(|w| w.folder == self.targets[at].folder.raw) {
            self.wary = None;
        }
    }

    /// Moves the cursor behind `last` and tells.
    fn hand_out(&mut self, at: usize, last: u32, batch: Batch, set_aside: Vec<(u32, String)>) {
        let state = &mut self.targets[at];
        let Some(cursor) = &mut state.cursor else { return };
        cursor.next_uid = last.saturating_add(1).max(cursor.next_uid);
        state.stale = false;
        let mut arrivals: Vec<_> = batch.arrivals.into_values().collect();
        if let Some((last, since)) = state.before {
            let all = arrivals.len();
            arrivals.retain(|a| a.uid > last || a.internal_date >= since);
            let passed_over = u32::try_from(all - arrivals.len()).unwrap_or(u32::MAX);
            state.missed = state.missed.saturating_sub(passed_over);
        }
        // One from the future has a wrong time: a search from there on would find nothing.
        let now = Timestamp::now();
        let newest = arrivals.iter().map(|a| a.internal_date).filter(|at| *at <= now).max();
        state.last_seen = state.last_seen.max(newest);
        self.news.push_back(News::Arrivals { target: at, cursor: *cursor, arrivals, set_aside });
    }

    /// The UIDs mean other messages now: everything since a day or two before the last seen mail is read again, but for what
    /// is older than the floor. A folder that is new begins at the floor. The search begins [`DAYS_APART`] earlier.
    async fn renumber(&mut self, at: usize, selected: &Selected) -> Result<(), MailError> {
        let State { begins, floor, last_seen, .. } = self.targets[at];
        let seen = last_seen.filter(|_| !begins).max(floor);
        let since = seen.and_then(|seen| seen.checked_sub(DAYS_APART).ok());
        let Survey { last, uids } = self.session.survey(selected, since, LOOK_BACK).await?;
        let end = self.session.end_of(selected, last)?;
        let next_uid = uids.first().copied().unwrap_or(end);
        let cursor = Cursor { uidvalidity: selected.uidvalidity, next_uid, modseq: selected.modseq };
        let state = &mut self.targets[at];
        state.renumber = false;
        state.begins = false;
        state.before = floor.zip(uids.last()).map(|(floor, last)| (*last, floor));
        state.cursor = Some(cursor);
        state.found(uids.len());
        state.pending = uids.into();
        state.more = false;
        state.uidnext = selected.uidnext;
        if state.pending.is_empty() {
            state.caught_up(selected.exists);
        } else {
            state.dirty = true;
        }
        self.news.push_back(News::Renumbered { target: at, cursor });
        Ok(())
    }
}

fn trouble(batch: &Batch) -> &'static str {
    if batch.refused.is_some() {
        "The server refuses to give this message's header."
    } else {
        "The server has this message, but gives no header for it."
    }
}
