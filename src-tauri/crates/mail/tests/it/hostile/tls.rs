//! Certificates that must be refused, over IMAP and SMTP, with implicit TLS and STARTTLS.

use super::rig::{Rig, no_secrets, patient};
use threadline_core::reason::{Phase, Reason, Signal, TlsFault};
use threadline_mail::connect::{self, Security, Server};
use threadline_mail::guard::Limits;
use threadline_mail::tls::Trust;
use threadline_testkit::certs::{Authority, Identity, self_signed as make_self_signed};
use threadline_testkit::script::Script;

async fn refused(rig: &Rig, identity: &Identity, reason: Reason, fault: TlsFault) {
    let hello = Script::new().send("220 x\r\n").expect("EHLO").send("250-x\r\n250 STARTTLS\r\n");
    let imap = [
        (Security::Tls, Script::new().tls(identity).send("* OK x\r\n").hang()),
        (Security::StartTls, Script::new().send("* OK x\r\n").starttls(identity).hang()),
    ];
    let smtp = [
        (Security::Tls, Script::new().tls(identity).send("220 x\r\n").hang()),
        (Security::StartTls, hello.expect("STARTTLS").send("220 go\r\n").tls(identity).hang()),
    ];
    for (security, script) in imap {
        let (err, seen) = rig.imap_fails(security, script).await;
        assert_eq!((err.reason, err.phase), (reason, Phase::Tls));
        assert_eq!(err.evidence.signal, Signal::Tls(fault));
        no_secrets(&seen);
    }
    for (security, script) in smtp {
        let (err, seen) = rig.smtp_fails(security, script).await;
        assert_eq!((err.reason, err.phase), (reason, Phase::Tls));
        assert!(matches!(seen.plain_text().as_str(), "" | "EHLO [127.0.0.1]\r\nSTARTTLS\r\n"), "{seen:?}");
        assert_eq!(seen.tls_text(), "");
    }
}

pub async fn self_signed() {
    let rig = Rig::new();
    for authority in [false, true] {
        let identity = make_self_signed(&["localhost"], authority).unwrap();
        refused(&rig, &identity, Reason::TlsUntrusted, TlsFault::UnknownIssuer).await;
    }
    let strange = Authority::new().unwrap().issue(&["localhost"]).unwrap();
    refused(&rig, &strange, Reason::TlsUntrusted, TlsFault::UnknownIssuer).await;
}

pub async fn wrong_host() {
    let rig = Rig::new();
    let identity = rig.authority.issue(&["mail.example.org"]).unwrap();
    refused(&rig, &identity, Reason::TlsNameMismatch, TlsFault::NameMismatch).await;
}

pub async fn expired() {
    let rig = Rig::new();
    let identity = rig.authority.issue_expired(&["localhost"]).unwrap();
    refused(&rig, &identity, Reason::TlsExpired, TlsFault::Expired).await;
    let future = rig.authority.issue_future(&["localhost"]).unwrap();
    refused(&rig, &future, Reason::TlsExpired, TlsFault::NotYetValid).await;
}

async fn pinned(shown: &Identity, pin: &str) -> Result<(), TlsFault> {
    let script = Script::new().tls(shown).send("* OK x\r\n").hang();
    let server = script.serve().await.unwrap();
    let mut trust = Trust::default();
    trust.pin("LOCALHOST", pin).unwrap();
    let server = Server { host: "localhost".into(), port: server.port(), security: Security::Tls, trust };
    match connect::imap(&server, Limits::imap(), &patient()).await {
        Ok(_) => Ok(()),
        Err(err) => match err.evidence.signal {
            Signal::Tls(fault) => Err(fault),
            other => panic!("{other:?}"),
        },
    }
}

#[tokio::test]
async fn a_pin_takes_one_certificate_with_its_own_key() {
    let [one, two] = [(); 2].map(|()| make_self_signed(&["elsewhere"], false).unwrap());
    assert_eq!(pinned(&one, &one.sha256().to_uppercase()).await, Ok(()));
    assert_eq!(pinned(&two, &one.sha256()).await, Err(TlsFault::UnknownIssuer));
    let stolen = one.with_key_of(&two);
    assert!(pinned(&stolen, &one.sha256()).await.is_err(), "the certificate alone proves nothing");
}

#[tokio::test]
async fn trust_is_for_one_host() {
    let rig = Rig::new();
    let identity = rig.authority.issue(&["localhost", "127.0.0.1"]).unwrap();
    let script = Script::new().tls(&identity).send("* OK x\r\n").hang();
    let running = script.serve().await.unwrap();
    let mut server = rig.server(running.port(), Security::Tls);
    assert!(connect::imap(&server, Limits::imap(), &patient()).await.is_ok());
    server.host = "127.0.0.1".into();
    let err = connect::imap(&server, Limits::imap(), &patient()).await.unwrap_err();
    assert_eq!(err.reason, Reason::TlsUntrusted);
}

#[tokio::test]
async fn trust_is_found_however_the_host_is_spelt() {
    let rig = Rig::new();
    for (host, spelt) in
        [("localhost.", "localhost."), ("Localhost", "localhost."), ("[localhost]", "localhost")]
    {
        let script = Script::new().tls(&rig.identity).send("* OK x\r\n").hang();
        let running = script.serve().await.unwrap();
        let mut trust = Trust::default();
        trust.add_authority(host, rig.authority.pem()).unwrap();
        let server = Server { host: spelt.into(), port: running.port(), security: Security::Tls, trust };
        let opened = connect::imap(&server, Limits::imap(), &patient()).await;
        assert!(opened.is_ok(), "{host} {spelt}: {opened:?}");
    }
}

#[test]
fn trust_that_cannot_be_read_is_refused() {
    let mut trust = Trust::default();
    for pem in ["", "junk", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(trust.add_authority("x", pem).is_err(), "{pem:?}");
    }
    let colons = ["ab"; 32].join(":");
    for (pin, good) in
        [("", false), ("abc", false), (&"g".repeat(64), false), (&colons, true), (&"0".repeat(63), false)]
    {
        assert_eq!(trust.pin("x", pin).is_ok(), good, "{pin}");
    }
}
