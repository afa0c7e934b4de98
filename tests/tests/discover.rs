//! The servers of a mailbox from its address alone, by the real program; nothing leaves this computer.

use anyhow::{Result, ensure};
use serde_json::Value;
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
