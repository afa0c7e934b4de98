//! What a person writes through Threadline: templates, and mails until they are stored to go out ([`crate::outgoing`]).

mod shown;
mod templates;

use crate::engine::{Account, Engine};
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use crate::outgoing::{self, Offers, Outgoing};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use threadline_core::address::{Address, Mailbox};
use threadline_core::id::MessageId;
use threadline_core::reason::Reason;
use threadline_mail::compose::{Composed, Letter, compose};
use threadline_store::send::{self, Copy, CopyRule, NewSending, Recipient, Sending, State};
use threadline_store::{StoreError, Tx, account, setting};

pub use crate::outgoing::{CopyWish, Objection};
pub use shown::ShownMail;
pub use threadline_mail::compose::File;
pub use threadline_store::send::State as SendState;

/// How long a mail waits in which it can be taken back.
pub const UNDO: SignedDuration = SignedDuration::from_secs(10);
/// Most recipients of one mail: RFC 5321 §4.5.3.1.8 has every server take a hundred.
const MOST_RECIPIENTS: usize = 100;

/// What a mail is to be.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// The name beside the sender's address; the one given last where it is missing.
    pub from_name: Option<String>,
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub bcc: Vec<Mailbox>,
    /// The template's where it is missing.
    pub subject: Option<String>,
    /// Before the template's.
    pub text: Option<String>,
    pub html: Option<String>,
    /// By its name. Its variables stand for the first recipient.
    pub template: Option<String>,
    /// Variables beside the recipient's own, or in their place.
    pub values: Vec<(String, String)>,
    pub files: Vec<File>,
    /// When it goes; without it as soon as it can be taken back no more ([`UNDO`]).
    pub at: Option<Timestamp>,
    /// The id under which another program asks for it; the same one is sent once.
    pub request: Option<String>,
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Draft(…)")
    }
}

/// A mail as it would go out.
#[derive(Clone)]
pub struct Preview {
    pub subject: String,
    pub recipients: Vec<Address>,
    /// RFC 5322.
    pub raw: Vec<u8>,
    pub due: Timestamp,
    new: NewSending,
}

impl std::fmt::Debug for Preview {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Preview({} bytes)", self.raw.len())
    }
}

/// A mail that goes out or went, as it is shown.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct SendLine {
    pub id: i64,
    pub account: Address,
    pub state: State,
    pub to: Vec<Address>,
    pub subject: String,
    pub bytes: u64,
    pub created_at: Timestamp,
    /// When it goes, or is looked for.
    pub due: Timestamp,
    pub sent_at: Option<Timestamp>,
    /// Why it is not sent, where that is known.
    pub reason: Option<Reason>,
    /// What the server said, as `NNN ...`, or what is the matter.
    pub words: Option<String>,
    /// Recipients whom the server refused, each with its words.
    pub refused: Vec<(Address, String)>,
    pub copy: Option<Copy>,
    pub copy_rule: Option<CopyRule>,
    pub copy_folder: Option<String>,
    pub copy_words: Option<String>,
    /// The logged message.
    pub message: Option<i64>,
    pub message_id: String,
}

impl std::fmt::Debug for SendLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendLine").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

impl SendLine {
    fn new(sending: Sending, account: Address) -> Self {
        let copied = sending.copy;
        let refused = sending.recipients.iter();
        let refused = refused.filter_map(|r| Some((r.address.clone(), r.refused.clone()?))).collect();
        Self {
            id: sending.id,
            account,
            state: sending.state,
            to: sending.recipients.into_iter().map(|r| r.address).collect(),
            subject: sending.subject,
            bytes: sending.bytes,
            created_at: sending.created_at,
            due: sending.due,
            sent_at: sending.ended_at.filter(|_| sending.state == State::Sent),
            reason: sending.reason.filter(|_| sending.state != State::Sent),
            words: sending.words.filter(|words| !words.is_empty()),
            refused,
            copy: copied.as_ref().map(|copied| copied.copy),
            copy_rule: copied.as_ref().and_then(|copied| copied.rule),
            copy_folder: copied.as_ref().and_then(|copied| copied.folder.clone()),
            copy_words: copied.and_then(|copied| copied.words),
            message: sending.message,
            message_id: sending.message_id.as_str().to_owned(),
        }
    }
}

