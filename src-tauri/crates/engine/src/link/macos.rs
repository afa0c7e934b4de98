//! macOS: SystemConfiguration says whether there is a way to the internet. Its calls back need a run loop of their own, so
//! it is asked; the answer comes from memory.

use super::{Heard, Link, Looks};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use system_configuration::network_reachability::{ReachabilityFlags, SCNetworkReachability};

const EVERY: Duration = Duration::from_secs(5);

pub async fn follow(tell: &impl Fn(Heard)) {
    let mut looks = Looks::begin();
    loop {
        looks.take(read(), tell);
        tokio::time::sleep(EVERY).await;
    }
}

/// The state, and the address that this computer has in the network that leads to the internet.
fn read() -> (Link, Option<SocketAddr>) {
    // The zero address asks for the default route.
    let anywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    // A way that must be dialled first is none, unless traffic dials it.
    let dials = ReachabilityFlags::CONNECTION_ON_TRAFFIC | ReachabilityFlags::CONNECTION_ON_DEMAND;
    let link = match SCNetworkReachability::from(anywhere).reachability() {
        Ok(flags) if !flags.contains(ReachabilityFlags::REACHABLE) => Link::Offline,
        Ok(flags) if flags.contains(ReachabilityFlags::CONNECTION_REQUIRED) && !flags.intersects(dials) => {
            Link::Offline
        }
        Ok(_) => Link::Online,
        Err(_) => Link::Unknown,
    };
    (link, own_address())
}

/// The address that a packet to the internet would have. None is sent: a UDP socket only chooses its way.
fn own_address() -> Option<SocketAddr> {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let address = socket.local_addr().ok()?;
    Some(SocketAddr::new(address.ip(), 0))
}
