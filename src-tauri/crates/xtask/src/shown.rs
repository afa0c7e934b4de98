//! What is run to be looked at: the demo and the benchmarks.

use crate::run::{Failed, cargo, command, root, show};
use crate::stages::{APP, setup};
use crate::{node, package};

/// The programs that demo and benchmarks are made of; the app with its interface inside.
const PROGRAMS: &[&str] = &["--package", "threadline-cli", "--package", "threadline-tests"];
const WITH_APP: &[&str] = &["--package", "threadline-app"];

pub fn demo(words: &[String]) -> Result<(), Failed> {
    setup()?;
    let mut build = [&["build", "--bins"], PROGRAMS].concat();
    if !words.iter().any(|word| word == "--terminal") {
        node::build()?;
        build.extend([WITH_APP, APP].concat());
    }
    show(cargo(&build))?;
    foreground("debug/demo", words)
}

/// How often `bench kill` kills at each boundary.
const ROUNDS: &str = "5";

/// Each fault that is made to happen on a real server prints how long it took until its reason was told.
const FAULTS: &[&str] = &[
    "test",
    "--package",
    "threadline-tests",
    "--test",
    "servers",
    "--",
    "--nocapture",
    "--test-threads",
    "1",
    "faults::",
    "oauth::",
    "network::",
];

/// What `bench app` measures the app against.
const BARE: &[&str] =
    &["build", "--release", "--package", "threadline-app", "--example", "bare", "--features", "bare"];

pub fn bench(words: &[String]) -> Result<(), Failed> {
    // These are tests that print what they counted.
    let counts: &[&[&str]] = match words {
        [one] if one == "reasons" => &[&["threadline-core", "--lib", "reason::texts"]],
        [one] if one == "packs" => {
            &[&["threadline-core", "--test", "it", "packs::"], &["threadline-engine", "--lib", "packs_"]]
        }
        _ => &[],
    };
    for which in counts {
        let after: &[&str] = &["--", "--nocapture", "--test-threads", "1"];
        show(cargo(&[&["test", "--package"], *which, after].concat()))?;
    }
    if !counts.is_empty() {
        return Ok(());
    }
    setup()?;
    let is_named = |name: &str| words.iter().any(|word| word == name);
    if words == ["faults"] {
        show(cargo(&[&["build", "--bins"], PROGRAMS].concat()))?;
        return show(cargo(FAULTS));
    }
    if is_named("kill") && words.len() > 1 {
        return Err(Failed("`kill` takes some hours: run it alone, `cargo xtask bench kill`".into()));
    }
    show(cargo(&[&["build", "--release", "--bins"], PROGRAMS].concat()))?;
    if is_named("kill") {
        println!(
            "xtask: THREADLINE_KILL_FULL={ROUNDS}: each boundary {ROUNDS} times, and 200 random instants"
        );
        let words = ["--test", "kill", "--", "--nocapture", "--test-threads", "1"];
        let mut test = cargo(&[&["test", "--release"], PROGRAMS, &words].concat());
        test.env("THREADLINE_KILL_FULL", ROUNDS);
        return show(test);
    }
    if is_named("app") || words.is_empty() {
        // The package's program is the one that is measured.
        package::build()?;
        show(cargo(&[BARE, APP].concat()))?;
    }
    foreground("release/bench", words)
}

/// Runs what was built, with this terminal as its own. By its path: `cargo run` would build it anew for its package alone.
fn foreground(built: &str, words: &[String]) -> Result<(), Failed> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut run = command(&root().join("target").join(built).to_string_lossy(), &words);
    // In this process's place, so that Ctrl-C is the program's own and the shell waits until it has cleared up.
    #[cfg(unix)]
    let status = Err::<std::process::ExitStatus, _>(std::os::unix::process::CommandExt::exec(&mut run));
    #[cfg(not(unix))]
    let status = run.status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failed(format!("`{built}` failed ({status})"))),
        Err(e) => Err(Failed(format!("`{built}` cannot be run: {e}"))),
    }
}
