//! Signing in with the browser, without one: an authorisation server that is not ours (`tests/judges/oidc.mjs`), and what
//! a person does at its pages.

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, Url};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use threadline_net::http;
use threadline_testkit::lab::{Guarded, free_ports};

/// What we are registered as there.
pub const CLIENT_ID: &str = "threadline";

/// A running authorisation server; stopped when dropped.
#[derive(Debug)]
pub struct Oidc {
    port: u16,
    client: Client,
    _server: Guarded,
    _dir: tempfile::TempDir,
}

impl Oidc {
    pub async fn start() -> Result<Self> {
        let judges = judges()?;
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("judges/oidc.mjs");
        let dir = tempfile::tempdir()?;
        let (log, empty) = (dir.path().join("log"), Path::new("/dev/null"));
        let [port] = free_ports::<1>()?;
        let text = |path: &Path| path.to_str().map(str::to_owned).context("not UTF-8");
        // The packages are looked up from the folder that it is run in.
        let line = "cd \"$1\" && exec node \"$2\" \"$3\"".to_owned();
        let command =
            ["sh".into(), "-c".into(), line, "sh".into(), text(&judges)?, text(&program)?, port.to_string()];
        let mut server = Guarded::start(&command, &[], empty, &log)?;
        let base = Url::parse(&format!("http://127.0.0.1:{port}/"))?;
        let client = http::client(&base, Duration::from_secs(30))?;
        let begun = Instant::now();
        while !std::fs::read_to_string(&log)?.lines().any(|line| line == "ready") {
            let gone = server.ended().is_some() || begun.elapsed() > Duration::from_secs(30);
            ensure!(!gone, "the authorisation server does not start: {}", std::fs::read_to_string(&log)?);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Self { port, client, _server: server, _dir: dir })
    }

    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where a mail server asks whether a token is good.
    pub fn introspection(&self) -> String {
        format!("http://dovecot:lab@127.0.0.1:{}/token/introspection", self.port)
    }

    async fn lab(&self, what: &str) -> Result<serde_json::Value> {
        let answer = self.client.get(format!("{}/lab/{what}", self.issuer())).send().await?;
        Ok(serde_json::from_str(&answer.text().await?)?)
    }

    /// New access tokens are good for so many seconds.
    pub async fn life(&self, seconds: u32) -> Result<()> {
        self.lab(&format!("life?seconds={seconds}")).await.map(drop)
    }

    /// Every access token is over.
    pub async fn expire(&self) -> Result<()> {
        self.lab("expire").await.map(drop)
    }

    /// Every grant is taken back.
    pub async fn revoke(&self) -> Result<()> {
        self.lab("revoke").await.map(drop)
    }

    /// The administrator must consent anew before any token is renewed.
    pub async fn ask_consent(&self, asked: bool) -> Result<()> {
        self.lab(&format!("consent?asked={}", u8::from(asked))).await.map(drop)
    }

    /// How often a refresh token was redeemed.
    pub async fn refreshes(&self) -> Result<u64> {
        Ok(self.lab("grants").await?["refresh_token"].as_u64().unwrap_or_default())
    }

    /// What a person does who opens this address: signs in as `user`, agrees, and is led back. Gives the last page.
    pub async fn person(&self, address: &str, user: &str) -> Result<String> {
        let mut browser = Browser { client: self.client.clone(), cookies: Vec::new() };
        let mut page = browser.get(Url::parse(address)?).await?;
        for _ in 0..6 {
            if page.url.port() != Some(self.port) {
                return Ok(page.text);
            }
            let prompt =
                ["login", "consent"].into_iter().find(|p| page.text.contains(&format!("value=\"{p}\"")));
            let Some(prompt) = prompt else { bail!("an unknown page: {}", page.text) };
            let form = [("prompt", prompt), ("login", user), ("password", "any")];
            page = browser.post(page.url, &form).await?;
        }
        bail!("the pages do not end: {}", page.text)
    }

    /// A person who says no.
    pub async fn person_refuses(&self, address: &str) -> Result<String> {
        let mut browser = Browser { client: self.client.clone(), cookies: Vec::new() };
        let page = browser.get(Url::parse(address)?).await?;
        let mut abort = page.url;
        abort.set_path(&format!("{}/abort", abort.path()));
        Ok(browser.get(abort).await?.text)
    }
}

/// Where `tests/judges/setup.sh` puts programs that are not ours.
fn judges() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own.ancestors().find(|dir| dir.join("judges").is_dir());
    let judges = target
        .context("the foreign programs are missing; run `sh tests/judges/setup.sh target/judges`")?
        .join("judges");
    ensure!(
        judges.join("node_modules/oidc-provider").is_dir(),
        "run `sh tests/judges/setup.sh target/judges` again"
    );
    Ok(judges)
}

/// As much of a browser as a sign-in needs: redirects and cookies.
struct Browser {
    client: Client,
    /// Name, value and path.
    cookies: Vec<(String, String, String)>,
}

struct Page {
    url: Url,
    text: String,
}

impl Browser {
    async fn get(&mut self, url: Url) -> Result<Page> {
        let request = self.client.get(url.clone());
        self.follow(url, request).await
    }

    async fn post(&mut self, url: Url, form: &[(&str, &str)]) -> Result<Page> {
        let request = self.client.post(url.clone()).form(form);
        self.follow(url, request).await
    }

    async fn follow(&mut self, mut url: Url, mut request: reqwest::RequestBuilder) -> Result<Page> {
        for _ in 0..10 {
            let fitting = self.cookies.iter().filter(|(_, _, path)| url.path().starts_with(path.as_str()));
            let cookies: Vec<String> = fitting.map(|(name, value, _)| format!("{name}={value}")).collect();
            let answer = request.header("cookie", cookies.join("; ")).send().await?;
            for cookie in answer.headers().get_all("set-cookie") {
                let mut parts = cookie.to_str()?.split("; ");
                let (name, value) = parts.next().and_then(|c| c.split_once('=')).context("a cookie")?;
                let path = parts.find_map(|part| part.strip_prefix("path=")).unwrap_or("/");
                self.cookies.retain(|(known, _, at)| known != name || at != path);
                self.cookies.push((name.to_owned(), value.to_owned(), path.to_owned()));
            }
            let Some(next) = answer.headers().get("location") else {
                return Ok(Page { url, text: answer.text().await? });
            };
            url = url.join(next.to_str()?)?;
            request = self.client.get(url.clone());
        }
        bail!("the redirects do not end at {url}")
    }
}
