//! Limits: connections, traffic, sending, room, attempts.

use crate::reason::Reason as R;
use crate::reason::rule::{Rule, When::*, rule};
use crate::reason::{Phase, Protocol};

const MAIL: &[Protocol] = &[Protocol::Imap, Protocol::Smtp];

pub(in crate::reason) const RULES: &[Rule] = &[
    rule("limit-rate", R::Throttled).when(&[In(MAIL)]).says(&[
        "throttl|rate limit|ratelimit|rate exceeded|rate is limited|too many requests|too frequent|too fast|slow down|slowdown",
        "frequen|request|command|bandwidth|rate|traffic|download + limit|exceed|too many|too high|control",
        "too many + command|requests|per minute|per second",
        "connection + rate|per minute|per second|per hour",
        "unusual|excessive|abnormal + rate of",
        "too much + mail|traffic|data|load from",
        "频率|过于频繁|频繁",
    ]).not(&["invalid imap|bad command|invalid command|unknown command|unrecognized command|recipient|unauthenticated|24 hour|daily|hourly|per day|per hour|sending limit|sending quota"]),
    rule("limit-connections", R::TooManyConnections).when(&[In(MAIL)]).says(&[
        "too many|maximum|max$|limit|exceed|excessive + connection|session|simultaneous|concurrent|thread|clients|open imap",
        "already + maximum|max$ + login|user|client",
        "too many + users|clients|logins from|processes",
        "zu viele + verbindung|sitzung",
        "trop de connexions|demasiadas conexiones|troppe connessioni|muitas conexões",
        "слишком много|превышено + соединени|подключени",
        "连接数|连接过多",
    ]).not(&["fail|invalid|bad$|attempt|incorrect|wrong|timeout|timed out|time out|idle|inactiv"]),
    rule("limit-sending", R::SendingLimit).when(&[In(MAIL)]).says(&[
        "sending|send|smtp|outgoing|outbound|submission|relay|message|messages|mail|mails|email|emails|recipient|recipients + daily|per day|24 hour|hourly|per hour|a day|today|last hour|past hour + limit|quota|exceed|too many|maximum|max$|reached",
        "sending|submission|relay|outgoing|outbound|message rate|recipient rate + limit|quota + exceed|reached|over|hit",
        "credits + exceed|used up|no more",
        "exceeded + max|maximum|limit + emails|messages|mails|recipients|defers",
        "submissionquotaexceeded|dailylimit|daily sending|recipientratelimit",
    ]).not(&["mailbox full|mailbox is full|storage|too large|message size|size limit|too many connections"]),
    rule("limit-room", R::OverQuota).when(&[In(MAIL)]).says(&[
        "over quota|over its quota|over your quota|overquota|out of storage|storage full|disk quota|mailbox full|mailbox is full|inbox is full|mailbox size",
        "quota|storage|mailbox|mail box|disk space + exceed|full$|reached|out of|insufficient|not enough|limit|low on|exhausted|used up",
        "speicher|postfach + voll|überschritten|erschöpft",
        "exceed + quota|storage",
    ]).not(&["attempt|system storage|connection|insufficient system"]),
    // Where the server says "later" it is a pause, else a lock.
    rule("limit-attempts-for-now", R::Throttled)
        .when(&[In(MAIL), At(&[Phase::Auth, Phase::Greeting])])
        .says(&[
            "too many|multiple|repeated|excessive|maximum|max$ + login|logon|auth|sign in|password|attempt|try|tries|fail + later|wait|temporar|try again in|try again after|minute|second|moment",
            "too many login attempts|too many logins|too many auth$|too many authentication requests",
            "please wait + login|logon|auth|sign in",
            "delay|delayed + login|logon|auth|sign in",
        ])
        .not(&["locked|blocked|lockout|banned|suspend|bad|invalid|incorrect|frozen|freez"]),
    rule("limit-attempts", R::AccountLocked)
        .when(&[In(MAIL), At(&[Phase::Auth, Phase::Greeting])])
        .says(&[
            "too many|multiple|repeated|excessive|maximum|max$ + bad|fail|invalid|incorrect|wrong|unsuccessful|attempt|auth + login|logon|auth|sign in|signin|password|credential|attempt|tries",
            "zu viele|mehrere + versuche|fehlversuche|anmeldeversuche|anmeldungen",
        ])
        .not(&["ip$|ip address|host|your address|network|imap command|from your|from this|connection"]),
];
