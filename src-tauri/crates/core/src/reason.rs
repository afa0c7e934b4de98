//! Why something does not work: one code, from one classifier, with words for a person.

use serde::{Deserialize, Serialize};

/// Who must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// It heals by itself.
    Nobody,
    User,
    Administrator,
}

/// The step at which a connection is, or at which it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Keychain,
    Dns,
    Tcp,
    Tls,
    Greeting,
    Auth,
    Select,
    Idle,
    Fetch,
    Append,
    Push,
}

impl Phase {
    pub fn name(self) -> &'static str {
        match self {
            Phase::Keychain => "keychain",
            Phase::Dns => "dns",
            Phase::Tcp => "tcp",
            Phase::Tls => "tls",
            Phase::Greeting => "greeting",
            Phase::Auth => "auth",
            Phase::Select => "select",
            Phase::Idle => "idle",
            Phase::Fetch => "fetch",
            Phase::Append => "append",
            Phase::Push => "push",
        }
    }
}

/// Why a connection is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    CredentialsRejected,
    PasswordChanged,
    AuthRejected,
    AppPasswordRequired,
    WebLoginRequired,
    AccountLocked,
    PasswordExpired,
    MfaRequired,
    AccessRevoked,
    TokenExpired,
    AccessTokenRejected,
    ConsentRequired,
    BlockedByAdmin,
    ConditionalAccess,
    AppDisabled,
    BasicAuthDisabled,
    SmtpAuthDisabled,
    AuthMechanismUnsupported,
    AuthRequired,
    ClientIdRequired,
    ImapDisabledByUser,
    ImapDisabledByAdmin,
    MailboxDisabled,
    MailboxMissing,
    MailboxMigrated,
    MailboxUnreachable,
    OverQuota,
    SendingLimit,
    Throttled,
    TooManyConnections,
    IpBanned,
    GeoOrIpBlocked,
    ServerUnavailable,
    ServerClosedConnection,
    SessionExpired,
    ConnectionRevoked,
    ProtocolError,
    ProtocolState,
    WrongPortOrProtocol,
    Pop3Configured,
    TlsRequired,
    TlsPlaintextPort,
    TlsUntrusted,
    TlsNameMismatch,
    TlsExpired,
    DnsFailure,
    ConnectionRefused,
    ConnectionTimeout,
    ConnectionReset,
    NetworkUnreachable,
    LocalOffline,
    CaptivePortal,
    LocalFirewall,
    LocalClockWrong,
    WrongAccount,
    KeychainLocked,
    KeychainMissing,
    FolderMissing,
    SentFolderUnknown,
    ScopeMissing,
    CrmTokenRejected,
    CrmRejected,
    CrmDailyLimit,
    CrmGone,
    LedgerFailed,
    Unknown,
}

impl Reason {
    pub const ALL: &[Reason] = &[
        Reason::CredentialsRejected,
        Reason::PasswordChanged,
        Reason::AuthRejected,
        Reason::AppPasswordRequired,
        Reason::WebLoginRequired,
        Reason::AccountLocked,
        Reason::PasswordExpired,
        Reason::MfaRequired,
        Reason::AccessRevoked,
        Reason::TokenExpired,
        Reason::AccessTokenRejected,
        Reason::ConsentRequired,
        Reason::BlockedByAdmin,
        Reason::ConditionalAccess,
        Reason::AppDisabled,
        Reason::BasicAuthDisabled,
        Reason::SmtpAuthDisabled,
        Reason::AuthMechanismUnsupported,
        Reason::AuthRequired,
        Reason::ClientIdRequired,
        Reason::ImapDisabledByUser,
        Reason::ImapDisabledByAdmin,
        Reason::MailboxDisabled,
        Reason::MailboxMissing,
        Reason::MailboxMigrated,
        Reason::MailboxUnreachable,
        Reason::OverQuota,
        Reason::SendingLimit,
        Reason::Throttled,
        Reason::TooManyConnections,
        Reason::IpBanned,
        Reason::GeoOrIpBlocked,
        Reason::ServerUnavailable,
        Reason::ServerClosedConnection,
        Reason::SessionExpired,
        Reason::ConnectionRevoked,
        Reason::ProtocolError,
        Reason::ProtocolState,
        Reason::WrongPortOrProtocol,
        Reason::Pop3Configured,
        Reason::TlsRequired,
        Reason::TlsPlaintextPort,
        Reason::TlsUntrusted,
        Reason::TlsNameMismatch,
        Reason::TlsExpired,
        Reason::DnsFailure,
        Reason::ConnectionRefused,
        Reason::ConnectionTimeout,
        Reason::ConnectionReset,
        Reason::NetworkUnreachable,
        Reason::LocalOffline,
        Reason::CaptivePortal,
        Reason::LocalFirewall,
        Reason::LocalClockWrong,
        Reason::WrongAccount,
        Reason::KeychainLocked,
        Reason::KeychainMissing,
        Reason::FolderMissing,
        Reason::SentFolderUnknown,
        Reason::ScopeMissing,
        Reason::CrmTokenRejected,
        Reason::CrmRejected,
        Reason::CrmDailyLimit,
        Reason::CrmGone,
        Reason::LedgerFailed,
        Reason::Unknown,
    ];

