//! The main job, live: a salesperson and a customer at mail clients that are not ours, real mail servers, a real
//! keychain, a portal that speaks HubSpot, and Threadline between them: its window, or its lines on this terminal.
#![allow(clippy::print_stdout, reason = "a demo prints")]

mod story;
mod terminal;
#[cfg(target_os = "linux")]
mod window;

use anyhow::{Context, Result, bail, ensure};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use threadline_tests::Computer;

/// Mails that lie in the mailbox before.
const OLD_MAILS: usize = 2_000;
/// How often it is looked whether Ctrl-C was pressed.
const GLANCE: Duration = Duration::from_millis(100);
const ANN: &str = "ann@lab.test";
const CARL: &str = "carl@customer1.example";

const HELP: &str = "\
Usage: demo [--headless | --terminal]

  --headless  the app on a screen of its own, photographed to target/screens; so also where there is no display
  --terminal  without a window: the whole way of a mail on this terminal";

/// Set by Ctrl-C. The demo then ends at its next step, so that all that it started is stopped and cleared away.
static STOPPED: AtomicBool = AtomicBool::new(false);

async fn stop_on_ctrl_c() {
    while tokio::signal::ctrl_c().await.is_ok() {
        STOPPED.store(true, Ordering::Relaxed);
    }
}

fn go_on() -> Result<()> {
    ensure!(!STOPPED.load(Ordering::Relaxed), "stopped");
    Ok(())
}

fn main() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let _inside = runtime.enter();
    runtime.spawn(stop_on_ctrl_c());
    let shown = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--terminal"] => terminal::show(&runtime),
        [] => in_window(&runtime, false),
        ["--headless"] => in_window(&runtime, true),
        _ => bail!("the demo does not know `{}`\n\n{HELP}", words.join(" ")),
    };
    if STOPPED.load(Ordering::Relaxed) {
        // Whatever failed, failed because of it.
        say("Stopped. Nothing is left running.");
        return Ok(ExitCode::from(130));
    }
    shown.map(|()| ExitCode::SUCCESS)
}

#[cfg(target_os = "linux")]
fn in_window(runtime: &tokio::runtime::Runtime, headless: bool) -> Result<()> {
    window::show(runtime, headless)
}

#[cfg(not(target_os = "linux"))]
fn in_window(_: &tokio::runtime::Runtime, _: bool) -> Result<()> {
    bail!(
        "the demo with a window runs on Linux: its mail servers do. See it with `--terminal` where they are there"
    )
}

/// An empty folder below the build folder, where what was made can be looked at.
fn place() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target =
        own.ancestors().find(|p| p.ends_with("target")).or(own.parent()).context("no build folder")?;
    let place = target.join("demo");
    if place.exists() {
        std::fs::remove_dir_all(&place)?;
    }
    std::fs::create_dir_all(&place)?;
    Ok(place)
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("the folder's name is not UTF-8")
}

/// Runs a command of the program and shows both.
fn command(computer: &Computer, args: &[&str], input: &str) -> Result<()> {
    let short: Vec<String> = args.iter().map(|a| a.rsplit('/').next().unwrap_or(a).to_owned()).collect();
    note(&format!("$ threadline {}", short.join(" ")));
    let printed = computer.run_with(args, &format!("{input}\n"))?.ok()?;
    printed.out.lines().for_each(|line| note(&format!("  {line}")));
    Ok(())
}

fn say(line: &str) {
    println!("{line}");
}

fn note(line: &str) {
    println!("    {line}");
}

fn step(line: &str) -> Result<()> {
    go_on()?;
    println!("{}", paint("1", &format!("> {line}")));
    Ok(())
}

fn dim(line: &str) -> String {
    paint("2", line)
}

/// Colour on a terminal only, and never where the person does not want it (no-color.org).
fn paint(code: &str, text: &str) -> String {
    let wanted = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    if wanted { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}
