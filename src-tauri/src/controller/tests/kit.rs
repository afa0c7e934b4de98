//! A desktop and an engine that a test plays, and the controller between them.

use super::super::*;
use crate::desk::Desk;
use crate::settings::Theme;
use crate::testing::{ANN, address, at, health};
use crate::tray::menu::Item;
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use threadline_core::address::Address;
use threadline_core::health::{Channel, State};
use threadline_engine::activity::{Activity, ActivityKind};
use threadline_engine::diagnostics::Known;
use threadline_engine::logs::Logs;
use threadline_engine::redact::Private;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinHandle;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// With whom mail was logged last.
pub fn jane() -> LastContact {
    let name = Some("Jane Roe".to_owned());
    LastContact { account: address(ANN), address: address("jane@customer.example"), name }
}

/// What the engine answers, and was told.
#[derive(Debug)]
pub struct Played {
    pub status: Status,
    pub pauses: Vec<(Option<Address>, Option<Timestamp>)>,
    pub logging: Vec<(LastContact, bool)>,
    /// What happened, the oldest first.
    pub activity: Vec<Activity>,
    /// How long it takes to look up what is private.
    pub looks_for: Duration,
    /// People whom the CRM does not know.
    pub unknown: u64,
}

/// A push, as a row of the activity.
pub fn pushed(id: i64) -> Activity {
    Activity {
        id,
        at: at("15:00"),
        kind: ActivityKind::Pushed,
        of: "hubspot".into(),
        message: Some(id),
        thread: None,
        direction: None,
        outcome: None,
        rule: None,
        reason: None,
        state: None,
        folder: None,
        subject: None,
        with: None,
        words: None,
    }
}

/// How the engine's work ends.
#[derive(Debug)]
enum End {
    With(AppError),
    Panic,
}

#[derive(Debug, Clone)]
pub struct PlayedDesk {
    played: Arc<Mutex<Played>>,
    events: broadcast::Sender<Event>,
    ends: Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<End>>>,
}

#[async_trait]
impl Desk for PlayedDesk {
    fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    async fn work(&self) -> AppError {
        match self.ends.lock().await.recv().await {
            Some(End::With(error)) => error,
            Some(End::Panic) => panic!("as a parser does on a mail"),
            None => std::future::pending().await,
        }
    }

    async fn status(&self) -> Result<Status, AppError> {
        Ok(lock(&self.played).status.clone())
    }

    async fn last_contact(&self) -> Result<Option<LastContact>, AppError> {
        Ok(Some(jane()))
    }

    async fn pause(&self, address: Option<&Address>, until: Option<Timestamp>) -> Result<(), AppError> {
        lock(&self.played).pauses.push((address.cloned(), until));
        Ok(())
    }

    async fn set_logging(&self, contact: &LastContact, on: bool) -> Result<(), AppError> {
        lock(&self.played).logging.push((contact.clone(), on));
        Ok(())
    }

    async fn happened_since(&self, row: Option<i64>) -> Result<Vec<Activity>, AppError> {
        let rows = lock(&self.played).activity.clone();
        Ok(match row {
            Some(row) => rows.into_iter().filter(|entry| entry.id > row).collect(),
            None => rows.into_iter().next_back().into_iter().collect(),
        })
    }

    async fn unknown_people(&self) -> Result<u64, AppError> {
        Ok(lock(&self.played).unknown)
    }

    async fn for_diagnostics(&self) -> Result<Known, AppError> {
        let (status, looks_for) = {
            let played = lock(&self.played);
            (played.status.clone(), played.looks_for)
        };
        tokio::time::sleep(looks_for).await;
        let mailboxes = status.mailboxes.iter().map(|m| m.address.to_string()).collect();
        let words = vec!["Jane Roe".into(), "Offer 7".into()];
        let private = Private { mailboxes, words, ..Private::default() };
        Ok(Known { status: Some(status), private, ..Known::default() })
    }
}

