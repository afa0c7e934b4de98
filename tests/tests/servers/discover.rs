//! The servers of a mailbox from its address alone, by the real program; nothing leaves this computer.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use threadline_tests::Computer;

#[test]
fn a_large_provider_is_known_with_its_hint_and_without_anybody_being_asked() -> Result<()> {
    let computer = Computer::new()?;
    let found = computer.run(&["discover", "ann@gmail.com", "--json"])?.ok()?.json()?;
    let best = &found[0]["candidates"][0];
    ensure!(best["imap"]["host"] == "imap.gmail.com" && best["trusted"] == true, "{best:#}");
    ensure!(best["source"] == "provider_table" && best["hint"] == "app_password", "{best:#}");
    ensure!(found[0]["asked"].as_array().map(Vec::len) == Some(1), "{:#}", found[0]);
    let words = computer.run(&["discover", "ann@gmail.com"])?.ok()?.out;
    for word in ["Gmail: IMAP imap.gmail.com:993 (TLS)", "app password", "https://support.google.com/"] {
        ensure!(words.contains(word), "{word} is missing:\n{words}");
    }
    Ok(())
}

#[test]
fn pop3_is_refused_with_the_explanation_and_the_text_for_the_it_department() -> Result<()> {
    let computer = Computer::new()?;
    // Nothing answers at localhost's usual ports for IMAP.
    let add = ["account", "add", "ann@firm.example", "--host", "localhost", "--port", "995"];
    let refused = computer.run(&add)?;
    ensure!(refused.status.code() == Some(1), "{refused:?}");
    for word in ["localhost:995 is POP3", "removes it from the server", "IT department"] {
        ensure!(refused.err.contains(word), "{word} is missing:\n{}", refused.err);
    }
    ensure!(!refused.err.contains("invalid"));
    ensure!(
        refused.out.contains("- Mailbox: ann@firm.example") && refused.out.contains("993"),
        "{}",
        refused.out
    );
    let json = computer.run(&[&add[..], &["--json"]].concat())?;
    let error: Value = serde_json::from_str(json.err.trim())?;
    ensure!(error["code"] == "pop3_configured", "{error}");
    let told = &json.json()?[0];
    ensure!(told["sign"] == "port" && told["imap"].is_null(), "{told:#}");
    Ok(())
}

#[test]
fn where_nobody_can_be_asked_an_uncertain_server_gets_no_password() -> Result<()> {
    let computer = Computer::new()?;
    // An address in numbers has no domain to ask: there is only the guess.
    let address = "ann@[192.0.2.1]";
    for more in [&["--json"][..], &[]] {
        let refused = computer.run_with(&[&["account", "add", address][..], more].concat(), "secret\n")?;
        ensure!(refused.status.code() == Some(1), "{refused:?}");
        ensure!(refused.err.contains("--host"), "{}", refused.err);
        ensure!(!refused.err.contains("secret"));
    }
    ensure!(computer.run(&["account", "list", "--json"])?.ok()?.out.is_empty());
    Ok(())
}

/// Runs a command at a terminal, where a person types these lines; gives what the terminal shows.
fn at_terminal(computer: &Computer, args: &[&str], typed: &str) -> Result<String> {
    let command = computer.command(args)?;
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    let mut terminal = Command::new("script")
        .args(["-q", "-e", "-c", &words.join(" "), "/dev/null"])
        .envs(computer.environment())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut shown = String::new();
    let (mut input, output) = (terminal.stdin.take().context("no input")?, terminal.stdout.take());
    let mut output = output.context("no output")?;
    let mut typed = typed.split_inclusive('\n');
    let mut piece = [0; 1024];
    while let Ok(read @ 1..) = output.read(&mut piece) {
        shown += &String::from_utf8_lossy(&piece[..read]);
        // A question ends with a space and no new line.
        if shown.ends_with("] ") || shown.ends_with(": ") {
            while shown.ends_with(": ") && !hides_what_is_typed(terminal.id())? {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            input.write_all(typed.next().unwrap_or("\n").as_bytes())?;
            shown.push('|');
        }
    }
    terminal.wait()?;
    Ok(shown)
}

/// Whether the program at the end of this chain of processes has turned its terminal's echo off. The prompt is shown a moment
/// before. An error once there is no such program any more.
fn hides_what_is_typed(of: u32) -> Result<bool> {
    let mut last = of;
    while let Some(child) =
        std::fs::read_to_string(format!("/proc/{last}/task/{last}/children"))?.split_whitespace().next()
    {
        last = child.parse()?;
    }
    let terminal = format!("/proc/{last}/fd/0");
    let settings = Command::new("stty").args(["-a", "-F", &terminal]).output()?;
    ensure!(settings.status.success(), "{}", String::from_utf8_lossy(&settings.stderr));
    Ok(String::from_utf8_lossy(&settings.stdout).split_whitespace().any(|word| word == "-echo"))
}

#[test]
fn an_uncertain_server_is_asked_about_at_a_terminal_before_the_password() -> Result<()> {
    let computer = Computer::new()?;
    // There is only the guess, and nobody listens at it.
    let add = ["account", "add", "ann@[127.0.0.1]"];
    let no = at_terminal(&computer, &add, "n\n")?;
    for words in ["Not trusted: nobody has confirmed it", "Send the password to", "--host"] {
        ensure!(no.contains(words), "{words} is missing:\n{no}");
    }
    ensure!(!no.contains("Password of"), "{no}");
    let yes = at_terminal(&computer, &add, "y\nhunter2\n")?;
    ensure!(yes.contains("Password of ann@[127.0.0.1] at"), "{yes}");
    ensure!(yes.contains("Nothing answers at this port") && !yes.contains("hunter2"), "{yes}");
    ensure!(computer.run(&["account", "list", "--json"])?.ok()?.out.is_empty());
    Ok(())
}

#[test]
fn the_list_of_providers_to_ask_is_set_and_unset() -> Result<()> {
    let computer = Computer::new()?;
    let set = |args: &[&str]| computer.run(&[&["setting", "ispdb", "--json"][..], args].concat());
    ensure!(set(&[])?.ok()?.json()?[0]["ispdb"].is_null());
    ensure!(set(&["https://list.example/v1.1/"])?.ok()?.json()?[0]["ispdb"] == "https://list.example/v1.1/");
    ensure!(set(&["http://list.example/"])?.status.code() == Some(1));
    ensure!(set(&["--off"])?.ok()?.json()?[0]["ispdb"].is_null());
    Ok(())
}
