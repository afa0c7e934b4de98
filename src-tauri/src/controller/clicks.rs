//! What a click in the tray or on a notification does, and the diagnostics.

use super::{Controller, Topic};
use crate::desk::{Desk as _, Opener};
use crate::desktop::Desktop;
use crate::error::AppError;
use crate::notify::Notice;
use crate::tray::menu::Action;
use crate::views::App;
use threadline_engine::diagnostics::{self, BundleFile};
use threadline_engine::logs;

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
        let text = diagnostics::as_text(&self.bundle().await);
        self.parts.desktop.copy(text)
    }

    pub(super) async fn bundle(&mut self) -> Vec<BundleFile> {
        let desk = self.ears.desk.borrow().clone();
        let known = match desk {
            Some(desk) => desk.for_diagnostics().await.ok(),
            None => None,
        };
        let log = logs::as_text(&self.parts.logs.after(None));
        diagnostics::make(&about(&self.app()), &log, known.as_ref())
    }
}

/// What the app says of itself.
fn about(app: &App) -> String {
    format!(
        "data folder: {}\nengine: {}\nmissing: {:?}\napp: {}\n",
        app.data_dir,
        serde_json::to_string(&app.engine).unwrap_or_default(),
        app.missing,
        serde_json::to_string(&app.settings).unwrap_or_default(),
    )
}
