//! The lab is judged before it judges others.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail at any line")]

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use threadline_testkit::lab::player::Letter;
use threadline_testkit::lab::{Lab, PASSWORD};

const ALICE: &str = "alice@lab.test";
const MAIL: &[u8] = b"From: Carol <carol@customer1.example>\nTo: alice@lab.test\nSubject: Offer\n\
    Message-ID: <one@customer1.example>\n\nThe body.\n.a line with a dot\n";

/// An IMAP client of a few lines: TLS, verified by the lab's own authority and nothing else.
struct Raw(BufReader<rustls::StreamOwned<rustls::ClientConnection, TcpStream>>, u32);

impl Raw {
    fn connect(lab: &Lab) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(lab.ca_pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let session = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        let stream = TcpStream::connect(("127.0.0.1", lab.imaps_port())).unwrap();
        let mut raw = Self(BufReader::new(rustls::StreamOwned::new(session, stream)), 0);
        assert!(raw.line().starts_with("* OK"));
        raw
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    /// All lines of the answer; the last is the tagged one, or an empty one where the server went away.
    fn ask(&mut self, command: &str) -> Vec<String> {
        self.1 += 1;
        let tag = format!("a{} ", self.1);
        // A server that has gone away may have left its last words.
        let _ = self.0.get_mut().write_all(format!("{tag}{command}\r\n").as_bytes());
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            let last = line.starts_with(&tag) || line.is_empty();
            lines.push(line);
            if last {
                return lines;
            }
        }
    }

    fn signs_in(&mut self, user: &str, password: &str) -> bool {
        let answer = self.ask(&format!("LOGIN {user} {password}"));
        answer.last().unwrap().contains("OK")
    }
}

#[test]
fn a_delivered_mail_is_seen_and_the_session_is_recorded() {
    let lab = Lab::start().unwrap();
    lab.deliver(ALICE, MAIL).unwrap();
    let mut client = Raw::connect(&lab);
    assert!(client.signs_in(ALICE, PASSWORD));
    assert!(client.ask("EXAMINE INBOX").iter().any(|l| l == "* 1 EXISTS\r\n"));
    let body = client.ask("UID FETCH 1 BODY.PEEK[TEXT]").concat();
    assert!(body.contains("The body.\r\n.a line with a dot\r\n"), "{body}");
    client.ask("LOGOUT");

    let sessions = lab.rawlog(ALICE).unwrap();
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    assert_eq!(sessions[0].asked(), "a2 EXAMINE INBOX\r\na3 UID FETCH 1 BODY.PEEK[TEXT]\r\na4 LOGOUT\r\n");
    assert!(sessions[0].answered().contains("The body.\r\n.a line with a dot\r\n"));
    assert_eq!(sessions[0].turns(), 3);
    assert_eq!(lab.flags(ALICE, "INBOX").unwrap(), [(1, vec![])]);
}

#[test]
fn mail_for_nobody_is_refused() {
    let lab = Lab::start().unwrap();
    assert!(lab.deliver("nobody@lab.test", MAIL).unwrap_err().to_string().contains("550"));
    lab.add_user("nobody@lab.test", "pass:word").unwrap();
    lab.deliver("nobody@lab.test", MAIL).unwrap();
    assert_eq!(lab.uids("nobody@lab.test", "INBOX").unwrap(), [1]);
}

#[test]
fn another_client_appends_flags_and_expunges() {
    let lab = Lab::start().unwrap();
    assert_eq!(lab.append(ALICE, "Sent", MAIL).unwrap(), 1);
    assert_eq!(lab.append_with(ALICE, "New/Folder", "\\Seen $CrmLog", MAIL).unwrap(), 1);
    let flags = vec!["$CrmLog".to_owned(), "\\Seen".to_owned()];
    assert_eq!(lab.flags(ALICE, "New/Folder").unwrap(), [(1, flags)]);
    assert_eq!(lab.append(ALICE, "Sent", MAIL).unwrap(), 2);
    lab.add_flags(ALICE, "Sent", 2, "\\Answered").unwrap();
    assert!(lab.message(ALICE, "Sent", 2).unwrap().ends_with(b".a line with a dot\r\n"));
    lab.expunge(ALICE, "Sent", &[1]).unwrap();
    assert_eq!(lab.flags(ALICE, "Sent").unwrap(), [(2, vec!["\\Answered".to_owned()])]);
    assert!(lab.rawlog(ALICE).unwrap().is_empty(), "the lab's own sessions are not recorded");
}

