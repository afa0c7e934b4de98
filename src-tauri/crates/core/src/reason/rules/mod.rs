//! The rules, in the order in which they are looked at.

mod errno;
mod limits;
mod oauth;
mod outcome;
mod password;
mod service;
mod sign_in;
mod structure;
mod tls;

use super::rule::Rule;
pub(super) use errno::errno;
pub(super) use oauth::ERRORS;
pub(super) use outcome::PASSWORD_CODES;
pub(super) use password::CREDENTIALS;
pub(super) use structure::CODES;

/// What a code alone decides, or a code with a word.
pub(super) const STRUCTURE: &[&[Rule]] = &[structure::SHARP, oauth::NUMBERS, oauth::SHARP];
/// What words decide: the sharpest first.
pub(super) const WORDS: &[&[Rule]] = &[
    tls::RULES,
    oauth::WORDS,
    sign_in::DEMANDS,
    sign_in::POLICIES,
    limits::RULES,
    sign_in::ACCOUNT,
    service::NETWORK,
    sign_in::TOKENS,
    password::CREDENTIALS,
    sign_in::OTHERS,
    service::MAILBOX,
    service::SERVER,
];
/// What a code says where its words are not known.
pub(super) const COARSE: &[&[Rule]] = &[outcome::RULES, oauth::COARSE];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_rule_has_a_name_of_its_own() {
        let mut names = HashSet::new();
        for rule in [STRUCTURE, WORDS, COARSE].into_iter().flatten().copied().flatten() {
            assert!(names.insert(rule.name), "{} stands twice", rule.name);
            assert!(rule.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        }
        assert!(names.len() > 60);
    }
}
