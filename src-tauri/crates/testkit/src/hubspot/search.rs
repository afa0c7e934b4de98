//! The search endpoints: filter groups, one sort, pages up to 10,000 results.

use super::refusal::Refusal;
use super::routes::{Outcome, names};
use super::state::{Object, State};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Results behind this one cannot be paged to.
const MOST_RESULTS: usize = 10_000;

pub(super) fn contacts(state: &State, body: &Value, now: Timestamp) -> Outcome {
    let found = state
        .contact_ids()
        .filter_map(|id| state.contact(id))
        .filter(|c| c.archived.is_none() && is_indexed(state, c, now));
    answer(found, body)
}

pub(super) fn emails(state: &State, body: &Value, now: Timestamp) -> Outcome {
    let found = state.emails.values().filter(|e| e.archived.is_none() && is_indexed(state, e, now)).cloned();
    answer(found, body)
}

/// Whether the index has seen the last change.
fn is_indexed(state: &State, object: &Object, now: Timestamp) -> bool {
    let slow = state.slow.get(&object.id).copied().unwrap_or(state.options.search_lag);
    object.updated.saturating_add(slow).is_ok_and(|seen| seen <= now)
}

fn answer(all: impl Iterator<Item = Object>, body: &Value) -> Outcome {
    let limit = body["limit"].as_u64().map_or(10, |n| usize::try_from(n).unwrap_or(10));
    let after = match body["after"].as_str() {
        None => 0,
        Some(text) => text.parse::<usize>().map_err(|_| Refusal::invalid("after is not a number"))?,
    };
    if after + limit > MOST_RESULTS {
        return Err(Refusal::invalid("The total number of results cannot exceed 10000"));
    }
    let groups = body["filterGroups"].as_array().map(Vec::as_slice).unwrap_or_default();
    let filters: usize = groups.iter().filter_map(|g| g["filters"].as_array()).map(Vec::len).sum();
    if filters > 18 {
        return Err(Refusal::invalid("at most 18 filters"));
    }
    let mut found: Vec<Object> = all
        .filter(|object| {
            groups.is_empty()
                || groups.iter().any(|g| {
                    g["filters"].as_array().is_some_and(|filters| filters.iter().all(|f| fits(object, f)))
                })
        })
        .collect();
    match body["sorts"].get(0) {
        None => {}
        Some(sort) => {
            let name = sort["propertyName"].as_str().unwrap_or_default();
            found.sort_by_cached_key(|o| (number(o, name), o.id));
            if sort["direction"] == "DESCENDING" {
                found.reverse();
            }
        }
    }
    let total = found.len();
    let wanted = names(&body["properties"]);
    let page: Vec<Value> = found.iter().skip(after).take(limit).map(|o| o.json(&wanted)).collect();
    let mut answer = json!({"total": total, "results": page});
    if after + limit < total {
        answer["paging"] = json!({"next": {"after": (after + limit).to_string()}});
    }
    Ok((200, answer))
}

/// Dates and ids as numbers, so that they sort and compare.
fn number(object: &Object, name: &str) -> i64 {
    match name {
        "lastmodifieddate" | "hs_lastmodifieddate" => object.updated.as_millisecond(),
        "hs_object_id" => i64::try_from(object.id).unwrap_or(i64::MAX),
        _ => object.get(name).parse().unwrap_or(0),
    }
}

/// IN compares lower-case values, as HubSpot does: a value that is not lowered finds nothing.
fn fits(object: &Object, filter: &Value) -> bool {
    let name = filter["propertyName"].as_str().unwrap_or_default();
    let value = filter["value"].as_str().unwrap_or_default();
    let is_number =
        matches!(name, "lastmodifieddate" | "hs_lastmodifieddate" | "hs_object_id" | "hs_timestamp");
    let order = || number(object, name).cmp(&value.parse().unwrap_or(i64::MAX));
    match filter["operator"].as_str().unwrap_or_default() {
        "EQ" if is_number => order().is_eq(),
        "EQ" => object.get(name).eq_ignore_ascii_case(value),
        "GT" => order().is_gt(),
        "GTE" => order().is_ge(),
        "LT" => order().is_lt(),
        "LTE" => order().is_le(),
        "HAS_PROPERTY" => object.properties.contains_key(name),
        "NOT_HAS_PROPERTY" => !object.properties.contains_key(name),
        "IN" => {
            let own = object.get(name).to_lowercase();
            filter["values"].as_array().is_some_and(|values| values.iter().any(|v| *v == own.as_str()))
        }
        _ => false,
    }
}
