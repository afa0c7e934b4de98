//! Which notifications there are, and when: a pure decision. How one is shown is in [`crate::toast`].

use crate::error::AppError;
use crate::locale::Catalogue;
use crate::settings::AppSettings;
use crate::tray::menu::Action;
use crate::views::Route;
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use threadline_core::health::State;
use threadline_core::reason::Reason;
use threadline_engine::causes;
use threadline_engine::event::SendState;
use threadline_engine::views::Status;

/// A disconnect that was told and is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// A mailbox's address, a provider's name or a CRM's kind.
    pub of: String,
    pub reason: Option<Reason>,
}

/// One notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A mailbox or a CRM needs the person.
    Disconnected {
        of: Subject,
        reason: Option<Reason>,
        since: Timestamp,
        /// Messages that wait for it.
        waiting: u64,
    },
    /// It works again, after it was told that it does not.
    Recovered { of: Subject },
    /// The window was closed, and the program goes on.
    TrayStays,
    /// The window was closed on a desktop without a tray: it was minimised.
    NoTray,
    /// The engine has ended.
    Stopped { error: AppError },
    /// Mail with somebody is not logged any more.
    LoggingStopped { who: String },
    /// What was clicked in the tray was refused.
    Refused { error: AppError },
    /// The question of the day: people whom the person wrote to and whom the CRM does not know.
    Question { people: u64 },
    /// A mail that was to go out: the server refused it, or nobody can tell whether it was sent.
    Unsent { from: String, how: Unsent },
    /// The diagnostics are in the clipboard.
    Copied,
}

/// What became of a mail that was to go out and needs the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsent {
    /// With the server's words, where it had any.
    Refused {
        words: Option<String>,
    },
    Unknown,
}

impl Unsent {
    /// `None` where nothing is to be done.
    pub fn of(state: SendState, words: Option<&str>) -> Option<Self> {
        match state {
            SendState::Refused => Some(Unsent::Refused { words: words.map(str::to_owned) }),
            SendState::Unknown => Some(Unsent::Unknown),
            SendState::Waiting | SendState::Submitting | SendState::Sent | SendState::Cancelled => None,
        }
    }
}

/// Whose connection it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Mailbox(String),
    /// All mailboxes at a provider that asks something of everybody.
    Provider(String),
    Crm(String),
}

impl Subject {
    fn name(&self) -> &str {
        match self {
            Subject::Mailbox(address) => address,
            Subject::Provider(name) => name,
            Subject::Crm(kind) => kind,
        }
    }

    /// Where the person mends it.
    pub fn route(&self) -> Route {
        match self {
            Subject::Mailbox(address) => Route::Reconnect { address: address.clone() },
            Subject::Provider(_) => Route::Overview,
            Subject::Crm(_) => Route::Settings { page: Some("crm".to_owned()) },
        }
    }
}

/// A notification as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub title: String,
    pub body: String,
    /// The button, and what it and a click do.
    pub action: Option<(String, Action)>,
    /// It stays until it is answered.
    pub urgent: bool,
    /// What it is about, where that can be over before anybody has looked.
    pub about: Option<String>,
}

/// What a notification about the engine is about.
pub const ENGINE: &str = "engine";

/// What is to be told now of `status`. `told` is brought up to date. Only what needs the person is told, each cause once;
/// and its end. What comes up in quiet hours is told after them, if it is not over by then.
pub fn decide(status: &Status, told: &mut Vec<Told>, speak: bool) -> Vec<Notice> {
    let mut notices = Vec::new();
    let subjects = subjects(status);
    // What was removed has no end to tell.
    told.retain(|t| subjects.iter().any(|subject| subject.of.name() == t.of));
    for Broken { of, broken, waiting, is_well } in subjects {
        for (reason, since) in broken {
            let cause = Told { of: of.name().to_owned(), reason };
            if speak && !told.contains(&cause) {
                told.push(cause);
                notices.push(Notice::Disconnected { of: of.clone(), reason, since, waiting });
            }
        }
        if is_well && told.iter().any(|t| t.of == of.name()) {
            told.retain(|t| t.of != of.name());
            if speak {
                notices.push(Notice::Recovered { of });
            }
        }
    }
    notices
}

