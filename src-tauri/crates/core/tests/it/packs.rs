//! Reads the packs of mails in `shared/data/mail`, and says how many were read right, wrong and not understood.
//!
//! `cargo test -p threadline-core --test it -- packs:: --nocapture` prints the numbers. Another folder of packs of the same form can
//! be named by `THREADLINE_MAIL_PACKS`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail at any line, and the numbers are read"
)]

use serde_json::Value;
use std::path::PathBuf;
use threadline_core::address::Mailbox;
use threadline_core::envelope::Machine;
use threadline_core::report;
use threadline_core::text::{forward, html, reply};

/// How a pack was read.
#[derive(Debug, Default)]
struct Score {
    right: usize,
    wrong: usize,
    not_understood: usize,
}

enum Reading {
    Right,
    Wrong(String),
    NotUnderstood,
}

/// Reads each row of a pack. `None` where the pack is not there.
fn read(pack: &str, mut each: impl FnMut(&Value, &[u8]) -> Reading) -> Option<Score> {
    let folder = std::env::var_os("THREADLINE_MAIL_PACKS")
        .map_or_else(
            || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/data/mail").into(),
            PathBuf::from,
        )
        .join(pack);
    let Ok(rows) = std::fs::read_to_string(folder.join("expected.jsonl")) else {
        println!("{pack}: skipped, the pack is not there");
        return None;
    };
    let mut score = Score::default();
    for row in rows.lines().filter(|line| !line.trim().is_empty()) {
        let row: Value = serde_json::from_str(row).unwrap();
        let file = row["file"].as_str().unwrap();
        match each(&row, &std::fs::read(folder.join(file)).unwrap()) {
            Reading::Right => score.right += 1,
            Reading::Wrong(why) => {
                score.wrong += 1;
                println!("{pack}: wrong: {file}: {why}");
            }
            Reading::NotUnderstood => {
                score.not_understood += 1;
                println!("{pack}: not understood: {file}");
            }
        }
    }
    let Score { right, wrong, not_understood } = score;
    println!(
        "{pack}: {} rows: {right} right, {wrong} wrong, {not_understood} not understood",
        right + wrong + not_understood
    );
    Some(score)
}

