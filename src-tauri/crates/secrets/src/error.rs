//! What can be wrong with a keychain.

use std::time::Duration;
use threadline_core::reason::Reason;

/// Why a secret could not be read or written. The words are the system's own, cleaned; never a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("no keychain answers ({words}). {}", next_step(self))]
    NoService { words: String },
    #[error("the keychain is locked ({words}). {}", next_step(self))]
    Locked { words: String },
    #[error("the keychain did not answer within {} s. {}", after.as_secs(), next_step(self))]
    TimedOut { after: Duration },
    #[error("the secret for {name} has {bytes} bytes, and a keychain takes {most}. {}", next_step(self), most = crate::MOST_BYTES)]
    TooLarge { name: String, bytes: usize },
    #[error("the keychain took the secret for {name} and gave back something else. {}", next_step(self))]
    NotKept { name: String },
    #[error("the keychain failed ({words}). {}", next_step(self))]
    Other { words: String },
}

impl SecretError {
    /// The reason to show; its words and owner are the core's.
    pub fn code(&self) -> Reason {
        match self {
            Self::NoService { .. } | Self::NotKept { .. } => Reason::KeychainMissing,
            // What hangs is, as far as was seen, waiting for somebody to type the keychain's password.
            Self::Locked { .. } | Self::TimedOut { .. } => Reason::KeychainLocked,
            Self::TooLarge { .. } | Self::Other { .. } => Reason::Unknown,
        }
    }

    /// What the system said; empty where it said nothing.
    pub fn words(&self) -> &str {
        match self {
            Self::NoService { words } | Self::Locked { words } | Self::Other { words } => words,
            Self::TimedOut { .. } | Self::TooLarge { .. } | Self::NotKept { .. } => "",
        }
    }

    /// What the person can do now, in whole sentences.
    pub fn next_step(&self) -> &'static str {
        next_step(self)
    }
}

fn next_step(error: &SecretError) -> &'static str {
    match error {
        SecretError::NoService { .. } if cfg!(target_os = "linux") => {
            "Install and start a Secret Service such as GNOME Keyring or KWallet, sign in to the desktop again, then try again."
        }
        SecretError::NoService { .. } => "Sign in to the desktop again, then try again.",
        SecretError::Locked { .. } => "Unlock the keychain, then try again.",
        SecretError::TimedOut { .. } => {
            "See whether it asks for its password in another window, then try again."
        }
        SecretError::TooLarge { .. } => "Use a shorter password or token.",
        SecretError::NotKept { .. } => {
            "Repair the keychain or choose another one as the default, then try again."
        }
        SecretError::Other { .. } => "Look into the keychain's own program, then try again.",
    }
}

/// Most characters kept of the system's words.
const MOST_WORDS: usize = 300;

/// Gives the keychain's error a meaning. `Display` of the library's errors was read: it shows no secret; `Debug` does.
pub(crate) fn meaning(error: &keyring::Error) -> SecretError {
    use keyring::Error as E;
    let words = threadline_core::envelope::clean(&error.to_string(), MOST_WORDS);
    match error {
        E::NoDefaultStore => SecretError::NoService { words },
        E::NoStorageAccess(_) => SecretError::Locked { words },
        E::PlatformFailure(cause) => match is_absent(&cause.to_string()) {
            true => SecretError::NoService { words },
            false => SecretError::Other { words },
        },
        // What these carry may be the secret itself.
        E::BadEncoding(_) | E::BadDataFormat(..) => {
            SecretError::Other { words: "the entry is not text".into() }
        }
        _ => SecretError::Other { words },
    }
}

/// Whether the words of a platform failure mean that nobody is there. The library gives the cause as a boxed error of a
/// crate that is not ours to name, so its text is all there is.
fn is_absent(words: &str) -> bool {
    [
        "ServiceUnknown",
        "NameHasNoOwner",
        "was not provided by any .service files",
        "no secret service provider",
        "I/O error",
        "org.freedesktop.DBus.Error.NoReply",
        "Failed to connect",
        "Connection refused",
        "No such file",
        "Broken pipe",
    ]
    .iter()
    .any(|sign| words.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_names_the_thing_and_the_next_step() {
        let words = || "words".to_owned();
        let name = || "imap:ann@example.com".to_owned();
        let all = [
            SecretError::NoService { words: words() },
            SecretError::Locked { words: words() },
            SecretError::TimedOut { after: Duration::from_secs(30) },
            SecretError::TooLarge { name: name(), bytes: 9_999 },
            SecretError::NotKept { name: name() },
            SecretError::Other { words: words() },
        ];
        for error in all {
            let text = error.to_string();
            assert!(text.contains("keychain") && text.ends_with(error.next_step()), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_shown() {
        let secret = b"hunter2".to_vec();
        let shown = format!("{:?} {0}", meaning(&keyring::Error::BadEncoding(secret)));
        assert!(!shown.contains("hunter2") && !shown.contains("104, 117"), "{shown}");
    }
}
