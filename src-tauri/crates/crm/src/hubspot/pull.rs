//! Pulling contacts: the whole list once, then what changed.

use super::api::{Answer, Api, Call};
use super::people::addresses_of;
use crate::error::{CrmError, Kind};
use crate::sink::ContactPage;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use threadline_core::contact::Contact;

const CONTACTS: &str = "/crm/v3/objects/contacts";
const SEARCH: &str = "/crm/v3/objects/contacts/search";
const PROPERTIES: &[&str] = &["email", "firstname", "lastname", "hs_additional_emails", "lastmodifieddate"];
/// Contacts of one page.
const PAGE: usize = 100;
/// How far the search index may lag behind, in milliseconds: so much of the past is asked for again.
const OVERLAP: i64 = 2 * 60 * 1000;
/// How often the recycling bin, which has no order that helps, is looked through, in milliseconds.
const BIN_EVERY: i64 = 24 * 60 * 60 * 1000;

/// Where the pull stands. Times are milliseconds since 1970 by the portal's clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case", deny_unknown_fields)]
enum Cursor {
    /// The whole list, in the order of ids.
    All { after: Option<String>, started: i64, bin: i64 },
    /// What changed, in the order of the changes; with `tie`, the rest of those that changed at one moment, in
    /// the order of ids. `round` is when this round of pages began.
    Changed { since: i64, tie: Option<u64>, round: i64, bin: i64 },
    /// The recycling bin.
    Bin { after: Option<String>, since: i64, round: i64, bin: i64 },
    /// Nothing to do until somebody asks again.
    Idle { since: i64, round: i64, bin: i64 },
}

pub(super) async fn page(api: &Api, cursor: Option<&str>) -> Result<ContactPage, CrmError> {
    // A cursor that cannot be read, such as one of an older version, begins again: a contact may come twice.
    let cursor = cursor.and_then(|text| serde_json::from_str(text).ok());
    let now = api.clock.now().as_millisecond();
    let cursor = match cursor {
        Some(Cursor::Idle { since, round, bin }) => {
            // What is older than the lag has settled; what is younger may have been missed.
            let since = since.min(round - OVERLAP);
            return changed(api, since, None, None, bin).await;
        }
        Some(other) => other,
        None => Cursor::All { after: None, started: 0, bin: 0 },
    };
    match cursor {
        Cursor::All { after, started, bin } => all(api, after, started, bin, now).await,
        Cursor::Changed { since, tie, round, bin } => changed(api, since, tie, Some(round), bin).await,
        Cursor::Bin { after, since, round, bin } => bin_page(api, after, since, round, bin).await,
        Cursor::Idle { since, round, bin } => Ok(give(Read::default(), &Cursor::Idle { since, round, bin })),
    }
}

async fn list(api: &Api, after: Option<&String>, archived: bool) -> Result<Answer, CrmError> {
    let mut call = Call::get("reading contacts", CONTACTS);
    call.query = vec![("limit", PAGE.to_string()), ("properties", PROPERTIES.join(","))];
    if let Some(after) = after {
        call.query.push(("after", after.clone()));
    }
    if archived {
        call.query.push(("archived", "true".to_owned()));
    }
    let answer = api.call(call).await?;
    if answer.is_ok() { Ok(answer) } else { Err(answer.refused(Kind::Sink)) }
}

fn next(answer: &Answer) -> Option<String> {
    answer.body["paging"]["next"]["after"].as_str().map(str::to_owned)
}

async fn all(
    api: &Api,
    after: Option<String>,
    started: i64,
    bin: i64,
    now: i64,
) -> Result<ContactPage, CrmError> {
    let answer = list(api, after.as_ref(), false).await?;
    let server = answer.date.map_or(now, |d| d.as_millisecond());
    // What changes while the list is read is asked for afterwards, from its beginning.
    let (started, bin) = if after.is_none() { (server, server) } else { (started, bin) };
    let read = Read::of(answer.results());
    let next = match next(&answer) {
        Some(after) => Cursor::All { after: Some(after), started, bin },
        None => Cursor::Changed { since: started - OVERLAP, tie: None, round: started, bin },
    };
    Ok(give(read, &next))
}

