//! The contacts and the owner of a message.

use super::api::{Api, Call};
use crate::error::{CrmError, Kind, Retry};
use crate::sink::Egress;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use threadline_core::address::Address;
use threadline_core::contact::split_name;
use threadline_core::reason::Reason;

const READ: &str = "/crm/v3/objects/contacts/batch/read";
const CONTACTS: &str = "/crm/v3/objects/contacts";
/// Most inputs of one batch.
pub(super) const BATCH: usize = 100;

/// Who is to be found.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub name: Option<String>,
    /// The rules allow a contact to be made.
    pub may_create: bool,
}

/// What became of the addresses.
#[derive(Debug, Default)]
pub(super) struct People {
    pub ids: HashMap<Address, String>,
    /// Addresses that HubSpot does not take.
    pub refused: HashMap<Address, CrmError>,
    /// What was sent for each address.
    pub sent: HashMap<Address, Vec<Egress>>,
}

impl People {
    fn note(&mut self, address: &Address, remote_id: Option<String>, field: &str, bytes: usize) {
        self.sent.entry(address.clone()).or_default().push(Egress {
            object: "contact".into(),
            remote_id,
            field: field.into(),
            bytes: bytes as u64,
        });
    }
}

/// Looks contacts up by address. Not found is no error.
pub(super) async fn look_up(api: &Api, addresses: &[&Address], people: &mut People) -> Result<(), CrmError> {
    for some in addresses.chunks(BATCH) {
        let inputs: Vec<Value> = some.iter().map(|a| json!({"id": a.as_str()})).collect();
        let body =
            json!({"idProperty": "email", "properties": ["email", "hs_additional_emails"], "inputs": inputs});
        let answer = api.call(Call::ask("looking contacts up", READ, body)).await?;
        for address in some {
            people.note(address, None, "search:email", address.as_str().len());
        }
        for contact in answer.ok()?.results() {
            let Some(id) = contact["id"].as_str() else { continue };
            for address in addresses_of(&contact["properties"]) {
                people.ids.entry(address).or_insert_with(|| id.to_owned());
            }
        }
    }
    Ok(())
}

/// With nobody to log it on a message is refused.
pub(super) fn nobody() -> CrmError {
    CrmError::new("HubSpot, finding the contacts", Reason::CrmRejected)
        .kind(Kind::Row)
        .retry(Retry::Never)
        .told(
            "There is nobody to log it on: no one on the message is a contact there, and the rules make none.",
            "Add the contact in HubSpot, then push the message again.",
        )
}

/// Every address of a contact, the main one first.
pub(super) fn addresses_of(properties: &Value) -> Vec<Address> {
    let main = properties["email"].as_str().unwrap_or_default();
    let others = properties["hs_additional_emails"].as_str().unwrap_or_default();
    let mut all: Vec<Address> = Vec::new();
    for address in std::iter::once(main).chain(others.split(';')).filter_map(|a| Address::parse(a).ok()) {
        if !all.contains(&address) {
            all.push(address);
        }
    }
    all
}

/// Finds the contact of each address, or makes it where that is allowed. An address that is refused does not stop the
/// others.
pub(super) async fn resolve(
    api: &Api,
    wanted: &BTreeMap<Address, Wanted>,
    people: &mut People,
) -> Result<(), CrmError> {
    let addresses: Vec<&Address> = wanted.keys().collect();
    look_up(api, &addresses, people).await?;
    for (address, Wanted { name, may_create }) in wanted {
        if people.ids.contains_key(address) || !may_create {
            continue;
        }
        let mut properties = json!({"email": address.as_str()});
        if let Some(name) = name {
            let (first, last) = split_name(name);
            for (field, value) in [("firstname", first), ("lastname", last)] {
                if !value.is_empty() {
                    properties[field] = value.into();
                }
            }
        }
        let body = json!({"properties": properties});
        let answer = api.call(Call::store("making a contact", CONTACTS, body)).await?;
        let id = match answer.status {
            200..300 => answer.body["id"].as_str().map(str::to_owned),
            // Made in this moment by somebody else, or the address is a second one of another contact.
            409 => existing_id(answer.message()),
            _ => None,
        };
        for (field, value) in properties.as_object().into_iter().flatten() {
            people.note(address, id.clone(), field, value.as_str().map_or(0, str::len));
        }
        match id {
            Some(id) => {
                people.ids.insert(address.clone(), id);
            }
            None => {
                let error = answer.refused(Kind::Row).without(name.as_deref());
                people.refused.insert(address.clone(), error);
            }
        }
    }
    Ok(())
}

/// `Contact already exists. Existing ID: 12345`
fn existing_id(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("Existing ID:")?;
    let id: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
    (!id.is_empty()).then_some(id)
}

/// The id of the owner with this address; `None` where the portal has no such user.
pub(super) async fn owner(api: &Api, address: &Address) -> Result<Option<String>, CrmError> {
    let mut call = Call::get("looking the owner up", "/crm/v3/owners");
    call.query = vec![("email", address.to_string()), ("limit", "1".into())];
    let answer = api.call(call).await?.ok()?;
    let id = answer.results().next().and_then(|o| o["id"].as_str()).map(str::to_owned);
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_names_the_contact() {
        assert_eq!(existing_id("Contact already exists. Existing ID: 512 "), Some("512".into()));
        assert_eq!(existing_id("Contact already exists."), None);
    }
}
