//! What the window asks of the desktop.

use super::{Answer, Shell};
use crate::dialogs;
use crate::error::AppError;
use tauri::{AppHandle, Url};

/// What may be opened outside: pages and letters, nothing that runs.
const SCHEMES: [&str; 3] = ["https", "http", "mailto"];

#[tauri::command]
#[specta::specta]
pub async fn open_link(url: String) -> Answer<()> {
    let url = allowed(&url)?;
    tauri_plugin_opener::open_url(url.as_str(), None::<&str>).map_err(|error| {
        AppError::new(
            "no_program_link",
            format!("No program opens this link: {error}. Copy it into a browser."),
        )
    })
}

#[tauri::command]
#[specta::specta]
pub async fn open_data_dir(shell: Shell<'_>) -> Answer<()> {
    let dir = shell.app().await?.data_dir;
    tauri_plugin_opener::open_path(&dir, None::<&str>).map_err(|error| {
        AppError::new("no_program_folder", format!("No program shows the folder {dir}: {error}."))
            .with("path", dir)
    })
}

/// Asks for a folder and writes everything that is logged into it; `None` where none was chosen.
#[tauri::command]
#[specta::specta]
pub async fn export_all(app: AppHandle, shell: Shell<'_>) -> Answer<Option<String>> {
    let engine = shell.engine().await?;
    let Some(dir) = dialogs::export_folder(&app, shell.locale().await?).await? else { return Ok(None) };
    let dir = dir.join(format!("threadline-export-{}", engine.clock().now().strftime("%Y-%m-%d-%H%M%S")));
    engine.export(&dir, |_| {}).await?;
    Ok(Some(dir.display().to_string()))
}

fn allowed(url: &str) -> Answer<Url> {
    let parsed = Url::parse(url).ok().filter(|url| SCHEMES.contains(&url.scheme()));
    parsed.ok_or_else(|| {
        AppError::new("link_not_allowed", "This link is not opened: only web pages and mail addresses are.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_and_letters_are_opened() {
        for url in ["https://crm.example/contact/1", "http://x.example", "mailto:ann@firm.example"] {
            assert!(allowed(url).is_ok(), "{url}");
        }
        for url in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "data:text/html,x",
            "smb://host/share",
            "ms-msdt:/id",
            "tauri://localhost",
            "/usr/bin/true",
            "",
        ] {
            assert_eq!(allowed(url).unwrap_err().code, "link_not_allowed", "{url}");
        }
    }
}
