//! What an IMAP server, or somebody on the way to it, says before the sign-in.

use super::rig::{Rig, no_secrets, no_words, patient, tls_required};
use threadline_core::reason::{Phase, Reason, Signal};
use threadline_mail::connect::{Greeting, Security};
use threadline_mail::error::MailError;
use threadline_mail::mailbox_name::{MOST_NAME, decode};
use threadline_testkit::script::{Script, Transcript};
use tokio::io::AsyncReadExt;

async fn starttls_fails(script: Script) -> (MailError, Transcript) {
    Rig::new().imap_fails(Security::StartTls, script).await
}

pub async fn no_starttls() {
    for greeting in ["* OK [CAPABILITY IMAP4REV1 AUTH=PLAIN AUTH=LOGIN] ready\r\n", "* OK ready\r\n"] {
        let script =
            Script::new().send(greeting).expect("STARTTLS").send("{tag} BAD STARTTLS not supported.\r\n");
        tls_required(&starttls_fails(script).await);
    }
}

pub async fn starttls_no() {
    let script = Script::new().send("* OK [CAPABILITY IMAP4REV1 STARTTLS] x\r\n");
    tls_required(&starttls_fails(script.expect("STARTTLS").send("{tag} NO do not begin TLS now.\r\n")).await);
}

pub async fn starttls_bad() {
    let script = Script::new().send("* OK [CAPABILITY IMAP4REV1 STARTTLS] x\r\n");
    tls_required(
        &starttls_fails(script.expect("STARTTLS").send("{tag} BAD do not begin TLS now.\r\n")).await,
    );
}

pub async fn hidden() {
    let script = Script::new().send("* OK ready\r\n").expect("").send("{tag} BAD unknown\r\n");
    tls_required(&starttls_fails(script.expect("").send("{tag} BAD unknown\r\n")).await);
}

pub async fn only_imap4() {
    let script = Script::new().send("* OK [CAPABILITY IMAP4] ready\r\n").expect("").send("{tag} BAD no\r\n");
    let failed = starttls_fails(script).await;
    tls_required(&failed);
    assert_eq!(failed.1.plain_text(), "", "it was not offered, so it is not asked for");
}

pub async fn preauth() {
    let rig = Rig::new();
    for code in [
        "",
        "[CAPABILITY IMAP4REV1] ",
        "[CAPABILITY IMAP4REV1 STARTTLS] ",
        "[CAPABILITY IMAP4REV1 STARTTLS LOGINDISABLED] ",
        "[CAPABILITY IMAP4REV1 AUTH=PLAIN] ",
        "[REFERRAL imap://evil.example/] ",
    ] {
        let greeting = format!("* PREAUTH {code}IMAP server ready.\r\n");
        let (err, seen) = starttls_fails(Script::new().send(&greeting).hang()).await;
        assert_eq!((err.reason, err.phase), (Reason::ProtocolError, Phase::Greeting));
        no_words(&err);
        no_secrets(&seen);
        let script = Script::new().tls(&rig.identity).send(&greeting).hang();
        let (err, seen) = rig.imap_fails(Security::Tls, script).await;
        assert_eq!(err.reason, Reason::ProtocolError);
        no_secrets(&seen);
    }
}

pub async fn referral() {
    let code = "[REFERRAL IMAP://;AUTH=*@attacker.example.org:243/inbox]";
    let script =
        Script::new().send("* OK x\r\n").expect("STARTTLS").send(format!("{{tag}} NO {code} no\r\n"));
    tls_required(&starttls_fails(script).await);
    let (err, seen) = starttls_fails(Script::new().send(format!("* BYE {code} gone\r\n"))).await;
    assert_eq!(err.reason, Reason::ServerClosedConnection, "nobody is sent elsewhere by plaintext");
    no_words(&err);
    no_secrets(&seen);
    let rig = Rig::new();
    let script = Script::new().tls(&rig.identity).send(format!("* BYE {code} gone\r\n"));
    let (err, seen) = rig.imap_fails(Security::Tls, script).await;
    assert_eq!(err.reason, Reason::MailboxMigrated, "a person decides");
    assert!(!err.to_string().contains("attacker"), "{err}");
    no_secrets(&seen);
}

pub async fn injection() {
    let rig = Rig::new();
    let injected = "* CAPABILITY IMAP4REV1 AUTH=PLAIN AUTH=LOGIN\r\na2 OK capability done.\r\n";
    let base = Script::new().send("* OK x\r\n").expect("STARTTLS");
    let scripts = [
        base.clone().send(format!("{{tag}} OK begin\r\n{injected}")).tls(&rig.identity).hang(),
        base.clone().send("{tag} OK begin\r\n").send(injected).tls(&rig.identity).hang(),
        base.clone().send("{tag} OK begin\r\n*").tls(&rig.identity).hang(),
        base.send("{tag} OK begin\r\n{tag} OK twice\r\n").tls(&rig.identity).hang(),
    ];
    for script in scripts {
        let (err, seen) = rig.imap_fails(Security::StartTls, script).await;
        assert_eq!(err.evidence.signal, Signal::PlaintextLeftOver);
        no_words(&err);
        no_secrets(&seen);
    }
}

