//! A person in the CRM.

use crate::address::Address;
use serde::{Deserialize, Serialize};

/// A contact as a CRM, or the local contact list, knows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The CRM's own id; for the local list the address.
    pub remote_id: String,
    /// Every address of this contact, the main one first; never empty.
    pub addresses: Vec<Address>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

crate::debug_only!(Contact { remote_id });

/// First and last name: the last word is the last name, unless a comma says otherwise.
pub fn split_name(name: &str) -> (String, String) {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((last, first)) = name.split_once(", ") {
        return (first.to_owned(), last.to_owned());
    }
    match name.rsplit_once(' ') {
        Some((first, last)) => (first.to_owned(), last.to_owned()),
        None => (name, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_the_last_word_or_the_comma() {
        for (name, first, last) in [
            ("Ann Lee", "Ann", "Lee"),
            ("Lee, Ann  Mary", "Ann Mary", "Lee"),
            ("Ann", "Ann", ""),
            ("  Ann   van der Berg ", "Ann van der", "Berg"),
        ] {
            assert_eq!(split_name(name), (first.to_owned(), last.to_owned()), "{name}");
        }
    }
}
