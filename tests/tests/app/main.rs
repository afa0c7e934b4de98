//! The app as it is installed: its real window, tray and notifications, on the real engine, mail servers and keychain.

#![cfg(target_os = "linux")]

mod actions;
mod closed_window;
mod colours;
mod compose;
mod first_run;
mod held;
mod keychain;
mod package;
mod reconnect;
mod setup_link;
mod theme;
mod updates;

const ANN: &str = "ann@lab.test";
const CARL: &str = "carl@customer1.example";