    /// The code in files and on the command line.
    pub fn code(self) -> &'static str {
        match self {
            Reason::CredentialsRejected => "credentials_rejected",
            Reason::PasswordChanged => "password_changed",
            Reason::AuthRejected => "auth_rejected",
            Reason::AppPasswordRequired => "app_password_required",
            Reason::WebLoginRequired => "web_login_required",
            Reason::AccountLocked => "account_locked",
            Reason::PasswordExpired => "password_expired",
            Reason::MfaRequired => "mfa_required",
            Reason::AccessRevoked => "access_revoked",
            Reason::TokenExpired => "token_expired",
            Reason::AccessTokenRejected => "access_token_rejected",
            Reason::ConsentRequired => "consent_required",
            Reason::BlockedByAdmin => "blocked_by_admin",
            Reason::ConditionalAccess => "conditional_access",
            Reason::AppDisabled => "app_disabled",
            Reason::BasicAuthDisabled => "basic_auth_disabled",
            Reason::SmtpAuthDisabled => "smtp_auth_disabled",
            Reason::AuthMechanismUnsupported => "auth_mechanism_unsupported",
            Reason::AuthRequired => "auth_required",
            Reason::ClientIdRequired => "client_id_required",
            Reason::ImapDisabledByUser => "imap_disabled_by_user",
            Reason::ImapDisabledByAdmin => "imap_disabled_by_admin",
            Reason::MailboxDisabled => "mailbox_disabled",
            Reason::MailboxMissing => "mailbox_missing",
            Reason::MailboxMigrated => "mailbox_migrated",
            Reason::MailboxUnreachable => "mailbox_unreachable",
            Reason::OverQuota => "over_quota",
            Reason::SendingLimit => "sending_limit",
            Reason::Throttled => "throttled",
            Reason::TooManyConnections => "too_many_connections",
            Reason::IpBanned => "ip_banned",
            Reason::GeoOrIpBlocked => "geo_or_ip_blocked",
            Reason::ServerUnavailable => "server_unavailable",
            Reason::ServerClosedConnection => "server_closed_connection",
            Reason::SessionExpired => "session_expired",
            Reason::ConnectionRevoked => "connection_revoked",
            Reason::ProtocolError => "protocol_error",
            Reason::ProtocolState => "protocol_state",
            Reason::WrongPortOrProtocol => "wrong_port_or_protocol",
            Reason::Pop3Configured => "pop3_configured",
            Reason::TlsRequired => "tls_required",
            Reason::TlsPlaintextPort => "tls_plaintext_port",
            Reason::TlsUntrusted => "tls_untrusted",
            Reason::TlsNameMismatch => "tls_name_mismatch",
            Reason::TlsExpired => "tls_expired",
            Reason::DnsFailure => "dns_failure",
            Reason::ConnectionRefused => "connection_refused",
            Reason::ConnectionTimeout => "connection_timeout",
            Reason::ConnectionReset => "connection_reset",
            Reason::NetworkUnreachable => "network_unreachable",
            Reason::LocalOffline => "local_offline",
            Reason::CaptivePortal => "captive_portal",
            Reason::LocalFirewall => "local_firewall",
            Reason::LocalClockWrong => "local_clock_wrong",
            Reason::WrongAccount => "wrong_account",
            Reason::KeychainLocked => "keychain_locked",
            Reason::KeychainMissing => "keychain_missing",
            Reason::FolderMissing => "folder_missing",
            Reason::SentFolderUnknown => "sent_folder_unknown",
            Reason::ScopeMissing => "scope_missing",
            Reason::CrmTokenRejected => "crm_token_rejected",
            Reason::CrmRejected => "crm_rejected",
            Reason::CrmDailyLimit => "crm_daily_limit",
            Reason::CrmGone => "crm_gone",
            Reason::LedgerFailed => "ledger_failed",
            Reason::Unknown => "unknown",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.code() == code)
    }

    /// What is the matter, in one sentence.
    pub fn title(self) -> &'static str {
        match self {
            Reason::CredentialsRejected => "The server does not accept this user name and password.",
            Reason::PasswordChanged => {
                "The password was changed: the server accepted it before and does not any more."
            }
            Reason::AuthRejected => "The server refused to sign in and does not say why.",
            Reason::AppPasswordRequired => "The provider wants an app password here, not the usual one.",
            Reason::WebLoginRequired => "The provider wants you to sign in with a browser first.",
            Reason::AccountLocked => "The provider has locked the account.",
            Reason::PasswordExpired => "The password has expired.",
            Reason::MfaRequired => "The provider asks for a second factor.",
            Reason::AccessRevoked => "Threadline's access was revoked.",
            Reason::TokenExpired => "The sign-in has run out.",
            Reason::AccessTokenRejected => "The access token is out of date.",
            Reason::ConsentRequired => "The provider asks for a permission that was not given yet.",
            Reason::BlockedByAdmin => "An administrator has blocked this program.",
            Reason::ConditionalAccess => "A rule of the organisation forbids this sign-in.",
            Reason::AppDisabled => "The provider has disabled this program's registration.",
            Reason::BasicAuthDisabled => "The provider takes no passwords from mail programs any more.",
            Reason::SmtpAuthDisabled => "Signing in for sending is switched off for this mailbox.",
            Reason::AuthMechanismUnsupported => "The server offers no way to sign in that Threadline knows.",
            Reason::AuthRequired => "The server wants a sign-in first.",
            Reason::ClientIdRequired => "The server wants to know which program connects.",
            Reason::ImapDisabledByUser => "IMAP is switched off for this mailbox.",
            Reason::ImapDisabledByAdmin => "IMAP is switched off in this organisation.",
            Reason::MailboxDisabled => "The mailbox is disabled.",
            Reason::MailboxMissing => "There is no such mailbox any more.",
            Reason::MailboxMigrated => "The mailbox was moved to another server.",
            Reason::MailboxUnreachable => "The sign-in worked, but the mailbox behind it does not answer.",
            Reason::OverQuota => "The mailbox is full.",
            Reason::SendingLimit => "Today's limit for sending is reached.",
            Reason::Throttled => "The server asks for fewer requests.",
            Reason::TooManyConnections => "Too many programs are connected to this mailbox.",
            Reason::IpBanned => "The server refuses this network address.",
            Reason::GeoOrIpBlocked => "The server refuses this network or country.",
            Reason::ServerUnavailable => "The server is not available.",
            Reason::ServerClosedConnection => "The server hung up.",
            Reason::SessionExpired => "The server ended the session.",
            Reason::ConnectionRevoked => "The server ends each connection right after the sign-in.",
            Reason::ProtocolError => "The server's answer does not follow the protocol.",
            Reason::ProtocolState => "The server says that a command came at the wrong moment.",
            Reason::WrongPortOrProtocol => "Something else answers at this port.",
            Reason::Pop3Configured => {
                "These are the settings of a POP3 server. POP3 downloads the mail, so no other device sees it."
            }
            Reason::TlsRequired => "The server offers no encryption at this port, so nothing was sent.",
            Reason::TlsPlaintextPort => "This port does not begin with TLS.",
            Reason::TlsUntrusted => {
                "The server's certificate is not from an authority that this computer trusts."
            }
            Reason::TlsNameMismatch => "The server's certificate is for another name.",
            Reason::TlsExpired => "The server's certificate has expired.",
            Reason::DnsFailure => "The server's name was not found.",
            Reason::ConnectionRefused => "Nothing answers at this port.",
            Reason::ConnectionTimeout => "The server did not answer in time.",
            Reason::ConnectionReset => "The connection was broken off.",
            Reason::NetworkUnreachable => "The network does not reach the server.",
            Reason::LocalOffline => "This computer is offline.",
            Reason::CaptivePortal => "This network wants you to sign in on a web page.",
            Reason::LocalFirewall => {
                "A firewall or antivirus program on this computer blocks the connection."
            }
            Reason::LocalClockWrong => "This computer's clock is wrong.",
            Reason::WrongAccount => "This sign-in is for another mailbox.",
            Reason::KeychainLocked => "The keychain of this computer is locked.",
            Reason::KeychainMissing => {
                "The keychain of this computer is missing, or holds the secret no more."
            }
            Reason::FolderMissing => "A folder that is watched is gone.",
            Reason::SentFolderUnknown => "No Sent folder was found.",
            Reason::ScopeMissing => "The CRM's token does not allow this.",
            Reason::CrmTokenRejected => "The CRM does not accept the token.",
            Reason::CrmRejected => "The CRM refused the data.",
            Reason::CrmDailyLimit => "The CRM's limit for today is used up.",
            Reason::CrmGone => "The CRM's address does not take messages any more.",
            Reason::LedgerFailed => "The ledger on this computer cannot be read or written.",
            Reason::Unknown => "The cause is not known.",
        }
    }

    /// The one next action.
    pub fn next_step(self) -> &'static str {
        match self {
            Reason::CredentialsRejected => "Check the user name and enter the password again.",
            Reason::PasswordChanged => "Enter the new password.",
            Reason::AuthRejected => {
                "Enter the password again; if it is right, show the server's words to the IT department."
            }
            Reason::AppPasswordRequired => {
                "Make an app password in the provider's account settings and enter it."
            }
            Reason::WebLoginRequired => "Sign in at the provider's web page, then try again.",
            Reason::AccountLocked => "Unlock it at the provider's web page, then try again.",
            Reason::PasswordExpired => "Choose a new password at the provider, then enter it.",
            Reason::MfaRequired => "Sign in with the browser, or make an app password.",
            Reason::AccessRevoked => "Sign in again.",
            Reason::TokenExpired => "Sign in again.",
            Reason::AccessTokenRejected => "Nothing: a new one is asked for.",
            Reason::ConsentRequired => "Sign in again and give the permission, or ask the administrator to.",
            Reason::BlockedByAdmin => "Ask the administrator to allow it.",
            Reason::ConditionalAccess => "Ask the administrator which rule it is.",
            Reason::AppDisabled => "Ask the administrator to enable it.",
            Reason::BasicAuthDisabled => "Sign in with the browser.",
            Reason::SmtpAuthDisabled => "Ask the administrator to switch SMTP AUTH on.",
            Reason::AuthMechanismUnsupported => "Ask the IT department which sign-in the server wants.",
            Reason::AuthRequired => "Set a user name and password for this server.",
            Reason::ClientIdRequired => "Nothing: the program names itself at the next attempt.",
            Reason::ImapDisabledByUser => "Switch IMAP on in the mailbox's settings at the provider.",
            Reason::ImapDisabledByAdmin => "Ask the administrator to switch IMAP on.",
            Reason::MailboxDisabled => "Ask the administrator to enable it.",
            Reason::MailboxMissing => "Check the address, or ask the administrator.",
            Reason::MailboxMigrated => "Ask the administrator for the new server, then change the settings.",
            Reason::MailboxUnreachable => "Ask the administrator to look at the mailbox.",
            Reason::OverQuota => "Delete mail or ask for more room.",
            Reason::SendingLimit => "Wait until the provider lifts it.",
            Reason::Throttled => "Wait: the next attempt is set for later.",
            Reason::TooManyConnections => "Close other mail programs, or wait.",
            Reason::IpBanned => "Ask the IT department to lift the block.",
            Reason::GeoOrIpBlocked => "Use another network, or ask the administrator.",
            Reason::ServerUnavailable => "Wait: it is tried again.",
            Reason::ServerClosedConnection => "Wait: it is tried again.",
            Reason::SessionExpired => "Wait: it is tried again.",
            Reason::ConnectionRevoked => "Ask the administrator whether the program is blocked.",
            Reason::ProtocolError => {
                "Wait: it is tried again. If it stays, send the diagnostics to the IT department."
            }
            Reason::ProtocolState => "Wait: it is tried again.",
            Reason::WrongPortOrProtocol => "Check the port: 993 for IMAP with TLS, 143 with STARTTLS.",
            Reason::Pop3Configured => {
                "Use the IMAP server: usually port 993 on a host that begins with imap."
            }
            Reason::TlsRequired => "Use port 993 with TLS, or ask the IT department to switch STARTTLS on.",
            Reason::TlsPlaintextPort => "Choose STARTTLS for this port, or port 993.",
            Reason::TlsUntrusted => {
                "Ask the IT department for the authority's certificate and add it for this server."
            }
            Reason::TlsNameMismatch => "Check the server's name, or ask the IT department.",
            Reason::TlsExpired => "Ask the IT department to renew it.",
            Reason::DnsFailure => "Check the server's name; if it is right, wait: it is tried again.",
            Reason::ConnectionRefused => "Check the port; if it is right, wait: it is tried again.",
            Reason::ConnectionTimeout => "Wait: it is tried again.",
            Reason::ConnectionReset => "Wait: it is tried again.",
            Reason::NetworkUnreachable => "Wait: it is tried again.",
            Reason::LocalOffline => "Connect it to a network.",
            Reason::CaptivePortal => "Open a browser and sign in to the network.",
            Reason::LocalFirewall => "Allow Threadline in that program.",
            Reason::LocalClockWrong => "Set the date and time.",
            Reason::WrongAccount => "Sign in as the owner of this mailbox.",
            Reason::KeychainLocked => "Unlock the keychain, then try again.",
            Reason::KeychainMissing => {
                "Start a keychain (on Linux a Secret Service such as GNOME Keyring), or enter the password again."
            }
            Reason::FolderMissing => "Choose the folder again.",
            Reason::SentFolderUnknown => "Choose the Sent folder.",
            Reason::ScopeMissing => "Give the token the scope that is named, then set it again.",
            Reason::CrmTokenRejected => "Make a new token in the CRM and set it again.",
            Reason::CrmRejected => "Look at the CRM's words; the message is set aside and can be retried.",
            Reason::CrmDailyLimit => "Wait until midnight in the portal's time zone.",
            Reason::CrmGone => "Set the CRM up again.",
            Reason::LedgerFailed => {
                "Look at the disk: it may be full, or the data folder read-only. It is tried again."
            }
            Reason::Unknown => {
                "Wait: it is tried again. If it stays, send the diagnostics to the IT department."
            }
        }
    }

    pub fn owner(self) -> Owner {
        match self {
            Reason::AccessTokenRejected
            | Reason::ClientIdRequired
            | Reason::SendingLimit
            | Reason::Throttled
            | Reason::ServerUnavailable
            | Reason::ServerClosedConnection
            | Reason::SessionExpired
            | Reason::ProtocolError
            | Reason::ProtocolState
            | Reason::DnsFailure
            | Reason::ConnectionRefused
            | Reason::ConnectionTimeout
            | Reason::ConnectionReset
            | Reason::NetworkUnreachable
            | Reason::CrmDailyLimit
            | Reason::Unknown => Owner::Nobody,
            Reason::CredentialsRejected
            | Reason::PasswordChanged
            | Reason::AuthRejected
            | Reason::AppPasswordRequired
            | Reason::WebLoginRequired
            | Reason::AccountLocked
            | Reason::PasswordExpired
            | Reason::MfaRequired
            | Reason::AccessRevoked
            | Reason::TokenExpired
            | Reason::ConsentRequired
            | Reason::BasicAuthDisabled
            | Reason::AuthMechanismUnsupported
            | Reason::AuthRequired
            | Reason::ImapDisabledByUser
            | Reason::OverQuota
            | Reason::TooManyConnections
            | Reason::WrongPortOrProtocol
            | Reason::Pop3Configured
            | Reason::TlsRequired
            | Reason::TlsPlaintextPort
            | Reason::LocalOffline
            | Reason::CaptivePortal
            | Reason::LocalFirewall
            | Reason::LocalClockWrong
            | Reason::WrongAccount
            | Reason::KeychainLocked
            | Reason::KeychainMissing
            | Reason::FolderMissing
            | Reason::SentFolderUnknown
            | Reason::ScopeMissing
            | Reason::CrmTokenRejected
            | Reason::CrmRejected
            | Reason::CrmGone
            | Reason::LedgerFailed => Owner::User,
            Reason::BlockedByAdmin
            | Reason::ConditionalAccess
            | Reason::AppDisabled
            | Reason::SmtpAuthDisabled
            | Reason::ImapDisabledByAdmin
            | Reason::MailboxDisabled
            | Reason::MailboxMissing
            | Reason::MailboxMigrated
            | Reason::MailboxUnreachable
            | Reason::IpBanned
            | Reason::GeoOrIpBlocked
            | Reason::ConnectionRevoked
            | Reason::TlsUntrusted
            | Reason::TlsNameMismatch
            | Reason::TlsExpired => Owner::Administrator,
        }
    }

    /// True where waiting can heal it. Such a reason is no disconnect before the extended period is over.
    pub fn is_transient(self) -> bool {
        self.owner() == Owner::Nobody || self == Reason::TooManyConnections || self == Reason::LocalOffline
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// Why a TLS handshake failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsFault {
    /// The peer does not speak TLS at this port.
    NotTls,
    UnknownIssuer,
    NameMismatch,
    Expired,
    NotYetValid,
    Revoked,
    Other,
}