pub async fn alert() {
    let rig = Rig::new();
    let prefix =
        Script::new().send("* OK [ALERT] first\r\n").expect("STARTTLS").send("* OK [ALERT] prefix\r\n");
    let script = prefix.send("{tag} OK begin\r\n").tls(&rig.identity).hang();
    let (_server, opened) = rig.imap(Security::StartTls, script).await;
    assert_eq!(opened.unwrap().greeting, Greeting::default());
    let suffix = Script::new().send("* OK x\r\n").expect("STARTTLS");
    let script = suffix.send("{tag} OK begin\r\n* OK [ALERT] suffix\r\n").tls(&rig.identity).hang();
    let (err, seen) = rig.imap_fails(Security::StartTls, script).await;
    no_words(&err);
    no_secrets(&seen);
}

/// What a server says before it is known goes nowhere.
pub async fn greeting_codes() {
    let rig = Rig::new();
    for code in ["ALERT", "BADCHARSET (UTF-8)", "PARSE"] {
        let script = Script::new().send(format!("* OK [{code}] bAjdyeKO\r\n")).expect("STARTTLS");
        let script = script.send("{tag} OK begin\r\n").tls(&rig.identity).hang();
        let (_server, opened) = rig.imap(Security::StartTls, script).await;
        assert_eq!(opened.unwrap().greeting, Greeting::default());
        let (err, seen) = starttls_fails(Script::new().send(format!("* NO [{code}] bAjdyeKO\r\n"))).await;
        no_words(&err);
        no_secrets(&seen);
    }
}

/// A folder's name is text of bounded length; it is the window that shows text as text.
pub async fn folder_markup() {
    assert_eq!(decode(b"Click me! <Payload>"), "Click me! <Payload>");
    assert!(decode("<b>".repeat(4_096).as_bytes()).chars().count() <= MOST_NAME);
}

/// Data before TLS leaves no trace behind it: the first byte that a session reads came inside TLS.
async fn tamper(data: &str) {
    let rig = Rig::new();
    let greeting = "* OK [CAPABILITY IMAP4REV1 STARTTLS] x\r\n";
    let after_greeting = Script::new().send(format!("{greeting}{data}")).expect("STARTTLS");
    let before_ok = Script::new().send(greeting).expect("STARTTLS").send(data);
    for script in [after_greeting, before_ok] {
        let script = script.send("{tag} OK begin\r\n").tls(&rig.identity).send("* OK inside\r\n");
        let (server, opened) = rig.imap(Security::StartTls, script).await;
        let mut opened = opened.unwrap();
        assert_eq!(opened.greeting, Greeting::default());
        let mut all = String::new();
        opened.stream.read_to_string(&mut all).await.unwrap();
        assert_eq!(all, "* OK inside\r\n");
        drop((server, opened));
    }
}

pub async fn tamper_list() {
    tamper("* LIST () \"/\" 7XiYhgS7\r\n").await;
}

pub async fn tamper_lsub() {
    tamper("* LSUB () \"/\" jcaZji2A\r\n").await;
}

pub async fn tamper_status() {
    tamper("* STATUS YFlgClUY (MESSAGES 529001 RECENT 529002 UIDNEXT 529003 UNSEEN 529004 UIDVALIDITY 529005)\r\n").await;
}

pub async fn tamper_search() {
    tamper("* SEARCH 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20\r\n").await;
}

pub async fn tamper_flags() {
    tamper("* FLAGS (\\Flagged)\r\n").await;
}

pub async fn tamper_exists() {
    tamper("* 54321 EXISTS\r\n").await;
}

pub async fn tamper_expunge() {
    tamper("* 1 EXPUNGE\r\n* 2 EXPUNGE\r\n* 3 EXPUNGE\r\n").await;
}

pub async fn tamper_fetch() {
    tamper("* 1 FETCH (BODY[] {28}\r\nFrom: Injected\r\n\r\nInjected\r\n)\r\n").await;
}

pub async fn tamper_capability() {
    tamper("* CAPABILITY IDLE\r\n").await;
}

