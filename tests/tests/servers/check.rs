//! `threadline check` against real servers.

use anyhow::{Context, Result, ensure};
use threadline_testkit::lab::Lab;
use threadline_tests::Computer;

const ANN: &str = "ann@lab.test";

#[test]
fn a_good_mailbox_passes_every_step_and_a_wrong_password_fails_at_two() -> Result<()> {
    let lab = Lab::builder().users([ANN]).with_smtp().start()?;
    let computer = Computer::new()?;
    let port = lab.submission_port().to_string();
    let smtp = ["--smtp-host", "localhost", "--smtp-port", &port, "--smtp-encryption", "starttls"];
    computer.add_account(&lab, ANN, &smtp)?;
    let lines = computer.run(&["check", ANN, "--json"])?.ok()?.json()?;
    let (report, told) = lines.split_last().context("nothing was told")?;
    let steps = report["steps"].as_array().context("no steps")?;
    ensure!(steps.len() == 10 && steps.iter().all(|s| s["state"] == "ok"), "{report:#}");
    ensure!(
        steps.iter().all(|s| s["ms"].is_u64() && (s["words"].is_string() || s["found"].is_object())),
        "{report:#}"
    );
    let sent = &steps[7]["found"]["folders"][0];
    ensure!(sent["name"] == "Sent" && sent["how"] == "special_use", "{report:#}");
    ensure!(report["failed"].is_null(), "{report:#}");
    // Each step is told when it begins, and when it ends.
    ensure!(told.len() == 20 && told[0]["state"] == "running" && told[1]["state"] == "ok", "{told:#?}");
    let plain = computer.run(&["check", ANN])?.ok()?.out;
    ensure!(plain.lines().count() == 10 && plain.contains("INBOX         ok"), "{plain}");
    ensure!(plain.contains("Sent (special use)") && plain.contains(" 0 messages"), "{plain}");

    lab.set_password(ANN, "another")?;
    let failed = computer.run(&["check", ANN])?;
    ensure!(failed.status.code() == Some(3), "{failed:?}");
    ensure!(
        failed.out.contains("sign-in       FAILED") && failed.out.contains("SMTP          FAILED"),
        "{failed:?}"
    );
    ensure!(failed.out.contains("Sent          skipped"), "{failed:?}");
    Ok(())
}
