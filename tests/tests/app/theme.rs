//! The window's theme and language are those that the person set, before the engine has answered anything.

use anyhow::{Result, ensure};
use serde_json::json;
use threadline_tests::desktop::Desktop;

#[test]
fn a_dark_german_window_is_so_while_the_keychain_is_still_locked() -> Result<()> {
    let mut desk = Desktop::new()?;
    desk.computer.run(&["status"])?.ok()?;
    let settings = json!({"settings": {"theme": "dark", "language": "de"}});
    std::fs::write(desk.computer.data.join("desktop.json"), settings.to_string())?;
    desk.computer.lock()?;
    let app = desk.open(&[])?;
    app.page.rests()?;
    let look = "const root = document.documentElement; \
                return [root.dataset.theme, root.dataset.locale, root.lang, getComputedStyle(document.body).backgroundColor]";
    let look = app.page.driver.script(look, &[])?;
    // `--bg` of the dark theme. Only what runs before the page's own scripts sets `locale`.
    ensure!(look == json!(["dark", "de", "de", "rgb(16, 22, 29)"]), "{look}");
    desk.screen.photograph("dark-before-the-engine").map(drop)
}

#[test]
fn damaged_settings_are_told_with_the_file_in_which_they_lie() -> Result<()> {
    let desk = Desktop::new()?;
    desk.computer.run(&["status"])?.ok()?;
    std::fs::write(desk.computer.data.join("desktop.json"), "{\"settings\":{\"theme\"")?;
    let app = desk.open(&[])?;
    app.page.shows(desk.texts.text("app.missing.settings.title")?)?;
    app.page.shows("desktop.broken.json")?;
    ensure!(desk.computer.data.join("desktop.broken.json").exists());
    desk.screen.photograph("damaged-settings").map(drop)
}
