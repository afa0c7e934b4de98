//! What servers say at the sign-in: what they demand, what is switched off, how the account is, and last the password.

use crate::reason::Reason as R;
use crate::reason::rule::{Rule, When::*, rule};
use crate::reason::{Mechanism, Phase, Protocol};

const MAIL: &[Protocol] = &[Protocol::Imap, Protocol::Smtp];
/// A folder's and a message's troubles are not the sign-in's.
const EARLY: &[Phase] = &[Phase::Greeting, Phase::Auth, Phase::Select, Phase::Tls, Phase::Push];
const AUTH: &[Phase] = &[Phase::Greeting, Phase::Auth, Phase::Push];

/// What the provider wants beside or in place of the password.
pub(in crate::reason) const DEMANDS: &[Rule] = &[
    rule("wants-client-id", R::ClientIdRequired).when(&[In(MAIL)]).says(&[
        "unsafe login",
        "id command|imap id|client id|client identification|identify + required|must|please|missing|first|send",
        "kefu 188 com",
    ]),
    rule("wants-app-password", R::AppPasswordRequired).when(&[In(MAIL), At(AUTH)]).says(&[
        "app password|application password|application specific|app specific|app passcode|apppassword|application key|invalidsecondfactor|device password|device specific|secure app password|external password",
        "third party app|third party mail|external app|external mail + password",
        "authorized code|authorization code|authorisation code|auth code|authcode|authorization password|weixin token|client password|reqcode|client specific password|independent password|bridge password",
        "授权码|独立密码|专用密码|客户端密码",
        "parol prilozheniya|пароль приложения|пароль для внешн|пароля для внешн|пароль для приложен",
        "app passwort|anwendungspasswort|anwendungsspezifisch|mot de passe dapplication|contraseña de aplicación|password per app|senha de app",
    ]).not(&["app password|app passwords|application password|application passwords + disabled|not allowed|turned off|blocked|forbid"]),
    rule("wants-browser", R::WebLoginRequired).when(&[In(MAIL), At(AUTH)]).says(&[
        "web browser|web login|weblogin|continuesignin|webloginrequired|internet browser|your browser|a browser",
        "please|must|need|have to|has to|required|first|try + log in|login|sign in|logon|log on + webmail|web interface|website|web site|web page|web mail",
        "accept|agree + eula|terms|agreement|conditions",
        "please|must|need|have to|has to|required|verification + verify|confirm|verification + your account$|your identity|its you|it is you|phone number|ownership",
        "captcha",
    ]).not(&["imap is disabled|enable imap|switch on imap|activate imap|disabled for|account settings|account name|account details|account password|privacy policy|cookies"]),
    rule("wants-second-factor", R::MfaRequired).when(&[In(MAIL), At(AUTH)]).says(&[
        "multi factor|multifactor|two factor|2 factor|second factor|2fa|mfa$|two step|2 step|one time password|one time code|otp|verification code|another step is needed",
        "zwei faktor|двухфактор|doble factor|deux facteurs",
    ]).not(&["two factor|2 factor|second factor|2fa|mfa|two step|2 step|multi factor|multifactor + off|disabled|not enabled|not required|not active|not set"]),
    rule("needs-tls", R::TlsRequired).when(&[In(MAIL)]).says(&[
        "cleartext|plaintext|clear text|plain text|unencrypted|insecure + disallow|not allowed|disabled|not permitted|prohibit|forbid|refused|rejected|not supported|denied|require|non secure|without",
        "starttls|stls + first|must|require|issue",
        "tls|ssl|encryption|encrypted|secure connection|secure channel + required|requires|must use|must be|need|first|only|mandatory|is not active|not active|before",
        "use starttls",
        "tls 1 0|tls 1 1|tls1|ssl 3|sslv3 + not supported|no longer|disabled|too old",
        "under a layer|layer is required|privacy required|confidentiality required",
        "logindisabled|login disabled|logins disabled + tls|ssl|encrypt|starttls",
        "non secure|insecure|unencrypted|not encrypted + connection|channel",
        "verschlüssel + erforderlich|notwendig|nur",
    ]).not(&["certificate|handshake|password is required|temporar"]),
];

