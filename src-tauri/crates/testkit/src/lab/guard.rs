//! A server that cannot outlive the test that started it.

use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Starts the server given as `"$@"` and stays beside it. When its own standard input ends (the test dropped it, or
/// died, however it died) the server is told to stop by its process id, and killed where it does not within 10 s.
/// `$1` is a file for the server's standard input.
const WATCH: &str = r#"
input=$1; shift
"$@" <"$input" & server=$!
{ read -r _; kill -TERM $server; for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 1; kill -0 $server || exit; done; kill -KILL $server; } <&3 2>/dev/null & watch=$!
exec 3<&-
wait $server; code=$?
kill $watch 2>/dev/null
exit $code
"#;

/// A running server; stopped when dropped.
#[derive(Debug)]
pub(crate) struct Guarded {
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
            .args(["-c", &format!("exec 3<&0; {WATCH}"), "sh"])
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
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.end();
    }
}
