//! What a receipt still tells: who may speak in its thread, and on whom it is logged.

use crate::error::StoreError;
use crate::sql::address;
use crate::tx::{IdHash, Tx};
use crate::{contact, thread};
use jiff::Timestamp;
use rusqlite::params;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use threadline_core::address::Address;
use threadline_core::decide::KnownThread;
use threadline_core::matching::Clue;
use threadline_core::record::Association;

/// Adds to these threads the people of an arriving message who took part before retention took their addresses: the sender,
/// by the address or the firm, and the recipients, by the address. And the contacts that are still in the index of one of
/// these sources.
pub fn recall(
    tx: &Tx<'_>,
    threads: &mut HashMap<Clue, Vec<Arc<KnownThread>>>,
    sender: Option<&Address>,
    recipients: &[Address],
    sources: &[String],
) -> Result<(), StoreError> {
    for known in threads.values_mut().flatten().map(Arc::make_mut) {
        for person in sender.into_iter().chain(recipients) {
            if took_part(tx, known.id, tx.hash_address(person))? {
                known.participants.insert(person.clone());
            }
        }
        if let Some(sender) = sender
            && took_part(tx, known.id, tx.hash_domain(sender.domain()))?
        {
            known.participants.insert(sender.clone());
        }
        for contact in contacts(tx, known.id, sources)? {
            if !known.contacts.iter().any(|c| c.remote_id == contact.remote_id) {
                known.contacts.push(contact);
            }
        }
    }
    Ok(())
}

/// Whether a message is a receipt of a conversation in which, beside the person, this one took part and nobody else: it was with
/// them. Of a receipt in which others took part too nothing tells with whom it was.
pub fn was_with(tx: &Tx<'_>, message: i64, who: &Address, own: &[Address]) -> Result<bool, StoreError> {
    let thread: Option<Option<i64>> =
        tx.one("SELECT thread FROM message WHERE id = ?1 AND purged_at IS NOT NULL", [message], |row| {
            row.get("thread")
        })?;
    let Some(thread) = thread.flatten() else { return Ok(false) };
    if !took_part(tx, thread, tx.hash_address(who))? {
        return Ok(false);
    }
    let both = || own.iter().chain([who]);
    let known: HashSet<IdHash> =
        both().flat_map(|a| [tx.hash_address(a), tx.hash_domain(a.domain())]).collect();
    let people: Vec<IdHash> =
        tx.all("SELECT hash FROM receipt_person WHERE thread = ?1", [thread], |row| row.get("hash"))?;
    let open = thread::participants(tx, thread)?;
    Ok(people.iter().all(|hash| known.contains(hash)) && open.iter().all(|a| both().any(|b| a == b)))
}

fn took_part(tx: &Tx<'_>, thread: i64, hash: IdHash) -> Result<bool, StoreError> {
    let found = tx.one(
        "SELECT 1 FROM receipt_person WHERE thread = ?1 AND hash = ?2",
        params![thread, hash],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// The contacts of a thread's receipts, by their first address in the index as it is now.
fn contacts(tx: &Tx<'_>, thread: i64, sources: &[String]) -> Result<Vec<Association>, StoreError> {
    let ids: Vec<(String, bool)> = tx.all(
        "SELECT remote_id, may_create FROM receipt_contact WHERE thread = ?1 ORDER BY remote_id",
        [thread],
        |row| Ok((row.get("remote_id")?, row.get("may_create")?)),
    )?;
    let mut found = Vec::new();
    for (remote_id, may_create) in ids {
        for source in sources {
            let first = tx.one(
                "SELECT address FROM contact_address WHERE sink = ?1 AND remote_id = ?2 ORDER BY position LIMIT 1",
                params![source, remote_id],
                |row| address(row, "address"),
            )?;
            let Some(address) = first else { continue };
            let name = contact::lookup(tx, source, std::slice::from_ref(&address))?.remove(&address);
            found.push(Association {
                name: name.and_then(|contact| contact.name),
                address,
                remote_id: Some(remote_id.clone()),
                may_create,
            });
            break;
        }
    }
    Ok(found)
}

/// What is kept of who sent a message and when, so that nobody can pass another mail off as it.
pub(crate) fn sender(tx: &Tx<'_>, from: Option<&Address>, date: Option<Timestamp>) -> IdHash {
    let from = from.map(Address::as_str).unwrap_or_default();
    let date = date.map(|date| date.to_string()).unwrap_or_default();
    tx.hash_sender(&format!("{from}\n{date}"))
}
