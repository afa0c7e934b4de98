//! Associating emails with contacts.

use super::HubspotSink;
use super::api::Call;
use super::people::{self, People};
use crate::error::{CrmError, Kind};
use crate::sink::Egress;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashSet;
use threadline_core::address::Address;

const MANY: &str = "/crm/v4/associations/emails/contacts/batch/associate/default";
/// Most pairs of one request.
const MOST_PAIRS: usize = 500;

/// A stored email and its contacts. Contacts that are gone are taken out.
pub(super) struct Pair<'a> {
    pub email: String,
    pub contacts: &'a mut Vec<(Address, String)>,
    pub sent: &'a mut Vec<Egress>,
}

/// Associates them all. Doing it again changes nothing. A contact that was merged or deleted since is looked up
/// again by its address, and left out where nobody has it any more.
pub(super) async fn associate(sink: &HubspotSink, pairs: &mut [Pair<'_>]) -> Result<(), CrmError> {
    let all: Vec<(String, String)> = pairs
        .iter()
        .flat_map(|p| p.contacts.iter().map(|(_, contact)| (p.email.clone(), contact.clone())))
        .collect();
    let mut missing: HashSet<(String, String)> = HashSet::new();
    for some in all.chunks(MOST_PAIRS) {
        if let [(email, contact)] = some {
            if !one(sink, email, contact).await? {
                missing.insert((email.clone(), contact.clone()));
            }
        } else {
            many(sink, some, &mut missing).await?;
        }
    }
    for pair in pairs.iter_mut() {
        if pair.contacts.iter().any(|(_, id)| missing.contains(&(pair.email.clone(), id.clone()))) {
            again(sink, pair, &missing).await?;
        }
        for (_, id) in pair.contacts.iter() {
            let (object, field) = ("association".to_owned(), "contact".to_owned());
            pair.sent.push(Egress {
                object,
                remote_id: Some(pair.email.clone()),
                field,
                bytes: id.len() as u64,
            });
        }
    }
    Ok(())
}

/// False where the email or the contact is no more.
async fn one(sink: &HubspotSink, email: &str, contact: &str) -> Result<bool, CrmError> {
    let path = format!("/crm/v4/objects/emails/{email}/associations/default/contacts/{contact}");
    let call = Call { method: Method::PUT, write: true, ..Call::get("associating the email", path) };
    let answer = sink.api.call(call).await?;
    if answer.is_ok() || matches!(answer.status, 400 | 404) {
        return Ok(answer.is_ok());
    }
    Err(answer.refused(Kind::Sink))
}

async fn many(
    sink: &HubspotSink,
    some: &[(String, String)],
    missing: &mut HashSet<(String, String)>,
) -> Result<(), CrmError> {
    let inputs: Vec<Value> =
        some.iter().map(|(email, contact)| json!({"from": {"id": email}, "to": {"id": contact}})).collect();
    let answer =
        sink.api.call(Call::store("associating the emails", MANY, json!({"inputs": inputs}))).await?;
    let done: HashSet<(&str, &str)> =
        answer.results().filter_map(|r| Some((r["from"]["id"].as_str()?, r["to"]["id"].as_str()?))).collect();
    let done: HashSet<(&str, &str)> = if answer.is_ok() { done } else { HashSet::new() };
    // A refusal of the whole, or of some: each of those is asked for alone and gets its own answer.
    for (email, contact) in some.iter().filter(|(e, c)| !done.contains(&(e.as_str(), c.as_str()))) {
        if !one(sink, email, contact).await? {
            missing.insert((email.clone(), contact.clone()));
        }
    }
    Ok(())
}

async fn again(
    sink: &HubspotSink,
    pair: &mut Pair<'_>,
    missing: &HashSet<(String, String)>,
) -> Result<(), CrmError> {
    let is_missing = |id: &String| missing.contains(&(pair.email.clone(), id.clone()));
    let (gone, mut kept): (Vec<_>, Vec<_>) = pair.contacts.drain(..).partition(|(_, id)| is_missing(id));
    let addresses: Vec<&Address> = gone.iter().map(|(address, _)| address).collect();
    let mut people = People::default();
    people::look_up(&sink.api, &addresses, &mut people).await?;
    for (address, old) in &gone {
        if let Some(id) = people.ids.get(address).filter(|id| *id != old)
            && one(sink, &pair.email, id).await?
        {
            kept.push((address.clone(), id.clone()));
        }
    }
    pair.sent.extend(people.sent.into_values().flatten());
    *pair.contacts = kept;
    Ok(())
}
