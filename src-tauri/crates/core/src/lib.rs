//! What messages, threads, rules, reasons and clocks are.
//!
//! Invariant: this crate is pure. It does no I/O, starts no task and reads no clock.

pub mod address;
pub mod arrival;
pub mod attachment;
pub mod audit;
pub mod away;
pub mod clock;
pub mod contact;
pub mod conversation;
pub mod decide;
pub mod envelope;
pub mod file_name;
pub mod forwarded;
pub mod health;
pub mod hidden;
pub mod id;
pub mod inline;
pub mod matching;
pub mod message;
pub mod own;
mod quiet;
pub mod reason;
pub mod record;
pub mod report;
pub mod retention;
pub mod rule;
pub mod subject;
pub mod template;
pub mod text;
