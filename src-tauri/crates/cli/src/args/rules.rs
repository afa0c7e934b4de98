//! `threadline rules` and `threadline private`.

use super::ModeArg;
use clap::{Args, Subcommand, ValueEnum};
use threadline_core::address::Address;

#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// The rules in the order in which they are asked; the first that speaks decides.
    List(OfMailbox),
    /// Add an entry.
    Add {
        kind: RuleKind,
        /// An address, @domain, folder or word; for `other-address` ADDRESS=KNOWN-ADDRESS.
        value: String,
        #[command(flatten)]
        of: OfMailbox,
        /// With `never`: take what was logged of them out of the log too. What the CRM has is listed.
        #[arg(long)]
        past: bool,
        /// With --past: remove the records in the CRM too, where it has a way to (HubSpot: into its recycling bin, for 90 days).
        /// Their number is said first.
        #[arg(long, requires = "past")]
        crm: bool,
        /// Do not ask.
        #[arg(long, requires = "past")]
        yes: bool,
    },
    /// Take an entry away.
    Remove {
        kind: RuleKind,
        value: String,
        #[command(flatten)]
        of: OfMailbox,
    },
    /// Whose mail opens a conversation.
    Mode {
        mode: ModeArg,
        #[command(flatten)]
        of: OfMailbox,
    },
    /// Which of the people outside must be contacts.
    Participants {
        who: ParticipantsArg,
        #[command(flatten)]
        of: OfMailbox,
    },
    /// What would become of a mail to or from somebody, and by which rule.
    Explain {
        /// The other side's address.
        address: Address,
        #[command(flatten)]
        of: OfMailbox,
    },
    /// What the last days would have logged: reads headers alone, and stores nothing.
    Try {
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3660))]
        days: u32,
        #[command(flatten)]
        of: OfMailbox,
    },
}

/// Which mailbox; not needed where there is one.
#[derive(Debug, Args)]
pub struct OfMailbox {
    /// The mailbox's address; not needed where there is only one.
    #[arg(long, value_name = "ADDRESS")]
    pub mailbox: Option<Address>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RuleKind {
    /// An address or @domain that is never logged.
    Never,
    NeverFolder,
    /// A word or phrase of the subject.
    NeverWord,
    /// One of your own addresses.
    Own,
    /// A domain of colleagues.
    Colleague,
    /// An address to which a copy says "log this mail".
    LoggingAddress,
    /// Another address of somebody: ADDRESS=KNOWN-ADDRESS.
    OtherAddress,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ParticipantsArg {
    Any,
    All,
}

#[derive(Debug, Subcommand)]
pub enum PrivateCommand {
    /// Until a time: 2h, 18:30, or 2026-12-24T18:00.
    Until { time: String },
    /// Until now. What was sent meanwhile stays unlogged.
    Off,
}
