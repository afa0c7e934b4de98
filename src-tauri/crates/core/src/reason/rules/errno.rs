//! What the operating system says of a connection: by name, by number, by its usual words.

use crate::reason::seen::Text;
use crate::reason::{ProxyFault, Signal};

/// One kind of failure. Numbers are those of Linux, of macOS (and its NSURLErrorDomain) and of Windows.
struct Kind {
    signal: Signal,
    names: &'static [&'static str],
    numbers: &'static [u32],
    words: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind {
        signal: Signal::Dns,
        names: &[
            "enotfound",
            "eai_again",
            "eai_noname",
            "eai_nodata",
            "eai_fail",
            "gaierror",
            "wsahost_not_found",
            "wsatry_again",
            "wsano_recovery",
            "wsano_data",
            "nxdomain",
            "servfail",
            "unknownhostexception",
            "err_name_not_resolved",
        ],
        numbers: &[11001, 11002, 11003, 11004, 1003, 1006],
        words: &[
            "failed to lookup address",
            "nodename nor servname",
            "name or service not known",
            "name resolution",
            "no address associated with",
            "no such host",
            "could not resolve",
            "couldnt resolve",
            "cannot resolve",
            "cant resolve",
            "unable to resolve",
            "failed to resolve",
            "host not found",
            "hostname not found",
            "unknown host",
            "name not resolved",
            "server with the specified hostname",
            "no data of the requested type",
            "non recoverable + name|lookup|database",
            "no records found",
        ],
    },
    Kind {
        signal: Signal::Refused,
        names: &["econnrefused", "wsaeconnrefused", "connectionrefused", "err_connection_refused"],
        numbers: &[111, 61, 10061, 1225, 1004],
        words: &[
            "connection refused",
            "actively refused",
            "refused the connection",
            "refused our connection",
        ],
    },
    Kind {
        signal: Signal::TimedOut,
        names: &["etimedout", "esockettimedout", "etimeout", "wsaetimedout", "err_connection_timed_out"],
        numbers: &[110, 60, 10060, 121, 1001],
        words: &[
            "connection timed out",
            "connect timed out",
            "connection timeout",
            "connect timeout",
            "operation timed out",
            "i o timeout",
            "i o timed out",
            "deadline has elapsed",
            "did not properly respond after a period",
            "semaphore timeout",
            "read timed out",
            "timeout while connecting",
            "timed out waiting for",
            "request timed out",
            "socket timeout",
            "greeting never received",
        ],
    },
    Kind {
        signal: Signal::Forbidden,
        names: &["eacces", "eperm", "wsaeacces"],
        numbers: &[13, 1, 10013],
        words: &["forbidden by its access permissions", "blocked by + firewall|antivirus"],
    },
    Kind {
        signal: Signal::Unreachable,
        names: &[
            "enetunreach",
            "ehostunreach",
            "enetdown",
            "ehostdown",
            "eaddrnotavail",
            "wsaenetunreach",
            "wsaehostunreach",
            "wsaenetdown",
            "wsaehostdown",
            "noroutetohostexception",
            "err_address_unreachable",
        ],
        numbers: &[101, 113, 100, 112, 99, 51, 65, 50, 49, 10051, 10065, 10050, 10064, 10049, 1231, 1232],
        words: &[
            "network is unreachable",
            "network unreachable",
            "no route to host",
            "host is unreachable",
            "host unreachable",
            "unreachable host",
            "unreachable network",
            "network is down",
            "host is down",
            "network down",
            "cannot assign requested address",
            "cant assign requested address",
            "address not available",
        ],
    },
    Kind {
        signal: Signal::Reset,
        names: &[
            "econnreset",
            "econnaborted",
            "epipe",
            "enetreset",
            "enotconn",
            "wsaeconnreset",
            "wsaeconnaborted",
            "wsaenetreset",
            "connectionreset",
            "connectionaborted",
            "brokenpipe",
            "err_connection_reset",
            "err_connection_aborted",
            "err_network_changed",
        ],
        numbers: &[104, 103, 32, 102, 54, 53, 52, 57, 10054, 10053, 10052, 10057, 1236, 1005],
        words: &[
            "connection reset",
            "connection was reset",
            "reset by peer",
            "forcibly closed by the remote host",
            "connection was aborted",
            "connection aborted",
            "software caused connection abort",
            "broken pipe",
            "connection has been broken",
            "network name is no longer available",
            "connection abort",
            "network dropped connection",
            "transport endpoint is not connected",
        ],
    },
    Kind {
        signal: Signal::Proxy(ProxyFault::Unreachable),
        names: &["err_proxy_connection_failed"],
        numbers: &[],
        words: &[],
    },
    Kind {
        signal: Signal::Proxy(ProxyFault::Refused),
        names: &["err_tunnel_connection_failed"],
        numbers: &[],
        words: &["proxy authentication required", "not allowed by ruleset"],
    },
    Kind {
        signal: Signal::Closed,
        names: &["unexpectedeof", "incompleteread", "err_connection_closed"],
        numbers: &[],
        words: &[
            "unexpected eof",
            "unexpected end of file",
            "early eof",
            "end of file",
            "eof occurred",
            "connection closed",
            "connection was closed",
            "closed the connection",
            "closed by remote host",
            "closed by the remote host",
            "server closed",
            "server disconnected",
            "socket closed",
            "lost connection",
            "connection lost",
            "connection ended",
            "remote end closed",
            "unexpected socket close",
            "close notify",
            "server has closed",
            "peer closed",
            "socket disconnected",
            "disconnected unexpectedly",
            "socket hang up",
        ],
    },
];

/// Words before a number that make it an error's number.
const BEFORE: &[&str] = &["error", "errno", "winerror", "wsaerror", "code", "socketerror", "wsa"];

/// The kind of failure of a connection, where a text names one.
pub(in crate::reason) fn errno(text: &str) -> Option<Signal> {
    let lower = text.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    let named = |kind: &&Kind| words.iter().any(|word| kind.names.contains(word));
    let numbered = |kind: &&Kind| {
        words.windows(2).any(|pair| {
            BEFORE.contains(&pair[0]) && pair[1].parse().is_ok_and(|number| kind.numbers.contains(&number))
        })
    };
    let text = Text::new(text);
    let worded = |kind: &&Kind| kind.words.iter().any(|pattern| text.says(pattern));
    let found = KINDS
        .iter()
        .find(named)
        .or_else(|| KINDS.iter().find(numbered))
        .or_else(|| KINDS.iter().find(worded));
    found.map(|kind| kind.signal.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_known_by_name_number_and_words() {
        for (text, want) in [
            ("connect ECONNREFUSED 10.0.0.1:993", Signal::Refused),
            ("Os { code: 111, kind: Uncategorized }", Signal::Refused),
            ("[WinError 10060] no", Signal::TimedOut),
            ("Verbindung (os error 10061)", Signal::Refused),
            ("read: connection reset by peer", Signal::Reset),
            ("[Errno 65] no", Signal::Unreachable),
            ("[Errno 13] Permission denied", Signal::Forbidden),
            ("getaddrinfo EAI_AGAIN imap.x", Signal::Dns),
        ] {
            assert_eq!(errno(text), Some(want), "{text}");
        }
        for text in ["", "answer 111", "too many connections", "port 104"] {
            assert_eq!(errno(text), None, "{text}");
        }
    }
}
