//! Shows a notification, hears what is clicked, and takes it back where it is true no more.

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
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The button's name on the wire; a click on the notification itself is `default`.
const BUTTON: &str = "open";

/// What was shown and can be taken back, by what it is about. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<HashMap<String, Pin>>>);

/// One notification on its way to the screen and off it.
#[derive(Debug, Clone, Default)]
struct Pin(Arc<Mutex<Place>>);

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    Coming,
    /// Under this number of the system's.
    Shown(u32),
    TakenBack,
}

impl Pin {
    fn place(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is on the screen now. False where it was taken back before.
    fn shown(&self, id: u32) -> bool {
        let mut place = self.place();
        let wanted = *place == Place::Coming;
        if wanted {
            *place = Place::Shown(id);
        }
        wanted
    }

    fn take_back(&self) {
        if let Place::Shown(id) = std::mem::replace(&mut *self.place(), Place::TakenBack) {
            on_its_own(move || system::close(id));
        }
    }
}

impl Board {
    fn pins(&self) -> MutexGuard<'_, HashMap<String, Pin>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows it on a thread of its own, which stays until it is answered or goes away. `act` is told what a click does. One
    /// about the same thing goes.
    pub fn show(&self, words: Words, identifier: &str, act: impl FnOnce(Action) + Send + 'static) {
        let identifier = identifier.to_owned();
        let pin = Pin::default();
        if let Some(about) = &words.about {
            self.take_back(about);
            self.pins().insert(about.clone(), pin.clone());
        }
        on_its_own(move || system::answer(&words, &identifier, |id| pin.shown(id), act));
    }

    /// Takes back what is shown about this, where something is.
    pub fn take_back(&self, about: &str) {
        let pin = self.pins().remove(about);
        if let Some(pin) = pin {
            pin.take_back();
        }
    }
}

fn on_its_own<E: std::fmt::Display>(act: impl FnOnce() -> Result<(), E> + Send + 'static) {
    let begun = std::thread::Builder::new().name("notification".into()).spawn(move || {
        if let Err(error) = act() {
            // The tray and the window say the same.
            tracing::warn!(%error, "a notification was not shown or not taken back");
        }
    });
    if let Err(error) = begun {
        tracing::warn!(%error, "a notification was not shown or not taken back");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_back_before_it_is_shown_is_not_to_stay() {
        let pin = Pin::default();
        pin.take_back();
        assert!(!pin.shown(7));
        assert_eq!(*pin.place(), Place::TakenBack);
        let pin = Pin::default();
        assert!(pin.shown(7));
        assert_eq!(*pin.place(), Place::Shown(7));
    }
}
