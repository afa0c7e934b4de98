//! A computer whose keychain is missing or closed.

use anyhow::Result;
use threadline_testkit::lab::keyring::Keyring;
use threadline_tests::desktop::Desktop;

#[test]
fn without_a_keychain_the_app_says_so_and_what_to_do() -> Result<()> {
    let desk = Desktop::with(Keyring::no_service()?)?;
    let app = desk.open(&[])?;
    app.page.shows(desk.texts.text("app.missing.keychain.title")?)?;
    app.page.shows(desk.texts.text("app.missing.keychain.next")?)?;
    let tray = desk.tray()?;
    tray.wait_for_icon("needs_attention")?;
    tray.wait_for_line(desk.texts.start("tray.keychain")?)?;
    desk.screen.photograph("no-keychain")?;
    Ok(())
}

#[test]
fn a_locked_keychain_is_waited_for() -> Result<()> {
    let mut desk = Desktop::new()?;
    // The ledger is there, its key in the keychain.
    desk.computer.run(&["status"])?.ok()?;
    desk.computer.lock()?;
    let app = desk.open(&[])?;
    app.page.shows(desk.texts.text("app.keychain.title")?)?;
    desk.tray()?.wait_for_icon("needs_attention")?;
    desk.screen.photograph("locked-keychain")?;

    desk.computer.unlock()?;
    desk.tray()?.wait_for_line(desk.texts.start("tray.no_mailbox")?)?;
    let waiting = desk.texts.text("app.keychain.title")?;
    app.page.shows_what("the end of the waiting", |text| !text.contains(waiting))
}
