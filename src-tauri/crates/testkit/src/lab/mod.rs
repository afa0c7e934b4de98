//! Real mail servers for tests: Dovecot 2.3 and Postfix, each lab with its own folder, ports, users and certificate.
//!
//! Nothing is shared between labs, and nothing outlives one: its servers are stopped by process id when the [`Lab`] is
//! dropped, and when the test process dies. State lies in a temporary folder.

#![cfg(unix)]

mod builder;
pub mod courier;
pub mod cyrus;
mod dovecot;
mod frozen;
mod guard;
mod imap;
pub mod keyring;
mod lmtp;
mod place;
pub mod player;
mod postfix;
mod rawlog;
mod seed;
mod tls;

pub use builder::LabBuilder;
pub use frozen::Frozen;
pub use guard::Guarded;
pub use place::free_ports;
pub use player::Player;
pub use rawlog::{RawLine, RawSession};
pub use seed::Seeded;

use crate::certs::Identity;
use anyhow::{Context, Result, anyhow, bail};
use imap::Imap;
use place::User;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The password of every user a lab starts with.
pub const PASSWORD: &str = "secret";
/// The users a lab starts with: two salespeople of one firm, and two customers.
pub const USERS: [&str; 4] =
    ["alice@lab.test", "bob@lab.test", "carol@customer1.example", "dave@customer2.example"];

/// A running lab. All calls block; from async code use a blocking task.
#[derive(Debug)]
pub struct Lab {
    // Servers are dropped, and so stopped, before the folder they live in is removed.
    postfix: Option<postfix::Postfix>,
    dovecot: Mutex<Option<Guarded>>,
    users: Mutex<Users>,
    ports: dovecot::Ports,
    user: User,
    ca_pem: String,
    maildir: bool,
    dir: TempDir,
}

#[derive(Debug, Default)]
struct Users {
    passwords: BTreeMap<String, String>,
    /// Extra fields of the password file.
    fields: BTreeMap<String, String>,
    changes: usize,
}

/// What doveadm says of a race that it lost inside Dovecot. It locks the two indexes of a mailbox now in one order and now in
/// the other, and who would wait for ever panics with EDEADLK; and where a delivery and a question both make a mailbox that is
/// not there yet, the second to come fails.
const RACES: [&str; 2] = ["Resource deadlock avoided", "Mailbox already exists"];
/// How often a question that met one is asked again.
const AGAIN: usize = 5;

impl Lab {
    /// Dovecot alone.
    pub fn start() -> Result<Lab> {
        Self::builder().start()
    }

    pub fn builder() -> LabBuilder {
        LabBuilder::new()
    }

    fn launch(options: LabBuilder) -> Result<Lab> {
        let user = User::pick()?;
        let dir = place::folder()?;
        let certificates = tls::make()?;
        std::fs::write(dir.path().join("ca.pem"), &certificates.ca_pem)?;
        std::fs::write(dir.path().join("cert.pem"), &certificates.cert_pem)?;
        std::fs::write(dir.path().join("key.pem"), &certificates.key_pem)?;
        let passwords: BTreeMap<String, String> = options.users.iter().cloned().collect();
        let users = Users { passwords, ..Users::default() };
        write_users(dir.path(), &users)?;
        let (ports, dovecot) = again(5, || {
            let ports = dovecot::Ports::from(place::free_ports::<4>()?);
            dovecot::configure(dir.path(), &user, ports, &options)?;
            Ok((ports, dovecot::start(dir.path(), &user, ports)?))
        })?;
        let mut lab = Lab {
            postfix: None,
            dovecot: Mutex::new(Some(dovecot)),
            users: Mutex::new(users),
            ports,
            user,
            ca_pem: certificates.ca_pem,
            maildir: options.maildir,
            dir,
        };
        for user in lab.users().passwords.keys() {
            lab.record(user)?;
        }
        if options.smtp {
            lab.postfix = Some(postfix::Postfix::start(lab.dir.path(), lab.ports.lmtp, lab.user.is_root)?);
        }
        Ok(lab)
    }

    /// IMAP, in plaintext until STARTTLS; for tests it takes a password in plaintext too.
    pub fn imap_port(&self) -> u16 {
        self.ports.imap
    }

    /// IMAP inside TLS.
    pub fn imaps_port(&self) -> u16 {
        self.ports.imaps
    }

    pub fn lmtp_port(&self) -> u16 {
        self.ports.lmtp
    }

    /// SMTP for signed-in users, with STARTTLS; 0 where the lab has no SMTP.
    pub fn submission_port(&self) -> u16 {
        self.postfix.as_ref().map_or(0, |p| p.submission)
    }

