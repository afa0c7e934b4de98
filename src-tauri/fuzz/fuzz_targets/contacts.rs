//! A contact list of any bytes is read or refused; what is read has addresses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use threadline_engine::contacts::read_csv;

fuzz_target!(|file: &[u8]| {
    if let Ok((contacts, _)) = read_csv(file) {
        assert!(!contacts.is_empty() && contacts.iter().all(|contact| !contact.addresses.is_empty()));
    }
});
