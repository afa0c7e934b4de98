//! cargo-nextest, cargo-deny and tauri-driver, in a folder of the project's own.

use crate::run::{Failed, cargo, command, root, show, works};
use std::path::PathBuf;

/// Where they are installed: beside what is built, so that they can be thrown away with it.
pub fn folder() -> PathBuf {
    root().join("target/xtask/tools")
}

pub fn has_nextest() -> bool {
    works(cargo(&["nextest", "--version"]))
}

pub fn has_deny() -> bool {
    works(cargo(&["deny", "--version"]))
}

/// Drives the real window in the tests. Its version and, by its own lock file, those of all it is made of are fixed.
const DRIVER: &str = "tauri-driver";
const DRIVER_VERSION: &str = "2.1.0";

/// Installs what is missing.
pub fn install() -> Result<(), Failed> {
    cargo_tools()?;
    driver()
}

/// From source, unoptimised: it passes messages on, and nobody offers it built.
fn driver() -> Result<(), Failed> {
    let installed = std::fs::read_to_string(folder().join(".crates.toml")).unwrap_or_default();
    if !cfg!(target_os = "linux") || installed.contains(&format!("\"{DRIVER} {DRIVER_VERSION} ")) {
        return Ok(());
    }
    println!("xtask: building {DRIVER} into {}: about a minute, once", folder().display());
    let (root, version) = (folder(), format!("{DRIVER}@{DRIVER_VERSION}"));
    show(cargo(&["install", "--locked", "--debug", "--root", &root.to_string_lossy(), &version]))
}

/// Prebuilt in seconds, else from source in minutes.
fn cargo_tools() -> Result<(), Failed> {
    if has_nextest() && has_deny() {
        println!("xtask: cargo-nextest and cargo-deny are there");
        return Ok(());
    }
    println!("xtask: installing cargo-nextest and cargo-deny into {}", folder().display());
    if prebuilt().is_ok() && has_nextest() && has_deny() {
        return Ok(());
    }
    println!("xtask: no prebuilt ones for this machine. Building them takes some minutes, once");
    let root = folder();
    let root = root.to_string_lossy();
    for (tool, there) in [("cargo-nextest@0.9.148", has_nextest()), ("cargo-deny@0.20.2", has_deny())] {
        if !there && show(cargo(&["install", "--locked", "--root", &root, tool])).is_err() {
            println!(
                "xtask: WARNING: {tool} could not be installed; what it does is left out or done by cargo alone"
            );
        }
    }
    Ok(())
}

/// The versions and hashes are pinned in `tools.txt`. The tools are copied out of the environment that pip fills, so that
/// its Python does not come to stand before the system's.
fn prebuilt() -> Result<(), Failed> {
    let venv = root().join("target/xtask/venv");
    show(command("python3", &["-m", "venv", &venv.to_string_lossy()]))?;
    let python = venv.join("bin/python");
    let list = root().join("src-tauri/crates/xtask/tools.txt");
    let list = list.to_string_lossy();
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"];
    let words = [&install[..], &["--require-hashes", "-r", &list]].concat();
    show(command(&python.to_string_lossy(), &words))?;
    let bin = folder().join("bin");
    std::fs::create_dir_all(&bin).map_err(|e| Failed(format!("cannot make {}: {e}", bin.display())))?;
    for tool in ["cargo-nextest", "cargo-deny"] {
        let copied = std::fs::copy(venv.join("bin").join(tool), bin.join(tool));
        copied.map_err(|e| Failed(format!("cannot copy {tool} to {}: {e}", bin.display())))?;
    }
    Ok(())
}
