//! `threadline crm` and `threadline contacts`.

use clap::Subcommand;
use std::path::PathBuf;
use threadline_core::address::Address;

#[derive(Debug, Subcommand)]
pub enum CrmCommand {
    /// Set where logged mail goes. One of each kind can be set; without any it goes to a local folder.
    #[command(subcommand)]
    Set(CrmSet),
    /// Show what is set, without secrets, and whether it works.
    Show,
    /// Push again now what the CRM refused, and what waits for it.
    Retry {
        /// hubspot, webhook or folder.
        kind: String,
    },
    /// The addresses at which the CRM logs by itself what is sent there: such mail is found in the CRM and linked, and not
    /// pushed. HubSpot's own (…@bcc.hubspot.com) need not be set.
    Address {
        /// hubspot
        kind: String,
        /// All of them; without any, those that are set are shown.
        addresses: Vec<Address>,
        /// Set none.
        #[arg(long, conflicts_with = "addresses")]
        none: bool,
    },
    /// Mail that the CRM should have logged by itself and did not within half an hour.
    Missing,
    /// Push such a mail after all; it is looked up in the CRM once more before.
    Push {
        /// The number from `threadline crm missing`.
        id: i64,
    },
    /// Leave such a mail as it is: logged here, and not in the CRM.
    Leave {
        /// The number from `threadline crm missing`.
        id: i64,
    },
    /// Stop logging to a CRM. What is there stays there.
    Remove {
        /// hubspot, webhook or folder.
        kind: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum CrmSet {
    /// HubSpot. The token of a private app is asked for, or read from standard input.
    Hubspot {
        /// Another base address than HubSpot's own; for tests and proxies.
        #[arg(long, value_name = "URL")]
        base_url: Option<String>,
    },
    /// A signed webhook (Standard Webhooks 1.0). The secret (whsec_…) is asked for, or read from standard input.
    Webhook {
        /// Where events are posted to: an https address.
        url: String,
    },
    /// A local folder: one JSON line a message in events.jsonl, and an .eml beside it. Only you can read it, and it
    /// is an export: what is in it stays until you delete it.
    Folder {
        /// The folder; it is made where it is missing.
        dir: PathBuf,
    },
    /// Nothing: what is logged stays in the encrypted ledger on this computer.
    Ledger,
}

#[derive(Debug, Subcommand)]
pub enum ContactsCommand {
    /// Replace the list by that of a CSV file with a header line. Columns: email (needed), name, or first name and last name.
    Import {
        /// The CSV file, in UTF-8.
        file: PathBuf,
    },
    /// List the contacts known here.
    List {
        /// Most lines printed.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
}
