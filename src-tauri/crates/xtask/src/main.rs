//! `cargo xtask`: everything around the code that is not the program. Uses the standard library alone, so that it builds
//! in a second on a machine that has Rust and nothing else.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a terminal program")]

mod apt;
mod run;
mod stages;
mod tools;

use run::Failed;
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND: what is done around the code

  setup          Install what is missing: Debian packages, cargo-nextest and cargo-deny, the judges of other
                 implementations. Says what it installs; does nothing where all is there.
  lint           rustfmt --check, clippy with warnings as errors, cargo-deny (licences, bans, sources).
  test           setup, lint, build, doc tests, all tests. Prints the minutes of each stage, and ends with the
                 runner's summary. Extra words go to the test runner: `cargo xtask test -- lab`.
  demo           setup, then the whole way of a mail on real servers, live on this terminal; under two minutes
                 after the build, and nothing is left running.
  bench [NAME]   Build for release and print the figures; with NAME one of them. `cargo xtask bench help` names them.
                 `bench kill`, the whole kill test, runs only where it is named.
  help           This text.

Set-up needs root, or `sudo` without a password; otherwise the command to run is printed. The tests that start Postfix
need root too. Nothing outside the project's folder is changed but installed packages; servers run in temporary folders
on free ports of 127.0.0.1 and are stopped when a test ends.
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let rest = words.get(1..).unwrap_or_default();
    let done = match words.first().map(String::as_str) {
        Some("setup") if rest.is_empty() => stages::setup(),
        Some("lint") if rest.is_empty() => stages::lint(),
        Some("test") => stages::test(rest.strip_prefix(&["--".to_owned()]).unwrap_or(rest)),
        Some("demo") => stages::demo(rest),
        Some("bench") => stages::bench(rest),
        Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            Ok(())
        }
        None => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
        Some(_) => {
            eprintln!("xtask: there is no command `{}`; see `cargo xtask help`", words.join(" "));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(why)) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}
