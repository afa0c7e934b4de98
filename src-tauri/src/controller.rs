//! The one owner of the shell's state. Commands, tray, notifications and the engine ask and tell; views go back.

mod clicks;
mod life;
mod request;
#[cfg(test)]
mod tests;

pub use request::{Ears, Handle, Request, channel};

use crate::desk::{Closed, Desk, Opener, broke_off};
use crate::desktop::Desktop;
use crate::error::AppError;
use crate::locale::{Catalogue, Locale};
use crate::notify::{self, Notice, Unsent, Words};
use crate::settings::{AppSettings, SettingsFile, Stored};
use crate::tray::Tray;
use crate::tray::menu::Action;
use crate::tray::state::{LastContact, Seen};
use crate::views::{App, EngineState, Lack, News, PauseFor, Route, Topic};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use life::{Change, Life};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use threadline_core::address::Address;
use threadline_core::clock::Clock;
use threadline_engine::Event;
use threadline_engine::diagnostics::BundleFile;
use threadline_engine::event::SendState;
use threadline_engine::logs::Logs;
use threadline_engine::views::Status;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// News is gathered for so long before status and tray are made anew: a first catch-up brings thousands.
const GATHER: Duration = Duration::from_millis(200);
/// How often the tray is made anew where nothing happens: a time of yesterday is no time of today.
const ANEW: Duration = Duration::from_secs(60);

/// What a controller is made of.
#[derive(Debug)]
pub struct Parts<O, D> {
    pub opener: O,
    pub desktop: D,
    pub clock: Arc<dyn Clock>,
    pub zone: TimeZone,
    pub data_dir: PathBuf,
    pub logs: Logs,
}

/// Owns the state; runs until the program quits.
#[derive(Debug)]
pub struct Controller<O: Opener, D: Desktop> {
    parts: Parts<O, D>,
    ears: Ears<O::Desk>,
    life: Life<O::Desk>,
    engine: EngineState,
    keychain_missing: bool,
    file: SettingsFile,
    stored: Stored,
    /// Where settings lie that could not be read at the start.
    settings_aside: Option<String>,
    status: Option<Status>,
    last_contact: Option<LastContact>,
    /// Whose mail is not logged any more since a click in the tray.
    stopped: Option<LastContact>,
    shown: Option<Tray>,
    /// The newest row of the activity that the window was told of.
    happened: Option<i64>,
    /// What the window is told when the gathering is over.
    gathered: Vec<Topic>,
    /// When the gathering is over.
    due: Instant,
    /// Where the next window that is opened goes.
    destination: Option<Route>,
    /// The person has sent the window somewhere: the first look leaves it there.
    is_led: bool,
    /// The diagnostics that a click in the tray asked for, while they are made.
    copying: Option<Copying>,
    /// The day of the engine's question about people, until it is put.
    question: Option<Date>,
    /// Mails that were to go out and need the person, each with what is still to be told of it.
    unsent: BTreeMap<i64, Option<Notice>>,
}

type Copying = JoinHandle<Result<Vec<BundleFile>, AppError>>;

impl<O: Opener, D: Desktop> Controller<O, D> {
    /// Reads the settings; the engine is opened when it runs.
    pub fn new(parts: Parts<O, D>, ears: Ears<O::Desk>) -> Self {
        let file = SettingsFile::in_folder(&parts.data_dir);
        let (stored, settings_aside) = file.read();
        Self {
            life: Life::begin(),
            engine: EngineState::Starting,
            keychain_missing: false,
            stored,
            settings_aside,
            status: None,
            last_contact: None,
            stopped: None,
            shown: None,
            happened: None,
            gathered: Vec::new(),
            due: Instant::now(),
            destination: None,
            is_led: false,
            copying: None,
            question: None,
            unsent: BTreeMap::new(),
            parts,
            ears,
            file,
        }
    }

    /// Runs until the program quits, or nobody is left who could ask.
    pub async fn run(mut self) {
        self.show_tray();
        loop {
            let change = tokio::select! {
                request = self.ears.requests.recv() => match request {
                    Some(Request::Menu(Action::Quit)) | None => break,
                    Some(request) => {
                        self.answer(request).await;
                        continue;
                    }
                },
                change = self.life.next(&self.parts.opener) => change,
                files = made(&mut self.copying) => {
                    self.copy(files);
                    continue;
                }
                () = tokio::time::sleep_until(self.due) => {
                    self.look().await;
                    continue;
                }
            };
            self.change(change);
        }
        self.life.end().await;
        self.parts.opener.let_go();
        self.parts.desktop.quit();
    }

    // ---- the engine

