//! Which messages are to bear the keyword.

use super::{Bed, at, log, mail};
use crate::outbox::{self, Accepted};
use crate::{mark, message};
use std::time::Duration;
use threadline_core::decide::Thread;

#[test]
fn a_message_is_marked_once_when_the_crm_has_it_and_no_more_when_it_is_taken_out() {
    let bed = Bed::new();
    let envelope = mail("1@x", "");
    let message = bed.record(bed.sent, 1, &envelope, &log(Thread::New)).message;
    bed.record(bed.inbox, 7, &envelope, &log(Thread::New));
    let tx = bed.tx();
    let due = |except: &[i64]| {
        let rows = mark::to_mark(&tx, bed.account, except, 9).unwrap();
        rows.into_iter().map(|(_, place)| (place.folder, place.uid)).collect::<Vec<_>>()
    };
    assert!(due(&[]).is_empty(), "no CRM has it");
    outbox::add(&tx, "hubspot", message, &envelope.key, at(1)).unwrap();
    let lease = outbox::lease(&tx, "hubspot", at(2), 9, u64::MAX, Duration::from_secs(60)).unwrap().remove(0);
    let accepted = Accepted { remote_id: Some("r".into()), link: None, how: "created".into(), at: at(3) };
    outbox::accept(&tx, lease.id, &accepted).unwrap();
    let mut both = due(&[]);
    both.sort_unstable();
    let mut want = vec![(bed.inbox, 7), (bed.sent, 1)];
    want.sort_unstable();
    assert_eq!(both, want);
    assert_eq!(due(&[bed.inbox]), [(bed.sent, 1)]);
    mark::set(&tx, message, Some(at(4))).unwrap();
    assert!(due(&[]).is_empty());
    let back = || mark::to_take_back(&tx, bed.account, &[], 9).unwrap().len();
    assert_eq!(back(), 0);
    message::take_out(&tx, message, at(5)).unwrap();
    assert_eq!(back(), 2);
    mark::set(&tx, message, None).unwrap();
    assert_eq!((back(), due(&[]).len()), (0, 0));
}
