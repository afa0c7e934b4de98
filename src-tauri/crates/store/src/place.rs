//! `place`: where a message lies on the server.

use crate::error::StoreError;
use crate::sql::{most, time};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::{Row, params};

pub(crate) const SQL: &str = "
CREATE TABLE place (
  folder      INTEGER NOT NULL REFERENCES folder ON DELETE CASCADE,
  uidvalidity INTEGER NOT NULL,
  uid         INTEGER NOT NULL,
  message     INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
  PRIMARY KEY (folder, uidvalidity, uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX place_by_message ON place (message);
";

/// One message in one folder (RFC 3501 §2.3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The ledger's row of the folder.
    pub folder: i64,
    pub uidvalidity: u32,
    pub uid: u32,
}

pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Place> {
    Ok(Place { folder: row.get("folder")?, uidvalidity: row.get("uidvalidity")?, uid: row.get("uid")? })
}

/// Notes where a message lies; true where this is news.
pub(crate) fn put(tx: &Tx<'_>, place: Place, message: i64) -> Result<bool, StoreError> {
    let changed = tx.run(
        "INSERT INTO place (folder, uidvalidity, uid, message) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (folder, uidvalidity, uid) DO UPDATE SET message = ?4 WHERE message <> ?4",
        params![place.folder, place.uidvalidity, place.uid, message],
    )?;
    Ok(changed > 0)
}

/// The message that lies here.
pub fn message_at(tx: &Tx<'_>, place: Place) -> Result<Option<i64>, StoreError> {
    tx.one(
        "SELECT message FROM place WHERE folder = ?1 AND uidvalidity = ?2 AND uid = ?3",
        params![place.folder, place.uidvalidity, place.uid],
        |row| row.get(0),
    )
}

/// Every place of a message.
pub fn of_message(tx: &Tx<'_>, message: i64) -> Result<Vec<Place>, StoreError> {
    tx.all(
        "SELECT folder, uidvalidity, uid FROM place WHERE message = ?1 ORDER BY folder, uidvalidity, uid",
        [message],
        read,
    )
}

/// Messages that are looked at for the newest of a folder: old ones are moved into it too.
const LATEST: usize = 200;

/// The time of the newest message among the last that were seen in a folder. One from after `now` has a wrong time and does
/// not count.
pub fn newest(tx: &Tx<'_>, folder: i64, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let times = tx.all(
        "SELECT m.time FROM place p CROSS JOIN message m ON m.id = p.message
         WHERE p.folder = ?1 ORDER BY p.folder DESC, p.uidvalidity DESC, p.uid DESC LIMIT ?2",
        params![folder, most(LATEST)],
        |row| time(row, "time"),
    )?;
    Ok(times.into_iter().filter(|time| *time <= now).max())
}

/// The places seen last in a folder as it is numbered so, each with its message and that one's time.
pub fn latest(
    tx: &Tx<'_>,
    folder: i64,
    uidvalidity: u32,
    limit: usize,
) -> Result<Vec<(Place, i64, Timestamp)>, StoreError> {
    tx.all(
        "SELECT p.*, m.time FROM place p CROSS JOIN message m ON m.id = p.message
         WHERE p.folder = ?1 AND p.uidvalidity = ?2 ORDER BY p.folder DESC, p.uidvalidity DESC, p.uid DESC LIMIT ?3",
        params![folder, uidvalidity, most(limit)],
        |row| Ok((read(row)?, row.get("message")?, time(row, "time")?)),
    )
}

/// Forgets a place where the server has nothing any more.
pub fn remove(tx: &Tx<'_>, place: Place) -> Result<(), StoreError> {
    tx.run(
        "DELETE FROM place WHERE folder = ?1 AND uidvalidity = ?2 AND uid = ?3",
        params![place.folder, place.uidvalidity, place.uid],
    )?;
    Ok(())
}

/// Forgets the places of a folder from a UID on: the UIDs are given anew. Gives their number.
pub fn remove_from(tx: &Tx<'_>, folder: i64, uid: u32) -> Result<usize, StoreError> {
    tx.run("DELETE FROM place WHERE folder = ?1 AND uid >= ?2", params![folder, uid])
}

/// Forgets the places of a folder under every other UIDVALIDITY: their UIDs mean nothing any more. Gives their number.
pub fn remove_outdated(tx: &Tx<'_>, folder: i64, uidvalidity: u32) -> Result<usize, StoreError> {
    tx.run("DELETE FROM place WHERE folder = ?1 AND uidvalidity <> ?2", params![folder, uidvalidity])
}
