//! What a person sets: mailboxes, rules and CRMs. Stored in the ledger as JSON; secrets are elsewhere.

use crate::error::EngineError;
use serde::{Deserialize, Serialize};
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::Arc;
use threadline_core::address::Address;
use threadline_core::clock::Clock;
use threadline_core::rule::Rules;
use threadline_crm::{
    FolderSink, HubspotSettings, HubspotSink, Secret, Sink, TokioTimer, WebhookSettings, WebhookSink,
};
use threadline_mail::connect::{Security, Server};
use threadline_mail::tls::Trust;

/// One mailbox: how it is connected, and the rules for its mail. Stored as one object, with the fields of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSettings {
    #[serde(flatten)]
    pub draft: MailboxDraft,
    pub rules: Rules,
}

/// Its fields are read and set as the settings' own: they are the mailbox.
impl Deref for AccountSettings {
    type Target = MailboxDraft;

    fn deref(&self) -> &MailboxDraft {
        &self.draft
    }
}

impl DerefMut for AccountSettings {
    fn deref_mut(&mut self) -> &mut MailboxDraft {
        &mut self.draft
    }
}

/// A mailbox's settings without its rules: what a person fills in to connect it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct MailboxDraft {
    pub address: Address,
    /// The name to sign in with; mostly the address.
    pub user: String,
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
    #[serde(default)]
    pub auth: Auth,
    /// The server that takes mail to be sent, with the same user and password. A mailbox can be logged without.
    pub smtp: Option<Endpoint>,
    /// A private authority to trust for the hosts of this mailbox, as PEM.
    pub authority: Option<String>,
    /// SHA-256 of the one certificate to trust for the IMAP host.
    pub fingerprint: Option<String>,
    /// The same for the SMTP host, where that is another one, or shows another certificate.
    #[serde(default)]
    pub smtp_fingerprint: Option<String>,
    /// The folder of sent mail, by its name on the server, where it is not to be found by itself.
    #[serde(default)]
    pub sent_folder: Option<String>,
}

/// How a mailbox is signed in to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Auth {
    #[default]
    Password,
    /// In the browser, at this provider.
    Oauth { provider: OauthProvider },
}

/// Where a person signs in with the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "lowercase")]
pub enum OauthProvider {
    Google,
    Microsoft,
    /// One that the person has set.
    Other,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Endpoint {
    /// A name or an IP address.
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
}

impl Endpoint {
    fn server(&self, trust: Trust) -> Server {
        let security = self.encryption.into();
        Server { host: self.host.clone(), port: self.port, security, trust }
    }
}

/// How a connection is encrypted; the stored form of [`Security`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    Tls,
    Starttls,
}

impl Encryption {
    /// The usual port for IMAP (RFC 9051 §11, RFC 8314 §3.2).
    pub fn imap_port(self) -> u16 {
        match self {
            Encryption::Tls => 993,
            Encryption::Starttls => 143,
        }
    }

    /// The usual port for handing in mail (RFC 8314 §3.3, RFC 6409 §3.1).
    pub fn smtp_port(self) -> u16 {
        match self {
            Encryption::Tls => 465,
            Encryption::Starttls => 587,
        }
    }
}

impl From<Encryption> for Security {
    fn from(encryption: Encryption) -> Self {
        match encryption {
            Encryption::Tls => Security::Tls,
            Encryption::Starttls => Security::StartTls,
        }
    }
}

impl From<Security> for Encryption {
    fn from(security: Security) -> Self {
        match security {
            Security::Tls => Encryption::Tls,
            Security::StartTls => Encryption::Starttls,
        }
    }
}

impl AccountSettings {
    /// Settings that a mailbox begins with.
    pub fn new(address: Address, host: String, encryption: Encryption) -> Self {
        let rules = Rules::for_mailbox(&address);
        let draft = MailboxDraft {
            user: address.to_string(),
            host,
            port: encryption.imap_port(),
            encryption,
            auth: Auth::Password,
            smtp: None,
            authority: None,
            fingerprint: None,
            smtp_fingerprint: None,
            sent_folder: None,
            address,
        };
        Self { draft, rules }
    }

    /// Where to connect to. Fails where the certificate or the fingerprint cannot be read.
    pub fn server(&self) -> Result<Server, EngineError> {
        let imap = Endpoint { host: self.host.clone(), port: self.port, encryption: self.encryption };
        Ok(imap.server(self.trust()?))
    }

    /// Where mail is handed in; `None` where that is not set. Fails as [`server`](Self::server).
    pub fn smtp_server(&self) -> Result<Option<Server>, EngineError> {
        self.smtp.as_ref().map(|smtp| Ok(smtp.server(self.trust()?))).transpose()
    }

    fn trust(&self) -> Result<Trust, EngineError> {
        let mut trust = Trust::default();
        let bad = |e: threadline_mail::tls::TrustError| EngineError::BrokenSetting {
            what: format!("The certificate or fingerprint to trust for {}", self.host),
            cause: e.to_string(),
        };
        if let Some(pem) = &self.authority {
            trust.add_authority(&self.host, pem).map_err(bad)?;
            if let Some(smtp) = self.smtp.as_ref().filter(|s| !s.host.eq_ignore_ascii_case(&self.host)) {
                trust.add_authority(&smtp.host, pem).map_err(bad)?;
            }
        }
        if let Some(hex) = &self.fingerprint {
            trust.pin(&self.host, hex).map_err(bad)?;
        }
        if let (Some(smtp), Some(hex)) = (&self.smtp, &self.smtp_fingerprint) {
            trust.pin(&smtp.host, hex).map_err(bad)?;
        }
        Ok(trust)
    }

