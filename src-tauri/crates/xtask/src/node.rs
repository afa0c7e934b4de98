//! Node and the interface: `ui/` is built, checked and tested by npm.

use crate::run::{Failed, command, output, root, show};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// The oldest Node on which the interface's tools run.
const OLDEST: u32 = 20;

/// What of `ui/` goes into what is shipped.
const SOURCES: &[&str] = &[
    "src",
    "public",
    "index.html",
    "package-lock.json",
    "svelte.config.js",
    "tsconfig.json",
    "vite.config.ts",
];

fn folder() -> PathBuf {
    root().join("ui")
}

/// Says what is wrong with Node, before npm says it in its own way.
pub fn check() -> Result<(), Failed> {
    let next = format!(
        "Install Node {OLDEST} or newer from nodejs.org or your system's packages, then try again (Debian 12 itself has 18)"
    );
    let Some(version) = output(command("node", &["--version"])) else {
        return Err(Failed(format!("Node is not there, and the interface is built with it. {next}")));
    };
    if major(&version).is_none_or(|major| major < OLDEST) {
        return Err(Failed(format!("Node is {}, too old for the interface's tools. {next}", version.trim())));
    }
    match output(command("npm", &["--version"])) {
        Some(_) => Ok(()),
        None => Err(Failed("npm is not there. It comes with Node: install it, then try again".into())),
    }
}

/// The 20 of `v20.1.0`.
fn major(version: &str) -> Option<u32> {
    version.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}

/// Fetches the interface's packages, where the lock file is another than when they were fetched last.
pub fn install() -> Result<(), Failed> {
    check()?;
    let wanted = read(&folder().join("package-lock.json"))?;
    let fetched = folder().join("node_modules/.fetched");
    if fs::read(&fetched).is_ok_and(|there| there == wanted) {
        println!("xtask: the interface's packages are there");
        return Ok(());
    }
    npm(&["ci", "--no-audit", "--no-fund"])?;
    write(&fetched, &wanted)
}

/// Builds `ui/dist`, where a source is another than when it was built last: the app is built anew after each time.
pub fn build() -> Result<(), Failed> {
    let sources = fingerprint()?;
    let built = root().join("target/xtask/ui-built");
    let is_there = folder().join("dist/assets").exists();
    if is_there && fs::read_to_string(&built).is_ok_and(|of| of == sources) {
        println!("xtask: ui/dist is up to date");
        return Ok(());
    }
    npm(&["run", "build"])?;
    write(&built, sources.as_bytes())
}

/// svelte-check: the types of the interface, its texts among them.
pub fn lint() -> Result<(), Failed> {
    npm(&["run", "check"])
}

/// The interface's own tests: its parts in Node, then every screen in a browser, on a made-up engine.
pub fn test() -> Result<(), Failed> {
    npm(&["test"])?;
    npm(&["run", "e2e"])
}

/// npm in `ui/`.
pub fn npm(words: &[&str]) -> Result<(), Failed> {
    let mut command = command("npm", words);
    command.current_dir(folder());
    show(command)
}

/// The same for the same names and contents of all sources.
fn fingerprint() -> Result<String, Failed> {
    let mut files = Vec::new();
    SOURCES.iter().map(|name| folder().join(name)).try_for_each(|path| walk(path, &mut files))?;
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in &files {
        (file, read(file)?).hash(&mut hasher);
    }
    Ok(format!("{:016x} of {} files", hasher.finish(), files.len()))
}

/// All files at and below a path; none where there is nothing.
fn walk(path: PathBuf, files: &mut Vec<PathBuf>) -> Result<(), Failed> {
    if path.is_file() {
        files.push(path);
    } else if path.is_dir() {
        for entry in fs::read_dir(&path).map_err(|e| failed("read", &path, &e))? {
            walk(entry.map_err(|e| failed("read", &path, &e))?.path(), files)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, Failed> {
    fs::read(path).map_err(|e| failed("read", path, &e))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failed> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).and_then(|()| fs::write(path, bytes)).map_err(|e| failed("write", path, &e))
}

fn failed(what: &str, path: &Path, why: &std::io::Error) -> Failed {
    Failed(format!("cannot {what} {}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_as_node_says_it() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("v8.1.0"), Some(8));
        assert_eq!(major(""), None);
    }
}
