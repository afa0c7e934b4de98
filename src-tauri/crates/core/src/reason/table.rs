//! The reasons, one row each: the code, who must act, when to try again, what is the matter, what that means, and the one
//! next action.

use super::{Again, Class, Owner};
use serde::{Deserialize, Serialize};

/// Makes [`Reason`] of the table below. A row without one of its parts does not compile.
macro_rules! reasons {
    ($($variant:ident $code:literal $owner:ident $again:ident: $title:literal, $why:literal, $next:literal;)+) => {
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

            /// What that means, in plain words: one to three sentences.
            pub fn explanation(self) -> &'static str {
                match self {
                    $(Reason::$variant => $why,)+
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

            /// When to connect again by itself.
            pub fn again(self) -> Again {
                match self {
                    $(Reason::$variant => Again::$again,)+
                }
            }
        }
    };
}

reasons! {
    CredentialsRejected "credentials_rejected" User Never:
        "The server does not accept this user name and password.",
        "One of the two is not what the server expects. It does not say which, and it is not tried again, so that the account is not locked.",
        "Check the user name and enter the password again.";
    PasswordChanged "password_changed" User Never:
        "The password was changed: the server accepted it before and does not any more.",
        "The same user name and password worked until now. Either the password was changed, or the provider has withdrawn it.",
        "Enter the new password.";
    AuthRejected "auth_rejected" User Never:
        "The server refused to sign in and does not say why.",
        "It may be the password, a setting of the mailbox or a rule of the provider: the server's words leave that open.",
        "Enter the password again; if it is right, show the server's words to the IT department.";
    AppPasswordRequired "app_password_required" User Never:
        "The provider wants an app password here, not the usual one.",
        "Mail programs sign in with a password of their own, which you make in the account settings. The usual password is for the web page only.",
        "Make an app password in the provider's account settings and enter it.";
    WebLoginRequired "web_login_required" User Seldom:
        "The provider wants you to sign in with a browser first.",
        "It wants to see that it is you, or has something to ask, before it lets a mail program in again. The password may be right.",
        "Sign in at the provider's web page, then try again.";
    AccountLocked "account_locked" User Never:
        "The provider has locked the account.",
        "This happens after many failed attempts or when something looked suspicious. It is not tried again, since that can make the lock last longer.",
        "Unlock it at the provider's web page, then try again.";
    PasswordExpired "password_expired" User Never:
        "The password has expired.",
        "It is the right one, but too old for the provider's rules.",
        "Choose a new password at the provider, then enter it.";
    MfaRequired "mfa_required" User Seldom:
        "The provider asks for a second factor.",
        "A password alone is not enough for this account any more. A mail program can only sign in with the browser, or with an app password.",
        "Sign in with the browser, or make an app password.";
    AccessRevoked "access_revoked" User Never:
        "Threadline's access was revoked.",
        "You or an administrator took it back in the account's settings, or the provider did so when the password changed. Nothing is lost: a new sign-in gives it back.",
        "Sign in again.";
    TokenExpired "token_expired" User Never:
        "The sign-in has run out.",
        "The provider lets a sign-in last for a certain time only, or ends it when it was not used. Nobody took the access back.",
        "Sign in again.";
    AccessTokenRejected "access_token_rejected" Nobody Soon:
        "The access token is out of date.",
        "Access tokens live for about an hour. A new one is asked for without you.",
        "Nothing: a new one is asked for.";
    ConsentRequired "consent_required" User Never:
        "The provider asks for a permission that was not given yet.",
        "The provider changed its rules, or nobody has allowed this program for the account yet. Every mailbox of the same organisation may be concerned.",
        "Sign in again and give the permission, or ask the administrator to.";
    BlockedByAdmin "blocked_by_admin" Administrator Seldom:
        "An administrator has blocked this program.",
        "A rule of the organisation does not allow this program, or this way of signing in. Your password is not the cause.",
        "Ask the administrator to allow it.";
    ConditionalAccess "conditional_access" Administrator Seldom:
        "A rule of the organisation forbids this sign-in.",
        "The organisation allows sign-ins only under conditions, such as a managed computer or a certain network. This sign-in does not meet them.",
        "Ask the administrator which rule it is.";
    AppDisabled "app_disabled" Administrator Seldom:
        "The provider has disabled this program's registration.",
        "The client id with which Threadline signs in is unknown, switched off or not approved there. Your account is not the cause.",
        "Ask the administrator to enable it.";
    BasicAuthDisabled "basic_auth_disabled" User Never:
        "The provider takes no passwords from mail programs any more.",
        "Only the sign-in in the browser is accepted; no password will work, the right one included.",
        "Sign in with the browser.";
    SmtpAuthDisabled "smtp_auth_disabled" Administrator Seldom:
        "Signing in for sending is switched off for this mailbox.",
        "Reading mail works. The administrator can switch SMTP AUTH on for one mailbox or for the organisation.",
        "Ask the administrator to switch SMTP AUTH on.";
    AuthMechanismUnsupported "auth_mechanism_unsupported" User Seldom:
        "The server offers no way to sign in that Threadline knows.",
        "Server and program have no sign-in mechanism in common, or the server offers none at this port.",
        "Ask the IT department which sign-in the server wants.";
    AuthRequired "auth_required" User Seldom:
        "The server wants a sign-in first.",
        "It refuses to do anything for somebody it does not know.",
        "Set a user name and password for this server.";
    ClientIdRequired "client_id_required" Nobody Soon:
        "The server wants to know which program connects.",
        "Some providers take mail programs only after they have named themselves.",
        "Nothing: the program names itself at the next attempt.";
    ImapDisabledByUser "imap_disabled_by_user" User Seldom:
        "IMAP is switched off for this mailbox.",
        "The password may be right: the provider lets mail programs in only after IMAP was switched on in the mailbox's settings.",
        "Switch IMAP on in the mailbox's settings at the provider.";
    ImapDisabledByAdmin "imap_disabled_by_admin" Administrator Seldom:
        "IMAP is switched off in this organisation.",
        "Mail programs are not let in. Only the administrator can change that.",
        "Ask the administrator to switch IMAP on.";
    MailboxDisabled "mailbox_disabled" Administrator Seldom:
        "The mailbox is disabled.",
        "The server knows the account, but it is switched off.",
        "Ask the administrator to enable it.";
    MailboxMissing "mailbox_missing" Administrator Seldom:
        "There is no such mailbox any more.",
        "The server does not know this account: it was deleted or renamed, or the address is not spelt as it is there.",
        "Check the address, or ask the administrator.";
    MailboxMigrated "mailbox_migrated" Administrator Seldom:
        "The mailbox was moved to another server.",
        "The old server says that it does not have the mailbox any more. The mail is at the new one.",
        "Ask the administrator for the new server, then change the settings.";
    MailboxUnreachable "mailbox_unreachable" Administrator Seldom:
        "The sign-in worked, but the mailbox behind it does not answer.",
        "This is said when IMAP is off for the mailbox, when it is being moved, when the account has no mailbox, or when there was too much traffic. It can pass by itself.",
        "Ask the administrator to look at the mailbox.";
    OverQuota "over_quota" User Seldom:
        "The mailbox is full.",
        "The server takes nothing more for it until there is room again.",
        "Delete mail or ask for more room.";
    SendingLimit "sending_limit" Nobody Soon:
        "Today's limit for sending is reached.",
        "The provider allows so many mails in a certain time. Reading is not concerned.",
        "Wait until the provider lifts it.";
    Throttled "throttled" Nobody Soon:
        "The server asks for fewer requests.",
        "There was more traffic than it allows, from this program or from others on the same mailbox. It is waited for as long as the server says.",
        "Wait: the next attempt is set for later.";
    TooManyConnections "too_many_connections" User Soon:
        "Too many programs are connected to this mailbox.",
        "The server allows so many connections at a time, and phones and other mail programs use them too. Threadline needs two.",
        "Close other mail programs, or wait.";
    IpBanned "ip_banned" Administrator Seldom:
        "The server refuses this network address.",
        "It is on a block list, mostly after many failed sign-ins from the same network. Your password is not the cause now.",
        "Ask the IT department to lift the block.";
    GeoOrIpBlocked "geo_or_ip_blocked" Administrator Seldom:
        "The server refuses this network or country.",
        "Sign-ins are allowed from certain places only, and this is none of them.",
        "Use another network, or ask the administrator.";
    ServerUnavailable "server_unavailable" Nobody Soon:
        "The server is not available.",
        "It is being restarted, overloaded or out of order. Nothing on this computer is the cause.",
        "Wait: it is tried again.";
    ServerClosedConnection "server_closed_connection" Nobody Soon:
        "The server hung up.",
        "Servers do so after a restart, or when nothing was said for long.",
        "Wait: it is tried again.";
    SessionExpired "session_expired" Nobody Soon:
        "The server ended the session.",
        "Some servers let a session last for a certain time only. A new one is made.",
        "Wait: it is tried again.";
    ConnectionRevoked "connection_revoked" Administrator Seldom:
        "The server ends each connection right after the sign-in.",
        "The password is accepted, and then the server hangs up, again and again. A rule of the server or a damaged mailbox does that.",
        "Ask the administrator whether the program is blocked.";
    ProtocolError "protocol_error" Nobody Soon:
        "The server's answer does not follow the protocol.",
        "It said something that a mail server should not say here. Mostly it passes.",
        "Wait: it is tried again. If it stays, send the diagnostics to the IT department.";
    ProtocolState "protocol_state" Nobody Soon:
        "The server says that a command came at the wrong moment.",
        "Server and program do not agree on where they are. A new connection begins anew.",
        "Wait: it is tried again.";
    WrongPortOrProtocol "wrong_port_or_protocol" User Seldom:
        "Something else answers at this port.",
        "The server's name may be right, but this port belongs to another service.",
        "Check the port: 993 for IMAP with TLS, 143 with STARTTLS.";
    Pop3Configured "pop3_configured" User Seldom:
        "These are the settings of a POP3 server. POP3 downloads the mail, so no other device sees it.",
        "Threadline needs IMAP, which leaves the mail on the server. Most servers that have POP3 have IMAP too.",
        "Use the IMAP server: usually port 993 on a host that begins with imap.";
    TlsRequired "tls_required" User Seldom:
        "The server offers no encryption at this port, so nothing was sent.",
        "Password and mail would be readable on the way. Threadline does not connect without encryption.",
        "Use port 993 with TLS, or ask the IT department to switch STARTTLS on.";
    TlsPlaintextPort "tls_plaintext_port" User Seldom:
        "This port does not begin with TLS.",
        "The server answered, but in plain text, where encryption was expected from the first byte.",
        "Choose STARTTLS for this port, or port 993.";
    TlsUntrusted "tls_untrusted" Administrator Seldom:
        "The server's certificate is not from an authority that this computer trusts.",
        "It may be the firm's own authority, a program that looks into the traffic, or somebody between you and the server. No password was sent.",
        "Ask the IT department for the authority's certificate and add it for this server.";
    TlsNameMismatch "tls_name_mismatch" Administrator Seldom:
        "The server's certificate is for another name.",
        "The name in the settings is not one that the certificate vouches for. No password was sent.",
        "Check the server's name, or ask the IT department.";
    TlsExpired "tls_expired" Administrator Seldom:
        "The server's certificate is not valid today: it has expired, or this computer's date is wrong.",
        "A certificate is valid for a certain time. Look at the date of this computer first; if it is right, the server's owner must renew the certificate. No password was sent.",
        "Check this computer's date; if it is right, ask the IT department to renew the certificate.";
    DnsFailure "dns_failure" Nobody Soon:
        "The server's name was not found.",
        "The name may be misspelt, or the network's name service does not answer.",
        "Wait: it is tried again. If it stays, check the server's name.";
    ConnectionRefused "connection_refused" Nobody Soon:
        "Nothing answers at this port.",
        "The computer at that address was reached, but no mail server listens there. It may be restarting, or the port is wrong.",
        "Wait: it is tried again. If it stays, check the port.";
    ConnectionTimeout "connection_timeout" Nobody Soon:
        "The server did not answer in time.",
        "The server or something on the way is too slow, or swallows the packets.",
        "Wait: it is tried again.";
    ConnectionReset "connection_reset" Nobody Soon:
        "The connection was broken off.",
        "The server, or something on the way to it, cut the line without a word.",
        "Wait: it is tried again.";
    NetworkUnreachable "network_unreachable" Nobody Soon:
        "The network does not reach the server.",
        "This computer knows no way to the server's address at the moment.",
        "Wait: it is tried again.";
    LocalOffline "local_offline" User Soon:
        "This computer is offline.",
        "It has no network. What is sent meanwhile is caught up later.",
        "Connect it to a network.";
    CaptivePortal "captive_portal" User Seldom:
        "This network wants you to sign in on a web page.",
        "Until then it answers in the place of every server. Hotels and trains do so.",
        "Open a browser and sign in to the network.";
    LocalFirewall "local_firewall" User Seldom:
        "A firewall or antivirus program on this computer blocks the connection.",
        "The system did not let the connection out; the server was not asked.",
        "Allow Threadline in that program.";
    ProxyUnreachable "proxy_unreachable" Nobody Soon:
        "The proxy does not answer.",
        "Threadline is set to leave this computer by a proxy, and that one was not reached. The mail server was not asked.",
        "Check the proxy's name and port in the settings, or the network: some proxies are there in the firm alone.";
    ProxyRefused "proxy_refused" User Seldom:
        "The proxy does not let the connection through.",
        "Threadline is set to leave this computer by a proxy. It wants another user name or password, or does not allow this server. The mail server was not asked.",
        "Set the proxy with its user name and password anew, or ask the IT department to allow the server and its port.";
    LocalClockWrong "local_clock_wrong" User Seldom:
        "This computer's clock is wrong.",
        "Certificates and sign-ins are valid for a certain time, and look expired when the date is wrong.",
        "Set the date and time.";
    WrongAccount "wrong_account" User Never:
        "This sign-in is for another mailbox.",
        "The server let somebody in, but not the owner of this mailbox.",
        "Sign in as the owner of this mailbox.";
    KeychainLocked "keychain_locked" User Seldom:
        "The keychain of this computer is locked.",
        "The password is in it and cannot be read before you unlock it.",
        "Unlock the keychain, then try again.";
    KeychainMissing "keychain_missing" User Seldom:
        "The keychain of this computer is missing, or holds the secret no more.",
        "Passwords are kept nowhere else, so there is nothing to sign in with.",
        "Start a keychain (on Linux a Secret Service such as GNOME Keyring), or enter the password again.";
    FolderMissing "folder_missing" User Seldom:
        "A folder that is watched is gone.",
        "It was deleted or renamed in the mailbox.",
        "Choose the folder again.";
    SentFolderUnknown "sent_folder_unknown" User Seldom:
        "No Sent folder was found.",
        "The server marks none, and none has a name that is known. What you send is not noticed until it is named.",
        "Choose the Sent folder.";
    ScopeMissing "scope_missing" User Seldom:
        "The CRM's token does not allow this.",
        "The token works, but without one of the rights that Threadline needs.",
        "Give the token the scope that is named, then set it again.";
    CrmTokenRejected "crm_token_rejected" User Seldom:
        "The CRM does not accept the token.",
        "It was revoked, has expired, or was not copied whole. What is logged waits here.",
        "Make a new token in the CRM and set it again.";
    CrmRejected "crm_rejected" User Seldom:
        "The CRM refused the data.",
        "Its rules do not allow what was sent. Other messages go on.",
        "Look at the CRM's words; the message is set aside and can be retried.";
    CrmDailyLimit "crm_daily_limit" Nobody Soon:
        "The CRM's limit for today is used up.",
        "The CRM allows so many requests a day, and all programs share them. What is logged waits here.",
        "Wait until midnight in the portal's time zone.";
    CrmRecordMissing "crm_record_missing" User Seldom:
        "The CRM did not log a mail that was sent to its own address.",
        "The mail named the address at which the CRM logs by itself, and its record did not appear within half an hour. Threadline does not push it unasked, since it would be there twice if the record came later.",
        "Say whether Threadline pushes it or leaves it.";
    CrmGone "crm_gone" User Seldom:
        "The CRM's address does not take messages any more.",
        "The receiver has said that this address is closed for good.",
        "Set the CRM up again.";
    FolderFailed "folder_failed" User Seldom:
        "The folder for logged mail cannot be written.",
        "Its disk may be full or missing, or the folder belongs to somebody else.",
        "Make room on its disk, or give yourself the right to write there. It is tried again.";
    SettingUnusable "setting_unusable" User Seldom:
        "A setting cannot be read or used.",
        "What is stored is not what this version understands.",
        "Set it again.";
    LedgerFailed "ledger_failed" User Soon:
        "The ledger on this computer cannot be read or written.",
        "Without it nothing is decided or pushed, so that nothing happens twice.",
        "Look at the disk: it may be full, or the data folder read-only.";
    Unknown "unknown" Nobody Soon:
        "The cause is not known.",
        "Neither the connection nor the server's words say more.",
        "Wait: it is tried again. If it stays, send the diagnostics to the IT department.";
}

impl Reason {
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.code() == code)
    }

    /// True where the provider asks something of everybody who has a mailbox there: then it is one cause for all of a person's
    /// mailboxes at that provider.
    pub fn is_providers_policy(self) -> bool {
        matches!(
            self,
            Reason::ConsentRequired
                | Reason::AppDisabled
                | Reason::BasicAuthDisabled
                | Reason::AppPasswordRequired
        )
    }

    /// True where waiting can heal it. Such a reason is no disconnect before the extended period is over.
    pub fn is_transient(self) -> bool {
        self.owner() == Owner::Nobody || self == Reason::TooManyConnections || self == Reason::LocalOffline
    }

    /// What kind of answer it asks for.
    pub fn class(self) -> Class {
        match self {
            Reason::AccessTokenRejected => Class::RefreshToken,
            Reason::AuthRejected | Reason::MailboxUnreachable => Class::Ambiguous,
            // The program must change what it does; waiting alone does not help.
            Reason::ClientIdRequired => Class::UserAction,
            _ if self.is_transient() => Class::Transient,
            _ => Class::UserAction,
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}
