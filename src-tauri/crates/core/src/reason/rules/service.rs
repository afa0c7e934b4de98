//! How mailbox and server are, whatever the step.

use crate::reason::Reason as R;
use crate::reason::rule::{Rule, When::*, rule};
use crate::reason::{ImapStatus, Phase, Protocol};

const MAIL: &[Protocol] = &[Protocol::Imap, Protocol::Smtp];
const EARLY: &[Phase] = &[Phase::Greeting, Phase::Auth, Phase::Select, Phase::Tls, Phase::Push];

/// What stands between this computer and the server.
pub(in crate::reason) const NETWORK: &[Rule] = &[
    rule("offline", R::LocalOffline)
        .says(&["appears to be offline|internet disconnected|not connected to the internet|no internet|no network connection|you are offline"]),
    rule("portal", R::CaptivePortal).says(&["captive portal|network login page|wifi login"]),
    rule("firewall", R::LocalFirewall)
        .when(&[In(&[Protocol::Tcp, Protocol::Tls])])
        .says(&["firewall|antivirus|permission denied|operation not permitted|administratively prohibited"]),
    rule("silent", R::ConnectionTimeout)
        .when(&[In(&[Protocol::Tcp, Protocol::Tls])])
        .says(&["timed out|timeout|time out"]),
    rule("session-over", R::SessionExpired).when(&[In(MAIL)]).says(&[
        "session + expired|timed out|timeout|time out|no longer valid|invalid|has ended|terminated|too long|lifetime|abgelaufen",
    ]).not(&["too many|maximum|limit"]),
    // At the sign-in there is no session yet that could have ended.
    rule("session-over-again", R::SessionExpired)
        .when(&[In(MAIL), Ends(ImapStatus::Bye)])
        .says(&["login again|log in again|relogin|re login|please reauthenticate|reauthenticate"]),
];

/// Whether there is such a mailbox.
pub(in crate::reason) const MAILBOX: &[Rule] = &[
    rule("no-such-folder", R::FolderMissing)
        .when(&[In(&[Protocol::Imap])])
        .says(&["folder + not exist|doesnt exist|no such|unknown|not found|not be found|nonexistent|deleted", "unknown mailbox|mailbox doesnt exist|mailbox does not exist|no such mailbox|nonexistent mailbox + sent|inbox|trash|drafts|spam|junk|archive|all mail|gmail|folder"]),
    rule("no-such-mailbox", R::MailboxMissing).when(&[In(MAIL), At(EARLY)]).says(&[
        "mailbox|user|account|recipient|address|maildir|login|alias|domain + not exist|doesnt exist|not exist|no such|is unknown|not found|nonexistent|non existent|unrecognized|has been deleted|was deleted|been removed|no longer exists|not a valid|does not have",
        "no such user|no such account|no such person|no such mailbox|unknown user|user unknown|unknown account|account unknown|unknown mailbox|mailbox unknown|unknown recipient|recipient unknown|unknown login|usernotfound|user not found|no account|not a local user|nosuchuser|no local mailbox",
        "chdir|maildir|mail dir + no such file",
        "konto|postfach|benutzer + existiert nicht|nicht gefunden|nicht vorhanden|compte inexistant|не существует|не найден|用户不存在|帐号不存在|账号不存在|不存在",
    ]).not(&["password|credential|certificate|host unknown|domain name not found|unknown command|command unknown|unknown error|sender address|mechanism|state|selected"]),
    rule("cannot-open", R::MailboxUnreachable)
        .when(&[In(&[Protocol::Imap]), At(&[Phase::Auth, Phase::Greeting])])
        .says(&["mailbox|mail file|mail store|mailstore|inbox + cannot|cant|unable|could not|failed to + open|access|connect|load"])
        .not(&["temporar|lock|again|fatal|list"]),
];

