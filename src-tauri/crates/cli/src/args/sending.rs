//! `threadline send`, `threadline sends` and `threadline templates`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use threadline_core::address::Address;
use threadline_engine::writing::CopyWish;

#[derive(Debug, Args)]
pub struct SendArgs {
    /// The mailbox to send from. Default: the only one.
    #[arg(long, value_name = "ADDRESS")]
    pub account: Option<Address>,
    /// Your name beside your address. It is remembered for the next mails.
    #[arg(long, value_name = "NAME")]
    pub from_name: Option<String>,
    /// Whom it goes to: an address, or "Name <address>".
    #[arg(long, value_name = "PERSON")]
    pub to: Vec<String>,
    /// Who gets a copy, seen by all.
    #[arg(long, value_name = "PERSON")]
    pub cc: Vec<String>,
    /// Who gets a copy unseen by the others.
    #[arg(long, value_name = "PERSON")]
    pub bcc: Vec<String>,
    /// The subject. Default: the template's.
    #[arg(long)]
    pub subject: Option<String>,
    /// The plain text: a file, or - for standard input.
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// The text as HTML: a file. The plain text is made of it where there is none.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// A template of `threadline templates`. Its variables stand for the first recipient.
    #[arg(long, value_name = "NAME")]
    pub template: Option<String>,
    /// A variable of the template: NAME=VALUE.
    #[arg(long = "set", value_name = "NAME=VALUE", requires = "template")]
    pub values: Vec<String>,
    /// A file that goes with it.
    #[arg(long, value_name = "FILE")]
    pub attach: Vec<PathBuf>,
    /// When it goes: 2h, 18:30, or 2026-12-24T18:00. Default: in 10 seconds, until which it can be taken back.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Print the mail as it would go, and send nothing.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub enum SendsCommand {
    /// List them, the newest first.
    List {
        /// Most lines printed.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show one with what the server said, to each recipient, and where its copy is.
    Show {
        /// The number from `threadline sends`.
        id: i64,
    },
    /// Take it back, as long as it has not gone.
    #[command(visible_alias = "cancel")]
    Undo {
        /// The number from `threadline sends`.
        id: i64,
    },
    /// Send it again: one that was refused, or one of which you know that it was not sent. Of one that was sent, try the copy
    /// again that failed.
    Retry {
        /// The number from `threadline sends`.
        id: i64,
    },
    /// You know that it was sent, though Threadline does not.
    Confirm {
        /// The number from `threadline sends`.
        id: i64,
    },
    /// Send what the CRM asks for: a list at the webhook's receiver, signed with the webhook's secret. The README describes it.
    /// Without an address, show it. HubSpot offers no such list.
    FromCrm {
        /// The list's address, or off.
        #[arg(value_name = "URL|off")]
        url: Option<String>,
    },
    /// What becomes of your own copies of what a mailbox sends; without a choice, show it.
    Copies {
        /// The mailbox.
        address: Address,
        /// What you want.
        #[arg(value_enum)]
        wish: Option<WishArg>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum WishArg {
    /// None where the provider files them itself, else one in the folder of sent mail.
    Auto,
    Never,
    /// One, though the provider is known to file them; none where it lies there already.
    Always,
}

impl From<WishArg> for CopyWish {
    fn from(wish: WishArg) -> Self {
        match wish {
            WishArg::Auto => CopyWish::Auto,
            WishArg::Never => CopyWish::Never,
            WishArg::Always => CopyWish::Always,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum TemplatesCommand {
    /// List them with their variables.
    List,
    /// Keep a template, in place of the one with this name.
    ///
    /// A variable is written {{first_name}}, or {{first_name|there}} with what stands instead where it is missing. There are
    /// name, first_name, last_name, email and domain of the recipient, my_name and my_email, and whatever --set gives.
    Set {
        /// Its name.
        name: String,
        /// The subject.
        #[arg(long, default_value = "")]
        subject: String,
        /// The plain text: a file, or - for standard input.
        #[arg(long, value_name = "FILE")]
        text: Option<PathBuf>,
        /// The text as HTML: a file.
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// Show one.
    Show {
        /// Its name.
        name: String,
    },
    /// Remove one.
    Remove {
        /// Its name.
        name: String,
    },
}
