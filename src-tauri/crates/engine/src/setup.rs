//! What an IT department sets for its people: a file, or a link with the same inside. It is shown before it is used.
//!
//! The format is described in the README under "Set up by IT". It carries client ids, the CRM and rules, and no password or
//! token: these are asked for where they are used.

mod apply;
#[cfg(test)]
mod tests;

pub use apply::{Change, Preview};

use crate::settings::{CrmSettings, OauthProvider};
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use threadline_core::address::{Address, normal_domain};
use threadline_core::rule::{CreateContacts, LogMode, Rules};

/// The version of the format that is written and read here.
pub const VERSION: u32 = 1;
/// The longest file, in bytes.
pub const MOST_BYTES: usize = 64 * 1024;
/// How a link begins. Behind it stands `?data=`, and the file in base64 for addresses (RFC 4648 §5).
const LINK: &str = "threadline://setup";
/// What a CRM may have.
const CRM_FIELDS: &[&str] = &["kind", "base_url", "url", "dir"];
/// Longest client id, issuer or scope.
const MOST_TEXT: usize = 500;

/// A set-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// [`VERSION`].
    pub threadline_setup: u32,
    /// Whom it is from, in their own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What Threadline is registered as at providers of browser sign-ins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub oauth: Vec<SetupApp>,
    /// Where logged mail goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crm: Option<CrmSettings>,
    #[serde(default)]
    pub rules: SetupRules,
}

/// A registration.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetupApp {
    pub provider: OauthProvider,
    pub client_id: String,
    /// Google gives one to programs too, and it is no secret to whoever has the program. In a file alone, never in a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Of another provider: its issuer's address, below which it describes itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Of another provider: the permissions to ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

/// Without the secret.
impl std::fmt::Debug for SetupApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetupApp").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// Rules for every mailbox, those that come later too. What is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetupRules {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<LogMode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_contacts: Option<CreateContacts>,
    /// Domains whose people are colleagues.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub colleagues: Vec<String>,
    /// Addresses, and domains behind `@`, of which no mail is ever logged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub never: Vec<String>,
}

/// Why a set-up cannot be used. The text names the thing, the cause and the next step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    #[error("The set-up is larger than {} KiB. Ask whoever gave it to you for another one.", MOST_BYTES / 1024)]
    TooLong,
    #[error(
        "The set-up cannot be read at line {line}, column {column}: {cause}. Ask whoever gave it to you to mend it; the README describes it under \"Set up by IT\"."
    )]
    Malformed { line: usize, column: usize, cause: String },
    #[error(
        "This is no set-up: it has no \"threadline_setup\". Choose the file that the IT department gave you."
    )]
    NoSetup,
    #[error(
        "The set-up is of version {0}, and this Threadline reads version {VERSION}. Update Threadline, then try again."
    )]
    Newer(u64),
    #[error("The set-up's {field} cannot be used: {cause}. Ask whoever gave it to you to mend it.")]
    Field { field: &'static str, cause: String },
    #[error("The set-up sets nothing. Ask whoever gave it to you for another one.")]
    Empty,
    #[error(
        "This is no link to a set-up: it must begin with {LINK}? and have data= in it. Copy it whole, or use the file."
    )]
    NoLink,
    #[error(
        "The link holds a secret, and a link is kept in histories and logs. Ask the IT department for the file instead."
    )]
    SecretInLink,
}

impl SetupError {
    /// A stable code for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            SetupError::TooLong => "setup_too_long",
            SetupError::Malformed { .. } => "setup_malformed",
            SetupError::NoSetup => "setup_none",
            SetupError::Newer(_) => "setup_newer",
            SetupError::Field { .. } => "setup_field",
            SetupError::Empty => "setup_empty",
            SetupError::NoLink => "setup_no_link",
            SetupError::SecretInLink => "setup_secret_in_link",
        }
    }
}

impl Setup {
    /// Reads a file or a link, whichever it is.
    pub fn read(text: &str) -> Result<Self, SetupError> {
        let text = text.trim_start_matches('\u{feff}').trim();
        match text.get(..LINK.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(LINK)) {
            true => Self::from_link(text),
            false => Self::from_json(text),
        }
    }

    /// Reads `threadline://setup?data=…`. Other parameters are passed over.
    pub fn from_link(link: &str) -> Result<Self, SetupError> {
        if link.len() > MOST_BYTES * 2 {
            return Err(SetupError::TooLong);
        }
        let rest = link.get(LINK.len()..).ok_or(SetupError::NoLink)?;
        let query = rest.strip_prefix("/?").or_else(|| rest.strip_prefix('?')).ok_or(SetupError::NoLink)?;
        let query = query.split('#').next().unwrap_or_default();
        let data = query.split('&').find_map(|one| one.strip_prefix("data=")).ok_or(SetupError::NoLink)?;
        // Mail programs escape the padding.
        let data = data.replace("%3D", "=").replace("%3d", "=");
        let bytes = URL_SAFE_NO_PAD.decode(&data).or_else(|_| URL_SAFE.decode(&data));
        let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(SetupError::NoLink)?;
        let setup = Self::from_json(&text)?;
        match setup.oauth.iter().any(|app| app.client_secret.is_some()) {
            true => Err(SetupError::SecretInLink),
            false => Ok(setup),
        }
    }

    /// The link with this inside. Fails where it holds a secret.
    pub fn to_link(&self) -> Result<String, SetupError> {
        if self.oauth.iter().any(|app| app.client_secret.is_some()) {
            return Err(SetupError::SecretInLink);
        }
        let text = serde_json::to_string(self).map_err(|error| malformed(&error))?;
        Ok(format!("{LINK}?data={}", URL_SAFE_NO_PAD.encode(text)))
    }

