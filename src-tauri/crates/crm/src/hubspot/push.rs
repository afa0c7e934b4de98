//! A batch of messages on its way into the portal.

use super::api::{Answer, Call};
use super::email;
use super::find::{self, There};
use super::people::{self, People, Wanted};
use super::portal::{Found, KEY};
use super::{HubspotSink, link};
use crate::error::{CrmError, Kind, Retry};
use crate::sink::{Accepted, Awaited, Dedupe, DeliveredFile, Delivery, Egress, How};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use threadline_core::address::Address;
use threadline_core::id::MessageKey;
use threadline_core::record::{Association, Record};

const UPSERT: &str = "/crm/v3/objects/emails/batch/upsert";
const CREATE: &str = "/crm/v3/objects/emails/batch/create";
/// Most bytes of properties in one request, unless a single mail is larger.
const MOST_BYTES: usize = 5_000_000;

/// One message while it is worked on.
struct Work<'a> {
    record: &'a Record,
    files: &'a [DeliveredFile],
    /// Whom it is logged on. Two colleagues' copies of one mail can name different contacts.
    people: Vec<&'a Association>,
    uncertain: bool,
    /// HubSpot makes the record.
    awaited: Option<Awaited>,
    there: Option<There>,
    contacts: Vec<(Address, String)>,
    sent: Vec<Egress>,
    failed: Option<CrmError>,
    /// Failed only because the search index must be waited for.
    waiting: bool,
}

impl Work<'_> {
    fn open(&self) -> bool {
        self.there.is_none() && self.failed.is_none()
    }

    fn note(&mut self, object: &str, remote_id: Option<&str>, field: &str, bytes: usize) {
        let (object, field) = (object.to_owned(), field.to_owned());
        self.sent.push(Egress {
            object,
            remote_id: remote_id.map(str::to_owned),
            field,
            bytes: bytes as u64,
        });
    }
}

pub(super) async fn push(sink: &HubspotSink, batch: &[Delivery]) -> Vec<Result<Accepted, CrmError>> {
    let found = match sink.found().await {
        Ok(found) => found,
        Err(error) => return batch.iter().map(|_| Err(error.clone())).collect(),
    };
    let mut work: Vec<Work<'_>> = Vec::new();
    let mut places: HashMap<MessageKey, usize> = HashMap::new();
    for delivery in batch {
        // HubSpot refuses a batch that names one id twice.
        let place = *places.entry(delivery.record.key).or_insert(work.len());
        match work.get_mut(place) {
            Some(same) => {
                same.uncertain |= delivery.uncertain;
                same.awaited = same.awaited.or(delivery.awaited);
                same.people.extend(&delivery.record.contacts);
            }
            None => work.push(Work {
                record: &delivery.record,
                files: &delivery.files,
                people: delivery.record.contacts.iter().collect(),
                uncertain: delivery.uncertain,
                awaited: delivery.awaited,
                there: None,
                contacts: Vec::new(),
                sent: Vec::new(),
                failed: None,
                waiting: false,
            }),
        }
    }
    if let Err(error) = all(sink, &found, &mut work).await {
        for one in work.iter_mut().filter(|w| w.failed.is_none()) {
            // What is stored already may lack its contacts: the next attempt finds it and goes on.
            let uncertain = error.uncertain || one.there.is_some() || one.uncertain;
            one.failed = Some(error.clone().uncertain(uncertain));
        }
    }
    let answers: Vec<Result<Accepted, CrmError>> =
        work.into_iter().map(|one| answer(sink, &found, one)).collect();
    let mut first: Vec<bool> = answers.iter().map(|_| true).collect();
    batch
        .iter()
        .map(|delivery| {
            let place = places[&delivery.record.key];
            let mut answer = answers[place].clone();
            if let (Ok(accepted), false) = (&mut answer, first[place]) {
                accepted.how = How::Existing;
                accepted.sent.clear();
            }
            first[place] = false;
            answer
        })
        .collect()
}

fn answer(sink: &HubspotSink, found: &Found, one: Work<'_>) -> Result<Accepted, CrmError> {
    if let Some(error) = one.failed {
        if error.uncertain && !one.waiting && found.dedupe != Dedupe::UniqueProperty {
            sink.doubt(one.record.key);
        }
        return Err(error.sent(one.sent));
    }
    sink.settle(one.record.key);
    let remote_id = one.there.as_ref().map(|t| t.id.clone());
    let link = remote_id.as_ref().map(|id| found.link(id, one.contacts.first().map(|(_, id)| id)));
    let how = one.there.map_or(How::Created, |t| t.how);
    Ok(Accepted { remote_id, link, how, sent: one.sent, contacts: one.contacts })
}

