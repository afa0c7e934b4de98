//! The reasons, one row each: the code, who must act, what is the matter, and the one next action.

use super::Owner;
use serde::{Deserialize, Serialize};

/// Makes [`Reason`] of the table below. A row without one of its parts does not compile.
macro_rules! reasons {
    ($($variant:ident $code:literal $owner:ident: $title:literal, $next:literal;)+) => {
        /// Why a connection is broken.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "specta", derive(specta::Type))]
        pub enum Reason {
            $(#[serde(rename = $code)] $variant,)+
        }

        impl Reason {
            pub const ALL: &[Reason] = &[$(Reason::$variant),+];

            /// The code in files and on the command line.
            pub fn code(self) -> &'static str {
                match self {
                    $(Reason::$variant => $code,)+
                }
            }

            /// What is the matter, in one sentence.
            pub fn title(self) -> &'static str {
                match self {
                    $(Reason::$variant => $title,)+
                }
            }

            /// The one next action.
            pub fn next_step(self) -> &'static str {
                match self {
                    $(Reason::$variant => $next,)+
                }
            }

            pub fn owner(self) -> Owner {
                match self {
                    $(Reason::$variant => Owner::$owner,)+
                }
            }
        }
    };
}

reasons! {
    CredentialsRejected "credentials_rejected" User:
        "The server does not accept this user name and password.",
        "Check the user name and enter the password again.";
    PasswordChanged "password_changed" User:
        "The password was changed: the server accepted it before and does not any more.",
        "Enter the new password.";
    AuthRejected "auth_rejected" User:
        "The server refused to sign in and does not say why.",
        "Enter the password again; if it is right, show the server's words to the IT department.";
    AppPasswordRequired "app_password_required" User:
        "The provider wants an app password here, not the usual one.",
        "Make an app password in the provider's account settings and enter it.";
    WebLoginRequired "web_login_required" User:
        "The provider wants you to sign in with a browser first.",
        "Sign in at the provider's web page, then try again.";
    AccountLocked "account_locked" User:
        "The provider has locked the account.",
        "Unlock it at the provider's web page, then try again.";
    PasswordExpired "password_expired" User:
        "The password has expired.",
        "Choose a new password at the provider, then enter it.";
    MfaRequired "mfa_required" User:
        "The provider asks for a second factor.",
        "Sign in with the browser, or make an app password.";
    AccessRevoked "access_revoked" User:
        "Threadline's access was revoked.",
        "Sign in again.";
    TokenExpired "token_expired" User:
        "The sign-in has run out.",
        "Sign in again.";
    AccessTokenRejected "access_token_rejected" Nobody:
        "The access token is out of date.",
        "Nothing: a new one is asked for.";
    ConsentRequired "consent_required" User:
        "The provider asks for a permission that was not given yet.",
        "Sign in again and give the permission, or ask the administrator to.";
    BlockedByAdmin "blocked_by_admin" Administrator:
        "An administrator has blocked this program.",
        "Ask the administrator to allow it.";
    ConditionalAccess "conditional_access" Administrator:
        "A rule of the organisation forbids this sign-in.",
        "Ask the administrator which rule it is.";
    AppDisabled "app_disabled" Administrator:
        "The provider has disabled this program's registration.",
        "Ask the administrator to enable it.";
    BasicAuthDisabled "basic_auth_disabled" User:
        "The provider takes no passwords from mail programs any more.",
        "Sign in with the browser.";
    SmtpAuthDisabled "smtp_auth_disabled" Administrator:
        "Signing in for sending is switched off for this mailbox.",
        "Ask the administrator to switch SMTP AUTH on.";
    AuthMechanismUnsupported "auth_mechanism_unsupported" User:
        "The server offers no way to sign in that Threadline knows.",
        "Ask the IT department which sign-in the server wants.";
    AuthRequired "auth_required" User:
        "The server wants a sign-in first.",
        "Set a user name and password for this server.";
    ClientIdRequired "client_id_required" Nobody:
        "The server wants to know which program connects.",
        "Nothing: the program names itself at the next attempt.";
    ImapDisabledByUser "imap_disabled_by_user" User:
        "IMAP is switched off for this mailbox.",
        "Switch IMAP on in the mailbox's settings at the provider.";
    ImapDisabledByAdmin "imap_disabled_by_admin" Administrator:
        "IMAP is switched off in this organisation.",
        "Ask the administrator to switch IMAP on.";
    MailboxDisabled "mailbox_disabled" Administrator:
        "The mailbox is disabled.",
        "Ask the administrator to enable it.";
    MailboxMissing "mailbox_missing" Administrator:
        "There is no such mailbox any more.",
        "Check the address, or ask the administrator.";
    MailboxMigrated "mailbox_migrated" Administrator:
        "The mailbox was moved to another server.",
        "Ask the administrator for the new server, then change the settings.";
    MailboxUnreachable "mailbox_unreachable" Administrator:
        "The sign-in worked, but the mailbox behind it does not answer.",
        "Ask the administrator to look at the mailbox.";
    OverQuota "over_quota" User:
        "The mailbox is full.",
        "Delete mail or ask for more room.";
    SendingLimit "sending_limit" Nobody:
        "Today's limit for sending is reached.",
        "Wait until the provider lifts it.";
    Throttled "throttled" Nobody:
        "The server asks for fewer requests.",
        "Wait: the next attempt is set for later.";
    TooManyConnections "too_many_connections" User:
        "Too many programs are connected to this mailbox.",
        "Close other mail programs, or wait.";
    IpBanned "ip_banned" Administrator:
        "The server refuses this network address.",
        "Ask the IT department to lift the block.";
    GeoOrIpBlocked "geo_or_ip_blocked" Administrator:
        "The server refuses this network or country.",
        "Use another network, or ask the administrator.";
    ServerUnavailable "server_unavailable" Nobody:
        "The server is not available.",
        "Wait: it is tried again.";
    ServerClosedConnection "server_closed_connection" Nobody:
        "The server hung up.",
        "Wait: it is tried again.";
    SessionExpired "session_expired" Nobody:
        "The server ended the session.",
        "Wait: it is tried again.";
    ConnectionRevoked "connection_revoked" Administrator:
        "The server ends each connection right after the sign-in.",
        "Ask the administrator whether the program is blocked.";
    ProtocolError "protocol_error" Nobody:
        "The server's answer does not follow the protocol.",
        "Wait: it is tried again. If it stays, send the diagnostics to the IT department.";
    ProtocolState "protocol_state" Nobody:
        "The server says that a command came at the wrong moment.",
        "Wait: it is tried again.";
    WrongPortOrProtocol "wrong_port_or_protocol" User:
        "Something else answers at this port.",
        "Check the port: 993 for IMAP with TLS, 143 with STARTTLS.";
    Pop3Configured "pop3_configured" User:
        "These are the settings of a POP3 server. POP3 downloads the mail, so no other device sees it.",
        "Use the IMAP server: usually port 993 on a host that begins with imap.";
    TlsRequired "tls_required" User:
        "The server offers no encryption at this port, so nothing was sent.",
        "Use port 993 with TLS, or ask the IT department to switch STARTTLS on.";
    TlsPlaintextPort "tls_plaintext_port" User:
        "This port does not begin with TLS.",
        "Choose STARTTLS for this port, or port 993.";
    TlsUntrusted "tls_untrusted" Administrator:
        "The server's certificate is not from an authority that this computer trusts.",
        "Ask the IT department for the authority's certificate and add it for this server.";
    TlsNameMismatch "tls_name_mismatch" Administrator:
        "The server's certificate is for another name.",
        "Check the server's name, or ask the IT department.";
    TlsExpired "tls_expired" Administrator:
        "The server's certificate has expired.",
        "Ask the IT department to renew it.";
    DnsFailure "dns_failure" Nobody:
        "The server's name was not found.",
        "Check the server's name; if it is right, wait: it is tried again.";
    ConnectionRefused "connection_refused" Nobody:
        "Nothing answers at this port.",
        "Check the port; if it is right, wait: it is tried again.";
    ConnectionTimeout "connection_timeout" Nobody:
        "The server did not answer in time.",
        "Wait: it is tried again.";
    ConnectionReset "connection_reset" Nobody:
        "The connection was broken off.",
        "Wait: it is tried again.";
    NetworkUnreachable "network_unreachable" Nobody:
        "The network does not reach the server.",
        "Wait: it is tried again.";
    LocalOffline "local_offline" User:
        "This computer is offline.",
        "Connect it to a network.";
    CaptivePortal "captive_portal" User:
        "This network wants you to sign in on a web page.",
        "Open a browser and sign in to the network.";
    LocalFirewall "local_firewall" User:
        "A firewall or antivirus program on this computer blocks the connection.",
        "Allow Threadline in that program.";
    LocalClockWrong "local_clock_wrong" User:
        "This computer's clock is wrong.",
        "Set the date and time.";
    WrongAccount "wrong_account" User:
        "This sign-in is for another mailbox.",
        "Sign in as the owner of this mailbox.";
    KeychainLocked "keychain_locked" User:
        "The keychain of this computer is locked.",
        "Unlock the keychain, then try again.";
    KeychainMissing "keychain_missing" User:
        "The keychain of this computer is missing, or holds the secret no more.",
        "Start a keychain (on Linux a Secret Service such as GNOME Keyring), or enter the password again.";
    FolderMissing "folder_missing" User:
        "A folder that is watched is gone.",
        "Choose the folder again.";
    SentFolderUnknown "sent_folder_unknown" User:
        "No Sent folder was found.",
        "Choose the Sent folder.";
    ScopeMissing "scope_missing" User:
        "The CRM's token does not allow this.",
        "Give the token the scope that is named, then set it again.";
    CrmTokenRejected "crm_token_rejected" User:
        "The CRM does not accept the token.",
        "Make a new token in the CRM and set it again.";
    CrmRejected "crm_rejected" User:
        "The CRM refused the data.",
        "Look at the CRM's words; the message is set aside and can be retried.";
    CrmDailyLimit "crm_daily_limit" Nobody:
        "The CRM's limit for today is used up.",
        "Wait until midnight in the portal's time zone.";
    CrmGone "crm_gone" User:
        "The CRM's address does not take messages any more.",
        "Set the CRM up again.";
    FolderFailed "folder_failed" User:
        "The folder for logged mail cannot be written.",
        "Make room on its disk, or give yourself the right to write there. It is tried again.";
    SettingUnusable "setting_unusable" User:
        "A setting cannot be read or used.",
        "Set it again.";
    LedgerFailed "ledger_failed" User:
        "The ledger on this computer cannot be read or written.",
        "Look at the disk: it may be full, or the data folder read-only. It is tried again.";
    Unknown "unknown" Nobody:
        "The cause is not known.",
        "Wait: it is tried again. If it stays, send the diagnostics to the IT department.";
}

impl Reason {
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.code() == code)
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
