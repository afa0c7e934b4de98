//! The webhook on the wire.

use crate::bench::*;
use std::sync::Arc;
use std::time::Duration;
use threadline_core::clock::Clock;
use threadline_core::reason::Reason;
use threadline_crm::{CrmError, Kind, Retry, Secret, Sink, WebhookSettings, WebhookSink};
use threadline_testkit::clock::HandClock;
use threadline_testkit::hubspot::Fault;
use threadline_testkit::webhook::WebhookReceiver;

pub fn sink(receiver: &WebhookReceiver, clock: &HandClock) -> WebhookSink {
    let settings = WebhookSettings::new(receiver.url(), Secret::new(receiver.secret()));
    WebhookSink::new(settings, Arc::new(clock.clone())).unwrap()
}

async fn failing(receiver: &WebhookReceiver) -> CrmError {
    sink(receiver, &clock()).push(&[delivery(1, "ann@buyer.example", None)]).await.remove(0).unwrap_err()
}

#[tokio::test]
async fn a_message_is_signed_and_the_answer_names_it() {
    let (clock, receiver) = (clock(), WebhookReceiver::start().await.unwrap());
    let sink = sink(&receiver, &clock);
    sink.connect().await.unwrap();
    let mail = delivery(1, "ann@buyer.example", None);
    let accepted = sink.push(std::slice::from_ref(&mail)).await.remove(0).unwrap();
    assert_eq!(accepted.remote_id.as_deref(), Some("1"));
    assert_eq!(accepted.link.as_deref(), Some("https://crm.example/1"));
    let attempt = receiver.attempts().remove(0);
    assert_eq!(attempt.id, mail.record.key.to_string());
    assert_eq!(attempt.timestamp, clock.now().as_second().to_string());
    let event: serde_json::Value = serde_json::from_str(&attempt.body).unwrap();
    assert_eq!(event["timestamp"], "2026-03-04T10:00:00Z");
    assert_eq!(event["data"], serde_json::to_value(&mail.record).unwrap());
    assert!(!attempt.body.contains(BCC));
    let subject = accepted.sent.iter().find(|e| e.field == "subject").unwrap();
    assert_eq!((subject.object.as_str(), subject.bytes), ("event", 7));
}

#[tokio::test]
async fn an_answer_that_is_no_json_or_no_link_is_no_failure() {
    let receiver = WebhookReceiver::start().await.unwrap();
    for text in ["", "<html>", "[1]", r#"{"id":"","url":"javascript:alert(1)"}"#] {
        receiver.answer(text);
        let answer =
            sink(&receiver, &clock()).push(&[delivery(1, "ann@buyer.example", None)]).await.remove(0);
        let accepted = answer.unwrap();
        assert_eq!((accepted.remote_id, accepted.link), (None, None), "{text}");
    }
}

#[tokio::test]
async fn a_retry_has_the_same_id_and_a_new_time() {
    let (clock, receiver) = (clock(), WebhookReceiver::start().await.unwrap());
    let sink = sink(&receiver, &clock);
    receiver.inject(Fault::DropAfter);
    let mail = delivery(1, "ann@buyer.example", None);
    let error = sink.push(std::slice::from_ref(&mail)).await.remove(0).unwrap_err();
    let told = (error.reason, error.kind, error.uncertain);
    assert_eq!(told, (Reason::ServerClosedConnection, Kind::Sink, true));
    clock.advance(Duration::from_secs(60));
    assert!(sink.push(&[mail]).await[0].is_ok());
    let attempts = receiver.attempts();
    assert_eq!(attempts[0].id, attempts[1].id);
    assert_ne!(attempts[0].timestamp, attempts[1].timestamp);
    assert_eq!(receiver.stored().len(), 1);
}

#[tokio::test]
async fn a_time_out_is_uncertain() {
    let (clock, receiver) = (clock(), WebhookReceiver::start().await.unwrap());
    let mut settings = WebhookSettings::new(receiver.url(), Secret::new(receiver.secret()));
    settings.timeout = Duration::from_millis(200);
    let sink = WebhookSink::new(settings, Arc::new(clock.clone())).unwrap();
    receiver.inject(Fault::SilentAfter);
    let error = sink.push(&[delivery(1, "ann@buyer.example", None)]).await.remove(0).unwrap_err();
    assert!(error.uncertain && error.words.contains("in time"), "{error}");
    assert!(
        error.sent.iter().any(|e| e.field == "subject"),
        "what may have arrived is not booked: {error:?}"
    );
}

#[tokio::test]
async fn statuses_mean_what_the_standard_says() {
    use Retry::{After, Never, Soon};
    let receiver = WebhookReceiver::start().await.unwrap();
    let minute = After(Duration::from_secs(60));
    for (status, retry_after, reason, kind, retry) in [
        (410, "", Reason::CrmGone, Kind::Sink, Retry::At(jiff::Timestamp::MAX)),
        (404, "", Reason::CrmGone, Kind::Sink, Never),
        (401, "", Reason::CrmTokenRejected, Kind::Sink, Never),
        (400, "", Reason::CrmRejected, Kind::Row, Never),
        (422, "", Reason::CrmRejected, Kind::Row, Never),
        (429, "60", Reason::Throttled, Kind::Sink, minute),
        (429, "", Reason::Throttled, Kind::Sink, Soon),
        (503, "Wed, 04 Mar 2026 10:01:00 GMT", Reason::ServerUnavailable, Kind::Sink, minute),
        (503, "soon", Reason::ServerUnavailable, Kind::Sink, Soon),
        (500, "", Reason::ServerUnavailable, Kind::Sink, Soon),
        (302, "", Reason::ProtocolError, Kind::Sink, Never),
    ] {
        receiver.later(status, retry_after);
        let error = failing(&receiver).await;
        assert_eq!((error.reason, error.kind, error.retry), (reason, kind, retry), "{status} {retry_after}");
    }
    assert!(receiver.stored().is_empty());
}

#[tokio::test]
async fn a_receiver_that_is_not_there_concerns_them_all() {
    let receiver = WebhookReceiver::start().await.unwrap();
    let sink = sink(&receiver, &clock());
    drop(receiver);
    tokio::task::yield_now().await;
    let error = sink.push(&[delivery(1, "ann@buyer.example", None)]).await.remove(0).unwrap_err();
    assert_eq!((error.reason, error.kind, error.uncertain), (Reason::ConnectionRefused, Kind::Sink, false));
}

#[test]
fn bad_settings_are_told_and_the_secret_is_not() {
    let make = |url: &str, secret: &str| {
        WebhookSink::new(WebhookSettings::new(url, Secret::new(secret)), Arc::new(clock()))
    };
    let good = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    assert!(make("https://crm.example/hook", good).is_ok());
    let shown = format!("{:?}", make("https://crm.example/hook?token=4711", good).unwrap());
    assert!(!shown.contains("MfKQ") && !shown.contains("4711"), "{shown}");
    assert!(
        !format!("{:?}", WebhookSettings::new("https://crm.example/4711", Secret::new(good)))
            .contains("4711")
    );
    for (url, secret) in [
        ("http://crm.example/hook", good),
        ("https://crm.example/", "whsec_"),
        ("https://crm.example/", "whsec_!MfKQ9r8GKYqrTwjUPD8ILPZIo2LaL"),
    ] {
        let error = make(url, secret).unwrap_err();
        assert!(!error.to_string().contains("MfKQ"), "{error}");
        assert_eq!(error.retry, Retry::Never);
    }
}
