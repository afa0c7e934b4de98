//! Signing in to IMAP, with a password or an access token.

use crate::capability::Capabilities;
use crate::connect::Server;
use crate::error::MailError;
use crate::reply::{End, Reply};
use crate::sasl::{Exchange, Fault, Mechanism};
use crate::wire::Wire;
use threadline_core::reason::{self, ImapStatus, Phase, Signal};
use zeroize::Zeroizing;

/// Who signs in, and with what.
#[derive(Clone)]
pub struct Login {
    pub user: String,
    pub credential: Credential,
}

/// What proves who signs in.
#[derive(Clone)]
pub enum Credential {
    Password(Zeroizing<String>),
    /// An OAuth access token (RFC 6750).
    Token(Zeroizing<String>),
}

impl Login {
    pub fn password(user: impl Into<String>, password: impl Into<Zeroizing<String>>) -> Self {
        Self { user: user.into(), credential: Credential::Password(password.into()) }
    }

    pub fn token(user: impl Into<String>, token: impl Into<Zeroizing<String>>) -> Self {
        Self { user: user.into(), credential: Credential::Token(token.into()) }
    }

    /// How a refusal is to be understood: the same words answer a bad password and an old token.
    pub(crate) fn kind(&self) -> reason::Mechanism {
        match self.credential {
            Credential::Password(_) => reason::Mechanism::Password,
            Credential::Token(_) => reason::Mechanism::Token,
        }
    }

    /// Whether words hold the password or the token, as it is or as a quoted string writes it.
    pub(crate) fn is_in(&self, words: &str) -> bool {
        let secret = self.credential.text();
        !secret.is_empty() && (words.contains(secret) || words.contains(quoted(secret).as_str()))
    }
}

impl Credential {
    pub(crate) fn text(&self) -> &str {
        match self {
            Credential::Password(text) | Credential::Token(text) => text,
        }
    }
}

/// Shows the user only.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Shows the kind only.
impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Credential::Password(_) => "Password(…)",
            Credential::Token(_) => "Token(…)",
        })
    }
}

/// Who we are (RFC 2971 §3.3). Some providers serve nobody who does not say so.
const ID: &[u8] =
    concat!("ID (\"name\" \"Threadline\" \"version\" \"", env!("CARGO_PKG_VERSION"), "\")").as_bytes();

/// A way to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Sasl(Mechanism),
    /// The command LOGIN (RFC 9051 §6.2.3).
    Command,
}

/// The ways that a server offers for this login, the one to be tried first in front.
fn ways(offered: &Capabilities, login: &Login) -> Vec<Way> {
    let offers = |name: &str| offered.has(&format!("AUTH={name}"));
    let mut ways: Vec<Way> =
        Mechanism::fitting(&login.credential, offers).into_iter().map(Way::Sasl).collect();
    if matches!(login.credential, Credential::Password(_)) && !offered.has("LOGINDISABLED") {
        // The command takes ASCII anywhere. For other texts it needs literals, which fewer servers get right than base64.
        let is_ascii = login.user.is_ascii() && login.credential.text().is_ascii();
        let at = ways.iter().position(|way| is_ascii && *way == Way::Sasl(Mechanism::Login));
        ways.insert(at.unwrap_or(ways.len()), Way::Command);
    }
    ways
}

/// How one way of signing in ended.
struct Tried {
    end: End,
    /// Whether the server was told enough to judge the password or token by.
    tested: bool,
    /// Whether the server repeats in its words what it was told.
    repeats: bool,
    /// What it said of a token.
    refusal: String,
}

