//! Whether a signed-in connection is to the mailbox that the ledger knows.
//!
//! A UIDVALIDITY proves little: some servers give every folder the same one, others a new one after a move. So the newest
//! messages that the ledger knows are looked for. Few headers are read, and no body.

use crate::engine::{Engine, Whose, to_json};
use crate::error::EngineError;
use crate::settings::AccountSettings;
use jiff::{Timestamp, ToSpan as _};
use std::collections::{HashMap, HashSet};
use threadline_core::address::Address;
use threadline_core::arrival::{Arrival, Role};
use threadline_mail::error::MailError;
use threadline_mail::session::{Folder as ServerFolder, Session};
use threadline_mail::watch::MOST_ARRIVALS;
use threadline_store::{account, folder, message, place};

/// Messages of a folder that are looked for.
const LOOKED_FOR: usize = 20;

/// Most headers read of a folder whose numbering is the known one.
const MOST_READ: u32 = 100;

/// What the ledger knows of a folder.
struct Known {
    account: i64,
    name: String,
    uidvalidity: u32,
    next_uid: u32,
    /// The newest messages by UID: the message, and its time.
    latest: HashMap<u32, (i64, Timestamp)>,
}

/// What a folder proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Known messages are there.
    Same,
    /// Other messages are where known ones should be, or none of these is to be found.
    Other,
    /// The numbering is the known one, and there was no message to know it by.
    Numbering,
    /// The numbering is the known one and has gone on, and none of the known messages is left.
    Emptied,
}

impl Proof {
    /// Whether it is the known mailbox. Equal numbers prove nothing about another server or another user, to which the
    /// settings have `moved`: an emptied one is the known one only where it was.
    pub fn is_same(self, moved: bool) -> bool {
        match self {
            Proof::Same | Proof::Numbering => true,
            Proof::Emptied => !moved,
            Proof::Other => false,
        }
    }
}

/// [`prove_mailbox`], for whoever asks the person about these settings.
pub(crate) async fn same_mailbox(
    engine: &Engine,
    settings: &AccountSettings,
    session: &mut Session,
    folders: &[ServerFolder],
) -> Result<Option<bool>, EngineError> {
    let Some(proof) = prove_mailbox(engine, &settings.address, session, folders).await? else {
        return Ok(None);
    };
    let stored = engine.row(&settings.address).await?.settings;
    Ok(Some(proof.is_same(is_moved(&stored, &to_json(settings)?))))
}

/// Whether stored settings lead to another server or user than others do.
pub(crate) fn is_moved(stored: &str, others: &str) -> bool {
    Whose::read(stored).mailbox() != Whose::read(others).mailbox()
}

/// Compares INBOX and Sent (or All Mail) with the ledger; `None` where that knows nothing of this address.
pub(crate) async fn prove_mailbox(
    engine: &Engine,
    address: &Address,
    session: &mut Session,
    folders: &[ServerFolder],
) -> Result<Option<Proof>, EngineError> {
    let mut proofs = Vec::new();
    for known in known(engine, address).await? {
        let inbox = ServerFolder::inbox();
        let on_server = match folders.iter().find(|f| f.selectable && f.name == known.name) {
            Some(found) => found,
            None if known.name == inbox.name => &inbox,
            None => continue,
        };
        match prove(engine, &known, session, on_server).await? {
            Proof::Same => return Ok(Some(Proof::Same)),
            other => proofs.push(other),
        }
    }
    Ok([Proof::Other, Proof::Emptied, Proof::Numbering].into_iter().find(|proof| proofs.contains(proof)))
}

