//! A client of tauri-driver, which starts the app and speaks to WebKitWebDriver.
//! <https://www.w3.org/TR/webdriver2/>

use super::http::call;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The field that holds an element's reference, by the specification.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The driver that `cargo xtask setup` built.
pub fn program() -> Result<String> {
    let own = std::env::current_exe()?;
    let target = own.ancestors().find(|path| path.ends_with("target")).context("no build folder")?;
    let path: PathBuf = target.join("xtask/tools/bin/tauri-driver");
    match path.is_file() {
        true => Ok(path.to_string_lossy().into_owned()),
        false => bail!("tauri-driver is not there: run `cargo xtask setup`"),
    }
}

/// Whether the driver behind this port answers, and WebKit's behind it.
pub fn is_ready(port: u16) -> bool {
    call(port, "GET", "/status", None).is_ok()
}

/// An element of the page.
#[derive(Debug, Clone)]
pub struct Element(String);

impl Element {
    /// The element as an argument of a script.
    pub fn json(&self) -> Value {
        json!({ ELEMENT: self.0 })
    }
}

/// A session: one run of the app.
#[derive(Debug)]
pub struct WebDriver {
    port: u16,
    session: String,
}

impl WebDriver {
    /// Starts the app; returns when its window is there.
    pub fn start(port: u16, application: &Path, args: &[String]) -> Result<Self> {
        let options = json!({"application": application, "args": args});
        let body = json!({"capabilities": {"alwaysMatch": {"tauri:options": options}}});
        let mut driver = Self { port, session: String::new() };
        let opened = driver.ask("POST", "/session", Some(&body)).context("the app's window does not come")?;
        driver.session = opened["sessionId"].as_str().context("a session without an id")?.to_owned();
        Ok(driver)
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let mut answer = call(self.port, method, path, body)?;
        let value = answer["value"].take();
        if let (Some(error), words) = (value["error"].as_str(), &value["message"]) {
            bail!("{error}: {}", words.as_str().unwrap_or_default());
        }
        Ok(value)
    }

    fn get(&self, path: &str) -> Result<Value> {
        self.ask("GET", &format!("/session/{}/{path}", self.session), None)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.ask("POST", &format!("/session/{}/{path}", self.session), Some(body))
    }

    /// Runs the body of a function in the page, and gives what it returns.
    pub fn script(&self, body: &str, args: &[Value]) -> Result<Value> {
        self.post("execute/sync", &json!({"script": body, "args": args}))
    }

    /// The same of a function that waits; gives what it returns in the end.
    pub fn script_async(&self, body: &str) -> Result<Value> {
        let body =
            format!("const done = arguments[arguments.length - 1]; (async () => {{ {body} }})().then(done)");
        self.post("execute/async", &json!({"script": body, "args": []}))
    }

    /// The element that a function's body returns, where it returns one.
    pub fn element(&self, body: &str, args: &[Value]) -> Result<Option<Element>> {
        let found = self.script(body, args)?;
        Ok(found[ELEMENT].as_str().map(|id| Element(id.to_owned())))
    }

    /// Clicks as a mouse does: scrolled into view, and refused where something lies above it.
    pub fn click(&self, element: &Element) -> Result<()> {
        self.post(&format!("element/{}/click", element.0), &json!({}))?;
        Ok(())
    }

    /// Empties a field, and types into it.
    pub fn fill(&self, element: &Element, text: &str) -> Result<()> {
        self.post(&format!("element/{}/clear", element.0), &json!({}))?;
        self.post(&format!("element/{}/value", element.0), &json!({"text": text}))?;
        Ok(())
    }

    /// The handles of the windows that are there.
    pub fn windows(&self) -> Result<Vec<String>> {
        let handles = self.get("window/handles")?;
        let handles = handles.as_array().context("no list of windows")?;
        Ok(handles.iter().filter_map(|handle| handle.as_str().map(str::to_owned)).collect())
    }

    /// Turns to another window.
    pub fn turn_to(&self, window: &str) -> Result<()> {
        self.post("window", &json!({"handle": window}))?;
        Ok(())
    }
}
