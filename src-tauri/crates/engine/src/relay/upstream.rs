//! The way to the providers: a signed-in session for each mail, and what is kept of it.

use crate::at_work::AtWork;
use crate::engine::Account;
use crate::error::EngineError;
use crate::event::{Event, RelayOutcome};
use crate::shared::Shared;
use crate::sign_in;
use async_trait::async_trait;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use threadline_core::rule::Answer as Word;
use threadline_mail::error::MailError;
use threadline_mail::submit::{self, Extensions, Params, Undelivered};
use threadline_relay::answer::Answer;
use threadline_relay::offers::Offers;
use threadline_relay::path::Path;
use threadline_relay::switch::Switch;
use threadline_relay::upstream::{Broken, Ended, Outcome, Passing, Session, Text, Upstream};
use threadline_store::{StoreError, Tx, account, relayed, setting};

/// The setting that holds what each mailbox's provider has offered, by the mailbox's number.
const OFFERS: &str = "relay_offers";
/// Most characters of what a mail program is told.
const MOST_TOLD: usize = 400;

#[derive(Debug)]
pub(crate) struct Providers {
    shared: Arc<Shared>,
    offers: Mutex<HashMap<i64, Offers>>,
}

impl Providers {
    pub async fn new(shared: Arc<Shared>) -> Result<Self, StoreError> {
        let known: Option<HashMap<i64, Offers>> = shared.ledger.read(|tx| setting::get(tx, OFFERS)).await?;
        Ok(Self { shared, offers: Mutex::new(known.unwrap_or_default()) })
    }

    fn known(&self) -> MutexGuard<'_, HashMap<i64, Offers>> {
        self.offers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the providers that were never spoken to what they offer: mail programs hear it before they sign in.
    pub async fn ask_first(&self, mailboxes: &[i64]) -> Infallible {
        for id in mailboxes {
            if !self.known().contains_key(id)
                && let Ok(session) = self.open(*id).await
            {
                session.quit().await;
            }
        }
        std::future::pending().await
    }

    /// Signs in.
    async fn sign_in(&self, id: i64) -> Result<submit::Session, EngineError> {
        let row = self.shared.ledger.read(move |tx| account::get(tx, id)).await?;
        let row = row.ok_or(StoreError::NotFound { what: "mailbox", id })?;
        sign_in::submission(&self.shared, &Account::read(&row)?.settings).await
    }

    async fn remember(&self, id: i64, offers: Offers) {
        if self.known().insert(id, offers) == Some(offers) {
            return;
        }
        let all = self.known().clone();
        if let Err(error) = self.shared.ledger.write(move |tx| setting::set(tx, OFFERS, &all)).await {
            tracing::warn!(code = error.code(), "what a provider offers was not stored");
        }
    }

    async fn keep(
        &self,
        write: impl FnOnce(&Tx<'_>) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.shared.ledger.write(write).await
    }
}

#[async_trait]
impl Upstream for Providers {
    fn offers(&self, mailbox: i64) -> Offers {
        self.known().get(&mailbox).copied().unwrap_or_default()
    }

    async fn open(&self, mailbox: i64) -> Result<Box<dyn Session>, Answer> {
        let at_work = self.shared.at_work();
        match self.sign_in(mailbox).await {
            Ok(session) => {
                let offers = offers(session.extensions());
                self.remember(mailbox, offers).await;
                Ok(Box::new(Submitting { session, offers, _at_work: at_work }))
            }
            // Nothing is wrong with the mail: the mail program keeps it and tries again.
            Err(error) => Err(Answer::new(451, format!("4.7.0 {}", told(&error.to_string())))),
        }
    }

    async fn before_end(&self, passing: &Passing) -> Result<(), Answer> {
        let Some(id) = passing.message_id.clone() else {
            return match passing.switch {
                None => Ok(()),
                Some(_) => Err(Answer::new(
                    554,
                    "5.6.0 What +log or +nolog says cannot be kept: the Message-ID of the mail cannot be read. Send it without",
                )),
            };
        };
        let word = passing.switch.map(|switch| match switch {
            Switch::Log => Word::Log,
            Switch::NoLog => Word::Ignore,
        });
        let (account, at) = (passing.mailbox, self.shared.clock.now());
        self.keep(move |tx| relayed::pass(tx, account, &id, word, at)).await.map_err(|error| {
            let error = EngineError::from(error).to_string();
            Answer::new(451, format!("4.3.0 The mail was not sent: {}", told(&error)))
        })
    }

