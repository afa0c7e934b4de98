//! Which account of a CRM the ledger's ids are of. Where another one is set, an id of the old one may be somebody else's there.

use crate::error::StoreError;
use crate::tx::Tx;
use crate::{contact, removal, setting};
use serde::{Deserialize, Serialize};

fn key(sink: &str) -> String {
    format!("portal:{sink}")
}

fn doubt_key(sink: &str) -> String {
    format!("portal.doubt:{sink}")
}

/// How often it was in doubt which account it is, and whether it is now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    number: u64,
    is_open: bool,
}

/// The doubt as it is. Who connects reads it before the secret, so that the account that answers is the one that is meant.
pub fn doubted(tx: &Tx<'_>, sink: &str) -> Result<Doubt, StoreError> {
    Ok(setting::get(tx, &doubt_key(sink))?.unwrap_or_default())
}

/// Notes that the CRM is set anew: it may be another account of it. Nothing is to be pushed to it, looked for or removed there
/// before [`settle`] said that it is known.
pub fn doubt(tx: &Tx<'_>, sink: &str) -> Result<(), StoreError> {
    let number = doubted(tx, sink)?.number + 1;
    setting::set(tx, &doubt_key(sink), &Doubt { number, is_open: true })
}

/// Whether it is open which account it is, or its contacts are still to be read.
pub fn in_doubt(tx: &Tx<'_>, sink: &str) -> Result<bool, StoreError> {
    Ok(doubted(tx, sink)?.is_open)
}

/// Whether the ledger's ids are those of another account than this one: then its contacts are to be cleared before [`is_now`].
pub fn is_another(tx: &Tx<'_>, sink: &str, id: &str) -> Result<bool, StoreError> {
    let known: Option<String> = setting::get(tx, &key(sink))?;
    Ok(known.is_some_and(|known| known != id))
}

/// The ledger's ids are this account's from now on. Those of another one are forgotten: of records, files and contacts of mails. What
/// was to be removed there is not, and stays told as that. What was logged there stays logged, and is neither pushed again nor looked for.
pub fn is_now(tx: &Tx<'_>, sink: &str, id: &str) -> Result<(), StoreError> {
    if is_another(tx, sink, id)? {
        tx.run("UPDATE outbox SET remote_id = NULL WHERE sink = ?1 AND remote_id IS NOT NULL", [sink])?;
        tx.run("DELETE FROM file WHERE sink = ?1", [sink])?;
        tx.run("DELETE FROM file_refused WHERE message > 0 AND sink = ?1", [sink])?;
        removal::leave(tx, sink)?;
        // The ids of the local list are addresses, and everybody's.
        tx.run(
            "UPDATE association SET remote_id = NULL WHERE message > 0 AND instr(remote_id, '@') = 0",
            [],
        )?;
        tx.run("DELETE FROM receipt_contact WHERE thread > 0", [])?;
        tx.run(
            "UPDATE trash SET contacts = (SELECT json_group_array(json_remove(value, '$.remote_id')) FROM json_each(contacts))
             WHERE message > 0",
            [],
        )?;
    }
    setting::set(tx, &key(sink), &id)
}

/// Ends the doubt where the contacts were all read, by one who connected after it began. True where it did.
pub fn settle(tx: &Tx<'_>, sink: &str, known: Doubt) -> Result<bool, StoreError> {
    let doubt = doubted(tx, sink)?;
    let complete = || Ok::<_, StoreError>(contact::cursor(tx, sink)?.is_some_and(|cursor| cursor.complete));
    if !doubt.is_open || doubt != known || !complete()? {
        return Ok(false);
    }
    setting::set(tx, &doubt_key(sink), &Doubt { is_open: false, ..doubt })?;
    Ok(true)
}
