//! What happens to a request: the fault, the token, the contract, the operation, the headers.

use super::contract::Operation;
use super::refusal::Refusal;
use super::state::State;
use super::web::{Answer, Ask};
use super::{Fault, Request, Shared, emails, routes, search};
use axum::extract::{FromRequest, Multipart};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{MutexGuard, PoisonError};

/// Longest body of a search, in characters.
const MOST_SEARCH: usize = 3_000;

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn serve(&self, ask: Ask) -> Answer {
        let line = format!("{} {}", ask.method, ask.path.trim_end_matches('/'));
        let fault = self.fault(&line);
        let multipart = ask.header("content-type").starts_with("multipart/form-data");
        let upload = if multipart { self.read_upload(&ask).await } else { None };
        let body = match (multipart, ask.body.is_empty()) {
            (true, _) | (_, true) => Ok(None),
            _ => serde_json::from_slice::<Value>(&ask.body).map(Some),
        };
        let logged = body.as_ref().ok().and_then(Clone::clone).unwrap_or_default();
        let op = self.contract.operation(&ask.method, &ask.path);
        let outcome = match (fault.filter(|f| !f.stores()), &op, body) {
            (Some(fault), ..) => Err(before(fault)),
            (None, None, _) => {
                self.state().violations.push(format!("{line}: not in the contract"));
                Err(Refusal::not_found())
            }
            (None, _, Err(_)) => {
                self.state().violations.push(format!("{line}: the body is not JSON"));
                Err(Refusal::invalid("Invalid input JSON"))
            }
            (None, Some(op), Ok(body)) => self.act(op, &ask, body.as_ref(), upload),
        };
        let (status, answer) = match outcome {
            Ok((status, answer)) => (status, (!answer.is_null()).then_some(answer)),
            Err(refusal) => (refusal.status, Some(refusal.body)),
        };
        let said = match fault {
            Some(Fault::DropBefore | Fault::DropAfter) => Answer::HangUp,
            Some(Fault::SilentBefore | Fault::SilentAfter) => Answer::Silence,
            Some(Fault::StatusAfter(status)) => self.say(&line, status, b"upstream failed".to_vec()),
            Some(Fault::Garbage) => self.say(&line, status, b"<html>not json".to_vec()),
            Some(Fault::Status(status)) => self.say(&line, status, b"<html>bad gateway".to_vec()),
            _ => {
                if let Some(op) = &op {
                    let wrong = self.contract.answer(op, status, answer.as_ref());
                    self.state().violations.extend(wrong);
                }
                self.say(&line, status, answer.map(|a| a.to_string().into_bytes()).unwrap_or_default())
            }
        };
        let status = match &said {
            Answer::Say { status, .. } => Some(*status),
            _ => None,
        };
        self.state().log.push(Request { line, query: ask.query, body: logged, status });
        said
    }

    fn fault(&self, line: &str) -> Option<Fault> {
        {
            let mut state = self.state();
            if let Some(at) = state.faults.iter().position(|(on, _)| line.starts_with(on.as_str())) {
                return state.faults.remove(at).map(|(_, fault)| fault);
            }
        }
        self.chaos.lock().unwrap_or_else(PoisonError::into_inner).as_mut().and_then(|chaos| chaos(line))
    }

    /// An uploaded file; checks the other fields.
    async fn read_upload(&self, ask: &Ask) -> Option<Upload> {
        let mut request = axum::http::Request::new(axum::body::Body::from(ask.body.clone()));
        *request.headers_mut() = ask.headers.clone();
        let mut form = Multipart::from_request(request, &()).await.ok()?;
        let (mut file, mut private, mut keeps, mut folder) = (None, false, false, String::new());
        while let Ok(Some(field)) = form.next_field().await {
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().map(str::to_owned);
            let bytes = field.bytes().await.ok()?;
            match name.as_str() {
                "file" => file = Some((file_name?, bytes.len())),
                "options" => {
                    let options = serde_json::from_slice::<Value>(&bytes).unwrap_or_default();
                    private = options["access"] == "PRIVATE";
                    keeps = options["duplicateValidationStrategy"] == "RETURN_EXISTING"
                        && options["duplicateValidationScope"] == "EXACT_FOLDER";
                }
                "folderPath" => folder = String::from_utf8_lossy(&bytes).into_owned(),
                "folderId" | "fileName" => {}
                other => {
                    self.state().violations.push(format!("uploadFile: field {other}: not in the contract"))
                }
            }
        }
        file.filter(|_| private).map(|(name, size)| Upload { name, size, folder, keeps })
    }

    /// Checks who asks and what, then does it.
    fn act(
        &self,
        op: &Operation<'_>,
        ask: &Ask,
        body: Option<&Value>,
        upload: Option<Upload>,
    ) -> routes::Outcome {
        let now = self.clock.now();
        let mut guard = self.state();
        let state = &mut *guard;
        if ask.header("authorization") != format!("Bearer {}", state.options.token) {
            return Err(Refusal::token());
        }
        limits(state, op.id.starts_with("search"), now)?;
        if let (Some(scope), Some(scopes)) = (op.scope, &state.options.scopes)
            && !scopes.iter().any(|s| s == scope)
        {
            return Err(Refusal::scope(scope));
        }
        let wrong = self.contract.request(op, &ask.query, body);
        if let Some(first) = wrong.first() {
            let refusal = Refusal::invalid(format!("Invalid input: {first}"));
            state.violations.extend(wrong);
            return Err(refusal);
        }
        let body = body.unwrap_or(&Value::Null);
        if op.id.starts_with("search") && body.to_string().chars().count() > MOST_SEARCH {
            return Err(Refusal::invalid("The search is longer than 3,000 characters."));
        }
        let param = |n: usize| op.params.get(n).map_or("", String::as_str);
        match op.id {
            "accountDetails" => routes::account(state),
            "listEmailProperties" => routes::email_properties(state),
            "getEmailProperty" => routes::email_property(state, param(0)),
            "createEmailProperty" => routes::create_email_property(state, body),
            "listContacts" => routes::list_contacts(state, ask),
            "createContact" => routes::create_contact(state, body, now),
            "getContact" => routes::get_contact(state, ask, param(0)),
            "updateContact" => routes::update_contact(state, ask, param(0), body, now),
            "archiveContact" => routes::archive_contact(state, ask, param(0), now),
            "readContacts" => routes::read_contacts(state, body, now),
            "searchContacts" => search::contacts(state, body, now),
            "createEmail" => emails::create(state, body, now),
            "getEmail" => routes::get_email(state, ask, param(0)),
            "archiveEmail" => routes::archive_email(state, param(0), now),
            "archiveEmails" => routes::archive_emails(state, body, now),
            "updateEmails" => emails::update_many(state, body, now),
            "createEmails" => emails::create_many(state, body, now),
            "upsertEmails" => emails::upsert_many(state, body, now),
            "readEmails" => routes::read_emails(state, body, now),
            "searchEmails" => search::emails(state, body, now),
            "associate" => emails::associate(state, param(0), param(1), now),
            "associateMany" => emails::associate_many(state, body, now),
            "associationsOf" => emails::associations_of(state, param(0)),
            "listOwners" => owners(state, ask),
            "uploadFile" => upload_file(state, upload, now),
            other => Err(Refusal::new(501, "NOT_IMPLEMENTED", format!("the fake does not do {other}"))),
        }
    }

    /// Puts the headers on. Searches carry no limits, as at HubSpot.
    fn say(&self, line: &str, status: u16, body: Vec<u8>) -> Answer {
        let state = self.state();
        let date = jiff::fmt::rfc2822::DateTimePrinter::new();
        let mut headers = vec![("content-type", "application/json;charset=utf-8".to_owned())];
        if let Ok(now) = date.timestamp_to_rfc9110_string(&self.clock.now()) {
            headers.push(("date", now));
        }
        if !line.ends_with("/search") {
            let left = state
                .options
                .ten_seconds
                .saturating_sub(u32::try_from(state.recent.len()).unwrap_or(u32::MAX));
            headers.push(("x-hubspot-ratelimit-interval-milliseconds", "10000".into()));
            headers.push(("x-hubspot-ratelimit-max", state.options.ten_seconds.to_string()));
            headers.push(("x-hubspot-ratelimit-remaining", left.to_string()));
            headers.push(("x-hubspot-ratelimit-daily", state.options.daily.to_string()));
            let left = state.options.daily.saturating_sub(state.today);
            headers.push(("x-hubspot-ratelimit-daily-remaining", left.to_string()));
        }
        if status == 204 {
            Answer::Say { status, headers, body: Vec::new() }
        } else {
            Answer::Say { status, headers, body }
        }
    }
}

