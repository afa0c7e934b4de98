//! A mailbox's rules: changed as a whole, or by one more entry on the never-log list.

mod entry;
mod explain;
mod past;
mod private;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use crate::settings::AccountSettings;
use crate::undo::{Never, Steps, Undo};
use jiff::Timestamp;
use threadline_core::address::{Address, normal_domain};
use threadline_core::rule::Rules;
use threadline_store::message::{self, Headers, Image};
use threadline_store::{StoreError, Tx, account};

pub use entry::RuleEntry;
pub use explain::{Explained, Said};
pub use past::{Forgotten, InCrm, Past};

/// Whom a never-log entry means.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    Address(Address),
    /// In ASCII form; subdomains are meant too.
    Domain(String),
}

impl Who {
    /// Reads an address, or a domain behind `@`.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.strip_prefix('@') {
            Some(domain) => normal_domain(domain).map(Who::Domain),
            None => Address::parse(text).ok().map(Who::Address),
        }
    }

    fn means(&self, address: &Address) -> bool {
        match self {
            Who::Address(own) => own == address || *own == address.untagged(),
            Who::Domain(domain) => address.is_under(domain),
        }
    }

    /// True where the person's own mail would be meant: then nothing would be logged any more.
    fn is_own(&self, rules: &Rules) -> bool {
        match self {
            Who::Address(address) => rules.is_own(address),
            Who::Domain(domain) => rules.own.iter().any(|own| own.is_under(domain)),
        }
    }
}

impl Engine {
    /// Sets a mailbox's rules; they count for what is decided from now on. The version counts up by itself, and the mailbox's
    /// own address stays among the own ones.
    pub async fn set_rules(&self, mailbox: &Address, rules: Rules) -> Result<(), EngineError> {
        let id = self.account(mailbox).await?.id;
        let (rules, now) = (sound(rules, mailbox)?, self.clock().now());
        let set = move |tx: &Tx<'_>| {
            let mut never = Never { account: id, ..Never::default() };
            edit_rules(tx, id, |present| {
                let (addresses, domains) = (&present.never_addresses, &present.never_domains);
                never.addresses =
                    rules.never_addresses.iter().filter(|a| !addresses.contains(a)).cloned().collect();
                never.domains =
                    rules.never_domains.iter().filter(|d| !domains.contains(d)).cloned().collect();
                *present = Rules { version: present.version, ..rules };
            })?;
            take_off_the_way(tx, &never, now)?;
            count_up(tx, Part::News)
        };
        Ok(self.ledger().write(set).await?)
    }

    /// Never logs mail with this address (or, behind `@`, with this domain) again, in this mailbox. What is on its way to a
    /// CRM is taken out of the log; what is there already stays.
    pub async fn never_log(&self, mailbox: &Address, who: &str) -> Result<Undo, EngineError> {
        let found = self.account(mailbox).await?;
        let parsed = Who::parse(who).ok_or_else(|| EngineError::NotAnAddress(who.to_owned()))?;
        if parsed.is_own(&found.settings.rules) {
            return Err(EngineError::NeverOwn(who.to_owned()));
        }
        let mut never = Never { account: found.id, ..Never::default() };
        match parsed {
            Who::Address(address) => never.addresses.push(address),
            Who::Domain(domain) => never.domains.push(domain),
        }
        let shared = self.shared();
        let now = shared.clock.now();
        let add = move |tx: &Tx<'_>| {
            let messages = take_off_the_way(tx, &never, now)?;
            let never = vec![put_on_the_list(tx, never)?];
            count_up(tx, Part::News)?;
            Ok(Steps { messages, never, ..Steps::default() })
        };
        let steps = shared.ledger.write(add).await?;
        Ok(shared.undos.keep(steps, &*shared.clock))
    }
}

/// Rules with domains in the form in which they are compared, each entry once.
fn sound(mut rules: Rules, mailbox: &Address) -> Result<Rules, EngineError> {
    if !rules.own.contains(mailbox) {
        rules.own.push(mailbox.clone());
    }
    rules.settle_learnt();
    for list in [&mut rules.colleagues, &mut rules.never_domains] {
        let mut sound = Vec::new();
        for domain in list.iter() {
            let normal = normal_domain(domain.trim().trim_start_matches('@'))
                .ok_or_else(|| EngineError::NotAnAddress(domain.clone()))?;
            if !sound.contains(&normal) {
                sound.push(normal);
            }
        }
        *list = sound;
    }
    let own = rules.never_addresses.iter().map(|a| Who::Address(a.clone()));
    let mut never = own.chain(rules.never_domains.iter().map(|d| Who::Domain(d.clone())));
    match never.find(|who| who.is_own(&rules)) {
        Some(Who::Address(address)) => Err(EngineError::NeverOwn(address.to_string())),
        Some(Who::Domain(domain)) => Err(EngineError::NeverOwn(domain)),
        None => Ok(rules),
    }
}

