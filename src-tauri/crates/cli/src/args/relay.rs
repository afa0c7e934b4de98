//! `threadline relay`.

use clap::{Subcommand, ValueEnum};
use threadline_core::address::Address;

#[derive(Debug, Subcommand)]
pub enum RelayCommand {
    /// Turn it on, while `threadline run` or the app runs. Where a port is taken the next free one is chosen, and told.
    On {
        /// The port with TLS from the first byte. Default: the one set before, 1465 at first.
        #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
        tls_port: Option<u16>,
        /// The port with STARTTLS. Default: the one set before, 1587 at first.
        #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
        starttls_port: Option<u16>,
    },
    /// Turn it off. Passwords and certificate stay.
    Off,
    /// Whether it answers, at which ports, with which certificate, and what went through it in the last 30 days.
    Status,
    /// Show the password that a mail program signs in to the relay with. It is the relay's own, made here.
    Password {
        /// The mailbox's address, which is the name to sign in with.
        address: Address,
        /// Make another one; the old one counts no more.
        #[arg(long)]
        new: bool,
    },
    /// Show the certificate's fingerprint and its last day.
    Certificate {
        /// Print the certificate itself, for systems that take a file.
        #[arg(long)]
        pem: bool,
        /// Make another one; mail programs ask about it again.
        #[arg(long)]
        new: bool,
    },
    /// Try it as a mail program does: port, TLS, sign-in, and the sign-in at the provider. Nothing is sent.
    Test {
        /// The mailbox's address.
        address: Address,
    },
    /// How a mail program is set up for it.
    Help {
        /// The mail program.
        client: ClientArg,
        /// The mailbox's address, where there are several.
        address: Option<Address>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ClientArg {
    Outlook,
    AppleMail,
    Thunderbird,
}
