//! A record as HubSpot's properties.

use super::api::{Api, Call};
use super::people::BATCH;
use super::portal::{Found, KEY};
use crate::error::{CrmError, Kind, Retry};
use crate::sink::{Dedupe, DeliveredFile};
use serde_json::{Map, Value, json};
use threadline_core::address::Mailbox;
use threadline_core::contact::split_name;
use threadline_core::record::{Direction, Record};
use threadline_core::rule::Rule;

const UPDATE: &str = "/crm/v3/objects/emails/batch/update";
/// What became of a mail.
const STATUS: &str = "hs_email_status";

/// Longest text and longest HTML, in bytes: HubSpot's limit for a logged mail is 2 MB.
pub(super) const MOST_TEXT: usize = 2_000_000;
const CUT_NOTE: &str = "[The end of this message is missing here: it is longer than HubSpot takes.]";

/// The properties of a new email. Those whom a mail hides from each other are not in its record, and so not in its headers.
pub(super) fn properties(
    record: &Record,
    files: &[DeliveredFile],
    found: &Found,
    owner: Option<&str>,
) -> Map<String, Value> {
    let mut all = Map::new();
    let mut set = |name: &str, value: String| {
        all.insert(name.to_owned(), Value::from(value));
    };
    set("hs_timestamp", record.date.as_millisecond().max(0).to_string());
    let direction = match (record.rule, record.direction) {
        (Rule::ForwardedToLog, _) => "FORWARDED_EMAIL",
        (_, Direction::Outgoing) => "EMAIL",
        (_, Direction::Incoming) => "INCOMING_EMAIL",
    };
    set("hs_email_direction", direction.to_owned());
    set(STATUS, "SENT".to_owned());
    set("hs_email_headers", headers(record).to_string());
    if !record.subject.is_empty() {
        set("hs_email_subject", record.subject.clone());
    }
    if !record.text.is_empty() {
        set("hs_email_text", cut(&record.text, &format!("\n\n{CUT_NOTE}"), record.truncated));
    }
    if let Some(html) = record.html.as_deref().filter(|html| !html.is_empty()) {
        set("hs_email_html", cut(html, &format!("<p>{CUT_NOTE}</p>"), record.truncated));
    }
    let files: Vec<&str> = files.iter().filter_map(|file| file.remote_id.as_deref()).collect();
    if !files.is_empty() {
        set("hs_attachment_ids", files.join(";"));
    }
    if let Some(owner) = owner {
        set("hubspot_owner_id", owner.to_owned());
    }
    if found.message_id
        && let Some(id) = message_id(record, found.dedupe)
    {
        set("hs_email_message_id", id);
    }
    if found.dedupe == Dedupe::UniqueProperty {
        set(KEY, record.key.to_string());
    }
    all
}

/// Their mails came back. HubSpot names those that it does not have, and changes the others.
pub(super) async fn mark_bounced(api: &Api, ids: &[String]) -> Result<(), CrmError> {
    for some in ids.chunks(BATCH) {
        let inputs: Vec<Value> =
            some.iter().map(|id| json!({"id": id, "properties": {STATUS: "BOUNCED"}})).collect();
        let call = Call::store("marking emails as bounced", UPDATE, json!({"inputs": inputs}));
        let answer = api.call(call).await?;
        // The records are gone, and not the portal.
        let answer =
            if answer.status == 404 { return Err(answer.refused(Kind::Batch)) } else { answer.ok()? };
        let mut failed =
            answer.errors().map(|error| error["category"].as_str()).filter(|why| *why != Some(GONE));
        if let Some(why) = failed.next() {
            let own_fault = matches!(why, Some("VALIDATION_ERROR" | "CONFLICT"));
            let error = answer.refused(Kind::Batch);
            return Err(if own_fault { error } else { error.retry(Retry::Soon) });
        }
    }
    Ok(())
}

/// What HubSpot says of each record that it does not have.
const GONE: &str = "OBJECT_NOT_FOUND";

/// What is written to `hs_email_message_id`. Where that is all there is to search by, a mail without an id gets
/// one made of its key.
pub(super) fn message_id(record: &Record, dedupe: Dedupe) -> Option<String> {
    match (&record.message_id, dedupe) {
        (Some(id), _) => Some(format!("<{id}>")),
        (None, Dedupe::Search) => Some(format!("<{}@threadline.invalid>", record.key)),
        (None, _) => None,
    }
}

fn headers(record: &Record) -> Value {
    let list = |boxes: &[Mailbox]| boxes.iter().map(person).collect::<Vec<_>>();
    let mut headers = json!({"to": list(&record.to), "cc": list(&record.cc)});
    if let Some(from) = &record.from {
        headers["from"] = person(from);
    }
    headers
}

fn person(mailbox: &Mailbox) -> Value {
    let mut person = json!({"email": mailbox.address.as_str()});
    if let Some(name) = &mailbox.name {
        let (first, last) = split_name(name);
        person["firstName"] = first.into();
        person["lastName"] = last.into();
    }
    person
}

/// Cuts so that text and note stay within [`MOST_TEXT`]. The note also stands where the message was cut before.
fn cut(text: &str, note: &str, cut_before: bool) -> String {
    let whole = text.len() <= MOST_TEXT && !cut_before;
    if whole {
        return text.to_owned();
    }
    let mut end = text.len().min(MOST_TEXT - note.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let kept = &text[..end];
    // A tag that was cut in two would swallow the note.
    let kept = match (note.starts_with('<'), kept.rfind('<'), kept.rfind('>')) {
        (true, Some(open), close) if close.is_none_or(|close| close < open) => &kept[..open],
        _ => kept,
    };
    format!("{kept}{note}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_is_cut_and_says_so() {
        assert_eq!(cut("short", "\n[x]", false), "short");
        assert_eq!(cut("short", "\n[x]", true), "short\n[x]");
        let long = cut(&"ä".repeat(MOST_TEXT), "\n[x]", false);
        assert!(long.len() <= MOST_TEXT && long.len() > MOST_TEXT - 8 && long.ends_with("ä\n[x]"));
        let html = format!("<p>{}<a href=\"{}", "x".repeat(10), "y".repeat(MOST_TEXT));
        assert_eq!(cut(&html, "<p>[x]</p>", false), "<p>xxxxxxxxxx<p>[x]</p>");
    }
}
