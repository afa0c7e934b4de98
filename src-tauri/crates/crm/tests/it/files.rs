//! Files of mails: stored once, before their mail, and attached to it.

use crate::bench::*;
use bytes::Bytes;
use threadline_crm::webhook::MOST_FILE;
use threadline_crm::{DeliveredFile, FolderSink, Sink};
use threadline_testkit::hubspot::{Fault, Options};
use threadline_testkit::webhook::WebhookReceiver;

const UPLOAD: &str = "POST /files/v3/files";

fn file(name: &str, hash: u8, contents: &'static [u8]) -> DeliveredFile {
    DeliveredFile {
        name: name.to_owned(),
        media_type: "application/pdf".to_owned(),
        hash: [hash; 32],
        bytes: Bytes::from_static(contents),
        remote_id: None,
    }
}

#[tokio::test]
async fn a_file_is_private_attached_to_its_mail_and_stored_once_whatever_breaks() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let ann = portal.add_contact("ann@buyer.example", "Ann", "Lee");
    let sink = hubspot(&portal, &clock);
    sink.connect().await.unwrap();
    let offer = file("offer.pdf", 1, b"PDF of the offer");
    // The portal stores it, and the answer is lost: the next attempt finds it there.
    portal.inject(UPLOAD, Fault::DropAfter);
    let lost = sink.upload(&offer).await.unwrap_err();
    assert!(lost.uncertain);
    let first = sink.upload(&offer).await.unwrap();
    let again = sink.upload(&offer).await.unwrap();
    assert_eq!(first.remote_id, again.remote_id);
    assert_eq!(portal.files().len(), 1);
    // Other contents under the same name are another file.
    let second = sink.upload(&file("offer.pdf", 2, b"PDF of the second offer")).await.unwrap();
    assert_eq!(portal.files().len(), 2);
    let sent: Vec<_> = first.sent.iter().map(|e| (e.object.as_str(), e.field.as_str(), e.bytes)).collect();
    assert_eq!(sent, [("file", "name", 9), ("file", "file", 16)]);

    let mut mail = delivery(1, "ann@buyer.example", Some(&ann.to_string()));
    mail.files = vec![
        DeliveredFile { remote_id: first.remote_id.clone(), ..offer },
        DeliveredFile { remote_id: second.remote_id.clone(), ..file("b.pdf", 2, b"x") },
    ];
    sink.push(&[mail]).await.remove(0).unwrap();
    let ids = format!("{};{}", first.remote_id.unwrap(), second.remote_id.unwrap());
    assert_eq!(portal.emails()[0].get("hs_attachment_ids"), ids);
    assert_eq!(portal.take_violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_mail_goes_without_a_file_that_is_refused() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let ann = portal.add_contact("ann@buyer.example", "Ann", "Lee").to_string();
    let sink = hubspot(&portal, &clock);
    let mut with_file = delivery(1, "ann@buyer.example", Some(&ann));
    with_file.files = vec![file("offer.pdf", 1, b"PDF")];
    let queue = MemoryQueue::new(&clock, vec![with_file, delivery(2, "ann@buyer.example", Some(&ann))]);
    portal.inject(UPLOAD, Fault::Status(400));
    let drained = worker(&clock).drain_once(&queue, &sink, &clock, |_| {}).await.unwrap();
    assert_eq!((drained.accepted, drained.set_aside, drained.failed), (2, 0, None));
    assert!(portal.emails().iter().all(|email| email.get("hs_attachment_ids").is_empty()));
    // The file left the computer all the same.
    let [(row, name, sent)] = &queue.refused.lock().unwrap()[..] else { panic!("one file is refused") };
    assert_eq!((*row, name.as_str(), *sent), (0, "offer.pdf", 2));
}

#[tokio::test]
async fn the_folder_has_files_beside_the_mail_under_their_own_names() {
    let dir = tempfile::tempdir().unwrap();
    let sink = FolderSink::new(dir.path());
    let mut mail = delivery(1, "ann@buyer.example", None);
    mail.files = vec![file("a.pdf", 1, b"one"), file("A.pdf", 2, b"two")];
    let key = mail.record.key;
    sink.push(&[mail.clone()]).await.remove(0).unwrap();
    let files = dir.path().join(format!("messages/2026-03/{key}.files"));
    assert_eq!(std::fs::read(files.join("a.pdf")).unwrap(), b"one");
    assert_eq!(std::fs::read(files.join("2-A.pdf")).unwrap(), b"two");
    sink.push(&[mail]).await.remove(0).unwrap();
    assert_eq!(std::fs::read_dir(&files).unwrap().count(), 2);
}

