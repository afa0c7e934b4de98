//! One signed-in connection: folders, headers, bodies. It opens folders by EXAMINE and reads by PEEK, so that nothing
//! in the mailbox changes.

use crate::capability::Capabilities;
use crate::connect::{self, Opened, Server, Timeouts};
use crate::error::MailError;
use crate::guard::Limits;
use crate::login::{self, Login};
use crate::mailbox_name;
use crate::reply::{Counts, Listed, Reply, Text};
use crate::watch::Cursor;
use crate::wire::{Tag, Wire};
use threadline_core::reason::{ImapStatus, Phase, Signal};
use tokio::time::Instant;

pub use crate::fetch::{Body, Gone};

/// Most folders kept of one mailbox.
pub const MOST_FOLDERS: usize = 10_000;
/// Most STATUS responses kept until somebody looks.
const MOST_STATUS: usize = 1_000;

/// Most changes of flags that a server may tell when a folder is opened: one a message, in the largest of folders.
const MOST_CHANGES: u64 = 4_000_000;

/// A folder of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Decoded, and fit to be shown.
    pub name: String,
    /// The bytes that the server named it by. Only these go back to it, and only quoted.
    pub(crate) raw: Vec<u8>,
    pub delimiter: Option<char>,
    /// As the server spells them, such as `\Sent`.
    pub attributes: Vec<String>,
    pub selectable: bool,
}

impl Folder {
    /// The INBOX, which every mailbox has, listed or not (RFC 9051 §5.1).
    pub fn inbox() -> Self {
        Self {
            name: "INBOX".to_owned(),
            raw: b"INBOX".to_vec(),
            delimiter: None,
            attributes: Vec::new(),
            selectable: true,
        }
    }

    /// Attributes compare without case.
    pub fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|a| a.eq_ignore_ascii_case(attribute))
    }

    fn from_list(listed: Listed) -> Self {
        let inbox = listed.name.eq_ignore_ascii_case(b"INBOX");
        let name = if inbox { "INBOX".to_owned() } else { mailbox_name::decode(&listed.name) };
        let has = |name: &str| listed.attributes.iter().any(|a| a.eq_ignore_ascii_case(name));
        let selectable =
            !has("\\Noselect") && !has("\\NonExistent") && mailbox_name::quoted(&listed.name).is_some();
        Self {
            name,
            raw: listed.name,
            delimiter: listed.delimiter,
            attributes: listed.attributes,
            selectable,
        }
    }
}

/// What a folder says when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Examined {
    /// Never 0.
    pub uidvalidity: u32,
    pub messages: u32,
    /// No message will get a lower UID than this (RFC 3501 §2.3.1.1); `None` where the server does not say.
    pub next_uid: Option<u32>,
}

/// Where a message lies in its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    pub uidvalidity: u32,
    pub uid: u32,
}

/// A signed-in connection.
#[derive(Debug)]
pub struct Session {
    pub(crate) wire: Wire,
    capabilities: Capabilities,
    qresync: bool,
    /// The server has refused an EXAMINE with parameters.
    plain: bool,
    /// The server has refused to tell Gmail's labels, though it says that it has them.
    pub(crate) no_labels: bool,
    pub(crate) seen: Seen,
    idle: Option<Tag>,
}

/// The folder that is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selected {
    pub raw: Vec<u8>,
    /// Never 0 once the folder is open.
    pub uidvalidity: u32,
    pub uidnext: Option<u32>,
    pub exists: u32,
    pub modseq: Option<u64>,
}

/// What the server told without being asked, or beside the answer.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub selected: Option<Selected>,
    /// Folders that were opened, by whomever, and what they told; the last opening of each.
    pub opened: Vec<Selected>,
    /// Folders in which messages appeared while they were open.
    pub grown: Vec<Vec<u8>>,
    /// STATUS responses, as they came.
    pub statuses: Vec<(Vec<u8>, Counts)>,
    /// NOTIFY was given up by the server (RFC 5465 §5.8).
    pub overflow: bool,
}

impl Seen {
    pub fn note(&mut self, reply: &Reply) {
        match reply {
            Reply::Exists(n) => {
                if let Some(selected) = &mut self.selected {
                    if *n > selected.exists && !self.grown.contains(&selected.raw) {
                        self.grown.push(selected.raw.clone());
                    }
                    selected.exists = *n;
                }
            }
            Reply::Gone(n) => {
                if let Some(selected) = &mut self.selected {
                    selected.exists = selected.exists.saturating_sub(*n);
                }
            }
            Reply::Status { folder, counts } if self.statuses.len() < MOST_STATUS => {
                self.statuses.push((folder.clone(), *counts));
            }
            Reply::Said(text) => self.said(text),
            _ => {}
        }
    }

