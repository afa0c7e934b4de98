//! What a lab shall have, said before it starts.

use super::{Lab, PASSWORD, USERS};
use anyhow::Result;

/// What a lab shall have.
#[derive(Debug, Clone)]
pub struct LabBuilder {
    pub(super) caps: Option<String>,
    pub(super) plugins: String,
    pub(super) users: Vec<(String, String)>,
    pub(super) smtp: bool,
    pub(super) rawlog: bool,
    pub(super) maildir: bool,
    pub(super) gmail: bool,
    pub(super) mechanisms: String,
    pub(super) introspection: Option<String>,
}

impl LabBuilder {
    pub(super) fn new() -> Self {
        Self {
            caps: None,
            plugins: String::new(),
            users: USERS.iter().map(|u| ((*u).to_owned(), PASSWORD.to_owned())).collect(),
            smtp: false,
            rawlog: true,
            maildir: false,
            gmail: false,
            mechanisms: "plain login".to_owned(),
            introspection: None,
        }
    }

    /// Announces these capabilities after sign-in and no others, as a poorer server would: `"IMAP4rev1 IDLE"`.
    #[must_use]
    pub fn caps(mut self, caps: &str) -> Self {
        self.caps = Some(caps.to_owned());
        self
    }

    /// Adds Postfix, which takes mail from signed-in users and delivers it to the users of this lab; mail to anybody
    /// else comes back as a bounce. Needs root.
    #[must_use]
    pub fn with_smtp(mut self) -> Self {
        self.smtp = true;
        self
    }

    /// Dovecot plugins for IMAP, separated by spaces: `"imap_zlib"` adds COMPRESS=DEFLATE.
    #[must_use]
    pub fn plugins(mut self, plugins: &str) -> Self {
        self.plugins = plugins.to_owned();
        self
    }

    /// Adds users beside [`USERS`], each with [`PASSWORD`].
    #[must_use]
    pub fn users<'a>(mut self, users: impl IntoIterator<Item = &'a str>) -> Self {
        self.users.extend(users.into_iter().map(|u| (u.to_owned(), PASSWORD.to_owned())));
        self
    }

    /// Adds a user with this password.
    #[must_use]
    pub fn user(mut self, user: &str, password: &str) -> Self {
        self.users.push((user.to_owned(), password.to_owned()));
        self
    }

    /// Whether every byte of each session is recorded; true unless told otherwise. See [`Lab::rawlog`].
    #[must_use]
    pub fn rawlog(mut self, on: bool) -> Self {
        self.rawlog = on;
        self
    }

    /// Announces Gmail's extension beside the server's own capabilities, and has a folder `[Gmail]/All Mail` for `\All`.
    /// What lies in it is put there by the test: this server does not fill it.
    #[must_use]
    pub fn gmail(mut self) -> Self {
        self.gmail = true;
        self.caps("+X-GM-EXT-1")
    }

    /// The ways of signing in that are offered, separated by spaces; `"plain login"` unless told otherwise. Without
    /// `plain` the password of a user cannot be changed.
    #[must_use]
    pub fn mechanisms(mut self, names: &str) -> Self {
        self.mechanisms = names.to_owned();
        self
    }

    /// Takes access tokens too, which are looked up at this address (RFC 7662); the user is what it calls `sub`.
    #[must_use]
    pub fn tokens(mut self, introspection: &str) -> Self {
        self.introspection = Some(introspection.to_owned());
        self.mechanisms("plain login xoauth2 oauthbearer")
    }

    /// Keeps mail as Maildir instead of mdbox.
    #[must_use]
    pub fn maildir(mut self) -> Self {
        self.maildir = true;
        self
    }

    /// Starts the servers; returns when they answer.
    pub fn start(self) -> Result<Lab> {
        Lab::launch(self)
    }
}