    /// SMTP for signed-in users inside TLS; 0 where the lab has no SMTP.
    pub fn smtps_port(&self) -> u16 {
        self.postfix.as_ref().map_or(0, |p| p.smtps)
    }

    /// The certificate of the lab's own authority. The servers' certificate is for `localhost` and `127.0.0.1`.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The same in a file.
    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// The lab's folder; gone when the lab is dropped.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// What Dovecot said, for a look after a failure.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log/dovecot.log")).unwrap_or_default()
    }

    /// Adds a user with an empty mailbox.
    pub fn add_user(&self, user: &str, password: &str) -> Result<()> {
        self.record(user)?;
        self.change(user, password)
    }

    /// Changes a password. Open sessions go on: [`Lab::kick`] ends them.
    pub fn set_password(&self, user: &str, new: &str) -> Result<()> {
        if !self.users().passwords.contains_key(user) {
            bail!("{user} is no user of this lab");
        }
        self.change(user, new)
    }

    /// The password that signs in now.
    pub fn password(&self, user: &str) -> Result<String> {
        self.users().passwords.get(user).cloned().ok_or_else(|| anyhow!("{user} is no user of this lab"))
    }

    fn change(&self, user: &str, password: &str) -> Result<()> {
        let mut users = self.users();
        users.passwords.insert(user.to_owned(), password.to_owned());
        users.changes += 1;
        write_users(self.dir.path(), &users)?;
        drop(users);
        // Dovecot looks at the file once a second at most.
        let begun = Instant::now();
        while self.doveadm(&["auth", "test", user, password]).is_err() {
            if begun.elapsed() > Duration::from_secs(20) {
                bail!("Dovecot does not take the new password of {user}: {}", self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn users(&self) -> MutexGuard<'_, Users> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a user's IMAP sessions; returns when their processes are gone. Nothing where there is none.
    pub fn kick(&self, user: &str) -> Result<()> {
        let sessions = self.sessions(user)?;
        // 68 (EX_NOHOST): no session matched.
        self.run_doveadm(&["kick", user], &[68])?;
        let begun = Instant::now();
        while sessions.iter().any(|pid| Path::new("/proc").join(pid).exists()) {
            if begun.elapsed() > Duration::from_secs(20) {
                bail!("the sessions of {user} do not end: {}", self.log());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// The process ids of a user's open IMAP sessions.
    pub fn sessions(&self, user: &str) -> Result<Vec<String>> {
        // A row a session: the user, the protocol, the process, the client's address.
        let text = self.run_doveadm(&["-f", "tab", "who", "-1", user], &[68])?;
        let rows = text.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
        Ok(rows
            .filter(|row| row.get(1) == Some(&"imap"))
            .filter_map(|row| Some((*row.get(2)?).to_owned()))
            .collect())
    }

    /// Starts Dovecot anew with these lines at the end of its settings, where they have the last word; an earlier call's
    /// are gone.
    pub fn reconfigure(&self, lines: &str) -> Result<()> {
        const MARK: &str = "# changed\n";
        let path = self.dir.path().join("dovecot.conf");
        let text = std::fs::read_to_string(&path)?;
        let own = text.split_once(MARK).map_or(text.as_str(), |(own, _)| own);
        std::fs::write(&path, format!("{own}{MARK}{lines}\n"))?;
        self.stop_imap();
        self.start_imap()
    }

    /// Starts Dovecot anew with another certificate.
    pub fn show(&self, identity: &Identity) -> Result<()> {
        let (certificate, key) = identity.pem();
        for (name, pem) in [("cert.pem", certificate), ("key.pem", key)] {
            let path = self.dir.path().join(name);
            std::fs::write(&path, pem)?;
            self.user.own(&path)?;
        }
        self.stop_imap();
        self.start_imap()
    }

    /// Gives a user other fields in the password file (Dovecot's extra fields, such as `nologin=y`), and ends the sessions.
    pub fn set_fields(&self, user: &str, fields: &str) -> Result<()> {
        let mut users = self.users();
        users.fields.insert(user.to_owned(), fields.to_owned());
        users.changes += 1;
        write_users(self.dir.path(), &users)?;
        drop(users);
        // Dovecot looks at the file once a second at most; started anew, it does so now.
        self.stop_imap();
        self.start_imap()
    }

    /// Stops Dovecot: IMAP, LMTP, and signing in for SMTP. Connections are closed.
    pub fn stop_imap(&self) {
        let server = self.dovecot.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(server) = server {
            server.stop();
        }
    }

    /// Lets no process of Dovecot go on (SIGSTOP) until what is given is dropped. The system goes on taking connections for
    /// it.
    pub fn freeze(&self) -> Result<Frozen> {
        let text = std::fs::read_to_string(self.dir.path().join("run/master.pid"))?;
        Frozen::with_children(text.trim().parse()?)
    }

    /// Starts Dovecot again, at the same ports.
    pub fn start_imap(&self) -> Result<()> {
        let mut slot = self.dovecot.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = Some(again(5, || dovecot::start(self.dir.path(), &self.user, self.ports))?);
        }
        Ok(())
    }

    /// Delivers a message into the INBOX of `user`, as a mail server does (LMTP). Line ends may be LF or CRLF. Dovecot adds
    /// `Return-Path`, `Delivered-To` and `Received`; the sender is the address in From.
    pub fn deliver(&self, user: &str, raw: &[u8]) -> Result<()> {
        lmtp::deliver(self.ports.lmtp, user, raw)
    }

    /// Puts a message into a folder, unread, as another mail client does (IMAP APPEND); makes the folder where it is
    /// missing. Gives the new UID. This session is not recorded.
    pub fn append(&self, user: &str, folder: &str, raw: &[u8]) -> Result<u32> {
        self.append_with(user, folder, "", raw)
    }

    /// The same with flags: `"\\Seen $CrmLog"`.
    pub fn append_with(&self, user: &str, folder: &str, flags: &str, raw: &[u8]) -> Result<u32> {
        self.tool(user)?.append(folder, flags, raw)
    }

    /// Adds flags to a message, as another mail client does.
    pub fn add_flags(&self, user: &str, folder: &str, uid: u32, flags: &str) -> Result<()> {
        self.tool(user)?.add_flags(folder, uid, flags)
    }

    fn tool(&self, user: &str) -> Result<Imap> {
        Imap::sign_in(self.tool_address(), user, &self.password(user)?)
    }

    /// Replaces a user's mailbox by a generated one: `count` messages in INBOX and about 45 in Sent to every 100 of these. The
    /// same for the same arguments. The user must not be signed in.
    pub fn seed(&self, user: &str, count: usize) -> Result<Seeded> {
        let home = self.dir.path().join("home").join(user);
        if home.exists() {
            std::fs::remove_dir_all(&home)?;
        }
        let seeded = seed::write(&home, user, count, self.maildir)?;
        self.user.own(&home)?;
        self.doveadm(&["mailbox", "create", "-u", user, "INBOX", "Sent"]).or_else(|e| {
            match self.maildir {
                true => Ok(String::new()),
                false => Err(e),
            }
        })?;
        self.doveadm(&["force-resync", "-u", user, "*"])?;
        Ok(seeded)
    }

    /// Each message of a folder with its flags, sorted, without `\Recent`; in the order of UIDs.
    pub fn flags(&self, user: &str, folder: &str) -> Result<Vec<(u32, Vec<String>)>> {
        let text =
            self.doveadm(&["-f", "tab", "fetch", "-u", user, "uid flags", "mailbox", folder, "all"])?;
        let row = |line: &str| -> Option<(u32, Vec<String>)> {
            let (uid, flags) = line.split_once('\t')?;
            let mut flags: Vec<String> =
                flags.split(' ').filter(|f| !f.is_empty() && *f != "\\Recent").map(str::to_owned).collect();
            flags.sort();
            Some((uid.parse().ok()?, flags))
        };
        text.lines().skip(1).map(|l| row(l).ok_or_else(|| anyhow!("doveadm fetch said {l:?}"))).collect()
    }

    /// The UIDs of a folder, in order.
    pub fn uids(&self, user: &str, folder: &str) -> Result<Vec<u32>> {
        let text = self.doveadm(&["-f", "tab", "fetch", "-u", user, "uid", "mailbox", folder, "all"])?;
        text.lines()
            .skip(1)
            .map(|l| l.trim().parse().with_context(|| format!("doveadm fetch said {l:?}")))
            .collect()
    }

    /// One message as it lies in the mailbox, with CRLF. Sets no flag.
    pub fn message(&self, user: &str, folder: &str, uid: u32) -> Result<Vec<u8>> {
        self.tool(user)?.message(folder, uid)
    }

    pub fn uidvalidity(&self, user: &str, folder: &str) -> Result<u32> {
        let text = self.doveadm(&["-f", "tab", "mailbox", "status", "-u", user, "uidvalidity", folder])?;
        let field = text.lines().nth(1).and_then(|l| l.rsplit('\t').next()).unwrap_or_default();
        field.trim().parse().with_context(|| format!("doveadm mailbox status said {text:?}"))
    }

    /// Gives a folder another UIDVALIDITY, and each of its messages another UID, as a server does whose folder was made
    /// anew. Sessions of the user are ended; flags and dates stay.
    pub fn set_uidvalidity(&self, user: &str, folder: &str, n: u32) -> Result<()> {
        const ASIDE: &str = "lab-aside";
        let query = |from: &'static str| ["mailbox", from, "all"];
        self.doveadm(&["mailbox", "create", "-u", user, ASIDE])?;
        self.doveadm(&["move", "-u", user, ASIDE, "mailbox", folder, "all"])?;
        self.doveadm(&["mailbox", "update", "-u", user, "--uid-validity", &n.to_string(), folder])?;
        self.kick(user)?;
        self.doveadm(&[&["move", "-u", user, folder][..], &query(ASIDE)].concat())?;
        self.doveadm(&["mailbox", "delete", "-u", user, ASIDE])?;
        Ok(())
    }

    /// Removes messages for good; an empty list removes all of the folder.
    pub fn expunge(&self, user: &str, folder: &str, uids: &[u32]) -> Result<()> {
        let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let which: &[&str] = if uids.is_empty() { &["all"] } else { &["uid", &set] };
        self.doveadm(&[&["expunge", "-u", user, "mailbox", folder][..], which].concat())?;
        Ok(())
    }

    /// Runs doveadm on this lab's server and gives what it prints.
    pub fn doveadm(&self, args: &[&str]) -> Result<String> {
        self.run_doveadm(args, &[])
    }

    fn run_doveadm(&self, args: &[&str], also_fine: &[i32]) -> Result<String> {
        let conf = self.dir.path().join("dovecot.conf");
        let conf = conf.to_str().context("the temporary folder's path is not UTF-8")?;
        let line = self.user.run(&[&["doveadm", "-c", conf][..], args].concat());
        let run = || {
            let mut command = Command::new(&line[0]);
            command
                .args(&line[1..])
                .current_dir("/")
                .stdin(Stdio::null())
                .output()
                .context("cannot run doveadm")
        };
        let mut output = run()?;
        // What only asks is asked again.
        let asks = args.iter().any(|word| ["fetch", "status"].contains(word));
        let raced = |output: &Output| {
            let words = String::from_utf8_lossy(&output.stderr);
            !output.status.success() && RACES.iter().any(|race| words.contains(race))
        };
        for _ in 0..AGAIN {
            if !asks || !raced(&output) {
                break;
            }
            output = run()?;
        }
        if !output.status.success() && !output.status.code().is_some_and(|c| also_fine.contains(&c)) {
            let words = String::from_utf8_lossy(&output.stderr);
            bail!("doveadm {} failed: {}", args.join(" "), words.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Every recorded session of a user, the oldest first: all bytes after sign-in, as they were inside TLS. A session
    /// that is still open is given as far as it went.
    pub fn rawlog(&self, user: &str) -> Result<Vec<RawSession>> {
        rawlog::read(&self.records(user))
    }

    fn records(&self, user: &str) -> PathBuf {
        self.dir.path().join("rawlog/127.0.0.1").join(user)
    }

    /// Dovecot records only where it finds the folder.
    fn record(&self, user: &str) -> Result<()> {
        let folder = self.records(user);
        std::fs::create_dir_all(&folder)?;
        self.user.own(&folder)
    }

    /// The salesperson's or customer's own mail client.
    pub fn player(&self, user: &str) -> Result<Player> {
        Player::new(self, user)
    }

    /// IMAP in plaintext for what is not under test: sessions here are not recorded.
    pub fn tool_address(&self) -> (&'static str, u16) {
        (dovecot::TOOL_HOST, self.ports.tool)
    }
}

/// Tries again where a port was taken between looking and starting.
fn again<T>(times: usize, mut start: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 1..times {
        if let Ok(started) = start() {
            return Ok(started);
        }
    }
    start()
}

/// The password file. Dovecot reads it again when its time in seconds or its size has changed, so every change makes it a
/// byte longer.
fn write_users(dir: &Path, users: &Users) -> Result<()> {
    use base64::Engine as _;
    let mut text = format!("#{}\n", "#".repeat(users.changes));
    for (user, password) in &users.passwords {
        let password = base64::engine::general_purpose::STANDARD.encode(password);
        let fields = users.fields.get(user).map_or("", String::as_str);
        writeln!(text, "{user}:{{PLAIN.b64}}{password}::::::{fields}")?;
    }
    let new = dir.join("users.new");
    std::fs::write(&new, text)?;
    std::fs::rename(&new, dir.join("users")).context("cannot replace the password file")
}