#[derive(Debug, Clone)]
struct PlayedOpener {
    desk: PlayedDesk,
    /// What comes of the next tries; after them it opens.
    results: Arc<Mutex<VecDeque<Result<(), Closed>>>>,
    let_go: Arc<Mutex<bool>>,
    wiped: Arc<Mutex<bool>>,
}

#[async_trait]
impl Opener for PlayedOpener {
    type Desk = PlayedDesk;

    async fn open(&self) -> Result<PlayedDesk, Closed> {
        lock(&self.results).pop_front().unwrap_or(Ok(()))?;
        Ok(self.desk.clone())
    }

    fn let_go(&self) {
        *lock(&self.let_go) = true;
    }

    async fn wipe(&self, _: PlayedDesk) -> Result<(), AppError> {
        *lock(&self.wiped) = true;
        Ok(())
    }
}

/// What the desktop was asked for.
#[derive(Debug, Default)]
pub struct Shown {
    pub shown: Option<Tray>,
    pub notices: Vec<Words>,
    /// What notifications were taken back.
    pub taken_back: Vec<String>,
    /// As JSON: that is how the window hears it.
    pub news: Vec<serde_json::Value>,
    pub windows: usize,
    /// How the last one was to look.
    pub dressed: Option<(Theme, Locale)>,
    pub autostart: bool,
    pub refuses_autostart: bool,
    pub lacks: Vec<Lack>,
    pub copied: Option<String>,
    pub quit: bool,
}

impl Shown {
    pub fn headline(&self) -> String {
        self.shown.as_ref().and_then(Tray::words).unwrap_or_default().to_owned()
    }

    pub fn was_told(&self, news: &News) -> bool {
        self.news.contains(&serde_json::to_value(news).unwrap())
    }

    pub fn offers(&self, label: &str) -> bool {
        let menu = self.shown.iter().flat_map(|tray| &tray.menu);
        menu.into_iter().any(|item| matches!(item, Item::Click { text, .. } if text == label))
    }
}

#[derive(Debug, Clone, Default)]
struct PlayedDesktop(Arc<Mutex<Shown>>);

impl Desktop for PlayedDesktop {
    fn show_tray(&mut self, tray: &Tray) {
        lock(&self.0).shown = Some(tray.clone());
    }

    fn notify(&mut self, words: Words) {
        lock(&self.0).notices.push(words);
    }

    fn tell(&mut self, news: News) {
        lock(&self.0).news.push(serde_json::to_value(news).unwrap());
    }

    fn take_back(&mut self, about: &str) {
        lock(&self.0).taken_back.push(about.to_owned());
    }

    fn open_window(&mut self, theme: Theme, locale: Locale) {
        let mut shown = lock(&self.0);
        shown.windows += 1;
        shown.dressed = Some((theme, locale));
    }

    fn set_autostart(&mut self, on: bool) -> Result<(), AppError> {
        let mut shown = lock(&self.0);
        if shown.refuses_autostart {
            return Err(AppError::new("autostart", "No."));
        }
        shown.autostart = on;
        Ok(())
    }

    fn autostart(&self) -> bool {
        lock(&self.0).autostart
    }

    fn lacks(&self) -> Vec<Lack> {
        lock(&self.0).lacks.clone()
    }

    fn can_update(&self) -> bool {
        false
    }

    fn language(&self) -> Option<String> {
        Some("en-GB".to_owned())
    }

    fn copy(&mut self, text: String) -> Result<(), AppError> {
        lock(&self.0).copied = Some(text);
        Ok(())
    }

    fn quit(&mut self) {
        lock(&self.0).quit = true;
    }
}

/// Four o'clock, always.
#[derive(Debug)]
struct Clock;

