//! Postfix: takes mail from signed-in users over TLS and hands it to Dovecot by LMTP.

use super::again;
use super::guard::Guarded;
use super::place::free_ports;
use anyhow::{Result, anyhow, bail};
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

#[derive(Debug)]
pub(crate) struct Postfix {
    pub submission: u16,
    pub smtps: u16,
    // Held for its drop, which stops the server.
    _server: Guarded,
}

impl Postfix {
    /// Starts it beside the Dovecot whose folder is `dir`.
    pub fn start(dir: &Path, lmtp: u16, is_root: bool) -> Result<Self> {
        if !is_root {
            bail!("Postfix can only be started by root: run this test as root, or in a container");
        }
        again(5, || {
            let [submission, smtps] = free_ports::<2>()?;
            configure(dir, lmtp, submission, smtps)?;
            let server = launch(dir, submission)?;
            Ok(Self { submission, smtps, _server: server })
        })
    }
}

fn configure(dir: &Path, lmtp: u16, submission: u16, smtps: u16) -> Result<()> {
    let base = dir.join("postfix");
    let conf = base.join("conf");
    for folder in ["conf", "data", "queue/pid"] {
        std::fs::create_dir_all(base.join(folder))?;
    }
    const QUEUES: [&str; 13] = [
        "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop",
        "private", "public", "saved", "trace",
    ];
    for folder in QUEUES {
        std::fs::create_dir_all(base.join("queue").join(folder))?;
    }
    let mut chown = Command::new("chown");
    chown.arg("postfix").arg(base.join("data")).args(QUEUES.map(|q| base.join("queue").join(q)));
    if !chown.status()?.success() {
        bail!("there is no user `postfix`: is the package installed?");
    }
    let (b, d) = (base.display(), dir.display());
    let token = super::dovecot::token(dir);
    std::fs::write(
        conf.join("main.cf"),
        format!(
            "compatibility_level = 3.6\nqueue_directory = {b}/queue\ndata_directory = {b}/data\n\
             maillog_file = {b}/log\nmaillog_file_prefixes = {b}\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
             myhostname = mail.lab.test\nsmtpd_banner = $myhostname ESMTP {token}\nmydestination =\nmynetworks =\n\
             alias_maps =\nlocal_recipient_maps =\n\
             # Every domain is ours; Dovecot knows who is there, and who is not comes back as a bounce.\n\
             virtual_mailbox_domains = regexp:{{ {{/./ OK}} }}\nvirtual_mailbox_maps =\nvirtual_alias_maps =\n\
             virtual_transport = lmtp:inet:127.0.0.1:{lmtp}\ndefault_transport = error:the lab has no outside\n\
             smtpd_tls_cert_file = {d}/cert.pem\nsmtpd_tls_key_file = {d}/key.pem\nsmtpd_tls_security_level = may\n\
             smtpd_sasl_type = dovecot\nsmtpd_sasl_path = {d}/run/auth-client-postfix\nsmtpd_sasl_auth_enable = yes\n\
             smtpd_relay_restrictions = permit_sasl_authenticated, reject\n\
             smtpd_client_restrictions = permit_sasl_authenticated, reject\nsmtpd_delay_reject = yes\n\
             message_size_limit = 104857600\nmailbox_size_limit = 0\nvirtual_mailbox_limit = 0\n\
             disable_dns_lookups = yes\nsmtp_host_lookup = native\nlmtp_host_lookup = native\n\
             smtpd_peername_lookup = no\nminimal_backoff_time = 1s\nmaximal_backoff_time = 2s\nqueue_run_delay = 1s\n"
        ),
    )?;
    std::fs::write(
        conf.join("master.cf"),
        format!(
            "127.0.0.1:{submission} inet n - n - - smtpd -o syslog_name=postfix/submission \
             -o smtpd_tls_security_level=encrypt\n\
             127.0.0.1:{smtps} inet n - n - - smtpd -o syslog_name=postfix/smtps -o smtpd_tls_wrappermode=yes\n\
             pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n\
             tlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\n\
             bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n\
             error unix - - n - - error\nretry unix - - n - - error\nlmtp unix - - n - - lmtp\n\
             anvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\npostlog unix-dgram n - n - 1 postlogd\n"
        ),
    )?;
    // Postfix waits two seconds before it reads a file that was written just now.
    let past = SystemTime::now() - Duration::from_secs(60);
    for file in ["main.cf", "master.cf"] {
        std::fs::File::options().write(true).open(conf.join(file))?.set_modified(past)?;
    }
    Ok(())
}

fn launch(dir: &Path, submission: u16) -> Result<Guarded> {
    let base = dir.join("postfix");
    let conf: PathBuf = base.join("conf");
    let daemons = Command::new("postconf").arg("-c").arg(&conf).args(["-h", "daemon_directory"]).output()?;
    let master = Path::new(String::from_utf8_lossy(&daemons.stdout).trim()).join("master");
    let command = [master.as_os_str(), "-c".as_ref(), conf.as_os_str(), "-d".as_ref()];
    let env = [("MAIL_CONFIG".to_owned(), conf.to_string_lossy().into_owned())];
    let mut server = Guarded::start(&command, &env, Path::new("/dev/null"), &base.join("start.log"))?;
    let token = super::dovecot::token(dir);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        if let Some(code) = server.ended() {
            bail!("postfix ended with code {code}: {}", log(&base));
        }
        if greets(submission, &token) {
            return Ok(server);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(anyhow!("postfix does not greet at 127.0.0.1:{submission}: {}", log(&base)))
}

fn greets(port: u16, token: &str) -> bool {
    let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut line = String::new();
    stream.set_read_timeout(Some(Duration::from_secs(5))).is_ok()
        && BufReader::new(stream).read_line(&mut line).is_ok()
        && line.contains(token)
}

fn log(base: &Path) -> String {
    ["start.log", "log"].map(|f| std::fs::read_to_string(base.join(f)).unwrap_or_default()).join(" ")
}
