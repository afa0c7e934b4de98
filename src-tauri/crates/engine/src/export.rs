//! Everything that the ledger holds, written to a folder as JSON lines and .eml files.
//!
//! The fields are described in the README under "Export": they are a promise to scripts.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::views::{self, CrmState};
use jiff::Timestamp;
use serde::Serialize;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use threadline_core::address::Address;
use threadline_core::health::Health;
use threadline_core::record::{Association, Direction};
use threadline_core::rule::Rule;
use threadline_store::health::Owner;
use threadline_store::message::Message;
use threadline_store::{StoreError, Tx, association, body, contact, egress, health, message, outbox, thread};

/// Rows read at a time, so that an export of any size needs little memory.
const PAGE: usize = 200;

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    pub threads: u64,
    pub messages: u64,
    pub bodies: u64,
    pub outbox: u64,
    pub health: u64,
    pub contacts: u64,
    pub egress: u64,
}

#[derive(Serialize)]
struct MessageRow {
    /// Without brackets.
    message_id: Option<String>,
    ids: Vec<String>,
    key: Option<String>,
    thread: Option<i64>,
    account: Address,
    direction: Direction,
    kind: &'static str,
    contacts: Vec<Association>,
    rule: Rule,
    folder: Option<String>,
    subject: Option<String>,
    date: Timestamp,
    logged_at: Timestamp,
    crm: Vec<CrmState>,
    eml: Option<String>,
}

#[derive(Serialize)]
struct OutboxRow {
    id: i64,
    sink: String,
    message: i64,
    key: String,
    state: &'static str,
    attempts: u32,
    uncertain: bool,
    queued_at: Timestamp,
    next_try: Timestamp,
    pushed_at: Option<Timestamp>,
    stored_at: Option<Timestamp>,
    remote_id: Option<String>,
    link: Option<String>,
    how: Option<String>,
    reason: Option<String>,
    words: Option<String>,
}

#[derive(Serialize)]
struct EgressRow {
    at: Timestamp,
    sink: String,
    message: Option<i64>,
    object: String,
    remote_id: Option<String>,
    field: String,
    bytes: u64,
}

#[derive(Serialize)]
struct HealthRow {
    of: String,
    #[serde(flatten)]
    health: Health,
    until: Option<Timestamp>,
}

impl Engine {
    /// Writes everything to `dir`, which is made where it is missing and must be empty. It is there whole or, after an
    /// error, as it was. `progress` hears the number of
    /// messages written so far.
    pub async fn export(&self, dir: &Path, progress: impl Fn(u64) + Send) -> Result<Exported, EngineError> {
        let out = Out::begin(dir)?;
        let mut done = Exported::default();

        let mut threads = out.lines("threads.jsonl")?;
        let mut after = 0;
        loop {
            let page = self.read(move |tx| thread_rows(tx, after)).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            done.threads += threads.write_all(&page)?;
        }
        threads.finish()?;

        let mut messages = out.lines("messages.jsonl")?;
        let mut after = 0;
        loop {
            let page = self.read(move |tx| message::logged_page(tx, after, PAGE)).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for row in page {
                let raw = {
                    let id = row.id;
                    self.read(move |tx| body::get(tx, id)).await?
                };
                let eml = match raw {
                    Some(body) => Some(out.eml(&row, &body.raw)?),
                    None => None,
                };
                done.bodies += u64::from(eml.is_some());
                let row = self.read(move |tx| message_row(tx, &row, eml)).await?;
                done.messages += messages.write_all(std::slice::from_ref(&row))?;
                progress(done.messages);
            }
        }
        messages.finish()?;

        let mut lines = out.lines("outbox.jsonl")?;
        let mut after = 0;
        loop {
            let page = self.read(move |tx| outbox::page(tx, after, PAGE)).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            let rows: Vec<OutboxRow> = page.into_iter().map(outbox_row).collect();
            done.outbox += lines.write_all(&rows)?;
        }
        lines.finish()?;

        let mut lines = out.lines("health.jsonl")?;
        let mut after = 0;
        loop {
            let page = self.read(move |tx| health_rows(tx, after)).await?;
            let Some((last, _)) = page.last() else { break };
            after = *last;
            let rows: Vec<HealthRow> = page.into_iter().map(|(_, row)| row).collect();
            done.health += lines.write_all(&rows)?;
        }
        lines.finish()?;

        let mut lines = out.lines("contacts.jsonl")?;
        for source in self.contact_sources().await? {
            let mut after = String::new();
            loop {
                let (from, name) = (after.clone(), source.clone());
                let page = self.read(move |tx| contact::page(tx, &name, &from, PAGE)).await?;
                let Some(last) = page.last() else { break };
                after.clone_from(&last.remote_id);
                let rows: Vec<views::ContactLine> = page
                    .into_iter()
                    .map(|c| views::ContactLine {
                        source: source.clone(),
                        remote_id: c.remote_id,
                        name: c.name,
                        addresses: c.addresses,
                    })
                    .collect();
                done.contacts += lines.write_all(&rows)?;
            }
        }
        lines.finish()?;

        let mut lines = out.lines("egress.jsonl")?;
        let mut after = 0;
        loop {
            let page = self.read(move |tx| egress::page(tx, after, PAGE)).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            let rows: Vec<EgressRow> = page.into_iter().map(egress_row).collect();
            done.egress += lines.write_all(&rows)?;
        }
        lines.finish()?;
        out.finish()?;
        Ok(done)
    }

