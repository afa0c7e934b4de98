//! What token endpoints and consent pages say: `error` (RFC 6749 §4.1.2.1, §5.2, OpenID Connect, RFC 8628), Microsoft's
//! numbers, and words.

use crate::reason::Protocol;
use crate::reason::Reason as R;
use crate::reason::rule::{Rule, When::*, rule};

/// The errors that are looked for in a text.
pub(in crate::reason) const ERRORS: &[&str] = &[
    "access_denied",
    "access_not_configured",
    "account_selection_required",
    "admin_policy_enforced",
    "authorization_pending",
    "consent_required",
    "deleted_client",
    "disabled_client",
    "disallowed_useragent",
    "expired_token",
    "insufficient_scope",
    "interaction_required",
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "invalid_token",
    "login_required",
    "org_internal",
    "policy_enforced",
    "rate_limit_exceeded",
    "redirect_uri_mismatch",
    "restricted_client",
    "server_error",
    "slow_down",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
];

const OAUTH: &[Protocol] = &[Protocol::OAuth];

pub(in crate::reason) const NUMBERS: &[Rule] = &[
    rule("aadsts-conditional-access", R::ConditionalAccess).when(&[Number(&[
        50005, 50097, 50129, 50131, 50155, 50178, 50187, 53000, 53001, 53002, 53003, 53008, 53009, 53010,
        530001, 530002, 530003, 530004, 530021, 530031, 530032, 530033, 530034, 530035, 700003, 80012,
    ])]),
    rule("aadsts-mfa", R::MfaRequired)
        .when(&[Number(&[50072, 50074, 50076, 50078, 50079, 50158, 50203, 500121, 53004])]),
    rule("aadsts-consent", R::ConsentRequired)
        .when(&[Number(&[65001, 65002, 65004, 90008, 90094, 90095, 500011, 70011, 650052, 650056, 650057])]),
    rule("aadsts-password-expired", R::PasswordExpired)
        .when(&[Number(&[50055, 50125, 50135, 50142, 50144, 120000, 120008])]),
    rule("aadsts-locked", R::AccountLocked).when(&[Number(&[50053, 502031, 53011])]),
    rule("aadsts-user-disabled", R::MailboxDisabled).when(&[Number(&[50057])]),
    rule("aadsts-no-such-user", R::MailboxMissing).when(&[Number(&[50034, 51004, 1000502])]),
    rule("aadsts-other-tenant", R::WrongAccount)
        .when(&[Number(&[50020, 50107, 90072, 90002, 500200, 500201, 500208, 900023])]),
    rule("aadsts-wrong-password", R::CredentialsRejected).when(&[Number(&[50056, 50064, 50126, 80007])]),
    rule("aadsts-password-reset", R::CredentialsRejected).when(&[Number(&[50132, 50133, 50173])]),
    rule("aadsts-grant-revoked", R::CredentialsRejected)
        .when(&[Number(&[70008])])
        .says(&["revok|reset their password|changed + password"]),
    rule("aadsts-grant-too-old", R::TokenExpired)
        .when(&[Number(&[50085, 50089, 70008, 70019, 70020, 70043, 70044, 700081, 700082, 700084])]),
    rule("aadsts-blocked", R::BlockedByAdmin).when(&[Number(&[
        50002, 50105, 50177, 53005, 54000, 500021, 500022, 500212, 500213, 501051, 5000225, 1000104,
    ])]),
    rule("aadsts-app", R::AppDisabled).when(&[Number(&[
        50001, 50003, 50011, 50012, 50146, 50194, 65005, 70001, 500014, 500113, 700016, 700022, 700023,
        700025, 700027, 700030, 700054, 900971, 7000112, 7000114, 7000215, 7000216, 7000218, 7000222,
        9001023, 9002325, 9002326, 9002327, 9002332, 9002346,
    ])]),
    rule("aadsts-service", R::ServerUnavailable).when(&[Number(&[
        40010, 50000, 50033, 50086, 50087, 50196, 70012, 80001, 80002, 80005, 80010, 90006, 90012, 90016,
        90020, 90024, 90033, 90036, 90038,
    ])]),
    rule("aadsts-throttled", R::Throttled).when(&[Number(&[90055])]),
    rule("aadsts-token-outdated", R::AccessTokenRejected).when(&[Number(&[500133, 50027])]),
    rule("aadsts-browser", R::WebLoginRequired)
        .when(&[Number(&[16000, 16003, 50058, 50140, 50143, 50168, 50199, 51006, 160021, 700020])]),
    // A code that serves once, and one that is typed in: neither says anything of the permission.
    rule("aadsts-code", R::AuthRejected).when(&[Number(&[50147, 54005, 70018, 501481, 700005])]),
    rule("aadsts-request", R::ProtocolError).when(&[Number(&[
        50029, 70003, 70005, 90004, 90013, 90014, 90015, 90023, 900144, 900382, 900561, 9002313,
    ])]),
    // What is said beside a sharper number, and alone only where nothing else is known.
    rule("aadsts-grant", R::AccessRevoked).when(&[Number(&[70000])]),
    rule("aadsts-client", R::AppDisabled).when(&[Number(&[70002])]).not(&["password|expired|revok"]),
];