async fn known(engine: &Engine, address: &Address) -> Result<Vec<Known>, EngineError> {
    let address = address.clone();
    let read = move |tx: &threadline_store::Tx<'_>| {
        let Some(account) = account::by_address(tx, &address)? else { return Ok(Vec::new()) };
        let mut known = Vec::new();
        for row in folder::list(tx, account.id)? {
            let Some(cursor) = row.cursor.filter(|_| row.role != Role::Other) else { continue };
            let latest = place::latest(tx, row.id, cursor.uidvalidity, LOOKED_FOR)?;
            let latest = latest.into_iter().map(|(place, message, time)| (place.uid, (message, time)));
            known.push(Known {
                account: account.id,
                name: row.name,
                uidvalidity: cursor.uidvalidity,
                next_uid: cursor.next_uid,
                latest: latest.collect(),
            });
        }
        Ok(known)
    };
    Ok(engine.ledger().read(read).await?)
}

async fn prove(
    engine: &Engine,
    known: &Known,
    session: &mut Session,
    on_server: &ServerFolder,
) -> Result<Proof, EngineError> {
    let examined = session.examine(on_server).await?;
    let numbering = examined.uidvalidity;
    if numbering != known.uidvalidity {
        let seen = around(known, session, on_server).await?;
        let owners = owners(engine, known.account, seen).await?;
        let found: HashSet<i64> = owners.into_iter().flatten().collect();
        let found = known.latest.values().filter(|(message, _)| found.contains(message)).count();
        // Colleagues share single mails, but not half of a folder.
        let enough = found > 0 && 2 * found >= known.latest.len();
        return Ok(if enough { Proof::Same } else { Proof::Other });
    }
    // The ledger has seen every message from the first of these on, up to its cursor.
    let first = known.latest.keys().min().copied().unwrap_or(known.next_uid);
    let first = first.max(known.next_uid.saturating_sub(MOST_READ));
    let uids: Vec<u32> = (first..known.next_uid).collect();
    let seen = session.headers(on_server, numbering, &uids).await?.unwrap_or_default().arrivals;
    let owners = owners(engine, known.account, seen).await?;
    let same = owners.iter().filter(|message| message.is_some()).count();
    Ok(match (owners.len(), same) {
        // Under one numbering the next UID only goes up, also when every message is gone.
        (0, _) if examined.next_uid.is_some_and(|next| next < known.next_uid) => Proof::Other,
        (0, _) if known.latest.is_empty() => Proof::Numbering,
        (0, _) => Proof::Emptied,
        (all, same) if 2 * same >= all => Proof::Same,
        _ => Proof::Other,
    })
}

/// Messages from about the time of the known ones.
async fn around(
    known: &Known,
    session: &mut Session,
    on_server: &ServerFolder,
) -> Result<Vec<Arrival>, MailError> {
    let oldest = known.latest.values().map(|(_, time)| *time).min();
    let Some(since) = oldest.and_then(|at| at.checked_sub(48.hours()).ok()) else { return Ok(Vec::new()) };
    let period = session.period(on_server, since).await?;
    let uids = &period.uids[..period.uids.len().min(MOST_ARRIVALS)];
    Ok(session.headers(on_server, period.uidvalidity, uids).await?.unwrap_or_default().arrivals)
}

/// The ledger's message of each arrival.
async fn owners(engine: &Engine, account: i64, seen: Vec<Arrival>) -> Result<Vec<Option<i64>>, EngineError> {
    let read = move |tx: &threadline_store::Tx<'_>| {
        let owner = |a: &Arrival| Ok(message::known(tx, account, &a.envelope)?.map(|b| b.message));
        seen.iter().map(owner).collect()
    };
    Ok(engine.ledger().read(read).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emptied_mailbox_is_the_known_one_only_where_it_was() {
        for (proof, moved, want) in [
            (Proof::Emptied, false, true),
            (Proof::Emptied, true, false),
            (Proof::Same, true, true),
            (Proof::Numbering, true, true),
            (Proof::Other, false, false),
        ] {
            assert_eq!(proof.is_same(moved), want, "{proof:?} {moved}");
        }
        let at = |host: &str, port: u16| format!(r#"{{"host":"{host}","port":{port},"user":"ann"}}"#);
        assert!(!is_moved(&at("IMAP.firm.example", 993), &at("imap.firm.example", 143)));
        assert!(is_moved(&at("imap.firm.example", 993), &at("imap2.firm.example", 993)));
    }
}
