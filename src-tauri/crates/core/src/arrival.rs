//! A message as a folder showed it: its header and where it lies.

use crate::clock::message_time;
use crate::envelope::Envelope;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a folder is for (RFC 6154), as far as Threadline treats it differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Inbox,
    Sent,
    /// Gmail's `\All`: everything but Spam and Trash.
    All,
    /// Any other folder that is watched.
    Other,
}

/// The folder `Threadline/Log`, under whichever separator, also below INBOX: what is put into it is to be logged.
pub fn is_log_folder(name: &str) -> bool {
    let mut parts: Vec<String> = name.split(['/', '.', '\\']).map(str::to_lowercase).collect();
    if parts.first().is_some_and(|first| first == "inbox") {
        parts.remove(0);
    }
    parts == ["threadline", "log"]
}

/// One message, seen in one folder. Its body was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Never 0 (RFC 3501 §2.3.1.1).
    pub uid: u32,
    pub internal_date: Timestamp,
    /// RFC822.SIZE, in bytes.
    pub size: u32,
    /// Flags and keywords as the server spells them.
    pub flags: Vec<String>,
    /// Gmail's labels (`X-GM-LABELS`); `None` where the server has none.
    pub labels: Option<Vec<String>>,
    pub envelope: Envelope,
}

impl Arrival {
    /// The message's own time: see [`message_time`].
    pub fn time(&self) -> Timestamp {
        message_time(self.envelope.date, self.internal_date)
    }

    /// True where the server itself says that the person sent it: it lies in a Sent folder or, where one folder holds
    /// everything, bears the label `\Sent`. A server without labels is believed there.
    pub fn is_sent(&self, role: Role) -> bool {
        match role {
            Role::Sent => true,
            Role::All => {
                self.labels.as_ref().is_none_or(|l| l.iter().any(|l| l.eq_ignore_ascii_case("\\Sent")))
            }
            Role::Inbox | Role::Other => false,
        }
    }

    pub fn has_flag(&self, flag: &str) -> bool {
        self.flags.iter().any(|f| f.eq_ignore_ascii_case(flag))
    }
}
