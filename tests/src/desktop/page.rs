//! What a person does with the page in the window: reads, fills in, presses. Things are found by their names, as a screen
//! reader says them.

use super::until;
use super::webdriver::{Element, WebDriver};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// The name of an element, and whether it is shown.
const NAMES: &str = r#"
const words = (text) => (text ?? "").replace(/\s+/g, " ").trim();
const nameOf = (element) => {
  const by = element.getAttribute("aria-labelledby");
  if (by) return words(by.split(" ").map((id) => document.getElementById(id)?.textContent).join(" "));
  const label = element.getAttribute("aria-label");
  if (label) return words(label);
  const labels = [...(element.labels ?? [])].map((one) => one.textContent).join(" ");
  return words(labels || element.textContent || element.getAttribute("placeholder"));
};
const shown = (element) => element.checkVisibility?.() ?? element.getClientRects().length > 0;
"#;

/// Finds by kind and name, or the beginning of the name; in the group with this legend, where one is given.
const FIND: &str = r#"
const [selector, name, group] = arguments;
const groups = [...document.querySelectorAll("fieldset")].filter((one) => words(one.querySelector("legend")?.textContent) === group);
const within = group === null ? document : groups[0];
const all = [...(within?.querySelectorAll(selector) ?? [])].filter(shown);
return all.find((one) => nameOf(one) === name) ?? all.find((one) => nameOf(one).startsWith(name)) ?? null;
"#;

const PRESSED: &str =
    "button:not(:disabled), a[href], summary, [role=button], [role=tab], [role=menuitem], label";
const FILLED: &str = "input, textarea, select";
const FOLDED: &str = "summary";
const SWITCHED: &str = "[role=switch]";

/// The page in the app's window.
#[derive(Debug)]
pub struct Page {
    pub driver: WebDriver,
}

impl Page {
    pub(super) fn new(driver: WebDriver) -> Self {
        Self { driver }
    }

    /// All text that is shown.
    pub fn text(&self) -> Result<String> {
        self.said("return document.body?.innerText", &[])
    }

    /// What a script returns, where it is a text.
    fn said(&self, script: &str, args: &[Value]) -> Result<String> {
        Ok(self.driver.script(script, args)?.as_str().unwrap_or_default().to_owned())
    }

    fn wait(&self, kind: &str, name: &str, group: Option<&str>) -> Result<Element> {
        let find = [NAMES, FIND].concat();
        let args = [json!(kind), json!(name), json!(group)];
        let found = until(&format!("{name:?} on the page"), || self.driver.element(&find, &args));
        found.map_err(|e| self.with_text(e))
    }

    /// Presses what has this name, when it is there and can be pressed.
    pub fn press(&self, name: &str) -> Result<()> {
        let element = self.wait(PRESSED, name, None)?;
        self.driver.click(&element).with_context(|| format!("{name:?} cannot be pressed"))
    }

    /// Fills the field of this name.
    pub fn fill(&self, name: &str, text: &str) -> Result<()> {
        let field = self.wait(FILLED, name, None)?;
        self.driver.fill(&field, text).with_context(|| format!("{name:?} cannot be filled in"))
    }

    /// The same in the group with this legend.
    pub fn fill_in(&self, group: &str, name: &str, text: &str) -> Result<()> {
        let field = self.wait(FILLED, name, Some(group))?;
        self.driver.fill(&field, text).with_context(|| format!("{name:?} cannot be filled in"))
    }

    /// Puts a text of many lines into the field of this name, as a paste does.
    pub fn paste(&self, name: &str, text: &str) -> Result<()> {
        let field = self.wait(FILLED, name, None)?;
        let paste = "const [field, text] = arguments; field.focus(); field.value = text; \
                     field.dispatchEvent(new Event('input', {bubbles: true})); return field.value";
        let pasted = self.said(paste, &[field.json(), json!(text)])?;
        ensure!(pasted.trim() == text.trim(), "{name:?} does not hold what was pasted");
        Ok(())
    }

    /// Chooses a value in the list of this name, in the group with this legend.
    pub fn choose_in(&self, group: &str, name: &str, value: &str) -> Result<()> {
        let list = self.wait(FILLED, name, Some(group))?;
        let choose = "const [list, value] = arguments; list.value = value; \
                      list.dispatchEvent(new Event('change', {bubbles: true})); return list.value";
        let chosen = self.said(choose, &[list.json(), json!(value)])?;
        ensure!(chosen == value, "{name:?} has no {value:?}");
        Ok(())
    }

    /// What stands in the field of this name.
    pub fn filled(&self, name: &str) -> Result<String> {
        let field = self.wait(FILLED, name, None)?;
        self.said("return arguments[0].value", &[field.json()])
    }

    /// Opens what is folded under this name, where it is closed.
    pub fn unfold(&self, name: &str) -> Result<()> {
        let summary = self.wait(FOLDED, name, None)?;
        match self.driver.script("return arguments[0].parentElement.open", &[summary.json()])? {
            Value::Bool(true) => Ok(()),
            _ => self.driver.click(&summary),
        }
    }

    /// Turns the switch of this name on, where it is off.
    pub fn turn_on(&self, name: &str) -> Result<()> {
        let switch = self.wait(SWITCHED, name, None)?;
        match self.said("return arguments[0].getAttribute('aria-checked')", &[switch.json()])?.as_str() {
            "true" => Ok(()),
            _ => {
                // The window's foot may lie over it.
                let show = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})";
                self.driver.script(show, &[switch.json()])?;
                self.driver.click(&switch)
            }
        }
    }

    /// The name of what has the focus.
    pub fn focus(&self) -> Result<String> {
        self.said(&format!("{NAMES} return nameOf(document.activeElement)"), &[])
    }

    /// Waits until the page shows these words.
    pub fn shows(&self, words: &str) -> Result<()> {
        self.shows_what(&format!("{words:?}"), |text| text.contains(words))
    }

    /// Waits until what the page shows is so.
    pub fn shows_what(&self, what: &str, is: impl Fn(&str) -> bool) -> Result<()> {
        let shown = until(&format!("{what} on the page"), || Ok(is(&self.text()?).then_some(())));
        shown.map_err(|e| self.with_text(e))
    }

    /// Waits until the page has a heading and waits for nothing itself.
    pub fn rests(&self) -> Result<()> {
        let asked =
            "return document.querySelector('h1') !== null && document.querySelector('.spinner') === null";
        let rests = until("the page to have all it asked for", || {
            Ok((self.driver.script(asked, &[])? == Value::Bool(true)).then_some(()))
        });
        rests.map_err(|e| self.with_text(e))
    }

    /// Turns to the window that is there now, where another one was before.
    pub fn turn_to_new_window(&self) -> Result<()> {
        let window = until("a window to turn to", || Ok(self.driver.windows()?.pop()))?;
        self.driver.turn_to(&window)
    }

    /// An error with all that the page shows.
    fn with_text(&self, error: anyhow::Error) -> anyhow::Error {
        let text = self.text().unwrap_or_else(|e| format!("cannot be read: {e:#}"));
        error.context(format!("the page shows:\n{text}\n"))
    }
}
