//! What a refused call tells the window.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use threadline_core::reason::Reason;
use threadline_engine::EngineError;
use threadline_secrets::SecretError;

/// Why a call was refused. The window shows it by its code where the catalogue knows it, else by `message`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type, thiserror::Error)]
#[error("{message}")]
pub struct AppError {
    /// Stable: a code of `EngineError`, of `core::reason::Reason`, or one of this crate.
    pub code: String,
    /// The thing, the cause and mostly the next step, in English.
    pub message: String,
    /// The next step, where `message` does not tell it.
    pub next: Option<String>,
    /// What the catalogue's text for the code names.
    pub values: BTreeMap<String, String>,
}

impl AppError {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), next: None, values: BTreeMap::new() }
    }

    /// With what the catalogue's text names as `{name}`.
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.values.insert(name.to_owned(), value.to_string());
        self
    }
}

impl From<EngineError> for AppError {
    fn from(error: EngineError) -> Self {
        let told = told(error.code(), error.to_string());
        error.values().into_iter().fold(told, |told, (name, value)| told.with(name, value))
    }
}

impl From<SecretError> for AppError {
    fn from(error: SecretError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<tauri::Error> for AppError {
    fn from(error: tauri::Error) -> Self {
        Self::new("desktop", format!("The desktop refused: {error}. Try again.")).with("cause", error)
    }
}

fn told(code: &str, message: String) -> AppError {
    let next = Reason::from_code(code).map(Reason::next_step).filter(|next| !message.contains(next));
    AppError { next: next.map(str::to_owned), ..AppError::new(code, message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Locale;
    use threadline_core::template::NotFilled;
    use threadline_engine::writing::Objection;

    #[test]
    fn the_next_step_is_told_once() {
        let locked = SecretError::Locked { words: "no".into() };
        let error = AppError::from(locked.clone());
        assert_eq!(error.code, "keychain_locked");
        assert_eq!((error.message.contains(locked.next_step()), error.next), (true, None));
        assert_eq!(told("over_quota", "It failed.".into()).next, Some(Reason::OverQuota.next_step().into()));
        assert_eq!(told("no_home", "It failed.".into()).next, None);
    }

    /// Errors that name something.
    fn naming() -> Vec<EngineError> {
        use EngineError as E;
        let (text, io) = (|| "x".to_owned(), || std::io::Error::other("no"));
        let (dir, path, server) = (std::path::PathBuf::new, std::path::PathBuf::new, text);
        vec![
            E::Folder { dir: dir(), source: io() },
            E::BrokenId { path: path() },
            E::Held { dir: dir(), by: text() },
            E::KeyElsewhere { by: text(), dir: dir() },
            E::AccountExists(text()),
            E::NoAccount(text()),
            E::Paused(text()),
            E::NoPassword(text()),
            E::NotSignedIn(text()),
            E::NoSmtp(text()),
            E::NoRelayPassword(text()),
            E::BrokenAccount { address: text(), cause: text() },
            E::NotAnAddress(text()),
            E::NeverOwn(text()),
            E::NoOauthApp { provider: "x" },
            E::BrokenCrm { kind: text(), cause: text() },
            E::NoCrm { kind: text(), set: text() },
            E::BrokenSetting { what: text(), cause: text() },
            E::CrmSetting(text()),
            E::ContactList { line: 1, cause: text() },
            E::ExportPlace { path: path(), why: "x" },
            E::Export { path: path(), source: io() },
            E::NotWritten { path: path(), source: io() },
            E::NotOpened(text()),
            E::NotTaken(Objection::TooLarge { bytes: 2, most: 1, server: server() }),
            E::NotTaken(Objection::Letters { address: "a@x.example".parse().unwrap(), server: server() }),
            E::NotTaken(Objection::TooMany { people: 2, most: 1 }),
            E::NotFilled(NotFilled::Missing { gaps: vec![text()], whom: text() }),
            E::RelayPort { port: 1, source: io() },
            E::RelaySilent { port: 1 },
        ]
    }

    #[test]
    fn what_the_catalogue_names_comes_with_the_error() {
        for error in naming().into_iter().map(AppError::from) {
            for locale in [Locale::En, Locale::De] {
                let key = format!("error.{}", error.code);
                let names =
                    locale.catalogue().names(&key).unwrap_or_else(|| panic!("{locale:?} lacks {key}"));
                for name in names {
                    assert!(error.values.contains_key(name), "{key} names {name}, and {error:?} does not");
                }
            }
        }
    }
}
