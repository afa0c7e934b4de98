//! Mails that the receiver of a webhook wants sent, on the wire.

use crate::bench::*;
use serde_json::json;
use std::sync::Arc;
use threadline_core::reason::Reason;
use threadline_crm::Secret;
use threadline_crm::requests::{Requests, Taken};
use threadline_testkit::webhook::WebhookReceiver;

#[tokio::test]
async fn a_list_is_asked_for_and_answered_with_the_signature() {
    let receiver = WebhookReceiver::start().await.unwrap();
    let clock = Arc::new(clock());
    let requests =
        Requests::new(&receiver.sends_url(), Secret::new(receiver.secret()), clock.clone()).unwrap();
    assert!(requests.list("call-1").await.unwrap().is_empty());
    receiver.want(json!({"id": "r1", "to": [{"address": "carl@client.example"}], "text": "x"}));
    receiver.want(json!({"id": "r2", "to": 7}));
    let listed = requests.list("call-2").await.unwrap();
    assert_eq!(listed[0].as_ref().unwrap().id, "r1");
    assert_eq!(listed[1], Err("r2".to_owned()));
    let answers = [
        Taken { id: "r1".into(), taken: true, reason: None },
        Taken { id: "r2".into(), taken: false, reason: Some("It cannot be read.".into()) },
    ];
    requests.answer("call-3", &answers).await.unwrap();
    assert_eq!(
        receiver.answers(),
        [
            json!({"id": "r1", "taken": true}),
            json!({"id": "r2", "taken": false, "reason": "It cannot be read."})
        ]
    );
    assert!(requests.list("call-4").await.unwrap().is_empty());

    let wrong =
        Requests::new(&receiver.sends_url(), Secret::new("whsec_d3JvbmctLXdyb25nLS13cm9uZw=="), clock);
    let error = wrong.unwrap().list("call-5").await.unwrap_err();
    assert_eq!(error.reason, Reason::CrmTokenRejected);
    assert_eq!(receiver.take_violations().len(), 1);
}
