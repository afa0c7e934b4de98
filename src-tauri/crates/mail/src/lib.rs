//! Speaks to mail servers. Every byte of a server passes [`guard::Guard`] before a library reads it.

pub mod advice;
pub mod capability;
mod catchup;
pub mod certificate;
mod clock;
pub mod connect;
mod dial;
pub mod discover;
pub mod error;
pub mod fetch;
pub mod find;
pub mod folders;
pub mod guard;
pub mod history;
pub mod login;
pub mod mailbox_name;
pub mod provider;
mod reply;
mod sasl;
pub mod session;
pub mod smtp;
pub mod submit;
mod survey;
pub mod tls;
pub mod watch;
mod wire;
