//! A transaction, as the tables' functions see it.

use crate::error::StoreError;
use hmac::{Hmac, KeyInit, Mac};
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Params, Row};
use sha2::Sha256;
use std::fmt;
use threadline_core::address::Address;
use threadline_core::id::{MessageId, MessageKey};
use threadline_core::matching::Clue;
use zeroize::Zeroizing;

/// One transaction on the ledger. The tables' functions take it first.
pub struct Tx<'a> {
    pub(crate) conn: &'a Connection,
    salt: &'a Salt,
}

/// The salt of a ledger's hashes: the key of their HMAC.
#[derive(Clone)]
pub(crate) struct Salt(Zeroizing<[u8; 64]>);

impl Salt {
    /// HMAC fills a key up with zeros to its block size, here 64 bytes (RFC 2104 §2).
    pub(crate) fn new(bytes: &[u8; 32]) -> Self {
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(bytes);
        Self(block)
    }
}

/// What stays of an id: HMAC-SHA256 under the ledger's own salt, its first 16 bytes. Without the ledger nobody can
/// try out ids against it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdHash([u8; 16]);

impl IdHash {
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for IdHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdHash(")?;
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))?;
        f.write_str(")")
    }
}

impl ToSql for IdHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for IdHash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(Self)
    }
}

impl<'a> Tx<'a> {
    pub(crate) fn new(conn: &'a Connection, salt: &'a Salt) -> Self {
        Self { conn, salt }
    }

    /// What is kept of a message's id.
    pub fn hash_id(&self, id: &MessageId) -> IdHash {
        self.hash(b"id", id.as_str().as_bytes())
    }

    /// What is kept of a message's key.
    pub fn hash_key(&self, key: &MessageKey) -> IdHash {
        self.hash(b"key", key.as_bytes())
    }

    /// What is kept of something by which a conversation is found.
    pub fn hash_clue(&self, clue: &Clue) -> IdHash {
        match clue {
            Clue::Id(id) => self.hash_id(id),
            Clue::Root(root) => self.hash(b"root", root.as_bytes()),
            Clue::Subject(who, base) => self.hash(b"subject", format!("{who}\0{base}").as_bytes()),
        }
    }

    /// What is kept of an address that retention has taken.
    pub(crate) fn hash_address(&self, address: &Address) -> IdHash {
        self.hash(b"address", address.as_str().as_bytes())
    }

    /// What is kept of a firm's domain.
    pub(crate) fn hash_domain(&self, domain: &str) -> IdHash {
        self.hash(b"domain", domain.as_bytes())
    }

    /// What is kept of who sent a message and when.
    pub(crate) fn hash_sender(&self, sender: &str) -> IdHash {
        self.hash(b"sender", sender.as_bytes())
    }

    /// What stands in the place of a message's key where that must go: nobody can try out ids against it.
    pub(crate) fn hash_whole(&self, key: &[u8; 32]) -> [u8; 32] {
        self.mac(b"whole", key)
    }

    /// The kind keeps ids, keys and other clues apart: they share a column.
    fn hash(&self, kind: &[u8], bytes: &[u8]) -> IdHash {
        let mut cut = [0; 16];
        cut.copy_from_slice(&self.mac(kind, bytes)[..16]);
        IdHash(cut)
    }

    fn mac(&self, kind: &[u8], bytes: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new((&*self.salt.0).into());
        mac.update(kind);
        mac.update(b"\0");
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }

    /// Runs a statement; gives the number of rows that it changed.
    pub(crate) fn run(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        self.look_at_plan(sql);
        Ok(self.conn.prepare_cached(sql)?.execute(params)?)
    }

    /// Inserts a row; gives its id.
    pub(crate) fn insert(&self, sql: &str, params: impl Params) -> Result<i64, StoreError> {
        self.run(sql, params)?;
        Ok(self.conn.last_insert_rowid())
    }

    /// The first row, where there is one.
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        self.look_at_plan(sql);
        Ok(self.conn.prepare_cached(sql)?.query_row(params, read).optional()?)
    }

    /// All rows.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.look_at_plan(sql);
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map(params, read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    #[cfg(test)]
    fn look_at_plan(&self, sql: &str) {
        crate::tests::plan::check(self.conn, sql);
    }

    #[cfg(not(test))]
    fn look_at_plan(&self, _sql: &str) {}
}

impl fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tx")
    }
}
