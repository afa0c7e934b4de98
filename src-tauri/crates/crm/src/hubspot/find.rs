//! Looking for messages before anything is written.

use super::api::{Api, Call};
use super::email::message_id;
use super::people::BATCH;
use super::portal::KEY;
use crate::error::CrmError;
use crate::sink::{Dedupe, How};
use serde_json::{Value, json};
use std::collections::HashMap;
use threadline_core::id::MessageKey;
use threadline_core::record::Record;

const READ: &str = "/crm/v3/objects/emails/batch/read";
const ARCHIVE: &str = "/crm/v3/objects/emails/batch/archive";
const SEARCH: &str = "/crm/v3/objects/emails/search";
/// Values of one filter: HubSpot's limit.
const MOST_VALUES: usize = 100;
/// Most bytes of the values in one search. HubSpot refuses a body of more than 3,000 characters.
const MOST_BYTES: usize = 2_600;
/// Most results of one page.
const PAGE: usize = 200;

/// An email that is there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct There {
    pub id: String,
    pub how: How,
}

/// By the unique property, which sees what was written a moment ago.
pub(super) async fn by_key(api: &Api, records: &[&Record]) -> Result<HashMap<MessageKey, There>, CrmError> {
    let mut found = HashMap::new();
    for some in records.chunks(BATCH) {
        let inputs: Vec<Value> = some.iter().map(|r| json!({"id": r.key.to_string()})).collect();
        let body = json!({"idProperty": KEY, "properties": [KEY], "inputs": inputs});
        let answer = api.call(Call::ask("looking emails up", READ, body)).await?.ok()?;
        for email in answer.results() {
            let key = email["properties"][KEY].as_str().and_then(|key| key.parse::<MessageKey>().ok());
            if let (Some(key), Some(id)) = (key, email["id"].as_str()) {
                found.insert(key, There { id: id.to_owned(), how: How::Existing });
            }
        }
    }
    Ok(found)
}

/// Which of these emails are deleted or archived. HubSpot names each that it does not find; what it neither gives nor names
/// is not taken for deleted.
pub(super) async fn deleted(api: &Api, ids: &[String]) -> Result<Vec<String>, CrmError> {
    let mut gone = Vec::new();
    for some in ids.chunks(BATCH) {
        let inputs: Vec<Value> = some.iter().map(|id| json!({"id": id})).collect();
        let body = json!({"properties": ["hs_timestamp"], "inputs": inputs});
        let answer = api.call(Call::ask("looking for deleted emails", READ, body)).await?.ok()?;
        let named: std::collections::HashSet<&str> = answer
            .errors()
            .filter(|error| error["category"] == "OBJECT_NOT_FOUND")
            .flat_map(|error| error["context"].as_object().into_iter().flatten())
            .flat_map(|(_, ids)| ids.as_array().into_iter().flatten())
            .filter_map(Value::as_str)
            .collect();
        let found: std::collections::HashSet<&str> =
            answer.results().filter_map(|e| e["id"].as_str()).collect();
        gone.extend(
            some.iter().filter(|id| named.contains(id.as_str()) && !found.contains(id.as_str())).cloned(),
        );
    }
    Ok(gone)
}

/// Moves emails to the portal's recycling bin, from which a person can restore them for 90 days. One that is there already is
/// passed over by HubSpot.
pub(super) async fn archive(api: &Api, ids: &[String]) -> Result<(), CrmError> {
    for some in ids.chunks(BATCH) {
        let inputs: Vec<Value> = some.iter().map(|id| json!({"id": id})).collect();
        api.call(Call::store("removing emails", ARCHIVE, json!({"inputs": inputs}))).await?.ok()?;
    }
    Ok(())
}

/// By every id that the messages go by: finds what HubSpot sent or logged by itself. The search index lags a
/// few seconds behind.
pub(super) async fn by_message_id(
    api: &Api,
    records: &[&Record],
    dedupe: Dedupe,
) -> Result<HashMap<MessageKey, There>, CrmError> {
    let mut owners: HashMap<String, MessageKey> = HashMap::new();
    for record in records {
        let made = if record.message_id.is_none() { message_id(record, dedupe) } else { None };
        for id in record.ids.iter().chain(&record.message_id).chain(&made) {
            owners.entry(plain(id)).or_insert(record.key);
        }
    }
    let ids: Vec<&String> = owners.keys().collect();
    let mut found: HashMap<MessageKey, There> = HashMap::new();
    // Each id is asked for with and without brackets, since portals hold both.
    for values in searches(ids) {
        let groups = json!([{"filters": [{"propertyName": "hs_email_message_id", "operator": "IN", "values": values}]}]);
        let wanted = if dedupe == Dedupe::UniqueProperty {
            json!(["hs_email_message_id", KEY])
        } else {
            json!(["hs_email_message_id"])
        };
        let mut after: Option<String> = None;
        loop {
            let mut body = json!({"filterGroups": groups, "properties": wanted, "limit": PAGE});
            if let Some(after) = &after {
                body["after"] = after.as_str().into();
            }
            let answer = api.call(Call::ask("searching emails", SEARCH, body)).await?.ok()?;
            for email in answer.results() {
                let own = &email["properties"];
                let Some(id) = email["id"].as_str() else { continue };
                let Some(key) = own["hs_email_message_id"].as_str().and_then(|m| owners.get(&plain(m)))
                else {
                    continue;
                };
                // Ours, even under another key: a mail whose id a server rewrote has one more id for each reader.
                let ours = own[KEY].as_str().is_some_and(|key| !key.is_empty());
                let how = if ours { How::Existing } else { How::Linked };
                let there = There { id: id.to_owned(), how };
                let older = |a: &There, b: &There| (a.id.len(), &a.id) < (b.id.len(), &b.id);
                match found.get(key) {
                    Some(first) if older(first, &there) => {}
                    _ => {
                        found.insert(*key, there);
                    }
                }
            }
            after = answer.body["paging"]["next"]["after"].as_str().map(str::to_owned);
            if after.is_none() || answer.results().next().is_none() {
                break;
            }
        }
    }
    Ok(found)
}

/// The values of each search. An id that is too long for any is not asked for: the key finds its mail.
fn searches(ids: Vec<&String>) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = Vec::new();
    let mut bytes = MOST_BYTES;
    for id in ids {
        let pair = [format!("<{id}>"), id.clone()];
        let size: usize = pair.iter().map(|v| json!(v).to_string().len() + 1).sum();
        if size > MOST_BYTES {
            continue;
        }
        let full = all.last().is_none_or(|values| values.len() + pair.len() > MOST_VALUES);
        if full || bytes + size > MOST_BYTES {
            all.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(values) = all.last_mut() {
            values.extend(pair);
        }
    }
    all
}

/// Without brackets and in lower case, which `IN` asks for.
fn plain(id: &str) -> String {
    id.trim().trim_start_matches('<').trim_end_matches('>').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_search_is_larger_than_hubspot_takes_and_none_is_left_out() {
        let ids: Vec<String> = (0..300).map(|n| format!("{}{n}@\u{e9}\"x", "a".repeat(n))).collect();
        let searches = searches(ids.iter().collect());
        assert!(searches.iter().all(|values| !values.is_empty() && values.len() <= MOST_VALUES));
        let largest = searches.iter().map(|v| json!(v).to_string().len()).max().unwrap();
        assert!(largest <= MOST_BYTES + 2, "{largest}");
        assert_eq!(searches.concat().len(), 600);
        assert!(super::searches(vec![&"a".repeat(2_000)]).is_empty());
    }
}
