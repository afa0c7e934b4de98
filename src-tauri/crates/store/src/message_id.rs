//! `message_id`: every id that a message goes by, hashed.

use crate::error::StoreError;
use crate::tx::{IdHash, Tx};
use rusqlite::params;
use threadline_core::envelope::Envelope;
use threadline_core::id::MessageKey;

pub(crate) const SQL: &str = "
CREATE TABLE message_id (
  account    INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
  hash       BLOB NOT NULL CHECK (length(hash) = 16),
  message    INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
  identifies INTEGER NOT NULL CHECK (identifies IN (0, 1)),
  PRIMARY KEY (account, hash, message)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX message_id_identity ON message_id (account, hash) WHERE identifies = 1;
CREATE INDEX message_id_by_message ON message_id (message);
";

/// The hashes that make a header this message and no other: its key's and, where the key is the canonical id's, those
/// of all its ids. An id that was too broken to make the key finds replies, but two mails can share it.
pub(crate) fn identities(tx: &Tx<'_>, envelope: &Envelope) -> Vec<IdHash> {
    let mut own = vec![tx.hash_key(&envelope.key)];
    if envelope.ids.first().is_some_and(|id| MessageKey::of_id(id) == envelope.key) {
        own.extend(envelope.ids.iter().map(|id| tx.hash_id(id)));
    }
    own
}

/// The messages that any of these hashes identifies, each once; more than one where two rows prove to be one message.
pub(crate) fn owners(tx: &Tx<'_>, account: i64, own: &[IdHash]) -> Result<Vec<i64>, StoreError> {
    let mut found = Vec::new();
    for hash in own {
        let owner = tx.one(
            "SELECT message FROM message_id WHERE account = ?1 AND hash = ?2 AND identifies = 1",
            params![account, hash],
            |row| row.get(0),
        )?;
        found.extend(owner.filter(|id| !found.contains(id)));
    }
    Ok(found)
}

/// Notes the ids of a message. An id that identifies another message already stays that one's.
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
