//! Whether a signed-in connection is to the mailbox that the ledger knows.
//!
//! A UIDVALIDITY proves little: some servers give every folder the same one, others a new one after a move. So the newest
//! messages that the ledger knows are looked for. Few headers are read, and no body.

use crate::engine::Engine;
use crate::error::EngineError;
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
    /// The numbering is the known one, and none of the known messages is left.
    Numbering,
}

/// [`prove_mailbox`], for whoever asks the person.
pub(crate) async fn same_mailbox(
    engine: &Engine,
    address: &Address,
    session: &mut Session,
    folders: &[ServerFolder],
) -> Result<Option<bool>, EngineError> {
    Ok(prove_mailbox(engine, address, session, folders).await?.map(|proof| proof != Proof::Other))
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
    Ok(proofs.iter().copied().find(|proof| *proof == Proof::Other).or(proofs.first().copied()))
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
    let numbering = session.examine(on_server).await?.uidvalidity;
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
        (0, _) => Proof::Numbering,
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
