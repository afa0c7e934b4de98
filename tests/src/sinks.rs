//! The three places that logged mail can go to, as a test sets them up and counts in them.

use crate::{Computer, events_of};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::path::PathBuf;
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

    /// Counts against the sender's manifest; gives how many are lost and how many are there twice. What is there and was
    /// never sent is an error.
    pub fn compare(&self, manifest: &[String]) -> Result<(usize, usize)> {
        let counts = self.counts()?;
        for id in counts.keys() {
            ensure!(manifest.contains(id), "{}: {id} was never sent", self.name());
        }
        let lost = manifest.iter().filter(|id| !counts.contains_key(*id)).count();
        let doubled = counts.values().filter(|n| **n > 1).count();
        Ok((lost, doubled))
    }
}
