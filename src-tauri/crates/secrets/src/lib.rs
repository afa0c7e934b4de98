//! Passwords, tokens and the ledger's key, kept by the operating system: Secret Service on Linux, Credential Manager on
//! Windows, Keychain on macOS. There is no other place, and no silent file.
//!
//! Invariant: no error, log line or debug print of this crate holds a secret.

mod error;
pub mod long;
#[cfg(feature = "memory")]
mod memory;
mod system;
mod worker;

pub use error::SecretError;
#[cfg(feature = "memory")]
pub use memory::Memory;
pub use system::{PATIENCE, system, system_within};

use zeroize::Zeroizing;

/// The service under which every entry is kept.
pub const SERVICE: &str = "app.threadline";

/// Most bytes of one secret, on every system: what the Windows Credential Manager takes
/// (`CRED_MAX_CREDENTIAL_BLOB_SIZE`). What is longer is kept in parts ([`long`]).
pub const MOST_BYTES: usize = 2_560;

/// Where secrets are kept, by name: `ledger-key-…`, `imap:ann@example.com`, `crm:hubspot`.
///
/// Calls block, for up to [`PATIENCE`] where the keychain asks a person for its password.
pub trait Secrets: Send + Sync + std::fmt::Debug {
    /// `None` where there is no entry of this name, and the keychain is known to be open.
    fn get(&self, name: &str) -> Result<Option<Zeroizing<String>>, SecretError>;

    /// Writes an entry, over an older one of the same name, and reads it back.
    fn set(&self, name: &str, value: &str) -> Result<(), SecretError>;

    /// Removes an entry; none of that name is no error.
    fn delete(&self, name: &str) -> Result<(), SecretError>;
}