fn name_key(account: i64) -> String {
    format!("send.name:{account}")
}

impl Engine {
    // ---- mails

    /// Puts a mail together and looks whether the server takes it, as far as that is known from the mails before. Nothing is stored.
    pub async fn preview_send(&self, from: &Address, draft: &Draft) -> Result<Preview, EngineError> {
        let Account { id, settings, .. } = self.account(from).await?;
        let Some(server) = settings.smtp_server()? else {
            return Err(EngineError::NoSmtp(from.to_string()));
        };
        let now = self.clock().now();
        let due = draft.at.unwrap_or_else(|| now.checked_add(UNDO).unwrap_or(now));
        let filled = self.filled(id, &settings, draft).await?;
        let name: Option<String> = match &draft.from_name {
            Some(name) => Some(name.clone()),
            None => self.ledger().read(move |tx| setting::get(tx, &name_key(id))).await?,
        };
        let message_id = new_id(&settings.address)?;
        let letter = Letter {
            from: Mailbox::new(name, settings.address.clone()),
            to: draft.to.clone(),
            cc: draft.cc.clone(),
            bcc: draft.bcc.clone(),
            subject: filled.subject.clone(),
            text: filled.text,
            html: filled.html,
            files: draft.files.clone(),
            date: due.max(now),
            id: message_id.as_str().to_owned(),
        };
        let Composed { raw, recipients } = compose(&letter)?;
        if recipients.len() > MOST_RECIPIENTS {
            let objection = Objection::TooMany { people: recipients.len(), most: MOST_RECIPIENTS };
            return Err(EngineError::NotTaken(objection));
        }
        let named = server.name();
        let offers = self.ledger().read(move |tx| Offers::known(tx, id, &named)).await?;
        let everybody: Vec<Address> = recipients.iter().chain([&settings.address]).cloned().collect();
        if let Some(objection) = offers.and_then(|offers| offers.objection(raw.len() as u64, &everybody)) {
            return Err(EngineError::NotTaken(objection));
        }
        let open: Vec<&Address> = draft.to.iter().chain(&draft.cc).map(|person| &person.address).collect();
        let whom = |address: &Address| Recipient {
            address: address.clone(),
            blind: !open.contains(&address),
            refused: None,
        };
        let new = NewSending {
            account: id,
            message_id,
            request: draft.request.clone(),
            sender: settings.address.clone(),
            recipients: recipients.iter().map(whom).collect(),
            subject: filled.subject.clone(),
            raw: raw.clone(),
            due,
            at: now,
        };
        Ok(Preview { subject: filled.subject, recipients, raw, due, new })
    }

