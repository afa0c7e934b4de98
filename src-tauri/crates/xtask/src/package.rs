//! The package that people install.

use crate::run::{Failed, cargo, root, show};
use crate::stages::setup;
use crate::{apt, node};
use std::fs;
use std::path::{Path, PathBuf};

/// What the signing of updates needs; without all three the package has no updates. The secret key's own name and meaning
/// are Tauri's: a path or the key itself.
const SECRET_KEY: &str = "TAURI_SIGNING_PRIVATE_KEY";
const PUBLIC_KEY: &str = "THREADLINE_UPDATE_KEY";
const ADDRESS: &str = "THREADLINE_UPDATE_URL";

/// Names the package that the test is to try.
const DEB: &str = "THREADLINE_DEB";

/// The kind of this system, and the folder that it lands in.
const KIND: &str = match () {
    () if cfg!(windows) => "nsis",
    () if cfg!(target_os = "macos") => "dmg",
    () => "deb",
};

pub fn run(words: &[String]) -> Result<(), Failed> {
    let try_it = match words {
        [] => true,
        [word] if word == "--no-try" => false,
        _ => {
            return Err(Failed(format!(
                "`package` does not know `{}`; see `cargo xtask help`",
                words.join(" ")
            )));
        }
    };
    setup()?;
    let package = build()?;
    if KIND == "deb" && try_it {
        return try_deb(&package);
    }
    println!("xtask: the package was NOT installed and tried");
    Ok(())
}

/// Makes the package; gives its place.
pub fn build() -> Result<PathBuf, Failed> {
    let mut build = vec!["run", "tauri", "--", "build", "--ci", "--bundles", KIND];
    let updates = updates()?;
    match &updates {
        Some(settings) => build.extend(["--config", settings]),
        None => println!(
            "xtask: no updates in this package: {SECRET_KEY}, {PUBLIC_KEY} and {ADDRESS} are not all set"
        ),
    }
    node::npm(&build)?;
    let package = newest(&root().join("target/release/bundle").join(KIND))?;
    let size =
        fs::metadata(&package).map_err(|e| Failed(format!("cannot read {}: {e}", package.display())))?.len();
    println!("xtask: {} ({:.1} MB)", package.display(), size as f64 / 1e6);
    Ok(package)
}

/// Installs, starts and removes the package.
fn try_deb(package: &Path) -> Result<(), Failed> {
    if !apt::is_root() {
        return Err(Failed("trying the package needs root. Run this as root, or with `--no-try`".into()));
    }
    let test = ["test", "--package", "threadline-tests", "--test", "app", "--", "--ignored", "package::"];
    let mut test = cargo(&test);
    test.env(DEB, package);
    show(test)
}

/// The settings that turn updates on, as a file for Tauri; `None` without the keys.
fn updates() -> Result<Option<String>, Failed> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (Some(_), Some(key), Some(address)) = (set(SECRET_KEY), set(PUBLIC_KEY), set(ADDRESS)) else {
        return Ok(None);
    };
    let template = root().join("src-tauri/updater.conf.json");
    let to = root().join("target/xtask/updater.conf.json");
    let written = fs::read_to_string(&template)
        .map(|text| text.replace("PUBLIC_KEY", &key).replace("ADDRESS", &address))
        .and_then(|text| fs::write(&to, text));
    written.map_err(|e| Failed(format!("cannot make {} of {}: {e}", to.display(), template.display())))?;
    Ok(Some(to.to_string_lossy().into_owned()))
}

fn newest(folder: &Path) -> Result<PathBuf, Failed> {
    let entries =
        fs::read_dir(folder).map_err(|e| Failed(format!("cannot read {}: {e}", folder.display())))?;
    let packages = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
    let changed = |path: &PathBuf| fs::metadata(path).and_then(|data| data.modified()).ok();
    packages.max_by_key(changed).ok_or_else(|| Failed(format!("no package in {}", folder.display())))
}
