//! What a click in the tray or on a notification does, and the diagnostics.

use super::{Controller, Topic};
use crate::bundle::{self, BundleFile};
use crate::desk::{Desk as _, Opener};
use crate::desktop::Desktop;
use crate::error::AppError;
use crate::notify::Notice;
use crate::redact::Private;
use crate::tray::menu::Action;

impl<O: Opener, D: Desktop> Controller<O, D> {
    pub(super) async fn click(&mut self, action: Action) {
        let done = match action {
            Action::Open(route) => {
                self.open(route);
                Ok(())
            }
            Action::Pause(span) => self.pause(None, Some(span)).await,
            Action::Resume => self.pause(None, None).await,
            Action::StopLogging => self.set_logging(false).await,
            Action::LogAgain => self.set_logging(true).await,
            Action::CopyDiagnostics => {
                let copied = self.copy_diagnostics().await;
                copied.map(|()| self.notify(&Notice::Copied))
            }
            // Heard by `run`, which ends on it.
            Action::Quit => Ok(()),
        };
        if let Err(error) = done {
            // Nothing vanishes: the person is told why.
            tracing::warn!(code = %error.code, "a click in the tray was refused");
            self.notify(&Notice::Refused { error });
        }
        self.gather(Topic::Status);
    }

    async fn set_logging(&mut self, on: bool) -> Result<(), AppError> {
        let contact = if on { self.stopped.clone() } else { self.last_contact.clone() };
        let Some(contact) = contact else { return Ok(()) };
        self.desk()?.set_logging(&contact, on).await?;
        if !on {
            let who = contact.name.clone().unwrap_or_else(|| contact.address.to_string());
            self.notify(&Notice::LoggingStopped { who });
        }
        self.stopped = (!on).then_some(contact);
        self.show_tray();
        Ok(())
    }

    pub(super) async fn copy_diagnostics(&mut self) -> Result<(), AppError> {
        let text = bundle::as_text(&self.bundle().await);
        self.parts.desktop.copy(text)
    }

    pub(super) async fn bundle(&mut self) -> Vec<BundleFile> {
        // What cannot be read is missing in the bundle; the engine's state in it says why.
        let _ = self.refresh().await;
        let desk = self.ears.desk.borrow().clone();
        let words = match desk {
            Some(desk) => desk.private_words().await.ok(),
            None => None,
        };
        // The servers' own words are shown only where it is known what is private in them.
        let status = self.status.as_ref().filter(|_| words.is_some());
        let mailboxes = status.iter().flat_map(|s| &s.mailboxes).map(|m| m.address.to_string()).collect();
        let private = Private { mailboxes, words: words.unwrap_or_default(), home: home_folder() };
        bundle::make(&self.app(), status, &self.parts.logs, &private)
    }
}

/// The person's own folder, whose name is mostly theirs.
fn home_folder() -> Option<String> {
    let home = std::env::home_dir()?;
    home.to_str().map(str::to_owned)
}
