//! Courier IMAP 5.0: a third server, which tells UIDNEXT by STATUS alone and keeps every folder below INBOX.
//!
//! Its packages conflict with Dovecot's, and its paths are built in. So they are unpacked beside (`cargo xtask setup` does
//! that) and laid over `/usr` and `/etc` in a mount namespace of the server's own, which needs root. A session runs as the
//! lab's user.

use super::guard::Guarded;
use super::imap::Imap;
use super::place::{self, User};
use super::{PASSWORD, again, tls};
use anyhow::{Context, Result, bail};
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The one user; its password is [`PASSWORD`].
pub const USER: &str = "alice";
/// Where it keeps what it sent.
pub const SENT: &str = "INBOX.Sent";

/// Makes the user and starts the server: `$1` is the lab's folder, then come the two ports, user and group. What is laid
/// over the system's folders is seen by the server alone.
const START: &str = r#"
set -e
d=$1 imap=$2 imaps=$3 user=$4 group=$5 password=$6
export LD_LIBRARY_PATH=$d/packages/lib/x86_64-linux-gnu:$d/packages/lib/aarch64-linux-gnu
mount -t overlay overlay -o lowerdir=$d/packages/usr:/usr /usr
LD_LIBRARY_PATH=$LD_LIBRARY_PATH:/usr/lib:/usr/lib/x86_64-linux-gnu:/usr/lib/aarch64-linux-gnu
mkdir -p $d/etc/courier $d/mail
cat >$d/etc/courier/authdaemonrc <<END
authmodulelist="authuserdb"
authmodulelistorig="authuserdb"
daemons=2
authdaemonvar=/run/courier/authdaemon
DEFAULTOPTIONS=""
LOGGEROPTS=""
END
pw=$(echo $password | userdbpw -md5)
printf 'alice\tuid=%s|gid=%s|home=%s/mail|mail=%s/mail/Maildir|systempw=%s\n' $(id -u $user) $(getent group $group | cut -d: -f3) $d $d "$pw" >$d/etc/courier/userdb
chmod 600 $d/etc/courier/userdb
makeuserdb -f $d/etc/courier/userdb
[ -d $d/mail/Maildir ] || { maildirmake.courier $d/mail/Maildir; maildirmake.courier -f Sent $d/mail/Maildir; }
chown -R $user:$group $d/mail
mount -t overlay overlay -o lowerdir=$d/etc:/etc /etc
mount -t tmpfs tmpfs /run
mkdir -p /run/courier/authdaemon
set -a
. $d/packages/etc/courier/imapd
IMAP_ENHANCEDIDLE=1 IMAPDSTARTTLS=YES COURIERTLS=/usr/bin/couriertls TLS_CERTFILE=$d/server.pem TLS_VERIFYPEER=NONE
tcpd="couriertcpd -address=127.0.0.1 -maxprocs=40 -maxperip=40 -nodnslookup -noidentlookup"
login="/usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir"
# It takes every process that ends for one of its own, so it is nobody's parent.
/usr/lib/courier/courier-authlib/authdaemond &
IMAP_STARTTLS=YES $tcpd $imap $login &
IMAP_STARTTLS=NO IMAP_TLS=1 $tcpd $imaps /usr/bin/couriertls -server -tcpd $login &
wait
"#;

/// A running Courier; stopped when dropped.
#[derive(Debug)]
pub struct Courier {
    // Stopped before the folder is removed.
    _server: Guarded,
    imap: u16,
    imaps: u16,
    dir: TempDir,
}

impl Courier {
    /// Where the packages are unpacked, when they are.
    pub fn unpacked() -> Option<PathBuf> {
        place::unpacked("courier", "usr/bin/imapd")
    }

    pub fn start() -> Result<Self> {
        let unpacked = Self::unpacked().context("Courier is not unpacked: `cargo xtask setup` does it")?;
        let user = User::pick()?;
        if !user.is_root {
            bail!("Courier can only be started by root: run this test as root, or in a container");
        }
        let dir = place::folder()?;
        place::copy(&unpacked, dir.path())?;
        let certificates = tls::make()?;
        std::fs::write(dir.path().join("ca.pem"), &certificates.ca_pem)?;
        std::fs::write(dir.path().join("server.pem"), certificates.key_pem + &certificates.cert_pem)?;
        let (server, imap, imaps) = again(5, || {
            let [imap, imaps] = place::free_ports::<2>()?;
            Ok((launch(dir.path(), &user, imap, imaps)?, imap, imaps))
        })?;
        Ok(Self { _server: server, imap, imaps, dir })
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
    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Puts a message into a folder, as another mail client does; gives its UID.
    pub fn append(&self, folder: &str, raw: &[u8]) -> Result<u32> {
        Imap::sign_in(("127.0.0.1", self.imap), USER, PASSWORD)?.append(folder, "", raw)
    }
}

fn launch(dir: &Path, user: &User, imap: u16, imaps: u16) -> Result<Guarded> {
    let log = dir.join("start.log");
    let place = dir.to_str().context("the temporary folder's path is not UTF-8")?;
    let (imap_port, imaps_port) = (imap.to_string(), imaps.to_string());
    let apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", START, "sh"];
    let with = [place, &imap_port, &imaps_port, &user.name, &user.group, PASSWORD];
    let mut server = Guarded::start(&[&apart[..], &with].concat(), &[], Path::new("/dev/null"), &log)?;
    let words = || std::fs::read_to_string(&log).unwrap_or_default();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        if let Some(code) = server.ended() {
            bail!("courier ended with code {code}: {}", words());
        }
        // It greets before it can ask who somebody is.
        if greets(imap) && Imap::sign_in(("127.0.0.1", imap), USER, PASSWORD).is_ok() {
            return Ok(server);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    bail!("courier signs nobody in at 127.0.0.1:{imap}: {}", words())
}

fn greets(port: u16) -> bool {
    let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut line = String::new();
    stream.set_read_timeout(Some(Duration::from_secs(5))).is_ok()
        && BufReader::new(stream).read_line(&mut line).is_ok()
        && line.contains("Courier")
}