/// One page of changes. HubSpot pages at most 10,000 results of one search, so no page is asked for by its
/// number: each search begins where the last one ended.
async fn changed(
    api: &Api,
    since: i64,
    tie: Option<u64>,
    round: Option<i64>,
    bin: i64,
) -> Result<ContactPage, CrmError> {
    let filter = |name: &str, operator: &str, value: String| json!({"propertyName": name, "operator": operator, "value": value});
    let date = "lastmodifieddate";
    let (filters, sort) = match tie {
        None => (vec![filter(date, "GT", since.to_string())], date),
        Some(id) => {
            let same = filter(date, "EQ", since.to_string());
            (vec![same, filter("hs_object_id", "GT", id.to_string())], "hs_object_id")
        }
    };
    let body = json!({
        "filterGroups": [{"filters": filters}],
        "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
        "properties": PROPERTIES,
        "limit": PAGE,
    });
    let answer = api.call(Call::ask("reading changed contacts", SEARCH, body)).await?;
    if !answer.is_ok() {
        return Err(answer.refused(Kind::Sink));
    }
    let read = Read::of(answer.results());
    let now = || answer.date.unwrap_or_else(|| api.clock.now()).as_millisecond();
    let round = round.unwrap_or_else(now);
    let full = answer.results().count() >= PAGE;
    let next = match (full, tie, read.last) {
        // The page may end in the middle of one moment: the rest of that moment comes by id, from its beginning.
        (true, None, Some(last)) => Cursor::Changed { since: last.0, tie: Some(0), round, bin },
        (true, Some(_), Some(last)) => Cursor::Changed { since, tie: Some(last.1), round, bin },
        (false, Some(_), _) => Cursor::Changed { since, tie: None, round, bin },
        (_, _, last) => {
            let since = last.map_or(since, |l| l.0.max(since));
            if round - bin >= BIN_EVERY {
                Cursor::Bin { after: None, since, round, bin }
            } else {
                Cursor::Idle { since, round, bin }
            }
        }
    };
    Ok(give(read, &next))
}

async fn bin_page(
    api: &Api,
    after: Option<String>,
    since: i64,
    round: i64,
    bin: i64,
) -> Result<ContactPage, CrmError> {
    let answer = list(api, after.as_ref(), true).await?;
    let gone = answer
        .results()
        .filter(|c| time(&c["archivedAt"]).is_none_or(|at| at >= bin - OVERLAP))
        .filter_map(|c| Some(c["id"].as_str()?.to_owned()))
        .collect();
    let read = Read { archived: gone, ..Read::default() };
    let next = match next(&answer) {
        Some(after) => Cursor::Bin { after: Some(after), since, round, bin },
        None => Cursor::Idle { since, round, bin: round },
    };
    Ok(give(read, &next))
}

/// What a page said.
#[derive(Debug, Default)]
struct Read {
    contacts: Vec<Contact>,
    archived: Vec<String>,
    /// Time of change and id of the last contact.
    last: Option<(i64, u64)>,
}

impl Read {
    fn of<'a>(results: impl Iterator<Item = &'a Value>) -> Self {
        let mut read = Self::default();
        for contact in results {
            let (Some(id), properties) = (contact["id"].as_str(), &contact["properties"]) else { continue };
            let at = time(&properties["lastmodifieddate"]).or_else(|| time(&contact["updatedAt"]));
            read.last = at.zip(id.parse().ok());
            let addresses = addresses_of(properties);
            if addresses.is_empty() {
                read.archived.push(id.to_owned());
                continue;
            }
            let part = |name: &str| properties[name].as_str().unwrap_or_default().trim().to_owned();
            let name = format!("{} {}", part("firstname"), part("lastname")).trim().to_owned();
            let name = (!name.is_empty()).then_some(name);
            read.contacts.push(Contact { remote_id: id.to_owned(), addresses, name });
        }
        read
    }
}

fn time(value: &Value) -> Option<i64> {
    let text = value.as_str()?;
    text.parse::<Timestamp>().map(|t| t.as_millisecond()).ok().or_else(|| text.parse().ok())
}

fn give(read: Read, next: &Cursor) -> ContactPage {
    ContactPage {
        contacts: read.contacts,
        archived: read.archived,
        next: serde_json::to_string(next).unwrap_or_default(),
        more: !matches!(next, Cursor::Idle { .. }),
        first_pull_done: !matches!(next, Cursor::All { .. }),
    }
}
