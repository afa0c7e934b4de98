//! The outbox in the ledger, as the CRM's worker sees it.

use crate::crm_text::{CRM_TEXT, CrmText};
use crate::event::Event;
use crate::files::{self, LIMITS};
use crate::own_record;
use crate::settings::CrmSettings;
use crate::shared::Shared;
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use threadline_core::address::Address;
use threadline_core::attachment::Limits;
use threadline_core::forwarded::original;
use threadline_core::message::{Body, with_text};
use threadline_core::reason::Reason;
use threadline_core::record::{Association, Record};
use threadline_core::rule::Rule;
use threadline_core::text::reply;
use threadline_crm::{
    Accepted, CrmError, DeliveredFile, Delivery, How, Leased, Queue, QueueError, Sink, Uploaded,
};
use threadline_store::outbox::{self, Lease, Way};
use threadline_store::{
    StoreError, Tx, account, association, body, contact, egress, file, hidden, message, setting, thread,
};

/// How long a worker may keep a row. Longer than any request with its retries; a row of a process that was killed is
/// taken back at the next start.
const LEASE: Duration = Duration::from_secs(10 * 60);
/// Most bytes of raw messages that a worker has at once, unless a single one is larger.
const MOST_BYTES: u64 = 32 * 1024 * 1024;

/// One sink's part of the outbox.
#[derive(Debug)]
pub(crate) struct LedgerQueue {
    shared: Arc<Shared>,
    sink: &'static str,
    wants_raw: bool,
    wants_files: bool,
    leases: Mutex<HashMap<i64, Lease>>,
}

impl LedgerQueue {
    pub fn new(shared: Arc<Shared>, sink: &dyn Sink) -> Self {
        Self {
            shared,
            sink: sink.name(),
            wants_raw: sink.wants_raw(),
            wants_files: sink.wants_files(),
            leases: Mutex::default(),
        }
    }

    fn lease_of(&self, id: i64) -> Option<Lease> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)
    }

    fn failed(&self, lease: &Lease, error: &CrmError, next_try: Option<Timestamp>) {
        self.shared.tell(Event::PushFailed {
            sink: self.sink.to_owned(),
            message: lease.message,
            reason: error.reason,
            words: error.to_string(),
            next_try,
        });
    }
}

/// A row's data, before its text is parsed.
struct Parts {
    record: Record,
    raw: Vec<u8>,
    limits: Limits,
    text: CrmText,
}

