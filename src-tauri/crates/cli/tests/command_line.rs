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
    for word in [
        "account",
        "discover",
        "setting",
        "crm",
        "contacts",
        "check",
        "run",
        "status",
        "health",
        "threads",
        "log",
        "setup",
        "explain",
        "diagnostics",
        "relay",
        "export",
        "First steps",
    ] {
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
        (&["diagnostics"], "[FILE]"),
        (&["setup"], "<FILE|LINK>"),
        (&["asked", "log"], "<ID>"),
        (&["threads", "show"], "<ID>"),
    ] {
        let text = out(&threadline(&[args, &["-h"]].concat()));
        let line = text.lines().find(|l| l.trim_start().starts_with(argument)).unwrap_or_default();
        assert!(line.trim() != argument && !line.is_empty(), "{args:?}:\n{text}");
    }
}

/// Runs with these words on standard input.
fn told(args: &[&str], input: &str) -> Output {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = Command::new(env!("CARGO_BIN_EXE_threadline"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_servers_words_are_explained_line_by_line() {
    let row = r#"{"id": 7, "protocol": "smtp", "provider": "microsoft", "raw": "535 5.7.139 basic authentication is disabled"}"#;
    let input = format!(
        "a1 NO [ALERT] Too many simultaneous connections.\n\n{row}\nBAD Suggested Backoff Time: 500 milliseconds, throttled\n"
    );
    let output = told(&["explain", "--protocol", "imap", "--json"], &input);
    assert!(output.status.success(), "{}", err(&output));
    let lines: Vec<serde_json::Value> =
        out(&output).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let reasons: Vec<&str> = lines.iter().map(|l| l["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["too_many_connections", "basic_auth_disabled", "throttled"]);
    assert_eq!((&lines[1]["id"], &lines[2]["backoff_ms"]), (&7.into(), &500.into()));
    for key in ["class", "owner", "title", "explanation", "next_action", "rule", "it_text"] {
        assert!(lines.iter().all(|line| line[key].is_string()), "{key}");
    }
    assert!(lines[1]["link"].as_str().unwrap().starts_with("https://"));
}

#[test]
fn an_explanation_is_readable_and_knows_the_provider_and_the_mechanism() {
    let words = "a1 NO [AUTHENTICATIONFAILED] Invalid credentials";
    let plain = told(&["explain", "--protocol", "imap", "--provider", "gmail"], words);
    let text = out(&plain);
    for part in ["credentials_rejected:", "Who must act: you", "Next:", "https://", "Rule: "] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let token = told(&["explain", "--protocol", "imap", "--mechanism", "XOAUTH2"], words);
    assert!(out(&token).starts_with("access_token_rejected"), "{}", out(&token));
}

#[test]
fn what_cannot_be_explained_is_told_and_the_rest_is_explained() {
    let output = told(
        &["explain"],
        "no protocol\n{\"protocol\": \"imap\", \"raw\": \"* BYE\"}\n{\"protocol\": \"x\", \"raw\": \"\"}\n",
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(out(&output).matches("server_closed_connection").count(), 1);
    let errors = err(&output);
    assert!(
        errors.contains("Line 1") && errors.contains("--protocol") && errors.contains("Line 3"),
        "{errors}"
    );
    let wrong = told(&["explain", "--protocol", "pop9"], "");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(err(&wrong).contains("imap, smtp, oauth"), "{}", err(&wrong));
}

#[test]
fn the_relay_has_a_help_of_its_own_for_each_mail_program() {
    let text = out(&threadline(&["relay", "--help"]));
    for word in ["on", "off", "status", "password", "certificate", "test", "help"] {
        assert!(text.contains(&format!("\n  {word} ")), "{word}: {text}");
    }
    let text = out(&threadline(&["relay", "help", "--help"]));
    for client in ["outlook", "apple-mail", "thunderbird"] {
        assert!(text.contains(client), "{client}: {text}");
    }
    assert_eq!(threadline(&["relay", "help", "pine"]).status.code(), Some(2));
}
