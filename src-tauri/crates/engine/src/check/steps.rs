//! The steps of a check, told as they go.

use super::{CheckState, CheckStep, CheckStepName, Found};
use crate::error::EngineError;
use std::time::Instant;
use threadline_core::reason::Reason;
use threadline_mail::error::MailError;

/// Why the IMAP steps ended early.
pub(super) enum Stopped {
    /// At this error, which is told.
    Mail(MailError),
    /// At something that is told.
    Told,
    Engine(EngineError),
}

impl From<EngineError> for Stopped {
    fn from(error: EngineError) -> Self {
        Stopped::Engine(error)
    }
}

/// What was told so far.
pub(super) struct Steps<F> {
    /// Steps that have ended.
    told: Vec<CheckStep>,
    /// When the present one began.
    begun: Instant,
    /// The folders that can be named as that of sent mail, by their names, where they were seen.
    pub(super) nameable: Vec<String>,
    on_step: F,
}

impl<F: FnMut(CheckStep) + Send> Steps<F> {
    pub(super) fn new(on_step: F) -> Self {
        Self { told: Vec::new(), begun: Instant::now(), nameable: Vec::new(), on_step }
    }

    pub(super) fn tell(&mut self, step: CheckStep) {
        if step.state != CheckState::Running {
            let reason = step.reason.map(Reason::code);
            tracing::debug!(step = ?step.step, state = ?step.state, ms = step.ms, reason, "a step of the check");
            self.told.push(step.clone());
        }
        (self.on_step)(step);
    }

    pub(super) fn begin(&mut self, step: CheckStepName) {
        self.begun = Instant::now();
        let state = CheckState::Running;
        self.tell(CheckStep { step, state, ms: None, words: None, found: None, reason: None });
    }

    pub(super) fn done(
        &mut self,
        step: CheckStepName,
        state: CheckState,
        words: &str,
        reason: Option<Reason>,
    ) {
        self.end(step, state, words, None, reason);
    }

    fn end(
        &mut self,
        step: CheckStepName,
        state: CheckState,
        words: &str,
        found: Option<Found>,
        reason: Option<Reason>,
    ) {
        let ms = Some(u32::try_from(self.begun.elapsed().as_millis()).unwrap_or(u32::MAX));
        let words = Some(words.to_owned()).filter(|words| !words.is_empty());
        self.tell(CheckStep { step, state, ms, words, found, reason });
    }

    /// It is well, and this was found.
    pub(super) fn found(&mut self, step: CheckStepName, found: Found) {
        self.end(step, CheckState::Ok, "", Some(found), None);
    }

    /// A setting is at fault, and no server.
    pub(super) fn unusable(
        &mut self,
        step: CheckStepName,
        code: &str,
        message: &str,
        values: Vec<(&'static str, String)>,
    ) {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let found = Found::Unusable { code: code.to_owned(), message: message.to_owned(), values };
        self.end(step, CheckState::Failed, "", Some(found), Some(Reason::SettingUnusable));
    }

    /// The words are the server's, the CRM's or the keychain's own, where they said any.
    pub(super) fn fail_for(&mut self, step: CheckStepName, error: &EngineError) {
        match error {
            EngineError::Mail(error) => self.fail(step, error.reason, &error.evidence.words),
            EngineError::Crm(error) => self.fail(step, error.reason, &error.words),
            EngineError::Secret(error) => self.fail(step, error.code(), error.words()),
            other => self.unusable(step, other.code(), &other.to_string(), other.values()),
        }
    }

    pub(super) fn fail(&mut self, step: CheckStepName, reason: Reason, words: &str) {
        self.done(step, CheckState::Failed, words, Some(reason));
    }

    pub(super) fn fail_by(&mut self, step: CheckStepName, error: MailError) -> Stopped {
        self.fail(step, error.reason, &error.evidence.words);
        Stopped::Mail(error)
    }

    pub(super) fn skip(&mut self, step: CheckStepName) {
        let state = CheckState::Skipped;
        self.tell(CheckStep { step, state, ms: None, words: None, found: None, reason: None });
    }

    /// Every step as it ended, in the order of [`CheckStepName::ALL`].
    pub(super) fn in_order(self) -> Vec<CheckStep> {
        let mut told = self.told;
        told.sort_by_key(|told| CheckStepName::ALL.iter().position(|name| *name == told.step));
        told
    }

    /// Skips what was not tried, of all that stands before this step.
    pub(super) fn skip_until(&mut self, end: CheckStepName) {
        for step in CheckStepName::ALL.into_iter().take_while(|step| *step != end) {
            if !self.told.iter().any(|told| told.step == step) {
                self.skip(step);
            }
        }
    }
}
