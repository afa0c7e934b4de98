//! The desktop app.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    threadline_app::run(threadline_app::Args::parse())
}
