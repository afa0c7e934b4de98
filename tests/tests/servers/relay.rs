//! Through the relay with real mail programs, to a real Postfix: what arrives is what was sent.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "a test says what it left out")]

use anyhow::{Context, Result, ensure};
use std::io::Write as _;
use std::process::{Command, Stdio};
use threadline_mail::connect::Security;
use threadline_mail::submit::{Params, Path};
use threadline_tests::relayed::{Relayed, hand_in, without_trace};

const ANN: &str = "ann@lab.test";
const CARL: &str = "carl@customer1.example";
const DATE: &str = "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\n";

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Mails as they are on the wire, without their last dot.
fn mails() -> Vec<Vec<u8>> {
    let head = |id: &str, more: &str| {
        format!("{DATE}From: Ann <{ANN}>\r\nTo: {CARL}\r\nMessage-ID: <{id}@lab.test>\r\n{more}")
    };
    let eight_bit: Vec<u8> = (128..=255).collect();
    let signed = "Content-Type: multipart/signed; micalg=sha-256; protocol=\"application/pkcs7-signature\"; boundary=b\r\n\
        MIME-Version: 1.0\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsigned  \r\n--b\r\n\
        Content-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\nMIAGCSqG\r\n--b--\r\n";
    vec![
        head("plain", "Subject: plain\r\n\r\nhello\r\n").into_bytes(),
        head("odd", "SUBJECT:  odd \t\r\n folded \r\nX-Empty:\r\n\r\n..dot\r\n\r\n  space  \r\n\t\r\n..\r\n").into_bytes(),
        [head("eight", "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n").as_bytes(), &eight_bit, b"\r\n"].concat(),
        [head("long", "Subject: x\r\n\r\n").as_bytes(), "y".repeat(998).as_bytes(), b"\r\n"].concat(),
        head("signed", &format!("Subject: x\r\n{signed}")).into_bytes(),
        [head("large", "Subject: x\r\n\r\n").as_bytes(), "0123456789\r\n".repeat(200_000).as_bytes()].concat(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_through_the_relay_is_what_arrives_without_it() -> Result<()> {
    let relayed = Relayed::new(ANN, &[CARL])?;
    let _running = relayed.start()?;
    let mut count = 0;
    for mail in mails() {
        for security in [Security::Tls, Security::StartTls] {
            let mut arrived = Vec::new();
            for through in [false, true] {
                let mut session = match through {
                    true => relayed.through(security).await?,
                    false => relayed.direct(security).await?,
                };
                let answer = hand_in(&mut session, ANN, &[CARL], &mail).await?;
                ensure!(answer.is_yes() && answer.words().contains("queued as"), "{answer}");
                session.quit().await;
                count += 1;
                arrived.push(without_trace(&relayed.arrived(CARL, "INBOX", count)?).to_owned());
            }
            ensure!(arrived[0] == arrived[1], "{}\nbecame\n{}", text(&arrived[0]), text(&arrived[1]));
        }
    }
    // Without a Message-ID that alone is added, and it is the same on a second try.
    let bare = format!("{DATE}From: {ANN}\r\nTo: {CARL}\r\nSubject: bare\r\n\r\nhello\r\n");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut session = relayed.through(Security::Tls).await?;
        ensure!(hand_in(&mut session, ANN, &[CARL], bare.as_bytes()).await?.is_yes());
        session.quit().await;
        count += 1;
        let arrived = text(without_trace(&relayed.arrived(CARL, "INBOX", count)?));
        let (id, rest): (Vec<&str>, Vec<&str>) =
            arrived.split_inclusive('\n').partition(|line| line.starts_with("Message-ID: "));
        ensure!(rest.concat() == bare && id.len() == 1, "{arrived}");
        ids.push(id.concat());
    }
    ensure!(ids[0] == ids[1] && ids[0].trim_end().ends_with("@lab.test>"), "{ids:?}");
    let status = relayed.status()?;
    ensure!(status["mailboxes"][0]["accepted"] == 7, "each id counts once: {status:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_program_hears_what_the_provider_says() -> Result<()> {
    let relayed = Relayed::new(ANN, &[CARL])?;
    let _running = relayed.start()?;
    let offered = |session: &threadline_mail::submit::Session| session.extensions().clone();
    let (mut direct, mut through) =
        (relayed.direct(Security::Tls).await?, relayed.through(Security::Tls).await?);
    // Asked when the relay started for the first time.
    ensure!(offered(&direct) == offered(&through), "{:?} {:?}", direct.extensions(), through.extensions());
    let (ann, carl) = (Path::new(ANN).context("ann")?, Path::new(CARL).context("carl")?);
    let no_recipient = Path::new("two@@signs.example").context("a path")?;
    let mut answers = [Vec::new(), Vec::new()];
    for (session, answers) in [&mut direct, &mut through].into_iter().zip(&mut answers) {
        answers.push(session.mail(&ann, &Params::none().eight_bit()).await?);
        let notify = Params::none().with("NOTIFY=NEVER,FAILURE").context("a parameter")?;
        answers.push(session.rcpt(&carl, &notify).await?);
        answers.push(session.rcpt(&no_recipient, &Params::none()).await?);
        answers.push(session.rcpt(&carl, &Params::none()).await?);
    }
    for (session, answers) in [relayed.direct(Security::Tls).await?, relayed.through(Security::Tls).await?]
        .iter_mut()
        .zip(&mut answers)
    {
        answers.push(session.mail(&ann, &Params::none().size(999_999_999)).await?);
    }
    ensure!(answers[0] == answers[1], "{answers:#?}");
    let codes: Vec<u16> = answers[1].iter().map(|answer| answer.code).collect();
    ensure!(codes[..2] == [250, 501] && codes[3..] == [250, 552], "{codes:?}");

    // The provider does not know the password any more: the mail program is told, and keeps its mail.
    relayed.lab.set_password(ANN, "another")?;
    let mut through = relayed.through(Security::Tls).await?;
    let answer = through.mail(&ann, &Params::none()).await?;
    ensure!(answer.code == 451 && answer.words().contains("localhost:"), "{answer}");
    Ok(())
}

/// As many as Postfix takes, and the relay too: each is answered by Postfix, and each gets the mail once.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_recipients_get_it_once_each() -> Result<()> {
    const MOST: usize = 1_000;
    let relayed = Relayed::new(ANN, &[CARL])?;
    let _running = relayed.start()?;
    let to = |n: usize| Path::new(&format!("carl+{n}@customer1.example")).map(|to| (to, Params::none()));
    let everybody: Vec<_> = (0..=MOST).filter_map(to).collect();
    let mut session = relayed.through(Security::Tls).await?;
    ensure!(session.mail(&Path::new(ANN).context("ann")?, &Params::none()).await?.is_yes());
    let heard = session.recipients(&everybody).await;
    let (last, answers) = heard.answers.split_last().context("nothing was heard")?;
    ensure!(answers.len() == MOST && answers.iter().all(|answer| answer.code == 250), "{answers:?}");
    ensure!(last.code == 452 && heard.broke.is_none(), "{last}");
    let mut body = session.data().await?.map_err(|answer| anyhow::anyhow!("{answer}"))?;
    body.write(&mails()[0]).await?;
    ensure!(body.finish().await?.is_yes());
    relayed.arrived(CARL, "INBOX", MOST)?;
    ensure!(relayed.lab.uids(CARL, "INBOX")?.len() == MOST);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_test_proves_the_way_and_sends_nothing() -> Result<()> {
    let relayed = Relayed::new(ANN, &[CARL])?;
    let test = || relayed.computer.run(&["relay", "test", ANN]);
    let silent = test()?;
    ensure!(!silent.status.success() && silent.err.contains("does not answer"), "{silent:?}");
    let running = relayed.start()?;
    let good = test()?.ok()?.out;
    ensure!(good.matches(" ok ").count() == 3 && good.contains("Nothing was sent"), "{good}");
    // Its address in the list of ports is told where another program has it.
    drop(running);
    let taken = std::net::TcpListener::bind(("127.0.0.1", relayed.tls_port))?;
    let _running = relayed.computer.start()?;
    let begun = std::time::Instant::now();
    loop {
        let status = relayed.status()?;
        if status["state"]["state"] == "failed" {
            let words = status["state"]["words"].as_str().unwrap_or_default();
            ensure!(words.contains(&relayed.tls_port.to_string()) && words.contains("--tls-port"), "{words}");
            break;
        }
        ensure!(begun.elapsed() < threadline_tests::PATIENCE, "{status:#}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    drop(taken);
    ensure!(relayed.lab.uids(CARL, "INBOX")?.is_empty());
    // Off, it is gone within seconds.
    relayed.computer.run(&["relay", "off"])?.ok()?;
    let off = test()?;
    ensure!(!off.status.success() && off.err.contains("threadline relay on"), "{off:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_decides_over_one_mail_and_does_not_arrive() -> Result<()> {
    let relayed = Relayed::new(ANN, &[CARL])?;
    relayed.computer.import_contacts(&[(CARL, "Carl")])?;
    let mut running = relayed.start()?;
    let mut count = 0;
    let mut send = async |id: &str, to: &str, subject: &str| -> Result<String> {
        let mail = format!(
            "{DATE}From: {ANN}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{id}>\r\n\r\nhello\r\n"
        );
        let mut session = relayed.through(Security::Tls).await?;
        ensure!(hand_in(&mut session, ANN, &[to], mail.as_bytes()).await?.is_yes());
        session.quit().await;
        count += 1;
        let arrived = relayed.arrived(CARL, "INBOX", count)?;
        let arrived = without_trace(&arrived);
        // The mail program files what it wrote, switch and all.
        relayed.lab.append(ANN, "Sent", mail.as_bytes())?;
        Ok(text(arrived))
    };
    // Carl is a contact: without the switch it would be logged.
    let arrived = send("1@lab.test", CARL, "+nolog Offer").await?;
    ensure!(arrived.contains("Subject: Offer\r\n") && !arrived.contains("nolog"), "{arrived}");
    let (_, decided) = running.wait("decided")?;
    ensure!(decided["rule"] == "relay_no_log" && decided["verdict"] == "ignore", "{decided}");
    // Now nothing is logged but by a word.
    relayed.computer.run(&["account", "set", ANN, "--mode", "only-when-i-say"])?.ok()?;
    let arrived = send("2@lab.test", "carl+log@customer1.example", "Offer").await?;
    ensure!(arrived.contains(&format!("To: {CARL}\r\n")), "{arrived}");
    let (_, decided) = running.wait_for("the second", |e| e["event"] == "decided")?;
    ensure!(decided["rule"] == "relay_log" && decided["verdict"] == "log", "{decided}");
    running.wait("pushed")?;
    // Without a word the ordinary rules decide.
    send("3@lab.test", CARL, "Offer").await?;
    let (_, decided) = running.wait_for("the third", |e| e["event"] == "decided")?;
    ensure!(decided["rule"] == "sent_in_logged_thread" || decided["rule"] == "only_when_i_say", "{decided}");
    let relays = running.seen().iter().filter(|event| event["event"] == "relayed").count();
    ensure!(relays == 3, "{relays} of 3 were told of");
    Ok(())
}

/// True where the program is there; says loudly where it is not.
fn is_there(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        println!("skipped, {program} is not there: `cargo xtask setup` installs it");
    }
    there
}

fn run(command: &mut Command, input: &[u8]) -> Result<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    child.stdin.take().context("no input")?.write_all(input)?;
    let output = child.wait_with_output()?;
    let said = text(&output.stdout) + &text(&output.stderr);
    ensure!(output.status.success(), "{said}");
    Ok(said)
}

#[test]
fn swaks_msmtp_and_neomutt_send_through_it() -> Result<()> {
    let relayed = Relayed::new(ANN, &[CARL])?;
    let _running = relayed.start()?;
    let folder = relayed.computer.folder();
    let (mut count, mut ran) = (0, 0);
    let mut same = |program: &str, sent: &[u8]| -> Result<()> {
        count += 1;
        let arrived = relayed.arrived(CARL, "INBOX", count)?;
        let arrived = without_trace(&arrived);
        ensure!(arrived == sent, "{program} sent\n{}\nand there arrived\n{}", text(sent), text(arrived));
        Ok(())
    };
    let mail = format!(
        "{DATE}From: Ann <{ANN}>\r\nTo: {CARL}\r\nMessage-ID: <1@lab.test>\r\nSubject: odd \t\r\n fold\r\n\r\n\
         .dot\r\n..\r\n\r\nGrüße\r\n.\r\nlast\r\n"
    );
    let file = folder.join("mail.eml");
    // swaks ends what it sends with a line end of its own.
    std::fs::write(&file, mail.trim_end())?;
    if is_there("swaks") {
        for (port, tls) in [(relayed.tls_port, "--tls-on-connect"), (relayed.starttls_port, "--tls")] {
            for auth in ["PLAIN", "LOGIN"] {
                let mut swaks = Command::new("swaks");
                swaks.args(["--server", "127.0.0.1", "--port", &port.to_string(), tls, "--tls-verify"]);
                swaks.arg("--tls-ca-path").arg(&relayed.certificate);
                swaks.args(["--auth", auth, "--auth-user", ANN, "--auth-password", &relayed.password]);
                swaks.args(["--from", ANN, "--to", CARL, "--data"]).arg(format!("@{}", file.display()));
                let said = run(&mut swaks, b"")?;
                ensure!(said.contains("queued as"), "{said}");
                same("swaks", mail.as_bytes())?;
            }
        }
        ran += 1;
    }
    if is_there("msmtp") {
        for (port, starttls) in [(relayed.tls_port, "off"), (relayed.starttls_port, "on")] {
            let settings = folder.join("msmtprc");
            let text = format!(
                "account default\nhost 127.0.0.1\nport {port}\ntls on\ntls_starttls {starttls}\ntls_trust_file {}\n\
                 auth on\nuser {ANN}\npassword {}\nfrom {ANN}\n",
                relayed.certificate.display(),
                relayed.password
            );
            std::fs::write(&settings, text)?;
            private(&settings)?;
            let mut msmtp = Command::new("msmtp");
            msmtp.arg("-C").arg(&settings).arg("--").arg(CARL);
            // It reads a mail with the system's own line ends.
            run(&mut msmtp, mail.replace("\r\n", "\n").as_bytes())?;
            same("msmtp", mail.as_bytes())?;
        }
        ran += 1;
    }
    if is_there("neomutt") {
        let settings = folder.join("muttrc");
        let record = folder.join("record");
        let text = format!(
            "set from='{ANN}'\nset realname='Ann'\nset use_from=yes\nset hostname='lab.test'\n\
             set smtp_url='smtps://{ANN}@127.0.0.1:{}'\nset smtp_pass='{}'\nset ssl_force_tls=yes\n\
             set certificate_file='{}'\nset ssl_usesystemcerts=no\nset smtp_authenticators='plain'\n\
             set mbox_type=Maildir\nset copy=yes\nset record='{}'\nset folder='{}'\n",
            relayed.tls_port,
            relayed.password,
            relayed.certificate.display(),
            record.display(),
            folder.display(),
        );
        std::fs::write(&settings, text.replace(&format!("smtps://{ANN}@"), "smtps://ann%40lab.test@"))?;
        private(&settings)?;
        for folder in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(record.join(folder))?;
        }
        let mut neomutt = Command::new("neomutt");
        neomutt.args(["-n", "-F"]).arg(&settings).args(["-s", "Grüße", "--", CARL]);
        neomutt.env("HOME", &folder).env("LANG", "C.UTF-8");
        run(&mut neomutt, "hello\n.\nGrüße\n".as_bytes())?;
        let mut kept = Vec::new();
        for part in ["cur", "new"] {
            for entry in std::fs::read_dir(record.join(part))? {
                kept.push(std::fs::read(entry?.path())?);
            }
        }
        ensure!(kept.len() == 1, "neomutt keeps {} copies", kept.len());
        same("neomutt", text_to_wire(&kept[0]).as_slice())?;
        ran += 1;
    }
    println!("{ran} of 3 mail programs ran");
    Ok(())
}

/// A file's lines, by their bytes, with the line ends of the wire.
fn text_to_wire(mail: &[u8]) -> Vec<u8> {
    let lines =
        mail.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line));
    lines.flat_map(|line| [line.strip_suffix(b"\r").unwrap_or(line), b"\r\n"]).flatten().copied().collect()
}

fn private(path: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?)
}
