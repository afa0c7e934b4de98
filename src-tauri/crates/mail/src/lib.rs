//! Speaks to mail servers. Every byte of a server passes [`guard::Guard`] before a library reads it.

pub mod connect;
mod dial;
pub mod error;
pub mod fetch;
pub mod folders;
pub mod guard;
pub mod session;
pub mod smtp;
pub mod tls;
pub mod watch;
