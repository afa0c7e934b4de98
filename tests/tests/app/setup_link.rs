//! A `threadline://setup` link, as a browser or a mail program opens it.

use anyhow::{Result, ensure};
use threadline_engine::setup::Setup;
use threadline_tests::desktop::Desktop;

const FILE: &str = r#"{"threadline_setup":1,"from":"IT of the firm",
    "oauth":[{"provider":"microsoft","client_id":"5c1f0d3e-7b1a"}],
    "rules":{"never":["@bank.example"]}}"#;

fn is_set(desk: &Desktop) -> Result<bool> {
    Ok(desk.computer.run(&["oauth", "show"])?.ok()?.out.contains("5c1f0d3e-7b1a"))
}

#[test]
fn a_link_is_shown_and_used_only_when_the_person_says_so() -> Result<()> {
    let link = Setup::read(FILE)?.to_link()?;
    let desk = Desktop::new()?;
    let texts = &desk.texts;
    // The program is started by it.
    let app = desk.open(&[&link])?;
    let page = &app.page;
    page.shows(texts.text("it_setup.heading")?)?;
    for part in ["IT of the firm", "5c1f0d3e-7b1a", "@bank.example"] {
        page.shows(part)?;
    }
    desk.screen.photograph("set-up-by-link")?;
    ensure!(!is_set(&desk)?, "the link did something by itself");
    page.press(texts.text("it_setup.no")?)?;
    page.shows(texts.text("setup.address.welcome")?)?;
    ensure!(!is_set(&desk)?, "it was set though the person said no");

    // It runs already: a second start hands the link over and ends.
    let second = desk.command(&[&link])?.status()?;
    ensure!(second.success(), "the second start ended with {second}");
    page.shows(texts.text("it_setup.heading")?)?;
    ensure!(!is_set(&desk)?, "the second link did something by itself");
    page.press(texts.text("it_setup.yes")?)?;
    page.shows(texts.text("it_setup.done")?)?;
    ensure!(is_set(&desk)?, "it was not set");

    // One that is no set-up is refused where it would be shown.
    desk.command(&["threadline://setup?data=bm8"])?.status()?;
    page.shows(texts.text("it_setup.not_read")?)
}
