//! The check of a mailbox against servers that fail at each of its steps.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use std::sync::Arc;
use threadline_core::address::Address;
use threadline_core::health::{Channel, State};
use threadline_core::reason::Reason;
use threadline_engine::check::{
    CheckReport, CheckState, CheckStep, CheckStepName, Found, FoundFolder, FoundHow,
};
use threadline_engine::clock::SystemClock;
use threadline_engine::settings::{AccountSettings, Encryption, Endpoint};
use threadline_engine::{Engine, Home};
use threadline_secrets::{Memory, SecretError};
use threadline_testkit::certs::{Authority, Identity, self_signed};
use threadline_testkit::script::{Script, Scripted};
use zeroize::Zeroizing;

struct Bench {
    _dir: tempfile::TempDir,
    engine: Engine,
    secrets: Arc<Memory>,
    authority: Authority,
    identity: Identity,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let secrets = Arc::new(Memory::new());
        let home = Home::open(&dir.path().join("data")).unwrap();
        let clock = Arc::new(SystemClock::start());
        let (engine, _) = Engine::open(home, secrets.clone(), clock, None).unwrap();
        let authority = Authority::new().unwrap();
        let identity = authority.issue(&["localhost"]).unwrap();
        Self { _dir: dir, engine, secrets, authority, identity }
    }

    fn settings(&self, port: u16, encryption: Encryption) -> AccountSettings {
        let address = Address::parse("ann@firm.example").unwrap();
        let mut settings = AccountSettings::new(address, "localhost".into(), encryption);
        settings.port = port;
        settings.authority = Some(self.authority.pem().to_owned());
        settings
    }

    /// Runs the check with a password, and proves that each step was told as it should be.
    async fn check(&self, settings: &AccountSettings) -> (Vec<CheckStep>, CheckReport) {
        self.check_with(settings, Some("secret")).await
    }

    async fn check_with(
        &self,
        settings: &AccountSettings,
        password: Option<&str>,
    ) -> (Vec<CheckStep>, CheckReport) {
        let mut told = Vec::new();
        let password = password.map(|p| Zeroizing::new(p.to_owned()));
        let report = self.engine.check(settings, password, |step| told.push(step)).await.unwrap();
        for name in CheckStepName::ALL {
            let of: Vec<&CheckStep> = told.iter().filter(|s| s.step == name).collect();
            match &of[..] {
                [only] => assert_eq!((only.state, only.ms), (CheckState::Skipped, None), "{of:?}"),
                [first, last] => {
                    assert_eq!(first.state, CheckState::Running);
                    assert!(last.ms.is_some() && last.state != CheckState::Running, "{of:?}");
                }
                _ => panic!("{name:?} was told {} times: {of:?}", of.len()),
            }
        }
        assert_eq!(report.steps.iter().map(|s| s.step).collect::<Vec<_>>(), CheckStepName::ALL);
        (told, report)
    }

    /// Fails at this step for this reason: what stands before it is well, the rest of IMAP is skipped, the CRM is tried.
    async fn fails(&self, settings: &AccountSettings, at: CheckStepName, reason: Reason) -> CheckReport {
        let (_, report) = self.check(settings).await;
        assert_eq!(report.failed, Some(at), "{report:#?}");
        let step = step(&report, at);
        assert_eq!((step.state, step.reason), (CheckState::Failed, Some(reason)));
        for other in report.steps.iter().filter(|s| s.step != at) {
            let want = match other.step {
                CheckStepName::Smtp => CheckState::Skipped,
                CheckStepName::Crm => CheckState::Ok,
                _ if position(other.step) < position(at) => CheckState::Ok,
                _ => CheckState::Skipped,
            };
            assert_eq!(other.state, want, "{other:?}");
        }
        report
    }

    fn inside(&self) -> Script {
        Script::new()
            .tls(&self.identity)
            .send("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] IMAP is ready\r\n")
    }

    fn signed_in(&self, capabilities: &str) -> Script {
        self.inside()
            .expect("AUTHENTICATE PLAIN")
            .send(format!("{{tag}} OK [CAPABILITY {capabilities}] in\r\n"))
    }

    async fn imap(&self, script: Script) -> (Scripted, AccountSettings) {
        let server = script.serve().await.unwrap();
        let settings = self.settings(server.port(), Encryption::Tls);
        (server, settings)
    }
}

