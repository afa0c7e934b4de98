//! The main job in the app's window: mails come and go, the connection breaks and is mended.

use crate::story::{Stage, Verdict, scenes};
use crate::{ANN, CARL, GLANCE, OLD_MAILS, command, go_on, note, path, place, say, step};
use anyhow::{Context, Result, ensure};
use std::process::Child;
use std::sync::Arc;
use std::time::{Duration, Instant};
use threadline_engine::clock::SystemClock;
use threadline_testkit::hubspot::{FakeHubspot, Options};
use threadline_testkit::lab::Lab;
use threadline_testkit::lab::player::Letter;
use threadline_tests::desktop::screen::Screen;
use threadline_tests::desktop::{APP, App, Desktop, until};

/// What Ann's password becomes.
const NEW_PASSWORD: &str = "another-secret";
/// So long a person looks at one step before the next one.
const LOOK: Duration = Duration::from_secs(4);

/// The app, with a person at it or driven.
enum Shown {
    Person(Child),
    Driven(App),
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Shown::Person(child) = self {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Plays the story: on the person's display, else on a screen of its own.
pub fn show(runtime: &tokio::runtime::Runtime, headless: bool) -> Result<()> {
    let display = if headless { None } else { Screen::of_person() };
    if display.is_none() && !headless {
        say("There is no display here, so the app is shown on a screen of its own, as with --headless.");
    }
    let place = place()?;
    say("Threadline, live. Everything runs on this computer and nothing stays running.");
    say("");
    step("Starting Dovecot, Postfix, a keychain and a portal that speaks HubSpot")?;
    let lab = Lab::builder().with_smtp().users([ANN, CARL, "bob@lab.test"]).start()?;
    let portal = runtime.block_on(FakeHubspot::start(Options::default(), Arc::new(SystemClock::start())))?;
    portal.add_contact(CARL, "Carl", "Customer");
    portal.add_owner(ANN);
    step(&format!("Filling Ann's mailbox with {OLD_MAILS} old mails"))?;
    lab.seed(ANN, OLD_MAILS)?;
    lab.doveadm(&["force-resync", "-u", ANN, "*"])?;

    let driven = display.is_none();
    let desk = match display {
        Some(screen) => Desktop::on(screen)?,
        None => Desktop::new()?,
    };
    step("Setting Threadline up; the app can do it too")?;
    let (url, folder) = (portal.url(), place.join("crm-folder"));
    command(&desk.computer, &["crm", "set", "hubspot", "--base-url", &url], &Options::default().token)?;
    command(&desk.computer, &["crm", "set", "folder", path(&folder)?], "")?;
    let (port, ca) = (lab.imaps_port().to_string(), lab.ca_file());
    let account = ["account", "add", ANN, "--host", "localhost", "--port", &port, "--ca", path(&ca)?];
    command(&desk.computer, &account, &lab.password(ANN)?)?;

    step("Opening the app")?;
    let app = match driven {
        true => Shown::Driven(desk.open(&[])?),
        false => Shown::Person(desk.command(&[])?.spawn().context("the app cannot be started")?),
    };
    desk.tray()?.wait_for_icon("connected")?;
    tell_tray(&desk)?;
    photograph(&desk, &app, "demo-1-connected")?;

    play(&lab, &desk, &app)?;
    look_around(&desk, &app)?;
    break_and_mend(&lab, &desk, &app)?;

    say("");
    step("Where to look")?;
    if driven {
        let screens = threadline_tests::desktop::screen::screens()?;
        note(&format!("{}: what the screen showed", screens.display()));
    }
    note(&format!("{}/events.jsonl and messages/: what a CRM gets", folder.display()));
    ensure!(portal.take_violations().is_empty(), "HubSpot would have refused a request");
    Ok(())
}

/// Every scene, each decided before the next one begins.
fn play(lab: &Lab, desk: &Desktop, app: &Shown) -> Result<()> {
    let stage = Stage { lab, ann: lab.player(ANN)?, carl: lab.player(CARL)? };
    let mut last_id = String::new();
    for (n, scene) in scenes().iter().enumerate() {
        say("");
        step(scene.tell)?;
        last_id = (scene.play)(&stage, &last_id)?;
        until(scene.title, || {
            go_on()?;
            let decided = desk.computer.run(&["log", "--json"])?.ok()?.json()?;
            let rows: usize = decided.iter().map(|row| row.as_array().map_or(1, Vec::len)).sum();
            Ok((rows > n).then_some(()))
        })?;
        let logged = if scene.verdict == Verdict::Log { "logged" } else { "not logged" };
        note(&format!("{logged}: {}", scene.rule));
        watch(app)?;
    }
    Ok(())
}

fn look_around(desk: &Desktop, app: &Shown) -> Result<()> {
    let Shown::Driven(app_driven) = app else { return Ok(()) };
    for (n, screen) in ["overview", "threads", "activity", "settings"].iter().enumerate() {
        app_driven.page.press(desk.texts.text(&format!("nav.{screen}"))?)?;
        app_driven.page.shows(desk.texts.text(&format!("{screen}.title"))?)?;
        photograph(desk, app, &format!("demo-{}-{screen}", n + 2))?;
    }
    Ok(())
}

fn break_and_mend(lab: &Lab, desk: &Desktop, app: &Shown) -> Result<()> {
    say("");
    step("Ann's password is changed at her provider; she writes on")?;
    lab.set_password(ANN, NEW_PASSWORD)?;
    lab.kick(ANN)?;
    desk.tray()?.wait_for_icon("needs_attention")?;
    tell_tray(desk)?;
    let notice = desk.notices()?.wait("the disconnect", |notice| notice.title.contains(ANN))?;
    note(&format!("notification: {}. {}", notice.title, notice.text.replace('\n', " ")));
    lab.player(ANN)?.file(&Letter::to(CARL, "Assembly", "We assemble them, too."))?;
    match app {
        Shown::Driven(driven) => {
            step("The notification leads to the wizard; the new password goes there")?;
            desk.notices()?.press(&notice, "default")?;
            let (page, texts) = (&driven.page, &desk.texts);
            page.shows(&texts.with("reconnect.title_of", &[("address", ANN)])?)?;
            photograph(desk, app, "demo-6-reconnect")?;
            page.fill(texts.text("reconnect.password.new")?, NEW_PASSWORD)?;
            page.press(texts.text("reconnect.go")?)?;
            page.shows(texts.text("reconnect.done")?)?;
            photograph(desk, app, "demo-7-caught-up")?;
            desk.tray()?.wait_for_icon("connected")?;
            tell_tray(desk)
        }
        Shown::Person(_) => {
            step("Now it is yours: press Reconnect in the window")?;
            note(&format!("the new password is {NEW_PASSWORD}"));
            note("close the window, or press Ctrl-C here, to end the demo");
            until_closed(desk)
        }
    }
}

/// Says what the tray shows.
fn tell_tray(desk: &Desktop) -> Result<()> {
    let first = desk.tray()?.menu()?.into_iter().next().map(|line| line.label).unwrap_or_default();
    note(&format!("tray: {first}"));
    Ok(())
}

/// Lets a person look. Nobody looks at a screen of its own.
fn watch(app: &Shown) -> Result<()> {
    if let Shown::Person(_) = app {
        let begun = Instant::now();
        while begun.elapsed() < LOOK {
            go_on()?;
            std::thread::sleep(GLANCE);
        }
    }
    Ok(())
}

fn photograph(desk: &Desktop, app: &Shown, name: &str) -> Result<()> {
    if let Shown::Driven(driven) = app {
        driven.page.rests()?;
        note(&format!("photographed: {}", desk.screen.photograph(name)?.display()));
    }
    Ok(())
}

/// The app outlives its window; the demo does not.
fn until_closed(desk: &Desktop) -> Result<()> {
    while desk.processes(&[APP])?.iter().any(|process| process.is_web()) {
        go_on()?;
        std::thread::sleep(GLANCE);
    }
    Ok(())
}
