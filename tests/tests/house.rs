//! The house keeps its order: read from the manifests and the sources themselves.

#![allow(clippy::unwrap_used, reason = "a test may fail at any line")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which crates of ours each may use in what it ships. Who is not in this list may not exist.
const ARROWS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("net", &["core"]),
    ("mail", &["core", "net"]),
    ("store", &["core"]),
    ("oauth", &["core", "net"]),
    ("crm", &["core", "net"]),
    ("secrets", &["core"]),
    ("html", &["core"]),
    // Hands mail on through a trait: it knows neither servers nor the ledger.
    ("relay", &["core"]),
    ("engine", &["core", "net", "oauth", "mail", "store", "crm", "secrets", "html", "relay"]),
    ("cli", &["core", "net", "oauth", "mail", "store", "crm", "secrets", "engine", "relay"]),
    // It has the window and the tray; all else is asked of the engine.
    ("app", &["core", "net", "secrets", "html", "engine"]),
    // For tests alone: it must not know what it tests.
    ("testkit", &["core"]),
    // Builds on a bare machine.
    ("xtask", &[]),
    (
        "tests",
        &[
            "core", "net", "oauth", "mail", "store", "crm", "secrets", "html", "relay", "engine", "cli",
            "testkit",
        ],
    ),
];

/// Files that may be longer than [`MOST_LINES`], and why.
const LONG: &[(&str, &str)] = &[];
const MOST_LINES: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The manifests of the workspace, by the name of their folder.
fn manifests() -> BTreeMap<String, String> {
    let crates = std::fs::read_dir(root().join("src-tauri/crates")).unwrap();
    let folders = crates.map(|entry| entry.unwrap().path()).chain([root().join("tests")]);
    folders
        .map(|folder| {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(folder.join("Cargo.toml")).unwrap())
        })
        .chain([("app".to_owned(), shell())])
        .collect()
}

/// The desktop app's part of the root's manifest; what comes behind it is the workspace's.
fn shell() -> String {
    let root = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    root.split_once("\n[workspace]").unwrap().0.to_owned()
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Kind {
    Shipped,
    Dev,
}

/// Every dependency of a manifest: its name, where it stands, and its whole line.
fn dependencies(manifest: &str) -> Vec<(String, Kind, String)> {
    let mut found = Vec::new();
    let mut section = None;
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            let kind = |header: &str| match header.rsplit_once("dependencies") {
                Some((before, "")) if before.ends_with("dev-") => Some(Kind::Dev),
                Some((_, "")) => Some(Kind::Shipped),
                _ => None,
            };
            section = kind(header);
            // `[dependencies.serde]` names the dependency in the header itself.
            if let Some((before, name)) = header.rsplit_once('.')
                && let Some(kind) = kind(before)
            {
                found.push((name.trim_matches('"').to_owned(), kind, line.to_owned()));
            }
        } else if let Some(kind) = section
            && !line.is_empty()
            && !line.starts_with('#')
        {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default().trim_matches('"');
            found.push((name.to_owned(), kind, line.to_owned()));
        }
    }
    found
}

/// The crate of ours that a dependency is.
fn ours(dependency: &str) -> Option<&str> {
    match dependency {
        "xtask" => Some("xtask"),
        _ => dependency.strip_prefix("threadline-"),
    }
}

/// What is wrong with one crate's dependencies.
fn wrong_arrows(name: &str, manifest: &str) -> Vec<String> {
    let Some((_, may)) = ARROWS.iter().find(|(crate_name, _)| *crate_name == name) else {
        return vec![format!("{name} is not in the list of who may use whom")];
    };
    let mut wrong = Vec::new();
    for (dependency, kind, _) in dependencies(manifest) {
        match (ours(&dependency), kind) {
            (Some(own), Kind::Shipped) if !may.contains(&own) => {
                wrong.push(format!("{name} must not use {own}"))
            }
            // Tests may stand on the test kit, and on what the crate may use anyway.
            (Some(own), Kind::Dev) if own != "testkit" && own != name && !may.contains(&own) => {
                wrong.push(format!("{name}'s tests must not use {own}"));
            }
            (Some("testkit"), Kind::Dev) if matches!(name, "core" | "xtask" | "testkit") => {
                wrong.push(format!("{name}'s tests must not use the test kit"));
            }
            _ => {}
        }
        if name == "core"
            && ["tokio", "async-trait", "futures", "reqwest", "rusqlite"].contains(&dependency.as_str())
        {
            wrong.push(format!("core is pure and must not use {dependency}"));
        }
    }
    wrong
}