pub async fn greetings() {
    let rig = Rig::new();
    for (greeting, want) in [
        ("1Gdo00V4 wFaIW2WP\r\n", Reason::WrongPortOrProtocol),
        ("Ac3cXIo1 rJzgnVlo\r\n* OK DHYw9lXw\r\n", Reason::WrongPortOrProtocol),
        ("x\r\ny\r\n* OK DHYw9lXw\r\n", Reason::WrongPortOrProtocol),
        ("a1 OK ready\r\n", Reason::ProtocolError),
        ("* NO X0n0fCj9\r\n", Reason::ServerUnavailable),
        ("* BAD X0n0fCj9\r\n", Reason::ProtocolError),
        ("* BYE X0n0fCj9\r\n", Reason::ServerClosedConnection),
        ("* 1 EXISTS\r\n", Reason::ProtocolError),
        ("* OK no end of line\n", Reason::ProtocolError),
        ("+OK POP3 ready\r\n", Reason::Pop3Configured),
        ("220 mx ESMTP\r\n", Reason::WrongPortOrProtocol),
        ("220-mx ESMTP\r\n220 x\r\n", Reason::WrongPortOrProtocol),
        ("SSH-2.0-OpenSSH_9\r\n", Reason::WrongPortOrProtocol),
        ("SSH-2.0-OpenSSH_9\n", Reason::WrongPortOrProtocol),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", Reason::WrongPortOrProtocol),
        ("\x15\x03\x01\x00\x02\x02\x0a", Reason::WrongPortOrProtocol),
        ("", Reason::ServerClosedConnection),
    ] {
        let (err, seen) = starttls_fails(Script::new().send(greeting)).await;
        assert_eq!((err.reason, err.phase), (want, Phase::Greeting), "{greeting:?} before TLS");
        no_words(&err);
        no_secrets(&seen);
        let script = Script::new().tls(&rig.identity).send(greeting);
        let (err, seen) = rig.imap_fails(Security::Tls, script).await;
        assert_eq!((err.reason, err.phase), (want, Phase::Greeting), "{greeting:?} inside TLS");
        no_secrets(&seen);
    }
    // A port that does not begin with TLS, and one that says nothing.
    let (err, _) = rig.imap_fails(Security::Tls, Script::new().send("* OK plaintext\r\n")).await;
    assert_eq!((err.reason, err.phase), (Reason::TlsPlaintextPort, Phase::Tls));
    let silent = Script::new().hang().serve().await.unwrap();
    let soon =
        threadline_mail::connect::Timeouts { greeting: std::time::Duration::from_millis(50), ..patient() };
    let server = rig.server(silent.port(), Security::StartTls);
    let err = threadline_mail::connect::imap(&server, Default::default(), &soon).await.unwrap_err();
    assert_eq!((err.reason, err.phase), (Reason::ConnectionTimeout, Phase::Greeting));
}

pub async fn odd_mechanisms() {
    let odd = (0..55).map(|i| format!(" AUTH=X-ODD-{i}")).collect::<String>();
    let greeting = format!("* OK [CAPABILITY IMAP4REV1 AUTH=NONE AUTH=ANONYMOUS AUTH=X-ZIMBRA{odd}] x\r\n");
    tls_required(&starttls_fails(Script::new().send(greeting).hang()).await);
    super::smtp::odd_mechanisms().await;
}

pub async fn utf8_only() {
    let rig = Rig::new();
    let caps = "IMAP4REV1 UTF8=ONLY ENABLE IMAPSIEVE=sieve://evil.example";
    let script = Script::new().tls(&rig.identity).send(format!("* OK [CAPABILITY {caps}] x\r\n")).hang();
    let (mut server, opened) = rig.imap(Security::Tls, script).await;
    let opened = opened.unwrap();
    assert!(opened.greeting.capabilities.as_ref().unwrap().iter().any(|c| c == "UTF8=ONLY"));
    assert_eq!(opened.greeting.text, "x");
    drop(opened);
    no_secrets(&server.transcript().await);
}

pub async fn bye() {
    let rig = Rig::new();
    let gone = [Reason::ServerClosedConnection, Reason::ConnectionReset];
    let bye = "* BYE Connection closed. 14\r\n";
    let plain = Script::new().send("* OK x\r\n").expect("STARTTLS");
    let scripts = [
        (Security::StartTls, Script::new().send(bye)),
        (Security::StartTls, Script::new().reset()),
        (Security::StartTls, plain.clone().send(bye)),
        (Security::StartTls, plain.clone()),
        (Security::StartTls, plain.clone().reset()),
        (Security::StartTls, plain.clone().send("{tag} OK begin\r\n")),
        (Security::StartTls, plain.send("{tag} OK begin\r\n").reset()),
        (Security::Tls, Script::new()),
        (Security::Tls, Script::new().reset()),
        (Security::Tls, Script::new().tls(&rig.identity).send(bye)),
        (Security::Tls, Script::new().tls(&rig.identity)),
        (Security::Tls, Script::new().tls(&rig.identity).reset()),
        (Security::Tls, Script::new().tls(&rig.identity).send("* OK half a gree")),
    ];
    for (at, (security, script)) in scripts.into_iter().enumerate() {
        let (err, seen) = rig.imap_fails(security, script).await;
        assert!(gone.contains(&err.reason) && err.is_transient(), "{at}: {err:?}");
        no_secrets(&seen);
    }
}

pub async fn no_tag() {
    let rig = Rig::new();
    let line = "Server Unavailable. 15\r\n";
    let (err, _) = starttls_fails(Script::new().send(line)).await;
    assert_eq!(err.reason, Reason::ServerUnavailable);
    no_words(&err);
    let (err, _) = rig.imap_fails(Security::Tls, Script::new().tls(&rig.identity).send(line)).await;
    assert_eq!(err.reason, Reason::ServerUnavailable);
    assert_eq!(err.evidence.words, line.trim_end());
}
