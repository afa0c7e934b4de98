//! The relay at work.

use super::upstream::Providers;
use super::{RelayPlan, RelayState, STATE, identity, login};
use crate::error::EngineError;
use crate::shared::Shared;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use threadline_relay::limits::Limits;
use threadline_relay::server::{Server, listen};
use threadline_store::setting;

/// Between two tries to listen.
const AGAIN: Duration = Duration::from_secs(10);

/// Runs until the future is dropped. Where it cannot listen it says so and tries again.
pub(crate) async fn run(shared: Arc<Shared>, plan: RelayPlan) -> Infallible {
    loop {
        let Err(error) = serve(&shared, &plan).await;
        tracing::warn!(code = error.code(), "the relay cannot listen; it is tried again");
        let port = match &error {
            EngineError::RelayPort { port, .. } => Some(*port),
            _ => None,
        };
        let (since, code) = (shared.clock.now(), error.code().to_owned());
        let failed = RelayState::Failed { since, code, port, words: error.to_string() };
        note(&shared, failed).await;
        tokio::time::sleep(AGAIN).await;
    }
}

async fn serve(shared: &Arc<Shared>, plan: &RelayPlan) -> Result<Infallible, EngineError> {
    let tls = identity(shared).await?.server_config()?;
    let mut logins = Vec::new();
    for (id, address) in &plan.mailboxes {
        logins.extend(login(shared, *id, address).await?);
    }
    let port =
        |port| async move { listen(port).await.map_err(|source| EngineError::RelayPort { port, source }) };
    let (at_tls, at_starttls) =
        (port(plan.settings.tls_port).await?, port(plan.settings.starttls_port).await?);
    let mailboxes: Vec<i64> = logins.iter().map(|login| login.mailbox).collect();
    let providers = Arc::new(Providers::new(Arc::clone(shared)).await?);
    let server = Server::new(tls, logins, Limits::default(), Arc::clone(&providers) as _);
    note(shared, RelayState::Listening { since: shared.clock.now() }).await;
    tokio::select! {
        never = server.serve(at_tls, at_starttls) => match never {},
        never = providers.ask_first(&mailboxes) => match never {},
    }
}

/// Keeps how it is for `relay status`. That a ledger is full is told elsewhere.
async fn note(shared: &Shared, state: RelayState) {
    if let Err(error) = shared.ledger.write(move |tx| setting::set(tx, STATE, &state)).await {
        tracing::warn!(code = error.code(), "the state of the relay was not stored");
    }
}
