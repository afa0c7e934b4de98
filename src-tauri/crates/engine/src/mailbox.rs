//! One mailbox: its connections, and what happens to each piece of news.

mod news;
mod progress;
mod state;

use crate::backoff;
use crate::broken::Broken;
use crate::engine::Account;
use crate::error::EngineError;
use crate::event::Event;
use crate::gestures::{self, Gestures};
use crate::jobs;
use crate::outage::Outage;
use crate::pace::{Pace, Rest};
use crate::revoked::Revoked;
use crate::settings::AccountSettings;
use crate::shared::Shared;
use crate::sign_in;
use crate::tokens::Using;
use jiff::Timestamp;
use news::from_row;
use progress::Progress;
use state::channels;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use threadline_core::address::Address;
use threadline_core::arrival::Role;
use threadline_core::health::{Channel, State};
use threadline_core::reason::{Again, Evidence, Phase, Reason, Signal};
use threadline_mail::error::MailError;
use threadline_mail::folders::{Watched as Found, watched};
use threadline_mail::session::{Folder as ServerFolder, Session};
use threadline_mail::watch::{News, Suspect, Target, Watch};
use threadline_net::proxy;
use threadline_store::folder::{self, Folder};
use threadline_store::{StoreError, Tx, account, place};

/// Longest uninterrupted wait for a job.
const GLANCE: Duration = Duration::from_secs(60);

/// A mailbox at work.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub shared: Arc<Shared>,
    pub id: i64,
    pub settings: AccountSettings,
    /// It reads mail from before it was added, because the person asked for that.
    pub history: bool,
    /// The mailbox's epoch: once there is a later one, nothing is stored that this one reads.
    epoch: u32,
    /// The ledger's ids of the folders that are watched, by whichever connection.
    folders: Mutex<Vec<i64>>,
    /// How often a connection broke over a job in a row.
    breaks: Mutex<HashMap<i64, u32>>,
    /// What was being read when a connection broke, by its first folder.
    suspects: Mutex<HashMap<i64, Suspect>>,
    /// The connection that broke last came nearer to the message that is at fault.
    nearer: AtomicBool,
    /// The server has NOTIFY and refused it: two connections are used instead.
    notify_refused: AtomicBool,
    /// A connection came as far as watching since the last failure.
    watched: AtomicBool,
    /// How the first reading after a connection goes.
    progress: Mutex<Progress>,
}

/// A watched folder: the ledger's row and the server's own name for it.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pub row: Folder,
    pub on_server: ServerFolder,
    /// What arrived since then is read.
    pub reads_from: Timestamp,
}

impl Mailbox {
    pub fn new(shared: Arc<Shared>, account: Account) -> Self {
        let Account { id, settings, epoch, .. } = account;
        Self {
            shared,
            id,
            settings,
            history: false,
            epoch,
            folders: Mutex::default(),
            breaks: Mutex::default(),
            suspects: Mutex::default(),
            nearer: AtomicBool::new(false),
            notify_refused: AtomicBool::new(false),
            watched: AtomicBool::new(false),
            progress: Mutex::default(),
        }
    }

