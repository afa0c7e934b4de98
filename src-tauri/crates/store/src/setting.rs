//! `setting`: what the program keeps for itself, as JSON under a name.

use crate::error::StoreError;
use crate::sql::to_json;
use crate::tx::{Salt, Tx};
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) const SQL: &str = "
CREATE TABLE setting (
  key   TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL CHECK (json_valid(value))
) STRICT, WITHOUT ROWID;
";

/// The name under which the salt of [`crate::IdHash`] lies.
const SALT: &str = "store.salt";

/// The value under a name.
pub fn get<T: DeserializeOwned>(tx: &Tx<'_>, key: &str) -> Result<Option<T>, StoreError> {
    let text: Option<String> = tx.one("SELECT value FROM setting WHERE key = ?1", [key], |row| row.get(0))?;
    text.map(|text| {
        serde_json::from_str(&text).map_err(|_| StoreError::Unreadable { column: format!("setting.{key}") })
    })
    .transpose()
}

/// Puts a value under a name, in place of the one that was there.
pub fn set(tx: &Tx<'_>, key: &str, value: &impl Serialize) -> Result<(), StoreError> {
    let value = to_json(value, "setting.value")?;
    tx.run(
        "INSERT INTO setting (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
        [key, &value],
    )?;
    Ok(())
}

pub fn remove(tx: &Tx<'_>, key: &str) -> Result<(), StoreError> {
    tx.run("DELETE FROM setting WHERE key = ?1", [key])?;
    Ok(())
}

/// The salt of this ledger's hashes; made by SQLite's own generator, which the system seeds, when the file is new.
pub(crate) fn salt(conn: &mut Connection) -> Result<Salt, StoreError> {
    conn.execute(
        "INSERT INTO setting (key, value) VALUES (?1, json_quote(hex(randomblob(32)))) ON CONFLICT (key) DO NOTHING",
        [SALT],
    )?;
    let bytes: Option<[u8; 32]> = conn
        .query_row("SELECT unhex(value ->> '$') FROM setting WHERE key = ?1", [SALT], |row| row.get(0))
        .optional()?;
    bytes
        .map(|bytes| Salt::new(&bytes))
        .ok_or_else(|| StoreError::Unreadable { column: format!("setting.{SALT}") })
}
