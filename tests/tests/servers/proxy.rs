//! A proxy between this computer and the servers, whose names only the proxy knows. The proxy is the process's, so one test
//! alone sets it here.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use threadline_core::address::Address;
use threadline_core::reason::Reason;
use threadline_engine::check::{CheckReport, CheckState, CheckStepName};
use threadline_engine::clock::SystemClock;
use threadline_engine::settings::{AccountSettings, Encryption, Endpoint};
use threadline_engine::{Engine, Home};
use threadline_secrets::{Memory, Secrets};
use threadline_testkit::certs::{Authority, Identity};
use threadline_testkit::hubspot::web::{Answer, Ask, WebServer};
use threadline_testkit::lab::Lab;
use threadline_tests::Computer;
use threadline_tests::sinks::Place;
use threadline_tests::watched::with_browser;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

const ANN: &str = "ann@lab.test";

/// A proxy (CONNECT) that leads every name to this computer, at the port that is asked for. Keeps the heads of requests.
async fn proxy(seen: Arc<Mutex<Vec<String>>>) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(lead(client, Arc::clone(&seen)));
        }
    });
    Ok(port)
}

async fn lead(mut client: TcpStream, seen: Arc<Mutex<Vec<String>>>) -> Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8(head)?;
    let target = head.split(' ').nth(1).context("no target")?.to_owned();
    let port: u16 = target.rsplit(':').next().context("no port")?.parse()?;
    let allowed = head.lines().any(|line| {
        line.split_once(": ").is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("proxy-authorization") && value == "Basic YW5uOnB3"
        })
    });
    if let Ok(mut seen) = seen.lock() {
        seen.push(target);
    }
    if !allowed {
        return Ok(client.write_all(b"HTTP/1.1 407 Who are you?\r\n\r\n").await?);
    }
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_through_the_proxy_and_each_host_has_its_own_pin() -> Result<()> {
    let lab = Lab::builder().users([ANN]).with_smtp().start()?;
    let (dir, secrets) = (tempfile::tempdir()?, Arc::new(Memory::new()));
    let home = Home::open(&dir.path().join("data"))?;
    let (engine, _) = Engine::open(home, secrets.clone(), Arc::new(SystemClock::start()), None)?;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let port = proxy(Arc::clone(&seen)).await?;
    let mut settings = AccountSettings::new(Address::parse(ANN)?, "imap.lab.test".into(), Encryption::Tls);
    settings.port = lab.imaps_port();
    // The server speaks first here.
    let (host, submission) = ("smtp.lab.test".to_owned(), lab.submission_port());
    settings.smtp = Some(Endpoint { host, port: submission, encryption: Encryption::Starttls });
    let check = async |settings: &AccountSettings| {
        engine
            .check(settings, Some(Zeroizing::new(lab.password(ANN)?)), |_| {})
            .await
            .map_err(anyhow::Error::from)
    };

    engine.set_proxy(format!("http://ann:wrong@127.0.0.1:{port}").parse()?).await?;
    let report = check(&settings).await?;
    ensure!(report.failed == Some(CheckStepName::Tcp), "{report:?}");
    let told = |report: &CheckReport| {
        let step = report.steps.iter().find(|step| step.state == CheckState::Failed);
        step.and_then(|step| Some((step.step, step.reason?, step.words.clone()?)))
    };
    let (_, reason, words) = told(&report).context("nothing failed")?;
    ensure!(
        reason == Reason::ProxyRefused && words.contains("HTTP 407") && !words.contains("wrong"),
        "{report:?}"
    );

    // A proxy that is not there is to blame itself, and not the mail server.
    for (away, step) in
        [("http://127.0.0.1:1", CheckStepName::Tcp), ("http://proxy.invalid:1", CheckStepName::Dns)]
    {
        engine.set_proxy(away.parse()?).await?;
        let report = check(&settings).await?;
        let (at, reason, words) = told(&report).context("nothing failed")?;
        ensure!((at, reason) == (step, Reason::ProxyUnreachable) && words.contains(away), "{report:?}");
    }

    engine.set_proxy(format!("http://ann:pw@127.0.0.1:{port}").parse()?).await?;
    let name =
        secrets.names().into_iter().find(|name| name.starts_with("proxy")).context("no password is kept")?;
    ensure!(secrets.get(&name)?.is_some_and(|password| password.as_str() == "pw"));
    ensure!(engine.proxy().await?.to_string() == format!("http://ann@127.0.0.1:{port}"));

    // Nobody vouches for these names: what is presented is shown, and can be pinned, for each host by itself.
    let report = check(&settings).await?;
    ensure!(report.failed == Some(CheckStepName::Tls), "{report:?}");
    let shown = report.presented.context("no certificate is shown")?.fingerprint;
    settings.fingerprint = Some(shown.clone());
    let report = check(&settings).await?;
    ensure!(report.failed == Some(CheckStepName::Smtp), "the pin is not SMTP's: {report:?}");
    let reason =
        report.steps.iter().find(|step| step.step == CheckStepName::Smtp).and_then(|step| step.reason);
    ensure!(reason == Some(Reason::TlsUntrusted), "{report:?}");
    let other = if shown.starts_with('0') { '1' } else { '0' };
    settings.smtp_fingerprint = Some(format!("{other}{}", &shown[1..]));
    ensure!(check(&settings).await?.failed == Some(CheckStepName::Smtp));
    settings.smtp_fingerprint = Some(shown);
    let report = check(&settings).await?;
    ensure!(report.failed.is_none(), "{report:?}");
    let seen = seen.lock().map_err(|_| anyhow::anyhow!("the proxy broke"))?.clone();
    let targets = [format!("imap.lab.test:{}", lab.imaps_port()), format!("smtp.lab.test:{submission}")];
    ensure!(targets.iter().all(|target| seen.contains(target)), "{seen:?}");

    // Without it the names are nobody's.
    engine.set_proxy("none".parse()?).await?;
    ensure!(check(&settings).await?.failed == Some(CheckStepName::Dns));
    ensure!(secrets.names().iter().all(|name| !name.starts_with("proxy")), "the password is gone with it");
    Ok(())
}

