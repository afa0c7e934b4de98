//! Templates, and the texts that are made of them.

use super::{Draft, name_key};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::settings::AccountSettings;
use threadline_core::address::Mailbox;
use threadline_core::template::{Template, Values};
use threadline_store::template::{self, Kept};
use threadline_store::{Tx, contact, setting};

/// Longest name of a template, in characters.
const MOST_NAME: usize = 60;

impl Engine {
    /// Keeps a template under a name, in place of the one that was there. Fails where a variable cannot be read.
    pub async fn set_template(&self, name: &str, template: Template) -> Result<(), EngineError> {
        template.variables()?;
        let name = name.trim().to_owned();
        if name.is_empty() || name.chars().count() > MOST_NAME || name.chars().any(char::is_control) {
            return Err(EngineError::NoTemplate(name));
        }
        let now = self.clock().now();
        Ok(self.ledger().write(move |tx| template::put(tx, &name, &template, now)).await?)
    }

    /// All templates, by name.
    pub async fn templates(&self) -> Result<Vec<Kept>, EngineError> {
        Ok(self.ledger().read(template::list).await?)
    }

    pub async fn template(&self, name: &str) -> Result<Kept, EngineError> {
        let wanted = name.to_owned();
        let found = self.ledger().read(move |tx| template::get(tx, &wanted)).await?;
        found.ok_or_else(|| EngineError::NoTemplate(name.to_owned()))
    }

    pub async fn remove_template(&self, name: &str) -> Result<(), EngineError> {
        let wanted = name.to_owned();
        match self.ledger().write(move |tx| template::remove(tx, &wanted)).await? {
            true => Ok(()),
            false => Err(EngineError::NoTemplate(name.to_owned())),
        }
    }

    /// The texts of a mail with their variables filled in.
    pub(super) async fn filled(
        &self,
        id: i64,
        settings: &AccountSettings,
        draft: &Draft,
    ) -> Result<Template, EngineError> {
        let template = match &draft.template {
            Some(name) => self.template(name).await?.template,
            // What is written for one mail has no variables.
            None => {
                return Ok(Template {
                    subject: draft.subject.clone().unwrap_or_default(),
                    text: draft.text.clone().unwrap_or_default(),
                    html: draft.html.clone(),
                });
            }
        };
        let template = Template {
            subject: draft.subject.clone().unwrap_or(template.subject),
            text: draft.text.clone().unwrap_or(template.text),
            html: draft.html.clone().or(template.html),
        };
        let first = draft.to.iter().chain(&draft.cc).chain(&draft.bcc).next().cloned();
        let Some(first) = first else { return Ok(template) };
        let person = self.known_person(first).await?;
        let mut values = Values::of(&person);
        values.set("my_email", settings.address.as_str());
        let name: Option<String> = match &draft.from_name {
            Some(name) => Some(name.clone()),
            None => self.ledger().read(move |tx| setting::get(tx, &name_key(id))).await?,
        };
        if let Some(name) = name {
            values.set("my_name", &name);
        }
        for (name, value) in &draft.values {
            values.set(name, value);
        }
        Ok(template.fill(&values, person.address.as_str())?)
    }

    /// Somebody with the name that the contacts have, unless one is given.
    async fn known_person(&self, person: Mailbox) -> Result<Mailbox, EngineError> {
        if person.name.is_some() {
            return Ok(person);
        }
        self.shared().set_crms(&self.crm_list().await?);
        let sources = self.shared().contact_sources();
        let address = person.address.clone();
        let look = move |tx: &Tx<'_>| {
            for source in &sources {
                let found = contact::lookup(tx, source, std::slice::from_ref(&address))?;
                if let Some(name) = found.into_values().find_map(|contact| contact.name) {
                    return Ok(Some(name));
                }
            }
            Ok(None)
        };
        let name = self.ledger().read(look).await?;
        Ok(Mailbox { name, ..person })
    }
}
