//! `threadline log`.

use clap::{Args, Subcommand};
use threadline_core::address::Address;

#[derive(Debug, Args)]
pub struct LogArgs {
    /// Most lines printed.
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
    /// What left this computer instead: each field with its size, when, and to which object of the CRM; and how many texts were
    /// never read.
    #[arg(long)]
    pub egress: bool,
    /// With --egress: of this message alone.
    #[arg(long, value_name = "ID", requires = "egress")]
    pub message: Option<i64>,
}

#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Log a mail that a rule kept out, or that was not read yet. Never-log rules are stronger.
    This(LogThis),
}

#[derive(Debug, Args)]
pub struct LogThis {
    /// The mailbox.
    pub address: Address,
    /// The mail's number from `threadline where`.
    #[arg(required_unless_present = "folder", conflicts_with = "folder")]
    pub mail: Option<i64>,
    /// Instead of the number: the folder in which it lies.
    #[arg(long, requires_all = ["uidvalidity", "uid"])]
    pub folder: Option<String>,
    /// The folder's UIDVALIDITY.
    #[arg(long, requires = "folder")]
    pub uidvalidity: Option<u32>,
    /// Its UID there.
    #[arg(long, requires = "folder")]
    pub uid: Option<u32>,
    /// Log this one though a never-log rule or a private time keeps it out.
    #[arg(long)]
    pub despite_never: bool,
}