/// Signs in by the best way that the server offers, and gives the capabilities of the session. `offered` are those of the
/// greeting, inside TLS. A password is shown to the server once: the next way is tried only where the one before broke
/// off earlier.
pub(crate) async fn sign_in(
    wire: &mut Wire,
    server: &Server,
    offered: Option<Vec<String>>,
    login: &Login,
) -> Result<Capabilities, MailError> {
    let offered = match offered {
        Some(names) => Capabilities::new(names),
        None => ask(wire).await?,
    };
    let introduced = offered.has("ID");
    if introduced {
        let tag = wire.queue(ID);
        // What it answers, a refusal too, changes nothing.
        wire.finish(&tag, Phase::Auth, |_| {}).await?;
    }
    let mut told: Option<Vec<String>> = None;
    let mut note = |reply: Reply| match reply {
        Reply::Capability(names) => told = Some(names),
        Reply::Said(text) => told = text.capabilities.or(told.take()),
        _ => {}
    };
    let mut failed = None;
    let mut accepted = None;
    for way in ways(&offered, login) {
        let tried = match way {
            Way::Sasl(mechanism) => {
                by_sasl(wire, server, offered.has("SASL-IR"), mechanism, login, &mut note).await?
            }
            Way::Command => by_command(wire, login, &mut note).await?,
        };
        match tried {
            Ok(tried) if tried.end.refused.is_none() => {
                accepted = Some(tried.end.text);
                break;
            }
            Ok(tried) => {
                let (tested, error) = (tried.tested, refused(wire, login, tried));
                failed = Some(error);
                if tested {
                    break;
                }
            }
            Err(fault) => {
                let signal = if fault == Fault::Unsendable { Signal::NoMechanism } else { Signal::Malformed };
                failed.get_or_insert_with(|| wire.fail(Phase::Auth, signal, &fault.to_string()));
            }
        }
    }
    let Some(text) = accepted else {
        return Err(failed.unwrap_or_else(|| no_way(wire, &offered)));
    };
    let capabilities = match text.capabilities.or(told) {
        Some(names) => Capabilities::new(names),
        None => ask(wire).await?,
    };
    if !introduced && capabilities.has("ID") {
        wire.queue(ID);
    }
    Ok(capabilities)
}

async fn ask(wire: &mut Wire) -> Result<Capabilities, MailError> {
    let tag = wire.queue(b"CAPABILITY");
    let mut told = Vec::new();
    let text = wire
        .done(&tag, Phase::Auth, |reply| {
            if let Reply::Capability(names) = reply {
                told = names;
            }
        })
        .await?;
    Ok(Capabilities::new(text.capabilities.unwrap_or(told)))
}

fn no_way(wire: &Wire, offered: &Capabilities) -> MailError {
    let ways: Vec<&str> = offered.names().filter(|n| n.starts_with("AUTH=")).collect();
    let words =
        format!("The server offers: {}", if ways.is_empty() { "nothing".to_owned() } else { ways.join(" ") });
    wire.fail(Phase::Auth, Signal::NoMechanism, &words)
}

fn refused(wire: &Wire, login: &Login, tried: Tried) -> MailError {
    let mut text = tried.end.text;
    text.words = told(text.words, &tried.refusal, tried.repeats, login);
    wire.refused(Phase::Auth, tried.end.refused.unwrap_or(ImapStatus::No), &text).tried_by(login.kind())
}

/// The words of a refusal: the server's, without what it must not repeat, and what it said of the token before.
pub(crate) fn told(words: String, refusal: &str, repeats: bool, login: &Login) -> String {
    let words = if repeats || login.is_in(&words) { String::new() } else { words };
    match (words.is_empty(), refusal.is_empty() || login.is_in(refusal)) {
        (_, true) => words,
        (true, false) => refusal.to_owned(),
        (false, false) => format!("{words} ({refusal})"),
    }
}

