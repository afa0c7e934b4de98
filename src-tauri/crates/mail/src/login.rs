//! Signing in with a password.

use crate::capability::Capabilities;
use crate::error::MailError;
use crate::reply::{End, Reply};
use crate::session::Login;
use crate::wire::Wire;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use threadline_core::reason::{Phase, Signal};
use zeroize::Zeroizing;

/// Signs in by AUTH=PLAIN (RFC 4616), or by LOGIN where the server does not offer that, and gives the capabilities of
/// the session. `offered` are those of the greeting, inside TLS.
pub(crate) async fn sign_in(
    wire: &mut Wire,
    offered: Option<Vec<String>>,
    login: &Login,
) -> Result<Capabilities, MailError> {
    if login.user.contains(['\r', '\n', '\0']) || login.password.contains(['\r', '\n', '\0']) {
        return Err(wire.fail(
            Phase::Auth,
            Signal::NoMechanism,
            "The user name or the password holds a line break.",
        ));
    }
    let offered = match offered {
        Some(names) => Capabilities::new(names),
        None => ask(wire).await?,
    };
    let mut told: Option<Vec<String>> = None;
    let mut note = |reply: Reply| match reply {
        Reply::Capability(names) => told = Some(names),
        Reply::Said(text) => told = text.capabilities.or(told.take()),
        _ => {}
    };
    let end = if offered.has("AUTH=PLAIN") {
        plain(wire, offered.has("SASL-IR"), login, &mut note).await?
    } else if !offered.has("LOGINDISABLED") {
        by_login(wire, login, &mut note).await?
    } else {
        let ways: Vec<&str> = offered.names().filter(|n| n.starts_with("AUTH=")).collect();
        let words = format!(
            "The server offers: {}",
            if ways.is_empty() { "nothing".to_owned() } else { ways.join(" ") }
        );
        return Err(wire.fail(Phase::Auth, Signal::NoMechanism, &words));
    };
    if let Some(status) = end.refused {
        let mut text = end.text;
        // A server that repeats the command in its answer must not put the password into an error.
        if repeats(&text.words, login) {
            text.words.clear();
        }
        return Err(wire.refused(Phase::Auth, status, &text));
    }
    match end.text.capabilities.or(told) {
        Some(names) => Ok(Capabilities::new(names)),
        None => ask(wire).await,
    }
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

fn token(login: &Login) -> Zeroizing<String> {
    let plain = Zeroizing::new(format!("\0{}\0{}", login.user, login.password.as_str()));
    Zeroizing::new(STANDARD.encode(plain.as_bytes()))
}

async fn plain(
    wire: &mut Wire,
    at_once: bool,
    login: &Login,
    note: &mut impl FnMut(Reply),
) -> Result<End, MailError> {
    let token = token(login);
    if at_once {
        let command = Zeroizing::new(format!("AUTHENTICATE PLAIN {}", token.as_str()));
        let tag = wire.queue(command.as_bytes());
        return wire.finish(&tag, Phase::Auth, note).await;
    }
    let tag = wire.queue(b"AUTHENTICATE PLAIN");
    if wire.go_ahead(&tag, Phase::Auth, &mut *note).await? {
        wire.queue_line(token.as_bytes());
    }
    wire.finish(&tag, Phase::Auth, note).await
}

/// LOGIN with quoted strings; with literals where a quoted string may not hold the text (RFC 3501 §4.3).
async fn by_login(wire: &mut Wire, login: &Login, note: &mut impl FnMut(Reply)) -> Result<End, MailError> {
    let mut line = Zeroizing::new(String::from("LOGIN"));
    let mut started = None;
    for text in [login.user.as_str(), login.password.as_str()] {
        line.push(' ');
        if text.is_ascii() {
            line.push('"');
            line.push_str(&Zeroizing::new(text.replace('\\', "\\\\").replace('"', "\\\"")));
            line.push('"');
            continue;
        }
        line.push_str(&format!("{{{}}}", text.len()));
        let tag = send(wire, &line, &mut started);
        if !wire.go_ahead(&tag, Phase::Auth, &mut *note).await? {
            return wire.finish(&tag, Phase::Auth, note).await;
        }
        line = Zeroizing::new(text.to_owned());
    }
    let tag = send(wire, &line, &mut started);
    wire.finish(&tag, Phase::Auth, note).await
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

/// Whether words hold the password, as it is or as the sign-in encodes it.
pub(crate) fn repeats(words: &str, login: &Login) -> bool {
    (!login.password.is_empty() && words.contains(login.password.as_str()))
        || words.contains(token(login).as_str())
}
