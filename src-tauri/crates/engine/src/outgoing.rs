//! Mails that go out through Threadline: one task a mailbox sends what is due, finds out what became of what it does not know, and
//! sees to the sender's own copies.
//!
//! Read one mail's way in this order: [`crate::writing`] (composed and stored), [`submit`] (to the server), [`record`]
//! (logged), [`filed`] (its copy). Invariant: nothing is sent whose row was not `waiting` a moment before in the same transaction in
//! which it became `submitting`; and what is `unknown` is sent again by a person's word alone.

mod filed;
mod flight;
mod offers;
mod record;
mod submit;

pub use filed::CopyWish;
pub(crate) use filed::{set_wish, wish};
pub(crate) use flight::Flights;
pub use offers::Objection;
pub(crate) use offers::Offers;
pub(crate) use record::log;

use crate::backoff;
use crate::broken::Broken;
use crate::engine::Account;
use crate::event::Event;
use crate::mailbox::{self, Mailbox};
use crate::pace::{Pace, Rest};
use crate::shared::Shared;
use crate::sign_in;
use crate::tokens::Using;
use crate::{EngineError, once};
use jiff::{SignedDuration, Timestamp};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use threadline_core::health::{Channel, Health, State};
use threadline_core::reason::{Phase, Reason};
use threadline_mail::session::Session as Imap;
use threadline_mail::submit::Session as Smtp;
use threadline_store::send::{self, Sending, State as SendState, Told};
use threadline_store::{StoreError, Tx};

/// How often is looked for what another process or the window has added.
const GLANCE: Duration = Duration::from_secs(2);
/// When is looked again for a mail of which nobody knows whether it was sent, after each look that found nothing.
const LOOKS: [SignedDuration; 4] = [
    SignedDuration::from_secs(10),
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(10),
    SignedDuration::from_hours(6),
];
/// What is said of a mail that was on its way when the program ended.
const ENDED: &str =
    "Threadline ended while the server was taking the mail, so it is not known whether it has it.";

/// One mailbox's way out.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    mailbox: Arc<Mailbox>,
}

impl Outgoing {
    pub fn new(shared: Arc<Shared>, account: Account) -> Self {
        Self { mailbox: Arc::new(Mailbox::new(shared, account)) }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.mailbox.shared
    }

    fn now(&self) -> Timestamp {
        self.shared().clock.now()
    }

    /// Sends what is due until the future is dropped.
    pub async fn run(&self) -> Infallible {
        let mut pace = Pace::default();
        let mut begun = false;
        loop {
            let done = async {
                if !begun {
                    self.begin().await?;
                    begun = true;
                }
                self.work().await
            };
            match done.await {
                Ok(()) => pace.anew(),
                Err(broken) => {
                    pace.failed(&broken);
                    let rest = pace.rest(&broken, backoff::random()).map(Rest::whole);
                    self.tell_broken(&broken, rest).await;
                    match rest {
                        Some(rest) => tokio::time::sleep(rest).await,
                        // What a person sets makes the engine begin anew.
                        None => return std::future::pending().await,
                    }
                }
            }
            loop {
                match self.next().await {
                    Ok(Some(due)) if due <= self.now() => break,
                    Ok(_) => {}
                    Err(error) => tracing::error!(code = error.code(), "what is to be sent was not read"),
                }
                tokio::time::sleep(GLANCE).await;
            }
        }
    }

    /// Does what is due once.
    pub async fn once(&self) -> once::Outcome {
        let name = self.mailbox.settings.address.to_string();
        let done = async {
            self.begin().await?;
            self.work().await
        };
        let problem = match done.await {
            Ok(()) => None,
            Err(broken) => {
                self.tell_broken(&broken, None).await;
                Some((broken.why().0.code().to_owned(), broken.to_string()))
            }
        };
        let id = self.mailbox.id;
        let left = self.shared().ledger.read(move |tx| left(tx, id)).await.unwrap_or_default();
        let (reason, problem) = problem.unzip();
        once::Outcome {
            name,
            problem,
            reason,
            waiting: left.0,
            set_aside: left.1,
            ..once::Outcome::default()
        }
    }

