//! Runs blocking calls on a thread of its own, with a time limit: a keychain can hang for as long as nobody answers its
//! question.

use crate::SecretError;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

type Job = Box<dyn FnOnce() + Send>;

/// One thread, which takes jobs in turn.
#[derive(Debug)]
pub(crate) struct Worker {
    jobs: Mutex<Sender<Job>>,
    patience: Duration,
}

impl Worker {
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(patience: Duration) -> Result<Self, SecretError> {
        let (jobs, queue) = mpsc::channel::<Job>();
        std::thread::Builder::new()
            .name("keychain".into())
            .spawn(move || queue.into_iter().for_each(|job| job()))
            .map_err(|e| SecretError::Other { words: e.to_string() })?;
        Ok(Self { jobs: Mutex::new(jobs), patience })
    }

    /// Runs one job and waits for it. A job that was given up before its turn is never run, so that no write comes late.
    pub fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, SecretError> + Send + 'static,
    ) -> Result<T, SecretError> {
        let (answer, waiting) = mpsc::channel();
        let wanted = Arc::new(());
        let still = Arc::downgrade(&wanted);
        let task: Job = Box::new(move || {
            if still.upgrade().is_some() {
                // Nobody waits any more where this fails.
                let _ = answer.send(job());
            }
        });
        let sent = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).send(task);
        sent.map_err(|_| ended())?;
        waiting.recv_timeout(self.patience).map_err(|e| match e {
            RecvTimeoutError::Timeout => SecretError::TimedOut { after: self.patience },
            RecvTimeoutError::Disconnected => ended(),
        })?
    }
}

fn ended() -> SecretError {
    SecretError::Other { words: "the keychain's thread ended".into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn a_call_that_hangs_is_given_up_and_what_waited_behind_it_never_runs() {
        let worker = Worker::start(Duration::from_millis(50)).unwrap();
        let (release, hung) = mpsc::channel::<()>();
        let timed_out = SecretError::TimedOut { after: Duration::from_millis(50) };
        let first = worker.run(move || hung.recv().map_err(|_| ended()));
        assert_eq!(first, Err(timed_out.clone()));
        let ran = Arc::new(AtomicBool::new(false));
        let late = ran.clone();
        let second = worker.run(move || {
            late.store(true, Ordering::SeqCst);
            Ok(())
        });
        assert_eq!(second, Err(timed_out));
        release.send(()).unwrap();
        // The thread has passed the abandoned job when it has done this one.
        while worker.run(|| Ok(())).is_err() {}
        assert!(!ran.load(Ordering::SeqCst));
    }

    #[test]
    fn a_panic_in_the_library_is_an_error_here() {
        let worker = Worker::start(Duration::from_secs(60)).unwrap();
        let broken: Result<(), _> = worker.run(|| panic!("as the library does on a broken lock"));
        assert_eq!(broken, Err(ended()));
        assert_eq!(worker.run(|| Ok(())), Err(ended()));
    }
}
