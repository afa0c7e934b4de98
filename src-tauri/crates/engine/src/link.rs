//! What the operating system says of this computer's network, and whether the computer slept.
//!
//! It is never the only witness: a connection is tried all the same where the system says nothing, or the wrong thing.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
mod nap;
#[cfg(target_os = "windows")]
mod windows;

use std::sync::Arc;
use threadline_core::clock::Clock;
use threadline_core::reason::Reason;
use tokio::sync::watch;

/// How this computer is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Link {
    /// The system does not say.
    #[default]
    Unknown,
    Online,
    Offline,
    /// A page stands before the internet on which a person must sign in.
    Portal,
}

/// How things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Situation {
    pub link: Link,
    /// Counts the moments after which an open connection may be dead and a new one may come about: another network, a
    /// wake.
    pub turns: u64,
    /// A server out there answered since the system said that there is no way to one.
    pub contradicted: bool,
}

/// What a system tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Link(Link),
    /// The way into the network is another one.
    OtherNetwork,
    Woke,
}

impl Situation {
    /// Gives true where something is new.
    fn hear(&mut self, heard: Heard) -> bool {
        let turned = match heard {
            Heard::Link(link) if link == self.link => return false,
            // Losing the network is no chance for a connection.
            Heard::Link(link) => {
                self.contradicted = false;
                std::mem::replace(&mut self.link, link) != link && link != Link::Offline
            }
            Heard::OtherNetwork | Heard::Woke => true,
        };
        self.turns += u64::from(turned);
        true
    }

    /// The reason behind a failure's own: a computer without a network says nothing about its servers, and a sign-in page
    /// may answer in their place.
    pub fn explains(self, reason: Reason) -> Option<Reason> {
        match self.link {
            _ if self.contradicted => None,
            Link::Offline if LOST.contains(&reason) => Some(Reason::LocalOffline),
            Link::Portal if is_on_the_way(reason) => Some(Reason::CaptivePortal),
            _ => None,
        }
    }
}

/// Holds each look at the network beside the last, for systems that say only how it is now.
#[cfg(any(test, target_os = "macos", target_os = "windows"))]
#[derive(Debug)]
struct Looks<W>(Option<W>);

#[cfg(any(test, target_os = "macos", target_os = "windows"))]
impl<W: PartialEq> Looks<W> {
    fn begin() -> Self {
        Self(None)
    }

    /// `way` is how this computer leaves it, where that is known.
    fn take(&mut self, (link, way): (Link, Option<W>), tell: &impl Fn(Heard)) {
        tell(Heard::Link(link));
        if way.is_some() && self.0.is_some() && self.0 != way {
            tell(Heard::OtherNetwork);
        }
        self.0 = way.or(self.0.take());
    }
}

/// What fails without a network.
const LOST: &[Reason] = &[
    Reason::DnsFailure,
    Reason::ConnectionRefused,
    Reason::ProxyUnreachable,
    Reason::ConnectionTimeout,
    Reason::ConnectionReset,
    Reason::NetworkUnreachable,
    Reason::ServerClosedConnection,
];
/// What is seen where somebody else answers.
const BY_ANOTHER: &[Reason] = &[
    Reason::TlsUntrusted,
    Reason::TlsNameMismatch,
    Reason::TlsExpired,
    Reason::TlsPlaintextPort,
    Reason::WrongPortOrProtocol,
];

/// Failures that another network can mend.
pub(crate) fn on_the_way() -> impl Iterator<Item = Reason> {
    LOST.iter().chain(BY_ANOTHER).copied()
}

pub(crate) fn is_on_the_way(reason: Reason) -> bool {
    on_the_way().any(|one| one == reason)
}

/// The present situation, and each new one.
#[derive(Debug, Clone)]
pub(crate) struct Links(Arc<watch::Sender<Situation>>);

impl Default for Links {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Situation::default())))
    }
}

impl Links {
    pub fn now(&self) -> Situation {
        *self.0.borrow()
    }

    /// Waits until trying again is worth while, where it was not since `before`.
    pub async fn turned(&self, before: Situation) {
        // The sender lives as long as this does.
        let _ = self.0.subscribe().wait_for(|now| now.turns != before.turns).await;
    }

