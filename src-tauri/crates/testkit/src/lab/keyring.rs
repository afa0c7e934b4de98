//! A keychain of a test's own: a private message bus with the real GNOME Keyring behind it.

use super::guard::Guarded;
use super::place;
use anyhow::{Result, anyhow, bail};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A keychain, or one of the ways in which it can be missing. Gone when dropped.
///
/// It is reached through the environment, so it is for child processes: see [`Keyring::env`].
#[derive(Debug)]
pub struct Keyring {
    // Stopped in this order: the service before the bus it speaks on, both before the folder.
    service: Option<Guarded>,
    bus: Option<Guarded>,
    dir: TempDir,
}

/// What opens the keychain (an empty password would make GNOME Keyring store in plaintext).
const PASSWORD: &str = "lab";

impl Keyring {
    /// An open keychain.
    pub fn start() -> Result<Self> {
        let mut keyring = Self::no_service()?;
        keyring.serve(&["--unlock"])?;
        Ok(keyring)
    }

    /// A keychain that exists and was not opened since sign-in; nobody is there to be asked for its password.
    pub fn locked() -> Result<Self> {
        let mut keyring = Self::start()?;
        keyring.lock()?;
        Ok(keyring)
    }

    /// A bus without a keychain on it.
    pub fn no_service() -> Result<Self> {
        let mut keyring = Self::no_bus()?;
        let dir = keyring.dir.path();
        // No service folders: nothing is started by the bus behind the test's back.
        let conf = dir.join("bus.conf");
        std::fs::write(
            &conf,
            format!(
                "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
                 <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
                 <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
                dir.join("bus").display()
            ),
        )?;
        let option = format!("--config-file={}", conf.display());
        let command = ["dbus-daemon", "--nofork", "--nopidfile", &option];
        let mut bus = Guarded::start(&command, &keyring.env(), Path::new("/dev/null"), &dir.join("bus.log"))?;
        wait(dir, "bus.log", || UnixStream::connect(dir.join("bus")).is_ok(), || bus.ended())?;
        keyring.bus = Some(bus);
        Ok(keyring)
    }

    /// No bus at all.
    pub fn no_bus() -> Result<Self> {
        let dir = place::folder()?;
        for folder in ["home", "run"] {
            std::fs::create_dir(dir.path().join(folder))?;
            let private = std::fs::Permissions::from_mode(0o700);
            std::fs::set_permissions(dir.path().join(folder), private)?;
        }
        Ok(Self { service: None, bus: None, dir })
    }

    /// What a child process must have in its environment to use this keychain and no other. Its home is inside the lab.
    pub fn env(&self) -> Vec<(String, String)> {
        let dir = self.dir.path();
        let at = |name: &str| dir.join(name).to_string_lossy().into_owned();
        vec![
            ("HOME".into(), at("home")),
            ("XDG_RUNTIME_DIR".into(), at("run")),
            ("XDG_DATA_HOME".into(), at("home/.local/share")),
            ("XDG_CONFIG_HOME".into(), at("home/.config")),
            ("XDG_CACHE_HOME".into(), at("home/.cache")),
            ("DBUS_SESSION_BUS_ADDRESS".into(), format!("unix:path={}", at("bus"))),
            ("DISPLAY".into(), String::new()),
            ("WAYLAND_DISPLAY".into(), String::new()),
        ]
    }

    /// Where the bus listens, or would.
    pub fn bus_path(&self) -> PathBuf {
        self.dir.path().join("bus")
    }

    /// How many entries of a service (the attribute `service`) the keychain holds.
    pub fn entries(&self, service: &str) -> Result<usize> {
        let output = Command::new("dbus-send")
            .args([
                "--session",
                "--print-reply",
                "--dest=org.freedesktop.secrets",
                "/org/freedesktop/secrets",
            ])
            .args([
                "org.freedesktop.Secret.Service.SearchItems",
                &format!("dict:string:string:service,{service}"),
            ])
            .envs(self.env())
            .stdin(Stdio::null())
            .output()?;
        if !output.status.success() {
            bail!("SearchItems failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).matches("object path").count())
    }

    /// Closes the keychain, as at the end of a session.
    pub fn lock(&mut self) -> Result<()> {
        if let Some(service) = self.service.take() {
            service.stop();
        }
        self.serve(&[])
    }

    /// Opens it, as a person does who types the password.
    pub fn unlock(&mut self) -> Result<()> {
        if let Some(service) = self.service.take() {
            service.stop();
        }
        self.serve(&["--unlock"])
    }

    fn serve(&mut self, how: &[&str]) -> Result<()> {
        let dir = self.dir.path();
        let password = dir.join("password");
        let mut file = std::fs::File::create(&password)?;
        file.write_all(PASSWORD.as_bytes())?;
        let command = [&["gnome-keyring-daemon", "--foreground", "--components=secrets"][..], how].concat();
        let mut service = Guarded::start(&command, &self.env(), &password, &dir.join("keyring.log"))?;
        let answers = || self.call("GetNameOwner", "string:org.freedesktop.secrets").is_ok();
        wait(dir, "keyring.log", answers, || service.ended())?;
        self.service = Some(service);
        Ok(())
    }

    /// Asks the bus itself; fails where it says no.
    fn call(&self, method: &str, argument: &str) -> Result<()> {
        let status = Command::new("dbus-send")
            .args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"])
            .args([&format!("org.freedesktop.DBus.{method}"), argument])
            .envs(self.env())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        status.success().then_some(()).ok_or_else(|| anyhow!("the bus refused {method}"))
    }
}

fn wait(
    dir: &Path,
    log: &str,
    ready: impl Fn() -> bool,
    mut ended: impl FnMut() -> Option<i32>,
) -> Result<()> {
    let words = || std::fs::read_to_string(dir.join(log)).unwrap_or_default();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        if ready() {
            return Ok(());
        }
        if let Some(code) = ended() {
            bail!("it ended with code {code}: {}", words());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    bail!("it does not answer: {}", words())
}
