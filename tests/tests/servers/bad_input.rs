//! What is broken is named with its cause and the next step; everything else goes on.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use threadline_engine::clock::SystemClock;
use threadline_testkit::certs::Authority;
use threadline_testkit::hubspot::{FakeHubspot, Options};
use threadline_testkit::lab::Lab;
use threadline_testkit::lab::keyring::Keyring;
use threadline_testkit::script::Script;
use threadline_tests::{Computer, Printed};

const ANN: &str = "ann@lab.test";
const CARL: &str = "carl@customer1.example";

/// The reason that `run --once` reports for the mailbox or CRM.
fn reason(printed: &Printed, part: &str, name: &str) -> Result<String> {
    let lines = printed.json()?;
    let report = lines.last().with_context(|| format!("nothing was reported: {}", printed.err))?;
    let of = |v: &Value| v[part].as_array().cloned().unwrap_or_default();
    let found = of(report).into_iter().find(|o| o["name"] == name);
    Ok(found.and_then(|o| o["reason"].as_str().map(str::to_owned)).unwrap_or_default())
}

/// A file beside the computer's data folder.
fn beside(computer: &Computer, name: &str, text: &str) -> Result<PathBuf> {
    let path = computer.data.with_file_name(name);
    std::fs::write(&path, text)?;
    Ok(path)
}

#[test]
fn a_wrong_password_is_told_at_once_and_not_hammered() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let computer = Computer::new()?;
    let (port, ca) = (lab.imaps_port().to_string(), lab.ca_file());
    let ca = ca.to_str().context("not UTF-8")?;
    let add = ["account", "add", ANN, "--host", "localhost", "--port", &port, "--ca", ca, "--json"];
    let refused = computer.run_with(&add, "wrong-password\n")?;
    ensure!(refused.status.code() == Some(1), "{refused:?}");
    let error: Value = serde_json::from_str(refused.err.trim())?;
    ensure!(error["code"] == "credentials_rejected", "{error}");
    ensure!(!refused.err.contains("wrong-password") && !refused.out.contains("wrong-password"));
    ensure!(computer.run(&["account", "list", "--json"])?.ok()?.out.is_empty(), "it was stored all the same");

    computer.add_broken_account(ANN, lab.imaps_port(), &lab.ca_file(), "wrong-password")?;
    let mut running = computer.start()?;
    running.wait_for("the state", |e| {
        e["health"]["state"] == "needs_attention" && e["health"]["reason"] == "credentials_rejected"
    })?;
    let status = computer.run(&["status", "--json"])?;
    ensure!(status.status.code() == Some(3), "{status:?}");
    let status = &status.json()?[0]["mailboxes"][0];
    ensure!(status["state"] == "needs_attention" && !status["next_step"].is_null(), "{status:#}");
    ensure!(status["channels"][0]["next_try"].is_null(), "it is tried again by itself: {status:#}");
    let attempts = lab.log().matches("auth failed").count();
    ensure!(attempts <= 2, "{attempts} attempts with a password that was refused");
    Ok(())
}

#[test]
fn a_changed_password_is_said_only_where_the_old_one_worked() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let computer = Computer::new()?;
    computer.add_account(&lab, ANN, &[])?;
    ensure!(computer.once()?.status.success());
    lab.set_password(ANN, "another")?;
    let broken = computer.once()?;
    ensure!(broken.status.code() == Some(3), "{broken:?}");
    ensure!(reason(&broken, "mailboxes", ANN)? == "password_changed", "{broken:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_broken_server_has_its_own_reason() -> Result<()> {
    let authority = Authority::new()?;
    let good = authority.issue(&["localhost", "127.0.0.1"])?;
    let stranger = Authority::new()?.issue(&["localhost"])?;
    let expired = authority.issue_expired(&["localhost"])?;
    let other = authority.issue(&["mail.else.example"])?;
    let computer = Computer::new()?;
    std::fs::create_dir_all(&computer.data)?;
    let ca = beside(&computer, "ca.pem", authority.pem())?;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.local_addr()?.port()
    };
    let servers = [
        ("pop3_configured", Script::new().tls(&good).send("+OK POP3 ready\r\n").hang().serve().await?),
        ("pop3_configured", Script::new().send("+OK POP3 ready\r\n").hang().serve().await?),
        ("tls_untrusted", Script::new().tls(&stranger).send("* OK\r\n").serve().await?),
        ("tls_expired", Script::new().tls(&expired).send("* OK\r\n").serve().await?),
        ("tls_name_mismatch", Script::new().tls(&other).send("* OK\r\n").serve().await?),
        ("server_unavailable", Script::new().tls(&good).send("* BYE busy\r\n").serve().await?),
        ("connection_timeout", Script::new().tls(&good).hang().serve().await?),
    ];
    for (i, (_, server)) in servers.iter().enumerate() {
        computer.add_broken_account(&format!("u{i}@lab.test"), server.port(), &ca, "secret-word")?;
    }
    computer.add_broken_account("u99@lab.test", closed, &ca, "secret-word")?;
    let printed = computer.once()?;
    ensure!(printed.status.code() == Some(3), "{printed:?}");
    for (i, (want, _)) in servers.iter().enumerate() {
        let got = reason(&printed, "mailboxes", &format!("u{i}@lab.test"))?;
        ensure!(got == *want, "{got} instead of {want}: {}", printed.out);
    }
    ensure!(reason(&printed, "mailboxes", "u99@lab.test")? == "connection_refused", "{}", printed.out);
    ensure!(!printed.out.contains("secret-word") && !printed.err.contains("secret-word"));
    // In words: the thing, the cause, the next step.
    let status = computer.run(&["status"])?.out;
    for words in ["These are the settings of a POP3 server", "has expired", "Next: "] {
        ensure!(status.contains(words), "{words} is missing:\n{status}");
    }
    Ok(())
}

