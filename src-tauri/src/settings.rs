//! What the person sets of the desktop app itself. It lies as JSON in the data folder, beside the ledger: it must be
//! readable before the keychain is open.

use crate::error::AppError;
use crate::locale::Locale;
use crate::notify::Told;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::{Path, PathBuf};

const FILE: &str = "desktop.json";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    #[default]
    System,
    En,
    De,
}

impl Language {
    /// The language in force; `system` is what the desktop asks for (a language tag of RFC 5646).
    pub fn locale(self, system: Option<&str>) -> Locale {
        match self {
            Language::En => Locale::En,
            Language::De => Locale::De,
            Language::System => Locale::of_tag(system.unwrap_or_default()),
        }
    }
}

/// The settings of the desktop app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(default)]
pub struct AppSettings {
    pub theme: Theme,
    pub language: Language,
    /// Start at login, without a window.
    pub autostart: bool,
    pub notifications: bool,
    /// Minutes since midnight, local time: no notification from here on.
    pub quiet_from: Option<u16>,
    /// Minutes since midnight, local time: notifications again.
    pub quiet_until: Option<u16>,
    /// That closing the window keeps the tray was said.
    pub tray_said: bool,
}

impl Default for AppSettings {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            language: Language::System,
            autostart: false,
            notifications: true,
            quiet_from: None,
            quiet_until: None,
            tray_said: false,
        }
    }
}

/// What the file holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Stored {
    pub settings: AppSettings,
    /// The disconnects that were told and are not over.
    pub told: Vec<Told>,
}

/// The file that holds them.
#[derive(Debug, Clone)]
pub struct SettingsFile(PathBuf);

impl SettingsFile {
    pub fn in_folder(dir: &Path) -> Self {
        Self(dir.join(FILE))
    }

    /// Reads it. One that cannot be read is set aside, and the defaults hold: the name of the file in which the person's own
    /// settings lie then comes with them.
    pub fn read(&self) -> (Stored, Option<String>) {
        let text = match std::fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return (Stored::default(), None),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => String::new(),
            Err(error) => {
                tracing::warn!(%error, "the settings of the app cannot be read; the defaults hold");
                return (Stored::default(), Some(name(&self.0)));
            }
        };
        match serde_json::from_str(&text) {
            Ok(stored) => (stored, None),
            Err(error) => {
                let aside = self.aside();
                let moved = std::fs::rename(&self.0, &aside).is_ok();
                tracing::warn!(
                    line = error.line(),
                    moved,
                    "the settings of the app are damaged; the defaults hold"
                );
                (Stored::default(), Some(name(if moved { &aside } else { &self.0 })))
            }
        }
    }

    fn aside(&self) -> PathBuf {
        self.0.with_extension("broken.json")
    }

    /// Takes it away, and what was set aside of it.
    pub fn remove(&self) {
        for path in [&self.0, &self.aside()] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(%error, "the settings of the app were not deleted");
                }
                _ => {}
            }
        }
    }

    /// Writes it whole or not at all, whenever the power fails.
    pub fn write(&self, stored: &Stored) -> Result<(), AppError> {
        let failed = |error: std::io::Error| {
            AppError::new(
                "settings_not_kept",
                format!(
                    "The settings were not kept: {} cannot be written ({error}). Check its rights and the room on the \
                     disk.",
                    self.0.display()
                ),
            )
            .with("path", self.0.display())
            .with("cause", error)
        };
        let text = serde_json::to_vec_pretty(stored).map_err(|e| failed(e.into()))?;
        let beside = self.0.with_extension("new");
        let write = || {
            let mut file = std::fs::File::create(&beside)?;
            file.write_all(&text)?;
            file.sync_all()?;
            std::fs::rename(&beside, &self.0)
        };
        write().map_err(failed)
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = SettingsFile::in_folder(dir.path());
        assert_eq!(file.read(), (Stored::default(), None));
        let mut stored = Stored::default();
        stored.settings.theme = Theme::Dark;
        stored.settings.quiet_from = Some(22 * 60);
        file.write(&stored).unwrap();
        assert_eq!(file.read(), (stored, None));
    }

    #[test]
    fn a_file_of_another_version_keeps_what_is_known() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), r#"{"settings":{"language":"de","later":1}}"#).unwrap();
        let (stored, aside) = SettingsFile::in_folder(dir.path()).read();
        assert_eq!(aside, None);
        assert_eq!(stored.settings.language, Language::De);
        assert!(stored.settings.notifications);
    }

    #[test]
    fn a_damaged_file_is_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        for damaged in [&b"{\"settings\":"[..], b"", b"\xff\xfe\0\0"] {
            std::fs::write(dir.path().join(FILE), damaged).unwrap();
            let (stored, aside) = SettingsFile::in_folder(dir.path()).read();
            assert_eq!((stored, aside.as_deref()), (Stored::default(), Some("desktop.broken.json")));
            assert_eq!(std::fs::read(dir.path().join("desktop.broken.json")).unwrap(), damaged);
            assert!(!dir.path().join(FILE).exists());
        }
    }

    #[test]
    fn a_folder_that_is_gone_is_told() {
        let file = SettingsFile::in_folder(Path::new("/nowhere/at/all"));
        assert_eq!(file.write(&Stored::default()).unwrap_err().code, "settings_not_kept");
    }

    #[test]
    fn the_system_decides_the_language_where_the_person_does_not() {
        assert_eq!(Language::System.locale(Some("de-AT")), Locale::De);
        assert_eq!(Language::System.locale(Some("fr-FR")), Locale::En);
        assert_eq!(Language::System.locale(None), Locale::En);
        assert_eq!(Language::En.locale(Some("de-DE")), Locale::En);
    }
}
