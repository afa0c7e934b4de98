//! Opening the file: key, version, rights, damage, settings.

use super::{Bed, at, key, log, mail};
use crate::message::{self, NewDecision};
use crate::place::Place;
use crate::{Key, Ledger, StoreError, account, folder, schema, setting};
use std::path::Path;
use std::process::Command;
use threadline_core::arrival::Role;
use threadline_core::decide::Thread;

const PAGE: usize = 4096;

fn code(result: Result<Ledger, StoreError>) -> &'static str {
    result.err().unwrap().code()
}

/// A ledger with some logged mails, closed again.
fn filled(path: &Path) {
    let ledger = Ledger::open(path, &key()).unwrap();
    ledger
        .write_blocking(|tx| {
            let account = account::insert(tx, &super::address("ann@firm.example"), "{}", at(0))?;
            let folder = folder::ensure(tx, account, "Sent", Role::Sent)?.id;
            for uid in 1..200 {
                let envelope = mail(&format!("zebracrossing-{uid}@firm.example"), "");
                message::record(
                    tx,
                    &NewDecision {
                        account,
                        place: Some(Place { folder, uidvalidity: 1, uid }),
                        envelope: &envelope,
                        decision: &log(Thread::New),
                        rule_version: 1,
                        time: at(1),
                        size: 1,
                        at: at(2),
                    },
                )?;
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn the_settings_are_really_on() {
    let bed = Bed::new();
    for (pragma, want) in [
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("secure_delete", 1),
        ("temp_store", 2),
        ("trusted_schema", 0),
        ("user_version", schema::VERSION),
    ] {
        assert_eq!(bed.number(&format!("PRAGMA {pragma}")), want, "{pragma}");
    }
    let mode: String = bed.conn.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    let loose = bed.number("SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'");
    assert_eq!(loose, 0, "every table is STRICT");
}

#[test]
fn a_wrong_key_is_refused_and_the_file_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    filled(&path);
    let before = std::fs::read(&path).unwrap();
    let error = Ledger::open(&path, &Key::from_bytes([8; 32])).unwrap_err();
    assert!(matches!(&error, StoreError::WrongKey { path: named } if *named == path), "{error:?}");
    assert!(error.to_string().contains("ledger.db") && !error.next_step().is_empty());
    assert_eq!(std::fs::read(&path).unwrap(), before);
    Ledger::open(&path, &key()).unwrap();
}

#[test]
fn a_wrong_key_costs_nothing_that_lies_in_the_wal() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let running = Ledger::open(&path, &key()).unwrap();
    running.write_blocking(|tx| setting::set(tx, "a", &1)).unwrap();
    // As a crash leaves them: the file and its WAL.
    let crashed = dir.path().join("crashed.db");
    for side in ["", "-wal"] {
        let from = dir.path().join(format!("ledger.db{side}"));
        std::fs::copy(from, dir.path().join(format!("crashed.db{side}"))).unwrap();
    }
    assert_eq!(code(Ledger::open(&crashed, &Key::from_bytes([8; 32]))), "ledger_wrong_key");
    let ledger = Ledger::open(&crashed, &key()).unwrap();
    assert_eq!(ledger.read_blocking(|tx| setting::get::<i64>(tx, "a")).unwrap(), Some(1));
}

#[test]
fn a_ledger_that_is_set_aside_makes_room_for_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    filled(&path);
    std::fs::write(dir.path().join("ledger.db-wal"), b"left behind").unwrap();
    let before = std::fs::read(&path).unwrap();
    let aside = crate::move_aside(&path, at(0)).unwrap();
    assert_eq!(aside, dir.path().join("ledger.db.aside-19700101T000000Z"));
    assert_eq!(std::fs::read(&aside).unwrap(), before);
    let wal = dir.path().join("ledger.db.aside-19700101T000000Z-wal");
    assert_eq!(std::fs::read(wal).unwrap(), b"left behind");
    let new = Ledger::open(&path, &Key::from_bytes([8; 32])).unwrap();
    assert!(new.read_blocking(account::list).unwrap().is_empty());
    drop(new);
    // A second one in the same second does not fall on the first.
    assert!(crate::move_aside(&path, at(0)).is_err());
    assert_eq!(std::fs::read(&aside).unwrap(), before);
    assert!(crate::move_aside(&dir.path().join("none.db"), at(5)).is_err());
}

#[test]
fn a_file_that_is_no_ledger_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("short", b"notes".to_vec()),
        ("long", vec![b'x'; 3 * PAGE]),
        ("plain", b"SQLite format 3\0".iter().copied().chain([0; 5000]).collect()),
    ] {
        let path = dir.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(code(Ledger::open(&path, &key())), "ledger_wrong_key", "{name}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}");
    }
}

#[test]
fn a_newer_version_is_refused_and_the_file_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let ledger = Ledger::open(&path, &key()).unwrap();
    let newer = schema::VERSION + 1;
    ledger
        .write_blocking(move |tx| Ok(tx.conn.execute_batch(&format!("PRAGMA user_version = {newer}"))?))
        .unwrap();
    drop(ledger);
    let before = std::fs::read(&path).unwrap();
    let error = Ledger::open(&path, &key()).unwrap_err();
    assert!(
        matches!(error, StoreError::Newer { found, known: schema::VERSION, .. } if found == newer),
        "{error:?}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn damage_is_named_and_from_then_on_nothing_else_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    filled(&path);
    let mut bytes = std::fs::read(&path).unwrap();
    // Every page behind the schema's, so that whatever is read is hit.
    let pages = bytes.len() / PAGE;
    for page in pages * 3 / 4..pages {
        bytes[page * PAGE + 100] ^= 0xff;
    }
    std::fs::write(&path, &bytes).unwrap();
    let ledger = Ledger::open(&path, &key()).unwrap();
    let error = ledger.write_blocking(|tx| message::newest(tx, None, 1_000)).unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt { path: named } if *named == path), "{error:?}");
    for error in
        [ledger.write_blocking(account::list).unwrap_err(), ledger.read_blocking(account::list).unwrap_err()]
    {
        assert!(matches!(&error, StoreError::Corrupt { path: named } if *named == path), "{error:?}");
    }
}

