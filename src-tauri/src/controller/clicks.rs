//! What a click in the tray or on a notification does, and the diagnostics.

use super::{Controller, Topic};
use crate::desk::{Desk as _, Opener, broke_off};
use crate::desktop::Desktop;
use crate::error::AppError;
use crate::notify::Notice;
use crate::tray::menu::Action;
use crate::views::App;
use std::future::Future;
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
                self.copying = Some(tokio::spawn(self.bundle()));
                Ok(())
            }
            // Heard by `run`, which ends on it.
            Action::Quit => Ok(()),
        };
        self.tell_refused(done);
        self.gather(Topic::Status);
    }

    fn tell_refused(&mut self, done: Result<(), AppError>) {
        if let Err(error) = done {
            // Nothing vanishes: the person is told why.
            tracing::warn!(code = %error.code, "a click in the tray was refused");
            self.notify(&Notice::Refused { error });
        }
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

    /// The diagnostics that a click asked for are made.
    pub(super) fn copy(&mut self, files: Result<Vec<BundleFile>, AppError>) {
        let copied = files.and_then(|files| self.parts.desktop.copy(diagnostics::as_text(&files)));
        let told = copied.map(|()| self.notify(&Notice::Copied));
        self.tell_refused(told);
    }

    /// Makes the diagnostics, which takes seconds where much is logged: nothing waits for it here.
    pub(super) fn bundle(
        &self,
    ) -> impl Future<Output = Result<Vec<BundleFile>, AppError>> + Send + use<O, D> {
        let (desk, logs, about) =
            (self.ears.desk.borrow().clone(), self.parts.logs.clone(), about(&self.app()));
        async move {
            let known = match desk {
                Some(desk) => desk.for_diagnostics().await.ok(),
                None => None,
            };
            let make = move || diagnostics::make(&about, &logs::as_text(&logs.after(None)), known.as_ref());
            tokio::task::spawn_blocking(make).await.map_err(|_| broke_off())
        }
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
