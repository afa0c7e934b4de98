//! A message of any bytes gives an envelope, a text and parts within their limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use threadline_core::envelope::{Envelope, MOST_ADDRESSES, MOST_REFERENCES, MOST_SUBJECT};
use threadline_core::inline;
use threadline_core::message::{Body, MOST_ATTACHMENTS, MOST_TEXT};

fuzz_target!(|raw: &[u8]| {
    let envelope = Envelope::parse(raw);
    assert!(envelope.references.len() <= MOST_REFERENCES);
    assert!(envelope.to.len() <= MOST_ADDRESSES);
    assert!(envelope.subject.chars().count() <= MOST_SUBJECT);
    assert!(!envelope.subject.contains(char::is_control));
    let body = Body::parse(raw);
    assert!(body.text.len() <= MOST_TEXT && body.attachments.len() <= MOST_ATTACHMENTS);
    assert!(inline::parts(raw).len() <= inline::MOST_PARTS);
});
