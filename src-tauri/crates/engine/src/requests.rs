//! Mails that the CRM wants sent: taken from the webhook's receiver, where the person has set that. Each is stored under its own id, so
//! that it is sent once however often it is listed.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::queue::book;
use crate::settings::CrmSettings;
use crate::writing::Draft;
use std::sync::Arc;
use threadline_core::address::Address;
use threadline_core::id::MessageKey;
use threadline_crm::requests::{Request, Requests, Taken};
use threadline_crm::{CrmError, Secret};
use threadline_store::{Tx, setting};

/// Whose receiver it is, and whose secret signs.
const SINK: &str = "webhook";
/// The setting that holds the address.
const KEY: &str = "send.requests";

impl Engine {
    /// Where mails that the CRM wants sent are listed; `None` for nowhere. The webhook's secret signs what is said there.
    pub async fn set_send_requests(&self, url: Option<String>) -> Result<(), EngineError> {
        if let Some(url) = &url {
            self.requests_at(url).await?;
        }
        let set = move |tx: &Tx<'_>| match url {
            Some(url) => setting::set(tx, KEY, &url),
            None => setting::remove(tx, KEY),
        };
        Ok(self.ledger().write(set).await?)
    }

    pub async fn send_requests(&self) -> Result<Option<String>, EngineError> {
        Ok(self.ledger().read(|tx| setting::get(tx, KEY)).await?)
    }

    async fn requests_at(&self, url: &str) -> Result<Requests, EngineError> {
        let name = CrmSettings::secret_of(SINK).unwrap_or_default();
        let Some(secret) = self.shared().secret(name).await? else {
            return Err(EngineError::CrmSetting(
                "the secret of the webhook is missing: set it first with `threadline crm set webhook URL`"
                    .to_owned(),
            ));
        };
        Ok(Requests::new(url, Secret::new(secret.as_str()), Arc::clone(self.clock()))?)
    }

    /// Takes what is listed, and says so. Gives the number of mails that were stored to go out.
    pub async fn take_send_requests(&self) -> Result<usize, EngineError> {
        let Some(url) = self.send_requests().await? else { return Ok(0) };
        let requests = self.requests_at(&url).await?;
        let listed = requests.list(&call()?).await?;
        if listed.is_empty() {
            return Ok(0);
        }
        let mut answers = Vec::new();
        for request in listed {
            answers.push(match request {
                Ok(request) => self.take(request).await?,
                Err(id) => refused(id, "It cannot be read. Compare it with the documentation.".to_owned()),
            });
        }
        let number = answers.iter().filter(|answer| answer.taken).count();
        // The same answer has the same id, however often it is said.
        let said: Vec<String> = answers.iter().map(|a| format!("{} {}", a.id, a.taken)).collect();
        let call = MessageKey::of_headers("sends.taken", &said.join("\n"), "", "").to_string();
        let (sent, answered) = match requests.answer(&call, &answers).await {
            Ok(sent) => (sent, Ok(number)),
            Err(error) => (error.sent.to_vec(), Err(error.into())),
        };
        let now = self.clock().now();
        self.ledger().write(move |tx| book(tx, SINK, None, now, &sent)).await?;
        answered
    }

    /// Stores one; what is the matter with the request itself is told to whoever asked.
    async fn take(&self, request: Request) -> Result<Taken, EngineError> {
        let id = request.id.clone();
        let from = match &request.from {
            Some(from) => Some(from.clone()),
            None => self.only_sender().await?,
        };
        let Some(from) = from else {
            return Ok(refused(
                id,
                "It names no mailbox to send from, and there is not exactly one.".to_owned(),
            ));
        };
        let draft = Draft {
            from_name: None,
            to: request.to,
            cc: request.cc,
            bcc: request.bcc,
            subject: request.subject,
            text: request.text,
            html: request.html,
            template: request.template,
            values: request.values.into_iter().collect(),
            files: Vec::new(),
            at: request.at,
            request: Some(request.id),
        };
        match self.send(&from, &draft).await {
            Ok(_) => Ok(Taken { id, taken: true, reason: None }),
            Err(
                error @ (EngineError::NoAccount(_)
                | EngineError::NoSmtp(_)
                | EngineError::NoTemplate(_)
                | EngineError::NotTaken(_)
                | EngineError::NotFilled(_)
                | EngineError::NotComposed(_)),
            ) => Ok(refused(id, error.to_string())),
            Err(error) => Err(error),
        }
    }

    async fn only_sender(&self) -> Result<Option<Address>, EngineError> {
        let accounts = self.accounts().await?;
        let mut able = accounts.into_iter().filter(|account| account.settings.smtp.is_some());
        Ok(match (able.next(), able.next()) {
            (Some(only), None) => Some(only.settings.draft.address),
            _ => None,
        })
    }
}

fn refused(id: String, reason: String) -> Taken {
    Taken { id, taken: false, reason: Some(reason) }
}

/// An id that no other call has.
fn call() -> Result<String, EngineError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| EngineError::NoRandomness)?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// Asks for the list once.
pub(crate) async fn glance(engine: &Engine) {
    let code = match engine.take_send_requests().await {
        Ok(_) => return,
        Err(EngineError::Crm(CrmError { reason, .. })) => reason.code(),
        Err(error) => error.code(),
    };
    tracing::warn!(code, "the mails that the CRM wants sent were not read; they are asked for again");
}
