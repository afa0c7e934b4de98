//! The relay on this computer, by which mail programs send.

use super::{Answer, Shell, address, write};
use crate::dialogs;
use tauri::AppHandle;
use threadline_engine::relay::{RelayStatus, TestStep};

#[tauri::command]
#[specta::specta]
pub async fn relay_status(shell: Shell<'_>) -> Answer<RelayStatus> {
    Ok(shell.engine().await?.relay_status().await?)
}

/// Turns it on or off. A port that another program has is changed for the next free one: look at what it gives.
#[tauri::command]
#[specta::specta]
pub async fn set_relay(
    shell: Shell<'_>,
    on: bool,
    tls_port: Option<u16>,
    starttls_port: Option<u16>,
) -> Answer<RelayStatus> {
    let engine = shell.engine().await?;
    if on {
        engine.turn_relay_on(tls_port, starttls_port).await?;
    } else {
        engine.turn_relay_off().await?;
    }
    Ok(engine.relay_status().await?)
}

/// Makes a new password for a mailbox, shown this once; the old one counts no more.
#[tauri::command]
#[specta::specta]
pub async fn new_relay_password(shell: Shell<'_>, mailbox: String) -> Answer<String> {
    let made = shell.engine().await?.relay_password(&address(&mailbox)?, true).await?;
    Ok(made.as_str().to_owned())
}

/// Makes a new certificate; mail programs ask about it again.
#[tauri::command]
#[specta::specta]
pub async fn new_relay_certificate(shell: Shell<'_>) -> Answer<RelayStatus> {
    let engine = shell.engine().await?;
    engine.relay_certificate(true).await?;
    Ok(engine.relay_status().await?)
}

/// Keeps the certificate as a file that the person names, for systems that take one; gives its path.
#[tauri::command]
#[specta::specta]
pub async fn save_relay_certificate(app: AppHandle, shell: Shell<'_>) -> Answer<Option<String>> {
    let certificate = shell.engine().await?.relay_certificate(false).await?;
    let Some(path) = dialogs::certificate_file(&app, shell.locale().await?).await? else { return Ok(None) };
    Ok(Some(write(&path, certificate.pem().as_bytes())?))
}

/// Tries it as a mail program does; nothing is sent.
#[tauri::command]
#[specta::specta]
pub async fn test_relay(shell: Shell<'_>, mailbox: String) -> Answer<Vec<TestStep>> {
    Ok(shell.engine().await?.test_relay(&address(&mailbox)?).await?)
}
