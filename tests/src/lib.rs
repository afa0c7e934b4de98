//! What the end-to-end tests share: a salesperson's computer (data folder, keychain, the real `threadline`) beside a
//! lab of real mail servers.

pub mod desk;
#[cfg(target_os = "linux")]
pub mod desktop;
pub mod maildir;
pub mod oidc;
pub mod proxy;
pub mod relayed;
pub mod sinks;
#[cfg(target_os = "linux")]
pub mod system_bus;
pub mod watched;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use threadline_testkit::lab::keyring::Keyring;
use threadline_testkit::lab::{Lab, RawSession};

/// Longest wait for something that must happen: a limit for a broken test, not a time that is measured.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// One computer with Threadline on it. Several may stand on one mailbox.
#[derive(Debug)]
pub struct Computer {
    pub data: PathBuf,
    keyring: Keyring,
    dir: tempfile::TempDir,
    /// Set for every `threadline` that is started, beside the keychain's.
    pub env: Vec<(String, String)>,
}

/// What a command printed.
#[derive(Debug)]
pub struct Printed {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

impl Printed {
    /// Each line as JSON.
    pub fn json(&self) -> Result<Vec<Value>> {
        let read = |line: &str| serde_json::from_str(line).with_context(|| format!("no JSON: {line}"));
        self.out.lines().map(read).collect()
    }

    /// Fails with all that was printed, unless the command succeeded.
    pub fn ok(self) -> Result<Self> {
        ensure!(self.status.success(), "{}\n{}\n{}", self.status, self.out, self.err);
        Ok(self)
    }
}

impl Computer {
    pub fn new() -> Result<Self> {
        Self::with(Keyring::start()?)
    }

    /// A computer whose keychain is in some state.
    pub fn with(keyring: Keyring) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        Ok(Self { data: dir.path().join("data"), keyring, dir, env: Vec::new() })
    }

    /// Where the computer's things lie, beside the data folder.
    pub fn folder(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    /// What a program must have in its environment to use this computer's keychain and no other.
    pub fn environment(&self) -> Vec<(String, String)> {
        [self.keyring.env(), self.env.clone()].concat()
    }

    /// The keychain is closed, as at the end of a session.
    pub fn lock(&mut self) -> Result<()> {
        self.keyring.lock()
    }

    /// The person types the keychain's password.
    pub fn unlock(&mut self) -> Result<()> {
        self.keyring.unlock()
    }

    /// Adds a mailbox that was not tried, so that what is wrong with it comes up at work.
    pub fn add_broken_account(&self, user: &str, port: u16, ca: &Path, password: &str) -> Result<()> {
        let (port, ca) = (port.to_string(), ca.to_str().context("not UTF-8")?);
        let args = ["account", "add", user, "--host", "localhost", "--port", &port, "--ca", ca, "--no-check"];
        self.run_with(&args, &format!("{password}\n"))?.ok()?;
        Ok(())
    }

    /// A command line of the real program on this computer.
    pub fn command(&self, args: &[&str]) -> Result<Command> {
        let mut command = Command::new(binary("threadline")?);
        command.args(args).arg("--data-dir").arg(&self.data);
        command.envs(self.environment());
        Ok(command)
    }

    /// Runs a command to its end, with this on its standard input.
    pub fn run_with(&self, args: &[&str], input: &str) -> Result<Printed> {
        let mut child = self
            .command(args)?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that ends before it reads closes the pipe.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output()?;
        Ok(Printed {
            status: output.status,
            out: String::from_utf8(output.stdout)?,
            err: String::from_utf8(output.stderr)?,
        })
    }

    pub fn run(&self, args: &[&str]) -> Result<Printed> {
        self.run_with(args, "")
    }

    /// Adds a mailbox of the lab.
    pub fn add_account(&self, lab: &Lab, user: &str, more: &[&str]) -> Result<()> {
        let ca = lab.ca_file();
        let port = lab.imaps_port().to_string();
        let mut args = vec!["account", "add", user, "--host", "localhost", "--port", &port, "--ca"];
        args.push(ca.to_str().context("the lab's folder is not UTF-8")?);
        args.extend(more);
        self.run_with(&args, &format!("{}\n", lab.password(user)?))?.ok()?;
        Ok(())
    }

    /// Reads contacts: address and name.
    pub fn import_contacts(&self, contacts: &[(&str, &str)]) -> Result<()> {
        let mut csv = String::from("email,name\n");
        for (email, name) in contacts {
            csv += &format!("{email},{name}\n");
        }
        let path = self.data.with_file_name("contacts.csv");
        std::fs::write(&path, csv)?;
        self.run(&["contacts", "import", path.to_str().context("not UTF-8")?])?.ok()?;
        Ok(())
    }

    /// Catches up, pushes and returns what was reported.
    pub fn once(&self) -> Result<Printed> {
        self.run(&["run", "--once", "--json"])
    }

    /// Starts `threadline run`.
    pub fn start(&self) -> Result<Running> {
        let mut child = self.command(&["run", "--json"])?.stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().context("no output")?;
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let Ok(event) = serde_json::from_str::<Value>(&line) else { continue };
                if sender.send((Instant::now(), event)).is_err() {
                    return;
                }
            }
        });
        Ok(Running { child, events, seen: Vec::new() })
    }

    /// The lines of a file in the default CRM, a folder.
    pub fn exported(&self) -> Result<Vec<Value>> {
        events_of(&self.data.join("crm-folder"))
    }
}

