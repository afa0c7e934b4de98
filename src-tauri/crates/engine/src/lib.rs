//! Wires mail, ledger and CRMs together: one supervised task a mailbox, commands in, events out, no window.
//!
//! Read one mail's way through it in this order: [`mailbox`] (news comes in), [`ingest`] (T1: decisions, jobs and the
//! cursor in one transaction), [`jobs`] (T2: the body and the outbox rows in one transaction), [`queue`] (the outbox as
//! the CRM's worker sees it).
//!
//! Invariant: a body is fetched only by a job, and a body job is made only where `core::decide` said to log.

mod absence;
pub mod activity;
pub mod advice;
pub mod answers;
pub mod apps;
mod at_work;
pub mod audit;
mod backoff;
mod bounces;
mod broken;
pub mod by_hand;
pub mod causes;
pub mod check;
pub mod clock;
pub mod contacts;
mod contents;
pub mod crm_text;
pub mod crms;
mod deleted;
pub mod diagnostics;
pub mod disconnects;
pub mod discover;
pub mod divide;
pub mod egress;
pub mod engine;
pub mod error;
pub mod event;
pub mod export;
pub mod files;
mod generation;
mod gestures;
pub mod history;
pub mod home;
mod identity;
mod ingest;
mod jobs;
mod journal;
mod keychain;
mod link;
pub mod log_folder;
pub mod logs;
mod mailbox;
pub mod marks;
mod message_html;
pub mod notices;
pub mod once;
pub mod outage;
mod outgoing;
pub mod own_record;
mod pace;
pub mod proxy;
pub mod question;
mod queue;
pub mod read_again;
pub mod reconnect;
pub mod redact;
pub mod relay;
mod removals;
pub mod requests;
pub mod retention;
mod revoked;
pub mod rules;
mod sending;
pub mod settings;
pub mod setup;
mod shared;
pub mod sign_in;
mod sinks;
mod supervisor;
#[cfg(test)]
mod testing;
pub mod threads;
mod timetable;
mod tokens;
pub mod undo;
mod unlog;
pub mod unusable;
pub mod views;
pub mod whereabouts;
mod wipe;
pub mod writing;

pub use engine::Engine;
pub use error::EngineError;
pub use event::Event;
pub use home::Home;
