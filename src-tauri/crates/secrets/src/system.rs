//! The operating system's own keychain.

use crate::error::meaning;
use crate::worker::Worker;
use crate::{MOST_BYTES, SERVICE, SecretError, Secrets};
use keyring_core::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long one call may take: long enough for a person to type the keychain's password.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The system's keychain, when it was seen to work: something was written, read back and removed.
pub fn system() -> Result<Arc<dyn Secrets>, SecretError> {
    system_within(PATIENCE)
}

/// The same with another time limit for each call.
pub fn system_within(patience: Duration) -> Result<Arc<dyn Secrets>, SecretError> {
    let system = System { worker: Worker::start(patience)? };
    system.worker.run(|| {
        open_store()?;
        probe()
    })?;
    Ok(Arc::new(system))
}

/// Connects to the keychain; again where the first try in this process failed.
fn open_store() -> Result<(), SecretError> {
    match keyring::v1::Entry::store_status() {
        Ok(()) => Ok(()),
        #[cfg(all(unix, not(target_os = "macos")))]
        Err(_) => {
            let store = zbus_secret_service_keyring_store::Store::new().map_err(|e| meaning(&e))?;
            keyring_core::set_default_store(store);
            Ok(())
        }
        #[cfg(not(all(unix, not(target_os = "macos"))))]
        Err(error) => Err(meaning(error)),
    }
}

#[derive(Debug)]
struct System {
    worker: Worker,
}

impl Secrets for System {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<String>>, SecretError> {
        let name = name.to_owned();
        self.worker.run(move || match read(&name)? {
            Some(value) => Ok(Some(value)),
            // A locked Secret Service says "no such entry" instead of "locked". Only a write tells them apart, and to take
            // a locked key for a lost one would cost the ledger. The write may have unlocked it: look again.
            None => probe().and_then(|()| read(&name)),
        })
    }

    fn set(&self, name: &str, value: &str) -> Result<(), SecretError> {
        check_size(name, value)?;
        let name = name.to_owned();
        let value = Zeroizing::new(value.to_owned());
        self.worker.run(move || write(&name, &value))
    }

    fn delete(&self, name: &str) -> Result<(), SecretError> {
        let name = name.to_owned();
        self.worker.run(move || remove(&name))
    }
}

pub(crate) fn check_size(name: &str, value: &str) -> Result<(), SecretError> {
    if value.len() > MOST_BYTES {
        return Err(SecretError::TooLarge { name: name.to_owned(), bytes: value.len() });
    }
    Ok(())
}

fn entry(name: &str) -> Result<Entry, SecretError> {
    Entry::new(SERVICE, name).map_err(|e| meaning(&e))
}

/// Reads bytes, not a password: some stores keep a password as UTF-16, and half of [`MOST_BYTES`] would be the limit.
fn read(name: &str) -> Result<Option<Zeroizing<String>>, SecretError> {
    let bytes = match entry(name)?.get_secret() {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(keyring::Error::NoEntry) => return Ok(None),
        Err(e) => return Err(meaning(&e)),
    };
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| SecretError::Other { words: format!("the entry {name} is not text") })?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

fn write(name: &str, value: &str) -> Result<(), SecretError> {
    entry(name)?.set_secret(value.as_bytes()).map_err(|e| meaning(&e))?;
    match read(name)? {
        Some(kept) if kept.as_str() == value => Ok(()),
        _ => Err(SecretError::NotKept { name: name.to_owned() }),
    }
}

fn remove(name: &str) -> Result<(), SecretError> {
    match entry(name)?.delete_credential() {
        Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
        Err(e) => Err(meaning(&e)),
    }
}

/// Writes, reads and removes an entry that no other process and no other call uses.
fn probe() -> Result<(), SecretError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("probe-{}-{count}", std::process::id());
    let written = write(&name, "Threadline tries whether this keychain keeps what it is given.");
    // A probe that could not be written must not be left behind half written; its own error comes first.
    let removed = remove(&name);
    written.and(removed)
}
