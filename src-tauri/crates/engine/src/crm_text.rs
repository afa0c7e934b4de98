//! How much of a mail's text goes to the CRM. Here it is kept whole either way.

use crate::engine::Engine;
use crate::error::EngineError;
use serde::{Deserialize, Serialize};
use threadline_store::setting;

/// The setting.
pub(crate) const CRM_TEXT: &str = "crm_text";

/// What goes to the CRM.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum CrmText {
    /// The text as it was sent.
    #[default]
    Whole,
    /// What is new in it, as plain text: without what it quotes and without the signature. Where no quote is known as one, all
    /// of it is new.
    New,
}

impl Engine {
    pub async fn crm_text(&self) -> Result<CrmText, EngineError> {
        Ok(self.ledger().read(|tx| setting::get(tx, CRM_TEXT)).await?.unwrap_or_default())
    }

    /// Sets it, for what is pushed from now on.
    pub async fn set_crm_text(&self, wanted: CrmText) -> Result<CrmText, EngineError> {
        self.ledger().write(move |tx| setting::set(tx, CRM_TEXT, &wanted)).await?;
        Ok(wanted)
    }
}