    async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, EngineError> {
        Ok(self.ledger().read(f).await?)
    }
}

fn thread_rows(tx: &Tx<'_>, after: i64) -> Result<Vec<views::ThreadLine>, StoreError> {
    thread::page(tx, after, PAGE)?.into_iter().map(|s| views::line(tx, s)).collect()
}

fn message_row(tx: &Tx<'_>, row: &Message, eml: Option<String>) -> Result<MessageRow, StoreError> {
    let headers = row.headers.as_ref();
    let ids: Vec<String> =
        headers.map(|h| h.ids.iter().map(ToString::to_string).collect()).unwrap_or_default();
    Ok(MessageRow {
        message_id: ids.first().cloned(),
        ids,
        key: row.key.map(|k| k.to_string()),
        thread: row.thread,
        account: views::account_address(tx, row.account)?,
        direction: row.direction,
        kind: "email",
        contacts: association::of_message(tx, row.id)?,
        rule: row.rule,
        folder: row.folder.clone(),
        subject: headers.map(|h| h.subject.clone()),
        date: row.time,
        logged_at: row.decided_at,
        crm: views::crm_states(tx, row.id)?,
        eml,
    })
}

fn outbox_row(e: outbox::Entry) -> OutboxRow {
    OutboxRow {
        id: e.id,
        sink: e.sink,
        message: e.message,
        key: e.key.to_string(),
        state: e.state.name(),
        attempts: e.attempts,
        uncertain: e.uncertain,
        queued_at: e.queued_at,
        next_try: e.next_try,
        pushed_at: e.pushed_at,
        stored_at: e.stored_at,
        remote_id: e.remote_id,
        link: e.link,
        how: e.how,
        reason: e.reason.map(|r| r.code().to_owned()),
        words: e.words,
    }
}

fn egress_row(e: egress::Egress) -> EgressRow {
    EgressRow {
        at: e.at,
        sink: e.sink,
        message: e.message,
        object: e.object,
        remote_id: e.remote_id,
        field: e.field,
        bytes: e.bytes,
    }
}

fn health_rows(tx: &Tx<'_>, after: i64) -> Result<Vec<(i64, HealthRow)>, StoreError> {
    health::page(tx, after, PAGE)?
        .into_iter()
        .map(|period| {
            let of = match period.owner {
                Owner::Account(id) => views::account_address(tx, id)?.to_string(),
                Owner::Sink(sink) => sink,
            };
            Ok((period.id, HealthRow { of, health: period.health, until: period.until }))
        })
        .collect()
}

/// The folder that is written to: beside its final place, until all is there. Dropped before, it goes.
struct Out {
    dir: PathBuf,
    place: PathBuf,
}

impl Out {
    fn begin(place: &Path) -> Result<Self, EngineError> {
        let failed = |source| EngineError::Export { path: place.to_owned(), source };
        let other = |why| EngineError::ExportPlace { path: place.to_owned(), why };
        let absolute = std::path::absolute(place).map_err(failed)?;
        let name = absolute.file_name().ok_or_else(|| other("it has no name. Name a folder"))?;
        match std::fs::read_dir(&absolute) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(other(
                        "the folder is not empty. Name an empty one, or one that is not there yet",
                    ));
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(failed(e)),
        }
        let mut beside = name.to_owned();
        beside.push(format!(".unfinished-{}", std::process::id()));
        let out = Self { dir: absolute.with_file_name(beside), place: absolute };
        private_dir(&out.dir.join("messages")).map_err(failed)?;
        Ok(out)
    }

    /// Moves it to its place.
    fn finish(self) -> Result<(), EngineError> {
        // An empty folder stands in the way of a renamed one on some systems.
        match std::fs::remove_dir(&self.place) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
            _ => std::fs::rename(&self.dir, &self.place),
        }
        .map_err(|source| EngineError::Export { path: self.place.clone(), source })
    }

    fn lines(&self, name: &str) -> Result<Lines, EngineError> {
        let path = self.dir.join(name);
        let file =
            private_file(&path).map_err(|source| EngineError::Export { path: path.clone(), source })?;
        Ok(Lines { path, file: BufWriter::new(file) })
    }

    /// Writes one message; gives its path below the folder.
    fn eml(&self, row: &Message, raw: &[u8]) -> Result<String, EngineError> {
        let name = format!("messages/{}.eml", row.id);
        let path = self.dir.join(&name);
        private_file(&path)
            .and_then(|mut file| file.write_all(raw))
            .map_err(|source| EngineError::Export { path, source })?;
        Ok(name)
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        // After the move there is nothing any more.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A file with one JSON object a line.
struct Lines {
    path: PathBuf,
    file: BufWriter<std::fs::File>,
}

impl Lines {
    fn write_all<T: Serialize>(&mut self, rows: &[T]) -> Result<u64, EngineError> {
        for row in rows {
            serde_json::to_writer(&mut self.file, row)
                .map_err(std::io::Error::from)
                .and_then(|()| self.file.write_all(b"\n"))
                .map_err(|source| EngineError::Export { path: self.path.clone(), source })?;
        }
        Ok(rows.len() as u64)
    }

    fn finish(mut self) -> Result<(), EngineError> {
        let done = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        done.map_err(|source| EngineError::Export { path: self.path, source })
    }
}

fn private_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn private_file(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
