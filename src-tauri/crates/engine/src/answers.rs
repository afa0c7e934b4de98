//! What only the person can decide: mail that was asked about, and messages that were put aside.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use crate::rules::{edit_rules, put_on_the_list, take_off_the_way};
use crate::undo::{Never, Steps, Undo};
use crate::views::{Decided, decided};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use threadline_core::address::Address;
use threadline_core::matching::Clue;
use threadline_core::rule::{Answer, OtherAddress, Rules};
use threadline_store::job::{self, Kind};
use threadline_store::message::{Headers, Image, Outcome};
use threadline_store::{StoreError, Tx, account, message, place, set_aside, thread};

/// What the person says of mail that was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum AskedAnswer {
    /// Log it, and make a contact of whoever is none yet.
    Log,
    /// Do not log this one.
    Ignore,
    /// Its sender is the contact of the conversation, under another address: log it, and remember that.
    Same,
    /// Do not log this one, nor any other with the people outside who are on it.
    Never,
}

/// The people on a mail who are no colleagues.
fn outside(image: &Image, rules: Option<&Rules>) -> Vec<Address> {
    let mut outside: Vec<Address> = Vec::new();
    let people = image.message().headers.iter().flat_map(Headers::people).map(|m| &m.address);
    for address in people.filter(|a| rules.is_some_and(|r| !r.is_colleague(a))) {
        if !outside.contains(address) {
            outside.push(address.clone());
        }
    }
    outside
}

/// Remembers the sender as another address of the one contact of the conversation that the mail answers. False where it
/// answers none, or one with several contacts.
fn remember(tx: &Tx<'_>, image: &Image) -> Result<bool, StoreError> {
    let row = image.message();
    let Some(headers) = &row.headers else { return Ok(false) };
    let ids = headers.in_reply_to.iter().chain(headers.references.iter().rev()).cloned();
    let threads = thread::known(tx, row.account, ids.map(Clue::Id))?;
    let mut contacts = threads.values().flatten().flat_map(|t| &t.contacts);
    let (Some(from), Some(contact), None) = (&headers.from, contacts.next(), contacts.next()) else {
        return Ok(false);
    };
    let other = OtherAddress { address: from.address.clone(), of: contact.address.clone() };
    edit_rules(tx, row.account, |rules| {
        rules.other_addresses.retain(|o| o.address != other.address);
        rules.other_addresses.push(other);
    })?;
    Ok(true)
}

impl Engine {
    /// Mail of all mailboxes that the person is to be asked about, newest first.
    pub async fn asked(&self, limit: usize) -> Result<Vec<Decided>, EngineError> {
        let read = move |tx: &Tx<'_>| {
            let mut all = Vec::new();
            for account in account::list(tx)? {
                for row in message::asked(tx, account.id, limit)? {
                    all.push(decided(tx, &row)?);
                }
            }
            all.sort_by_key(|d| std::cmp::Reverse(d.date));
            all.truncate(limit);
            Ok(all)
        };
        Ok(self.ledger().read(read).await?)
    }

    /// Answers for some of them. What is not to be logged is settled at once. Of what is to be logged the header is read once
    /// more and decided about with the answer, when the mailbox is connected; an answer that the rules forbid, such as
    /// logging a never-log address, changes nothing. Nor does [`AskedAnswer::Same`] where there is not one contact whose
    /// address it can be. A question that was settled meanwhile is passed over, and so is mail to
    /// be logged that lies in no watched folder any more; where none is left, that is an error.
    pub async fn answer(&self, messages: &[i64], answer: AskedAnswer) -> Result<Undo, EngineError> {
        let shared = self.shared();
        let rules: HashMap<i64, Rules> =
            self.accounts().await?.into_iter().map(|a| (a.id, a.settings.rules)).collect();
        let (ids, now) = (messages.to_vec(), shared.clock.now());
        let store = move |tx: &Tx<'_>| {
            let mut steps = Steps::default();
            let mut moved = None;
            for id in ids {
                let asked = Image::take(tx, id)?.filter(|i| i.message().outcome == Outcome::Ask);
                let Some(image) = asked else { continue };
                if answer == AskedAnswer::Same && !remember(tx, &image)? {
                    continue;
                }
                if matches!(answer, AskedAnswer::Log | AskedAnswer::Same) {
                    let Some(place) = place::of_message(tx, id)?.into_iter().next() else {
                        moved = Some(id);
                        continue;
                    };
                    message::set_answer(tx, id, Answer::Log)?;
                    job::add(tx, Kind::Recheck, id, place, job::AT_ONCE)?;
                } else {
                    message::ignore_asked(tx, id, now)?;
                }
                if answer == AskedAnswer::Never {
                    let account = image.message().account;
                    let outside = outside(&image, rules.get(&account));
                    let never = Never { account, addresses: outside, ..Never::default() };
                    steps.messages.extend(take_off_the_way(tx, &never, now)?);
                    steps.never.push(put_on_the_list(tx, never)?);
                }
                steps.messages.push(image);
            }
            count_up(tx, Part::News)?;
            Ok((steps, moved))
        };
        let (steps, moved) = shared.ledger.write(store).await?;
        if steps.messages.is_empty() {
            let not_asked = || EngineError::NotAsked(messages.first().copied().unwrap_or_default());
            return Err(moved.map_or_else(not_asked, EngineError::MovedAway));
        }
        Ok(shared.undos.keep(steps, &*shared.clock))
    }

    /// Reads once more what could not be read of a mailbox's messages; gives their number.
    pub async fn retry_set_aside(&self, mailbox: &Address) -> Result<usize, EngineError> {
        let id = self.account(mailbox).await?.id;
        let retry = move |tx: &Tx<'_>| {
            let given_up = job::given_up(tx, id)?;
            for job in &given_up {
                job::retry(tx, job.id, job::AT_ONCE)?;
            }
            count_up(tx, Part::News)?;
            Ok(given_up.len() + set_aside::retry(tx, id)?)
        };
        Ok(self.ledger().write(retry).await?)
    }

    /// Takes the messages that could not be taken in off a mailbox's list: the person has seen them. Gives their number.
    pub async fn forget_set_aside(&self, mailbox: &Address) -> Result<usize, EngineError> {
        let id = self.account(mailbox).await?.id;
        let forget = move |tx: &Tx<'_>| {
            let mut gone = 0;
            loop {
                let rows = set_aside::page(tx, id, 0, 500)?;
                for row in &rows {
                    set_aside::remove(tx, row.id)?;
                }
                gone += rows.len();
                if rows.is_empty() {
                    return Ok(gone);
                }
            }
        };
        Ok(self.ledger().write(forget).await?)
    }
}
