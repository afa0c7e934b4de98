//! What the portal is and what it allows.

use super::api::{Api, Call, thing};
use crate::error::{CrmError, Retry};
use crate::sink::{Dedupe, Portal};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use threadline_core::reason::Reason;

/// The property that makes a message one record.
pub const KEY: &str = "threadline_message_id";
/// To look owners up.
const OWNERS: &str = "crm.objects.owners.read";
/// To make the property.
const SCHEMA: &str = "crm.schemas.contacts.write";
const PROPERTIES: &str = "/crm/v3/properties/emails";

/// What was found out by asking.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub id: String,
    /// Where the portal's pages are, such as `app.hubspot.com`.
    pub ui: String,
    pub dedupe: Dedupe,
    /// `hs_email_message_id` can be written.
    pub message_id: bool,
    /// Scopes without which less is done.
    pub missing: Vec<&'static str>,
}

impl Found {
    /// The token may look owners up.
    pub fn owners(&self) -> bool {
        !self.missing.contains(&OWNERS)
    }

    /// A page that shows the email: on the contact's record where there is one.
    pub fn link(&self, email: &str, contact: Option<&String>) -> String {
        match contact {
            Some(contact) => {
                format!(
                    "https://{}/contacts/{}/record/0-1/{contact}/view/1?engagement={email}",
                    self.ui, self.id
                )
            }
            None => format!("https://{}/contacts/{}/record/0-49/{email}", self.ui, self.id),
        }
    }

    pub fn portal(&self) -> Portal {
        Portal {
            name: format!("HubSpot {}", self.id),
            id: Some(self.id.clone()),
            dedupe: self.dedupe,
            missing_scopes: self.missing.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Proves the token, reads the portal's id and zone, and makes the unique property where it may.
pub(super) async fn look(api: &Api) -> Result<Found, CrmError> {
    let account = api.call(Call::get("reading the account", "/account-info/v3/details")).await?.ok()?;
    let id = match &account.body["portalId"] {
        Value::Number(n) => n.to_string(),
        Value::String(s) => s.clone(),
        _ => {
            let error = CrmError::new(thing("reading the account"), Reason::WrongPortOrProtocol);
            return Err(error.retry(Retry::Never).words("the answer names no portal"));
        }
    };
    let ui = account.body["uiDomain"].as_str().filter(|d| is_host(d)).unwrap_or("app.hubspot.com").to_owned();
    if let Some(zone) = account.body["timeZone"].as_str().and_then(|name| TimeZone::get(name).ok()) {
        api.set_zone(zone);
    }
    let properties = api.call(Call::get("reading the properties of emails", PROPERTIES)).await?.ok()?;
    let named = |name: &str| properties.results().find(|p| p["name"] == name);
    let message_id =
        named("hs_email_message_id").is_some_and(|p| p["modificationMetadata"]["readOnlyValue"] != true);
    let mut missing = Vec::new();
    let unique = match named(KEY) {
        Some(property) => property["hasUniqueValue"] == true,
        None => match make_property(api).await {
            Err(error) if error.reason == Reason::ScopeMissing => {
                missing.push(SCHEMA);
                false
            }
            made => made?,
        },
    };
    if !unique && !message_id {
        return Err(CrmError::new(thing("preparing the portal"), Reason::ScopeMissing).retry(Retry::Never).told(
            "The portal lets Threadline neither make the property that keeps doubles away nor search for Message-IDs.",
            "Let an administrator make the property threadline_message_id on emails (single-line text, unique values), then connect again.",
        ));
    }
    // Asked now, so that a missing scope is named when the portal is set up and not days later.
    let one = |step, path| Call { query: vec![("limit", "1".to_owned())], ..Call::get(step, path) };
    api.call(one("reading contacts", "/crm/v3/objects/contacts")).await?.ok()?;
    match api.call(one("reading owners", "/crm/v3/owners")).await {
        Ok(_) => {}
        Err(error) if error.reason == Reason::ScopeMissing => missing.push(OWNERS),
        Err(error) => return Err(error),
    }
    let dedupe = if unique { Dedupe::UniqueProperty } else { Dedupe::Search };
    Ok(Found { id, ui, dedupe, message_id, missing })
}

fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
}

/// True where the property is there and unique in the end. A portal that has no room for another unique property is
/// searched instead.
async fn make_property(api: &Api) -> Result<bool, CrmError> {
    let property = json!({
        "name": KEY,
        "label": "Threadline message id",
        "description": "Keeps an email that was logged by Threadline from being logged twice.",
        "type": "string",
        "fieldType": "text",
        "groupName": "emailinformation",
        "hasUniqueValue": true,
        "formField": false,
    });
    match api.call(Call::store("making a property", PROPERTIES, property)).await {
        Ok(made) if made.is_ok() => Ok(made.body["hasUniqueValue"] == true),
        // Somebody else made it in this moment.
        Ok(made) if made.status == 409 => {
            let path = format!("{PROPERTIES}/{KEY}");
            let there = api.call(Call::get("reading a property", path)).await?.ok()?;
            Ok(there.body["hasUniqueValue"] == true)
        }
        Ok(_) => Ok(false),
        Err(error) => Err(error),
    }
}
