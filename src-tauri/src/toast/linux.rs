//! The Desktop Notifications Specification (freedesktop.org), over the session's bus.

use super::BUTTON;
use crate::notify::Words;
use crate::tray::menu::Action;
use std::collections::HashMap;
use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::Value;

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// How long it is shown, in milliseconds: as long as the desktop likes, or until somebody has seen it.
const USUAL: i32 = -1;
const STAYS: i32 = 0;

/// Whether a notification daemon runs or would be started.
pub fn is_there() -> bool {
    let asked = || -> zbus::Result<()> {
        let bus = Connection::session()?;
        let about: (String, String, String, String) =
            Proxy::new(&bus, NAME, PATH, NAME)?.call("GetServerInformation", &())?;
        tracing::debug!(daemon = about.0, "notifications are shown");
        Ok(())
    };
    asked().is_ok()
}

/// Shows it and waits for what becomes of it. `shown` hears its number, and says whether it is to stay.
pub fn answer(
    words: &Words,
    _: &str,
    shown: impl FnOnce(u32) -> bool,
    act: impl FnOnce(Action),
) -> zbus::Result<()> {
    let bus = Connection::session()?;
    let daemon = Proxy::new(&bus, NAME, PATH, NAME)?;
    // Before it is shown, so that no click is missed.
    let signals = daemon.receive_all_signals()?;
    let actions: Vec<&str> = words
        .action
        .iter()
        .flat_map(|(label, _)| ["default", label.as_str(), BUTTON, label.as_str()])
        .collect();
    let normal = 1_u8;
    let hints =
        HashMap::from([("urgency", Value::from(normal)), ("desktop-entry", Value::from("Threadline"))]);
    let time = if words.urgent { STAYS } else { USUAL };
    let notice =
        ("Threadline", 0_u32, "threadline-app", &words.title, body(&words.body), actions, hints, time);
    let id: u32 = daemon.call("Notify", &notice)?;
    if !shown(id) {
        return daemon.call("CloseNotification", &id);
    }
    let Some((_, action)) = words.action.clone() else { return Ok(()) };
    for signal in signals {
        let header = signal.header();
        let member = header.member().map(|name| name.as_str());
        let (body, of) = (signal.body(), |of: u32| of == id);
        match member {
            Some("ActionInvoked") if body.deserialize::<(u32, &str)>().is_ok_and(|(it, _)| of(it)) => {
                act(action);
                return Ok(());
            }
            Some("NotificationClosed") if body.deserialize::<(u32, u32)>().is_ok_and(|(it, _)| of(it)) => {
                return Ok(());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Takes it off the screen. One that is gone already is none the worse.
pub fn close(id: u32) -> zbus::Result<()> {
    let bus = Connection::session()?;
    match Proxy::new(&bus, NAME, PATH, NAME)?.call("CloseNotification", &id) {
        // The specification's answer where there is no such notification any more.
        Err(zbus::Error::MethodError(..)) => Ok(()),
        closed => closed,
    }
}

/// Daemons read markup in the body (the specification's "Markup").
fn body(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::body;

    #[test]
    fn a_name_with_markup_is_shown_as_it_is() {
        assert_eq!(body("<b>A & B</b>"), "&lt;b&gt;A &amp; B&lt;/b&gt;");
    }
}
