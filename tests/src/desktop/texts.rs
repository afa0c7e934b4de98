//! The app's English texts, from the catalogue that it is built with: a test names a text by its key.

use anyhow::{Context, Result};
use serde_json::Value;

/// The catalogue.
#[derive(Debug)]
pub struct Texts(Value);

impl Texts {
    pub fn english() -> Result<Self> {
        Ok(Self(serde_json::from_str(include_str!("../../../ui/src/locales/en.json"))?))
    }

    /// A whole text.
    pub fn text(&self, key: &str) -> Result<&str> {
        self.0[key].as_str().with_context(|| format!("the catalogue has no {key:?}"))
    }

    /// A text up to what is put into it first.
    pub fn start(&self, key: &str) -> Result<&str> {
        let text = self.text(key)?;
        Ok(text.split('{').next().unwrap_or(text).trim_end())
    }

    /// A text with what is put into it.
    pub fn with(&self, key: &str, put_in: &[(&str, &str)]) -> Result<String> {
        let text = self.text(key)?.to_owned();
        Ok(put_in.iter().fold(text, |text, (name, value)| text.replace(&format!("{{{name}}}"), value)))
    }
}
