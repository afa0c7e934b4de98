//! The desktop's notifications: a server of a test's own that keeps what it is asked to show, and presses its buttons.
//! <https://specifications.freedesktop.org/notification-spec/latest/>

use super::{tray::bus, until};
use anyhow::Result;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zbus::blocking::Connection;
use zbus::zvariant::OwnedValue;

const PATH: &str = "/org/freedesktop/Notifications";
const NAME: &str = "org.freedesktop.Notifications";

/// One notification, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub id: u32,
    pub title: String,
    pub text: String,
    /// Key and label of each button.
    pub actions: Vec<(String, String)>,
}

#[derive(Debug, Clone, Default)]
struct Shown {
    notices: Arc<Mutex<Vec<Notice>>>,
    /// The numbers of those that the app took back.
    taken_back: Arc<Mutex<Vec<u32>>>,
}

impl Shown {
    fn all(&self) -> MutexGuard<'_, Vec<Notice>> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn taken_back(&self) -> MutexGuard<'_, Vec<u32>> {
        self.taken_back.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Shown {
    #[allow(clippy::too_many_arguments, reason = "the specification's own")]
    fn notify(
        &self,
        _app: String,
        replaces: u32,
        _icon: String,
        title: String,
        text: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        let mut all = self.all();
        let id = if replaces == 0 { all.len() as u32 + 1 } else { replaces };
        let actions = actions.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        all.push(Notice { id, title, text, actions });
        id
    }

    async fn close_notification(
        &self,
        id: u32,
        #[zbus(connection)] connection: &zbus::Connection,
    ) -> zbus::fdo::Result<()> {
        const BY_THE_APP: u32 = 3;
        self.taken_back().push(id);
        let body = (id, BY_THE_APP);
        let closed = connection.emit_signal(None::<&str>, PATH, NAME, "NotificationClosed", &body);
        closed.await.map_err(|error| zbus::fdo::Error::Failed(error.to_string()))
    }

    fn get_capabilities(&self) -> Vec<String> {
        ["body", "actions"].map(str::to_owned).to_vec()
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("desk".into(), "Threadline's tests".into(), "1".into(), "1.2".into())
    }
}

/// The server, and what it was asked to show.
#[derive(Debug)]
pub struct Notices {
    connection: Connection,
    shown: Shown,
}

impl Notices {
    pub(super) fn on(at: &Path) -> Result<Self> {
        let (connection, shown) = (bus(at)?, Shown::default());
        connection.object_server().at(PATH, shown.clone())?;
        connection.request_name(NAME)?;
        Ok(Self { connection, shown })
    }

    /// All so far, the oldest first.
    pub fn shown(&self) -> Vec<Notice> {
        self.shown.all().clone()
    }

    /// Waits until the app has taken this one back.
    pub fn wait_for_taken_back(&self, notice: &Notice) -> Result<()> {
        until("a notification taken back", || Ok(self.shown.taken_back().contains(&notice.id).then_some(())))
    }

    /// Waits for one for which this holds.
    pub fn wait(&self, what: &str, is: impl Fn(&Notice) -> bool) -> Result<Notice> {
        let found = until(what, || Ok(self.shown().into_iter().find(|notice| is(notice))));
        found.map_err(|e| e.context(format!("shown were {:#?}", self.shown())))
    }

    /// Presses a button, or with the key `default` the notification itself; it closes thereby.
    pub fn press(&self, notice: &Notice, key: &str) -> Result<()> {
        let emit = |signal: &str, body: &(u32, &str)| {
            self.connection.emit_signal(None::<&str>, PATH, NAME, signal, body)
        };
        emit("ActionInvoked", &(notice.id, key))?;
        const BY_THE_PERSON: u32 = 2;
        let closed = (notice.id, BY_THE_PERSON);
        self.connection.emit_signal(None::<&str>, PATH, NAME, "NotificationClosed", &closed)?;
        Ok(())
    }
}
