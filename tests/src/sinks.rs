//! The three places that logged mail can go to, as a test sets them up and counts in them.

use crate::{Computer, events_of};
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use threadline_engine::clock::SystemClock;
use threadline_testkit::hubspot::{FakeHubspot, Options};
use threadline_testkit::webhook::WebhookReceiver;

/// One of them, at work.
#[derive(Debug)]
pub enum Place {
    Folder(PathBuf),
    Webhook(WebhookReceiver),
    Hubspot(FakeHubspot),
}

impl Place {
    /// A folder that several computers may share.
    pub fn folder(dir: PathBuf) -> Self {
        Place::Folder(dir)
    }

    pub async fn webhook() -> Result<Self> {
        Ok(Place::Webhook(WebhookReceiver::start().await?))
    }

    pub async fn hubspot() -> Result<Self> {
        Ok(Place::Hubspot(FakeHubspot::start(Options::default(), Arc::new(SystemClock::start())).await?))
    }

    pub fn name(&self) -> &'static str {
        match self {
            Place::Folder(_) => "folder",
            Place::Webhook(_) => "webhook",
            Place::Hubspot(_) => "hubspot",
        }
    }

    /// Makes it the computer's CRM, with these people as contacts.
    pub fn set_up(&self, computer: &Computer, contacts: &[(&str, &str)]) -> Result<()> {
        match self {
            Place::Folder(dir) => {
                computer.import_contacts(contacts)?;
                computer.run(&["crm", "set", "folder", dir.to_str().context("not UTF-8")?])?.ok()?;
            }
            Place::Webhook(receiver) => {
                computer.import_contacts(contacts)?;
                let secret = format!("{}\n", receiver.secret());
                computer.run_with(&["crm", "set", "webhook", &receiver.url()], &secret)?.ok()?;
            }
            Place::Hubspot(portal) => {
                let known = portal.contacts();
                for (email, name) in contacts {
                    if !known.iter().any(|c| c.get("email") == *email) {
                        portal.add_contact(email, name, "");
                    }
                }
                let token = format!("{}\n", Options::default().token);
                computer.run_with(&["crm", "set", "hubspot", "--base-url", &portal.url()], &token)?.ok()?;
            }
        }
        Ok(())
    }

    /// How often each Message-ID (without brackets) is there.
    pub fn counts(&self) -> Result<BTreeMap<String, usize>> {
        let ids: Vec<String> = match self {
            Place::Folder(dir) => {
                events_of(dir)?.iter().filter_map(|e| e["message_id"].as_str().map(str::to_owned)).collect()
            }
            Place::Webhook(receiver) => receiver
                .stored()
                .values()
                .filter_map(|v| v["data"]["message_id"].as_str().map(str::to_owned))
                .collect(),
            Place::Hubspot(portal) => portal
                .emails()
                .iter()
                .map(|e| e.get("hs_email_message_id").trim_matches(['<', '>']).to_owned())
                .collect(),
        };
        let mut counts = BTreeMap::new();
        for id in ids {
            *counts.entry(id).or_default() += 1;
        }
        Ok(counts)
    }

    /// How many attempts came for a message that had come before. A webhook's receiver keeps doubles away itself, so what it
    /// stores does not tell. `None` for the other two, which have no attempts to count.
    pub fn repeated(&self) -> Option<usize> {
        match self {
            Place::Webhook(receiver) => {
                let attempts = receiver.attempts();
                let ids: BTreeSet<&str> = attempts.iter().map(|a| a.id.as_str()).collect();
                Some(attempts.len() - ids.len())
            }
            Place::Folder(_) | Place::Hubspot(_) => None,
        }
    }

    /// Counts against the sender's manifest; gives how many are lost and how many are there twice. What is there and was
    /// never sent is an error, and so is a folder whose messages are not those of its lines.
    pub fn compare(&self, manifest: &[String]) -> Result<(usize, usize)> {
        if let Place::Folder(dir) = self {
            check_messages(dir)?;
        }
        let counts = self.counts()?;
        for id in counts.keys() {
            ensure!(manifest.contains(id), "{}: {id} was never sent", self.name());
        }
        let lost = manifest.iter().filter(|id| !counts.contains_key(*id)).count();
        let doubled = counts.values().filter(|n| **n > 1).count();
        Ok((lost, doubled))
    }
}

/// Each line of a folder has its message, whole, and there is no other file beside them. Holds for plain text, which the line
/// has as the message has it.
fn check_messages(dir: &Path) -> Result<()> {
    let mut named = BTreeSet::new();
    for event in events_of(dir)? {
        let field = |name: &str| event[name].as_str().with_context(|| format!("no {name}: {event:#}"));
        let path = dir.join(field("eml")?);
        let eml = std::fs::read_to_string(&path).with_context(|| format!("missing: {}", path.display()))?;
        let id = format!("Message-ID: <{}>\r\n", field("message_id")?);
        ensure!(eml.contains(&id), "{} is another message: {eml}", path.display());
        let (_, text) = eml.split_once("\r\n\r\n").with_context(|| format!("torn: {eml}"))?;
        let same = text.replace("\r\n", "\n").trim_end() == field("text")?.replace("\r\n", "\n").trim_end();
        ensure!(same && eml.ends_with("\r\n"), "torn: {eml}");
        named.insert(path);
    }
    let extra: Vec<PathBuf> =
        files_below(&dir.join("messages"))?.into_iter().filter(|p| !named.contains(p)).collect();
    ensure!(extra.is_empty(), "no line names {extra:?}");
    Ok(())
}

fn files_below(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(files),
        Err(e) => return Err(e.into()),
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() { files.extend(files_below(&path)?) } else { files.push(path) }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with one mail in it.
    fn folder() -> Result<(tempfile::TempDir, PathBuf)> {
        let dir = tempfile::tempdir()?;
        let month = dir.path().join("messages/2026-11");
        std::fs::create_dir_all(&month)?;
        let eml = month.join("k.eml");
        std::fs::write(&eml, "Message-ID: <1@x>\r\n\r\nhello\r\n")?;
        let line = r#"{"eml":"messages/2026-11/k.eml","message_id":"1@x","text":"hello\n"}"#;
        std::fs::write(dir.path().join("events.jsonl"), format!("{line}\n"))?;
        Ok((dir, eml))
    }

    #[test]
    fn a_folder_whose_messages_are_not_those_of_its_lines_is_refused() -> Result<()> {
        let (dir, eml) = folder()?;
        let place = Place::folder(dir.path().to_owned());
        ensure!(place.compare(&["1@x".to_owned()])? == (0, 0));
        std::fs::write(&eml, "Message-ID: <1@x>\r\n\r\nhel")?;
        ensure!(place.compare(&[]).is_err_and(|e| e.to_string().contains("torn")));
        std::fs::rename(&eml, eml.with_extension("tmp"))?;
        ensure!(place.compare(&[]).is_err_and(|e| e.to_string().contains("missing")));
        let (dir, eml) = folder()?;
        std::fs::write(eml.with_extension("tmp"), "")?;
        let place = Place::folder(dir.path().to_owned());
        ensure!(place.compare(&[]).is_err_and(|e| e.to_string().contains("no line names")));
        Ok(())
    }
}
