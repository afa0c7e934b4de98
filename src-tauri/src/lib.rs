//! The desktop shell: tray, window and notifications on top of the engine.
//!
//! [`controller`] owns the state; [`surface`] is the real desktop under it, [`desk`] the engine behind it. [`commands`] are
//! what the window may ask. The tray ([`tray`]) and the notifications ([`notify`]) are pure functions of state.

mod args;
mod bindings;
mod commands;
mod controller;
mod desk;
mod desktop;
mod dialogs;
mod error;
mod locale;
mod notify;
mod offer;
mod platform;
mod settings;
mod surface;
#[cfg(test)]
mod testing;
mod toast;
mod tray;
mod updates;
mod views;
mod windows;

pub use args::Args;

use controller::{Controller, Handle, Parts, Request};
use desk::DataFolder;
use jiff::tz::TimeZone;
use offer::Offer;
use std::process::ExitCode;
use std::sync::Arc;
use surface::{Known, Surface};
use tauri::{RunEvent, Window, WindowEvent};
use tauri_plugin_autostart::MacosLauncher;
use threadline_engine::clock::SystemClock;
use threadline_engine::logs::{self, Logs};
use threadline_engine::{Engine, Home};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Runs the app until the person quits it.
pub fn run(args: Args) -> ExitCode {
    platform::choose_renderer();
    let logs = Logs::default();
    // There is one already only where a test made it.
    let _ = tracing_subscriber::registry().with(logs.listener()).try_init();
    logs::keep_panics_silent();
    match start(args, &logs) {
        Ok(code) => u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(error) => {
            fail(&*error);
            ExitCode::FAILURE
        }
    }
}

/// Where no window comes up, the terminal and the system's own log are all that is left.
#[expect(clippy::print_stderr, reason = "there is no window to say it in")]
fn fail(error: &dyn std::error::Error) {
    eprintln!("Threadline did not start: {error}");
}

fn start(args: Args, logs: &Logs) -> Result<i32, Box<dyn std::error::Error>> {
    let data_dir = match args.data_dir {
        Some(dir) => std::path::absolute(dir)?,
        None => Home::default_dir()?,
    };
    logs.keep_in(&data_dir);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "Threadline begins");
    let bindings = bindings::builder();
    let (handle, ears) = controller::channel::<Engine>();
    let (raise, closing) = (handle.clone(), handle.clone());
    let offer = Offer::default();
    let (sent, opened) = (offer.clone(), offer.clone());
    #[cfg(target_os = "macos")]
    let (by_system, from_system) = (offer.clone(), handle.clone());
    let mut context = tauri::generate_context!("./tauri.conf.json");
    let known = Known::default();
    let at_closing = known.clone();
    // First, so that a second start ends before it does anything.
    let app = tauri::Builder::default().plugin(tauri_plugin_single_instance::init(move |_, words, _| {
        raise.tell(Request::Open(sent.take_link(words)));
    }));
    let app = updates::add(app, &mut context)
        .plugin(tauri_plugin_autostart::init(MacosLauncher::LaunchAgent, Some(vec![args::HIDDEN])))
        .plugin(tauri_plugin_dialog::init())
        .plugin(windows::remembered())
        .manage(handle.clone())
        .manage(logs.clone())
        .manage(commands::connect::Waiting::default())
        .manage(commands::sending::Chosen::default())
        .manage(updates::Found::default())
        .manage(offer)
        .invoke_handler(bindings.invoke_handler())
        .on_window_event(move |window, event| closed(window, event, &at_closing, &closing))
        .setup({
            let logs = logs.clone();
            move |app| {
                bindings.mount_events(app);
                let parts = Parts {
                    opener: Arc::new(DataFolder::new(data_dir.clone())),
                    desktop: Surface::new(app.handle().clone(), known, handle.clone()),
                    clock: Arc::new(SystemClock::start()),
                    zone: TimeZone::system(),
                    data_dir,
                    logs,
                };
                tauri::async_runtime::spawn(Controller::new(parts, ears).run());
                let route = opened.take_link(args.link);
                if route.is_some() || !args.hidden {
                    handle.tell(Request::Open(route));
                }
                Ok(())
            }
        })
        .build(context)?;
    Ok(app.run_return(move |_, event| {
        // macOS tells of a link by an event, and the others by a second start.
        #[cfg(target_os = "macos")]
        if let RunEvent::Opened { urls } = &event {
            from_system.tell(Request::Open(by_system.take_link(urls.iter().map(tauri::Url::as_str))));
        }
        // The last window was closed; the program goes on in the tray.
        if let RunEvent::ExitRequested { code: None, api, .. } = event {
            api.prevent_exit();
        }
    }))
}

/// The window is destroyed, and its memory freed; without a tray it could not be found again, so it is minimised.
fn closed(window: &Window, event: &WindowEvent, known: &Known, handle: &Handle<Engine>) {
    let WindowEvent::CloseRequested { api, .. } = event else { return };
    let minimised = !known.has_tray() && window.minimize().is_ok();
    if minimised {
        api.prevent_close();
    }
    handle.tell(Request::Closed { minimised });
    tracing::debug!(label = window.label(), minimised, "the window was closed");
}
