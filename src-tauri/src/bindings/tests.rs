//! Holds the generated file, the permissions and the list of commands together.

use super::*;
use specta_typescript::Typescript;
use std::path::{Path, PathBuf};

/// Set to `write`, it makes the file anew.
const WRITE: &str = "THREADLINE_BINDINGS";

/// What stands before the generated types, and names that the window uses for parts of them.
const HEADER: &str = "\
// What the window and the program say to each other. Times are RFC 3339 in UTC, durations milliseconds, sizes bytes.

export type Channel = HealthChannel;
export type CrmDraft = CrmSettings;
export type CrmKind = CrmSettings[\"kind\"];
";

/// Types whose fields may be missing in a file of an older version. The program sends and takes them whole.
const WHOLE: [&str; 2] = ["AppSettings", "Rules"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn kept() -> PathBuf {
    root().join("ui/src/lib/bindings.ts")
}

fn generated() -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bindings.ts");
    builder().export(Typescript::default().header(HEADER), &path).unwrap();
    let mut text = std::fs::read_to_string(path).unwrap();
    for name in WHOLE {
        let begins = text.find(&format!("export type {name} = {{")).unwrap();
        let ends = begins + text[begins..].find("\n};").unwrap();
        let whole = text[begins..ends].replace("?: ", ": ");
        text.replace_range(begins..ends, &whole);
    }
    // A way for a stream, which the window knows by another name: `Channel` is a mailbox's.
    text.replace("Channel }", "Channel as Stream }").replace(": Channel<", ": Stream<")
}

#[test]
fn the_windows_file_is_up_to_date() {
    let generated = generated();
    if std::env::var_os(WRITE).is_some_and(|value| value == "write") {
        std::fs::write(kept(), &generated).unwrap();
    }
    let kept = std::fs::read_to_string(kept()).unwrap();
    assert!(
        kept == generated,
        "ui/src/lib/bindings.ts is stale: make it anew with `{WRITE}=write cargo test`"
    );
}

/// The names of all commands.
fn commands() -> Vec<String> {
    let text = generated();
    let mut names: Vec<String> = text
        .split("__TAURI_INVOKE<")
        .skip(1)
        .filter_map(|behind| behind.split("(\"").nth(1)?.split('"').next().map(str::to_owned))
        .collect();
    names.sort();
    names
}

#[test]
fn the_window_may_call_each_command_and_nothing_else() {
    let permissions = std::fs::read_to_string(root().join("src-tauri/permissions/app.toml")).unwrap();
    let list = permissions.split_once("commands.allow = [").unwrap().1.split_once(']').unwrap().0;
    let mut allowed: Vec<String> = list
        .split(',')
        .map(|name| name.trim().trim_matches('"').to_owned())
        .filter(|n| !n.is_empty())
        .collect();
    allowed.sort();
    assert!(allowed.len() > 20);
    assert_eq!(allowed, commands());
    let capability = std::fs::read_to_string(root().join("src-tauri/capabilities/main.json")).unwrap();
    let capability: serde_json::Value = serde_json::from_str(&capability).unwrap();
    let granted: Vec<&str> =
        capability["permissions"].as_array().unwrap().iter().filter_map(|p| p.as_str()).collect();
    assert_eq!(granted, ["core:event:allow-listen", "core:event:allow-unlisten", "allow-commands"]);
}

/// What is looked at without the program has the shape of what the program gives.
#[test]
fn the_made_up_diagnostics_have_the_parts_of_the_real_ones() {
    let made_up = std::fs::read_to_string(root().join("ui/src/lib/fake/diagnostics.ts")).unwrap();
    let behind = |mark: &str| -> Vec<String> {
        let parts = made_up.split(mark).skip(1);
        parts.filter_map(|rest| Some(rest.split('"').nth(1)?.to_owned())).collect()
    };
    let real = threadline_engine::diagnostics::make("", "", None);
    let real: Vec<String> = real.into_iter().map(|file| file.name).collect();
    assert_eq!(behind("{ name: "), real);
    let sources = |target: &str| {
        let mut parts = target.split("::");
        let name = parts.next()?.strip_prefix("threadline_")?;
        let place =
            root().join("src-tauri/crates").join(name).join("src").join(parts.collect::<Vec<_>>().join("/"));
        Some(place.with_extension("rs").exists())
    };
    let targets = behind("target: ");
    assert!(targets.len() > 5);
    for target in targets {
        assert_eq!(sources(&target), Some(true), "{target}");
    }
}
