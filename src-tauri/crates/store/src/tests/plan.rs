//! Looks at the plan of every statement that any test runs: none may read a whole table.

use rusqlite::Connection;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

static SEEN: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// Panics where a statement reads a whole table without saying so in a comment.
pub(crate) fn check(conn: &Connection, sql: &str) {
    let news =
        SEEN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().insert(sql.to_owned());
    if news && let Some(step) = whole_table(conn, sql) {
        panic!("{step}\nin {sql}");
    }
}

/// The step of the plan that reads a whole table, where there is one.
fn whole_table(conn: &Connection, sql: &str) -> Option<String> {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().unwrap() {
        let step: String = row.get("detail").unwrap();
        let whole =
            step.starts_with("SCAN ") && !step.contains("VIRTUAL TABLE") && step != "SCAN CONSTANT ROW";
        let said = step.contains("COVERING INDEX") && sql.contains("/* whole index */");
        if whole && !said {
            return Some(step);
        }
    }
    None
}

#[test]
fn a_whole_table_is_found_in_a_plan() {
    let bed = super::Bed::new();
    for (sql, whole) in [
        ("SELECT * FROM message WHERE size = 1", true),
        ("SELECT * FROM message WHERE id = 1", false),
        ("SELECT sink, count(*) FROM outbox GROUP BY sink", true),
        ("SELECT sink, count(*) FROM outbox /* whole index */ GROUP BY sink", false),
        ("SELECT * FROM outbox /* whole index */ WHERE link = ''", true),
        ("DELETE FROM job WHERE words = 'x'", true),
    ] {
        assert_eq!(whole_table(&bed.conn, sql).is_some(), whole, "{sql}");
    }
}