/// What can be broken, and how it is.
struct Broken {
    of: Subject,
    broken: Vec<(Option<Reason>, Timestamp)>,
    waiting: u64,
    /// That it was broken is over. Trying again is not the end of it.
    is_well: bool,
}

fn subjects(status: &Status) -> Vec<Broken> {
    let mailboxes = status.mailboxes.iter().map(|m| {
        let own = causes::broken(m).filter(|h| !h.reason.is_some_and(|reason| status.is_shared(m, reason)));
        Broken {
            of: Subject::Mailbox(m.address.to_string()),
            broken: own.map(|h| (h.reason, h.since)).collect(),
            waiting: m.to_read,
            is_well: m.state == State::Connected,
        }
    });
    let crms = status.crms.iter().map(|c| {
        let broken = c.health.iter().filter(|h| h.state == State::NeedsAttention);
        Broken {
            of: Subject::Crm(c.settings.kind().to_owned()),
            broken: broken.map(|h| (h.reason, h.since)).collect(),
            waiting: c.waiting,
            is_well: c.state == State::Connected,
        }
    });
    let shared = status.shared_causes();
    let mut providers: Vec<&str> = status.mailboxes.iter().map(|m| m.provider.as_str()).collect();
    providers.sort_unstable();
    providers.dedup();
    let providers = providers.into_iter().map(|name| {
        let all: Vec<_> = status.mailboxes.iter().filter(|m| m.provider == name).collect();
        let causes = shared.iter().filter(|cause| cause.provider == name);
        Broken {
            of: Subject::Provider(name.to_owned()),
            broken: causes.map(|cause| (Some(cause.reason), cause.since)).collect(),
            waiting: all.iter().map(|m| m.to_read).sum(),
            is_well: all.iter().all(|m| m.state == State::Connected),
        }
    });
    mailboxes.chain(providers).chain(crms).collect()
}

/// True where the settings let notifications be shown at this time of the day.
pub fn may_speak(settings: &AppSettings, now: Timestamp, zone: &TimeZone) -> bool {
    let time = now.to_zoned(zone.clone()).time();
    settings.notifications && !is_quiet(settings.quiet_from, settings.quiet_until, time)
}

/// The quiet hours may go over midnight.
fn is_quiet(from: Option<u16>, until: Option<u16>, time: Time) -> bool {
    let minute = time.hour().unsigned_abs() as u16 * 60 + time.minute().unsigned_abs() as u16;
    match (from, until) {
        (Some(from), Some(until)) if from <= until => (from..until).contains(&minute),
        (Some(from), Some(until)) => minute >= from || minute < until,
        _ => false,
    }
}

impl Notice {
    /// Whether the settings let it be shown now. What tells of a click just made is no disturbance in quiet hours; what there
    /// is no other place for is always shown.
    pub fn is_wanted(&self, settings: &AppSettings, now: Timestamp, zone: &TimeZone) -> bool {
        match self {
            Notice::Disconnected { .. }
            | Notice::Recovered { .. }
            | Notice::Stopped { .. }
            | Notice::Unsent { .. }
            | Notice::Question { .. } => may_speak(settings, now, zone),
            Notice::TrayStays | Notice::LoggingStopped { .. } | Notice::Copied => settings.notifications,
            Notice::NoTray | Notice::Refused { .. } => true,
        }
    }

