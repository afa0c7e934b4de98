//! Signing in with the browser, against an authorisation server and mail servers that are not ours.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use threadline_core::address::{Address, Mailbox};
use threadline_core::reason::Reason;
use threadline_core::rule::Rules;
use threadline_engine::check::{CheckState, CheckStepName};
use threadline_engine::clock::SystemClock;
use threadline_engine::reconnect::OtherMailbox;
use threadline_engine::settings::{AccountSettings, Auth, Encryption, Endpoint, MailboxDraft, OauthProvider};
use threadline_engine::writing::{CopyWish, Draft, SendLine, SendState};
use threadline_engine::{Engine, EngineError, Event, Home};
use threadline_mail::connect::{Security, Server, Timeouts};
use threadline_mail::login::Login;
use threadline_mail::submit::{Params, Path, Patience, Session};
use threadline_mail::tls::Trust;
use threadline_oauth::Provider;
use threadline_secrets::{Memory, Secrets};
use threadline_testkit::lab::{Lab, free_ports};
use threadline_tests::oidc::{CLIENT_ID, Oidc};
use threadline_tests::relayed::hand_in;
use threadline_tests::watched::with_browser;
use threadline_tests::{Computer, PATIENCE, events_of};
use tokio::sync::broadcast::Receiver;

const ANN: &str = "ann@lab.test";
const CARL: &str = "carl@customer1.example";
const BOB: &str = "bob@lab.test";
const OTHER: OauthProvider = OauthProvider::Other;

struct Desk {
    dir: tempfile::TempDir,
    oidc: Oidc,
    lab: Lab,
    secrets: Arc<Memory>,
    engine: Engine,
    settings: AccountSettings,
}

impl Desk {
    async fn new() -> Result<Self> {
        Self::offering("plain login xoauth2 oauthbearer").await
    }

    /// Servers that take these ways of signing in.
    async fn offering(mechanisms: &str) -> Result<Self> {
        let oidc = Oidc::start().await?;
        let lab = Lab::builder().users([ANN, CARL]).tokens(&oidc.introspection()).mechanisms(mechanisms);
        let lab = lab.with_smtp().start()?;
        let (dir, secrets) = (tempfile::tempdir()?, Arc::new(Memory::new()));
        let engine = open(dir.path(), &secrets)?;
        let scopes = ["openid", "email", "mail"].map(str::to_owned).to_vec();
        let provider = Provider::described(&oidc.issuer(), scopes).await?;
        engine.set_oauth_app(OTHER, CLIENT_ID.to_owned(), Some(provider), None).await?;
        let mut settings = AccountSettings::new(Address::parse(ANN)?, "localhost".into(), Encryption::Tls);
        settings.port = lab.imaps_port();
        settings.authority = Some(lab.ca_pem().to_owned());
        settings.auth = Auth::Oauth { provider: OTHER };
        let (host, port) = ("localhost".to_owned(), lab.smtps_port());
        settings.smtp = Some(Endpoint { host, port, encryption: Encryption::Tls });
        Ok(Self { dir, oidc, lab, secrets, engine, settings })
    }

    /// Somebody signs in in the browser, for Ann's mailbox.
    async fn sign_in(&self, user: &str) -> Result<()> {
        let begun = self.engine.begin_sign_in(&self.settings.address, OTHER).await?;
        let url = begun.url().to_owned();
        let (page, finished) = tokio::join!(self.oidc.person(&url, user), self.engine.finish_sign_in(begun));
        ensure!(page?.contains("Threadline goes on"), "another page");
        Ok(finished?)
    }

    async fn added() -> Result<Self> {
        let desk = Self::new().await?;
        desk.add().await?;
        Ok(desk)
    }

    async fn add(&self) -> Result<()> {
        self.sign_in(ANN).await?;
        Ok(self.engine.add_account(self.settings.clone(), None).await?)
    }

    /// Sends a mail to Carl now; gives what became of it.
    async fn send(&self) -> Result<SendLine> {
        let carl = Mailbox::new(None, Address::parse(CARL)?);
        let draft = Draft {
            to: vec![carl],
            subject: Some("Offer".to_owned()),
            text: Some("Hello".to_owned()),
            at: Some(jiff::Timestamp::now()),
            ..Draft::default()
        };
        let sent = self.engine.send(&self.settings.address, &draft).await?;
        Ok(self.engine.send_due(sent.id).await?)
    }

    fn refresh_token(&self) -> Result<String> {
        let names = self.secrets.names();
        let name = names.iter().find(|n| n.starts_with("oauth:")).context("no refresh token is kept")?;
        Ok(self.secrets.get(name)?.context("it is gone")?.as_str().to_owned())
    }

