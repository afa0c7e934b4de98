//! A server that cannot outlive the test that started it.

use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Starts the server given as `"$@"` and stays beside it. When its own standard input ends (the test dropped it, or
/// died, however it died), the server is told to stop by its process id. What is left of the process group after a
/// quarter of a second is killed, this shell with it: Dovecot's children end at once, but its master sleeps a second.
/// `$1` is a file for the server's standard input.
const WATCH: &str = r#"
exec 3<&0
input=$1; shift
"$@" <"$input" & server=$!
{ read -r _; kill -TERM $server; for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 0.025; kill -0 $server || break; done; kill -s KILL -- -$$; } <&3 2>/dev/null & watch=$!
exec 3<&-
wait $server; code=$?
kill $watch 2>/dev/null
exit $code
"#;

/// A running server; stopped when dropped.
#[derive(Debug)]
pub struct Guarded {
    shell: Child,
}

impl Guarded {
    /// Starts `command` with `args` and `env`; what it prints goes to `log`.
    ///
    /// The watching shell leads a process group of its own, so that a signal to the test's group (Ctrl-C, a
    /// runner's time limit) leaves it alive to stop the server.
    pub fn start<S: AsRef<OsStr>>(
        command: &[S],
        env: &[(String, String)],
        input: &Path,
        log: &Path,
    ) -> Result<Self> {
        let out = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let name = command.first().map(|s| s.as_ref().to_owned()).unwrap_or_default();
        let shell = Command::new("sh")
            .args(["-c", WATCH, "sh"])
            .arg(input)
            .args(command)
            .envs(env.iter().map(|(k, v)| (k, v)))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(out.try_clone()?)
            .stderr(out)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", name.display()))?;
        Ok(Self { shell })
    }

    /// The exit code, where the server has ended by itself; -1 where a signal ended it.
    pub fn ended(&mut self) -> Option<i32> {
        let status = self.shell.try_wait().ok()??;
        Some(status.code().unwrap_or(-1))
    }

    /// Stops the server and waits until it is gone.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self.shell.stdin.take());
        // Nothing can be done about a failure here, and a test that panics must not panic twice.
        let _ = self.shell.wait();
        let begun = Instant::now();
        while is_alive(self.shell.id()) && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whether any process of a group still runs; a dead one that nobody has waited for does not count. The name in
/// `/proc/PID/stat` is in parentheses and may hold anything; behind it come the state, the parent and the group.
fn is_alive(group: u32) -> bool {
    let in_group = |stat: String| {
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        fields.get(2) == Some(&group.to_string().as_str()) && fields.first() != Some(&"Z")
    };
    let Ok(processes) = std::fs::read_dir("/proc") else { return false };
    processes
        .flatten()
        .filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok())
        .any(in_group)
}