#[test]
fn another_uidvalidity_means_other_uids() {
    let lab = Lab::start().unwrap();
    for folder in ["INBOX", "Sent"] {
        lab.append_with(ALICE, folder, "\\Flagged", MAIL).unwrap();
        let old = lab.uidvalidity(ALICE, folder).unwrap();
        lab.set_uidvalidity(ALICE, folder, old + 1_000).unwrap();
        assert_eq!(lab.uidvalidity(ALICE, folder).unwrap(), old + 1_000);
        assert_eq!(lab.flags(ALICE, folder).unwrap(), [(2, vec!["\\Flagged".to_owned()])]);
    }
}

#[test]
fn a_kick_ends_the_session_and_a_new_password_shuts_the_old_one_out() {
    let lab = Lab::start().unwrap();
    let mut client = Raw::connect(&lab);
    assert!(client.signs_in(ALICE, PASSWORD));
    lab.set_password(ALICE, "geheim").unwrap();
    assert_eq!(lab.sessions(ALICE).unwrap().len(), 1);
    lab.kick(ALICE).unwrap();
    assert!(lab.sessions(ALICE).unwrap().is_empty());
    let last = client.ask("NOOP");
    assert!(last.iter().any(|l| l.starts_with("* BYE")), "{last:?}");
    assert!(!Raw::connect(&lab).signs_in(ALICE, PASSWORD));
    // The same length in the same second: Dovecot must notice all the same.
    lab.set_password(ALICE, "gehemi").unwrap();
    assert!(!Raw::connect(&lab).signs_in(ALICE, "geheim"));
    assert!(Raw::connect(&lab).signs_in(ALICE, "gehemi"));
    lab.kick("bob@lab.test").unwrap();
}

#[test]
fn a_restart_keeps_ports_and_mail() {
    let lab = Lab::start().unwrap();
    lab.deliver(ALICE, MAIL).unwrap();
    let (imap, imaps) = (lab.imap_port(), lab.imaps_port());
    lab.stop_imap();
    assert!(TcpStream::connect(("127.0.0.1", imaps)).is_err());
    lab.start_imap().unwrap();
    assert_eq!((lab.imap_port(), lab.imaps_port()), (imap, imaps));
    let mut client = Raw::connect(&lab);
    assert!(client.signs_in(ALICE, PASSWORD));
    assert!(client.ask("EXAMINE INBOX").iter().any(|l| l == "* 1 EXISTS\r\n"));
}

#[test]
fn capabilities_are_as_told() {
    let lab = Lab::builder().caps("IMAP4rev1 IDLE UIDPLUS").start().unwrap();
    let mut client = Raw::connect(&lab);
    assert!(client.signs_in(ALICE, PASSWORD));
    assert_eq!(client.ask("CAPABILITY")[0], "* CAPABILITY IMAP4rev1 IDLE UIDPLUS\r\n");
    let lab = Lab::builder().plugins("imap_zlib").start().unwrap();
    let mut client = Raw::connect(&lab);
    assert!(client.signs_in(ALICE, PASSWORD));
    assert!(client.ask("CAPABILITY")[0].contains("COMPRESS=DEFLATE"));
}

#[test]
fn a_large_mailbox_is_made_at_once_and_is_always_the_same() {
    let lab = Lab::start().unwrap();
    let seeded = lab.seed(ALICE, 2_000).unwrap();
    assert_eq!(seeded.inbox, 2_000);
    assert!((500..1_200).contains(&seeded.sent), "{seeded:?}");
    assert_eq!(lab.uids(ALICE, "INBOX").unwrap().len(), 2_000);
    assert_eq!(lab.uids(ALICE, "Sent").unwrap().len(), seeded.sent);
    let newest = lab.message(ALICE, "INBOX", 2_000).unwrap();
    assert!(String::from_utf8_lossy(&newest).contains("\r\nDate: "));
    assert_eq!(lab.flags(ALICE, "INBOX").unwrap()[0], (1, vec![]));
    // New mail comes behind it.
    lab.deliver(ALICE, MAIL).unwrap();
    assert_eq!(lab.uids(ALICE, "INBOX").unwrap().last(), Some(&2_001));

    let other = Lab::builder().maildir().start().unwrap();
    assert_eq!(other.seed(ALICE, 2_000).unwrap(), seeded);
    assert_eq!(other.uids(ALICE, "Sent").unwrap().len(), seeded.sent);
    assert_eq!(other.message(ALICE, "INBOX", 2_000).unwrap(), newest);
}

