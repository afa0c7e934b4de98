//! The audit by night, where a person wants it.

use crate::engine::Engine;
use crate::error::EngineError;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use threadline_core::audit::is_due;
use threadline_store::setting;

/// The setting.
const NAME: &str = "audit.nightly";
/// How many days a nightly audit goes back, where nothing else was set.
const DAYS: u32 = 30;

/// Whether each night has an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct NightlyAudit {
    pub on: bool,
    /// How far back it looks.
    pub days: u32,
    /// What it finds missing is put on its way.
    pub fix: bool,
    /// When one began last.
    pub last: Option<Timestamp>,
}

impl Default for NightlyAudit {
    fn default() -> Self {
        Self { on: false, days: DAYS, fix: false, last: None }
    }
}

impl Engine {
    /// Whether each night has an audit; off at first.
    pub async fn nightly_audit(&self) -> Result<NightlyAudit, EngineError> {
        Ok(self.ledger().read(|tx| setting::get(tx, NAME)).await?.unwrap_or_default())
    }

    /// Sets whether each night has an audit; when one began last is kept.
    pub async fn set_nightly_audit(&self, wanted: NightlyAudit) -> Result<NightlyAudit, EngineError> {
        let set = move |tx: &threadline_store::Tx<'_>| {
            let before: NightlyAudit = setting::get(tx, NAME)?.unwrap_or_default();
            let now = NightlyAudit { last: before.last, ..wanted };
            setting::set(tx, NAME, &now)?;
            Ok(now)
        };
        Ok(self.ledger().write(set).await?)
    }

    /// Audits every mailbox that is not paused, where a night's audit is due at this time; false where none is.
    pub async fn audit_if_due(&self) -> Result<bool, EngineError> {
        let set = self.nightly_audit().await?;
        let now = self.clock().now();
        if !set.on || !is_due(&now.to_zoned(TimeZone::system()), set.last) {
            return Ok(false);
        }
        let begun = NightlyAudit { last: Some(now), ..set };
        self.ledger().write(move |tx| setting::set(tx, NAME, &begun)).await?;
        for account in self.accounts().await? {
            if account.paused_until.is_none_or(|until| until <= now)
                && let Err(error) = self.audit(&account.settings.address, set.days, set.fix, |_| {}).await
            {
                tracing::warn!(
                    code = error.code(),
                    "a mailbox was not audited; the next night tries it again"
                );
            }
        }
        Ok(true)
    }
}

/// Audits where a night's audit is due.
pub(crate) async fn glance(engine: &Engine) {
    if let Err(error) = engine.audit_if_due().await {
        tracing::error!(code = error.code(), "the nightly audit failed; it is tried again");
    }
}
