//! A Tauri app with a tray icon and a window that shows nothing, closed to the tray as ours is: what any such program
//! costs. `cargo xtask bench app` measures ours beside it.

use tauri::menu::{Menu, MenuItem};
use tauri::tray::TrayIconBuilder;
use tauri::{RunEvent, WebviewUrl, WebviewWindowBuilder};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = tauri::Builder::default()
        .setup(|app| {
            let line = MenuItem::with_id(app, "nothing", "Nothing", true, None::<&str>)?;
            let mut tray = TrayIconBuilder::new().menu(&Menu::with_items(app, &[&line])?);
            if let Some(icon) = app.default_window_icon() {
                tray = tray.icon(icon.clone());
            }
            tray.build(app)?;
            let page = WebviewUrl::External("about:blank".parse()?);
            WebviewWindowBuilder::new(app, "main", page).title("Bare").inner_size(1120.0, 760.0).build()?;
            Ok(())
        })
        .build(tauri::generate_context!("./tauri.conf.json"))?;
    app.run(|_, event| {
        if let RunEvent::ExitRequested { code: None, api, .. } = event {
            api.prevent_exit();
        }
    });
    Ok(())
}
