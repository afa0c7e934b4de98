//! What the portal holds.

use super::fault::Fault;
use super::{Options, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Ids below this one belong to the crowd.
const FIRST_ID: u64 = 50_000_001;
/// The id of the crowd's first contact.
pub(super) const CROWD_ID: u64 = 1_000_001;

/// A contact or an email.
#[derive(Clone)]
pub struct Object {
    pub id: u64,
    pub properties: BTreeMap<String, String>,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub archived: Option<Timestamp>,
}

/// Test data, but mail text all the same.
impl std::fmt::Debug for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Object")
            .field("id", &self.id)
            .field("properties", &self.properties.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl Object {
    /// A property's value; empty where it is not set.
    pub fn get(&self, name: &str) -> &str {
        self.properties.get(name).map_or("", String::as_str)
    }

    /// As the API shows it, with the properties that were asked for.
    pub(super) fn json(&self, wanted: &[String]) -> Value {
        let mut shown = Map::new();
        for name in wanted.iter().map(String::as_str).chain(["hs_object_id"]) {
            let value = match name {
                "hs_object_id" => Value::from(self.id.to_string()),
                "lastmodifieddate" | "hs_lastmodifieddate" => Value::from(self.updated.to_string()),
                "createdate" | "hs_createdate" => Value::from(self.created.to_string()),
                _ => self.properties.get(name).map_or(Value::Null, |v| Value::from(v.as_str())),
            };
            shown.insert(name.to_owned(), value);
        }
        let mut object = json!({
            "id": self.id.to_string(),
            "properties": shown,
            "createdAt": self.created.to_string(),
            "updatedAt": self.updated.to_string(),
            "archived": self.archived.is_some(),
        });
        if let Some(at) = self.archived {
            object["archivedAt"] = Value::from(at.to_string());
        }
        object
    }
}

/// A property of emails.
#[derive(Debug, Clone)]
pub struct Property {
    pub unique: bool,
    pub settable: bool,
    pub custom: bool,
}

/// Something an injected fault refuses in whole or in part.
#[derive(Debug, Clone)]
pub(super) struct Poison {
    pub subject: String,
    pub whole_batch: bool,
}

#[derive(Debug)]
pub(super) struct State {
    pub options: Options,
    pub started: Timestamp,
    pub contacts: BTreeMap<u64, Object>,
    pub by_email: HashMap<String, u64>,
    pub emails: BTreeMap<u64, Object>,
    /// The unique property's value, and the email that has it.
    pub by_key: HashMap<String, u64>,
    /// Email and contact.
    pub links: BTreeSet<(u64, u64)>,
    pub properties: BTreeMap<String, Property>,
    pub owners: Vec<(u64, String)>,
    /// Objects that the search index shows later than the others.
    pub slow: HashMap<u64, SignedDuration>,
    pub files: Vec<(u64, String, usize)>,
    /// Where each file lies: folder and name.
    pub file_paths: Vec<(String, u64)>,
    pub log: Vec<Request>,
    pub violations: Vec<String>,
    /// The start of a request line that the fault waits for, and the fault.
    pub faults: VecDeque<(String, Fault)>,
    pub poison: Vec<Poison>,
    /// Moments of the last requests, for the ten-second limit.
    pub recent: VecDeque<Timestamp>,
    /// Moments of the last searches, for the one-second limit.
    pub searches: VecDeque<Timestamp>,
    pub today: u32,
    next_id: u64,
}

impl State {
    pub fn new(options: Options, now: Timestamp) -> Self {
        let settable = |settable| Property { unique: false, settable, custom: false };
        let mut properties: BTreeMap<String, Property> = [
            "hs_timestamp",
            "hs_email_direction",
            "hs_email_status",
            "hs_email_subject",
            "hs_email_text",
            "hs_email_html",
            "hs_email_headers",
            "hs_attachment_ids",
            "hubspot_owner_id",
        ]
        .iter()
        .map(|name| ((*name).to_owned(), settable(true)))
        .collect();
        properties.insert("hs_email_message_id".into(), settable(options.message_id_settable));
        properties.insert("hs_email_thread_id".into(), settable(false));
        Self {
            options,
            started: now,
            contacts: BTreeMap::new(),
            by_email: HashMap::new(),
            emails: BTreeMap::new(),
            by_key: HashMap::new(),
            links: BTreeSet::new(),
            properties,
            owners: Vec::new(),
            slow: HashMap::new(),
            files: Vec::new(),
            file_paths: Vec::new(),
            log: Vec::new(),
            violations: Vec::new(),
            faults: VecDeque::new(),
            poison: Vec::new(),
            recent: VecDeque::new(),
            searches: VecDeque::new(),
            today: 0,
            next_id: FIRST_ID,
        }
    }

    pub fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// The crowd's contacts are made when they are looked at.
    fn crowd(&self, id: u64) -> Option<Object> {
        let n = id.checked_sub(CROWD_ID).filter(|n| *n < u64::from(self.options.crowd))?;
        let properties = BTreeMap::from([
            ("email".to_owned(), format!("person{n}@crowd{}.example", n % 5_000)),
            ("firstname".to_owned(), "Person".to_owned()),
            ("lastname".to_owned(), n.to_string()),
        ]);
        Some(Object { id, properties, created: self.started, updated: self.started, archived: None })
    }

    pub fn contact(&self, id: u64) -> Option<Object> {
        self.contacts.get(&id).cloned().or_else(|| self.crowd(id))
    }

    /// By the main address or another one.
    pub fn contact_by_email(&self, email: &str) -> Option<Object> {
        let email = email.to_lowercase();
        if let Some(id) = self.by_email.get(&email) {
            return self.contact(*id);
        }
        let n: u64 = email.strip_prefix("person")?.split_once('@')?.0.parse().ok()?;
        let id = CROWD_ID + n;
        if self.contacts.contains_key(&id) {
            return None;
        }
        self.crowd(id).filter(|c| c.get("email") == email)
    }

    /// Puts a contact in, new or changed.
    pub fn put_contact(&mut self, contact: Object) {
        if let Some(before) = self.contacts.get(&contact.id) {
            for email in addresses(before) {
                self.by_email.remove(&email);
            }
        }
        if contact.archived.is_none() {
            for email in addresses(&contact) {
                self.by_email.insert(email, contact.id);
            }
        }
        self.contacts.insert(contact.id, contact);
    }

    /// The contacts behind `after`, in the order of their ids, at most `most`; archived ones or the others.
    pub fn contacts_after(&self, after: u64, most: usize, archived: bool) -> Vec<Object> {
        let crowd_end = CROWD_ID + u64::from(self.options.crowd);
        let mut found: Vec<Object> = Vec::new();
        let mut id = (after + 1).max(CROWD_ID);
        while id < crowd_end && found.len() < most {
            found.extend(self.contact(id).filter(|c| c.archived.is_some() == archived));
            id += 1;
        }
        for contact in self.contacts.range((after + 1).max(crowd_end)..).map(|(_, c)| c) {
            if found.len() >= most {
                break;
            }
            if contact.archived.is_some() == archived {
                found.push(contact.clone());
            }
        }
        found
    }

    /// Ids and times of change of all contacts that are not archived.
    pub fn contact_ids(&self) -> impl Iterator<Item = u64> + '_ {
        let crowd = CROWD_ID..CROWD_ID + u64::from(self.options.crowd);
        let end = crowd.end;
        crowd.chain(self.contacts.range(end..).map(|(id, _)| *id))
    }

    pub fn email_by_key(&self, key: &str) -> Option<&Object> {
        self.emails.get(self.by_key.get(key)?).filter(|e| e.archived.is_none())
    }
}

/// All addresses of a contact, lowered.
fn addresses(contact: &Object) -> Vec<String> {
    std::iter::once(contact.get("email"))
        .chain(contact.get("hs_additional_emails").split(';'))
        .map(|a| a.trim().to_lowercase())
        .filter(|a| !a.is_empty())
        .collect()
}
