//! Waiting is passed in, so that a test turns the clock instead of sleeping.

use std::time::Duration;

/// Waits.
#[async_trait::async_trait]
pub trait Timer: Send + Sync + std::fmt::Debug {
    async fn sleep(&self, duration: Duration);
}

/// The runtime's own timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioTimer;

#[async_trait::async_trait]
impl Timer for TokioTimer {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
