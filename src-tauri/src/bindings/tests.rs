//! Holds the permissions and the list of commands together.

use super::*;
use specta_typescript::Typescript;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn generated() -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bindings.ts");
    let header = "// Times are RFC 3339 in UTC, durations milliseconds, sizes bytes.\n";
    builder().export(Typescript::default().header(header), &path).unwrap();
    std::fs::read_to_string(path).unwrap()
}

/// The names of all commands.
fn commands() -> Vec<String> {
    let text = generated();
    let mut names: Vec<String> = text
        .split("__TAURI_INVOKE<")
        .skip(1)
        .filter_map(|behind| behind.split('"').nth(1).map(str::to_owned))
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