    /// Connects, watches and connects again until the future is dropped. What a person sets (another password, another
    /// server, "connect now") makes the engine drop it and begin anew.
    pub async fn run(&self) -> Infallible {
        let mut pace = Pace::default();
        let mut outage = Outage::default();
        let mut revoked = Revoked::default();
        if let Err(error) = self.set_state(State::Working, None).await {
            tracing::error!(code = error.code(), "the state of a mailbox could not be stored");
        }
        loop {
            self.shared.forget_wakers(self.id);
            let before = self.shared.links.now();
            let connected_at = self.shared.clock.monotonic();
            let Err(broken) = self.live().await;
            if matches!(broken, Broken::NotifyRefused | Broken::OtherFolders) {
                continue;
            }
            if !self.is_current().await {
                // What it read is not stored. The engine will begin anew with what was set.
                return std::future::pending().await;
            }
            let now = self.shared.clock.monotonic();
            if self.watched.swap(false, Ordering::Relaxed) {
                // A server that hangs up after a minute, again and again, is no success: only what lasted ends an outage.
                if now.saturating_sub(connected_at) > backoff::LONGEST {
                    outage.over();
                    pace.anew();
                }
            }
            let links = self.shared.links.now();
            if links.turns != before.turns {
                pace.anew();
            }
            let broken = if self.nearer.swap(false, Ordering::Relaxed) {
                // A message that breaks connections is found by some more of them: other mail must not wait for that.
                pace.anew();
                broken
            } else {
                revoked.ended(broken, now.saturating_sub(connected_at))
            };
            pace.failed(&broken);
            let (reason, ..) = broken.why();
            let away = links.explains(reason);
            if away.is_some() {
                // What fails without a network is no outage.
                outage.over();
            } else if pace.is_first() && broken.again() == Again::Soon {
                // Other connections may have met the same end.
                self.shared.probe();
            }
            let rest = pace.rest(&broken, backoff::random());
            let wait = rest.map(Rest::whole);
            match away {
                Some(reason) => self.tell_away(reason, wait).await,
                None => {
                    let extended = outage.failed(now, self.shared.extended().await);
                    let lasting = broken.needs_person() || extended;
                    let state = if lasting { State::NeedsAttention } else { State::Retrying };
                    self.tell_broken(&broken, state, wait).await;
                }
            }
            let Some(rest) = rest else { return std::future::pending().await };
            tokio::time::sleep(rest.firm).await;
            tokio::select! {
                () = tokio::time::sleep(rest.loose) => {}
                () = self.shared.links.turned(links) => {
                    pace.anew();
                    tokio::time::sleep(Pace::scatter(backoff::random())).await;
                }
            }
        }
    }

    /// True while its connections watch.
    pub fn is_watching(&self) -> bool {
        self.watched.load(Ordering::Relaxed)
    }

    /// False where another mailbox took this one's place, or it was removed.
    async fn is_current(&self) -> bool {
        let (id, epoch) = (self.id, self.epoch);
        let still = self.shared.ledger.read(move |tx| account::still(tx, id, epoch)).await;
        !matches!(still, Err(StoreError::NotFound { .. }))
    }

    /// Reads what is new in every folder, does all jobs, and signs out.
    pub async fn catch_up(&self) -> Result<(), Broken> {
        let result = self.catch_up_once().await;
        if let Err(broken) = &result {
            let state = if broken.needs_person() { State::NeedsAttention } else { State::Retrying };
            self.tell_broken(broken, state, None).await;
        }
        result
    }

    async fn catch_up_once(&self) -> Result<(), Broken> {
        let (session, watched, _) = self.connect().await?;
        let mut watch = self.watch(session, &watched).await?;
        self.begin_catch_up(1);
        let mut settled = false;
        let mut refused = Vec::new();
        Gestures::due(watch.session()).look(self, watch.session(), &watched).await?;
        loop {
            let news = self.next(&mut watch, &watched, gestures::EVERY).await?;
            self.note_refused(&watched, &news, &mut refused).await?;
            settled = match news {
                News::Watching => true,
                News::Woken => settled,
                _ => false,
            };
            if let Some(taken) = self.take(&watched, news).await? {
                self.note_taken(0, watch.missed(), taken);
            }
            let did = jobs::run(self, watch.session(), &watched).await?;
            if settled && did == 0 {
                break;
            }
            if settled {
                // A job may have found another one: look once more, without waiting for news.
                watch.waker().wake();
            }
        }
        for channel in channels(&watched).into_iter().filter(|c| !refused.contains(c)) {
            self.set_channel(channel, State::Connected, None, None).await?;
        }
        self.note_watching(0);
        self.end_catch_up().await?;
        watch.into_session().logout().await;
        Ok(())
    }