#[test]
fn dependencies_point_one_way() {
    let manifests = manifests();
    assert!(manifests.len() >= ARROWS.len(), "a crate of the list is gone: {:?}", manifests.keys());
    let wrong: Vec<String> = manifests.iter().flat_map(|(name, text)| wrong_arrows(name, text)).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn an_arrow_that_turns_round_is_seen() {
    let wrong = |name, manifest| wrong_arrows(name, manifest).len();
    assert_eq!(wrong("mail", "[dependencies]\nthreadline-core.workspace = true\n"), 0);
    assert_eq!(wrong("mail", "[dependencies]\nthreadline-store.workspace = true\n"), 1);
    assert_eq!(wrong("core", "[dependencies]\nthreadline-mail = { path = \"../mail\" }\ntokio = \"1\"\n"), 2);
    assert_eq!(wrong("store", "[target.'cfg(unix)'.dependencies]\nthreadline-crm.workspace = true\n"), 1);
    assert_eq!(wrong("crm", "[dependencies.threadline-engine]\nworkspace = true\n"), 1);
    assert_eq!(wrong("engine", "[dependencies]\nthreadline-testkit.workspace = true\n"), 1);
    assert_eq!(wrong("engine", "[dev-dependencies]\nthreadline-testkit.workspace = true\n"), 0);
    assert_eq!(wrong("mail", "[dev-dependencies]\nthreadline-crm.workspace = true\n"), 1);
    assert_eq!(wrong("xtask", "[build-dependencies]\nthreadline-core.workspace = true\n"), 1);
    assert_eq!(wrong("newcomer", ""), 1);
}

#[test]
fn the_memory_of_tests_ships_nowhere() {
    for (name, manifest) in manifests().iter().filter(|(name, _)| *name != "tests") {
        for (dependency, kind, line) in dependencies(manifest) {
            let asks = dependency == "threadline-secrets" && line.contains("memory");
            assert!(!asks || kind == Kind::Dev, "{name} ships the secrets' memory store: {line}");
        }
        let passed_on = manifest.contains("threadline-secrets/memory");
        assert!(!passed_on, "{name} has a feature that turns the secrets' memory store on");
    }
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let line = workspace.lines().find(|l| l.starts_with("threadline-secrets")).unwrap();
    assert!(!line.contains("memory"), "{line}");
}

#[test]
fn every_crate_takes_the_workspace_as_its_law() {
    for (name, manifest) in manifests() {
        assert!(manifest.contains("[lints]\nworkspace = true"), "{name} has lints of its own");
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            assert!(manifest.contains(&format!("{key}.workspace = true")), "{name} has a {key} of its own");
        }
    }
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("unsafe_code = \"forbid\""));
}

/// All Rust sources of the project.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir()
                && !name.starts_with('.')
                && !["target", "node_modules", "gen"].contains(&name.as_str())
            {
                walk(&path, found);
            } else if name.ends_with(".rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for folder in ["src-tauri", "tests"] {
        walk(&root().join(folder), &mut found);
    }
    let short = |path: &Path| path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
    found.iter().map(|path| (short(path), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn no_file_grows_without_end() {
    let sources = sources();
    assert!(sources.len() > 30, "only {} sources were found", sources.len());
    let long: Vec<String> = sources
        .iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(path, lines)| *lines > MOST_LINES && !LONG.iter().any(|(long, _)| long == path))
        .map(|(path, lines)| format!("{path} has {lines} lines"))
        .collect();
    assert_eq!(long, Vec::<String>::new(), "a file does one thing; split these");
    for (path, why) in LONG {
        let lines = sources.iter().find(|(p, _)| p == path).map_or(0, |(_, text)| text.lines().count());
        assert!(lines > MOST_LINES, "{path} ({why}) is short enough by now: take it off the list");
    }
}

#[test]
fn nothing_unsafe_is_let_in() {
    // Put together here, so that this file does not find itself.
    let word = ["un", "safe"].concat();
    let signs =
        [format!("{word} {{"), format!("{word} fn"), format!("{word} impl"), format!("allow({word}_code")];
    for (path, text) in sources() {
        for sign in &signs {
            assert!(!text.contains(sign.as_str()), "{path} holds `{sign}`");
        }
    }
}
