//! Salesperson and customer: people with a mail client that is not ours (Python's `smtplib` and `imaplib`).

use super::Lab;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The client's source.
const CLIENT: &str = include_str!("players/client.py");

/// A mail to be written. Take [`Letter::to`] and set what else is wanted.
#[derive(Debug, Clone, Default)]
pub struct Letter {
    pub to: Vec<String>,
    pub cc: Vec<String>,
    /// Stays in the sender's own copy.
    pub bcc: Vec<String>,
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
    /// File name, media type, and content.
    pub attachments: Vec<(String, String, String)>,
    /// Fields beside the usual ones: `("Auto-Submitted", "auto-replied")`.
    pub headers: Vec<(String, String)>,
    /// The id to use, with its angle brackets; else one is made.
    pub message_id: Option<String>,
    /// Keep no copy in Sent, as where the provider files it itself.
    pub no_copy: bool,
}

impl Letter {
    pub fn to(recipient: &str, subject: &str, text: &str) -> Self {
        Self {
            to: vec![recipient.to_owned()],
            subject: subject.to_owned(),
            text: text.to_owned(),
            ..Self::default()
        }
    }
}

/// One person at a mail client. Sends by SMTP with STARTTLS, sign-in and a verified certificate, and files the copy in
/// Sent by IMAP.
#[derive(Debug, Clone)]
pub struct Player {
    user: String,
    password: String,
    ca: PathBuf,
    script: PathBuf,
    imap: (&'static str, u16),
    smtp_port: u16,
    smtps_port: u16,
    smtps: bool,
}

#[derive(Serialize)]
struct Job<'a> {
    r#do: &'a str,
    user: &'a str,
    password: &'a str,
    name: String,
    ca: &'a PathBuf,
    imap: (&'static str, u16),
    smtp_port: u16,
    smtps: bool,
    to: &'a [String],
    cc: &'a [String],
    bcc: &'a [String],
    subject: &'a str,
    text: &'a str,
    html: Option<&'a str>,
    attachments: &'a [(String, String, String)],
    headers: &'a [(String, String)],
    message_id: &'a str,
    file_copy: bool,
}

#[derive(Deserialize)]
struct Sent {
    message_id: String,
}

/// What a reply needs to know of the message it answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Original {
    pub from: String,
    pub subject: String,
    /// The ids in its References, separated by a space.
    pub references: String,
}

impl Player {
    pub(crate) fn new(lab: &Lab, user: &str) -> Result<Self> {
        let script = lab.dir().join("client.py");
        if !script.exists() {
            std::fs::write(&script, CLIENT)?;
        }
        Ok(Self {
            user: user.to_owned(),
            password: lab.password(user)?,
            ca: lab.ca_file(),
            script,
            imap: lab.tool_address(),
            smtp_port: lab.submission_port(),
            smtps_port: lab.smtps_port(),
            smtps: false,
        })
    }

    /// Sends inside TLS from the first byte, instead of by STARTTLS.
    #[must_use]
    pub fn over_smtps(mut self) -> Self {
        self.smtps = true;
        self
    }

    /// Sends a mail and files its copy. Gives its Message-ID, with angle brackets.
    ///
    /// # Errors
    /// In a lab without SMTP: use [`Lab::deliver`] and [`Player::file`] there.
    pub fn send(&self, letter: &Letter) -> Result<String> {
        if self.smtp_port == 0 {
            bail!("this lab has no SMTP: build it with `.with_smtp()`");
        }
        self.submit(letter, if self.smtps { self.smtps_port } else { self.smtp_port })
    }

    /// Files a mail in Sent without sending it: what is seen in the mailbox is the same.
    pub fn file(&self, letter: &Letter) -> Result<String> {
        self.submit(letter, 0)
    }

    fn submit(&self, letter: &Letter, smtp_port: u16) -> Result<String> {
        let id = letter.message_id.clone().unwrap_or_else(|| new_id(&self.user));
        let sent: Sent = self.run(&self.job("send", letter, &id, smtp_port))?;
        Ok(sent.message_id)
    }

    /// Answers a message that lies in this person's INBOX, as mail clients do: In-Reply-To, References, `Re:`, to its
    /// sender. Waits up to 30 s for it to come. Gives the reply's Message-ID.
    pub fn reply(&self, message_id: &str, text: &str) -> Result<String> {
        self.reply_with(message_id, &Letter { text: text.to_owned(), ..Letter::default() })
    }

    /// The same with more of the letter given; recipients and subject are filled in where empty.
    pub fn reply_with(&self, message_id: &str, letter: &Letter) -> Result<String> {
        let original = self.wait_for(message_id)?;
        let mut letter = letter.clone();
        if letter.to.is_empty() {
            letter.to.push(original.from);
        }
        if letter.subject.is_empty() {
            let subject = original.subject.trim_start_matches("Re: ");
            letter.subject = format!("Re: {subject}");
        }
        let references = format!("{} {message_id}", original.references).trim().to_owned();
        letter.headers.push(("In-Reply-To".to_owned(), message_id.to_owned()));
        letter.headers.push(("References".to_owned(), references));
        self.send(&letter)
    }

    /// The message with this id in this person's INBOX; waits up to 30 s for it.
    pub fn wait_for(&self, message_id: &str) -> Result<Original> {
        let (begun, nothing) = (Instant::now(), Letter::default());
        let job = self.job("find", &nothing, message_id, 0);
        while begun.elapsed() < Duration::from_secs(30) {
            if let Some(original) = self.run::<Option<Original>>(&job)? {
                return Ok(original);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("{message_id} did not come to {} within 30 s", self.user)
    }

    fn job<'a>(&'a self, what: &'a str, letter: &'a Letter, id: &'a str, smtp_port: u16) -> Job<'a> {
        let name = self.user.split('@').next().unwrap_or_default();
        let (first, rest) = name.split_at(name.chars().next().map_or(0, char::len_utf8));
        Job {
            r#do: what,
            user: &self.user,
            password: &self.password,
            name: format!("{}{rest}", first.to_uppercase()),
            ca: &self.ca,
            imap: self.imap,
            smtp_port,
            smtps: self.smtps,
            to: &letter.to,
            cc: &letter.cc,
            bcc: &letter.bcc,
            subject: &letter.subject,
            text: &letter.text,
            html: letter.html.as_deref(),
            attachments: &letter.attachments,
            headers: &letter.headers,
            message_id: id,
            file_copy: !letter.no_copy,
        }
    }

    fn run<T: serde::de::DeserializeOwned>(&self, job: &Job<'_>) -> Result<T> {
        let mut child = Command::new("python3")
            .arg("-I")
            .arg(&self.script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run python3")?;
        let mut input = child.stdin.take().context("no standard input")?;
        input.write_all(&serde_json::to_vec(job)?)?;
        drop(input);
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("the mail client failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        serde_json::from_slice(&output.stdout).context("the mail client's answer is not JSON")
    }
}

/// Unlike every other id of this machine: the process, a counter, and the time.
fn new_id(user: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let domain = user.rsplit('@').next().unwrap_or_default();
    let now = jiff::Timestamp::now().as_nanosecond();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("<{now:x}.{}.{count}@{domain}>", std::process::id())
}
