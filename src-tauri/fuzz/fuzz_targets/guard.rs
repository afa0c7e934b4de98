//! What the guard lets through, the IMAP parser behind it reads without aborting. The first byte says in pieces of how many
//! bytes the rest arrives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use threadline_mail::guard::{Guard, Limits, Protocol};
use tokio::io::AsyncReadExt;

fuzz_target!(|data: &[u8]| {
    let Some((piece, sent)) = data.split_first() else { return };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    let passed = runtime.block_on(async {
        let mut guard = Guard::new(sent, Protocol::Imap, Limits::imap());
        let mut passed = Vec::new();
        let mut buffer = vec![0; usize::from(*piece) + 1];
        while let Ok(count @ 1..) = guard.read(&mut buffer).await {
            passed.extend_from_slice(&buffer[..count]);
        }
        passed
    });
    assert!(sent.starts_with(&passed), "the guard changed what was sent");
    let mut rest = passed.as_slice();
    while let Ok((after, _)) = imap_proto::Response::parse(rest) {
        if after.len() == rest.len() {
            break;
        }
        rest = after;
    }
});