#[test]
fn one_broken_mailbox_does_not_stop_another() -> Result<()> {
    let lab = Lab::builder().users([ANN, "bob@lab.test"]).start()?;
    let computer = Computer::new()?;
    computer.add_broken_account("bob@lab.test", lab.imaps_port(), &lab.ca_file(), "wrong")?;
    computer.add_account(&lab, ANN, &[])?;
    computer.import_contacts(&[(CARL, "Carl")])?;
    computer.once()?;
    lab.append(
        ANN,
        "Sent",
        format!("From: {ANN}\r\nTo: {CARL}\r\nMessage-ID: <1@x>\r\n\r\nhello\r\n").as_bytes(),
    )?;
    let printed = computer.once()?;
    ensure!(printed.status.code() == Some(3), "{printed:?}");
    ensure!(computer.exported()?.len() == 1, "{printed:?}");
    // Nothing is tried while it is paused, and nothing of before the pause is said to be so.
    computer.run(&["account", "pause", "bob@lab.test"])?.ok()?;
    let status = computer.run(&["status"])?.out;
    ensure!(status.contains("threadline account resume bob@lab.test"), "{status}");
    ensure!(!status.contains("does not accept"), "{status}");
    Ok(())
}

#[test]
fn strange_mails_are_logged_and_nothing_waits_behind_them() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let computer = Computer::new()?;
    computer.add_account(&lab, ANN, &[])?;
    computer.import_contacts(&[(CARL, "Carl")])?;
    ensure!(computer.once()?.status.success());
    let head = format!("From: {ANN}\r\nTo: {CARL}\r\nDate: Mon, 2 Nov 2026 10:00:00 +0100\r\n");
    let references: String = (0..10_000).map(|i| format!(" <{i}.reference@lab.test>\r\n")).collect();
    let huge = "x".repeat(76) + "\r\n";
    let mails: Vec<(&str, Vec<u8>)> = vec![
        ("no id", format!("{head}Subject: no id\r\n\r\ntext\r\n").into_bytes()),
        ("two ids", format!("{head}Message-ID: <a@x>\r\nMessage-ID: <b@x>\r\nSubject: two ids\r\n\r\ntext\r\n").into_bytes()),
        ("many references", format!("{head}Message-ID: <c@x>\r\nReferences:{references}Subject: many references\r\n\r\ntext\r\n").into_bytes()),
        ("50 MB", format!("{head}Message-ID: <d@x>\r\nSubject: 50 MB\r\n\r\nbegin\r\n{}", huge.repeat(50 * 1024 * 1024 / huge.len())).into_bytes()),
        ("broken MIME", format!("{head}Message-ID: <e@x>\r\nSubject: broken MIME\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\ntext\r\n--b\r\nContent-Type: image/p").into_bytes()),
        ("unknown charset", format!("{head}Message-ID: <f@x>\r\nSubject: unknown charset\r\nContent-Type: text/plain; charset=x-klingon\r\n\r\ntext\r\n").into_bytes()),
        ("binary header", [head.as_bytes(), b"Message-ID: <g@x>\r\nSubject: binary header\r\nX-A: \xff\xfe\x01\r\n\r\ntext\r\n"].concat()),
        ("plain", format!("{head}Message-ID: <h@x>\r\nSubject: plain\r\n\r\ntext\r\n").into_bytes()),
    ];
    for (_, raw) in &mails {
        lab.append(ANN, "Sent", raw)?;
    }
    let printed = computer.once()?.ok()?;
    let logged = computer.exported()?;
    let subjects: Vec<&str> = logged.iter().filter_map(|e| e["subject"].as_str()).collect();
    for (subject, _) in &mails {
        let times = subjects.iter().filter(|s| *s == subject).count();
        ensure!(times == 1, "{subject}: {times} times; {subjects:?} {}", printed.err);
    }
    let of = |subject: &str| logged.iter().find(|e| e["subject"] == subject).cloned().unwrap_or_default();
    ensure!(of("50 MB")["truncated"] == true, "the large mail is not marked as cut");
    ensure!(of("two ids")["message_id"] == "a@x", "{:#}", of("two ids"));
    ensure!(of("no id")["message_id"].is_null(), "{:#}", of("no id"));
    for subject in ["broken MIME", "unknown charset", "binary header"] {
        ensure!(of(subject)["text"].as_str().unwrap_or_default().contains("text"), "{:#}", of(subject));
    }
    Ok(())
}

