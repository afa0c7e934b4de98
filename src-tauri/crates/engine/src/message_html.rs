//! The HTML of a logged message, as it may be shown.

use crate::engine::Engine;
use crate::error::EngineError;
use std::time::Duration;
use threadline_core::inline;
use threadline_core::message::Body;
use threadline_html::{MessageHtml, clean};
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
        let Some(raw) = self.raw(message).await? else { return Ok(clean("", &[])) };
        Ok(shown(raw).await)
    }
}

/// The HTML of a whole mail as it may be shown.
pub(crate) async fn shown(raw: Vec<u8>) -> MessageHtml {
    let work = move || {
        let html = Body::parse(&raw).html.unwrap_or_default();
        clean(&html, &inline::parts(&raw))
    };
    within(LIMIT, &PLACES, work).await
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
    use crate::home::Home;
    use crate::ingest;
    use jiff::Timestamp;
    use std::sync::{Arc, mpsc};
    use threadline_core::address::Address;
    use threadline_core::arrival::{Arrival, Role};
    use threadline_core::envelope::Envelope;
    use threadline_core::rule::{LogMode, Rules};
    use threadline_secrets::Memory;
    use threadline_store::{account, folder, job, message};
    use threadline_testkit::clock::HandClock;

    const RAW: &str = "Message-ID: <1@x>\r\nFrom: ann@firm.example\r\nTo: bob@client.example\r\n\
        Content-Type: multipart/related; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/html\r\n\r\n<b onclick=x>Hello</b><img src=\"cid:a@x\"><img src=\"http://x.example/\">\r\n\
        --b\r\nContent-Type: image/png\r\nContent-ID: <a@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n\
        R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==\r\n--b--\r\n";

    /// The id of a logged message; its text is not fetched yet.
    fn logged(engine: &Engine) -> i64 {
        let arrival = Arrival {
            uid: 1,
            internal_date: Timestamp::UNIX_EPOCH,
            size: 100,
            flags: Vec::new(),
            labels: None,
            envelope: Envelope::parse(RAW.as_bytes()),
        };
        let ann = Address::parse("ann@firm.example").unwrap();
        let stored = engine.ledger().write_blocking(move |tx| {
            let id = account::insert(tx, &ann, "{}", Timestamp::UNIX_EPOCH)?;
            let rules = Rules { mode: LogMode::EveryoneOutside, ..Rules::default() };
            let of = ingest::Mailbox {
                id,
                epoch: 0,
                address: ann,
                rules,
                contact_sources: Vec::new(),
                history: false,
            };
            let sent = folder::ensure(tx, id, "Sent", Role::Sent)?;
            ingest::store_one(tx, &of, &sent, 1, &arrival, Timestamp::UNIX_EPOCH)?;
            Ok(message::known(tx, id, &arrival.envelope)?.unwrap().message)
        });
        stored.unwrap()
    }

    #[tokio::test]
    async fn a_logged_mail_is_shown_with_its_own_pictures_once_its_text_is_here() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(&dir.path().join("data")).unwrap();
        let clock = Arc::new(HandClock::at(Timestamp::UNIX_EPOCH));
        let (engine, _) = Engine::open(home, Arc::new(Memory::new()), clock, None).unwrap();
        let id = logged(&engine);
        assert!(engine.message_html(id).await.unwrap() == clean("", &[]));
        let finish = engine.ledger().write(move |tx| {
            let job = job::of_message(tx, id)?.remove(0);
            job::finish_body(tx, job.id, RAW.as_bytes(), false, &["folder"], Timestamp::UNIX_EPOCH)
        });
        finish.await.unwrap();
        let shown = engine.message_html(id).await.unwrap();
        assert!(shown.html.contains("<b>Hello</b><img src=\"data:image/gif;base64,R0lGOD"), "{}", shown.html);
        assert_eq!((shown.blocked_pictures, shown.cut), (1, false));
    }

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
