//! What each operation of the contract does, but for searching.

use super::refusal::{Refusal, row_error};
use super::state::{Object, Property, State};
use super::web::Ask;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) type Outcome = Result<(u16, Value), Refusal>;

/// Largest body text that is stored, in bytes.
const MOST_TEXT: usize = 2_000_000;

/// The strings of a JSON list.
pub(super) fn names(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn text_fields(object: &Value) -> BTreeMap<String, String> {
    object
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn wanted(ask: &Ask, usual: &[&str]) -> Vec<String> {
    match ask.param("properties") {
        Some(list) => list.split(',').map(|p| p.trim().to_owned()).collect(),
        None => usual.iter().map(|p| (*p).to_owned()).collect(),
    }
}

const CONTACT: &[&str] = &["email", "firstname", "lastname", "lastmodifieddate"];
const EMAIL: &[&str] = &["hs_timestamp", "hs_email_subject", "hs_lastmodifieddate"];

pub(super) fn account(state: &State) -> Outcome {
    let o = &state.options;
    Ok((
        200,
        json!({
            "portalId": o.portal, "accountType": "STANDARD", "timeZone": o.time_zone, "companyCurrency": "EUR",
            "additionalCurrencies": [], "utcOffset": "+01:00", "utcOffsetMilliseconds": 3_600_000,
            "uiDomain": "app.hubspot.com", "dataHostingLocation": "eu1",
        }),
    ))
}

fn property_json(name: &str, property: &Property) -> Value {
    json!({
        "name": name, "label": name, "type": "string", "fieldType": "text", "groupName": "emailinformation",
        "description": "", "options": [], "hasUniqueValue": property.unique, "hidden": false, "formField": false,
        "modificationMetadata": {
            "archivable": property.custom, "readOnlyDefinition": !property.custom,
            "readOnlyValue": !property.settable, "readOnlyOptions": false,
        },
    })
}

pub(super) fn email_properties(state: &State) -> Outcome {
    let all: Vec<Value> = state.properties.iter().map(|(name, p)| property_json(name, p)).collect();
    Ok((200, json!({"results": all})))
}

pub(super) fn email_property(state: &State, name: &str) -> Outcome {
    let property = state.properties.get(name).ok_or_else(Refusal::not_found)?;
    Ok((200, property_json(name, property)))
}

pub(super) fn create_email_property(state: &mut State, body: &Value) -> Outcome {
    if state.options.property_forbidden {
        return Err(Refusal::scope("crm.schemas.contacts.write"));
    }
    let name = body["name"].as_str().unwrap_or_default();
    if state.properties.contains_key(name) {
        let message = format!("Property named '{name}' already exists.");
        return Err(Refusal::new(409, "OBJECT_ALREADY_EXISTS", message));
    }
    if body["groupName"] != "emailinformation" {
        return Err(Refusal::invalid("the property group does not exist"));
    }
    let property = Property { unique: body["hasUniqueValue"] == true, settable: true, custom: true };
    let shown = property_json(name, &property);
    state.properties.insert(name.to_owned(), property);
    Ok((201, shown))
}

pub(super) fn list_contacts(state: &State, ask: &Ask) -> Outcome {
    let limit = ask.param("limit").and_then(|n| n.parse().ok()).unwrap_or(10);
    let after = ask.param("after").and_then(|n| n.parse().ok()).unwrap_or(0);
    let found = state.contacts_after(after, limit + 1, ask.param("archived") == Some("true"));
    let wanted = wanted(ask, CONTACT);
    let page: Vec<Value> = found.iter().take(limit).map(|c| c.json(&wanted)).collect();
    let mut answer = json!({"results": page});
    if found.len() > limit {
        answer["paging"] = json!({"next": {"after": found[limit - 1].id.to_string()}});
    }
    Ok((200, answer))
}

pub(super) fn create_contact(state: &mut State, body: &Value, now: Timestamp) -> Outcome {
    let properties = text_fields(&body["properties"]);
    let email = properties.get("email").cloned().unwrap_or_default();
    if !email.is_empty() && !is_address(&email) {
        return Err(Refusal::invalid(format!(
            "Property values were not valid: [{{\"isValid\":false,\"message\":\"Email address {email} is invalid\"}}]"
        )));
    }
    if let Some(there) = state.contact_by_email(&email) {
        let message = format!("Contact already exists. Existing ID: {}", there.id);
        return Err(Refusal::new(409, "CONFLICT", message));
    }
    let contact = Object { id: state.new_id(), properties, created: now, updated: now, archived: None };
    let shown = contact.json(&CONTACT.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>());
    state.put_contact(contact);
    Ok((201, shown))
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(l, d)| !l.is_empty() && d.contains('.') && !text.contains(' '))
}

fn find_contact(state: &State, ask: &Ask, id: &str) -> Result<Object, Refusal> {
    let found = match ask.param("idProperty") {
        Some("email") => state.contact_by_email(id),
        Some(_) => return Err(Refusal::invalid("this property is not unique")),
        None => id.parse().ok().and_then(|id| state.contact(id)),
    };
    found.filter(|c| c.archived.is_none()).ok_or_else(Refusal::not_found)
}

pub(super) fn get_contact(state: &State, ask: &Ask, id: &str) -> Outcome {
    Ok((200, find_contact(state, ask, id)?.json(&wanted(ask, CONTACT))))
}

pub(super) fn update_contact(
    state: &mut State,
    ask: &Ask,
    id: &str,
    body: &Value,
    now: Timestamp,
) -> Outcome {
    let mut contact = find_contact(state, ask, id)?;
    contact.properties.extend(text_fields(&body["properties"]));
    contact.updated = now;
    let shown = contact.json(&wanted(ask, CONTACT));
    state.put_contact(contact);
    Ok((200, shown))
}

pub(super) fn archive_contact(state: &mut State, ask: &Ask, id: &str, now: Timestamp) -> Outcome {
    let mut contact = find_contact(state, ask, id)?;
    contact.archived = Some(now);
    state.put_contact(contact);
    Ok((204, Value::Null))
}

/// The answer to a batch: 207 where a row failed.
pub(super) fn batch(results: Vec<Value>, errors: Vec<Value>, good: u16, now: Timestamp) -> (u16, Value) {
    let mut answer = json!({
        "status": "COMPLETE", "results": results,
        "startedAt": now.to_string(), "completedAt": now.to_string(),
    });
    if errors.is_empty() {
        return (good, answer);
    }
    answer["numErrors"] = errors.len().into();
    answer["errors"] = errors.into();
    (207, answer)
}

pub(super) fn read(body: &Value, now: Timestamp, find: impl Fn(&str) -> Option<Object>) -> (u16, Value) {
    let wanted = names(&body["properties"]);
    let mut seen = std::collections::BTreeSet::new();
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for id in body["inputs"].as_array().into_iter().flatten().filter_map(|i| i["id"].as_str()) {
        match find(id).filter(|o| o.archived.is_none()) {
            Some(object) if seen.insert(object.id) => results.push(object.json(&wanted)),
            Some(_) => {}
            None => errors.push(row_error("OBJECT_NOT_FOUND", "Could not get some objects", id)),
        }
    }
    batch(results, errors, 200, now)
}

pub(super) fn read_contacts(state: &State, body: &Value, now: Timestamp) -> Outcome {
    match body["idProperty"].as_str() {
        Some("email") => Ok(read(body, now, |id| {
            let main =
                |c: &Object| state.options.read_by_other_address || c.get("email").eq_ignore_ascii_case(id);
            state.contact_by_email(id).filter(main)
        })),
        None => Ok(read(body, now, |id| state.contact(id.parse().ok()?))),
        Some(_) => Err(Refusal::invalid("this property is not unique")),
    }
}

pub(super) fn read_emails(state: &State, body: &Value, now: Timestamp) -> Outcome {
    match body["idProperty"].as_str() {
        None => Ok(read(body, now, |id| state.emails.get(&id.parse().ok()?).cloned())),
        Some(name) if state.properties.get(name).is_some_and(|p| p.unique) => {
            Ok(read(body, now, |id| state.email_by_key(id).cloned()))
        }
        Some(_) => Err(Refusal::invalid("this property is not unique")),
    }
}

pub(super) fn get_email(state: &State, ask: &Ask, id: &str) -> Outcome {
    let found = match ask.param("idProperty") {
        Some(name) if state.properties.get(name).is_some_and(|p| p.unique) => state.email_by_key(id),
        Some(_) => return Err(Refusal::invalid("this property is not unique")),
        None => id.parse().ok().and_then(|id: u64| state.emails.get(&id)),
    };
    let email = found.filter(|e| e.archived.is_none()).ok_or_else(Refusal::not_found)?;
    Ok((200, email.json(&wanted(ask, EMAIL))))
}

pub(super) fn archive_email(state: &mut State, id: &str, now: Timestamp) -> Outcome {
    let email =
        id.parse().ok().and_then(|id: u64| state.emails.get_mut(&id)).ok_or_else(Refusal::not_found)?;
    email.archived = Some(now);
    Ok((204, Value::Null))
}

/// An id that is not there is passed over.
pub(super) fn archive_emails(state: &mut State, body: &Value, now: Timestamp) -> Outcome {
    for id in body["inputs"].as_array().into_iter().flatten().filter_map(|row| row["id"].as_str()) {
        if let Some(email) = id.parse().ok().and_then(|id: u64| state.emails.get_mut(&id)) {
            email.archived.get_or_insert(now);
        }
    }
    Ok((204, Value::Null))
}

/// What HubSpot would not take. A row that is poisoned is refused alone or with its batch, as the test chose.
pub(super) fn check_email(state: &State, properties: &Value) -> Result<(), (bool, String)> {
    for (name, value) in properties.as_object().into_iter().flatten() {
        match state.properties.get(name) {
            None => return Err((true, format!("Property \"{name}\" does not exist"))),
            Some(p) if !p.settable => {
                return Err((true, format!("\"{name}\" is a read only property; its value cannot be set.")));
            }
            Some(_) => {}
        }
        let text = value.as_str().unwrap_or_default();
        if matches!(name.as_str(), "hs_email_text" | "hs_email_html") && text.len() > MOST_TEXT {
            return Err((true, format!("\"{name}\" is too long")));
        }
        if name == "hs_email_headers" {
            let headers: Value =
                serde_json::from_str(text).map_err(|_| (true, "hs_email_headers is not JSON".to_owned()))?;
            if headers.get("bcc").is_some_and(|bcc| bcc.as_array().is_none_or(|b| !b.is_empty())) {
                return Err((true, "hs_email_headers names a Bcc".to_owned()));
            }
        }
        if name == "hubspot_owner_id" && !state.owners.iter().any(|(id, _)| id.to_string() == text) {
            return Err((true, "the owner does not exist".to_owned()));
        }
    }
    let subject = properties["hs_email_subject"].as_str().unwrap_or_default();
    match state.poison.iter().find(|p| subject.contains(&p.subject)) {
        Some(p) => {
            Err((p.whole_batch, format!("Property \"hs_email_subject\" was not valid: \"{subject}\"")))
        }
        None => Ok(()),
    }
}