#[test]
fn a_second_run_on_the_folder_says_who_holds_it() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let computer = Computer::new()?;
    computer.add_account(&lab, ANN, &[])?;
    let mut running = computer.start()?;
    running.wait("watching")?;
    let second = computer.run(&["run"])?;
    ensure!(second.status.code() == Some(4), "{second:?}");
    let holder = format!("threadline run (process {})", running.pid());
    ensure!(second.err.contains(&holder) && second.err.contains("Stop that program"), "{second:?}");
    // Looking is allowed beside it.
    ensure!(computer.run(&["status"])?.ok()?.out.contains("connected"));
    Ok(())
}

#[test]
fn without_a_usable_keychain_nothing_is_written_anywhere() -> Result<()> {
    for (keyring, code) in [
        (Keyring::no_bus()?, "keychain_missing"),
        (Keyring::no_service()?, "keychain_missing"),
        (Keyring::locked()?, "keychain_locked"),
    ] {
        let computer = Computer::with(keyring)?;
        let printed = computer.run(&["account", "list", "--json"])?;
        ensure!(printed.status.code() == Some(1), "{printed:?}");
        let error: Value = serde_json::from_str(printed.err.trim())?;
        ensure!(error["code"] == code, "{error}");
        ensure!(!computer.data.join("ledger.db").exists(), "a ledger without a key in the keychain");
    }
    Ok(())
}

#[test]
fn a_program_that_starts_at_login_waits_for_the_keychain() -> Result<()> {
    let mut computer = Computer::with(Keyring::locked()?)?;
    let mut child = computer.command(&["run"])?.stderr(Stdio::piped()).spawn()?;
    let mut said = BufReader::new(child.stderr.take().context("no standard error")?).lines();
    let first = said.next().context("it ended without a word")??;
    ensure!(first.starts_with("Waiting for the keychain"), "{first}");
    ensure!(child.try_wait()?.is_none(), "it ended");
    computer.unlock()?;
    // It goes on to what it says of an empty data folder.
    let next = said.next().context("it ended while the keychain was opened")??;
    child.kill()?;
    child.wait()?;
    ensure!(next.starts_with("No mailbox yet"), "{next}");
    Ok(())
}

#[test]
fn a_ledger_whose_key_is_gone_is_set_aside_and_not_overwritten() -> Result<()> {
    let computer = Computer::new()?;
    computer.run(&["account", "list"])?.ok()?;
    let old = std::fs::read(computer.data.join("ledger.db"))?;
    let elsewhere = Computer::new()?;
    std::fs::rename(&computer.data, &elsewhere.data)?;
    let printed = elsewhere.run(&["account", "list"])?.ok()?;
    ensure!(printed.err.contains("set aside"), "{printed:?}");
    let aside = std::fs::read_dir(&elsewhere.data)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .find(|path| path.to_string_lossy().contains("ledger.db.aside-"));
    ensure!(std::fs::read(aside.context("no file was set aside")?)? == old, "the old ledger changed");
    Ok(())
}