#[async_trait::async_trait]
impl Queue for LedgerQueue {
    async fn lease(&self, most: usize) -> Result<Vec<Leased>, QueueError> {
        let (sink, now) = (self.sink, self.shared.clock.now());
        let nothing = self.shared.ledger.read(move |tx| outbox::next_due(tx, sink)).await?;
        if nothing.is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        let leases =
            self.shared.ledger.write(move |tx| outbox::lease(tx, sink, now, most, MOST_BYTES, LEASE)).await?;
        let mut rows = Vec::with_capacity(leases.len());
        for lease in leases {
            let message = lease.message;
            let parts = self.shared.ledger.read(move |tx| parts(tx, sink, message)).await;
            let (wants_raw, wants_files) = (self.wants_raw, self.wants_files);
            let parts = match parts {
                Ok(parts) => parts,
                // A row that cannot be read is set aside; a ledger that fails is tried again.
                Err(error) if error.concerns_a_row() => None,
                Err(error) => return Err(error.into()),
            };
            let record = match parts {
                Some(parts) => tokio::task::spawn_blocking(move || parse(parts, wants_raw, wants_files))
                    .await
                    .ok()
                    .flatten(),
                None => None,
            };
            let Some((record, raw, mut files)) = record else {
                // Nothing waits behind a message that cannot be read.
                let row = lease.clone();
                let words = "The message's text is gone from the ledger or cannot be read.";
                self.shared
                    .ledger
                    .write(move |tx| {
                        outbox::set_aside(
                            tx,
                            &row,
                            row.uncertain,
                            Some(Reason::ProtocolError),
                            Some(words),
                            now,
                        )
                    })
                    .await?;
                continue;
            };
            if !files.is_empty() {
                let hashes: Vec<[u8; 32]> = files.iter().map(|file| file.hash).collect();
                let known = move |tx: &Tx<'_>| {
                    hashes.iter().map(|hash| file::remote_id(tx, sink, hash)).collect::<Result<Vec<_>, _>>()
                };
                for (file, id) in files.iter_mut().zip(self.shared.ledger.read(known).await?) {
                    file.remote_id = id;
                }
            }
            let awaited = (lease.way == Way::Find).then(|| own_record::awaited(lease.queued_at, now));
            let delivery = Delivery { record, raw, files, uncertain: lease.uncertain, awaited };
            rows.push(Leased { id: lease.id, attempts: lease.attempts.saturating_sub(1), delivery });
            self.leases.lock().unwrap_or_else(PoisonError::into_inner).insert(lease.id, lease);
        }
        Ok(rows)
    }

    async fn uploaded(&self, id: i64, file: &DeliveredFile, uploaded: Uploaded) -> Result<(), QueueError> {
        let message = self.leases.lock().unwrap_or_else(PoisonError::into_inner).get(&id).map(|l| l.message);
        let Some(message) = message else { return Ok(()) };
        let (sink, now, hash) = (self.sink, self.shared.clock.now(), file.hash);
        let note = move |tx: &Tx<'_>| {
            book(tx, sink, Some(message), now, &uploaded.sent)?;
            file::set_refused(tx, message, sink, &hash, false)?;
            match &uploaded.remote_id {
                Some(remote_id) => file::put(tx, sink, &hash, remote_id, now),
                None => Ok(()),
            }
        };
        Ok(self.shared.ledger.write(note).await?)
    }

    async fn refused(&self, id: i64, file: &DeliveredFile, error: &CrmError) -> Result<(), QueueError> {
        let message = self.leases.lock().unwrap_or_else(PoisonError::into_inner).get(&id).map(|l| l.message);
        let Some(message) = message else { return Ok(()) };
        let (sink, now, hash, sent) = (self.sink, self.shared.clock.now(), file.hash, error.sent.clone());
        tracing::warn!(sink, code = error.reason.code(), "a file was refused: its mail goes without it");
        let note = move |tx: &Tx<'_>| {
            book(tx, sink, Some(message), now, &sent)?;
            file::set_refused(tx, message, sink, &hash, true)
        };
        Ok(self.shared.ledger.write(note).await?)
    }

    async fn accepted(&self, id: i64, accepted: Accepted) -> Result<(), QueueError> {
        let Some(lease) = self.lease_of(id) else { return Ok(()) };
        let (sink, now, message) = (self.sink, self.shared.clock.now(), lease.message);
        let how = match accepted.how {
            How::Created => "created",
            How::Existing => "existing",
            How::Linked => "linked",
        };
        let event = Event::Pushed {
            sink: sink.to_owned(),
            message,
            remote_id: accepted.remote_id.clone(),
            how: how.to_owned(),
            at: now,
        };
        self.shared
            .ledger
            .write(move |tx| {
                book(tx, sink, Some(message), now, &accepted.sent)?;
                for (address, remote_id) in &accepted.contacts {
                    association::set_remote(tx, message, address, remote_id)?;
                }
                let answer = outbox::Accepted {
                    remote_id: accepted.remote_id,
                    link: accepted.link,
                    how: how.to_owned(),
                    at: now,
                };
                outbox::accept(tx, id, &answer)
            })
            .await?;
        self.shared.accepted.notify_waiters();
        self.shared.tell(event);
        Ok(())
    }

    async fn retry_later(&self, id: i64, error: &CrmError, at: Timestamp) -> Result<(), QueueError> {
        let Some(lease) = self.lease_of(id) else { return Ok(()) };
        let (row, reason, words) = (lease.clone(), error.reason, error.words.to_string());
        // Once unknown, the outcome stays unknown until the CRM was looked at.
        let uncertain = error.uncertain || lease.uncertain;
        let (sink, now, sent) = (self.sink, self.shared.clock.now(), error.sent.clone());
        self.shared
            .ledger
            .write(move |tx| {
                book(tx, sink, Some(row.message), now, &sent)?;
                outbox::retry_later(tx, &row, at, uncertain, Some(reason), Some(&words), now)
            })
            .await?;
        if error.reason != Reason::CrmRecordMissing {
            self.failed(&lease, error, Some(at));
        }
        Ok(())
    }

    async fn set_aside(&self, id: i64, error: &CrmError) -> Result<(), QueueError> {
        let Some(lease) = self.lease_of(id) else { return Ok(()) };
        let (row, reason, words) = (lease.clone(), error.reason, error.words.to_string());
        let (sink, now, sent) = (self.sink, self.shared.clock.now(), error.sent.clone());
        let uncertain = error.uncertain || lease.uncertain;
        self.shared
            .ledger
            .write(move |tx| {
                book(tx, sink, Some(row.message), now, &sent)?;
                outbox::set_aside(tx, &row, uncertain, Some(reason), Some(&words), now)
            })
            .await?;
        self.failed(&lease, error, None);
        Ok(())
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, QueueError> {
        let sink = self.sink;
        Ok(self.shared.ledger.read(move |tx| outbox::next_due(tx, sink)).await?)
    }
}

