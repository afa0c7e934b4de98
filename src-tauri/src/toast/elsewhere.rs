//! Windows and macOS.

use super::BUTTON;
use crate::notify::Words;
use crate::tray::menu::Action;
use notify_rust::{Notification, NotificationResponse, Timeout};

pub fn answer(
    words: &Words,
    identifier: &str,
    shown: impl FnOnce(u32) -> bool,
    act: impl FnOnce(Action),
) -> Result<(), notify_rust::error::Error> {
    let mut notification = Notification::new();
    notification.summary(&words.title).body(&words.body).appname("Threadline");
    if words.urgent {
        notification.timeout(Timeout::Never);
    }
    if let Some((label, _)) = &words.action {
        notification.action("default", label).action(BUTTON, label);
    }
    name_program(&mut notification, identifier);
    let handle = notification.show()?;
    // Neither system gives a number by which it could be taken back: both take it off the screen by themselves.
    let _ = shown(0);
    let Some((_, action)) = words.action.clone() else { return Ok(()) };
    handle.wait_for_response(|response: &NotificationResponse| match response {
        NotificationResponse::Default | NotificationResponse::Action(_) => act(action),
        NotificationResponse::Reply(_) | NotificationResponse::Closed(_) => {}
    })
}

/// Nothing: see [`answer`].
pub fn close(_: u32) -> Result<(), notify_rust::error::Error> {
    Ok(())
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
