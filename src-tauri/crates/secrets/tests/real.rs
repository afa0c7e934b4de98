//! The real keychain of Linux, and every way in which it can be missing. The library reads the environment once in a
//! process, so each case runs in a child process: this same program, told to run [`acts`] alone.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail at any line, and its child prints"
)]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::Duration;
use threadline_core::reason::Reason;
use threadline_secrets::{MOST_BYTES, SERVICE, system_within};
use threadline_testkit::lab::keyring::Keyring;

/// What the child does, one word each, separated by commas.
const ACTS: &str = "SECRETS_TEST_ACTS";

/// Runs acts in a child that sees this keychain and no other; gives a line an act.
fn run(keyring: &Keyring, acts: &str) -> Vec<String> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "acts", "--nocapture"])
        .envs(keyring.env())
        .env(ACTS, acts)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text} {}", String::from_utf8_lossy(&output.stderr));
    text.lines().filter_map(|l| l.split("SAID ").nth(1)).map(str::to_owned).collect()
}

#[test]
#[ignore = "the child of the other tests"]
fn acts() {
    if std::env::var(ACTS).unwrap() == "again" {
        return again();
    }
    let store = match system_within(Duration::from_secs(5)) {
        Ok(store) => store,
        Err(e) => return println!("\nSAID {} {e}", e.code()),
    };
    for act in std::env::var(ACTS).unwrap().split(',') {
        let said = match act {
            "get" => store.get("imap:ann@example.com").map(|v| format!("{:?}", v.map(|v| v.to_string()))),
            "set" => store.set("imap:ann@example.com", "grün und geheim").map(|()| "set".into()),
            "over" => store.set("imap:ann@example.com", "second").map(|()| "set".into()),
            "most" => store.set("imap:ann@example.com", &"x".repeat(MOST_BYTES)).map(|()| "set".into()),
            "more" => store.set("imap:ann@example.com", &"x".repeat(MOST_BYTES + 1)).map(|()| "set".into()),
            "delete" => store.delete("imap:ann@example.com").map(|()| "deleted".into()),
            other => panic!("what is {other}?"),
        };
        match said {
            Ok(said) => println!("\nSAID {said}"),
            Err(e) => println!("\nSAID {} {e}", e.code()),
        }
    }
}

/// Asks, waits for a line on standard input, and asks again.
fn again() {
    let ask =
        || system_within(Duration::from_secs(5)).map_or_else(|e| e.code().to_string(), |_| "open".into());
    println!("\nSAID {}", ask());
    std::io::stdin().read_line(&mut String::new()).unwrap();
    println!("\nSAID {}", ask());
}

#[test]
fn a_keychain_that_starts_after_the_program_is_found() {
    let mut keyring = Keyring::no_service().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "acts", "--nocapture"])
        .envs(keyring.env())
        .env(ACTS, "again")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut said = lines.filter_map(|l| l.split("SAID ").nth(1).map(str::to_owned));
    assert_eq!(said.next().as_deref(), Some("keychain_missing"));
    keyring.unlock().unwrap();
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert_eq!(said.next().as_deref(), Some("open"));
    child.wait().unwrap();
}

#[test]
fn what_is_set_is_kept_over_processes_until_it_is_deleted() {
    let keyring = Keyring::start().unwrap();
    assert_eq!(run(&keyring, "get,delete,set"), ["None", "deleted", "set"]);
    assert_eq!(run(&keyring, "get,over,get"), [r#"Some("grün und geheim")"#, "set", r#"Some("second")"#]);
    assert_eq!(keyring.entries(SERVICE).unwrap(), 1, "a probe was left behind");
    assert_eq!(run(&keyring, "delete,get"), ["deleted", "None"]);
    assert_eq!(keyring.entries(SERVICE).unwrap(), 0, "a probe was left behind");
}

#[test]
fn the_cap_of_windows_holds_everywhere() {
    let keyring = Keyring::start().unwrap();
    let said = run(&keyring, "most,more,get");
    assert_eq!(said[0], "set");
    assert!(said[1].contains("imap:ann@example.com has 2561 bytes") && !said[1].contains("xx"), "{said:?}");
    assert!(said[2].len() > MOST_BYTES, "the value that was refused did not touch the one before");
}

fn code(said: &[String]) -> Reason {
    assert_eq!(said.len(), 1, "{said:?}");
    Reason::from_code(said[0].split(' ').next().unwrap()).unwrap()
}

#[test]
fn without_a_bus_the_keychain_is_missing() {
    let said = run(&Keyring::no_bus().unwrap(), "get");
    assert_eq!(code(&said), Reason::KeychainMissing, "{said:?}");
}

#[test]
fn on_a_bus_without_a_keychain_it_is_missing() {
    let said = run(&Keyring::no_service().unwrap(), "get");
    assert_eq!(code(&said), Reason::KeychainMissing, "{said:?}");
}

#[test]
fn a_locked_keychain_is_not_an_empty_one() {
    let mut keyring = Keyring::start().unwrap();
    assert_eq!(run(&keyring, "set"), ["set"]);
    keyring.lock().unwrap();
    let said = run(&keyring, "get");
    assert_eq!(code(&said), Reason::KeychainLocked, "{said:?}");
    keyring.unlock().unwrap();
    assert_eq!(run(&keyring, "get"), [r#"Some("grün und geheim")"#]);
}

#[test]
fn a_keychain_that_hangs_is_given_up() {
    let keyring = Keyring::no_bus().unwrap();
    // Takes the connection and never says a word.
    let _silent = UnixListener::bind(keyring.bus_path()).unwrap();
    let said = run(&keyring, "get");
    assert_eq!(code(&said), Reason::KeychainLocked, "{said:?}");
    assert!(said[0].contains("did not answer within 5 s"), "{said:?}");
}
