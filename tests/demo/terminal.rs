//! The main job on the terminal: what `threadline run` says as it happens, and what came of it.

use crate::story::{self, Scene, Verdict, scenes};
use crate::{ANN, CARL, GLANCE, OLD_MAILS, command, dim, go_on, note, path, place, say, step};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;
use threadline_engine::clock::SystemClock;
use threadline_testkit::hubspot::{FakeHubspot, Options};
use threadline_testkit::lab::Lab;
use threadline_tests::{Computer, PATIENCE, binary, events_of, texts_given};

/// What became of one scene.
struct Outcome {
    title: &'static str,
    rule: &'static str,
    verdict: Verdict,
}

/// Plays the story and shows the figures.
pub fn show(runtime: &tokio::runtime::Runtime) -> Result<()> {
    let begun = Instant::now();
    let place = place()?;

    say("Threadline, live. Everything runs on this computer and nothing stays running.");
    say("");
    step("Starting Dovecot, Postfix, a keychain and a portal that speaks HubSpot")?;
    let lab = Lab::builder().with_smtp().users([ANN, CARL, "bob@lab.test"]).start()?;
    let portal = runtime.block_on(FakeHubspot::start(Options::default(), Arc::new(SystemClock::start())))?;
    let contact = portal.add_contact(CARL, "Carl", "Customer");
    portal.add_owner(ANN);
    let computer = Computer::new()?;

    step(&format!("Filling Ann's mailbox with {OLD_MAILS} old mails"))?;
    let seeded = lab.seed(ANN, OLD_MAILS)?;
    lab.doveadm(&["force-resync", "-u", ANN, "*"])?;
    note(&format!("{} in INBOX, {} in Sent", seeded.inbox, seeded.sent));
    let flags = flags_of(&lab)?;

    step("Setting Threadline up, as a person does")?;
    let folder = place.join("crm-folder");
    let url = portal.url();
    command(&computer, &["crm", "set", "hubspot", "--base-url", &url], &Options::default().token)?;
    command(&computer, &["crm", "set", "folder", path(&folder)?], "")?;
    let (port, ca) = (lab.imaps_port().to_string(), lab.ca_file());
    let account = ["account", "add", ANN, "--host", "localhost", "--port", &port, "--ca", path(&ca)?];
    command(&computer, &account, &lab.password(ANN)?)?;

    step("threadline run")?;
    let mut live = Live::start(&computer)?;
    live.wait("watching", "it watches")?;

    let mut outcomes = Vec::new();
    let mut last_id = String::new();
    let stage = story::Stage { lab: &lab, ann: lab.player(ANN)?, carl: lab.player(CARL)? };
    for Scene { title, tell, play, rule, verdict } in scenes() {
        say("");
        step(tell)?;
        last_id = play(&stage, &last_id)?;
        live.wait(&format!("{:<6} {rule} ", verdict.name()), title)?;
        if verdict == Verdict::Log {
            live.wait_all(&["in hubspot", "in folder"], title)?;
        }
        outcomes.push(Outcome { title, rule, verdict });
    }
    drop(live);
    // Whatever was still on its way has arrived before anything is counted.
    computer.once()?.ok()?;

    say("");
    step("What came of it")?;
    let wanted = outcomes.iter().filter(|o| o.verdict == Verdict::Log).count();
    table(&outcomes);
    let emails = portal.emails();
    let lines = events_of(&folder)?;
    let on_contact = emails.iter().filter(|e| portal.links(e.id) == [contact]).count();
    let bodies: usize = lab.rawlog(ANN)?.iter().map(texts_given).sum();
    let after = flags_of(&lab)?;
    let kept = flags.iter().all(|was| after.contains(was));
    let decided = decisions(&computer)?;
    say("");
    figure("in HubSpot, on Carl's record", &format!("{on_contact} of {wanted}"));
    figure("in the folder", &format!("{} of {wanted}", lines.len()));
    figure("texts read, by the server's own record", &format!("{bodies} of {} new mails", outcomes.len()));
    figure("old mails read or marked", if kept { "none" } else { "SOME" });
    figure("time", &format!("{:.0} s", begun.elapsed().as_secs_f32()));

    say("");
    step("How Threadline tells it")?;
    command(&computer, &["threads"], "")?;
    command(&computer, &["status"], "")?;

    say("");
    step("Where to look")?;
    let export = place.join("export");
    command(&computer, &["export", path(&export)?], "")?;
    note(&format!("{}/events.jsonl and messages/: what a CRM gets", folder.display()));
    note(&format!("{}: all that the ledger holds", export.display()));
    note(&format!("{} --help: the program", binary("threadline")?.display()));

    ensure!(
        on_contact == wanted && emails.len() == wanted,
        "HubSpot has {} emails instead of {wanted}",
        emails.len()
    );
    ensure!(lines.len() == wanted, "the folder has {} lines instead of {wanted}", lines.len());
    let mut told: Vec<_> =
        outcomes.iter().map(|o| (o.verdict.name().to_owned(), o.rule.to_owned())).collect();
    told.sort();
    ensure!(decided == told, "decided was {decided:?}");
    ensure!(bodies == wanted, "{bodies} texts were read instead of {wanted}");
    ensure!(kept, "flags in the mailbox changed");
    ensure!(portal.take_violations().is_empty(), "HubSpot would have refused a request");
    Ok(())
}

