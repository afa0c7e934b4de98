//! What can go wrong above the crates below, each with its next step.

use crate::outgoing::Objection;
use crate::setup::SetupError;
use std::path::PathBuf;
use threadline_core::reason::classify;
use threadline_core::rule::Rule;
use threadline_core::template::NotFilled;
use threadline_crm::CrmError;
use threadline_mail::compose::NotComposed;
use threadline_mail::error::MailError;
use threadline_net::proxy::NoProxy;
use threadline_oauth::OauthError;
use threadline_relay::identity::IdentityError;
use threadline_secrets::SecretError;
use threadline_store::StoreError;

/// An error of the engine. The text names the thing, the cause and the next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    #[error("The data folder cannot be found: this user has no home folder. Name one with --data-dir.")]
    NoHome,
    #[error(
        "The data folder {dir} cannot be used: {source}. Check its rights and the room on the disk, or name another one with --data-dir.",
        dir = dir.display()
    )]
    Folder { dir: PathBuf, source: std::io::Error },
    #[error("The file {path} is damaged: it should hold 16 hexadecimal digits. Put it back from a backup, or name another data folder with --data-dir.", path = path.display())]
    BrokenId { path: PathBuf },
    #[error("The data folder {dir} is in use by {by}. Stop that program, or name another folder with --data-dir.", dir = dir.display())]
    Held { dir: PathBuf, by: String },
    #[error(
        "The ledger's key in the keychain is damaged, or the keychain does not keep what is written. Check the keychain, then try again."
    )]
    BrokenKey,
    #[error("The ledger's key is not in this keychain, and {by} uses the ledger in {dir}. Work in that program's session, or stop it first.", dir = dir.display())]
    KeyElsewhere { dir: PathBuf, by: String },
    #[error("The computer gives no random numbers, so no key can be made. Restart it and try again.")]
    NoRandomness,
    #[error("There is already a mailbox {0}. Remove it first, or choose another address.")]
    AccountExists(String),
    #[error("There is no mailbox {0}. See the list with `threadline account list`.")]
    NoAccount(String),
    #[error("There is no thread {0}. See the list with `threadline threads`.")]
    NoThread(String),
    #[error("There is no question about the message {0}. See the list with `threadline asked`.")]
    NotAsked(i64),
    #[error("There is no question about {0}. See the list with `threadline asked people`.")]
    NobodyAsked(String),
    #[error(
        "The message {0} cannot be logged: it was moved or deleted, and lies in no watched folder. Move it back to where it was, then answer again."
    )]
    MovedAway(i64),
    #[error(
        "The mail is not there any more: it was moved or deleted. Look for it again with `threadline where`."
    )]
    NotThere,
    #[error(
        "A never-log rule keeps this mail out: {} Log this one all the same with --despite-never.", .0.explanation()
    )]
    NeverLog(Rule),
    #[error("This mail cannot be logged: {} Nothing was changed.", .0.explanation())]
    NotLoggable(Rule),
    #[error("The message {0} is not in the trash. See the list with `threadline trash`.")]
    NotInTrash(i64),
    #[error("The message {0} is not logged. Look at the list again: it may have gone meanwhile.")]
    NotLogged(i64),
    #[error(
        "The message {0} cannot be split off: its conversation begins with it. Name a later message of `threadline threads show`."
    )]
    NothingToSplit(i64),
    #[error(
        "The conversations {from} and {into} cannot be joined: one is not there, or they are of two mailboxes. See the list with `threadline threads`."
    )]
    NotMergeable { from: i64, into: i64 },
    #[error("There is no split or merge to be taken back. See the conversations with `threadline threads`.")]
    NoThreadChange,
    #[error(
        "This cannot be taken back any more: ten minutes are over, or Threadline was started anew. Change it by hand."
    )]
    UndoGone,
    #[error("The message {0} cannot be read. Open it in your mail program.")]
    Unreadable(i64),
    #[error("The message {message} has no file {index} here. Open it in your mail program.")]
    NoAttachment { message: i64, index: usize },
    #[error("{0} is not opened from here: a file of this kind can run. Save it, and look at it first.")]
    NotOpened(String),
    #[error(
        "{0} is neither an address nor a domain. Write name@firm.example, or @firm.example for all of a firm."
    )]
    NotAnAddress(String),
    #[error(
        "{0} is your own: with it on the never-log list no mail would be logged. Name somebody else, or pause the mailbox."
    )]
    NeverOwn(String),
    #[error("The mailbox {0} is paused. Resume it first.")]
    Paused(String),
    #[error("The password of {0} is not in the keychain. Enter it again.")]
    NoPassword(String),
    #[error(
        "{program} is not registered at {provider}, so nobody can sign in there with the browser. Register it as the README says under \"Sign in with the browser\", then name it with `threadline oauth set {provider} --client-id ID`.",
        program = "Threadline"
    )]
    NoOauthApp { provider: &'static str },
    #[error("Nobody has signed in for {0} with the browser yet. Sign in first, then try again.")]
    NotSignedIn(String),
    #[error("Deleting broke off. Start Threadline again and delete what is left.")]
    Unfinished,
    #[error(
        "The settings of the mailbox {address} cannot be read: {cause}. Write them anew with `threadline account set {address} --host SERVER`, or remove the mailbox with `threadline account remove {address}`."
    )]
    BrokenAccount { address: String, cause: String },
    #[error(
        "The settings of the CRM {kind} cannot be read: {cause}. What is logged meanwhile waits for it. Set it anew with `threadline crm set {kind}`, or remove it with `threadline crm remove {kind}`."
    )]
    BrokenCrm { kind: String, cause: String },
    #[error("{explanation}")]
    Pop3 { explanation: String },
    #[error(
        "The server of {address} is not certain: {cause}. If you know that it is right, name it: `threadline account add {address} {next}`."
    )]
    Unsure { address: String, cause: String, next: String },
    #[error("{what} cannot be used: {cause}. Set it again.")]
    BrokenSetting { what: String, cause: String },
    #[error(
        "There is no CRM of the kind {kind}; set is: {set}. Name one of these, or set it first with `threadline crm set {kind}`."
    )]
    NoCrm { kind: String, set: String },
    #[error("The CRM setting is not usable: {0}.")]
    CrmSetting(String),
    #[error("The contact list cannot be read at line {line}: {cause}.")]
    ContactList { line: u64, cause: String },
    #[error("{path} cannot take an export: {why}.", path = path.display())]
    ExportPlace { path: PathBuf, why: &'static str },
    #[error("{path} cannot be written: {source}. Check its rights and the room on the disk.", path = path.display())]
    Export { path: PathBuf, source: std::io::Error },
    #[error("{path} cannot be written: {source}. Check its rights and the room on the disk, or name another file.", path = path.display())]
    NotWritten { path: PathBuf, source: std::io::Error },
    #[error(
        "The mailbox {0} has no server for sending, so nothing can be sent from it. Set one with `threadline account set {0} --smtp-host SERVER`."
    )]
    NoSmtp(String),
    #[error("There is no template {0}. See the list with `threadline templates list`.")]
    NoTemplate(String),
    #[error("There is no mail {0} that goes out through Threadline. See the list with `threadline sends`.")]
    NoSend(i64),
    #[error("The mail {0} cannot be taken back: {1}. Write to whoever gets it.")]
    TooLate(i64, &'static str),
    #[error("The mail {0} cannot be tried again: {1}. See how it stands with `threadline sends`.")]
    NothingToTry(i64, &'static str),
    #[error(transparent)]
    NotTaken(#[from] Objection),
    #[error(transparent)]
    NotFilled(#[from] NotFilled),
    #[error(transparent)]
    NotComposed(#[from] NotComposed),
    #[error("The relay is off. Turn it on with `threadline relay on`.")]
    RelayOff,
    #[error(
        "The relay does not answer at 127.0.0.1:{port}. Start Threadline, or see why with `threadline relay status`."
    )]
    RelaySilent { port: u16 },
    #[error(
        "The relay cannot listen at 127.0.0.1:{port}: {source}. Choose other ports with `threadline relay on --tls-port PORT --starttls-port PORT`."
    )]
    RelayPort { port: u16, source: std::io::Error },
    #[error("There is no password for {0} at the relay yet. Make one with `threadline relay password {0}`.")]
    NoRelayPassword(String),
    #[error(transparent)]
    RelayIdentity(IdentityError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Oauth(#[from] OauthError),
    #[error(transparent)]
    Proxy(#[from] NoProxy),
    #[error(transparent)]
    Mail(Box<MailError>),
    #[error("{0}. {next}", next = .0.next_step())]
    Store(#[from] StoreError),
    #[error(transparent)]
    Crm(#[from] CrmError),
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl From<MailError> for EngineError {
    fn from(error: MailError) -> Self {
        EngineError::Mail(Box::new(error))
    }
}

impl EngineError {
    /// A stable code for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            EngineError::NoHome => "no_home",
            EngineError::Folder { .. } => "data_folder",
            EngineError::BrokenId { .. } => "data_folder_id",
            EngineError::Held { .. } => "data_folder_in_use",
            EngineError::BrokenKey => "ledger_key",
            EngineError::KeyElsewhere { .. } => "ledger_key_elsewhere",
            EngineError::NoRandomness => "no_randomness",
            EngineError::AccountExists(_) => "account_exists",
            EngineError::NoAccount(_) => "no_account",
            EngineError::NoThread(_) => "no_thread",
            EngineError::NotAsked(_) | EngineError::NobodyAsked(_) => "not_asked",
            EngineError::MovedAway(_) => "moved_away",
            EngineError::NotLogged(_) => "not_logged",
            EngineError::NotThere => "not_there",
            EngineError::NeverLog(_) => "never_log",
            EngineError::NotLoggable(_) => "not_loggable",
            EngineError::NothingToSplit(_) => "nothing_to_split",
            EngineError::NotMergeable { .. } => "not_mergeable",
            EngineError::NoThreadChange => "no_thread_change",
            EngineError::NotInTrash(_) => "not_in_trash",
            EngineError::UndoGone => "undo_gone",
            EngineError::Unreadable(_) => "message_unreadable",
            EngineError::NoAttachment { .. } => "no_attachment",
            EngineError::NotOpened(_) => "file_not_opened",
            EngineError::NotAnAddress(_) => "not_an_address",
            EngineError::NeverOwn(_) => "never_own",
            EngineError::Paused(_) => "paused",
            EngineError::NoPassword(_) => "no_password",
            EngineError::NoOauthApp { .. } => "no_oauth_app",
            EngineError::NotSignedIn(_) => "not_signed_in",
            EngineError::Oauth(e) => classify(&e.evidence()).code(),
            EngineError::Proxy(_) => "no_proxy",
            EngineError::Unfinished => "unfinished",
            EngineError::BrokenAccount { .. } => "broken_account",
            EngineError::BrokenCrm { .. } => "broken_crm",
            EngineError::Pop3 { .. } => "pop3_configured",
            EngineError::Unsure { .. } => "server_unsure",
            EngineError::BrokenSetting { .. } => "broken_setting",
            EngineError::NoCrm { .. } => "no_crm",
            EngineError::CrmSetting(_) => "crm_setting",
            EngineError::ContactList { .. } => "contact_list",
            EngineError::ExportPlace { .. } | EngineError::Export { .. } => "export",
            EngineError::NoSmtp(_) => "no_smtp",
            EngineError::NoTemplate(_) => "no_template",
            EngineError::NoSend(_) => "no_send",
            EngineError::TooLate(..) => "too_late",
            EngineError::NothingToTry(..) => "nothing_to_try",
            EngineError::NotTaken(objection) => objection.code(),
            EngineError::NotFilled(NotFilled::Missing { .. }) => "template_not_filled",
            EngineError::NotFilled(NotFilled::Unreadable { .. }) => "template_unreadable",
            EngineError::NotComposed(not) => not_composed(not),
            EngineError::RelayOff => "relay_off",
            EngineError::RelaySilent { .. } => "relay_silent",
            EngineError::RelayPort { .. } => "relay_port",
            EngineError::NoRelayPassword(_) => "no_relay_password",
            EngineError::RelayIdentity(_) => "relay_certificate",
            EngineError::Setup(e) => e.code(),
            EngineError::NotWritten { .. } => "not_written",
            EngineError::Mail(e) => e.reason.code(),
            EngineError::Store(e) => e.code(),
            EngineError::Crm(e) => e.reason.code(),
            EngineError::Secret(e) => e.code().code(),
        }
    }

    /// What its text names, for whoever words it in another language: each by the name that the catalogue has for it.
    pub fn values(&self) -> Vec<(&'static str, String)> {
        let one = |name: &'static str, value: &dyn ToString| vec![(name, value.to_string())];
        match self {
            EngineError::Folder { dir, source } => {
                vec![("path", dir.display().to_string()), ("cause", source.to_string())]
            }
            EngineError::BrokenId { path } => one("path", &path.display()),
            EngineError::Held { by, .. } | EngineError::KeyElsewhere { by, .. } => one("by", by),
            EngineError::AccountExists(mailbox)
            | EngineError::NoAccount(mailbox)
            | EngineError::Paused(mailbox)
            | EngineError::NoPassword(mailbox)
            | EngineError::NotSignedIn(mailbox)
            | EngineError::NoSmtp(mailbox)
            | EngineError::NoRelayPassword(mailbox)
            | EngineError::BrokenAccount { address: mailbox, .. } => one("mailbox", mailbox),
            EngineError::NotAnAddress(text) | EngineError::NeverOwn(text) => one("text", text),
            EngineError::NoOauthApp { provider } => one("provider", provider),
            EngineError::BrokenCrm { kind, .. } | EngineError::NoCrm { kind, .. } => one("crm", kind),
            EngineError::BrokenSetting { what, cause } => {
                vec![("what", what.clone()), ("cause", cause.clone())]
            }
            EngineError::CrmSetting(cause) => one("cause", cause),
            EngineError::ContactList { line, cause } => {
                vec![("line", line.to_string()), ("cause", cause.clone())]
            }
            EngineError::ExportPlace { path, why } => {
                vec![("path", path.display().to_string()), ("cause", (*why).to_owned())]
            }
            EngineError::Export { path, source } | EngineError::NotWritten { path, source } => {
                vec![("path", path.display().to_string()), ("cause", source.to_string())]
            }
            EngineError::NoTemplate(name) | EngineError::NotOpened(name) => one("name", name),
            EngineError::NotTaken(objection) => objection.values(),
            EngineError::NotFilled(NotFilled::Missing { gaps, whom }) => {
                vec![("gaps", gaps.join(", ")), ("who", whom.clone())]
            }
            EngineError::NotFilled(NotFilled::Unreadable { at }) => one("text", at),
            EngineError::NotComposed(NotComposed::Address(address)) => one("address", address),
            EngineError::RelaySilent { port } => one("port", port),
            EngineError::RelayPort { port, source } => {
                vec![("port", port.to_string()), ("cause", source.to_string())]
            }
            _ => Vec::new(),
        }
    }
}

fn not_composed(not: &NotComposed) -> &'static str {
    match not {
        NotComposed::Nobody => "mail_to_nobody",
        NotComposed::Empty => "mail_empty",
        NotComposed::Address(_) => "address_odd",
        NotComposed::TooLarge { .. } => "mail_too_large_here",
    }
}
