//! The HTML of a logged message, as it may be shown.

use crate::engine::Engine;
use crate::error::EngineError;
use std::time::Duration;
use threadline_core::inline;
use threadline_core::message::Body;
use threadline_html::{MessageHtml, clean};
use threadline_store::body;
use tokio::sync::Semaphore;

/// Longest time that a mail is worked on; afterwards its plain text is shown.
const LIMIT: Duration = Duration::from_secs(5);
/// Mails that are worked on at once. One whose time is over keeps its place until it ends.
static PLACES: Semaphore = Semaphore::const_new(2);

impl Engine {
    /// The HTML of a message, cleaned, for a frame with `sandbox`; see [`threadline_html`]. `html` is empty where the
    /// message has none or its text is not here, and also (then with `cut`) where it takes more than five seconds: its plain
    /// text is to be shown. Fails only where the ledger cannot be read.
    pub async fn message_html(&self, message: i64) -> Result<MessageHtml, EngineError> {
        let Some(body) = self.ledger().read(move |tx| body::get(tx, message)).await? else {
            return Ok(clean("", &[]));
        };
        let shown = within(LIMIT, &PLACES, move || {
            let html = Body::parse(&body.raw).html.unwrap_or_default();
            clean(&html, &inline::parts(&body.raw))
        });
        Ok(shown.await)
    }
}

/// Does the work on a thread where it blocks nobody. Gives up where it takes longer, or panics.
async fn within(
    limit: Duration,
    places: &'static Semaphore,
    work: impl FnOnce() -> MessageHtml + Send + 'static,
) -> MessageHtml {
    let worked = async {
        let place = places.acquire().await.ok()?;
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        done.await.ok()
    };
    match tokio::time::timeout(limit, worked).await {
        Ok(Some(shown)) => shown,
        Ok(None) | Err(_) => {
            tracing::warn!("the HTML of a message could not be cleaned; its plain text is shown");
            MessageHtml::given_up()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn what_takes_too_long_is_given_up_and_keeps_its_place() {
        static ONE: Semaphore = Semaphore::const_new(1);
        let (let_go, held) = mpsc::channel::<()>();
        let (started, begun) = tokio::sync::oneshot::channel();
        let slow = tokio::spawn(within(Duration::from_millis(200), &ONE, move || {
            let _ = started.send(());
            let _ = held.recv();
            clean("late", &[])
        }));
        begun.await.unwrap();
        assert!(slow.await.unwrap() == MessageHtml::given_up());
        assert_eq!(ONE.available_permits(), 0);
        assert!(within(Duration::ZERO, &ONE, || clean("next", &[])).await == MessageHtml::given_up());
        drop(let_go);
        let next = within(LIMIT, &ONE, || clean("<b>next</b>", &[])).await;
        assert!(next.html.contains("<b>next</b>") && !next.cut);
    }

    #[tokio::test]
    async fn what_panics_is_given_up() {
        static ONE: Semaphore = Semaphore::const_new(1);
        let shown = within(LIMIT, &ONE, || std::panic::panic_any("on purpose")).await;
        assert!(shown == MessageHtml::given_up());
        assert_eq!(ONE.available_permits(), 1);
    }
}
