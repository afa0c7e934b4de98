//! The state that the tray shows, from what is known of engine, mailboxes and CRMs.

use crate::views::{EngineState, Route};
use jiff::Timestamp;
use threadline_core::address::Address;
use threadline_core::health::{Health, State};
use threadline_core::reason::Reason;
use threadline_engine::engine::until_resumed;
use threadline_engine::views::{CrmStatus, MailboxStatus, Status};

/// What the icon says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Light {
    Connected,
    Working,
    Paused,
    Offline,
    NeedsAttention,
}

/// Somebody with whom mail was logged last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastContact {
    /// The mailbox.
    pub account: Address,
    pub address: Address,
    pub name: Option<String>,
}

/// All that the state is made of.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub engine: &'a EngineState,
    pub status: Option<&'a Status>,
    pub last_contact: Option<&'a LastContact>,
    /// Whose mail is not logged any more since a click here.
    pub stopped: Option<&'a LastContact>,
}

/// What is the matter, in the order of what a person should know first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Headline {
    Starting,
    Held {
        by: String,
    },
    Keychain,
    Stopped,
    NoMailbox,
    Disconnected {
        since: Timestamp,
        reason: Option<Reason>,
    },
    CrmDisconnected {
        kind: String,
        since: Timestamp,
        reason: Option<Reason>,
    },
    Offline {
        since: Timestamp,
    },
    Retrying {
        since: Timestamp,
        reason: Option<Reason>,
    },
    Working {
        waiting: u64,
    },
    /// `None`: until the person resumes.
    Paused {
        until: Option<Timestamp>,
    },
    Connected {
        waiting: u64,
    },
}

/// One mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxLine {
    pub address: String,
    pub state: State,
    /// Where a click leads.
    pub route: Route,
}

/// The tray's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrayState {
    pub headline: Headline,
    pub mailboxes: Vec<MailboxLine>,
    /// What needs the person, and where it is mended.
    pub mend: Option<Route>,
    /// Some mailbox is not paused.
    pub can_pause: bool,
    /// Some mailbox is paused.
    pub can_resume: bool,
    pub last_contact: Option<LastContact>,
    pub stopped: Option<LastContact>,
}

impl TrayState {
    pub fn of(seen: &Seen<'_>) -> Self {
        let status = match seen.engine {
            EngineState::Running => seen.status,
            _ => None,
        };
        let mailboxes = status.map(|s| s.mailboxes.as_slice()).unwrap_or_default();
        let all_paused = !mailboxes.is_empty() && mailboxes.iter().all(|m| m.state == State::Paused);
        let headline = match seen.engine {
            EngineState::Starting => Headline::Starting,
            EngineState::Held { by } => Headline::Held { by: by.clone() },
            EngineState::WaitingForKeychain { .. } => Headline::Keychain,
            EngineState::Stopped { .. } => Headline::Stopped,
            EngineState::Running => status.map_or(Headline::Starting, |status| of_status(status, all_paused)),
        };
        Self {
            headline,
            mailboxes: mailboxes.iter().map(mailbox_line).collect(),
            mend: status.and_then(mend),
            can_pause: mailboxes.iter().any(|m| m.state != State::Paused),
            can_resume: mailboxes.iter().any(|m| m.state == State::Paused),
            last_contact: status.and(seen.last_contact).cloned(),
            stopped: status.and(seen.stopped).cloned(),
        }
    }

    /// The icon for it.
    pub fn light(&self) -> Light {
        match self.headline {
            Headline::Connected { .. } => Light::Connected,
            Headline::Starting | Headline::Working { .. } | Headline::Retrying { .. } => Light::Working,
            Headline::Paused { .. } => Light::Paused,
            Headline::Offline { .. } | Headline::NoMailbox | Headline::Held { .. } => Light::Offline,
            Headline::Keychain
            | Headline::Stopped
            | Headline::Disconnected { .. }
            | Headline::CrmDisconnected { .. } => Light::NeedsAttention,
        }
    }
}

fn of_status(status: &Status, all_paused: bool) -> Headline {
    if status.mailboxes.is_empty() {
        return Headline::NoMailbox;
    }
    if all_paused {
        let until = status.mailboxes.iter().filter_map(|m| m.paused_until).min();
        return Headline::Paused { until: until.filter(|until| !until_resumed(*until)) };
    }
    let awake = || status.mailboxes.iter().filter(|m| m.state != State::Paused);
    let mailbox =
        |state| awake().flat_map(|m| &m.channels).filter(move |h| h.state == state).min_by_key(|h| h.since);
    let crm = |state| {
        crm_channels(&status.crms).filter(move |(_, h)| h.state == state).min_by_key(|(_, h)| h.since)
    };
    let waiting =
        status.mailboxes.iter().map(|m| m.to_read).chain(status.crms.iter().map(|c| c.waiting)).sum();
    if let Some(health) = mailbox(State::NeedsAttention) {
        return Headline::Disconnected { since: health.since, reason: health.reason };
    }
    if let Some((crm, health)) = crm(State::NeedsAttention) {
        let kind = crm.settings.kind().to_owned();
        return Headline::CrmDisconnected { kind, since: health.since, reason: health.reason };
    }
    if let Some(health) = mailbox(State::Offline).or(crm(State::Offline).map(|(_, health)| health)) {
        return Headline::Offline { since: health.since };
    }
    if let Some(health) = mailbox(State::Retrying).or(crm(State::Retrying).map(|(_, health)| health)) {
        return Headline::Retrying { since: health.since, reason: health.reason };
    }
    if awake().any(|m| m.state == State::Working) {
        return Headline::Working { waiting };
    }
    Headline::Connected { waiting }
}

fn crm_channels(crms: &[CrmStatus]) -> impl Iterator<Item = (&CrmStatus, &Health)> {
    crms.iter().flat_map(|crm| crm.health.iter().map(move |health| (crm, health)))
}

fn mailbox_line(mailbox: &MailboxStatus) -> MailboxLine {
    let address = mailbox.address.to_string();
    let route = match mailbox.state {
        State::NeedsAttention => Route::Reconnect { address: address.clone() },
        _ => Route::Overview,
    };
    MailboxLine { address, state: mailbox.state, route }
}

/// The first thing that needs the person: a mailbox before a CRM.
fn mend(status: &Status) -> Option<Route> {
    let mailbox = status.mailboxes.iter().find(|m| m.state == State::NeedsAttention);
    let crm = status.crms.iter().find(|c| c.state == State::NeedsAttention);
    match (mailbox, crm) {
        (Some(mailbox), _) => Some(Route::Reconnect { address: mailbox.address.to_string() }),
        (None, Some(_)) => Some(Route::Settings { page: Some("crm".to_owned()) }),
        (None, None) => None,
    }
}
