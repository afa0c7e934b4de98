//! Message ids and the key under which a message is known everywhere.

use crate::address::Address;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// A `msg-id` (RFC 5322 §3.6.4) without its angle brackets and without white space. The right-hand side
/// is lowered, since servers that rewrite domains change its case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(String);

impl MessageId {
    /// Longest id kept, in bytes: the longest line RFC 5322 §2.1.1 allows.
    pub const MAX: usize = 998;

    /// Reads one id, with or without brackets. `None` where nothing usable is left, or it is over-long.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('<').trim_end_matches('>');
        let mut id: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        if id.is_empty() || id.len() > Self::MAX || id.contains(['<', '>']) {
            return None;
        }
        if let Some(at) = id.rfind('@') {
            let right = id.split_off(at).to_lowercase();
            id.push_str(&right);
        }
        Some(Self(id))
    }

    /// Every `<…>` of a header value, in order, each once. Prose, commas and addresses between them are passed
    /// over. A value without any bracket gives its words that hold an `@`.
    ///
    /// At most `most` are kept: the first half and the last half, because the root and the parent matter.
    pub fn parse_list(value: &str, most: usize) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut keep = |id: Option<Self>| {
            if let Some(id) = id
                && seen.insert(id.clone())
            {
                found.push(id);
            }
        };
        if value.contains('<') {
            for piece in value.split('<').skip(1) {
                if let Some((inner, _)) = piece.split_once('>') {
                    keep(Self::parse(inner));
                }
            }
        } else {
            for word in value.split_whitespace().filter(|w| w.contains('@')) {
                keep(Self::parse(word.trim_matches([',', ';', '"', '\''])));
            }
        }
        if found.len() > most {
            let tail = found.split_off(found.len() - most / 2);
            found.truncate(most - most / 2);
            found.extend(tail);
        }
        found
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The root of Exchange's `Thread-Index` (MS-OXOMSG §2.2.1.3): one reserved byte, five of the time at which the conversation
/// began and its GUID. It is the same on all messages of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ThreadRoot([u8; 22]);

impl ThreadRoot {
    /// Reads the field; `None` where it is no index.
    pub fn parse(field: &str) -> Option<Self> {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        let packed: String = field.chars().filter(|c| !c.is_whitespace()).take(40).collect();
        // 32 letters hold 24 bytes.
        let whole = packed.get(..packed.len().min(32) / 4 * 4)?;
        let bytes = STANDARD.decode(whole).ok()?;
        bytes.get(..22)?.try_into().ok().map(Self)
    }

    pub fn as_bytes(&self) -> &[u8; 22] {
        &self.0
    }
}

impl fmt::Debug for ThreadRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ThreadRoot")
    }
}

/// The key of a message: SHA-256 of its canonical id. The same on every computer and for every colleague,
/// so that a CRM can tell that two of them speak of one mail.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageKey([u8; 32]);

/// The text is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a message key is 64 hexadecimal digits")]
pub struct NotAKey;

impl MessageKey {
    /// The key of a message that carries an id.
    pub fn of_id(id: &MessageId) -> Self {
        Self::digest(&[b"id", id.as_str().as_bytes()])
    }

    /// The key of a message without a usable id: its Date, From, To and Subject, as the header gave them.
    pub fn of_headers(date: &str, from: &str, to: &str, subject: &str) -> Self {
        Self::digest(&[b"headers", date.as_bytes(), from.as_bytes(), to.as_bytes(), subject.as_bytes()])
    }

    /// The key of a conversation that begins with this message while another one has the message's own key.
    pub fn apart(key: &Self) -> Self {
        Self::digest(&[b"apart", key.as_bytes()])
    }

    /// The key of the record of a mail on one of those whom it hides from each other.
    pub fn hidden(key: &Self, who: &Address) -> Self {
        Self::digest(&[b"hidden", key.as_bytes(), who.as_str().as_bytes()])
    }

    /// The parts are told apart by their lengths, so that no two lists of parts give one input.
    fn digest(parts: &[&[u8]]) -> Self {
        let mut sha = Sha256::new();
        for part in parts {
            sha.update((part.len() as u64).to_be_bytes());
            sha.update(part);
        }
        Self(sha.finalize().into())
    }

    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageKey({self})")
    }
}

/// In TypeScript it is the string that it is in JSON.
#[cfg(feature = "specta")]
impl specta::Type for MessageKey {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        String::definition(types)
    }
}

impl From<MessageKey> for String {
    fn from(key: MessageKey) -> String {
        key.to_string()
    }
}

impl TryFrom<String> for MessageKey {
    type Error = NotAKey;
    fn try_from(text: String) -> Result<Self, NotAKey> {
        text.parse()
    }
}

impl std::str::FromStr for MessageKey {
    type Err = NotAKey;
    fn from_str(text: &str) -> Result<Self, NotAKey> {
        if text.len() != 64 || !text.is_ascii() {
            return Err(NotAKey);
        }
        let mut bytes = [0; 32];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| NotAKey)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(value: &str) -> Vec<String> {
        MessageId::parse_list(value, 100).into_iter().map(|i| i.0).collect()
    }

    #[test]
    fn ids_are_found_between_prose_folds_and_doubles() {
        assert_eq!(ids("<a@X> \r\n\t<b@y>,<a@x>"), ["a@x", "b@y"]);
        assert_eq!(ids("Message from ann@x of Monday <a@x>"), ["a@x"]);
        assert_eq!(ids("<long\r\n part@x>"), ["longpart@x"]);
        assert_eq!(ids("a@x, b@y"), ["a@x", "b@y"]);
        assert_eq!(ids("your message of Monday"), Vec::<String>::new());
        assert_eq!(ids("<unclosed@x"), Vec::<String>::new());
        assert_eq!(ids("<>"), Vec::<String>::new());
    }

    #[test]
    fn a_list_over_the_limit_keeps_its_ends() {
        let many: String = (0..1000).map(|i| format!("<{i}@x> ")).collect();
        let kept = MessageId::parse_list(&many, 10);
        let kept: Vec<&str> = kept.iter().map(MessageId::as_str).collect();
        assert_eq!(kept, ["0@x", "1@x", "2@x", "3@x", "4@x", "995@x", "996@x", "997@x", "998@x", "999@x"]);
    }

    #[test]
    fn a_thread_index_has_its_root() {
        let root = |text: &str| ThreadRoot::parse(text).map(|r| r.0);
        let first = root("AdLUZmZmZmZmZmZmZmZmZmZmZmZmZg==").unwrap();
        // An answer has five bytes more for each step.
        assert_eq!(root("AdLUZmZmZmZmZmZmZmZmZmZmZmZmZgABAgME"), Some(first));
        assert_eq!(root("AdLUZmZmZmZmZmZmZmZm\r\n ZmZmZmZmZgABAgME"), Some(first));
        for wrong in ["", "AdLU", "no index", "AdLUZmZmZmZmZmZmZmZmZmZm"] {
            assert_eq!(root(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_key_survives_its_text_form() {
        let key = MessageKey::of_id(&MessageId::parse("<a@x>").unwrap());
        assert_eq!(key.to_string().parse::<MessageKey>().unwrap(), key);
        assert_eq!("zz".parse::<MessageKey>(), Err(NotAKey));
    }

    #[test]
    fn header_fields_do_not_run_into_each_other() {
        assert_ne!(MessageKey::of_headers("a", "b", "", ""), MessageKey::of_headers("ab", "", "", ""));
    }
}
