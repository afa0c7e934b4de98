//! The diagnostics that a person can send to somebody: what is in it is previewed, and holds nothing private.

use crate::logs::{LogLine, Logs};
use crate::redact::{Private, redact};
use crate::views::App;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use threadline_core::health::Health;
use threadline_engine::views::Status;

/// One part of the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
pub struct BundleFile {
    pub name: String,
    pub text: String,
}

/// All parts, redacted.
pub fn make(app: &App, status: Option<&Status>, logs: &Logs, private: &Private) -> Vec<BundleFile> {
    let parts = [
        ("about.txt", about(app)),
        ("state.txt", status.map(state).unwrap_or_else(|| "It could not be read.\n".to_owned())),
        ("log.txt", log(&logs.after(None))),
    ];
    parts.map(|(name, text)| BundleFile { name: name.to_owned(), text: redact(&text, private) }).into()
}

/// The parts as one text, for the clipboard and for a file.
pub fn as_text(files: &[BundleFile]) -> String {
    files.iter().fold(String::new(), |mut text, file| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "==== {}\n{}", file.name, file.text);
        text
    })
}

fn about(app: &App) -> String {
    let engine = serde_json::to_string(&app.engine).unwrap_or_default();
    format!(
        "Threadline {}\nsystem: {} {}\ndata folder: {}\nengine: {engine}\nmissing: {:?}\nsettings: {}\n",
        app.version,
        std::env::consts::OS,
        std::env::consts::ARCH,
        app.data_dir,
        app.missing,
        serde_json::to_string(&app.settings).unwrap_or_default(),
    )
}

fn state(status: &Status) -> String {
    let mut text = String::new();
    for mailbox in &status.mailboxes {
        let _ = writeln!(
            text,
            "{}: {}, logged {}, asked {}, held {}, ignored {}, waiting {}, set aside {}",
            mailbox.address,
            mailbox.state.name(),
            mailbox.logged,
            mailbox.asked,
            mailbox.held,
            mailbox.ignored,
            mailbox.waiting,
            mailbox.set_aside.len(),
        );
        mailbox.channels.iter().for_each(|health| channel(&mut text, health));
    }
    for crm in &status.crms {
        let _ = writeln!(
            text,
            "{}: {}, waiting {}, set aside {}, done {}, contacts {}",
            crm.settings.kind(),
            crm.state.name(),
            crm.waiting,
            crm.set_aside,
            crm.done,
            crm.contacts,
        );
        crm.health.iter().for_each(|health| channel(&mut text, health));
    }
    text
}

fn channel(text: &mut String, health: &Health) {
    let _ = writeln!(
        text,
        "  {} {} since {} phase {} reason {} next try {} words {}",
        health.channel.name(),
        health.state.name(),
        health.since,
        health.phase.map_or("none", |phase| phase.name()),
        health.reason.map_or("none", |reason| reason.code()),
        health.next_try.map_or("none".to_owned(), |at| at.to_string()),
        health.evidence.as_deref().unwrap_or("none"),
    );
}

fn log(lines: &[LogLine]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{} {:?} {} {}", line.at, line.level, line.target, line.text);
        text
    })
}
