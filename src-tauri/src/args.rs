//! The command line of the desktop app.

use clap::Parser;
use std::path::PathBuf;

/// Started at login: in the tray, without a window.
pub const HIDDEN: &str = "--hidden";

/// Logs the mail you send from any client, and the replies to it, in your CRM.
#[derive(Debug, Clone, Default, Parser)]
#[command(name = "threadline-app", version, max_term_width = 100)]
pub struct Args {
    /// The folder in which Threadline keeps its data. Default: the platform's own place.
    #[arg(long, value_name = "DIR", env = "THREADLINE_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Begin in the tray, without a window.
    #[arg(long)]
    pub hidden: bool,
    /// A link to a set-up of the IT department; it is shown, and nothing more.
    #[arg(value_name = "LINK")]
    pub link: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_started_at_login_begins_without_a_window() {
        assert!(Args::parse_from(["threadline-app", HIDDEN]).hidden);
        assert!(!Args::parse_from(["threadline-app"]).hidden);
    }

    #[test]
    fn a_link_stands_by_itself() {
        let link = "threadline://setup?data=e30";
        assert_eq!(Args::parse_from(["threadline-app", link]).link.as_deref(), Some(link));
    }
}