/// The steps. An error concerns every message that has no answer yet.
async fn all(sink: &HubspotSink, found: &Found, work: &mut [Work<'_>]) -> Result<(), CrmError> {
    who(sink, work).await?;
    look(sink, found, work).await?;
    write(sink, found, work).await?;
    link::associate(sink, &mut pairs(work)).await
}

/// Finds the contacts that have no id yet, and makes those that the rules allow. A contact who cannot be had is left out;
/// without any, the message is refused.
async fn who(sink: &HubspotSink, work: &mut [Work<'_>]) -> Result<(), CrmError> {
    let mut wanted: BTreeMap<Address, Wanted> = BTreeMap::new();
    for contact in work.iter().flat_map(|w| &w.people).filter(|c| c.remote_id.is_none()) {
        let entry = wanted.entry(contact.address.clone()).or_default();
        entry.may_create |= contact.may_create;
        if entry.name.is_none() {
            entry.name.clone_from(&contact.name);
        }
    }
    let mut people = People::default();
    let resolved = match wanted.is_empty() {
        true => Ok(()),
        false => people::resolve(&sink.api, &wanted, &mut people).await,
    };
    for one in work.iter_mut() {
        // Booked to the first message that needed it, whatever came of it.
        for contact in one.people.iter().filter(|contact| contact.remote_id.is_none()) {
            one.sent.extend(people.sent.remove(&contact.address).unwrap_or_default());
        }
    }
    resolved?;
    for one in work.iter_mut() {
        let mut refused = None;
        for contact in one.people.clone() {
            let id = contact.remote_id.as_ref().or_else(|| people.ids.get(&contact.address));
            match id {
                Some(id) if one.contacts.iter().any(|(_, known)| known == id) => {}
                Some(id) => one.contacts.push((contact.address.clone(), id.clone())),
                None => refused = people.refused.get(&contact.address).cloned().or(refused),
            }
        }
        // Where HubSpot logs it, it has its own contacts.
        if one.contacts.is_empty() && one.awaited.is_none() {
            one.failed = Some(refused.unwrap_or_else(people::nobody));
        }
    }
    Ok(())
}

/// Looks for what is there already, ours or HubSpot's own.
async fn look(sink: &HubspotSink, found: &Found, work: &mut [Work<'_>]) -> Result<(), CrmError> {
    let records: Vec<&Record> = work.iter().filter(|w| w.open()).map(|w| w.record).collect();
    let own = async {
        match found.dedupe {
            Dedupe::UniqueProperty => find::by_key(&sink.api, &records).await,
            _ => Ok(HashMap::new()),
        }
    };
    let logged = find::by_message_id(&sink.api, &records, found.dedupe);
    let (own, logged) = futures::future::join(own, logged).await;
    let reached = |error: Option<&CrmError>| error.is_none_or(|error| error.reached);
    let asked = (reached(own.as_ref().err()), reached(logged.as_ref().err()));
    for one in work.iter_mut().filter(|w| w.open()) {
        // It left the computer, whatever was answered.
        let key = one.record.key;
        if asked.0 && found.dedupe == Dedupe::UniqueProperty {
            one.note("email", None, "search:threadline_message_id", key.to_string().len());
        }
        for id in one.record.ids.iter().filter(|_| asked.1) {
            one.note("email", None, "search:hs_email_message_id", id.len());
        }
    }
    let (own, logged) = (own?, logged?);
    for one in work.iter_mut().filter(|w| w.open()) {
        let key = one.record.key;
        one.there = own.get(&key).or_else(|| logged.get(&key)).cloned();
        if let (None, Some(awaited)) = (&one.there, one.awaited) {
            one.failed = Some(link::not_logged(awaited));
            continue;
        }
        if found.dedupe != Dedupe::UniqueProperty {
            match &mut one.there {
                Some(there) if one.uncertain => there.how = How::Existing,
                // The index may not show yet what an earlier attempt stored.
                None if one.uncertain => {
                    one.failed = sink.wait_for_index(key);
                    one.waiting = one.failed.is_some();
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Writes what is not there.
async fn write(sink: &HubspotSink, found: &Found, work: &mut [Work<'_>]) -> Result<(), CrmError> {
    let mut rows: Vec<(usize, Map<String, Value>)> = Vec::new();
    let mut askers = Vec::new();
    for (n, one) in work.iter().enumerate().filter(|(_, w)| w.open()) {
        let mut owner = None;
        for who in one.record.owners().filter(|_| found.owners()) {
            let (id, asked) = sink.owner(who).await?;
            if asked {
                askers.push((n, who.as_str().len()));
            }
            owner = id;
            if owner.is_some() {
                break;
            }
        }
        rows.push((n, email::properties(one.record, one.files, found, owner.as_deref())));
    }
    for (n, bytes) in askers {
        work[n].note("owner", None, "search:email", bytes);
    }
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let (mut some, mut bytes) = (Vec::new(), 0);
        while let Some((_, properties)) = rows.peek() {
            let size: usize = properties.values().filter_map(Value::as_str).map(str::len).sum();
            if !some.is_empty() && (bytes + size > MOST_BYTES || some.len() == people::BATCH) {
                break;
            }
            bytes += size;
            some.extend(rows.next());
        }
        write_some(sink, found, work, some).await?;
    }
    Ok(())
}

async fn write_some(
    sink: &HubspotSink,
    found: &Found,
    work: &mut [Work<'_>],
    rows: Vec<(usize, Map<String, Value>)>,
) -> Result<(), CrmError> {
    let unique = found.dedupe == Dedupe::UniqueProperty;
    let inputs: Vec<Value> = rows
        .iter()
        .map(|(n, properties)| {
            if unique {
                json!({"idProperty": KEY, "id": work[*n].record.key.to_string(), "properties": properties})
            } else {
                // The contacts are linked afterwards: one that is gone would refuse the whole mail.
                json!({"properties": properties})
            }
        })
        .collect();
    let path = if unique { UPSERT } else { CREATE };
    let alone = rows.len() == 1;
    let answer = sink.api.call(Call::store("saving the emails", path, json!({"inputs": inputs}))).await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if error.kind == Kind::Batch => {
            for (n, _) in &rows {
                work[*n].failed = Some(error.clone());
            }
            return Ok(());
        }
        Err(error) => {
            // Read and refused, or lost on its way: it left the computer all the same.
            if error.reached {
                book(work, &rows, None);
            }
            return Err(error);
        }
    };
    if !answer.is_ok() {
        let error = answer.refused(if alone { Kind::Row } else { Kind::Batch });
        let error = error.without(rows.iter().flat_map(|(n, _)| private(work[*n].record)));
        book(work, &rows, None);
        for (n, _) in &rows {
            work[*n].failed = Some(error.clone());
        }
        return Ok(());
    }
    let name = if unique { KEY } else { "hs_email_message_id" };
    book(work, &rows, Some((&answer, name)));
    let stored: HashMap<&str, &Value> =
        answer.results().filter_map(|e| Some((e["properties"][name].as_str()?, e))).collect();
    for (n, properties) in &rows {
        let value = properties.get(name).and_then(Value::as_str).unwrap_or_default();
        let one = &mut work[*n];
        match stored.get(value).and_then(|e| Some((e["id"].as_str()?, *e))) {
            Some((id, email)) => {
                let how = if email["new"] == false { How::Existing } else { How::Created };
                one.there = Some(There { id: id.to_owned(), how });
            }
            None => one.failed = Some(row_error(&answer, value, alone).without(private(one.record))),
        }
    }
    Ok(())
}

/// What a refusal must not repeat.
fn private(record: &Record) -> impl Iterator<Item = &str> {
    let people = record.from.iter().chain(&record.to).chain(&record.cc).filter_map(|m| m.name.as_deref());
    std::iter::once(record.subject.as_str()).chain(people).chain(record.text.lines().take(20))
}

/// Why a row is not among the results of a 207.
fn row_error(answer: &Answer, value: &str, alone: bool) -> CrmError {
    let named = |error: &&Value| {
        let ids = error["context"].as_object().into_iter().flatten().filter_map(|(_, ids)| ids.as_array());
        ids.flatten().any(|id| id == value)
    };
    let found = answer.errors().find(named).or_else(|| answer.errors().next().filter(|_| alone));
    match found {
        Some(error) => {
            let words = error["message"].as_str().unwrap_or_default();
            let refused = answer.refused(Kind::Row).words(words);
            // Only what is said to be wrong with the data is the row's own fault.
            match error["category"].as_str() {
                Some("VALIDATION_ERROR" | "OBJECT_NOT_FOUND" | "CONFLICT") | None => refused,
                Some(_) => refused.retry(Retry::Soon).uncertain(true),
            }
        }
        // Neither stored nor refused by name: alone it will get an answer of its own.
        None => {
            answer.refused(if alone { Kind::Row } else { Kind::Batch }).retry(Retry::Soon).uncertain(true)
        }
    }
}

/// Notes what left the computer, with the id that each row got, where there is an answer.
fn book(work: &mut [Work<'_>], rows: &[(usize, Map<String, Value>)], answer: Option<(&Answer, &str)>) {
    for (n, properties) in rows {
        let id = answer.and_then(|(answer, name)| {
            let own = properties.get(name)?;
            answer.results().find(|e| e["properties"][name] == *own)?["id"].as_str()
        });
        for (field, value) in properties {
            work[*n].note("email", id, field, value.as_str().map_or(0, str::len));
        }
    }
}

/// What is to be associated: for each stored message its contacts.
fn pairs<'w>(work: &'w mut [Work<'_>]) -> Vec<link::Pair<'w>> {
    work.iter_mut()
        .filter(|w| w.failed.is_none() && !w.contacts.is_empty())
        .filter_map(|w| {
            let email = w.there.as_ref()?.id.clone();
            Some(link::Pair { email, contacts: &mut w.contacts, sent: &mut w.sent, failed: &mut w.failed })
        })
        .collect()
}
