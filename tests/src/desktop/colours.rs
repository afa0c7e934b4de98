//! The desktop's colours, as its settings portal tells them.
//! <https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.Settings.html>

use super::tray::bus;
use anyhow::Result;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use zbus::blocking::Connection;
use zbus::fdo;
use zbus::zvariant::{OwnedValue, Value};

const PATH: &str = "/org/freedesktop/portal/desktop";
const NAME: &str = "org.freedesktop.portal.Desktop";
const SETTINGS: &str = "org.freedesktop.portal.Settings";
const SCHEME: (&str, &str) = ("org.freedesktop.appearance", "color-scheme");

/// What the person likes; by the portal's own numbers.
#[derive(Debug, Clone, Copy)]
pub enum Scheme {
    Dark = 1,
    Light = 2,
}

/// The portal with one setting. At first the person has said nothing.
#[derive(Debug, Clone, Default)]
struct Settings(Arc<AtomicU32>);

#[zbus::interface(name = "org.freedesktop.portal.Settings")]
impl Settings {
    fn read_one(&self, group: String, key: String) -> fdo::Result<OwnedValue> {
        if (group.as_str(), key.as_str()) != SCHEME {
            return Err(fdo::Error::Failed("this desk has one setting".into()));
        }
        Ok(OwnedValue::from(self.0.load(Ordering::SeqCst)))
    }
}

/// The desktop's colours.
#[derive(Debug)]
pub struct Colours {
    connection: Connection,
    settings: Settings,
}

impl Colours {
    pub(super) fn on(at: &Path) -> Result<Self> {
        let (connection, settings) = (bus(at)?, Settings::default());
        connection.object_server().at(PATH, settings.clone())?;
        connection.request_name(NAME)?;
        Ok(Self { connection, settings })
    }

    /// Changes them while programs run.
    pub fn change(&self, scheme: Scheme) -> Result<()> {
        let number = scheme as u32;
        self.settings.0.store(number, Ordering::SeqCst);
        let change = (SCHEME.0, SCHEME.1, Value::from(number));
        Ok(self.connection.emit_signal(None::<&str>, PATH, SETTINGS, "SettingChanged", &change)?)
    }
}
