//! The one window: made when it is asked for, destroyed when it is closed.

use crate::views::News;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{AppHandle, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder};
use tauri_specta::Event as _;

/// The window's label; the capability names it too.
pub const MAIN: &str = "main";

/// Opens the window, or brings the one that is open to the front.
pub fn open(app: &AppHandle) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(MAIN) {
        return raise(&window);
    }
    let links = app.clone();
    let address = WebviewUrl::App("index.html".into());
    WebviewWindowBuilder::new(app, MAIN, address)
        .title("Threadline")
        .inner_size(1120.0, 760.0)
        .min_inner_size(720.0, 520.0)
        .on_navigation(is_ours)
        .on_new_window(move |url, _| {
            // A mail's links want a window of their own. They get none; the person is asked about them.
            let told = News::Link { url: url.into() }.emit(&links);
            if let Err(error) = told {
                tracing::warn!(%error, "the window was not told of a link");
            }
            NewWindowResponse::Deny
        })
        .on_page_load(|_, page| {
            if page.event() == PageLoadEvent::Finished {
                tracing::debug!("the window is loaded");
            }
        })
        .disable_drag_drop_handler()
        .build()?;
    Ok(())
}

fn raise(window: &WebviewWindow) -> tauri::Result<()> {
    window.unminimize()?;
    window.show()?;
    window.set_focus()
}

/// What the window may go to: the pages that are built into the program, and in a development build the development
/// server.
fn is_ours(url: &Url) -> bool {
    let built_in = match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        // How Windows names what is built in.
        "http" | "https" => url.host_str() == Some("tauri.localhost"),
        // An empty frame, before its document is put in.
        "about" => matches!(url.path(), "blank" | "srcdoc"),
        _ => false,
    };
    built_in || (tauri::is_dev() && url.host_str() == Some("localhost") && url.port() == Some(1420))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_goes_nowhere_else() {
        let ours = |url: &str| is_ours(&Url::parse(url).unwrap());
        for url in ["tauri://localhost/index.html", "http://tauri.localhost/", "about:srcdoc", "about:blank"]
        {
            assert!(ours(url), "{url}");
        }
        for url in [
            "https://crm.example/",
            "http://localhost:8080/",
            "tauri://elsewhere/",
            "https://tauri.localhost.example/",
            "file:///etc/passwd",
            "data:text/html,x",
            "javascript:alert(1)",
            "blob:tauri://localhost/1",
        ] {
            assert!(!ours(url), "{url}");
        }
    }
}
