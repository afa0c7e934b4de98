//! New versions, from a publisher of the test's own.

use anyhow::{Result, ensure};
use serde_json::json;
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use threadline_tests::desktop::{App, Desktop};

const PACKAGE: &[u8] = include_bytes!("../../data/updates/package.txt");
const KEY: &str = include_str!("../../data/updates/key.pub");
/// By the key, for version 9.0.0.
const GOOD: &str = include_str!("../../data/updates/good.sig");
/// By another key.
const FORGED: &str = include_str!("../../data/updates/forged.sig");
/// By the key, for version 0.0.9: an old package sold as a new one.
const OLD: &str = include_str!("../../data/updates/old.sig");

/// Serves what it is given, by path.
#[derive(Clone, Default)]
struct Publisher(Arc<Mutex<HashMap<String, Vec<u8>>>>);

impl Publisher {
    fn start(&self) -> Result<u16> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (port, pages) = (listener.local_addr()?.port(), self.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(std::result::Result::ok) {
                let mut lines = BufReader::new(&stream).lines().map_while(std::result::Result::ok);
                let asked = lines.next().unwrap_or_default();
                // What was asked for is read to its end before the answer.
                while lines.next().is_some_and(|line| !line.is_empty()) {}
                let path = asked.split(' ').nth(1).unwrap_or_default();
                let page = pages.0.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
                let (status, body) = page.map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let _ = (&stream).write_all(&[head.into_bytes(), body].concat());
            }
        });
        Ok(port)
    }

    fn offers(&self, path: &str, body: impl Into<Vec<u8>>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), body.into());
    }

    fn offers_version(&self, port: u16, version: &str, signature: &str, package: &[u8]) {
        let platform = format!("linux-{}", std::env::consts::ARCH);
        let url = format!("http://127.0.0.1:{port}/package");
        let of_platform = json!({ "url": url, "signature": signature });
        let new = json!({ "version": version, "notes": "It reads calendars.", "platforms": { platform: of_platform } });
        self.offers("/new.json", new.to_string());
        self.offers("/package", package);
    }
}

fn about(desk: &Desktop) -> Result<App> {
    let app = desk.open(&[])?;
    app.page.shows(desk.texts.text("setup.address.welcome")?)?;
    app.page.driver.script("location.hash = '#/settings/about'", &[])?;
    app.page.shows(desk.texts.text("updates.title")?)?;
    Ok(app)
}

#[test]
fn an_update_is_taken_only_with_the_publishers_signature() -> Result<()> {
    let publisher = Publisher::default();
    let port = publisher.start()?;
    let mut desk = Desktop::new()?;
    let settings = json!({
        "pubkey": KEY.trim(), "endpoints": [format!("http://127.0.0.1:{port}/new.json")], "requireSignedVersion": true,
    });
    desk.computer.env.push(("THREADLINE_UPDATER".into(), settings.to_string()));
    let app = about(&desk)?;
    let (page, texts) = (&app.page, &desk.texts);
    let check = texts.text("updates.check")?;

    // Nobody answers yet.
    page.press(check)?;
    page.shows(texts.text("error.update_unreachable")?)?;
    publisher.offers_version(port, env!("CARGO_PKG_VERSION"), GOOD, PACKAGE);
    page.press(check)?;
    page.shows(texts.text("updates.none")?)?;

    let found = texts.with("updates.found", &[("version", "9.0.0")])?;
    for (what, signature, package) in [
        ("another key's", FORGED, PACKAGE),
        ("an old version's", OLD, PACKAGE),
        ("another package's", GOOD, &b"something else"[..]),
    ] {
        publisher.offers_version(port, "9.0.0", signature, package);
        page.press(check)?;
        page.shows(&found)?;
        page.press(texts.text("updates.download")?)?;
        page.shows_what(&format!("the refusal of {what} signature"), |text| {
            text.contains("not signed by the publisher") && !text.contains(&found)
        })?;
    }

    publisher.offers_version(port, "9.0.0", GOOD, PACKAGE);
    page.press(check)?;
    page.shows("It reads calendars.")?;
    page.press(texts.text("updates.download")?)?;
    page.shows(&texts.with("updates.ready", &[("version", "9.0.0")])?)?;
    desk.screen.photograph("update-ready").map(drop)
}

#[test]
fn a_program_without_a_key_looks_for_no_updates_and_says_so() -> Result<()> {
    let desk = Desktop::new()?;
    let app = about(&desk)?;
    app.page.shows(desk.texts.text("updates.off")?)?;
    let offered = app.page.driver.script("return document.body.innerText", &[])?;
    let offered = offered.as_str().unwrap_or_default().to_owned();
    ensure!(!offered.contains(desk.texts.text("updates.check")?), "{offered}");
    // Nor does the command, whoever calls it.
    let call = "const answer = await window.__TAURI_INTERNALS__.invoke('check_update').catch((error) => error); return answer.code";
    let refused = app.page.driver.script_async(call)?;
    ensure!(refused == "updates_off", "{refused}");
    Ok(())
}
