//! Deleting everything that Threadline keeps on this computer.

use crate::apps;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::home::Hold;
use crate::proxy;
use crate::relay;
use crate::settings::{CrmSettings, secret_names};
use std::sync::Arc;
use threadline_store::account;

impl Engine {
    /// Deletes the data folder's ledger, with its side files and the ledgers that were set aside, and every secret of this
    /// data folder in the keychain; with `export` also the folder of files that is the CRM where none is set. Mailboxes
    /// and CRMs keep what they have.
    ///
    /// The folder must be held, so that no other process works in it, and this engine must not run any more: its other
    /// clones are of no use afterwards. The secrets go first. Where one cannot be removed nothing else is, and it can be
    /// tried again.
    pub async fn delete_everything(self, hold: Hold, export: bool) -> Result<(), EngineError> {
        let rows = self.ledger().read(account::list).await?;
        let mut names: Vec<String> = rows.iter().flat_map(|row| secret_names(&row.address)).collect();
        names.extend(relay::secret_names(rows.iter().map(|row| &row.address)));
        names.extend(apps::secret_names());
        names.push(proxy::SECRET.to_owned());
        names.extend(CrmSettings::SECRETS.iter().map(|name| (*name).to_owned()));
        // The ledger's own key is the last: without it nobody can read which secrets there are.
        names.extend(self.home().key_names()?);
        let shared = Arc::clone(self.shared());
        drop(self);
        for name in names {
            shared.delete_secret(&name).await?;
        }
        let home = shared.home.clone();
        // The last clone closes the file, which Windows wants before it goes.
        drop(shared);
        tokio::task::spawn_blocking(move || home.delete(hold, export))
            .await
            .map_err(|_| EngineError::Unfinished)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Home;
    use crate::settings::{AccountSettings, Encryption};
    use jiff::Timestamp;
    use std::path::Path;
    use threadline_core::address::Address;
    use threadline_secrets::{Memory, SecretError, Secrets};
    use threadline_testkit::clock::HandClock;
    use zeroize::Zeroizing;

    struct Place {
        dir: tempfile::TempDir,
        secrets: Arc<Memory>,
    }

    impl Place {
        fn home(&self) -> Home {
            Home::open(&self.dir.path().join("data")).unwrap()
        }

        fn engine(&self) -> Engine {
            let clock = Arc::new(HandClock::at(Timestamp::UNIX_EPOCH));
            Engine::open(self.home(), self.secrets.clone(), clock, None).unwrap().0
        }

        /// A mailbox, a CRM with a secret, an older ledger set aside, an export, and somebody else's secret.
        async fn full() -> Self {
            let place = Self { dir: tempfile::tempdir().unwrap(), secrets: Arc::new(Memory::new()) };
            drop(place.engine());
            for name in place.secrets.names() {
                place.secrets.delete(&name).unwrap();
            }
            let engine = place.engine();
            let address = Address::parse("ann@firm.example").unwrap();
            let settings = AccountSettings::new(address, "imap.firm.example".into(), Encryption::Tls);
            engine.add_account(settings, Some(Zeroizing::new("secret".into()))).await.unwrap();
            let crm = CrmSettings::Webhook { url: "https://x.example/".into() };
            let secret = Zeroizing::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
            engine.set_crm(crm, Some(secret)).await.unwrap();
            std::fs::create_dir(engine.home().default_export_dir()).unwrap();
            place.secrets.set("imap:ann@firm.example@0000000000000000", "another folder's").unwrap();
            place
        }

        fn files(&self) -> Vec<String> {
            let dir = self.dir.path().join("data");
            let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
            let mut names: Vec<String> =
                entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        }
    }

    #[tokio::test]
    async fn nothing_is_left_but_the_export_where_that_is_wanted() {
        for export in [false, true] {
            let place = Place::full().await;
            assert!(place.files().iter().any(|f| f.contains(".aside-")), "{:?}", place.files());
            let (engine, hold) = (place.engine(), place.home().hold("Threadline").unwrap());
            engine.delete_everything(hold, export).await.unwrap();
            let left: &[&str] = if export { &[] } else { &["crm-folder"] };
            assert_eq!(place.files(), left);
            assert_eq!(Path::new(&place.dir.path().join("data")).exists(), !export);
            assert_eq!(place.secrets.names(), ["imap:ann@firm.example@0000000000000000"]);
            // It begins anew.
            let engine = place.engine();
            assert!(engine.accounts().await.unwrap().is_empty());
        }
    }

    #[tokio::test]
    async fn where_the_keychain_fails_nothing_is_deleted() {
        let place = Place::full().await;
        let before = place.files();
        let (engine, hold) = (place.engine(), place.home().hold("Threadline").unwrap());
        place.secrets.fail_with(Some(SecretError::Locked { words: "locked".into() }));
        assert!(engine.delete_everything(hold, true).await.is_err());
        place.secrets.fail_with(None);
        for name in
            before.iter().filter(|n| n.starts_with("ledger.db") && !n.ends_with("wal") && !n.ends_with("shm"))
        {
            assert!(place.files().contains(name), "{name}");
        }
        assert_eq!(place.engine().accounts().await.unwrap().len(), 1);
    }
}
