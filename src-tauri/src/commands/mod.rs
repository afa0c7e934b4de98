//! What the window may ask for: shims of a few lines. The list is in [`crate::bindings`], and each is named in
//! `permissions/app.toml`.

pub mod activity;
pub mod connect;
pub mod crm;
pub mod desktop;
pub mod diagnostics;
pub mod history;
pub mod it;
pub mod mailbox;
pub mod network;
pub mod program;
pub mod proof;
pub mod relay;
pub mod rules;
pub mod sending;
pub mod threads;
pub mod updates;

use crate::controller::Handle;
use crate::error::AppError;
use std::path::Path;
use tauri::State;
use threadline_core::address::{Address, NotAnAddress};
use threadline_engine::Engine;

/// The way to the controller, as Tauri hands it to a command.
pub type Shell<'a> = State<'a, Handle<Engine>>;

/// What a command answers.
pub type Answer<T> = Result<T, AppError>;

/// Reads an address that the window gave.
pub fn address(text: &str) -> Answer<Address> {
    Address::parse(text).map_err(|error| not_an_address(text, error))
}

/// A text that should have been an address.
pub fn not_an_address(text: &str, error: NotAnAddress) -> AppError {
    AppError::new("not_an_address", format!("{text}: {error}.")).with("text", text)
}

/// Writes a file that the person named; gives its path to be shown.
pub fn write(path: &Path, bytes: &[u8]) -> Answer<String> {
    std::fs::write(path, bytes).map_err(|error| {
        let text = format!("{} cannot be written: {error}. Choose another place.", path.display());
        AppError::new("not_written", text).with("path", path.display()).with("cause", error)
    })?;
    Ok(path.display().to_string())
}

/// Counts cross as whole numbers that fit.
pub fn count(number: u32) -> usize {
    number as usize
}