    /// A new connection to a server out there came about: a system that says that there is no way is wrong.
    pub fn reached_a_server(&self) {
        self.0.send_if_modified(|situation| {
            let wrong = matches!(situation.link, Link::Offline | Link::Portal);
            !std::mem::replace(&mut situation.contradicted, wrong) && wrong
        });
    }

    /// The computer wakes.
    #[cfg(test)]
    pub fn wake(&self) {
        self.hear(Heard::Woke);
    }

    fn hear(&self, heard: Heard) {
        self.0.send_if_modified(|situation| {
            let new = situation.hear(heard);
            if new {
                tracing::info!(?heard, "the network");
            }
            new
        });
    }

    /// Listens to the system until the future is dropped.
    pub async fn follow(&self, clock: &dyn Clock) {
        let tell = |heard| self.hear(heard);
        tokio::join!(system(&tell), nap::follow(clock, &tell));
    }
}

#[cfg(target_os = "linux")]
use linux::follow as system;
#[cfg(target_os = "macos")]
use macos::follow as system;
#[cfg(target_os = "windows")]
use windows::follow as system;

/// Other systems tell nothing; a nap is noticed all the same.
#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "windows")))]
async fn system(_: &impl Fn(Heard)) {}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    #[test]
    fn a_turn_is_what_makes_a_new_attempt_worth_while() {
        let mut now = Situation::default();
        assert!(now.hear(Heard::Link(Link::Offline)));
        assert_eq!(now.turns, 0);
        assert!(!now.hear(Heard::Link(Link::Offline)));
        assert!(now.hear(Heard::Link(Link::Online)));
        assert!(now.hear(Heard::Woke) && now.hear(Heard::OtherNetwork));
        assert_eq!(now, Situation { link: Link::Online, turns: 3, contradicted: false });
    }

    #[test]
    fn only_a_failure_on_the_way_is_the_networks() {
        let at = |link| Situation { link, turns: 0, contradicted: false };
        for reason in [Reason::NetworkUnreachable, Reason::DnsFailure, Reason::ConnectionTimeout] {
            assert_eq!(at(Link::Offline).explains(reason), Some(Reason::LocalOffline));
            assert_eq!(at(Link::Portal).explains(reason), Some(Reason::CaptivePortal));
            assert_eq!(at(Link::Online).explains(reason), None);
            assert_eq!(at(Link::Unknown).explains(reason), None);
        }
        assert_eq!(at(Link::Portal).explains(Reason::TlsNameMismatch), Some(Reason::CaptivePortal));
        assert_eq!(at(Link::Offline).explains(Reason::TlsNameMismatch), None);
        assert_eq!(at(Link::Offline).explains(Reason::PasswordChanged), None);
    }

    #[test]
    fn another_way_into_the_network_is_told_and_losing_it_is_not() {
        let heard = std::cell::RefCell::new(Vec::new());
        let tell = |one| heard.borrow_mut().push(one);
        let mut looks = Looks::begin();
        for look in [
            (Link::Online, Some("office")),
            (Link::Offline, None),
            (Link::Online, Some("office")),
            (Link::Online, Some("train")),
        ] {
            looks.take(look, &tell);
        }
        let [online, offline] = [Link::Online, Link::Offline].map(Heard::Link);
        assert_eq!(heard.into_inner(), [online, offline, online, online, Heard::OtherNetwork]);
    }

    #[test]
    fn a_server_that_answers_is_believed_more_than_the_system() {
        let links = Links::default();
        let explained = || links.now().explains(Reason::ConnectionTimeout);
        links.reached_a_server();
        links.hear(Heard::Link(Link::Offline));
        assert_eq!(explained(), Some(Reason::LocalOffline));
        links.reached_a_server();
        assert_eq!(explained(), None);
        links.hear(Heard::Link(Link::Online));
        links.hear(Heard::Link(Link::Offline));
        assert_eq!(explained(), Some(Reason::LocalOffline));
    }

    #[tokio::test]
    async fn a_turn_is_waited_for_from_the_moment_that_was_seen() {
        let links = Links::default();
        let before = links.now();
        links.hear(Heard::Link(Link::Offline));
        assert!(links.turned(before).now_or_never().is_none());
        links.hear(Heard::Woke);
        assert!(links.turned(before).now_or_never().is_some());
        assert!(links.turned(links.now()).now_or_never().is_none());
    }
}
