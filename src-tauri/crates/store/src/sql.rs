//! Values on their way into the tables and out again.

use crate::error::{StoreError, UnknownValue};
use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::Type;
use serde::Serialize;
use serde::de::DeserializeOwned;
use threadline_core::address::Address;
use threadline_core::id::MessageKey;
use threadline_core::reason::Reason;
use threadline_core::record::Direction;

/// A point of time as it is stored: microseconds since 1970, UTC.
pub(crate) fn us(time: Timestamp) -> i64 {
    // The last second there is has no microseconds that come back.
    let (first, last) = (Timestamp::MIN.as_second() * 1_000_000, Timestamp::MAX.as_second() * 1_000_000);
    time.as_microsecond().clamp(first, last)
}

fn unknown(column: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Null, Box::new(UnknownValue(column.to_owned())))
}

pub(crate) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    Timestamp::from_microsecond(row.get(column)?).map_err(|_| unknown(column))
}

pub(crate) fn maybe_time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column)?
        .map(|us| Timestamp::from_microsecond(us).map_err(|_| unknown(column)))
        .transpose()
}

/// Text that stands for something: a name of an enum.
pub(crate) fn named<T>(row: &Row<'_>, column: &str, read: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    read(&text).ok_or_else(|| unknown(column))
}

pub(crate) fn maybe_named<T>(
    row: &Row<'_>,
    column: &str,
    read: impl Fn(&str) -> Option<T>,
) -> rusqlite::Result<Option<T>> {
    row.get::<_, Option<String>>(column)?.map(|text| read(&text).ok_or_else(|| unknown(column))).transpose()
}

pub(crate) fn address(row: &Row<'_>, column: &str) -> rusqlite::Result<Address> {
    named(row, column, |text| Address::parse(text).ok())
}

pub(crate) fn reason(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Reason>> {
    maybe_named(row, column, Reason::from_code)
}

pub(crate) fn key(row: &Row<'_>, column: &str) -> rusqlite::Result<MessageKey> {
    row.get(column).map(MessageKey::from_bytes)
}

pub(crate) fn maybe_key(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<MessageKey>> {
    Ok(row.get::<_, Option<[u8; 32]>>(column)?.map(MessageKey::from_bytes))
}

pub(crate) fn maybe_json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    maybe_named(row, column, |text| serde_json::from_str(text).ok())
}

/// Writes a value as JSON. The types that are stored cannot fail; the error is there because serde's is.
pub(crate) fn to_json(value: &impl Serialize, column: &str) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Unreadable { column: column.to_owned() })
}

pub(crate) fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Outgoing => "outgoing",
        Direction::Incoming => "incoming",
    }
}

pub(crate) fn direction(name: &str) -> Option<Direction> {
    [Direction::Outgoing, Direction::Incoming].into_iter().find(|d| direction_name(*d) == name)
}

/// A page size as SQLite takes it.
pub(crate) fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A list that `json_each` reads.
pub(crate) fn ids(of: &[i64]) -> String {
    format!("[{}]", of.iter().map(i64::to_string).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_time_come_back() {
        for time in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
            let back = Timestamp::from_microsecond(us(time)).unwrap();
            assert_eq!(back.as_second(), time.as_second());
        }
    }
}
