//! `reference`: every id that a message answers, and what else ties it to a conversation, hashed, so that a reply seen before
//! its original is found.

use crate::error::StoreError;
use crate::message::Recheck;
use crate::tx::{IdHash, Tx};
use rusqlite::params;
use std::collections::BTreeMap;
use threadline_core::envelope::MOST_REFERENCES;

pub(crate) const SQL: &str = "
CREATE TABLE reference (
  account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
  hash    BLOB NOT NULL CHECK (length(hash) = 16),
  message INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
  PRIMARY KEY (account, hash, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX reference_by_message ON reference (message);
";

/// Notes what a message answers, the nearest first; at most [`MOST_REFERENCES`].
pub(crate) fn add(tx: &Tx<'_>, account: i64, message: i64, hashes: &[IdHash]) -> Result<(), StoreError> {
    for hash in hashes.iter().take(MOST_REFERENCES) {
        tx.run(
            "INSERT OR IGNORE INTO reference (account, hash, message) VALUES (?1, ?2, ?3)",
            params![account, hash, message],
        )?;
    }
    Ok(())
}

/// The messages that answer a message of a logged thread and were asked about because their sender had no part in it: somebody
/// new does now.
pub fn strangers_of(tx: &Tx<'_>, thread: i64) -> Result<Vec<Recheck>, StoreError> {
    tx.all(
        "SELECT s.id AS message, min(p.folder) AS folder, p.uidvalidity, p.uid
         FROM message m CROSS JOIN message_id i ON i.message = m.id
           CROSS JOIN reference r ON r.account = m.account AND r.hash = i.hash
           CROSS JOIN message s ON s.id = r.message CROSS JOIN place p ON p.message = s.id
         WHERE m.thread = ?1 AND s.verdict = 'ask' AND s.rule = 'stranger_in_thread' GROUP BY s.id",
        [thread],
        crate::message::read_recheck,
    )
}

/// The messages that answer one of these ids, are not logged, and lie somewhere: each once, by id.
pub fn waiting_for(tx: &Tx<'_>, account: i64, ids: &[IdHash]) -> Result<Vec<Recheck>, StoreError> {
    let mut found = BTreeMap::new();
    for hash in ids {
        let rows = tx.all(
            "SELECT m.id AS message, min(p.folder) AS folder, p.uidvalidity, p.uid
             FROM reference r CROSS JOIN message m ON m.id = r.message CROSS JOIN place p ON p.message = m.id
             WHERE r.account = ?1 AND r.hash = ?2 AND m.verdict <> 'log' GROUP BY m.id",
            params![account, hash],
            crate::message::read_recheck,
        )?;
        found.extend(rows.into_iter().map(|row| (row.message, row)));
    }
    Ok(found.into_values().collect())
}
