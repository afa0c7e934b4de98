//! Cyrus IMAP 3.6: a second server, which tells an idle client of new mail at once, where Dovecot waits half a second.
//!
//! Its packages conflict with Dovecot's, so they are unpacked beside them: `cargo xtask setup` does that.

use super::guard::Guarded;
use super::imap::Imap;
use super::place::{self, User};
use super::{PASSWORD, again, tls};
use anyhow::{Context, Result, anyhow, bail};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The one user; its password is [`PASSWORD`]. Cyrus is given no domain.
pub const USER: &str = "alice";

/// A running Cyrus; stopped when dropped.
#[derive(Debug)]
pub struct Cyrus {
    // Stopped before the folder is removed.
    _server: Guarded,
    imap: u16,
    imaps: u16,
    ca_pem: String,
    dir: TempDir,
}

impl Cyrus {
    /// Where the packages are unpacked, when they are.
    pub fn unpacked() -> Option<PathBuf> {
        place::unpacked("cyrus", "usr/lib/cyrus/bin/master")
    }

    pub fn start() -> Result<Self> {
        let unpacked = Self::unpacked().context("Cyrus is not unpacked: `cargo xtask setup` does it")?;
        let user = User::pick()?;
        let dir = place::folder()?;
        // The project may lie where the server's user cannot enter.
        let packages = place::copy(&unpacked, dir.path())?;
        let certificates = tls::make()?;
        std::fs::write(dir.path().join("ca.pem"), &certificates.ca_pem)?;
        std::fs::write(dir.path().join("cert.pem"), &certificates.cert_pem)?;
        std::fs::write(dir.path().join("key.pem"), &certificates.key_pem)?;
        let (server, imap, imaps) = again(5, || {
            let [imap, imaps] = place::free_ports::<2>()?;
            configure(dir.path(), &packages, imap, imaps)?;
            set_password(dir.path(), &packages)?;
            user.own(dir.path())?;
            Ok((launch(dir.path(), &packages, &user, imap)?, imap, imaps))
        })?;
        let cyrus = Self { _server: server, imap, imaps, ca_pem: certificates.ca_pem, dir };
        // The first sign-in makes the mailbox.
        cyrus.sign_in()?;
        Ok(cyrus)
    }

    /// IMAP, in plaintext until STARTTLS.
    pub fn imap_port(&self) -> u16 {
        self.imap
    }

    /// IMAP inside TLS.
    pub fn imaps_port(&self) -> u16 {
        self.imaps
    }

    /// The certificate of its own authority; the server's is for `localhost` and `127.0.0.1`.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The same in a file.
    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Puts a message into a folder, as another mail client does; gives its UID.
    pub fn append(&self, folder: &str, raw: &[u8]) -> Result<u32> {
        self.sign_in()?.append(folder, "", raw)
    }

    fn sign_in(&self) -> Result<Imap> {
        Imap::sign_in(("127.0.0.1", self.imap), USER, PASSWORD)
    }
}

fn libraries(packages: &Path) -> (String, String) {
    let folders = [
        "usr/lib/x86_64-linux-gnu",
        "lib/x86_64-linux-gnu",
        "usr/lib/aarch64-linux-gnu",
        "lib/aarch64-linux-gnu",
        "usr/lib",
    ];
    let paths = folders.map(|f| packages.join(f).to_string_lossy().into_owned());
    ("LD_LIBRARY_PATH".to_owned(), paths.join(":"))
}

fn configure(dir: &Path, packages: &Path, imap: u16, imaps: u16) -> Result<()> {
    for folder in
        ["db", "socket", "proc", "log", "ptclient", "sync", "msg", "backup", "lock", "user", "quota", "stats"]
    {
        std::fs::create_dir_all(dir.join("conf").join(folder))?;
    }
    std::fs::create_dir_all(dir.join("spool"))?;
    let (d, bin) = (dir.display(), packages.join("usr/lib/cyrus/bin"));
    let (bin, user) = (bin.display(), User::pick()?);
    std::fs::write(
        dir.join("imapd.conf"),
        format!(
            "configdirectory: {d}/conf\ndefaultpartition: default\npartition-default: {d}/spool\n\
             cyrus_user: {}\ncyrus_group: {}\nadmins: admin\nallowplaintext: yes\n\
             sasl_pwcheck_method: auxprop\nsasl_auxprop_plugin: sasldb\nsasl_mech_list: PLAIN LOGIN\n\
             sasl_sasldb_path: {d}/sasldb2\nvirtdomains: off\naltnamespace: yes\nunixhierarchysep: yes\n\
             autocreate_quota: 0\nautocreate_post: yes\nautocreate_inbox_folders: Sent | Drafts | Trash | Junk\n\
             xlist-sent: Sent\nxlist-drafts: Drafts\nxlist-trash: Trash\nxlist-junk: Junk\nspecialusealways: yes\n\
             conversations: no\nidlesocket: {d}/conf/socket/idle\nimapidlepoll: 5\nservername: localhost\n\
             tls_server_cert: {d}/cert.pem\ntls_server_key: {d}/key.pem\nsyslog_prefix: lab\n",
            user.name, user.group
        ),
    )?;
    std::fs::write(
        dir.join("cyrus.conf"),
        format!(
            "START {{\n recover cmd=\"{bin}/ctl_cyrusdb -C {d}/imapd.conf -r\"\n idled cmd=\"{bin}/idled -C {d}/imapd.conf\"\n}}\n\
             SERVICES {{\n imap cmd=\"{bin}/imapd -C {d}/imapd.conf\" listen=\"127.0.0.1:{imap}\" prefork=1\n\
             \x20imaps cmd=\"{bin}/imapd -s -C {d}/imapd.conf\" listen=\"127.0.0.1:{imaps}\" prefork=1\n}}\nEVENTS {{\n}}\n"
        ),
    )?;
    Ok(())
}

fn set_password(dir: &Path, packages: &Path) -> Result<()> {
    let mut child = Command::new(packages.join("usr/sbin/saslpasswd2"))
        .args(["-p", "-c", "-u", "localhost", "-f"])
        .arg(dir.join("sasldb2"))
        .arg(USER)
        .envs([libraries(packages)])
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot run saslpasswd2")?;
    child.stdin.take().context("no standard input")?.write_all(PASSWORD.as_bytes())?;
    child.wait()?.success().then_some(()).ok_or_else(|| anyhow!("saslpasswd2 failed"))
}

fn launch(dir: &Path, packages: &Path, user: &User, port: u16) -> Result<Guarded> {
    let at = |name: &str| dir.join(name).to_string_lossy().into_owned();
    let master = packages.join("usr/lib/cyrus/bin/master").to_string_lossy().into_owned();
    let (imapd, cyrus, pid, log) =
        (at("imapd.conf"), at("cyrus.conf"), at("master.pid"), dir.join("start.log"));
    let command = user.run(&[&master, "-C", &imapd, "-M", &cyrus, "-p", &pid, "-D"]);
    let mut server = Guarded::start(&command, &[libraries(packages)], Path::new("/dev/null"), &log)?;
    let words = || std::fs::read_to_string(&log).unwrap_or_default();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        if let Some(code) = server.ended() {
            bail!("cyrus ended with code {code}: {}", words());
        }
        if greets(port) {
            return Ok(server);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    bail!("cyrus does not greet at 127.0.0.1:{port}: {}", words())
}

fn greets(port: u16) -> bool {
    let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut line = String::new();
    stream.set_read_timeout(Some(Duration::from_secs(5))).is_ok()
        && BufReader::new(stream).read_line(&mut line).is_ok()
        && line.contains("Cyrus")
}
