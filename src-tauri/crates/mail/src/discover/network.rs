//! What discovery asks of the network, and the real one. Everything goes through [`Network`], so that a test can hold it.

use crate::connect::{self, Server};
use crate::error::MailError;
use crate::guard::Limits;
use crate::smtp;
use crate::tls::Trust;
use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use threadline_net::http;
use url::Url;

use super::probe;
use super::xml::MOST_BYTES;

/// The longest that one question to DNS or the web may take.
pub(super) const LIMIT: Duration = Duration::from_secs(5);

/// The way to servers that may be there. No credentials are ever sent.
#[async_trait]
pub trait Network: Send + Sync + Debug {
    /// Connects to an IMAP server up to its greeting, and hangs up.
    async fn imap(&self, server: &Server) -> Result<(), MailError>;
    /// Connects to an SMTP server up to its EHLO inside TLS, and hangs up.
    async fn smtp(&self, server: &Server) -> Result<(), MailError>;
    /// One request, without following a redirect; `post` is a body of XML.
    async fn web(&self, url: &Url, post: Option<String>, reach: Reach) -> Result<Told, Silence>;
    /// SRV records (RFC 2782), in no order; none where there are none.
    async fn srv(&self, name: &str) -> Result<Vec<Srv>, Silence>;
    /// MX records (RFC 5321 §5.1), the preferred first; none where there are none.
    async fn mx(&self, domain: &str) -> Result<Vec<String>, Silence>;
}

/// Where a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Anywhere,
    /// Into no local network: somebody else has named the host, and its name may lead there.
    Outside,
}

/// Nobody answered, or nothing that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there was no answer")]
pub struct Silence;

/// What a web server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// 200, with its body: at most 256 KiB.
    Body(Vec<u8>),
    /// To this address, which need not be one.
    Redirect(String),
    /// Another status.
    Status(u16),
}

/// One SRV record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Srv {
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    /// Lower case, without the dot at the end; empty: the service is not there (RFC 2782).
    pub target: String,
}

/// The real network: the system's resolver and certificates, and the proxy that is set. Questions to DNS go past a proxy.
#[derive(Debug, Clone)]
pub struct Internet {
    dns: Option<TokioResolver>,
    web: Option<reqwest::Client>,
    /// The same, for hosts that must not be in the local network.
    outside: Option<reqwest::Client>,
    detour: Option<Arc<Detour>>,
}

/// Where names lead, and whom to trust, instead of what the system says: so that a test's questions stay on this computer.
/// What is not named here is not there.
#[derive(Debug, Clone)]
pub struct Detour {
    pub nameserver: SocketAddr,
    /// Web servers by host; each answers both http and https.
    pub web: BTreeMap<String, SocketAddr>,
    /// Mail servers on this computer by host and port; their certificates are for `localhost`.
    pub mail: BTreeMap<(String, u16), u16>,
    /// The only authority, as PEM.
    pub authority: String,
}

impl Internet {
    /// The system's own. What cannot be had of it is silent.
    pub fn new() -> Self {
        let dns = TokioResolver::builder_tokio().ok().and_then(|mut builder| {
            limit(builder.options_mut());
            builder.build().ok()
        });
        let builder = || http::builder(LIMIT, Vec::new()).and_then(http::by_proxy).ok();
        let web = builder().and_then(|builder| builder.build().ok());
        let outside = builder().and_then(|builder| builder.dns_resolver(OutsideOnly).build().ok());
        Self { dns, web, outside, detour: None }
    }

    /// Another way to everything.
    pub fn detoured(detour: Detour) -> Self {
        let mut connection = ConnectionConfig::udp();
        connection.port = detour.nameserver.port();
        let server = NameServerConfig::new(detour.nameserver.ip(), true, vec![connection]);
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        limit(builder.options_mut());
        let authorities = CertificateDer::pem_slice_iter(detour.authority.as_bytes());
        let authorities = authorities.collect::<Result<Vec<_>, _>>().unwrap_or_default();
        let detour = Arc::new(detour);
        let web = http::builder(LIMIT, authorities)
            .ok()
            .and_then(|builder| builder.no_proxy().dns_resolver(Signposts(Arc::clone(&detour))).build().ok());
        Self { dns: builder.build().ok(), outside: web.clone(), web, detour: Some(detour) }
    }

    /// The server as it can be reached; an error where the detour does not know it.
    fn reached(&self, server: &Server) -> Result<Server, MailError> {
        let Some(detour) = &self.detour else { return Ok(server.clone()) };
        let unknown = || MailError::unresolved(&server.name());
        let port = *detour.mail.get(&(server.host.clone(), server.port)).ok_or_else(unknown)?;
        let mut trust = Trust::default();
        trust.add_authority("localhost", &detour.authority).map_err(|_| unknown())?;
        Ok(Server { host: "localhost".to_owned(), port, security: server.security, trust })
    }

