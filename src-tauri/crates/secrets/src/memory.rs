//! A store that forgets, for tests.

use crate::system::check_size;
use crate::{SecretError, Secrets};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// Secrets in this process alone. A release build has no way to choose it: it exists behind the feature `memory`, which
/// only dev-dependencies may name.
#[derive(Default)]
pub struct Memory(Mutex<State>);

#[derive(Default)]
struct State {
    entries: HashMap<String, Zeroizing<String>>,
    fault: Option<SecretError>,
}

impl Memory {
    pub fn new() -> Self {
        Self::default()
    }

    /// Every call fails with this error, until told otherwise with `None`.
    pub fn fail_with(&self, fault: Option<SecretError>) {
        self.state().fault = fault;
    }

    /// The names of all entries.
    pub fn names(&self) -> Vec<String> {
        self.state().entries.keys().cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<MutexGuard<'_, State>, SecretError> {
        let state = self.state();
        match &state.fault {
            Some(fault) => Err(fault.clone()),
            None => Ok(state),
        }
    }
}

/// Shows names only.
impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.state().entries.keys()).finish()
    }
}

impl Secrets for Memory {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<String>>, SecretError> {
        Ok(self.open()?.entries.get(name).cloned())
    }

    fn set(&self, name: &str, value: &str) -> Result<(), SecretError> {
        check_size(name, value)?;
        self.open()?.entries.insert(name.to_owned(), Zeroizing::new(value.to_owned()));
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), SecretError> {
        self.open()?.entries.remove(name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_forgets_and_fails_as_told() {
        let memory = Memory::new();
        assert_eq!(memory.get("a").unwrap(), None);
        memory.set("a", "hunter2").unwrap();
        assert_eq!(memory.get("a").unwrap().unwrap().as_str(), "hunter2");
        assert_eq!(format!("{memory:?}"), "{\"a\"}");
        let locked = SecretError::Locked { words: "as told".into() };
        memory.fail_with(Some(locked.clone()));
        assert_eq!(memory.get("a"), Err(locked));
        memory.fail_with(None);
        memory.delete("a").unwrap();
        assert_eq!(memory.get("a").unwrap(), None);
    }
}