/// Who has switched what off.
pub(in crate::reason) const POLICIES: &[Rule] = &[
    rule("smtp-auth-off", R::SmtpAuthDisabled).when(&[In(&[Protocol::Smtp])]).says(&[
        "smtpclientauthentication|smtp client authentication|client authentication|authenticated smtp|smtp auth|smtp authentication + disabled|switched off|turned off|not enabled|deactivated|not allowed",
        "smtp auth disabled",
        "smtp|outgoing mail|mail submission + is disabled|not enabled|has been disabled|access is disabled|deactivated",
    ]),
    rule("passwords-off", R::BasicAuthDisabled).when(&[In(MAIL), At(AUTH)]).says(&[
        "basic auth|basicauth|legacy auth|legacyauth|password auth|password based|basic login|less secure app|username and password login + disabled|block|not supported|not allowed|no longer|retired|deprecat|not enabled|turned off|unsupported|not permitted",
        "basicauthblocked|legacyauthblocked|basicauthdisabled",
        "modern auth|oauth|oauth2|xoauth2 + required|must|only|please use|need|instead|require",
    ]),
    rule("conditional-access", R::ConditionalAccess).when(&[In(MAIL), At(AUTH)]).says(&[
        "conditional access|did not meet the criteria|didnt meet the criteria|device is not compliant|non compliant|unmanaged device",
    ]),
    rule("imap-off-by-admin", R::ImapDisabledByAdmin).when(&[In(&[Protocol::Imap]), At(EARLY)]).says(&[
        "imap|imap4|protocol + disabled|not enabled|not allowed|blocked|restricted|not permit|not allow|doesnt permit|doesnt allow|turned off|switched off|denied|forbid|deactivat + admin|administrator|domain|organization|organisation|company|tenant|policy|group|plan",
        "imap + deaktiviert|gesperrt + administrator|domain|organisation",
    ]).not(&["yet to enable|command|temporar|ssl|tls|plaintext|cleartext|settings page|your settings"]),
    rule("imap-off", R::ImapDisabledByUser).when(&[In(MAIL), At(EARLY)]).says(&[
        "imap|imap4|pop imap|pop3 imap + disabled|not enabled|isnt enabled|not activated|not active|not been enabled|not been activated|enable$|activate$|inactive|deactivat|switched off|turned off|turn on|switch on|not switched on|not open|not allowed|not permitted|no access|not have|dont have|access denied|not available for|not available on|not available in|not available with|not subscribed|closed|not include|not included|doesnt include|not part of|excluded",
        "please open|please enable|first open|must open + imap",
        "service + not open|not opened|is closed|not activated|not enabled|is not active",
        "access rights to this service|rights to use this service|permission to use imap|access to this protocol",
        "imap + nicht freigeschaltet|nicht aktiviert|deaktiviert|ausgeschaltet|nicht erlaubt|désactivé|deshabilitado|disattivato|desativado|отключ|выключ|не включ",
        "未开启|未开通|没有开启|未启用|尚未开启",
    ]).not(&["command|temporar|ssl|tls|plaintext|cleartext|try again|unavailable|invalid login credentials|in this state|session"]),
    rule("security-defaults", R::BlockedByAdmin)
        .when(&[In(MAIL), At(AUTH)])
        .says(&["security defaults"]),
    rule("blocked-by-policy", R::BlockedByAdmin).when(&[In(MAIL), At(AUTH)]).says(&[
        "admin|administrator|organization|organisation|tenant|company|policy|policies + block|restrict|prohibit|forbid|not allow|not permitted|disallow|denied|not authorized|prevents",
        "application|app|client|program|mail client + not allowed|blocked|not authorized|not permitted|forbidden|disallowed",
    ]).not(&["contact your|contact the|please contact|ask your|ip$|ip address|relay|mailbox|country|location|user is disabled|account is|spam"]),
];

