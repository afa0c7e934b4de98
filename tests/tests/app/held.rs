//! `threadline run` has the data folder.

use anyhow::{Result, ensure};
use threadline_tests::desktop::Desktop;

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
