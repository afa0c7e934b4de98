//! The tray: what it shows is a function of the shell's state, and needs no display.

pub mod icon;
pub mod menu;
pub mod state;

use crate::locale::Catalogue;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// All that the tray shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tray {
    pub light: state::Light,
    pub menu: Vec<menu::Item>,
}

impl Tray {
    pub fn of(seen: &state::Seen<'_>, texts: &Catalogue, now: Timestamp, zone: &TimeZone) -> Self {
        let state = state::TrayState::of(seen);
        Self { light: state.light(), menu: menu::of(&state, texts, now, zone) }
    }

    /// The state in words: the menu's first line, and the tooltip where a desktop shows one.
    pub fn words(&self) -> Option<&str> {
        match self.menu.first() {
            Some(menu::Item::Words(text)) => Some(text),
            _ => None,
        }
    }
}
