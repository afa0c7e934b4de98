//! The operating system as a program hears it: a message bus of a test's own, on which the test is NetworkManager and
//! logind.

use crate::Computer;
use anyhow::Result;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use threadline_testkit::lab::keyring::Keyring;
use zbus::blocking::{Connection, connection};
use zbus::zvariant::{OwnedObjectPath, Value};

const MANAGER: &str = "org.freedesktop.NetworkManager";
const PATH: &str = "/org/freedesktop/NetworkManager";

/// NMState and NMConnectivityState, as NetworkManager counts them.
pub const ONLINE: (u32, u32) = (70, 4);
pub const OFFLINE: (u32, u32) = (20, 1);
pub const PORTAL: (u32, u32) = (70, 2);

#[derive(Debug, Clone)]
struct Manager(Arc<Mutex<(u32, u32)>>);

impl Manager {
    fn now(&self) -> (u32, u32) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[zbus::interface(name = "org.freedesktop.NetworkManager")]
impl Manager {
    #[zbus(property)]
    fn state(&self) -> u32 {
        self.now().0
    }

    #[zbus(property)]
    fn connectivity(&self) -> u32 {
        self.now().1
    }

    #[zbus(property)]
    fn primary_connection(&self) -> zbus::fdo::Result<OwnedObjectPath> {
        let path =
            if self.now().0 == ONLINE.0 { "/org/freedesktop/NetworkManager/ActiveConnection/1" } else { "/" };
        Ok(OwnedObjectPath::try_from(path).map_err(zbus::Error::from)?)
    }
}

/// The bus, and who speaks on it. Gone when dropped.
#[derive(Debug)]
pub struct SystemBus {
    connection: Connection,
    manager: Manager,
    // A bus without any service.
    bus: Keyring,
}

impl SystemBus {
    pub fn start() -> Result<Self> {
        let bus = Keyring::no_service()?;
        let address = format!("unix:path={}", bus.bus_path().display());
        let connection = connection::Builder::address(address.as_str())?.build()?;
        let manager = Manager(Arc::new(Mutex::new(ONLINE)));
        connection.object_server().at(PATH, manager.clone())?;
        connection.request_name(MANAGER)?;
        connection.request_name("org.freedesktop.login1")?;
        Ok(Self { connection, manager, bus })
    }

    /// Lets the computer hear this system and no other.
    pub fn of(&self, computer: &mut Computer) {
        let address = format!("unix:path={}", self.bus.bus_path().display());
        computer.env.push(("DBUS_SYSTEM_BUS_ADDRESS".into(), address));
    }

    /// The network is another one from now on.
    pub fn turn(&self, state: (u32, u32)) -> Result<()> {
        *self.manager.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
        let changed =
            HashMap::from([("State", Value::from(state.0)), ("Connectivity", Value::from(state.1))]);
        let body = (MANAGER, changed, Vec::<String>::new());
        let properties = "org.freedesktop.DBus.Properties";
        Ok(self.connection.emit_signal(None::<&str>, PATH, properties, "PropertiesChanged", &body)?)
    }

    /// The computer wakes.
    pub fn wake(&self) -> Result<()> {
        let (path, manager) = ("/org/freedesktop/login1", "org.freedesktop.login1.Manager");
        Ok(self.connection.emit_signal(None::<&str>, path, manager, "PrepareForSleep", &false)?)
    }
}
