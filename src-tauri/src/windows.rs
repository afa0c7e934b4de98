//! The one window: made when it is asked for, destroyed when it is closed.

use crate::locale::Locale;
use crate::settings::Theme;
use crate::views::News;
use tauri::plugin::TauriPlugin;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::window::Color;
use tauri::{AppHandle, Manager, Theme as Look, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, Wry};
use tauri_plugin_window_state::StateFlags;
use tauri_specta::Event as _;

/// The window's label; the capability names it too.
pub const MAIN: &str = "main";

/// Where `npm run dev` serves the interface while it is worked on.
const DEV_SERVER: &str = "http://127.0.0.1:1420/";

/// Keeps where the window stood, how large it was, and whether it filled the screen, from one opening to the next.
pub fn remembered() -> TauriPlugin<Wry> {
    let kept = StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED;
    tauri_plugin_window_state::Builder::default().with_state_flags(kept).build()
}

/// Opens the window, or brings the one that is open to the front. Until the page is there the window has the page's colour, and
/// the page has its theme and language before the program answers.
pub fn open(app: &AppHandle, theme: Theme, locale: Locale) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(MAIN) {
        return raise(&window);
    }
    let links = app.clone();
    let address = WebviewUrl::App("index.html".into());
    let chosen = match theme {
        Theme::System => None,
        Theme::Light => Some(Look::Light),
        Theme::Dark => Some(Look::Dark),
    };
    let mut window = WebviewWindowBuilder::new(app, MAIN, address)
        .theme(chosen)
        .initialization_script(dress(chosen, locale))
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
        .disable_drag_drop_handler();
    if let Some(look) = chosen {
        window = window.background_color(ground(look));
    }
    let window = window.build()?;
    match chosen {
        Some(_) => Ok(()),
        None => window.set_background_color(Some(ground(window.theme()?))),
    }
}

/// What runs in the page before its own scripts: marks the document, of which not even the root may be there yet.
fn dress(look: Option<Look>, locale: Locale) -> String {
    let theme = look.map(|look| format!("d.theme={:?};", look.to_string())).unwrap_or_default();
    format!(
        "(()=>{{const mark=()=>{{const d=document.documentElement?.dataset;if(d){{{theme}d.locale={:?};}}return d}};\
         mark()||new MutationObserver((_,o)=>mark()&&o.disconnect()).observe(document,{{childList:true}})}})()",
        locale.tag()
    )
}

/// `--bg` of the page's `tokens.css`.
fn ground(look: Look) -> Color {
    match look {
        Look::Dark => Color(0x10, 0x16, 0x1d, 0xff),
        _ => Color(0xf5, 0xf7, 0xfa, 0xff),
    }
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
    built_in || (tauri::is_dev() && url.as_str().starts_with(DEV_SERVER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_window_has_the_colour_of_the_page() {
        let tokens = include_str!("../../ui/src/styles/tokens.css");
        let mut grounds = tokens.lines().filter_map(|line| line.trim().strip_prefix("--bg: #"));
        for look in [Look::Light, Look::Dark] {
            let Color(r, g, b, _) = ground(look);
            assert_eq!(grounds.next(), Some(format!("{r:02x}{g:02x}{b:02x};").as_str()), "{look}");
        }
    }

    #[test]
    fn the_page_has_its_theme_and_language_before_its_own_scripts_run() {
        let dark = dress(Some(Look::Dark), Locale::De);
        assert!(dark.contains(r#"d.theme="dark";d.locale="de";"#), "{dark}");
        // Where the system decides, the style sheet asks it.
        let system = dress(None, Locale::En);
        assert!(!system.contains("theme") && system.contains(r#"d.locale="en""#), "{system}");
        let page = include_str!("../../ui/src/main.ts");
        assert!(page.contains("document.documentElement.dataset.locale"));
        let tokens = include_str!("../../ui/src/styles/tokens.css");
        assert!(tokens.contains(":root[data-theme=\"dark\"]"));
    }

    #[test]
    fn the_development_server_has_one_address() {
        let address = DEV_SERVER.trim_end_matches('/');
        assert!(include_str!("../../tauri.conf.json").contains(&format!("\"devUrl\": \"{address}\"")));
        let (host, port) = address.trim_start_matches("http://").split_once(':').unwrap();
        let served = format!("server: {{ host: \"{host}\", port: {port}, strictPort: true }}");
        assert!(include_str!("../../ui/vite.config.ts").contains(&served));
    }

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
