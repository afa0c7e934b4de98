//! A text that is not shown.

use zeroize::Zeroizing;

/// A token, a code or a secret: wiped when it is dropped, and shown by no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(Zeroizing<String>);

impl Hidden {
    pub fn new(text: impl Into<Zeroizing<String>>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the wire and the keychain.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(…)")
    }
}

impl From<Hidden> for Zeroizing<String> {
    fn from(hidden: Hidden) -> Self {
        hidden.0
    }
}