/// How the server is.
pub(in crate::reason) const SERVER: &[Rule] = &[
    rule("invalid-commands", R::ProtocolError).when(&[In(MAIL)]).says(&[
        "too many|excessive + invalid|bad|unknown|unrecognized|unimplemented|non|unauthenticated + command",
        "too many + errors|protocol errors|syntax errors",
    ]),
    rule("shutting-down", R::ServerUnavailable).when(&[In(MAIL)]).says(&[
        "shutting down|shut down|shutdown|going down|restart|reboot|maintenance|wartung|обслуживани",
    ]).not(&["restarting authentication"]),
    rule("wrong-moment", R::ProtocolState).when(&[In(MAIL)]).says(&[
        "invalid|wrong|bad|this|illegal|incorrect|current|unexpected|inappropriate|not in|must be + state",
        "bad sequence|out of sequence|out of order|sequence error|not in sequence|wrong sequence|no mailbox selected|not selected|select a mailbox|no folder selected|must be in|command argument error|argument error|synchronization error|pipelining|already authenticated|already logged in|ehlo first|helo first|helo ehlo|hello first|before mail|need rcpt|need mail|mail first|nested mail",
        "command + not valid|invalid|not permitted|not allowed|inappropriate + now|at this time|state|here",
    ]).not(&["statement"]),
    rule("bad-command", R::ProtocolError).when(&[In(MAIL)]).says(&[
        "syntax error|protocol violation|unknown command|unrecognized command|command unrecognized|command not recognized|command not implemented|command unknown|invalid command|bad command|command error|error in imap command|parse error|unsupported command|command not understood|missing argument|cannot decode|invalid arguments|protocol error|parse command|base64|decode",
    ]),
    rule("hung-up-idle", R::ServerClosedConnection).when(&[In(MAIL)]).says(&[
        "inactiv|idle|autologout|auto logout|no activity|timeout exceeded|timeout waiting|timed out waiting",
    ]).not(&["account|user|mailbox"]),
    rule("hung-up", R::ServerClosedConnection).when(&[Ends(ImapStatus::Bye)]).says(&[
        "signing off|closing|closed|logging out|log out|logged out|disconnect|goodbye|good bye|kicked|terminat|timeout|timed out|see you|logout",
    ]).not(&["temporar|unavailable|error|fatal"]),
    rule("out-of-order", R::ServerUnavailable)
        .when(&[In(MAIL), At(EARLY)])
        .says(&[
            "internal|system|server|fatal|i o|io$|unexpected|database|backend|ldap|local|storage|disk|technical|unknown|configuration|proxy + error|failure|problem|difficult|fault|busy|crash|exception",
            "could not connect|cannot connect|cant connect|unable to connect|failed to connect|connection failed",
            "connection + authentication server|auth server|auth service|backend|upstream + lost|refused|failed|closed",
            "no space left|insufficient system|insufficient disk|space shortage|out of memory|resources|overload|too busy|server too|load average|high load|heavy load",
            "directory|database|backend|ldap|mail store + not be accessed|not reachable|unreachable",
            "proxying failed|proxy failed|locked by pop",
            "mailbox|maildrop|folder|inbox|spool + is locked by",
            "timeout|timed out + auth|backend|lock|server|upstream|proxy|ldap|internal",
            "in use|locked by another|is locked|mailbox locked|lock + timeout|another process|another session",
        ]),
    rule("not-now", R::ServerUnavailable).when(&[In(MAIL)]).says(&[
        "temporar|try again|try later|retry later|later|unavailable|not ready|not available|out of service|service not|busy|overload|cannot process|cant process|currently|at the moment|not accepting|at present|momentarily",
        "vorübergehend|zurzeit|derzeit|später|momentan|temporaire|réessay|momentané|più tardi|intente|más tarde|tarde novamente|временно|позже|попробуйте|系统繁忙|系统忙|稍后|请稍候|一時的|しばらく",
    ]),
    rule("hung-up-smtp", R::ServerClosedConnection)
        .when(&[In(&[Protocol::Smtp])])
        .says(&["closing connection|closing transmission|connection closed|closing channel|disconnect|goodbye|timeout"]),
];
