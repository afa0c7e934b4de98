//! The password was changed on the server.

use crate::{ANN, CARL};
use anyhow::{Result, ensure};
use threadline_testkit::lab::Lab;
use threadline_testkit::lab::player::Letter;
use threadline_tests::desktop::{Desktop, until};

#[test]
fn a_changed_password_is_told_in_tray_and_notification_and_mended_in_the_wizard() -> Result<()> {
    const NEW: &str = "another secret";
    let lab = Lab::builder().users([ANN, CARL]).start()?;
    let desk = Desktop::new()?;
    desk.computer.add_account(&lab, ANN, &[])?;
    desk.computer.import_contacts(&[(CARL, "Carl Customer")])?;
    let (tray, notices, texts) = (desk.tray()?, desk.notices()?, &desk.texts);
    let app = desk.open(&[])?;
    tray.wait_for_icon("connected")?;
    desk.close_window()?;

    lab.set_password(ANN, NEW)?;
    lab.kick(ANN)?;
    tray.wait_for_icon("needs_attention")?;
    let said = tray.wait_for_line(texts.start("tray.disconnected")?)?;
    let why = texts.text("reason.password_changed.short")?;
    ensure!(said.label.ends_with(why), "the tray says {said:?}");
    let notice = notices.wait("the disconnect", |notice| notice.title.contains(ANN))?;
    ensure!(notice.text.contains(texts.text("reason.password_changed.title")?), "{notice:#?}");
    ensure!(notice.text.contains(texts.text("reason.password_changed.next")?), "{notice:#?}");

    // Meanwhile Ann writes on.
    let ann = lab.player(ANN)?;
    for subject in ["First", "Second"] {
        ann.file(&Letter::to(CARL, subject, "hello"))?;
    }
    ann.file(&Letter::to("friend@private.example", "Sunday", "Cake?"))?;

    // The notification leads to the wizard, at the failed step.
    notices.press(&notice, "default")?;
    let page = &app.page;
    page.turn_to_new_window()?;
    page.shows(&texts.with("reconnect.title_of", &[("address", ANN)])?)?;
    page.shows(texts.text("reason.password_changed.title")?)?;
    let password = texts.text("reconnect.password.new")?;
    until("the focus in the password", || Ok((page.focus()? == password).then_some(())))?;
    desk.screen.photograph("reconnect")?;
    page.press(texts.text("setup.account.settings")?)?;
    ensure!(page.filled(texts.text("setup.field.host")?)? == "localhost");
    ensure!(page.filled(texts.text("setup.field.user")?)? == ANN);

    page.fill(password, NEW)?;
    page.press(texts.text("reconnect.go")?)?;
    page.shows(texts.text("reconnect.done")?)?;
    page.shows(&texts.with("reconnect.counts.other", &[("n", "3"), ("checked", "3"), ("logged", "2")])?)?;
    desk.screen.photograph("caught-up")?;
    tray.wait_for_icon("connected")?;
    until("both mails in the CRM", || Ok((desk.computer.exported()?.len() == 2).then_some(())))?;

    // One notification for one cause, and one for its end.
    let recovered = texts.with("notify.recovered.title", &[("name", ANN)])?;
    notices.wait("the recovery", |notice| notice.title == recovered)?;
    let about = notices.shown().into_iter().filter(|notice| notice.title.contains(ANN)).count();
    ensure!(about == 2, "{:#?}", notices.shown());

    // It breaks again, and this time nobody presses anything: what is true no more does not stay on the screen.
    lab.set_password(ANN, "a third secret")?;
    lab.kick(ANN)?;
    let again =
        notices.wait("the second disconnect", |one| one.title == notice.title && one.id != notice.id)?;
    desk.computer.run(&["account", "remove", ANN, "--yes"])?.ok()?;
    notices.wait_for_taken_back(&again)
}
