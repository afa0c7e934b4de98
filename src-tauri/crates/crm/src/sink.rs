//! What a CRM must be able to do.

use crate::error::CrmError;
use bytes::Bytes;
use threadline_core::address::Address;
use threadline_core::contact::Contact;
use threadline_core::record::Record;

/// A place that logged messages go to.
#[async_trait::async_trait]
pub trait Sink: Send + Sync + std::fmt::Debug {
    /// `hubspot`, `webhook` or `folder`.
    fn name(&self) -> &'static str;

    /// Proves that the sink may be used and finds out how it keeps doubles away. Asks once; later calls are cheap.
    async fn connect(&self) -> Result<Portal, CrmError>;

    /// Most deliveries of one push; at least 1.
    fn most(&self) -> usize;

    /// Stores the messages. The answer has the length and the order of `batch`. A key that is there already is
    /// not stored again, and what is there is not changed.
    async fn push(&self, batch: &[Delivery]) -> Vec<Result<Accepted, CrmError>>;

    /// Whether [`Delivery::raw`] is looked at; where not, it is left empty.
    fn wants_raw(&self) -> bool {
        false
    }

    /// Whether [`Sink::deleted`] can tell.
    fn knows_deleted(&self) -> bool {
        false
    }

    /// Which of these records, by the sink's own ids, are deleted or archived there.
    async fn deleted(&self, _remote_ids: &[String]) -> Result<Vec<String>, CrmError> {
        Ok(Vec::new())
    }

    /// Whether [`Sink::archive`] can remove records.
    fn archives(&self) -> bool {
        false
    }

    /// Removes records, by the sink's own ids, so that a person sees them no more; one that is gone already is no failure.
    async fn archive(&self, _remote_ids: &[String]) -> Result<(), CrmError> {
        Ok(())
    }

    /// Whether [`Sink::mark_bounced`] can say so of a record.
    fn marks_bounced(&self) -> bool {
        false
    }

    /// Says of records, by the sink's own ids, that their mail did not reach its recipient; one that is gone is no failure.
    async fn mark_bounced(&self, _remote_ids: &[String]) -> Result<(), CrmError> {
        Ok(())
    }

    /// What the sink cannot do though mail reaches it, as far as that was seen.
    fn lacks(&self) -> Option<CrmError> {
        None
    }

    /// Whether [`Delivery::files`] is looked at; where not, it is left empty.
    fn wants_files(&self) -> bool {
        false
    }

    /// Whether files are stored by [`Sink::upload`] before their message is pushed.
    fn uploads(&self) -> bool {
        false
    }

    /// Stores a file and gives the sink's own id of it. The same file is not stored twice, where the sink can tell.
    async fn upload(&self, _file: &DeliveredFile) -> Result<Uploaded, CrmError> {
        Ok(Uploaded::default())
    }

    /// Whether [`Sink::contacts`] gives anything; where not, the local contact list serves.
    fn has_contacts(&self) -> bool;

    /// One page of contacts. Without a cursor the whole list begins; the cursor is [`ContactPage::next`] of the page
    /// before, and may be days old. A contact can come twice.
    async fn contacts(&self, cursor: Option<&str>) -> Result<ContactPage, CrmError>;
}

/// What the sink turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portal {
    /// To be shown: the account, the host or the folder.
    pub name: String,
    /// The CRM's id of the account.
    pub id: Option<String>,
    pub dedupe: Dedupe,
    /// Scopes whose absence costs something small, such as the owner's name on a mail.
    pub missing_scopes: Vec<String>,
}

/// Who keeps doubles away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dedupe {
    /// The CRM, by a property that must be unique.
    UniqueProperty,
    /// The sink looks before it writes; two computers at the same instant could both write.
    Search,
    /// The receiver, by the idempotency key.
    Receiver,
    /// The sink's own index, under a lock that all writers share.
    Index,
}

/// One message on its way.
#[derive(Clone, PartialEq)]
pub struct Delivery {
    pub record: Record,
    /// The message as the mail server gave it (RFC 5322); it may hold a Bcc field. Empty for a sink that does not want it.
    pub raw: Bytes,
    /// The files that somebody sent with it, without those that the settings keep here.
    pub files: Vec<DeliveredFile>,
    /// An earlier attempt's outcome is unknown: look before writing.
    pub uncertain: bool,
    /// The CRM logs it by itself, because it was sent to the CRM's own address: the record is looked for, and none is written.
    pub awaited: Option<Awaited>,
}

/// How long the record of a message is waited for already that the CRM makes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// It may come yet.
    Still,
    /// Only a person can say what becomes of it.
    TooLong,
}

/// A file of a message.
#[derive(Clone, PartialEq, Eq)]
pub struct DeliveredFile {
    /// Safe on every file system.
    pub name: String,
    pub media_type: String,
    /// SHA-256 of its bytes.
    pub hash: [u8; 32],
    pub bytes: Bytes,
    /// The sink's id, where it was uploaded.
    pub remote_id: Option<String>,
}

/// Names and contents stay out of debug prints.
impl std::fmt::Debug for DeliveredFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeliveredFile")
            .field("bytes", &self.bytes.len())
            .field("remote_id", &self.remote_id)
            .finish_non_exhaustive()
    }
}

/// What became of an upload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uploaded {
    pub remote_id: Option<String>,
    /// What left the computer for it.
    pub sent: Vec<Egress>,
}

/// Mail text stays out of debug prints.
impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery")
            .field("key", &self.record.key)
            .field("bytes", &self.raw.len())
            .field("uncertain", &self.uncertain)
            .finish_non_exhaustive()
    }
}

/// How a message came to be in the CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Created,
    /// Threadline had stored it before, here or on another computer.
    Existing,
    /// The CRM had logged it by itself; the contacts were associated and nothing else was touched.
    Linked,
}

/// The CRM has the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub remote_id: Option<String>,
    /// Where a person can see it.
    pub link: Option<String>,
    pub how: How,
    /// Every field that left the computer for this message, in this attempt.
    pub sent: Vec<Egress>,
    /// Contacts that were made or found: address and the CRM's id.
    pub contacts: Vec<(Address, String)>,
}

/// One field that left the computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Egress {
    /// What kind of thing it went to: `email`, `contact`, `association`, `event`, `file`.
    pub object: String,
    pub remote_id: Option<String>,
    /// The field's name there; `search:` before it where it was only asked for.
    pub field: String,
    pub bytes: u64,
}

/// Some contacts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactPage {
    pub contacts: Vec<Contact>,
    /// Ids of contacts that are no more, or have no address any more.
    pub archived: Vec<String>,
    /// To be stored in the transaction that stores this page, and given back for the next one.
    pub next: String,
    /// Another page is there now. When not, ask again when it suits.
    pub more: bool,
    /// The whole list has been seen once.
    pub first_pull_done: bool,
}