#[test]
fn a_full_disk_is_named_and_nothing_is_lost_when_there_is_room_again() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let mut computer = Computer::new()?;
    computer.add_account(&lab, ANN, &[])?;
    computer.import_contacts(&[(CARL, "Carl")])?;
    computer.once()?.ok()?;
    let library = threadline_tests::preload(&computer, "full_disk")?;
    let flag = computer.data.with_file_name("full");
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    computer.env = vec![
        ("LD_PRELOAD".into(), text(&library)),
        ("THREADLINE_FULL".into(), text(&flag)),
        ("THREADLINE_FULL_BELOW".into(), text(&computer.data.canonicalize()?)),
    ];
    let mail = format!("From: {ANN}\r\nTo: {CARL}\r\nMessage-ID: <1@x>\r\nSubject: room\r\n\r\nhello\r\n");
    let mut running = computer.start()?;
    running.wait("watching")?;
    std::fs::write(&flag, "")?;
    lab.append(ANN, "Sent", mail.as_bytes())?;
    let (_, told) = running.wait_for("the reason", |e| e["health"]["reason"] == "ledger_failed")?;
    ensure!(told["health"]["evidence"].as_str().unwrap_or_default().contains("full"), "{told:#}");
    ensure!(computer.exported()?.is_empty());
    let starting = computer.run(&["account", "list", "--json"])?;
    std::fs::remove_file(&flag)?;
    running.wait("pushed")?;
    drop(running);
    ensure!(starting.status.success(), "reading needs no room: {starting:?}");
    let logged = computer.exported()?;
    ensure!(logged.len() == 1 && logged[0]["subject"] == "room", "{logged:#?}");
    Ok(())
}

#[test]
fn a_read_only_data_folder_is_named() -> Result<()> {
    let computer = Computer::new()?;
    computer.run(&["account", "list"])?.ok()?;
    let mut command = computer.command(&["account", "list", "--json"])?;
    let data = computer.data.clone();
    let id = std::process::Command::new("id").arg("-u").output()?.stdout;
    let read_only = |mode| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(mode))
    };
    if id.trim_ascii() == b"0" {
        // Root may write everywhere. Without its capabilities it is the folder's owner, to whom it is closed for writing, and
        // nothing else is in the way.
        let mut bounded = std::process::Command::new("setpriv");
        bounded.args(["--bounding-set=-all", "--inh-caps=-all"]);
        bounded.arg(command.get_program()).args(command.get_args());
        bounded.envs(command.get_envs().filter_map(|(k, v)| v.map(|v| (k.to_owned(), v.to_owned()))));
        command = bounded;
    }
    read_only(0o555)?;
    let output = command.stdin(Stdio::null()).output()?;
    read_only(0o755)?;
    let error = String::from_utf8(output.stderr)?;
    ensure!(output.status.code() == Some(1), "{error}");
    let error: Value = serde_json::from_str(error.trim()).with_context(|| error.clone())?;
    ensure!(error["code"] == "ledger_read_only", "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hubspot_token_without_a_scope_names_the_scope() -> Result<()> {
    let clock = Arc::new(SystemClock::start());
    let scopes = |names: &[&str]| Some(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
    let portal = FakeHubspot::start(Options { scopes: scopes(&[]), ..Options::default() }, clock).await?;
    portal.add_contact(CARL, "Carl", "Customer");
    let lab = Lab::builder().users([ANN]).start()?;
    let computer = Computer::new()?;
    computer.add_account(&lab, ANN, &[])?;
    let url = portal.url();
    let set = |token: &str| {
        computer.run_with(&["crm", "set", "hubspot", "--base-url", &url, "--json"], &format!("{token}\n"))
    };
    let token = Options::default().token;
    let (without, wrong) = (set(&token)?, set("pat-wrong")?);
    ensure!(without.status.code() == Some(1) && wrong.status.code() == Some(1), "{without:?} {wrong:?}");
    let error: Value = serde_json::from_str(without.err.trim())?;
    ensure!(error["code"] == "scope_missing", "{error}");
    ensure!(error["error"].as_str().unwrap_or_default().contains("crm.objects.contacts.read"), "{error}");
    let error: Value = serde_json::from_str(wrong.err.trim())?;
    ensure!(error["code"] == "crm_token_rejected", "{error}");
    ensure!(!wrong.err.contains("pat-wrong"), "{}", wrong.err);

    // The scope is taken away later: the mail waits, and is pushed once the token is set again.
    portal.set(|o| o.scopes = None);
    set(&token)?.ok()?;
    computer.once()?.ok()?;
    let mail = format!("From: {ANN}\r\nTo: {CARL}\r\nMessage-ID: <1@x>\r\n\r\nhello\r\n");
    lab.append(ANN, "Sent", mail.as_bytes())?;
    portal.set(|o| o.scopes = scopes(&["crm.objects.contacts.read", "crm.objects.owners.read"]));
    let printed = computer.once()?;
    ensure!(printed.status.code() == Some(3), "{printed:?}");
    ensure!(reason(&printed, "crms", "hubspot")? == "scope_missing", "{printed:?}");
    portal.set(|o| o.scopes = None);
    set(&token)?.ok()?;
    computer.once()?.ok()?;
    ensure!(portal.emails().len() == 1, "{:?}", portal.emails());
    Ok(())
}
