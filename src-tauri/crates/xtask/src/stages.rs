//! The commands, each a list of stages.

use crate::run::{Failed, cargo, command, in_ci, root, show};
use crate::{apt, tools};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

pub fn setup() -> Result<(), Failed> {
    apt::install()?;
    if apt::unpack_cyrus().is_err() {
        println!("xtask: WARNING: Cyrus is not there: its test and its figures are left out");
    }
    tools::install()?;
    let judges = root().join("tests/judges/setup.sh");
    if judges.exists() {
        show(command("bash", &[&judges.to_string_lossy(), "target/judges"]))?;
    }
    Ok(())
}

pub fn lint() -> Result<(), Failed> {
    show(cargo(&["fmt", "--all", "--check"]))?;
    // The same packages, targets and features as the tests: nothing is built twice for them.
    show(cargo(&with_lock(&["clippy", "--workspace", "--all-targets"], &["--", "-D", "warnings"])))?;
    if tools::has_deny() {
        return show(cargo(&["deny", "--workspace", "check", "licenses", "bans", "sources"]));
    }
    println!(
        "xtask: WARNING: cargo-deny is not there, so LICENCES AND BANS WERE NOT CHECKED. `cargo xtask setup` installs it"
    );
    Ok(())
}

/// In CI the lock file must be the one that was committed.
fn with_lock<'a>(words: &[&'a str], rest: &[&'a str]) -> Vec<&'a str> {
    let locked: &[&str] = if in_ci() { &["--locked"] } else { &[] };
    [words, locked, rest].concat()
}

/// Everything that must hold.
pub fn test(words: &[String]) -> Result<(), Failed> {
    let mut clock = StageClock::default();
    let mut summary = String::new();
    let done = clock
        .stage("set-up", setup)
        .and_then(|()| clock.stage("lint", lint))
        .and_then(|()| {
            let build =
                || show(cargo(&with_lock(&["test", "--workspace", "--all-targets", "--no-run"], &[])));
            clock.stage("build", build)
        })
        .and_then(|()| {
            clock.stage("doc tests", || {
                show(cargo(&with_lock(&["test", "--workspace", "--doc", "--quiet"], &[])))
            })
        })
        .and_then(|()| clock.stage("tests", || run_tests(words, &mut summary)));
    clock.print();
    // The last line is the runner's own, for whoever reads only the end.
    println!("{summary}");
    done
}

/// Runs the tests, shows what the runner says, and keeps its summary.
fn run_tests(words: &[String], summary: &mut String) -> Result<(), Failed> {
    let nextest = tools::has_nextest();
    let start: &[&str] = match nextest {
        true => &["nextest", "run", "--workspace", "--all-targets", "--no-tests=fail"],
        false => &["test", "--workspace", "--all-targets", "--no-fail-fast"],
    };
    if !nextest {
        println!(
            "xtask: cargo-nextest is not there: the tests are run by cargo, without its groups and time limits"
        );
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut runner = cargo(&with_lock(start, &words));
    println!("+ {}", crate::run::line(&runner));
    // nextest speaks on standard error, cargo's harness on standard output.
    let runner = runner.stdin(Stdio::null());
    let runner = if nextest { runner.stderr(Stdio::piped()) } else { runner.stdout(Stdio::piped()) };
    let mut child = runner.spawn().map_err(|e| Failed(format!("the tests cannot be run: {e}")))?;
    let lines: Box<dyn BufRead> = match (child.stderr.take(), child.stdout.take()) {
        (Some(stderr), _) => Box::new(BufReader::new(stderr)),
        (None, Some(stdout)) => Box::new(BufReader::new(stdout)),
        (None, None) => return Err(Failed("the test runner says nothing".into())),
    };
    let mut totals = Totals::default();
    for line in lines.split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        if line.trim_start().starts_with("Summary [") {
            line.trim().clone_into(summary);
        }
        totals.add(&line);
    }
    let status = child.wait().map_err(|e| Failed(format!("the test runner was lost: {e}")))?;
    if !nextest {
        *summary = totals.line();
    }
    status.success().then_some(()).ok_or_else(|| Failed("tests failed: see above".into()))
}

/// The sum over all binaries of `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
#[derive(Default)]
struct Totals([u64; 3]);

impl Totals {
    fn add(&mut self, line: &str) {
        let Some(result) = line.trim().strip_prefix("test result: ") else { return };
        for (sum, word) in self.0.iter_mut().zip(["passed", "failed", "ignored"]) {
            let mut parts = result.split([';', '.']).map(str::trim);
            let number = parts.find_map(|part| part.strip_suffix(word)?.trim().parse::<u64>().ok());
            *sum += number.unwrap_or(0);
        }
    }

    fn line(&self) -> String {
        let [passed, failed, ignored] = self.0;
        format!("{passed} passed, {failed} failed, {ignored} skipped")
    }
}

pub fn demo(words: &[String]) -> Result<(), Failed> {
    setup()?;
    show(cargo(&["build", "--package", "threadline-cli", "--package", "threadline-tests", "--bins"]))?;
    foreground("demo", &[], words)
}

/// How often `bench kill` kills at each boundary.
const ROUNDS: &str = "5";

pub fn bench(words: &[String]) -> Result<(), Failed> {
    setup()?;
    let kill = words.iter().any(|word| word == "kill");
    if kill && words.len() > 1 {
        return Err(Failed("`kill` takes about half an hour: run it alone, `cargo xtask bench kill`".into()));
    }
    show(cargo(&[
        "build",
        "--release",
        "--package",
        "threadline-cli",
        "--package",
        "threadline-tests",
        "--bins",
    ]))?;
    if kill {
        println!(
            "xtask: THREADLINE_KILL_FULL={ROUNDS}: each boundary {ROUNDS} times, and 200 random instants"
        );
        let test = ["test", "--release", "--package", "threadline-tests", "--test", "kill"];
        let mut test = cargo(&[&test[..], &["--", "--nocapture", "--test-threads", "1"]].concat());
        test.env("THREADLINE_KILL_FULL", ROUNDS);
        return show(test);
    }
    foreground("bench", &["--release"], words)
}

/// Runs a program of the tests' package, with this terminal as its own.
fn foreground(bin: &str, how: &[&str], words: &[String]) -> Result<(), Failed> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let start = ["run", "--quiet", "--package", "threadline-tests", "--bin", bin];
    let mut run = cargo(&[&start[..], how, &["--"], &words].concat());
    // In this process's place, so that Ctrl-C is the program's own and the shell waits until it has cleared up.
    #[cfg(unix)]
    let status = Err::<std::process::ExitStatus, _>(std::os::unix::process::CommandExt::exec(&mut run));
    #[cfg(not(unix))]
    let status = run.status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failed(format!("`{bin}` failed ({status})"))),
        Err(e) => Err(Failed(format!("`{bin}` cannot be run: {e}"))),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_binaries_are_added_up() {
        let mut totals = Totals::default();
        for line in [
            "running 4 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 20 passed; 2 failed; 0 ignored; 0 measured; 5 filtered out; finished in 1.50s",
        ] {
            totals.add(line);
        }
        assert_eq!(totals.line(), "23 passed, 2 failed, 1 skipped");
    }
}
