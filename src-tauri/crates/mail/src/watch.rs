//! Watching folders over one connection: catch up, wait, say what is new.
//!
//! Invariant: a cursor never covers a message that was not handed out. It moves by UIDs that were seen, never by the
//! UIDNEXT that a server claims.

use crate::catchup::State;
use crate::error::MailError;
use crate::folders::{Watched, watched};
use crate::reply::Counts;
use crate::session::{Folder, Session};
use crate::wire::Tag;
use jiff::Timestamp;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use threadline_core::arrival::{Arrival, Role};
use threadline_core::reason::Phase;
use tokio::sync::Notify;
use tokio::time::Instant;

pub use crate::catchup::{MOST_ARRIVALS, Suspect};

/// How long a connection may be silent before it is probed. It also renews IDLE, which servers end after 30 minutes
/// (RFC 9051 §6.3.13).
pub const PROBE: Duration = Duration::from_secs(4 * 60);
/// How long an answer may take where the connection may be dead.
const SUSPECTED: Duration = Duration::from_secs(20);
/// How often folders are asked that the server does not report by itself.
pub const POLL: Duration = Duration::from_secs(60);
/// How often the open folder is asked where the server has neither NOTIFY nor IDLE.
pub const NOOP: Duration = Duration::from_secs(30);

/// Up to where a folder was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// 0: never seen.
    pub uidvalidity: u32,
    /// The lowest UID that was not handed out.
    pub next_uid: u32,
    pub modseq: Option<u64>,
}

/// A folder to watch.
#[derive(Debug, Clone)]
pub struct Target {
    pub folder: Folder,
    pub role: Role,
    /// `None`: begin at the end, so that nothing older is read.
    pub cursor: Option<Cursor>,
}

/// What [`Watch::next`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Headers of new messages, the lowest UID first, at most [`MOST_ARRIVALS`]. The cursor covers these and those set
    /// aside. Now and then there are none: then only the cursor's mod-sequence is new.
    Arrivals {
        /// Index into the targets.
        target: usize,
        cursor: Cursor,
        arrivals: Vec<Arrival>,
        /// UIDs that could not be read, and why.
        set_aside: Vec<(u32, String)>,
    },
    /// The folder's UIDs mean other messages now, or the folder is read for the first time and not from its end
    /// ([`Watch::begins`]). What lies in it since a day or two before the last seen mail, or since the beginning, follows
    /// as Arrivals; much of it may be known by its id.
    Renumbered { target: usize, cursor: Cursor },
    /// First contact with a folder: the cursor is at its end, nothing was fetched.
    Baseline { target: usize, cursor: Cursor },
    /// The server refuses to open this folder, or has it no more. The watch goes on without it. INBOX and All Mail are
    /// not told so: there it is an error.
    Refused { target: usize, error: MailError },
    /// The server has other folders to watch than these, or one that it refused can be opened: connect again.
    OtherFolders,
    /// Every target is caught up, and the server now reports by itself (or is asked in intervals). Once after connecting
    /// and once after each catch-up.
    Watching,
    /// Somebody called [`Waker::wake`].
    Woken,
}

/// Disturbs [`Watch::next`] from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Waker(Arc<Bell>);

#[derive(Debug, Default)]
struct Bell {
    wake: Notify,
    probe: Notify,
}

impl Waker {
    /// Makes the present or the next call of [`Watch::next`] return [`News::Woken`].
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// Makes the present or the next call of [`Watch::next`] ask the server whether the connection still lives: after
    /// sleep, or in another network, it may be dead without a sign.
    pub fn probe(&self) {
        self.0.probe.notify_one();
    }
}

/// How news comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Live {
    /// The server reports every target (RFC 5465); the open one with the help of IDLE.
    Notify,
    /// The server reports the first target (RFC 2177); the others are asked.
    Idle,
    /// Everything is asked.
    Poll,
}

/// One connection that watches folders.
#[derive(Debug)]
pub struct Watch {
    pub(crate) session: Session,
    pub(crate) targets: Vec<State>,
    pub(crate) news: VecDeque<News>,
    pub(crate) wary: Option<Suspect>,
    pub(crate) suspect: Option<Suspect>,
    /// The folders that are to be watched, where others are news.
    among: Option<Among>,
    live: Live,
    /// IDLE is used, with NOTIFY too: Dovecot 2.3 reports the open folder only to a client that idles.
    idles: bool,
    begun: bool,
    announced: bool,
    asked: Instant,
    /// When the folders were listed.
    listed: Instant,
    waker: Waker,
}