/// The flags of each mail, by folder and UID.
fn flags_of(lab: &Lab) -> Result<BTreeSet<(&'static str, u32, Vec<String>)>> {
    let mut all = BTreeSet::new();
    for folder in ["INBOX", "Sent"] {
        all.extend(lab.flags(ANN, folder)?.into_iter().map(|(uid, flags)| (folder, uid, flags)));
    }
    Ok(all)
}

/// Outcome and rule of each mail, as the ledger has them, sorted.
fn decisions(computer: &Computer) -> Result<Vec<(String, String)>> {
    let rows = computer.run(&["log", "--json"])?.ok()?.json()?;
    let rows: Vec<Value> =
        rows.into_iter().flat_map(|row| row.as_array().cloned().unwrap_or(vec![row])).collect();
    let word = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let mut decided: Vec<_> = rows.iter().map(|row| (word(row, "outcome"), word(row, "rule"))).collect();
    decided.sort();
    Ok(decided)
}

/// `threadline run`, its lines shown as they come.
struct Live {
    child: Child,
    lines: Receiver<String>,
}

impl Live {
    fn start(computer: &Computer) -> Result<Self> {
        let mut child = computer.command(&["run"])?.stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().context("no output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, lines })
    }

    fn wait(&mut self, word: &str, what: &str) -> Result<()> {
        self.wait_all(&[word], what)
    }

    /// Shows lines until each of these words was in one of them.
    fn wait_all(&mut self, words: &[&str], what: &str) -> Result<()> {
        let mut left: Vec<&str> = words.to_vec();
        let end = Instant::now() + PATIENCE;
        while !left.is_empty() {
            go_on()?;
            let line = match self.lines.recv_timeout(GLANCE) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) if Instant::now() < end => continue,
                Err(_) => bail!("{what}: `threadline run` did not say {left:?}"),
            };
            left.retain(|word| !line.contains(word));
            println!("    {}", dim(&line));
        }
        Ok(())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn table(outcomes: &[Outcome]) {
    say(&format!("  {:<44}{:<26}{}", "MAIL", "RULE", "LOGGED"));
    for outcome in outcomes {
        let logged = match outcome.verdict {
            Verdict::Log => "yes",
            Verdict::Ignore => "no",
            Verdict::Ask => "no, asks",
        };
        say(&format!("  {:<44}{:<26}{logged}", outcome.title, outcome.rule));
    }
}

fn figure(what: &str, value: &str) {
    say(&format!("  {what:<44}{value}"));
}