/// TLS in front of a web server on this computer; gives the port.
async fn encrypted(identity: &Identity, behind: u16) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let acceptor = TlsAcceptor::from(identity.server_config()?);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut client = acceptor.accept(client).await?;
                let mut server = TcpStream::connect(("127.0.0.1", behind)).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    Ok(port)
}

/// Where people sign in: describes itself, and gives a token for every code.
async fn login(issuer: Arc<Mutex<String>>) -> Result<WebServer> {
    let answer = move |ask: Ask| {
        let issuer = issuer.lock().map(|issuer| issuer.clone()).unwrap_or_default();
        async move {
            let body = match ask.path.as_str() {
                "/.well-known/openid-configuration" => serde_json::json!({
                    "issuer": issuer,
                    "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"),
                }),
                "/token" => serde_json::json!({
                    "access_token": "at", "refresh_token": "rt", "token_type": "Bearer", "expires_in": 3600,
                }),
                _ => serde_json::json!({}),
            };
            let headers = vec![("content-type", "application/json".to_owned())];
            Answer::Say { status: 200, headers, body: body.to_string().into_bytes() }
        }
    };
    Ok(WebServer::start(answer).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crm_and_a_sign_in_with_the_browser_go_through_the_proxy() -> Result<()> {
    let mut computer = Computer::new()?;
    let authority = Authority::new()?;
    let (roots, none) = (computer.folder().join("roots.pem"), computer.folder().join("none"));
    std::fs::write(&roots, authority.pem())?;
    std::fs::create_dir(&none)?;
    for (name, path) in [("SSL_CERT_FILE", roots), ("SSL_CERT_DIR", none)] {
        computer.env.push((name.to_owned(), path.to_str().context("not UTF-8")?.to_owned()));
    }
    let identity = authority.issue(&["crm.lab.test", "login.lab.test"])?;
    let place = Place::hubspot().await?;
    let Place::Hubspot(portal) = &place else { return Ok(()) };
    let behind = portal.url().rsplit(':').next().context("no port")?.parse()?;
    let crm = format!("crm.lab.test:{}", encrypted(&identity, behind).await?);
    let issuer = Arc::new(Mutex::new(String::new()));
    let pages = login(Arc::clone(&issuer)).await?;
    let sign_in = format!("login.lab.test:{}", encrypted(&identity, pages.address().port()).await?);
    *issuer.lock().map_err(|_| anyhow::anyhow!("the pages broke"))? = format!("https://{sign_in}");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let proxy = proxy(Arc::clone(&seen)).await?;

    let (base, token) = (format!("https://{crm}"), "pat-test-00000000\n");
    let set_crm = ["crm", "set", "hubspot", "--base-url", &base];
    let without = computer.run_with(&set_crm, token)?;
    ensure!(without.status.code() == Some(1), "the name is nobody's without the proxy: {without:?}");
    computer.run_with(&["proxy", "set", &format!("http://ann@127.0.0.1:{proxy}")], "pw\n")?.ok()?;
    computer.run_with(&set_crm, token)?.ok()?;

    let address = format!("https://{sign_in}");
    let set = ["oauth", "set", "other", "--client-id", "threadline", "--issuer", &address, "--scope", "mail"];
    computer.run(&set)?.ok()?;
    let add = ["account", "add", ANN, "--host", "localhost", "--oauth", "other", "--no-check"];
    let added = with_browser(&computer, &add, async |address| {
        let open = reqwest::Url::parse(&address)?;
        ensure!(open.host_str() == Some("login.lab.test"), "{open}");
        // The browser has been there, and is led back.
        let asked: BTreeMap<String, String> = open.query_pairs().into_owned().collect();
        let mut back = reqwest::Url::parse(&asked["redirect_uri"])?;
        back.query_pairs_mut().append_pair("code", "1").append_pair("state", &asked["state"]);
        threadline_net::http::client(&back, Duration::from_secs(10))?.get(back).send().await?;
        Ok(())
    });
    let added = added.await?.ok()?;
    ensure!(added.out.contains("\"added\""), "{added:?}");
    let seen = seen.lock().map_err(|_| anyhow::anyhow!("the proxy broke"))?.clone();
    ensure!(seen.contains(&crm), "{seen:?}");
    ensure!(
        seen.iter().filter(|target| **target == sign_in).count() >= 2,
        "described and redeemed: {seen:?}"
    );
    Ok(())
}
