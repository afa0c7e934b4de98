//! The engine beside scripted servers.

mod check;
mod discover;
mod sending;