pub(in crate::reason) const SHARP: &[Rule] = &[
    rule("oauth-client-off", R::AppDisabled).when(&[Error(&[
        "deleted_client",
        "disabled_client",
        "disallowed_useragent",
        "invalid_client",
        "restricted_client",
        "unauthorized_client",
    ])]),
    rule("oauth-admin-policy", R::BlockedByAdmin).when(&[Error(&[
        "admin_policy_enforced",
        "access_not_configured",
        "org_internal",
        "policy_enforced",
    ])]),
    rule("oauth-consent", R::ConsentRequired).when(&[Error(&[
        "consent_required",
        "insufficient_scope",
        "invalid_scope",
        "403",
    ])]),
    rule("oauth-expired-token", R::TokenExpired).when(&[Error(&["expired_token"])]),
    // What a mail server says of a token: RFC 7628 §3.2.2, and XOAUTH2's HTTP status.
    rule("sasl-token", R::AccessTokenRejected).when(&[Error(&["invalid_token", "400", "401"])]),
    rule("oauth-slow-down", R::Throttled).when(&[Error(&["slow_down", "rate_limit_exceeded"])]),
    rule("oauth-server", R::ServerUnavailable).when(&[Error(&["server_error", "temporarily_unavailable"])]),
];

pub(in crate::reason) const WORDS: &[Rule] = &[
    // A code serves once, and says nothing of the permission.
    rule("oauth-code-used", R::AuthRejected)
        .when(&[In(OAUTH)])
        .says(&["code + redeemed|already used|already been used|was used|used twice"]),
    rule("oauth-clock", R::LocalClockWrong).when(&[In(OAUTH)]).says(&[
        "check your iat|clock skew|clock with skew|reasonable timeframe|your clock|system clock|used too early|issued in the future",
    ]),
    rule("oauth-conditional-access", R::ConditionalAccess)
        .when(&[In(OAUTH)])
        .says(&[
            "conditional access|device + complian|managed|not registered|domain joined",
            "policy does not allow token",
            "access policy|access policies|context aware",
        ]),
    rule("oauth-mfa", R::MfaRequired)
        .when(&[In(OAUTH)])
        .says(&["multi factor|multifactor|two factor|second factor|2fa|mfa|strong authentication|2 step|two step"]),
    rule("oauth-client-gone", R::AppDisabled).when(&[In(OAUTH)]).says(&[
        "client id + unknown|missing",
        "oauth client|client id|client was|this client|application|this app|app$|client secret|client + deleted|disabled|not found|blocked|not been verified|isnt verified|verification process|hasnt verified|being tested|comply|not exist|suspended|expired client|keys are expired|invalid client secret|secret is invalid|secret provided",
        "hasnt given you access|has not given you access|developer + access",
        "verification process|sign in with google temporarily disabled|unverified app|app isnt verified|app request is invalid|apps request is invalid",
    ]).not(&["consent|administrator|admin$|organization|organisation|institution|password|refresh token|permission"]),
    rule("oauth-admin-approval", R::ConsentRequired)
        .when(&[In(OAUTH)])
        .says(&[
            "consent|only an admin can grant|admin approval|approval required|permission + grant|need|require|request",
            "insufficient + scope|permission",
            "scope|permission + missing|not granted|not authorized|has changed|not consented",
        ]),
    rule("oauth-organisation", R::BlockedByAdmin).when(&[In(OAUTH)]).says(&[
        "admin|administrator|organization|organisation|institution|domain|workspace|tenant + restrict|block|not allow|forbid|policy|policies|review|disabled|turned off|within its|within your",
    ]),
    rule("oauth-account-deleted", R::MailboxMissing)
        .when(&[In(OAUTH)])
        .says(&["account|user + deleted|not exist|doesnt exist|not found"])
        .not(&["session"]),
    rule("oauth-account-locked", R::AccountLocked)
        .when(&[In(OAUTH)])
        .says(&["account|user|sign in + locked|suspicious|unusual|malicious|suspended|compromised|risk"]),
    rule("oauth-account-disabled", R::MailboxDisabled).when(&[In(OAUTH)]).says(&["account|user + disabled|inactive"]),
    rule("oauth-password-expired", R::PasswordExpired)
        .when(&[In(OAUTH)])
        .says(&["password + expired|must be changed|must change|needs to be changed"]),
    rule("oauth-access-token", R::AccessTokenRejected).when(&[In(OAUTH)]).says(&[
        "access token + expired|invalid|not yet valid|could not be validated|malformed",
        "invalid authentication credentials",
        "lifetime validation failed|invalid credentials + oauth|token",
    ]),
    rule("oauth-revoked", R::AccessRevoked)
        .when(&[In(OAUTH)])
        .says(&["revok", "refresh token + invalid|not valid|unknown|not found|bad$", "removed + access", "user has not granted|no longer + authorized|access"]),
    rule("oauth-expired", R::TokenExpired).when(&[In(OAUTH)]).says(&[
        "token|grant|session|sign in|code|authorization + expired|inactiv|too old|lifetime|timed out|ran out",
        "reauth|invalid rapt|rapt required|sign in again|sign in frequency",
    ]),
    rule("oauth-password", R::CredentialsRejected)
        .when(&[In(OAUTH)])
        .says(&["password|credential + invalid|incorrect|wrong|changed|reset|not match|rejected"])
        .not(&["client"]),
    rule("oauth-other-account", R::WrongAccount)
        .when(&[In(OAUTH)])
        .says(&["account|user|tenant + another|different|does not match|mismatch|not exist in tenant|wrong"])
        .not(&["redirect"]),
    rule("oauth-too-much", R::Throttled)
        .when(&[In(OAUTH)])
        .says(&["too many requests|rate limit|throttl|quota + exceeded|429$", "reached your + limit"]),
    rule("oauth-out-of-order", R::ServerUnavailable).when(&[In(OAUTH)]).says(&[
        "temporar|internal error|internal failure|backend error|service unavailable|try again later|502$|503$|504$|500 internal|bad gateway",
    ]),
];

pub(in crate::reason) const COARSE: &[Rule] = &[
    // A number that is not known here: the person must sign in again, and why is not known.
    rule("aadsts-unknown", R::AuthRejected).when(&[AnyNumber]),
    rule("oauth-grant", R::AccessRevoked).when(&[Error(&["invalid_grant"])]),
    rule("oauth-client", R::AppDisabled).when(&[Error(&["redirect_uri_mismatch"])]),
    rule("oauth-denied", R::ConsentRequired).when(&[Error(&["access_denied"])]),
    rule("oauth-interaction", R::WebLoginRequired).when(&[Error(&[
        "interaction_required",
        "login_required",
        "account_selection_required",
    ])]),
    rule("oauth-request", R::ProtocolError).when(&[Error(&[
        "invalid_request",
        "unsupported_grant_type",
        "unsupported_response_type",
    ])]),
];
