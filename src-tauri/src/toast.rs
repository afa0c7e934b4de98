//! Shows a notification, and hears what is clicked.

use crate::notify::Words;
use crate::tray::menu::Action;
use notify_rust::{Notification, NotificationResponse, Timeout};

/// The button's name on the wire; a click on the notification itself is `default`.
const BUTTON: &str = "open";

/// Shows it on a thread of its own, which stays until it is answered or goes away. `act` is told what a click does.
pub fn show(words: Words, identifier: &str, act: impl FnOnce(Action) + Send + 'static) {
    let identifier = identifier.to_owned();
    let shown = std::thread::Builder::new().name("notification".into()).spawn(move || {
        if let Err(error) = answer(&words, &identifier, act) {
            // The tray and the window say the same.
            tracing::warn!(%error, "a notification was not shown");
        }
    });
    if let Err(error) = shown {
        tracing::warn!(%error, "a notification was not shown");
    }
}

fn answer(
    words: &Words,
    identifier: &str,
    act: impl FnOnce(Action),
) -> Result<(), notify_rust::error::Error> {
    let mut notification = Notification::new();
    notification.summary(&words.title).body(&body(&words.body)).appname("Threadline");
    if words.urgent {
        notification.timeout(Timeout::Never);
    }
    if let Some((label, _)) = &words.action {
        notification.action("default", label).action(BUTTON, label);
    }
    name_program(&mut notification, identifier);
    let handle = notification.show()?;
    let Some((_, action)) = words.action.clone() else { return Ok(()) };
    handle.wait_for_response(|response: &NotificationResponse| match response {
        NotificationResponse::Default | NotificationResponse::Action(_) => act(action),
        NotificationResponse::Reply(_) | NotificationResponse::Closed(_) => {}
    })
}

/// Linux's daemons read markup in the body (Desktop Notifications Specification, "Markup").
#[cfg(target_os = "linux")]
fn body(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(not(target_os = "linux"))]
fn body(text: &str) -> String {
    text.to_owned()
}

#[cfg(target_os = "linux")]
fn name_program(notification: &mut Notification, _: &str) {
    use notify_rust::{Hint, Urgency};
    notification
        .icon("threadline-app")
        .urgency(Urgency::Normal)
        .hint(Hint::DesktopEntry("Threadline".to_owned()));
}

#[cfg(target_os = "windows")]
fn name_program(notification: &mut Notification, identifier: &str) {
    // Only an installed program has a name that the notification centre knows.
    if !tauri::is_dev() {
        notification.app_id(identifier);
    }
}

#[cfg(target_os = "macos")]
fn name_program(_: &mut Notification, identifier: &str) {
    // It can be set once in a process; a later call changes nothing.
    let _ = notify_rust::set_application(identifier);
}
