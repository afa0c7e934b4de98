//! The fake refuses what HubSpot refuses, and says when its contract is broken.

use super::web::Answer;
use super::*;
use crate::clock::HandClock;
use hyper::header::{HeaderMap, HeaderValue};
use serde_json::json;

async fn portal() -> FakeHubspot {
    let clock = HandClock::at("2026-03-04T10:00:00Z".parse().unwrap());
    FakeHubspot::start(Options::default(), Arc::new(clock)).await.unwrap()
}

async fn ask(portal: &FakeHubspot, method: &str, path: &str, body: Value) -> (u16, Value) {
    let mut headers = HeaderMap::new();
    let token = format!("Bearer {}", Options::default().token);
    headers.insert("authorization", HeaderValue::from_str(&token).unwrap());
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query = query.split('&').filter_map(|p| p.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned()));
    let ask = web::Ask {
        method: method.parse().unwrap(),
        path: path.to_owned(),
        query: query.collect(),
        headers,
        body: if body.is_null() { Default::default() } else { body.to_string().into() },
    };
    match portal.shared.serve(ask).await {
        Answer::Say { status, body, .. } => (status, serde_json::from_slice(&body).unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_not_in_the_contract_is_refused_and_kept() {
    let portal = portal().await;
    let create = "/crm/v3/objects/contacts";
    for (method, path, body) in [
        ("POST", create, json!({"properties": {"email": "ann@buyer.example", "favourite_colour": "red"}})),
        ("POST", create, json!({"properties": {"email": 7}})),
        ("POST", create, json!({})),
        ("GET", "/crm/v3/objects/contacts?colour=red", Value::Null),
        ("GET", "/crm/v3/objects/contacts?limit=101", Value::Null),
        ("GET", "/crm/v3/objects/deals", Value::Null),
        ("PUT", create, json!({})),
        ("POST", "/crm/v3/objects/emails/batch/upsert", json!({"inputs": []})),
    ] {
        let (status, _) = ask(&portal, method, path, body.clone()).await;
        assert!(matches!(status, 400 | 404), "{method} {path} {body}: {status}");
        assert_eq!(portal.take_violations().len(), 1, "{method} {path} {body}");
    }
    assert!(portal.contacts().is_empty());
}

#[tokio::test]
async fn an_answer_that_breaks_the_contract_is_kept_too() {
    let portal = portal().await;
    let op = portal.shared.contract.operation(&hyper::Method::POST, "/crm/v3/objects/contacts").unwrap();
    assert_eq!(portal.shared.contract.answer(&op, 201, Some(&json!({"id": 7}))).len(), 5);
}

#[tokio::test]
#[should_panic(expected = "the contract was broken")]
async fn a_violation_that_nobody_takes_fails_the_test() {
    let portal = portal().await;
    ask(&portal, "GET", "/nowhere", Value::Null).await;
}

#[tokio::test]
async fn what_hubspot_would_refuse_is_refused() {
    let portal = portal().await;
    let emails = "/crm/v3/objects/emails";
    for properties in [
        json!({"hs_timestamp": "1", "hs_email_headers": "{\"bcc\":[{\"email\":\"x@y.z\"}]}"}),
        json!({"hs_timestamp": "1", "hs_email_headers": "not json"}),
        json!({"hs_timestamp": "1", "hubspot_owner_id": "5"}),
        json!({"hs_timestamp": "1", "threadline_message_id": "a".repeat(64)}),
    ] {
        let (status, answer) = ask(&portal, "POST", emails, json!({"properties": properties})).await;
        assert_eq!((status, &answer["category"]), (400, &json!("VALIDATION_ERROR")), "{properties}");
    }
    // A plain create is not idempotent.
    for _ in 0..2 {
        assert_eq!(ask(&portal, "POST", emails, json!({"properties": {"hs_timestamp": "1"}})).await.0, 201);
    }
    assert_eq!(portal.emails().len(), 2);
    // An upsert needs a property that is unique.
    let row = json!({"inputs": [{"id": "a".repeat(64), "idProperty": "threadline_message_id", "properties": {"hs_timestamp": "1"}}]});
    assert_eq!(ask(&portal, "POST", "/crm/v3/objects/emails/batch/upsert", row).await.0, 400);
}

#[tokio::test]
async fn a_search_pages_no_further_than_ten_thousand() {
    let portal = portal().await;
    portal.set(|o| o.crowd = 20_000);
    let search = |after: &str| json!({"filterGroups": [], "limit": 100, "after": after});
    let path = "/crm/v3/objects/contacts/search";
    let (status, answer) = ask(&portal, "POST", path, search("9900")).await;
    assert_eq!((status, &answer["total"]), (200, &json!(20_000)));
    assert_eq!(ask(&portal, "POST", path, search("9901")).await.0, 400);
}