    /// The words to show.
    pub fn words(&self, texts: &Catalogue, now: Timestamp, zone: &TimeZone) -> Words {
        match self {
            Notice::Disconnected { of, reason, since, waiting } => {
                let since = texts.when(*since, now, zone);
                let part = |part: &str| {
                    reason
                        .map(|r| texts.text(&format!("reason.{}.{part}", r.code()), &[]))
                        .unwrap_or_default()
                };
                let (title, delayed, button) = match of {
                    Subject::Mailbox(_) => {
                        ("notify.disconnected.mailbox", "notify.delayed.mailbox", "notify.reconnect")
                    }
                    Subject::Provider(_) => {
                        ("notify.disconnected.provider", "notify.delayed.mailbox", "notify.open")
                    }
                    Subject::Crm(_) => ("notify.disconnected.crm", "notify.delayed.crm", "notify.open"),
                };
                let delayed = match waiting {
                    0 => texts.text("notify.delayed.nothing_yet", &[]),
                    waiting => texts.count(delayed, *waiting, &[]),
                };
                let since = texts.text("notify.since", &[("since", &since)]);
                Words {
                    title: texts.text(title, &[("name", &named(of, texts))]),
                    body: join(&[&part("title"), &since, &delayed, &part("next")]),
                    action: Some((texts.text(button, &[]), Action::Open(Some(of.route())))),
                    urgent: true,
                    about: Some(of.name().to_owned()),
                }
            }
            Notice::Recovered { of } => Words {
                title: texts.text(
                    match of {
                        Subject::Provider(_) => "notify.recovered.provider",
                        Subject::Mailbox(_) | Subject::Crm(_) => "notify.recovered.title",
                    },
                    &[("name", &named(of, texts))],
                ),
                body: texts.text("notify.recovered.body", &[]),
                action: Some((texts.text("notify.open", &[]), Action::Open(Some(Route::Overview)))),
                urgent: false,
                about: None,
            },
            Notice::TrayStays => said(texts, "notify.tray_stays.title", "notify.tray_stays.body", &[]),
            Notice::NoTray => Words {
                // Without a tray there is no other place to quit it.
                action: Some((texts.text("notify.quit", &[]), Action::Quit)),
                ..said(texts, "notify.no_tray.title", "notify.no_tray.body", &[])
            },
            Notice::Stopped { error } => Words {
                action: Some((texts.text("notify.open", &[]), Action::Open(Some(Route::Overview)))),
                urgent: true,
                about: Some(ENGINE.to_owned()),
                ..said(texts, "notify.stopped.title", "notify.stopped.body", &[("why", &error.message)])
            },
            Notice::Question { people } => Words {
                title: texts.count("notify.question.title", *people, &[]),
                body: texts.text("notify.question.body", &[]),
                action: Some((texts.text("notify.question.answer", &[]), Action::Open(Some(Route::People)))),
                urgent: false,
                about: None,
            },
            Notice::Unsent { from, how } => {
                let (title, body, words) = match how {
                    Unsent::Refused { words } => {
                        ("notify.unsent.refused.title", "notify.unsent.refused.body", words.as_deref())
                    }
                    Unsent::Unknown => ("notify.unsent.unknown.title", "notify.unsent.unknown.body", None),
                };
                Words {
                    body: join(&[words.unwrap_or_default(), &texts.text(body, &[])]),
                    action: Some((texts.text("notify.open", &[]), Action::Open(Some(Route::Outgoing)))),
                    urgent: true,
                    ..said(texts, title, body, &[("name", from)])
                }
            }
            Notice::Copied => said(texts, "notify.copied.title", "notify.copied.body", &[]),
            Notice::Refused { error } => Words {
                action: Some((texts.text("notify.open", &[]), Action::Open(Some(Route::Overview)))),
                ..said(texts, "notify.refused.title", "notify.refused.body", &[("why", &error.message)])
            },
            Notice::LoggingStopped { who } => Words {
                action: Some((
                    texts.text("notify.open", &[]),
                    Action::Open(Some(Route::Settings { page: Some("rules".into()) })),
                )),
                ..said(texts, "notify.logging_stopped.title", "notify.logging_stopped.body", &[("who", who)])
            },
        }
    }
}

fn said(texts: &Catalogue, title: &str, body: &str, put_in: &[(&str, &str)]) -> Words {
    let (title, body) = (texts.text(title, put_in), texts.text(body, put_in));
    Words { title, body, action: None, urgent: false, about: None }
}

fn named(of: &Subject, texts: &Catalogue) -> String {
    match of {
        Subject::Mailbox(name) | Subject::Provider(name) => name.clone(),
        Subject::Crm(kind) => crm_name(kind, texts),
    }
}

/// A CRM's name for a person.
pub fn crm_name(kind: &str, texts: &Catalogue) -> String {
    texts.text(
        match kind {
            "hubspot" => "shell.crm.hubspot",
            "webhook" => "shell.crm.webhook",
            "folder" => "shell.crm.folder",
            _ => "shell.crm.ledger",
        },
        &[],
    )
}

fn join(sentences: &[&str]) -> String {
    sentences.iter().filter(|s| !s.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "notify/tests.rs"]
mod tests;