#[test]
fn salesperson_and_customer_write_to_each_other() {
    let lab = Lab::builder().with_smtp().start().unwrap();
    let (alice, carol) = (lab.player(ALICE).unwrap(), lab.player("carol@customer1.example").unwrap());
    let letter = Letter {
        bcc: vec!["dave@customer2.example".into()],
        ..Letter::to("carol@customer1.example", "Offer", "Hello")
    };
    let id = alice.send(&letter).unwrap();
    let copy = String::from_utf8(lab.message(ALICE, "Sent", 1).unwrap()).unwrap();
    assert!(copy.contains(&id) && copy.contains("Bcc: dave@customer2.example"), "{copy}");
    assert_eq!(lab.flags(ALICE, "Sent").unwrap(), [(1, vec!["\\Seen".to_owned()])]);

    let reply = carol.over_smtps().reply(&id, "Yes").unwrap();
    let seen = alice.wait_for(&reply).unwrap();
    assert_eq!((seen.from.as_str(), seen.subject.as_str()), ("carol@customer1.example", "Re: Offer"));
    assert_eq!(seen.references, id);
    let at_carol = String::from_utf8(lab.message("carol@customer1.example", "INBOX", 1).unwrap()).unwrap();
    assert!(!at_carol.contains("Bcc:"), "{at_carol}");
    lab.player("dave@customer2.example").unwrap().wait_for(&id).unwrap();
}

#[test]
fn mail_to_an_unknown_customer_bounces() {
    let lab = Lab::builder().with_smtp().start().unwrap();
    let alice = lab.player(ALICE).unwrap();
    alice.send(&Letter::to("gone@customer9.example", "Offer", "Hello")).unwrap();
    let begun = std::time::Instant::now();
    while lab.uids(ALICE, "INBOX").unwrap().is_empty() {
        assert!(begun.elapsed().as_secs() < 30, "no bounce came");
    }
    let bounce = String::from_utf8(lab.message(ALICE, "INBOX", 1).unwrap()).unwrap();
    assert!(bounce.contains("multipart/report") && bounce.contains("gone@customer9.example"), "{bounce}");
}

/// The processes whose command line names this folder.
fn living(dir: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|p| std::fs::read(p.path().join("cmdline")).ok());
    lines.map(|l| String::from_utf8_lossy(&l).replace('\0', " ")).filter(|l| l.contains(dir)).collect()
}

#[test]
fn nothing_is_left_behind() {
    let lab = Lab::builder().with_smtp().start().unwrap();
    let dir = lab.dir().to_owned();
    let ports = [lab.imap_port(), lab.lmtp_port(), lab.submission_port()];
    assert!(!living(dir.to_str().unwrap()).is_empty());
    drop(lab);
    assert!(!dir.exists());
    assert_eq!(living(dir.to_str().unwrap()), Vec::<String>::new());
    for port in ports {
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "somebody still answers at {port}");
    }
}

/// Run by the next test in a process of its own.
#[test]
#[ignore = "starts a lab and dies; run by another test"]
fn dies_with_a_lab() {
    let lab = Lab::start().unwrap();
    println!("LAB {}", lab.dir().display());
    std::process::abort();
}

#[test]
fn a_test_that_dies_takes_its_servers_along() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "lab::dies_with_a_lab", "--nocapture"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    let dir = text.lines().find_map(|l| l.split("LAB ").nth(1)).expect("the lab started").to_owned();
    let begun = std::time::Instant::now();
    while !living(&dir).is_empty() {
        assert!(begun.elapsed().as_secs() < 20, "{:?}", living(&dir));
    }
    std::fs::remove_dir_all(dir).unwrap();
}
