//! The texts of tray, notifications and dialogs, from the catalogue that the window uses too.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::LazyLock;

/// A language that the catalogue has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    En,
    De,
}

impl Locale {
    /// The language for a tag such as `de-AT`; English where the catalogue does not have it.
    pub fn of_tag(tag: &str) -> Self {
        match tag.split(['-', '_', '.']).next() {
            Some(language) if language.eq_ignore_ascii_case("de") => Locale::De,
            _ => Locale::En,
        }
    }

    /// As RFC 5646 has it.
    pub fn tag(self) -> &'static str {
        match self {
            Locale::En => "en",
            Locale::De => "de",
        }
    }

    pub fn catalogue(self) -> &'static Catalogue {
        static EN: LazyLock<Catalogue> =
            LazyLock::new(|| Catalogue::read(include_str!("../../ui/src/locales/en.json")));
        static DE: LazyLock<Catalogue> =
            LazyLock::new(|| Catalogue::read(include_str!("../../ui/src/locales/de.json")));
        match self {
            Locale::En => &EN,
            Locale::De => &DE,
        }
    }
}

/// The texts of one language: flat keys, `{name}` for what is put in, `.one` and `.other` for numbers.
#[derive(Debug)]
pub struct Catalogue(HashMap<String, String>);

impl Catalogue {
    /// A file that cannot be read gives no texts; a test reads both.
    fn read(json: &str) -> Self {
        Self(serde_json::from_str(json).unwrap_or_default())
    }

    /// The names in braces of a key's text; `None` where there is no text.
    #[cfg(test)]
    pub fn names(&self, key: &str) -> Option<Vec<&str>> {
        let parts = self.0.get(key)?.split('{').skip(1);
        let is_name = |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase());
        Some(parts.filter_map(|part| Some(part.split_once('}')?.0)).filter(is_name).collect())
    }

    /// The text of a key; the key itself where there is none, so that the lack is seen.
    pub fn text(&self, key: &str, put_in: &[(&str, &str)]) -> String {
        let Some(text) = self.0.get(key) else { return key.to_owned() };
        let mut whole = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, behind)) = rest.split_once('{') {
            whole.push_str(before);
            let Some((name, after)) = behind.split_once('}') else {
                rest = behind;
                break;
            };
            whole.push_str(put_in.iter().find(|(n, _)| *n == name).map_or("", |(_, value)| value));
            rest = after;
        }
        whole.push_str(rest);
        whole
    }

    /// The text for a number, which is put in as `{n}`.
    pub fn count(&self, key: &str, count: u64, put_in: &[(&str, &str)]) -> String {
        let form = if count == 1 { "one" } else { "other" };
        let number = count.to_string();
        self.text(&format!("{key}.{form}"), &[&[("n", number.as_str())], put_in].concat())
    }

    /// A moment as a person says it: the time alone where it is of the same day as `now`.
    pub fn when(&self, at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
        let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
        let key = if at.date() == now.date() { "shell.time" } else { "shell.day_and_time" };
        at.strftime(&self.text(key, &[])).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use threadline_core::reason::Reason;
    use threadline_core::rule::Rule;

    const LOCALES: [Locale; 2] = [Locale::En, Locale::De];

    fn has(texts: &Catalogue, key: &str) -> bool {
        texts.0.contains_key(key)
    }

    #[test]
    fn what_is_put_in_is_taken_as_it_is() {
        let texts =
            Catalogue::read(r#"{"a":"{who} waits, {who}: {what}","n.one":"{n} mail","n.other":"{n} mails"}"#);
        assert_eq!(texts.text("a", &[("who", "{what}"), ("what", "x")]), "{what} waits, {what}: x");
        assert_eq!(texts.text("b", &[]), "b");
        assert_eq!((texts.count("n", 1, &[]), texts.count("n", 0, &[])), ("1 mail".into(), "0 mails".into()));
    }

    #[test]
    fn a_moment_of_today_is_a_time() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let texts = Locale::En.catalogue();
        let now = at("2026-03-02T16:00:00Z");
        assert_eq!(texts.when(at("2026-03-02T13:02:00Z"), now, &zone), "14:02");
        assert_eq!(texts.when(at("2026-03-01T13:02:00Z"), now, &zone), "1 Mar 14:02");
        assert_eq!(Locale::De.catalogue().when(at("2026-03-01T13:02:00Z"), now, &zone), "1.3. 14:02");
    }

    #[test]
    fn every_reason_and_every_rule_has_its_words() {
        for locale in LOCALES {
            let texts = locale.catalogue();
            for reason in Reason::ALL {
                for part in ["title", "next", "short"] {
                    let key = format!("reason.{}.{part}", reason.code());
                    assert!(has(texts, &key), "{locale:?} lacks {key}");
                }
            }
            for rule in Rule::ALL {
                let key = format!("rule.{}", rule.name());
                assert!(has(texts, &key), "{locale:?} lacks {key}");
            }
        }
    }

    /// The keys that the sources of the shell name.
    fn named() -> Vec<String> {
        fn walk(folder: &std::path::Path, found: &mut Vec<String>) {
            for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    walk(&path, found);
                } else if let Ok(text) = std::fs::read_to_string(&path) {
                    let literals = text.split('"').skip(1).step_by(2);
                    let ours = |key: &&str| {
                        ["tray.", "notify.", "shell."]
                            .iter()
                            .any(|p| key.starts_with(p) && key.len() > p.len())
                            && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'_')
                    };
                    found.extend(literals.filter(ours).map(str::to_owned));
                }
            }
        }
        let mut found = Vec::new();
        walk(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src-tauri/src")), &mut found);
        found
    }

    #[test]
    fn every_text_of_the_shell_is_in_both_languages() {
        let keys = named();
        assert!(keys.len() > 20, "only {} keys were found", keys.len());
        for key in keys {
            for locale in LOCALES {
                let texts = locale.catalogue();
                let plural = has(texts, &format!("{key}.one")) && has(texts, &format!("{key}.other"));
                assert!(has(texts, &key) || plural, "{locale:?} lacks {key}");
            }
        }
    }
}
