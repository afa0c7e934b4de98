//! A set-up of the IT department that was opened, by a link or as a file. It lies here until the person has seen it and said
//! what is to become of it: opening it does nothing.

use crate::error::AppError;
use crate::views::Route;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use threadline_engine::EngineError;
use threadline_engine::setup::{MOST_BYTES, Setup};

/// How a link to this program begins; systems write it in any case.
const SCHEME: &str = "threadline:";

/// The set-up that was opened last. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Offer(Arc<Mutex<Option<Text>>>);

/// A link, or a file's text. Without what it holds where it is printed.
#[derive(Clone)]
struct Text(String);

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Text")
    }
}

impl Offer {
    fn text(&self) -> MutexGuard<'_, Option<Text>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the link among what a program was started with; gives where the window is to go.
    pub fn take_link<S: AsRef<str>>(&self, words: impl IntoIterator<Item = S>) -> Option<Route> {
        let is_link =
            |word: &str| word.get(..SCHEME.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(SCHEME));
        let link = words.into_iter().find(|word| is_link(word.as_ref()))?;
        // A longer one is refused for its length, and need not be kept whole for that.
        let most = link.as_ref().char_indices().nth(3 * MOST_BYTES).map_or(link.as_ref().len(), |(at, _)| at);
        *self.text() = Some(Text(link.as_ref()[..most].to_owned()));
        Some(Route::ItSetup)
    }

    /// Takes a file, where it is a set-up.
    pub fn take_file(&self, path: &Path) -> Result<(), AppError> {
        let unread = |error: std::io::Error| {
            let text = format!("{} cannot be read: {error}. Choose another file.", path.display());
            AppError::new("setup_unread", text).with("path", path.display()).with("cause", error)
        };
        let mut bytes = Vec::new();
        // A byte more than it may have, so that it is told as too long.
        let file = std::fs::File::open(path).map_err(unread)?;
        file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unread)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Setup::read(&text).map_err(EngineError::from)?;
        *self.text() = Some(Text(text));
        Ok(())
    }

    /// What is offered; refused where it is no set-up.
    pub fn read(&self) -> Result<Option<Setup>, AppError> {
        let text = self.text().clone();
        let setup = text.map(|text| Setup::read(&text.0)).transpose();
        Ok(setup.map_err(EngineError::from)?)
    }

    /// Nothing is offered any more.
    pub fn forget(&self) {
        *self.text() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"threadline_setup":1,"from":"IT","rules":{"colleagues":["firm.example"]}}"#;

    #[test]
    fn a_link_among_the_words_of_a_start_is_offered_and_does_nothing() {
        let offer = Offer::default();
        assert_eq!(offer.take_link(["threadline-app", "--hidden"]), None);
        assert_eq!(offer.read().unwrap(), None);
        let link = Setup::read(FILE).unwrap().to_link().unwrap();
        let shouted = link.replacen("threadline", "THREADLINE", 1);
        assert_eq!(offer.take_link(["threadline-app", shouted.as_str()]), Some(Route::ItSetup));
        assert_eq!(offer.read().unwrap().unwrap().from.as_deref(), Some("IT"));
        offer.forget();
        assert_eq!(offer.read().unwrap(), None);
    }

    #[test]
    fn a_link_that_is_no_set_up_is_told_where_it_would_be_shown() {
        for (link, code) in [
            ("threadline://elsewhere".to_owned(), "setup_malformed"),
            ("threadline://setup?data=%%%".to_owned(), "setup_no_link"),
            (format!("threadline://setup?data={}", "A".repeat(4 * MOST_BYTES)), "setup_too_long"),
        ] {
            let offer = Offer::default();
            assert_eq!(offer.take_link([&link]), Some(Route::ItSetup));
            assert_eq!(offer.read().unwrap_err().code, code, "{}", &link[..30]);
        }
    }

    #[test]
    fn a_file_is_offered_only_where_it_is_a_set_up() {
        let dir = tempfile::tempdir().unwrap();
        let offer = Offer::default();
        let path = dir.path().join("setup.json");
        std::fs::write(&path, FILE).unwrap();
        offer.take_file(&path).unwrap();
        assert!(offer.read().unwrap().is_some());
        std::fs::write(&path, "x".repeat(MOST_BYTES + 1)).unwrap();
        assert_eq!(offer.take_file(&path).unwrap_err().code, "setup_too_long");
        assert_eq!(offer.take_file(dir.path()).unwrap_err().code, "setup_unread");
        assert!(offer.read().unwrap().is_some(), "the one before is still there");
    }

    #[test]
    fn the_systems_send_such_links_to_this_program() {
        let settings: serde_json::Value =
            serde_json::from_str(include_str!("../../tauri.conf.json")).unwrap();
        assert_eq!(settings["plugins"]["deep-link"]["desktop"]["schemes"][0], SCHEME.trim_end_matches(':'));
        assert_eq!(settings["bundle"]["linux"]["deb"]["desktopTemplate"], "src-tauri/threadline.desktop");
        let entry = include_str!("../threadline.desktop");
        assert!(entry.contains("Exec={{exec}} %u\n") && entry.contains("MimeType={{mime_type}};\n"));
    }
}
