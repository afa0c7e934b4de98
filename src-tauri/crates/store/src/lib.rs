//! The ledger: what Threadline knows, in one encrypted file (SQLCipher).
//!
//! One file a table: each holds the table's SQL, its row and its queries. Queries are plain functions that take a
//! [`Tx`]; they run in the closures given to [`Ledger::write`] and [`Ledger::read`].
//!
//! Invariant: for mail that is not logged the file holds no text, only keyed hashes, places and dates. Asked and held
//! mails keep their headers until they are decided.

pub mod account;
pub mod activity;
pub mod association;
pub mod audit;
pub mod body;
pub mod contact;
pub mod egress;
pub mod file;
pub mod folder;
pub mod health;
pub mod hidden;
pub mod job;
pub mod mark;
pub mod message;
pub mod message_id;
pub mod notice;
pub mod outbox;
pub mod place;
pub mod portal;
pub mod reference;
pub mod relayed;
pub mod removal;
pub mod retention;
pub mod send;
pub mod set_aside;
pub mod setting;
pub mod status;
pub mod template;
pub mod thread;

mod aside;
mod error;
mod key;
mod ledger;
mod open;
mod schema;
mod sql;
mod tx;

#[cfg(test)]
mod tests;

pub use aside::move_aside;
pub use error::StoreError;
pub use key::Key;
pub use ledger::Ledger;
pub use tx::{IdHash, Tx};
