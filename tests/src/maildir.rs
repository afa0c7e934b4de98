//! Mail that comes while the server is down: files in the mailbox's own format.

use anyhow::{Context, Result};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use threadline_testkit::lab::Lab;

/// Lays a mail into a folder (`INBOX`, `Sent`) of a lab with Maildir, whether its server runs or not. It arrived so many
/// days ago. The user must have signed in once.
pub fn lay(lab: &Lab, user: &str, folder: &str, name: &str, days_ago: u64, raw: &str) -> Result<()> {
    let mut place: PathBuf = lab.dir().join("home").join(user).join("Maildir");
    if folder != "INBOX" {
        place.push(format!(".{folder}"));
    }
    let path = place.join("new").join(format!("{name}.test"));
    std::fs::write(&path, raw).with_context(|| format!("{} is not there yet", path.display()))?;
    let arrived = SystemTime::now() - Duration::from_secs(days_ago * 24 * 3600);
    std::fs::File::options().write(true).open(&path)?.set_modified(arrived)?;
    Ok(())
}
