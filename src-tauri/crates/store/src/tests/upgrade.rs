//! A ledger of the first version is brought to the present one.

use super::{Bed, address, key};
use crate::activity::{self, Kind};
use crate::outbox::{self, State};
use crate::thread::{self, Query};
use crate::{Ledger, open, schema};
use rusqlite::Connection;
use std::path::Path;
use threadline_core::conversation::ThreadState;

/// A ledger as the first version left it: a mail that was answered, one that bounced, and their way to a CRM.
fn first_version(path: &Path) {
    let mut conn = Connection::open(path).unwrap();
    conn.execute_batch(&key().pragma()).unwrap();
    schema::first_version(&mut conn);
    conn.execute_batch(
        "INSERT INTO setting VALUES ('store.salt', json_quote(hex(zeroblob(32))));
         INSERT INTO account (id, address, settings, created) VALUES (1, 'ann@firm.example', '{}', 0);
         INSERT INTO folder (id, account, name, role) VALUES (1, 1, 'Sent', 'sent');
         INSERT INTO thread (id, account, key, subject, created, last) VALUES
           (1, 1, randomblob(32), 'Offer for Müller', 10, 20), (2, 1, randomblob(32), 'Second', 30, 30);
         INSERT INTO participant VALUES (1, 'ann@firm.example'), (1, 'bob@client.example'), (2, 'dora@client.example');
         INSERT INTO message (id, account, verdict, rule, rule_version, direction, time, decided_at, size, thread, key, headers)
           VALUES (1, 1, 'log', 'sent_to_contact', 1, 'outgoing', 10, 10, 1, 1, zeroblob(32), '{}'),
                  (2, 1, 'log', 'reply_in_logged_thread', 1, 'incoming', 20, 20, 1, 1, zeroblob(32), '{}'),
                  (3, 1, 'log', 'sent_to_contact', 1, 'outgoing', 30, 30, 1, 2, zeroblob(32), '{}'),
                  (4, 1, 'ignore', 'bounce', 1, 'incoming', 31, 31, 1, NULL, NULL, NULL);
         INSERT INTO message_id VALUES (1, x'000102030405060708090a0b0c0d0e0f', 3, 1);
         INSERT INTO reference VALUES (1, x'000102030405060708090a0b0c0d0e0f', 4);
         INSERT INTO association VALUES (1, 0, 'bob@client.example', 'Robert', 'c1', 0);
         INSERT INTO outbox (id, sink, message, key, state, attempts, uncertain, next_try, queued_at, stored_at, remote_id)
           VALUES (7, 'hubspot', 1, zeroblob(32), 'done', 1, 0, 0, 5, 9, 'r1'),
                  (9, 'hubspot', 2, zeroblob(32), 'waiting', 2, 1, 8, 5, NULL, NULL);",
    )
    .unwrap();
}

#[test]
fn nothing_is_lost_and_what_is_new_is_filled() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    first_version(&path);
    let ledger = Ledger::open(&path, &key()).unwrap();
    ledger
        .read_blocking(|tx| {
            let rows = thread::list(tx, &Query { limit: 9, ..Query::default() })?.rows;
            let told: Vec<_> =
                rows.iter().map(|r| (r.thread.id, r.thread.state, r.thread.messages)).collect();
            assert_eq!(told, [(2, ThreadState::Bounced, 1), (1, ThreadState::Replied, 2)]);
            for words in ["muller", "robert", "bob@client"] {
                let page = thread::list(tx, &Query { search: Some(words), limit: 9, ..Query::default() })?;
                assert_eq!(page.rows.iter().map(|r| r.thread.id).collect::<Vec<_>>(), [1], "{words}");
            }
            let people = [address("dora@client.example")];
            assert_eq!(thread::list(tx, &Query { people: Some(&people), ..Query::default() })?.total, 1);
            let done = outbox::get(tx, 7)?.unwrap();
            assert_eq!((done.state, done.remote_id.as_deref()), (State::Done, Some("r1")));
            let waiting = outbox::get(tx, 9)?.unwrap();
            assert_eq!((waiting.state, waiting.attempts, waiting.uncertain), (State::Waiting, 2, true));
            let told = activity::since(tx, 0, 99)?;
            assert_eq!(told.iter().map(|a| a.message).collect::<Vec<_>>(), [1, 2, 3, 4].map(Some));
            assert!(told.iter().all(|a| a.kind == Kind::Decided));
            Ok(())
        })
        .unwrap();
}

/// Upgraded, a ledger has the same tables as a new one.
#[test]
fn an_upgraded_ledger_is_as_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    first_version(&path);
    let schema = |conn: &Connection| {
        let mut rows =
            conn.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY sql").unwrap();
        rows.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap).collect::<Vec<_>>()
    };
    let upgraded = open::writer(&path, &key()).unwrap();
    assert_eq!(schema(&upgraded), schema(&Bed::new().conn));
}

/// A row that cannot be read stops the upgrade, and the file stays what it was.
#[test]
fn an_upgrade_that_fails_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    first_version(&path);
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(&key().pragma()).unwrap();
    conn.execute_batch("UPDATE message SET time = 9223372036854775807 WHERE id = 2").unwrap();
    assert_eq!(Ledger::open(&path, &key()).unwrap_err().code(), "ledger_unreadable");
    let version: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 1);
    conn.execute_batch("UPDATE message SET time = 20 WHERE id = 2").unwrap();
    drop(conn);
    Ledger::open(&path, &key()).unwrap();
}
