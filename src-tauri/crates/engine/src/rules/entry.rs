//! One entry of a mailbox's rules, added or taken away.

use super::Who;
use crate::engine::Engine;
use crate::error::EngineError;
use threadline_core::address::{Address, normal_domain};
use threadline_core::rule::{OtherAddress, Rules};

/// One entry of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleEntry {
    /// An address, or a domain behind `@`, that is never logged.
    Never(String),
    /// A folder whose mail is never logged: its full name.
    NeverFolder(String),
    /// A word or phrase; a mail with it in the subject is never logged.
    NeverWord(String),
    /// One of the person's own addresses.
    Own(Address),
    /// A domain of colleagues.
    Colleague(String),
    /// An address to which a copy says "log this mail".
    LoggingAddress(Address),
    /// Another address of somebody who is known by one.
    OtherAddress(OtherAddress),
}

impl Engine {
    /// Adds an entry to a mailbox's rules; false where it was there.
    pub async fn add_rule(&self, mailbox: &Address, entry: &RuleEntry) -> Result<bool, EngineError> {
        self.edit_rule(mailbox, |rules| add(rules, entry)).await
    }

    /// Takes an entry away; false where there was none. The mailbox's own address stays among the own ones.
    pub async fn remove_rule(&self, mailbox: &Address, entry: &RuleEntry) -> Result<bool, EngineError> {
        self.edit_rule(mailbox, |rules| remove(rules, entry)).await
    }

    async fn edit_rule(
        &self,
        mailbox: &Address,
        edit: impl FnOnce(&mut Rules) -> Result<bool, EngineError>,
    ) -> Result<bool, EngineError> {
        let mut rules = self.account(mailbox).await?.settings.rules;
        let changed = edit(&mut rules)?;
        if changed {
            self.set_rules(mailbox, rules).await?;
        }
        Ok(changed)
    }
}

fn add(rules: &mut Rules, entry: &RuleEntry) -> Result<bool, EngineError> {
    fn put<T: PartialEq>(list: &mut Vec<T>, one: T) -> bool {
        let news = !list.contains(&one);
        if news {
            list.push(one);
        }
        news
    }
    Ok(match entry {
        RuleEntry::Never(who) => match who_of(who)? {
            Who::Address(address) => put(&mut rules.never_addresses, address),
            Who::Domain(domain) => put(&mut rules.never_domains, domain),
        },
        RuleEntry::NeverFolder(folder) => put(&mut rules.never_folders, folder.clone()),
        RuleEntry::NeverWord(word) => put(&mut rules.never_words, word.trim().to_lowercase()),
        RuleEntry::Own(address) => put(&mut rules.own, address.clone()),
        RuleEntry::Colleague(domain) => put(&mut rules.colleagues, domain_of(domain)?),
        RuleEntry::LoggingAddress(address) => put(&mut rules.logging_addresses, address.clone()),
        RuleEntry::OtherAddress(other) => {
            rules.other_addresses.retain(|o| o.address != other.address || o == other);
            put(&mut rules.other_addresses, other.clone())
        }
    })
}

fn remove(rules: &mut Rules, entry: &RuleEntry) -> Result<bool, EngineError> {
    fn take<T: PartialEq>(list: &mut Vec<T>, one: &T) -> bool {
        let before = list.len();
        list.retain(|there| there != one);
        list.len() < before
    }
    Ok(match entry {
        RuleEntry::Never(who) => match who_of(who)? {
            Who::Address(address) => take(&mut rules.never_addresses, &address),
            Who::Domain(domain) => take(&mut rules.never_domains, &domain),
        },
        RuleEntry::NeverFolder(folder) => take(&mut rules.never_folders, folder),
        RuleEntry::NeverWord(word) => take(&mut rules.never_words, &word.trim().to_lowercase()),
        RuleEntry::Own(address) => take(&mut rules.own, address),
        RuleEntry::Colleague(domain) => take(&mut rules.colleagues, &domain_of(domain)?),
        RuleEntry::LoggingAddress(address) => take(&mut rules.logging_addresses, address),
        RuleEntry::OtherAddress(other) => take(&mut rules.other_addresses, other),
    })
}

fn who_of(text: &str) -> Result<Who, EngineError> {
    Who::parse(text).ok_or_else(|| EngineError::NotAnAddress(text.to_owned()))
}

fn domain_of(text: &str) -> Result<String, EngineError> {
    normal_domain(text.trim().trim_start_matches('@'))
        .ok_or_else(|| EngineError::NotAnAddress(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_added_once_and_taken_away_again() {
        let address = |text: &str| Address::parse(text).unwrap();
        let home = OtherAddress { address: address("carl@home.example"), of: address("carl@c.example") };
        let before = Rules::for_mailbox(&address("ann@firm.example"));
        for entry in [
            RuleEntry::Never("Doctor@Clinic.example".into()),
            RuleEntry::Never("@bank.example".into()),
            RuleEntry::NeverFolder("Private".into()),
            RuleEntry::NeverWord(" Confidential ".into()),
            RuleEntry::Own(address("sales@firm.example")),
            RuleEntry::Colleague("@Other.example".into()),
            RuleEntry::LoggingAddress(address("log@firm.example")),
            RuleEntry::OtherAddress(home),
        ] {
            let mut rules = before.clone();
            assert!(add(&mut rules, &entry).unwrap(), "{entry:?}");
            assert!(!add(&mut rules, &entry).unwrap(), "{entry:?}");
            assert!(remove(&mut rules, &entry).unwrap(), "{entry:?}");
            assert!(!remove(&mut rules, &entry).unwrap(), "{entry:?}");
            assert_eq!(rules, before, "{entry:?}");
        }
        assert!(add(&mut before.clone(), &RuleEntry::Never("nobody".into())).is_err());
    }
}
