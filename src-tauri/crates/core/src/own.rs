//! What sent mail teaches of the person: which other addresses are theirs, and the name that they bear.

use crate::address::{Address, Mailbox};
use crate::arrival::Arrival;
use crate::decide::{Known, Seen, is_older, is_sent};
use crate::rule::Rules;

/// Longest name looked at, in characters.
const MOST_NAME: usize = 200;
/// Shortest word of a name that says something in an address.
const LEAST_WORD: usize = 3;

/// What one sent mail teaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lesson<'a> {
    /// The person's own address, which was not told so far.
    Address(&'a Address),
    /// What they are called; see [`Own`].
    Name(String),
}

/// The names that stand on mail sent from the mailbox's own addresses. Several people share a mailbox that has two: then a
/// name proves nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own {
    pub names: Vec<String>,
}

impl Own {
    /// How many names tell that a mailbox is shared.
    const SHARED: usize = 2;

    fn is_named(&self, mailbox: &Mailbox) -> bool {
        self.names.len() == 1 && name(mailbox).is_some_and(|name| self.names[0] == name)
    }

    /// Bears the person's name, and the address is made of it. A shared address (sales@) is not, nor is a colleague's.
    fn is_theirs(&self, mailbox: &Mailbox) -> bool {
        let local = mailbox.address.untagged();
        let local = local.as_str().split('@').next().unwrap_or_default().to_lowercase();
        let says = |word: &str| word.chars().count() >= LEAST_WORD && local.contains(word);
        let spelled = |name: &str| name.split(' ').any(|word| says(word) || says(&spelled_out(word)));
        self.is_named(mailbox) && name(mailbox).is_some_and(|name| spelled(&name))
    }
}

/// What a mail teaches that the server has as sent. What lies there and came from outside was moved there: it was delivered to
/// somebody, is addressed to the person, is from a contact, or is older than the mailbox's log. `Sender` names who wrote on
/// behalf of whom (RFC 5322 §3.6.2). An address of the colleagues' domains is a colleague's, or one that is shared, unless it
/// bears the person's name and is made of it.
pub fn learnt<'a>(
    arrival: &'a Arrival,
    seen: Seen<'_>,
    known: &Known,
    rules: &Rules,
    own: &Own,
) -> Option<Lesson<'a>> {
    let envelope = &arrival.envelope;
    let from = envelope.from.as_ref()?;
    let to = envelope.recipients();
    let speaks = is_sent(arrival, seen)
        && !envelope.delivered
        && !envelope.suspicious
        && envelope.machine.is_none()
        && !arrival.has_flag("\\Draft")
        && !to.is_empty()
        && !to.iter().any(|m| rules.is_own(&m.address) || m.address == from.address)
        && !seen.begins.is_some_and(|begins| is_older(arrival, begins));
    if !speaks {
        return None;
    }
    let may_be = |address: &Address| {
        !rules.is_own(address)
            && !rules.not_own.contains(address)
            && !rules.is_never_address(address)
            && known.contacts_complete
            && !known.contacts.contains_key(address)
    };
    let sender = envelope.sender.as_ref().filter(|sender| sender.address != from.address);
    if rules.is_own(&from.address) {
        return match sender {
            Some(sender) if may_be(&sender.address) && own.is_theirs(sender) => {
                Some(Lesson::Address(&sender.address))
            }
            Some(_) => None,
            None => {
                let counts = own.names.len() < Own::SHARED && !rules.learnt.contains(&from.address);
                name(from).filter(|name| counts && !own.names.contains(name)).map(Lesson::Name)
            }
        };
    }
    let by_name = || match rules.is_colleague(&from.address) {
        true => own.is_theirs(from),
        false => own.is_named(from),
    };
    let is_theirs = match sender {
        // Somebody else wrote it.
        Some(sender) if !rules.is_own(&sender.address) => false,
        // For somebody else, or under another address of the person's.
        Some(_) => by_name(),
        None => !rules.is_colleague(&from.address) || own.is_theirs(from),
    };
    (is_theirs && may_be(&from.address)).then_some(Lesson::Address(&from.address))
}

/// A name as it is compared: its words in lower case and in one order ("Smith, Ann"), without initials and what stands in
/// brackets. `None` for one word, which many bear.
fn name(mailbox: &Mailbox) -> Option<String> {
    let shown: String = mailbox.name.as_deref()?.chars().take(MOST_NAME).collect();
    let shown = shown.split(['(', '[', '|', '@']).next().unwrap_or_default().to_lowercase();
    let mut words: Vec<&str> =
        shown.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 1).collect();
    words.sort_unstable();
    words.dedup();
    (words.len() > 1).then(|| words.join(" "))
}

/// As addresses spell what they cannot hold.
fn spelled_out(word: &str) -> String {
    word.chars()
        .flat_map(|c| match c {
            'ä' => "ae".chars().collect::<Vec<_>>(),
            'ö' | 'ø' => "oe".chars().collect(),
            'ü' => "ue".chars().collect(),
            'ß' => "ss".chars().collect(),
            'å' | 'á' | 'à' | 'â' => vec!['a'],
            'é' | 'è' | 'ê' | 'ë' => vec!['e'],
            'í' | 'ì' | 'î' | 'ï' => vec!['i'],
            'ó' | 'ò' | 'ô' => vec!['o'],
            'ú' | 'ù' | 'û' => vec!['u'],
            'ç' => vec!['c'],
            'ñ' => vec!['n'],
            'ł' => vec!['l'],
            other => vec![other],
        })
        .collect()
}
