//! A salesperson's desk with the app on it: a screen, a window manager, a panel with a tray, notifications, a keychain,
//! and the real window under a WebDriver. All of it is a test's own and goes with it.

pub mod colours;
mod http;
pub mod notices;
pub mod page;
pub mod processes;
pub mod screen;
pub mod texts;
pub mod tray;
pub mod webdriver;

use crate::{Computer, binary};
use anyhow::{Context, Result, bail};
use colours::Colours;
use notices::Notices;
use page::Page;
use processes::Process;
use screen::Screen;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use texts::Texts;
use threadline_testkit::lab::keyring::Keyring;
use threadline_testkit::lab::{Guarded, free_ports};
use tray::Tray;
use webdriver::WebDriver;

/// Longest wait for something on the screen. The app is a debug build, and two of them may share two cores.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Where a program finds its message bus.
const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";

/// The name of the app's program.
pub const APP: &str = "threadline-app";

/// Asks again and again, until there is an answer.
///
/// # Errors
/// When there is none within [`PATIENCE`], or asking fails.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().with_context(|| format!("while waiting for: {what}"))? {
            return Ok(answer);
        }
        if Instant::now() > end {
            bail!("in vain waited {} s for: {what}", PATIENCE.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The desk.
#[derive(Debug)]
pub struct Desktop {
    pub computer: Computer,
    pub screen: Screen,
    /// `None` on a desk without a message bus.
    pub tray: Option<Tray>,
    pub notices: Option<Notices>,
    pub colours: Option<Colours>,
    /// What the app says.
    pub texts: Texts,
}

/// The app at work, its window driven. It is ended when dropped.
#[derive(Debug)]
pub struct App {
    pub page: Page,
    _driver: Guarded,
    log: PathBuf,
}

impl Desktop {
    /// A desk as most people have it.
    pub fn new() -> Result<Self> {
        Self::with(Keyring::start()?)
    }

    /// A desk whose keychain is in some state.
    pub fn with(keyring: Keyring) -> Result<Self> {
        let bus = keyring.bus_path();
        let computer = Computer::with(keyring)?;
        let screen = Screen::start(&computer.folder())?;
        Self::of(computer, screen, &bus)
    }

    /// A desk whose window is shown on this screen.
    pub fn on(screen: Screen) -> Result<Self> {
        let keyring = Keyring::start()?;
        let bus = keyring.bus_path();
        Self::of(Computer::with(keyring)?, screen, &bus)
    }

    fn of(computer: Computer, screen: Screen, bus: &Path) -> Result<Self> {
        let there = bus.exists();
        Ok(Self {
            computer,
            screen,
            tray: there.then(|| Tray::on(bus)).transpose()?,
            notices: there.then(|| Notices::on(bus)).transpose()?,
            colours: there.then(|| Colours::on(bus)).transpose()?,
            texts: Texts::english()?,
        })
    }

    pub fn tray(&self) -> Result<&Tray> {
        self.tray.as_ref().context("this desk has no tray")
    }

    pub fn notices(&self) -> Result<&Notices> {
        self.notices.as_ref().context("this desk shows no notifications")
    }

    pub fn colours(&self) -> Result<&Colours> {
        self.colours.as_ref().context("this desk has no settings portal")
    }

    /// What the app finds in its environment.
    pub fn env(&self) -> Vec<(String, String)> {
        let mut env = self.computer.environment();
        env.retain(|(name, _)| !name.ends_with("DISPLAY"));
        env.extend(self.screen.env().iter().cloned());
        // A test's own language, whatever the machine speaks; and no settings daemon or screen reader is looked for.
        let more = [
            ("LC_ALL", "C.UTF-8"),
            ("LANGUAGE", "en"),
            ("GSETTINGS_BACKEND", "memory"),
            ("NO_AT_BRIDGE", "1"),
        ];
        env.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let path = std::env::var("PATH").unwrap_or_default();
        env.push(("PATH".to_owned(), format!("{}:{path}", self.programs().display())));
        env
    }

    /// A folder whose programs the app finds before the system's; it is made by whoever puts one there.
    pub fn programs(&self) -> PathBuf {
        self.computer.folder().join("bin")
    }

    fn args(&self, more: &[&str]) -> Result<Vec<String>> {
        let data = self.computer.data.to_str().context("not UTF-8")?;
        Ok(["--data-dir", data].iter().chain(more).map(|word| (*word).to_owned()).collect())
    }

    /// Starts the app, and waits until its window can be driven.
    pub fn open(&self, more: &[&str]) -> Result<App> {
        let [port, native] = free_ports::<2>()?;
        let folder = self.computer.folder();
        let log = folder.join("app.log");
        let program = webdriver::program()?;
        let words = [program, "--port".into(), port.to_string(), "--native-port".into(), native.to_string()];
        let mut driver = Guarded::start(&words, &self.env(), "/dev/null".as_ref(), &log)?;
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        let ready = until("tauri-driver and WebKitWebDriver listening", || {
            if let Some(code) = driver.ended() {
                bail!("tauri-driver ended with code {code}: {}", said());
            }
            Ok((webdriver::is_ready(port)).then_some(()))
        });
        ready.with_context(said)?;
        let driven = WebDriver::start(port, &binary(APP)?, &self.args(more)?).with_context(said)?;
        Ok(App { page: Page::new(driven), _driver: driver, log })
    }

    /// The app as a command of its own, without a driver.
    pub fn command(&self, more: &[&str]) -> Result<Command> {
        self.start(&binary(APP)?, more)
    }

    /// The same of the app at this place.
    pub fn start(&self, program: &Path, more: &[&str]) -> Result<Command> {
        let mut command = Command::new(program);
        command.args(self.args(more)?).envs(self.env()).stdin(Stdio::null());
        Ok(command)
    }

    /// These programs and what shows their windows, at this moment.
    pub fn processes(&self, programs: &[&str]) -> Result<Vec<Process>> {
        // The message bus is this desk's alone.
        let bus = |(name, value): &(String, String)| (name == BUS).then(|| format!("{BUS}={value}"));
        let bus = self.env().iter().find_map(bus).context("this desk has no bus")?;
        let all = processes::with_environment(&bus)?;
        let is = |one: &Process| {
            programs.iter().any(|program| one.is(program)) || one.is_web() || one.is_network()
        };
        Ok(all.into_iter().filter(is).collect())
    }

    /// Whether a window of the app is on the screen.
    pub fn has_window(&self) -> Result<bool> {
        Ok(!self.screen.windows("^Threadline")?.is_empty())
    }

    /// Closes the app's window, as a person does.
    pub fn close_window(&self) -> Result<()> {
        self.screen.close("^Threadline")
    }
}

impl App {
    /// What the app and its driver wrote on standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}
