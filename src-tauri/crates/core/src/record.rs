//! A logged message as a CRM receives it.

use crate::address::{Address, Mailbox};
use crate::id::MessageKey;
use crate::rule::Rule;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Which way a message went, from its From against the person's own addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Outgoing,
    Incoming,
}

/// A contact on a message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Association {
    pub address: Address,
    #[serde(default)]
    pub name: Option<String>,
    /// The CRM's id of the contact; `None` where the contact is still to be made.
    #[serde(default)]
    pub remote_id: Option<String>,
    /// False where the rules do not allow a contact to be made for it.
    #[serde(default)]
    pub may_create: bool,
}

crate::debug_only!(Association { remote_id, may_create });

/// A file that came with a message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Attachment {
    /// Without path separators and control characters.
    pub name: String,
    pub media_type: String,
    /// Decoded size in bytes.
    pub size: u64,
}

crate::debug_only!(Attachment { media_type, size });

/// One logged message. It holds no Bcc names, but for a copy on one of them, which is to that one and names nobody else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The idempotency key.
    pub key: MessageKey,
    /// The canonical id, without brackets; `None` where the message carries none.
    pub message_id: Option<String>,
    /// Every id the message goes by, without brackets, the canonical one first.
    pub ids: Vec<String>,
    /// The parent's id, without brackets.
    pub in_reply_to: Option<String>,
    /// The key of the conversation: the same for all its messages.
    pub thread: MessageKey,
    pub direction: Direction,
    pub date: Timestamp,
    pub from: Option<Mailbox>,
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
    pub attachments: Vec<Attachment>,
    /// True where the message was larger than the fetch limit and its end is missing.
    pub truncated: bool,
    /// Never empty.
    pub contacts: Vec<Association>,
    /// The mailbox that logged it.
    pub account: Address,
    /// The rule that logged it.
    pub rule: Rule,
}

impl Record {
    /// Whose mail it is, the likeliest first: who sent it, which a shared mailbox alone does not say, and the mailbox's own.
    pub fn owners(&self) -> impl Iterator<Item = &Address> {
        let sender = self.from.iter().map(|from| &from.address);
        let sender = sender.filter(|from| self.direction == Direction::Outgoing && **from != self.account);
        sender.chain(std::iter::once(&self.account))
    }
}

crate::debug_only!(Record { key, thread, direction, date, truncated, rule });