    async fn failed(&self) -> Result<(Option<CheckStepName>, Option<Reason>)> {
        let report = self.engine.check(&self.settings, None, |_| {}).await?;
        let failed = report.steps.iter().find(|s| s.state == CheckState::Failed);
        Ok((report.failed, failed.and_then(|s| s.reason)))
    }
}

fn open(dir: &std::path::Path, secrets: &Arc<Memory>) -> Result<Engine> {
    let home = Home::open(&dir.join("data"))?;
    Ok(Engine::open(home, secrets.clone(), Arc::new(SystemClock::start()), None)?.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_added_by_the_browser_and_stays_connected() -> Result<()> {
    let desk = Desk::added().await?;
    // Only the refresh token is kept, and no password.
    ensure!(desk.secrets.names().iter().all(|name| !name.starts_with("imap:")), "{:?}", desk.secrets.names());
    ensure!(desk.failed().await? == (None, None), "IMAP and SMTP take the token: {:?}", desk.failed().await?);
    ensure!(desk.oidc.refreshes().await? == 0, "the first access token serves until it is over");
    desk.engine.import_contacts("email\ncarl@customer1.example\n".as_bytes(), |_| {}).await?;
    desk.engine.catch_up().await?;
    let date = jiff::Zoned::now().strftime("%a, %d %b %Y %H:%M:%S %z").to_string();
    let mail = format!(
        "From: {ANN}\r\nTo: carl@customer1.example\r\nSubject: Offer\r\nMessage-ID: <o1@lab.test>\r\nDate: {date}\r\n\r\nHi\r\n"
    );
    desk.lab.append(ANN, "Sent", mail.as_bytes())?;
    let done = desk.engine.catch_up().await?;
    ensure!(done.mailboxes.iter().all(|outcome| outcome.problem.is_none()), "{done:?}");
    let logged = events_of(&desk.engine.home().default_export_dir())?;
    ensure!(logged.len() == 1, "the mail is logged: {logged:?}");

    // Refused by the server: renewed once, silently, and the new refresh token is kept.
    let first = desk.refresh_token()?;
    desk.oidc.expire().await?;
    let begun = Instant::now();
    ensure!(desk.failed().await? == (None, None), "an access token that is over is renewed");
    println!("token expired: renewed and checked after {} ms", begun.elapsed().as_millis());
    let second = desk.refresh_token()?;
    ensure!(first != second && desk.oidc.refreshes().await? == 1, "a refresh token serves once");

    // Over by time, of another process: two tasks ask for one.
    let again = open(desk.dir.path(), &desk.secrets)?;
    let (one, two) =
        tokio::join!(again.check(&desk.settings, None, |_| {}), again.try_account(&desk.settings, None));
    ensure!(one?.failed.is_none() && two.is_ok(), "both sign in");
    ensure!(desk.oidc.refreshes().await? == 2, "one renewed for both");
    // The first process goes on with what the second one kept.
    desk.oidc.expire().await?;
    ensure!(desk.failed().await? == (None, None), "it reads the keychain anew");
    Ok(())
}

/// At a real Postfix, whose Dovecot asks the authorisation server about each token.
#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_out_by_a_token_which_is_renewed_where_the_server_refuses_it() -> Result<()> {
    for mechanism in ["xoauth2", "oauthbearer"] {
        let desk = Desk::offering(&format!("plain {mechanism}")).await?;
        desk.add().await?;
        desk.engine.set_copy_wish(&desk.settings.address, CopyWish::Never).await?;
        for renewed in 0..2 {
            let line = desk.send().await?;
            ensure!(line.state == SendState::Sent, "{mechanism}: {line:?}");
            let refreshes = desk.oidc.refreshes().await?;
            ensure!(refreshes == renewed, "{mechanism}: {refreshes} renewals instead of {renewed}");
            desk.oidc.expire().await?;
        }
        let begun = Instant::now();
        while desk.lab.uids(CARL, "INBOX")?.len() < 2 {
            ensure!(begun.elapsed() < PATIENCE, "{mechanism}: both came to Carl");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // What is revoked is told of the mail, which waits.
        desk.oidc.revoke().await?;
        let line = desk.send().await?;
        ensure!(line.state == SendState::Waiting, "{mechanism}: {line:?}");
        desk.sign_in(ANN).await?;
        desk.engine.reconnect(desk.settings.clone(), None, OtherMailbox::Refuse).await?;
        let line = desk.engine.send_due(line.id).await?;
        ensure!(line.state == SendState::Sent, "{mechanism}: {line:?}");
    }
    Ok(())
}

/// The same for the relay: the mail program has the relay's own password, and the provider is given a token.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_program_sends_through_the_relay_by_a_token_that_it_never_sees() -> Result<()> {
    for mechanism in ["xoauth2", "oauthbearer"] {
        let desk = Desk::offering(&format!("plain {mechanism}")).await?;
        desk.add().await?;
        let [tls, starttls] = free_ports::<2>()?;
        desk.engine.turn_relay_on(Some(tls), Some(starttls)).await?;
        let password = desk.engine.relay_password(&desk.settings.address, false).await?;
        let fingerprint = desk.engine.relay_certificate(false).await?.fingerprint();
        let engine = desk.engine.clone();
        let work = tokio::spawn(async move { engine.run().await.map(drop) });
        let begun = Instant::now();
        while !desk.engine.relay_status().await?.answers {
            ensure!(begun.elapsed() < PATIENCE, "the relay does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let through = async || {
            let mut trust = Trust::default();
            trust.pin("127.0.0.1", &fingerprint)?;
            let server = Server { host: "127.0.0.1".into(), port: tls, security: Security::Tls, trust };
            let login = Login::password(ANN, (*password).clone());
            anyhow::Ok(Session::open(&server, &login, &Timeouts::default(), Patience::default()).await?)
        };
        let renewed = desk.oidc.refreshes().await?;
        for n in 1..=2 {
            let mail = format!(
                "From: {ANN}\r\nTo: {CARL}\r\nMessage-ID: <{n}@lab.test>\r\nSubject: x\r\n\r\nhello\r\n"
            );
            let mut session = through().await?;
            let answer = hand_in(&mut session, ANN, &[CARL], mail.as_bytes()).await?;
            ensure!(answer.is_yes() && answer.words().contains("queued as"), "{mechanism}: {answer}");
            session.quit().await;
            // The provider's refusal of an old token is nothing that the mail program hears of.
            desk.oidc.expire().await?;
        }
        ensure!(desk.oidc.refreshes().await? > renewed, "{mechanism}: a new token");
        let begun = Instant::now();
        while desk.lab.uids(CARL, "INBOX")?.len() < 2 {
            ensure!(begun.elapsed() < PATIENCE, "{mechanism}: both came to Carl");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // Revoked, the mail program keeps its mail and hears why.
        desk.oidc.revoke().await?;
        let sender = Path::new(ANN).context("a path")?;
        let answer = through().await?.mail(&sender, &Params::none()).await?;
        ensure!(answer.code == 451, "{mechanism}: {answer}");
        println!("{mechanism}: revoked, the mail program hears {answer}");
        work.abort();
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn revoked_access_is_told_and_signing_in_again_heals_it() -> Result<()> {
    let desk = Desk::added().await?;
    desk.engine.catch_up().await?;
    desk.oidc.revoke().await?;
    let begun = Instant::now();
    let (step, reason) = desk.failed().await?;
    println!("token revoked: told {} ms after the next sign-in began", begun.elapsed().as_millis());
    ensure!(
        step == Some(CheckStepName::SignIn) && reason == Some(Reason::AccessRevoked),
        "{step:?} {reason:?}"
    );
    let asked = desk.oidc.refreshes().await?;
    ensure!(desk.failed().await?.1 == Some(Reason::AccessRevoked) && desk.oidc.refreshes().await? == asked);
    // Somebody else signs in.
    desk.sign_in(BOB).await?;
    let error = desk.engine.reconnect(desk.settings.clone(), None, OtherMailbox::Refuse).await.err();
    ensure!(matches!(&error, Some(EngineError::Mail(e)) if e.reason == Reason::WrongAccount), "{error:?}");
    desk.sign_in(ANN).await?;
    desk.engine.reconnect(desk.settings.clone(), None, OtherMailbox::Refuse).await?;
    ensure!(desk.failed().await? == (None, None));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_that_is_demanded_of_every_mailbox_of_a_provider_is_one_cause() -> Result<()> {
    let mut desk = Desk::added().await?;
    let ann = desk.settings.clone();
    let address = Address::parse(BOB)?;
    let draft = MailboxDraft { user: BOB.to_owned(), address: address.clone(), ..ann.draft.clone() };
    desk.settings = AccountSettings { draft, rules: Rules::for_mailbox(&address) };
    desk.sign_in(BOB).await?;
    desk.engine.add_account(desk.settings.clone(), None).await?;
    let both = [ann, desk.settings.clone()];
    let mut events = desk.engine.events();
    let engine = desk.engine.clone();
    let work = tokio::spawn(async move { engine.run().await.map(drop) });
    both_are(&mut events, |event| match event {
        Event::Watching { account } => Some(account.to_string()),
        _ => None,
    })
    .await?;
    desk.oidc.ask_consent(true).await?;
    desk.oidc.expire().await?;
    let fault = Instant::now();
    for settings in &both {
        desk.lab.kick(settings.address.as_str())?;
    }
    both_are(&mut events, |event| match event {
        Event::Health { of, health } if health.reason == Some(Reason::ConsentRequired) => Some(of.clone()),
        _ => None,
    })
    .await?;
    println!("consent demanded of a provider's two mailboxes: told after {} ms", fault.elapsed().as_millis());
    let causes = desk.engine.status().await?.shared_causes();
    let [cause] = &causes[..] else { anyhow::bail!("not one cause: {causes:?}") };
    ensure!((cause.reason, cause.met.len(), cause.mailboxes) == (Reason::ConsentRequired, 2, 2), "{cause:?}");

    desk.oidc.ask_consent(false).await?;
    let begun = Instant::now();
    for settings in both {
        desk.settings = settings.clone();
        desk.sign_in(settings.address.as_str()).await?;
        desk.engine.reconnect(settings, None, OtherMailbox::Refuse).await?;
    }
    both_are(&mut events, |event| match event {
        Event::Watching { account } => Some(account.to_string()),
        _ => None,
    })
    .await?;
    println!("consent demanded: healed after {} ms", begun.elapsed().as_millis());
    ensure!(desk.engine.status().await?.shared_causes().is_empty());
    work.abort();
    Ok(())
}

/// Waits until something was told of both mailboxes.
async fn both_are(events: &mut Receiver<Event>, of: impl Fn(&Event) -> Option<String>) -> Result<()> {
    let mut seen = BTreeSet::new();
    let all = async {
        while seen.len() < 2 {
            seen.extend(of(&events.recv().await?).filter(|of| [ANN, BOB].contains(&of.as_str())));
        }
        anyhow::Ok(())
    };
    let came = tokio::time::timeout(PATIENCE, all).await;
    came.with_context(|| format!("only {seen:?} came"))?
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_refuses_adds_nothing_and_a_cancelled_sign_in_is_nobodys() -> Result<()> {
    let desk = Desk::new().await?;
    let begun = desk.engine.begin_sign_in(&desk.settings.address, OTHER).await?;
    let url = begun.url().to_owned();
    let (page, finished) = tokio::join!(desk.oidc.person_refuses(&url), desk.engine.finish_sign_in(begun));
    ensure!(page?.contains("was not completed"));
    let error = finished.err().context("it was refused")?;
    ensure!(error.to_string().contains("access_denied"), "{error}");
    let begun = desk.engine.begin_sign_in(&desk.settings.address, OTHER).await?;
    let url = begun.url().to_owned();
    drop(begun);
    ensure!(desk.oidc.person(&url, ANN).await.is_err(), "nobody listens any more");
    let added = desk.engine.add_account(desk.settings.clone(), None).await;
    ensure!(matches!(added, Err(EngineError::NotSignedIn(_))), "{added:?}");
    // Where nothing is registered it is said before anything is asked.
    let none = desk.engine.begin_sign_in(&desk.settings.address, OauthProvider::Google).await;
    ensure!(matches!(none, Err(EngineError::NoOauthApp { .. })));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_does_the_same() -> Result<()> {
    let oidc = Oidc::start().await?;
    let lab = Lab::builder().users([ANN]).tokens(&oidc.introspection()).start()?;
    let computer = Computer::new()?;
    let shown = computer.run(&["oauth", "show"])?.ok()?;
    ensure!(shown.out.contains("registered nowhere"), "{}", shown.out);
    let issuer = oidc.issuer();
    let set = [
        "oauth",
        "set",
        "other",
        "--client-id",
        CLIENT_ID,
        "--issuer",
        &issuer,
        "--scope",
        "openid",
        "--scope",
        "mail",
    ];
    computer.run(&set)?.ok()?;
    let shown = computer.run(&["oauth", "show", "--json"])?.ok()?.json()?;
    ensure!(shown[0]["client_id"] == CLIENT_ID && shown[0]["built_in"] == false, "{shown:?}");
    let (ca, port) = (lab.ca_file(), lab.imaps_port().to_string());
    let ca = ca.to_str().context("not UTF-8")?;
    let add = ["account", "add", ANN, "--host", "localhost", "--port", &port, "--ca", ca, "--oauth", "other"];
    let person = async |address: String| oidc.person(&address, ANN).await.map(drop);
    let added = with_browser(&computer, &add, person).await?.ok()?;
    ensure!(added.out.contains("\"added\""), "{added:?}");
    let caught_up = computer.once()?;
    ensure!(caught_up.status.success(), "{}", caught_up.err);
    Ok(())
}
