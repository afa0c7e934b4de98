//! A local submission server (RFC 6409) that passes a mail through to the provider while the mail program waits.
//!
//! Nothing is queued: what the mail program hears for MAIL, RCPT, DATA and after the last dot is the provider's own
//! answer. Who signs in at the provider, and how, is behind [`upstream::Upstream`].
//!
//! Invariant: a mail passes byte for byte. What may differ is in its header alone: a `Message-ID` where there was none, and
//! the switches of [`switch::Switch`] in `Subject`, `To`, `Cc` and `Bcc`.

pub mod answer;
mod chunks;
pub mod command;
mod connection;
mod content;
pub mod guide;
pub mod header;
pub mod identity;
mod letter;
pub mod limits;
pub mod offers;
pub mod password;
pub mod path;
mod plaintext;
pub mod server;
mod sign_in;
pub mod switch;
mod transaction;
pub mod upstream;
mod wire;
