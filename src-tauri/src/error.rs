//! What a refused call tells the window.

use serde::{Deserialize, Serialize};
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
}

impl AppError {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), next: None }
    }
}

impl From<EngineError> for AppError {
    fn from(error: EngineError) -> Self {
        told(error.code(), error.to_string())
    }
}

impl From<SecretError> for AppError {
    fn from(error: SecretError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<tauri::Error> for AppError {
    fn from(error: tauri::Error) -> Self {
        Self::new("desktop", format!("The desktop refused: {error}. Try again."))
    }
}

fn told(code: &str, message: String) -> AppError {
    let next = Reason::from_code(code).map(Reason::next_step).filter(|next| !message.contains(next));
    AppError { code: code.to_owned(), next: next.map(str::to_owned), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_step_is_told_once() {
        let locked = SecretError::Locked { words: "no".into() };
        let error = AppError::from(locked.clone());
        assert_eq!(error.code, "keychain_locked");
        assert_eq!((error.message.contains(locked.next_step()), error.next), (true, None));
        assert_eq!(told("over_quota", "It failed.".into()).next, Some(Reason::OverQuota.next_step().into()));
        assert_eq!(told("no_home", "It failed.".into()).next, None);
    }
}