#[test]
fn no_text_of_a_mail_is_in_the_files_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    // Kept open, so that the WAL is there too.
    let reading = Ledger::open(&path, &key()).unwrap();
    filled(&path);
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let file = std::fs::read(entry.unwrap().path()).unwrap();
        bytes += file.len();
        for word in ["zebracrossing", "bob@client", "CREATE TABLE", "SQLite format"] {
            assert!(!file.windows(word.len()).any(|part| part == word.as_bytes()), "{word}");
        }
    }
    assert!(bytes > 50 * PAGE);
    assert_eq!(reading.read_blocking(|tx| message::newest(tx, None, 1_000)).unwrap().len(), 199);
}

#[test]
#[cfg(unix)]
fn the_file_is_private_to_the_user() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let ledger = Ledger::open(&path, &key()).unwrap();
    ledger.write_blocking(|tx| setting::set(tx, "a", &1)).unwrap();
    let mut files = 0;
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        files += 1;
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(files, 3, "the file, its WAL and its index");
}

#[test]
fn a_folder_that_is_missing_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none").join("ledger.db");
    let error = Ledger::open(&path, &key()).unwrap_err();
    assert!(matches!(error, StoreError::CannotOpen { .. }), "{error:?}");
}

#[test]
fn a_full_disk_is_named_and_nothing_is_half_written() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&dir.path().join("ledger.db"), &key()).unwrap();
    let fill = |tx: &crate::Tx<'_>| {
        let pages: i64 = tx.conn.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        tx.conn.query_row(&format!("PRAGMA max_page_count = {}", pages + 10), [], |_| Ok(()))?;
        setting::set(tx, "small", &1)?;
        setting::set(tx, "big", &"x".repeat(100 * PAGE))
    };
    let error = ledger.write_blocking(fill).unwrap_err();
    assert_eq!(error.code(), "ledger_disk_full");
    assert!(error.to_string().contains("ledger.db"), "{error}");
    assert_eq!(ledger.read_blocking(|tx| setting::get::<i64>(tx, "small")).unwrap(), None);
    ledger.write_blocking(|tx| setting::set(tx, "small", &1)).unwrap();
}

/// Runs one of the ignored tests below in a process of its own, as a user who is not root; gives what it printed.
#[cfg(unix)]
fn child(test: &str, path: &Path) -> std::process::Output {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", &format!("tests::opening::{test}"), "--ignored", "--nocapture"])
        .env("LEDGER", path);
    if std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0) {
        command.uid(65_534).gid(65_534);
    }
    command.output().unwrap()
}

#[test]
#[cfg(unix)]
fn read_only_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let set = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let closed = dir.path().join("ledger.db");
    filled(&closed);
    // The folder lets nobody make a file; the ledger in it may be read, then written too.
    for (path, mode) in
        [(dir.path().join("new.db"), None), (closed.clone(), Some(0o444)), (closed, Some(0o666))]
    {
        if let Some(mode) = mode {
            set(&path, mode);
        }
        set(dir.path(), 0o555);
        let output = child("child_opens", &path);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("code=ledger_read_only"), "{mode:?}: {text}");
        set(dir.path(), 0o755);
    }
}

#[test]
#[cfg(unix)]
fn a_wrong_key_writes_nothing_to_stderr() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let path = dir.path().join("ledger.db");
    std::fs::write(&path, vec![b'x'; 3 * PAGE]).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    let output = child("child_opens", &path);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("code=ledger_wrong_key"), "{text}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
#[ignore = "run by the tests above, in a process of its own"]
#[allow(clippy::print_stdout)]
fn child_opens() {
    let path = std::env::var_os("LEDGER").unwrap();
    println!("code={}", code(Ledger::open(Path::new(&path), &key())));
}

/// SQLite calls itself ready before SQLCipher is, so that of two threads that open the first ledgers of a process one
/// could find its key refused.
#[test]
#[cfg(unix)]
fn the_first_ledgers_of_a_process_open_at_the_same_moment() {
    use std::os::unix::fs::PermissionsExt;
    for _ in 0..40 {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let output = child("child_opens_many", dir.path());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}");
    }
}

#[test]
#[ignore = "run by the test above, in a process of its own"]
fn child_opens_many() {
    let dir = std::path::PathBuf::from(std::env::var_os("LEDGER").unwrap());
    let start = std::sync::Barrier::new(16);
    std::thread::scope(|scope| {
        for i in 0..16 {
            let path = dir.join(format!("{i}.db"));
            let start = &start;
            scope.spawn(move || {
                start.wait();
                // Not Ledger::open: its work on the folder would pull the threads apart.
                drop(crate::open::reader(&path, &key()).unwrap());
            });
        }
    });
}

#[test]
fn keys_do_not_print() {
    assert_eq!(format!("{:?}", key()), "Key(…)");
    assert_eq!(key().pragma().as_str(), format!("PRAGMA key = \"x'{}'\"", "07".repeat(32)));
}