/// What a folder CRM holds.
pub fn events_of(dir: &Path) -> Result<Vec<Value>> {
    let text = match std::fs::read_to_string(dir.join("events.jsonl")) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e.into()),
    };
    text.lines().map(|l| serde_json::from_str(l).with_context(|| format!("a torn line: {l}"))).collect()
}

/// A `threadline run` at work. It is killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    events: Receiver<(Instant, Value)>,
    seen: Vec<Value>,
}

impl Running {
    /// Waits for an event for which this holds; gives it and when it came.
    pub fn wait_for(&mut self, what: &str, mut is: impl FnMut(&Value) -> bool) -> Result<(Instant, Value)> {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok((at, event)) => {
                    self.seen.push(event.clone());
                    if is(&event) {
                        return Ok((at, event));
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    bail!("{what} did not come within {PATIENCE:?}; seen: {:#?}", self.seen)
                }
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("threadline ended ({:?}) before {what}; seen: {:#?}", self.child.wait(), self.seen)
                }
            }
        }
    }

    /// Waits for an event of this kind.
    pub fn wait(&mut self, kind: &str) -> Result<(Instant, Value)> {
        self.wait_for(kind, |e| e["event"] == kind)
    }

    /// What came so far, as far as it was waited for.
    pub fn seen(&self) -> &[Value] {
        &self.seen
    }

    /// Whether it is over, by itself or by a kill.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut does.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How many texts of mails a server gave in a session, by its own record: literals in FETCH responses that are no header
/// fields, nor the status part of a delivery report. What lies inside a literal is not read.
pub fn texts_given(session: &RawSession) -> usize {
    let mut texts = 0;
    let mut rest = session.output.as_slice();
    let mut is_fetch = false;
    let mut goes_on = false;
    while !rest.is_empty() {
        let end = rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end();
        if !goes_on {
            is_fetch = line.starts_with("* ") && line.split(' ').nth(2) == Some("FETCH");
        }
        let literal = line.strip_suffix('}').and_then(|l| l.rsplit_once('{'));
        let literal = literal.and_then(|(item, size)| Some((item, size.parse::<usize>().ok()?)));
        goes_on = literal.is_some();
        rest = after;
        if let Some((item, size)) = literal {
            let item = item.trim_end();
            let is_status = item.ends_with("BODY[2]<0>") || item.ends_with("BODY[2.MIME]<0>");
            texts += usize::from(is_fetch && !item.ends_with(")]") && !is_status);
            rest = after.get(size..).unwrap_or_default();
        }
    }
    texts
}

/// Builds a library of `tests/kill` that is loaded before libc, beside the computer's data folder.
pub fn preload(computer: &Computer, name: &str) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("kill").join(format!("{name}.c"));
    let library = computer.data.with_file_name(format!("{name}.so"));
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .arg(&library)
        .arg(&source)
        .arg("-ldl")
        .output()
        .context("no C compiler: run `cargo xtask setup`")?;
    ensure!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    Ok(library)
}

/// A program of this workspace, built beside the tests.
pub fn binary(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let found = own.ancestors().skip(1).map(|dir| dir.join(name)).find(|path| path.is_file());
    found
        .with_context(|| format!("{name} is not built: run `cargo build --workspace`, or `cargo xtask test`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_literals_that_hold_no_header_fields() {
        let output = b"* OK\r\n* 1 FETCH (UID 7 BODY[HEADER.FIELDS (DATE TO)] {5}\r\nTo: x)\r\na OK\r\n\
            * 1 FETCH (UID 7 BODY[]<0> {31}\r\n* 2 FETCH (BODY[] {3}\r\nabc)\r\n\r\n)\r\nb OK\r\n\
            * 3 FETCH (BODY[TEXT] {2}\r\nab BODY[1] {1}\r\nc)\r\n* LIST () \"/\" {1}\r\nx\r\n";
        let session = RawSession { input: Vec::new(), output: output.to_vec(), lines: Vec::new() };
        assert_eq!(texts_given(&session), 3);
    }
}
