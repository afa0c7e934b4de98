//! The folder on the disk.

use crate::bench::*;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use threadline_crm::{Delivery, FolderSink, How, Kind, Sink};
use tokio::io::{AsyncBufReadExt, BufReader};

fn lines_of(dir: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(dir.join("events.jsonl")).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How often each key stands in the event file.
pub fn counts(dir: &Path) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in lines_of(dir) {
        *counts.entry(line["key"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

fn mails(numbers: std::ops::Range<usize>) -> Vec<Delivery> {
    numbers.map(|n| delivery(n, "ann@buyer.example", None)).collect()
}

async fn push(sink: &FolderSink, mails: &[Delivery]) -> Vec<How> {
    sink.push(mails).await.into_iter().map(|a| a.unwrap().how).collect()
}

#[tokio::test]
async fn a_message_is_a_line_and_a_file_without_its_bcc() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("export");
    let sink = FolderSink::new(&dir);
    sink.connect().await.unwrap();
    let mail = delivery(1, "ann@buyer.example", None);
    let accepted = sink.push(std::slice::from_ref(&mail)).await.remove(0).unwrap();
    assert_eq!(accepted.remote_id, Some(mail.record.key.to_string()));
    let line = lines_of(&dir).remove(0);
    assert_eq!(line["event"], "logged");
    let eml = format!("messages/2026-03/{}.eml", mail.record.key);
    assert_eq!(line["eml"], eml);
    let record: threadline_core::record::Record = serde_json::from_value(line).unwrap();
    assert_eq!(record, mail.record);
    let stored = fs::read_to_string(dir.join(eml)).unwrap();
    let want = String::from_utf8(mail.raw.to_vec()).unwrap().replace(&format!("Bcc: {BCC}\r\n"), "");
    assert_eq!(stored, want);
    for entry in walk(&dir) {
        assert!(!fs::read_to_string(&entry).unwrap_or_default().contains(BCC), "{}", entry.display());
        assert_ne!(entry.extension().and_then(|e| e.to_str()), Some("tmp"));
    }
}

fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = vec![dir.to_owned()];
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("export");
    let sink = FolderSink::new(&dir);
    push(&sink, &mails(0..1)).await;
    for path in walk(&dir) {
        let want = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, want, "{}", path.display());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_of_the_person_keeps_its_rights_and_an_empty_one_is_closed() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for (own_things, want) in [(true, 0o755), (false, 0o700)] {
        let temp = tempfile::tempdir().unwrap();
        fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o755)).unwrap();
        if own_things {
            fs::write(temp.path().join("notes.txt"), "mine").unwrap();
        }
        push(&FolderSink::new(temp.path()), &mails(0..1)).await;
        assert_eq!(mode(temp.path()), want);
        assert_eq!(mode(&temp.path().join("events.jsonl")), 0o600);
        assert_eq!(mode(&temp.path().join("messages")), 0o700);
    }
}

#[tokio::test]
async fn what_a_crash_leaves_at_any_byte_is_mended() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let all = mails(0..3);
    push(&FolderSink::new(dir), &all).await;
    let whole = fs::read(dir.join("events.jsonl")).unwrap();
    let before_last = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    for end in (before_last..=whole.len()).step_by(7).chain([whole.len() - 1, whole.len()]) {
        fs::write(dir.join("events.jsonl"), &whole[..end]).unwrap();
        let hows = push(&FolderSink::new(dir), &all).await;
        // A line that is whole but for its end stays, and gets its end.
        let last = if end >= whole.len() - 1 { How::Existing } else { How::Created };
        assert_eq!(hows, [How::Existing, How::Existing, last], "cut at {end}");
        assert!(counts(dir).values().all(|n| *n == 1));
        assert_eq!(lines_of(dir).len(), 3);
    }
}

#[tokio::test]
async fn the_link_of_what_is_there_is_the_one_in_its_line() {
    let temp = tempfile::tempdir().unwrap();
    let mut mail = mails(0..1);
    let first = FolderSink::new(temp.path()).push(&mail).await.remove(0).unwrap();
    // Another computer took the other of the message's two dates, in another month.
    mail[0].record.date += jiff::SignedDuration::from_hours(24 * 60);
    let second = FolderSink::new(temp.path()).push(&mail).await.remove(0).unwrap();
    assert_eq!(second.how, How::Existing);
    assert_eq!(second.link, first.link);
    assert!(Path::new(&second.link.unwrap()).exists());
}

#[tokio::test]
async fn a_torn_line_of_somebody_else_is_cut_by_a_running_sink_too() {
    let temp = tempfile::tempdir().unwrap();
    let sink = FolderSink::new(temp.path());
    push(&sink, &mails(0..2)).await;
    let mut events = fs::OpenOptions::new().append(true).open(temp.path().join("events.jsonl")).unwrap();
    // Longer than the line that comes after it.
    events.write_all(format!("{{\"event\":\"logged\",\"text\":\"{}", "x".repeat(20_000)).as_bytes()).unwrap();
    push(&sink, &mails(1..3)).await;
    assert_eq!(lines_of(temp.path()).len(), 3);
    // Nothing new to write: the torn line goes all the same.
    events.write_all(b"{").unwrap();
    push(&sink, &mails(1..3)).await;
    assert_eq!(lines_of(temp.path()).len(), 3);
}

