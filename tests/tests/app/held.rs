//! `threadline run` and the app on one data folder.

use anyhow::{Result, ensure};
use threadline_tests::desktop::{APP, Desktop};

#[test]
fn the_app_says_who_has_the_data_folder_and_goes_on_when_it_is_free() -> Result<()> {
    let desk = Desktop::new()?;
    let running = desk.computer.start()?;
    let holder = format!("threadline run (process {})", running.pid());
    let app = desk.open(&[])?;
    app.page.shows(desk.texts.text("app.held.title")?)?;
    app.page.shows(&holder)?;
    let tray = desk.tray()?;
    tray.wait_for_icon("offline")?;
    let said = tray.menu()?.into_iter().next().map(|line| line.label).unwrap_or_default();
    ensure!(said.contains("threadline run"), "the tray says {said:?}");
    desk.screen.photograph("held")?;

    running.kill()?;
    tray.wait_for_line(desk.texts.start("tray.no_mailbox")?)?;
    app.page.shows_what("the end of that", |text| !text.contains(&holder))
}

#[test]
fn threadline_run_says_that_the_app_has_the_data_folder_and_leaves_it_alone() -> Result<()> {
    let desk = Desktop::new()?;
    let app = desk.open(&[])?;
    app.page.shows(desk.texts.text("setup.address.welcome")?)?;
    let pid = desk.processes(&[APP])?.into_iter().find(|one| one.is(APP)).map(|one| one.pid);
    let holder = format!("Threadline (process {})", pid.unwrap_or_default());
    for words in [&["run"][..], &["run", "--once"]] {
        let refused = desk.computer.run(words)?;
        ensure!(refused.status.code() == Some(4), "{words:?}: {refused:?}");
        ensure!(refused.err.contains(&holder), "{words:?} does not name {holder}: {}", refused.err);
    }
    // Reading and setting go on beside it, and so does the app.
    desk.computer.run(&["status"])?.ok()?;
    desk.tray()?.wait_for_line(desk.texts.text("tray.no_mailbox")?)?;
    desk.tray()?.choose(desk.texts.text("tray.quit")?)?;
    // When it has ended, the folder is free.
    let once = || Ok(desk.computer.run(&["run", "--once"])?.status.success().then_some(()));
    threadline_tests::desktop::until("the folder to be free", once)
}