/// A protocol that answered where another one was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spoken {
    Imap,
    Pop3,
    Smtp,
    Http,
    Ssh,
    Other,
}

/// The word an IMAP server ends an answer with (RFC 9051 §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImapStatus {
    No,
    Bad,
    Bye,
}

/// What was seen, in the form that the classifier reads first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    Dns,
    Refused,
    TimedOut,
    Reset,
    Unreachable,
    /// The peer closed the connection without a word.
    Closed,
    Tls(TlsFault),
    /// No STARTTLS is offered, or it was refused.
    NoStartTls,
    /// Bytes came in plaintext that may only come inside TLS.
    PlaintextLeftOver,
    Spoken(Spoken),
    /// The code is a response code (RFC 5530) in upper case, without brackets.
    Imap {
        status: ImapStatus,
        code: Option<String>,
    },
    /// The enhanced code is RFC 3463's, such as `5.7.8`.
    Smtp {
        code: u16,
        enhanced: Option<String>,
    },
    /// An answer that broke a limit or the grammar.
    Malformed,
    NoMechanism,
    KeychainLocked,
    KeychainMissing,
    FolderMissing,
    SentFolderUnknown,
    WrongAccount,
}

/// Everything known about one failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub phase: Phase,
    pub signal: Signal,
    /// The server's own words: cleaned, at most [`MOST_WORDS`] characters, never from before TLS, never a secret.
    pub words: String,
    /// Whether the same secret was accepted before.
    pub worked_before: bool,
}

