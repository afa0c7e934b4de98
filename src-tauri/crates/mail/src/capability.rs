//! What a server says that it can do.

use std::collections::BTreeSet;

/// The capabilities of a signed-in session (RFC 9051 §7.2.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    names: BTreeSet<String>,
}

impl Capabilities {
    /// Names compare without case.
    pub fn new<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Self {
        Self { names: names.into_iter().map(|n| n.as_ref().to_ascii_uppercase()).collect() }
    }

    /// Whether the server named this one, such as `AUTH=PLAIN`.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(&name.to_ascii_uppercase())
    }

    /// RFC 5465.
    pub fn has_notify(&self) -> bool {
        self.has("NOTIFY")
    }

    /// RFC 2177; IMAP4rev2 holds it.
    pub fn has_idle(&self) -> bool {
        self.has("IDLE") || self.has("IMAP4REV2")
    }

    /// RFC 7162; QRESYNC holds it.
    pub fn has_condstore(&self) -> bool {
        self.has("CONDSTORE") || self.has_qresync()
    }

    /// RFC 7162 §3.2.
    pub fn has_qresync(&self) -> bool {
        self.has("QRESYNC")
    }

    /// RFC 6154: LIST names what folders are for.
    pub fn has_special_use(&self) -> bool {
        self.has("SPECIAL-USE")
    }

    /// Google's own extensions.
    pub fn is_gmail(&self) -> bool {
        self.has("X-GM-EXT-1")
    }

    /// Every name, in upper case and sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}
