//! Files of mails: stored once, before their mail, and attached to it.

use crate::bench::*;
use bytes::Bytes;
use threadline_crm::{DeliveredFile, FolderSink, Sink};
use threadline_testkit::hubspot::{Fault, Options};

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
async fn a_file_that_is_refused_holds_up_its_own_mail_alone() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let ann = portal.add_contact("ann@buyer.example", "Ann", "Lee").to_string();
    let sink = hubspot(&portal, &clock);
    let mut with_file = delivery(1, "ann@buyer.example", Some(&ann));
    with_file.files = vec![file("offer.pdf", 1, b"PDF")];
    let queue = MemoryQueue::new(&clock, vec![with_file, delivery(2, "ann@buyer.example", Some(&ann))]);
    portal.inject(UPLOAD, Fault::Status(400));
    let drained = worker(&clock).drain_once(&queue, &sink, &clock, |_| {}).await.unwrap();
    assert_eq!((drained.accepted, drained.failed), (1, None));
    assert_eq!((portal.emails().len(), drained.set_aside), (1, 1));
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