    fn change(&mut self, change: Change<O::Desk>) {
        match change {
            Change::Opened(desk) => {
                self.keychain_missing = false;
                self.parts.desktop.take_back(notify::ENGINE);
                self.set_engine(EngineState::Running, Some(desk));
            }
            Change::Closed(Closed::Held { by }) => self.set_engine(EngineState::Held { by }, None),
            Change::Closed(Closed::Keychain { error, missing }) => {
                self.keychain_missing = missing;
                self.set_engine(EngineState::WaitingForKeychain { error }, None);
            }
            Change::Closed(Closed::Refused(error)) => self.set_engine(EngineState::Stopped { error }, None),
            Change::Ended(error) => {
                tracing::error!(code = %error.code, "the engine has ended");
                self.notify(&Notice::Stopped { error: error.clone() });
                self.set_engine(EngineState::Stopped { error }, None);
            }
            Change::Happened(event) => self.hear(&event),
        }
    }

    fn set_engine(&mut self, state: EngineState, desk: Option<O::Desk>) {
        if self.engine != state {
            tracing::info!(state = state.name(), "the engine");
            self.engine = state;
            self.gather(Topic::App);
        }
        if desk.is_none() {
            self.status = None;
            self.happened = None;
        }
        self.ears.desk.send_replace(desk);
        self.gather(Topic::Status);
        self.show_tray();
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::Decided { .. } | Event::Missed { .. } => {
                self.gather(Topic::Threads);
                self.gather(Topic::Asked);
            }
            Event::Fetched { .. } | Event::Pushed { .. } | Event::PushFailed { .. } => {
                self.gather(Topic::Threads)
            }
            Event::CatchUp(progress) => {
                self.parts.desktop.tell(News::CatchUp { progress: progress.clone() });
            }
            Event::Health { .. }
            | Event::Watching { .. }
            | Event::SetAside { .. }
            | Event::Contacts { .. }
            | Event::Audited { .. } => {}
            Event::Send { account, send, state, words, .. } => {
                self.gather(Topic::Sends);
                self.hear_of_send(account, *send, *state, words.as_deref());
            }
            Event::Relayed { .. } => self.gather(Topic::Sends),
            Event::Question { .. } => {
                self.question = Some(self.today());
                self.gather(Topic::Asked);
            }
        }
        self.gather(Topic::Status);
    }

    /// A mail that needs the person is told of once, after the quiet hours; not where it was settled by then.
    fn hear_of_send(&mut self, account: &Address, send: i64, state: SendState, words: Option<&str>) {
        match Unsent::of(state, words) {
            None => {
                self.unsent.remove(&send);
            }
            Some(how) => {
                let notice = Notice::Unsent { from: account.to_string(), how };
                // What was told once is not told again in other words; what waits for its time is told as it is by then.
                self.unsent
                    .entry(send)
                    .and_modify(|untold| *untold = untold.take().map(|_| notice.clone()))
                    .or_insert(Some(notice));
            }
        }
    }

    fn tell_unsent(&mut self) {
        if notify::may_speak(&self.stored.settings, self.parts.clock.now(), &self.parts.zone) {
            let due: Vec<Notice> = self.unsent.values_mut().filter_map(Option::take).collect();
            for notice in due {
                self.notify(&notice);
            }
        }
    }

    fn gather(&mut self, topic: Topic) {
        if self.gathered.is_empty() {
            self.due = Instant::now() + GATHER;
        }
        if !self.gathered.contains(&topic) {
            self.gathered.push(topic);
        }
    }

    /// Makes status and tray anew, tells the window, and the person where it needs them.
    async fn look(&mut self) {
        self.due = Instant::now() + ANEW;
        if let Err(error) = self.refresh().await {
            tracing::warn!(code = %error.code, "the status was not read");
        }
        for topic in std::mem::take(&mut self.gathered) {
            self.parts.desktop.tell(topic.into());
        }
    }

    /// Reads the status anew, and what follows from it.
    async fn refresh(&mut self) -> Result<(), AppError> {
        let desk = self.ears.desk.borrow().clone();
        if let Some(desk) = desk {
            let first = self.status.is_none();
            let status = desk.status().await?;
            self.last_contact = desk.last_contact().await?;
            let rows = desk.happened_since(self.happened).await?;
            // The first look only finds out where the list ends.
            let known = self.happened.is_some();
            self.happened = rows.last().map(|row| row.id).or(self.happened).or(Some(0));
            for entry in rows.into_iter().filter(|_| known) {
                self.parts.desktop.tell(News::Activity { entry });
            }
            if first && status.mailboxes.is_empty() && !self.is_led {
                self.parts.desktop.tell(News::Navigate { route: Route::Setup });
            }
            if first
                || self.status.as_ref().is_some_and(|s| s.mailboxes.is_empty() != status.mailboxes.is_empty())
            {
                self.parts.desktop.tell(News::App);
            }
            self.status = Some(status);
            self.decide_notices();
            self.put_question(&desk).await;
            self.tell_unsent();
        }
        self.show_tray();
        Ok(())
    }

    fn decide_notices(&mut self) {
        let Some(status) = &self.status else { return };
        let before = self.stored.told.clone();
        let now = self.parts.clock.now();
        let speak = notify::may_speak(&self.stored.settings, now, &self.parts.zone);
        let notices = notify::decide(status, &mut self.stored.told, speak);
        if self.stored.told != before {
            self.keep();
        }
        // What is over is true no more, whether its end is told or not.
        for was in before.iter().filter(|was| !self.stored.told.iter().any(|is| is.of == was.of)) {
            self.parts.desktop.take_back(&was.of);
        }
        for notice in notices {
            self.notify(&notice);
        }
    }

    fn today(&self) -> Date {
        self.parts.clock.now().to_zoned(self.parts.zone.clone()).date()
    }

    /// Puts the day's question once, after the quiet hours where it came in them, unless it was answered meanwhile. What is
    /// not put on its day comes again with the next one.
    async fn put_question(&mut self, desk: &O::Desk) {
        let Some(day) = self.question else { return };
        if day != self.today() {
            self.question = None;
        } else if notify::may_speak(&self.stored.settings, self.parts.clock.now(), &self.parts.zone) {
            match desk.unknown_people().await {
                Ok(people) => {
                    self.question = None;
                    if people > 0 {
                        self.notify(&Notice::Question { people });
                    }
                }
                Err(error) => tracing::warn!(code = %error.code, "who is asked about was not read"),
            }
        }
    }

    fn notify(&mut self, notice: &Notice) {
        let settings = &self.stored.settings;
        if notice.is_wanted(settings, self.parts.clock.now(), &self.parts.zone) {
            let words = self.words(notice);
            self.parts.desktop.notify(words);
        }
    }

    fn words(&self, notice: &Notice) -> Words {
        notice.words(self.texts(), self.parts.clock.now(), &self.parts.zone)
    }

    // ---- the tray

    fn show_tray(&mut self) {
        let stopped = self.stopped.as_ref();
        let seen = Seen {
            engine: &self.engine,
            status: self.status.as_ref(),
            // Who was just stopped is not offered to be stopped again.
            last_contact: self.last_contact.as_ref().filter(|last| Some(*last) != stopped),
            stopped,
        };
        let tray = Tray::of(&seen, self.texts(), self.parts.clock.now(), &self.parts.zone);
        if self.shown.as_ref() != Some(&tray) {
            self.parts.desktop.show_tray(&tray);
            self.shown = Some(tray);
        }
    }

    // ---- what is asked

    async fn answer(&mut self, request: Request) {
        match request {
            Request::App(reply) => {
                reply.give(self.app());
                // Whoever asks for the first time has just opened its ears.
                if let Some(route) = self.destination.take() {
                    self.parts.desktop.tell(News::Navigate { route });
                }
            }
            Request::Settings(settings, reply) => {
                let set = self.set_settings(settings);
                reply.give(set.map(|()| self.app()));
            }
            Request::Restart(reply) => {
                self.restart().await;
                reply.give(self.app());
            }
            Request::Status(reply) => {
                let status = self.refreshed().await;
                reply.give(status);
            }
            Request::Pause { address, span, reply } => {
                let paused = self.pause(address.as_ref(), span).await;
                reply.give(match paused {
                    Ok(()) => self.refreshed().await,
                    Err(error) => Err(error),
                });
            }
            Request::Open(route) => self.open(route),
            Request::Closed { minimised } => self.closed(minimised),
            Request::Menu(action) => self.click(action).await,
            Request::DesktopChanged => {
                self.shown = None;
                self.show_tray();
                self.gather(Topic::App);
            }
            Request::Bundle(reply) => {
                let files = self.bundle();
                tokio::spawn(async move { reply.give(files.await) });
            }
            Request::Copy(text, reply) => reply.give(self.parts.desktop.copy(text)),
            Request::Wipe(reply) => {
                let wiped = self.wipe().await;
                reply.give(wiped.map(|()| self.app()));
            }
            Request::Texts(reply) => reply.give(self.locale()),
        }
    }

    async fn refreshed(&mut self) -> Result<Status, AppError> {
        self.refresh().await?;
        self.status.clone().ok_or_else(|| not_running(&self.engine))
    }

    fn app(&self) -> App {
        let mut missing = self.parts.desktop.lacks();
        if self.keychain_missing {
            missing.push(Lack::Keychain);
        }
        if self.settings_aside.is_some() {
            missing.push(Lack::Settings);
        }
        App {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            data_dir: self.parts.data_dir.display().to_string(),
            engine: self.engine.clone(),
            updates: self.parts.desktop.can_update(),
            first_run: self.status.as_ref().is_some_and(|s| s.mailboxes.is_empty()),
            settings: AppSettings {
                autostart: self.parts.desktop.autostart(),
                ..self.stored.settings.clone()
            },
            locale: self.locale(),
            settings_aside: self.settings_aside.clone(),
            missing,
        }
    }

    fn locale(&self) -> Locale {
        self.stored.settings.language.locale(self.parts.desktop.language().as_deref())
    }

    fn texts(&self) -> &'static Catalogue {
        self.locale().catalogue()
    }

    fn set_settings(&mut self, settings: AppSettings) -> Result<(), AppError> {
        if settings.autostart != self.parts.desktop.autostart() {
            self.parts.desktop.set_autostart(settings.autostart)?;
        }
        let stored = Stored { settings, ..self.stored.clone() };
        self.file.write(&stored)?;
        self.stored = stored;
        self.show_tray();
        self.gather(Topic::App);
        Ok(())
    }

    /// Keeps what the program noted itself. Where that fails, it is noted again next time.
    fn keep(&self) {
        if let Err(error) = self.file.write(&self.stored) {
            tracing::warn!(code = %error.code, "what was told was not noted");
        }
    }

    /// Ends the engine and opens it again.
    async fn restart(&mut self) {
        self.life.end().await;
        self.life = Life::begin();
        self.set_engine(EngineState::Starting, None);
    }

    /// Takes everything away from this computer, and begins anew.
    async fn wipe(&mut self) -> Result<(), AppError> {
        let desk = self.desk()?;
        self.life.end().await;
        self.set_engine(EngineState::Starting, None);
        self.parts.logs.forget();
        let wiped = self.parts.opener.wipe(desk).await;
        if wiped.is_ok() {
            if self.parts.desktop.autostart() {
                self.parts.desktop.set_autostart(false)?;
            }
            self.file.remove();
            (self.stored, self.settings_aside) = (Stored::default(), None);
            (self.last_contact, self.stopped) = (None, None);
        }
        self.life = Life::begin();
        self.show_tray();
        wiped
    }

    async fn pause(
        &mut self,
        address: Option<&threadline_core::address::Address>,
        span: Option<PauseFor>,
    ) -> Result<(), AppError> {
        let until = span.map(|span| pause_until(span, self.parts.clock.now(), &self.parts.zone));
        let desk = self.desk()?;
        desk.pause(address, until).await
    }

    fn desk(&self) -> Result<O::Desk, AppError> {
        self.ears.desk.borrow().clone().ok_or_else(|| not_running(&self.engine))
    }

    fn open(&mut self, route: Option<Route>) {
        if let Some(route) = &route {
            self.parts.desktop.tell(News::Navigate { route: route.clone() });
            self.is_led = true;
        }
        self.destination = route;
        self.parts.desktop.open_window(self.stored.settings.theme, self.locale());
    }

    fn closed(&mut self, minimised: bool) {
        if self.stored.settings.tray_said {
            return;
        }
        self.notify(if minimised { &Notice::NoTray } else { &Notice::TrayStays });
        self.stored.settings.tray_said = true;
        self.keep();
    }
}

