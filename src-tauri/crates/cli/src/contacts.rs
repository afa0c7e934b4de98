//! `threadline contacts`

use crate::args::ContactsCommand;
use crate::output;
use std::process::ExitCode;
use threadline_engine::Engine;

/// A line of progress after so many contacts.
const PROGRESS: usize = 20_000;

pub async fn run(engine: &Engine, command: ContactsCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        ContactsCommand::Import { file } => {
            let source = std::fs::File::open(&file).map_err(|e| {
                let file = file.display();
                anyhow::anyhow!(
                    "{file}: the contact list cannot be opened: {e}. Check its name and your rights to it."
                )
            })?;
            let imported = engine
                .import_contacts(source, |stored| {
                    if !json && stored % PROGRESS == 0 {
                        output::note(&format!("{stored} contacts stored"));
                    }
                })
                .await?;
            match json {
                true => output::json(&imported)?,
                false => output::say(&format!(
                    "{} read; {} without an address left out.",
                    output::count(imported.contacts, "contact", "contacts"),
                    output::count(imported.left_out, "line", "lines"),
                )),
            }
        }
        ContactsCommand::List { limit } => {
            let contacts = engine.contacts(limit as usize).await?;
            if json {
                contacts.iter().try_for_each(output::json)?;
            } else if contacts.is_empty() {
                output::say(
                    "No contacts yet. Set a CRM that has some, or use `threadline contacts import FILE.csv`.",
                );
            } else {
                let rows: Vec<Vec<String>> = contacts
                    .into_iter()
                    .map(|c| {
                        let addresses: Vec<&str> = c.addresses.iter().map(|a| a.as_str()).collect();
                        vec![addresses.join(", "), c.name.unwrap_or_default(), c.source, c.remote_id]
                    })
                    .collect();
                output::table(&["ADDRESSES", "NAME", "SOURCE", "ID"], &rows);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
