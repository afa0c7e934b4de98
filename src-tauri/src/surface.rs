//! The real desktop: Tauri's tray and window, the system's notifications, clipboard and autostart.

use crate::controller::{Handle, Request};
use crate::desktop::Desktop;
use crate::error::AppError;
use crate::locale::Locale;
use crate::notify::Words;
use crate::settings::Theme;
use crate::toast::Board;
use crate::tray::menu::Item;
use crate::tray::{Tray, icon};
use crate::views::{Lack, News};
use crate::{platform, updates, windows};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tauri::image::Image;
use tauri::menu::{Menu, MenuBuilder, MenuItem, PredefinedMenuItem};
use tauri::tray::{MouseButton, MouseButtonState, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Wry};
use tauri_plugin_autostart::ManagerExt as _;
use tauri_specta::Event as _;
use threadline_engine::Engine;

const TRAY: &str = "tray";

/// What is known of the desktop. Shared with the threads that find it out.
#[derive(Debug, Clone, Default)]
pub struct Known(Arc<Mutex<Facts>>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Facts {
    lacks: Vec<Lack>,
    dark_panel: bool,
}

impl Known {
    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a tray icon would be seen, as far as was found out.
    pub fn has_tray(&self) -> bool {
        !self.facts().lacks.contains(&Lack::Tray)
    }

    /// Asks the system, which may take its time, on a thread of its own; `heard` is called where it is not as before.
    fn find_out(&self, heard: impl FnOnce() + Send + 'static) {
        let known = self.clone();
        let asked = std::thread::Builder::new().name("desktop".into()).spawn(move || {
            let found = Facts { lacks: platform::lacks(), dark_panel: platform::panel_is_dark() };
            let before = std::mem::replace(&mut *known.facts(), found.clone());
            if before != found {
                heard();
            }
        });
        if let Err(error) = asked {
            tracing::warn!(%error, "what the desktop has was not found out");
        }
    }
}

/// The desktop behind a Tauri app.
pub struct Surface {
    app: AppHandle,
    known: Known,
    handle: Handle<Engine>,
    shown: Option<Tray>,
    clipboard: Option<arboard::Clipboard>,
    notices: Board,
}

impl std::fmt::Debug for Surface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surface").field("known", &self.known).finish_non_exhaustive()
    }
}

impl Surface {
    pub fn new(app: AppHandle, known: Known, handle: Handle<Engine>) -> Self {
        let surface = Self { app, known, handle, shown: None, clipboard: None, notices: Board::default() };
        surface.find_out();
        surface.follow_panel();
        surface
    }

    /// The tray icon is drawn anew when the panel behind it changes its colours.
    fn follow_panel(&self) {
        let (known, handle) = (self.known.clone(), self.handle.clone());
        let followed = std::thread::Builder::new().name("colours".into()).spawn(move || {
            platform::follow_panel(|| {
                let handle = handle.clone();
                known.find_out(move || handle.tell(Request::DesktopChanged));
            });
        });
        if let Err(error) = followed {
            tracing::warn!(%error, "changes of the desktop's colours are not followed");
        }
    }

    fn find_out(&self) {
        let handle = self.handle.clone();
        self.known.find_out(move || handle.tell(Request::DesktopChanged));
    }

    /// Runs it where the windows and menus live, without waiting for it.
    fn at_desktop(&self, act: impl FnOnce(&AppHandle) -> tauri::Result<()> + Send + 'static) {
        let app = self.app.clone();
        let told = self.app.run_on_main_thread(move || {
            if let Err(error) = act(&app) {
                tracing::error!(%error, "the desktop refused");
            }
        });
        if let Err(error) = told {
            tracing::error!(%error, "the desktop does not answer");
        }
    }
}

impl Desktop for Surface {
    fn show_tray(&mut self, tray: &Tray) {
        self.shown = Some(tray.clone());
        let (tray, dark, handle) = (tray.clone(), self.known.facts().dark_panel, self.handle.clone());
        self.at_desktop(move |app| show(app, &tray, dark, handle));
    }

    fn notify(&mut self, words: Words) {
        let handle = self.handle.clone();
        let identifier = self.app.config().identifier.clone();
        self.notices.show(words, &identifier, move |action| handle.tell(Request::Menu(action)));
    }

