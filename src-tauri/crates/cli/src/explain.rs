//! `threadline explain`: what a server's words mean. It needs neither data folder nor keychain.

use crate::args::ExplainArgs;
use crate::output;
use crate::output::printable;
use anyhow::{Context, anyhow, bail};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;
use threadline_core::reason::{
    Class, Evidence, Finding, Mechanism, Owner, Protocol, Provider, Reason, for_it, judge, read,
};
use threadline_mail::advice::{advice, name_of};

/// The longest line that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// A line that is a JSON object with `raw`; what it leaves out comes from the command line.
#[derive(Debug, Deserialize)]
struct Row {
    id: Option<serde_json::Value>,
    protocol: Option<String>,
    provider: Option<String>,
    #[serde(alias = "mechanism")]
    auth_mech: Option<String>,
    raw: String,
}

/// What is said of one line.
#[derive(Debug, Serialize)]
struct Explained {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<serde_json::Value>,
    protocol: Protocol,
    provider: Option<Provider>,
    reason: Reason,
    class: Class,
    owner: Owner,
    /// The pause that the server asks for.
    backoff_ms: Option<u64>,
    title: &'static str,
    explanation: &'static str,
    next_action: &'static str,
    link: Option<&'static str>,
    /// The name of the rule that decided.
    rule: &'static str,
    it_text: String,
}

/// Explains each line of standard input. A line that cannot be read is told, and the others are explained.
pub fn run(args: &ExplainArgs, json: bool) -> anyhow::Result<ExitCode> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        output::note("Type the server's words, one text a line; Ctrl-D ends.");
    }
    let mut input = stdin.lock();
    let mut lines: u64 = 0;
    let mut wrong = false;
    loop {
        let mut bytes = Vec::new();
        let read = std::io::Read::take(&mut input, LONGEST).read_until(b'\n', &mut bytes);
        if read.context("Standard input cannot be read")? == 0 {
            break;
        }
        lines += 1;
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\r', '\n']);
        if text.trim().is_empty() {
            continue;
        }
        match explain(text, args) {
            Ok(explained) if json => output::json(&explained)?,
            Ok(explained) => show(&explained),
            Err(error) => {
                wrong = true;
                output::error(&format!("Line {lines}: {error:#}"), None, json);
            }
        }
    }
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn explain(line: &str, args: &ExplainArgs) -> anyhow::Result<Explained> {
    let row = row(line)?;
    let protocol = match (&row.protocol, args.protocol) {
        (Some(name), _) => protocol(name)?,
        (None, Some(protocol)) => protocol,
        (None, None) => bail!(
            "It is not known which protocol this was said in. Name it: `--protocol imap`, or \"protocol\" in the row."
        ),
    };
    let provider = row.provider.as_deref().or(args.provider.as_deref()).and_then(Provider::from_name);
    let mechanism = row.auth_mech.as_deref().or(args.mechanism.as_deref()).and_then(Mechanism::from_name);
    let evidence = Evidence { provider, mechanism, ..read(protocol, &row.raw) };
    let Finding { reason, rule, pause_ms } = judge(&evidence);
    let advice = advice(reason, provider);
    Ok(Explained {
        id: row.id,
        protocol,
        provider,
        reason,
        class: reason.class(),
        owner: reason.owner(),
        backoff_ms: pause_ms,
        title: reason.title(),
        explanation: reason.explanation(),
        next_action: advice.next,
        link: advice.link,
        rule,
        it_text: for_it(None, &evidence, reason),
    })
}

/// A JSON object with `raw` is a row; anything else, the JSON of a token endpoint too, is the text itself.
fn row(line: &str) -> anyhow::Result<Row> {
    let value = serde_json::from_str::<serde_json::Value>(line).ok();
    match value.filter(|value| value.get("raw").is_some()) {
        Some(value) => serde_json::from_value(value).context("This is no row of texts"),
        None => Ok(Row { id: None, protocol: None, provider: None, auth_mech: None, raw: line.to_owned() }),
    }
}

/// A protocol by its name.
pub fn protocol(name: &str) -> anyhow::Result<Protocol> {
    Protocol::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Protocol::ALL.iter().map(|protocol| protocol.name()).collect();
        anyhow!(
            "\"{}\" is no protocol that is known here. Use one of: {}.",
            printable(name, 40),
            known.join(", ")
        )
    })
}

fn show(explained: &Explained) {
    let owner = match explained.owner {
        Owner::Nobody => "nobody: it heals by itself",
        Owner::User => "you",
        Owner::Administrator => "the administrator",
    };
    let class = match explained.class {
        Class::UserAction => "needs a person",
        Class::Transient => "may heal by itself",
        Class::RefreshToken => "needs a new access token",
        Class::Ambiguous => "the words do not decide it",
    };
    output::say(&format!("{}: {}", explained.reason, explained.title));
    output::say(&format!("  {}", explained.explanation));
    output::say(&format!("  Who must act: {owner} ({class})"));
    output::say(&format!("  Next: {}", explained.next_action));
    if let Some(provider) = explained.provider {
        output::say(&format!("  Provider: {}", name_of(provider)));
    }
    if let Some(link) = explained.link {
        output::say(&format!("  See: {link}"));
    }
    if let Some(ms) = explained.backoff_ms {
        output::say(&format!(
            "  The server asks for a pause of {:.1} s",
            std::time::Duration::from_millis(ms).as_secs_f64()
        ));
    }
    output::say(&format!("  Rule: {}", explained.rule));
}