    async fn ended(&self, passing: &Passing, outcome: &Outcome) {
        let (account, id) = (passing.mailbox, passing.message_id.clone());
        let (outcome, code) = match outcome {
            Outcome::Accepted => (RelayOutcome::Accepted, None),
            Outcome::Refused(answer) => (RelayOutcome::Refused, Some(answer.code)),
            Outcome::Unknown => (RelayOutcome::Unknown, None),
        };
        let kept = self.keep(move |tx| {
            let Some(id) = id else { return Ok(()) };
            match outcome {
                RelayOutcome::Accepted => relayed::accepted(tx, account, &id),
                RelayOutcome::Refused => relayed::refused(tx, account, &id),
                RelayOutcome::Unknown => relayed::unknown(tx, account, &id),
            }
        });
        if let Err(error) = kept.await {
            tracing::warn!(code = error.code(), "what became of a mail in the relay was not stored");
        }
        let row = self.shared.ledger.read(move |tx| account::get(tx, account)).await;
        if let Ok(Some(row)) = row {
            let recipients = u32::try_from(passing.recipients.len()).unwrap_or(u32::MAX);
            let at = self.shared.clock.now();
            self.shared.tell(Event::Relayed { account: row.address, outcome, code, recipients, at });
        }
    }
}

/// What of a provider's extensions the relay passes on.
fn offers(extensions: &Extensions) -> Offers {
    Offers {
        size: extensions.size.then(|| extensions.most_bytes.unwrap_or_default()),
        eight_bit: extensions.eight_bit,
        smtp_utf8: extensions.utf8,
        dsn: extensions.dsn,
        chunking: extensions.chunking,
        binary: extensions.binary,
        enhanced_codes: extensions.enhanced_codes,
    }
}

/// In one line, and not too long for an answer.
fn told(words: &str) -> String {
    threadline_core::envelope::clean(words, MOST_TOLD)
}

struct Submitting {
    session: submit::Session,
    offers: Offers,
    _at_work: AtWork,
}

fn broken(error: &MailError) -> Broken {
    Broken(told(&error.to_string()))
}

fn said(answer: submit::Answer) -> Answer {
    Answer { code: answer.code, lines: answer.lines }
}

/// What a provider made of a text.
fn undelivered(error: Undelivered) -> Ended {
    match error {
        Undelivered::Refused(answer) => Ended::Answered(said(answer)),
        Undelivered::Broken(error) => Ended::Broken(broken(&error)),
        Undelivered::EndInside => Ended::Answered(Answer::new(550, "5.6.0 The mail holds its own end")),
        Undelivered::Unknown(_) => Ended::Unknown,
    }
}

/// The path and parameters as the session takes them. The relay read them by the same rules.
fn for_session(path: &Path) -> Option<(submit::Path, Params)> {
    let address = match path.address.as_str() {
        "" => submit::Path::nobody(),
        address => submit::Path::new(address)?,
    };
    let params = path.parameters.iter().try_fold(Params::none(), |all, one| all.with(&one.to_string()))?;
    Some((address, params))
}

fn unreadable() -> Answer {
    Answer::new(501, "5.5.4 The address or a parameter cannot be read")
}

#[async_trait]
impl Session for Submitting {
    fn offers(&self) -> Offers {
        self.offers
    }

    async fn mail(&mut self, from: &Path) -> Result<Answer, Broken> {
        let Some((address, params)) = for_session(from) else { return Ok(unreadable()) };
        self.session.mail(&address, &params).await.map(said).map_err(|error| broken(&error))
    }

    async fn recipients(&mut self, to: &[Path]) -> (Vec<Answer>, Option<Broken>) {
        let paths: Vec<_> = to.iter().map(for_session).collect();
        let readable: Vec<_> = paths.iter().flatten().cloned().collect();
        let heard = self.session.recipients(&readable).await;
        let mut answers = heard.answers.into_iter().map(said);
        let answer_to = |path: &Option<_>| match path {
            Some(_) => answers.next(),
            None => Some(unreadable()),
        };
        (paths.iter().map_while(answer_to).collect(), heard.broke.map(|error| broken(&error)))
    }