/// The refusal that a fault stands for; those without an answer get one that nobody sees.
fn before(fault: Fault) -> Refusal {
    match fault {
        Fault::TenSecondly => Refusal::limit("TEN_SECONDLY_ROLLING"),
        Fault::Daily => Refusal::limit("DAILY"),
        _ => Refusal::new(500, "INTERNAL_ERROR", "internal error"),
    }
}

/// Counts a request, or refuses it.
fn limits(state: &mut State, search: bool, now: Timestamp) -> Result<(), Refusal> {
    let forget = |moments: &mut VecDeque<Timestamp>, after: SignedDuration| {
        while moments.front().is_some_and(|t| now.duration_since(*t) >= after) {
            moments.pop_front();
        }
        u32::try_from(moments.len()).unwrap_or(u32::MAX)
    };
    if search {
        if forget(&mut state.searches, SignedDuration::from_secs(1)) >= state.options.searches {
            return Err(Refusal::limit("SECONDLY"));
        }
        state.searches.push_back(now);
    }
    if state.today >= state.options.daily {
        return Err(Refusal::limit("DAILY"));
    }
    if forget(&mut state.recent, SignedDuration::from_secs(10)) >= state.options.ten_seconds {
        return Err(Refusal::limit("TEN_SECONDLY_ROLLING"));
    }
    state.today += 1;
    state.recent.push_back(now);
    Ok(())
}

