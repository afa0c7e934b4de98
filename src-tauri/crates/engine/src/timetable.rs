//! What is done by the clock, whatever comes in: looked at each minute, since computers sleep through hours.

use crate::engine::Engine;
use crate::{audit, requests, retention};
use std::convert::Infallible;
use std::time::Duration;

/// How often it is looked whether something is due.
const GLANCE: Duration = Duration::from_secs(60);

/// Does what is due, from the start on.
pub(crate) async fn keep(engine: &Engine) -> Infallible {
    loop {
        tokio::join!(retention::glance(engine), audit::nightly::glance(engine), requests::glance(engine));
        tokio::time::sleep(GLANCE).await;
    }
}