impl threadline_core::clock::Clock for Clock {
    fn now(&self) -> Timestamp {
        at("16:00")
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// The controller at work.
#[derive(Debug)]
pub struct Office {
    pub handle: Handle<PlayedDesk>,
    desk: PlayedDesk,
    ends: mpsc::UnboundedSender<End>,
    desktop: Arc<Mutex<Shown>>,
    let_go: Arc<Mutex<bool>>,
    wiped: Arc<Mutex<bool>>,
    dir: tempfile::TempDir,
    running: JoinHandle<()>,
}

impl Office {
    /// It starts, and everything has settled.
    pub async fn open(status: Status) -> Self {
        let office = Self::with(status, Vec::new()).await;
        office.settle().await;
        office
    }

    /// It starts, and the first tries to open the engine end so.
    pub async fn with(status: Status, results: Vec<Result<(), Closed>>) -> Self {
        Self::start(status, results, tempfile::tempdir().unwrap())
    }

    /// It ends, and starts again on the same data folder.
    pub async fn again(self, status: Status) -> Self {
        self.running.abort();
        let office = Self::start(status, Vec::new(), self.dir);
        office.settle().await;
        office
    }

    fn start(status: Status, results: Vec<Result<(), Closed>>, dir: tempfile::TempDir) -> Self {
        let (ends, receiver) = mpsc::unbounded_channel();
        let played = Played {
            status,
            pauses: Vec::new(),
            logging: Vec::new(),
            activity: vec![pushed(1)],
            looks_for: Duration::ZERO,
            unknown: 2,
        };
        let desk = PlayedDesk {
            played: Arc::new(Mutex::new(played)),
            events: broadcast::channel(2_000).0,
            ends: Arc::new(tokio::sync::Mutex::new(receiver)),
        };
        let let_go = Arc::<Mutex<bool>>::default();
        let results = Arc::new(Mutex::new(results.into()));
        let wiped = Arc::<Mutex<bool>>::default();
        let opener = PlayedOpener {
            desk: desk.clone(),
            results,
            let_go: Arc::clone(&let_go),
            wiped: Arc::clone(&wiped),
        };
        let desktop = PlayedDesktop::default();
        let shown = Arc::clone(&desktop.0);
        let (handle, ears) = channel();
        let parts = Parts {
            opener,
            desktop,
            clock: Arc::new(Clock),
            zone: TimeZone::UTC,
            data_dir: dir.path().to_owned(),
            logs: Logs::default(),
        };
        let running = tokio::spawn(Controller::new(parts, ears).run());
        Self { handle, desk, ends, desktop: shown, let_go, wiped, dir, running }
    }

    pub fn engine(&self) -> MutexGuard<'_, Played> {
        lock(&self.desk.played)
    }

    pub fn desktop(&self) -> MutexGuard<'_, Shown> {
        lock(&self.desktop)
    }

    /// The settings are damaged, as a disk does it.
    pub fn spoil_settings(&self) {
        std::fs::write(self.dir.path().join("desktop.json"), "{\"settings\":").unwrap();
    }

    pub fn is_let_go(&self) -> bool {
        *lock(&self.let_go)
    }

    pub fn is_wiped(&self) -> bool {
        *lock(&self.wiped)
    }

    pub async fn app(&self) -> App {
        self.handle.app().await.unwrap()
    }

    /// Time passes until nothing is left to do. The clock is turned by hand: no time is lost.
    pub async fn settle(&self) {
        tokio::time::sleep(Duration::from_secs(10)).await;
    }

    /// So short a time that nothing is tried again.
    pub async fn moment(&self) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    pub fn happens(&self, event: Event) {
        let _ = self.desk.events.send(event);
    }

    /// The engine tells of another health.
    pub async fn becomes(&self, status: Status) {
        self.engine().status = status;
        let health = health(Channel::Inbox, State::Connected, None, "14:02");
        self.happens(Event::Health { of: ANN.into(), health });
        self.settle().await;
    }

    pub async fn click(&self, action: Action) {
        self.handle.tell(Request::Menu(action));
        self.settle().await;
    }

    pub fn engine_ends(&self, error: AppError) {
        let _ = self.ends.send(End::With(error));
    }

    pub fn engine_panics(&self) {
        let _ = self.ends.send(End::Panic);
    }
}