fn owners(state: &State, ask: &Ask) -> routes::Outcome {
    let email = ask.param("email").map(str::to_lowercase);
    let found: Vec<Value> = state
        .owners
        .iter()
        .filter(|(_, own)| email.as_ref().is_none_or(|email| email == own))
        .map(|(id, own)| {
            json!({
                "id": id.to_string(), "email": own, "type": "PERSON", "firstName": "", "lastName": "",
                "userId": id, "userIdIncludingInactive": id, "archived": false,
                "createdAt": state.started.to_string(), "updatedAt": state.started.to_string(),
            })
        })
        .collect();
    Ok((200, json!({"results": found})))
}

/// A file on its way in.
pub(super) struct Upload {
    name: String,
    size: usize,
    folder: String,
    /// Where the folder has it already, that one is given back.
    keeps: bool,
}

fn upload_file(state: &mut State, upload: Option<Upload>, now: Timestamp) -> routes::Outcome {
    let Upload { name, size, folder, keeps } =
        upload.ok_or_else(|| Refusal::invalid("a file and private options are needed"))?;
    let path = format!("{folder}/{name}");
    let there = state.file_paths.iter().find(|(known, _)| keeps && *known == path).map(|(_, id)| *id);
    let id = there.unwrap_or_else(|| state.new_id());
    if there.is_none() {
        state.files.push((id, name.clone(), size));
        state.file_paths.push((path, id));
    }
    let shown = json!({
        "id": id.to_string(), "name": name, "size": size, "access": "PRIVATE", "archived": false,
        "createdAt": now.to_string(), "updatedAt": now.to_string(),
    });
    Ok((201, shown))
}