/// Adds entries to the never-log lists; gives those that are new.
pub(crate) fn put_on_the_list(tx: &Tx<'_>, mut never: Never) -> Result<Never, StoreError> {
    edit_rules(tx, never.account, |rules| {
        never.addresses.retain(|a| !rules.never_addresses.contains(a));
        never.domains.retain(|d| !rules.never_domains.contains(d));
        rules.never_addresses.extend(never.addresses.iter().cloned());
        rules.never_domains.extend(never.domains.iter().cloned());
    })?;
    Ok(never)
}

/// Takes mail with people who are not to be logged any more out of the log, where a CRM does not have it yet; gives these
/// messages as they were.
pub(crate) fn take_off_the_way(tx: &Tx<'_>, never: &Never, now: Timestamp) -> Result<Vec<Image>, StoreError> {
    let mut taken = Vec::new();
    if never.addresses.is_empty() && never.domains.is_empty() {
        return Ok(taken);
    }
    let means = |person: &Address| {
        never.addresses.contains(person) || never.domains.iter().any(|domain| person.is_under(domain))
    };
    for id in message::on_their_way(tx, never.account)? {
        let headers = message::get(tx, id)?.and_then(|row| row.headers);
        if headers.iter().flat_map(Headers::people).any(|person| means(&person.address)) {
            taken.extend(Image::take(tx, id)?);
            message::take_out(tx, id, now)?;
        }
    }
    Ok(taken)
}

/// Changes a mailbox's rules in a transaction. The version counts up where they are other ones then. A mailbox that is gone
/// has none.
pub(crate) fn edit_rules(tx: &Tx<'_>, account: i64, edit: impl FnOnce(&mut Rules)) -> Result<(), StoreError> {
    let unreadable = |_| StoreError::Unreadable { column: "account.settings".to_owned() };
    let Some(row) = account::get(tx, account)? else { return Ok(()) };
    let mut settings: AccountSettings = serde_json::from_str(&row.settings).map_err(unreadable)?;
    let before = settings.rules.clone();
    edit(&mut settings.rules);
    if settings.rules == before {
        return Ok(());
    }
    settings.rules.version += 1;
    account::set_settings(tx, account, &serde_json::to_string(&settings).map_err(unreadable)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn an_entry_is_an_address_or_a_domain() {
        assert_eq!(Who::parse(" Bob@Client.example "), Some(Who::Address(address("bob@client.example"))));
        assert_eq!(Who::parse("@Grüße.example"), Some(Who::Domain("xn--gre-6ka8l.example".into())));
        for wrong in ["", "@", "bob", "a b@c", "@a@b"] {
            assert_eq!(Who::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn nobody_shuts_out_their_own_mail() {
        let ann = address("ann@mail.firm.example");
        let rules = Rules::for_mailbox(&ann);
        for (who, own) in [
            ("ann@mail.firm.example", true),
            ("bob@mail.firm.example", false),
            ("@firm.example", true),
            ("@other.example", false),
        ] {
            assert_eq!(Who::parse(who).unwrap().is_own(&rules), own, "{who}");
        }
        let never = Rules { never_domains: vec!["firm.example".into()], ..rules.clone() };
        assert_eq!(sound(never, &ann).unwrap_err().code(), "never_own");
        let never = Rules { never_addresses: vec![ann.clone()], ..rules };
        assert_eq!(sound(never, &ann).unwrap_err().code(), "never_own");
    }

    #[test]
    fn rules_are_brought_into_the_form_in_which_they_are_compared() {
        let ann = address("ann@firm.example");
        let given = Rules {
            own: Vec::new(),
            colleagues: vec!["@Firm.Example".into(), "firm.example".into()],
            never_domains: vec![" bank.example. ".into()],
            ..Rules::default()
        };
        let sound = sound(given, &ann).unwrap();
        assert_eq!(sound.own, std::slice::from_ref(&ann));
        assert_eq!(sound.colleagues, ["firm.example"]);
        assert_eq!(sound.never_domains, ["bank.example"]);
        let wrong = Rules { never_domains: vec!["a@b".into()], ..Rules::default() };
        assert_eq!(super::sound(wrong, &ann).unwrap_err().code(), "not_an_address");
    }
}
