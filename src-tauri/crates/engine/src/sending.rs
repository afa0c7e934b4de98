//! How the way out (SMTP) was when it was tried last. Nothing watches it: it is known from checks alone.

use crate::check::{CheckState, CheckStep, CheckStepName};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::settings::{AccountSettings, Endpoint};
use crate::shared::Shared;
use threadline_core::address::Address;
use threadline_core::health::{Channel, Health, State};
use threadline_store::Tx;
use threadline_store::health::{self, Owner};

/// What the last check of a mailbox found, and of which server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tried {
    address: Address,
    server: Option<Endpoint>,
    health: Health,
}

impl Engine {
    /// Keeps what a check found. It counts for the mailbox where that sends by this server, now or when it is set so.
    pub(crate) async fn note_sending(
        &self,
        settings: &AccountSettings,
        steps: &[CheckStep],
    ) -> Result<(), EngineError> {
        let shared = self.shared();
        let Some(health) = health_of(shared, steps) else { return Ok(()) };
        let server = settings.smtp.clone();
        *shared.tried() = Some(Tried { address: settings.address.clone(), server, health });
        match self.account(&settings.address).await {
            Ok(known) => self.recall_sending(known.id, &known.settings, false).await,
            Err(EngineError::NoAccount(_) | EngineError::BrokenAccount { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Call it where a mailbox was set. Where its server for sending is another one, what was known says nothing any more.
    pub(crate) async fn recall_sending(
        &self,
        id: i64,
        settings: &AccountSettings,
        another: bool,
    ) -> Result<(), EngineError> {
        let tried = self.shared().tried().clone();
        let tried = tried.filter(|t| t.address == settings.address && t.server == settings.smtp);
        match tried {
            Some(Tried { health, .. }) => self.shared().set_health(id, &settings.address, health).await?,
            None if !another => {}
            None => {
                let now = self.clock().now();
                let close = move |tx: &Tx<'_>| health::close(tx, &Owner::Account(id), Channel::Smtp, now);
                self.ledger().write(close).await?;
            }
        }
        Ok(())
    }
}

/// What the step says; `None` where it was not tried.
fn health_of(shared: &Shared, steps: &[CheckStep]) -> Option<Health> {
    let step = steps.iter().find(|step| step.step == CheckStepName::Smtp)?;
    let state = match step.state {
        CheckState::Ok | CheckState::Warning => State::Connected,
        CheckState::Failed => State::NeedsAttention,
        CheckState::Running | CheckState::Skipped => return None,
    };
    Some(Health {
        channel: Channel::Smtp,
        state,
        phase: None,
        reason: step.reason.filter(|_| state == State::NeedsAttention),
        since: shared.clock.now(),
        evidence: step.words.clone().filter(|_| state == State::NeedsAttention),
        next_try: None,
    })
}
