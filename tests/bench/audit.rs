//! The coverage audit of a large mailbox: time, memory, and bytes over the wire.

use crate::filled;
use crate::{ANN, peak};
use anyhow::{Context, Result, ensure};
use std::time::{Duration, Instant};
use threadline_core::address::Address;
use threadline_core::rule::LogMode;
use threadline_engine::settings::{AccountSettings, CrmSettings, Encryption};
use threadline_testkit::lab::Lab;
use threadline_tests::proxy;
use zeroize::Zeroizing;

const MAILS: usize = 100_000;
/// All that the lab's mailbox holds.
const DAYS: u32 = 3_660;

pub fn run(runtime: &tokio::runtime::Runtime) -> Result<()> {
    let lab = Lab::builder().users([ANN]).rawlog(false).start()?;
    let seeded = lab.seed(ANN, MAILS)?;
    lab.doveadm(&["force-resync", "-u", ANN, "*"])?;
    let (port, traffic) = proxy::start(lab.imaps_port(), Duration::ZERO)?;
    let dir = tempfile::tempdir()?;
    let engine = filled::engine(dir.path())?;
    let ann = Address::parse(ANN)?;
    let mut settings = AccountSettings::new(ann.clone(), "localhost".into(), Encryption::Tls);
    settings.port = port;
    settings.authority = Some(lab.ca_pem().to_owned());
    settings.rules.mode = LogMode::KnownContacts;
    runtime.block_on(async {
        engine.add_account(settings, Some(Zeroizing::new(lab.password(ANN)?))).await?;
        engine.set_crm(CrmSettings::Ledger, None).await?;
        let half: String = (0..200).map(|n| format!("c{n}@customer{}.example\n", n % 90 + 10)).collect();
        engine.import_contacts(format!("email\n{half}").as_bytes(), |_| {}).await?;
        let begun = Instant::now();
        let read = engine.read_history(&ann, DAYS, |_| {}).await?;
        println!(
            "  {} mails in INBOX, {} in Sent; {} taken into the ledger in {:.1} s, which has {:.1} MB then",
            seeded.inbox,
            seeded.sent,
            read.seen,
            begun.elapsed().as_secs_f64(),
            std::fs::metadata(engine.ledger().path())?.len() as f64 / 1e6
        );
        for round in ["first", "again"] {
            let connections = traffic.connections().len();
            // The most memory is counted anew from here on.
            std::fs::write("/proc/self/clear_refs", "5")?;
            let (before, begun) = (peak(std::process::id())?, Instant::now());
            let report = engine.audit(&ann, DAYS, false, |_| {}).await?;
            let time = begun.elapsed();
            ensure!(report.messages as usize > MAILS, "{report:?}");
            let [up, down] = *traffic.connections().get(connections).context("no connection")?;
            println!(
                "    {round:<6} {} messages in {:.2} s; most memory {:.1} MB, {:.1} MB of it for the audit; {:.1} MB down, {:.0} kB up; missed {}",
                report.messages,
                time.as_secs_f64(),
                peak(std::process::id())? as f64 / 1024.0,
                peak(std::process::id())?.saturating_sub(before) as f64 / 1024.0,
                down as f64 / 1e6,
                up as f64 / 1e3,
                report.missed
            );
        }
        Ok(())
    })
}
