//! The CRMs that are set.
//!
//! Each stands in the ledger by itself: one that cannot be read stops no other.

use crate::contacts::{self, LOCAL};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use crate::settings::CrmSettings;
use crate::shared::Shared;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use threadline_core::health::{Channel, Health, State};
use threadline_core::reason::Reason;
use threadline_crm::{Portal, Secret};
use threadline_store::{StoreError, Tx, outbox, portal, setting};
use zeroize::Zeroizing;

/// The setting that holds the list.
const CRMS: &str = "crms";

/// The CRMs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CrmList {
    pub set: Vec<CrmSettings>,
    pub unusable: Vec<UnusableCrm>,
}

/// A CRM whose settings cannot be read, before they are written anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct UnusableCrm {
    /// Which one, where at least that can be read.
    pub kind: Option<String>,
    pub problem: String,
}

impl UnusableCrm {
    /// Stores how it is, and tells whoever listens.
    pub(crate) async fn tell(&self, shared: &Shared) -> Result<(), StoreError> {
        let Some(kind) = &self.kind else { return Ok(()) };
        let health = Health {
            channel: Channel::Crm,
            state: State::NeedsAttention,
            phase: None,
            reason: Some(Reason::SettingUnusable),
            since: shared.clock.now(),
            evidence: Some(self.problem.clone()),
            next_try: None,
        };
        shared.set_sink_health(kind, health).await
    }
}

impl From<Vec<Value>> for CrmList {
    fn from(rows: Vec<Value>) -> Self {
        let mut list = Self::default();
        for row in rows {
            let kind = kind_of(&row).map(str::to_owned);
            match serde_json::from_value(row) {
                Ok(crm) => list.set.push(crm),
                Err(error) => {
                    let cause = format!("{:?} error", error.classify());
                    let known = kind.clone().unwrap_or_else(|| "…".to_owned());
                    let problem = EngineError::BrokenCrm { kind: known, cause }.to_string();
                    list.unusable.push(UnusableCrm { kind, problem });
                }
            }
        }
        list
    }
}

impl From<Vec<CrmSettings>> for CrmList {
    fn from(set: Vec<CrmSettings>) -> Self {
        Self { set, unusable: Vec::new() }
    }
}

impl CrmList {
    fn kinds(&self) -> impl Iterator<Item = &str> {
        let unusable = self.unusable.iter().filter_map(|crm| crm.kind.as_deref());
        self.set.iter().map(|crm| -> &str { crm.kind() }).chain(unusable)
    }

    /// The parts of the contact index that count under these CRMs: their own contacts, and where none has any, the
    /// local list.
    pub fn contact_sources(&self) -> Vec<String> {
        let own: Vec<String> =
            self.kinds().filter(|kind| CrmSettings::has_contacts(kind)).map(str::to_owned).collect();
        if own.is_empty() { vec![LOCAL.to_owned()] } else { own }
    }

    /// What a message is queued for.
    pub fn sinks(&self) -> Vec<String> {
        self.kinds().filter(|kind| *kind != CrmSettings::Ledger.kind()).map(str::to_owned).collect()
    }
}

/// What a message is queued for, as it is set at this moment. Where nothing is set it is the local folder.
pub(crate) fn sinks(tx: &Tx<'_>) -> Result<Vec<String>, StoreError> {
    let rows = read(tx)?;
    Ok(if rows.is_empty() { vec!["folder".to_owned()] } else { CrmList::from(rows).sinks() })
}

fn kind_of(row: &Value) -> Option<&str> {
    row.get("kind")?.as_str()
}

fn kinds(crms: &[CrmSettings]) -> Vec<&'static str> {
    crms.iter().map(CrmSettings::kind).collect()
}

fn read(tx: &Tx<'_>) -> Result<Vec<Value>, StoreError> {
    Ok(match setting::get(tx, CRMS)? {
        None => Vec::new(),
        Some(Value::Array(rows)) => rows,
        Some(other) => vec![other],
    })
}

fn write(tx: &Tx<'_>, rows: Vec<Value>, more: Option<&CrmSettings>) -> Result<(), StoreError> {
    let more = more.map(serde_json::to_value).transpose();
    let more = more.map_err(|_| StoreError::Unreadable { column: format!("setting.{CRMS}") })?;
    setting::set(tx, CRMS, &rows.into_iter().chain(more).collect::<Vec<_>>())
}

impl Engine {
    /// The CRMs that are set and can be read; where none is set, the local folder.
    pub async fn crms(&self) -> Result<Vec<CrmSettings>, EngineError> {
        Ok(self.crm_list().await?.set)
    }

    /// The same, and those whose settings cannot be read. They are not pushed to; what is logged meanwhile waits for them.
    pub async fn crm_list(&self) -> Result<CrmList, EngineError> {
        let mut list = CrmList::from(self.ledger().read(read).await?);
        if list.set.is_empty() && list.unusable.is_empty() {
            list.set.push(CrmSettings::Folder { dir: self.home().default_export_dir() });
        }
        Ok(list)
    }

