//! Where a lab lives: its folder, its ports and the user it runs as.

use anyhow::{Context, Result, anyhow, ensure};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use tempfile::TempDir;

/// A new folder that every user can enter, with a path short enough for Unix sockets below it (at most 108 bytes).
pub(crate) fn folder() -> Result<TempDir> {
    const SHORT: usize = 30;
    let base = std::env::temp_dir();
    let base = match base.as_os_str().len() {
        0..=SHORT => base,
        _ => PathBuf::from("/tmp"),
    };
    let dir = tempfile::Builder::new()
        .prefix("lab-")
        .rand_bytes(8)
        .tempdir_in(&base)
        .with_context(|| format!("cannot make a folder in {}", base.display()))?;
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755))?;
    Ok(dir)
}

/// Where the packages of a mail server are unpacked, when `probe` is among them.
pub(crate) fn unpacked(name: &str, probe: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3)?;
    let place = root.join("target/xtask").join(name);
    place.join(probe).exists().then_some(place)
}

/// Copies them into a server's own folder, since the project may lie where the server's user cannot enter; gives the place.
pub(crate) fn copy(unpacked: &Path, dir: &Path) -> Result<PathBuf> {
    let packages = dir.join("packages");
    let copied = Command::new("cp").arg("-r").arg(unpacked).arg(&packages).status()?;
    ensure!(copied.success(), "cannot copy {} to {}", unpacked.display(), packages.display());
    Ok(packages)
}

/// Ports that were free a moment ago, each different. They lie below the range from which the kernel takes ports
/// for outgoing connections (32768 on Linux), so that a stopped server finds its port free again.
pub fn free_ports<const N: usize>() -> Result<[u16; N]> {
    const FIRST: u16 = 10_000;
    const COUNT: u16 = 22_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Processes start far from each other; threads of one go on where the last one stopped.
    let start = (std::process::id().wrapping_mul(7_919) % u32::from(COUNT)) as u16;
    let mut ports = [0; N];
    for port in &mut ports {
        *port = (0..COUNT)
            .map(|_| NEXT.fetch_add(1, Ordering::Relaxed))
            .map(|n| FIRST + (start + n % COUNT) % COUNT)
            .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
            .ok_or_else(|| anyhow!("no free port on 127.0.0.1 between {FIRST} and {}", FIRST + COUNT))?;
    }
    Ok(ports)
}

/// The user that the mail server runs as: oneself, or `nobody` where oneself is root (Dovecot keeps no mail as
/// root, and a server under test should not be able to do much).
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub name: String,
    pub group: String,
    pub is_root: bool,
}

impl User {
    pub fn pick() -> Result<Self> {
        let uid =
            std::fs::metadata("/proc/self").context("cannot read /proc/self to learn the user id")?.uid();
        if uid == 0 {
            return Ok(Self { name: "nobody".into(), group: "nogroup".into(), is_root: true });
        }
        let gid = std::fs::metadata("/proc/self")?.gid();
        Ok(Self { name: named("/etc/passwd", uid)?, group: named("/etc/group", gid)?, is_root: false })
    }

    /// A command line that runs `command` as this user.
    pub fn run(&self, command: &[&str]) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        if self.is_root {
            all.extend(["setpriv".into(), format!("--reuid={}", self.name)]);
            all.extend([format!("--regid={}", self.group), "--clear-groups".into(), "--".into()]);
        }
        all.extend(command.iter().map(|s| (*s).to_owned()));
        all
    }

    /// Makes this user the owner of a folder or file, and of all below it.
    pub fn own(&self, path: &Path) -> Result<()> {
        if !self.is_root {
            return Ok(());
        }
        let owner = format!("{}:{}", self.name, self.group);
        let status = std::process::Command::new("chown").args(["-R", &owner]).arg(path).status()?;
        status.success().then_some(()).ok_or_else(|| anyhow!("chown {owner} {} failed", path.display()))
    }
}

/// The name of an id in `/etc/passwd` or `/etc/group`: both keep it in the third field.
fn named(file: &str, id: u32) -> Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    text.lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.get(2).is_some_and(|f| *f == id.to_string()))
        .map(|fields| fields[0].to_owned())
        .ok_or_else(|| anyhow!("the id {id} has no name in {file}; the mail server needs one"))
}
