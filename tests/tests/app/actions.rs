//! What a person does with a logged conversation in the window.

use crate::{ANN, CARL};
use anyhow::{Result, ensure};
use std::os::unix::fs::PermissionsExt as _;
use threadline_testkit::lab::Lab;
use threadline_tests::desktop::{Desktop, until};

/// A mail with a document and a program.
fn mail() -> String {
    format!(
        "From: Ann <{ANN}>\r\nTo: Carl Customer <{CARL}>\r\nMessage-ID: <offer@lab.test>\r\nSubject: Forty desks\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n\
         --m\r\nContent-Type: text/plain\r\n\r\nIn May.\r\n\
         --m\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=offer.pdf\r\n\
         Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n\
         --m\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=setup.exe\r\n\r\n\
         MZ\r\n--m--\r\n"
    )
}

#[test]
fn a_file_is_opened_and_what_was_logged_is_taken_out_from_the_window() -> Result<()> {
    let lab = Lab::builder().users([ANN, CARL]).start()?;
    let desk = Desktop::new()?;
    desk.computer.add_account(&lab, ANN, &[])?;
    desk.computer.import_contacts(&[(CARL, "Carl Customer")])?;
    // The desktop's program for files writes down what it is given.
    let (bin, opened) = (desk.programs(), desk.computer.folder().join("opened.txt"));
    std::fs::create_dir_all(&bin)?;
    let opener = bin.join("xdg-open");
    std::fs::write(&opener, format!("#!/bin/sh\necho \"$1\" > '{}'\n", opened.display()))?;
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755))?;

    let (tray, texts) = (desk.tray()?, &desk.texts);
    let app = desk.open(&[])?;
    let page = &app.page;
    tray.wait_for_icon("connected")?;
    lab.append(ANN, "Sent", mail().as_bytes())?;
    until("the mail in the CRM", || Ok((desk.computer.exported()?.len() == 1).then_some(())))?;

    page.press(texts.text("nav.threads")?)?;
    page.shows("Forty desks")?;
    page.driver.script("location.hash = '#/threads/1'", &[])?;
    page.shows("setup.exe")?;
    let open = texts.text("threads.attachment.open")?;
    page.press(&format!("{open} offer.pdf"))?;
    let path = until("the file at the desktop's program", || {
        Ok(std::fs::read_to_string(&opened).ok().filter(|text| text.ends_with('\n')))
    })?;
    let path = std::path::Path::new(path.trim());
    ensure!(path.starts_with(&desk.computer.data) && std::fs::read(path)? == b"%PDF", "{}", path.display());
    ensure!(!page.text()?.contains(&format!("{open} setup.exe")), "a program can be opened");
    desk.screen.photograph("conversation-1-files")?;

    page.press(texts.text("threads.actions")?)?;
    page.press(&texts.with("threads.never_person", &[("who", "Carl Customer")])?)?;
    page.shows(texts.text("past.title")?)?;
    desk.screen.photograph("conversation-2-past")?;
    page.press(texts.text("past.take")?)?;
    page.shows(&texts.with("past.done.one", &[("n", "1")])?)?;
    let trash = desk.computer.run(&["trash"])?.ok()?.out;
    ensure!(trash.contains("Forty desks"), "{trash}");
    Ok(())
}
