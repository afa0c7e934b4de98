//! `cargo xtask`: everything around the code that is not the program. Uses the standard library alone, so that it builds
//! in a second on a machine that has Rust and nothing else.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a terminal program")]

mod apt;
mod node;
mod package;
mod platforms;
mod run;
mod runner;
mod shown;
mod stages;
mod tools;

use run::Failed;
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND: what is done around the code

  setup          Install what is missing: Debian packages, cargo-nextest, cargo-deny and tauri-driver, the interface's
                 packages, the judges of other implementations. Says what it installs; does nothing where all is there.
  ui             Build the interface, ui/dist, where its sources changed. The app has it inside.
  lint           rustfmt --check, svelte-check, clippy with warnings as errors, cargo-deny (licences, bans, sources).
  test           setup, lint, the interface's tests, build, doc tests, all tests, those on the real window among them.
                 Prints the minutes of each stage, and ends with the runner's summary. Extra words go to the test
                 runner: `cargo xtask test -- lab`.
  demo           setup, then the app on real mail servers, a salesperson and a customer at work beside it. Without a
                 display, or with `--headless`, on a screen of its own, photographed to target/screens. With
                 `--terminal` the whole way of a mail, live on this terminal. Nothing is left running.
  bench [NAME]   Build for release and print the figures; with NAME one of them. `cargo xtask bench help` names them.
                 `bench kill`, the whole kill test, `bench packs`, `bench reasons` and `bench faults` run only where they are named.
  package        Build the package of this system (.deb, .exe or .dmg) for release. A .deb is then installed, started and
                 removed again, which needs root; `--no-try` leaves that out.
  check-platforms
                 On Debian: build the crates without a window for Windows and run their tests under Wine, check that the
                 app compiles for Windows, and check the types for macOS as far as that goes. Says what was not checked.
                 Installs a second compiler and Wine; takes about half an hour.
  help           This text.

Set-up needs root, or `sudo` without a password; otherwise the command to run is printed. It needs Node 20 or newer. The
tests that start Postfix need root too. Nothing outside the project's folder is changed but installed packages; servers
run in temporary folders on free ports of 127.0.0.1 and are stopped when a test ends.
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let rest = words.get(1..).unwrap_or_default();
    let done = match words.first().map(String::as_str) {
        Some("setup") if rest.is_empty() => stages::setup(),
        Some("ui") if rest.is_empty() => stages::ui(),
        Some("lint") if rest.is_empty() => stages::lint(),
        Some("test") => stages::test(rest.strip_prefix(&["--".to_owned()]).unwrap_or(rest)),
        Some("demo") => shown::demo(rest),
        Some("bench") => shown::bench(rest),
        Some("package") => package::run(rest),
        Some("check-platforms") if rest.is_empty() => platforms::check(),
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
