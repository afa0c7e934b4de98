//! The contacts of the CRMs, pulled into the local index, where mail is matched. An address goes to no CRM for that.

use crate::error::EngineError;
use crate::event::Event;
use crate::shared::Shared;
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read};
use std::sync::Arc;
use std::time::Duration;
use threadline_core::address::Address;
use threadline_core::contact::Contact;
use threadline_crm::{CrmError, Sink};
use threadline_store::contact::{self, Cursor};
use threadline_store::job::{self, Kind};
use threadline_store::message::{self, Recheck};
use threadline_store::portal::{self, Doubt};
use threadline_store::{StoreError, Tx};

/// The name under which the local contact list stands in the index.
pub const LOCAL: &str = "local";
/// Between two looks for changes.
pub const EVERY: Duration = Duration::from_secs(5 * 60);
/// Messages that are decided again in one transaction.
const PAGE: usize = 500;
/// Contacts that are stored or forgotten in one transaction.
const CHUNK: usize = 2_000;
/// Longest header line of a contact list, in bytes.
const MOST_HEADER: u64 = 64 * 1024;

/// Why a pull stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PullError {
    #[error(transparent)]
    Crm(#[from] CrmError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads all pages that are there now. The cursor is stored with each page, so that a pull of many pages goes on
/// where it stopped. When all are read, what waited for them is decided again. `doubt` is what was open when the sink was made.
/// Gives the number of contacts read.
pub(crate) async fn pull(shared: &Arc<Shared>, sink: &dyn Sink, doubt: Doubt) -> Result<u64, PullError> {
    let name = sink.name();
    let portal = sink.connect().await?;
    keep_to_portal(shared, name, portal.id).await?;
    settle(shared, name, doubt).await?;
    let mut read = 0;
    loop {
        let cursor = shared.ledger.read(move |tx| contact::cursor(tx, name)).await?;
        let page = sink.contacts(cursor.as_ref().map(|c| c.cursor.as_str())).await?;
        let more = page.more;
        let complete = page.first_pull_done;
        read += page.contacts.len() as u64;
        let changed = !page.contacts.is_empty() || complete != cursor.is_some_and(|c| c.complete);
        let now = shared.clock.now();
        shared
            .ledger
            .write(move |tx| {
                contact::upsert(tx, name, &page.contacts, now)?;
                for id in &page.archived {
                    contact::remove(tx, name, id)?;
                }
                contact::set_cursor(tx, name, &Cursor { cursor: page.next, complete })
            })
            .await?;
        if changed {
            shared.tell(Event::Contacts { sink: name.to_owned(), read, complete });
        }
        if !more {
            // Each time, whatever the last page held: an earlier page, or an earlier run that was killed, may have
            // brought what a message waits for.
            if complete {
                decide_again(shared, name).await?;
                settle(shared, name, doubt).await?;
            }
            tracing::debug!(read, complete, "the contacts are up to date");
            return Ok(read);
        }
    }
}

/// Contacts of another portal have other ids: they go before the first page of this one comes, and with them what is known by
/// the other one's ids.
async fn keep_to_portal(
    shared: &Arc<Shared>,
    sink: &'static str,
    id: Option<String>,
) -> Result<(), StoreError> {
    let Some(id) = id else { return Ok(()) };
    let asked = id.clone();
    if shared.ledger.read(move |tx| portal::is_another(tx, sink, &asked)).await? {
        clear(shared, sink).await?;
        // What could be taken back has the other one's ids too.
        shared.undos.forget();
    }
    shared.ledger.write(move |tx| portal::is_now(tx, sink, &id)).await
}

/// The portal is known, and its contacts are read: what waited for that goes on.
async fn settle(shared: &Arc<Shared>, sink: &'static str, doubt: Doubt) -> Result<(), StoreError> {
    if shared.ledger.write(move |tx| portal::settle(tx, sink, doubt)).await? {
        shared.bell(sink).notify_one();
    }
    Ok(())
}

/// Forgets a source's contacts, some at a time: the mailboxes write in between.
pub(crate) async fn clear(shared: &Arc<Shared>, source: &str) -> Result<(), StoreError> {
    loop {
        let source = source.to_owned();
        if !shared.ledger.write(move |tx| contact::clear(tx, &source, CHUNK)).await? {
            return Ok(());
        }
    }
}

/// Replaces the local list. Contacts that are not in it any more go last, so that a kill in between costs none that is
/// in both.
pub(crate) async fn replace_local(
    shared: &Arc<Shared>,
    contacts: Vec<Contact>,
    progress: impl Fn(usize),
) -> Result<(), StoreError> {
    let now = shared.clock.now();
    let mut contacts = contacts;
    let mut stored = 0;
    while !contacts.is_empty() {
        let chunk = contacts.split_off(contacts.len().saturating_sub(CHUNK));
        stored += chunk.len();
        shared.ledger.write(move |tx| contact::upsert(tx, LOCAL, &chunk, now)).await?;
        progress(stored);
    }
    while shared.ledger.write(move |tx| contact::keep_only(tx, LOCAL, now, CHUNK)).await? {}
    decide_again_locally(shared).await
}

/// Where the local list counts, decides again what may have waited for it.
pub(crate) async fn decide_again_locally(shared: &Arc<Shared>) -> Result<(), StoreError> {
    match shared.contact_sources().iter().any(|s| s == LOCAL) {
        true => decide_again(shared, LOCAL).await,
        false => Ok(()),
    }
}

/// Sets the jobs for messages that waited for the contacts, in every mailbox.
async fn decide_again(shared: &Arc<Shared>, source: &'static str) -> Result<(), StoreError> {
    let accounts = shared.ledger.read(threadline_store::account::list).await?;
    for account in accounts {
        for kind in [Waiting::Held, Waiting::Asked] {
            let mut after = 0;
            loop {
                let id = account.id;
                let rows = shared.ledger.read(move |tx| waiting(tx, kind, id, source, after)).await?;
                let Some(last) = rows.last() else { break };
                after = last.message;
                let add = move |tx: &Tx<'_>| {
                    for row in &rows {
                        job::add(tx, Kind::Recheck, row.message, row.place, job::AT_ONCE)?;
                    }
                    Ok(())
                };
                shared.ledger.write(add).await?;
            }
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Waiting {
    Held,
    Asked,
}

/// One page of them.
fn waiting(
    tx: &Tx<'_>,
    kind: Waiting,
    account: i64,
    source: &str,
    after: i64,
) -> Result<Vec<Recheck>, StoreError> {
    match kind {
        Waiting::Held => message::held(tx, account, after, PAGE),
        Waiting::Asked => message::asked_of_contacts(tx, account, source, after, PAGE),
    }
}

/// A contact list that was read from a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Imported {
    pub contacts: u64,
    /// Lines without a usable address.
    pub left_out: u64,
}

/// Reads a CSV file with a header line. Columns, in any order and case: `email` (or `e-mail`, `address`), and `name`,
/// or `first name` and `last name`. What stands between them is what the header has most of: commas, semicolons (which
/// Excel writes in many countries) or tabs. A line without an address is left out. Fails where there is no such column,
/// and where no line has an address: the list that is there is not to be replaced by none.
pub fn read_csv(source: impl Read) -> Result<(Vec<Contact>, Imported), EngineError> {
    let mut source = BufReader::new(source);
    let mut first = Vec::new();
    source.by_ref().take(MOST_HEADER).read_until(b'\n', &mut first).map_err(|e| {
        let cause = e.kind().to_string();
        EngineError::ContactList { line: 1, cause }
    })?;
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .delimiter(delimiter(&first))
        .from_reader(Marks { of: first.as_slice().chain(source), odd: false });
    let broken = |e: csv::Error| EngineError::ContactList {
        line: e.position().map_or(1, csv::Position::line),
        cause: match e.kind() {
            csv::ErrorKind::Utf8 { .. } => "it is not UTF-8 text; save it as CSV UTF-8".to_owned(),
            csv::ErrorKind::Io(e) => e.kind().to_string(),
            _ => "it is not CSV".to_owned(),
        },
    };
    let header = reader.headers().map_err(broken)?.clone();
    let column = |names: &[&str]| {
        header.iter().position(|h| {
            let h = h.trim_start_matches('\u{feff}').to_lowercase().replace(['_', '-'], " ");
            names.contains(&h.as_str())
        })
    };
    let Some(email) = column(&["email", "e mail", "address", "email address", "mail"]) else {
        return Err(EngineError::ContactList {
            line: 1,
            cause: "no column is called email; name the column with the addresses so".to_owned(),
        });
    };
    let name = column(&["name", "full name"]);
    let names = [column(&["first name", "firstname"]), column(&["last name", "lastname"])];
    let mut found: HashMap<Address, Contact> = HashMap::new();
    let mut imported = Imported::default();
    let mut last = (1, false);
    for row in reader.records() {
        let row = row.map_err(broken)?;
        last = (row.position().map_or(1, csv::Position::line), row.iter().any(|field| field.contains('\n')));
        let Some(Ok(address)) = row.get(email).map(Address::parse) else {
            imported.left_out += 1;
            continue;
        };
        let whole = match name {
            Some(name) => row.get(name).unwrap_or_default().to_owned(),
            None => {
                let parts: Vec<&str> = names.iter().filter_map(|n| row.get((*n)?)).collect();
                parts.join(" ")
            }
        };
        let whole = threadline_core::envelope::clean(whole.trim(), 200);
        let contact = Contact {
            remote_id: address.to_string(),
            addresses: vec![address.clone()],
            name: (!whole.is_empty()).then_some(whole),
        };
        found.insert(address, contact);
    }
    // A mark that nothing closes takes all lines below it for one field, the last of the list.
    if let (line, true) = last
        && reader.get_ref().odd
    {
        return Err(EngineError::ContactList {
            line,
            cause: "a quotation mark that is opened here is closed nowhere, so the list stays as it was; close it or take \
                    it away"
                .to_owned(),
        });
    }
    if found.is_empty() {
        return Err(EngineError::ContactList {
            line: 1,
            cause: "no line below it holds an address, so the list stays as it was; check the column email"
                .to_owned(),
        });
    }
    imported.contacts = found.len() as u64;
    Ok((found.into_values().collect(), imported))
}

/// Tells whether the number of quotation marks that were read is odd.
struct Marks<R> {
    of: R,
    odd: bool,
}

impl<R: Read> Read for Marks<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.of.read(into)?;
        let marks = into.iter().take(read).filter(|byte| **byte == b'"').count();
        self.odd ^= marks % 2 == 1;
        Ok(read)
    }
}

/// What the header has most of; a comma where it has none of them.
fn delimiter(header: &[u8]) -> u8 {
    let count = |mark: u8| header.iter().filter(|b| **b == mark).count();
    [b'\t', b';', b','].into_iter().max_by_key(|mark| count(*mark)).unwrap_or(b',')
}

#[cfg(test)]
mod tests;
