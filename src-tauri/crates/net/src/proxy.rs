//! The proxy through which this program leaves the computer.
//!
//! It is the program's, like the environment that it may come from, and no mailbox's or CRM's: so it is kept here, once for
//! the process. This very computer is never reached through it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};
use zeroize::Zeroizing;

/// How this program leaves the computer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Proxy {
    /// As the system says: for web servers its own settings and the usual variables, for mail servers the first of
    /// `ALL_PROXY` and `HTTPS_PROXY` that is set, and `NO_PROXY`; each may be written in small letters.
    #[default]
    System,
    /// Without one, whatever the system says.
    None,
    Through(ProxyServer),
}

/// A proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyServer {
    pub kind: Kind,
    pub host: String,
    pub port: u16,
    /// User name and password.
    login: Option<(String, Zeroizing<String>)>,
}

/// What a proxy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// CONNECT (RFC 9110 §9.3.6).
    Http,
    /// RFC 1928. Names are looked up by the proxy.
    Socks5,
}

/// Why a text names no proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("This is no proxy. Write http://HOST:PORT or socks5://HOST:PORT, or none, or system.")]
pub struct NoProxy;

/// A variable of the environment that should name a proxy. Its value may hold a password and is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "The variable {name} names no proxy. Write http://HOST:PORT or socks5://HOST:PORT there, or set another way with `threadline proxy set`."
)]
pub struct BadVariable {
    name: &'static str,
}

static IN_USE: RwLock<Proxy> = RwLock::new(Proxy::System);

/// Connections that are made from now on take this way.
pub fn take(proxy: Proxy) {
    *IN_USE.write().unwrap_or_else(PoisonError::into_inner) = proxy;
}

/// The way that connections take.
pub fn in_use() -> Proxy {
    IN_USE.read().unwrap_or_else(PoisonError::into_inner).clone()
}

impl Proxy {
    /// The proxy for a mail server; `None` for a connection without. Fails where a variable names none: to go without one
    /// then would go round what somebody has set.
    pub fn for_mail(&self, host: &str) -> Result<Option<ProxyServer>, BadVariable> {
        self.choose(host, &|name| std::env::var(name).ok())
    }

    fn choose(
        &self,
        host: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<ProxyServer>, BadVariable> {
        let of = |names: &[&'static str]| {
            let found = names.iter().find_map(|name| Some((*name, variable(name)?)));
            found.filter(|(_, value)| !value.trim().is_empty())
        };
        match self {
            _ if is_here(host) => Ok(None),
            Proxy::None => Ok(None),
            Proxy::Through(server) => Ok(Some(server.clone())),
            Proxy::System => {
                let except = of(&["NO_PROXY", "no_proxy"]).map(|(_, list)| list).unwrap_or_default();
                if is_excepted(host, &except) {
                    return Ok(None);
                }
                let all = of(&["ALL_PROXY", "all_proxy"]).or_else(|| of(&["HTTPS_PROXY", "https_proxy"]));
                let Some((name, value)) = all else { return Ok(None) };
                // As curl reads it, a host alone is an HTTP proxy.
                let value = Zeroizing::new(value);
                let whole = Zeroizing::new(match value.contains("://") {
                    true => value.trim().to_owned(),
                    false => format!("http://{}", value.trim()),
                });
                match whole.parse() {
                    Ok(Proxy::Through(server)) => Ok(Some(server)),
                    _ => Err(BadVariable { name }),
                }
            }
        }
    }
}

/// Whether a host is this very computer.
pub fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A list of hosts and domains, as curl reads it.
fn is_excepted(host: &str, list: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    list.split(',')
        .map(|one| one.trim().trim_start_matches('.').to_ascii_lowercase())
        .any(|one| one == "*" || (!one.is_empty() && (host == one || host.ends_with(&format!(".{one}")))))
}

impl FromStr for Proxy {
    type Err = NoProxy;

