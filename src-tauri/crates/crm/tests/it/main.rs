//! The sinks on the wire, against the fakes of testkit.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench;
mod exactly_once;
mod files;
mod folder;
mod hubspot_awaited;
mod hubspot_contacts;
mod hubspot_errors;
mod hubspot_people;
mod hubspot_push;
mod judges;
mod outbox;
mod requests;
mod tls;
mod webhook;