    /// The CRM of this kind, where one is set.
    pub(crate) async fn crm(&self, kind: &str) -> Result<CrmSettings, EngineError> {
        let crms = self.crms().await?;
        let set = kinds(&crms).join(", ");
        let missing = || EngineError::NoCrm { kind: kind.to_owned(), set };
        crms.into_iter().find(|c| c.kind() == kind).ok_or_else(missing)
    }

    /// Connects to a CRM with these settings; nothing is stored here. `None` for the ledger alone.
    pub async fn try_crm(
        &self,
        crm: &CrmSettings,
        secret: Option<Zeroizing<String>>,
    ) -> Result<Option<Portal>, EngineError> {
        let secret = secret.map(|s| Secret::new(s.as_str()));
        match crm.sink(secret, Arc::clone(&self.shared().clock))? {
            Some(sink) => Ok(Some(sink.connect().await?)),
            None => Ok(None),
        }
    }

    /// Sets a CRM, in the place of one of the same kind. The secret goes to the keychain. The ledger alone takes the place
    /// of every CRM; see [`Engine::remove_crm`] for what goes then.
    pub async fn set_crm(
        &self,
        crm: CrmSettings,
        secret: Option<Zeroizing<String>>,
    ) -> Result<(), EngineError> {
        // Settings that no sink can be made of are refused here, where the person can mend them.
        crm.sink(secret.as_ref().map(|s| Secret::new(s.as_str())), Arc::clone(&self.shared().clock))?;
        let kind = crm.kind();
        if CrmSettings::has_contacts(kind) {
            self.ledger().write(move |tx| portal::doubt(tx, kind)).await?;
        }
        if let (Some(name), Some(secret)) = (crm.secret_name(), secret) {
            self.shared().set_secret(name, secret).await?;
        }
        if crm == CrmSettings::Ledger {
            self.forget_every_crm().await?;
        }
        let now = self.shared().clock.now();
        self.ledger()
            .write(move |tx| {
                let mut rows = read(tx)?;
                // The ledger alone excludes every CRM, and every CRM excludes it.
                rows.retain(|row| {
                    kind_of(row).is_some_and(|kind| kind != crm.kind() && kind != CrmSettings::Ledger.kind())
                        && crm != CrmSettings::Ledger
                });
                outbox::hurry(tx, crm.kind(), now)?;
                count_up(tx, Part::Crm(crm.kind()))?;
                if CrmSettings::has_contacts(crm.kind()) {
                    // Once more: who was at work meanwhile may have connected with the old secret.
                    portal::doubt(tx, crm.kind())?;
                }
                write(tx, rows, Some(&crm))
            })
            .await?;
        Ok(())
    }

    /// Removes what is set, one by one.
    async fn forget_every_crm(&self) -> Result<(), EngineError> {
        for kind in self.ledger().read(read).await?.iter().filter_map(kind_of) {
            self.remove_crm(kind).await?;
        }
        Ok(())
    }

    /// Stops logging to a CRM and forgets its secret and its contacts, also where its settings cannot be read. What waits
    /// for it is not pushed any more; gives the number of these messages.
    pub async fn remove_crm(&self, kind: &str) -> Result<usize, EngineError> {
        let rows = self.ledger().read(read).await?;
        if rows.is_empty() {
            return Err(EngineError::CrmSetting(
                "no CRM is set, so mail goes to the local folder; to keep it in the ledger alone, set that with \
                 `threadline crm set ledger`"
                    .to_owned(),
            ));
        }
        let set: Vec<&str> = rows.iter().filter_map(kind_of).collect();
        if !set.contains(&kind) {
            return Err(EngineError::NoCrm { kind: kind.to_owned(), set: set.join(", ") });
        }
        if let Some(name) = CrmSettings::secret_of(kind) {
            self.shared().delete_secret(name).await?;
        }
        let gone = kind.to_owned();
        let remove = move |tx: &Tx<'_>| {
            let mut rows = read(tx)?;
            rows.retain(|row| kind_of(row).is_some_and(|kind| kind != gone));
            write(tx, rows, None)?;
            count_up(tx, Part::Crm(&gone))?;
            outbox::abandon(tx, &gone)
        };
        let ended = self.ledger().write(remove).await?;
        contacts::clear(self.shared(), kind).await?;
        Ok(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_that_cannot_be_read_stops_no_other() {
        let list = CrmList::from(vec![
            json!({ "kind": "hubspot", "base_url": 7 }),
            json!({ "kind": "webhook", "url": "https://x.example/" }),
            json!({ "kind": "of-a-newer-version" }),
            json!(7),
        ]);
        assert_eq!(list.set, [CrmSettings::Webhook { url: "https://x.example/".into() }]);
        let kinds: Vec<_> = list.unusable.iter().map(|crm| crm.kind.as_deref()).collect();
        assert_eq!(kinds, [Some("hubspot"), Some("of-a-newer-version"), None]);
        assert!(list.unusable[0].problem.contains("crm set hubspot"), "{:?}", list.unusable);
        // What is logged waits for those that are known, and their contacts count.
        assert_eq!(list.sinks(), ["webhook", "hubspot", "of-a-newer-version"]);
        assert_eq!(list.contact_sources(), ["hubspot"]);
    }
}