    /// Watches until something breaks: by one connection where the server has NOTIFY, else by one for INBOX and one for
    /// Sent, which have IDLE. A third and further folders are asked every [`POLL`] by the second: servers count
    /// connections, and few mailboxes have two Sent folders in use.
    ///
    /// [`POLL`]: threadline_mail::watch::POLL
    async fn live(&self) -> Result<Infallible, Broken> {
        let (session, mut watched, found) = self.connect().await?;
        let notify = session.capabilities().has_notify() && !self.notify_refused.load(Ordering::Relaxed);
        if notify || watched.len() == 1 {
            self.begin_catch_up(1);
            return self.drive(0, session, watched, Some(&found)).await;
        }
        let second = match self.sign_in().await {
            // One connection is all that the server gives: INBOX has IDLE, and Sent is asked.
            Err(Broken::Mail(error)) if refuses_another(&error) => {
                self.begin_catch_up(1);
                return self.drive(0, session, watched, Some(&found)).await;
            }
            second => second?,
        };
        let rest = watched.split_off(1);
        self.begin_catch_up(2);
        tokio::try_join!(self.drive(0, session, watched, Some(&found)), self.drive(1, second, rest, None))
            .map(|(never, _)| never)
    }

    /// Signs in and finds the folders.
    async fn connect(&self) -> Result<(Session, Vec<Watched>, Found), Broken> {
        let mut session = self.sign_in().await?;
        let folders = session.folders().await?;
        let found =
            watched(&folders, session.capabilities().is_gmail(), self.settings.sent_folder.as_deref());
        if let Some(evidence) = found.sent_unknown() {
            // INBOX works all the same; the person must name the Sent folder.
            let why = Some((Reason::SentFolderUnknown, Some(evidence.phase), evidence.words));
            self.set_channel(Channel::Sent, State::NeedsAttention, why, None).await?;
        }
        let chosen = chosen(&found);
        let names: Vec<(String, Role)> = chosen.iter().map(|(f, role)| (f.name.clone(), *role)).collect();
        let (account, epoch, now) = (self.id, self.epoch, self.shared.clock.now());
        let (rows, reads_from) = self
            .shared
            .ledger
            .write(move |tx| {
                let reads_from = account::still(tx, account, epoch)?.reads_from;
                let rows: Vec<Folder> = names
                    .iter()
                    .map(|(name, role)| folder::ensure(tx, account, name, *role))
                    .collect::<Result<_, _>>()?;
                let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
                jobs::rehome(tx, account, &ids, now)?;
                Ok((rows, reads_from))
            })
            .await?;
        *lock(&self.folders) = rows.iter().map(|row| row.id).collect();
        let watched = rows
            .into_iter()
            .zip(chosen)
            .map(|(row, (on_server, _))| Watched { row, on_server, reads_from })
            .collect();
        Ok((session, watched, found))
    }