/// Waits for what is being made; for ever where nothing is.
async fn made(copying: &mut Option<Copying>) -> Result<Vec<BundleFile>, AppError> {
    let Some(task) = copying else { return std::future::pending().await };
    let files = task.await.unwrap_or_else(|_| Err(broke_off()));
    *copying = None;
    files
}

fn not_running(engine: &EngineState) -> AppError {
    match engine {
        EngineState::WaitingForKeychain { error } | EngineState::Stopped { error } => error.clone(),
        EngineState::Held { by } => AppError::new(
            "data_folder_in_use",
            format!(
                "The data folder is in use by {by}. Stop that program; Threadline then goes on by itself."
            ),
        )
        .with("by", by),
        EngineState::Starting | EngineState::Running => {
            AppError::new("engine_starting", "Threadline is starting. Try again in a moment.")
        }
    }
}

/// When a pause is over.
fn pause_until(span: PauseFor, now: Timestamp, zone: &TimeZone) -> Timestamp {
    let hour = now.checked_add(Span::new().hours(1)).unwrap_or(now);
    match span {
        PauseFor::Hour => hour,
        PauseFor::Tomorrow => now
            .to_zoned(zone.clone())
            .tomorrow()
            .and_then(|day| day.start_of_day())
            .map_or(hour, |day| day.timestamp()),
    }
}