/// AUTHENTICATE (RFC 9051 §6.2.2), with the first message in the command where the server takes it so (RFC 4959). A
/// fault before the server could judge anything lets the next way be tried; another one is an error.
async fn by_sasl(
    wire: &mut Wire,
    server: &Server,
    at_once: bool,
    mechanism: Mechanism,
    login: &Login,
    note: &mut impl FnMut(Reply),
) -> Result<Result<Tried, Fault>, MailError> {
    let mut exchange = match Exchange::new(mechanism, login, server) {
        Ok(exchange) => exchange,
        Err(fault) => return Ok(Err(fault)),
    };
    let mut command = Zeroizing::new(format!("AUTHENTICATE {}", mechanism.name()));
    if let Some(first) = at_once.then(|| exchange.first()).flatten() {
        command.push(' ');
        command.push_str(&first);
    }
    let tag = wire.queue(command.as_bytes());
    while let Some(challenge) = wire.challenge(&tag, Phase::Auth, &mut *note).await? {
        match exchange.answer(&challenge) {
            Ok(answer) => wire.queue_line(answer.as_bytes()),
            Err(fault) if exchange.is_tested() => {
                return Err(wire.fail(Phase::Auth, Signal::Malformed, &fault.to_string()));
            }
            Err(fault) => {
                // This ends the command, with BAD (RFC 9051 §6.2.2).
                wire.queue_line(b"*");
                wire.finish(&tag, Phase::Auth, &mut *note).await?;
                return Ok(Err(fault));
            }
        }
    }
    let end = wire.finish(&tag, Phase::Auth, note).await?;
    if let (None, Err(fault)) = (end.refused, exchange.accepted()) {
        return Err(wire.fail(Phase::Auth, Signal::Malformed, &fault.to_string()));
    }
    let repeats = exchange.repeats(&end.text.words);
    let refusal = exchange.refusal().map(ToString::to_string).unwrap_or_default();
    Ok(Ok(Tried { tested: exchange.is_tested(), repeats, refusal, end }))
}

/// LOGIN with quoted strings; with literals where a quoted string may not hold the text (RFC 3501 §4.3).
async fn by_command(
    wire: &mut Wire,
    login: &Login,
    note: &mut impl FnMut(Reply),
) -> Result<Result<Tried, Fault>, MailError> {
    let texts = [login.user.as_str(), login.credential.text()];
    if texts.iter().any(|text| text.contains(['\r', '\n', '\0'])) {
        return Ok(Err(Fault::Unsendable));
    }
    let tried = |end| Ok(Ok(Tried { end, tested: true, repeats: false, refusal: String::new() }));
    let mut line = Zeroizing::new(String::from("LOGIN"));
    let mut started = None;
    for text in texts {
        line.push(' ');
        if text.is_ascii() {
            line.push('"');
            line.push_str(&quoted(text));
            line.push('"');
            continue;
        }
        line.push_str(&format!("{{{}}}", text.len()));
        let tag = send(wire, &line, &mut started);
        if wire.challenge(&tag, Phase::Auth, &mut *note).await?.is_none() {
            return tried(wire.finish(&tag, Phase::Auth, note).await?);
        }
        line = Zeroizing::new(text.to_owned());
    }
    let tag = send(wire, &line, &mut started);
    tried(wire.finish(&tag, Phase::Auth, note).await?)
}

/// The inside of a quoted string (RFC 9051 §4.3).
fn quoted(text: &str) -> Zeroizing<String> {
    let half = Zeroizing::new(text.replace('\\', "\\\\"));
    Zeroizing::new(half.replace('"', "\\\""))
}

/// The first line of a command takes a tag, the others go without.
fn send(wire: &mut Wire, line: &str, started: &mut Option<crate::wire::Tag>) -> crate::wire::Tag {
    match started {
        Some(tag) => {
            wire.queue_line(line.as_bytes());
            tag.clone()
        }
        None => started.insert(wire.queue(line.as_bytes())).clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_in_each_way_in_which_it_is_written() {
        let login = Login::password("ann", "pa\"s\\s".to_owned());
        for words in ["no such user: pa\"s\\s", "cannot read LOGIN \"ann\" \"pa\\\"s\\\\s\""] {
            assert!(login.is_in(words), "{words}");
            assert_eq!(told(words.to_owned(), "", false, &login), "");
        }
        assert!(!login.is_in("pass"));
    }
}
