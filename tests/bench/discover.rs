//! Discovery over the provider table: with the table, and as if the table did not know the domain, where servers on this
//! computer publish what the provider's do, each of the ways in turn.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::time::Instant;
use threadline_core::address::Address;
use threadline_mail::connect::Security;
use threadline_mail::discover::network::{Detour, Internet};
use threadline_mail::discover::{Found, Source, discover};
use threadline_mail::provider::{self, Place, Provider};
use threadline_testkit::certs::Authority;
use threadline_testkit::names::Zone;
use threadline_testkit::pages::Pages;

use crate::spread;

/// A domain that the table does not know.
const FIRM: &str = "firm.example";

/// How a domain publishes its settings.
const WAYS: &[(&str, Source)] = &[
    ("autoconfig at the domain", Source::Autoconfig),
    ("autoconfig at .well-known", Source::Autoconfig),
    ("SRV records", Source::Srv),
    ("MX", Source::Mx),
    ("Exchange Autodiscover", Source::Autodiscover),
];

pub fn run(runtime: &tokio::runtime::Runtime) -> Result<()> {
    let table = provider::all();
    let domains: Vec<(&Provider, &str)> =
        table.iter().flat_map(|p| p.domains.iter().map(move |domain| (p, domain.as_str()))).collect();
    let with_imap: Vec<&Provider> = table.iter().filter(|p| p.imap(FIRM).is_some()).collect();
    println!(
        "  the table: {} providers, {} domains; {} providers have IMAP",
        table.len(),
        domains.len(),
        with_imap.len()
    );
    runtime.block_on(async {
        by_table(&domains).await?;
        println!("  a domain that the table does not know, published as by each provider with IMAP:");
        for (way, (name, source)) in WAYS.iter().enumerate() {
            by_servers(&with_imap, way, name, *source).await?;
        }
        Ok(())
    })
}

async fn by_table(domains: &[(&Provider, &str)]) -> Result<()> {
    let internet = nowhere().await?;
    let (mut right, mut pop3, mut times) = (0, 0, Vec::new());
    for (provider, domain) in domains {
        let address = Address::parse(&format!("ann@{domain}")).context("an address")?;
        if provider.imap(domain).is_none() {
            // Its domains are asked for like any other; the table only knows that POP3 is there.
            pop3 += 1;
            continue;
        }
        let begun = Instant::now();
        let found = discover(&address, &internet, None).await;
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        right += usize::from(is_right(&found, provider.imap(domain), Source::ProviderTable));
    }
    println!("    by the table    {right:4} of {:4} right   {}", times.len(), spread(&mut times));
    println!("    {pop3} further domains have POP3 in the table and no IMAP: IMAP is looked for beside it");
    Ok(())
}

async fn by_servers(providers: &[&Provider], way: usize, name: &str, source: Source) -> Result<()> {
    let (mut right, mut times) = (0, Vec::new());
    for provider in providers {
        let (zone, pages) = published(provider, way);
        let authority = Authority::new()?;
        let (names, hosts) = (zone.serve().await?, pages.hosts());
        let certified: Vec<&str> = hosts.iter().map(String::as_str).chain(["localhost"]).collect();
        let web = pages.serve(&authority.issue(&certified)?).await?;
        let internet = Internet::detoured(Detour {
            nameserver: names.address(),
            web: hosts.iter().map(|host| (host.clone(), web.address())).collect(),
            mail: BTreeMap::new(),
            authority: authority.pem().to_owned(),
        });
        let address = Address::parse(&format!("ann@{FIRM}")).context("an address")?;
        let begun = Instant::now();
        let found = discover(&address, &internet, None).await;
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        right += usize::from(is_right(&found, provider.imap(FIRM), source));
    }
    println!("    {name:<26} {right:4} of {:4} right   {}", times.len(), spread(&mut times));
    Ok(())
}

fn is_right(found: &Found, imap: Option<Place>, source: Source) -> bool {
    let best = found.candidates.first().filter(|best| best.is_trusted() && best.source == source);
    best.map(|best| &best.imap) == imap.as_ref()
}

/// A network in which nothing is.
async fn nowhere() -> Result<Internet> {
    let names = Zone::new().serve().await?;
    let authority = Authority::new()?.pem().to_owned();
    Ok(Internet::detoured(Detour {
        nameserver: names.address(),
        web: BTreeMap::new(),
        mail: BTreeMap::new(),
        authority,
    }))
}

/// What a customer's domain of this provider publishes.
fn published(provider: &Provider, way: usize) -> (Zone, Pages) {
    let (zone, pages) = (Zone::new(), Pages::new());
    let Some(imap) = provider.imap(FIRM) else { return (zone, pages) };
    match way {
        0 => {
            (zone, pages.page(&format!("https://autoconfig.{FIRM}/mail/config-v1.1.xml"), autoconfig(&imap)))
        }
        1 => {
            let url = format!("https://{FIRM}/.well-known/autoconfig/mail/config-v1.1.xml");
            (zone, pages.page(&url, autoconfig(&imap)))
        }
        2 => {
            let service = if imap.security == Security::Tls { "_imaps" } else { "_imap" };
            (zone.srv(&format!("{service}._tcp.{FIRM}"), 0, 1, imap.port, &imap.host), pages)
        }
        3 => {
            let domain = provider.hosts.first().or(provider.domains.first()).cloned().unwrap_or_default();
            (zone.mx(FIRM, 10, &format!("mx.{domain}")), pages)
        }
        _ => {
            let url = format!("https://autodiscover.{FIRM}/autodiscover/autodiscover.xml");
            (zone, pages.page(&url, autodiscover(&imap)))
        }
    }
}

fn autoconfig(imap: &Place) -> String {
    let socket = if imap.security == Security::Tls { "SSL" } else { "STARTTLS" };
    format!(
        "<clientConfig><emailProvider><incomingServer type=\"imap\"><hostname>{}</hostname><port>{}</port>\
         <socketType>{socket}</socketType><username>%EMAILADDRESS%</username></incomingServer></emailProvider></clientConfig>",
        imap.host, imap.port
    )
}

fn autodiscover(imap: &Place) -> String {
    let encryption = if imap.security == Security::Tls { "SSL" } else { "TLS" };
    format!(
        "<Autodiscover><Response><Account><Protocol><Type>IMAP</Type><Server>{}</Server><Port>{}</Port>\
         <Encryption>{encryption}</Encryption></Protocol></Account></Response></Autodiscover>",
        imap.host, imap.port
    )
}
