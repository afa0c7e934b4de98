//! What the shell tells the window of itself.

use crate::error::AppError;
use crate::locale::Locale;
use crate::settings::AppSettings;
use serde::{Deserialize, Serialize};
use threadline_engine::activity::Activity;
use threadline_engine::event::CatchUp;

/// How the engine is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum EngineState {
    Starting,
    Running,
    /// Another program has the data folder: `threadline run`, or the app in another session.
    Held {
        by: String,
    },
    WaitingForKeychain {
        error: AppError,
    },
    Stopped {
        error: AppError,
    },
}

impl EngineState {
    /// Its name in the log.
    pub fn name(&self) -> &'static str {
        match self {
            EngineState::Starting => "starting",
            EngineState::Running => "running",
            EngineState::Held { .. } => "held",
            EngineState::WaitingForKeychain { .. } => "waiting_for_keychain",
            EngineState::Stopped { .. } => "stopped",
        }
    }
}

/// What the system lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    Tray,
    Notifications,
    Keychain,
    /// The settings of the app could not be read: see [`App::settings_aside`].
    Settings,
}

/// The program as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct App {
    pub version: String,
    pub data_dir: String,
    pub engine: EngineState,
    /// It was built with an address for updates, and a key.
    pub updates: bool,
    /// No mailbox is set.
    pub first_run: bool,
    pub settings: AppSettings,
    /// The language in force.
    pub locale: Locale,
    /// The file in which settings lie that could not be read, by its name in the data folder.
    pub settings_aside: Option<String>,
    /// What the system lacks: each is said where the person looks, with the next step.
    pub missing: Vec<Lack>,
}

/// A place in the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(tag = "to", rename_all = "snake_case")]
pub enum Route {
    Overview,
    Threads {
        thread: Option<i64>,
    },
    /// A new mail; from this mailbox to this person, where they are named.
    Compose {
        mailbox: Option<String>,
        to_whom: Option<String>,
    },
    /// Mails that go out or went.
    Outgoing,
    /// People whom the person wrote to and whom the CRM does not know.
    People,
    Activity,
    /// Whether everything is where it belongs, what left, and what was taken out.
    Proof {
        page: Option<String>,
    },
    Settings {
        page: Option<String>,
    },
    Diagnostics,
    Setup,
    /// The set-up of the IT department that was opened.
    ItSetup,
    Reconnect {
        address: String,
    },
}

/// How long a pause lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum PauseFor {
    Hour,
    /// Until the day is over, in local time.
    Tomorrow,
}

/// What happens, for the window.
#[derive(Debug, Clone, Serialize, specta::Type, tauri_specta::Event)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum News {
    App,
    Status,
    Threads,
    Asked,
    /// A mail that goes out, or one from the relay, is further.
    Sends,
    Activity {
        entry: Activity,
    },
    CatchUp {
        progress: CatchUp,
    },
    Navigate {
        route: Route,
    },
    /// A link in a mail was pressed: nothing is opened before the person has seen its host.
    Link {
        url: String,
    },
}

/// What the window shows and asks for again when it has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    App,
    Status,
    Threads,
    Asked,
    Sends,
}

impl From<Topic> for News {
    fn from(topic: Topic) -> Self {
        match topic {
            Topic::App => News::App,
            Topic::Status => News::Status,
            Topic::Threads => News::Threads,
            Topic::Asked => News::Asked,
            Topic::Sends => News::Sends,
        }
    }
}