#[tokio::test]
async fn a_file_that_was_replaced_or_edited_is_read_again() {
    let temp = tempfile::tempdir().unwrap();
    let events = temp.path().join("events.jsonl");
    let sink = FolderSink::new(temp.path());
    push(&sink, &mails(0..5)).await;
    // Somebody keeps only the last line, and writes a note of their own.
    let text = fs::read_to_string(&events).unwrap();
    fs::write(&events, format!("# my note\n{}\n", text.lines().last().unwrap())).unwrap();
    let hows = push(&sink, &mails(3..5)).await;
    assert_eq!(hows, [How::Created, How::Existing]);
    // The same length, another content.
    let text = fs::read_to_string(&events).unwrap();
    fs::write(&events, "x".repeat(text.len() - 1) + "\n").unwrap();
    assert_eq!(push(&sink, &mails(4..5)).await, [How::Created]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_sinks_at_once_make_one_line_each() {
    let temp = tempfile::tempdir().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for offset in 0..4 {
        let sink = FolderSink::new(temp.path());
        tasks.spawn(async move {
            let mut created = 0;
            for n in 0..12 {
                let start = (n * 5 + offset * 15) % 60;
                created += push(&sink, &mails(start..start + 5))
                    .await
                    .iter()
                    .filter(|h| **h == How::Created)
                    .count();
            }
            created
        });
    }
    let created: usize = tasks.join_all().await.into_iter().sum();
    assert_eq!(created, 60);
    let counts = counts(temp.path());
    assert_eq!((counts.len(), counts.values().max()), (60, Some(&1)));
}

/// The other process of the test below; alone it does nothing.
#[tokio::test]
async fn child_writer() {
    let Ok(dir) = std::env::var("THREADLINE_TEST_FOLDER") else { return };
    let sink = FolderSink::new(dir);
    for n in (0..40).rev() {
        eprintln!("at {n}");
        push(&sink, &mails(n..n + 1)).await;
    }
}

fn child(dir: &Path) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "folder::child_writer", "--quiet", "--nocapture"]);
    command.env("THREADLINE_TEST_FOLDER", dir).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

#[tokio::test]
async fn a_killed_process_leaves_nothing_lost_and_nothing_doubled() {
    let seed = seed();
    let mut dice = Dice::new(seed);
    let temp = tempfile::tempdir().unwrap();
    let mut killed = 0;
    for _ in 0..25 {
        let mut child = child(temp.path()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // Killed in the middle of one of its first pushes; those before are found again.
        for _ in 0..=dice.roll(39) {
            lines.next_line().await.unwrap();
        }
        child.start_kill().unwrap();
        killed += usize::from(!child.wait().await.unwrap().success());
    }
    assert!(killed > 0, "every child came to its end before it was killed");
    let sink = FolderSink::new(temp.path());
    push(&sink, &mails(0..40)).await;
    let counts = counts(temp.path());
    assert_eq!((counts.len(), counts.values().max()), (40, Some(&1)));
    for line in lines_of(temp.path()) {
        let eml = fs::read_to_string(temp.path().join(line["eml"].as_str().unwrap())).unwrap();
        assert!(eml.ends_with(&format!("{}\r\n", line["text"].as_str().unwrap())), "a file is not whole");
    }
}

#[tokio::test]
async fn two_processes_make_one_line_each() {
    let temp = tempfile::tempdir().unwrap();
    let mut child = child(temp.path()).stderr(Stdio::null()).spawn().unwrap();
    let sink = FolderSink::new(temp.path());
    for n in 0..40 {
        push(&sink, &mails(n..n + 1)).await;
    }
    assert!(child.wait().await.unwrap().success());
    let counts = counts(temp.path());
    assert_eq!((counts.len(), counts.values().max()), (40, Some(&1)));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_pauses_the_sink_and_says_why() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("file");
    fs::write(&file, "").unwrap();
    let sink = FolderSink::new(file.join("export"));
    let error = sink.connect().await.unwrap_err();
    assert_eq!(error.kind, Kind::Sink);
    assert!(error.to_string().contains("The folder is not there."), "{error}");
    let error = sink.push(&mails(0..1)).await.remove(0).unwrap_err();
    assert!(!error.to_string().contains("Dear Ann"), "{error}");
    // It heals without a restart.
    fs::remove_file(&file).unwrap();
    assert_eq!(push(&sink, &mails(0..1)).await, [How::Created]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_loses_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let sink = FolderSink::new(temp.path());
    push(&sink, &mails(0..1)).await;
    let events = temp.path().join("events.jsonl");
    let kept = fs::read(&events).unwrap();
    fs::remove_file(&events).unwrap();
    std::os::unix::fs::symlink("/dev/full", &events).unwrap();
    let error = sink.push(&mails(1..2)).await.remove(0).unwrap_err();
    assert!(error.to_string().contains("The disk is full."), "{error}");
    fs::remove_file(&events).unwrap();
    fs::write(&events, kept).unwrap();
    assert_eq!(push(&sink, &mails(0..2)).await, [How::Existing, How::Created]);
}