/// Holds a score against what was reached before.
fn holds(score: Option<Score>, right: f64, wrong: f64) {
    if let Some(score) = score {
        let rows = (score.right + score.wrong + score.not_understood) as f64;
        assert!(
            rows > 0.0 && score.right as f64 >= right * rows && score.wrong as f64 <= wrong * rows,
            "{score:?}"
        );
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap().replace("\r\n", "\n").trim_start_matches('\u{feff}').to_owned()
}

#[test]
fn forwards() {
    let score = read("forwards", |row, bytes| {
        let expect = &row["expect"];
        let asserted = |key: &str| !row["not_asserted"].as_array().unwrap().iter().any(|k| k == key);
        let found = forward::read(row["subject_line"].as_str(), &text(bytes));
        let Some(found) = found else {
            return if expect["forwarded"] == true { Reading::NotUnderstood } else { Reading::Right };
        };
        if expect["forwarded"] != true {
            return Reading::Wrong("this is no forward".to_owned());
        }
        let people = |all: &[Mailbox]| -> Value {
            let all: Vec<Value> = all
                .iter()
                .map(|m| serde_json::json!({"address": m.address.as_str(), "name": m.name}))
                .collect();
            if all.is_empty() { Value::Null } else { Value::from(all) }
        };
        let from = found.from.as_ref();
        let pairs = [
            ("from_address", serde_json::json!(from.map(|m| m.address.as_str()))),
            ("from_name", serde_json::json!(from.and_then(|m| m.name.clone()))),
            ("to", people(&found.to)),
            ("cc", people(&found.cc)),
            ("subject", serde_json::json!(found.subject)),
            ("message", serde_json::json!(found.note)),
            ("body", serde_json::json!(found.body)),
            ("date_raw", serde_json::json!(found.date)),
        ];
        let names_only = |value: &Value| -> Vec<Value> {
            value.as_array().map(|all| all.iter().map(|p| p["address"].clone()).collect()).unwrap_or_default()
        };
        for (key, got) in pairs {
            let want = &expect[key];
            let same = match key {
                "to" if !asserted("to.name") => names_only(want) == names_only(&got),
                "to" if !asserted("to[1:]") => want[0] == got[0],
                _ => *want == got,
            };
            if !same && asserted(key) || key == "date_raw" && want.is_string() && !got.is_string() {
                return Reading::Wrong(format!("{key}: {want} but {got}"));
            }
        }
        Reading::Right
    });
    holds(score, 0.95, 0.02);
}

#[test]
fn replies() {
    let score = read("replies", |row, bytes| {
        let given = text(bytes);
        let read = match row["format"].as_str() {
            Some("html") => reply::read(&html::to_text(&given)),
            _ => reply::read(&given),
        };
        let got = if row["scope"] == "quote" { read.signed } else { read.text };
        let want = row["expect_reply"].as_str().unwrap();
        let (got, want) = match row["compare"].as_str() {
            Some("no_whitespace") => (squeezed(&got), squeezed(want)),
            _ => (lines_trimmed(&got), lines_trimmed(want)),
        };
        match got == want {
            true => Reading::Right,
            // All of it was taken for new.
            false if !read.quotes && squeezed(&got).len() >= squeezed(&want).len() => Reading::NotUnderstood,
            false => Reading::Wrong(format!("{want:?} but {got:?}")),
        }
    });
    holds(score, 0.93, 0.05);
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn lines_trimmed(text: &str) -> String {
    text.trim().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn bounces() {
    let score = read("bounces", |row, bytes| {
        if row["auto_reply"] == true {
            let machine = threadline_core::envelope::Envelope::parse(bytes).machine;
            return match (machine, report::read(bytes)) {
                (Some(Machine::AutoReply), None) => Reading::Right,
                (None, None) => Reading::NotUnderstood,
                other => Reading::Wrong(format!("an automatic answer was read as {:?}", other.0)),
            };
        }
        let Some(found) = report::read(bytes) else { return Reading::NotUnderstood };
        let want: Vec<Value> = row["recipients"].as_array().unwrap().clone();
        // What stands in the status part: the pack does not count what is named elsewhere.
        let named: Vec<_> = found.recipients.iter().filter(|r| r.source == report::Source::Status).collect();
        let got: Vec<Value> = named
            .iter()
            .map(|r| {
                let mut one =
                    serde_json::json!({"address": r.address, "action": r.action, "status": r.status});
                if let Some(original) = &r.original {
                    one["original_recipient"] = original.as_str().into();
                }
                one
            })
            .collect();
        if want != got {
            return Reading::Wrong(format!("{want:?} but {got:?}"));
        }
        let failed = |r: &&report::Recipient| matches!(r.outcome, report::Outcome::Failed(_));
        let fails = want.iter().filter(|r| r["action"] == "failed").count();
        if named.iter().copied().filter(failed).filter(|r| r.action.as_deref() == Some("failed")).count()
            != fails
        {
            return Reading::Wrong("a failure was not taken for one".to_owned());
        }
        let bare = |id: &str| id.trim_matches(['<', '>']).to_owned();
        let ids: Vec<String> = match row["original_message_id"].as_str() {
            Some(id) => vec![bare(id)],
            None => row["accept_message_ids"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|id| bare(id.as_str().unwrap()))
                .collect(),
        };
        match found.original_id.as_deref().map(bare) {
            Some(id) if ids.contains(&id) => Reading::Right,
            None if ids.is_empty() => Reading::Right,
            None => Reading::NotUnderstood,
            Some(id) => Reading::Wrong(format!("{ids:?} but {id}")),
        }
    });
    holds(score, 0.97, 0.02);
}
