//! `threadline discover`, and the servers of a new mailbox.

use crate::output::printable;
use crate::{output, pop3, prompt};
use std::process::ExitCode;
use threadline_core::address::Address;
use threadline_engine::discover::{
    AskedOutcome, AskedSource, Candidate, Discovery, DiscoveryDoubt, DiscoverySource, Internet, ProviderHint,
};
use threadline_engine::settings::{Encryption, Endpoint};
use threadline_engine::{Engine, EngineError};

/// Longest word of an answer that is printed.
const LONGEST: usize = 100;

pub async fn run(engine: &Engine, address: &Address, json: bool) -> anyhow::Result<ExitCode> {
    let found = engine.discover(address, &Internet::new()).await?;
    if json {
        output::json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    for candidate in &found.candidates {
        tell(candidate, address);
    }
    if let Some(pop3) = &found.pop3 {
        pop3::tell(address, pop3);
    }
    let rows: Vec<Vec<String>> = found.asked.iter().map(row).collect();
    output::table(&["SOURCE", "ANSWER", "TIME"], &rows);
    Ok(ExitCode::SUCCESS)
}

/// The servers of a new mailbox: what can be trusted is taken, what cannot is asked about where somebody can answer.
pub async fn choose(engine: &Engine, address: &Address, json: bool) -> anyhow::Result<Candidate> {
    let Discovery { candidates, pop3, .. } = engine.discover(address, &Internet::new()).await?;
    if let Some(pop3) = pop3 {
        return Err(pop3::refused(address, pop3, json)?);
    }
    let Some(best) = candidates.into_iter().next() else {
        return Err(unsure(address, "no server was found", "--host SERVER").into());
    };
    if !json {
        tell(&best, address);
    }
    if best.trusted {
        return Ok(best);
    }
    let why = best.doubts.first().map_or("nobody has confirmed it", |doubt| doubt_text(*doubt));
    let cause = format!("{} may be its server, but {why}", endpoint(&best.imap));
    let next = format!("--host {}", printable(&best.imap.host, LONGEST));
    let yes = !json && prompt::confirm(&format!("Send the password to {}?", endpoint(&best.imap)))?;
    if yes { Ok(best) } else { Err(unsure(address, &cause, &next).into()) }
}

fn unsure(address: &Address, cause: &str, next: &str) -> EngineError {
    EngineError::Unsure { address: address.to_string(), cause: cause.to_owned(), next: next.to_owned() }
}

fn tell(found: &Candidate, address: &Address) {
    let whose = found.provider.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    output::say(&format!("{whose}IMAP {}, user {}", endpoint(&found.imap), printable(&found.user, LONGEST)));
    if let Some(smtp) = &found.smtp {
        output::say(&format!("  SMTP {}", endpoint(smtp)));
    }
    output::say(&format!("  {}", source_text(found.source, address.domain())));
    if !found.trusted {
        let why: Vec<&str> = found.doubts.iter().map(|doubt| doubt_text(*doubt)).collect();
        output::say(&format!("  Not trusted: {}.", why.join("; ")));
    }
    if let Some(hint) = found.hint {
        let page = found.help.as_ref().map(|page| format!(" See {page}")).unwrap_or_default();
        output::say(&format!("  {}{page}", hint_text(hint)));
    } else if let Some(page) = &found.help {
        output::say(&format!("  Help: {page}"));
    }
}

pub fn endpoint(place: &Endpoint) -> String {
    let encryption = match place.encryption {
        Encryption::Tls => "TLS",
        Encryption::Starttls => "STARTTLS",
    };
    format!("{}:{} ({encryption})", printable(&place.host, LONGEST), place.port)
}

fn source_text(source: DiscoverySource, domain: &str) -> String {
    match source {
        DiscoverySource::ProviderTable => "From the built-in list of providers.".to_owned(),
        DiscoverySource::Autoconfig => format!("Published by {domain} for mail programs."),
        DiscoverySource::Ispdb => "From the list of providers that is set.".to_owned(),
        DiscoverySource::Srv => format!("From the DNS entries of {domain}."),
        DiscoverySource::Mx => format!("Known from the provider that receives the mail of {domain}."),
        DiscoverySource::Autodiscover => format!("Told by the Exchange server of {domain}."),
        DiscoverySource::Probe => "Found by asking this server.".to_owned(),
        DiscoverySource::Guess => "A guess from the address: nothing answered.".to_owned(),
    }
}

fn doubt_text(doubt: DiscoveryDoubt) -> &'static str {
    match doubt {
        DiscoveryDoubt::PlainHttp => {
            "the answer came without encryption, so anybody on the way could have written it"
        }
        DiscoveryDoubt::Redirected => "the answer came from another domain",
        DiscoveryDoubt::OtherDomain => "its servers lie in another domain",
        DiscoveryDoubt::Unverified => "its certificate is not trusted",
        DiscoveryDoubt::Guessed => "nobody has confirmed it",
    }
}

fn hint_text(hint: ProviderHint) -> &'static str {
    match hint {
        ProviderHint::AppPassword => "It wants an app password: the usual one is refused.",
        ProviderHint::OauthOnly => "It takes no password: the sign-in is in the browser.",
        ProviderHint::EnableImap => "IMAP must be switched on in the mailbox's settings first.",
    }
}

fn row(asked: &AskedSource) -> Vec<String> {
    let source = match asked.source {
        DiscoverySource::ProviderTable => "built-in list",
        DiscoverySource::Autoconfig => "autoconfig",
        DiscoverySource::Ispdb => "list that is set",
        DiscoverySource::Srv => "DNS SRV",
        DiscoverySource::Mx => "DNS MX",
        DiscoverySource::Autodiscover => "Exchange",
        DiscoverySource::Probe => "usual names",
        DiscoverySource::Guess => "guess",
    };
    let answer = match asked.outcome {
        AskedOutcome::Found => "found",
        AskedOutcome::Nothing => "nothing",
        AskedOutcome::TimedOut => "no answer in time",
        AskedOutcome::Cancelled => "not waited for",
    };
    vec![source.to_owned(), answer.to_owned(), format!("{} ms", asked.ms)]
}
