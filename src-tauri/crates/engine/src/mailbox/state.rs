//! How a mailbox is, channel by channel.

use super::{Mailbox, Watched};
use crate::broken::Broken;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use threadline_core::arrival::Role;
use threadline_core::health::{Channel, Health, State};
use threadline_core::reason::{Phase, Reason};
use threadline_mail::watch::News;
use threadline_store::StoreError;

impl Mailbox {
    /// A folder that the server refuses makes its channel's state, though the connection goes on without it.
    pub(super) async fn note_refused(
        &self,
        watched: &[Watched],
        news: &News,
        refused: &mut Vec<Channel>,
    ) -> Result<(), StoreError> {
        let News::Refused { target, error } = news else { return Ok(()) };
        let state = if error.is_transient() { State::Retrying } else { State::NeedsAttention };
        let why = (error.reason, Some(error.phase), error.evidence.words.clone());
        for channel in channels(watched.get(*target..=*target).unwrap_or_default()) {
            self.set_channel(channel, state, Some(why.clone()), None).await?;
            refused.push(channel);
        }
        Ok(())
    }

    pub(super) async fn tell_broken(&self, broken: &Broken, state: State, wait: Option<Duration>) {
        let (reason, phase, words) = broken.why();
        self.tell_both(state, (reason, phase, words), wait).await;
    }

    /// This computer itself has no way to the server.
    pub(super) async fn tell_away(&self, reason: Reason, wait: Option<Duration>) {
        self.tell_both(State::Offline, (reason, None, String::new()), wait).await;
    }

    async fn tell_both(&self, state: State, why: (Reason, Option<Phase>, String), wait: Option<Duration>) {
        let next_try = wait
            .and_then(|w| SignedDuration::try_from(w).ok())
            .and_then(|w| self.shared.clock.now().checked_add(w).ok());
        for channel in [Channel::Inbox, Channel::Sent] {
            let told = self.set_channel(channel, state, Some(why.clone()), next_try).await;
            if let Err(error) = told {
                tracing::error!(code = error.code(), "the state of a mailbox could not be stored");
            }
        }
    }

    pub(super) async fn set_state(
        &self,
        state: State,
        next_try: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        for channel in [Channel::Inbox, Channel::Sent] {
            self.set_channel(channel, state, None, next_try).await?;
        }
        Ok(())
    }

    pub(super) async fn set_channel(
        &self,
        channel: Channel,
        state: State,
        why: Option<(Reason, Option<Phase>, String)>,
        next_try: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let (reason, phase, words) = match why {
            Some((reason, phase, words)) => (Some(reason), phase, words),
            None => (None, None, String::new()),
        };
        let health = Health {
            channel,
            state,
            phase,
            reason,
            since: self.shared.clock.now(),
            evidence: (!words.is_empty()).then_some(words),
            next_try,
        };
        self.shared.set_health(self.id, &self.settings.address, health).await
    }
}

/// The channels that a connection stands for.
pub(super) fn channels(watched: &[Watched]) -> Vec<Channel> {
    let mut all = Vec::new();
    for folder in watched {
        let of_row: &[Channel] = match folder.row.role {
            Role::Inbox | Role::Other => &[Channel::Inbox],
            Role::Sent => &[Channel::Sent],
            Role::All => &[Channel::Inbox, Channel::Sent],
        };
        for channel in of_row {
            if !all.contains(channel) {
                all.push(*channel);
            }
        }
    }
    all
}
