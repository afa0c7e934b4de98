//! The window is closed, the program goes on.

use crate::{ANN, CARL};
use anyhow::{Result, ensure};
use threadline_testkit::lab::Lab;
use threadline_testkit::lab::player::Letter;
use threadline_tests::desktop::{APP, Desktop, until};

#[test]
fn mail_is_logged_while_the_window_is_closed_and_is_shown_when_it_is_open_again() -> Result<()> {
    let lab = Lab::builder().with_smtp().users([ANN, CARL]).start()?;
    let desk = Desktop::new()?;
    desk.computer.add_account(&lab, ANN, &[])?;
    desk.computer.import_contacts(&[(CARL, "Carl Customer")])?;
    let (tray, notices, texts) = (desk.tray()?, desk.notices()?, &desk.texts);

    let app = desk.open(&[])?;
    tray.wait_for_icon("connected")?;
    app.page.shows(ANN)?;
    desk.screen.photograph("connected")?;
    let with_window = desk.processes(&[APP])?;
    ensure!(with_window.iter().any(|p| p.is_web()), "no web process among {with_window:?}");

    desk.close_window()?;
    let stays = texts.text("notify.tray_stays.title")?;
    notices.wait("that the tray stays", |notice| notice.title == stays)?;
    until("the end of the web process", || {
        Ok((!desk.processes(&[APP])?.iter().any(|p| p.is_web())).then_some(()))
    })?;

    lab.player(ANN)?.send(&Letter::to(CARL, "Offer for forty desks", "Forty desks, in May."))?;
    until("the mail in the CRM", || Ok((desk.computer.exported()?.len() == 1).then_some(())))?;

    tray.choose(texts.text("tray.open")?)?;
    app.page.turn_to_new_window()?;
    app.page.press(texts.text("nav.threads")?)?;
    app.page.shows("Offer for forty desks")?;
    desk.screen.photograph("logged-while-closed")?;

    // A second start brings this window up again and ends.
    desk.close_window()?;
    let second = desk.command(&[])?.status()?;
    ensure!(second.success(), "the second start ended with {second}");
    until("the window", || Ok(desk.has_window()?.then_some(())))?;
    ensure!(
        desk.processes(&[APP])?.iter().filter(|p| p.is(APP)).count() == 1,
        "{:?}",
        desk.processes(&[APP])?
    );

    // That the tray stays is said once.
    let said = notices.shown().into_iter().filter(|notice| notice.title == stays).count();
    ensure!(said == 1, "it was said {said} times");
    Ok(())
}
