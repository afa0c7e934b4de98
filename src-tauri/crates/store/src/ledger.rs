//! The ledger's threads: one that writes, a few that read.

use crate::error::StoreError;
use crate::key::Key;
use crate::tx::{Salt, Tx};
use crate::{open, setting};
use rusqlite::{Connection, TransactionBehavior};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Readers beside the writer. Two, so that a long export does not stop the window.
const READERS: usize = 2;

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
    /// Everything is taken back at the end.
    Rehearsal,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The open ledger. Clones share it; when the last one is dropped, its threads end and the file is closed.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    path: PathBuf,
    salt: Salt,
    /// Set when a page was found damaged. SQLCipher's connection is of no use from then on, and a damaged file is better
    /// not written to.
    damaged: Arc<AtomicBool>,
    // The readers close first: the last connection to close tidies the WAL away, and only the writer may.
    readers: Lane,
    writer: Lane,
}

impl Ledger {
    /// Opens the ledger, or makes it where there is none. The folder must exist.
    ///
    /// A file that does not open with this key, or that a newer version wrote, is left as it is.
    pub fn open(path: &Path, key: &Key) -> Result<Self, StoreError> {
        Self::open_lanes(path, key).map_err(|error| error.at(path))
    }

    fn open_lanes(path: &Path, key: &Key) -> Result<Self, StoreError> {
        let mut writer = open::writer(path, key)?;
        let salt = setting::salt(&mut writer)?;
        let readers = (0..READERS).map(|_| open::reader(path, key)).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            salt,
            damaged: Arc::default(),
            readers: Lane::start("ledger-reader", readers, path)?,
            writer: Lane::start("ledger-writer", vec![writer], path)?,
        })))
    }

    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Runs `f` in one immediate transaction on the writer thread. `Ok` is committed and on the disk when this returns;
    /// an `Err` or a panic is rolled back. Once polled it runs to its end, even when the future is dropped.
    pub async fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = self.job(Kind::Write, f, move |result| {
            // Nobody listening is no error: the caller was dropped.
            let _ = answer.send(result);
        });
        self.0.writer.send(job)?;
        self.located(answered.await.unwrap_or(Err(StoreError::Closed)))
    }

    /// As [`Ledger::write`], and takes back what `f` wrote: what would happen. Other writers wait meanwhile.
    pub async fn rehearse<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = self.job(Kind::Rehearsal, f, move |result| {
            let _ = answer.send(result);
        });
        self.0.writer.send(job)?;
        self.located(answered.await.unwrap_or(Err(StoreError::Closed)))
    }

    /// Brings everything into the file itself and empties its side file, which keeps older pages. Waits for whoever reads.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |conn| {
            let _ = answer.send(open::checkpoint(conn));
        });
        self.0.writer.send(job)?;
        self.located(answered.await.unwrap_or(Err(StoreError::Closed)))
    }

    /// Runs `f` on one of the readers, over one consistent state of the file. A write in `f` fails.
    pub async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = self.job(Kind::Read, f, move |result| {
            let _ = answer.send(result);
        });
        self.0.readers.send(job)?;
        self.located(answered.await.unwrap_or(Err(StoreError::Closed)))
    }

    /// [`Ledger::write`] for callers without a runtime. It blocks its thread.
    pub fn write_blocking<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = channel();
        let job = self.job(Kind::Write, f, move |result| {
            let _ = answer.send(result);
        });
        self.0.writer.send(job)?;
        self.located(answered.recv().unwrap_or(Err(StoreError::Closed)))
    }

    /// [`Ledger::read`] for callers without a runtime. It blocks its thread.
    pub fn read_blocking<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = channel();
        let job = self.job(Kind::Read, f, move |result| {
            let _ = answer.send(result);
        });
        self.0.readers.send(job)?;
        self.located(answered.recv().unwrap_or(Err(StoreError::Closed)))
    }

    fn job<T: Send + 'static>(
        &self,
        kind: Kind,
        f: impl FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
        answer: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Job {
        let salt = self.0.salt.clone();
        let damaged = self.0.damaged.clone();
        Box::new(move |conn| {
            if damaged.load(Ordering::Relaxed) {
                return answer(Err(StoreError::Corrupt { path: PathBuf::new() }));
            }
            let result = in_transaction(conn, kind, &salt, f);
            if matches!(result, Err(StoreError::Corrupt { .. })) {
                damaged.store(true, Ordering::Relaxed);
            }
            answer(result);
        })
    }

    fn located<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        result.map_err(|error| error.at(&self.0.path))
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ledger").field(&self.0.path).finish()
    }
}

fn in_transaction<T>(
    conn: &mut Connection,
    kind: Kind,
    salt: &Salt,
    f: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    // Dropped without a commit, it rolls back.
    let behavior = match kind {
        Kind::Read => TransactionBehavior::Deferred,
        Kind::Write | Kind::Rehearsal => TransactionBehavior::Immediate,
    };
    let transaction = conn.transaction_with_behavior(behavior)?;
    let result = catch_unwind(AssertUnwindSafe(|| f(&Tx::new(&transaction, salt))));
    let value = result.unwrap_or(Err(StoreError::Panicked))?;
    match kind {
        Kind::Read | Kind::Write => transaction.commit()?,
        Kind::Rehearsal => transaction.rollback()?,
    }
    Ok(value)
}

/// Threads that take jobs from one queue, each with a connection of its own.
struct Lane {
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Lane {
    fn start(name: &str, connections: Vec<Connection>, path: &Path) -> Result<Self, StoreError> {
        let (sender, receiver) = channel::<Job>();
        let queue = Arc::new(Mutex::new(receiver));
        let mut lane = Self { jobs: Some(sender), threads: Vec::new() };
        for mut conn in connections {
            let queue = queue.clone();
            let thread = std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || {
                    while let Some(job) = next(&queue) {
                        job(&mut conn);
                    }
                })
                .map_err(|source| StoreError::CannotOpen { path: path.to_owned(), source })?;
            lane.threads.push(thread);
        }
        Ok(lane)
    }

    fn send(&self, job: Job) -> Result<(), StoreError> {
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.send(job).map_err(|_| StoreError::Closed)
    }
}

/// The next job; `None` when the ledger was closed. The lock is free again while the job runs.
fn next(queue: &Mutex<Receiver<Job>>) -> Option<Job> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.jobs = None;
        let own = std::thread::current().id();
        for thread in self.threads.drain(..) {
            // The last clone may have been held by a job, and a thread cannot wait for itself.
            if thread.thread().id() != own && thread.join().is_err() {
                tracing::error!("a thread of the ledger ended by a panic");
            }
        }
    }
}
