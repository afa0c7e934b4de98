//! What is at work, counted, so that an end can be waited for.

use std::sync::Arc;
use tokio::sync::watch;

/// How much is at work: tasks, and calls of the keychain.
#[derive(Debug, Clone)]
pub(crate) struct Works(Arc<watch::Sender<usize>>);

impl Default for Works {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Works {
    /// Counts as at work until what it gives is dropped.
    pub fn begin(&self) -> AtWork {
        self.0.send_modify(|count| *count += 1);
        AtWork(self.clone())
    }

    /// Waits until nothing is at work.
    pub async fn rest(&self) {
        // The sender lives as long as this does.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

/// Something at work, until it is dropped.
#[derive(Debug)]
pub(crate) struct AtWork(Works);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}
