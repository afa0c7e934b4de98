//! Looks at the plan of every statement that any test runs.

use rusqlite::Connection;

/// Panics where a statement reads a whole table without saying so in a comment.
pub(crate) fn check(conn: &Connection, sql: &str) {
    let mut statement = conn.prepare_cached(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().unwrap() {
        let step: String = row.get("detail").unwrap();
        let whole = step.starts_with("SCAN ") && !step.contains("VIRTUAL TABLE");
        let said = step.contains("COVERING INDEX") && sql.contains("/* whole index */");
        assert!(!whole || said, "{step}\nin {sql}");
    }
}
