//! The engine's life: opened, at work, ended; and tried again where waiting can help.

use crate::desk::{Closed, Desk, Opener, broke_off};
use crate::error::AppError;
use std::time::Duration;
use threadline_engine::Event;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Between two looks at a data folder that another program has, and the first pause for a keychain.
const AGAIN: Duration = Duration::from_secs(2);
/// The longest pause for a keychain: each look can bring up its question for the password.
const MOST: Duration = Duration::from_secs(60);
/// Between two tries where the disk is at fault.
const DISK: Duration = Duration::from_secs(60);
/// How long what is ended may take to leave.
const LEAVING: Duration = Duration::from_secs(10);

/// Where the engine is in its life.
#[derive(Debug)]
pub(super) enum Life<E> {
    /// It is to be opened at this moment.
    Ahead {
        at: Instant,
        pause: Duration,
    },
    Opening {
        task: JoinHandle<Result<E, Closed>>,
        pause: Duration,
    },
    Working {
        desk: E,
        work: JoinHandle<AppError>,
        events: broadcast::Receiver<Event>,
    },
    /// A person has to start it again.
    Over,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Change<E> {
    Opened(E),
    Closed(Closed),
    Ended(AppError),
    Happened(Event),
}

impl<E: Desk> Life<E> {
    pub fn begin() -> Self {
        Life::Ahead { at: Instant::now(), pause: AGAIN }
    }

    /// Waits for the next change. Nothing is lost where the future is dropped before it ends.
    pub async fn next<O: Opener<Desk = E>>(&mut self, opener: &O) -> Change<E> {
        loop {
            match self {
                Life::Ahead { at, pause } => {
                    tokio::time::sleep_until(*at).await;
                    let opener = opener.clone();
                    let task = tokio::spawn(async move { opener.open().await });
                    *self = Life::Opening { task, pause: *pause };
                }
                Life::Opening { task, pause } => {
                    let opened = task.await.unwrap_or_else(|_| Err(Closed::Refused(broke_off())));
                    let pause = *pause;
                    return match opened {
                        Ok(desk) => {
                            *self = Life::work(&desk);
                            Change::Opened(desk)
                        }
                        Err(closed) => {
                            *self = Life::after(&closed, pause);
                            Change::Closed(closed)
                        }
                    };
                }
                Life::Working { work, events, .. } => {
                    let ended = tokio::select! {
                        event = events.recv() => match event {
                            Ok(event) => return Change::Happened(event),
                            Err(RecvError::Lagged(events)) => {
                                return Change::Happened(Event::Missed { events });
                            }
                            // Nothing is told any more: it is about to end.
                            Err(RecvError::Closed) => (&mut *work).await,
                        },
                        ended = &mut *work => ended,
                    };
                    let error = ended.unwrap_or_else(|_| broke_off());
                    *self = Life::once_more(&error);
                    return Change::Ended(error);
                }
                Life::Over => std::future::pending().await,
            }
        }
    }

    fn work(desk: &E) -> Self {
        let (events, worker) = (desk.events(), desk.clone());
        Life::Working { desk: desk.clone(), work: tokio::spawn(async move { worker.work().await }), events }
    }

    fn after(closed: &Closed, pause: Duration) -> Self {
        let at = Instant::now() + pause;
        match closed {
            Closed::Held { .. } => Life::Ahead { at, pause: AGAIN },
            Closed::Keychain { .. } => Life::Ahead { at, pause: (2 * pause).min(MOST) },
            Closed::Refused(error) => Life::once_more(error),
        }
    }

    /// A disk gets room again, or is connected again. All else waits for a person.
    fn once_more(error: &AppError) -> Self {
        let disk = ["ledger_disk_full", "ledger_disk_fails", "ledger_busy", "ledger_cannot_open"];
        match disk.contains(&error.code.as_str()) {
            true => Life::Ahead { at: Instant::now() + DISK, pause: AGAIN },
            false => Life::Over,
        }
    }

    /// Ends the engine and waits until it is gone, so that nothing of it meets the next one.
    pub async fn end(&mut self) {
        match std::mem::replace(self, Life::Over) {
            Life::Opening { task, .. } => {
                task.abort();
                let _ = task.await;
            }
            Life::Working { desk, work, .. } => {
                work.abort();
                let _ = work.await;
                // A keychain that waits for a person can hold it up: then it is left behind.
                let _ = tokio::time::timeout(LEAVING, desk.gone()).await;
            }
            Life::Ahead { .. } | Life::Over => {}
        }
    }
}