    async fn sign_in(&self) -> Result<Session, Broken> {
        let id = self.id;
        match sign_in::session(&self.shared, &self.settings, None, Using::Kept).await {
            Ok(session) => {
                self.shared.ledger.write(move |tx| account::set_worked_secret(tx, id, true)).await?;
                Ok(session)
            }
            Err(EngineError::Mail(error)) => {
                Err(with_history(&self.shared, &self.settings.address, *error).await?.into())
            }
            Err(EngineError::Secret(error)) => Err(error.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// One connection's life, the `part`th of those that read together. The one that is given what was found looks whether
    /// that changes.
    async fn drive(
        &self,
        part: usize,
        session: Session,
        watched: Vec<Watched>,
        found: Option<&Found>,
    ) -> Result<Infallible, Broken> {
        let mut watch = self.watch(session, &watched).await?;
        if let Some(found) = found {
            watch = watch.among(found);
        }
        self.shared.add_waker(self.id, watch.waker());
        let mut told = false;
        let mut refused = Vec::new();
        let mut gestures = Gestures::default();
        loop {
            gestures.look(self, watch.session(), &watched).await?;
            jobs::run(self, watch.session(), &watched).await?;
            self.end_catch_up().await?;
            let wait = gestures.wait(self.shared.clock.monotonic());
            let news = self.next(&mut watch, &watched, wait).await?;
            self.note_refused(&watched, &news, &mut refused).await?;
            if matches!(news, News::Watching) {
                let has_notify = watch.session().capabilities().has_notify();
                if has_notify
                    && watch.covers() < watched.len().min(2)
                    && !self.notify_refused.swap(true, Ordering::Relaxed)
                {
                    return Err(Broken::NotifyRefused);
                }
                for channel in channels(&watched).into_iter().filter(|c| !refused.contains(c)) {
                    self.set_channel(channel, State::Connected, None, None).await?;
                }
                self.watched.store(true, Ordering::Relaxed);
                if !proxy::is_here(&self.settings.host) {
                    self.shared.links.reached_a_server();
                }
                if !std::mem::replace(&mut told, true) {
                    self.shared.tell(Event::Watching { account: self.settings.address.clone() });
                }
                self.note_watching(part);
            }
            if let Some(taken) = self.take(&watched, news).await? {
                self.note_taken(part, watch.missed(), taken);
            }
        }
    }

    async fn watch(&self, session: Session, watched: &[Watched]) -> Result<Watch, StoreError> {
        let folders: Vec<i64> = watched.iter().map(|w| w.row.id).collect();
        let now = self.shared.clock.now();
        let newest =
            move |tx: &Tx<'_>| folders.iter().map(|f| place::newest(tx, *f, now)).collect::<Result<_, _>>();
        let seen: Vec<Option<Timestamp>> = self.shared.ledger.read(newest).await?;
        let suspect = watched.first().and_then(|w| lock(&self.suspects).get(&w.row.id).cloned());
        let mut watch = Watch::new(session, targets(watched)).wary(suspect);
        for (target, (folder, seen)) in watched.iter().zip(seen).enumerate() {
            watch = match folder.row.cursor {
                None => watch.begins(target, folder.reads_from),
                Some(_) => {
                    let seen = seen.unwrap_or(folder.reads_from);
                    watch.not_before(target, folder.reads_from).last_seen(target, seen)
                }
            };
        }
        Ok(watch)
    }

    /// The folders that are watched, by whichever connection.
    pub fn watched_folders(&self) -> Vec<i64> {
        lock(&self.folders).clone()
    }

    /// Notes that a connection broke over a job; gives how often that happened before, in a row.
    pub fn broke_over(&self, job: i64) -> u32 {
        let mut breaks = lock(&self.breaks);
        let count = breaks.entry(job).or_default();
        *count += 1;
        *count - 1
    }

    /// A job was done.
    pub fn mended(&self, job: i64) {
        lock(&self.breaks).remove(&job);
    }
}

/// The folders that are read, each with what it is for.
pub(crate) fn chosen(found: &Found) -> Vec<(ServerFolder, Role)> {
    let log = found.log.iter().cloned().map(|f| (f, Role::Other));
    match found.all.clone() {
        Some(all) => std::iter::once((all, Role::All)).chain(log).collect(),
        None => std::iter::once((found.inbox.clone(), Role::Inbox))
            .chain(found.sent.iter().cloned().map(|f| (f, Role::Sent)))
            .chain(log)
            .collect(),
    }
}

/// A sign-in with the stored password was refused: what counts is whether the same password was accepted before.
pub(crate) async fn with_history(
    shared: &Shared,
    address: &Address,
    error: MailError,
) -> Result<MailError, StoreError> {
    if error.phase != Phase::Auth {
        return Ok(error);
    }
    let address = address.clone();
    let row = shared.ledger.read(move |tx| account::by_address(tx, &address)).await?;
    let worked_before = row.is_some_and(|r| r.worked_secret);
    Ok(MailError::new(&error.server, Evidence { worked_before, ..error.evidence }))
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn targets(watched: &[Watched]) -> Vec<Target> {
    let target = |w: &Watched| Target {
        folder: w.on_server.clone(),
        role: w.row.role,
        cursor: w.row.cursor.map(from_row),
    };
    watched.iter().map(target).collect()
}

/// Whether the server takes no second connection beside the first, which it took a moment ago.
fn refuses_another(error: &MailError) -> bool {
    matches!(error.phase, Phase::Greeting | Phase::Auth)
        && matches!(error.evidence.signal, Signal::Imap { .. } | Signal::Closed)
}

#[cfg(test)]
mod tests;