    fn take_back(&mut self, about: &str) {
        self.notices.take_back(about);
    }

    fn tell(&mut self, news: News) {
        // Without a window nobody listens.
        if let Err(error) = news.emit(&self.app) {
            tracing::warn!(%error, "the window was not told");
        }
    }

    fn open_window(&mut self, theme: Theme, locale: Locale) {
        self.find_out();
        self.at_desktop(move |app| windows::open(app, theme, locale));
    }

    fn set_autostart(&mut self, on: bool) -> Result<(), AppError> {
        let autostart = self.app.autolaunch();
        let set = if on { autostart.enable() } else { autostart.disable() };
        set.map_err(|error| {
            AppError::new(
                "autostart",
                format!("The desktop does not take the start at login: {error}. Set it there."),
            )
            .with("cause", error)
        })
    }

    fn autostart(&self) -> bool {
        self.app.autolaunch().is_enabled().unwrap_or(false)
    }

    fn lacks(&self) -> Vec<Lack> {
        self.known.facts().lacks.clone()
    }

    fn can_update(&self) -> bool {
        updates::are_on(self.app.config())
    }

    fn language(&self) -> Option<String> {
        sys_locale::get_locale()
    }

    fn copy(&mut self, text: String) -> Result<(), AppError> {
        let refused = |error: arboard::Error| {
            AppError::new(
                "clipboard",
                format!("The clipboard does not take it: {error}. Save the diagnostics as a file."),
            )
            .with("cause", error)
        };
        // It is kept: on Linux what was copied goes with its owner.
        let clipboard = match &mut self.clipboard {
            Some(clipboard) => clipboard,
            none => none.insert(arboard::Clipboard::new().map_err(refused)?),
        };
        clipboard.set_text(text).map_err(refused)
    }

    fn quit(&mut self) {
        self.app.exit(0);
    }
}

fn show(app: &AppHandle, tray: &Tray, dark: bool, handle: Handle<Engine>) -> tauri::Result<()> {
    let picture = Image::from_bytes(icon::png(tray.light, dark))?;
    let menu = menu(app, tray)?;
    if let Some(shown) = app.tray_by_id(TRAY) {
        shown.set_tooltip(tray.words())?;
        shown.set_icon_with_as_template(Some(picture), cfg!(target_os = "macos"))?;
        return shown.set_menu(Some(menu));
    }
    let clicked = handle.clone();
    TrayIconBuilder::with_id(TRAY)
        .icon(picture)
        .icon_as_template(cfg!(target_os = "macos"))
        .tooltip(tray.words().unwrap_or("Threadline"))
        .menu(&menu)
        .show_menu_on_left_click(cfg!(not(target_os = "windows")))
        .on_menu_event(move |_, event| {
            if let Ok(action) = serde_json::from_str(event.id().as_ref()) {
                handle.tell(Request::Menu(action));
            }
        })
        .on_tray_icon_event(move |_, event| {
            let TrayIconEvent::Click {
                button: MouseButton::Left, button_state: MouseButtonState::Up, ..
            } = event
            else {
                return;
            };
            if cfg!(target_os = "windows") {
                clicked.tell(Request::Open(None));
            }
        })
        .build(app)?;
    tracing::debug!("the tray is there");
    Ok(())
}

fn menu(app: &AppHandle, tray: &Tray) -> tauri::Result<Menu<Wry>> {
    let mut menu = MenuBuilder::new(app);
    for (at, item) in tray.menu.iter().enumerate() {
        menu = match item {
            Item::Words(text) => {
                menu.item(&MenuItem::with_id(app, format!("words-{at}"), plain(text), false, None::<&str>)?)
            }
            Item::Click { text, action } => {
                let id = serde_json::to_string(action).unwrap_or_default();
                menu.item(&MenuItem::with_id(app, id, plain(text), true, None::<&str>)?)
            }
            Item::Separator => menu.item(&PredefinedMenuItem::separator(app)?),
        };
    }
    menu.build()
}

/// A lone `&` would underline the letter behind it.
fn plain(text: &str) -> String {
    text.replace('&', "&&")
}
