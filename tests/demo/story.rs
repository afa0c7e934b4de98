//! The story: who writes what to whom, and what is to come of it.

use super::{ANN, CARL};
use anyhow::Result;
use threadline_testkit::lab::Lab;
use threadline_testkit::lab::player::{Letter, Player};

/// Where it is played.
pub struct Stage<'a> {
    pub lab: &'a Lab,
    pub ann: Player,
    pub carl: Player,
}

/// One mail.
pub struct Scene {
    /// For the table.
    pub title: &'static str,
    /// For the one who watches.
    pub tell: &'static str,
    /// Writes the mail; takes the last Message-ID of the conversation with Carl and gives it on.
    pub play: fn(&Stage<'_>, &str) -> Result<String>,
    /// The rule that decides.
    pub rule: &'static str,
    pub verdict: Verdict,
}

/// What is to be decided.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Log,
    Ignore,
    Ask,
}

impl Verdict {
    /// As `threadline run` and `threadline log --json` have it.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Log => "log",
            Verdict::Ignore => "ignore",
            Verdict::Ask => "ask",
        }
    }
}

/// Delivers a mail to Ann as it comes from outside.
fn deliver(stage: &Stage<'_>, header: &str, text: &str) -> Result<()> {
    let raw = format!("{header}\r\nTo: {ANN}\r\n\r\n{text}\r\n");
    stage.lab.deliver(ANN, raw.replace("\r\n", "\n").replace('\n', "\r\n").as_bytes())
}

pub fn scenes() -> Vec<Scene> {
    vec![
        Scene {
            title: "Ann to Carl, a contact: an offer",
            tell: "Ann writes to Carl, a contact, in her own mail client",
            play: |stage, _| {
                let html = Some("<p>Forty desks, <b>delivered in May</b>.</p>".to_owned());
                let letter = Letter::to(CARL, "Offer for forty desks", "Forty desks, delivered in May.");
                stage.ann.send(&Letter { html, ..letter })
            },
            rule: "sent_to_contact",
            verdict: Verdict::Log,
        },
        Scene {
            title: "Carl to Ann: his answer",
            tell: "Carl answers",
            play: |stage, last| stage.carl.reply(last, "Could it be April?"),
            rule: "reply_in_logged_thread",
            verdict: Verdict::Log,
        },
        Scene {
            title: "Ann to Carl: her answer",
            tell: "Ann answers him",
            play: |stage, last| stage.ann.reply(last, "April it is."),
            rule: "sent_in_logged_thread",
            verdict: Verdict::Log,
        },
        Scene {
            title: "Carl's machine: out of office",
            tell: "Carl's mailbox answers by itself: out of office",
            play: |stage, last| {
                let header = format!(
                    "From: {CARL}\nSubject: Out of office\nMessage-ID: <out@customer1.example>\nIn-Reply-To: {last}\nAuto-Submitted: auto-replied"
                );
                deliver(stage, &header, "I am away until Monday.")?;
                Ok(last.to_owned())
            },
            rule: "auto_reply",
            verdict: Verdict::Ignore,
        },
        Scene {
            title: "a stranger who quotes the conversation",
            tell: "Somebody whom nobody knows answers the conversation",
            play: |stage, last| {
                let header = format!(
                    "From: mallory@stranger.example\nSubject: Re: Offer for forty desks\nMessage-ID: <m@stranger.example>\nIn-Reply-To: {last}"
                );
                deliver(stage, &header, "Please pay to this account.")?;
                Ok(last.to_owned())
            },
            rule: "stranger_in_thread",
            verdict: Verdict::Ask,
        },
        Scene {
            title: "Ann to a friend: private",
            tell: "Ann writes to a friend",
            play: |stage, last| {
                stage.ann.file(&Letter::to("friend@private.example", "Sunday", "Cake at four?"))?;
                Ok(last.to_owned())
            },
            rule: "unknown_recipient",
            verdict: Verdict::Ask,
        },
        Scene {
            title: "Ann to a colleague",
            tell: "Ann writes to a colleague",
            play: |stage, last| {
                stage.ann.send(&Letter::to("bob@lab.test", "Lunch", "At twelve?"))?;
                Ok(last.to_owned())
            },
            rule: "only_colleagues",
            verdict: Verdict::Ignore,
        },
        Scene {
            title: "a newsletter",
            tell: "A newsletter comes in",
            play: |stage, last| {
                let header = "From: News <news@list.example>\nSubject: This week\nMessage-ID: <n@list.example>\nList-Id: <news.list.example>";
                deliver(stage, header, "Ten things about desks.")?;
                Ok(last.to_owned())
            },
            rule: "newsletter",
            verdict: Verdict::Ignore,
        },
        Scene {
            title: "a bounce",
            tell: "A mail server reports that a mail was not delivered",
            play: |stage, last| {
                let header = format!(
                    "From: MAILER-DAEMON@customer1.example\nSubject: Undelivered\nMessage-ID: <b@customer1.example>\nIn-Reply-To: {last}\nContent-Type: multipart/report; report-type=delivery-status; boundary=b"
                );
                deliver(stage, &header, "--b\n\nMailbox full\n--b--")?;
                Ok(last.to_owned())
            },
            rule: "bounce",
            verdict: Verdict::Ignore,
        },
    ]
}
