//! Speaks to CRMs: the [`Sink`] trait, one module a CRM, and the outbox worker.
//!
//! Invariant: a message is in the CRM exactly once, whatever breaks between. Each sink takes
//! `Record::key` as the idempotency key and looks first where an earlier outcome is unknown.

pub mod error;
pub mod folder;
pub mod http;
pub mod hubspot;
pub mod outbox;
pub mod requests;
pub mod secret;
pub mod sink;
pub mod timer;
pub mod webhook;

pub use error::{CrmError, Kind, Retry};
pub use folder::FolderSink;
pub use hubspot::{HubspotSettings, HubspotSink};
pub use outbox::{Drained, Leased, OutboxEvent, Queue, QueueError, Worker};
pub use secret::Secret;
pub use sink::{
    Accepted, Awaited, ContactPage, Dedupe, DeliveredFile, Delivery, Egress, How, Portal, Sink, Uploaded,
};
pub use timer::{Timer, TokioTimer};
pub use webhook::{WebhookSettings, WebhookSink};
