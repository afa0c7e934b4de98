//! Threadline's relay between a mail program and a real provider.

use crate::{Computer, PATIENCE, Running};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use threadline_mail::connect::{Security, Server, Timeouts};
use threadline_mail::login::Login;
use threadline_mail::submit::{Answer, Params, Path, Patience, Session};
use threadline_mail::tls::Trust;
use threadline_testkit::lab::{Lab, free_ports};

/// A computer whose relay is on, in front of a lab's Postfix.
#[derive(Debug)]
pub struct Relayed {
    pub lab: Lab,
    pub computer: Computer,
    pub user: String,
    pub tls_port: u16,
    pub starttls_port: u16,
    /// The relay's own.
    pub password: String,
    pub fingerprint: String,
    /// The certificate in a file.
    pub certificate: PathBuf,
}

impl Relayed {
    /// Sets it up; nothing runs yet.
    pub fn new(user: &str, others: &[&str]) -> Result<Self> {
        let lab = Lab::builder().with_smtp().users([&[user][..], others].concat()).start()?;
        let computer = Computer::new()?;
        let port = lab.submission_port().to_string();
        let smtp = ["--smtp-host", "localhost", "--smtp-port", &port, "--smtp-encryption", "starttls"];
        computer.add_account(&lab, user, &smtp)?;
        let [tls_port, starttls_port] = free_ports::<2>()?;
        let (tls, starttls) = (tls_port.to_string(), starttls_port.to_string());
        computer.run(&["relay", "on", "--tls-port", &tls, "--starttls-port", &starttls])?.ok()?;
        let password = computer.run(&["relay", "password", user])?.ok()?.out.trim().to_owned();
        let shown = computer.run(&["relay", "certificate", "--json"])?.ok()?.json()?;
        let text = |name: &str| shown[0][name].as_str().map(str::to_owned).context("no certificate");
        let certificate = computer.folder().join("relay.pem");
        std::fs::write(&certificate, text("pem")?)?;
        let (user, fingerprint) = (user.to_owned(), text("sha256")?);
        Ok(Self { lab, computer, user, tls_port, starttls_port, password, fingerprint, certificate })
    }

    /// Starts `threadline run`, and waits until it watches and the relay answers.
    pub fn start(&self) -> Result<Running> {
        let mut running = self.computer.start()?;
        running.wait("watching")?;
        let begun = Instant::now();
        loop {
            let status = self.status()?;
            if status["answers"] == true {
                return Ok(running);
            }
            ensure!(begun.elapsed() < PATIENCE, "the relay does not answer: {status:#}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn status(&self) -> Result<Value> {
        let mut printed = self.computer.run(&["relay", "status", "--json"])?.json()?;
        ensure!(printed.len() == 1, "{printed:?}");
        Ok(printed.remove(0))
    }

    /// A mail program's session with the relay.
    pub async fn through(&self, security: Security) -> Result<Session> {
        let mut trust = Trust::default();
        trust.pin("127.0.0.1", &self.fingerprint)?;
        let port = if security == Security::Tls { self.tls_port } else { self.starttls_port };
        let server = Server { host: "127.0.0.1".into(), port, security, trust };
        open(&server, &Login::password(&self.user, self.password.clone())).await
    }

    /// The same with the provider, without the relay.
    pub async fn direct(&self, security: Security) -> Result<Session> {
        let mut trust = Trust::default();
        trust.add_authority("localhost", self.lab.ca_pem())?;
        let port = if security == Security::Tls { self.lab.smtps_port() } else { self.lab.submission_port() };
        let server = Server { host: "localhost".into(), port, security, trust };
        open(&server, &Login::password(&self.user, self.lab.password(&self.user)?)).await
    }

    /// Waits until a folder of a user of the lab holds so many mails; gives the last one.
    pub fn arrived(&self, user: &str, folder: &str, count: usize) -> Result<Vec<u8>> {
        let begun = Instant::now();
        loop {
            let uids = self.lab.uids(user, folder)?;
            if let (true, Some(last)) = (uids.len() >= count, uids.last()) {
                return self.lab.message(user, folder, *last);
            }
            ensure!(begun.elapsed() < PATIENCE, "{} of {count} mails came to {user}", uids.len());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

async fn open(server: &Server, login: &Login) -> Result<Session> {
    Ok(Session::open(server, login, &Timeouts::default(), Patience::default()).await?)
}

/// Hands in a mail, dots doubled already, in one session; gives the last answer.
pub async fn hand_in(session: &mut Session, from: &str, to: &[&str], text: &[u8]) -> Result<Answer> {
    let path = |text: &str| Path::new(text).with_context(|| format!("{text} is no address"));
    let params = match text.is_ascii() {
        true => Params::none(),
        false => Params::none().eight_bit(),
    };
    let answer = session.mail(&path(from)?, &params).await?;
    ensure!(answer.is_yes(), "MAIL: {answer}");
    for to in to {
        let answer = session.rcpt(&path(to)?, &Params::none()).await?;
        ensure!(answer.is_yes(), "RCPT: {answer}");
    }
    let mut body = match session.data().await? {
        Ok(body) => body,
        Err(answer) => return Ok(answer),
    };
    body.write(text).await?;
    Ok(body.finish().await?)
}

/// A mail as it arrived, without what the servers on its way put above it.
pub fn without_trace(mail: &[u8]) -> &[u8] {
    let mut rest = mail;
    loop {
        let names: [&[u8]; 3] = [b"Return-Path:", b"Delivered-To:", b"Received:"];
        if !names.iter().any(|name| rest.starts_with(name)) {
            return rest;
        }
        // The field, and its folds.
        loop {
            let end = rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |at| at + 1);
            rest = &rest[end..];
            if !matches!(rest.first(), Some(b' ' | b'\t')) {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trace_goes_and_nothing_else() {
        let mail =
            b"Return-Path: <a@b>\r\nReceived: from x\r\n\tby y\r\nSubject: x\r\nReceived: mine\r\n\r\n";
        assert_eq!(without_trace(mail), b"Subject: x\r\nReceived: mine\r\n\r\n");
    }
}
