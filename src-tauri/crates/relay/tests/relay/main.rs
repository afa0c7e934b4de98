//! What is said with mail programs, byte for byte, against a provider that is played.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail at any line")]

mod beginning;
mod chunks;
mod hostile;
mod kit;
mod passing;
mod switches;
mod ways_to_fail;