/// Most characters kept of a server's words.
pub const MOST_WORDS: usize = 500;

impl Evidence {
    pub fn new(phase: Phase, signal: Signal, words: &str) -> Self {
        Self { phase, signal, words: crate::envelope::clean(words, MOST_WORDS), worked_before: false }
    }
}

/// Says why, from the structure of what was seen. A sharper reason than the evidence supports is never given.
pub fn classify(evidence: &Evidence) -> Reason {
    match &evidence.signal {
        Signal::Dns => Reason::DnsFailure,
        Signal::Refused => Reason::ConnectionRefused,
        Signal::TimedOut => Reason::ConnectionTimeout,
        Signal::Reset => Reason::ConnectionReset,
        Signal::Unreachable => Reason::NetworkUnreachable,
        Signal::Closed => Reason::ServerClosedConnection,
        Signal::Tls(fault) => match fault {
            TlsFault::NotTls => Reason::TlsPlaintextPort,
            TlsFault::NameMismatch => Reason::TlsNameMismatch,
            TlsFault::Expired => Reason::TlsExpired,
            TlsFault::UnknownIssuer | TlsFault::NotYetValid | TlsFault::Revoked => Reason::TlsUntrusted,
            TlsFault::Other => Reason::ProtocolError,
        },
        Signal::NoStartTls => Reason::TlsRequired,
        Signal::PlaintextLeftOver | Signal::Malformed => Reason::ProtocolError,
        Signal::Spoken(Spoken::Pop3) => Reason::Pop3Configured,
        Signal::Spoken(_) => Reason::WrongPortOrProtocol,
        Signal::Imap { status, code } => imap(evidence, *status, code.as_deref()),
        Signal::Smtp { code, enhanced } => smtp(evidence, *code, enhanced.as_deref()),
        Signal::NoMechanism => Reason::AuthMechanismUnsupported,
        Signal::KeychainLocked => Reason::KeychainLocked,
        Signal::KeychainMissing => Reason::KeychainMissing,
        Signal::FolderMissing => Reason::FolderMissing,
        Signal::SentFolderUnknown => Reason::SentFolderUnknown,
        Signal::WrongAccount => Reason::WrongAccount,
    }
}

