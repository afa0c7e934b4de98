//! What a code says where its words are not known: the last thing before the step itself.

use crate::reason::Reason as R;
use crate::reason::rule::{Rule, When::*, rule};
use crate::reason::{ImapStatus, Phase, Protocol};

/// The codes that say that the secret is wrong.
pub(in crate::reason) const PASSWORD_CODES: &[Rule] = &[
    rule("says-failed", R::CredentialsRejected).when(&[Code(&["AUTHENTICATIONFAILED"])]),
    rule("says-5-7-8", R::CredentialsRejected).when(&[Reply(535, 535), Enhanced(&["5.7.8"])]),
];

pub(in crate::reason) const RULES: &[Rule] = &[
    rule("code-authentication-failed", R::CredentialsRejected).when(&[Code(&["AUTHENTICATIONFAILED"])]),
    rule("code-no-such-mailbox", R::MailboxMissing)
        .when(&[Code(&["NONEXISTENT"]), At(&[Phase::Auth, Phase::Greeting])]),
    rule("code-refused", R::AuthRejected)
        .when(&[Code(&["AUTHORIZATIONFAILED", "CONTACTADMIN", "NOPERM"]), At(&[Phase::Auth])]),
    // RFC 3463 §3.8: something about security, and no more.
    rule("smtp-535-unsaid", R::AuthRejected)
        .when(&[Reply(535, 535), Enhanced(&["5.7.0", "5.7.1", "5.7.139"])]),
    rule("smtp-5-7-8", R::CredentialsRejected).when(&[Enhanced(&["5.7.8", "5.7.3"])]),
    // RFC 4954 §6 means the password; many servers use it for whatever keeps somebody out.
    rule("smtp-535", R::CredentialsRejected)
        .when(&[Reply(535, 535)])
        .says(&["authenticat|login|logon|sign in + fail|unsuccess|error|invalid|incorrect|refused|rejected|denied|not accepted"]),
    rule("smtp-535-else", R::AuthRejected).when(&[Reply(535, 535)]),
    rule("smtp-530", R::AuthRequired).when(&[Reply(530, 530)]),
    // RFC 4954 §6 means the mechanism; the large providers use it for whatever a person must do first.
    rule("smtp-534", R::AuthRejected).when(&[Reply(534, 534)]),
    rule("smtp-5-7-9", R::AuthRejected).when(&[Enhanced(&["5.7.9"])]),
    rule("smtp-5-7-4", R::AuthMechanismUnsupported).when(&[Enhanced(&["5.7.4"])]),
    rule("smtp-504", R::AuthMechanismUnsupported).when(&[Reply(504, 504), At(&[Phase::Auth])]),
    rule("smtp-432", R::PasswordExpired).when(&[Reply(432, 432), Enhanced(&["4.7.12"])]),
    rule("smtp-no-such-mailbox", R::MailboxMissing).when(&[Enhanced(&["5.1.1", "5.1.10"])]),
    rule("smtp-503", R::ProtocolState).when(&[Reply(503, 503)]),
    rule("smtp-5-5", R::ProtocolError).when(&[Enhanced(&["5.5."])]),
    rule("smtp-syntax", R::ProtocolError).when(&[Reply(500, 504)]),
    rule("smtp-421", R::ServerUnavailable).when(&[Reply(421, 421)]),
    rule("smtp-221", R::ServerClosedConnection).when(&[Reply(221, 221)]),
    rule("smtp-4", R::ServerUnavailable).when(&[Enhanced(&["4."])]),
    // Without a word for what is wrong a BAD at the sign-in still is a refusal where it speaks of nothing else.
    rule("bad-sign-in", R::AuthRejected)
        .when(&[Ends(ImapStatus::Bad), At(&[Phase::Auth])])
        .says(&["authenticat|login|logon|sign in + fail|refus|reject|denied"]),
    rule("says-sign-in-failed", R::AuthRejected)
        .when(&[In(&[Protocol::Imap, Protocol::Smtp]), At(&[Phase::Auth])])
        .says(&[
            "authenticat|authoriz|login|logon|log in|logging in|sign in|sasl|auth$ + fail|unsuccess|error|denied|refus|reject|not allowed|not permitted|invalid|cannot|cant|unable|could not",
        ]),
];
