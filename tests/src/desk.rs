//! The engine inside the test's own process, on a real server, with a keychain in memory whose faults a test can choose.

use crate::PATIENCE;
use anyhow::{Context, Result};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use threadline_core::address::Address;
use threadline_core::clock::Clock;
use threadline_engine::clock::SystemClock;
use threadline_engine::settings::{AccountSettings, Encryption};
use threadline_engine::{Engine, EngineError, Event, Home};
use threadline_secrets::{Memory, Secrets};
use threadline_store::message::Outcome;
use threadline_store::{Tx, account, message};
use threadline_testkit::lab::{Lab, LabBuilder};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

/// The salesperson.
pub const ANN: &str = "ann@lab.test";
/// A contact of hers, in the local list.
pub const CARL: &str = "carl@customer1.example";

/// An engine that runs; dropped, it stops.
#[derive(Debug)]
pub struct AtWork(JoinHandle<Result<Infallible, EngineError>>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A mailbox, its server and the engine.
#[derive(Debug)]
pub struct Desk {
    _dir: tempfile::TempDir,
    pub lab: Lab,
    pub secrets: Arc<Memory>,
    pub engine: Engine,
}

impl Desk {
    pub async fn new() -> Result<Self> {
        Self::on(Lab::builder()).await
    }

    /// The same on a server that is set up otherwise.
    pub async fn on(lab: LabBuilder) -> Result<Self> {
        Self::by(lab, Arc::new(SystemClock::start())).await
    }

    /// The same by a clock of the test's own.
    pub async fn by(lab: LabBuilder, clock: Arc<dyn Clock>) -> Result<Self> {
        let lab = lab.users([ANN]).start()?;
        let dir = tempfile::tempdir()?;
        let secrets = Arc::new(Memory::new());
        let home = Home::open(&dir.path().join("data"))?;
        let (engine, _) = Engine::open(home, secrets.clone(), clock, None)?;
        let mut settings =
            AccountSettings::new(Address::parse(ANN)?, "localhost".into(), Encryption::Starttls);
        settings.port = lab.imap_port();
        settings.authority = Some(lab.ca_pem().to_owned());
        engine.add_account(settings, Some(Zeroizing::new(lab.password(ANN)?))).await?;
        engine.import_contacts(format!("email\n{CARL}\n").as_bytes(), |_| {}).await?;
        Ok(Self { _dir: dir, lab, secrets, engine })
    }

    /// The number of the n-th message that was logged, from 0.
    pub async fn logged(&self, n: usize) -> Result<i64> {
        let read = move |tx: &Tx<'_>| {
            message::of_outcome(tx, account::list(tx)?.remove(0).id, Outcome::Log, 0, n + 1)
        };
        let found = self.engine.ledger().read(read).await?;
        Ok(found.get(n).with_context(|| format!("{} messages are logged", found.len()))?.id)
    }

    /// Lets the engine run until the guard is dropped, and waits until it watches the mailbox.
    pub async fn run(&self) -> Result<AtWork> {
        let engine = self.engine.clone();
        let mut events = engine.events();
        let task = tokio::spawn(async move { engine.run().await });
        let watching = async {
            while !matches!(events.recv().await?, Event::Watching { .. }) {}
            anyhow::Ok(())
        };
        tokio::time::timeout(PATIENCE, watching).await.context("the engine does not come to watching")??;
        Ok(AtWork(task))
    }

    /// Waits until the question is answered with true.
    pub async fn until<F: Future<Output = Result<bool>>>(
        &self,
        what: &str,
        mut question: impl FnMut() -> F,
    ) -> Result<()> {
        let asking = async {
            while !question().await? {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(PATIENCE, asking).await.with_context(|| format!("in vain waited for: {what}"))?
    }

    /// The ledger's file, opened by another connection than the engine's.
    pub fn ledger_key(&self) -> Result<Zeroizing<String>> {
        let id = std::fs::read_to_string(self.engine.home().dir().join("key-id"))?;
        let name = self.engine.home().secret_name(&format!("ledger-key-{}", id.trim()));
        Secrets::get(&*self.secrets, &name)?.context("the ledger's key is gone")
    }

    /// Ann's mail client files a mail to Carl.
    pub fn send(&self, id: &str) -> Result<()> {
        let raw = format!("From: {ANN}\r\nTo: {CARL}\r\nMessage-ID: <{id}>\r\n\r\nhello\r\n");
        self.lab.append(ANN, "Sent", raw.as_bytes())?;
        Ok(())
    }
}
