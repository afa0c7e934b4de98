//! The desktop app as it is shipped: how soon it is there, what it takes, how large it is.

use crate::idle::mb;
use crate::{ANN, CARL, spread};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use threadline_testkit::lab::Lab;
use threadline_tests::binary;
use threadline_tests::desktop::{APP, Desktop, until};

const STARTS: usize = 7;
/// After this nothing is allocated or given back any more.
const SETTLED: Duration = Duration::from_secs(10);
/// A window without a page has one colour or two; smooth letters have many.
const COLOURS: usize = 16;

pub fn run() -> Result<()> {
    sizes()?;
    let lab = Lab::builder().users([ANN]).rawlog(false).start()?;
    let desk = Desktop::new()?;
    desk.computer.add_account(&lab, ANN, &[])?;
    desk.computer.import_contacts(&[(CARL, "Carl")])?;
    starts(&desk)?;
    memory(&desk)
}

/// One run of a program; ended when dropped.
struct Run(Child);

impl Drop for Run {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Run {
    fn start(mut command: Command) -> Result<Self> {
        Ok(Self(command.spawn()?))
    }

    fn end(self, desk: &Desktop) -> Result<()> {
        drop(self);
        until("the end of its processes", || Ok(desk.processes(&[APP])?.is_empty().then_some(())))
    }
}

fn starts(desk: &Desktop) -> Result<()> {
    let (mut tray, mut painted) = (Vec::new(), Vec::new());
    for n in 0..=STARTS {
        let before = desk.tray()?.announced().len();
        let begun = Instant::now();
        let run = Run::start(desk.command(&[])?)?;
        let shown = until("a painted window", || Ok((desk.screen.colours()? >= COLOURS).then(Instant::now)))?;
        let icon = until("the tray icon", || Ok(desk.tray()?.announced().get(before).copied()))?;
        // The first start reads everything from the disk.
        if n > 0 {
            tray.push((icon - begun).as_secs_f64() * 1_000.0);
            painted.push((shown - begun).as_secs_f64() * 1_000.0);
        }
        run.end(desk)?;
    }
    println!("  {STARTS} warm starts with one mailbox, on a screen without a graphics card");
    println!("    process start -> tray ready        {}", spread(&mut tray));
    println!("    process start -> window painted    {}", spread(&mut painted));
    Ok(())
}

fn memory(desk: &Desktop) -> Result<()> {
    println!("  PSS of all its processes, {} s after each change", SETTLED.as_secs());
    let ours = measure(desk, "Threadline, one mailbox connected", APP, desk.command(&[])?)?;
    let mut bare = Command::new(binary("examples/bare")?);
    bare.envs(desk.env());
    let bare = measure(desk, "a bare Tauri app", "bare", bare)?;
    println!("    {:<36}{:>37.1} MB", "the difference in the tray", mb(ours) - mb(bare));
    Ok(())
}

/// Measures with the window open and closed; gives the latter, in kB.
fn measure(desk: &Desktop, what: &str, program: &str, command: Command) -> Result<u64> {
    let run = Run::start(command)?;
    let window = "^(Threadline|Bare)$";
    until("the window", || Ok((!desk.screen.windows(window)?.is_empty()).then_some(())))?;
    std::thread::sleep(SETTLED);
    let pss = || Ok::<u64, anyhow::Error>(desk.processes(&[program])?.iter().map(|one| one.pss()).sum());
    let open = pss()?;
    desk.screen.close(window)?;
    until("the end of the web process", || {
        Ok((!desk.processes(&[program])?.iter().any(|one| one.is_web())).then_some(()))
    })?;
    std::thread::sleep(SETTLED);
    let closed = pss()?;
    println!("    {what:<36}window open {:>6.1} MB   in the tray {:>6.1} MB", mb(open), mb(closed));
    drop(run);
    Ok(closed)
}

fn sizes() -> Result<()> {
    let own = std::env::current_exe()?;
    let target = own.ancestors().find(|path| path.ends_with("target")).context("no build folder")?;
    for package in files(&target.join("release/bundle/deb"))?.iter().filter(|path| is(path, "deb")) {
        let bytes = std::fs::metadata(package)?.len();
        println!("  size of the .deb                     {:.1} MB", bytes as f64 / 1e6);
    }
    let assets = files(&target.with_file_name("ui").join("dist/assets"))?;
    for kind in ["js", "css"] {
        let (mut plain, mut packed) = (0, 0);
        for file in assets.iter().filter(|path| is(path, kind)) {
            plain += std::fs::metadata(file)?.len();
            let gzip = Command::new("gzip").args(["-9", "--stdout"]).arg(file).output()?;
            ensure!(gzip.status.success(), "{}", String::from_utf8_lossy(&gzip.stderr));
            packed += gzip.stdout.len();
        }
        println!("  bytes of {kind:<4} shipped               {plain} ({packed} by gzip)");
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("{} is not there: run `cargo xtask package`", folder.display()))?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}

fn is(path: &Path, kind: &str) -> bool {
    path.extension().is_some_and(|extension| extension == kind)
}