impl Watch {
    /// The first target is the one that IDLE reports where the server has no NOTIFY.
    pub fn new(session: Session, targets: Vec<Target>) -> Watch {
        let idles = session.capabilities().has_idle();
        let live = match (session.capabilities().has_notify(), idles) {
            (true, _) => Live::Notify,
            (false, true) => Live::Idle,
            (false, false) => Live::Poll,
        };
        Watch {
            session,
            targets: targets.into_iter().map(State::new).collect(),
            news: VecDeque::new(),
            wary: None,
            suspect: None,
            among: None,
            live,
            idles,
            begun: false,
            announced: false,
            asked: Instant::now(),
            listed: Instant::now(),
            waker: Waker::default(),
        }
    }

    /// When the newest message of a target that was handed out so far arrived. It says how far to look back when the
    /// folder's UIDVALIDITY changes; without it, 31 days before the folder's newest message.
    #[must_use]
    pub fn last_seen(mut self, target: usize, at: Timestamp) -> Watch {
        if let Some(state) = self.targets.get_mut(target) {
            state.last_seen = Some(at);
        }
        self
    }

    /// A target without a cursor begins with what arrived since then, and not at its end: a folder that is new in a mailbox
    /// which is known already, or an old one under another name.
    #[must_use]
    pub fn begins(mut self, target: usize, since: Timestamp) -> Watch {
        if let Some(state) = self.targets.get_mut(target) {
            state.begins(since);
        }
        self
    }

    /// When a target's UIDVALIDITY changes, what arrived before then is not handed out: it was not read before either.
    #[must_use]
    pub fn not_before(mut self, target: usize, at: Timestamp) -> Watch {
        if let Some(state) = self.targets.get_mut(target) {
            state.not_before(at);
        }
        self
    }

    /// Lists the folders at each [`PROBE`] and tells where others are to be watched than were found.
    #[must_use]
    pub fn among(mut self, found: &Watched) -> Watch {
        self.among = Some(Among { names: found.names(), named: found.named.clone() });
        self
    }

    /// Takes care with messages during whose fetch the connection before this one broke; see [`Watch::suspect`].
    #[must_use]
    pub fn wary(mut self, suspect: Option<Suspect>) -> Watch {
        self.wary = suspect;
        self
    }

    /// After an error: the messages that were being fetched. Given to the next [`Watch::wary`], it makes that one fetch
    /// half of them at a time, until the message that breaks the connection stands alone and is set aside. Keep it until
    /// the next watch gives one, `None` too: a connection that cannot be opened says nothing about it.
    pub fn suspect(&self) -> Option<Suspect> {
        self.suspect.clone().or_else(|| self.wary.clone())
    }

    /// How many targets, from the first on, are reported by the server itself. The others are asked every [`POLL`]; they
    /// deserve a connection of their own. Known once [`News::Watching`] came.
    pub fn covers(&self) -> usize {
        match self.live {
            Live::Notify => self.targets.len(),
            Live::Idle => self.home().map_or(self.targets.len(), |home| home + 1),
            Live::Poll => 0,
        }
    }

    /// How many messages the server was found to hold beyond the cursors since this watch began, read or not. What is
    /// removed there before it is read stays counted.
    pub fn missed(&self) -> u32 {
        self.targets.iter().map(|t| t.missed).fold(0, u32::saturating_add)
    }

    /// Makes [`next`](Self::next) return from elsewhere.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// The connection, for use between two calls of [`next`](Self::next).
    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Ends the watch and hands the connection back.
    pub fn into_session(self) -> Session {
        self.session
    }

    /// Waits for the next news, as long as it takes.
    ///
    /// After an error, and where the future was dropped before it was ready, the connection is of no more use.
    pub async fn next(&mut self) -> Result<News, MailError> {
        loop {
            if self.was_woken() {
                return Ok(News::Woken);
            }
            if let Some(news) = self.news.pop_front() {
                return Ok(news);
            }
            if !self.begun {
                self.begin().await?;
                self.begun = true;
                continue;
            }
            self.take_in();
            if let Some(target) = self.targets.iter().position(|t| t.dirty && !t.lost) {
                self.announced = false;
                if let Err(error) = self.catch_up(target).await {
                    self.suspect_after(&error);
                    return Err(error);
                }
                continue;
            }
            let stale = self.targets.iter_mut().enumerate().find_map(|(at, t)| Some((at, t.retold()?)));
            if let Some((target, cursor)) = stale {
                let (arrivals, set_aside) = (Vec::new(), Vec::new());
                return Ok(News::Arrivals { target, cursor, arrivals, set_aside });
            }
            if !self.settle().await? {
                continue;
            }
            if !self.announced {
                self.announced = true;
                return Ok(News::Watching);
            }
            self.wait().await?;
        }
    }

    fn was_woken(&self) -> bool {
        use futures::FutureExt as _;
        self.waker.0.wake.notified().now_or_never().is_some()
    }