    /// Stores a mail to go out at its time. A running Threadline sends it; else [`Engine::send_due`] does.
    pub async fn send(&self, from: &Address, draft: &Draft) -> Result<SendLine, EngineError> {
        let preview = self.preview_send(from, draft).await?;
        let (new, name) = (preview.new, draft.from_name.clone());
        let add = move |tx: &Tx<'_>| {
            if let Some(name) = name {
                setting::set(tx, &name_key(new.account), &name)?;
            }
            send::add(tx, &new)
        };
        let (id, _) = self.ledger().write(add).await?;
        self.sending(id).await
    }

    /// The latest mails that go out or went, the newest first.
    pub async fn sends(&self, limit: usize) -> Result<Vec<SendLine>, EngineError> {
        let read = move |tx: &Tx<'_>| {
            let sendings = send::newest(tx, limit)?;
            sendings.into_iter().map(|sending| line(tx, sending)).collect::<Result<Vec<_>, StoreError>>()
        };
        Ok(self.ledger().read(read).await?.into_iter().flatten().collect())
    }

    /// How one of them stands.
    pub async fn sending(&self, id: i64) -> Result<SendLine, EngineError> {
        let read = move |tx: &Tx<'_>| match send::get(tx, id)? {
            Some(sending) => line(tx, sending),
            None => Ok(None),
        };
        self.ledger().read(read).await?.ok_or(EngineError::NoSend(id))
    }

    /// Takes a mail back that has not gone yet.
    pub async fn undo_send(&self, id: i64) -> Result<(), EngineError> {
        let now = self.clock().now();
        if self.ledger().write(move |tx| send::cancel(tx, id, now)).await? {
            return Ok(());
        }
        Err(match self.sending(id).await?.state {
            State::Cancelled => return Ok(()),
            State::Sent => EngineError::TooLate(id, "it is sent"),
            State::Refused => EngineError::TooLate(id, "the server has refused it, so nobody gets it"),
            State::Submitting | State::Waiting => EngineError::TooLate(id, "the server is taking it"),
            State::Unknown => EngineError::TooLate(id, "the server may have it already"),
        })
    }

    /// Sends a mail again that was refused, or of which the person knows that it was not sent; tries a failed copy again where
    /// the mail itself was sent.
    pub async fn retry_send(&self, id: i64) -> Result<(), EngineError> {
        let line = self.sending(id).await?;
        let now = self.clock().now();
        let retry = move |tx: &Tx<'_>| {
            let done = send::retry(tx, id, now)? || send::retry_copy(tx, id, now)?;
            let account = send::get(tx, id)?.map(|sending| sending.account);
            if let (true, Some(account)) = (done, account) {
                count_up(tx, Part::Account(account))?;
            }
            Ok(done)
        };
        if self.ledger().write(retry).await? {
            return Ok(());
        }
        Err(EngineError::NothingToTry(
            id,
            match line.state {
                State::Sent => "it is sent, and its copy is where it belongs",
                State::Cancelled => "you took it back",
                _ => "the server is taking it",
            },
        ))
    }

    /// The person knows that a mail was sent of which Threadline does not.
    pub async fn confirm_sent(&self, id: i64) -> Result<(), EngineError> {
        let line = self.sending(id).await?;
        let account = self.account(&line.account).await?;
        self.shared().set_crms(&self.crm_list().await?);
        let of = crate::mailbox::Mailbox::new(Arc::clone(self.shared()), account).for_ingest();
        let now = self.clock().now();
        let settle = move |tx: &Tx<'_>| {
            if !send::settle_sent(tx, id, now)? {
                return Ok(false);
            }
            if let Some(sending) = send::get(tx, id)? {
                outgoing::log(tx, &of, &sending, now)?;
            }
            Ok(true)
        };
        match self.ledger().write(settle).await? {
            true => Ok(()),
            false => Err(EngineError::NothingToTry(id, "it is not open whether it was sent")),
        }
    }

    /// What is wanted of a mailbox's copies.
    pub async fn set_copy_wish(&self, address: &Address, wish: CopyWish) -> Result<(), EngineError> {
        let id = self.row(address).await?.id;
        Ok(self.ledger().write(move |tx| outgoing::set_wish(tx, id, wish)).await?)
    }

    pub async fn copy_wish(&self, address: &Address) -> Result<CopyWish, EngineError> {
        let id = self.row(address).await?.id;
        Ok(self.ledger().read(move |tx| outgoing::wish(tx, id)).await?)
    }

    /// Waits for a mail's time and sends it, and whatever else of its mailbox is due, in this process. The caller holds the data
    /// folder.
    pub async fn send_due(&self, id: i64) -> Result<SendLine, EngineError> {
        let line = self.sending(id).await?;
        let account = self.account(&line.account).await?;
        self.shared().set_crms(&self.crm_list().await?);
        let outgoing = Outgoing::new(Arc::clone(self.shared()), account);
        loop {
            let wait = line.due.duration_since(self.clock().now());
            match Duration::try_from(wait) {
                Ok(wait) if !wait.is_zero() => tokio::time::sleep(wait.min(Duration::from_secs(1))).await,
                _ => break,
            }
        }
        outgoing.once().await;
        self.sending(id).await
    }
}

fn line(tx: &Tx<'_>, sending: Sending) -> Result<Option<SendLine>, StoreError> {
    let row = account::get(tx, sending.account)?;
    Ok(row.map(|row| SendLine::new(sending, row.address)))
}

/// An id at the sender's own domain, which nobody can guess.
fn new_id(sender: &Address) -> Result<MessageId, EngineError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| EngineError::NoRandomness)?;
    let random: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let domain = if sender.domain().starts_with('[') { "localhost" } else { sender.domain() };
    MessageId::parse(&format!("{random}.threadline@{domain}")).ok_or(EngineError::NoRandomness)
}
