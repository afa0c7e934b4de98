//! The desktop as the controller sees it: tray, window, notifications. A test plays it.

use crate::error::AppError;
use crate::locale::Locale;
use crate::notify::Words;
use crate::settings::Theme;
use crate::tray::Tray;
use crate::views::{Lack, News};

/// What the controller asks of the desktop. Nothing here waits.
pub trait Desktop: Send + 'static {
    /// Shows another icon or menu.
    fn show_tray(&mut self, tray: &Tray);
    /// Shows a notification; where it leads comes back as a request.
    fn notify(&mut self, words: Words);
    /// Takes back the notification about this, where one is shown.
    fn take_back(&mut self, about: &str);
    /// Tells the window; nobody may listen.
    fn tell(&mut self, news: News);
    /// Opens the window in this theme and language, or brings it to the front.
    fn open_window(&mut self, theme: Theme, locale: Locale);
    fn set_autostart(&mut self, on: bool) -> Result<(), AppError>;
    /// Whether the desktop starts the program at login.
    fn autostart(&self) -> bool;
    /// What this desktop lacks at the moment.
    fn lacks(&self) -> Vec<Lack>;
    /// Whether the program was built with a key and an address for updates.
    fn can_update(&self) -> bool;
    /// The language that the desktop asks for, as a tag of RFC 5646.
    fn language(&self) -> Option<String>;
    fn copy(&mut self, text: String) -> Result<(), AppError>;
    fn quit(&mut self);
}
