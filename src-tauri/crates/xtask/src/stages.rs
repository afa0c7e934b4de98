//! Set-up, lint and test, each a list of stages.

use crate::run::{Failed, cargo, command, in_ci, root, show};
use crate::{apt, node, runner, tools};
use std::time::{Duration, Instant};

/// The app as it is shipped: with its interface inside, not with a development server's.
pub const APP: &[&str] = &["--features", "threadline-app/custom-protocol"];

pub fn setup() -> Result<(), Failed> {
    apt::install(apt::PACKAGES)?;
    for server in apt::BESIDE {
        // What is not there is told at the end: see `left_out`.
        let _ = apt::unpack(*server);
    }
    tools::install()?;
    node::install()?;
    let judges = root().join("tests/judges/setup.sh");
    if judges.exists() {
        show(command("bash", &[&judges.to_string_lossy(), "target/judges"]))?;
    }
    Ok(())
}

/// Builds the interface.
pub fn ui() -> Result<(), Failed> {
    node::install()?;
    node::build()
}

/// The app is built with its interface inside, so that is there first.
pub fn lint() -> Result<(), Failed> {
    show(cargo(&["fmt", "--all", "--check"]))?;
    ui()?;
    node::lint()?;
    // The same packages, targets and features as the tests: nothing is built twice for them.
    let clippy = [&["clippy", "--workspace", "--all-targets"], APP].concat();
    show(cargo(&with_lock(&clippy, &["--", "-D", "warnings"])))?;
    if tools::has_deny() {
        // Without the trees: what is there twice is warned of in a few lines each.
        let check = ["deny", "--workspace", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"];
        return show(cargo(&check));
    }
    println!("xtask: cargo-deny is not there: its checks are left out");
    Ok(())
}

/// What this machine could not be given, and what was therefore not checked.
fn left_out() -> Vec<String> {
    let servers = apt::BESIDE.iter().filter(|server| !apt::is_unpacked(server.0));
    let mut missing: Vec<String> = servers.map(|server| format!("the tests on {}", server.0)).collect();
    if !tools::has_deny() {
        missing.push("licences, bans and sources of dependencies (cargo-deny)".into());
    }
    if !root().join("../shared/data").exists() {
        missing.push("the tests on the shared data, which is not beside this folder".into());
    }
    missing
}

/// In CI the lock file must be the one that was committed.
pub fn with_lock<'a>(words: &[&'a str], rest: &[&'a str]) -> Vec<&'a str> {
    let locked: &[&str] = if in_ci() { &["--locked"] } else { &[] };
    [words, locked, rest].concat()
}

/// Everything that must hold.
pub fn test(words: &[String]) -> Result<(), Failed> {
    let mut clock = StageClock::default();
    let mut summary = String::new();
    let build = || {
        // Not `test --no-run`: that leaves out programs, and the tests start the app and `threadline`.
        let build = [&["build", "--workspace", "--all-targets"], APP].concat();
        show(cargo(&with_lock(&build, &[])))
    };
    let doc_tests = || {
        let doc_tests = [&["test", "--workspace", "--doc", "--quiet"], APP].concat();
        show(cargo(&with_lock(&doc_tests, &[])))
    };
    let done = clock
        .stage("set-up", setup)
        .and_then(|()| clock.stage("lint", lint))
        .and_then(|()| clock.stage("interface", node::test))
        .and_then(|()| clock.stage("build", build))
        .and_then(|()| clock.stage("doc tests", doc_tests))
        .and_then(|()| clock.stage("tests", || runner::run(words, &mut summary)));
    clock.print();
    for what in left_out() {
        println!("xtask: NOT CHECKED: {what}");
    }
    // The last line is the runner's own, for whoever reads only the end.
    println!("{summary}");
    done
}

/// How long each stage took.
#[derive(Default)]
struct StageClock(Vec<(&'static str, Duration, bool)>);

impl StageClock {
    fn stage(&mut self, name: &'static str, work: impl FnOnce() -> Result<(), Failed>) -> Result<(), Failed> {
        println!("== {name}");
        let begun = Instant::now();
        let done = work();
        self.0.push((name, begun.elapsed(), done.is_ok()));
        done
    }

    fn print(&self) {
        let minutes = |time: Duration| time.as_secs_f64() / 60.0;
        println!("\nminutes  stage");
        for (name, time, ok) in &self.0 {
            println!("{:7.1}  {name}{}", minutes(*time), if *ok { "" } else { ": FAILED" });
        }
        println!("{:7.1}  in all\n", minutes(self.0.iter().map(|(_, time, _)| *time).sum()));
    }
}