    fn said(&mut self, text: &Text) {
        match (text.code.as_deref(), &mut self.selected) {
            (Some("NOTIFICATIONOVERFLOW"), _) => self.overflow = true,
            // RFC 7162 §3.2.11: what came before it was about the folder that was open until now.
            (Some("CLOSED"), Some(selected)) => {
                *selected = Selected { raw: std::mem::take(&mut selected.raw), ..Selected::default() };
            }
            (_, Some(selected)) => {
                let small = |code: &str| text.number(code).and_then(|n| u32::try_from(n).ok());
                if text.code.as_deref() == Some("UIDVALIDITY") {
                    selected.uidvalidity = small("UIDVALIDITY").unwrap_or_default();
                }
                selected.uidnext = small("UIDNEXT").or(selected.uidnext);
                selected.modseq = text.number("HIGHESTMODSEQ").or(selected.modseq);
            }
            (_, None) => {}
        }
    }
}

impl Session {
    /// Connects, signs in and learns what the server can do.
    ///
    /// Extensions are switched on with the first command after it, so they cost no round trip.
    pub async fn open(server: &Server, login: &Login, timeouts: &Timeouts) -> Result<Session, MailError> {
        let opened = connect::imap(server, Limits::imap(), timeouts).await?;
        Self::sign_in(opened, server, login, timeouts).await
    }

    /// The second half of [`open`](Self::open): signs in on a connection to this server, opened with [`Limits::imap`].
    pub async fn sign_in(
        opened: Opened,
        server: &Server,
        login: &Login,
        timeouts: &Timeouts,
    ) -> Result<Session, MailError> {
        let mut wire = Wire::new(opened.stream, server, timeouts);
        let begun = Instant::now();
        let signed_in = login::sign_in(&mut wire, server, opened.greeting.capabilities, login).await;
        let capabilities = signed_in.inspect_err(|error| error.log("the sign-in ends"))?;
        let qresync = capabilities.has_qresync() && capabilities.has("ENABLE");
        if qresync {
            wire.queue(b"ENABLE QRESYNC");
        } else if capabilities.has_condstore() && capabilities.has("ENABLE") {
            wire.queue(b"ENABLE CONDSTORE");
        }
        tracing::debug!(
            ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            notify = capabilities.has_notify(),
            idle = capabilities.has_idle(),
            condstore = capabilities.has_condstore(),
            qresync,
            "signed in"
        );
        Ok(Session {
            wire,
            capabilities,
            qresync,
            plain: false,
            no_labels: false,
            seen: Seen::default(),
            idle: None,
        })
    }

    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Whether Gmail's labels are asked for.
    pub(crate) fn asks_labels(&self) -> bool {
        self.capabilities.is_gmail() && !self.no_labels
    }

    /// Opens a folder, and says what it holds. Nothing in it changes.
    pub async fn examine(&mut self, folder: &Folder) -> Result<Examined, MailError> {
        let tag = self.queue_examine(folder, None)?;
        let selected = self.finish_examine(&tag, folder).await?;
        Ok(Examined {
            uidvalidity: selected.uidvalidity,
            messages: selected.exists,
            next_uid: selected.uidnext,
        })
    }

    /// Every folder that the user can see, in the server's order, by one LIST.
    pub async fn folders(&mut self) -> Result<Vec<Folder>, MailError> {
        self.leave_idle();
        let extended = self.capabilities.has_special_use() && self.capabilities.has("LIST-EXTENDED");
        let mut folders = Vec::new();
        if extended {
            let tag = self.wire.queue(b"LIST \"\" \"*\" RETURN (SPECIAL-USE)");
            if self.list(&tag, &mut folders).await?.refused.is_none() {
                return Ok(folders);
            }
            folders.clear();
        }
        let tag = self.wire.queue(b"LIST \"\" \"*\"");
        let end = self.list(&tag, &mut folders).await?;
        match end.refused {
            None => Ok(folders),
            Some(status) => Err(self.wire.refused(Phase::Select, status, &end.text)),
        }
    }

    async fn list(&mut self, tag: &Tag, folders: &mut Vec<Folder>) -> Result<crate::reply::End, MailError> {
        let seen = &mut self.seen;
        self.wire
            .finish(tag, Phase::Select, |reply| match reply {
                Reply::List(listed) if folders.len() < MOST_FOLDERS => {
                    folders.push(Folder::from_list(listed))
                }
                other => seen.note(&other),
            })
            .await
    }

    /// Says good-bye; what the server thinks of it does not matter any more.
    pub async fn logout(mut self) {
        self.leave_idle();
        let tag = self.wire.queue(b"LOGOUT");
        // A BYE, an error and a silence all end it.
        let _ = self.wire.finish(&tag, Phase::Auth, |_| {}).await;
    }

    /// Puts the end of IDLE in front of the next command.
    pub(crate) fn leave_idle(&mut self) {
        self.idle_ended();
        if self.idle.take().is_some() {
            self.wire.queue_line(b"DONE");
        }
    }

