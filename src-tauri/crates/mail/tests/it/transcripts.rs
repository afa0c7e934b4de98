//! Answers that servers gave (some were written for tests): greetings, capabilities, sign-ins and lists, each read by the
//! code that reads a server's. The answers lie beside the project; without them nothing is tested, and that is said.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::path::{Path, PathBuf};
use std::time::Duration;
use threadline_core::reason::Reason;
use threadline_mail::connect::{self, Security, Server, Timeouts};
use threadline_mail::error::MailError;
use threadline_mail::guard::Limits;
use threadline_mail::login::Login;
use threadline_mail::session::Session;
use threadline_mail::smtp;
use threadline_mail::tls::Trust;
use threadline_testkit::certs::Authority;
use threadline_testkit::script::Script;

/// Greetings of servers that hold the client to be signed in already. Nobody is signed in before the sign-in.
const PREAUTH: [&str; 2] =
    ["imap/common/preauth-capability-greeting.txt", "imap/dovecot/greeting-preauth.txt"];
/// Refusals: the answer is read, and says no.
const REFUSALS: [&str; 2] = ["smtp/auth-failed.txt", "smtp/ehlo-failed.txt"];

/// Well formed, and not read: the answer to a LIST that asks for the STATUS item MAILBOXID (RFC 8474), which the library does
/// not know. Threadline never asks for it.
const NOT_READ: [&str; 1] = ["imap/gmail/list-all.txt"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Greeting,
    Capability,
    SignIn,
    List,
}

/// What a file is, by its name; `None` for what is not asked for here.
fn kind(path: &str) -> Option<Kind> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let begins = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    if name.contains("greeting") {
        Some(Kind::Greeting)
    } else if begins(&["capabilit"]) || name.contains("ehlo") {
        Some(Kind::Capability)
    } else if begins(&["authenticate"]) || name == "auth-successful.txt" || name == "auth-failed.txt" {
        Some(Kind::SignIn)
    } else if begins(&["list", "lsub", "xlist"]) && path.starts_with("imap/") {
        Some(Kind::List)
    } else {
        None
    }
}

fn files(root: &Path) -> Vec<String> {
    let mut open = vec![root.to_owned()];
    let mut found: Vec<PathBuf> = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    let mut names: Vec<String> =
        found.iter().map(|path| path.strip_prefix(root).unwrap().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.contains('/') && name.ends_with(".txt"));
    names.sort();
    names
}

fn login() -> Login {
    Login::password("ann", "secret".to_owned())
}

/// Plays this answer where a server gives one of its kind, and reads it.
async fn read(path: &str, kind: Kind, answer: &[u8]) -> Result<(), MailError> {
    let authority = Authority::new().unwrap();
    let tls = Script::new().tls(&authority.issue(&["127.0.0.1"]).unwrap());
    let answer = tagged(answer);
    let imap = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n";
    let script = match (path.split('/').next().unwrap(), kind) {
        ("smtp", Kind::Greeting) => tls.send(&answer).expect("EHLO").send("250 mx\r\n").hang(),
        ("smtp", Kind::Capability) => tls.send("220 mx\r\n").expect("").send(&answer).hang(),
        ("smtp", _) => {
            let hello = tls.send("220 mx\r\n").expect("EHLO").send("250-mx\r\n250 AUTH PLAIN\r\n");
            hello.expect("AUTH PLAIN").send(&answer).expect("QUIT").send("221 bye\r\n")
        }
        (_, Kind::Greeting) => tls.send(&answer).hang(),
        (_, Kind::Capability) => tls
            .send(imap)
            .expect("AUTHENTICATE")
            .send("{tag} OK in\r\n")
            .expect("CAPABILITY")
            .send(&answer)
            .hang(),
        (_, Kind::SignIn) => {
            let signed_in = tls.send(imap).expect("AUTHENTICATE").send(&answer);
            signed_in.expect("CAPABILITY").send("* CAPABILITY IMAP4rev1\r\n{tag} OK\r\n").hang()
        }
        (_, Kind::List) => {
            let caps = "{tag} OK [CAPABILITY IMAP4rev1] in\r\n";
            tls.send(imap).expect("AUTHENTICATE").send(caps).expect("LIST").send(&answer).hang()
        }
    };
    let scripted = script.serve().await.unwrap();
    let mut trust = Trust::default();
    trust.add_authority("127.0.0.1", authority.pem()).unwrap();
    let server = Server { host: "127.0.0.1".into(), port: scripted.port(), security: Security::Tls, trust };
    let limit = Duration::from_secs(3);
    let timeouts = Timeouts { greeting: limit, command: limit, ..Timeouts::default() };
    match (path.split('/').next().unwrap(), kind) {
        ("smtp", Kind::SignIn) => {
            let connection = smtp::smtp(&server, &timeouts).await?;
            smtp::sign_in(&server, connection, &login(), &timeouts).await.map(drop)
        }
        ("smtp", _) => smtp::smtp(&server, &timeouts).await.map(drop),
        (_, Kind::Greeting) => connect::imap(&server, Limits::imap(), &timeouts).await.map(drop),
        (_, Kind::List) => {
            let mut session = Session::open(&server, &login(), &timeouts).await?;
            let text = String::from_utf8_lossy(&answer);
            let lists = text.matches("* LIST ").count() + text.matches("* LSUB ").count();
            let folders = session.folders().await?;
            assert_eq!(folders.len(), lists, "{path}: each line of it is a folder");
            Ok(())
        }
        (_, Kind::Capability) => {
            let session = Session::open(&server, &login(), &timeouts).await?;
            assert!(session.capabilities().has("IMAP4rev1"), "{path}");
            Ok(())
        }
        (_, Kind::SignIn) => Session::open(&server, &login(), &timeouts).await.map(drop),
    }
}