    fn from_str(text: &str) -> Result<Self, NoProxy> {
        match text.trim() {
            "none" => return Ok(Proxy::None),
            "system" => return Ok(Proxy::System),
            _ => {}
        }
        let url = reqwest::Url::parse(text.trim()).map_err(|_| NoProxy)?;
        let (kind, usual) = match url.scheme() {
            "http" => (Kind::Http, 80),
            "socks5" | "socks5h" => (Kind::Socks5, 1080),
            _ => return Err(NoProxy),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(NoProxy)?.to_owned();
        let login = match url.username() {
            "" => None,
            user => {
                let password = Zeroizing::new(decoded(url.password().unwrap_or_default())?);
                Some((decoded(user)?, password))
            }
        };
        Ok(Proxy::Through(ProxyServer { kind, host, port: url.port().unwrap_or(usual), login }))
    }
}

/// A part of a URL without its percent signs (RFC 3986 §2.1).
fn decoded(text: &str) -> Result<String, NoProxy> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        bytes.push(match byte {
            b'%' => match (digit(rest.next()), digit(rest.next())) {
                (Some(high), Some(low)) => u8::try_from(16 * high + low).map_err(|_| NoProxy)?,
                _ => return Err(NoProxy),
            },
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| NoProxy)
}

impl ProxyServer {
    /// A proxy; `login` is its user name and the password. Fails where no server can be called so.
    pub fn new(
        kind: Kind,
        host: &str,
        port: u16,
        login: Option<(String, Zeroizing<String>)>,
    ) -> Result<Self, NoProxy> {
        let server = Self { kind, host: host.trim().to_owned(), port, login };
        // What reads as it is written has no blanks, signs or a second port in its name.
        match server.to_string().parse()? {
            Proxy::Through(read) if read.host == server.host && read.port == port && port > 0 => Ok(server),
            _ => Err(NoProxy),
        }
    }

    /// The user name and the password, where it wants them.
    pub fn login(&self) -> Option<(&str, &str)> {
        self.login.as_ref().map(|(user, password)| (user.as_str(), password.as_str()))
    }

    /// The password apart from the rest, to be kept elsewhere.
    pub fn without_password(mut self) -> (Self, Option<Zeroizing<String>>) {
        let password = self.login.as_mut().map(|(_, password)| std::mem::take(password));
        (self, password.filter(|password| !password.is_empty()))
    }

    /// With the password that was kept elsewhere.
    pub fn with_password(mut self, password: Zeroizing<String>) -> Self {
        if let Some((_, old)) = &mut self.login {
            *old = password;
        }
        self
    }
}

/// `socks5://ann@proxy.firm.example:1080`: as it is written, without the password.
impl fmt::Display for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            Kind::Http => "http",
            Kind::Socks5 => "socks5",
        };
        let escaped = |user: &str| -> String {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
            user.bytes()
                .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
                .collect()
        };
        let user = self.login.as_ref().map(|(user, _)| format!("{}@", escaped(user))).unwrap_or_default();
        write!(f, "{scheme}://{user}{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Proxy::System => f.write_str("system"),
            Proxy::None => f.write_str("none"),
            Proxy::Through(server) => server.fmt(f),
        }
    }
}

