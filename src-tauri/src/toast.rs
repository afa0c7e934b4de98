//! Shows a notification, and hears what is clicked.

#[cfg(target_os = "linux")]
#[path = "toast/linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "toast/elsewhere.rs"]
mod system;

#[cfg(target_os = "linux")]
pub use system::is_there;

use crate::notify::Words;
use crate::tray::menu::Action;

/// The button's name on the wire; a click on the notification itself is `default`.
const BUTTON: &str = "open";

/// Shows it on a thread of its own, which stays until it is answered or goes away. `act` is told what a click does.
pub fn show(words: Words, identifier: &str, act: impl FnOnce(Action) + Send + 'static) {
    let identifier = identifier.to_owned();
    let shown = std::thread::Builder::new().name("notification".into()).spawn(move || {
        if let Err(error) = system::answer(&words, &identifier, act) {
            // The tray and the window say the same.
            tracing::warn!(%error, "a notification was not shown");
        }
    });
    if let Err(error) = shown {
        tracing::warn!(%error, "a notification was not shown");
    }
}