/// With the tag of the command that it answers.
fn tagged(answer: &[u8]) -> Vec<u8> {
    const MARK: &[u8] = b"A########";
    let mut out = Vec::new();
    let mut rest = answer;
    while let Some(at) = rest.windows(MARK.len()).position(|w| w == MARK) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(b"{tag}");
        rest = &rest[at + MARK.len()..];
    }
    out.extend_from_slice(rest);
    out
}

#[tokio::test]
async fn every_answer_of_a_server_is_read_or_named() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/data/mail/server-transcripts");
    let root = Path::new(root);
    if !root.is_dir() {
        println!("the servers' answers are not here: skipped");
        return;
    }
    let (mut read_well, mut refused, mut failed, mut named) =
        ([0usize; 4], Vec::new(), Vec::new(), Vec::new());
    for path in files(root) {
        let Some(kind) = kind(&path).filter(|_| !path.starts_with("pop3/")) else { continue };
        let answer = std::fs::read(root.join(&path)).unwrap();
        match read(&path, kind, &answer).await {
            Ok(()) => read_well[kind as usize] += 1,
            Err(_) if PREAUTH.contains(&path.as_str()) || REFUSALS.contains(&path.as_str()) => {
                refused.push(path)
            }
            Err(_) if NOT_READ.contains(&path.as_str()) => named.push(path),
            Err(error) => failed.push(format!("{path}: {error}")),
        }
    }
    let [greetings, capabilities, sign_ins, lists] = read_well;
    println!(
        "read: {greetings} greetings, {capabilities} capabilities, {sign_ins} sign-ins, {lists} lists; refused as they should be: {refused:?}; not read: {named:?}"
    );
    assert_eq!(named, NOT_READ, "what is read by now is to be taken off the list");
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(refused.len(), PREAUTH.len() + REFUSALS.len());
    assert!(read_well.iter().sum::<usize>() >= 50);
}

#[tokio::test]
async fn a_pop3_server_is_known_by_its_greeting() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/data/mail/server-transcripts/pop3");
    let root = Path::new(file);
    if !root.is_dir() {
        println!("the servers' answers are not here: skipped");
        return;
    }
    let mut known = 0;
    for path in files(root).into_iter().filter(|path| path.contains("greeting")) {
        let error =
            read("imap/x", Kind::Greeting, &std::fs::read(root.join(&path)).unwrap()).await.unwrap_err();
        assert_eq!(error.reason, Reason::Pop3Configured, "{path}");
        known += 1;
    }
    println!("{known} greetings of POP3 servers are known for what they are");
    assert!(known > 0);
}
