//! From the moment a Sent copy is stored on the server to the moment the CRM has it, beside the moment a bare IDLE
//! client sees EXISTS.

use crate::{ANN, CARL, spread};
use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use threadline_testkit::lab::Lab;
use threadline_testkit::lab::cyrus::Cyrus;
use threadline_tests::sinks::Place;
use threadline_tests::{Computer, PATIENCE};

const MAILS: usize = 100;

pub fn run(runtime: &tokio::runtime::Runtime) -> Result<()> {
    let dir = tempfile::tempdir()?;
    for place in [Place::folder(dir.path().join("dovecot")), runtime.block_on(Place::hubspot())?] {
        dovecot(&place)?;
    }
    match Cyrus::start() {
        Ok(server) => cyrus(&server, &Place::folder(dir.path().join("cyrus")))?,
        Err(error) => println!("  Cyrus: not there ({error:#}); `cargo xtask setup` unpacks it"),
    }
    Ok(())
}

/// Dovecot holds news back by half a second.
fn dovecot(place: &Place) -> Result<()> {
    let lab = Lab::builder().users([ANN]).rawlog(false).start()?;
    let computer = Computer::new()?;
    computer.add_account(&lab, ANN, &[])?;
    place.set_up(&computer, &[(CARL, "Carl")])?;
    let (host, port) = lab.tool_address();
    let bare = Bare::start((host, port), ANN, &lab.password(ANN)?)?;
    measure("Dovecot", place, &computer, &bare, ANN, |raw| lab.append(ANN, "Sent", raw).map(|_| ()))
}

fn cyrus(server: &Cyrus, place: &Place) -> Result<()> {
    let computer = Computer::new()?;
    let port = server.imaps_port().to_string();
    let ca = server.ca_file();
    let ca = ca.to_str().context("not UTF-8")?;
    let user = "alice@firm.example";
    let add = ["account", "add", user, "--user", "alice", "--host", "localhost", "--port", &port, "--ca", ca];
    computer.run_with(&add, "secret\n")?.ok()?;
    place.set_up(&computer, &[(CARL, "Carl")])?;
    let bare = Bare::start(("127.0.0.1", server.imap_port()), "alice", "secret")?;
    measure("Cyrus", place, &computer, &bare, user, |raw| server.append("Sent", raw).map(|_| ()))
}

fn measure(
    server: &str,
    place: &Place,
    computer: &Computer,
    bare: &Bare,
    from: &str,
    append: impl Fn(&[u8]) -> Result<()>,
) -> Result<()> {
    computer.once()?.ok()?;
    let mut running = computer.start()?;
    running.wait("watching")?;
    let (mut whole, mut seen, mut behind) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..MAILS {
        let raw = format!(
            "From: {from}\r\nTo: {CARL}\r\nSubject: mail {n}\r\nMessage-ID: <{n}.{server}@bench>\r\n\r\n{}\r\n",
            "text ".repeat(200)
        );
        append(raw.as_bytes())?;
        let stored = Instant::now();
        let exists = bare.news.recv_timeout(PATIENCE).context("the bare client saw nothing")?;
        let (pushed, _) = running.wait("pushed")?;
        let ms = |a: Instant, b: Instant| a.saturating_duration_since(b).as_secs_f64() * 1_000.0;
        whole.push(ms(pushed, stored));
        seen.push(ms(exists, stored));
        behind.push(if pushed > exists { ms(pushed, exists) } else { -ms(exists, pushed) });
    }
    println!("  {server}, sink {}, {MAILS} mails one at a time", place.name());
    println!("    stored -> a bare IDLE client sees EXISTS   {}", spread(&mut seen));
    println!("    stored -> accepted by the sink             {}", spread(&mut whole));
    println!("    the difference, mail by mail               {}", spread(&mut behind));
    Ok(())
}

/// A client that does nothing but IDLE on Sent.
struct Bare {
    news: Receiver<Instant>,
}

impl Bare {
    fn start(address: (&str, u16), user: &str, password: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(600)))?;
        let mut lines = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        lines.read_line(&mut line)?;
        let mut command = |tag: &str, words: &str, until: &str| -> Result<()> {
            stream.write_all(format!("{tag} {words}\r\n").as_bytes())?;
            loop {
                line.clear();
                ensure!(lines.read_line(&mut line)? > 0, "the server hung up");
                if line.starts_with(until) {
                    return Ok(());
                }
            }
        };
        command("a", &format!("LOGIN \"{user}\" \"{password}\""), "a OK")?;
        command("b", "EXAMINE Sent", "b OK")?;
        command("c", "IDLE", "+")?;
        let (sender, news) = channel();
        std::thread::spawn(move || {
            let _open = stream;
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|n| n > 0) {
                if line.trim_end().ends_with(" EXISTS") && sender.send(Instant::now()).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Ok(Self { news })
    }
}
