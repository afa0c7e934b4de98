//! The desktop changes its colours while the app runs.

use anyhow::{Context as _, Result};
use threadline_tests::desktop::Desktop;
use threadline_tests::desktop::colours::Scheme;

#[test]
fn the_trays_icon_follows_the_panels_colours() -> Result<()> {
    let desk = Desktop::new()?;
    let app = desk.open(&[])?;
    app.page.shows(desk.texts.text("setup.address.welcome")?)?;
    let tray = desk.tray()?;
    // Nothing is set: most panels are dark.
    tray.wait_for_icon("offline-dark")?;
    desk.colours()?.change(Scheme::Light)?;
    tray.wait_for_icon("offline-light").with_context(|| app.log())?;
    desk.colours()?.change(Scheme::Dark)?;
    tray.wait_for_icon("offline-dark")
}