/// RFC 5530 response codes first, then what the step allows to be said.
fn imap(evidence: &Evidence, status: ImapStatus, code: Option<&str>) -> Reason {
    match code {
        Some("UNAVAILABLE" | "SERVERBUG" | "INUSE") => return Reason::ServerUnavailable,
        Some("AUTHENTICATIONFAILED") => return rejected(evidence, Reason::CredentialsRejected),
        Some("AUTHORIZATIONFAILED" | "NOPERM") if evidence.phase == Phase::Auth => {
            return Reason::AuthRejected;
        }
        Some("EXPIRED") => return Reason::PasswordExpired,
        Some("PRIVACYREQUIRED") => return Reason::TlsRequired,
        Some("CONTACTADMIN") if evidence.phase == Phase::Auth => return Reason::AuthRejected,
        Some("NONEXISTENT") if evidence.phase == Phase::Select => return Reason::FolderMissing,
        Some("OVERQUOTA") => return Reason::OverQuota,
        Some("LIMIT") => return Reason::Throttled,
        Some("REFERRAL") => return Reason::MailboxMigrated,
        Some("CLIENTBUG") => return Reason::ProtocolState,
        _ => {}
    }
    match (status, evidence.phase) {
        (ImapStatus::Bye, _) => Reason::ServerClosedConnection,
        (ImapStatus::No, Phase::Auth) => rejected(evidence, Reason::AuthRejected),
        (ImapStatus::Bad, _) => Reason::ProtocolError,
        (ImapStatus::No, Phase::Greeting) => Reason::ServerUnavailable,
        (ImapStatus::No, _) => Reason::Unknown,
    }
}

