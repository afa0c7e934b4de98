//! The writer, the readers, and what becomes of a transaction that breaks off.

use super::key;
use crate::{Ledger, StoreError, setting};
use std::sync::mpsc;
use tempfile::TempDir;

fn ledger() -> (TempDir, Ledger) {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&dir.path().join("ledger.db"), &key()).unwrap();
    (dir, ledger)
}

fn value(ledger: &Ledger, key: &'static str) -> Option<i64> {
    ledger.read_blocking(move |tx| setting::get(tx, key)).unwrap()
}

#[test]
fn an_error_rolls_back() {
    let (_dir, ledger) = ledger();
    let error = ledger
        .write_blocking(|tx| {
            setting::set(tx, "a", &1)?;
            Err::<(), _>(StoreError::NotFound { what: "thing", id: 1 })
        })
        .unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }));
    assert_eq!(value(&ledger, "a"), None);
}

#[test]
fn a_panic_rolls_back_and_the_threads_live() {
    let (_dir, ledger) = ledger();
    for _ in 0..3 {
        let error = ledger
            .write_blocking(|tx| -> Result<(), StoreError> {
                setting::set(tx, "a", &1)?;
                panic!("on purpose")
            })
            .unwrap_err();
        assert!(matches!(error, StoreError::Panicked));
        let error = ledger.read_blocking(|_| -> Result<(), StoreError> { panic!("on purpose") }).unwrap_err();
        assert!(matches!(error, StoreError::Panicked));
    }
    assert_eq!(value(&ledger, "a"), None);
    ledger.write_blocking(|tx| setting::set(tx, "a", &2)).unwrap();
    assert_eq!(value(&ledger, "a"), Some(2));
}

#[tokio::test]
async fn the_async_calls_do_the_same() {
    let (_dir, ledger) = ledger();
    ledger.write(|tx| setting::set(tx, "a", &1)).await.unwrap();
    let error = ledger
        .write(|tx| -> Result<(), StoreError> {
            setting::set(tx, "a", &2)?;
            panic!("on purpose")
        })
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Panicked));
    let value: Option<i64> = ledger.read(|tx| setting::get(tx, "a")).await.unwrap();
    assert_eq!(value, Some(1));
}

#[test]
fn readers_go_on_while_a_write_is_under_way() {
    let (_dir, ledger) = ledger();
    ledger.write_blocking(|tx| setting::set(tx, "a", &1)).unwrap();
    let (begun, has_begun) = mpsc::channel();
    let (finish, may_finish) = mpsc::channel::<()>();
    let writer = ledger.clone();
    let thread = std::thread::spawn(move || {
        writer.write_blocking(move |tx| {
            setting::set(tx, "a", &2)?;
            begun.send(()).unwrap();
            may_finish.recv().unwrap();
            Ok(())
        })
    });
    has_begun.recv().unwrap();
    assert_eq!(value(&ledger, "a"), Some(1), "what is not committed is not seen");
    // One reader in the middle of its work does not stop the other.
    let other = ledger.clone();
    let both = ledger.read_blocking(move |tx| {
        let own: Option<i64> = setting::get(tx, "a")?;
        Ok((own, value(&other, "a")))
    });
    assert_eq!(both.unwrap(), (Some(1), Some(1)));
    finish.send(()).unwrap();
    thread.join().unwrap().unwrap();
    assert_eq!(value(&ledger, "a"), Some(2));
}

#[test]
fn a_reader_sees_one_state_to_its_end() {
    let (_dir, ledger) = ledger();
    ledger.write_blocking(|tx| setting::set(tx, "a", &1)).unwrap();
    let writer = ledger.clone();
    let seen = ledger.read_blocking(move |tx| {
        let first: Option<i64> = setting::get(tx, "a")?;
        writer.write_blocking(|tx| setting::set(tx, "a", &2))?;
        let second: Option<i64> = setting::get(tx, "a")?;
        Ok((first, second))
    });
    assert_eq!(seen.unwrap(), (Some(1), Some(1)));
}

#[test]
fn a_reader_cannot_write() {
    let (_dir, ledger) = ledger();
    assert!(ledger.read_blocking(|tx| setting::set(tx, "a", &1)).is_err());
    assert_eq!(value(&ledger, "a"), None);
}

#[test]
fn what_was_written_is_there_after_the_ledger_was_closed() {
    let (dir, ledger) = ledger();
    ledger.write_blocking(|tx| setting::set(tx, "a", &1)).unwrap();
    let id = super::id("a@x");
    let same = id.clone();
    let hash = ledger.read_blocking(move |tx| Ok(tx.hash_id(&id))).unwrap();
    drop(ledger);
    let files = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(files, 1, "closing leaves no WAL behind");
    let ledger = Ledger::open(&dir.path().join("ledger.db"), &key()).unwrap();
    assert_eq!(value(&ledger, "a"), Some(1));
    assert_eq!(ledger.read_blocking(move |tx| Ok(tx.hash_id(&same))).unwrap(), hash, "the salt stays");
}

#[test]
fn hashes_differ_from_ledger_to_ledger_and_by_kind() {
    let (_a, first) = ledger();
    let (_b, second) = ledger();
    let hashes = |ledger: &Ledger| {
        ledger
            .read_blocking(|tx| {
                // The same bytes, once as an id and once as a key.
                let id = super::id(&"a".repeat(32));
                let key = threadline_core::id::MessageKey::from_bytes([b'a'; 32]);
                Ok((tx.hash_id(&id), tx.hash_key(&key)))
            })
            .unwrap()
    };
    assert_ne!(hashes(&first).0, hashes(&second).0);
    assert_ne!(hashes(&first).0, hashes(&first).1);
}

#[test]
fn the_last_clone_may_die_inside_a_job() {
    let (dir, ledger) = ledger();
    let path = ledger.path().to_owned();
    let (done, is_done) = mpsc::channel();
    let held = ledger.clone();
    let (go, may_go) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        let inside = held.clone();
        // The answer is not waited for: the job outlives every other clone.
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut write = Box::pin(held.write(move |tx| {
            may_go.recv().unwrap();
            setting::set(tx, "a", &1)?;
            done.send(()).unwrap();
            drop(inside);
            Ok(())
        }));
        runtime.block_on(async {
            tokio::select! {
                biased;
                _ = &mut write => {}
                () = std::future::ready(()) => {}
            }
        });
    });
    thread.join().unwrap();
    drop(ledger);
    go.send(()).unwrap();
    is_done.recv().unwrap();
    // The file is free as soon as the writer has ended; the write itself was kept.
    let again = Ledger::open(&path, &key()).unwrap();
    assert_eq!(again.write_blocking(|tx| setting::get::<i64>(tx, "a")).unwrap(), Some(1));
    drop(dir);
}
