//! The real program's help, errors and exit codes, as far as they need neither keychain nor server.
#![allow(clippy::unwrap_used, reason = "what tests share may unwrap as they do")]

use std::process::{Command, Output};

fn threadline(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_threadline")).args(args).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_help_names_every_command_and_every_exit_code() {
    let help = threadline(&["--help"]);
    assert!(help.status.success());
    let text = out(&help);
    for word in
        ["account", "crm", "contacts", "check", "run", "status", "threads", "log", "export", "First steps"]
    {
        assert!(text.contains(word), "{word} is missing:\n{text}");
    }
    for code in 0..=4 {
        assert!(text.contains(&format!("\n  {code}  ")), "exit code {code} is not told:\n{text}");
    }
}

#[test]
fn no_command_takes_a_secret_as_a_word() {
    for args in [
        &["account", "add", "--help"][..],
        &["crm", "set", "hubspot", "--help"],
        &["crm", "set", "webhook", "--help"],
    ] {
        let text = out(&threadline(args)).to_lowercase();
        for word in ["--password", "--token", "--secret"] {
            assert!(!text.contains(word), "{args:?} has {word}");
        }
    }
}

#[test]
fn wrong_usage_is_two_and_says_what_to_write() {
    let wrong = threadline(&["account", "add", "ann"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(err(&wrong).contains("name@domain"), "{}", err(&wrong));
    assert_eq!(threadline(&["frobnicate"]).status.code(), Some(2));
    assert_eq!(threadline(&[]).status.code(), Some(2));
}

#[test]
fn a_data_folder_that_is_a_file_is_named_in_words_and_in_json() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let plain = threadline(&["status", "--data-dir", path]);
    assert_eq!(plain.status.code(), Some(1));
    assert!(err(&plain).contains(path) && err(&plain).contains("--data-dir"), "{}", err(&plain));
    let json = threadline(&["status", "--json", "--data-dir", path]);
    let error: serde_json::Value = serde_json::from_str(err(&json).trim()).unwrap();
    assert_eq!(error["code"], "data_folder");
    assert!(out(&json).is_empty());
}

#[test]
fn every_argument_is_explained() {
    for (args, argument) in [
        (&["account", "remove"][..], "<ADDRESS>"),
        (&["account", "password"], "<ADDRESS>"),
        (&["account", "retry"], "<ADDRESS>"),
        (&["account", "pause"], "<ADDRESS>"),
        (&["account", "resume"], "<ADDRESS>"),
        (&["crm", "retry"], "<KIND>"),
        (&["crm", "remove"], "<KIND>"),
        (&["crm", "set", "webhook"], "<URL>"),
        (&["crm", "set", "folder"], "<DIR>"),
        (&["contacts", "import"], "<FILE>"),
        (&["export"], "<DIR>"),
        (&["asked", "log"], "<ID>"),
        (&["threads", "show"], "<ID>"),
    ] {
        let text = out(&threadline(&[args, &["-h"]].concat()));
        let line = text.lines().find(|l| l.trim_start().starts_with(argument)).unwrap_or_default();
        assert!(line.trim() != argument && !line.is_empty(), "{args:?}:\n{text}");
    }
}
