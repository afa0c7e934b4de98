//! `contact`, `contact_address`, `contact_cursor`: the local index of each CRM's contacts.

use crate::error::StoreError;
use crate::sql::{address, most, to_json, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::params;
use std::collections::HashMap;
use threadline_core::address::{Address, Mailbox};
use threadline_core::contact::Contact;

pub(crate) const SQL: &str = "
CREATE TABLE contact (
  sink      TEXT NOT NULL,
  remote_id TEXT NOT NULL,
  name      TEXT,
  updated   INTEGER NOT NULL,
  PRIMARY KEY (sink, remote_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE contact_address (
  sink      TEXT NOT NULL,
  address   TEXT NOT NULL,
  remote_id TEXT NOT NULL,
  position  INTEGER NOT NULL,
  PRIMARY KEY (sink, address),
  FOREIGN KEY (sink, remote_id) REFERENCES contact ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_address_by_contact ON contact_address (sink, remote_id, position);
CREATE TABLE contact_cursor (
  sink     TEXT PRIMARY KEY NOT NULL,
  cursor   TEXT NOT NULL CHECK (json_valid(cursor)),
  complete INTEGER NOT NULL CHECK (complete IN (0, 1))
) STRICT, WITHOUT ROWID;
";

/// How far a CRM's contacts were pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The sink's own, JSON.
    pub cursor: String,
    /// True when every contact was seen once.
    pub complete: bool,
}

/// Stores a page of contacts: new ones are added, known ones replaced, addresses and all. An address that belonged to
/// another contact of the sink goes over.
pub fn upsert(tx: &Tx<'_>, sink: &str, contacts: &[Contact], updated: Timestamp) -> Result<(), StoreError> {
    for contact in contacts {
        let id = &contact.remote_id;
        let known = tx.one(
            "SELECT 1 FROM contact WHERE sink = ?1 AND remote_id = ?2",
            params![sink, id],
            |_| Ok(()),
        )?;
        tx.run(
            "INSERT INTO contact (sink, remote_id, name, updated) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (sink, remote_id) DO UPDATE SET name = ?3, updated = ?4",
            params![sink, id, contact.name, us(updated)],
        )?;
        if known.is_some() {
            tx.run("DELETE FROM contact_address WHERE sink = ?1 AND remote_id = ?2", params![sink, id])?;
        }
        for (position, address) in contact.addresses.iter().enumerate() {
            tx.run(
                "INSERT INTO contact_address (sink, address, remote_id, position) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (sink, address) DO UPDATE SET remote_id = ?3, position = ?4 WHERE remote_id <> ?3",
                params![sink, address.as_str(), id, most(position)],
            )?;
        }
    }
    Ok(())
}

/// Forgets a contact that the CRM does not have any more.
pub fn remove(tx: &Tx<'_>, sink: &str, remote_id: &str) -> Result<(), StoreError> {
    tx.run("DELETE FROM contact WHERE sink = ?1 AND remote_id = ?2", [sink, remote_id])?;
    Ok(())
}

/// Forgets up to `limit` contacts of a sink, and first how far they were pulled. True where more are left.
pub fn clear(tx: &Tx<'_>, sink: &str, limit: usize) -> Result<bool, StoreError> {
    tx.run("DELETE FROM contact_cursor WHERE sink = ?1", [sink])?;
    let gone = tx.run(
        "DELETE FROM contact WHERE sink = ?1
         AND remote_id IN (SELECT remote_id FROM contact WHERE sink = ?1 ORDER BY remote_id LIMIT ?2)",
        params![sink, most(limit)],
    )?;
    Ok(gone == limit)
}

/// Forgets up to `limit` contacts of a sink that were last stored at another time than that. True where more may be left.
pub fn keep_only(tx: &Tx<'_>, sink: &str, updated: Timestamp, limit: usize) -> Result<bool, StoreError> {
    let gone = tx.run(
        "DELETE FROM contact WHERE sink = ?1 AND remote_id IN
           (SELECT remote_id FROM contact WHERE sink = ?1 AND updated <> ?2 ORDER BY remote_id LIMIT ?3)",
        params![sink, us(updated), most(limit)],
    )?;
    Ok(gone == limit)
}

/// The contact of each of these addresses that has one.
pub fn lookup(
    tx: &Tx<'_>,
    sink: &str,
    addresses: &[Address],
) -> Result<HashMap<Address, Contact>, StoreError> {
    let mut found: HashMap<Address, Contact> = HashMap::new();
    let rows = tx.all(
        "SELECT hit.address, c.remote_id, c.name, other.address AS other
         FROM json_each(?2) wanted
         CROSS JOIN contact_address hit ON hit.sink = ?1 AND hit.address = wanted.value
         CROSS JOIN contact c ON c.sink = ?1 AND c.remote_id = hit.remote_id
         CROSS JOIN contact_address other ON other.sink = ?1 AND other.remote_id = hit.remote_id
         ORDER BY hit.address, other.position",
        params![sink, to_json(&addresses, "address")?],
        |row| {
            let contact =
                Contact { remote_id: row.get("remote_id")?, addresses: Vec::new(), name: row.get("name")? };
            Ok((address(row, "address")?, contact, address(row, "other")?))
        },
    )?;
    for (wanted, contact, other) in rows {
        let contact = found.entry(wanted).or_insert(contact);
        if !contact.addresses.contains(&other) {
            contact.addresses.push(other);
        }
    }
    Ok(found)
}

/// All contacts of a sink by remote id, from behind `after` ("" for the first page): for a list or an export.
pub fn page(tx: &Tx<'_>, sink: &str, after: &str, limit: usize) -> Result<Vec<Contact>, StoreError> {
    let mut contacts = tx.all(
        "SELECT remote_id, name FROM contact WHERE sink = ?1 AND remote_id > ?2 ORDER BY remote_id LIMIT ?3",
        params![sink, after, most(limit)],
        |row| Ok(Contact { remote_id: row.get("remote_id")?, addresses: Vec::new(), name: row.get("name")? }),
    )?;
    for contact in &mut contacts {
        contact.addresses = tx.all(
            "SELECT address FROM contact_address WHERE sink = ?1 AND remote_id = ?2 ORDER BY position",
            params![sink, contact.remote_id],
            |row| address(row, "address"),
        )?;
    }
    Ok(contacts)
}

/// Addresses of a sink's contacts that have these words in them or in the name beside them, by name; the words stand for
/// themselves, without regard to the case of ASCII letters.
pub fn find(tx: &Tx<'_>, sink: &str, words: &str, limit: usize) -> Result<Vec<Mailbox>, StoreError> {
    let quoted = words.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    tx.all(
        "SELECT a.address, c.name FROM contact_address a
         JOIN contact c ON c.sink = a.sink AND c.remote_id = a.remote_id
         WHERE a.sink = ?1 AND (a.address LIKE ?2 ESCAPE '\\' OR c.name LIKE ?2 ESCAPE '\\')
         ORDER BY c.name, a.address LIMIT ?3",
        params![sink, format!("%{quoted}%"), most(limit)],
        |row| Ok(Mailbox::new(row.get("name")?, address(row, "address")?)),
    )
}

/// The number of a sink's contacts.
pub fn count(tx: &Tx<'_>, sink: &str) -> Result<u64, StoreError> {
    let count: Option<i64> =
        tx.one("SELECT count(*) FROM contact WHERE sink = ?1", [sink], |row| row.get(0))?;
    Ok(count.map_or(0, i64::cast_unsigned))
}

pub fn cursor(tx: &Tx<'_>, sink: &str) -> Result<Option<Cursor>, StoreError> {
    tx.one("SELECT cursor, complete FROM contact_cursor WHERE sink = ?1", [sink], |row| {
        Ok(Cursor { cursor: row.get("cursor")?, complete: row.get("complete")? })
    })
}

/// Notes how far the pull has come. Call it in the transaction that stores the page.
pub fn set_cursor(tx: &Tx<'_>, sink: &str, cursor: &Cursor) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO contact_cursor (sink, cursor, complete) VALUES (?1, ?2, ?3)
         ON CONFLICT (sink) DO UPDATE SET cursor = ?2, complete = ?3",
        params![sink, cursor.cursor, cursor.complete],
    )?;
    Ok(())
}