    async fn records(&self, name: &str, kind: RecordType) -> Result<Vec<RData>, Silence> {
        // With its dot a name is whole, and no search list is tried behind it.
        let name = format!("{name}.");
        match self.dns.as_ref().ok_or(Silence)?.lookup(name, kind).await {
            Ok(found) => Ok(found.answers().iter().map(|record| record.data.clone()).collect()),
            Err(error) if error.is_no_records_found() => Ok(Vec::new()),
            Err(_) => Err(Silence),
        }
    }
}

impl Default for Internet {
    fn default() -> Self {
        Self::new()
    }
}

fn limit(options: &mut ResolverOpts) {
    options.timeout = LIMIT / 2;
    options.attempts = 2;
}

/// Leads web requests where the detour says.
struct Signposts(Arc<Detour>);

impl Resolve for Signposts {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.0.web.get(name.as_str()).copied();
        Box::pin(async move {
            let address = found.ok_or(Silence)?;
            Ok(Box::new(std::iter::once(address)) as Addrs)
        })
    }
}

/// Knows no name that leads into the local network.
struct OutsideOnly;

impl Resolve for OutsideOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.filter(|address| is_outside(address.ip())).collect();
            if found.is_empty() {
                return Err(Silence.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether an address belongs to no local network (RFC 6890).
pub(crate) fn is_outside(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let reserved = a == 0 || a >= 224 || (a == 198 && (b == 18 || b == 19));
            !(ip.is_loopback() || ip.is_private() || ip.is_link_local() || shared || reserved)
        }
        // The addresses that are routed (RFC 4291 §2.4): neither local ones nor groups.
        IpAddr::V6(ip) => ip.segments()[0] & 0xe000 == 0x2000,
    }
}

#[async_trait]
impl Network for Internet {
    async fn imap(&self, server: &Server) -> Result<(), MailError> {
        connect::imap(&self.reached(server)?, Limits::imap(), &probe::TIMEOUTS).await.map(drop)
    }

    async fn smtp(&self, server: &Server) -> Result<(), MailError> {
        smtp::smtp(&self.reached(server)?, &probe::TIMEOUTS).await.map(drop)
    }

    async fn web(&self, url: &Url, post: Option<String>, reach: Reach) -> Result<Told, Silence> {
        let web = match reach {
            Reach::Anywhere => &self.web,
            Reach::Outside => &self.outside,
        };
        let web = web.as_ref().ok_or(Silence)?;
        let request = match post {
            Some(body) => web.post(url.clone()).header(CONTENT_TYPE, "text/xml; charset=utf-8").body(body),
            None => web.get(url.clone()),
        };
        let answer = request.header(ACCEPT, "text/xml, application/xml").send().await.map_err(|_| Silence)?;
        let status = answer.status();
        if status.is_redirection() {
            let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            return to.map(|to| Told::Redirect(to.to_owned())).ok_or(Silence);
        }
        if status.as_u16() != 200 {
            return Ok(Told::Status(status.as_u16()));
        }
        http::body(answer, MOST_BYTES).await.map(Told::Body).map_err(|_| Silence)
    }

    async fn srv(&self, name: &str) -> Result<Vec<Srv>, Silence> {
        let records = self.records(name, RecordType::SRV).await?;
        let read = |data: RData| match data {
            RData::SRV(srv) => Some(Srv {
                priority: srv.priority,
                weight: srv.weight,
                port: srv.port,
                target: plain(&srv.target.to_ascii()),
            }),
            _ => None,
        };
        Ok(records.into_iter().filter_map(read).collect())
    }

    async fn mx(&self, domain: &str) -> Result<Vec<String>, Silence> {
        let records = self.records(domain, RecordType::MX).await?;
        let read = |data: RData| match data {
            RData::MX(mx) => Some((mx.preference, plain(&mx.exchange.to_ascii()))),
            _ => None,
        };
        let mut found: Vec<(u16, String)> = records.into_iter().filter_map(read).collect();
        found.sort();
        Ok(found.into_iter().map(|(_, host)| host).collect())
    }
}

/// A name of DNS as the rest of the program writes names.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_local_networks_are_told_from_others() {
        for (ip, want) in [
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("224.0.0.1", false),
            ("::1", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("::ffff:10.0.0.1", false),
            ("203.0.113.9", true),
            ("172.32.0.1", true),
            ("2001:db8::1", true),
        ] {
            assert_eq!(is_outside(ip.parse().unwrap()), want, "{ip}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_into_the_local_network_is_not_known_outside() {
        assert!(OutsideOnly.resolve("localhost".parse().unwrap()).await.is_err());
    }
}