    /// What was on its way when the program ended is unknown. One process at a time sends for a data folder.
    async fn begin(&self) -> Result<(), StoreError> {
        let (id, now) = (self.mailbox.id, self.now());
        let flights = self.shared().flights.ids();
        self.shared().ledger.write(move |tx| send::interrupted(tx, id, &flights, ENDED, now)).await.map(drop)
    }

    /// When there is something to do.
    async fn next(&self) -> Result<Option<Timestamp>, StoreError> {
        let id = self.mailbox.id;
        let next = move |tx: &Tx<'_>| {
            let dues = [
                send::next_due(tx, id, SendState::Waiting)?,
                send::next_due(tx, id, SendState::Unknown)?,
                send::next_copy(tx, id)?,
            ];
            Ok(dues.into_iter().flatten().min())
        };
        self.shared().ledger.read(next).await
    }

    async fn work(&self) -> Result<(), Broken> {
        self.look_for_unknown().await?;
        self.submit_due().await?;
        self.file_copies().await
    }

    async fn due(&self, state: SendState) -> Result<Vec<Sending>, StoreError> {
        let (id, now) = (self.mailbox.id, self.now());
        self.shared().ledger.read(move |tx| send::due(tx, id, state, now)).await
    }

    /// Looks among what was sent for each mail of which nobody knows whether the server took it.
    async fn look_for_unknown(&self) -> Result<(), Broken> {
        let unknown = self.due(SendState::Unknown).await?;
        if unknown.is_empty() {
            return Ok(());
        }
        // A mailbox that cannot be looked into keeps no mail from going out.
        let found = match self.found_among_sent(&unknown).await {
            Ok(found) => found,
            Err(Broken::Store(error)) => return Err(error.into()),
            Err(_) => Vec::new(),
        };
        for sending in unknown {
            if found.contains(&sending.id) {
                self.is_sent(&sending, "It was found among what was sent.").await?;
            } else {
                let look = LOOKS[(sending.attempts as usize).min(LOOKS.len() - 1)];
                let next = self.now().checked_add(look).unwrap_or(Timestamp::MAX);
                let id = sending.id;
                self.shared().ledger.write(move |tx| send::still_unknown(tx, id, next)).await?;
            }
            self.tell(sending.id).await?;
        }
        Ok(())
    }

    async fn found_among_sent(&self, unknown: &[Sending]) -> Result<Vec<i64>, Broken> {
        let mut imap = self.imap().await?;
        let places = filed::places(&mut imap, &self.mailbox.settings).await?;
        let mut found = Vec::new();
        for sending in unknown {
            for folder in places.searched() {
                if imap.find_id(folder, sending.message_id.as_str()).await?.is_some() {
                    found.push(sending.id);
                    break;
                }
            }
        }
        imap.logout().await;
        Ok(found)
    }

    /// Gives every mail that is due to the server, over one connection where it lasts.
    async fn submit_due(&self) -> Result<(), Broken> {
        let due = self.due(SendState::Waiting).await?;
        let mut session: Option<Smtp> = None;
        for sending in due {
            let open = match session.take().filter(Smtp::is_ready) {
                Some(open) => open,
                None => match self.smtp().await {
                    Ok(open) => open,
                    Err(broken) => {
                        self.note(&sending, &broken).await?;
                        return Err(broken);
                    }
                },
            };
            let id = sending.id;
            let submitted = self.to_its_end(open, sending).await;
            self.tell(id).await?;
            session = submitted?;
        }
        if let Some(session) = session {
            session.quit().await;
        }
        Ok(())
    }

    /// Gives one mail to the server. Whoever waits for it may be dropped: it goes on.
    async fn to_its_end(&self, mut open: Smtp, sending: Sending) -> Result<Option<Smtp>, Broken> {
        let at_work = self.shared().at_work();
        let flight = self.shared().flights.begin(sending.id);
        let of = self.clone();
        let task = tokio::spawn(async move {
            let _until_it_ends = (at_work, flight);
            submit::submit(&of, &mut open, &sending).await.map(|()| open)
        });
        match task.await {
            Ok(submitted) => submitted.map(Some),
            Err(_) => {
                tracing::error!("the sending of a mail broke off");
                self.begin().await?;
                Ok(None)
            }
        }
    }

    /// A mail waits because of something that it is not at fault of.
    async fn note(&self, sending: &Sending, broken: &Broken) -> Result<(), StoreError> {
        let (reason, _, words) = broken.why();
        let (id, told) = (sending.id, Told { reason: Some(reason), words });
        self.shared().ledger.write(move |tx| send::noted(tx, id, &told)).await
    }

    /// A signed-in connection to the server that takes mail; what comes of it is the state of the way out.
    async fn smtp(&self) -> Result<Smtp, Broken> {
        let session = match sign_in::submission(self.shared(), &self.mailbox.settings).await {
            Ok(session) => session,
            Err(error) => return Err(self.told_apart(error).await?),
        };
        self.set_health(State::Connected, None, None).await?;
        self.note_offers(&session).await?;
        Ok(session)
    }

    async fn imap(&self) -> Result<Imap, Broken> {
        let settings = &self.mailbox.settings;
        match sign_in::session(self.shared(), settings, None, Using::Kept).await {
            Ok(session) => Ok(session),
            Err(error) => Err(self.told_apart(error).await?),
        }
    }

    /// What can be tried again is told from what a person must mend.
    async fn told_apart(&self, error: EngineError) -> Result<Broken, StoreError> {
        Ok(match error {
            EngineError::Mail(error) => {
                mailbox::with_history(self.shared(), &self.mailbox.settings.address, *error).await?.into()
            }
            EngineError::Secret(error) => error.into(),
            EngineError::Store(error) => error.into(),
            other => other.into(),
        })
    }

    /// Tells how a mail stands.
    async fn tell(&self, id: i64) -> Result<(), StoreError> {
        let Some(sending) = self.shared().ledger.read(move |tx| send::get(tx, id)).await? else {
            return Ok(());
        };
        self.shared().tell(Event::Send {
            account: self.mailbox.settings.address.clone(),
            send: id,
            state: sending.state,
            copy: sending.copy.as_ref().map(|copied| copied.copy),
            words: sending.copy.and_then(|copied| copied.words).or(sending.words),
        });
        Ok(())
    }

    async fn tell_broken(&self, broken: &Broken, rest: Option<Duration>) {
        let smtp_host =
            self.mailbox.settings.smtp.as_ref().map(|smtp| format!("{}:{}", smtp.host, smtp.port));
        // What fails at the IMAP server is the mailbox's own state, and its connection tells of it.
        if let Broken::Mail(error) = broken
            && Some(&error.server) != smtp_host.as_ref()
        {
            return;
        }
        let (reason, phase, words) = broken.why();
        let state = match self.shared().links.now().explains(reason) {
            Some(_) => State::Offline,
            None if broken.needs_person() => State::NeedsAttention,
            None => State::Retrying,
        };
        let next = rest.and_then(|rest| SignedDuration::try_from(rest).ok());
        let next = next.and_then(|rest| self.now().checked_add(rest).ok());
        let told = self.set_health(state, Some((reason, phase, words)), next).await;
        if let Err(error) = told {
            tracing::error!(code = error.code(), "the state of the way out could not be stored");
        }
    }

    async fn set_health(
        &self,
        state: State,
        why: Option<(Reason, Option<Phase>, String)>,
        next_try: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let (reason, phase, words) = match why {
            Some((reason, phase, words)) => (Some(reason), phase, words),
            None => (None, None, String::new()),
        };
        let health = Health {
            channel: Channel::Smtp,
            state,
            phase,
            reason,
            since: self.now(),
            evidence: (!words.is_empty()).then_some(words),
            next_try,
        };
        self.shared().set_health(self.mailbox.id, &self.mailbox.settings.address, health).await
    }
}

/// Mails that wait though they are due, and those of which a person must know: their fate is unknown, or their copy failed.
fn left(tx: &Tx<'_>, account: i64) -> Result<(u64, u64), StoreError> {
    let open = send::newest(tx, 1_000)?;
    let of_mailbox = || open.iter().filter(|sending| sending.account == account);
    let waiting = of_mailbox().filter(|s| s.state == SendState::Waiting && s.words.is_some()).count();
    let unsettled = of_mailbox()
        .filter(|s| {
            s.state == SendState::Unknown || s.copy.as_ref().is_some_and(|c| c.copy == send::Copy::Failed)
        })
        .count();
    Ok((waiting as u64, unsettled as u64))
}
