//! Making emails, and associating them.

use super::refusal::{Refusal, row_error};
use super::routes::{Outcome, batch, check_email};
use super::state::{Object, State};
use jiff::Timestamp;
use serde_json::{Value, json};

/// HubSpot's id of the association between an email and a contact.
const EMAIL_TO_CONTACT: u64 = 198;

fn shown() -> Vec<String> {
    ["hs_timestamp", "hs_email_subject", "hs_email_message_id", "threadline_message_id"]
        .map(str::to_owned)
        .to_vec()
}

/// Stores one email; where `into` is given, its properties are set there.
fn store(state: &mut State, into: Option<u64>, row: &Value, now: Timestamp) -> Object {
    let id = into.unwrap_or_else(|| state.new_id());
    let email = state.emails.entry(id).or_insert_with(|| Object {
        id,
        properties: Default::default(),
        created: now,
        updated: now,
        archived: None,
    });
    email.updated = now;
    for (name, value) in row["properties"].as_object().into_iter().flatten() {
        email.properties.insert(name.clone(), value.as_str().unwrap_or_default().to_owned());
    }
    let email = email.clone();
    if let Some(key) = email.properties.get("threadline_message_id") {
        state.by_key.insert(key.clone(), id);
    }
    email
}

/// The contacts that a row of a create wants, if they all exist.
fn contacts_of(state: &State, row: &Value) -> Result<Vec<u64>, Refusal> {
    let mut found = Vec::new();
    for association in row["associations"].as_array().into_iter().flatten() {
        let id: u64 = association["to"]["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(0);
        if state.contact(id).is_none_or(|c| c.archived.is_some()) {
            return Err(Refusal::invalid(format!("contact {id} does not exist")));
        }
        found.push(id);
    }
    Ok(found)
}

/// As HubSpot does, a row that is not valid refuses the request, unless a test asked for a 207.
fn accept(state: &State, row: &Value, id: &str, errors: &mut Vec<Value>) -> Result<bool, Refusal> {
    match check_email(state, &row["properties"]) {
        Ok(()) => Ok(true),
        Err((true, message)) => Err(Refusal::invalid(message)),
        Err((false, message)) => {
            errors.push(row_error("VALIDATION_ERROR", &message, id));
            Ok(false)
        }
    }
}

pub(super) fn create(state: &mut State, body: &Value, now: Timestamp) -> Outcome {
    let (status, mut answer) = create_many(state, &json!({"inputs": [body]}), now)?;
    match answer["results"].get_mut(0) {
        Some(email) if status == 201 => Ok((201, email.take())),
        _ => Err(Refusal::invalid("the email was not valid")),
    }
}

pub(super) fn create_many(state: &mut State, body: &Value, now: Timestamp) -> Outcome {
    let rows = body["inputs"].as_array().cloned().unwrap_or_default();
    let (mut plan, mut errors) = (Vec::new(), Vec::new());
    for row in &rows {
        // A row of a create has no id of its own to be named by.
        let name = row["properties"]["hs_email_message_id"].as_str().unwrap_or_default();
        let key = row["properties"]["threadline_message_id"].as_str();
        if key.is_some_and(|key| state.email_by_key(key).is_some()) {
            return Err(Refusal::new(409, "CONFLICT", "an object with this value already exists"));
        }
        if accept(state, row, name, &mut errors)? {
            plan.push((row, contacts_of(state, row)?));
        }
    }
    let mut results = Vec::new();
    for (row, contacts) in plan {
        let email = store(state, None, row, now);
        state.links.extend(contacts.into_iter().map(|c| (email.id, c)));
        results.push(email.json(&shown()));
    }
    Ok(batch(results, errors, 201, now))
}

pub(super) fn update_many(state: &mut State, body: &Value, now: Timestamp) -> Outcome {
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for row in body["inputs"].as_array().cloned().unwrap_or_default() {
        let id = row["id"].as_str().unwrap_or_default();
        let there = id.parse().ok().filter(|id| state.emails.get(id).is_some_and(|e| e.archived.is_none()));
        match there {
            None => errors.push(row_error("OBJECT_NOT_FOUND", "Could not get some EMAIL objects", id)),
            Some(there) if accept(state, &row, id, &mut errors)? => {
                results.push(store(state, Some(there), &row, now).json(&shown()));
            }
            Some(_) => {}
        }
    }
    Ok(batch(results, errors, 200, now))
}

pub(super) fn upsert_many(state: &mut State, body: &Value, now: Timestamp) -> Outcome {
    let rows = body["inputs"].as_array().cloned().unwrap_or_default();
    let (mut plan, mut errors) = (Vec::new(), Vec::new());
    for mut row in rows {
        let name = row["idProperty"].as_str().unwrap_or_default().to_owned();
        if !state.properties.get(&name).is_some_and(|p| p.unique) {
            return Err(Refusal::invalid(format!("{name} is not a unique property")));
        }
        let id = row["id"].as_str().unwrap_or_default().to_owned();
        if plan.iter().any(|(other, _)| *other == id) {
            return Err(Refusal::invalid("Duplicate IDs found in batch input"));
        }
        row["properties"][&name] = id.as_str().into();
        if accept(state, &row, &id, &mut errors)? {
            plan.push((id, row));
        }
    }
    let mut results = Vec::new();
    for (id, row) in plan {
        let there = state.email_by_key(&id).map(|e| e.id);
        let mut email = store(state, there, &row, now).json(&shown());
        email["new"] = there.is_none().into();
        results.push(email);
    }
    Ok(batch(results, errors, 200, now))
}

fn link(state: &mut State, email: &str, contact: &str) -> Option<Value> {
    let (from, to) = (email.parse().ok()?, contact.parse().ok()?);
    state.emails.get(&from).filter(|e| e.archived.is_none())?;
    state.contact(to).filter(|c| c.archived.is_none())?;
    state.links.insert((from, to));
    Some(json!({
        "from": {"id": email}, "to": {"id": contact},
        "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": EMAIL_TO_CONTACT},
    }))
}

pub(super) fn associate(state: &mut State, email: &str, contact: &str, now: Timestamp) -> Outcome {
    let done = link(state, email, contact).ok_or_else(Refusal::not_found)?;
    Ok(batch(vec![done], Vec::new(), 200, now))
}

pub(super) fn associate_many(state: &mut State, body: &Value, now: Timestamp) -> Outcome {
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for pair in body["inputs"].as_array().into_iter().flatten() {
        let (from, to) = (&pair["from"]["id"], &pair["to"]["id"]);
        let (from, to) = (from.as_str().unwrap_or_default(), to.as_str().unwrap_or_default());
        match link(state, from, to) {
            Some(done) => results.push(done),
            None => errors.push(json!({
                "status": "error", "category": "OBJECT_NOT_FOUND", "errors": [], "links": {},
                "message": "No CONTACT with this ID exists",
                "context": {"fromObjectId": [from], "toObjectId": [to]},
            })),
        }
    }
    Ok(batch(results, errors, 200, now))
}

pub(super) fn associations_of(state: &State, email: &str) -> Outcome {
    let id: u64 = email.parse().map_err(|_| Refusal::not_found())?;
    let links: Vec<Value> = state
        .links
        .range((id, 0)..=(id, u64::MAX))
        .map(|(_, contact)| {
            json!({
                "toObjectId": contact,
                "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": EMAIL_TO_CONTACT, "label": null}],
            })
        })
        .collect();
    Ok((200, json!({"results": links})))
}
