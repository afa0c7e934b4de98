//! The second server tells an idle client of new mail at once.

#![allow(clippy::unwrap_used, reason = "a test may fail at any line")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;
use threadline_testkit::lab::PASSWORD;
use threadline_testkit::lab::cyrus::{Cyrus, USER};

#[test]
fn a_mail_filed_in_sent_wakes_an_idle_client() {
    if Cyrus::unpacked().is_none() {
        println!("skipped, 0 of 1 ran: Cyrus is not unpacked; `cargo xtask setup` does it");
        return;
    }
    let cyrus = Cyrus::start().unwrap();
    let stream = TcpStream::connect(("127.0.0.1", cyrus.imap_port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut wait = |ask: String, sign: &str| {
        (&stream).write_all(ask.as_bytes()).unwrap();
        let mut all = String::new();
        while !all.contains(sign) {
            assert!(reader.read_line(&mut all).unwrap() > 0, "{all}");
        }
        all
    };
    wait(format!("a LOGIN {USER} {PASSWORD}\r\n"), "a OK");
    assert!(wait("b LIST \"\" Sent\r\n".into(), "b OK").to_lowercase().contains("\\sent"));
    wait("c EXAMINE Sent\r\n".into(), "c OK");
    wait("d IDLE\r\n".into(), "+ ");
    assert_eq!(cyrus.append("Sent", b"From: a@lab.test\nSubject: x\n\nx\n").unwrap(), 1);
    wait(String::new(), "* 1 EXISTS");
}
