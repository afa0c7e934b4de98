//! A proxy between this computer and real mail servers, whose names only the proxy knows. One test: the proxy is the
//! process's.

use anyhow::{Context, Result, ensure};
use std::sync::{Arc, Mutex};
use threadline_core::address::Address;
use threadline_core::reason::Reason;
use threadline_engine::check::CheckStepName;
use threadline_engine::clock::SystemClock;
use threadline_engine::settings::{AccountSettings, Encryption, Endpoint};
use threadline_engine::{Engine, Home};
use threadline_secrets::{Memory, Secrets};
use threadline_testkit::lab::Lab;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
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
    let allowed = head.contains("Proxy-Authorization: Basic YW5uOnB3\r\n");
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
    let words = report.steps.iter().find_map(|step| step.words.clone().filter(|w| w.contains("proxy")));
    ensure!(words.as_ref().is_some_and(|words| !words.contains("wrong")), "{report:?}");

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