    /// Opens every target once, the first one last, and asks for NOTIFY: all in one flight.
    async fn begin(&mut self) -> Result<(), MailError> {
        let mut flight = Vec::new();
        for at in (0..self.targets.len()).rev() {
            flight.push((at, self.queue_opening(at)?));
        }
        let notify = self.queue_notify()?;
        for (at, opening) in flight {
            self.finish_opening(at, opening).await?;
        }
        if let Some(tag) = notify {
            let seen = &mut self.session.seen;
            let end = self.session.wire.finish(&tag, Phase::Idle, |reply| seen.note(&reply)).await?;
            if end.refused.is_some() {
                self.fall_back();
            }
        }
        self.asked = Instant::now();
        Ok(())
    }

    /// Every target by name, so that it is reported whether it is open or not. STATUS: what changed before this moment is
    /// reported too (RFC 5465 §3.1).
    fn queue_notify(&mut self) -> Result<Option<Tag>, MailError> {
        if self.live != Live::Notify || self.targets.is_empty() {
            return Ok(None);
        }
        let mut command = b"NOTIFY SET STATUS (selected (MessageNew MessageExpunge)) (mailboxes (".to_vec();
        for (at, state) in self.targets.iter().enumerate() {
            if at > 0 {
                command.push(b' ');
            }
            command.extend(self.session.quoted(&state.folder)?);
        }
        command.extend(b") (MessageNew MessageExpunge))");
        self.session.leave_idle();
        Ok(Some(self.session.wire.queue(&command)))
    }

    fn fall_back(&mut self) {
        self.live = if self.idles { Live::Idle } else { Live::Poll };
    }

    /// Turns what the server told into work.
    pub(crate) fn take_in(&mut self) {
        for selected in std::mem::take(&mut self.session.seen.opened) {
            for state in self.targets.iter_mut().filter(|t| t.folder.raw == selected.raw) {
                state.opened(&selected);
            }
        }
        for raw in std::mem::take(&mut self.session.seen.grown) {
            for state in self.targets.iter_mut().filter(|t| t.folder.raw == raw) {
                state.grew();
            }
        }
        for (raw, counts) in std::mem::take(&mut self.session.seen.statuses) {
            let open = self.session.seen.selected.as_ref().is_some_and(|s| s.raw == raw);
            for state in self.targets.iter_mut().filter(|t| is_same(&t.folder, &raw)) {
                state.told(counts);
                if open
                    && state.cursor.is_some_and(|c| counts.uidvalidity.is_some_and(|v| v != c.uidvalidity))
                {
                    self.session.seen.selected = None;
                }
            }
        }
    }

    /// The targets from `first` on that the server did not refuse.
    fn present(&self, first: usize) -> impl Iterator<Item = usize> {
        (first..self.targets.len()).filter(|at| !self.targets[*at].lost)
    }

    /// The target that is open while nothing happens: the first that the server did not refuse.
    fn home(&self) -> Option<usize> {
        self.present(0).next()
    }

    /// Goes back to the first target, asks the targets that were open in between, and begins IDLE. `false` where that
    /// brought news.
    async fn settle(&mut self) -> Result<bool, MailError> {
        let Some(home) = self.home() else { return Ok(true) };
        if std::mem::take(&mut self.session.seen.overflow) {
            self.again().await?;
            return Ok(false);
        }
        let folder = self.targets[home].folder.clone();
        if self.session.seen.selected.as_ref().is_none_or(|s| s.raw != folder.raw) {
            let tag = self.session.queue_examine(&folder, self.targets[home].cursor)?;
            let others = self.queue_status(self.present(home + 1).collect())?;
            self.finish_examine(home, &tag).await?;
            self.finish_status(others).await?;
            self.asked = Instant::now();
            return Ok(false);
        }
        if self.idles && !self.session.is_idling() {
            self.idle().await?;
            self.asked = Instant::now();
            return Ok(false);
        }
        Ok(true)
    }

    async fn idle(&mut self) -> Result<(), MailError> {
        if !self.session.idle().await? {
            self.no_idle();
        }
        Ok(())
    }

    fn no_idle(&mut self) {
        self.idles = false;
        if self.live == Live::Idle {
            self.live = Live::Poll;
        }
    }

    /// The server gave NOTIFY up: it is asked again, which also tells what was missed.
    async fn again(&mut self) -> Result<(), MailError> {
        if let Some(tag) = self.queue_notify()? {
            let seen = &mut self.session.seen;
            let end = self.session.wire.finish(&tag, Phase::Idle, |reply| seen.note(&reply)).await?;
            if end.refused.is_some() {
                self.fall_back();
            }
        }
        self.targets.iter_mut().for_each(State::grew);
        Ok(())
    }

