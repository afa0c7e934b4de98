use super::*;
use reqwest::Url;
use std::collections::HashMap;
use threadline_net::http;
use threadline_testkit::script::{Script, Scripted};

/// A provider whose token endpoint plays this script once for each connection.
async fn provider(answer: &str) -> (Provider, Scripted) {
    let server = Script::new().expect("POST /token HTTP/1.1").send(answer).serve().await.unwrap();
    let base = format!("http://127.0.0.1:{}", server.port());
    let provider = Provider {
        authorize: format!("{base}/auth?tenant=x"),
        token: format!("{base}/token"),
        issuer: Some("https://id.test".into()),
        extra: vec![("prompt".into(), "consent".into())],
        ..Provider::google()
    };
    (provider, server)
}

fn json(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn app() -> App {
    App { client_id: "app-1".into(), client_secret: Some(Hidden::new("app-secret".to_owned())) }
}

fn parts(url: &str) -> HashMap<String, String> {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

/// What a browser does at the end.
async fn come_back(redirect: &str, query: &[(&str, &str)]) -> String {
    let client = http::client(&Url::parse(redirect).unwrap(), Duration::from_secs(30)).unwrap();
    client.get(redirect).query(query).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn a_code_becomes_tokens_and_only_its_own_verifier_redeems_it() {
    let body = r#"{"access_token":"acc","token_type":"Bearer","expires_in":60,"refresh_token":"ref"}"#;
    let (provider, mut server) = provider(&json(body)).await;
    let sign_in = SignIn::begin(&provider, &app(), Some("ann@x.test")).await.unwrap();
    let asked = parts(sign_in.url());
    assert!(!format!("{sign_in:?}").contains(sign_in.verifier.reveal()));
    for (name, want) in [
        ("tenant", "x"),
        ("response_type", "code"),
        ("client_id", "app-1"),
        ("scope", "https://mail.google.com/ openid email"),
        ("code_challenge_method", "S256"),
        ("login_hint", "ann@x.test"),
        ("prompt", "consent"),
    ] {
        assert_eq!(asked[name], want, "{name}");
    }
    assert!(!asked.contains_key("client_secret") && !sign_in.url().contains(sign_in.verifier.reveal()));
    let redirect = asked["redirect_uri"].clone();
    assert!(redirect.starts_with("http://127.0.0.1:"), "{redirect}");
    let waiting = tokio::spawn(sign_in.finish(PATIENCE));
    come_back(&redirect, &[("code", "forged"), ("state", "another")]).await;
    let right = [("code", "c/1"), ("state", &asked["state"]), ("iss", "https://id.test")];
    assert!(come_back(&redirect, &right).await.contains("goes on"));
    let grant = waiting.await.unwrap().unwrap();
    assert_eq!((grant.access.reveal(), grant.refresh.unwrap().reveal()), ("acc", "ref"));
    let said = server.transcript().await.plain_text();
    let form: HashMap<String, String> =
        parts(&format!("http://x/?{}", said.rsplit("\r\n\r\n").next().unwrap()));
    assert_eq!(
        (&form["code"][..], &form["redirect_uri"][..], &form["client_secret"][..]),
        ("c/1", &redirect[..], "app-secret")
    );
    // RFC 7636 §4.6.
    assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"])), asked["code_challenge"]);
    assert_eq!(form["code_verifier"].len(), 43);
}

#[tokio::test]
async fn a_refusal_at_either_place_is_told() {
    let body =
        r#"{"error":"invalid_grant","error_description":"AADSTS70008: expired","error_codes":[70008]}"#;
    let answer = json(body).replace("200 OK", "400 Bad Request");
    let (provider, _server) = provider(&answer).await;
    let sign_in = SignIn::begin(&provider, &app(), None).await.unwrap();
    let asked = parts(sign_in.url());
    let waiting = tokio::spawn(sign_in.finish(PATIENCE));
    come_back(&asked["redirect_uri"], &[("code", "c"), ("state", &asked["state"])]).await;
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(&error, OauthError::Refused { numbers, .. } if *numbers == [70_008]), "{error}");

    let sign_in = SignIn::begin(&provider, &app(), None).await.unwrap();
    let asked = parts(sign_in.url());
    let waiting = tokio::spawn(sign_in.finish(PATIENCE));
    come_back(&asked["redirect_uri"], &[("error", "access_denied"), ("state", &asked["state"])]).await;
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(&error, OauthError::Refused { error, .. } if error == "access_denied"), "{error}");
}

#[tokio::test]
async fn nobody_is_waited_for_without_end() {
    let (provider, _server) = provider("").await;
    let sign_in = SignIn::begin(&provider, &app(), None).await.unwrap();
    tokio::time::pause();
    assert_eq!(sign_in.finish(PATIENCE).await, Err(OauthError::TimedOut));
}

#[tokio::test]
async fn a_server_that_is_down_or_odd_is_no_refusal() {
    for (answer, is_malformed) in [
        ("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", false),
        ("HTTP/1.1 502 Bad\r\nContent-Length: 6\r\n\r\n<html>", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", true),
        ("HTTP/1.1 302 Found\r\nLocation: https://evil.test/\r\nContent-Length: 0\r\n\r\n", true),
        ("HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\n{}", true),
        ("", false),
    ] {
        let (provider, _server) = provider(answer).await;
        let endpoint = Endpoint::new(&provider, &app()).unwrap();
        let error = endpoint.refresh(&Hidden::new("ref-1".to_owned())).await.unwrap_err();
        assert_eq!(matches!(error, OauthError::Malformed(_)), is_malformed, "{answer}: {error}");
        assert!(!error.is_final());
        let shown = format!("{error} {error:?} {:?}", error.evidence());
        assert!(!shown.contains("ref-1"), "{shown}");
    }
}
