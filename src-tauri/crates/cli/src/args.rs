//! The command line.

mod crm;
mod log;
mod proof;
mod relay;
mod rules;
mod sending;
mod threads;

use crate::explain;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use threadline_core::address::Address;
use threadline_core::reason::Protocol;
use threadline_net::proxy::Proxy;

pub use crm::{ContactsCommand, CrmCommand, CrmSet};
pub use log::{LogArgs, LogCommand, LogThis};
pub use proof::{AuditArgs, RetentionCommand, TrashCommand};
pub use relay::{ClientArg, RelayCommand};
pub use rules::{OfMailbox, ParticipantsArg, PrivateCommand, RuleKind, RulesCommand};
pub use sending::{SendArgs, SendsCommand, TemplatesCommand};
pub use threads::{ThreadsArgs, ThreadsCommand};

/// Logs the mail you send from any client, and the replies to it, in your CRM.
///
/// Threadline connects to your mailbox by IMAP and reads headers only. It
/// fetches the text of a message when a rule says that it is to be logged.
/// Nothing in the mailbox is marked as read.
///
/// First steps:
///   threadline account add ann@firm.example
///   threadline crm set hubspot
///   threadline run
#[derive(Debug, Parser)]
#[command(name = "threadline", version, verbatim_doc_comment, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// The folder in which Threadline keeps its data. Default: the platform's own place.
    #[arg(long, global = true, value_name = "DIR", env = "THREADLINE_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Print data as JSON, one object a line for lists.
    #[arg(long, global = true)]
    pub json: bool,
    /// Say more on standard error; twice for details. Never prints mail or secrets.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  an error, told on standard error
  2  wrong usage
  3  a mailbox or the CRM needs you, or something is put aside or left:
     see `threadline status`
  4  the data folder is in use";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add, list, remove, pause and resume mailboxes.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Find the servers of a mailbox from its address: each with its source and whether it can be trusted. No password is
    /// needed or sent.
    Discover {
        /// The mailbox's address.
        address: Address,
    },
    /// Set what the IT department has given you: client ids for sign-ins with the browser, the CRM, and rules. It is shown
    /// first.
    Setup(SetupArgs),
    /// Settings of the program.
    #[command(subcommand)]
    Setting(SettingCommand),
    /// Say where logged mail goes.
    #[command(subcommand)]
    Crm(CrmCommand),
    /// Say what Threadline is registered as where people sign in with the browser.
    #[command(subcommand)]
    Oauth(OauthCommand),
    /// The proxy for mail servers, CRMs and sign-ins.
    #[command(subcommand)]
    Proxy(ProxyCommand),
    /// Sends what your mail program sends, through this computer: mail can be switched to be logged or not, in any program.
    #[command(subcommand, disable_help_subcommand = true)]
    Relay(RelayCommand),
    /// The local contact list, for CRMs that have no contacts of their own.
    #[command(subcommand)]
    Contacts(ContactsCommand),
    /// Mail that Threadline asks you about: list it, and answer.
    Asked {
        #[command(subcommand)]
        command: Option<AskedCommand>,
    },
    /// Try everything that a mailbox needs, step by step: name, connection, sign-in, folders, SMTP, CRM.
    Check {
        /// The mailbox's address.
        address: Address,
    },
    /// Watch the mailboxes and log until stopped with Ctrl-C.
    Run(RunArgs),
    /// How mailboxes and CRM are, since when and why.
    Status,
    /// Disconnects with their beginning, end, reason and what they delayed, and the uptime of each day (UTC).
    Health {
        /// How many days are looked at, today included.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
        days: u32,
    },
    /// The rules of a mailbox: list, change, explain, and try them on the last days.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// What is sent from now on is never logged, from any mailbox.
    #[command(subcommand)]
    Private(PrivateCommand),
    /// Logged conversations.
    #[command(args_conflicts_with_subcommands = true)]
    Threads {
        #[command(subcommand)]
        command: Option<ThreadsCommand>,
        #[command(flatten)]
        list: ThreadsArgs,
    },
    /// Where is my mail? Looks in the mailbox's Sent folder (the last 14 days) and in the ledger, by recipient or subject.
    Where {
        /// The mailbox.
        address: Address,
        /// Words of the subject, an address or a name.
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// Write a mail and send it through the mailbox's own server: logged at once, with a copy in the folder of sent mail. It
    /// waits 10 seconds, in which it can be taken back.
    Send(SendArgs),
    /// Mails that go out through Threadline: list them, take one back, try again, and say what became of one.
    Sends {
        #[command(subcommand)]
        command: Option<SendsCommand>,
    },
    /// Texts for mails, with variables.
    #[command(subcommand)]
    Templates(TemplatesCommand),
    /// Decisions with the rule that made each, newest first; and a mail that a rule kept out is logged by hand.
    #[command(args_conflicts_with_subcommands = true)]
    Log {
        #[command(subcommand)]
        command: Option<LogCommand>,
        #[command(flatten)]
        list: LogArgs,
    },
    /// How long texts and headers stay on this computer after the CRM has accepted a mail.
    #[command(subcommand)]
    Retention(RetentionCommand),
    /// Take what is due by `threadline retention` from the ledger, now. It happens by itself at the start and once a day.
    Purge {
        /// Say what would go, and take nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// What was taken out of the log: list it, and put it back.
    Trash {
        #[command(subcommand)]
        command: Option<TrashCommand>,
    },
    /// Compare the mailboxes with the ledger: each message of the last days is logged, ignored by a rule, waiting, asked about
    /// or missed. Headers alone are read, and nothing is changed without --fix.
    Audit(AuditArgs),
    /// What a mail server's words mean: reads them from standard input, one text a line.
    ///
    /// A line is the text as it was said, or a JSON object with "raw" and, where they are known, "protocol", "provider"
    /// and "auth_mech", which count more than the options. Prints the reason, who must act, the next action and the
    /// rule that decided; nothing is connected to and nothing is stored.
    ///
    ///   echo 'a1 NO [ALERT] Too many simultaneous connections.' | threadline explain --protocol imap
    #[command(verbatim_doc_comment)]
    Explain(ExplainArgs),
    /// Write what helps to find a fault into a file: versions, settings, health, the disconnects of 30 days and the log.
    ///
    /// Passwords, tokens, addresses, names, subjects and texts of mails are taken out, also where they are encoded. Look
    /// at it with --print before you send it to anybody; nothing is sent by this command.
    Diagnostics(DiagnosticsArgs),
    /// Write everything to a folder: messages, threads, outbox, health, contacts, and an .eml a message.
    ///
    /// The files and their fields are described in the README under "Export".
    Export {
        /// The folder; it is made where it is missing, and must be empty.
        dir: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub enum AskedCommand {
    /// List the questions, the newest mail first.
    List {
        /// Most lines printed.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Log this mail, and make a contact in the CRM of whoever is none.
    Log {
        /// The number from `threadline asked`.
        id: i64,
    },
    /// Log this mail: its sender is the contact of the conversation, under another address, from now on.
    Same {
        /// The number from `threadline asked`.
        id: i64,
    },
    /// Do not log this mail.
    Ignore {
        /// The number from `threadline asked`.
        id: i64,
    },
    /// Do not log this mail, nor any other with these people.
    Never {
        /// The number from `threadline asked`.
        id: i64,
    },
    /// People whom you wrote to and whom the CRM does not know. Once a day the running program asks about them.
    People,
    /// Make contacts of these people, and log the mail to them.
    Add {
        /// Addresses from `threadline asked people`.
        #[arg(required = true)]
        addresses: Vec<Address>,
        #[command(flatten)]
        of: OfMailbox,
    },
    /// Not now: ask again when there is another mail to them.
    Later {
        /// Addresses from `threadline asked people`.
        #[arg(required = true)]
        addresses: Vec<Address>,
        #[command(flatten)]
        of: OfMailbox,
    },
    /// Never log mail with these people.
    NeverPerson {
        /// Addresses from `threadline asked people`.
        #[arg(required = true)]
        addresses: Vec<Address>,
        #[command(flatten)]
        of: OfMailbox,
    },
}

#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Add a mailbox. The password is asked for, or read from standard input where that is no terminal.
    Add(AccountAdd),
    /// List the mailboxes.
    List,
    /// Remove a mailbox, its password and what is kept of its mail here. Mailbox and CRM stay as they are.
    Remove {
        /// The mailbox's address.
        address: Address,
        /// Do not ask, whatever is lost with it.
        #[arg(long)]
        yes: bool,
    },
    /// Sign in with the browser again, or for the first time, and connect.
    SignIn(AccountSignIn),
    /// Store another password, asked for or read from standard input.
    Password {
        /// The mailbox's address.
        address: Address,
        /// Do not try the sign-in before saving.
        #[arg(long)]
        no_check: bool,
    },
    /// Change the server, the user or the rules of a mailbox; what is not named stays as it is.
    Set(AccountSet),
    /// The mailbox's folders, and which of them are watched.
    Folders {
        /// The mailbox's address.
        address: Address,
        /// Make the folder Threadline/Log: what is put into it is logged.
        #[arg(long)]
        make_log: bool,
    },
    /// Read again what could not be read of this mailbox's messages.
    Retry {
        /// The mailbox's address.
        address: Address,
        /// Take the messages that could not be taken in off the list instead.
        #[arg(long)]
        forget: bool,
    },
    /// Stop the connection. What is sent meanwhile is caught up on resume.
    Pause {
        /// The mailbox's address.
        address: Address,
        /// For how long, such as 1h or 30m; without it, until resumed.
        #[arg(long = "for", value_name = "TIME")]
        length: Option<String>,
    },
    /// Connect again, now: after a pause, or instead of waiting for the next attempt.
    Resume {
        /// The mailbox's address.
        address: Address,
    },
}

#[derive(Debug, Args)]
pub struct AccountAdd {
    /// The mailbox's address.
    pub address: Address,
    /// The IMAP server. Without it the servers are found from the address; an answer that cannot be trusted is asked about.
    #[arg(long)]
    pub host: Option<String>,
    /// The port. Default: 993 for TLS, 143 for STARTTLS.
    #[arg(long, requires = "host")]
    pub port: Option<u16>,
    /// How the connection is encrypted; there is no way without. Default: tls.
    #[arg(long, value_enum, requires = "host")]
    pub security: Option<SecurityArg>,
    /// The user name, where it is not the address.
    #[arg(long)]
    pub user: Option<String>,
    #[command(flatten)]
    pub smtp: SmtpArgs,
    /// A PEM file with the certificate of a private authority to trust for this server.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The SHA-256 fingerprint of the one certificate to trust for this server.
    #[arg(long, value_name = "HEX")]
    pub fingerprint: Option<String>,
    /// More addresses that are the person's own.
    #[arg(long = "own", value_name = "ADDRESS")]
    pub own: Vec<Address>,
    /// Addresses and domains of which no mail is ever logged.
    #[arg(long = "never", value_name = "ADDRESS|DOMAIN")]
    pub never: Vec<String>,
    /// Whose mail is logged. Default: known-contacts, or what the set-up of the IT department says.
    #[arg(long, value_enum)]
    pub mode: Option<ModeArg>,
    /// Make a contact in the CRM for each person you write to.
    #[arg(long)]
    pub create_contacts: bool,
    /// Sign in with the browser instead of a password.
    #[arg(long, value_name = "google|microsoft|other")]
    pub oauth: Option<ProviderArg>,
    /// Print the address to open and leave opening it to you.
    #[arg(long)]
    pub no_browser: bool,
    /// Do not try the sign-in before saving.
    #[arg(long)]
    pub no_check: bool,
}

#[derive(Debug, Args)]
pub struct AccountSignIn {
    /// The mailbox's address.
    pub address: Address,
    /// Where to sign in, where the mailbox had a password until now.
    #[arg(long, value_name = "google|microsoft|other")]
    pub oauth: Option<ProviderArg>,
    /// Print the address to open and leave opening it to you.
    #[arg(long)]
    pub no_browser: bool,
    /// Connect even where the browser's sign-in is for another mailbox than the one that was read before.
    #[arg(long)]
    pub other_mailbox: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ProviderArg {
    Google,
    Microsoft,
    Other,
}

#[derive(Debug, Subcommand)]
pub enum ProxyCommand {
    /// Set it. With a user name in it (http://USER@HOST:PORT) the password is asked for, and goes to the keychain.
    Set {
        /// http://HOST:PORT, socks5://HOST:PORT, none, or system for what the system says. Mail takes the system's ALL_PROXY.
        #[arg(value_name = "URL|none|system")]
        proxy: Proxy,
    },
    /// Show what is set, without its password.
    Show,
}

#[derive(Debug, Subcommand)]
pub enum OauthCommand {
    /// Set what Threadline is registered as; the README says how it is registered.
    Set(OauthSet),
    /// Show what is set or built in, without secrets.
    Show,
    /// Forget what was set.
    Remove {
        /// Where people sign in.
        provider: ProviderArg,
    },
}

#[derive(Debug, Args)]
pub struct OauthSet {
    /// Where people sign in.
    pub provider: ProviderArg,
    /// The client id that the provider gave.
    #[arg(long, value_name = "ID")]
    pub client_id: String,
    /// The provider gave a client secret too: it is asked for, or read from standard input.
    #[arg(long)]
    pub client_secret: bool,
    /// For another provider: its issuer's address, below which it describes itself.
    #[arg(long, value_name = "URL", required_if_eq("provider", "other"))]
    pub issuer: Option<String>,
    /// For another provider: a permission to ask for, such as the one for IMAP; can be given several times.
    #[arg(long = "scope", value_name = "SCOPE", required_if_eq("provider", "other"))]
    pub scopes: Vec<String>,
}

#[derive(Debug, Args)]
pub struct AccountSet {
    /// The mailbox's address.
    pub address: Address,
    /// The IMAP server.
    #[arg(long)]
    pub host: Option<String>,
    /// The port.
    #[arg(long)]
    pub port: Option<u16>,
    /// How the connection is encrypted.
    #[arg(long, value_enum)]
    pub security: Option<SecurityArg>,
    /// The user name.
    #[arg(long)]
    pub user: Option<String>,
    /// The SHA-256 fingerprint of the one certificate to trust for the IMAP server; `none` takes that back.
    #[arg(long, value_name = "HEX|none")]
    pub fingerprint: Option<String>,
    #[command(flatten)]
    pub smtp: SmtpArgs,
    /// Whose mail is logged.
    #[arg(long, value_enum)]
    pub mode: Option<ModeArg>,
    /// Whether a contact is made in the CRM for each person you write to.
    #[arg(long, value_name = "true|false")]
    pub create_contacts: Option<bool>,
    /// More addresses and domains of which no mail is ever logged.
    #[arg(long = "never", value_name = "ADDRESS|DOMAIN")]
    pub never: Vec<String>,
    /// Store another server or user without signing in first. It may be another mailbox, so it is read from now on.
    #[arg(long)]
    pub no_check: bool,
    /// Take it though it is another mailbox than before; it is read from now on.
    #[arg(long)]
    pub other_mailbox: bool,
}

/// The server that takes mail to be sent; user and password are those of IMAP.
#[derive(Debug, Args)]
pub struct SmtpArgs {
    /// The SMTP server. A mailbox can be logged without.
    #[arg(long, value_name = "HOST")]
    pub smtp_host: Option<String>,
    /// Its port. Default: 465 for TLS, 587 for STARTTLS.
    #[arg(long, value_name = "PORT")]
    pub smtp_port: Option<u16>,
    /// The SHA-256 fingerprint of the one certificate to trust for it; `none` for none.
    #[arg(long, value_name = "HEX|none")]
    pub smtp_fingerprint: Option<String>,
    /// How the connection to it is encrypted. Default: tls.
    #[arg(long, value_name = "tls|starttls")]
    pub smtp_encryption: Option<SecurityArg>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SecurityArg {
    Tls,
    Starttls,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ModeArg {
    KnownContacts,
    EveryoneOutside,
    OnlyWhenISay,
}

#[derive(Debug, Subcommand)]
pub enum SettingCommand {
    /// A public list of providers (ISPDB) to ask for a domain's servers. Off at first; each domain that you look for is
    /// told to it, and no address.
    Ispdb {
        /// Its address, such as https://autoconfig.thunderbird.net/v1.1/; without it, what is set is shown.
        #[arg(conflicts_with = "off")]
        url: Option<String>,
        /// Ask none.
        #[arg(long)]
        off: bool,
    },
    /// How long failures that may heal by themselves must last before they are called a disconnect. At first 30 minutes;
    /// until then it is only tried again.
    DisconnectAfter {
        /// Such as 30m or 2h; without it, what is set is shown.
        time: Option<String>,
    },
    /// How much of a mail's text goes to the CRM: all of it, or what is new, without quote and signature. Here it is kept whole.
    CrmText {
        /// Without it, what is set is shown.
        text: Option<CrmTextArg>,
    },
    /// Whether the keyword $CrmLogged is written back to mail that the CRM has. At first it is, where the server keeps keywords.
    WriteBack {
        /// Without it, what is set is shown.
        #[arg(value_name = "true|false")]
        on: Option<bool>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum CrmTextArg {
    Whole,
    New,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Catch up, push what waits, and stop.
    #[arg(long)]
    pub once: bool,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// What the words were said in: imap, smtp, oauth, tls, tcp or dns. Rows that name theirs do not need it.
    #[arg(long, value_name = "PROTOCOL", value_parser = explain::protocol)]
    pub protocol: Option<Protocol>,
    /// Who runs the server, such as gmail, microsoft, yahoo, icloud; a name that is not known counts as any server.
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// How the sign-in was tried, such as LOGIN, PLAIN, XOAUTH2. The same words answer a bad password and an old token.
    #[arg(long, value_name = "MECHANISM")]
    pub mechanism: Option<String>,
}

#[derive(Debug, Args)]
pub struct SetupArgs {
    /// The set-up file, or a link that begins with threadline://setup.
    #[arg(value_name = "FILE|LINK")]
    pub from: String,
    /// Set it without asking. A secret that the CRM needs is asked for all the same, or read from standard input.
    #[arg(long)]
    pub yes: bool,
    /// Print the link with the same inside, and set nothing.
    #[arg(long, conflicts_with = "yes")]
    pub link: bool,
}

#[derive(Debug, Args)]
pub struct DiagnosticsArgs {
    /// The file; it must not exist yet. Only you can read it.
    #[arg(required_unless_present = "print")]
    pub file: Option<PathBuf>,
    /// Print what would be in the file, and write none.
    #[arg(long, conflicts_with = "file")]
    pub print: bool,
}