/// How the account is.
pub(in crate::reason) const ACCOUNT: &[Rule] = &[
    rule("not-connected", R::MailboxUnreachable).when(&[In(MAIL)]).says(&[
        "authenticated but not connected",
        "mailboxoffline|mailbox offline|wrongserver|mailbox server|mailboxinfostale|mailbox database + unavailable|offline|not available|dismounted|cannot|could not|failed",
    ]),
    rule("moved", R::MailboxMigrated).when(&[In(MAIL), At(EARLY)]).says(&[
        "mailbox|account|user|mail + has moved|was moved|been moved|moved to|is being moved|migrat|relocat|transferred to|new server|in transit|intransit|moveinprogress|umgezogen|verschoben auf",
        "referral|remote mailbox",
        "different server|another server|other server + mailbox|account|user|located|hosted|use|log in|login",
        "moved to another|log in to server|please use server|use the server|try connecting to",
    ]).not(&["message moved|trash"]),
    rule("password-too-old", R::PasswordExpired).when(&[In(MAIL), At(AUTH)]).says(&[
        "password|passwd|passwort|kennwort|credential + expired|must be changed|must change|needs to be changed|needs to be reset|need to be reset|need to change|has to be changed|change required|change is required|must be reset|abgelaufen|too old|transition",
        "please change your|please update your|must change your|must reset your|need to change your|have to change your|have to reset your|need to reset your + password",
        "mot de passe + expiré",
        "contraseña|senha + caducad|expirad|expirou",
        "пароль|пароля + истек|устарел",
        "hasło + wygas",
        "密码已过期|密码过期",
        "パスワード + 有効期限|期限切れ",
    ]).not(&["token"]),
    rule("network-refused", R::IpBanned).when(&[In(MAIL)]).says(&[
        "ip$|ip address|ipaddress|your address|network|client host|sender host|remote host + ban|blacklist|black list|blocked|blocklist|block list|blocklisted|denied|reject|refused|not allowed|listed|reputation|not permitted|locked|unauthorized|restricted|quarantine",
        "ip$|ip address|ipaddress|your address|client host|sender host + not accept|not available",
        "host + ban|blacklist|black list|is blocked|has been blocked|was blocked|blocklist|blocklisted|listed|reputation|quarantine",
        "poor reputation|bad reputation|low reputation",
        "ip$|address|host|server|client|sender|blocklist|reputation|abuse|bl$ + is listed|are listed|listed at|listed by|listed on",
        "dnsbl|rbl$|spamhaus|spamcop|barracuda|sorbs|abuseat|blocked using|fail2ban|brute force|bruteforce|dynamic screen|cphulk|tarpit|banned sending|intrusion|denylist",
        "too many|maximum + fail|invalid|bad|auth|login + ip$|host|your address|network|from your|from this",
        "connection|connections|access + refused from|denied from|rejected from|not accepted from|blocked from|not allowed from|from your|from this + refused|denied|ip$|blocked|address",
        "banned",
    ]).not(&["country|region|geo|geolocation|location|continent|relay access|unreachable|host unknown|host not found|user is|account|relay|without authentication"]),
    rule("place-refused", R::GeoOrIpBlocked).when(&[In(MAIL)]).says(&[
        "country|countries|region|geo|geoip|geolocation|geographic|location|continent|abroad|foreign + block|blacklist|denied|deny|not allowed|restrict|reject|refused|prohibit|not permitted|disallow|unauthorized|forbid|disabled|unusual|limited",
        "land|ausland + gesperrt|nicht erlaubt|blockiert",
    ]),
    rule("sender-blocked", R::AccountLocked)
        .when(&[In(&[Protocol::Smtp])])
        .says(&["verdict is suspend|banned sender|bad outbound sender|outboundspam"]),
    rule("sender-locked", R::AccountLocked)
        .when(&[In(&[Protocol::Smtp]), At(AUTH)])
        .says(&["mailbox + locked|is locked|suspended + spam|abuse|unusual|suspicious"]),
    rule("locked", R::AccountLocked).when(&[In(MAIL), At(EARLY)]).says(&[
        "account|user|login|mailbox|apple id|profile|sender|mail + locked|lockout|blocked|suspend|frozen|freez|lockdown|abnormal|compromised|hacked|under review|under suspicion|restricted due|security reason|security hold|verdict|bad outbound",
        "suspicious|unusual|suspected|malicious|abuse|fraud + activit|login|log in|sign in|signin|behavio|account|detect|traffic|access",
        "userstatus",
        "outgoing + suspended|hold",
        "konto|account|postfach|benutzer + gesperrt|blockiert|angehalten",
        "compte|boîte + bloqué|suspendu|verrouill",
        "cuenta|conta + bloquead|suspendid|suspens",
        "account|casella + bloccat|sospes",
        "аккаунт|ящик|учетная запись + заблокирован|приостановл",
        "konto + zablokowan",
        "アカウント + ロック",
        "temporarily disabled|temporarily blocked|temporarily locked|temporarily suspended + account|user|login|mailbox",
        "帐号异常|账号异常|帐户异常|账户异常|帐号被锁|账号被锁|被冻结|被封",
    ]).not(&["locked by another|locked by pop|maildrop|mailbox locked|mailbox is locked|lock file|spam message|message|session"]),
    rule("disabled", R::MailboxDisabled).when(&[In(MAIL), At(EARLY)]).says(&[
        "account|user|mailbox|login|logins|login for|mail access|mail service|logon|accountdisabled|access + disabled|deactivat|inactive|not active|isnt active|closed|terminated|accountdisabled|not enabled|maintenance mode|canceled|cancelled|no longer active|account expired|license|disallowed",
        "account|user|mailbox|license|subscription + has been expired|has expired",
        "not licensed|no license|unlicensed|subscription + expired|lapsed",
        "konto|postfach|benutzer + deaktiviert|stillgelegt|abgeschaltet|gekündigt",
        "compte + désactivé",
        "cuenta|buzón + deshabilitad|desactivad",
        "аккаунт|ящик|учетная запись + отключен",
        "停用|已禁用",
    ]).not(&["imap|mechanism|plain|protocol|cleartext|plaintext|tls|ssl|connection closed|temporar|auth plain|session|starttls|token"]),
];

