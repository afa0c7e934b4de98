//! The menu, line by line. On Linux a tray icon has neither click nor tooltip, so everything is here.

use super::state::{Headline, LastContact, TrayState};
use crate::locale::Catalogue;
use crate::notify::crm_name;
use crate::views::{PauseFor, Route};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use threadline_core::envelope::clean;
use threadline_core::reason::Reason;

/// Most characters of a name or an address in a line.
const MOST: usize = 60;

/// What a click does. As JSON it is the line's id, so that a click means what the person saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Opens the window, at this place or where it was.
    Open(Option<Route>),
    Pause(PauseFor),
    Resume,
    /// Never log mail with the last contact again.
    StopLogging,
    /// Take that back.
    LogAgain,
    CopyDiagnostics,
    Quit,
}

/// One line of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Words that do nothing.
    Words(String),
    Click {
        text: String,
        action: Action,
    },
    Separator,
}

/// The whole menu.
pub fn of(state: &TrayState, texts: &Catalogue, now: Timestamp, zone: &TimeZone) -> Vec<Item> {
    let click = |key: &str, action| Item::Click { text: texts.text(key, &[]), action };
    let mut menu = vec![Item::Words(headline(&state.headline, texts, now, zone)), Item::Separator];
    if !state.mailboxes.is_empty() {
        menu.extend(state.mailboxes.iter().map(|mailbox| Item::Click {
            text: texts.text(
                "tray.mailbox",
                &[
                    ("address", &short(&mailbox.address)),
                    ("state", &texts.text(state_key(mailbox.state), &[])),
                ],
            ),
            action: Action::Open(Some(mailbox.route.clone())),
        }));
        menu.push(Item::Separator);
    }
    if let Some(route) = &state.mend {
        menu.push(click("tray.reconnect", Action::Open(Some(route.clone()))));
    }
    match state.headline {
        Headline::NoMailbox => menu.push(click("tray.add_mailbox", Action::Open(Some(Route::Setup)))),
        Headline::Keychain | Headline::Stopped | Headline::Held { .. } => {
            menu.push(click("tray.see_why", Action::Open(None)));
        }
        _ => {}
    }
    if state.can_pause {
        menu.push(click("tray.pause_hour", Action::Pause(PauseFor::Hour)));
        menu.push(click("tray.pause_tomorrow", Action::Pause(PauseFor::Tomorrow)));
    }
    if state.can_resume {
        menu.push(click("tray.resume", Action::Resume));
    }
    if let Some(contact) = &state.last_contact {
        menu.push(Item::Click {
            text: about(texts, "tray.stop_logging", contact),
            action: Action::StopLogging,
        });
    }
    if let Some(contact) = &state.stopped {
        menu.push(Item::Click { text: about(texts, "tray.log_again", contact), action: Action::LogAgain });
    }
    if menu.last() != Some(&Item::Separator) {
        menu.push(Item::Separator);
    }
    menu.push(click("tray.open", Action::Open(None)));
    menu.push(click("tray.copy_diagnostics", Action::CopyDiagnostics));
    menu.push(click("tray.quit", Action::Quit));
    menu
}

fn about(texts: &Catalogue, key: &str, contact: &LastContact) -> String {
    let name = contact.name.as_deref().map(short).filter(|name| !name.is_empty());
    texts.text(key, &[("who", &name.unwrap_or_else(|| short(contact.address.as_str())))])
}

/// The state in words, for the first line.
pub fn headline(headline: &Headline, texts: &Catalogue, now: Timestamp, zone: &TimeZone) -> String {
    let say = |key: &str, put_in: &[(&str, &str)]| texts.text(key, put_in);
    let when = |at: &Timestamp| texts.when(*at, now, zone);
    let why = |reason: &Option<Reason>| {
        let code = reason.unwrap_or(Reason::Unknown).code();
        texts.text(&format!("reason.{code}.short"), &[])
    };
    match headline {
        Headline::Starting => say("tray.starting", &[]),
        Headline::Held { by } => say("tray.held", &[("by", &short(by))]),
        Headline::Keychain => say("tray.keychain", &[]),
        Headline::Stopped => say("tray.stopped", &[]),
        Headline::NoMailbox => say("tray.no_mailbox", &[]),
        Headline::Disconnected { since, reason } => {
            say("tray.disconnected", &[("since", &when(since)), ("why", &why(reason))])
        }
        Headline::CrmDisconnected { kind, since, reason } => say(
            "tray.crm_disconnected",
            &[("crm", &crm_name(kind, texts)), ("since", &when(since)), ("why", &why(reason))],
        ),
        Headline::Offline { since } => say("tray.offline", &[("since", &when(since))]),
        Headline::Retrying { since, reason } => {
            say("tray.retrying", &[("since", &when(since)), ("why", &why(reason))])
        }
        Headline::Working { waiting: 0 } => say("tray.working", &[]),
        Headline::Working { waiting } => texts.count("tray.working_on", *waiting, &[]),
        Headline::Paused { until: Some(until) } => say("tray.paused_until", &[("until", &when(until))]),
        Headline::Paused { until: None } => say("tray.paused", &[]),
        Headline::Connected { waiting: 0 } => say("tray.connected", &[]),
        Headline::Connected { waiting } => texts.count("tray.connected_waiting", *waiting, &[]),
    }
}

fn state_key(state: threadline_core::health::State) -> &'static str {
    use threadline_core::health::State;
    match state {
        State::Connected => "tray.state.connected",
        State::Working => "tray.state.working",
        State::Retrying => "tray.state.retrying",
        State::Offline => "tray.state.offline",
        State::NeedsAttention => "tray.state.needs_attention",
        State::Paused => "tray.state.paused",
    }
}

/// A name from outside for one line: no control characters, nothing that turns the line round, not too long.
fn short(text: &str) -> String {
    let turns =
        |c: &char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    let line: String = clean(text, 4 * MOST).chars().filter(|c| !turns(c)).collect();
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