/// Notes what left the computer, whether it was taken or not.
pub(crate) fn book(
    tx: &Tx<'_>,
    sink: &str,
    message: Option<i64>,
    at: Timestamp,
    sent: &[threadline_crm::Egress],
) -> Result<(), StoreError> {
    let fields: Vec<egress::Egress> = sent
        .iter()
        .map(|e| egress::Egress {
            id: 0,
            at,
            sink: sink.to_owned(),
            message,
            object: e.object.clone(),
            remote_id: e.remote_id.clone(),
            field: e.field.clone(),
            bytes: e.bytes,
        })
        .collect();
    egress::add(tx, &fields)
}

/// All of a record but its text. `None` where the message or its body is gone.
fn parts(tx: &Tx<'_>, sink: &str, id: i64) -> Result<Option<Parts>, StoreError> {
    let Some(row) = message::get(tx, id)? else { return Ok(None) };
    let (Some(key), Some(headers), Some(thread)) = (row.key, row.headers, row.thread) else {
        return Ok(None);
    };
    let (Some(thread), Some(account), Some(body)) =
        (thread::get(tx, thread)?, account::get(tx, row.account)?, body::get(tx, id)?)
    else {
        return Ok(None);
    };
    let contacts = with_ids_of(tx, sink, association::of_message(tx, id)?)?;
    let id_of = |ids: &[threadline_core::id::MessageId]| ids.first().map(ToString::to_string);
    // A copy goes by no id: by the mail's own a CRM would take the others' record for it.
    let copy = hidden::of(tx, id)?.is_some();
    let ids = if copy { &[][..] } else { &headers.ids };
    let record = Record {
        key,
        message_id: id_of(ids),
        ids: ids.iter().map(ToString::to_string).collect(),
        in_reply_to: id_of(&headers.in_reply_to),
        thread: thread.key,
        direction: row.direction,
        date: row.time,
        from: headers.from,
        to: if copy { headers.bcc } else { headers.to },
        cc: headers.cc,
        subject: headers.subject,
        text: String::new(),
        html: None,
        attachments: Vec::new(),
        truncated: body.truncated,
        contacts,
        account: account.address,
        rule: row.rule,
    };
    let limits = setting::get(tx, LIMITS)?.unwrap_or_default();
    let text = setting::get(tx, CRM_TEXT)?.unwrap_or_default();
    Ok(Some(Parts { record, raw: body.raw, limits, text }))
}

/// The contacts with the ids that this CRM, and not another one, knows them by. One by another address than the CRM has, as the
/// person said, keeps the id of that contact.
fn with_ids_of(tx: &Tx<'_>, sink: &str, contacts: Vec<Association>) -> Result<Vec<Association>, StoreError> {
    let addresses: Vec<Address> = contacts.iter().map(|c| c.address.clone()).collect();
    let known = contact::lookup(tx, sink, &addresses)?;
    // The local list's ids are addresses.
    let own = CrmSettings::has_contacts(sink);
    Ok(contacts
        .into_iter()
        .map(|c| {
            let decided = || c.remote_id.clone().filter(|id| own && !id.contains('@'));
            Association {
                remote_id: known.get(&c.address).map(|k| k.remote_id.clone()).or_else(decided),
                ..c
            }
        })
        .collect())
}

/// Fills in the text. A parser that panics costs this message, not the worker.
fn parse(parts: Parts, wants_raw: bool, wants_files: bool) -> Option<(Record, Bytes, Vec<DeliveredFile>)> {
    let Parts { mut record, raw, limits, text } = parts;
    let body = catch_unwind(AssertUnwindSafe(|| Body::parse(&raw))).ok()?;
    (record.text, record.html) = (body.text, body.html);
    if record.rule == Rule::ForwardedToLog {
        // What is logged is the original, and not what was written above it.
        let original = catch_unwind(AssertUnwindSafe(|| original(&raw))).ok().flatten()?;
        (record.text, record.html) = (original.text, None);
    }
    record.attachments = body.attachments;
    let files = match wants_files && !record.attachments.is_empty() {
        true => catch_unwind(AssertUnwindSafe(|| files::to_send(&raw, record.truncated, &limits))).ok()?,
        false => Vec::new(),
    };
    if text == CrmText::New {
        // The HTML holds the quote too, and no reader tells it apart for certain.
        record.text = catch_unwind(AssertUnwindSafe(|| reply::read(&record.text))).ok()?.text;
        record.html = None;
    }
    let raw = match (wants_raw, text) {
        (false, _) => Vec::new(),
        (true, CrmText::Whole) => raw,
        (true, CrmText::New) => with_text(&raw, &record.text),
    };
    Some((record, Bytes::from(raw), files))
}