fn position(name: CheckStepName) -> usize {
    CheckStepName::ALL.iter().position(|n| *n == name).unwrap()
}

fn step(report: &CheckReport, name: CheckStepName) -> &CheckStep {
    report.steps.iter().find(|s| s.step == name).unwrap()
}

fn words(report: &CheckReport, name: CheckStepName) -> &str {
    step(report, name).words.as_deref().unwrap_or_default()
}

fn found(report: &CheckReport, name: CheckStepName) -> Found {
    step(report, name).found.clone().unwrap()
}

const EXAMINED: &str =
    "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 3] x\r\n{tag} OK [READ-ONLY] opened\r\n";

/// INBOX, the list of folders, and one Sent folder.
fn folders(script: Script, list: &str) -> Script {
    script.expect("EXAMINE \"INBOX\"").send(EXAMINED).expect("LIST").send(format!("{list}{{tag}} OK\r\n"))
}

async fn closed_port() -> u16 {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_name_that_is_none_fails_at_dns() {
    let bench = Bench::new();
    let mut settings = bench.settings(993, Encryption::Tls);
    // The resolver refuses it without asking anybody.
    settings.host = "a..b".into();
    settings.authority = None;
    bench.fails(&settings, CheckStepName::Dns, Reason::DnsFailure).await;
}

#[tokio::test]
async fn a_port_where_nobody_listens_fails_at_tcp() {
    let bench = Bench::new();
    let settings = bench.settings(closed_port().await, Encryption::Tls);
    let report = bench.fails(&settings, CheckStepName::Tcp, Reason::ConnectionRefused).await;
    assert!(words(&report, CheckStepName::Dns).contains("127.0.0.1"), "{report:?}");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_shown_and_may_be_pinned() {
    let bench = Bench::new();
    let strange = self_signed(&["localhost"], false).unwrap();
    let (_server, mut settings) = bench.imap(Script::new().tls(&strange).send("* BYE enough\r\n")).await;
    let report = bench.fails(&settings, CheckStepName::Tls, Reason::TlsUntrusted).await;
    let shown = report.presented.unwrap();
    assert_eq!(shown.fingerprint, strange.sha256());
    assert!(shown.subject.contains("Threadline test server"), "{shown:?}");
    assert_eq!(shown.expires.to_string(), "2090-01-01T00:00:00Z");
    settings.fingerprint = Some(shown.fingerprint);
    let report = bench.fails(&settings, CheckStepName::Greeting, Reason::ServerClosedConnection).await;
    assert_eq!(report.presented, None);
    assert_eq!(words(&report, CheckStepName::Greeting), "enough");
}

#[tokio::test]
async fn an_expired_certificate_is_named_with_its_date() {
    let bench = Bench::new();
    let old = bench.authority.issue_expired(&["localhost"]).unwrap();
    let (_server, settings) = bench.imap(Script::new().tls(&old).send("* OK x\r\n").hang()).await;
    let report = bench.fails(&settings, CheckStepName::Tls, Reason::TlsExpired).await;
    let shown = report.presented.unwrap();
    assert_eq!(shown.expires.to_string(), "2021-01-01T00:00:00Z");
    assert!(shown.issuer.contains("Threadline test authority"), "{shown:?}");
}

#[tokio::test]
async fn a_plain_port_asked_for_tls_is_no_matter_of_trust() {
    let bench = Bench::new();
    let (_server, settings) = bench.imap(Script::new().send("* OK in the clear\r\n").hang()).await;
    let report = bench.fails(&settings, CheckStepName::Tls, Reason::TlsPlaintextPort).await;
    assert_eq!((&report.presented, words(&report, CheckStepName::Tls)), (&None, ""));
}

#[tokio::test]
async fn a_pop3_server_is_known_by_its_greeting() {
    let bench = Bench::new();
    let (_server, settings) =
        bench.imap(Script::new().tls(&bench.identity).send("+OK POP3 ready\r\n").hang()).await;
    let report = bench.fails(&settings, CheckStepName::Greeting, Reason::Pop3Configured).await;
    assert_eq!(words(&report, CheckStepName::Greeting), "+OK POP3 ready");
}

#[tokio::test]
async fn no_word_from_before_tls_is_told() {
    let bench = Bench::new();
    let script = Script::new()
        .send("* OK [ALERT] call this number\r\n")
        .starttls(&bench.identity)
        .expect("CAPABILITY")
        .send("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n{tag} OK\r\n")
        .expect("AUTHENTICATE PLAIN")
        .send("+ \r\n")
        .expect("")
        .send("{tag} NO\r\n");
    let server = script.serve().await.unwrap();
    let (told, report) = bench.check(&bench.settings(server.port(), Encryption::Starttls)).await;
    assert!(!serde_json::to_string(&(&told, &report)).unwrap().contains("number"), "{told:?}");
    // In the order in which it happened, though the report has its own.
    let ended = told.iter().filter(|s| s.ms.is_some()).map(|s| s.step).take(4);
    let want = [CheckStepName::Dns, CheckStepName::Tcp, CheckStepName::Greeting, CheckStepName::Tls];
    assert_eq!(ended.collect::<Vec<_>>(), want);
    assert!(words(&report, CheckStepName::Tls).starts_with("TLS 1."), "{report:?}");
}

#[tokio::test]
async fn a_refused_password_is_told_in_the_servers_words() {
    let bench = Bench::new();
    let script = bench
        .inside()
        .expect("AUTHENTICATE PLAIN")
        .send("{tag} NO [AUTHENTICATIONFAILED] Not you.\r\n")
        .hang();
    let (_server, settings) = bench.imap(script).await;
    let report = bench.fails(&settings, CheckStepName::SignIn, Reason::CredentialsRejected).await;
    assert!(words(&report, CheckStepName::SignIn).contains("Not you."), "{report:?}");
    assert_eq!(words(&report, CheckStepName::Greeting), "IMAP is ready");
}

#[tokio::test]
async fn without_any_password_the_way_to_the_sign_in_is_tried() {
    let bench = Bench::new();
    let (_server, settings) = bench.imap(bench.inside().hang()).await;
    let (_, report) = bench.check_with(&settings, None).await;
    assert_eq!(report.failed, Some(CheckStepName::SignIn));
    assert_eq!(step(&report, CheckStepName::SignIn).reason, Some(Reason::KeychainMissing));
    assert_eq!(step(&report, CheckStepName::Greeting).state, CheckState::Ok);
    bench.secrets.fail_with(Some(SecretError::Locked { words: "locked".into() }));
    let (_, report) = bench.check_with(&settings, None).await;
    assert_eq!(step(&report, CheckStepName::SignIn).reason, Some(Reason::KeychainLocked));
}

#[tokio::test]
async fn an_inbox_that_is_refused_fails_there() {
    let bench = Bench::new();
    let script = bench
        .signed_in("IMAP4rev1 IDLE")
        .expect("EXAMINE \"INBOX\"")
        .send("{tag} NO [UNAVAILABLE] Later, please\r\n")
        .expect("LOGOUT")
        .send("* BYE\r\n{tag} OK\r\n");
    let (_server, settings) = bench.imap(script).await;
    let report = bench.fails(&settings, CheckStepName::Inbox, Reason::ServerUnavailable).await;
    assert!(words(&report, CheckStepName::Inbox).contains("Later, please"), "{report:?}");
}

#[tokio::test]
async fn a_full_mailbox_that_the_server_does_not_open_is_told_as_full() {
    let bench = Bench::new();
    let script = bench
        .signed_in("IMAP4rev1 IDLE")
        .expect("EXAMINE \"INBOX\"")
        .send("{tag} NO [OVERQUOTA] Not enough disk quota\r\n")
        .expect("LOGOUT")
        .send("* BYE\r\n{tag} OK\r\n");
    let (_server, settings) = bench.imap(script).await;
    bench.fails(&settings, CheckStepName::Inbox, Reason::OverQuota).await;
    let script =
        bench.inside().expect("AUTHENTICATE PLAIN").send("{tag} NO [OVERQUOTA] Mailbox is full\r\n").hang();
    let (_server, settings) = bench.imap(script).await;
    bench.fails(&settings, CheckStepName::SignIn, Reason::OverQuota).await;
}

#[tokio::test]
async fn a_mailbox_without_a_sent_folder_is_a_warning() {
    let bench = Bench::new();
    let script = folders(bench.signed_in("IMAP4rev1"), "* LIST () \"/\" INBOX\r\n")
        .expect("LOGOUT")
        .send("* BYE\r\n{tag} OK\r\n");
    let (_server, settings) = bench.imap(script).await;
    let (_, report) = bench.check(&settings).await;
    let sent = step(&report, CheckStepName::Sent);
    assert_eq!((sent.state, sent.reason), (CheckState::Warning, Some(Reason::SentFolderUnknown)));
    // Nor does this server tell of new mail by itself.
    assert_eq!(step(&report, CheckStepName::Capabilities).state, CheckState::Warning);
    assert_eq!((report.failed, report.same_mailbox), (None, None));
}

#[tokio::test]
async fn a_good_mailbox_passes_and_smtp_is_tried_with_the_same_password() {
    let bench = Bench::new();
    let list = "* LIST () \"/\" INBOX\r\n* LIST (\\Sent) \"/\" Gesendet\r\n";
    let script = folders(bench.signed_in("IMAP4rev1 IDLE SPECIAL-USE"), list)
        .expect("EXAMINE \"Gesendet\"")
        .send(EXAMINED)
        .expect("LOGOUT")
        .send("* BYE\r\n{tag} OK\r\n");
    let (mut server, mut settings) = bench.imap(script).await;
    let smtp = smtp(&bench, "235 2.7.0 Welcome\r\n").await;
    settings.smtp =
        Some(Endpoint { host: "localhost".into(), port: smtp.port(), encryption: Encryption::Tls });
    let (_, report) = bench.check(&settings).await;
    assert!(report.steps.iter().all(|s| s.state == CheckState::Ok), "{report:#?}");
    assert_eq!(found(&report, CheckStepName::Inbox), Found::Messages { messages: 2 });
    let sent = FoundFolder { name: "Gesendet".into(), how: FoundHow::SpecialUse };
    assert_eq!(found(&report, CheckStepName::Sent), Found::SentFolders { folders: vec![sent] });
    let Found::Crms { crms } = found(&report, CheckStepName::Crm) else { panic!("{report:#?}") };
    assert_eq!((crms.len(), crms[0].kind.as_str()), (1, "folder"));
    // No step says in one language what the person may want in another.
    for step in &report.steps {
        assert!(step.words.is_some() != step.found.is_some(), "{step:?}");
    }
    let said = server.transcript().await;
    assert_eq!(said.mismatch, None);
    assert!(!said.tls_text().contains("SELECT"), "a check changes nothing");
    // How sending was is known of the mailbox, for as long as it sends by this server.
    let sending = || async {
        let mailbox = bench.engine.status().await.unwrap().mailboxes.remove(0);
        mailbox.channels.iter().find(|health| health.channel == Channel::Smtp).map(|health| health.state)
    };
    bench.engine.add_account(settings.clone(), Some(Zeroizing::new("secret".into()))).await.unwrap();
    assert_eq!(sending().await, Some(State::Connected));
    settings.smtp = None;
    bench.engine.change_account(settings).await.unwrap();
    assert_eq!(sending().await, None);
}

/// A server for sending that answers the sign-in so.
async fn smtp(bench: &Bench, answer: &str) -> Scripted {
    let script = Script::new()
        .tls(&bench.identity)
        .send("220 mx\r\n")
        .expect("EHLO")
        .send("250-mx\r\n250 AUTH PLAIN\r\n")
        .expect("AUTH PLAIN AGFubkBmaXJtLmV4YW1wbGUAc2VjcmV0")
        .send(answer)
        .expect("QUIT")
        .send("221 bye\r\n");
    script.serve().await.unwrap()
}

#[tokio::test]
async fn a_certificate_of_the_smtp_server_is_shown_and_may_be_pinned_for_it_alone() {
    let bench = Bench::new();
    let strange = self_signed(&["localhost"], false).unwrap();
    let mut settings = bench.settings(closed_port().await, Encryption::Tls);
    let serve =
        || Script::new().tls(&strange).send("220 mx\r\n").expect("EHLO").send("421 enough\r\n").serve();
    let server = serve().await.unwrap();
    let endpoint = |port| Some(Endpoint { host: "localhost".into(), port, encryption: Encryption::Tls });
    settings.smtp = endpoint(server.port());
    let (_, report) = bench.check(&settings).await;
    assert_eq!(step(&report, CheckStepName::Smtp).reason, Some(Reason::TlsUntrusted));
    assert_eq!(report.presented, None);
    let shown = report.presented_smtp.unwrap();
    assert_eq!(shown.fingerprint, strange.sha256());
    settings.smtp_fingerprint = Some(shown.fingerprint);
    let server = serve().await.unwrap();
    settings.smtp = endpoint(server.port());
    let (_, report) = bench.check(&settings).await;
    assert_eq!(report.presented_smtp, None);
    assert!(words(&report, CheckStepName::Smtp).contains("enough"), "{report:#?}");
}

#[tokio::test]
async fn smtp_is_tried_where_imap_failed_and_fails_for_itself() {
    let bench = Bench::new();
    let mut settings = bench.settings(closed_port().await, Encryption::Tls);
    for (answer, state, reason) in [
        ("235 ok\r\n", CheckState::Ok, None),
        ("535 5.7.8 No\r\n", CheckState::Failed, Some(Reason::CredentialsRejected)),
    ] {
        let smtp = smtp(&bench, answer).await;
        let port = smtp.port();
        settings.smtp = Some(Endpoint { host: "localhost".into(), port, encryption: Encryption::Tls });
        let (_, report) = bench.check(&settings).await;
        assert_eq!(report.failed, Some(CheckStepName::Tcp));
        let step = step(&report, CheckStepName::Smtp);
        assert_eq!((step.state, step.reason), (state, reason), "{report:#?}");
    }
}

#[tokio::test]
async fn the_sent_folder_that_the_person_named_is_looked_at() {
    let bench = Bench::new();
    let list = "* LIST () \"/\" INBOX\r\n* LIST () \"/\" Ausgang\r\n* LIST (\\Trash) \"/\" Trash\r\n";
    let script = folders(bench.signed_in("IMAP4rev1 IDLE"), list)
        .expect("EXAMINE \"Ausgang\"")
        .send(EXAMINED)
        .expect("LOGOUT")
        .send("* BYE\r\n{tag} OK\r\n");
    let (_server, mut settings) = bench.imap(script).await;
    settings.sent_folder = Some("Ausgang".into());
    let (_, report) = bench.check(&settings).await;
    assert_eq!(step(&report, CheckStepName::Sent).state, CheckState::Ok, "{report:#?}");
    let sent = FoundFolder { name: "Ausgang".into(), how: FoundHow::Named };
    assert_eq!(found(&report, CheckStepName::Sent), Found::SentFolders { folders: vec![sent] });
    assert_eq!(report.folders, ["Ausgang"]);
}

#[tokio::test]
async fn the_sending_servers_certificate_is_shown_where_that_is_what_fails_first() {
    let bench = Bench::new();
    let strange = self_signed(&["localhost"], false).unwrap();
    let smtp = Script::new().tls(&strange).send("220 mx\r\n").serve().await.unwrap();
    let (port, encryption) = (smtp.port(), Encryption::Tls);
    let list = "* LIST () \"/\" INBOX\r\n";
    let script =
        folders(bench.signed_in("IMAP4rev1 IDLE"), list).expect("LOGOUT").send("* BYE\r\n{tag} OK\r\n");
    let (_server, mut settings) = bench.imap(script).await;
    settings.smtp = Some(Endpoint { host: "localhost".into(), port, encryption });
    let (_, report) = bench.check(&settings).await;
    assert_eq!(report.failed, Some(CheckStepName::Smtp), "{report:#?}");
    assert_eq!(report.presented_smtp.unwrap().fingerprint, strange.sha256());

    // Where IMAP fails before it, its own certificate counts, and it has none here.
    let smtp = Script::new().tls(&strange).send("220 mx\r\n").serve().await.unwrap();
    let mut settings = bench.settings(closed_port().await, encryption);
    settings.smtp = Some(Endpoint { host: "localhost".into(), port: smtp.port(), encryption });
    let (_, report) = bench.check(&settings).await;
    assert_eq!((report.failed, report.presented), (Some(CheckStepName::Tcp), None));
}
