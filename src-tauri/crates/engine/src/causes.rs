//! Failures of several mailboxes that are one: a provider that asks something of everybody.

use crate::views::{MailboxStatus, Status};
use jiff::Timestamp;
use serde::Serialize;
use threadline_core::address::Address;
use threadline_core::health::{Channel, Health, State};
use threadline_core::reason::Reason;

/// One cause at one provider, where the person has several mailboxes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SharedCause {
    /// As people call it.
    pub provider: String,
    pub reason: Reason,
    /// Since when, for the first of them.
    pub since: Timestamp,
    /// Which it has met so far; the others there may be next.
    pub met: Vec<Address>,
    /// How many mailboxes the person has there.
    pub mailboxes: usize,
}

impl Status {
    /// The causes that a provider's mailboxes share.
    pub fn shared_causes(&self) -> Vec<SharedCause> {
        let mut causes: Vec<SharedCause> = Vec::new();
        for mailbox in &self.mailboxes {
            for health in broken(mailbox) {
                let Some(reason) = health.reason.filter(|reason| self.is_shared(mailbox, *reason)) else {
                    continue;
                };
                let known = causes.iter_mut().find(|c| c.provider == mailbox.provider && c.reason == reason);
                match known {
                    Some(cause) => {
                        cause.since = cause.since.min(health.since);
                        if !cause.met.contains(&mailbox.address) {
                            cause.met.push(mailbox.address.clone());
                        }
                    }
                    None => causes.push(SharedCause {
                        provider: mailbox.provider.clone(),
                        reason,
                        since: health.since,
                        met: vec![mailbox.address.clone()],
                        mailboxes: self.at(&mailbox.provider).count(),
                    }),
                }
            }
        }
        causes
    }

    /// Whether it is not this mailbox alone that a provider asks something of.
    pub fn is_shared(&self, mailbox: &MailboxStatus, reason: Reason) -> bool {
        reason.is_providers_policy() && self.at(&mailbox.provider).nth(1).is_some()
    }

    fn at<'a>(&'a self, provider: &'a str) -> impl Iterator<Item = &'a MailboxStatus> {
        self.mailboxes.iter().filter(move |mailbox| mailbox.provider == provider)
    }
}

/// The channels that a person must mend; none of a mailbox that is paused.
pub fn broken(mailbox: &MailboxStatus) -> impl Iterator<Item = &Health> {
    let awake = mailbox.state != State::Paused;
    mailbox.channels.iter().filter(move |health| {
        // Sending is known from checks alone.
        awake && health.state == State::NeedsAttention && health.channel != Channel::Smtp
    })
}
