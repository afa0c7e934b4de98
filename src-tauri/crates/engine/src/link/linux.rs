//! Linux: NetworkManager says how the computer is connected, logind when it slept, both on the system's message bus.

use super::{Heard, Link};
use futures::StreamExt as _;
use std::time::Duration;
use zbus::fdo::{DBusProxy, PropertiesProxy};
use zbus::names::{BusName, InterfaceName};
use zbus::zvariant::{OwnedObjectPath, OwnedValue};
use zbus::{Connection, MatchRule, MessageStream};

const MANAGER: &str = "org.freedesktop.NetworkManager";
const MANAGER_PATH: &str = "/org/freedesktop/NetworkManager";
const LOGIN: &str = "org.freedesktop.login1";

/// How long a bus is waited for that is not there or broke.
const AGAIN: Duration = Duration::from_secs(60);

/// Without the bus, or without these services, nothing is told. A bus that breaks is connected to again.
pub async fn follow(tell: &impl Fn(Heard)) {
    again_and_again(tell, || listen(tell)).await;
}

async fn listen(tell: &impl Fn(Heard)) -> zbus::Result<()> {
    let bus = Connection::system().await?;
    tokio::try_join!(networks(&bus, tell), sleep(&bus, tell)).map(|_| ())
}

/// Listens whenever there is somebody to listen to. What was told last is not believed any longer than it is told.
async fn again_and_again<L: Future<Output = zbus::Result<()>>>(
    tell: &impl Fn(Heard),
    listen: impl Fn() -> L,
) {
    loop {
        match listen().await {
            Ok(()) => tracing::info!("the system's bus does not tell of the network any more"),
            Err(error) => tracing::info!(%error, "the network is not watched"),
        }
        tell(Heard::Link(Link::Unknown));
        tokio::time::sleep(AGAIN).await;
    }
}

/// Reads the network's state whenever it may be another one: its properties changed, or the service came or went.
async fn networks(bus: &Connection, tell: &impl Fn(Heard)) -> zbus::Result<()> {
    let properties = PropertiesProxy::new(bus, MANAGER, MANAGER_PATH).await?;
    let mut changes = properties.receive_properties_changed().await?;
    let names = DBusProxy::new(bus).await?;
    let mut owners = names.receive_name_owner_changed_with_args(&[(0, MANAGER)]).await?;
    let mut way: Option<OwnedObjectPath> = None;
    loop {
        let present = names.name_has_owner(BusName::try_from(MANAGER)?).await?;
        let (link, now) = if present { read(&properties).await } else { (Link::Unknown, None) };
        tell(Heard::Link(link));
        if let Some(now) = now
            && let Some(before) = way.replace(now.clone())
            && before != now
        {
            tell(Heard::OtherNetwork);
        }
        let more = tokio::select! {
            change = changes.next() => change.is_some(),
            owner = owners.next() => owner.is_some(),
        };
        if !more {
            return Ok(());
        }
    }
}

/// The state, and the connection that has the default route.
async fn read(properties: &PropertiesProxy<'_>) -> (Link, Option<OwnedObjectPath>) {
    let number = async |name| u32::try_from(get(properties, name).await?).ok();
    let link = link_of(number("State").await, number("Connectivity").await);
    let way = get(properties, "PrimaryConnection").await.and_then(|value| value.try_into().ok());
    // "/": none. Between two networks there is none for a moment.
    (link, way.filter(|way: &OwnedObjectPath| way.as_str() != "/"))
}

async fn get(properties: &PropertiesProxy<'_>, name: &str) -> Option<OwnedValue> {
    let interface = InterfaceName::try_from(MANAGER).ok()?;
    properties.get(interface, name).await.ok()
}

/// NMState and NMConnectivityState of NetworkManager's D-Bus types. A network without the internet may have the mail
/// server in it.
fn link_of(state: Option<u32>, connectivity: Option<u32>) -> Link {
    const PORTAL: u32 = 2;
    match (state, connectivity) {
        // asleep, disconnected, disconnecting, connecting
        (Some(10 | 20 | 30 | 40), _) => Link::Offline,
        (_, Some(PORTAL)) => Link::Portal,
        // connected: locally, to a site, globally
        (Some(50 | 60 | 70), _) => Link::Online,
        _ => Link::Unknown,
    }
}

/// logind's `PrepareForSleep`: true before, false after.
async fn sleep(bus: &Connection, tell: &impl Fn(Heard)) -> zbus::Result<()> {
    let rule = MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .sender(LOGIN)?
        .interface("org.freedesktop.login1.Manager")?
        .member("PrepareForSleep")?
        .build();
    let mut signals = MessageStream::for_match_rule(rule, bus, None).await?;
    while let Some(signal) = signals.next().await {
        if signal?.body().deserialize::<bool>() == Ok(false) {
            tell(Heard::Woke);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};

    #[tokio::test(start_paused = true)]
    async fn a_bus_that_breaks_is_listened_to_again_and_what_it_said_counts_no_more() {
        let (heard, times) = (RefCell::new(Vec::new()), Cell::new(0));
        let tell = |what| heard.borrow_mut().push(what);
        let listening = again_and_again(&tell, || async {
            times.set(times.get() + 1);
            tell(Heard::Link(Link::Offline));
            match times.get() {
                1 => Err(zbus::Error::InvalidReply),
                2 => Ok(()),
                _ => std::future::pending().await,
            }
        });
        assert!(tokio::time::timeout(AGAIN * 3, listening).await.is_err());
        let (off, unknown) = (Heard::Link(Link::Offline), Heard::Link(Link::Unknown));
        assert_eq!(*heard.borrow(), [off, unknown, off, unknown, off]);
    }

    #[test]
    fn networkmanagers_numbers_are_read() {
        for (state, connectivity, want) in [
            (Some(20), Some(1), Link::Offline),
            (Some(40), Some(2), Link::Offline),
            (Some(60), Some(2), Link::Portal),
            (Some(70), Some(2), Link::Portal),
            (Some(70), Some(4), Link::Online),
            (Some(60), Some(3), Link::Online),
            (Some(70), None, Link::Online),
            (Some(0), None, Link::Unknown),
            (None, None, Link::Unknown),
            (Some(99), Some(99), Link::Unknown),
        ] {
            assert_eq!(link_of(state, connectivity), want, "{state:?} {connectivity:?}");
        }
    }
}
