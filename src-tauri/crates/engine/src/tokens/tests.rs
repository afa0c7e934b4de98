//! Tokens beside a mailbox that runs, with a token endpoint that is scripted.

use super::*;
use crate::at_work::Works;
use crate::engine::Engine;
use crate::settings::{Auth, Encryption};
use jiff::Timestamp;
use threadline_oauth::Provider;
use threadline_secrets::{Memory, SecretError, Secrets};
use threadline_testkit::clock::HandClock;
use threadline_testkit::script::{Script, Scripted, serve_in_turn};

const OTHER: OauthProvider = OauthProvider::Other;

struct Bench {
    _dir: tempfile::TempDir,
    engine: Engine,
    secrets: Arc<Memory>,
    clock: HandClock,
    endpoint: Scripted,
    settings: AccountSettings,
}

fn json(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn granted(access: &str, refresh: &str) -> String {
    json(&format!(
        r#"{{"access_token":"{access}","token_type":"Bearer","expires_in":3600,"refresh_token":"{refresh}"}}"#
    ))
}

fn grant(access: &str, refresh: &str) -> Grant {
    Grant {
        access: Hidden::new(access.to_owned()),
        expires_in: Duration::from_secs(3600),
        refresh: Some(Hidden::new(refresh.to_owned())),
        names: vec!["bob@firm.example".to_owned()],
    }
}

impl Bench {
    /// The endpoint plays one script for each request, and the keychain holds the refresh token `r0`.
    async fn new(scripts: Vec<Script>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let secrets = Arc::new(Memory::new());
        let home = Home::open(&dir.path().join("data")).unwrap();
        let clock = HandClock::at(Timestamp::UNIX_EPOCH);
        let (engine, _) = Engine::open(home, secrets.clone(), Arc::new(clock.clone()), None).unwrap();
        let endpoint = serve_in_turn(scripts).await.unwrap();
        let base = format!("http://127.0.0.1:{}", endpoint.port());
        let provider = Provider {
            authorize: format!("{base}/auth"),
            token: format!("{base}/token"),
            ..Provider::google()
        };
        engine.set_oauth_app(OTHER, "app-1".to_owned(), Some(provider), None).await.unwrap();
        let address = Address::parse("ann@firm.example").unwrap();
        let mut settings = AccountSettings::new(address, "imap.firm.example".into(), Encryption::Tls);
        settings.auth = Auth::Oauth { provider: OTHER };
        let bench = Self { _dir: dir, engine, secrets, clock, endpoint, settings };
        bench.shared().set_secret(&bench.name(), Zeroizing::new("r0".to_owned())).await.unwrap();
        bench
    }

    fn shared(&self) -> &Shared {
        self.engine.shared()
    }

    fn name(&self) -> String {
        let [_, name] = secret_names(&self.settings.address);
        name
    }

    async fn token(&self, using: Using) -> Result<String, EngineError> {
        let token = self.shared().access_token(&self.settings, OTHER, using).await?;
        Ok(token.as_str().to_owned())
    }

    async fn kept(&self) -> String {
        self.shared().secret(&self.name()).await.unwrap().unwrap().as_str().to_owned()
    }
}

fn asks(answer: &str) -> Script {
    Script::new().expect("POST /token").send(answer)
}

#[tokio::test]
async fn a_mailbox_that_runs_does_not_take_a_sign_in_that_is_not_stored() {
    let bench = Bench::new(vec![asks(&granted("a1", "r1"))]).await;
    let shared = bench.shared();
    shared.take_in_hand(&bench.settings.address, OTHER, grant("of-bob", "r-bob"));
    assert_eq!(bench.token(Using::Kept).await.unwrap(), "a1");
    assert_eq!(bench.token(Using::JustNow).await.unwrap(), "of-bob");
    // The mailbox's own token is renewed where it is refused, and the other one is not.
    assert!(shared.token_refused(&bench.settings.address, "a1").await);
    assert!(!shared.token_refused(&bench.settings.address, "of-bob").await);
    assert_eq!(bench.kept().await, "r1");
}

#[tokio::test]
async fn a_sign_in_that_is_not_stored_ends_with_its_token() {
    let bench = Bench::new(vec![asks(&granted("a1", "r1"))]).await;
    bench.shared().take_in_hand(&bench.settings.address, OTHER, grant("of-bob", "r-bob"));
    bench.clock.advance(Duration::from_secs(3600));
    assert_eq!(bench.shared().who_signed_in(&bench.settings.address, OTHER), None);
    assert_eq!(bench.token(Using::JustNow).await.unwrap(), "a1");
}

#[tokio::test]
async fn a_new_refresh_token_that_the_keychain_does_not_take_is_not_lost() {
    let bench = Bench::new(vec![asks(&granted("a1", "r1")), asks(&granted("a2", "r2"))]).await;
    let failing = Failing(Arc::clone(&bench.secrets));
    let renewal = |keychain| Renewal {
        endpoint: Endpoint::new(
            &Provider {
                token: format!("http://127.0.0.1:{}/token", bench.endpoint.port()),
                ..Provider::google()
            },
            &threadline_oauth::App { client_id: "app-1".into(), client_secret: None },
        )
        .unwrap(),
        provider: "id.test".into(),
        mailbox: "imap.firm.example:993".into(),
        name: bench.name(),
        home: bench.shared().home.clone(),
        keychain,
        clock: Arc::clone(&bench.shared().clock),
        unsaved: Arc::clone(&bench.shared().tokens.unsaved),
    };
    let broken = Keychain::new(bench.shared().home.clone(), Arc::new(failing), Works::default());
    assert!(matches!(renewal(broken.clone()).run().await, Err(EngineError::Secret(_))));
    assert_eq!(bench.kept().await, "r0");
    // As long as it fails nobody is asked; then the token is kept first and used.
    assert!(matches!(renewal(broken).run().await, Err(EngineError::Secret(_))));
    assert_eq!(bench.endpoint.accepted(), 1);
    assert_eq!(bench.token(Using::Kept).await.unwrap(), "a2");
    assert_eq!(bench.kept().await, "r2");
    assert!(lock(&bench.shared().tokens.unsaved).is_empty());
}

/// A keychain that reads and does not write.
#[derive(Debug)]
struct Failing(Arc<Memory>);

impl Secrets for Failing {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<String>>, SecretError> {
        self.0.get(name)
    }

    fn set(&self, _: &str, _: &str) -> Result<(), SecretError> {
        Err(SecretError::Locked { words: "as told".into() })
    }

    fn delete(&self, name: &str) -> Result<(), SecretError> {
        self.0.delete(name)
    }
}

#[tokio::test]
async fn a_renewal_goes_on_where_nobody_waits_for_it_any_more() {
    let long = "long-".repeat(1_000);
    let bench = Arc::new(Bench::new(vec![asks(&granted("a1", &long))]).await);
    // Another process holds the door, so that the renewal has begun and not ended.
    let door = bench.shared().home.token_door().unwrap();
    let asking = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { bench.token(Using::Kept).await.is_ok() }
    });
    while Arc::strong_count(&bench.shared().tokens.unsaved) == 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    assert_eq!(bench.kept().await, "r0");
    drop(door);
    while Arc::strong_count(&bench.shared().tokens.unsaved) > 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(bench.kept().await, long);
}
