//! `threadline audit`, `threadline retention` and `threadline trash`.

use clap::{Args, Subcommand, ValueEnum};
use threadline_core::address::Address;
use threadline_core::retention::{Clock, Period};

#[derive(Debug, Subcommand)]
pub enum RetentionCommand {
    /// Show the five clocks.
    Show,
    /// Set one of them. A period is 7d for days, 1m for the current calendar month and one more, 1y for years, or forever.
    Set {
        /// The clock.
        clock: ClockArg,
        /// How long headers stay; the text with them, unless --body says otherwise.
        #[arg(long, value_name = "PERIOD", required_unless_present = "body")]
        headers: Option<Period>,
        /// How long texts and files stay; never longer than the header.
        #[arg(long, value_name = "PERIOD")]
        body: Option<Period>,
    },
    /// Put the clocks back to what they were at first.
    Reset,
    /// Legal hold: while it is on nothing is purged, of one conversation or of all.
    Hold {
        /// Whether it is on.
        #[arg(value_name = "true|false", action = clap::ArgAction::Set)]
        on: bool,
        /// The number from `threadline threads`; all without it.
        #[arg(long)]
        thread: Option<i64>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ClockArg {
    /// Mail that you are asked about.
    Metadata,
    /// Mail that you logged by a gesture.
    Gesture,
    /// Mail that was noticed in the mailbox.
    Noticed,
    /// Mail that Threadline or the CRM sent.
    Sent,
    /// What was taken out of the log.
    Deleted,
}

impl From<ClockArg> for Clock {
    fn from(clock: ClockArg) -> Self {
        match clock {
            ClockArg::Metadata => Clock::Metadata,
            ClockArg::Gesture => Clock::Gesture,
            ClockArg::Noticed => Clock::Noticed,
            ClockArg::Sent => Clock::Sent,
            ClockArg::Deleted => Clock::Deleted,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum TrashCommand {
    /// List it, what was deleted last first.
    List {
        /// Most lines printed.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Put a mail back into the log, and on its way to the CRM again.
    Restore {
        /// The number from `threadline trash`.
        id: i64,
    },
}

#[derive(Debug, Args)]
pub struct AuditArgs {
    /// How many days back.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3660))]
    pub days: u32,
    /// The mailbox; all of them without it.
    #[arg(long, value_name = "ADDRESS")]
    pub account: Option<Address>,
    /// Put what is missed on its way.
    #[arg(long)]
    pub fix: bool,
    /// Have one each night, from 3 o'clock on, while Threadline runs; with --days and --fix as given here.
    #[arg(long, value_name = "true|false", conflicts_with = "account")]
    pub nightly: Option<bool>,
}
