//! Windows and macOS, as far as they can be checked from Debian: with Debian's own Rust, which brings the source of the
//! standard library and so builds it for any system, and with Wine. What this cannot see is said at the end.

use crate::apt;
use crate::run::{Failed, command, root, show};
use std::path::Path;
use std::process::Command;

const PACKAGES: &[apt::Package] = &[
    ("rustc-web", "a second Rust, beside the one in use"),
    ("cargo-web", "its Cargo"),
    ("rust-web-src", "the source of the standard library"),
    ("gcc-mingw-w64-x86-64-win32", "a C compiler and linker for Windows"),
    ("wine64", "runs programs for Windows"),
    ("wine", "its command"),
    ("python3-venv", "keeps a C compiler for macOS apart"),
];

const WINDOWS: &str = "x86_64-pc-windows-gnu";
const MACOS: &str = "aarch64-apple-darwin";

/// The crates without a window, and those of their tests that need no Linux: the lab's servers do.
const TESTED: &[(&str, &[&str])] = &[
    ("threadline-core", &["--lib", "--tests"]),
    ("threadline-secrets", &["--lib"]),
    ("threadline-mail", &["--lib"]),
    ("threadline-store", &["--lib"]),
    ("threadline-crm", &["--lib"]),
    ("threadline-engine", &["--lib"]),
];

/// The crates whose C can be compiled for macOS here, or that have none.
const TYPED: &[&str] = &["threadline-core", "threadline-secrets", "threadline-mail", "threadline-crm"];

/// What was found out about one thing.
struct Finding {
    what: String,
    done: Result<(), Failed>,
}

pub fn check() -> Result<(), Failed> {
    if !apt::is_debian() {
        return Err(Failed("`check-platforms` stands on Debian's packages, and this is no Debian".into()));
    }
    apt::install(PACKAGES)?;
    let dlls = dll()?;
    let mut findings = Vec::new();
    for (package, tests) in TESTED {
        let mut test =
            rust(&["test", "-Zbuild-std", "--target", WINDOWS, "--no-fail-fast", "--package", package]);
        test.args(*tests).env("WINEPATH", &dlls).env("WINEDEBUG", "-all");
        findings.push(Finding { what: format!("Windows: tests of {package} under Wine"), done: show(test) });
    }
    for package in ["threadline-cli", "threadline-app"] {
        let mut build = rust(&["check", "-Zbuild-std", "--target", WINDOWS, "--package", package]);
        if package == "threadline-app" {
            build.args(crate::stages::APP);
        }
        findings.push(Finding { what: format!("Windows: {package} compiles"), done: show(build) });
    }
    let compiler = zig()?;
    for package in TYPED {
        let mut types = rust(&["check", "-Zbuild-std", "--target", MACOS, "--package", package]);
        types.env("CC_aarch64_apple_darwin", &compiler);
        findings.push(Finding { what: format!("macOS: the types of {package}"), done: show(types) });
    }
    report(&findings)
}

fn report(findings: &[Finding]) -> Result<(), Failed> {
    println!("\nChecked from Debian:");
    for finding in findings {
        println!(
            "  {:<58}{}",
            finding.what,
            if finding.done.is_ok() { "holds" } else { "FAILED: see above" }
        );
    }
    println!(
        "\nNot checked: on Windows, the installer, the window, tray and notifications, and the tests on real mail servers;\n\
         on macOS, anything but types, and of the app, store and engine not even these (their C and Objective-C need\n\
         Apple's own tools). Both need a machine of that system."
    );
    match findings.iter().any(|finding| finding.done.is_err()) {
        true => Err(Failed("something does not hold on another system: see above".into())),
        false => Ok(()),
    }
}

/// Debian's Cargo. It builds into a folder of its own, since its compiler is another one.
fn rust(words: &[&str]) -> Command {
    let mut cargo = command("/usr/bin/cargo", words);
    let kept = ["HOME", "TERM", "CARGO_HOME"].map(|name| (name, std::env::var_os(name)));
    cargo.env_clear();
    cargo.envs(kept.into_iter().filter_map(|(name, value)| Some((name, value?))));
    // The standard library can be built by a nightly compiler, or by one that is told to be one.
    cargo.envs([("PATH", "/usr/bin:/bin"), ("RUSTC", "/usr/bin/rustc"), ("RUSTC_BOOTSTRAP", "1")]);
    cargo.env("CARGO_TARGET_DIR", root().join("target/platforms"));
    cargo.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", "x86_64-w64-mingw32-gcc");
    cargo.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", "wine");
    cargo.env("WINEPREFIX", root().join("target/platforms/wine"));
    cargo
}

/// Builds what Wine lacks; gives its folder.
fn dll() -> Result<String, Failed> {
    let folder = root().join("target/platforms/dll");
    make(&folder)?;
    let source = root().join("src-tauri/crates/xtask/platforms/bcryptprimitives.c");
    let library = folder.join("bcryptprimitives.dll");
    let (library, source) = (library.to_string_lossy(), source.to_string_lossy());
    let words = ["-shared", "-o", &library, &source, "-ladvapi32"];
    show(command("x86_64-w64-mingw32-gcc", &words))?;
    Ok(folder.to_string_lossy().into_owned())
}

/// Fetches a C compiler for macOS; gives its command.
fn zig() -> Result<String, Failed> {
    let folder = root().join("target/platforms/zig");
    let script = folder.join("cc");
    if script.exists() {
        return Ok(script.to_string_lossy().into_owned());
    }
    let venv = folder.join("venv");
    make(&folder)?;
    let list = root().join("src-tauri/crates/xtask/platforms/zig.txt");
    show(command("python3", &["-m", "venv", &venv.to_string_lossy()]))?;
    let python = venv.join("bin/python").to_string_lossy().into_owned();
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"];
    let list = list.to_string_lossy();
    let words = [&install[..], &["--require-hashes", "-r", &list]].concat();
    show(command(&python, &words))?;
    // The cc crate names the system in its own words too, which this compiler does not know.
    let text = format!(
        "#!/bin/sh\nfor word; do shift; case $word in --target=*|-arch|arm64) ;; *) set -- \"$@\" \"$word\";; esac; done\n\
         exec '{python}' -m ziglang cc -target aarch64-macos \"$@\"\n"
    );
    write(&script, &text)?;
    show(command("chmod", &["755", &script.to_string_lossy()]))?;
    Ok(script.to_string_lossy().into_owned())
}

fn make(folder: &Path) -> Result<(), Failed> {
    std::fs::create_dir_all(folder).map_err(|e| Failed(format!("cannot make {}: {e}", folder.display())))
}

fn write(path: &Path, text: &str) -> Result<(), Failed> {
    std::fs::write(path, text).map_err(|e| Failed(format!("cannot write {}: {e}", path.display())))
}
