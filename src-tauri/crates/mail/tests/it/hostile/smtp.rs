//! What an SMTP server, or somebody on the way to it, says; and what must not get into what we say.

use super::rig::{Rig, patient};
use lettre::message::header;
use threadline_core::reason::{Phase, Reason, Signal};
use threadline_mail::connect::Security;
use threadline_mail::error::MailError;
use threadline_mail::login::Login;
use threadline_mail::smtp::{self, Submission};
use threadline_testkit::script::{Script, Scripted, Transcript};

const CODES: [u16; 12] = [220, 221, 354, 421, 454, 500, 501, 502, 504, 530, 550, 554];

/// In the clear an SMTP client said EHLO and STARTTLS at most.
fn no_secrets(seen: &Transcript) {
    let allowed = ["", "EHLO [127.0.0.1]\r\n", "EHLO [127.0.0.1]\r\nSTARTTLS\r\n"];
    assert!(allowed.contains(&seen.plain_text().as_str()), "in the clear: {:?}", seen.plain_text());
    for line in seen.tls_text().lines() {
        assert!(["EHLO [127.0.0.1]", "QUIT"].contains(&line), "inside TLS: {line:?}");
    }
}

fn hello(capabilities: &str) -> Script {
    Script::new().send("220 mx\r\n").expect("EHLO").send(format!("250-mx\r\n{capabilities}"))
}

async fn starttls_fails(script: Script) -> MailError {
    let (err, seen) = Rig::new().smtp_fails(Security::StartTls, script).await;
    assert_eq!(err.evidence.words, "", "no word from before TLS is kept");
    no_secrets(&seen);
    err
}

pub async fn refused() {
    let capabilities = "250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n";
    let err = starttls_fails(hello(capabilities).expect("STARTTLS").send("502 no\r\n").hang()).await;
    assert_eq!((err.reason, err.evidence.signal), (Reason::TlsRequired, Signal::NoStartTls));
    let err = starttls_fails(hello("250 AUTH PLAIN LOGIN\r\n").hang()).await;
    assert_eq!((err.reason, err.evidence.signal), (Reason::TlsRequired, Signal::NoStartTls));
    // The word must be a capability of its own.
    let err = starttls_fails(hello("250 AUTH STARTTLS\r\n").hang()).await;
    assert_eq!(err.reason, Reason::TlsRequired);
}

pub async fn hello_unknown() {
    let script = Script::new().send("220 mx\r\n").expect("EHLO").send("500 unknown\r\n").hang();
    assert_eq!(starttls_fails(script).await.reason, Reason::TlsRequired);
    let rig = Rig::new();
    let script =
        Script::new().tls(&rig.identity).send("220 mx\r\n").expect("EHLO").send("500 unknown\r\n").hang();
    let (err, seen) = rig.smtp_fails(Security::Tls, script).await;
    assert_eq!(err.reason, Reason::ProtocolError);
    no_secrets(&seen);
}

pub async fn injection() {
    let rig = Rig::new();
    let injected = "250-example.org\r\n250 AUTH LOGIN\r\n";
    let base = || hello("250 STARTTLS\r\n").expect("STARTTLS");
    for script in [
        base().send(format!("220 Ready to start TLS\r\n{injected}")).tls(&rig.identity).hang(),
        base().send("220 Ready to start TLS\r\n").send(injected).tls(&rig.identity).hang(),
        base().send("220 Ready to start TLS\r\n2").tls(&rig.identity).hang(),
    ] {
        let (err, seen) = rig.smtp_fails(Security::StartTls, script).await;
        assert_eq!(err.evidence.signal, Signal::PlaintextLeftOver);
        assert_eq!(err.evidence.words, "");
        no_secrets(&seen);
    }
}

/// Each code at each step: the connection goes on or ends with a reason, and nothing is said in the clear.
pub async fn every_code() {
    let rig = Rig::new();
    for code in CODES {
        let line = format!("{code} 4.0.0 words\r\n");
        if code != 220 {
            let err = starttls_fails(Script::new().send(&line).hang()).await;
            assert_eq!(err.phase, Phase::Greeting);
            let script = Script::new().tls(&rig.identity).send(&line).hang();
            let (err, seen) = rig.smtp_fails(Security::Tls, script).await;
            assert_eq!(err.phase, Phase::Greeting);
            assert!(matches!(&err.evidence.signal, Signal::Smtp { code: c, .. } if *c == code), "{err:?}");
            no_secrets(&seen);
            let err = starttls_fails(hello("250 STARTTLS\r\n").expect("STARTTLS").send(&line).hang()).await;
            assert_eq!(err.phase, Phase::Tls);
        }
        let err = starttls_fails(Script::new().send("220 mx\r\n").expect("EHLO").send(&line).hang()).await;
        assert_eq!(err.phase, Phase::Tls);
        let script = Script::new().tls(&rig.identity).send("220 mx\r\n").expect("EHLO").send(&line).hang();
        let (err, seen) = rig.smtp_fails(Security::Tls, script).await;
        assert!(matches!(&err.evidence.signal, Signal::Smtp { code: c, .. } if *c == code), "{err:?}");
        no_secrets(&seen);
        for verb in ["NOOP", "QUIT"] {
            let (_server, mut submission) =
                open(&rig, "250 SIZE 1\r\n", Script::new().expect(verb).send(&line)).await;
            let answer = match verb {
                "NOOP" => submission.connection.command(lettre::transport::smtp::commands::Noop).await,
                _ => submission.connection.quit().await,
            };
            if let Err(err) = answer {
                let err = MailError::from_smtp("x:1", Phase::Greeting, &err);
                assert!(
                    matches!(&err.evidence.signal, Signal::Smtp { code: c, .. } if *c == code),
                    "{err:?}"
                );
            } else {
                assert!(code < 400);
            }
        }
    }
    for (code, want) in
        [(421, Reason::ServerUnavailable), (454, Reason::TlsRequired), (554, Reason::TlsRequired)]
    {
        let script = hello("250 STARTTLS\r\n").expect("STARTTLS").send(format!("{code} x\r\n")).hang();
        assert_eq!(starttls_fails(script).await.reason, want, "{code}");
    }
}

