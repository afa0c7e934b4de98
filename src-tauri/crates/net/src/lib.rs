//! The way out of this computer that everything but mail takes: one HTTP client, and one reading of what goes wrong.

pub mod http;
