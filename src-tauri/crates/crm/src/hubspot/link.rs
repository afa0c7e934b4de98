//! Associating emails with contacts.

use super::HubspotSink;
use super::api::{Call, thing};
use super::people::{self, People};
use crate::error::{CrmError, Kind, Retry};
use crate::sink::{Awaited, Egress};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use threadline_core::address::Address;
use threadline_core::reason::Reason;

const MANY: &str = "/crm/v4/associations/emails/contacts/batch/associate/default";
/// Most pairs of one request.
const MOST_PAIRS: usize = 500;

/// How often a record is looked for that HubSpot makes by itself.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// HubSpot has not logged a mail that was sent to its own address.
pub(super) fn not_logged(awaited: Awaited) -> CrmError {
    let error = CrmError::new(thing("looking for the record that HubSpot makes"), Reason::CrmRecordMissing)
        .kind(Kind::Row);
    match awaited {
        Awaited::Still => error.retry(Retry::After(LOOK_EVERY)).told(
            "The mail was sent to HubSpot's own address, and HubSpot's search does not show its record yet.",
            "Wait: it is looked for each minute, for half an hour.",
        ),
        Awaited::TooLong => error.retry(Retry::Never).told(
            "The mail was sent to HubSpot's own address half an hour ago, and HubSpot has no record of it.",
            "See `threadline crm missing`, and say whether Threadline pushes it or leaves it.",
        ),
    }
}

/// A stored email and its contacts. Contacts that are gone are taken out.
pub(super) struct Pair<'a> {
    pub email: String,
    pub contacts: &'a mut Vec<(Address, String)>,
    pub sent: &'a mut Vec<Egress>,
    /// Why it lies on none of them, or not on all that it should.
    pub failed: &'a mut Option<CrmError>,
}

/// What became of an email and a contact.
enum Linked {
    Yes,
    /// The email or the contact is no more.
    Gone,
    Refused(CrmError),
}

/// Pairs that were not associated.
#[derive(Default)]
struct Left {
    gone: HashSet<(String, String)>,
    /// By email.
    refused: HashMap<String, CrmError>,
}

impl Left {
    fn note(&mut self, email: &str, contact: &str, linked: Linked) {
        match linked {
            Linked::Yes => {}
            Linked::Gone => {
                self.gone.insert((email.to_owned(), contact.to_owned()));
            }
            Linked::Refused(error) => {
                self.refused.insert(email.to_owned(), error);
            }
        }
    }

    fn is_gone(&self, email: &str, contact: &str) -> bool {
        self.gone.contains(&(email.to_owned(), contact.to_owned()))
    }
}

/// Associates them all. Doing it again changes nothing. A contact that was merged or deleted since is looked up
/// again by its address, and left out where nobody has it any more. An email that lies on nobody then has failed.
pub(super) async fn associate(sink: &HubspotSink, pairs: &mut [Pair<'_>]) -> Result<(), CrmError> {
    let all: Vec<(String, String)> = pairs
        .iter()
        .flat_map(|p| p.contacts.iter().map(|(_, contact)| (p.email.clone(), contact.clone())))
        .collect();
    let mut left = Left::default();
    for some in all.chunks(MOST_PAIRS) {
        if let [(email, contact)] = some {
            left.note(email, contact, one(sink, email, contact).await?);
        } else {
            many(sink, some, &mut left).await?;
        }
    }
    for pair in pairs.iter_mut() {
        if pair.contacts.iter().any(|(_, id)| left.is_gone(&pair.email, id)) {
            again(sink, pair, &mut left).await?;
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
        // The email is there: the next attempt finds it.
        *pair.failed = match left.refused.remove(&pair.email) {
            Some(error) => Some(error.uncertain(true)),
            None => pair.contacts.is_empty().then(|| people::nobody().uncertain(true)),
        };
    }
    Ok(())
}

async fn one(sink: &HubspotSink, email: &str, contact: &str) -> Result<Linked, CrmError> {
    let path = format!("/crm/v4/objects/emails/{email}/associations/default/contacts/{contact}");
    let call = Call { method: Method::PUT, write: true, ..Call::get("associating the email", path) };
    let answer = sink.api.call(call).await?;
    Ok(match answer.status {
        200..300 => Linked::Yes,
        404 => Linked::Gone,
        _ => Linked::Refused(answer.refused(Kind::Row)),
    })
}

async fn many(sink: &HubspotSink, some: &[(String, String)], left: &mut Left) -> Result<(), CrmError> {
    let inputs: Vec<Value> =
        some.iter().map(|(email, contact)| json!({"from": {"id": email}, "to": {"id": contact}})).collect();
    let answer =
        sink.api.call(Call::store("associating the emails", MANY, json!({"inputs": inputs}))).await?;
    let done: HashSet<(&str, &str)> =
        answer.results().filter_map(|r| Some((r["from"]["id"].as_str()?, r["to"]["id"].as_str()?))).collect();
    let done: HashSet<(&str, &str)> = if answer.is_ok() { done } else { HashSet::new() };
    // A refusal of the whole, or of some: each of those is asked for alone and gets its own answer.
    for (email, contact) in some.iter().filter(|(e, c)| !done.contains(&(e.as_str(), c.as_str()))) {
        left.note(email, contact, one(sink, email, contact).await?);
    }
    Ok(())
}

async fn again(sink: &HubspotSink, pair: &mut Pair<'_>, left: &mut Left) -> Result<(), CrmError> {
    let (gone, mut kept): (Vec<_>, Vec<_>) =
        pair.contacts.drain(..).partition(|(_, id)| left.is_gone(&pair.email, id));
    let addresses: Vec<&Address> = gone.iter().map(|(address, _)| address).collect();
    let mut people = People::default();
    people::look_up(&sink.api, &addresses, &mut people).await?;
    for (address, old) in &gone {
        if let Some(id) = people.ids.get(address).filter(|id| *id != old) {
            match one(sink, &pair.email, id).await? {
                Linked::Yes => kept.push((address.clone(), id.clone())),
                linked => left.note(&pair.email, id, linked),
            }
        }
    }
    pair.sent.extend(people.sent.into_values().flatten());
    *pair.contacts = kept;
    Ok(())
}