/// The token, and the way to sign in.
pub(in crate::reason) const TOKENS: &[Rule] = &[
    rule("stale-token", R::AccessTokenRejected).when(&[In(MAIL), At(AUTH)]).says(&[
        "token|oauth|oauth2|xoauth2|bearer + expired|invalid|stale|rejected|not valid|fail|malformed|error|bad$|refused|denied|could not|audience",
        "invalid sasl argument + token",
    ]).not(&["weixin|refresh token|csrf|disabled|not supported|unsupported|mechanism|syntax error|unexpected token"]),
    rule("refused-token", R::AccessTokenRejected)
        .when(&[In(MAIL), At(AUTH), By(Mechanism::Token)])
        .says(&["sasl argument|invalid credentials|authentication fail|authenticate fail|not accepted"]),
    rule("mechanism", R::AuthMechanismUnsupported).when(&[In(MAIL)]).says(&[
        "xoauth2|oauthbearer|oauth2|cram md5|scram|ntlm|gssapi|auth plain + not supported|unsupported|not available|not offered|doesnt support|does not support",
        "mechanism|authentication type|auth type|authentication method|auth method|authentication scheme|authentication mode|sasl method|auth plain|auth login + not supported|unsupported|unrecogni|invalid|unknown|not available|unavailable|not offered|disabled|weak|no worthy|not enabled|not permitted|not allowed|not implemented|no common|doesnt support|does not support|too weak|missing|not match",
        "no mechanism|no authentication mechanism|no supported auth|no worthy mechs|no compatible|no suitable auth|mechanism not",
        "authentication|auth|auth command + not enabled|not advertised|not supported|not available|not implemented|unsupported|not offered|not allowed here|disabled on this port|does not support",
        "login|authenticate command + not supported|is disabled use|unsupported|not implemented",
        "logindisabled|login command is disabled",
    ]).not(&["temporar|password auth|basic auth|account|user$|tenant|mailbox"]),
];

/// What may be wrong where the password is not.
pub(in crate::reason) const OTHERS: &[Rule] = &[
    rule("other-sender", R::WrongAccount).when(&[In(&[Protocol::Smtp])]).says(&[
        "not allowed to send|not permitted to send|no permission to send + from|as$",
        "sendasdenied|send as|send on behalf|not owned by|relaying disallowed as",
        "sender|from address|from header|mail from|envelope + not owned|not allowed|not match|mismatch|must match|not one of your|doesnt match|not permitted|does not belong|not authorized|different from|same as|must equal|must be equal|rejected",
    ]).not(&["spam|ip$|domain of|spf|dkim|dmarc|host|not logged in|not authenticated"]),
    rule("sign-in-first", R::AuthRequired).when(&[In(MAIL)]).says(&[
        "authentication|authorization|sign in|login|auth$|smtp auth + required|is needed|must be|is necessary|first|turn on|is mandatory|please enable|needed",
        "must authenticate|please authenticate|not authenticated|not logged in|need to authenticate|unauthenticated|anonymous|you must login|you must log in|please login|please log in|log in before|client was not authenticated|authenticate before|authenticate yourself",
        "rcpthosts|rcpt hosts",
        "relay|relaying|relays|relay access + denied|not permitted|not allowed|prohibit|disallowed|reject|refused|unable|cannot|dont",
        "anmeldung erforderlich|authentifizierung erforderlich|authentification requise|autenticación requerida|требуется аутентификация|требуется авторизация",
    ]).not(&["fail|unsuccess|incorrect|invalid|temporar|wrong state|invalid state"]),
];
