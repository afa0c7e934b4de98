//! Dovecot 2.3, all of it as one unprivileged user.

use super::LabBuilder;
use super::guard::Guarded;
use super::place::User;
use anyhow::{Context, Result, anyhow, bail};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where the lab itself signs in. Records are kept by the server's address, so that only sessions at 127.0.0.1 have one.
pub(crate) const TOOL_HOST: &str = "127.0.0.2";

/// The ports of one Dovecot. `tool` is IMAP too, at [`TOOL_HOST`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub imap: u16,
    pub imaps: u16,
    pub tool: u16,
    pub lmtp: u16,
}

impl From<[u16; 4]> for Ports {
    fn from([imap, imaps, tool, lmtp]: [u16; 4]) -> Self {
        Self { imap, imaps, tool, lmtp }
    }
}

/// The word in the greeting by which a lab knows its own server at a port.
pub(crate) fn token(dir: &Path) -> String {
    dir.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Writes `dovecot.conf` and what it names; gives its path.
pub(crate) fn configure(dir: &Path, user: &User, ports: Ports, options: &LabBuilder) -> Result<PathBuf> {
    for folder in ["run", "state", "home", "log", "rawlog"] {
        std::fs::create_dir_all(dir.join(folder))?;
    }
    let d = dir.display();
    let User { name: u, group: g, .. } = user;
    let (format, location) = match options.maildir {
        true => ("maildir", "Maildir"),
        false => ("mdbox", "mdbox"),
    };
    let (token, mechanisms) = (token(dir), &options.mechanisms);
    let mut text = format!(
        "base_dir = {d}/run\nstate_dir = {d}/state\nlog_path = {d}/log/dovecot.log\nprotocols = imap lmtp\n\
         listen = 127.0.0.1\nlogin_greeting = Dovecot ready, {token}.\n\
         default_internal_user = {u}\ndefault_login_user = {u}\ndefault_internal_group = {g}\nfirst_valid_uid = 1\n\
         mail_uid = {u}\nmail_gid = {g}\nmail_home = {d}/home/%u\nmail_location = {format}:~/{location}\n\
         mail_max_userip_connections = 500\nmdbox_rotate_size = 64M\nmail_fsync = never\nverbose_proctitle = yes\n\
         auth_mechanisms = {mechanisms}\nauth_username_chars =\ndisable_plaintext_auth = no\nauth_failure_delay = 0\n\
         ssl = yes\nssl_cert = <{d}/cert.pem\nssl_key = <{d}/key.pem\n"
    );
    if let Some(caps) = &options.caps {
        writeln!(text, "imap_capability = {caps}")?;
    }
    let recorded = if options.rawlog { format!("  rawlog_dir = {d}/rawlog/%l/%u\n") } else { String::new() };
    write!(text, "protocol imap {{\n  mail_plugins = {}\n{recorded}}}\n", options.plugins)?;
    let users = format!("username_format=%u {d}/users");
    if let Some(place) = &options.introspection {
        let file = dir.join("oauth2.conf");
        std::fs::write(
            &file,
            format!(
                "introspection_url = {place}\nintrospection_mode = post\nusername_attribute = sub\n\
                 active_attribute = active\nactive_value = true\ntimeout_msecs = 5000\n"
            ),
        )?;
        let file = file.display();
        write!(
            text,
            "passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {file}\n}}\n"
        )?;
    }
    write!(
        text,
        "passdb {{\n  driver = passwd-file\n  mechanisms = plain login scram-sha-256\n  args = {users}\n}}\n\
         userdb {{\n  driver = passwd-file\n  args = {users}\n  default_fields = uid={u} gid={g} home={d}/home/%u\n}}\n\
         namespace inbox {{\n  inbox = yes\n  separator = /\n"
    )?;
    for folder in ["Sent", "Drafts", "Junk", "Trash", "Archive"] {
        write!(text, "  mailbox {folder} {{\n    special_use = \\{folder}\n    auto = subscribe\n  }}\n")?;
    }
    if options.gmail {
        text += "  mailbox \"[Gmail]/All Mail\" {\n    special_use = \\All\n    auto = subscribe\n  }\n";
    }
    // Without the anvil's penalty listener the login after a failed one is not held back.
    write!(
        text,
        "}}\nservice anvil {{\n  chroot =\n  unix_listener anvil-auth-penalty {{\n    mode = 0\n  }}\n}}\n\
         service stats {{\n  chroot =\n}}\n\
         service imap-login {{\n  chroot =\n  process_min_avail = 1\n\
         \x20 inet_listener imap {{\n    port = {}\n  }}\n\
         \x20 inet_listener imaps {{\n    port = {}\n    ssl = yes\n  }}\n\
         \x20 inet_listener tool {{\n    address = {TOOL_HOST}\n    port = {}\n  }}\n}}\n\
         service imap {{\n  vsz_limit = 4G\n}}\n\
         service lmtp {{\n  inet_listener lmtp {{\n    port = {}\n  }}\n}}\n\
         service auth {{\n  unix_listener auth-client-postfix {{\n    mode = 0666\n  }}\n}}\n",
        ports.imap, ports.imaps, ports.tool, ports.lmtp
    )?;
    let path = dir.join("dovecot.conf");
    std::fs::write(&path, text)?;
    for entry in ["run", "state", "home", "log", "rawlog", "cert.pem", "key.pem", "users"] {
        user.own(&dir.join(entry))?;
    }
    Ok(path)
}

/// Starts the server and returns when it greets. Fails where a port was taken in the meantime.
pub(crate) fn start(dir: &Path, user: &User, ports: Ports) -> Result<Guarded> {
    let conf = dir.join("dovecot.conf");
    let conf = conf.to_str().context("the temporary folder's path is not UTF-8")?;
    // A server that was killed leaves its process id behind, and that id may be taken by now.
    let _ = std::fs::remove_file(dir.join("run/master.pid"));
    let command = user.run(&["dovecot", "-F", "-c", conf]);
    let mut server = Guarded::start(&command, &[], Path::new("/dev/null"), &dir.join("log/start.log"))?;
    let token = token(dir);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        if let Some(code) = server.ended() {
            bail!("dovecot ended with code {code}: {}", last_words(dir));
        }
        if greets(ports.imap, &token) {
            return Ok(server);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(anyhow!("dovecot does not greet at 127.0.0.1:{}: {}", ports.imap, last_words(dir)))
}

fn greets(port: u16, token: &str) -> bool {
    let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let limit = Some(Duration::from_secs(5));
    let mut line = String::new();
    stream.set_read_timeout(limit).is_ok()
        && BufReader::new(stream).read_line(&mut line).is_ok()
        && line.contains(token)
}

fn last_words(dir: &Path) -> String {
    let tail = |name: &str| {
        let text = std::fs::read_to_string(dir.join("log").join(name)).unwrap_or_default();
        text.lines().rev().take(5).collect::<Vec<_>>().join(" | ")
    };
    format!("{} {}", tail("start.log"), tail("dovecot.log"))
}