    fn from_json(text: &str) -> Result<Self, SetupError> {
        if text.len() > MOST_BYTES {
            return Err(SetupError::TooLong);
        }
        // The version first: what a later one added is not misspelt.
        let value: serde_json::Value = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        match value.get("threadline_setup").map(serde_json::Value::as_u64) {
            None => return Err(SetupError::NoSetup),
            Some(Some(version)) if version > u64::from(VERSION) => return Err(SetupError::Newer(version)),
            Some(_) => {}
        }
        // A token that somebody put in must not be passed over in silence.
        let crm = value.get("crm").and_then(serde_json::Value::as_object);
        if crm.is_some_and(|crm| crm.keys().any(|key| !CRM_FIELDS.contains(&key.as_str()))) {
            let cause = format!("it may have {} and nothing else", CRM_FIELDS.join(", "));
            return Err(SetupError::Field { field: "crm", cause });
        }
        let setup: Setup = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        setup.check()?;
        Ok(setup)
    }

    fn check(&self) -> Result<(), SetupError> {
        let wrong = |field, cause: &str| Err(SetupError::Field { field, cause: cause.to_owned() });
        if self.threadline_setup != VERSION {
            return wrong("threadline_setup", "there is no version 0");
        }
        if self.from.as_deref().is_some_and(|from| !is_line(from)) {
            return wrong("from", "it is not one line of text");
        }
        for (at, app) in self.oauth.iter().enumerate() {
            let is_other = app.provider == OauthProvider::Other;
            if !is_line(&app.client_id) || app.client_id.contains(char::is_whitespace) {
                return wrong("client_id", "it is empty, too long, or has white space in it");
            }
            if app.client_secret.as_deref().is_some_and(|secret| !is_line(secret)) {
                return wrong("client_secret", "it is empty or too long");
            }
            if is_other != app.issuer.is_some() || is_other == app.scopes.is_empty() {
                return wrong(
                    "issuer",
                    "another provider needs an issuer and scopes, and the known ones have none",
                );
            }
            if app.issuer.as_deref().is_some_and(|issuer| !is_web_address(issuer)) {
                return wrong("issuer", "it is no address that begins with https://");
            }
            if !app.scopes.iter().all(|scope| is_line(scope)) {
                return wrong("scopes", "one of them is empty or too long");
            }
            if self.oauth[..at].iter().any(|before| before.provider == app.provider) {
                return wrong("oauth", "a provider stands twice");
            }
        }
        match &self.crm {
            Some(CrmSettings::Webhook { url }) if !is_web_address(url) => {
                return wrong("crm", "the webhook's url does not begin with https://");
            }
            Some(CrmSettings::Hubspot { base_url: Some(url) }) if !is_web_address(url) => {
                return wrong("crm", "the base_url does not begin with https://");
            }
            Some(CrmSettings::Folder { dir }) if !dir.is_absolute() => {
                return wrong("crm", "the folder's dir is no whole path");
            }
            _ => {}
        }
        if self.rules.colleagues.iter().any(|domain| normal_domain(domain).is_none()) {
            return wrong("colleagues", "one of them is no domain");
        }
        if self.rules.never.iter().any(|who| never(who).is_none()) {
            return wrong("never", "one of them is neither an address nor a domain behind @");
        }
        match self.oauth.is_empty() && self.crm.is_none() && self.rules == SetupRules::default() {
            true => Err(SetupError::Empty),
            false => Ok(()),
        }
    }
}

impl SetupRules {
    /// The rules with these among them.
    pub(crate) fn put_into(&self, rules: &mut Rules) {
        rules.mode = self.mode.unwrap_or(rules.mode);
        rules.create_contacts = self.create_contacts.unwrap_or(rules.create_contacts);
        add(&mut rules.colleagues, self.colleagues.iter().filter_map(|domain| normal_domain(domain)));
        for who in self.never.iter().filter_map(|who| never(who)) {
            match who {
                // Nobody shuts out their own mail.
                Never::Address(address) if rules.is_own(&address) => {}
                Never::Address(address) => add(&mut rules.never_addresses, [address]),
                Never::Domain(domain) if rules.own.iter().any(|own| own.is_under(&domain)) => {}
                Never::Domain(domain) => add(&mut rules.never_domains, [domain]),
            }
        }
    }
}

/// Of whom no mail is logged.
enum Never {
    Address(Address),
    Domain(String),
}

fn never(who: &str) -> Option<Never> {
    match who.strip_prefix('@') {
        Some(domain) => normal_domain(domain).map(Never::Domain),
        None => Address::parse(who).ok().map(Never::Address),
    }
}

fn add<T: PartialEq>(list: &mut Vec<T>, new: impl IntoIterator<Item = T>) {
    for one in new {
        if !list.contains(&one) {
            list.push(one);
        }
    }
}

fn is_line(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= MOST_TEXT && !text.chars().any(char::is_control)
}

/// `https`, or `http` on this very computer.
fn is_web_address(url: &str) -> bool {
    let here = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let is_here = here.iter().any(|begin| {
        url.strip_prefix(begin).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    });
    is_line(url) && (is_here || url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()))
}

/// What serde says, without the values that it quotes.
fn malformed(error: &serde_json::Error) -> SetupError {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(cause, _)| cause);
    let mut cause = String::new();
    for (at, part) in text.split('"').enumerate() {
        cause.push_str(if at % 2 == 0 { part } else { "…" });
    }
    SetupError::Malformed { line: error.line(), column: error.column(), cause }
}