/// Without the password.
impl fmt::Debug for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyServer({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> ProxyServer {
        match text.parse() {
            Ok(Proxy::Through(server)) => server,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_proxy_is_read_and_shown_without_its_password() {
        let proxy = server("http://ann%40firm:s%C3%A9cret@proxy.firm.example:3128");
        assert_eq!((proxy.kind, proxy.port, proxy.login()), (Kind::Http, 3128, Some(("ann@firm", "sécret"))));
        assert_eq!(proxy.to_string(), "http://ann%40firm@proxy.firm.example:3128");
        assert!(!format!("{proxy:?}").contains("cret"));
        let (bare, password) = proxy.clone().without_password();
        assert_eq!(bare.login(), Some(("ann@firm", "")));
        assert_eq!(server(&bare.to_string()).with_password(password.unwrap()), proxy);
        assert_eq!(server("socks5h://proxy").to_string(), "socks5://proxy:1080");
        assert_eq!(server("http://[::1]:80/").host, "[::1]");
        for bad in [
            "",
            "proxy:3128",
            "https://proxy:443",
            "socks4://proxy",
            "ftp://proxy",
            "http://a:%zz@proxy",
            "direct",
        ] {
            assert_eq!(bad.parse::<Proxy>(), Err(NoProxy), "{bad}");
        }
        for same in ["none", "system"] {
            assert_eq!(same.parse::<Proxy>().unwrap().to_string(), same);
        }
    }

    #[test]
    fn a_proxy_of_a_form_has_a_name_that_can_be_read() {
        let proxy = |host| ProxyServer::new(Kind::Socks5, host, 1080, None);
        assert_eq!(proxy(" proxy.firm.example ").unwrap().to_string(), "socks5://proxy.firm.example:1080");
        assert_eq!(proxy("[::1]").unwrap().host, "[::1]");
        for bad in ["", "a b", "a/b", "a:80", "user@proxy", "http://proxy"] {
            assert_eq!(proxy(bad), Err(NoProxy), "{bad}");
        }
        assert_eq!(ProxyServer::new(Kind::Http, "proxy", 0, None), Err(NoProxy));
    }

    #[test]
    fn this_computer_is_never_reached_through_one_and_exceptions_hold() {
        let choose = |proxy: &Proxy, host: &str, except: &str| {
            let variable = |name: &str| match name {
                "ALL_PROXY" => Some("socks5://proxy:1080".to_owned()),
                "NO_PROXY" => Some(except.to_owned()),
                _ => None,
            };
            proxy.choose(host, &variable).unwrap().map(|server| server.host)
        };
        let system = Proxy::System;
        let set: Proxy = "http://other:3128".parse().unwrap();
        for here in ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "127.8.0.1"] {
            assert_eq!(choose(&system, here, ""), None, "{here}");
            assert_eq!(choose(&set, here, ""), None, "{here}");
        }
        assert_eq!(choose(&system, "imap.x.test", "").as_deref(), Some("proxy"));
        assert_eq!(choose(&set, "imap.x.test", "*").as_deref(), Some("other"));
        assert_eq!(choose(&Proxy::None, "imap.x.test", ""), None);
        for except in ["*", "x.test", ".x.test", "a.test, imap.X.test"] {
            assert_eq!(choose(&system, "imap.x.test", except), None, "{except}");
        }
        assert_eq!(choose(&system, "imap.notx.test", "x.test,").as_deref(), Some("proxy"));
        assert_eq!(system.choose("imap.x.test", &|_| None), Ok(None));
    }

    #[test]
    fn the_usual_variables_are_read_and_one_that_names_no_proxy_is_an_error() {
        let choose = |set: &[(&str, &str)]| {
            let variable = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            Proxy::System.choose("imap.x.test", &variable).map(|server| server.map(|s| s.to_string()))
        };
        let http = Ok(Some("http://proxy:3128".to_owned()));
        assert_eq!(choose(&[("https_proxy", "http://proxy:3128")]), http);
        assert_eq!(choose(&[("HTTPS_PROXY", "proxy:3128")]), http);
        assert_eq!(choose(&[("HTTPS_PROXY", "http://web:1"), ("all_proxy", "http://proxy:3128")]), http);
        assert_eq!(choose(&[("HTTPS_PROXY", "proxy:3128"), ("no_proxy", ".x.test")]), Ok(None));
        assert_eq!(choose(&[("ALL_PROXY", ""), ("HTTPS_PROXY", " ")]), Ok(None));
        for bad in ["https://ann:secret@proxy:443", "ftp://proxy", "rubbish here"] {
            let error = choose(&[("ALL_PROXY", bad)]).unwrap_err();
            assert!(error.to_string().contains("ALL_PROXY") && !error.to_string().contains("secret"));
        }
    }
}
