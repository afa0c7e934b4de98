//! What the rules say of somebody, asked of `core::decide` itself.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::ingest;
use serde::Serialize;
use threadline_core::address::Address;
use threadline_core::arrival::{Arrival, Role};
use threadline_core::decide::{Decision, Seen, decide};
use threadline_core::envelope::Envelope;
use threadline_core::rule::Rule;
use threadline_store::Tx;
use threadline_store::message::Outcome;

/// What would become of a mail, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Said {
    pub outcome: Outcome,
    pub rule: Rule,
    pub why: &'static str,
}

/// What the rules of a mailbox say of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Explained {
    pub address: Address,
    /// The address by which the person is known, where that is another one.
    pub known_as: Option<Address>,
    /// The contact's id at the CRM or in the local list.
    pub contact: Option<String>,
    /// A new mail to them alone, sent now.
    pub sent: Said,
    /// A new mail from them, received now.
    pub received: Said,
}

impl Engine {
    /// What would become of a new mail to somebody, and of one from them, if it came now.
    pub async fn explain_rules(&self, mailbox: &Address, who: &Address) -> Result<Explained, EngineError> {
        let account = self.account(mailbox).await?;
        self.shared().set_crms(&self.crm_list().await?);
        let of = ingest::Mailbox {
            id: account.id,
            epoch: account.epoch,
            address: account.settings.draft.address,
            rules: account.settings.rules,
            contact_sources: self.shared().contact_sources(),
            history: true,
        };
        let (who, now) = (who.clone(), self.clock().now());
        let read = move |tx: &Tx<'_>| {
            let mail = |from: &Address, to: &Address| Arrival {
                uid: 1,
                internal_date: now,
                size: 0,
                flags: Vec::new(),
                labels: None,
                envelope: Envelope::parse(format!("From: {from}\r\nTo: {to}\r\n\r\n").as_bytes()),
            };
            let decided = |arrival: &Arrival, role, folder| {
                let known = ingest::known(tx, &of, &arrival.envelope, None)?;
                let contact = known.contacts.get(&who).map(|c| c.remote_id.clone());
                let seen = Seen { role, folder, begins: None };
                Ok::<_, threadline_store::StoreError>((decide(arrival, seen, &known, &of.rules), contact))
            };
            let (sent, contact) = decided(&mail(&of.address, &who), Role::Sent, "Sent")?;
            let (received, _) = decided(&mail(&who, &of.address), Role::Inbox, "INBOX")?;
            let known_as = Some(of.rules.known_as(&who)).filter(|known| **known != who).cloned();
            Ok(Explained { known_as, contact, sent: said(&sent), received: said(&received), address: who })
        };
        Ok(self.ledger().read(read).await?)
    }
}

fn said(decision: &Decision) -> Said {
    Said { outcome: Outcome::from(&decision.verdict), rule: decision.rule, why: decision.rule.explanation() }
}
