//! A mailbox whose stored settings cannot be read: it is told of, and the others go on.

use crate::engine::Account;
use crate::error::EngineError;
use crate::shared::Shared;
use jiff::Timestamp;
use threadline_core::address::Address;
use threadline_core::health::{Channel, Health, State};
use threadline_core::reason::Reason;
use threadline_core::rule::Rules;
use threadline_store::{StoreError, account};

/// A mailbox that cannot be watched before its settings are written anew.
#[derive(Debug)]
pub struct Unusable {
    id: i64,
    pub address: Address,
    /// The rules, where at least they can be read.
    pub rules: Option<Rules>,
    pub error: EngineError,
}

impl Unusable {
    /// `None` where the settings can be read.
    pub(crate) fn read(row: &account::Account) -> Option<Self> {
        let error = Account::read(row).err()?;
        let value: Option<serde_json::Value> = serde_json::from_str(&row.settings).ok();
        let rules = value.and_then(|mut v| serde_json::from_value(v.get_mut("rules")?.take()).ok());
        Some(Self { id: row.id, address: row.address.clone(), rules, error })
    }

    /// How its channels are. Where that was known `before`, it keeps its beginning.
    pub(crate) fn health(&self, before: &[Health], now: Timestamp) -> Vec<Health> {
        let one = |channel| {
            let known =
                before.iter().find(|h| h.channel == channel && h.reason == Some(Reason::SettingUnusable));
            Health {
                channel,
                state: State::NeedsAttention,
                phase: None,
                reason: Some(Reason::SettingUnusable),
                since: known.map_or(now, |h| h.since),
                evidence: Some(self.error.to_string()),
                next_try: None,
            }
        };
        [Channel::Inbox, Channel::Sent].map(one).into()
    }

    /// Stores how it is, and tells whoever listens.
    pub(crate) async fn tell(&self, shared: &Shared) -> Result<(), StoreError> {
        for health in self.health(&[], shared.clock.now()) {
            shared.set_health(self.id, &self.address, health).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Engine;
    use crate::home::Home;
    use crate::settings::{AccountSettings, Encryption};
    use std::sync::Arc;
    use threadline_secrets::Memory;
    use threadline_testkit::clock::HandClock;
    use zeroize::Zeroizing;

    const ANN: &str = "ann@firm.example";
    const BOB: &str = "bob@firm.example";

    fn settings(address: &str) -> AccountSettings {
        let address = Address::parse(address).unwrap();
        AccountSettings::new(address, "imap.firm.example".into(), Encryption::Tls)
    }

    /// Two mailboxes, both paused so that none connects. Ann's settings are damaged, but not her rules.
    async fn engine(dir: &tempfile::TempDir, secrets: &Arc<Memory>) -> Engine {
        let home = Home::open(&dir.path().join("data")).unwrap();
        let clock = Arc::new(HandClock::at(Timestamp::UNIX_EPOCH));
        let (engine, _) = Engine::open(home, secrets.clone(), clock, None).unwrap();
        for address in [ANN, BOB] {
            let mut settings = settings(address);
            settings.rules.never_addresses = vec![Address::parse("lover@x.example").unwrap()];
            engine.add_account(settings, Some(Zeroizing::new("secret".into()))).await.unwrap();
            let address = Address::parse(address).unwrap();
            engine.pause(&address, Some(crate::engine::UNTIL_RESUMED)).await.unwrap();
        }
        let mut damaged = serde_json::to_value(settings(ANN)).unwrap();
        damaged["encryption"] = "of-a-newer-version".into();
        let ann = Address::parse(ANN).unwrap();
        engine.pause(&ann, None).await.unwrap();
        let id = engine.account(&ann).await.unwrap().id;
        let write = move |tx: &threadline_store::Tx<'_>| account::set_settings(tx, id, &damaged.to_string());
        engine.ledger().write(write).await.unwrap();
        engine
    }

    #[tokio::test]
    async fn the_others_go_on_and_it_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let engine = engine(&dir, &Arc::new(Memory::new())).await;
        let accounts = engine.accounts().await.unwrap();
        assert_eq!(accounts.iter().map(|a| a.settings.address.as_str()).collect::<Vec<_>>(), [BOB]);
        let status = engine.status().await.unwrap();
        let [ann, bob] = &status.mailboxes[..] else { panic!() };
        assert_eq!((ann.address.as_str(), ann.state), (ANN, State::NeedsAttention));
        assert!(ann.channels.iter().all(|h| h.reason == Some(Reason::SettingUnusable)));
        assert!(ann.channels[0].evidence.as_ref().unwrap().contains("account set ann@firm.example"));
        assert_eq!((bob.address.as_str(), bob.state), (BOB, State::Paused));
        let report = engine.catch_up().await.unwrap();
        assert_eq!(report.mailboxes.len(), 1);
        assert_eq!(report.mailboxes[0].name, ANN);
        assert_eq!(report.mailboxes[0].reason.as_deref(), Some("setting_unusable"));
    }

    #[tokio::test]
    async fn it_can_be_set_anew_with_its_rules() {
        let dir = tempfile::tempdir().unwrap();
        let engine = engine(&dir, &Arc::new(Memory::new())).await;
        let unusable = engine.unusable_accounts().await.unwrap().remove(0);
        assert_eq!((unusable.address.as_str(), unusable.error.code()), (ANN, "broken_account"));
        let mut anew = settings(ANN);
        anew.rules = unusable.rules.unwrap();
        engine.change_account(anew.clone()).await.unwrap();
        assert_eq!(engine.account(&anew.address).await.unwrap().settings, anew);
        assert!(engine.unusable_accounts().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn it_can_be_removed_with_its_password() {
        let dir = tempfile::tempdir().unwrap();
        let secrets = Arc::new(Memory::new());
        let engine = engine(&dir, &secrets).await;
        let ann = Address::parse(ANN).unwrap();
        let again =
            engine.add_account(settings(ANN), Some(Zeroizing::new("other".into()))).await.unwrap_err();
        assert_eq!(again.code(), "account_exists");
        engine.remove_account(&ann).await.unwrap();
        assert!(!secrets.names().iter().any(|name| name.contains(ANN)));
        assert_eq!(engine.status().await.unwrap().mailboxes.len(), 1);
    }
}