/// "Password changed" is said only where the same secret was accepted before.
fn rejected(evidence: &Evidence, otherwise: Reason) -> Reason {
    if evidence.worked_before && evidence.phase == Phase::Auth { Reason::PasswordChanged } else { otherwise }
}

fn smtp(evidence: &Evidence, code: u16, enhanced: Option<&str>) -> Reason {
    match (code, enhanced) {
        (421, _) => Reason::ServerUnavailable,
        (454, _) if evidence.phase == Phase::Tls => Reason::TlsRequired,
        (535, _) | (_, Some("5.7.8")) => rejected(evidence, Reason::CredentialsRejected),
        (530, Some("5.7.0")) if evidence.phase == Phase::Tls => Reason::TlsRequired,
        (530, _) => Reason::AuthRequired,
        (534, _) | (_, Some("5.7.9")) => Reason::AuthMechanismUnsupported,
        (538, _) => Reason::TlsRequired,
        (_, Some("4.2.2" | "5.2.2")) => Reason::OverQuota,
        (500..=504, _) => Reason::ProtocolError,
        (400..=499, _) => Reason::ServerUnavailable,
        (554, _) if evidence.phase == Phase::Greeting => Reason::ServerUnavailable,
        (200..=399, _) => Reason::ProtocolError,
        _ if evidence.phase == Phase::Auth => rejected(evidence, Reason::AuthRejected),
        _ => Reason::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_words_are_whole_sentences() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(*reason));
            assert_eq!(serde_json::to_string(reason).unwrap(), format!("\"{}\"", reason.code()));
            assert!(reason.title().ends_with('.') && reason.next_step().ends_with('.'), "{reason}");
        }
    }

    #[test]
    fn a_refused_password_is_changed_only_where_it_worked() {
        let code = Some("AUTHENTICATIONFAILED".to_owned());
        let mut evidence = Evidence::new(Phase::Auth, Signal::Imap { status: ImapStatus::No, code }, "no");
        assert_eq!(classify(&evidence), Reason::CredentialsRejected);
        evidence.worked_before = true;
        assert_eq!(classify(&evidence), Reason::PasswordChanged);
    }

    #[test]
    fn a_no_without_a_code_is_not_read_as_a_wrong_password() {
        let evidence = Evidence::new(Phase::Auth, Signal::Imap { status: ImapStatus::No, code: None }, "no");
        assert_eq!(classify(&evidence), Reason::AuthRejected);
    }

    #[test]
    fn words_are_cleaned_and_cut() {
        let evidence = Evidence::new(Phase::Auth, Signal::Closed, &format!("a\r\nb{}", "x".repeat(9_999)));
        assert!(evidence.words.starts_with("abx"));
        assert_eq!(evidence.words.len(), MOST_WORDS);
    }
}
