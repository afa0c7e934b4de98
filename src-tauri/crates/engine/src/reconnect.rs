//! What the reconnect wizard opens with, and the step that ends it.

use crate::advice::ProviderAdvice;
use crate::check::CheckStepName;
use crate::engine::{Engine, sends_elsewhere, to_json};
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use crate::identity::{self, Proof};
use crate::mailbox;
use crate::settings::{AccountSettings, Auth, MailboxDraft, secret_names};
use crate::sign_in;
use crate::tokens::Using;
use jiff::Timestamp;
use serde::Serialize;
use threadline_core::address::Address;
use threadline_core::health::{Channel, Health};
use threadline_core::reason::{Evidence, Phase, Reason, Signal};
use threadline_mail::error::MailError;
use threadline_store::health::Owner;
use threadline_store::{account, health, status};
use zeroize::Zeroizing;

/// A mailbox that is to be connected again. Without a failure at the moment its five middle fields are `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Broken {
    pub draft: MailboxDraft,
    pub reason: Option<Reason>,
    pub since: Option<Timestamp>,
    /// The server's own words.
    pub evidence: Option<String>,
    /// The step of the check at which it fails.
    pub failed: Option<CheckStepName>,
    /// What this provider wants done, where that is known.
    pub advice: Option<ProviderAdvice>,
    /// Logged mails whose text is still to be read from the mail server.
    pub waiting: u64,
}

/// What to do where a sign-in turns out to be for another mailbox than the one that was read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherMailbox {
    Refuse,
    /// The person knows.
    Accept,
}

impl Engine {
    /// What is wrong with a mailbox: its worst channel.
    pub async fn broken(&self, address: &Address) -> Result<Broken, EngineError> {
        let account = self.account(address).await?;
        let id = account.id;
        let read = move |tx: &threadline_store::Tx<'_>| {
            Ok((health::present(tx, &Owner::Account(id))?, status::account(tx, id)?.bodies_waiting))
        };
        let (channels, waiting) = self.ledger().read(read).await?;
        let worst = channels.into_iter().filter(|h| h.reason.is_some()).max_by_key(|h| h.state);
        let draft = account.settings.draft;
        let advised = |reason| ProviderAdvice::of(reason, &draft.host);
        Ok(match worst {
            Some(health) => Broken {
                advice: health.reason.and_then(advised),
                draft,
                failed: failed(&health),
                reason: health.reason,
                since: Some(health.since),
                evidence: health.evidence,
                waiting,
            },
            None => Broken {
                draft,
                reason: None,
                since: None,
                evidence: None,
                failed: None,
                advice: None,
                waiting,
            },
        })
    }

    /// Signs in with these settings, and only then stores them and the password and lets the mailbox connect anew; then
    /// [`Event::CatchUp`](crate::Event::CatchUp) tells of what was missed. Without a password the one in the keychain is
    /// used, or what the last sign-in with the browser has given. A sign-in for another mailbox than the ledger knows is
    /// refused with `wrong_account` unless it is accepted.
    /// An accepted one is read from now on. Where anything fails, nothing is stored.
    pub async fn reconnect(
        &self,
        settings: AccountSettings,
        password: Option<Zeroizing<String>>,
        other: OtherMailbox,
    ) -> Result<(), EngineError> {
        let server = settings.server()?;
        settings.smtp_server()?;
        let found = self.row(&settings.address).await?;
        let mut session = match sign_in::session(self.shared(), &settings, password.clone(), Using::JustNow)
            .await
        {
            Ok(session) => session,
            Err(EngineError::Mail(error)) if password.is_none() => {
                return Err(mailbox::with_history(self.shared(), &settings.address, *error).await?.into());
            }
            Err(error) => return Err(error),
        };
        let same = async {
            let folders = session.folders().await?;
            identity::prove_mailbox(self, &settings.address, &mut session, &folders).await
        };
        let proof = same.await?;
        session.logout().await;
        let text = to_json(&settings)?;
        let moved = identity::is_moved(&found.settings, &text);
        let is_other = proof.is_some_and(|proof| !proof.is_same(moved));
        if is_other && other == OtherMailbox::Refuse {
            let evidence = Evidence::new(Phase::Select, Signal::WrongAccount, "");
            return Err(MailError::new(&server.name(), evidence).into());
        }
        match (settings.auth, password) {
            (Auth::Oauth { provider }, _) => self.shared().store_in_hand(&settings.address, provider).await?,
            (Auth::Password, Some(password)) => {
                self.shared().set_secret(&settings.secret_name(), password).await?;
            }
            (Auth::Password, None) => {}
        }
        // Equal numbers prove nothing about another server or another user.
        let anew = is_other || (moved && proof == Some(Proof::Numbering));
        let another = sends_elsewhere(&found, &settings);
        let (id, now) = (found.id, self.clock().now());
        let store = move |tx: &threadline_store::Tx<'_>| {
            account::set_settings(tx, id, &text)?;
            account::set_worked_secret(tx, id, true)?;
            if anew {
                account::begin_anew(tx, id, now)?;
            }
            count_up(tx, Part::Account(id))
        };
        self.ledger().write(store).await?;
        // A mailbox has one secret: a password, or what the browser gave.
        for name in secret_names(&settings.address).iter().filter(|name| **name != settings.secret_name()) {
            self.shared().delete_secret(name).await?;
        }
        self.recall_sending(id, &settings, another).await
    }
}

/// The step of the check at which a channel fails.
fn failed(health: &Health) -> Option<CheckStepName> {
    let step = match (health.phase, health.channel) {
        (_, Channel::Smtp) => CheckStepName::Smtp,
        (_, Channel::Crm) => CheckStepName::Crm,
        (Some(phase), _) => CheckStepName::of_phase(phase)?,
        (None, _) => return None,
    };
    // Each channel has a folder of its own.
    Some(if step == CheckStepName::Inbox && health.channel == Channel::Sent {
        CheckStepName::Sent
    } else {
        step
    })
}