    /// What the password, or the refresh token, is called in the keychain, before the data folder's own mark.
    pub fn secret_name(&self) -> String {
        let [password, token] = secret_names(&self.address);
        match self.auth {
            Auth::Password => password,
            Auth::Oauth { .. } => token,
        }
    }
}

/// What the password and the refresh token of the mailbox with this address are called in the keychain, before the data
/// folder's own mark. A mailbox has one of the two.
pub(crate) fn secret_names(address: &Address) -> [String; 2] {
    [format!("imap:{address}"), format!("oauth:{address}")]
}

/// One CRM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum CrmSettings {
    Hubspot {
        /// Another base address than HubSpot's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base_url: Option<String>,
    },
    Webhook {
        url: String,
    },
    Folder {
        dir: PathBuf,
    },
    /// Nothing leaves the ledger. It stands alone.
    Ledger,
}

impl CrmSettings {
    /// What the secrets of all CRMs are called in the keychain, before the data folder's own mark.
    pub(crate) const SECRETS: &[&str] = &["crm:hubspot", "crm:webhook"];

    /// The sink's name, and the CRM's on the command line.
    pub fn kind(&self) -> &'static str {
        match self {
            CrmSettings::Hubspot { .. } => "hubspot",
            CrmSettings::Webhook { .. } => "webhook",
            CrmSettings::Folder { .. } => "folder",
            CrmSettings::Ledger => "ledger",
        }
    }

    /// What its secret is called in the keychain; `None` where it needs none.
    pub fn secret_name(&self) -> Option<&'static str> {
        Self::secret_of(self.kind())
    }

    /// The same for the CRM of a kind.
    pub(crate) fn secret_of(kind: &str) -> Option<&'static str> {
        match kind {
            "hubspot" => Some(Self::SECRETS[0]),
            "webhook" => Some(Self::SECRETS[1]),
            _ => None,
        }
    }

    /// True where the CRM of this kind has contacts of its own.
    pub fn has_contacts(kind: &str) -> bool {
        kind == "hubspot"
    }

    /// As it may be shown: of a webhook's address, which can hold a token, only the host.
    pub fn shown(&self) -> Self {
        match self {
            CrmSettings::Webhook { url } => {
                let rest = url.find("://").map_or(0, |at| at + 3);
                let host_ends = url[rest..].find(['/', '?', '#']).map_or(url.len(), |at| rest + at);
                let hidden = if url.len() > host_ends + 1 { "/…" } else { "" };
                CrmSettings::Webhook { url: format!("{}{hidden}", &url[..host_ends]) }
            }
            other => other.clone(),
        }
    }

    /// Makes the sink; `None` where nothing is to leave the ledger. `secret` is needed where
    /// [`CrmSettings::secret_name`] is.
    pub fn sink(
        &self,
        secret: Option<Secret>,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Arc<dyn Sink>>, EngineError> {
        let needed = |secret: Option<Secret>| {
            secret.ok_or_else(|| EngineError::CrmSetting(format!("the secret of {} is missing", self.kind())))
        };
        let timeout = threadline_crm::http::TIMEOUT;
        let sink: Arc<dyn Sink> = match self {
            CrmSettings::Hubspot { base_url } => {
                let mut settings = HubspotSettings::new(needed(secret)?);
                if let Some(base) = base_url {
                    settings.base.clone_from(base);
                }
                Arc::new(HubspotSink::new(settings, clock, Arc::new(TokioTimer))?)
            }
            CrmSettings::Webhook { url } => {
                let settings = WebhookSettings { url: url.clone(), secret: needed(secret)?, timeout };
                Arc::new(WebhookSink::new(settings, clock)?)
            }
            CrmSettings::Folder { dir } => Arc::new(FolderSink::new(dir.clone())),
            CrmSettings::Ledger => return Ok(None),
        };
        Ok(Some(sink))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_their_stored_form() {
        let address = Address::parse("ann@firm.example").unwrap();
        let account = AccountSettings::new(address, "imap.firm.example".into(), Encryption::Starttls);
        assert_eq!(account.port, 143);
        let text = serde_json::to_string(&account).unwrap();
        assert_eq!(serde_json::from_str::<AccountSettings>(&text).unwrap(), account);
        // As it was stored before there was SMTP, and a folder to name.
        let mut old: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert!(old.contains_key("rules") && !old.contains_key("draft"), "{text}");
        old.retain(|key, value| !(value.is_null() || key == "auth"));
        assert!(old.len() < 8, "{old:?}");
        assert_eq!(serde_json::from_value::<AccountSettings>(old.into()).unwrap(), account);
        let crm = CrmSettings::Webhook { url: "https://x.example/".into() };
        assert_eq!(serde_json::to_string(&crm).unwrap(), r#"{"kind":"webhook","url":"https://x.example/"}"#);
    }

    #[test]
    fn what_stands_behind_a_webhooks_host_is_not_shown() {
        for (url, shown) in [
            ("https://x.example/hooks/token-123?k=v", "https://x.example/…"),
            ("https://x.example:8443?k=v", "https://x.example:8443/…"),
            ("https://x.example/", "https://x.example"),
            ("no address", "no address"),
        ] {
            let CrmSettings::Webhook { url } = (CrmSettings::Webhook { url: url.into() }).shown() else {
                panic!()
            };
            assert_eq!(url, shown);
        }
    }

    #[test]
    fn a_fingerprint_that_is_none_is_told() {
        let address = Address::parse("ann@firm.example").unwrap();
        let mut account = AccountSettings::new(address, "imap.firm.example".into(), Encryption::Tls);
        account.fingerprint = Some("abc".into());
        assert_eq!(account.server().unwrap_err().code(), "broken_setting");
    }
}
