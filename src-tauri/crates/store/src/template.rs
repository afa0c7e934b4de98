//! `template`: texts for mails, by the name that the person gave to each.

use crate::error::StoreError;
use crate::sql::{time, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::{Row, params};
use threadline_core::template::Template;

pub(crate) const SQL: &str = "
CREATE TABLE template (
  name       TEXT PRIMARY KEY NOT NULL,
  subject    TEXT NOT NULL,
  text       TEXT NOT NULL,
  html       TEXT,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// A template as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub name: String,
    pub template: Template,
    pub changed_at: Timestamp,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Kept> {
    Ok(Kept {
        name: row.get("name")?,
        template: Template { subject: row.get("subject")?, text: row.get("text")?, html: row.get("html")? },
        changed_at: time(row, "changed_at")?,
    })
}

/// Keeps a template under a name, in place of the one that was there.
pub fn put(tx: &Tx<'_>, name: &str, template: &Template, at: Timestamp) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO template (name, subject, text, html, changed_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (name) DO UPDATE SET subject = ?2, text = ?3, html = ?4, changed_at = ?5",
        params![name, template.subject, template.text, template.html, us(at)],
    )?;
    Ok(())
}

pub fn get(tx: &Tx<'_>, name: &str) -> Result<Option<Kept>, StoreError> {
    tx.one("SELECT * FROM template WHERE name = ?1", [name], read)
}

/// All of them, by name.
pub fn list(tx: &Tx<'_>) -> Result<Vec<Kept>, StoreError> {
    tx.all("SELECT * FROM template WHERE name > '' ORDER BY name", [], read)
}

/// True where there was one.
pub fn remove(tx: &Tx<'_>, name: &str) -> Result<bool, StoreError> {
    Ok(tx.run("DELETE FROM template WHERE name = ?1", [name])? > 0)
}
