//! The test runner, and its summary.

use crate::run::{Failed, cargo, line};
use crate::stages::{APP, with_lock};
use crate::tools;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// Runs the tests, shows what the runner says, and keeps its summary.
pub fn run(words: &[String], summary: &mut String) -> Result<(), Failed> {
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
    let mut runner = cargo(&with_lock(&[start, APP].concat(), &words));
    println!("+ {}", line(&runner));
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
