//! What response codes and status codes decide, with few words or none.

use crate::reason::Reason as R;
use crate::reason::rule::{Rule, When::*, rule};
use crate::reason::{ImapStatus, Mechanism, Phase, Provider as P};

/// The response codes that are looked for in a text: RFC 3501, 5530, 2221, 4978, 7162, 9208, and those of providers.
pub(in crate::reason) const CODES: &[&str] = &[
    "ALERT",
    "ALREADYEXISTS",
    "APPENDLIMIT",
    "AUTHENTICATIONFAILED",
    "AUTHORIZATIONFAILED",
    "BADCHARSET",
    "CANNOT",
    "CAPABILITY",
    "CLIENTBUG",
    "CLOSED",
    "CONTACTADMIN",
    "CORRUPTION",
    "EXPIRED",
    "EXPUNGEISSUED",
    "HASCHILDREN",
    "INUSE",
    "LIMIT",
    "NONEXISTENT",
    "NOPERM",
    "NOTIFICATIONOVERFLOW",
    "OVERQUOTA",
    "PARSE",
    "PRIVACYREQUIRED",
    "READ-ONLY",
    "REFERRAL",
    "SERVERBUG",
    "SYS/TEMP",
    "THROTTLED",
    "TOOBIG",
    "TRYCREATE",
    "UNAVAILABLE",
    "WEBALERT",
];

pub(in crate::reason) const SHARP: &[Rule] = &[
    rule("code-throttled", R::Throttled).when(&[Code(&["THROTTLED"])]),
    rule("code-web-alert", R::WebLoginRequired).when(&[Code(&["WEBALERT"])]),
    rule("code-expired", R::PasswordExpired).when(&[Code(&["EXPIRED"])]),
    rule("code-privacy-required", R::TlsRequired).when(&[Code(&["PRIVACYREQUIRED"])]),
    rule("code-referral", R::MailboxMigrated).when(&[Code(&["REFERRAL"])]),
    // RFC 5530 has one code for both kinds of limit, and Gmail says OVERQUOTA for its limit of traffic.
    rule("code-limit-connections", R::TooManyConnections)
        .when(&[Code(&["LIMIT", "OVERQUOTA", "UNAVAILABLE", "INUSE"])])
        .says(&["connection|session|simultaneous|concurrent|login + too many|maximum|max$|exceed|limit"])
        .not(&["rate|per minute|per hour|attempt|fail|bandwidth|command"]),
    rule("code-limit-traffic", R::Throttled)
        .when(&[Code(&["OVERQUOTA", "UNAVAILABLE"])])
        .says(&["bandwidth|command|rate limit|ratelimit|throttl|too many|too often|traffic"]),
    rule("code-limit", R::Throttled).when(&[Code(&["LIMIT"])]),
    rule("code-over-quota", R::OverQuota).when(&[Code(&["OVERQUOTA"])]),
    rule("code-unavailable", R::ServerUnavailable).when(&[Code(&[
        "UNAVAILABLE",
        "SERVERBUG",
        "INUSE",
        "CORRUPTION",
        "SYS/TEMP",
    ])]),
    rule("code-client-bug", R::ProtocolState).when(&[Code(&["CLIENTBUG"])]).not(&["rate|too many|throttl"]),
    rule("code-no-such-folder", R::FolderMissing)
        .when(&[Code(&["NONEXISTENT", "TRYCREATE"]), At(&[Phase::Select, Phase::Append, Phase::Idle])]),
    rule("select-no-such-folder", R::FolderMissing)
        .when(&[Ends(ImapStatus::No), At(&[Phase::Select])])
        .says(&["folder|mailbox + not exist|doesnt exist|no such|unknown|not found|not be found|nonexistent|deleted"]),
    // RFC 3463 and 5248, RFC 4954 §6.
    rule("smtp-full", R::OverQuota).when(&[Enhanced(&[".2.2"])]),
    // Google's, for mail that comes too fast; RFC 7372 §3 for a network without a name.
    rule("smtp-too-fast", R::Throttled).when(&[Enhanced(&["4.7.28"])]),
    rule("smtp-nameless-network", R::IpBanned).when(&[Enhanced(&[".7.25"])]),
    rule("smtp-unproven-sender", R::BlockedByAdmin).when(&[Enhanced(&[
        ".7.20", ".7.21", ".7.22", ".7.23", ".7.24", ".7.26", ".7.27",
    ])]),
    rule("smtp-mailbox-moved", R::MailboxMigrated).when(&[Enhanced(&["5.1.6"])]),
    rule("smtp-account-disabled", R::MailboxDisabled).when(&[Enhanced(&["5.7.13", "5.2.1"])]),
    rule("smtp-needs-tls", R::TlsRequired).when(&[Enhanced(&["5.7.10", "5.7.11"])]),
    rule("smtp-538", R::TlsRequired).when(&[Reply(538, 538)]),
    rule("smtp-tls-first", R::TlsRequired).when(&[Reply(530, 530), At(&[Phase::Tls])]),
    rule("smtp-no-tls-now", R::TlsRequired).when(&[Reply(454, 454), At(&[Phase::Tls])]),
    rule("smtp-connection-ended", R::ServerClosedConnection).when(&[Enhanced(&["4.4.2"])]).not(&["rate|limit|quota|too many"]),
    rule("exchange-stale-token", R::AccessTokenRejected)
        .says(&["accesstokenexpired|invalidauthenticationtoken|tokenexpired"]),
    // iCloud takes app passwords alone and names none.
    rule("icloud-password", R::AppPasswordRequired)
        .when(&[From(&[P::ICloud]), Code(&["AUTHENTICATIONFAILED"]), NeverWorked, At(&[Phase::Auth])])
        .not(&["lock|disabled|too many"]),
    rule("icloud-password-smtp", R::AppPasswordRequired)
        .when(&[From(&[P::ICloud]), Reply(535, 535), NeverWorked])
        .not(&["lock|disabled|too many"]),
    // RFC 7628 §3.2.2, as the sign-in passes it on.
    rule("token-lacks-scope", R::ConsentRequired)
        .when(&[By(Mechanism::Token), At(&[Phase::Auth])])
        .says(&["status insufficient scope|status 403"]),
    rule("token-status", R::AccessTokenRejected)
        .when(&[By(Mechanism::Token), At(&[Phase::Auth])])
        .says(&["status invalid token|status 400|status 401"]),
    // A stale token is answered in the words of a bad password.
    rule("token-refused", R::AccessTokenRejected)
        .when(&[By(Mechanism::Token), Code(&["AUTHENTICATIONFAILED"]), At(&[Phase::Auth])])
        .not(&["disabled|not enabled|blocked|locked|too many|web browser|not connected|license"]),
];