#[tokio::test]
async fn the_webhook_has_a_file_as_an_event_before_its_mail() {
    let (clock, receiver) = (clock(), WebhookReceiver::start().await.unwrap());
    let sink = crate::webhook::sink(&receiver, &clock);
    let mut mail = delivery(1, "ann@buyer.example", None);
    let large = DeliveredFile { bytes: Bytes::from(vec![0; MOST_FILE + 1]), ..file("large.bin", 2, b"") };
    mail.files = vec![file("offer.pdf", 1, b"PDF of the offer"), large];
    // The answer to the file is lost: the next attempt has the same id.
    receiver.inject(Fault::DropAfter);
    let queue = MemoryQueue::new(&clock, vec![mail.clone()]);
    worker(&clock).drain_once(&queue, &sink, &clock, |_| {}).await.unwrap();
    clock.advance(std::time::Duration::from_secs(3600));
    let drained = worker(&clock).drain_once(&queue, &sink, &clock, |_| {}).await.unwrap();
    assert_eq!(drained.accepted, 1, "{drained:?}");
    let attempts: Vec<String> = receiver.attempts().into_iter().map(|a| a.id).collect();
    let (file, key) = (format!("file-{}", "01".repeat(32)), mail.record.key.to_string());
    assert_eq!(attempts, [file.clone(), file.clone(), key.clone()]);
    let stored = receiver.stored();
    assert_eq!(stored[&file]["data"]["content"], "UERGIG9mIHRoZSBvZmZlcg==");
    let named =
        serde_json::json!([{"key": file, "name": "offer.pdf", "media_type": "application/pdf", "size": 16}]);
    assert_eq!(stored[&key]["data"]["files"], named, "the large one is not sent");
}

#[tokio::test]
async fn a_file_that_the_disk_does_not_take_stops_no_other_mail() {
    let (clock, dir) = (clock(), tempfile::tempdir().unwrap());
    let sink = FolderSink::new(dir.path());
    let mut mails: Vec<_> = (1..4).map(|n| delivery(n, "ann@buyer.example", None)).collect();
    mails[1].files = vec![file(&"x".repeat(300), 1, b"PDF")];
    mails[2].files = vec![file("a.tmp", 2, b"one"), file("a.pdf", 3, b"two")];
    let queue = MemoryQueue::new(&clock, mails);
    let drained = worker(&clock).drain_once(&queue, &sink, &clock, |_| {}).await.unwrap();
    assert_eq!((drained.accepted, drained.set_aside, drained.failed), (2, 1, None));
    let below = std::fs::read_dir(dir.path().join("messages/2026-03")).unwrap().map(|e| e.unwrap().path());
    let folder = below
        .into_iter()
        .find(|p| p.extension().is_some_and(|e| e == "files") && p.join("a.pdf").exists())
        .unwrap();
    assert_eq!(std::fs::read(folder.join("a.tmp")).unwrap(), b"one");
}

#[tokio::test]
async fn a_token_that_may_store_no_files_is_told_and_mail_goes_without() {
    let clock = clock();
    let scopes = [
        "sales-email-read",
        "crm.objects.contacts.read",
        "crm.objects.contacts.write",
        "crm.objects.owners.read",
        "crm.schemas.contacts.write",
        "oauth",
    ];
    let scopes = Some(scopes.map(str::to_owned).to_vec());
    let portal = portal(Options { scopes, ..Options::default() }, &clock).await;
    let sink = hubspot(&portal, &clock);
    sink.connect().await.unwrap();
    assert_eq!(sink.lacks(), None);
    let stored = sink.upload(&file("offer.pdf", 1, b"PDF")).await.unwrap();
    assert_eq!(stored.remote_id, None);
    let lacks = sink.lacks().unwrap();
    assert_eq!(lacks.reason, threadline_core::reason::Reason::ScopeMissing);
    assert!(lacks.to_string().contains("`files`"), "{lacks}");
    portal.set(|options| options.scopes = None);
    sink.upload(&file("offer.pdf", 1, b"PDF")).await.unwrap();
    assert_eq!(sink.lacks(), None);
}

#[tokio::test]
async fn records_are_moved_to_the_recycling_bin_and_again_is_no_failure() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let ids: Vec<String> =
        (0..3).map(|n| portal.add_own_email(&format!("<{n}@x>"), "x").to_string()).collect();
    let sink = hubspot(&portal, &clock);
    for _ in 0..2 {
        sink.archive(&ids[..2]).await.unwrap();
        assert_eq!(portal.emails().len(), 1);
    }
    sink.archive(&["1".to_owned()]).await.unwrap();
}

#[tokio::test]
async fn mails_that_came_back_are_marked_and_nothing_else_of_them_changes() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let ids: Vec<String> =
        (0..2).map(|n| portal.add_own_email(&format!("<{n}@x>"), "x").to_string()).collect();
    let before = portal.emails();
    let sink = hubspot(&portal, &clock);
    // One that is gone is no failure, and the same may be said twice.
    for _ in 0..2 {
        sink.mark_bounced(&[ids[0].clone(), "1".to_owned()]).await.unwrap();
    }
    let after = portal.emails();
    assert_eq!(after[0].get("hs_email_status"), "BOUNCED");
    assert_eq!(
        (after[0].get("hs_email_subject"), after[0].get("hs_email_text")),
        ("x", before[0].get("hs_email_text"))
    );
    assert_eq!(after[1].get("hs_email_status"), before[1].get("hs_email_status"));
}
