//! A made-up network on this computer: names, web servers and mail servers.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeMap;
use threadline_core::address::Address;
use threadline_mail::discover::network::{Detour, Internet};
use threadline_mail::discover::{self, Found};
use threadline_testkit::certs::Authority;
use threadline_testkit::names::{Nameserver, Zone};
use threadline_testkit::pages::{Asked, Pages, Webserver};
use threadline_testkit::script::{Script, Scripted};

pub struct World {
    pub names: Nameserver,
    pub web: Webserver,
    internet: Internet,
}

impl World {
    /// `mail` are servers by host and port.
    pub async fn new(
        zone: Zone,
        pages: Pages,
        mail: &[(&str, u16, &Scripted)],
        authority: Authority,
    ) -> Self {
        let names = zone.serve().await.unwrap();
        let hosts = pages.hosts();
        let certified: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let web = pages.serve(&authority.issue(&certified).unwrap()).await.unwrap();
        let internet = Internet::detoured(Detour {
            nameserver: names.address(),
            web: hosts.iter().map(|host| (host.clone(), web.address())).collect(),
            mail: mail
                .iter()
                .map(|(host, port, server)| (((*host).to_owned(), *port), server.port()))
                .collect::<BTreeMap<_, _>>(),
            authority: authority.pem().to_owned(),
        });
        Self { names, web, internet }
    }

    pub async fn of(zone: Zone, pages: Pages) -> Self {
        Self::new(zone, pages, &[], Authority::new().unwrap()).await
    }

    pub fn internet(&self) -> &Internet {
        &self.internet
    }

    pub async fn discover(&self, address: &str) -> Found {
        discover::discover(&Address::parse(address).unwrap(), &self.internet, None).await
    }

    /// Requests that hold the part of the address before the `@`.
    pub fn named(&self, local: &str) -> Vec<Asked> {
        let holds = |text: &str| text.contains(local);
        self.web.asked().into_iter().filter(|a| holds(&a.query) || holds(&a.body) || holds(&a.url)).collect()
    }
}

/// An IMAP server that greets.
pub async fn greets(authority: &Authority) -> Scripted {
    let identity = authority.issue(&["localhost"]).unwrap();
    Script::new().tls(&identity).send("* OK ready\r\n").hang().serve().await.unwrap()
}