    /// Whether the server ended IDLE by itself. Then no DONE is sent any more.
    pub(crate) fn idle_ended(&mut self) -> bool {
        let ended = self.idle.as_ref().is_some_and(|tag| self.wire.end(tag).is_some());
        if ended {
            self.idle = None;
        }
        ended
    }

    pub(crate) fn is_idling(&self) -> bool {
        self.idle.is_some()
    }

    /// Begins IDLE, or begins it again. `false` where the server refuses it.
    pub(crate) async fn idle(&mut self) -> Result<bool, MailError> {
        self.leave_idle();
        let tag = self.wire.queue(b"IDLE");
        self.idle = Some(tag.clone());
        let seen = &mut self.seen;
        let accepted = self.wire.go_ahead(&tag, Phase::Idle, |reply| seen.note(&reply)).await?;
        if !accepted {
            self.idle = None;
        }
        Ok(accepted)
    }

    /// Runs a command of which only the side effects matter. `false` where it is refused.
    pub(crate) async fn run(&mut self, command: &[u8], phase: Phase) -> Result<bool, MailError> {
        self.leave_idle();
        let tag = self.wire.queue(command);
        let seen = &mut self.seen;
        Ok(self.wire.finish(&tag, phase, |reply| seen.note(&reply)).await?.refused.is_none())
    }

    /// Puts the opening of a folder into the next flight. With what was known of it the server tells what changed since
    /// (RFC 7162 §3.2.5), and only of messages that were not handed out: of the others a list of all that were ever
    /// removed may come, in one line that is longer than any limit.
    pub(crate) fn queue_examine(&mut self, folder: &Folder, known: Option<Cursor>) -> Result<Tag, MailError> {
        let mut command = b"EXAMINE ".to_vec();
        command.extend(self.quoted(folder)?);
        match known {
            _ if self.plain => {}
            Some(Cursor { uidvalidity, next_uid, modseq: Some(modseq) })
                if self.qresync && modseq > 0 && uidvalidity > 0 =>
            {
                self.wire.expect(MOST_CHANGES);
                let unknown = format!("{}:{}", next_uid.max(1), u32::MAX);
                command.extend(format!(" (QRESYNC ({uidvalidity} {modseq} {unknown}))").into_bytes());
            }
            _ if self.capabilities.has_condstore() => command.extend(b" (CONDSTORE)"),
            _ => {}
        }
        self.leave_idle();
        Ok(self.wire.queue(&command))
    }

    /// Reads the answer to an EXAMINE. A server that does not understand it is asked again without parameters.
    pub(crate) async fn finish_examine(&mut self, tag: &Tag, folder: &Folder) -> Result<Selected, MailError> {
        self.seen.selected = Some(Selected { raw: folder.raw.clone(), ..Selected::default() });
        let seen = &mut self.seen;
        let end = self.wire.finish(tag, Phase::Select, |reply| seen.note(&reply)).await;
        // What appeared in a folder while it was being opened is in its counts already.
        self.seen.grown.retain(|raw| *raw != folder.raw);
        let end = end.inspect_err(|_| self.seen.selected = None)?;
        if end.refused == Some(ImapStatus::Bad) && !self.plain {
            self.plain = true;
            let tag = self.queue_examine(folder, None)?;
            return Box::pin(self.finish_examine(&tag, folder)).await;
        }
        if let Some(status) = end.refused {
            self.seen.selected = None;
            return Err(self.wire.refused(Phase::Select, status, &end.text));
        }
        match self.seen.selected.clone() {
            Some(selected) if selected.uidvalidity > 0 => {
                self.seen.opened.retain(|s| s.raw != selected.raw);
                self.seen.opened.push(selected.clone());
                Ok(selected)
            }
            _ => {
                self.seen.selected = None;
                Err(self.malformed(
                    Phase::Select,
                    "The folder has no UIDVALIDITY, so its messages have no fixed numbers.",
                ))
            }
        }
    }

    /// Opens a folder unless it is open.
    pub(crate) async fn select(&mut self, folder: &Folder) -> Result<Selected, MailError> {
        if let Some(selected) = self.seen.selected.as_ref().filter(|s| s.raw == folder.raw) {
            return Ok(selected.clone());
        }
        let tag = self.queue_examine(folder, None)?;
        self.finish_examine(&tag, folder).await
    }

    /// A folder's name inside a command.
    pub(crate) fn quoted(&self, folder: &Folder) -> Result<Vec<u8>, MailError> {
        mailbox_name::quoted(&folder.raw).ok_or_else(|| {
            self.malformed(Phase::Select, "The folder's name holds a line break, so it cannot be opened.")
        })
    }

    pub(crate) fn malformed(&self, phase: Phase, words: &str) -> MailError {
        self.wire.fail(phase, Signal::Malformed, words)
    }
}
