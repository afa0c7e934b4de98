//! Debian packages.

use crate::run::{Failed, command, output, root, works};
use std::path::PathBuf;

/// A Debian package, and why it is needed.
pub type Package = (&'static str, &'static str);

/// What the build and the tests need.
pub const PACKAGES: &[Package] = &[
    ("build-essential", "a C compiler and linker"),
    ("pkg-config", "finds the libraries"),
    ("libssl-dev", "SQLCipher's cryptography"),
    ("libwebkit2gtk-4.1-dev", "the app's window"),
    ("librsvg2-dev", "its icons"),
    ("libayatana-appindicator3-dev", "its tray"),
    ("dbus", "a private message bus for the keychain's tests"),
    ("gnome-keyring", "a real keychain"),
    ("dovecot-core", "the lab's mail server"),
    ("dovecot-imapd", "its IMAP"),
    ("dovecot-lmtpd", "its delivery"),
    ("postfix", "the lab's SMTP"),
    ("swaks", "speaks SMTP to the relay, step by step"),
    ("libnet-ssleay-perl", "TLS for swaks"),
    ("msmtp", "a mail program that sends through it"),
    ("neomutt", "another one"),
    ("python3", "mail clients and judges that are not ours"),
    ("python3-venv", "keeps their packages apart"),
    ("util-linux", "runs the servers as another user"),
    ("xvfb", "a screen for the tests of the real window"),
    ("openbox", "its window manager"),
    ("xdotool", "a person at the keyboard and at the window's frame"),
    ("imagemagick", "photographs the screen"),
    ("webkit2gtk-driver", "clicks and reads in the window"),
    ("chromium", "a browser for the interface's own tests"),
];

/// Installs as root. Package scripts must not start the servers that they install: a `policy-rc.d` forbids it
/// (invoke-rc.d reads it), and is taken away again.
const INSTALL: &str = r#"
set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends "$@"
"#;

pub fn is_debian() -> bool {
    works(command("dpkg-query", &["--version"]))
}

/// Installs those that are missing.
pub fn install(packages: &[Package]) -> Result<(), Failed> {
    if !is_debian() {
        println!("xtask: this is no Debian. What these Debian packages hold is needed:");
        for (package, why) in packages {
            println!("  {package:<30}{why}");
        }
        return Ok(());
    }
    let missing: Vec<&Package> = packages.iter().filter(|(package, _)| !is_there(package)).collect();
    if missing.is_empty() {
        println!("xtask: all {} Debian packages are there", packages.len());
        return Ok(());
    }
    println!("xtask: installing {} Debian packages:", missing.len());
    for (package, why) in &missing {
        println!("  {package:<30}{why}");
    }
    let names: Vec<&str> = missing.iter().map(|(package, _)| *package).collect();
    let script = [&["-c", INSTALL, "sh"][..], &names].concat();
    if is_root() {
        return show_quietly("sh", &script);
    }
    if works(command("sudo", &["-n", "true"])) {
        return show_quietly("sudo", &[&["-n", "sh"][..], &script].concat());
    }
    Err(Failed(format!(
        "installing needs root. Run this, then try again:\n  sudo apt-get update && sudo apt-get install -y {}",
        names.join(" ")
    )))
}

/// Cyrus and what it needs beside Dovecot's libraries.
const CYRUS: &[&str] = &["cyrus-common", "cyrus-imapd", "sasl2-bin", "libical3", "libpcre3", "libxapian30"];

/// Courier, and what it needs beside the system.
const COURIER: &[&str] = &[
    "courier-imap",
    "courier-base",
    "courier-authlib",
    "courier-authlib-userdb",
    "libcourier-unicode4",
    "gamin",
    "libgamin0",
    "libgdbm6",
    "libidn12",
    "libpcre3",
];

/// Mail servers whose packages conflict with Dovecot's where they are installed: the folder's name, and its packages.
pub const BESIDE: &[(&str, &[&str])] = &[("cyrus", CYRUS), ("courier", COURIER)];

/// Downloads into `$1` and unpacks there; the folder appears when it is complete.
const UNPACK: &str = r#"
set -e
place=$1; shift
rm -rf "$place.new"
mkdir -p "$place.new/debs"
cd "$place.new/debs"
get() { apt-get download -q -o APT::Sandbox::User=root "$@"; }
get "$@" || { apt-get update -q; get "$@"; }
for deb in *.deb; do dpkg-deb -x "$deb" "$place.new"; done
rm -rf "$place.new/debs" "$place"
mv "$place.new" "$place"
"#;

fn place(name: &str) -> PathBuf {
    root().join("target/xtask").join(name)
}

/// Whether one of [`BESIDE`] is there.
pub fn is_unpacked(name: &str) -> bool {
    place(name).exists()
}

/// Unpacks one of [`BESIDE`] under `target`.
pub fn unpack((name, packages): (&str, &[&str])) -> Result<(), Failed> {
    let place = place(name);
    if place.exists() || !works(command("dpkg-deb", &["--version"])) {
        return Ok(());
    }
    println!("xtask: unpacking the mail server {name} into {}", place.display());
    let place = place.to_string_lossy();
    show_quietly("sh", &[&["-c", UNPACK, "sh", &place][..], packages].concat())
}

/// The script is long; what it does was said.
fn show_quietly(program: &str, words: &[&str]) -> Result<(), Failed> {
    let status = command(program, words).stdin(std::process::Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Failed("apt-get failed: see its words above".into())),
    }
}

fn is_there(package: &str) -> bool {
    output(command("dpkg-query", &["-W", "-f=${db:Status-Status}", package]))
        .is_some_and(|s| s == "installed")
}

pub fn is_root() -> bool {
    output(command("id", &["-u"])).is_some_and(|uid| uid.trim() == "0")
}
