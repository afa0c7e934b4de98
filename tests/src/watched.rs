//! A mailbox of the lab that a computer watches, and the plain mails that are put into it.

use crate::desk::{ANN, CARL};
use crate::sinks::Place;
use crate::{Computer, Printed};
use anyhow::{Context, Result};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use threadline_testkit::lab::Lab;

/// A mail as it lies in a folder; `more` are further header lines with their ends.
pub fn raw(id: &str, from: &str, to: &str, more: &str) -> Vec<u8> {
    format!("From: {from}\r\nTo: {to}\r\nSubject: {id}\r\nMessage-ID: <{id}>\r\n{more}\r\ntext of {id}\r\n")
        .into_bytes()
}

/// A computer that watches Ann's mailbox, with its baseline made, and Carl as its contact.
pub fn computer(lab: &Lab, place: &Place) -> Result<Computer> {
    let computer = Computer::new()?;
    computer.add_account(lab, ANN, &[])?;
    place.set_up(&computer, &[(CARL, "Carl")])?;
    computer.once()?.ok()?;
    Ok(computer)
}

/// What a command prints as JSON.
pub fn json(computer: &Computer, args: &[&str]) -> Result<Vec<Value>> {
    computer.run(&[args, &["--json"]].concat())?.ok()?.json()
}

/// The rules of the newest decisions, the newest first.
pub fn rules(computer: &Computer, number: usize) -> Result<Vec<String>> {
    let log = json(computer, &["log"])?;
    Ok(log.iter().take(number).filter_map(|d| d["rule"].as_str().map(str::to_owned)).collect())
}

/// Runs a command that names an address for the browser (`--no-browser --json`), and lets the person go there.
pub async fn with_browser(
    computer: &Computer,
    args: &[&str],
    person: impl AsyncFnOnce(String) -> Result<()>,
) -> Result<Printed> {
    let mut child = computer
        .command(&[args, &["--no-browser", "--json"]].concat())?
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut out = BufReader::new(child.stdout.take().context("no output")?);
    let mut line = String::new();
    out.read_line(&mut line)?;
    let said: Value = serde_json::from_str(&line)?;
    person(said["open"].as_str().context("no address")?.to_owned()).await?;
    let mut rest = String::new();
    out.read_to_string(&mut rest)?;
    let output = child.wait_with_output()?;
    Ok(Printed { status: output.status, out: rest, err: String::from_utf8(output.stderr)? })
}
