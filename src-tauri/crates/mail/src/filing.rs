//! Putting the sender's own copy of a mail into a folder, and looking whether it lies there.

use crate::error::MailError;
use crate::session::{Folder, Place, Session};
use jiff::Timestamp;
use std::time::Duration;
use threadline_core::reason::Phase;

/// Messages that are looked through, from the folder's end: what was sent lately lies there.
const LOOKED_AT: u32 = 10_000;

/// The fields that may hold the id of a mail: servers that give a mail another one keep it in one of these.
const FIELDS: [&str; 3] = ["Message-ID", "X-Microsoft-Original-Message-ID", "X-Google-Original-Message-ID"];

/// The slowest line on which a copy still arrives, in bytes a second.
const SLOWEST: u64 = 8 * 1024;

impl Session {
    /// Where the newest message with this id (without brackets) lies among the folder's last ten thousand.
    pub async fn find_id(&mut self, folder: &Folder, id: &str) -> Result<Option<Place>, MailError> {
        // Opened anew: in a folder that is open a server need not show what came since.
        let opened = self.examine(folder).await?;
        if opened.messages == 0 {
            return Ok(None);
        }
        let low = opened.messages.saturating_sub(LOOKED_AT - 1).max(1);
        let escaped = id.replace(['\\', '"', '\r', '\n'], "");
        let [own, microsoft, google] = FIELDS.map(|field| format!("HEADER {field} \"{escaped}\""));
        let command = format!("UID SEARCH {low}:* OR {own} OR {microsoft} {google}");
        let Some(found) = self.search(vec![command.into_bytes()]).await? else {
            return Err(self.malformed(Phase::Fetch, "The server does not search for messages by their id."));
        };
        Ok(found.last().map(|uid| Place { uidvalidity: opened.uidvalidity, uid: *uid }))
    }

    /// Puts a message into a folder, as read (`\Seen`), with this date. `raw` has CR LF at its line ends.
    pub async fn append(&mut self, folder: &Folder, date: Timestamp, raw: &[u8]) -> Result<(), MailError> {
        let mut command = b"APPEND ".to_vec();
        command.extend(self.quoted(folder)?);
        let date = date.strftime("%d-%b-%Y %H:%M:%S +0000");
        command.extend(format!(" (\\Seen) \"{date}\" {{{}}}", raw.len()).into_bytes());
        self.leave_idle();
        let patience = Duration::from_secs(60 + raw.len() as u64 / SLOWEST);
        let before = self.wire.be_patient(patience);
        let tag = self.wire.queue(&command);
        let seen = &mut self.seen;
        if self.wire.go_ahead(&tag, Phase::Append, |reply| seen.note(&reply)).await? {
            self.wire.queue_line(raw);
        }
        let end = self.wire.finish(&tag, Phase::Append, |reply| seen.note(&reply)).await?;
        self.wire.be_patient(before);
        match end.refused {
            None => Ok(()),
            Some(status) => Err(self.wire.refused(Phase::Append, status, &end.text)),
        }
    }
}