/// An open connection whose server offers `capabilities` and then plays `then`.
async fn open(rig: &Rig, capabilities: &str, then: Script) -> (Scripted, Submission) {
    let script = Script::new().tls(&rig.identity).send("220 mx\r\n").expect("EHLO");
    let script = script.send(format!("250-mx\r\n{capabilities}")).followed_by(then);
    let server = script.serve().await.unwrap();
    let submission = smtp::smtp(&rig.server(server.port(), Security::Tls), &patient()).await.unwrap();
    (server, submission)
}

pub async fn odd_mechanisms() {
    let rig = Rig::new();
    for login in [Login::password("ann", "secret".to_owned()), Login::token("ann", "tok".to_owned())] {
        let (mut server, submission) =
            open(&rig, "250 AUTH X-ZIMBRA NONE ANONYMOUS CRAM-MD5\r\n", Script::new()).await;
        let at = rig.server(server.port(), Security::Tls);
        let err = smtp::sign_in(&at, submission, &login, &patient()).await.unwrap_err();
        assert_eq!(err.reason, Reason::AuthMechanismUnsupported);
        assert_eq!(err.evidence.words, "The server offers: X-ZIMBRA NONE ANONYMOUS CRAM-MD5");
        no_secrets(&server.transcript().await);
    }
}

#[tokio::test]
async fn starttls_leads_into_tls_and_lettre_goes_on() {
    let rig = Rig::new();
    let script =
        hello("250-STARTTLS\r\n250 AUTH EVIL\r\n").expect("STARTTLS").send("220 go\r\n").tls(&rig.identity);
    let mut server = script.expect("EHLO").send("250-mx\r\n250 AUTH PLAIN\r\n").hang().serve().await.unwrap();
    let submission = smtp::smtp(&rig.server(server.port(), Security::StartTls), &patient()).await.unwrap();
    let shown = format!("{submission:?}");
    assert!(shown.contains("PLAIN") && !shown.contains("EVIL"), "{shown}");
    drop(submission);
    let seen = server.transcript().await;
    assert_eq!(seen.plain_text(), "EHLO [127.0.0.1]\r\nSTARTTLS\r\n");
    assert_eq!(seen.tls_text(), "EHLO [127.0.0.1]\r\n");
}

pub async fn inject() {
    for address in ["a@x\r\nRCPT TO:<b@y>", "a\r\n@x", "a@x\n", "a@x>\r\n"] {
        assert!(address.parse::<lettre::Address>().is_err(), "{address:?}");
    }
    let message = lettre::Message::builder()
        .from("ann@example.org".parse().unwrap())
        .to("bob@example.org".parse().unwrap())
        .subject("one\r\nBcc: evil@example.org\r\n\r\nbody")
        .in_reply_to("<a@x>\r\nBcc: evil@example.org".into())
        .header(header::ContentType::TEXT_PLAIN)
        .body("one\r\n.\r\nMAIL FROM:<evil@x>\r\n.two\r\n.\nthree\n.\nfour\r.\rfive".to_owned())
        .unwrap();
    let raw = String::from_utf8(message.formatted()).unwrap();
    let head = raw.split("\r\n\r\n").next().unwrap();
    assert!(!head.lines().any(|l| l.to_ascii_lowercase().starts_with("bcc:")), "{head}");
    assert!(head.contains("Subject:") && head.contains("In-Reply-To:") && head.contains("To: bob"), "{head}");

    let rig = Rig::new();
    let then = Script::new()
        .expect("MAIL FROM:<ann@example.org>")
        .send("250 ok\r\n")
        .expect("RCPT TO:<bob@example.org>")
        .send("250 ok\r\n")
        .expect("DATA")
        .send("354 go\r\n250 queued\r\n");
    let (mut server, mut submission) = open(&rig, "250 8BITMIME\r\n", then).await;
    submission.connection.send(message.envelope(), &smtp::canonical(&message.formatted())).await.unwrap();
    drop(submission);
    let seen = server.transcript().await;
    assert_eq!(seen.mismatch, None);
    let data = seen.tls_text();
    let data = data.split_once("DATA\r\n").unwrap().1;
    // One end, and it is the end: neither RFC 5321's nor any that a careless server takes for one.
    for end in ["\r\n.\r\n", "\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n", "\r\n.\r"] {
        let found: Vec<usize> = data.match_indices(end).map(|(at, _)| at).collect();
        let last = data.rfind("\r\n.\r\n").unwrap();
        assert!(found.iter().all(|at| *at >= last), "{end:?} inside the data: {data:?}");
    }
}
