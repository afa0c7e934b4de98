//! The engine beside scripted servers.

mod check;
mod discover;
mod sending;
mod sending_kit;
mod sending_recipients;
