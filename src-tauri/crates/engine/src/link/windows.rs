//! Windows: `Windows.Networking.Connectivity` says how the computer is connected. It tells of each change, and after
//! sleep too, since the network comes back then.

use super::{Heard, Link, Looks};
use tokio::sync::mpsc;
use windows::Networking::Connectivity::{
    NetworkConnectivityLevel as Level, NetworkInformation, NetworkStatusChangedEventHandler,
};

/// Where the system refuses to tell, nothing is told.
pub async fn follow(tell: &impl Fn(Heard)) {
    let (changed, mut changes) = mpsc::unbounded_channel();
    let Ok(_registered) = Registered::new(changed) else {
        return tracing::info!("the network is not watched: Windows does not tell of it");
    };
    let mut looks = Looks::begin();
    loop {
        looks.take(read(), tell);
        if changes.recv().await.is_none() {
            return;
        }
    }
}

/// Taken back when the listening ends.
struct Registered(i64);

impl Registered {
    /// The handler may not pass from thread to thread, so it must not live where something is waited for.
    fn new(changed: mpsc::UnboundedSender<()>) -> windows::core::Result<Self> {
        let handler = NetworkStatusChangedEventHandler::new(move |_| {
            // Nobody listens any more only while this ends.
            let _ = changed.send(());
            Ok(())
        });
        NetworkInformation::NetworkStatusChanged(&handler).map(Self)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let _ = NetworkInformation::RemoveNetworkStatusChanged(self.0);
    }
}

/// The state, and the name of the network that leads to the internet.
fn read() -> (Link, Option<String>) {
    let Ok(profile) = NetworkInformation::GetInternetConnectionProfile() else {
        return (without_internet(), None);
    };
    let name = profile.ProfileName().ok().map(|name| name.to_string());
    let link = match profile.GetNetworkConnectivityLevel() {
        Ok(Level::None) => Link::Offline,
        Ok(Level::ConstrainedInternetAccess) => Link::Portal,
        Ok(Level::LocalAccess | Level::InternetAccess) => Link::Online,
        _ => Link::Unknown,
    };
    (link, name)
}

/// No network leads to the internet. The mail server may stand in one that leads nowhere.
fn without_internet() -> Link {
    let Ok(profiles) = NetworkInformation::GetConnectionProfiles() else { return Link::Unknown };
    let is_up = |level| matches!(level, Ok(Level::LocalAccess));
    match profiles.into_iter().any(|profile| is_up(profile.GetNetworkConnectivityLevel())) {
        true => Link::Unknown,
        false => Link::Offline,
    }
}