    async fn text(&mut self, text: &mut dyn Text) -> Ended {
        let mut body = match self.session.data().await {
            Ok(Ok(body)) => body,
            Ok(Err(answer)) => return Ended::NotBegun(said(answer)),
            Err(error) => return Ended::Broken(broken(&error)),
        };
        if text.begin().await.is_err() {
            return Ended::Stopped;
        }
        loop {
            match text.piece().await {
                Err(_) => return Ended::Stopped,
                Ok(None) => break,
                Ok(Some(piece)) => {
                    if let Err(error) = body.write(piece).await {
                        return undelivered(error);
                    }
                }
            }
        }
        match body.finish().await {
            Ok(answer) => Ended::Answered(said(answer)),
            Err(error) => undelivered(error),
        }
    }

    async fn chunk(&mut self, piece: &[u8], last: bool) -> Ended {
        match self.session.chunk(piece, last).await {
            Ok(answer) => Ended::Answered(said(answer)),
            Err(error) => undelivered(error),
        }
    }

    async fn quit(self: Box<Self>) {
        self.session.quit().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use threadline_core::id::MessageId;
    use threadline_core::rule::{LogMode, Rule};
    use threadline_store::message;
    use threadline_store::place::{self, Place};

    fn passing(world: &World, id: Option<&str>, switch: Option<Switch>) -> Passing {
        Passing {
            mailbox: world.mailbox.id,
            message_id: id.and_then(MessageId::parse),
            switch,
            recipients: vec!["carl@customer.example".to_owned()],
        }
    }

    fn rule(world: &World, uid: u32) -> Rule {
        let place = Place { folder: world.sent, uidvalidity: 1, uid };
        let read = move |tx: &Tx<'_>| {
            let id = place::message_at(tx, place)?.unwrap();
            Ok(message::get(tx, id)?.unwrap().rule)
        };
        world.mailbox.shared.ledger.read_blocking(read).unwrap()
    }

    #[tokio::test]
    async fn what_was_said_is_kept_before_the_end_and_decides_when_the_copy_comes_up() {
        let world = World::new(LogMode::EveryoneOutside, &[]);
        let providers = Providers::new(Arc::clone(&world.mailbox.shared)).await.unwrap();
        let mut events = world.mailbox.shared.events.subscribe();
        // Killed behind it: what came of the mail is never stored.
        providers.before_end(&passing(&world, Some("1@x"), Some(Switch::NoLog))).await.unwrap();
        let yes = passing(&world, Some("2@x"), Some(Switch::Log));
        providers.before_end(&yes).await.unwrap();
        providers.ended(&yes, &Outcome::Accepted).await;
        let refused = passing(&world, Some("3@x"), Some(Switch::NoLog));
        providers.before_end(&refused).await.unwrap();
        providers.ended(&refused, &Outcome::Refused(Answer::new(550, "no"))).await;
        for uid in 1..=3 {
            world.sends(uid, "carl@customer.example");
        }
        assert_eq!(rule(&world, 1), Rule::RelayNoLog);
        assert_eq!(rule(&world, 2), Rule::RelayLog);
        assert_eq!(
            rule(&world, 3),
            Rule::SentToOutsider,
            "the person took the switch away, and it was sent so"
        );
        let told: Vec<_> = std::iter::from_fn(|| events.try_recv().ok())
            .filter_map(|event| match event {
                Event::Relayed { outcome, code, recipients, .. } => Some((outcome, code, recipients)),
                _ => None,
            })
            .collect();
        assert_eq!(told, [(RelayOutcome::Accepted, None, 1), (RelayOutcome::Refused, Some(550), 1)]);
    }

    #[tokio::test]
    async fn a_word_that_cannot_be_kept_stops_the_mail() {
        let world = World::new(LogMode::EveryoneOutside, &[]);
        let providers = Providers::new(Arc::clone(&world.mailbox.shared)).await.unwrap();
        providers.before_end(&passing(&world, None, None)).await.unwrap();
        let refused = providers.before_end(&passing(&world, None, Some(Switch::Log))).await.unwrap_err();
        assert_eq!(refused.code, 554);
        // A mailbox that is gone has no server, and none is asked.
        let refused = providers.open(world.mailbox.id + 1).await.map(drop).unwrap_err();
        assert_eq!(refused.code, 451);
    }

    #[tokio::test]
    async fn what_a_provider_offers_is_remembered() {
        let world = World::new(LogMode::EveryoneOutside, &[]);
        let shared = || Arc::clone(&world.mailbox.shared);
        let offers = Offers { size: Some(7), eight_bit: true, ..Offers::default() };
        let providers = Providers::new(shared()).await.unwrap();
        assert_eq!(providers.offers(1), Offers::default());
        providers.remember(1, offers).await;
        assert_eq!(Providers::new(shared()).await.unwrap().offers(1), offers);
    }
}
