//! `message_id`: every id that a message goes by, and by what else a logged one is found, hashed.

use crate::error::StoreError;
use crate::tx::{IdHash, Tx};
use rusqlite::params;
use threadline_core::envelope::Envelope;
use threadline_core::id::MessageKey;
use threadline_core::matching::Clue;

pub(crate) const SQL: &str = "
CREATE TABLE message_id (
  account    INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
  hash       BLOB NOT NULL CHECK (length(hash) = 16),
  message    INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
  identifies INTEGER NOT NULL CHECK (identifies IN (0, 1)),
  PRIMARY KEY (account, hash, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_id_by_message ON message_id (message);
";

/// The hashes that make a header this message and no other: those of all its ids or, where the canonical one was too broken
/// to make the key, that of the key. A broken id finds replies, but two mails can share it.
pub(crate) fn identities(tx: &Tx<'_>, envelope: &Envelope) -> Vec<IdHash> {
    match envelope.ids.first() {
        Some(id) if MessageKey::of_id(id) == envelope.key => {
            envelope.ids.iter().map(|id| tx.hash_id(id)).collect()
        }
        _ => vec![tx.hash_key(&envelope.key)],
    }
}

/// The messages that any of these hashes identifies, each once; more than one where two rows prove to be one message.
pub(crate) fn owners(tx: &Tx<'_>, account: i64, own: &[IdHash]) -> Result<Vec<i64>, StoreError> {
    let mut found = Vec::new();
    for hash in own {
        let owners: Vec<i64> = tx.all(
            "SELECT message FROM message_id WHERE account = ?1 AND hash = ?2 AND identifies = 1 ORDER BY message",
            params![account, hash],
            |row| row.get(0),
        )?;
        for owner in owners {
            if !found.contains(&owner) {
                found.push(owner);
            }
        }
    }
    Ok(found)
}

/// Whether a message goes by this hash.
pub(crate) fn belongs_to(tx: &Tx<'_>, message: i64, hash: IdHash) -> Result<bool, StoreError> {
    let found = tx.one(
        "SELECT 1 FROM message_id WHERE message = ?1 AND hash = ?2 LIMIT 1",
        params![message, hash],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Notes by what else a logged message is found. It identifies no message: many share it.
pub(crate) fn add_traces(tx: &Tx<'_>, account: i64, message: i64, traces: &[Clue]) -> Result<(), StoreError> {
    for clue in traces {
        tx.run(
            "INSERT OR IGNORE INTO message_id (account, hash, message, identifies) VALUES (?1, ?2, ?3, 0)",
            params![account, tx.hash_clue(clue), message],
        )?;
    }
    Ok(())
}

/// Notes one more hash by which a message is found, and not identified.
pub(crate) fn note(tx: &Tx<'_>, account: i64, message: i64, hash: IdHash) -> Result<(), StoreError> {
    tx.run(
        "INSERT OR IGNORE INTO message_id (account, hash, message, identifies) VALUES (?1, ?2, ?3, 0)",
        params![account, hash, message],
    )?;
    Ok(())
}

/// Notes the ids of a message.
pub(crate) fn add(
    tx: &Tx<'_>,
    account: i64,
    message: i64,
    envelope: &Envelope,
    own: &[IdHash],
) -> Result<(), StoreError> {
    const INSERT: &str =
        "INSERT OR IGNORE INTO message_id (account, hash, message, identifies) VALUES (?1, ?2, ?3, ?4)";
    for hash in own {
        tx.run(INSERT, params![account, hash, message, true])?;
    }
    for id in &envelope.ids {
        tx.run(INSERT, params![account, tx.hash_id(id), message, false])?;
    }
    Ok(())
}
