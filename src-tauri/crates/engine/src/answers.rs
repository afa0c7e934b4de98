//! What only the person can decide: mail that was asked about, and messages that were put aside.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use crate::views::{Decided, decided};
use threadline_core::address::Address;
use threadline_core::rule::Answer;
use threadline_store::job::{self, Kind};
use threadline_store::{Tx, account, message, place, set_aside};

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

    /// Answers for one of them. Its header is read once more and decided about with the answer, when the mailbox is
    /// connected. An answer that the rules forbid, such as logging a never-log address, changes nothing.
    pub async fn answer(&self, id: i64, answer: Answer) -> Result<(), EngineError> {
        let store = move |tx: &Tx<'_>| {
            let Some(row) = message::get(tx, id)? else { return Ok(false) };
            let places = place::of_message(tx, id)?;
            let (message::Outcome::Ask, Some(place)) = (row.outcome, places.first()) else {
                return Ok(false);
            };
            message::set_answer(tx, id, answer)?;
            job::add(tx, Kind::Recheck, id, *place, job::AT_ONCE)?;
            count_up(tx, Part::News)?;
            Ok(true)
        };
        match self.ledger().write(store).await? {
            true => Ok(()),
            false => Err(EngineError::NotAsked(id)),
        }
    }

    /// Never logs mail with this address again, in this mailbox. Gives false where it was on the list.
    pub async fn never_log(&self, mailbox: &Address, address: &Address) -> Result<bool, EngineError> {
        let mut settings = self.account(mailbox).await?.settings;
        if settings.rules.never_addresses.contains(address) {
            return Ok(false);
        }
        settings.rules.never_addresses.push(address.clone());
        settings.rules.version += 1;
        self.change_account(settings).await?;
        Ok(true)
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
            Ok(given_up.len())
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
