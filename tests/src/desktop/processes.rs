//! The processes of the app, and the memory they take.

use anyhow::Result;

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    /// As the system knows it, cut off after 15 letters.
    pub name: String,
}

impl Process {
    pub fn is(&self, program: &str) -> bool {
        self.name == program.get(..15).unwrap_or(program)
    }

    /// What shows the window's page.
    pub fn is_web(&self) -> bool {
        self.is("WebKitWebProcess")
    }

    /// What fetches for it.
    pub fn is_network(&self) -> bool {
        self.is("WebKitNetworkProcess")
    }

    /// The memory it takes, its part of what is shared counted in (PSS), in kB. 0 where it has ended.
    pub fn pss(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid)).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("Pss:")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).unwrap_or(0)
    }
}

/// The running processes that have this in their environment: `NAME=value`.
pub fn with_environment(entry: &str) -> Result<Vec<Process>> {
    let mut found = Vec::new();
    for process in std::fs::read_dir("/proc")? {
        let path = process?.path();
        let pid = path.file_name().and_then(|name| name.to_string_lossy().parse().ok());
        // It may end at any moment; of one that has ended and was not waited for the environment is empty.
        let (Some(pid), Ok(name), Ok(environment)) =
            (pid, std::fs::read_to_string(path.join("comm")), std::fs::read(path.join("environ")))
        else {
            continue;
        };
        if environment.split(|byte| *byte == 0).any(|one| one == entry.as_bytes()) {
            found.push(Process { pid, name: name.trim_end().to_owned() });
        }
    }
    Ok(found)
}
