//! The package, as a person installs it, starts it and takes it away again.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use threadline_tests::desktop::{APP, Desktop, until};

/// Runs a command, and gives what it prints.
fn run(words: &[&str]) -> Result<String> {
    let output = Command::new(words[0]).args(&words[1..]).output()?;
    ensure!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// An installed package; removed when dropped.
struct Installed(String);

impl Installed {
    fn files(&self) -> Result<Vec<PathBuf>> {
        let listed = run(&["dpkg-query", "--listfiles", &self.0])?;
        Ok(listed.lines().map(PathBuf::from).filter(|path| path.is_file()).collect())
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        // The test removes it itself; this is for when it fails before.
        let _ = run(&["dpkg", "--purge", &self.0]);
    }
}

#[test]
#[ignore = "`cargo xtask package` runs it, on the package that it has made"]
fn the_package_installs_starts_and_leaves_nothing_behind() -> Result<()> {
    let package = std::env::var("THREADLINE_DEB").context("THREADLINE_DEB names the package")?;
    let name = run(&["dpkg-deb", "--field", &package, "Package"])?.trim().to_owned();
    ensure!(run(&["dpkg-query", "--show", &name]).is_err(), "{name} is installed already: it is not touched");
    run(&["dpkg", "--install", &package])?;
    let installed = Installed(name);
    let files = installed.files()?;
    let program = Path::new("/usr/bin").join(APP);
    ensure!(files.contains(&program), "{files:#?}");
    for (what, ending) in [("entry in the menu", ".desktop"), ("icon", ".png")] {
        ensure!(files.iter().any(|file| file.to_string_lossy().ends_with(ending)), "no {what}: {files:#?}");
    }

    let entry = files.iter().find(|file| file.extension().is_some_and(|ending| ending == "desktop"));
    let entry = std::fs::read_to_string(entry.context("no entry in the menu")?)?;
    for line in ["Exec=threadline-app %u", "MimeType=x-scheme-handler/threadline;"] {
        ensure!(entry.lines().any(|one| one == line), "{line} is not in:\n{entry}");
    }

    let desk = Desktop::new()?;
    let mut app = desk.start(&program, &[])?.spawn()?;
    let (tray, texts) = (desk.tray()?, &desk.texts);
    until("the window", || Ok(desk.has_window()?.then_some(())))?;
    until("its page", || Ok((desk.screen.colours()? > 16).then_some(())))?;
    tray.wait_for_line(texts.text("tray.no_mailbox")?)?;
    desk.screen.photograph("package")?;
    tray.choose(texts.text("tray.quit")?)?;
    let ended = until("its end", || Ok(app.try_wait()?))?;
    ensure!(ended.success(), "it ended with {ended}");

    run(&["dpkg", "--purge", &installed.0])?;
    let left: Vec<&PathBuf> = files.iter().filter(|file| file.exists()).collect();
    ensure!(left.is_empty(), "left behind: {left:#?}");
    Ok(())
}
