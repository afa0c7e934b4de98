//! The keyword `$CrmLogged`: written back to mail that the CRM has, and taken away where it is taken out of the log
//! (PRODUCT B5). It goes over a connection of its own that lives for this alone and reads nothing; the connections that watch
//! open every folder by EXAMINE.

use crate::broken::Broken;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::mailbox::Mailbox;
use crate::sign_in;
use crate::tokens::Using;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::convert::Infallible;
use std::time::Duration;
use threadline_mail::keyword::{Change, Written};
use threadline_mail::session::Session;
use threadline_store::place::Place;
use threadline_store::{StoreError, Tx, folder, mark, setting};

/// The keyword.
pub const KEYWORD: &str = "$CrmLogged";

/// The setting that switches it off.
const WRITES_BACK: &str = "writes_back";
/// Messages of one connection.
const PAGE: usize = 1_000;
/// How often is looked for what was pushed.
const EVERY: Duration = Duration::from_secs(60);
/// After a CRM accepted something: others may follow at once.
const SOON: Duration = Duration::from_secs(3);
/// After a failure. What is to be told of the server is told by the connections that watch.
const AFTER_FAILURE: Duration = Duration::from_secs(30 * 60);

impl Engine {
    /// Whether `$CrmLogged` is written back; it is unless somebody said no.
    pub async fn writes_back(&self) -> Result<bool, EngineError> {
        Ok(self.ledger().read(writes_back).await?)
    }

    /// Switches it on or off for all mailboxes. What was written stays.
    pub async fn set_writes_back(&self, wanted: bool) -> Result<bool, EngineError> {
        self.ledger().write(move |tx| setting::set(tx, WRITES_BACK, &wanted)).await?;
        Ok(wanted)
    }
}

fn writes_back(tx: &Tx<'_>) -> Result<bool, StoreError> {
    Ok(setting::get(tx, WRITES_BACK)?.unwrap_or(true))
}

/// Writes them as long as the mailbox is connected.
pub(crate) async fn keep(mailbox: &Mailbox) -> Infallible {
    let mut refused = HashSet::new();
    loop {
        // A CRM that accepts something shortens the wait.
        let accepted = mailbox.shared.accepted.notified();
        if tokio::time::timeout(EVERY, accepted).await.is_ok() {
            tokio::time::sleep(SOON).await;
        }
        if !mailbox.is_watching() {
            continue;
        }
        if let Err(broken) = write(mailbox, &mut refused).await {
            tracing::debug!(
                code = broken.why().0.code(),
                "the keyword was not written back; it is tried again"
            );
            tokio::time::sleep(AFTER_FAILURE).await;
        }
    }
}

/// Writes what is due; gives the number of messages. `refused` are the ledger's folders that keep no keywords. No connection is
/// made where nothing is due.
pub(crate) async fn write(mailbox: &Mailbox, refused: &mut HashSet<i64>) -> Result<usize, Broken> {
    let (account, except) = (mailbox.id, refused.iter().copied().collect::<Vec<_>>());
    let due = move |tx: &Tx<'_>| {
        if !writes_back(tx)? {
            return Ok(Vec::new());
        }
        let mut all = Vec::new();
        for (change, rows) in [
            (Change::Add, mark::to_mark(tx, account, &except, PAGE)?),
            (Change::Remove, mark::to_take_back(tx, account, &except, PAGE)?),
        ] {
            let mut folders: BTreeMap<(i64, u32), Vec<(i64, Place)>> = BTreeMap::new();
            for (message, place) in rows {
                folders.entry((place.folder, place.uidvalidity)).or_default().push((message, place));
            }
            for ((id, uidvalidity), rows) in folders {
                if let Some(folder) = folder::get(tx, id)? {
                    all.push(Due { folder: id, name: folder.name, uidvalidity, rows, change });
                }
            }
        }
        Ok(all)
    };
    let due = mailbox.shared.ledger.read(due).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let mut session = match sign_in::session(&mailbox.shared, &mailbox.settings, None, Using::Kept).await {
        Ok(session) => session,
        Err(EngineError::Mail(error)) => return Err((*error).into()),
        Err(EngineError::Secret(error)) => return Err(error.into()),
        Err(error) => return Err(error.into()),
    };
    let done = write_over(mailbox, &mut session, due, refused).await;
    session.logout().await;
    done
}

/// What is to be written into one folder.
struct Due {
    folder: i64,
    name: String,
    uidvalidity: u32,
    rows: Vec<(i64, Place)>,
    change: Change,
}

async fn write_over(
    mailbox: &Mailbox,
    session: &mut Session,
    due: Vec<Due>,
    refused: &mut HashSet<i64>,
) -> Result<usize, Broken> {
    let folders = session.folders().await?;
    let mut marked: BTreeSet<i64> = BTreeSet::new();
    for one in due {
        let uids: BTreeSet<u32> = one.rows.iter().map(|(_, place)| place.uid).collect();
        let written = match folders.iter().find(|f| f.name == one.name && f.selectable) {
            Some(on_server) => {
                session.write_keyword(on_server, one.uidvalidity, &uids, KEYWORD, one.change).await?
            }
            None => Written::NotAllowed,
        };
        match written {
            Written::Done => {
                let messages: BTreeSet<i64> = one.rows.iter().map(|(message, _)| *message).collect();
                marked.extend(&messages);
                let at = (one.change == Change::Add).then(|| mailbox.shared.clock.now());
                let note = move |tx: &Tx<'_>| messages.iter().try_for_each(|id| mark::set(tx, *id, at));
                mailbox.shared.ledger.write(note).await?;
            }
            // It is numbered anew: the messages come up there again.
            Written::Renumbered => {}
            Written::NotAllowed => {
                refused.insert(one.folder);
            }
        }
    }
    Ok(marked.len())
}