    /// Asks for the counts of these targets.
    fn queue_status(&mut self, targets: Vec<usize>) -> Result<Vec<(usize, Tag)>, MailError> {
        let mut tags = Vec::new();
        for at in targets {
            let mut command = b"STATUS ".to_vec();
            command.extend(self.session.quoted(&self.targets[at].folder)?);
            command.extend(b" (MESSAGES UIDNEXT UIDVALIDITY)");
            self.session.leave_idle();
            tags.push((at, self.session.wire.queue(&command)));
        }
        Ok(tags)
    }

    async fn finish_status(&mut self, tags: Vec<(usize, Tag)>) -> Result<(), MailError> {
        let mut answered = Vec::new();
        for (at, tag) in tags {
            let seen = &mut self.session.seen;
            match self.session.wire.done(&tag, Phase::Select, |reply| seen.note(&reply)).await {
                Ok(_) if self.targets[at].lost => answered.push(at),
                Ok(_) => {}
                Err(error) => self.lose(at, error)?,
            }
        }
        // Counts are told of folders, too, that cannot be opened.
        for at in answered {
            let tag = self.session.queue_examine(&self.targets[at].folder, None)?;
            if self.finish_examine(at, &tag).await?.is_some() {
                self.tell_other_folders();
            }
        }
        Ok(())
    }

    /// Waits for one response, for the waker, or until it is time to ask.
    async fn wait(&mut self) -> Result<(), MailError> {
        let others = self.present(self.covers()).next().is_some();
        let interval = match (self.session.is_idling(), others) {
            (false, _) => NOOP,
            (true, true) => POLL,
            (true, false) => PROBE,
        };
        let waker = self.waker.clone();
        let reply = tokio::select! {
            biased;
            () = waker.0.wake.notified() => {
                waker.wake();
                return Ok(());
            }
            () = waker.0.probe.notified() => return self.ask_soon().await,
            reply = self.session.wire.next(Phase::Idle) => reply?,
            () = tokio::time::sleep_until(self.asked + interval) => return self.ask().await,
        };
        match reply {
            Some(reply) => self.session.seen.note(&reply),
            // A server that ends IDLE as soon as it began is asked instead.
            None if self.session.idle_ended() && self.asked.elapsed() < NOOP => self.no_idle(),
            None => {}
        }
        Ok(())
    }

    /// The same for whoever has a reason to think that the connection is dead.
    async fn ask_soon(&mut self) -> Result<(), MailError> {
        let patience = self.session.wire.be_patient(SUSPECTED);
        let asked = self.ask().await;
        self.session.wire.be_patient(patience);
        asked
    }

    /// Asks the server for what it does not report, which also shows whether the connection still lives. IDLE begins
    /// again with the next [`settle`](Self::settle).
    async fn ask(&mut self) -> Result<(), MailError> {
        let listing = self.listed.elapsed() >= PROBE;
        // Where the server reports the others by itself, it is asked all the same now and then: one news that was lost must
        // not be lost for ever.
        let first = self.home().map_or(0, |home| home + 1);
        let lost = (0..self.targets.len()).filter(|at| listing && self.targets[*at].lost);
        let others = self.queue_status(self.present(first).chain(lost).collect())?;
        if self.session.is_idling() && others.is_empty() && !(listing && self.among.is_some()) {
            self.idle().await?;
        } else {
            self.session.run(b"NOOP", Phase::Idle).await?;
        }
        self.finish_status(others).await?;
        if listing {
            self.list().await?;
        }
        self.asked = Instant::now();
        Ok(())
    }

    /// Looks whether the folders to watch are still the same.
    async fn list(&mut self) -> Result<(), MailError> {
        self.listed = Instant::now();
        let Some(among) = &self.among else { return Ok(()) };
        let folders = self.session.folders().await?;
        let gmail = self.session.capabilities().is_gmail();
        if watched(&folders, gmail, among.named.as_deref()).names() != among.names {
            self.tell_other_folders();
        }
        Ok(())
    }

    fn tell_other_folders(&mut self) {
        if !self.news.contains(&News::OtherFolders) {
            self.news.push_back(News::OtherFolders);
        }
    }
}

/// Folders as they were found.
#[derive(Debug)]
struct Among {
    names: BTreeSet<Vec<u8>>,
    /// The folder of sent mail that the person named.
    named: Option<String>,
}

/// INBOX is one folder however it is spelt (RFC 9051 §5.1).
fn is_same(folder: &Folder, raw: &[u8]) -> bool {
    folder.raw == raw || (folder.raw.eq_ignore_ascii_case(b"INBOX") && raw.eq_ignore_ascii_case(b"INBOX"))
}

impl State {
    /// Whether a STATUS tells of messages that were not handed out.
    fn told(&mut self, counts: Counts) {
        let Some(cursor) = self.cursor else { return };
        if counts.uidvalidity.is_some_and(|v| v != cursor.uidvalidity) {
            self.dirty = true;
        } else {
            self.claims(counts.uidnext, counts.messages);
        }
    }
}
