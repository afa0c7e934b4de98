//! Tries the relay as a mail program does, from the port to the provider's yes to a sender. Nothing is sent.

use super::{greets, secret_name};
use crate::engine::Engine;
use crate::error::EngineError;
use serde::Serialize;
use std::time::Instant;
use threadline_core::address::Address;
use threadline_core::reason::{Reason, classify};
use threadline_mail::connect::{Security, Server, Timeouts};
use threadline_mail::error::MailError;
use threadline_mail::login::Login;
use threadline_mail::submit::{Params, Path, Patience, Session};
use threadline_mail::tls::Trust;

/// The steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum TestStepName {
    /// The relay answers, with its own certificate, and takes the password: with TLS from the first byte.
    Tls,
    /// The same with STARTTLS.
    Starttls,
    /// The provider takes the sign-in and the mailbox's address as a sender.
    Provider,
}

/// A step as it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct TestStep {
    pub step: TestStepName,
    pub good: bool,
    pub ms: u32,
    /// Why it failed.
    pub reason: Option<Reason>,
    /// Where it was tried, or what the provider said; empty where it said nothing.
    pub words: String,
}

impl Engine {
    /// Tries it for a mailbox; ends with the first step that fails. Fails where the relay is off or does not answer.
    pub async fn test_relay(&self, address: &Address) -> Result<Vec<TestStep>, EngineError> {
        let account = self.account(address).await?;
        let address = account.settings.draft.address;
        let settings = self.relay_settings().await?;
        if !settings.on {
            return Err(EngineError::RelayOff);
        }
        if !greets(settings.starttls_port).await {
            return Err(EngineError::RelaySilent { port: settings.starttls_port });
        }
        let Some(password) = self.shared().secret(&secret_name(&address)).await? else {
            return Err(EngineError::NoRelayPassword(address.to_string()));
        };
        let mut trust = Trust::default();
        trust.pin("127.0.0.1", &self.relay_certificate(false).await?.fingerprint()).map_err(|error| {
            EngineError::BrokenSetting {
                what: "The relay's certificate".to_owned(),
                cause: error.to_string(),
            }
        })?;
        let login = Login::password(address.to_string(), password);
        let mut steps = Vec::new();
        let mut open = None;
        for (step, port, security) in [
            (TestStepName::Starttls, settings.starttls_port, Security::StartTls),
            (TestStepName::Tls, settings.tls_port, Security::Tls),
        ] {
            let server = Server { host: "127.0.0.1".to_owned(), port, security, trust: trust.clone() };
            let begun = Instant::now();
            let opened = Session::open(&server, &login, &Timeouts::default(), Patience::default()).await;
            let ms = millis(begun);
            match opened {
                Ok(session) => {
                    let words = format!("127.0.0.1:{port}");
                    steps.push(TestStep { step, good: true, ms, reason: None, words });
                    if let Some(before) = open.replace(session) {
                        Session::quit(before).await;
                    }
                }
                Err(error) => {
                    steps.push(failed(step, ms, error));
                    return Ok(steps);
                }
            }
        }
        if let Some(session) = open {
            steps.push(provider(session, &address).await);
        }
        Ok(steps)
    }
}

/// MAIL and RSET: the relay signs in at the provider in between.
async fn provider(mut session: Session, address: &Address) -> TestStep {
    let begun = Instant::now();
    let from = Path::new(address.as_str()).unwrap_or_else(Path::nobody);
    let asked = session.mail(&from, &Params::none()).await;
    let ms = millis(begun);
    let step = match asked {
        Ok(answer) => {
            let good = answer.is_yes();
            let reason = (!good).then(|| classify(&answer.evidence()));
            TestStep { step: TestStepName::Provider, good, ms, reason, words: answer.to_string() }
        }
        Err(error) => failed(TestStepName::Provider, ms, error),
    };
    if step.good {
        // What is said to it changes nothing: QUIT forgets the mail too.
        let _ = session.reset().await;
    }
    session.quit().await;
    step
}

fn failed(step: TestStepName, ms: u32, error: MailError) -> TestStep {
    TestStep { step, good: false, ms, reason: Some(error.reason), words: error.evidence.words }
}

fn millis(begun: Instant) -> u32 {
    u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX)
}
