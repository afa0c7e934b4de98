//! Programs that are not ours judge the wire: HubSpot's Python client and the npm implementation of Standard Webhooks.

use crate::bench::*;
use std::path::{Path, PathBuf};
use threadline_crm::Sink;
use threadline_testkit::hubspot::Options;
use threadline_testkit::webhook::WebhookReceiver;
use tokio::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap()
}

/// Where `tests/judges/setup.sh` puts the foreign clients.
fn judges() -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("judges");
    assert!(
        dir.join("ready").exists(),
        "the foreign clients are missing; run `sh tests/judges/setup.sh {}`",
        dir.display()
    );
    dir
}

async fn judge(mut command: Command) -> String {
    let output = command.kill_on_drop(true).output().await.unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hubspot_s_own_client_speaks_to_the_fake() {
    let judges = judges();
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    portal.add_owner("sam@own.example");
    let python = if cfg!(windows) { "venv/Scripts/python.exe" } else { "venv/bin/python" };
    let mut command = Command::new(judges.join(python));
    // -I: the script's folder is no place for modules, since the script has the client's name.
    command
        .arg("-I")
        .arg(root().join("tests/judges/hubspot.py"))
        .arg(portal.url())
        .arg(Options::default().token);
    let text = judge(command).await;
    assert!(text.contains("all is well"), "{text}");
    assert!(portal.requests().len() >= 15);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_npm_implementation_verifies_our_signature() {
    let judges = judges();
    // It compares with the wall clock, as a receiver must.
    let clock = threadline_testkit::clock::HandClock::at(jiff::Timestamp::now());
    let receiver = WebhookReceiver::start().await.unwrap();
    let sink = crate::webhook::sink(&receiver, &clock);
    let mut mail = delivery(1, "ann@buyer.example", None);
    mail.record.text = "Grüße 🙂 \u{2028} \"quoted\"".into();
    assert!(sink.push(&[mail]).await[0].is_ok());
    let attempt = receiver.attempts().remove(0);
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("attempt.json");
    let text = serde_json::json!({
        "secret": receiver.secret(),
        "body": attempt.body,
        "headers": {
            "webhook-id": attempt.id, "webhook-timestamp": attempt.timestamp, "webhook-signature": attempt.signature,
        },
    });
    std::fs::write(&file, text.to_string()).unwrap();
    let mut command = Command::new("node");
    command.arg(root().join("tests/judges/webhook.mjs")).arg(&judges).arg(&file);
    let text = judge(command).await;
    assert!(text.contains("all is well"), "{text}");
}
