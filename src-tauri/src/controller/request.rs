//! What the controller is asked, and how its answer comes back.

use super::not_running;
use crate::error::AppError;
use crate::locale::Locale;
use crate::settings::AppSettings;
use crate::tray::menu::Action;
use crate::views::{App, EngineState, PauseFor, Route};
use threadline_core::address::Address;
use threadline_engine::diagnostics::{self, BundleFile};
use threadline_engine::views::Status;
use tokio::sync::{mpsc, oneshot, watch};

/// Where an answer goes.
#[derive(Debug)]
pub struct Reply<T>(oneshot::Sender<T>);

impl<T> Reply<T> {
    /// Whoever asked may have gone.
    pub(super) fn give(self, answer: T) {
        let _ = self.0.send(answer);
    }
}

/// One request.
#[derive(Debug)]
pub enum Request {
    App(Reply<App>),
    Settings(AppSettings, Reply<Result<App, AppError>>),
    /// Ends the engine and opens it again.
    Restart(Reply<App>),
    Status(Reply<Result<Status, AppError>>),
    /// One mailbox, or all; without a span the pause is taken back.
    Pause {
        address: Option<Address>,
        span: Option<PauseFor>,
        reply: Reply<Result<Status, AppError>>,
    },
    /// Opens the window, at this place.
    Open(Option<Route>),
    /// The person closed the window; without a tray it was minimised.
    Closed {
        minimised: bool,
    },
    /// A click in the tray or on a notification.
    Menu(Action),
    /// The desktop has another tray or colour than before.
    DesktopChanged,
    Bundle(Reply<Result<Vec<BundleFile>, AppError>>),
    /// Copies a text.
    Copy(String, Reply<Result<(), AppError>>),
    /// Deletes everything that is kept on this computer.
    Wipe(Reply<Result<App, AppError>>),
    /// The language in force.
    Texts(Reply<Locale>),
}

/// The way to the controller, and to the engine while it runs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle<E> {
    requests: mpsc::UnboundedSender<Request>,
    desk: watch::Receiver<Option<E>>,
}

/// The controller's end of the way to it.
#[derive(Debug)]
pub struct Ears<E> {
    pub(super) requests: mpsc::UnboundedReceiver<Request>,
    pub(super) desk: watch::Sender<Option<E>>,
}

/// The way to a controller that is about to be made.
pub fn channel<E>() -> (Handle<E>, Ears<E>) {
    let (sender, requests) = mpsc::unbounded_channel();
    let (running, desk) = watch::channel(None);
    (Handle { requests: sender, desk }, Ears { requests, desk: running })
}

impl<E: Clone> Handle<E> {
    /// Tells without waiting for anything. After the end nobody hears it.
    pub fn tell(&self, request: Request) {
        let _ = self.requests.send(request);
    }

    /// The engine; refused with the cause where it does not run.
    pub async fn engine(&self) -> Result<E, AppError> {
        let running = self.desk.borrow().clone();
        match running {
            Some(engine) => Ok(engine),
            None => Err(not_running(&self.app().await?.engine)),
        }
    }

    pub async fn app(&self) -> Result<App, AppError> {
        self.ask(Request::App).await
    }

    pub async fn set_settings(&self, settings: AppSettings) -> Result<App, AppError> {
        self.ask(|reply| Request::Settings(settings, reply)).await?
    }

    pub async fn restart(&self) -> Result<App, AppError> {
        self.ask(Request::Restart).await
    }

    pub async fn status(&self) -> Result<Status, AppError> {
        self.ask(Request::Status).await?
    }

    pub async fn pause(&self, address: Option<Address>, span: Option<PauseFor>) -> Result<Status, AppError> {
        self.ask(|reply| Request::Pause { address, span, reply }).await?
    }

    pub async fn bundle(&self) -> Result<Vec<BundleFile>, AppError> {
        self.ask(Request::Bundle).await?
    }

    pub async fn copy_diagnostics(&self) -> Result<(), AppError> {
        let text = diagnostics::as_text(&self.bundle().await?);
        self.ask(|reply| Request::Copy(text, reply)).await?
    }

    pub async fn wipe(&self) -> Result<App, AppError> {
        self.ask(Request::Wipe).await?
    }

    pub async fn locale(&self) -> Result<Locale, AppError> {
        self.ask(Request::Texts).await
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, AppError> {
        let (reply, answer) = oneshot::channel();
        self.tell(request(Reply(reply)));
        // Without an answer the program is about to end.
        answer.await.map_err(|_| not_running(&EngineState::Starting))
    }
}
